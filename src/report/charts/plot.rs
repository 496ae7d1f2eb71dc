//! An x–y plot: lines by group, dots, whiskers, a marked threshold. ROC, calibration, sweeps and dependence.

use crate::report::label::{self, Label};
use crate::report::number::{Px, px};
use crate::report::scale::{Scale, Tick};
use serde::Serialize;
use std::fmt::Write;

const TOP: f64 = 14.0;
const LEFT: f64 = 58.0;
const BOTTOM: f64 = 46.0;
const RIGHT: f64 = 22.0;
/// Room for the ticks and the title of an axis at the right.
const RIGHT_AXIS: f64 = 58.0;
/// Most points of one line; more are thinned evenly.
const MAX_POINTS: usize = 200;
/// Most room for a name in the legend.
const MAX_LEGEND: f64 = 210.0;
const LEGEND_LINE: f64 = 17.0;

/// Drawn plot. `lines`, `legend` and classes `s0`…`s5` belong together; dash patterns tell lines apart without colour.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plot {
    pub width: Px,
    pub height: Px,
    pub left: Px,
    pub right: Px,
    pub top: Px,
    pub bottom: Px,
    pub centre_x: Px,
    pub centre_y: Px,
    pub x_text_y: Px,
    pub x_title_y: Px,
    pub y_text_x: Px,
    pub x_title: Label,
    pub y_title: Label,
    pub x_ticks: Vec<Tick>,
    pub y_ticks: Vec<Tick>,
    pub right_axis: Option<RightAxis>,
    /// What a useless or a perfect model would show.
    pub diagonal: bool,
    pub clouds: Vec<Cloud>,
    pub lines: Vec<Line>,
    pub threshold: Option<Mark>,
    pub legend: Vec<Key>,
}

/// The scale of lines that do not share the one at the left.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RightAxis {
    pub title: Label,
    pub title_x: Px,
    pub text_x: Px,
    pub tick_end: Px,
    pub ticks: Vec<Tick>,
}

/// Many dots of one colour as one path.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cloud {
    pub class: String,
    pub d: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    pub class: String,
    pub d: String,
    pub whiskers: Option<String>,
    pub dots: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mark {
    pub x: Px,
    pub text: String,
    pub anchor: &'static str,
    pub text_x: Px,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Key {
    pub class: String,
    pub x: Px,
    pub x_end: Px,
    pub text_x: Px,
    pub y: Px,
    pub text_y: Px,
    pub label: Label,
}

/// One series of `(x, y, interval)`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Series {
    pub name: String,
    /// One that is no number breaks the line.
    pub points: Vec<(f64, f64)>,
    /// Intervals of y, as long as `points` or empty.
    pub intervals: Vec<Option<(f64, f64)>>,
    pub with_dots: bool,
    /// Which of the six colours and dashes; its place among the series where none is given.
    pub tone: Option<usize>,
}

impl Series {
    fn class(&self, at: usize) -> String {
        format!("s{}", self.tone.unwrap_or(at) % 6)
    }
}

/// Where a legend may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Corner {
    TopLeft,
    BottomRight,
    TopRight,
    BottomLeft,
    /// Half-way up, where lines near both ends leave room.
    MiddleRight,
}

/// What an axis says and how its ticks are printed.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis<'a> {
    pub title: &'a str,
    pub domain: (f64, f64),
    pub percent: bool,
}

/// An empty plot with its axes.
pub fn frame(x: &Axis, y: &Axis, height: f64) -> (Plot, Scale, Scale) {
    frame_with(x, y, None, height)
}

/// An empty plot with its axes, and perhaps one at the right.
pub fn frame_with(x: &Axis, y: &Axis, beside: Option<&Axis>, height: f64) -> (Plot, Scale, Scale) {
    let (right, bottom) = (super::HALF - beside.map_or(RIGHT, |_| RIGHT_AXIS), height - BOTTOM);
    let x_scale = Scale::new(x.domain, (LEFT, right));
    let y_scale = Scale::new(y.domain, (bottom, TOP));
    let plot = Plot {
        width: Px(super::HALF),
        height: Px(height),
        left: Px(LEFT),
        right: Px(right),
        top: Px(TOP),
        bottom: Px(bottom),
        centre_x: Px((LEFT + right) / 2.0),
        centre_y: Px((TOP + bottom) / 2.0),
        x_text_y: Px(bottom + 17.0),
        x_title_y: Px(height - 8.0),
        y_text_x: Px(LEFT - 7.0),
        x_title: Label::within(x.title, right - LEFT, super::TEXT),
        y_title: Label::within(y.title, bottom - TOP, super::TEXT),
        x_ticks: if x.percent { x_scale.percent_ticks(5) } else { x_scale.ticks(5) },
        y_ticks: if y.percent { y_scale.percent_ticks(5) } else { y_scale.ticks(5) },
        right_axis: beside.map(|axis| RightAxis {
            title: Label::within(axis.title, bottom - TOP, super::TEXT),
            title_x: Px(super::HALF - 4.0),
            text_x: Px(right + 7.0),
            tick_end: Px(right + 4.0),
            ticks: Scale::new(axis.domain, (bottom, TOP)).ticks(5),
        }),
        diagonal: false,
        clouds: Vec::new(),
        lines: Vec::new(),
        threshold: None,
        legend: Vec::new(),
    };
    (plot, x_scale, y_scale)
}

/// A plot of lines with their legend.
pub fn lines(x: &Axis, y: &Axis, series: &[Series]) -> Plot {
    let (mut plot, x_scale, y_scale) = frame(x, y, 330.0);
    plot.lines = lines_on(series, &x_scale, &y_scale);
    if series.len() > 1 {
        plot.legend = legend(series, &plot, &strokes(series, &x_scale, &y_scale));
    }
    plot
}

/// The lines alone, on scales made before.
pub fn lines_on(series: &[Series], x: &Scale, y: &Scale) -> Vec<Line> {
    series.iter().enumerate().map(|(at, s)| line(s, at, x, y)).collect()
}

/// The vertical line of the threshold in force.
pub fn mark_threshold(plot: &mut Plot, domain: (f64, f64), threshold: f64, text: String) {
    let x = Scale::new(domain, (plot.left.0, plot.right.0)).at(threshold);
    let flips = x + label::width(&text, super::TEXT) + 8.0 > plot.right.0;
    let (anchor, text_x) = if flips { ("end", x - 5.0) } else { ("start", x + 5.0) };
    plot.threshold = Some(Mark { x: Px(x), text, anchor, text_x: Px(text_x) });
}

/// Marks whole numbers along x, at most ten of them, where points are counted.
pub fn count_along_x(plot: &mut Plot, from: usize, to: usize) {
    let scale = Scale::new((from as f64, to as f64), (plot.left.0, plot.right.0));
    let tick = |n: usize| Tick { at: Px(scale.at(n as f64)), text: n.to_string(), zero: false };
    let step = (to + 1).saturating_sub(from).div_ceil(10).max(1);
    plot.x_ticks = (from..=to).step_by(step).map(tick).collect();
}

/// Dots as one path: round line caps of zero-length strokes.
pub fn dots(points: impl IntoIterator<Item = (f64, f64)>) -> String {
    let mut d = String::new();
    for (x, y) in points {
        let _ = write!(d, "M{} {}h0", px(x), px(y));
    }
    d
}

/// Many lines of one colour as one path.
pub fn strands<L: IntoIterator<Item = (f64, f64)>>(lines: impl IntoIterator<Item = L>) -> String {
    lines.into_iter().map(|line| polyline(&line.into_iter().map(Some).collect::<Vec<_>>())).collect()
}

/// At most `most` items, evenly taken, first and last among them.
pub fn thin<T: Clone>(items: &[T], most: usize) -> Vec<T> {
    if items.len() <= most || most < 2 {
        return items.to_vec();
    }
    (0..most).map(|k| items[k * (items.len() - 1) / (most - 1)].clone()).collect()
}

fn line(series: &Series, at: usize, x: &Scale, y: &Scale) -> Line {
    let is_finite = |p: &(f64, f64)| p.0.is_finite() && p.1.is_finite();
    let place = |p: &(f64, f64)| is_finite(p).then(|| (x.at(p.0), y.at(p.1)));
    let points: Vec<Option<(f64, f64)>> = thin(&series.points, MAX_POINTS).iter().map(place).collect();
    Line {
        class: series.class(at),
        d: polyline(&points),
        whiskers: whiskers(series, x, y),
        dots: series.with_dots.then(|| dots(points.iter().copied().flatten())),
    }
}

/// A point that is none breaks the line.
fn polyline(points: &[Option<(f64, f64)>]) -> String {
    let mut d = String::new();
    let mut pen = 'M';
    for point in points {
        let Some((x, y)) = point else {
            pen = 'M';
            continue;
        };
        let _ = write!(d, "{pen}{} {}", px(*x), px(*y));
        pen = 'L';
    }
    d
}

fn whiskers(series: &Series, x: &Scale, y: &Scale) -> Option<String> {
    let mut d = String::new();
    for ((at, _), interval) in series.points.iter().zip(&series.intervals) {
        if let Some((low, high)) = interval {
            let _ = write!(d, "M{} {}V{}", px(x.at(*at)), px(y.at(*low)), px(y.at(*high)));
        }
    }
    (!d.is_empty()).then_some(d)
}

/// A legend where it covers the fewest `marks` of the plot; of equal places one off the rising diagonal.
pub fn legend(series: &[Series], plot: &Plot, marks: &[(f64, f64)]) -> Vec<Key> {
    use Corner::{BottomLeft, BottomRight, MiddleRight, TopLeft, TopRight};
    let covered = |keys: &Vec<Key>| marks.iter().filter(|mark| keys.iter().any(|key| key.covers(**mark))).count();
    let places = [TopLeft, BottomRight, TopRight, BottomLeft, MiddleRight].map(|corner| keys(series, corner, plot));
    places.into_iter().min_by_key(covered).unwrap_or_default()
}

/// Points along lines and whiskers, close enough to find what would cover them.
pub fn strokes(series: &[Series], x: &Scale, y: &Scale) -> Vec<(f64, f64)> {
    const STEPS: usize = 12;
    let between = |from: (f64, f64), to: (f64, f64)| {
        let share = |step: usize| step as f64 / STEPS as f64;
        (0..=STEPS).map(move |step| {
            let at = |a: f64, b: f64| a + share(step) * (b - a);
            (at(from.0, to.0), at(from.1, to.1))
        })
    };
    let place = |p: (f64, f64)| (x.at(p.0), y.at(p.1));
    let is_drawn = |pair: &&[(f64, f64)]| pair.iter().all(|p| p.0.is_finite() && p.1.is_finite());
    let along = |s: &Series| -> Vec<(f64, f64)> {
        let pieces = s.points.windows(2).filter(is_drawn);
        let lines = pieces.flat_map(|pair| between(place(pair[0]), place(pair[1])));
        let whiskers = s.points.iter().zip(&s.intervals).filter_map(|(p, ends)| ends.map(|ends| (p.0, ends)));
        let whiskers = whiskers.flat_map(|(at, (low, high))| between(place((at, low)), place((at, high))));
        lines.chain(whiskers).collect()
    };
    series.iter().flat_map(along).collect()
}

impl Key {
    fn covers(&self, (x, y): (f64, f64)) -> bool {
        const AIR: f64 = 6.0;
        let end = self.text_x.0 + label::width(&self.label.text, super::TEXT);
        (self.x.0 - AIR..=end + AIR).contains(&x) && (y - self.y.0).abs() <= LEGEND_LINE / 2.0
    }
}

fn keys(series: &[Series], corner: Corner, plot: &Plot) -> Vec<Key> {
    let labels: Vec<Label> = series.iter().map(|s| Label::within(&s.name, MAX_LEGEND, super::TEXT)).collect();
    let longest = labels.iter().map(|label| label::width(&label.text, super::TEXT)).fold(0.0, f64::max);
    let height = LEGEND_LINE * series.len() as f64;
    let at_left = matches!(corner, Corner::TopLeft | Corner::BottomLeft);
    let at_top = matches!(corner, Corner::TopLeft | Corner::TopRight);
    let x = if at_left { plot.left.0 + 10.0 } else { plot.right.0 - longest - 40.0 };
    let top = match corner {
        Corner::MiddleRight => (plot.top.0 + plot.bottom.0 - height) / 2.0,
        _ if at_top => plot.top.0 + 8.0,
        _ => plot.bottom.0 - height - 4.0,
    };
    let key = |(at, (label, series)): (usize, (Label, &Series))| {
        let y = top + LEGEND_LINE * at as f64 + 7.0;
        let class = series.class(at);
        Key { class, x: Px(x), x_end: Px(x + 22.0), text_x: Px(x + 28.0), y: Px(y), text_y: Px(y + 4.0), label }
    };
    labels.into_iter().zip(series).enumerate().map(key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(title: &str) -> Axis<'_> {
        Axis { title, domain: (0.0, 1.0), percent: false }
    }

    #[test]
    fn a_line_begins_and_ends_where_its_data_do() {
        let points: Vec<(f64, f64)> = (0..=1000).map(|i| (f64::from(i) / 1000.0, f64::from(i) / 1000.0)).collect();
        let plot = lines(&unit("x"), &unit("y"), &[Series { points, ..Series::default() }]);
        let d = &plot.lines[0].d;
        assert!(d.starts_with("M58 284") && d.ends_with("L418 14"), "{d}");
        assert_eq!(d.matches('L').count(), MAX_POINTS - 1);
        assert!(plot.legend.is_empty(), "one line needs no legend");
    }

    #[test]
    fn a_line_breaks_where_a_point_is_no_number() {
        let points = vec![(0.0, 0.0), (0.5, f64::NAN), (1.0, 1.0)];
        let series = Series { points, with_dots: true, ..Series::default() };
        let plot = lines(&unit("x"), &unit("y"), &[series]);
        assert_eq!(
            (plot.lines[0].d.as_str(), plot.lines[0].dots.as_deref()),
            ("M58 284M418 14", Some("M58 284h0M418 14h0"))
        );
    }

    #[test]
    fn counted_points_have_whole_numbers() {
        let axis = |domain| Axis { title: "", domain, percent: false };
        let ticks = |to: usize| {
            let mut plot = lines(&axis((1.0, to as f64)), &axis((0.0, 1.0)), &[]);
            count_along_x(&mut plot, 1, to);
            plot.x_ticks.into_iter().map(|tick| tick.text).collect::<Vec<_>>().join(" ")
        };
        assert_eq!((ticks(3), ticks(12)), ("1 2 3".into(), "1 3 5 7 9 11".into()));
    }

    #[test]
    fn an_axis_at_the_right_leaves_room_for_its_ticks_and_is_level_with_the_one_at_the_left() {
        let right = Axis { title: "right", domain: (0.0, 10.0), percent: false };
        let (plot, x, y) = frame_with(&unit("x"), &unit("y"), Some(&right), 300.0);
        let axis = plot.right_axis.as_ref().unwrap();
        assert_eq!((axis.ticks[0].at, axis.ticks.last().unwrap().at), (y.px(0.0), y.px(1.0)));
        assert!(x.at(1.0) < axis.text_x.0 && axis.text_x.0 + label::width("10", 11.0) < axis.title_x.0 - 11.0);
        assert!(frame(&unit("x"), &unit("y"), 300.0).0.right_axis.is_none());
    }

    #[test]
    fn a_legend_stands_where_the_marks_leave_room() {
        let series = ["one", "two"].map(|name| Series { name: name.into(), ..Series::default() });
        let (plot, x, y) = frame(&unit("x"), &unit("y"), 300.0);
        let place = |marks: &[(f64, f64)]| {
            let marks: Vec<(f64, f64)> = marks.iter().map(|(a, b)| (x.at(*a), y.at(*b))).collect();
            let keys = legend(&series, &plot, &marks);
            (keys[0].x.0 > plot.centre_x.0, keys[0].y.0 > plot.centre_y.0)
        };
        let (top_left, top_right, bottom_right) = ((0.06, 0.94), (0.94, 0.94), (0.94, 0.04));
        assert_eq!(place(&[]), (false, false));
        assert_eq!(place(&[top_left]), (true, true));
        assert_eq!(place(&[top_left, bottom_right]), (true, false));
        assert_eq!(place(&[top_left, top_right, bottom_right]), (false, true));
    }

    #[test]
    fn a_legend_gives_way_to_a_line_between_two_distant_points_and_to_whiskers() {
        let series = |points: [(f64, f64); 2], intervals| {
            let line = Series { name: "one".into(), points: points.into(), intervals, ..Series::default() };
            [line, Series { name: "two".into(), ..Series::default() }]
        };
        let at_left = |series: &[Series]| lines(&unit("x"), &unit("y"), series).legend[0].x.0 < 200.0;
        assert!(at_left(&series([(0.0, 0.0), (1.0, 0.0)], vec![])));
        assert!(!at_left(&series([(0.0, 0.94), (1.0, 0.94)], vec![])), "the line runs through the top");
        assert!(!at_left(&series([(0.1, 0.5), (0.2, 0.5)], vec![Some((0.5, 1.0)); 2])), "whiskers reach the top");
    }

    #[test]
    fn thinning_keeps_both_ends() {
        let items: Vec<u32> = (0..1000).collect();
        let thinned = thin(&items, 7);
        assert_eq!((thinned.len(), thinned[0], thinned[6]), (7, 0, 999));
        assert_eq!(thin(&items[..3], 7), [0, 1, 2]);
    }

    #[test]
    fn the_words_of_a_threshold_stay_inside_the_plot() {
        let (mut plot, ..) = frame(&unit("x"), &unit("y"), 300.0);
        mark_threshold(&mut plot, (0.0, 1.0), 0.95, "threshold 0.95".into());
        assert_eq!(plot.threshold.as_ref().map(|mark| mark.anchor), Some("end"));
    }

    #[test]
    fn many_dots_are_one_path() {
        assert_eq!(dots([(1.0, 2.0), (3.25, 4.0)]), "M1 2h0M3.2 4h0");
    }
}
