//! Curves over scores and thresholds: ROC, precision–recall, calibration, score histograms.

use crate::audit::CurvePoint;
use crate::report::charts::plot::{self, Axis, Plot, Series};
use crate::report::charts::{Chart, Figure, histogram};
use crate::report::label::{self, Label};
use crate::report::lookup::{self, Lookup};
use crate::report::number::{self, Unit};
use crate::report::table::{Cell, Column, Table};
use crate::report::text::say;
use crate::report::words;

/// Most curves in one plot: what six colours and dashes can tell apart.
pub const MAX_CURVES: usize = 5;

/// Width of a bin of calibration.
const BIN: f64 = 0.1;

/// Curves with their names.
type Named<'a> = Vec<(String, Vec<&'a CurvePoint>)>;

/// ROC, precision–recall, calibration and score curves of `groups`, as far as the audit has them. `slug` makes ids. Of
/// several classes, those of the class that is told worst.
pub fn of_groups(lookup: &Lookup, attribute: &str, groups: &[&str], slug: &str) -> Vec<Figure> {
    let class = worst_classes(lookup).into_iter().next();
    let curve = |kind: &str, group: &str| match class {
        Some(class) => lookup.curve_of(kind, attribute, group, class),
        None => lookup.curve(kind, attribute, group),
    };
    let of = |kind: &str| -> Named {
        let named = groups.iter().map(|group| (curve_name(attribute, group), curve(kind, group)));
        named.filter(|(_, points)| !points.is_empty()).collect()
    };
    let by = (!attribute.is_empty()).then(|| match class {
        Some(class) => say!("curves.of_class", attribute = label::attribute(attribute), class = class),
        None => label::attribute(attribute),
    });
    drawn(lookup, of, slug, by.as_deref())
}

/// The same of single classes against all others, those that are told worst (multiclass).
pub fn of_classes(lookup: &Lookup) -> Vec<Figure> {
    let all = worst_classes(lookup);
    let shown = &all[..all.len().min(MAX_CURVES)];
    let of = |kind: &str| -> Named {
        let named = shown.iter().map(|class| (label::shorten(class, 60), lookup.curve_of(kind, "", "", class)));
        named.filter(|(_, points)| !points.is_empty()).collect()
    };
    let note = words::shown_of("classes_worst", shown.len(), all.len());
    let figures = drawn(lookup, of, "classes", Some(&say!("curves.class"))).into_iter();
    let noted = |figure: Figure| {
        let note = [figure.note.clone(), note.clone()].into_iter().flatten().reduce(|a, b| format!("{a} {b}"));
        Figure { note, ..figure }
    };
    figures.map(noted).collect()
}

/// Classes by their ROC AUC against all others, the lowest first; none but for several classes.
fn worst_classes<'a>(lookup: &Lookup<'a>) -> Vec<&'a str> {
    if !lookup.is_multiclass() {
        return Vec::new();
    }
    let auc = |class: &str| lookup.metric_of_output("roc_auc", "", "", class).and_then(|metric| metric.value);
    let mut classes: Vec<&str> = lookup.audit.scope.outputs.iter().map(String::as_str).collect();
    classes.sort_by(|a, b| auc(a).unwrap_or(f64::INFINITY).total_cmp(&auc(b).unwrap_or(f64::INFINITY)));
    classes
}

fn drawn<'a>(lookup: &Lookup<'a>, of: impl Fn(&str) -> Named<'a>, slug: &str, by: Option<&str>) -> Vec<Figure> {
    let figures = [
        xy(lookup, "roc", &of("roc"), slug, by),
        xy(lookup, "pr", &of("pr"), slug, by),
        xy(lookup, "calibration", &of("calibration"), slug, by),
        scores(lookup, &of("score_histogram"), slug, by),
    ];
    figures.into_iter().flatten().collect()
}

fn curve_name(attribute: &str, group: &str) -> String {
    if group.is_empty() { say!("curves.all_rows") } else { lookup::name(attribute, group) }
}

/// Words of one kind of curve: title, what it shows, axes.
struct Kind {
    title: String,
    says: String,
    x: String,
    y: String,
    diagonal: bool,
}

fn kind(name: &str) -> Kind {
    match name {
        "roc" => Kind {
            title: say!("curves.roc"),
            says: say!("curves.roc_says"),
            x: say!("curves.fpr"),
            y: say!("curves.tpr"),
            diagonal: true,
        },
        "pr" => Kind {
            title: say!("curves.pr"),
            says: say!("curves.pr_says"),
            x: say!("curves.recall"),
            y: say!("curves.precision"),
            diagonal: false,
        },
        _ => Kind {
            title: say!("curves.calibration"),
            says: say!("curves.calibration_says"),
            x: say!("curves.bin"),
            y: say!("curves.observed"),
            diagonal: true,
        },
    }
}

fn xy(
    lookup: &Lookup,
    name: &str,
    curves: &[(String, Vec<&CurvePoint>)],
    slug: &str,
    by: Option<&str>,
) -> Option<Figure> {
    if curves.is_empty() || lookup.is_regression() {
        return None;
    }
    let kind = kind(name);
    let is_calibration = name == "calibration";
    let axis = |title| Axis { title, domain: (0.0, 1.0), percent: true };
    let least = if is_calibration { lookup.audit.scope.min_group_rows } else { 0 };
    let series: Vec<Series> = curves
        .iter()
        .map(|(group, points)| self::series(group, &with_rows(points, least), is_calibration))
        .map(|s| if is_calibration { broken(s) } else { s })
        .collect();
    let leaves_out = curves.iter().any(|(_, points)| with_rows(points, least).len() < points.len());
    let mut plot = plot::lines(&axis(&kind.x), &axis(&kind.y), &series);
    plot.diagonal = kind.diagonal;
    let says = match leaves_out {
        true => say!("curves.with_small_bins", says = kind.says, n = least),
        false => kind.says,
    };
    Some(figure((name, slug), titled(kind.title, by), &says, plot, (&kind.x, &kind.y), curves))
}

fn titled(title: String, by: Option<&str>) -> String {
    by.map_or_else(|| title.clone(), |attribute| say!("curves.by", title = &title, attribute = attribute))
}

fn with_rows<'a>(points: &[&'a CurvePoint], least: u64) -> Vec<&'a CurvePoint> {
    points.iter().copied().filter(|point| point.n >= least).collect()
}

fn series(name: &str, points: &[&CurvePoint], with_dots: bool) -> Series {
    Series {
        name: name.to_owned(),
        points: points.iter().map(|p| (p.x, p.y)).collect(),
        intervals: if with_dots { points.iter().map(|p| p.ci_low.zip(p.ci_high)).collect() } else { Vec::new() },
        with_dots,
        ..Series::default()
    }
}

/// A line that breaks where bins are missing between two others: it would cross scores that hardly any row has.
fn broken(series: Series) -> Series {
    let mut broken = Series { points: Vec::new(), intervals: Vec::new(), ..series.clone() };
    let mut last = f64::NEG_INFINITY;
    for (at, (x, y)) in series.points.iter().enumerate() {
        if x - last > 2.0 * BIN && last.is_finite() {
            broken.points.push((last + BIN, f64::NAN));
            broken.intervals.push(None);
        }
        broken.points.push((*x, *y));
        broken.intervals.push(series.intervals.get(at).copied().flatten());
        last = *x;
    }
    broken
}

fn scores(lookup: &Lookup, curves: &[(String, Vec<&CurvePoint>)], slug: &str, by: Option<&str>) -> Option<Figure> {
    let (low, high) = extent(curves)?;
    let width = bin_width(curves)?;
    let domain = if lookup.is_regression() { (low, high) } else { (0.0, 1.0) };
    let (title, what) = match lookup.is_regression() {
        true => (say!("curves.predictions"), say!("axis.prediction")),
        false => (say!("curves.scores"), say!("axis.plain_score")),
    };
    let share_of_rows = say!("axis.share_of_rows");
    let axis = Axis { title: &what, domain, percent: false };
    let series: Vec<Series> = curves.iter().map(|(name, points)| self::series(name, points, false)).collect();
    let mut plot = histogram::draw(&axis, &share_of_rows, &series, width);
    if let Some(threshold) = lookup.audit.scope.threshold.filter(|_| lookup.is_binary()) {
        plot::mark_threshold(&mut plot, domain, threshold, say!("curves.threshold", threshold = threshold.to_string()));
    }
    let says = say!("curves.scores_says", what = &what);
    Some(figure(("scores", slug), titled(title, by), &says, plot, (&what, &share_of_rows), curves))
}

/// From the lower end of the first bin to the upper end of the last.
fn extent(curves: &[(String, Vec<&CurvePoint>)]) -> Option<(f64, f64)> {
    let half = bin_width(curves)? / 2.0;
    let middles = || curves.iter().flat_map(|(_, points)| points).map(|point| point.x);
    Some((middles().min_by(f64::total_cmp)? - half, middles().max_by(f64::total_cmp)? + half))
}

/// The narrowest distance between the middles of two bins.
fn bin_width(curves: &[(String, Vec<&CurvePoint>)]) -> Option<f64> {
    let gaps = curves.iter().flat_map(|(_, points)| points.windows(2).map(|pair| pair[1].x - pair[0].x));
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
    let names = curves.iter().map(|(name, _)| label::shorten(name, 60)).collect::<Vec<_>>().join(", ");
    Figure {
        id: format!("fig-{kind}-{slug}"),
        template: "charts/plot.svg",
        table: numbers(&say!("curves.table", title = &title), kind, x, y, curves),
        title,
        desc: say!("curves.desc", says = says, names = names),
        note: Some(says.to_owned()),
        wide: false,
        chart: Chart::Plot(Box::new(plot)),
    }
}

/// One row for each place on the x axis, one column for each curve.
fn numbers(caption: &str, kind: &str, x: &str, y: &str, curves: &[(String, Vec<&CurvePoint>)]) -> Table {
    let mut table = Table::new(caption, &[say!("curves.at", y = y, x = x)]);
    table.columns.extend(curves.iter().map(|(name, _)| Column::new(label::shorten(name, 40), true)));
    if matches!(kind, "roc" | "pr") {
        for tenth in 0..=10 {
            let at = f64::from(tenth) / 10.0;
            let cell = |(_, points): &(String, Vec<&CurvePoint>)| read_off(points, at).map_or(Cell::none(), share_cell);
            table.push(Label::fit(&number::with_unit(Unit::Share, at), 20), curves.iter().map(cell).collect());
        }
        return table;
    }
    if kind == "scores" {
        share_rows(&mut table, curves);
        return table;
    }
    let tenth = |point: &CurvePoint| (10.0 * point.x).floor().clamp(0.0, 9.0) as u32;
    for bin in 0..10 {
        let cell = |(_, points): &(String, Vec<&CurvePoint>)| {
            points.iter().find(|point| tenth(point) == bin).map_or(Cell::none(), |point| bin_cell(point))
        };
        let cells: Vec<Cell> = curves.iter().map(cell).collect();
        let low = f64::from(bin) / 10.0;
        table.push(Label::fit(&format!("{low:.1}–{:.1}", low + 0.1), 20), cells);
    }
    table
}

/// Shares in ten equal ranges of the score: the drawn bins are too many to read.
fn share_rows(table: &mut Table, curves: &[(String, Vec<&CurvePoint>)]) {
    let Some((low, high)) = extent(curves) else { return };
    let step = (high - low) / 10.0;
    let range = |x: f64| (((x - low) / step) as usize).min(9);
    for at in 0..10 {
        let share = |(_, points): &(String, Vec<&CurvePoint>)| -> f64 {
            points.iter().filter(|point| range(point.x) == at).map(|point| point.y).sum()
        };
        let (from, to) = (low + step * at as f64, low + step * (at + 1) as f64);
        let head = number::fixed_range(from, to, number::decimals_for(step, 1));
        table.push(Label::fit(&head, 40), curves.iter().map(|curve| share_cell(share(curve))).collect());
    }
}

fn share_cell(share: f64) -> Cell {
    Cell::number(number::with_unit(Unit::Share, share))
}

fn bin_cell(point: &CurvePoint) -> Cell {
    let interval = point.ci_low.zip(point.ci_high).map(|(low, high)| number::range(Unit::Share, low, high));
    let n = (point.n > 0).then(|| say!("curves.n", n = point.n));
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
        CurvePoint { kind, feature, group_value, output, x, y, n: 1, ci_low: None, ci_high: None }
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
    fn a_calibration_line_does_not_cross_bins_that_are_missing() {
        let points = vec![(0.02, 0.0), (0.15, 0.1), (0.97, 1.0)];
        let intervals = vec![None, Some((0.0, 0.2)), None];
        let drawn = broken(Series { points, intervals, ..Series::default() });
        assert_eq!(drawn.points.len(), 4);
        assert!(drawn.points[2].1.is_nan() && drawn.intervals[1].is_some() && drawn.intervals[2].is_none());
    }

    #[test]
    fn shares_of_many_bins_are_summed_into_ten_ranges_that_keep_the_total() {
        let points: Vec<CurvePoint> = (0..50).map(|i| point(0.01 + f64::from(i) / 50.0, 0.02)).collect();
        let mut table = Table::default();
        share_rows(&mut table, &[("all".into(), points.iter().collect())]);
        assert_eq!(table.rows.len(), 10);
        assert!(table.rows.iter().all(|row| row.cells[0].text == "10.0\u{a0}%"));
        assert_eq!((table.rows[0].head.text.as_str(), table.rows[9].head.text.as_str()), ("0.0–0.1", "0.9–1.0"));
    }
}
