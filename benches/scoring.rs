//! Scoring by the audit's own path (columns → tensors → sessions → scores) against a bare ONNX Runtime loop on a
//! matrix that is ready: `cargo bench --bench scoring`. The ratio of the medians is what feeding and reading cost.

use divan::counter::ItemsCount;
use ndarray::Array2;
use ort::session::Session;
use ort::value::TensorRef;
use probity::config;
use probity::dataset::{Column, Features, Reader};
use probity::plan::Plan;
use std::path::Path;

const BATCH_ROWS: usize = 16_384;

fn main() {
    divan::main();
}

/// The shipped Adult pipeline and its first rows.
fn adult(threads: usize) -> (Plan, Features) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/adult-income.toml");
    let loaded = config::load(&path, &[], &|name| std::env::var(name).ok()).expect("the pipeline loads");
    let plan = Plan::resolve(loaded, threads, BATCH_ROWS).expect("the pipeline fits its data");
    let batch = Reader::start(&plan.source, &plan.selection, BATCH_ROWS).expect("readable").next();
    let features = batch.expect("a batch").expect("resolved").features;
    (plan, features)
}

fn pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool")
}

#[divan::bench(args = [1, 2])]
fn audit(bencher: divan::Bencher, threads: usize) {
    let (plan, features) = adult(threads);
    let scorer = &plan.model.as_ref().expect("a model").scorer;
    let pool = pool(threads);
    bencher
        .counter(ItemsCount::new(features.n_rows))
        .bench_local(|| pool.install(|| scorer.score(&features).expect("scores")));
}

#[divan::bench(args = [1, 2])]
fn bare_loop(bencher: divan::Bencher, threads: usize) {
    let (plan, features) = adult(threads);
    let mut matrix = Array2::<f32>::zeros((features.n_rows, features.columns.len()));
    for (column, mut out) in features.columns.iter().zip(matrix.columns_mut()) {
        if let Column::Number(values) = column {
            out.iter_mut().zip(values).for_each(|(out, value)| *out = *value as f32);
        }
    }
    let environment = probity::model::environment().expect("ONNX Runtime");
    let builder = Session::builder(environment).expect("a builder").with_intra_threads(threads).expect("threads");
    let mut builder = builder.with_inter_threads(1).expect("threads");
    let model = &plan.model.as_ref().expect("a model").model;
    let mut session = builder.commit_from_memory(&model.bytes).expect("a session");
    bencher.counter(ItemsCount::new(features.n_rows)).bench_local(|| {
        let input = TensorRef::from_array_view(matrix.view()).expect("a tensor");
        let outputs = session.run(ort::inputs![input]).expect("scores");
        outputs["probabilities"].try_extract_tensor::<f32>().expect("numbers").1.iter().sum::<f32>()
    });
}
