//! Sparklines: one small line chart a number, over nights that all rows share.

use crate::report::label::{self, Label};
use crate::report::number::{Px, px};
use crate::report::scale::{Scale, Tick};
use serde::Serialize;
use std::fmt::Write;

const LEFT: f64 = 8.0;
/// Room for the limit's number at the right.
const RIGHT: f64 = super::HALF - 92.0;
const PITCH: f64 = 70.0;
/// Top and bottom of the lines, from the top of a row.
const TOP: f64 = 25.0;
const BOTTOM: f64 = 57.0;
const FOOT: f64 = 24.0;
/// Half the size of a mark.
const MARK: f64 = 3.6;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sparks {
    pub width: Px,
    pub height: Px,
    pub left: Px,
    pub right: Px,
    pub text_right: Px,
    pub rows: Vec<SparkRow>,
    /// The first and the last night.
    pub ends: Vec<Tick>,
    pub ends_y: Px,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SparkRow {
    pub label: Label,
    pub text_y: Px,
    /// "pass", "fail", "warn", "insufficient" or "none" of the latest night, and its words.
    pub class: &'static str,
    pub text: String,
    /// A line under points that have no value.
    pub track: Option<Px>,
    /// One path a stretch of nights with values.
    pub lines: Vec<String>,
    pub whiskers: String,
    pub limit: Option<LimitMark>,
    pub marks: Vec<NightMark>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LimitMark {
    pub y: Px,
    pub text_x: Px,
    pub text_y: Px,
    pub text: String,
}

/// Nights that did not pass, each with a shape of its own, and the latest one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NightMark {
    pub class: &'static str,
    pub d: String,
    /// Drawn as an outline: a cross or a ring; filled otherwise.
    pub open: bool,
    pub title: String,
}

/// One number over the nights.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Spark {
    pub name: String,
    pub class: &'static str,
    /// The latest value in words.
    pub text: String,
    /// Where a limit stands, and its words.
    pub limit: Option<(f64, String)>,
    pub points: Vec<Point>,
    /// No values, only whether each night passed.
    pub marks_only: bool,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Point {
    /// Days since any day.
    pub day: f64,
    pub value: Option<f64>,
    pub interval: Option<(f64, f64)>,
    pub class: &'static str,
    pub title: String,
}

/// Rows in the order given; all share the days from `first` to `last`, whose texts stand at the foot.
pub fn draw(sparks: &[Spark], first: (f64, &str), last: (f64, &str)) -> Sparks {
    let days = Scale::new((first.0, last.0), (LEFT, RIGHT));
    let height = PITCH * sparks.len() as f64;
    let end = |(day, text): (f64, &str)| Tick { at: days.px(day), text: text.to_owned(), zero: false };
    Sparks {
        width: Px(super::HALF),
        height: Px(height + FOOT),
        left: Px(LEFT),
        right: Px(RIGHT),
        text_right: Px(super::HALF - 2.0),
        rows: sparks.iter().enumerate().map(|(at, spark)| row(spark, PITCH * at as f64, &days)).collect(),
        ends: if first.0 < last.0 { vec![end(first), end(last)] } else { vec![end(last)] },
        ends_y: Px(height + 8.0),
    }
}

fn row(spark: &Spark, top: f64, days: &Scale) -> SparkRow {
    let (high, low) = (top + TOP, top + BOTTOM);
    let middle = (high + low) / 2.0;
    let scale = scale(spark, (low, high));
    let y = |value: f64| if spark.marks_only { middle } else { scale.at(value) };
    let room = super::HALF - 14.0 - label::width(&spark.text, super::TEXT);
    SparkRow {
        label: Label::within(&spark.name, room, super::TEXT),
        text_y: Px(top + 14.0),
        class: spark.class,
        text: spark.text.clone(),
        track: spark.marks_only.then_some(Px(middle)),
        lines: if spark.marks_only { Vec::new() } else { lines(spark, days, &scale) },
        whiskers: whiskers(spark, days, &scale),
        limit: spark.limit.as_ref().map(|(limit, text)| LimitMark {
            y: scale.px(*limit),
            text_x: Px(RIGHT + 14.0),
            text_y: Px(scale.at(*limit) + 4.0),
            text: text.clone(),
        }),
        marks: marks(spark, days, |value| value.map_or(middle, y)),
    }
}

/// Everything drawn, limit and intervals included; a flat line stands in the middle.
fn scale(spark: &Spark, range: (f64, f64)) -> Scale {
    let ends = spark.points.iter().flat_map(|point| {
        let interval = point.interval.map(|(low, high)| [low, high]);
        point.value.into_iter().chain(interval.into_iter().flatten())
    });
    let all = ends.chain(spark.limit.iter().map(|limit| limit.0)).filter(|value| value.is_finite());
    let (low, high) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    let half = 0.5 * low.abs().max(1e-3);
    Scale::new(if high > low { (low, high) } else { (low - half, low + half) }, range)
}

fn lines(spark: &Spark, days: &Scale, scale: &Scale) -> Vec<String> {
    let is_drawn = |point: &Point| point.value.is_some_and(f64::is_finite);
    let stretches = spark.points.chunk_by(|a, b| is_drawn(a) && is_drawn(b)).filter(|stretch| is_drawn(&stretch[0]));
    let line = |stretch: &[Point]| {
        let mut d = String::new();
        for (at, point) in stretch.iter().enumerate() {
            let (x, y) = (days.at(point.day), scale.at(point.value.unwrap_or(f64::NAN)));
            let _ = write!(d, "{}{} {}", if at == 0 { 'M' } else { 'L' }, px(x), px(y));
        }
        d
    };
    stretches.map(line).collect()
}

fn whiskers(spark: &Spark, days: &Scale, scale: &Scale) -> String {
    let mut d = String::new();
    for point in &spark.points {
        if let Some((low, high)) = point.interval {
            let _ = write!(d, "M{} {}V{}", px(days.at(point.day)), px(scale.at(low)), px(scale.at(high)));
        }
    }
    d
}

fn marks(spark: &Spark, days: &Scale, y: impl Fn(Option<f64>) -> f64) -> Vec<NightMark> {
    let last = spark.points.len().saturating_sub(1);
    let is_marked = |(at, point): &(usize, &Point)| {
        *at == last || spark.marks_only || matches!(point.class, "fail" | "warn" | "insufficient")
    };
    let mark = |(_, point): (usize, &Point)| {
        let (d, open) = shape(point.class, days.at(point.day), y(point.value.filter(|value| value.is_finite())));
        NightMark { class: point.class, d, open, title: point.title.clone() }
    };
    spark.points.iter().enumerate().filter(is_marked).map(mark).collect()
}

/// A cross for a failure, a triangle for a warning, a ring for what is undecided, a dot for the rest.
fn shape(class: &str, x: f64, y: f64) -> (String, bool) {
    let (size, double) = (px(MARK), px(2.0 * MARK));
    match class {
        "fail" => (
            format!(
                "M{} {}l{double} {double}M{} {}l{double} -{double}",
                px(x - MARK),
                px(y - MARK),
                px(x - MARK),
                px(y + MARK)
            ),
            true,
        ),
        "warn" => (format!("M{} {}l{size} -{double}l{size} {double}z", px(x - MARK), px(y + MARK)), true),
        "insufficient" => (circle(x, y, MARK), true),
        _ => (circle(x, y, MARK - 0.6), false),
    }
}

fn circle(x: f64, y: f64, radius: f64) -> String {
    let (r, d) = (px(radius), px(2.0 * radius));
    format!("M{} {}a{r} {r} 0 1 0 {d} 0a{r} {r} 0 1 0 -{d} 0z", px(x - radius), px(y))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(day: f64, value: Option<f64>, class: &'static str) -> Point {
        Point { day, value, class, ..Point::default() }
    }

    fn chart(points: Vec<Point>, limit: Option<f64>) -> SparkRow {
        let limit = limit.map(|limit| (limit, "limit".to_owned()));
        let (first, last) = (points[0].day, points[points.len() - 1].day);
        draw(&[Spark { points, limit, ..Spark::default() }], (first, "first"), (last, "last")).rows.remove(0)
    }

    #[test]
    fn a_line_breaks_where_a_night_has_no_value() {
        let points = [Some(1.0), Some(2.0), None, Some(1.0)];
        let points = points.iter().zip(0..).map(|(value, day)| point(f64::from(day), *value, "pass")).collect();
        let row = chart(points, None);
        assert_eq!(row.lines, ["M8 57L121.3 25", "M348 57"]);
    }

    #[test]
    fn nights_stand_where_their_days_are() {
        let points = vec![point(0.0, Some(1.0), "fail"), point(1.0, Some(1.0), "fail"), point(10.0, Some(1.0), "pass")];
        let row = chart(points, None);
        assert!(row.marks[1].d.starts_with("M38.4 "), "{}", row.marks[1].d);
        assert_eq!(row.lines, ["M8 41L42 41L348 41"]);
    }

    #[test]
    fn what_did_not_pass_has_a_shape_of_its_own() {
        let classes = ["fail", "warn", "insufficient", "pass", "pass"];
        let points = classes.iter().zip(0..).map(|(class, day)| point(f64::from(day), Some(1.0), class)).collect();
        let marks = chart(points, None).marks;
        assert_eq!(marks.iter().map(|mark| mark.class).collect::<Vec<_>>(), ["fail", "warn", "insufficient", "pass"]);
        assert_eq!(marks.iter().map(|mark| mark.open).collect::<Vec<_>>(), [true, true, true, false]);
        let shapes: std::collections::BTreeSet<String> =
            marks.iter().map(|mark| mark.d.chars().filter(char::is_ascii_alphabetic).collect()).collect();
        assert_eq!(shapes.len(), 3, "cross, triangle, circles");
    }

    #[test]
    fn a_limit_is_on_the_chart_even_far_from_the_values() {
        let row = chart(vec![point(0.0, Some(1.0), "pass"), point(1.0, Some(1.1), "pass")], Some(9.0));
        let y = row.limit.unwrap().y.0;
        assert!((TOP..=BOTTOM).contains(&y));
    }

    #[test]
    fn one_night_and_values_that_are_no_numbers_give_finite_marks() {
        for value in [None, Some(f64::NAN), Some(f64::INFINITY), Some(3.0)] {
            let row = chart(vec![point(5.0, value, "fail")], None);
            assert_eq!(row.marks.len(), 1);
            assert!(!row.marks[0].d.contains("NaN") && !row.marks[0].d.contains("inf"), "{:?}", row.marks);
        }
    }
}
