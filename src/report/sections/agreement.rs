//! How far methods agree, how they do on trial, and what single changes do.

use crate::audit::{Importance, Metric};
use crate::report::charts::heatmap::{self, Block, Tile};
use crate::report::charts::plot::{self, Axis, Series};
use crate::report::charts::{self, Chart, Figure};
use crate::report::label::{self, Label};
use crate::report::lookup::Lookup;
use crate::report::number;
use crate::report::scale::Scale;
use crate::report::table::{Cell, Column, Table};
use crate::report::text::{heads, say};
use crate::report::view::Part;
use crate::report::words;

/// The attribute under which methods stand.
const METHODS: &str = "(methods)";
/// Below this rank correlation a disagreement is named.
const APART: f64 = 0.5;
/// Most methods in the matrix, curves in a plot and features in a table.
const MAX_METHODS: usize = 12;
const MAX_CURVES: usize = 6;
const MAX_FEATURES: usize = 12;

/// Rank correlation of every two methods for the first explained output, and the pairs that disagree.
pub fn matrix(lookup: &Lookup) -> Part {
    let output = lookup.explained_outputs().first().copied().unwrap_or_default();
    let all: Vec<&Metric> = methods(lookup, "agreement_spearman").filter(|metric| metric.output == output).collect();
    let mut names: Vec<&str> = Vec::new();
    for name in all.iter().flat_map(|metric| [metric.group_value.as_str(), metric.reference.as_str()]) {
        if !names.contains(&name) && names.len() < MAX_METHODS {
            names.push(name);
        }
    }
    if names.len() < 2 {
        return Part::default();
    }
    let same = |metric: &&&Metric, a: &str, b: &str| {
        let pair = (metric.group_value.as_str(), metric.reference.as_str());
        pair == (a, b) || pair == (b, a)
    };
    let value = |a: &str, b: &str| if a == b { Some(1.0) } else { all.iter().find(|m| same(m, a, b))?.value };
    let told: Vec<String> = names.iter().map(|name| words::ranking(name)).collect();
    let text = |value: Option<f64>| value.map_or("–".to_owned(), |value| number::fixed(value, 2));
    let tile = |a: &str, b: &str| Tile {
        class: value(a, b).map_or("none".into(), |value| heatmap::diverging(value, 1.0)),
        text: text(value(a, b)),
        hatched: false,
    };
    let row = |(a, told): (&&str, &String)| (told.clone(), names.iter().map(|b| tile(a, b)).collect());
    let block = Block { title: None, rows: names.iter().zip(&told).map(row).collect() };
    let mut table = Table::new(say!("agreement.table"), &heads!("method"));
    table.columns.extend(told.iter().map(|name| Column::new(name.clone(), true)));
    for (a, name) in names.iter().zip(&told) {
        table.push(Label::fit(name, 60), names.iter().map(|b| Cell::number(text(value(a, b)))).collect());
    }
    let id = "fig-agreement".to_owned();
    let figure = Figure {
        chart: Chart::Heatmap(heatmap::draw(&id, &told, &[block], charts::FULL).with_key(
            &heatmap::DIVERGING,
            "−1",
            "1",
        )),
        id,
        template: "charts/heatmap.svg",
        title: say!("agreement.matrix"),
        desc: say!("agreement.matrix_desc"),
        note: Some(say!("agreement.matrix_note")),
        wide: true,
        table,
    };
    let mut part = Part { figures: vec![figure], ..Part::titled(say!("agreement.title")) };
    part.sentences.extend(disagreements(&all));
    part
}

fn disagreements(all: &[&Metric]) -> Option<String> {
    let mut apart: Vec<(&&Metric, f64)> =
        all.iter().filter_map(|metric| Some((metric, metric.value?))).filter(|(_, value)| *value < APART).collect();
    apart.sort_by(|a, b| a.1.total_cmp(&b.1));
    let told = |(metric, value): &(&&Metric, f64)| {
        let (one, other) = (words::ranking(&metric.group_value), words::ranking(&metric.reference));
        say!("agreement.apart_item", one = one, other = other, correlation = number::fixed(*value, 2))
    };
    let listed: Vec<String> = apart.iter().take(4).map(told).collect();
    let more = apart.len().saturating_sub(4);
    let more = if more > 0 { say!("agreement.more", n = more) } else { String::new() };
    (!listed.is_empty())
        .then(|| say!("agreement.apart", limit = APART.to_string(), list = listed.join("; "), more = more))
}

fn methods<'a>(lookup: &Lookup<'a>, name: &str) -> impl Iterator<Item = &'a Metric> {
    let audit = lookup.audit;
    let name = name.to_owned();
    audit.metrics.iter().filter(move |metric| metric.attribute == METHODS && metric.metric == name)
}

/// Deletion and insertion curves, and the figures of each method.
pub fn trial(lookup: &Lookup) -> Part {
    let tried: Vec<&Metric> = methods(lookup, "deletion_auc").collect();
    let Some(first) = tried.first() else { return Part::default() };
    let figures = ["deletion", "insertion"].into_iter().filter_map(|kind| curves(lookup, kind, &tried)).collect();
    let columns = heads!("method area_under_deletion area_under_insertion change_with_noise order_kept_with_noise");
    let mut table = Table::new(say!("trial.table"), &columns);
    for metric in &tried {
        let of = |name: &str| methods(lookup, name).find(|found| found.group_value == metric.group_value);
        let cell = |name: &str| {
            of(name)
                .and_then(|found| found.value)
                .map_or(Cell::none(), |value| Cell::number(number::significant(value, 3)))
        };
        let cells = ["deletion_auc", "insertion_auc", "noise_change", "noise_rank_agreement"].map(cell).to_vec();
        table.push(Label::fit(&words::explainer(&metric.group_value), 60), cells);
    }
    let sentence = say!("trial.lede", n = first.n);
    Part { sentences: vec![sentence], figures, tables: vec![table], ..Part::titled(say!("trial.title")) }
}

fn curves(lookup: &Lookup, kind: &'static str, tried: &[&Metric]) -> Option<Figure> {
    let line = |metric: &&Metric| Series {
        name: words::explainer(&metric.group_value),
        points: lookup.curve(kind, METHODS, &metric.group_value).iter().map(|point| (point.x, point.y)).collect(),
        ..Series::default()
    };
    let series: Vec<Series> = tried.iter().take(MAX_CURVES).map(line).collect();
    let y = Scale::around(series.iter().flat_map(|s| s.points.iter().map(|p| p.1)), &[], (0.0, 1.0)).domain;
    let what = if lookup.is_regression() { say!("axis.mean_prediction") } else { say!("axis.mean_score") };
    let x_title = if kind == "deletion" { say!("trial.deletion_axis") } else { say!("trial.insertion_axis") };
    let axes =
        (Axis { title: &x_title, domain: (0.0, 1.0), percent: true }, Axis { title: &what, domain: y, percent: false });
    let mut table = Table::new(say!("trial.curve_table", what = &what, share = &x_title), &heads!("share"));
    table.columns.extend(series.iter().map(|s| Column::new(s.name.clone(), true)));
    for (at, (x, _)) in series.first()?.points.iter().enumerate() {
        let cell = |s: &Series| s.points.get(at).map_or(Cell::none(), |p| Cell::number(number::significant(p.1, 3)));
        table.push(Label::fit(&number::probability(*x), 20), series.iter().map(cell).collect());
    }
    Some(Figure {
        id: format!("fig-{kind}"),
        template: "charts/plot.svg",
        title: if kind == "deletion" { say!("trial.deletion") } else { say!("trial.insertion") },
        desc: say!("trial.curve_desc", what = &what, share = &x_title),
        note: words::shown_of("methods", series.len(), tried.len()),
        wide: false,
        chart: Chart::Plot(Box::new(plot::lines(&axes.0, &axes.1, &series))),
        table,
    })
}

/// What a change of one column does, and what would turn the cases.
pub fn sensitivity(lookup: &Lookup) -> Part {
    let audit = lookup.audit;
    let output = lookup.explained_outputs().first().copied().unwrap_or_default();
    let of = |metric: &str| -> Vec<&Importance> {
        let here = |i: &&Importance| {
            i.method == "sensitivity" && i.metric == metric && (i.output == output || i.output.is_empty())
        };
        audit.importance.iter().filter(here).collect()
    };
    let (mut largest, small, any) = (of("largest_change"), of("decision_change"), of("single_change_flips"));
    if largest.is_empty() {
        return Part::default();
    }
    largest.sort_by_key(|i| i.rank);
    let mut table = Table::new(say!("changes.table"), &heads!("feature mean_largest_change_of_the_score"));
    if !any.is_empty() {
        table.columns.push(Column::new(say!("column.decisions_a_small_step_turns"), true));
        table.columns.push(Column::new(say!("column.decisions_some_value_turns"), true));
    }
    table.shown = words::shown_of("features_largest_changes", largest.len().min(MAX_FEATURES), largest.len());
    let share = |list: &[&Importance], feature: &str| {
        list.iter().find(|i| i.feature == feature).map_or(Cell::none(), |i| Cell::number(number::probability(i.value)))
    };
    for i in largest.iter().take(MAX_FEATURES) {
        let mut cells = vec![Cell::number(number::significant(i.value, 3))];
        if !any.is_empty() {
            cells.extend([share(&small, &i.feature), share(&any, &i.feature)]);
        }
        table.push(Label::fit(&i.feature, 60), cells);
    }
    let flips = audit.cases.iter().filter_map(|case| {
        let flip = case.flip.as_ref()?;
        Some(say!(
            "changes.turns",
            row = label::shorten(&case.row_id, 40),
            chosen_as = label::shorten(&case.chosen_as, 40),
            feature = label::shorten(&flip.feature, 40),
            from = label::shorten(&flip.from, 30),
            to = label::shorten(&flip.to, 30)
        ))
    });
    let lede = say!("changes.lede");
    let sentences = std::iter::once(lede).chain(flips).collect();
    Part { sentences, tables: vec![table], ..Part::titled(say!("changes.title")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    #[test]
    fn methods_that_disagree_are_named_the_farthest_apart_first() {
        let metric = |one: &str, other: &str, value: f64| Metric {
            metric: "agreement_spearman".into(),
            attribute: METHODS.into(),
            group_value: one.into(),
            reference: other.into(),
            output: ">50K".into(),
            value: Some(value),
            ..Metric::default()
        };
        let mut audit = example::binary();
        audit.metrics.push(metric("attribution", "lime", 0.4));
        audit.metrics.push(metric("attribution", "permutation", 0.9));
        audit.metrics.push(metric("lime", "permutation", -0.2));
        let part = matrix(&Lookup::new(&audit));
        assert!(
            part.sentences[0].contains("LIME and permutation importance (−0.20); mean attributions and LIME (0.40)."),
            "{:?}",
            part.sentences
        );
        assert_eq!(part.figures[0].table.rows[2].cells[1].text, "−0.20");
    }

    #[test]
    fn a_case_says_what_would_turn_it() {
        let mut audit = example::binary();
        audit.importance.push(Importance {
            method: "sensitivity".into(),
            metric: "largest_change".into(),
            rank: 1,
            ..audit.importance[0].clone()
        });
        let part = sensitivity(&Lookup::new(&audit));
        assert!(part.sentences[1].contains("age from 48 to 24 turns the decision"), "{:?}", part.sentences);
    }

    #[test]
    fn nothing_asked_is_nothing_shown() {
        let audit = example::binary();
        let lookup = Lookup::new(&audit);
        assert!(matrix(&lookup).is_empty() && trial(&lookup).is_empty() && sensitivity(&lookup).is_empty());
    }
}
