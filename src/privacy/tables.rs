//! The tables that an audit shows: one per attribute, its cells with their counts.

use super::Depth;
use super::cell::{Cell, Kind, is_small};
use crate::audit::{Audit, GroupCount, Metric};
use std::collections::BTreeMap;

/// The row that compares all others with the reference; not a group.
pub const OTHERS: &str = "(others)";
const UNKNOWN: &str = "(unknown)";

/// All groups of one attribute.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    pub attribute: String,
    pub columns: Vec<String>,
    /// By the group's levels, one a column.
    pub cells: BTreeMap<Vec<String>, Cell>,
    /// A level with a comma in it: the parts of a group cannot be told apart.
    pub opaque: bool,
}

impl Table {
    pub fn group(&self, levels: &[String]) -> String {
        levels.join(",")
    }

    pub fn has_column(&self, column: &String) -> bool {
        self.columns.contains(column)
    }
}

/// Every attribute's table, the one of all rows (no columns) first, then those of fewer columns.
pub fn tables(audit: &Audit, limit: u64) -> Vec<Table> {
    let mut groups: BTreeMap<(&str, &str), Vec<&Metric>> = BTreeMap::new();
    for metric in audit.metrics.iter().filter(|metric| metric.stratum.is_empty() && is_cell(metric)) {
        groups.entry((&metric.attribute, &metric.group_value)).or_default().push(metric);
    }
    let mut counts: BTreeMap<(&str, &str), Vec<&GroupCount>> = BTreeMap::new();
    for count in audit.group_counts.iter().filter(|count| count.stratum.is_empty()) {
        counts.entry((&count.attribute, &count.group_value)).or_default().push(count);
        groups.entry((&count.attribute, &count.group_value)).or_default();
    }
    let mut tables: BTreeMap<(usize, &str), Table> = BTreeMap::new();
    for ((attribute, group), metrics) in &groups {
        let columns: Vec<String> = names(attribute);
        let table = tables.entry((columns.len(), attribute)).or_insert_with(|| Table {
            attribute: (*attribute).to_owned(),
            columns,
            cells: BTreeMap::new(),
            opaque: false,
        });
        let mut levels = names(group);
        if levels.len() != table.columns.len() && !attribute.is_empty() {
            table.opaque = true;
            levels = vec![(*group).to_owned()];
        }
        let counts = counts.get(&(*attribute, *group)).map_or(&[][..], Vec::as_slice);
        table.cells.insert(levels, cell(audit, counts, metrics, limit));
    }
    tables.into_values().collect()
}

/// Measures of single rows: their counts are those of a sample, not of a group.
pub const SAMPLED: &[&str] = &[
    "consistency",
    "flip_rate",
    "flip_score_change",
    "adversarial_flip_rate",
    "adversarial_flip_rate_difference",
    "robust_accuracy",
];

/// A row about one group (or all rows), not about groups against each other.
fn is_cell(metric: &Metric) -> bool {
    !SAMPLED.contains(&metric.metric.as_str())
        && metric.group_value != OTHERS
        && (metric.attribute.is_empty() || !metric.group_value.is_empty())
}

fn names(joined: &str) -> Vec<String> {
    if joined.is_empty() { Vec::new() } else { joined.split(',').map(str::to_owned).collect() }
}

/// Whether a group has rows whose level is not known.
pub fn is_unknown(group: &str) -> bool {
    group.split(',').any(|level| level == UNKNOWN)
}

fn cell(audit: &Audit, counts: &[&GroupCount], metrics: &[&Metric], limit: u64) -> Cell {
    let n = counts.first().map_or_else(|| metrics.iter().map(|m| m.n).max().unwrap_or(0), |count| count.n) as i64;
    let selected = metrics.iter().find_map(|metric| metric.n_predicted_positive).map(|n| n as i64);
    let (kind, rows) = match (audit.scope.task.as_str(), counts.first()) {
        ("binary", Some(count)) => match labelled(count) {
            Some(rows) => (Kind::Labelled, rows),
            None => decided(n, selected),
        },
        ("binary", None) => decided(n, selected),
        ("multiclass", _) => (Kind::Classes, classes(n, counts)),
        _ => (Kind::Rows, vec![n]),
    };
    let also = if n > 0 { other_counts(metrics, limit) } else { None };
    Cell::new(kind, rows, also, limit)
}

fn decided(n: i64, selected: Option<i64>) -> (Kind, Vec<i64>) {
    match selected {
        Some(selected) => (Kind::Decided, vec![selected, n - selected]),
        None => (Kind::Rows, vec![n]),
    }
}

/// Weighted sums scaled to rows, so that they can be held against a number of rows.
fn scaled(count: &GroupCount, sum: f64) -> i64 {
    let rows_per_weight = if count.weight > 0.0 { count.n as f64 / count.weight } else { 0.0 };
    (sum * rows_per_weight).round() as i64
}

fn labelled(count: &GroupCount) -> Option<Vec<i64>> {
    let sums = [count.tp?, count.fp?, count.tn?, count.fn_?];
    let mut rows: Vec<i64> = sums.iter().map(|sum| scaled(count, *sum)).collect();
    rows.push((count.n as i64 - rows.iter().sum::<i64>()).max(0));
    Some(rows)
}

fn classes(n: i64, counts: &[&GroupCount]) -> Vec<i64> {
    let mut rows: Vec<i64> = counts.iter().filter_map(|count| Some(scaled(count, count.tp?))).collect();
    rows.push((n - rows.iter().sum::<i64>()).max(0));
    rows
}

/// Counts that stand behind rates: a share of a known number of rows is a count.
fn other_counts(metrics: &[&Metric], limit: u64) -> Option<Depth> {
    let small = |metric: &&&Metric| {
        let whole = metric.denominator.unwrap_or(metric.n) as i64;
        let part = metric
            .value
            .filter(|_| SHARES.contains(&metric.metric.as_str()))
            .map_or(0, |share| (share * whole as f64).round() as i64);
        let rest = if part > 0 { whole - part } else { 0 };
        [whole, part, rest].iter().any(|count| is_small(*count, limit))
            || metric.n_positive.is_some_and(|n| is_small(n as i64, limit))
                && depth_of(&metric.metric) == Depth::Outcomes
            || metric.n_predicted_positive.is_some_and(|n| is_small(n as i64, limit))
    };
    let found = metrics.iter().filter(|metric| metric.reference.is_empty()).filter(small);
    found.map(|metric| depth_of(&metric.metric)).min()
}

/// Measures that are a count over a count.
const SHARES: &[&str] = &[
    "selection_rate",
    "favourable_rate",
    "scoring_rate",
    "base_rate",
    "accuracy",
    "error_rate",
    "precision",
    "negative_predictive_value",
    "recall",
    "true_positive_rate",
    "true_negative_rate",
    "false_positive_rate",
    "false_negative_rate",
    "false_discovery_rate",
    "false_omission_rate",
];

/// Measures that need no label, with what is made of them.
const OF_DECISIONS: &[&str] = &[
    "selection_rate",
    "favourable_rate",
    "scoring_rate",
    "impact_ratio",
    "impact_ratio_with_two_more",
    "scoring_impact_ratio",
    "statistical_parity",
    "disparate_impact",
    "odds_ratio",
    "shortfall",
    "demographic_parity",
    "mean_score",
    "clarify_dppl",
    "clarify_di",
];

/// How deep a measure lies; what is not known to be a matter of decisions alone depends on labels.
pub fn depth_of(metric: &str) -> Depth {
    let root = ["_difference", "_ratio"].iter().find_map(|end| metric.strip_suffix(end)).unwrap_or(metric);
    if OF_DECISIONS.contains(&metric) || OF_DECISIONS.contains(&root) { Depth::Decisions } else { Depth::Outcomes }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_that_are_not_known_are_taken_to_need_labels() {
        assert_eq!(depth_of("selection_rate_ratio"), Depth::Decisions);
        assert_eq!(depth_of("mean_score_difference"), Depth::Decisions);
        assert_eq!(depth_of("equal_opportunity_difference"), Depth::Outcomes);
        assert_eq!(depth_of("a_measure_of_tomorrow"), Depth::Outcomes);
    }
}
