//! The audit without what is withheld.
//!
//! Every part of an audit is named here: a part that is added later does not get past without a decision.

use super::cell::is_small;
use super::night;
use super::tables::{self, OTHERS, SAMPLED, depth_of, is_unknown};
use super::{Depth, Entry, Published, WITHHELD, Why, Withheld, curves, layers, pictures, reasons};
use crate::audit::{
    AttributionGap, Audit, Baseline, Feature, Further, Gate, GroupAttribution, GroupCount, MODEL, Metric, MetricChange,
    Night, Note, Proxy, Sample, Scope, Surrogate,
};
use std::collections::BTreeMap;

/// `audit` without the cells of `withheld`, and the log.
pub fn without(audit: &Audit, withheld: &Withheld, limit: u64) -> Published {
    let mut applied = Applied { audit, withheld, limit, log: cells(withheld) };
    let strata = applied.strata_are_safe();
    let group_attributions = applied.group_attributions();
    let curves = curves::published(audit, withheld, limit, &mut applied.log);
    applied.single_rows();
    let baseline = applied.baseline();
    let published = Audit {
        schema_version: audit.schema_version,
        run: audit.run.clone(),
        scope: applied.scope(),
        proof: audit.proof.clone(),
        metrics: applied.metrics(strata),
        group_counts: applied.group_counts(strata),
        importance: audit.importance.clone(),
        attribution_gaps: if group_attributions.is_empty() { Vec::new() } else { applied.attribution_gaps() },
        proxies: applied.proxies(),
        layers: layers::activities(&audit.layers, withheld, limit),
        layer_probes: layers::probes(&audit.layer_probes, withheld),
        feature_maps: Vec::new(),
        group_attributions,
        gates: audit.gates.iter().map(|gate| applied.gate(gate)).collect(),
        drift: audit.drift.clone(),
        baseline,
        history: applied.history(),
        curves,
        sample: Sample { n_total: audit.sample.n_total, ..Sample::default() },
        cases: Vec::new(),
        also: audit.also.iter().map(|further| Further { cases: Vec::new(), ..further.clone() }).collect(),
        surrogate: applied.surrogate(),
        adverse: audit.adverse.as_ref().map(|adverse| reasons::published(adverse, limit, &mut applied.log)),
        structure: audit.structure.clone(),
        // No section draws it, and every group's counts would have to be weighed against all others.
        confusion_by_group: Vec::new(),
        confusion: pictures::confusion(&audit.confusion, withheld, limit, &mut applied.log),
        pictures: pictures::published(audit.pictures.as_ref(), withheld, limit, &mut applied.log),
        notes: audit.notes.iter().map(|note| applied.note(note)).collect(),
        timings: audit.timings.clone(),
    };
    Published { audit: published, log: applied.log }
}

fn cells(withheld: &Withheld) -> Vec<Entry> {
    let entry = |((attribute, group), (depth, why)): (&(String, String), &(Depth, Why))| Entry {
        attribute: attribute.clone(),
        group: group.clone(),
        what: depth.name().to_owned(),
        why: *why,
    };
    withheld.cells.iter().map(entry).collect()
}

struct Applied<'a> {
    audit: &'a Audit,
    withheld: &'a Withheld,
    limit: u64,
    log: Vec<Entry>,
}

impl Applied<'_> {
    fn say(&mut self, attribute: &str, what: &str, why: Why) {
        self.log.push(Entry::of(attribute, what, why));
    }

    /// Strata cut the groups once more, by columns that may be attributes too: all of them are shown, or none.
    fn strata_are_safe(&mut self) -> bool {
        let mut names: Vec<&str> = self.audit.metrics.iter().map(|metric| metric.stratum.as_str()).collect();
        names.extend(self.audit.group_counts.iter().map(|count| count.stratum.as_str()));
        names.retain(|name| !name.is_empty());
        names.sort_unstable();
        names.dedup();
        let small = names.iter().any(|stratum| self.stratum_is_small(stratum));
        let safe = self.withheld.cells.is_empty() && !small;
        if !names.is_empty() && !safe {
            self.say("", "everything by stratum", if small { Why::Primary } else { Why::Complementary });
        }
        safe
    }

    fn stratum_is_small(&self, stratum: &str) -> bool {
        let metrics = self.audit.metrics.iter().filter(|metric| metric.stratum == stratum);
        let counts = self.audit.group_counts.iter().filter(|count| count.stratum == stratum);
        let within = Audit {
            metrics: metrics.map(|metric| Metric { stratum: String::new(), ..metric.clone() }).collect(),
            group_counts: counts.map(|count| GroupCount { stratum: String::new(), ..count.clone() }).collect(),
            curves: Vec::new(),
            sample: Sample::default(),
            cases: Vec::new(),
            group_attributions: Vec::new(),
            attribution_gaps: Vec::new(),
            proxies: Vec::new(),
            layers: Vec::new(),
            layer_probes: Vec::new(),
            ..self.audit.clone()
        };
        let tables = tables::tables(&within, self.limit);
        tables.iter().any(|table| table.cells.values().any(|cell| cell.small.is_some()))
    }

    fn metrics(&self, strata: bool) -> Vec<Metric> {
        let rates = self.rates();
        let shown = self.audit.metrics.iter().filter(|metric| strata || metric.stratum.is_empty());
        shown.filter_map(|metric| self.metric(metric, &rates)).collect()
    }

    fn metric(&self, metric: &Metric, rates: &Rates) -> Option<Metric> {
        let depth = depth_of(&metric.metric);
        let (attribute, group) = (metric.attribute.as_str(), metric.group_value.as_str());
        if attribute.is_empty() {
            return Some(if self.withheld.hides("", "", depth) { blank(metric) } else { metric.clone() });
        }
        if SAMPLED.contains(&metric.metric.as_str())
            && (is_small(metric.n as i64, self.limit) || self.withheld.hides_any(attribute, Depth::Decisions))
        {
            return None;
        }
        if group.is_empty() || group == OTHERS {
            // All others are the whole without the reference and the unknown.
            return match self.withheld.hides_any(attribute, depth) {
                true if group == OTHERS => None,
                true => Some(Metric { n: 0, ..blank(metric) }),
                false => Some(self.without_counts(metric, |depth| self.withheld.hides_any(attribute, depth))),
            };
        }
        if self.withheld.hides(attribute, group, Depth::Everything) {
            return None;
        }
        let hides = |group: &str, depth| self.withheld.hides(attribute, group, depth);
        if hides(group, depth) {
            return Some(self.without_counts(&blank(metric), |depth| hides(group, depth)));
        }
        if let Some(rate) = rate_behind(&metric.metric).filter(|_| self.withheld.hides_any(attribute, depth)) {
            return Some(against_best(metric, rates.get(&(attribute, rate, metric.output.as_str()))));
        }
        if metric.metric == "impact_ratio_with_two_more" && self.withheld.hides_any(attribute, depth) {
            return Some(self.without_counts(&blank(metric), |depth| hides(group, depth)));
        }
        let reference_hidden = !metric.reference.is_empty() && hides(&metric.reference, depth);
        // Adjusted over all groups of the attribute.
        let p_adjusted = metric.p_adjusted.filter(|_| !self.withheld.hides_any(attribute, depth));
        let metric = if reference_hidden { blank(metric) } else { Metric { p_adjusted, ..metric.clone() } };
        Some(self.without_counts(&metric, |depth| hides(group, depth)))
    }

    fn without_counts(&self, metric: &Metric, hides: impl Fn(Depth) -> bool) -> Metric {
        Metric {
            n_positive: metric.n_positive.filter(|_| !hides(Depth::Outcomes)),
            n_predicted_positive: metric.n_predicted_positive.filter(|_| !hides(Depth::Decisions)),
            ..metric.clone()
        }
    }

    /// The published rates behind ratios to the highest one.
    fn rates(&self) -> Rates<'_> {
        let mut rates: Rates = BTreeMap::new();
        for rate in self.audit.metrics.iter().filter(|metric| is_rate(metric)) {
            let hidden = self.withheld.hides(&rate.attribute, &rate.group_value, Depth::Decisions);
            if let Some(value) = rate.value.filter(|_| !hidden) {
                let of = rates.entry((&rate.attribute, &rate.metric, &rate.output)).or_default();
                of.push((&rate.group_value, value));
            }
        }
        rates
    }

    fn group_counts(&self, strata: bool) -> Vec<GroupCount> {
        let hides = |count: &GroupCount, depth| self.withheld.hides(&count.attribute, &count.group_value, depth);
        let shown = self.audit.group_counts.iter().filter(|count| strata || count.stratum.is_empty());
        shown
            .filter(|count| count.attribute.is_empty() || !hides(count, Depth::Everything))
            .map(|count| match hides(count, Depth::Outcomes) {
                true => GroupCount { tp: None, fp: None, tn: None, fn_: None, ..count.clone() },
                false => count.clone(),
            })
            .collect()
    }

    /// A mean attribution is a function of the feature's values: where a feature is an attribute itself, means by one
    /// attribute tell how another one is distributed within its groups.
    fn group_attributions(&mut self) -> Vec<GroupAttribution> {
        let hidden = self.withheld.cells.iter().filter(|(_, (depth, _))| *depth == Depth::Everything);
        let columns: Vec<&str> = hidden.flat_map(|((attribute, _), _)| attribute.split(',')).collect();
        if self.audit.group_attributions.iter().any(|g| columns.contains(&g.feature.as_str())) {
            self.say("", "attributions by group: a feature is an attribute with withheld groups", Why::Complementary);
            return Vec::new();
        }
        let hides = |g: &&GroupAttribution| match g.group_value.as_str() {
            "" | OTHERS => self.withheld.hides_any(&g.attribute, Depth::Decisions),
            group => self.withheld.hides(&g.attribute, group, Depth::Decisions),
        };
        self.audit.group_attributions.iter().filter(|g| !hides(g)).cloned().collect()
    }

    /// Where mean attributions of both groups are shown; those among favourable labels only where outcomes are, of
    /// enough rows with and without that label.
    fn attribution_gaps(&self) -> Vec<AttributionGap> {
        let groups = |g: &AttributionGap, depth| {
            [&g.group_value, &g.reference].iter().any(|group| self.withheld.hides(&g.attribute, group, depth))
        };
        let hides = |g: &&AttributionGap| match g.condition.is_empty() {
            true => groups(g, Depth::Decisions),
            false => {
                let few = [g.n, g.n_reference].iter().any(|n| is_small(*n as i64, self.limit));
                few || self.withheld.hides_any(&g.attribute, Depth::Outcomes)
            }
        };
        self.audit.attribution_gaps.iter().filter(|g| !hides(g)).cloned().collect()
    }

    /// The number of rows behind a proxy tells how many are in no group, its association how groups are distributed
    /// over a feature: shown only where neither is withheld.
    fn proxies(&self) -> Vec<Proxy> {
        let hidden = |columns: &str| {
            let any = |(attribute, _): &(String, String)| {
                attribute.split(',').any(|column| columns.split(',').any(|c| c == column))
            };
            self.withheld.cells.keys().any(any)
        };
        let proxies = self.audit.proxies.iter();
        proxies.filter(|proxy| !hidden(&proxy.attribute) && !hidden(&proxy.feature)).cloned().collect()
    }

    /// The tree's leaves are groups of their own making: where groups are withheld, sums over leaves could tell of them,
    /// and a leaf of few rows is a small cell itself.
    fn surrogate(&mut self) -> Option<Surrogate> {
        let surrogate = self.audit.surrogate.as_ref()?;
        let small = surrogate.nodes.iter().any(|node| is_small(node.n as i64, self.limit));
        if self.withheld.cells.is_empty() && !small {
            return Some(surrogate.clone());
        }
        self.say("", "the tree that stands in for the model", if small { Why::Primary } else { Why::Complementary });
        None
    }

    /// A single row is a cell of one.
    fn single_rows(&mut self) {
        if self.audit.sample.n_rows > 0 || !self.audit.cases.is_empty() {
            self.say("", "single rows: cases, and the dots of beeswarm and dependence plots", Why::Primary);
        }
        if !self.audit.feature_maps.is_empty() {
            self.say("", "feature maps of single rows", Why::Primary);
        }
    }

    /// Changes over all rows. The baseline run may have withheld other groups than this one, so changes of groups are
    /// not shown.
    fn baseline(&mut self) -> Option<Baseline> {
        let mut baseline = self.audit.baseline.clone()?;
        let shown = |change: &MetricChange| {
            change.attribute == MODEL
                || change.attribute.is_empty() && !self.withheld.hides("", "", depth_of(&change.metric))
        };
        let n = baseline.changes.len();
        baseline.changes.retain(shown);
        if baseline.changes.len() < n {
            self.say("", "changes of groups since the baseline run", Why::Complementary);
        }
        Some(baseline)
    }

    /// Nights that were published under a laxer limit keep their decisions alone.
    fn history(&mut self) -> Vec<Night> {
        let shown = night::under(&self.audit.history, self.limit);
        if shown != self.audit.history {
            self.say("", "numbers of earlier nights, published under a lower limit", Why::Primary);
        }
        shown
    }

    fn gate(&self, gate: &Gate) -> Gate {
        let depth = depth_of(&gate.metric);
        let hidden = match gate.attribute.as_str() {
            "" => self.withheld.hides("", "", depth),
            // What the baseline run withheld of its groups is not known here.
            attribute => gate.baseline_value.is_some() || self.withheld.hides_any(attribute, depth),
        };
        if !hidden {
            return gate.clone();
        }
        Gate {
            observed: None,
            ci_low: None,
            ci_high: None,
            baseline_value: None,
            change: None,
            change_low: None,
            change_high: None,
            reason: WITHHELD.to_owned(),
            n: 0,
            ..gate.clone()
        }
    }

    fn scope(&self) -> Scope {
        let mut scope = self.audit.scope.clone();
        for attribute in &mut scope.attributes {
            let hidden = self.hides_unknown(|table| table == attribute.attribute);
            attribute.n_unknown = attribute.n_unknown.filter(|_| !hidden);
        }
        for feature in &mut scope.features {
            feature.n_missing = self.n_missing(feature);
        }
        scope
    }

    fn n_missing(&self, feature: &Feature) -> Option<u64> {
        let hidden = self.hides_unknown(|table| table.split(',').any(|column| column == feature.name));
        feature.n_missing.filter(|n| !hidden && !is_small(*n as i64, self.limit))
    }

    fn hides_unknown(&self, of: impl Fn(&str) -> bool) -> bool {
        let everything = self.withheld.cells.iter().filter(|(_, (depth, _))| *depth == Depth::Everything);
        everything.into_iter().any(|((attribute, group), _)| is_unknown(group) && of(attribute))
    }

    /// Small counts in a note are withheld; of a column with withheld groups, all counts are.
    fn note(&self, note: &Note) -> Note {
        let everything = self.withheld.cells.iter().filter(|(_, (depth, _))| *depth == Depth::Everything);
        let mut columns = everything.flat_map(|((attribute, _), _)| attribute.split(','));
        let named = columns.any(|column| !column.is_empty() && note.text.contains(&format!("`{column}`")));
        let hides = |count: u64| named || is_small(count as i64, self.limit);
        Note { about: note.about.clone(), text: without_counts(&note.text, hides) }
    }
}

/// `(attribute, rate, output)` → groups with their published rates.
type Rates<'a> = BTreeMap<(&'a str, &'a str, &'a str), Vec<(&'a str, f64)>>;

fn is_rate(metric: &Metric) -> bool {
    let wanted = ["favourable_rate", "scoring_rate"].contains(&metric.metric.as_str());
    wanted && metric.stratum.is_empty() && !metric.attribute.is_empty() && ![OTHERS, ""].contains(&&*metric.group_value)
}

fn rate_behind(metric: &str) -> Option<&'static str> {
    match metric {
        "impact_ratio" => Some("favourable_rate"),
        "scoring_impact_ratio" => Some("scoring_rate"),
        _ => None,
    }
}

/// The ratio to the highest published rate, which says nothing of the groups that are not published. Whether it has an
/// interval must not tell whether that rate is the highest of all, so none has.
fn against_best(metric: &Metric, rates: Option<&Vec<(&str, f64)>>) -> Metric {
    let rates = rates.map_or(&[][..], Vec::as_slice);
    let own = rates.iter().find(|(group, _)| *group == metric.group_value);
    let known = rates.iter().filter(|(group, _)| !is_unknown(group));
    // The first of equals.
    let best = known.rev().max_by(|a, b| a.1.total_cmp(&b.1)).filter(|(_, rate)| *rate > 0.0);
    match (own, best) {
        (Some((_, rate)), Some((best, highest))) => Metric {
            reference: (*best).to_owned(),
            value: Some(rate / highest),
            undefined_reason: None,
            ci_low: None,
            ci_high: None,
            confidence: None,
            p_value: None,
            p_adjusted: None,
            ..metric.clone()
        },
        _ => blank(metric),
    }
}

/// The row without its numbers; whom it is compared with goes too.
fn blank(metric: &Metric) -> Metric {
    Metric {
        reference: String::new(),
        value: None,
        undefined_reason: Some(WITHHELD.to_owned()),
        ci_low: None,
        ci_high: None,
        confidence: None,
        p_value: None,
        n_positive: None,
        n_predicted_positive: None,
        denominator: None,
        pair: None,
        p_adjusted: None,
        ..metric.clone()
    }
}

/// Whole numbers that `hides` speaks of become "some"; "1.5" and "2e-7" are no counts.
fn without_counts(text: &str, hides: impl Fn(u64) -> bool) -> String {
    let word = |word: &str| {
        let digits = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let count = digits.replace(',', "").parse::<u64>().ok().filter(|count| hides(*count));
        match count {
            Some(_) => word.replace(digits, "some"),
            None => word.to_owned(),
        }
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_counts_in_notes_become_some() {
        let hide = |text| without_counts(text, |count| (1..10).contains(&count));
        assert_eq!(hide("3 values of `sex` are missing (7)."), "some values of `sex` are missing (some).");
        assert_eq!(
            hide("1,204 rows differ by 2.5e-7 in batches of 1."),
            "1,204 rows differ by 2.5e-7 in batches of some."
        );
    }
}
