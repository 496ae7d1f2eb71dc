//! Curves of the score laid over a scatter of attributions: less their means over the rows shown, zero level with zero.

use crate::audit::SampleSeries;
use crate::report::charts::plot::{Axis, Series};
use crate::report::lookup::Lookup;
use crate::report::number;
use crate::report::table::Cell;
use crate::report::text::say;

const PARTIAL: &str = "pdp";
const LOCAL: &str = "ale";

/// Partial dependence and accumulated local effects of one column, as far as the run has them.
#[derive(Debug, Default)]
pub struct Overlaid {
    curves: Vec<Curve>,
    /// Units of the score to one of the attributions, where they are not the same: the curves then have an axis of their
    /// own.
    stretch: Option<f64>,
}

#[derive(Debug)]
struct Curve {
    kind: &'static str,
    /// In the score's units, around zero.
    points: Vec<(f64, f64)>,
}

impl Overlaid {
    /// The curves of a series' column and output, around their means over the rows `shown` (value, attribution).
    pub fn of(lookup: &Lookup, series: &SampleSeries, shown: &[(f64, f64)]) -> Self {
        let curve = |kind: &'static str| {
            let stored = lookup.curve_of(kind, &series.feature, "", &series.output);
            let points: Vec<(f64, f64)> = stored.iter().map(|p| (p.x, p.y)).collect();
            let is_line = points.len() > 1 && points.iter().all(|(x, y)| x.is_finite() && y.is_finite());
            is_line.then(|| Curve { kind, points: centred(&points, shown) })
        };
        let curves: Vec<Curve> = [PARTIAL, LOCAL].into_iter().filter_map(curve).collect();
        let heights = curves.iter().flat_map(|curve| &curve.points);
        let (curves_reach, dots_reach) = (reach(heights), reach(shown));
        let has_one_scale = lookup.is_regression() || lookup.audit.proof.scale == "probability";
        let stretch = (!has_one_scale && curves_reach > 0.0 && dots_reach > 0.0).then(|| curves_reach / dots_reach);
        Self { curves, stretch: stretch.filter(|stretch| stretch.is_finite()) }
    }

    pub fn is_empty(&self) -> bool {
        self.curves.is_empty()
    }

    /// Where the curves reach on the axis of the attributions; zero is among them.
    pub fn heights(&self) -> Vec<f64> {
        let heights = self.curves.iter().flat_map(|curve| &curve.points).map(|point| self.level(point.1));
        heights.chain((!self.is_empty()).then_some(0.0)).collect()
    }

    /// Their own axis beside one of attributions over `domain`.
    pub fn axis<'a>(&self, title: &'a str, (low, high): (f64, f64)) -> Option<Axis<'a>> {
        self.stretch.map(|stretch| Axis { title, domain: (low * stretch, high * stretch), percent: false })
    }

    /// The curves in units of the attributions, as far as they lie in the `domain` of values.
    pub fn series(&self, (low, high): (f64, f64)) -> Vec<Series> {
        let inside = |(x, _): &&(f64, f64)| (low..=high).contains(x);
        let series = |curve: &Curve| Series {
            name: self.legend(curve.kind),
            points: curve.points.iter().filter(inside).map(|(x, y)| (*x, self.level(*y))).collect(),
            tone: Some(if curve.kind == PARTIAL { 1 } else { 2 }),
            ..Series::default()
        };
        self.curves.iter().map(series).collect()
    }

    /// "partial dependence and accumulated local effect".
    pub fn names(&self) -> String {
        let names: Vec<String> = self.curves.iter().map(|curve| name(curve.kind)).collect();
        match names.as_slice() {
            [one, other] => say!("dependence.both", one = one, other = other),
            names => names.concat(),
        }
    }

    /// How the curves are to be read.
    pub fn note(&self) -> Option<String> {
        (!self.is_empty()).then(|| match self.stretch {
            Some(_) => say!("dependence.own_axis"),
            None => say!("dependence.one_axis"),
        })
    }

    /// Heads of the curves' columns in the table.
    pub fn heads(&self) -> Vec<String> {
        self.curves.iter().map(|curve| say!("dependence.column", name = name(curve.kind))).collect()
    }

    /// The curves' heights at a value, in the score's units.
    pub fn cells(&self, value: f64) -> Vec<Cell> {
        let cell = |curve: &Curve| Cell::number(number::significant(height(&curve.points, value), 3));
        self.curves.iter().map(cell).collect()
    }

    fn level(&self, height: f64) -> f64 {
        height / self.stretch.unwrap_or(1.0)
    }

    fn legend(&self, kind: &str) -> String {
        match self.stretch {
            Some(_) => say!("dependence.at_the_right", name = name(kind)),
            None => name(kind),
        }
    }
}

fn name(kind: &str) -> String {
    if kind == PARTIAL { say!("dependence.pdp") } else { say!("dependence.ale") }
}

/// The curve less its mean over the rows.
fn centred(points: &[(f64, f64)], rows: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mean = rows.iter().map(|(value, _)| height(points, *value)).sum::<f64>() / rows.len().max(1) as f64;
    points.iter().map(|(x, y)| (*x, y - mean)).collect()
}

/// The curve's height at `x`: straight between its points, level beyond its ends.
fn height(points: &[(f64, f64)], x: f64) -> f64 {
    match points.partition_point(|point| point.0 < x) {
        0 => points[0].1,
        past if past == points.len() => points[past - 1].1,
        at => {
            let (from, to) = (points[at - 1], points[at]);
            from.1 + (to.1 - from.1) * (x - from.0) / (to.0 - from.0)
        }
    }
}

/// The largest distance from zero.
fn reach<'a>(points: impl IntoIterator<Item = &'a (f64, f64)>) -> f64 {
    points.into_iter().map(|(_, y)| y.abs()).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Audit, CurvePoint};
    use crate::report::example;

    /// An audit with both curves of age, 0.1 for each year.
    fn audit() -> Audit {
        let mut audit = example::binary();
        let point = |kind: &str, x: u32| CurvePoint {
            kind: kind.into(),
            feature: "age".into(),
            group_value: String::new(),
            output: ">50K".into(),
            x: f64::from(x),
            y: 0.3 + 0.1 * f64::from(x),
            n: 100,
            ci_low: None,
            ci_high: None,
        };
        audit.curves.extend(["pdp", "ale"].into_iter().flat_map(|kind| [0, 20, 49].map(|x| point(kind, x))));
        audit
    }

    fn shown() -> Vec<(f64, f64)> {
        (0..50).map(|i| (f64::from(i), 0.05 * (f64::from(i) - 25.0))).collect()
    }

    fn of(audit: &Audit) -> Overlaid {
        let series = audit.sample.series.iter().find(|series| series.feature == "age").unwrap();
        Overlaid::of(&Lookup::new(audit), series, &shown())
    }

    #[test]
    fn curves_have_mean_zero_over_the_rows_shown() {
        let overlaid = of(&audit());
        for curve in &overlaid.curves {
            let sum: f64 = shown().iter().map(|(x, _)| height(&curve.points, *x)).sum();
            assert!(sum.abs() < 1e-9, "{sum}");
            assert!((curve.points[2].1 - curve.points[0].1 - 4.9).abs() < 1e-9, "a slope is kept");
        }
        assert_eq!(overlaid.curves.len(), 2);
    }

    #[test]
    fn on_another_scale_they_have_an_axis_whose_zero_is_level_with_that_of_the_attributions() {
        let overlaid = of(&audit());
        let axis = overlaid.axis("score", (-1.0, 3.0)).unwrap();
        assert_eq!(axis.domain.0 / axis.domain.1, -1.0 / 3.0);
        let drawn = &overlaid.series((0.0, 49.0))[0].points;
        // A height on the left axis, read on the right one, is the curve's own.
        let stretch = axis.domain.1 / 3.0;
        assert!((drawn[2].1 * stretch - overlaid.curves[0].points[2].1).abs() < 1e-12);
        let highest = drawn.iter().map(|point| point.1.abs()).fold(0.0, f64::max);
        assert!((highest - 1.25).abs() < 1e-12, "as high as the attributions: {highest}");
    }

    #[test]
    fn on_one_scale_they_are_drawn_as_they_are() {
        let mut audit = audit();
        audit.proof.scale = "probability".into();
        let overlaid = of(&audit);
        assert!(overlaid.axis("score", (-1.0, 3.0)).is_none());
        assert_eq!(overlaid.series((0.0, 49.0))[0].points, overlaid.curves[0].points);
    }

    #[test]
    fn a_curve_ends_where_the_rows_shown_do() {
        let overlaid = of(&audit());
        assert_eq!(overlaid.series((10.0, 30.0))[0].points.len(), 1);
    }

    #[test]
    fn curves_of_another_output_and_broken_ones_are_not_drawn() {
        let mut audit = audit();
        audit.curves.iter_mut().filter(|point| point.kind == "pdp").for_each(|point| point.output = "<=50K".into());
        audit.curves.iter_mut().filter(|point| point.kind == "ale").for_each(|point| point.y = f64::NAN);
        assert!(of(&audit).is_empty() && of(&audit).heights().is_empty() && of(&audit).note().is_none());
    }

    #[test]
    fn a_height_is_straight_between_points_and_level_beyond_them() {
        let points = [(0.0, 1.0), (2.0, 3.0), (2.0, 5.0)];
        assert_eq!([-1.0, 0.0, 1.0, 2.0, 9.0].map(|x| height(&points, x)), [1.0, 1.0, 2.0, 3.0, 5.0]);
    }
}
