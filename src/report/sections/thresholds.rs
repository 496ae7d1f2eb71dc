//! Curves by group, and what another threshold would do.

use super::curves;
use super::fairness::shown_groups;
use crate::audit::CurvePoint;
use crate::report::charts::plot::{self, Axis, Corner, Plot, Series};
use crate::report::charts::{Chart, Figure};
use crate::report::label::{self, Label};
use crate::report::lookup::{self, Lookup};
use crate::report::number::{self, Unit};
use crate::report::table::{Cell, Column, Table};

/// Most curves in one plot: what six colours and dashes can tell apart.
const MAX_CURVES: usize = 5;
/// Curves drawn by group.
const CURVES: [&str; 3] = ["roc", "calibration", "score_histogram"];

/// ROC, calibration, scores and the threshold sweep of the groups with most rows.
pub fn group_curves(lookup: &Lookup, at: usize, attribute: &str) -> Vec<Figure> {
    let groups: Vec<&str> = lookup
        .largest_groups(attribute, MAX_CURVES)
        .into_iter()
        .filter(|group| CURVES.iter().any(|kind| !lookup.curve(kind, attribute, group).is_empty()))
        .collect();
    let note = shown_groups(lookup, attribute, groups.len());
    let all = curves::of_groups(lookup, attribute, &groups, &at.to_string());
    let wanted =
        |figure: &Figure| ["fig-roc", "fig-calibration", "fig-scores"].iter().any(|id| figure.id.starts_with(id));
    let mut figures: Vec<Figure> = all.into_iter().filter(wanted).collect();
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
    let curves = [("accuracy, all rows", accuracy), ("largest rate difference", difference), ("equalized odds", odds)];
    let curves: Vec<_> = curves.into_iter().filter(|(_, points)| !points.is_empty()).collect();
    let series: Vec<Series> = curves.iter().map(|(name, points)| self::series((*name).to_owned(), points)).collect();
    let attribute = label::attribute(attribute);
    Some(Figure {
        id: format!("fig-trade-{at}"),
        template: "charts/plot.svg",
        title: format!("Accuracy and disparity by {attribute}"),
        desc: "Accuracy and the largest difference of selection rates between groups at every threshold.".into(),
        note: Some(note),
        wide: false,
        chart: Chart::Plot(Box::new(plot_over_thresholds("share", &series, Corner::MiddleRight, threshold))),
        table: sweep_table(format!("Accuracy and disparity over thresholds, by {attribute}"), &curves),
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
    let shown = "Shown to be seen, never applied.";
    let at = |points: &[&CurvePoint], x: f64| points.iter().find(|point| point.x == x).map(|point| point.y);
    let least = lookup.curve("threshold_least_difference", attribute, "").into_iter().next();
    let numbers = least.and_then(|least| {
        let lost = at(accuracy, threshold)? - at(accuracy, least.x)?;
        Some((least, at(difference, threshold)?, lost))
    });
    match numbers {
        Some((least, in_force, lost)) if least.x != threshold => format!(
            "The rates differ least at {} within the accuracy that may be lost: by {} instead of {} at {threshold}, for {} of \
             accuracy, as measured on these rows and without intervals. {shown}",
            number::fixed(least.x, 2),
            number::with_unit(Unit::Share, least.y),
            number::with_unit(Unit::Share, in_force),
            number::with_unit(Unit::Points, -lost),
        ),
        Some(_) => format!("No other threshold with about the same accuracy has a smaller difference. {shown}"),
        None => format!("Both at every threshold. {shown}"),
    }
}

fn series(name: String, points: &[&CurvePoint]) -> Series {
    Series { name, points: points.iter().map(|point| (point.x, point.y)).collect(), ..Series::default() }
}

fn plot_over_thresholds(y_title: &str, series: &[Series], corner: Corner, threshold: f64) -> Plot {
    let axis = |title, percent| Axis { title, domain: (0.0, 1.0), percent };
    let mut drawn = plot::lines(&axis("threshold", false), &axis(y_title, true), series, corner);
    plot::mark_threshold(&mut drawn, (0.0, 1.0), threshold, format!("in force: {threshold}"));
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
        title: format!("Threshold sweep by {attribute}"),
        desc: "Selection rate of each group at every threshold; the dashed line is the threshold in force.".into(),
        note: Some("Selection rate at every threshold. Shown to be seen, never applied.".into()),
        wide: false,
        chart: Chart::Plot(Box::new(plot_over_thresholds("selection rate", &series, Corner::TopRight, threshold))),
        table: sweep_table(format!("Selection rate over thresholds, by {attribute}"), &curves),
    })
}

fn sweep_table<N: AsRef<str>>(caption: String, curves: &[(N, Vec<&CurvePoint>)]) -> Table {
    let mut table = Table::new(caption, &["Threshold"]);
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
