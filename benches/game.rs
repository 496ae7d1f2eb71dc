//! Enumeration and sampling through ONNX Runtime against bare runs of the same model: `cargo bench --bench game`.
//!
//! One thread; items are scores, so the ratio of the throughputs is what building coalitions, feeding, reading and
//! solving leave of the model's own. `PROBITY_PIPELINE` names another pipeline than the shipped Adult one; a small
//! network is the hardest case, since its scores cost least.

use divan::Bencher;
use divan::counter::ItemsCount;
use ndarray::Array2;
use ort::session::Session;
use ort::value::TensorRef;
use probity::config;
use probity::dataset::{Column, Features, Reader};
use probity::explain::game::{GameExplainer, Method, Rules, Scale};
use probity::plan::{self, Background, Plan};
use std::path::{Path, PathBuf};

/// Explained rows, and rows of a bare run.
const ROWS: usize = 8;
const RUN_ROWS: usize = 4_096;

fn main() {
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global().expect("the first thread pool");
    divan::main();
}

/// A pipeline, its background of 100 rows and the first rows of its data.
fn prepared() -> (Plan, Background, Features) {
    let shipped = || Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/adult-income.toml");
    let path = std::env::var_os("PROBITY_PIPELINE").map_or_else(shipped, PathBuf::from);
    let loaded = config::load(&path, &["explain.method=\"exact\"".to_owned()], &|name| std::env::var(name).ok())
        .expect("the pipeline loads");
    let plan = Plan::resolve(loaded, 1, RUN_ROWS).expect("the pipeline fits its data");
    let background = plan::sample_background(&plan.source, &plan.selection, 100, 7, "its own rows", RUN_ROWS);
    let background = background.expect("a background");
    let batch = Reader::start(&plan.source, &plan.selection, RUN_ROWS).expect("readable").next();
    let features = batch.expect("a batch").expect("resolved").features;
    (plan, background, features)
}

#[divan::bench(args = [Method::Exact, Method::Kernel { budget: 64 }, Method::Permutation { budget: 64 }])]
fn explain(bencher: Bencher, method: Method) {
    let (plan, background, features) = prepared();
    let rows = features.take(&(0..ROWS).collect::<Vec<_>>());
    let keys: Vec<u64> = (0..ROWS as u64).collect();
    let model = plan.model.as_ref().expect("a model");
    let rules = Rules { method, scale: Scale::Probability, outputs: vec![0], seed: 7 };
    let explainer = GameExplainer::new(&model.scorer, &background.features, model.players.clone(), rules);
    let explainer = explainer.expect("an explainer");
    let scores = explainer.evaluations(&rows, &keys).expect("countable");
    bencher.counter(ItemsCount::new(scores)).bench_local(|| explainer.explain(&rows, &keys).expect("explained"));
}

#[divan::bench]
fn bare(bencher: Bencher) {
    let (plan, _, features) = prepared();
    let mut matrix = Array2::<f32>::zeros((RUN_ROWS, features.columns.len()));
    for (column, mut out) in features.columns.iter().zip(matrix.columns_mut()) {
        if let Column::Number(values) = column {
            out.iter_mut().zip(values.iter().cycle()).for_each(|(out, value)| *out = *value as f32);
        }
    }
    let environment = probity::model::environment().expect("ONNX Runtime");
    let builder = Session::builder(environment).expect("a builder").with_intra_threads(1).expect("threads");
    let mut builder = builder.with_inter_threads(1).expect("threads");
    let model = &plan.model.as_ref().expect("a model").model;
    let mut session = builder.commit_from_memory(&model.bytes).expect("a session");
    bencher.counter(ItemsCount::new(RUN_ROWS)).bench_local(|| {
        let input = TensorRef::from_array_view(matrix.view()).expect("a tensor");
        session.run(ort::inputs![input]).expect("scores").len()
    });
}
