//! Curves without small steps: the step between two points of a curve is a cell too.

use super::cell::{Cell, Kind, is_small};
use super::tables;
use super::{Depth, Entry, Why, Withheld};
use crate::audit::{Audit, CurvePoint};
use std::collections::{BTreeMap, BTreeSet};

/// Curves of one kind, attribute and output, by group.
type Groups<'a> = BTreeMap<&'a str, Vec<&'a CurvePoint>>;

/// The points that may be shown, in their order; what is left out goes to the log.
pub fn published(audit: &Audit, withheld: &Withheld, limit: u64, log: &mut Vec<Entry>) -> Vec<CurvePoint> {
    let mut families: BTreeMap<(&str, &str, &str), Groups> = BTreeMap::new();
    for point in &audit.curves {
        let family = families.entry((&point.kind, &point.feature, &point.output)).or_default();
        family.entry(&point.group_value).or_default().push(point);
    }
    let sizes = sizes(audit, limit);
    let drawing = Drawing { withheld, limit, sizes: &sizes };
    let mut shown: BTreeSet<*const CurvePoint> = BTreeSet::new();
    let mut left_out = BTreeSet::new();
    for ((kind, feature, output), groups) in &families {
        // Accuracy and disparity over thresholds are shown where the selection rates are.
        let leading = if kind.starts_with("threshold_") { "threshold" } else { kind };
        let kept = match families.get(&(leading, feature, output)) {
            Some(leading_groups) if *kind != leading => {
                let at: BTreeSet<u64> =
                    drawing.kept(leading, feature, leading_groups).iter().map(|point| point.x.to_bits()).collect();
                let all = groups.values().flatten().copied();
                all.filter(|point| at.contains(&point.x.to_bits())).collect()
            }
            _ => drawing.kept(kind, feature, groups),
        };
        if kept.len() < groups.values().map(Vec::len).sum() {
            let hidden = withheld.hides_any(feature, Depth::Outcomes);
            let why = if hidden { Why::Complementary } else { Why::Primary };
            left_out.insert((*feature, words(kind, kept.is_empty()), why));
        }
        shown.extend(kept.into_iter().map(std::ptr::from_ref));
    }
    log.extend(left_out.into_iter().map(|(attribute, what, why)| Entry::of(attribute, what, why)));
    let points = audit.curves.iter().filter(|point| shown.contains(&std::ptr::from_ref(*point)));
    points.map(without_bin).collect()
}

fn words(kind: &str, all: bool) -> String {
    let curves = match kind {
        "roc" => "ROC curves",
        "pr" => "precision–recall curves",
        "calibration" => "calibration curves",
        "score_histogram" => "score histograms",
        "ice" | "ice_centred" => "curves of single rows",
        "pdp" | "ale" => "effects of categories",
        "pdp_pair" | "ale_pair" => "effects of pairs of columns",
        kind if kind.starts_with("threshold") => "threshold sweeps",
        kind => return format!("curves of kind {kind}"),
    };
    if all { curves.to_owned() } else { format!("steps of few rows in {curves}") }
}

/// The rows between two points of an accumulated effect are a count by the feature's values.
fn without_bin(point: &CurvePoint) -> CurvePoint {
    match point.kind.as_str() {
        "ale" => CurvePoint { n: 0, ci_low: None, ci_high: None, ..point.clone() },
        _ => point.clone(),
    }
}

/// `(attribute, group)` → its counts.
fn sizes(audit: &Audit, limit: u64) -> BTreeMap<(String, String), Cell> {
    let tables = tables::tables(audit, limit);
    let cells = tables.into_iter().flat_map(|table| {
        let attribute = table.attribute.clone();
        let groups: Vec<_> = table.cells.into_iter().map(|(levels, cell)| (levels.join(","), cell)).collect();
        groups.into_iter().map(move |(group, cell)| ((attribute.clone(), group), cell))
    });
    cells.collect()
}

struct Drawing<'a> {
    withheld: &'a Withheld,
    limit: u64,
    sizes: &'a BTreeMap<(String, String), Cell>,
}

impl<'a> Drawing<'a> {
    fn kept<'p>(&self, kind: &str, feature: &str, groups: &Groups<'p>) -> Vec<&'p CurvePoint> {
        let all = || groups.values().flatten().copied().collect::<Vec<_>>();
        match kind {
            // Functions of the model and a grid, averaged over all rows; names of categories may be of few rows.
            "pdp" | "pdp_missing" | "ale" => all().into_iter().filter(|point| point.group_value.is_empty()).collect(),
            _ if self.withheld.hides_any(feature, Depth::Outcomes) => Vec::new(),
            "roc" | "pr" => {
                groups.iter().flat_map(|(group, points)| self.ranking(kind, feature, group, points)).collect()
            }
            "threshold" => self.sweep(feature, groups),
            "calibration" | "score_histogram" => {
                let safe = groups.values().flatten().all(|point| self.bin_is_safe(point));
                if safe { all() } else { Vec::new() }
            }
            _ => Vec::new(),
        }
    }

    fn size(&self, feature: &str, group: &str) -> Option<&'a Cell> {
        self.sizes.get(&(feature.to_owned(), group.to_owned()))
    }

    fn bin_is_safe(&self, point: &CurvePoint) -> bool {
        let positive = if point.kind == "calibration" { (point.y * point.n as f64).round() as i64 } else { 0 };
        let rest = if positive > 0 { point.n as i64 - positive } else { 0 };
        ![point.n as i64, positive, rest].iter().any(|count| is_small(*count, self.limit))
    }

    /// Points of a ROC or precision–recall curve between which there are no or enough false and true positives.
    fn ranking<'p>(&self, kind: &str, feature: &str, group: &str, points: &[&'p CurvePoint]) -> Vec<&'p CurvePoint> {
        let Some(Cell { kind: Kind::Labelled, rows, .. }) = self.size(feature, group) else { return Vec::new() };
        let (positives, negatives) = ((rows[0] + rows[3]) as f64, (rows[1] + rows[2]) as f64);
        let counts = |point: &CurvePoint| match kind {
            "roc" => vec![point.x * negatives, point.y * positives],
            _ => {
                let hits = point.x * positives;
                vec![if point.y > 0.0 { hits / point.y - hits } else { 0.0 }, hits]
            }
        };
        let all: Vec<Vec<i64>> = points.iter().map(|point| rounded(&counts(point))).collect();
        let kept = coarse(&[0, 0], &all, &rounded(&[negatives, positives]), self.limit);
        kept.into_iter().map(|at| points[at]).collect()
    }

    /// Thresholds between which every group has no or enough rows.
    fn sweep<'p>(&self, feature: &str, groups: &Groups<'p>) -> Vec<&'p CurvePoint> {
        let sizes: Vec<Option<i64>> =
            groups.keys().map(|group| self.size(feature, group).map(|cell| cell.n())).collect();
        let Some(sizes) = sizes.into_iter().collect::<Option<Vec<i64>>>() else { return Vec::new() };
        let mut by_threshold: BTreeMap<u64, Vec<&CurvePoint>> = BTreeMap::new();
        for point in groups.values().flatten().copied() {
            // Thresholds are not negative: their bits ascend with them.
            by_threshold.entry(point.x.to_bits()).or_default().push(point);
        }
        // Empty groups have no points.
        let drawn: Vec<i64> = groups.values().zip(&sizes).filter(|(p, _)| !p.is_empty()).map(|(_, n)| *n).collect();
        let whole: Vec<Vec<&CurvePoint>> =
            by_threshold.into_values().filter(|points| points.len() == drawn.len()).collect();
        let selected = |points: &Vec<&CurvePoint>| {
            points.iter().zip(&drawn).map(|(point, n)| (point.y * *n as f64).round() as i64).collect::<Vec<i64>>()
        };
        let all: Vec<Vec<i64>> = whole.iter().map(selected).collect();
        let none = vec![0; drawn.len()];
        coarse(&drawn, &all, &none, self.limit).into_iter().flat_map(|at| whole[at].clone()).collect()
    }
}

fn rounded(counts: &[f64]) -> Vec<i64> {
    counts.iter().map(|count| count.round() as i64).collect()
}

/// Positions of points, taken from the front, such that every count changes by 0 or at least `limit` from
/// `start` to the first, from each to the next, and from the last to `end`.
fn coarse(start: &[i64], points: &[Vec<i64>], end: &[i64], limit: u64) -> Vec<usize> {
    let safe = |a: &[i64], b: &[i64]| a.iter().zip(b).all(|(a, b)| !is_small((a - b).abs(), limit));
    let mut kept: Vec<usize> = Vec::new();
    for (at, point) in points.iter().enumerate() {
        let last = kept.last().map_or(start, |last| points[*last].as_slice());
        if safe(last, point) {
            kept.push(at);
        }
    }
    while kept.last().is_some_and(|last| !safe(&points[*last], end)) {
        kept.pop();
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_a_few_rows_apart_are_passed_over() {
        let points = [[0, 0], [0, 7], [2, 7], [6, 13], [6, 20], [9, 20]].map(Vec::from);
        assert_eq!(coarse(&[0, 0], &points, &[10, 20], 5), [0, 1], "the end is 4 rows from the two before");
        assert_eq!(coarse(&[0, 0], &points, &[11, 20], 5), [0, 1, 3, 4]);
    }
}
