//! How well the model predicts: overall, by class, by group; ROC, precision–recall, calibration, scores.

use crate::audit::CurvePoint;
use crate::report::charts::plot::{self, Axis, Corner, Plot, Series};
use crate::report::charts::{Chart, Figure, histogram};
use crate::report::label::{self, Label};
use crate::report::lookup::{self, Lookup};
use crate::report::number::{self, Unit};
use crate::report::table::{Cell, Column, Table};
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
const BY_CLASS: &[&str] = &[
    "base_rate",
    "selection_rate",
    "precision",
    "recall",
    "f1",
    "roc_auc",
    "average_precision",
];
const BY_GROUP: &[&str] = &[
    "accuracy",
    "balanced_accuracy",
    "precision",
    "recall",
    "roc_auc",
    "ece",
    "mae",
    "rmse",
    "r2",
    "mean_residual",
];
/// Most key figures on the line.
const MAX_KEYS: usize = 6;
/// Most rows of the table by group.
const MAX_ROWS: usize = 60;

pub fn section(lookup: &Lookup) -> Option<Section> {
    let overall = Part {
        sentences: sentences(lookup),
        key_figures: key_figures(lookup),
        figures: curves(lookup, "", &[""], "overall"),
        tables: confusion(lookup).into_iter().chain(by_class(lookup)).collect(),
        folded: all_overall(lookup),
        ..Part::default()
    };
    let by_group = Part {
        tables: by_group(lookup),
        ..Part::titled("By group")
    };
    Section::of("performance", "Performance", vec![overall, by_group])
}

/// ROC, precision–recall, calibration and score curves of `groups`, as far as the audit has them. `slug` makes ids.
pub fn curves(lookup: &Lookup, attribute: &str, groups: &[&str], slug: &str) -> Vec<Figure> {
    let of = |kind: &str| -> Vec<(String, Vec<&CurvePoint>)> {
        let named = groups
            .iter()
            .map(|group| (curve_name(attribute, group), lookup.curve(kind, attribute, group)));
        named.filter(|(_, points)| !points.is_empty()).collect()
    };
    let of_what = if attribute.is_empty() {
        String::new()
    } else {
        format!(" by {}", label::attribute(attribute))
    };
    [
        xy(lookup, "roc", &of("roc"), slug, &of_what),
        xy(lookup, "pr", &of("pr"), slug, &of_what),
        xy(lookup, "calibration", &of("calibration"), slug, &of_what),
        scores(lookup, &of("score_histogram"), slug, &of_what),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn curve_name(attribute: &str, group: &str) -> String {
    if group.is_empty() {
        "all rows".into()
    } else {
        lookup::name(attribute, group)
    }
}

fn sentences(lookup: &Lookup) -> Vec<String> {
    let auc = lookup.metric("roc_auc", "", "").and_then(|m| Some((m, m.value?)));
    let auc = auc.filter(|_| lookup.is_binary()).map(|(m, value)| {
        format!(
            "Of a random positive and a random negative row, the model ranks the positive higher {} of the time {}.",
            number::with_unit(Unit::Share, value),
            words::in_brackets(Unit::Share, m)
        )
    });
    let r2 = lookup
        .metric("r2", "", "")
        .and_then(|m| Some((m, m.value?)))
        .map(|(m, value)| {
            let bracket = words::in_brackets(Unit::Index, m);
            format!(
                "The model explains {} of the label's variance as R² {bracket}.",
                number::plain(Unit::Index, value)
            )
        });
    auc.into_iter().chain(r2.filter(|_| lookup.is_regression())).collect()
}

fn key_figures(lookup: &Lookup) -> Vec<KeyFigure> {
    let names = if lookup.is_regression() {
        KEY_REGRESSION
    } else {
        KEY_BINARY
    };
    let figure = |name: &&str| {
        let metric = lookup.metric(name, "", "")?;
        let unit = words::unit(name);
        let (value, interval) = number::measured(unit, metric)?;
        Some(KeyFigure {
            name: words::metric_for(name, lookup.is_regression()),
            value,
            interval,
        })
    };
    names.iter().filter_map(figure).take(MAX_KEYS).collect()
}

fn confusion(lookup: &Lookup) -> Option<Table> {
    let counts = lookup.counts("", "").filter(|_| lookup.is_binary())?;
    let (tp, fp, tn, fn_) = (counts.tp?, counts.fp?, counts.tn?, counts.fn_?);
    let total = tp + fp + tn + fn_;
    let positive = lookup.audit.scope.positive.as_deref().unwrap_or("positive");
    let positive = label::shorten(positive, 24);
    let cell = |n: f64, what: &str| {
        let share = if total > 0.0 {
            number::with_unit(Unit::Share, n / total)
        } else {
            "–".into()
        };
        Cell {
            title: Some(what.to_owned()),
            ..Cell::number(number::quantity(n)).with_sub(Some(share))
        }
    };
    let weighted = if lookup.audit.scope.weight.is_some() {
        ", weighted"
    } else {
        ""
    };
    let mut table = Table::new(
        format!("Decisions against labels (rows{weighted}, share of all)"),
        &["Label"],
    );
    table
        .columns
        .extend([format!("Decided {positive}"), format!("Decided not {positive}")].map(|t| Column::new(t, true)));
    table.push(
        Label::fit(&positive, 30),
        vec![cell(tp, "true positives"), cell(fn_, "false negatives")],
    );
    table.push(
        Label::fit(&format!("not {positive}"), 30),
        vec![cell(fp, "false positives"), cell(tn, "true negatives")],
    );
    Some(table)
}

fn by_class(lookup: &Lookup) -> Option<Table> {
    if !lookup.is_multiclass() {
        return None;
    }
    let outputs = &lookup.audit.scope.outputs;
    let of = |name: &str, output: &str| lookup.metric_of_output(name, "", "", output);
    let names: Vec<&str> = BY_CLASS
        .iter()
        .copied()
        .filter(|n| outputs.iter().any(|o| of(n, o).is_some()))
        .collect();
    let mut table = Table::new("By class, each against all others", &["Class"]);
    table
        .columns
        .extend(names.iter().map(|name| Column::new(words::metric(name), true)));
    for output in outputs.iter().take(MAX_ROWS) {
        let cells = names
            .iter()
            .map(|name| Cell::metric(words::unit(name), of(name, output)))
            .collect();
        table.push(Label::whole(output, 30), cells);
    }
    table.shown = words::shown(table.rows.len(), outputs.len(), "classes", "in model order");
    (!names.is_empty()).then_some(table)
}

fn all_overall(lookup: &Lookup) -> Vec<Table> {
    let mut table = Table::new("All overall measures", &["Measure", "Value", "n"]);
    for name in lookup.metric_names("", "") {
        if let Some(metric) = lookup.metric(name, "", "") {
            let cells = vec![
                Cell::metric(words::unit(name), Some(metric)),
                Cell::number(number::count(metric.n)),
            ];
            table.push(Label::fit(&words::metric(name), 60), cells);
        }
    }
    if table.rows.is_empty() { Vec::new() } else { vec![table] }
}

/// Single attributes in one table; intersections have theirs in the fairness section.
fn by_group(lookup: &Lookup) -> Vec<Table> {
    let attributes: Vec<&str> = lookup
        .audit
        .scope
        .attributes
        .iter()
        .map(|a| a.attribute.as_str())
        .collect();
    let rows: Vec<(&str, &str)> = attributes
        .iter()
        .filter(|attribute| !attribute.contains(','))
        .flat_map(|attribute| lookup.groups(attribute).into_iter().map(|group| (*attribute, group)))
        .collect();
    let measured = |name: &&str| {
        rows.iter()
            .any(|(attribute, group)| lookup.metric(name, attribute, group).is_some())
    };
    let names: Vec<&str> = BY_GROUP.iter().copied().filter(measured).collect();
    if names.is_empty() {
        return Vec::new();
    }
    let mut table = Table::new("Performance by group, with intervals", &["Group", "n"]);
    table.columns.extend(
        names
            .iter()
            .map(|name| Column::new(words::metric_for(name, lookup.is_regression()), true)),
    );
    for (attribute, group) in rows.iter().take(MAX_ROWS) {
        let mut cells = vec![Cell::number(number::count(lookup.n(attribute, group)))];
        cells.extend(
            names
                .iter()
                .map(|n| Cell::metric(words::unit(n), lookup.metric(n, attribute, group))),
        );
        table.push(Label::whole(&lookup::name(attribute, group), 36), cells);
        if let Some(row) = table.rows.last_mut() {
            row.remark = Some(label::attribute(attribute));
        }
    }
    table.shown = words::shown(table.rows.len(), rows.len(), "groups", "in order of the attributes");
    vec![table]
}

/// Words of one kind of curve: title, what it shows, axes, where the legend has room.
struct Kind {
    title: &'static str,
    says: &'static str,
    x: &'static str,
    y: &'static str,
    corner: Corner,
    diagonal: bool,
}

fn kind(name: &str) -> Kind {
    match name {
        "roc" => Kind {
            title: "ROC curve",
            says: "True positive rate against false positive rate over all thresholds; the diagonal is guessing.",
            x: "false positive rate",
            y: "true positive rate",
            corner: Corner::BottomRight,
            diagonal: true,
        },
        "pr" => Kind {
            title: "Precision and recall",
            says: "Precision against recall over all thresholds.",
            x: "recall",
            y: "precision",
            corner: Corner::BottomLeft,
            diagonal: false,
        },
        _ => Kind {
            title: "Calibration",
            says: "Observed share of positives against the mean score of each bin; on the diagonal, scores mean what they say.",
            x: "mean score of the bin",
            y: "observed share of positives",
            corner: Corner::TopLeft,
            diagonal: true,
        },
    }
}

fn xy(lookup: &Lookup, name: &str, curves: &[(String, Vec<&CurvePoint>)], slug: &str, of: &str) -> Option<Figure> {
    if curves.is_empty() || lookup.is_regression() {
        return None;
    }
    let kind = kind(name);
    let is_calibration = name == "calibration";
    let axis = |title| Axis {
        title,
        domain: (0.0, 1.0),
        percent: true,
    };
    let series: Vec<Series> = curves
        .iter()
        .map(|(group, points)| self::series(group, points, is_calibration))
        .collect();
    let mut plot = plot::lines(&axis(kind.x), &axis(kind.y), &series, kind.corner);
    plot.diagonal = kind.diagonal;
    Some(figure(
        (name, slug),
        format!("{}{of}", kind.title),
        kind.says,
        plot,
        (kind.x, kind.y),
        curves,
    ))
}

fn series(name: &str, points: &[&CurvePoint], with_dots: bool) -> Series {
    Series {
        name: name.to_owned(),
        points: points.iter().map(|p| (p.x, p.y)).collect(),
        intervals: if with_dots {
            points.iter().map(|p| p.ci_low.zip(p.ci_high)).collect()
        } else {
            Vec::new()
        },
        with_dots,
    }
}

fn scores(lookup: &Lookup, curves: &[(String, Vec<&CurvePoint>)], slug: &str, of: &str) -> Option<Figure> {
    let edges: Vec<f64> = curves
        .iter()
        .flat_map(|(_, points)| points)
        .map(|point| point.x)
        .collect();
    let low = edges.iter().copied().fold(f64::INFINITY, f64::min);
    let width = bin_width(curves)?;
    let high = edges.iter().copied().fold(f64::NEG_INFINITY, f64::max) + width;
    let domain = if lookup.is_regression() {
        (low, high)
    } else {
        (0.0, 1.0)
    };
    let (title, what) = if lookup.is_regression() {
        ("Predictions", "prediction")
    } else {
        ("Scores", "score")
    };
    let axis = Axis {
        title: what,
        domain,
        percent: false,
    };
    let series: Vec<Series> = curves
        .iter()
        .map(|(name, points)| self::series(name, points, false))
        .collect();
    let mut plot = histogram::draw(&axis, "share of rows", &series, width);
    if let Some(threshold) = lookup.audit.scope.threshold.filter(|_| lookup.is_binary()) {
        plot::mark_threshold(&mut plot, domain, threshold, format!("threshold {threshold}"));
    }
    let says = format!("Share of rows in each bin of the {what}.");
    Some(figure(
        ("scores", slug),
        format!("{title}{of}"),
        &says,
        plot,
        (&format!("{what} from"), "share of rows"),
        curves,
    ))
}

/// The narrowest distance between two edges.
fn bin_width(curves: &[(String, Vec<&CurvePoint>)]) -> Option<f64> {
    let gaps = curves
        .iter()
        .flat_map(|(_, points)| points.windows(2).map(|pair| pair[1].x - pair[0].x));
    gaps.filter(|gap| *gap > 0.0).min_by(f64::total_cmp)
}

fn figure(
    (kind, slug): (&str, &str),
    title: String,
    says: &str,
    plot: Plot,
    (x, y): (&str, &str),
    curves: &[(String, Vec<&CurvePoint>)],
) -> Figure {
    let names = curves
        .iter()
        .map(|(name, _)| label::shorten(name, 60))
        .collect::<Vec<_>>()
        .join(", ");
    Figure {
        id: format!("fig-{kind}-{slug}"),
        template: "charts/plot.svg",
        table: numbers(&format!("Numbers of: {title}"), kind, x, y, curves),
        title,
        desc: format!("{says} Drawn for: {names}."),
        note: Some(says.to_owned()),
        wide: false,
        chart: Chart::Plot(Box::new(plot)),
    }
}

/// One row for each place on the x axis, one column for each curve.
fn numbers(caption: &str, kind: &str, x: &str, y: &str, curves: &[(String, Vec<&CurvePoint>)]) -> Table {
    let mut table = Table::new(caption, &[&format!("{y} at {x}")]);
    table.columns.extend(
        curves
            .iter()
            .map(|(name, _)| Column::new(label::shorten(name, 40), true)),
    );
    if matches!(kind, "roc" | "pr") {
        for tenth in 0..=10 {
            let at = f64::from(tenth) / 10.0;
            let cell = |(_, points): &(String, Vec<&CurvePoint>)| read_off(points, at).map_or(Cell::none(), share_cell);
            table.push(
                Label::fit(&number::with_unit(Unit::Share, at), 20),
                curves.iter().map(cell).collect(),
            );
        }
        return table;
    }
    let is_calibration = kind == "calibration";
    let key = |point: &CurvePoint| {
        if is_calibration {
            (10.0 * point.x).floor().clamp(0.0, 9.0)
        } else {
            point.x
        }
    };
    let mut places: Vec<f64> = curves
        .iter()
        .flat_map(|(_, points)| points.iter().map(|point| key(point)))
        .collect();
    places.sort_by(f64::total_cmp);
    places.dedup();
    for place in plot::thin(&places, 20) {
        let head = if is_calibration {
            score_bin(place)
        } else {
            number::significant(place, 4)
        };
        let cell = |(_, points): &(String, Vec<&CurvePoint>)| {
            points
                .iter()
                .find(|point| key(point) == place)
                .map_or(Cell::none(), |point| point_cell(point, is_calibration))
        };
        table.push(Label::fit(&head, 30), curves.iter().map(cell).collect());
    }
    table.shown = words::shown(table.rows.len(), places.len(), "bins", "evenly taken");
    table
}

/// "0.1–0.2" for the second tenth.
fn score_bin(tenth: f64) -> String {
    format!("{:.1}–{:.1}", tenth / 10.0, (tenth + 1.0) / 10.0)
}

fn share_cell(share: f64) -> Cell {
    Cell::number(number::with_unit(Unit::Share, share))
}

fn point_cell(point: &CurvePoint, with_n: bool) -> Cell {
    let interval = point
        .ci_low
        .zip(point.ci_high)
        .map(|(low, high)| number::range(Unit::Share, low, high));
    let n = (with_n && point.n > 0).then(|| format!("n\u{a0}=\u{a0}{}", number::count(point.n)));
    share_cell(point.y).with_sub([interval, n].into_iter().flatten().reduce(|a, b| format!("{a}, {b}")))
}

/// The curve's height at `x`, straight between its points; `None` outside of them.
fn read_off(points: &[&CurvePoint], x: f64) -> Option<f64> {
    let mut sorted: Vec<(f64, f64)> = points.iter().map(|point| (point.x, point.y)).collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let after = sorted.iter().position(|point| point.0 >= x - 1e-12)?;
    let (right, left) = (sorted[after], sorted[after.saturating_sub(1)]);
    if after == 0 || right.0 <= left.0 {
        return ((right.0 - x).abs() < 1e-9).then_some(right.1);
    }
    let share = ((x - left.0) / (right.0 - left.0)).min(1.0);
    Some(left.1 + share * (right.1 - left.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(x: f64, y: f64) -> CurvePoint {
        let (kind, feature, group_value, output) = Default::default();
        CurvePoint {
            kind,
            feature,
            group_value,
            output,
            x,
            y,
            n: 1,
            ci_low: None,
            ci_high: None,
        }
    }

    #[test]
    fn a_curve_is_read_off_between_its_points_and_not_beyond() {
        let points = [point(0.0, 0.0), point(0.5, 1.0), point(0.8, 1.0)];
        let points: Vec<&CurvePoint> = points.iter().collect();
        assert_eq!(read_off(&points, 0.0), Some(0.0));
        assert_eq!(read_off(&points, 0.25), Some(0.5));
        assert_eq!(read_off(&points, 0.8), Some(1.0));
        assert_eq!(read_off(&points, 0.9), None);
        assert_eq!(read_off(&[], 0.5), None);
    }

    #[test]
    fn calibration_bins_are_tenths_of_the_score() {
        assert_eq!(score_bin(1.0), "0.1–0.2");
    }
}
