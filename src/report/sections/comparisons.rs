//! Each group beside its reference: the tests behind the screen, and the distance of scores.

use super::fairness::shown_groups;
use crate::audit::Metric;
use crate::report::label::{self, Label};
use crate::report::lookup::{self, Lookup};
use crate::report::number::{self, Unit};
use crate::report::table::{Cell, Column, Table};
use crate::report::text::{find, heads, say};
use crate::report::words;

/// Below this an adjusted p-value is called distinguishable from chance.
const LEVEL: f64 = 0.05;

/// Tests of decisions; their headings stand under `compared`.
const DECISIONS: &[&str] = &[
    "statistical_parity_difference",
    "odds_ratio",
    "conditional_odds_ratio",
    "odds_ratio_homogeneity",
    "impact_ratio_with_two_more",
    "shortfall",
    "clarify_cddpl",
    "clarify_cddl",
    "flip_rate",
    "flip_score_change",
];
const SCORES: &[&str] =
    &["standardized_mean_difference", "residual_standardized_mean_difference", "score_ks", "xauc_difference", "abroca"];

/// What the tests allow to be said about the rates of favourable decisions.
pub fn sentence(lookup: &Lookup, attribute: &str, groups: &[&str]) -> Option<String> {
    let reference = lookup.reference(attribute)?;
    let tested: Vec<(&str, f64)> = groups
        .iter()
        .filter(|group| lookup::is_known(group) && !lookup.is_small(attribute, group))
        .filter_map(|group| {
            let metric = lookup.metric("statistical_parity_difference", attribute, group)?;
            Some((*group, metric.p_adjusted?))
        })
        .collect();
    let name = |group: &str| label::shorten(&lookup::name(attribute, group), 40);
    let beyond: Vec<String> = tested.iter().filter(|(_, p)| *p < LEVEL).map(|(group, _)| name(group)).collect();
    let against = name(reference);
    match (tested.len(), beyond.as_slice()) {
        (0, _) => None,
        (n, []) => Some(say!("comparisons.none", n = n, reference = against)),
        (n, names) => Some(say!("comparisons.some", n = n, reference = against, groups = names.join(", "))),
    }
}

/// The tests of decisions and the distances of scores, a table each where measured.
pub fn tables(lookup: &Lookup, attribute: &str, groups: &[&str]) -> Vec<Table> {
    let Some(reference) = lookup.reference(attribute) else { return Vec::new() };
    let others = lookup.groups(attribute).len() > 2;
    let compared =
        || groups.iter().copied().filter(|group| *group != reference).chain(others.then_some(lookup::OTHERS));
    let against = label::shorten(&lookup::name(attribute, reference), 40);
    let attribute_words = label::attribute(attribute);
    [
        (say!("comparisons.decisions", attribute = &attribute_words, reference = &against), DECISIONS),
        (say!("comparisons.scores", attribute = attribute_words, reference = against), SCORES),
    ]
    .into_iter()
    .filter_map(|(caption, metrics)| table(lookup, attribute, caption, metrics, &compared().collect::<Vec<_>>()))
    .map(|table| Table { shown: shown_groups(lookup, attribute, groups.len()), ..table })
    .collect()
}

fn table(lookup: &Lookup, attribute: &str, caption: String, metrics: &[&str], groups: &[&str]) -> Option<Table> {
    let metric = |name: &str, group: &str| lookup.metric(name, attribute, group);
    let measured: Vec<_> =
        metrics.iter().copied().filter(|name| groups.iter().any(|group| metric(name, group).is_some())).collect();
    if measured.is_empty() {
        return None;
    }
    let mut table = Table::new(caption, &heads!("group"));
    let heading = |name: &&str| find(&format!("compared.{name}"), &[]).unwrap_or_else(|| words::metric(name));
    table.columns.extend(measured.iter().map(|name| Column::new(heading(name), true)));
    for group in groups {
        let cells = measured.iter().map(|name| cell(lookup.unit(name), metric(name, group))).collect();
        table.push(Label::whole(&lookup::name(attribute, group), 36), cells);
    }
    Some(table)
}

/// Value, interval and, where there is a test, its p-values.
fn cell(unit: Unit, metric: Option<&Metric>) -> Cell {
    let cell = Cell::metric(unit, metric);
    let Some(metric) = metric.filter(|metric| metric.value.is_some()) else { return cell };
    let tests = [
        metric.p_value.map(number::p_value),
        metric.p_adjusted.filter(|adjusted| Some(*adjusted) != metric.p_value).map(number::adjusted_p_value),
    ];
    let sub = cell.sub.iter().cloned().chain(tests.into_iter().flatten()).reduce(|a, b| format!("{a}; {b}"));
    cell.with_sub(sub)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    fn with_tests(p_adjusted: f64) -> crate::audit::Audit {
        let mut audit = example::binary();
        let compared = |name: &str| Metric {
            metric: name.into(),
            attribute: "sex".into(),
            group_value: "Female".into(),
            reference: "Male".into(),
            value: Some(-0.1),
            ci_low: Some(-0.2),
            ci_high: Some(0.01),
            p_value: Some(0.01),
            p_adjusted: Some(p_adjusted),
            n: 5_000,
            output: audit.metrics[0].output.clone(),
            ..Metric::default()
        };
        let added = ["statistical_parity_difference", "odds_ratio", "abroca"].map(compared);
        audit.metrics.retain(|row| row.metric != "statistical_parity_difference");
        audit.metrics.extend(added);
        audit
    }

    #[test]
    fn a_difference_is_called_beyond_chance_only_by_the_adjusted_p_value() {
        let (far, near) = (with_tests(0.02), with_tests(0.2));
        let said = |audit| sentence(&Lookup::new(audit), "sex", &["Female", "Male"]).unwrap();
        assert!(said(&far).contains("differs beyond chance for Female"), "{}", said(&far));
        assert!(said(&near).contains("no proof that they are equal"), "{}", said(&near));
    }

    #[test]
    fn tests_stand_under_their_values() {
        let audit = with_tests(0.02);
        let tables = tables(&Lookup::new(&audit), "sex", &["Female", "Male"]);
        assert_eq!(tables.len(), 2);
        let sub = tables[0].rows[0].cells[0].sub.clone().unwrap();
        assert!(sub.contains("p\u{a0}=\u{a0}0.01") && sub.contains("adjusted"), "{sub}");
        assert_eq!(tables[1].columns.last().unwrap().text, "Area between ROC curves");
    }
}
