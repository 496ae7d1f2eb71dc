//! How the decisions fall by group: one part for every attribute and intersection.

use super::{comparisons, crosses, thresholds, widest};
use crate::audit::{AttributeScope, Metric};
use crate::privacy::WITHHELD;
use crate::report::charts::dots::{self, Dot};
use crate::report::charts::{Chart, Figure};
use crate::report::label::{self, Label};
use crate::report::lookup::{self, Lookup};
use crate::report::number::{self, Unit};
use crate::report::table::{Cell, Column, Table};
use crate::report::text::{heads, say};
use crate::report::view::{Part, Section};
use crate::report::words;

/// Most groups of one attribute in tables and charts.
pub const MAX_GROUPS: usize = 40;
pub const MAX_DOTS: usize = 16;
/// Most sentences about one attribute.
const MAX_SENTENCES: usize = 3;
/// Most measures across groups in the folded table.
const MAX_MEASURES: usize = 150;
/// Most attributes with curves of their own.
const MAX_WITH_CURVES: usize = 6;

const BY_GROUP: &[&str] = &[
    "base_rate",
    "selection_rate",
    "favourable_rate",
    "impact_ratio",
    "statistical_parity_difference",
    "true_positive_rate",
    "false_positive_rate",
    "mean_score",
    "mean_residual",
    "mae",
    "rmse",
    "accuracy",
    "consistency",
];
const ACROSS: &[&str] = &[
    "demographic_parity_difference",
    "demographic_parity_ratio",
    "equalized_odds_difference",
    "equalized_odds_ratio",
    "equal_opportunity_difference",
    "accuracy_difference",
    "differential_fairness",
    "flip_rate",
    "roc_auc_difference",
    "ece_difference",
    "mean_score_difference",
    "mean_residual_difference",
    "mae_difference",
    "rmse_ratio",
];

pub fn section(lookup: &Lookup) -> Option<Section> {
    let attributes = &lookup.audit.scope.attributes;
    let parts = attributes.iter().enumerate().map(|(at, attribute)| part(lookup, at, attribute)).collect();
    let lede = if lookup.is_binary() { say!("fairness.lede_binary") } else { say!("fairness.lede") };
    Some(Section::of("fairness", say!("fairness.title"), parts)?.with_lede(lede))
}

fn part(lookup: &Lookup, at: usize, scope: &AttributeScope) -> Part {
    let attribute = scope.attribute.as_str();
    let groups = lookup.largest_groups(attribute, MAX_GROUPS);
    let mut part = Part::titled(label::attribute(attribute));
    part.sentences = sentences(lookup, attribute, &groups);
    part.sentences.extend(comparisons::sentence(lookup, attribute, &groups));
    part.sentences.extend(widest::of_decisions(lookup, attribute));
    part.figures.extend(ratio_chart(lookup, at, attribute));
    part.figures.extend(rate_chart(lookup, at, attribute));
    part.figures.extend(crosses::intersection(lookup, at, attribute));
    part.figures.extend(crosses::class_rates(lookup, at, attribute));
    if at < MAX_WITH_CURVES && !attribute.contains(',') {
        part.figures.extend(thresholds::group_curves(lookup, at, attribute));
    }
    part.tables.extend(group_table(lookup, attribute, &groups));
    part.tables.extend(across_table(lookup, attribute));
    part.tables.extend(comparisons::tables(lookup, attribute, &groups));
    part.folded.extend(all_measures(lookup, attribute));
    part
}

fn sentences(lookup: &Lookup, attribute: &str, groups: &[&str]) -> Vec<String> {
    let mut ratios: Vec<(&str, &Metric)> = groups
        .iter()
        .filter(|group| lookup::is_known(group))
        .filter_map(|group| Some((*group, lookup.metric("impact_ratio", attribute, group)?)))
        .filter(|(group, metric)| metric.value.is_some() && metric.reference != *group)
        .collect();
    ratios.sort_by(|a, b| a.1.value.unwrap_or(0.0).total_cmp(&b.1.value.unwrap_or(0.0)));
    let min_rows = lookup.audit.scope.min_group_rows;
    let sentence = |(group, metric): (&str, &Metric)| {
        let name = |group| label::shorten(&lookup::name(attribute, group), 60);
        let best = &metric.reference;
        words::impact_sentence(&name(group), &name(best), metric, lookup.n(attribute, best), min_rows)
    };
    ratios.into_iter().filter_map(sentence).take(MAX_SENTENCES).collect()
}

/// Impact ratios with the four-fifths band.
fn ratio_chart(lookup: &Lookup, at: usize, attribute: &str) -> Option<Figure> {
    let groups = lookup.largest_groups(attribute, MAX_DOTS);
    let metric = |group: &str| lookup.metric("impact_ratio", attribute, group);
    groups.iter().find(|group| metric(group).is_some())?;
    let dots: Vec<Dot> = groups.iter().map(|g| dot(lookup, attribute, g, "impact_ratio")).collect();
    let mut table =
        Table::new(say!("fairness.ratios", attribute = label::attribute(attribute)), &heads!("group impact_ratio n"));
    for group in &groups {
        let n = Cell::count(lookup.n(attribute, group));
        table.push(Label::fit(&lookup::name(attribute, group), 60), vec![Cell::metric(Unit::Ratio, metric(group)), n]);
    }
    Some(Figure {
        id: format!("fig-ratio-{at}"),
        template: "charts/dots.svg",
        title: say!("fairness.ratio", attribute = label::attribute(attribute)),
        desc: say!("fairness.ratio_desc"),
        note: shown_groups(lookup, attribute, groups.len()),
        wide: false,
        chart: Chart::Dots(dots::ratios(&dots, &say!("fairness.ratio_axis"), &say!("fairness.screen"), "")),
        table,
    })
}

/// True positive rates where labels allow, mean predictions for regression.
fn rate_chart(lookup: &Lookup, at: usize, attribute: &str) -> Option<Figure> {
    let name = if lookup.is_regression() { "mean_score" } else { "true_positive_rate" };
    if lookup.is_multiclass() {
        return None;
    }
    let groups = lookup.largest_groups(attribute, MAX_DOTS);
    groups.iter().find(|group| lookup.metric(name, attribute, group).is_some())?;
    let dots: Vec<Dot> = groups.iter().map(|group| dot(lookup, attribute, group, name)).collect();
    let overall = lookup.metric(name, "", "").and_then(|metric| metric.value);
    let unit = lookup.unit(name);
    let words = words::metric_for(name, lookup.is_regression());
    let rule = overall.map(|value| (value, say!("fairness.all_rows", value = number::with_unit(unit, value))));
    let mut table = Table::new(
        say!("fairness.by", metric = &words, attribute = label::attribute(attribute)),
        &[say!("column.group"), words.clone(), say!("column.n")],
    );
    for group in &groups {
        let n = Cell::count(lookup.n(attribute, group));
        let cell = Cell::metric(unit, lookup.metric(name, attribute, group));
        table.push(Label::fit(&lookup::name(attribute, group), 60), vec![cell, n]);
    }
    let rule = rule.as_ref().map(|(value, text)| (*value, text.as_str()));
    let chart = dots::values(&dots, &words::lower(&words), rule, unit == Unit::Share);
    Some(Figure {
        id: format!("fig-rate-{at}"),
        template: "charts/dots.svg",
        title: say!("fairness.by", metric = &words, attribute = label::attribute(attribute)),
        desc: say!("fairness.rate_desc", metric = &words),
        note: shown_groups(lookup, attribute, groups.len()),
        wide: false,
        chart: Chart::Dots(chart),
        table,
    })
}

fn dot(lookup: &Lookup, attribute: &str, group: &str, name: &str) -> Dot {
    let metric = lookup.metric(name, attribute, group);
    let value = metric.and_then(|metric| metric.value);
    Dot {
        name: lookup::name(attribute, group),
        value,
        interval: metric.filter(|_| value.is_some()).and_then(|m| m.ci_low.zip(m.ci_high)),
        text: value.map_or(say!("word.undefined"), |value| number::with_unit(lookup.unit(name), value)),
        hollow: lookup.is_small(attribute, group),
    }
}

pub fn shown_groups(lookup: &Lookup, attribute: &str, n: usize) -> Option<String> {
    let of = lookup.groups(attribute).len();
    words::shown_of("groups_largest", n, of)
}

fn group_table(lookup: &Lookup, attribute: &str, groups: &[&str]) -> Option<Table> {
    let scope = &lookup.audit.scope;
    let measured = |name: &&str| groups.iter().any(|group| lookup.metric(name, attribute, group).is_some());
    let same_rate = scope.favourable.is_none() || scope.favourable == scope.positive;
    let is_wanted =
        |name: &&str| !(same_rate && *name == "favourable_rate") && (*name != "accuracy" || !lookup.is_binary());
    let is_wanted = |name: &&str| is_wanted(name) && (*name != "mean_score" || !lookup.is_multiclass());
    let names: Vec<&str> = BY_GROUP.iter().copied().filter(|name| is_wanted(name) && measured(name)).collect();
    if names.is_empty() {
        return None;
    }
    let mut table = Table::new(say!("fairness.groups", attribute = label::attribute(attribute)), &heads!("group n"));
    table.columns.extend(names.iter().map(|name| Column::new(words::metric_for(name, lookup.is_regression()), true)));
    for group in groups {
        let mut cells = vec![Cell::count(lookup.n(attribute, group))];
        cells.extend(names.iter().map(|n| Cell::metric(lookup.unit(n), lookup.metric(n, attribute, group))));
        table.push(Label::whole(&lookup::name(attribute, group), 36), cells);
        if let Some(row) = table.rows.last_mut() {
            row.remark = remark(lookup, attribute, group);
        }
    }
    table.shown = shown_groups(lookup, attribute, groups.len());
    Some(table)
}

fn remark(lookup: &Lookup, attribute: &str, group: &str) -> Option<String> {
    let is_reference = lookup.reference(attribute) == Some(group);
    let remarks = [
        is_reference.then(|| say!("fairness.reference")),
        lookup.is_small(attribute, group).then(|| say!("fairness.under", n = lookup.audit.scope.min_group_rows)),
    ];
    remarks.into_iter().flatten().reduce(|a, b| format!("{a}, {b}"))
}

/// The headline comparisons across groups.
fn across_table(lookup: &Lookup, attribute: &str) -> Option<Table> {
    let mut table = Table::new(
        say!("fairness.across", attribute = label::attribute(attribute)),
        &heads!("measure value groups_compared|"),
    );
    for name in ACROSS {
        if let Some(metric) = lookup.metric(name, attribute, "") {
            let cells = vec![Cell::metric(lookup.unit(name), Some(metric)), compared(attribute, metric)];
            table.push(Label::fit(&measure(lookup, metric), 70), cells);
        }
    }
    (!table.rows.is_empty()).then_some(table)
}

fn measure(lookup: &Lookup, metric: &Metric) -> String {
    words::of_classes(words::metric_for(&metric.metric, lookup.is_regression()), &metric.output)
}

fn compared(attribute: &str, metric: &Metric) -> Cell {
    let name = |group: &str| label::shorten(&lookup::name(attribute, group), 40);
    let text = match (&metric.pair, metric.reference.as_str()) {
        (Some((a, b)), _) => say!("fairness.pair", one = name(a), other = name(b)),
        (None, "") => say!("fairness.all_groups"),
        (None, reference) => say!("fairness.against", reference = name(reference)),
    };
    Cell { sub: metric.p_value.map(number::p_value), is_reason: true, ..Cell::text(&text) }
}

/// Everything measured across groups and for all others against the reference.
fn all_measures(lookup: &Lookup, attribute: &str) -> Option<Table> {
    let caption = say!("fairness.all_measures", attribute = label::attribute(attribute));
    let mut table = Table::new(caption, &heads!("measure value groups_compared|"));
    let across = |group| lookup.metric_names(attribute, group).into_iter().map(move |name| (name, group));
    let all: Vec<(&str, &str)> = across("").chain(across(lookup::OTHERS)).collect();
    for (name, group) in all.iter().take(MAX_MEASURES) {
        let shown = |metric: &&Metric| metric.undefined_reason.as_deref() != Some(WITHHELD);
        if let Some(metric) = lookup.metric(name, attribute, group).filter(shown) {
            let mut compared = compared(attribute, metric);
            if *group == lookup::OTHERS && metric.reference.is_empty() {
                compared.text = say!("fairness.others");
            }
            table.push(
                Label::fit(&measure(lookup, metric), 70),
                vec![Cell::metric(lookup.unit(name), Some(metric)), compared],
            );
        }
    }
    table.shown = words::shown_of("measures", table.rows.len(), all.len());
    (table.rows.len() > ACROSS.len()).then_some(table)
}
