//! How the score depends on single columns and on pairs of them: partial dependence, local effects, single rows.

use super::drivers::has_order;
use super::surfaces;
use crate::audit::CurvePoint;
use crate::report::charts::dots::{self, Dot};
use crate::report::charts::plot::{self, Axis, Cloud, Series};
use crate::report::charts::{Chart, Figure};
use crate::report::label::{self, Label};
use crate::report::lookup::Lookup;
use crate::report::number;
use crate::report::scale::Scale;
use crate::report::table::{Cell, Table};
use crate::report::text::say;
use crate::report::view::{Part, Section};
use std::collections::BTreeSet;

/// Columns with figures of their own; curves of all stand in the catalogue.
const MAX_FEATURES: usize = 6;
const MAX_CATEGORIES: usize = 15;
/// Points of a curve that its table lists.
const MAX_LISTED: usize = 12;

/// Kinds of curves with figures of their own.
const PARTIAL: &str = "pdp";
const LOCAL: &str = "ale";

/// A kind and its points.
type Curve<'a> = (&'static str, Vec<&'a CurvePoint>);

pub fn section(lookup: &Lookup) -> Option<Section> {
    let features = features(lookup);
    let of = |(at, feature): (usize, &&str)| {
        let curves = [PARTIAL, LOCAL].map(|kind| (kind, lookup.curves_of(kind, feature)));
        let curves: Vec<Curve> = curves.into_iter().filter(|(_, points)| points.len() > 1).collect();
        let figure = match has_order(lookup, feature) {
            true => along_numbers(lookup, feature, &curves),
            false => of_categories(feature, &curves),
        };
        let rows = if has_order(lookup, feature) { single_rows(lookup, at, feature) } else { None };
        figure.map(|figure| Figure { id: format!("fig-effect-{at}"), ..figure }).into_iter().chain(rows)
    };
    let mut figures: Vec<Figure> = features.iter().take(MAX_FEATURES).enumerate().flat_map(of).collect();
    figures.extend(surfaces::figures(lookup));
    let left = features.len().saturating_sub(MAX_FEATURES);
    let more = (left > 0).then(|| say!("effects.more", of = MAX_FEATURES, n = left));
    let sentences = of_class(lookup).into_iter().chain(more).collect();
    let part = Part { sentences, figures, ..Part::default() };
    let part = (!part.figures.is_empty()).then_some(part)?;
    Some(Section::of("effects", say!("effects.title"), vec![part])?.with_lede(say!("effects.lede")))
}

/// Whose score is drawn, where there are several.
fn of_class(lookup: &Lookup) -> Option<String> {
    let drawn = |point: &&CurvePoint| matches!(point.kind.as_str(), PARTIAL | LOCAL | "ice_centred");
    let point = lookup.audit.curves.iter().find(drawn).filter(|_| lookup.is_multiclass())?;
    Some(say!("effects.of_class", class = label::shorten(&point.output, 60)))
}

fn words(kind: &str) -> String {
    if kind == PARTIAL { say!("dependence.pdp") } else { say!("dependence.ale") }
}

/// Columns with curves: by importance, then in the order of the audit.
fn features<'a>(lookup: &Lookup<'a>) -> Vec<&'a str> {
    let drawn = |point: &&CurvePoint| matches!(point.kind.as_str(), PARTIAL | LOCAL | "ice_centred");
    let mut seen = BTreeSet::new();
    let known: Vec<&str> = lookup.audit.curves.iter().filter(drawn).map(|point| point.feature.as_str()).collect();
    let known: Vec<&str> = known.into_iter().filter(|feature| seen.insert(*feature)).collect();
    let output = lookup.audit.scope.positive.as_deref().or(lookup.audit.scope.outputs.first().map(String::as_str));
    let important = ["attribution", "permutation"]
        .iter()
        .map(|method| lookup.importance(method, output.unwrap_or_default()))
        .find(|found| !found.is_empty())
        .unwrap_or_default();
    let rank = |feature: &str| important.iter().position(|i| i.feature == feature).unwrap_or(usize::MAX);
    let mut ordered = known;
    ordered.sort_by_key(|feature| rank(feature));
    ordered
}

/// The score itself, or its difference from the mean where a curve of differences stands beside it.
fn heights(curves: &[Curve]) -> (String, Vec<f64>) {
    let has_differences = curves.iter().any(|(kind, _)| *kind == LOCAL);
    let shift = |(kind, points): &Curve| match *kind == PARTIAL && has_differences {
        true => points.iter().map(|point| point.y).sum::<f64>() / points.len() as f64,
        false => 0.0,
    };
    let title = if has_differences { say!("axis.effect") } else { say!("axis.mean_score") };
    (title, curves.iter().map(shift).collect())
}

fn along_numbers(lookup: &Lookup, feature: &str, curves: &[Curve]) -> Option<Figure> {
    let (title, shifts) = heights(curves);
    let all = || curves.iter().zip(&shifts).flat_map(|((_, points), shift)| points.iter().map(move |p| (p, shift)));
    all().next()?;
    let domain = |values: Vec<f64>| Scale::around(values, &[], (0.0, 1.0)).domain;
    let x = Axis { title: feature, domain: domain(all().map(|(p, _)| p.x).collect()), percent: false };
    let series = |((kind, points), shift): (&Curve, &f64)| Series {
        name: words(kind),
        points: points.iter().map(|p| (p.x, p.y - shift)).collect(),
        intervals: match points.len() > 2 * MAX_LISTED {
            // So many pieces that whiskers would hide the line.
            true => Vec::new(),
            false => points.iter().map(|p| p.ci_low.zip(p.ci_high).map(|(a, b)| (a - shift, b - shift))).collect(),
        },
        ..Series::default()
    };
    let drawn: Vec<Series> = curves.iter().zip(&shifts).map(series).collect();
    let ends = drawn.iter().flat_map(|s| &s.intervals).flatten().flat_map(|(low, high)| [*low, *high]);
    let heights = drawn.iter().flat_map(|s| &s.points).map(|point| point.1).chain(ends).collect();
    let y = Axis { title: &title, domain: domain(heights), percent: false };
    let plot = plot::lines(&x, &y, &drawn);
    let name = label::shorten(feature, 60);
    let mut table = Table::new(
        say!("dependence.effect_table", name = &name),
        &[say!("column.curve"), label::shorten(feature, 30), say!("column.effect")],
    );
    for ((kind, points), shift) in curves.iter().zip(&shifts) {
        for p in plot::thin(points, MAX_LISTED) {
            let cells = [number::compact(p.x), number::significant(p.y - shift, 3)].map(Cell::number);
            table.push(Label::fit(&words(kind), 40), cells.into());
        }
    }
    let missing = lookup.curve("pdp_missing", feature, "");
    let missing = missing.first().map(|p| say!("effects.missing", score = number::significant(p.y, 3)));
    let both = (curves.len() > 1).then(|| say!("effects.around_zero"));
    let notes = [Some(say!("effects.whiskers")), both, missing];
    Some(Figure {
        id: String::new(),
        template: "charts/plot.svg",
        title: say!("dependence.effect", name = &name),
        desc: say!("dependence.effect_desc", name = &name),
        note: Some(notes.into_iter().flatten().collect::<Vec<_>>().join(" ")),
        wide: false,
        chart: Chart::Plot(Box::new(plot)),
        table,
    })
}

/// One dot a category, of the first curve there is.
fn of_categories(feature: &str, curves: &[Curve]) -> Option<Figure> {
    let (kind, points) = curves.first()?;
    let name = label::shorten(feature, 60);
    let mut largest: Vec<&&CurvePoint> = points.iter().collect();
    largest.sort_by(|a, b| b.y.total_cmp(&a.y));
    let category = |p: &CurvePoint| if p.group_value.is_empty() { number::compact(p.x) } else { p.group_value.clone() };
    let dot = |p: &&&CurvePoint| Dot {
        name: category(p),
        value: Some(p.y),
        interval: p.ci_low.zip(p.ci_high),
        text: number::significant(p.y, 3),
        hollow: false,
    };
    let shown: Vec<Dot> = plot::thin(&largest, MAX_CATEGORIES).iter().map(dot).collect();
    let mut table =
        Table::new(say!("dependence.effect_table", name = &name), &[label::shorten(feature, 30), say!("column.score")]);
    for p in plot::thin(&largest, 4 * MAX_CATEGORIES) {
        table.push(Label::fit(&category(p), 40), vec![Cell::number(number::significant(p.y, 3))]);
    }
    let (all, drawn) = (points.len(), shown.len());
    let left_out = (all > drawn).then(|| say!("effects.categories", n = drawn, of = all));
    let words = words(kind);
    Some(Figure {
        id: String::new(),
        template: "charts/dots.svg",
        title: say!("dependence.effect", name = &name),
        desc: say!("effects.by_category", kind = &words, name = &name),
        note: Some([Some(say!("effects.whiskers")), left_out].into_iter().flatten().collect::<Vec<_>>().join(" ")),
        wide: false,
        chart: Chart::Dots(dots::values(&shown, &words, None, false)),
        table,
    })
}

/// Centred curves of single rows, and their mean.
fn single_rows(lookup: &Lookup, at: usize, feature: &str) -> Option<Figure> {
    let points = lookup.curves_of("ice_centred", feature);
    let rows: Vec<Vec<(f64, f64)>> = points
        .chunk_by(|a, b| a.group_value == b.group_value)
        .map(|row| row.iter().map(|p| (p.x, p.y)).filter(|p| p.0.is_finite() && p.1.is_finite()).collect())
        .collect();
    let first = rows.first().filter(|row| row.len() > 1)?;
    let rows: Vec<&Vec<(f64, f64)>> = rows.iter().filter(|row| row.len() == first.len()).collect();
    let mean = |place: usize| rows.iter().map(|row| row[place].1).sum::<f64>() / rows.len() as f64;
    let mean: Vec<(f64, f64)> = first.iter().enumerate().map(|(place, (x, _))| (*x, mean(place))).collect();
    let domain = |values: Vec<f64>| Scale::around(values, &[], (0.0, 1.0)).domain;
    let all = || rows.iter().flat_map(|row| row.iter());
    let x = Axis { title: feature, domain: domain(first.iter().map(|p| p.0).collect()), percent: false };
    let title = say!("effects.change");
    let y = Axis { title: &title, domain: domain(all().map(|p| p.1).collect()), percent: false };
    let (mut plot, x_scale, y_scale) = plot::frame(&x, &y, 300.0);
    let strands = rows.iter().map(|row| row.iter().map(|p| (x_scale.at(p.0), y_scale.at(p.1))));
    plot.clouds.push(Cloud { class: "strands".into(), d: plot::strands(strands) });
    plot.lines = plot::lines_on(&[Series { points: mean.clone(), ..Series::default() }], &x_scale, &y_scale);
    let name = label::shorten(feature, 60);
    let heads = [say!("effects.mean_change"), say!("effects.least_change"), say!("effects.largest_change")];
    let heads: Vec<String> = std::iter::once(label::shorten(feature, 30)).chain(heads).collect();
    let mut table = Table::new(say!("effects.rows_table", name = &name), &heads);
    for place in plot::thin(&(0..mean.len()).collect::<Vec<_>>(), MAX_LISTED) {
        let of_rows = || rows.iter().map(|row| row[place].1);
        let ends = [of_rows().fold(f64::INFINITY, f64::min), of_rows().fold(f64::NEG_INFINITY, f64::max)];
        let cells = [mean[place].1, ends[0], ends[1]].map(|y| Cell::number(number::significant(y, 3)));
        table.push(Label::fit(&number::compact(mean[place].0), 30), cells.into());
    }
    Some(Figure {
        id: format!("fig-rows-{at}"),
        template: "charts/plot.svg",
        title: say!("effects.rows", name = &name),
        desc: say!("effects.rows_desc", n = rows.len(), name = &name),
        note: Some(say!("effects.rows_note")),
        wide: false,
        chart: Chart::Plot(Box::new(plot)),
        table,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Audit;
    use crate::report::example;

    /// Partial dependence of age on one output: 0.5 with whiskers of 0.3.
    fn audit(mut audit: Audit, output: &str) -> Audit {
        let roc = example::binary().curves[0].clone();
        let point = |x: f64| CurvePoint {
            kind: PARTIAL.into(),
            feature: "age".into(),
            output: output.into(),
            ci_low: Some(0.2),
            ci_high: Some(0.8),
            x,
            y: 0.5,
            ..roc.clone()
        };
        audit.curves.extend([20.0, 40.0].map(point));
        audit
    }

    #[test]
    fn whiskers_end_inside_the_plot() {
        let audit = audit(example::binary(), ">50K");
        let part = section(&Lookup::new(&audit)).unwrap().parts.remove(0);
        let Chart::Plot(plot) = &part.figures[0].chart else { panic!("no plot") };
        let ticks: Vec<f64> = plot.y_ticks.iter().filter_map(|tick| tick.text.parse().ok()).collect();
        assert_eq!((ticks[0], ticks[ticks.len() - 1]), (0.2, 0.8));
        assert!(part.sentences.is_empty());
    }

    #[test]
    fn of_several_classes_the_one_that_is_drawn_is_named() {
        let audit = audit(example::multiclass(), "green");
        let part = section(&Lookup::new(&audit)).unwrap().parts.remove(0);
        assert_eq!(part.sentences, ["The score is that of class green; curves of all classes are stored."]);
    }
}
