//! Curves by group, and what another threshold would do.

use super::curves::{self, MAX_CURVES};
use super::fairness::shown_groups;
use crate::audit::CurvePoint;
use crate::report::charts::plot::{self, Axis, Plot, Series};
use crate::report::charts::{Chart, Figure};
use crate::report::label::{self, Label};
use crate::report::lookup::{self, Lookup};
use crate::report::number::{self, Unit};
use crate::report::table::{Cell, Column, Table};
use crate::report::text::{heads, say};

/// Curves drawn by group.
const CURVES: [&str; 4] = ["roc", "pr", "calibration", "score_histogram"];

/// ROC, calibration, scores and the threshold sweep of the groups with most rows.
pub fn group_curves(lookup: &Lookup, at: usize, attribute: &str) -> Vec<Figure> {
    let groups: Vec<&str> = lookup
        .largest_groups(attribute, MAX_CURVES)
        .into_iter()
        .filter(|group| CURVES.iter().any(|kind| !lookup.curve(kind, attribute, group).is_empty()))
        .collect();
    let note = shown_groups(lookup, attribute, groups.len());
    let mut figures = curves::of_groups(lookup, attribute, &groups, &at.to_string());
    figures.extend(threshold_sweep(lookup, at, attribute));
    for figure in &mut figures {
        figure.note = [figure.note.take(), note.clone()].into_iter().flatten().reduce(|a, b| format!("{a} {b}"));
    }
    figures.extend(trade_off(lookup, at, attribute));
    figures
}

/// What each threshold would cost: accuracy over all rows beside the largest difference of selection rates.
fn trade_off(lookup: &Lookup, at: usize, attribute: &str) -> Option<Figure> {
    let threshold = lookup.audit.scope.threshold?;
    let accuracy = lookup.curve("threshold_accuracy", "", "");
    let difference = lookup.curve("threshold_difference", attribute, "");
    if accuracy.is_empty() || difference.is_empty() {
        return None;
    }
    let note = least_difference(lookup, attribute, threshold, &accuracy, &difference);
    let odds = lookup.curve("threshold_odds_difference", attribute, "");
    let curves = [
        (say!("thresholds.accuracy"), accuracy),
        (say!("thresholds.difference"), difference),
        (say!("thresholds.odds"), odds),
    ];
    let curves: Vec<_> = curves.into_iter().filter(|(_, points)| !points.is_empty()).collect();
    let series: Vec<Series> = curves.iter().map(|(name, points)| self::series(name.clone(), points)).collect();
    let attribute = label::attribute(attribute);
    Some(Figure {
        id: format!("fig-trade-{at}"),
        template: "charts/plot.svg",
        title: say!("thresholds.trade_off", attribute = &attribute),
        desc: say!("thresholds.trade_off_desc"),
        note: Some(note),
        wide: false,
        chart: Chart::Plot(Box::new(plot_over_thresholds(&say!("axis.share"), &series, threshold))),
        table: sweep_table(say!("thresholds.trade_off_table", attribute = attribute), &curves),
    })
}

/// Where the difference would be smallest at little cost, beside the threshold in force.
fn least_difference(
    lookup: &Lookup,
    attribute: &str,
    threshold: f64,
    accuracy: &[&CurvePoint],
    difference: &[&CurvePoint],
) -> String {
    let at = |points: &[&CurvePoint], x: f64| points.iter().find(|point| point.x == x).map(|point| point.y);
    let least = lookup.curve("threshold_least_difference", attribute, "").into_iter().next();
    let numbers = least.and_then(|least| {
        let lost = at(accuracy, threshold)? - at(accuracy, least.x)?;
        Some((least, at(difference, threshold)?, lost))
    });
    match numbers {
        Some((least, in_force, lost)) if least.x != threshold => say!(
            "thresholds.least",
            threshold = number::fixed(least.x, 2),
            rate = number::with_unit(Unit::Points, least.y),
            in_force = number::with_unit(Unit::Points, in_force),
            current = threshold.to_string(),
            accuracy = number::with_unit(Unit::Points, -lost)
        ),
        Some(_) => say!("thresholds.no_less"),
        None => say!("thresholds.both"),
    }
}

fn series(name: String, points: &[&CurvePoint]) -> Series {
    Series { name, points: points.iter().map(|point| (point.x, point.y)).collect(), ..Series::default() }
}

fn plot_over_thresholds(y_title: &str, series: &[Series], threshold: f64) -> Plot {
    let x_title = say!("axis.threshold");
    let x = Axis { title: &x_title, domain: (0.0, 1.0), percent: false };
    let y = Axis { title: y_title, domain: (0.0, 1.0), percent: true };
    let mut drawn = plot::lines(&x, &y, series);
    plot::mark_threshold(
        &mut drawn,
        (0.0, 1.0),
        threshold,
        say!("thresholds.in_force", threshold = threshold.to_string()),
    );
    drawn
}

/// Selection rate of every group over all thresholds, the threshold in force marked.
fn threshold_sweep(lookup: &Lookup, at: usize, attribute: &str) -> Option<Figure> {
    let threshold = lookup.audit.scope.threshold.filter(|_| lookup.is_binary())?;
    let groups = lookup.largest_groups(attribute, MAX_CURVES);
    let curve = |group: &&str| (lookup::name(attribute, group), lookup.curve("threshold", attribute, group));
    let curves: Vec<_> = groups.iter().map(curve).filter(|(_, points)| !points.is_empty()).collect();
    if curves.is_empty() {
        return None;
    }
    let series: Vec<Series> = curves.iter().map(|(name, points)| self::series(name.clone(), points)).collect();
    let attribute = label::attribute(attribute);
    Some(Figure {
        id: format!("fig-sweep-{at}"),
        template: "charts/plot.svg",
        title: say!("thresholds.sweep", attribute = &attribute),
        desc: say!("thresholds.sweep_desc"),
        note: Some(say!("thresholds.sweep_note")),
        wide: false,
        chart: Chart::Plot(Box::new(plot_over_thresholds(&say!("axis.selection_rate"), &series, threshold))),
        table: sweep_table(say!("thresholds.sweep_table", attribute = attribute), &curves),
    })
}

fn sweep_table<N: AsRef<str>>(caption: String, curves: &[(N, Vec<&CurvePoint>)]) -> Table {
    let mut table = Table::new(caption, &heads!("threshold"));
    table.columns.extend(curves.iter().map(|(name, _)| Column::new(label::shorten(name.as_ref(), 40), true)));
    let mut thresholds: Vec<f64> = curves.iter().flat_map(|(_, points)| points.iter().map(|point| point.x)).collect();
    thresholds.sort_by(f64::total_cmp);
    thresholds.dedup();
    for threshold in plot::thin(&thresholds, 11) {
        let at = |points: &[&CurvePoint]| points.iter().find(|point| point.x == threshold).map(|point| point.y);
        let cell = |y: Option<f64>| y.map_or(Cell::none(), |y| Cell::number(number::with_unit(Unit::Share, y)));
        let cells = curves.iter().map(|(_, points)| cell(at(points))).collect();
        table.push(Label::fit(&number::fixed(threshold, 2), 20), cells);
    }
    table
}
