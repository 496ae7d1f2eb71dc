//! How well the model predicts: overall, by class, by group; ROC, precision–recall, calibration, scores.

use super::{confusion, curves, widest};
use crate::report::label::{self, Label};
use crate::report::lookup::{self, Lookup};
use crate::report::number::{self, Unit};
use crate::report::table::{Cell, Column, Table};
use crate::report::text::{heads, say};
use crate::report::view::{KeyFigure, Part, Section};
use crate::report::words;

const KEY_BINARY: &[&str] = &[
    "accuracy",
    "balanced_accuracy",
    "roc_auc",
    "average_precision",
    "f1",
    "brier",
    "ece",
    "selection_rate",
    "mean_score",
];
const KEY_REGRESSION: &[&str] = &["rmse", "mae", "r2", "mean_residual", "mean_score"];
const BY_CLASS: &[&str] = &["base_rate", "selection_rate", "precision", "recall", "f1", "roc_auc", "average_precision"];
const BY_GROUP: &[&str] =
    &["accuracy", "balanced_accuracy", "precision", "recall", "roc_auc", "ece", "mae", "rmse", "r2", "mean_residual"];
/// Most key figures on the line.
const MAX_KEYS: usize = 6;
/// Most rows of the table by group.
const MAX_ROWS: usize = 60;

pub fn section(lookup: &Lookup) -> Option<Section> {
    let overall = Part {
        sentences: sentences(lookup),
        key_figures: key_figures(lookup),
        figures: match lookup.is_multiclass() {
            true => curves::of_classes(lookup).into_iter().chain(confusion::figure(lookup)).collect(),
            false => curves::of_groups(lookup, "", &[""], "overall"),
        },
        tables: decided(lookup).into_iter().chain(by_class(lookup)).chain(confusion::table(lookup)).collect(),
        folded: all_overall(lookup),
        ..Part::default()
    };
    let by_group = Part {
        sentences: widest::by_group(lookup),
        tables: by_group(lookup),
        ..Part::titled(say!("performance.by_group"))
    };
    Section::of("performance", say!("performance.title"), vec![overall, by_group])
}

fn sentences(lookup: &Lookup) -> Vec<String> {
    let auc = lookup.metric("roc_auc", "", "").and_then(|m| Some((m, m.value?)));
    let auc = auc.filter(|_| lookup.is_binary()).map(|(m, value)| {
        say!(
            "performance.auc",
            share = number::with_unit(Unit::Share, value),
            interval = words::in_brackets(Unit::Share, m)
        )
    });
    let r2 = lookup.metric("r2", "", "").and_then(|m| Some((m, m.value?))).map(|(m, value)| {
        say!("performance.r2", r2 = number::plain(Unit::Index, value), interval = words::in_brackets(Unit::Index, m))
    });
    auc.into_iter().chain(r2.filter(|_| lookup.is_regression())).collect()
}

fn key_figures(lookup: &Lookup) -> Vec<KeyFigure> {
    let names = if lookup.is_regression() { KEY_REGRESSION } else { KEY_BINARY };
    let figure = |name: &&str| {
        let metric = lookup.metric(name, "", "")?;
        let unit = lookup.unit(name);
        let (value, interval) = number::measured(unit, metric)?;
        Some(KeyFigure { name: words::metric_for(name, lookup.is_regression()), value, interval })
    };
    names.iter().filter_map(figure).take(MAX_KEYS).collect()
}

fn decided(lookup: &Lookup) -> Option<Table> {
    let counts = lookup.counts("", "").filter(|_| lookup.is_binary())?;
    let (tp, fp, tn, fn_) = (counts.tp?, counts.fp?, counts.tn?, counts.fn_?);
    let total = tp + fp + tn + fn_;
    let positive = lookup.audit.scope.positive.clone().unwrap_or_else(|| say!("performance.positive"));
    let positive = label::shorten(&positive, 24);
    let cell = |n: f64, what: String| {
        let share = if total > 0.0 { number::with_unit(Unit::Share, n / total) } else { "–".into() };
        Cell { title: Some(what), ..Cell::number(number::quantity(n)).with_sub(Some(share)) }
    };
    let caption = match lookup.audit.scope.weight {
        Some(_) => say!("performance.confusion_weighted"),
        None => say!("performance.confusion"),
    };
    let mut table = Table::new(caption, &heads!("label"));
    table.columns.extend(
        [say!("performance.decided", class = &positive), say!("performance.decided_not", class = &positive)]
            .map(|t| Column::new(t, true)),
    );
    table.push(
        Label::fit(&positive, 30),
        vec![cell(tp, say!("performance.true_positives")), cell(fn_, say!("performance.false_negatives"))],
    );
    table.push(
        Label::fit(&say!("performance.not", class = &positive), 30),
        vec![cell(fp, say!("performance.false_positives")), cell(tn, say!("performance.true_negatives"))],
    );
    Some(table)
}

fn by_class(lookup: &Lookup) -> Option<Table> {
    if !lookup.is_multiclass() {
        return None;
    }
    let outputs = &lookup.audit.scope.outputs;
    let of = |name: &str, output: &str| lookup.metric_of_output(name, "", "", output);
    let names: Vec<&str> = BY_CLASS.iter().copied().filter(|n| outputs.iter().any(|o| of(n, o).is_some())).collect();
    let mut table = Table::new(say!("performance.by_class"), &heads!("class"));
    table.columns.extend(names.iter().map(|name| Column::new(words::metric(name), true)));
    for output in outputs.iter().take(MAX_ROWS) {
        let cells = names.iter().map(|name| Cell::metric(lookup.unit(name), of(name, output))).collect();
        table.push(Label::whole(output, 30), cells);
    }
    table.shown = words::shown_of("classes", table.rows.len(), outputs.len());
    (!names.is_empty()).then_some(table)
}

fn all_overall(lookup: &Lookup) -> Vec<Table> {
    let mut table = Table::new(say!("performance.all"), &heads!("measure value n"));
    for name in lookup.metric_names("", "") {
        if let Some(metric) = lookup.metric(name, "", "") {
            let cells = vec![Cell::metric(lookup.unit(name), Some(metric)), Cell::count(metric.n)];
            let measure = words::of_classes(words::metric_for(name, lookup.is_regression()), &metric.output);
            table.push(Label::fit(&measure, 70), cells);
        }
    }
    if table.rows.is_empty() { Vec::new() } else { vec![table] }
}

/// Single attributes in one table; intersections have theirs in the fairness section.
fn by_group(lookup: &Lookup) -> Vec<Table> {
    let attributes: Vec<&str> = lookup.audit.scope.attributes.iter().map(|a| a.attribute.as_str()).collect();
    let rows: Vec<(&str, &str)> = attributes
        .iter()
        .filter(|attribute| !attribute.contains(','))
        .flat_map(|attribute| lookup.groups(attribute).into_iter().map(|group| (*attribute, group)))
        .collect();
    let measured = |name: &&str| rows.iter().any(|(attribute, group)| lookup.metric(name, attribute, group).is_some());
    let names: Vec<&str> = BY_GROUP.iter().copied().filter(measured).collect();
    if names.is_empty() {
        return Vec::new();
    }
    let mut table = Table::new(say!("performance.by_group_table"), &heads!("group n"));
    table.columns.extend(names.iter().map(|name| Column::new(words::metric_for(name, lookup.is_regression()), true)));
    for (attribute, group) in rows.iter().take(MAX_ROWS) {
        let mut cells = vec![Cell::count(lookup.n(attribute, group))];
        cells.extend(names.iter().map(|n| Cell::metric(lookup.unit(n), lookup.metric(n, attribute, group))));
        table.push(Label::whole(&lookup::name(attribute, group), 36), cells);
        if let Some(row) = table.rows.last_mut() {
            row.remark = Some(label::attribute(attribute));
        }
    }
    table.shown = words::shown_of("groups_in_order", table.rows.len(), rows.len());
    vec![table]
}
