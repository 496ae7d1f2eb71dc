//! Finding one number among an audit's long tables.

use super::label;
use super::number::Unit;
use super::words;
use crate::audit::{Audit, CurvePoint, GroupCount, Importance, Metric};
use std::collections::{BTreeMap, BTreeSet};

/// An audit with indexes over its metrics, counts and curves.
pub struct Lookup<'a> {
    pub audit: &'a Audit,
    metrics: BTreeMap<(&'a str, &'a str, &'a str), Vec<&'a Metric>>,
    groups: BTreeMap<&'a str, Vec<&'a str>>,
    n: BTreeMap<(&'a str, &'a str), u64>,
    curves: BTreeMap<(&'a str, &'a str), Vec<&'a CurvePoint>>,
}

impl<'a> Lookup<'a> {
    pub fn new(audit: &'a Audit) -> Self {
        let mut lookup = Self {
            audit,
            metrics: BTreeMap::new(),
            groups: BTreeMap::new(),
            n: BTreeMap::new(),
            curves: BTreeMap::new(),
        };
        lookup.index_metrics();
        lookup.index_counts();
        for point in &audit.curves {
            lookup.curves.entry((&point.kind, &point.feature)).or_default().push(point);
        }
        lookup
    }

    fn index_metrics(&mut self) {
        let mut seen = BTreeSet::new();
        for metric in self.audit.metrics.iter().filter(|metric| metric.stratum.is_empty()) {
            let group = (metric.attribute.as_str(), metric.group_value.as_str());
            self.metrics.entry((&metric.metric, group.0, group.1)).or_default().push(metric);
            if !group.1.is_empty() && group.1 != OTHERS {
                let n = self.n.entry(group).or_default();
                *n = metric.n.max(*n);
                if seen.insert(group) {
                    self.groups.entry(group.0).or_default().push(group.1);
                }
            }
        }
    }

    /// Counts know a group's rows better than any one metric.
    fn index_counts(&mut self) {
        for count in self.audit.group_counts.iter().filter(|count| count.stratum.is_empty()) {
            let n = self.n.entry((&count.attribute, &count.group_value)).or_default();
            *n = count.n.max(*n);
        }
    }

    pub fn is_binary(&self) -> bool {
        self.audit.scope.task == "binary"
    }

    pub fn is_regression(&self) -> bool {
        self.audit.scope.task == "regression"
    }

    /// A metric's unit: scores of a classifier are indices, predictions of a regression have the target's unit.
    pub fn unit(&self, metric: &str) -> Unit {
        match words::unit(metric) {
            Unit::Value if !self.is_regression() => Unit::Index,
            // A regression's is an R².
            Unit::Share if metric == "surrogate_fidelity" && self.is_regression() => Unit::Index,
            unit => unit,
        }
    }

    pub fn is_multiclass(&self) -> bool {
        !self.is_binary() && !self.is_regression()
    }

    /// A metric of one group: the value that stands for all outputs.
    pub fn metric(&self, name: &str, attribute: &str, group: &str) -> Option<&'a Metric> {
        self.audit.scope.principal(self.metrics.get(&(name, attribute, group))?)
    }

    /// A metric of one group and one class.
    pub fn metric_of_output(&self, name: &str, attribute: &str, group: &str, output: &str) -> Option<&'a Metric> {
        self.metrics.get(&(name, attribute, group))?.iter().find(|metric| metric.output == output).copied()
    }

    /// Names of the metrics that stand at `(attribute, group)`, in the order of the audit, each once.
    pub fn metric_names(&self, attribute: &str, group: &str) -> Vec<&'a str> {
        let mut seen = BTreeSet::new();
        let here = |m: &&Metric| m.stratum.is_empty() && m.attribute == attribute && m.group_value == group;
        let all = self.audit.metrics.iter().filter(here).map(|metric| metric.metric.as_str());
        all.filter(|name| seen.insert(*name)).collect()
    }

    /// Groups of an attribute: bands of numbers in their order, others by size; the unknown last.
    pub fn groups(&self, attribute: &str) -> Vec<&'a str> {
        let mut groups = self.groups.get(attribute).cloned().unwrap_or_default();
        groups.sort_by_key(|group| std::cmp::Reverse(self.n(attribute, group)));
        if groups.iter().all(|group| !is_known(group) || lower_end(group).is_some()) {
            groups.sort_by(|a, b| lower_end(a).partial_cmp(&lower_end(b)).unwrap_or(std::cmp::Ordering::Equal));
        }
        groups.sort_by_key(|group| !is_known(group));
        groups
    }

    /// The `most` largest groups, in the order of [`Lookup::groups`].
    pub fn largest_groups(&self, attribute: &str, most: usize) -> Vec<&'a str> {
        let groups = self.groups(attribute);
        let mut by_size: Vec<(usize, &str)> = groups.iter().copied().enumerate().collect();
        by_size.sort_by_key(|(at, group)| (std::cmp::Reverse(self.n(attribute, group)), *at));
        let kept: BTreeSet<usize> = by_size.into_iter().take(most).map(|(at, _)| at).collect();
        groups.into_iter().enumerate().filter(|(at, _)| kept.contains(at)).map(|(_, group)| group).collect()
    }

    /// Rows of a group.
    pub fn n(&self, attribute: &str, group: &str) -> u64 {
        self.n.get(&(attribute, group)).copied().unwrap_or(0)
    }

    /// Whether a group has too few rows for a verdict.
    pub fn is_small(&self, attribute: &str, group: &str) -> bool {
        self.n(attribute, group) < self.audit.scope.min_group_rows
    }

    pub fn counts(&self, attribute: &str, group: &str) -> Option<&'a GroupCount> {
        let here = |c: &&GroupCount| c.stratum.is_empty() && c.attribute == attribute && c.group_value == group;
        self.audit.group_counts.iter().find(here)
    }

    /// Points of one curve in order of x as stored; of the positive class in a binary audit.
    pub fn curve(&self, kind: &str, feature: &str, group: &str) -> Vec<&'a CurvePoint> {
        let points = self.curves.get(&(kind, feature)).map(Vec::as_slice).unwrap_or_default();
        let here: Vec<&CurvePoint> = points.iter().filter(|point| point.group_value == group).copied().collect();
        let positive = self.audit.scope.positive.as_deref().unwrap_or_default();
        let wanted = here.iter().find(|p| p.output == positive).or(here.first()).map(|point| point.output.as_str());
        here.into_iter().filter(|point| Some(point.output.as_str()) == wanted).collect()
    }

    /// Points of one class's curve.
    pub fn curve_of(&self, kind: &str, feature: &str, group: &str, output: &str) -> Vec<&'a CurvePoint> {
        let points = self.curves.get(&(kind, feature)).map(Vec::as_slice).unwrap_or_default();
        points.iter().filter(|point| point.group_value == group && point.output == output).copied().collect()
    }

    /// All points of one kind and feature, whatever their group; of the positive class in a binary audit, else the first.
    pub fn curves_of(&self, kind: &str, feature: &str) -> Vec<&'a CurvePoint> {
        let points = self.curves.get(&(kind, feature)).map(Vec::as_slice).unwrap_or_default();
        let positive = self.audit.scope.positive.as_deref().unwrap_or_default();
        let wanted = points.iter().find(|p| p.output == positive).or(points.first()).map(|point| &point.output);
        points.iter().filter(|point| Some(&point.output) == wanted).copied().collect()
    }

    /// Features with curves of a kind, in the order of the audit.
    pub fn curve_features(&self, kind: &str) -> Vec<&'a str> {
        let mut seen = BTreeSet::new();
        let of_kind = self.audit.curves.iter().filter(|point| point.kind == kind);
        of_kind.map(|point| point.feature.as_str()).filter(|feature| seen.insert(*feature)).collect()
    }

    /// Importance by one method for one output, the most important first.
    pub fn importance(&self, method: &str, output: &str) -> Vec<&'a Importance> {
        let of_method = |i: &&Importance| i.method == method && (i.output == output || i.output.is_empty());
        let metric = self.audit.importance.iter().find(of_method).map(|i| i.metric.as_str());
        let wanted = |i: &&Importance| of_method(i) && Some(i.metric.as_str()) == metric;
        let mut found: Vec<&Importance> = self.audit.importance.iter().filter(wanted).collect();
        found.sort_by(|a, b| a.rank.cmp(&b.rank).then_with(|| a.feature.cmp(&b.feature)));
        found
    }

    /// Outputs that attributions were computed for.
    pub fn explained_outputs(&self) -> Vec<&'a str> {
        let mut seen = BTreeSet::new();
        let scope = self.audit.scope.explained_outputs.iter().map(String::as_str);
        let attribution = self.audit.importance.iter().filter(|i| i.method == "attribution").map(|i| i.output.as_str());
        scope.chain(attribution).filter(|output| seen.insert(*output)).collect()
    }

    /// The group that the others of an attribute are compared with.
    pub fn reference(&self, attribute: &str) -> Option<&'a str> {
        let scopes = &self.audit.scope.attributes;
        scopes.iter().find(|scope| scope.attribute == attribute).map(|scope| scope.reference.as_str())
    }
}

/// The row that compares all others with the reference.
pub const OTHERS: &str = "(others)";
const UNKNOWN: &str = "(unknown)";

/// Where a band begins: "<25" before "25–44" before "≥65"; `None` for anything that is not a band.
fn lower_end(group: &str) -> Option<(f64, u8)> {
    let (digits, rank) = match group.strip_prefix(['<', '≤']) {
        Some(rest) => (rest, 0),
        None => (group.trim_start_matches(['≥', '>', '[', '(']), 1),
    };
    let end = digits.char_indices().find(|(at, c)| !(c.is_ascii_digit() || *c == '.' || (*at == 0 && *c == '-')));
    let number = digits[..end.map_or(digits.len(), |(at, _)| at)].parse().ok()?;
    Some((number, rank))
}

/// Whether every part of a group is a level of its attribute.
pub fn is_known(group: &str) -> bool {
    group != OTHERS && !group.split(',').any(|part| part == UNKNOWN)
}

/// A group as the reader knows it.
pub fn name(attribute: &str, group: &str) -> String {
    label::group(attribute, group)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    #[test]
    fn groups_come_by_size_and_the_unknown_last() {
        let mut audit = example::binary();
        let lookup = Lookup::new(&audit);
        assert_eq!(lookup.groups("sex"), ["Male", "Female", "(unknown)"]);
        assert_eq!(lookup.largest_groups("sex", 1), ["Male"]);
        audit.metrics.iter_mut().filter(|m| m.group_value == "(unknown)").for_each(|m| m.n = 100_000);
        assert_eq!(Lookup::new(&audit).groups("sex")[2], "(unknown)");
    }

    #[test]
    fn bands_come_in_the_order_of_their_numbers() {
        let mut audit = example::binary();
        let bands = ["≥65", "45–64", "(unknown)", "<25", "25–44", "-5–0"];
        let metric = |band: &str| crate::audit::Metric { group_value: band.into(), ..audit.metrics[2].clone() };
        audit.metrics = bands.map(metric).into();
        assert_eq!(Lookup::new(&audit).groups("sex"), ["-5–0", "<25", "25–44", "45–64", "≥65", "(unknown)"]);
        assert_eq!(lower_end("Female"), None);
    }

    #[test]
    fn a_group_with_an_unknown_part_is_not_a_known_one() {
        assert!(is_known("Female,Black") && is_known("(18, 25]"));
        assert!(!is_known("Female,(unknown)") && !is_known("(others)"));
    }

    #[test]
    fn a_metric_that_was_not_measured_is_absent() {
        let audit = example::binary();
        assert!(Lookup::new(&audit).metric("rmse", "", "").is_none());
    }
}
