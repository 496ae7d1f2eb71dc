//! Rows over all classes of a multiclass audit.

use super::estimate::{Cause, Estimate, Undefined};
use super::table::{self, Comparison, Direction};
use crate::audit::Metric;
pub use crate::audit::{MACRO, WORST};
use std::collections::BTreeMap;

/// Where a row stands, without its output.
type Place<'a> = (&'a str, &'a str, &'a str, &'a str, &'a str);

/// Rows over all classes: the mean of per-group metrics, the worst of those across groups, and balanced accuracy as
/// the mean of the classes' recalls.
pub fn over_classes(by_class: &[Metric], balanced_accuracy: bool) -> Vec<Metric> {
    let mut order: Vec<Place<'_>> = Vec::new();
    let mut places: BTreeMap<Place<'_>, Vec<&Metric>> = BTreeMap::new();
    for row in by_class {
        let place = (&*row.metric, &*row.attribute, &*row.group_value, &*row.stratum, &*row.reference);
        let rows = places.entry(place).or_default();
        if rows.is_empty() {
            order.push(place);
        }
        rows.push(row);
    }
    let mut metrics = Vec::new();
    for place in order {
        let rows = &places[&place];
        let (name, attribute, group, _, reference) = place;
        if is_across(name) && !attribute.is_empty() && group.is_empty() {
            metrics.extend(worst(rows));
        } else if let Some(direction) = against_reference(name) {
            metrics.extend(worst_by(rows, |value| match direction {
                Direction::Higher => -value,
                _ => value.abs(),
            }));
        } else if reference.is_empty() {
            let mean = macro_mean(rows);
            if name == "recall" && balanced_accuracy {
                metrics.push(Metric { metric: "balanced_accuracy".into(), output: String::new(), ..mean.clone() });
            }
            metrics.push(mean);
        }
    }
    metrics
}

fn is_across(name: &str) -> bool {
    let across = |c: &&table::ComparisonDefinition| c.kind == Comparison::AcrossGroups;
    name.ends_with("_difference")
        || name.ends_with("_ratio")
        || table::COMPARISONS.iter().filter(across).any(|c| c.name == name)
}

/// The direction of a comparison of one class's scores with the reference's.
fn against_reference(name: &str) -> Option<Direction> {
    let here = |c: &&table::ComparisonDefinition| c.kind == Comparison::AgainstReference && c.name == name;
    table::COMPARISONS.iter().find(here).map(|definition| definition.direction)
}

/// The class with the largest difference or the smallest ratio.
fn worst(rows: &[&Metric]) -> Option<Metric> {
    let is_ratio = rows.first()?.metric.contains("ratio");
    worst_by(rows, |value| if is_ratio { -value } else { value })
}

/// The class whose value is the worst; undefined classes are passed over.
fn worst_by(rows: &[&Metric], badness: impl Fn(f64) -> f64) -> Option<Metric> {
    let badness = |row: &&&Metric| row.value.map_or(f64::NEG_INFINITY, &badness);
    // The first of equals.
    let worst = rows.iter().rev().max_by(|a, b| badness(a).total_cmp(&badness(b)))?;
    Some(Metric { output: WORST.into(), ..(**worst).clone() })
}

/// The unweighted mean over classes, without an interval: the classes of a row are not independent.
fn macro_mean(rows: &[&Metric]) -> Metric {
    let values: Option<Vec<f64>> = rows.iter().map(|row| row.value).collect();
    let mean = values.map(|values| values.iter().sum::<f64>() / values.len() as f64);
    let denominator = rows.iter().filter_map(|row| row.denominator).min().unwrap_or(0);
    let reason = Estimate::undefined(Undefined::in_group(Cause::SomeClass), 0).value.err();
    Metric {
        output: MACRO.into(),
        value: mean,
        undefined_reason: reason.filter(|_| mean.is_none()).map(|reason| reason.to_string()),
        ci_low: None,
        ci_high: None,
        confidence: None,
        p_value: None,
        p_adjusted: None,
        n_positive: None,
        n_predicted_positive: None,
        denominator: Some(denominator),
        ..rows[0].clone()
    }
}
