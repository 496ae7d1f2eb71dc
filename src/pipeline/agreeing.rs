//! How far the methods of a run agree about what matters.

use super::trial::METHODS;
use crate::audit::{Importance, Metric};
use crate::importance::agreement;
use std::collections::BTreeMap;

/// Leading features that two methods are asked to share.
const LEADING: usize = 5;
/// Fewer features have no order worth comparing.
const FEWEST: usize = 3;
/// Of methods with several figures, the one that says how much a feature matters.
const FIGURES: [(&str, &str); 3] = [("sobol", "total_order"), ("morris", "mu_star"), ("sensitivity", "largest_change")];

/// Rank correlations and shared leading features of every two methods, by output.
pub fn agreements(importance: &[Importance], outputs: &[String]) -> Vec<Metric> {
    let mut metrics = Vec::new();
    for output in outputs {
        let methods = methods(importance, output);
        for (at, (one, of_one)) in methods.iter().enumerate() {
            for (other, of_other) in &methods[at + 1..] {
                metrics.extend(compare((one, of_one), (other, of_other), output));
            }
        }
    }
    metrics
}

/// Each method with its figures by feature, in order of appearance.
fn methods<'a>(importance: &'a [Importance], output: &str) -> Vec<(&'a str, BTreeMap<&'a str, f64>)> {
    let mut methods: Vec<(&str, &str, BTreeMap<&str, f64>)> = Vec::new();
    for row in importance.iter().filter(|row| row.output.is_empty() || row.output == output) {
        let figure = FIGURES.iter().find(|(method, _)| *method == row.method).map(|(_, metric)| *metric);
        if row.method == "interaction" || figure.is_some_and(|metric| metric != row.metric) {
            continue;
        }
        match methods.iter_mut().find(|(method, ..)| *method == row.method) {
            // Further metrics of permutation importance tell their own story; the first is the method's.
            Some((_, metric, _)) if *metric != row.metric => {}
            Some((.., values)) => drop(values.insert(&row.feature, row.value)),
            None => methods.push((&row.method, &row.metric, [(row.feature.as_str(), row.value)].into())),
        }
    }
    methods.into_iter().map(|(method, _, values)| (method, values)).collect()
}

fn compare(one: (&str, &BTreeMap<&str, f64>), other: (&str, &BTreeMap<&str, f64>), output: &str) -> Vec<Metric> {
    let shared = one.1.iter().filter_map(|(feature, value)| Some((*value, *other.1.get(feature)?)));
    let (a, b): (Vec<f64>, Vec<f64>) = shared.unzip();
    if a.len() < FEWEST {
        return Vec::new();
    }
    let metric = |name: &str, value: Option<f64>| Metric {
        metric: name.to_owned(),
        attribute: METHODS.to_owned(),
        group_value: one.0.to_owned(),
        reference: other.0.to_owned(),
        output: output.to_owned(),
        value,
        undefined_reason: value.is_none().then(|| "a method finds all features equally important".to_owned()),
        n: a.len() as u64,
        ..Metric::default()
    };
    vec![
        metric("agreement_spearman", agreement::spearman(&a, &b)),
        metric("agreement_kendall", agreement::kendall(&a, &b)),
        metric("agreement_top_k", agreement::top_k_overlap(&a, &b, LEADING)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(method: &str, metric: &str, feature: &str, value: f64) -> Importance {
        Importance {
            method: method.into(),
            metric: metric.into(),
            feature: feature.into(),
            output: if method == "permutation" { String::new() } else { "1".into() },
            value,
            std_err: None,
            ci_low: None,
            ci_high: None,
            rank: 0,
        }
    }

    #[test]
    fn every_two_methods_are_compared_by_the_figure_that_says_what_matters() {
        let values = [("a", 3.0), ("b", 2.0), ("c", 1.0)];
        let mut rows: Vec<Importance> = Vec::new();
        for (feature, value) in values {
            rows.push(row("attribution", "mean_abs_attribution", feature, value));
            rows.push(row("permutation", "roc_auc", feature, -value));
            rows.push(row("permutation", "accuracy", feature, value));
            rows.push(row("sobol", "first_order", feature, -value));
            rows.push(row("sobol", "total_order", feature, value));
            rows.push(row("interaction", "friedman_h_total", feature, value));
        }
        let found = agreements(&rows, &["1".to_owned()]);
        let told: Vec<_> = found
            .iter()
            .filter(|metric| metric.metric == "agreement_spearman")
            .map(|metric| (metric.group_value.as_str(), metric.reference.as_str(), metric.value))
            .collect();
        assert_eq!(
            told,
            [
                ("attribution", "permutation", Some(-1.0)),
                ("attribution", "sobol", Some(1.0)),
                ("permutation", "sobol", Some(-1.0))
            ]
        );
        assert!(found.iter().all(|metric| metric.n == 3 && metric.attribute == METHODS));
    }

    #[test]
    fn two_features_have_no_order_to_compare() {
        let rows = [row("attribution", "m", "a", 1.0), row("lime", "m", "a", 1.0)];
        assert!(agreements(&rows, &["1".to_owned()]).is_empty());
    }
}
