//! Gradients of the digits' network against its scores, both from columns to numbers on one thread:
//! `cargo bench --bench gradient`. The ratio of the medians is what a gradient costs beside a forward pass.

use divan::counter::ItemsCount;
use probity::config;
use probity::dataset::{Features, Reader};
use probity::model::differentiable::Differentiable;
use probity::plan::Plan;
use std::path::Path;

const BATCH_ROWS: usize = 512;

fn main() {
    divan::main();
}

/// The shipped pipeline of digits and its first rows.
fn digits() -> (Plan, Features) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/mnist-cnn.toml");
    let loaded = config::load(&path, &[], &|name| std::env::var(name).ok()).expect("the pipeline loads");
    let plan = Plan::resolve(loaded, 1, BATCH_ROWS).expect("the pipeline fits its data");
    let batch = Reader::start(&plan.source, &plan.selection, BATCH_ROWS).expect("readable").next();
    let features = batch.expect("a batch").expect("resolved").features;
    (plan, features)
}

#[divan::bench]
fn forward(bencher: divan::Bencher) {
    let (plan, features) = digits();
    let scorer = &plan.model.as_ref().expect("a model").scorer;
    bencher.counter(ItemsCount::new(features.n_rows)).bench_local(|| scorer.score(&features).expect("scores"));
}

#[divan::bench]
fn gradient(bencher: divan::Bencher) {
    let (plan, features) = digits();
    let model = plan.model.as_ref().expect("a model");
    let differentiator = model.differentiator(plan.task, plan.explain().expect("an explanation")).expect("gradients");
    let outputs: Vec<usize> = (0..features.n_rows).map(|row| row % 10).collect();
    bencher.counter(ItemsCount::new(features.n_rows)).bench_local(|| {
        let points = differentiator.points(&features).expect("points");
        differentiator.gradients(points.view(), &outputs).expect("gradients")
    });
}
