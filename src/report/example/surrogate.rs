//! A small tree in a model's place for tests.

use crate::audit::{Audit, Surrogate, SurrogateNode, SurrogateSplit};

/// A tree of two questions.
pub fn surrogate() -> Surrogate {
    let node = |n: u64, value: f64, split: Option<SurrogateSplit>| SurrogateNode {
        n,
        share: n as f64 / 600.0,
        values: vec![value],
        decision: Some(if value < 0.5 { "<=50K" } else { ">50K" }.to_owned()),
        split,
    };
    let split = |feature: &str, threshold, categories: &[&str], [yes, no]: [u64; 2]| SurrogateSplit {
        feature: feature.to_owned(),
        threshold,
        categories: categories.iter().map(|name| (*name).to_owned()).collect(),
        dropped: false,
        missing_yes: None,
        gain: 0.3,
        yes,
        no,
    };
    Surrogate {
        outputs: vec![">50K".into()],
        depth: 4,
        n_fitted: 600,
        n_held_out: 300,
        n_total: 1_000,
        commonest: Some(0.7),
        nodes: vec![
            node(600, 0.4, Some(split("age", Some(27.5), &[], [1, 4]))),
            node(300, 0.2, Some(split("relationship", None, &["Husband"], [2, 3]))),
            node(100, 0.4, None),
            node(200, 0.1, None),
            node(300, 0.6, None),
        ],
    }
}

/// The same tree for other outputs.
pub fn plant(audit: &mut Audit, outputs: &[&str], decision: Option<&str>) {
    let Some(tree) = &mut audit.surrogate else { return };
    tree.outputs = outputs.iter().map(|output| (*output).to_owned()).collect();
    tree.commonest = tree.commonest.filter(|_| decision.is_some());
    for node in &mut tree.nodes {
        node.values = vec![node.values[0]; outputs.len()];
        node.decision = decision.map(str::to_owned);
    }
}
