//! Horizontal bars with whiskers: importance of features, largest first.

use crate::report::label::Label;
use crate::report::number::Px;
use crate::report::scale::{Scale, Tick};
use serde::Serialize;

const LEFT: f64 = 148.0;
const RIGHT: f64 = super::HALF - 64.0;
const TOP: f64 = 8.0;
const PITCH: f64 = 24.0;
const THICKNESS: f64 = 13.0;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bars {
    pub width: Px,
    pub height: Px,
    pub zero: Px,
    pub top: Px,
    pub bottom: Px,
    pub tick_y: Px,
    pub title_y: Px,
    pub centre_x: Px,
    pub label_x: Px,
    pub text_x: Px,
    pub thickness: Px,
    pub x_title: String,
    pub ticks: Vec<Tick>,
    /// Lines to read lengths by.
    pub guides: Vec<Tick>,
    pub rows: Vec<BarRow>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BarRow {
    pub label: Label,
    pub x: Px,
    pub y: Px,
    pub length: Px,
    pub centre: Px,
    pub text_y: Px,
    pub whisker: Option<(Px, Px)>,
    pub text: String,
    /// Not measured for this feature.
    pub empty: bool,
}

/// One feature's value; `None` where the method did not measure it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Bar {
    pub name: String,
    pub value: Option<f64>,
    pub interval: Option<(f64, f64)>,
    pub text: String,
}

pub fn draw(bars: &[Bar], x_title: &str) -> Bars {
    draw_with_guides(bars, x_title, &[])
}

/// Bars with lines at `guides`, which are always on the chart.
pub fn draw_with_guides(bars: &[Bar], x_title: &str, guides: &[f64]) -> Bars {
    let ends = bars.iter().flat_map(|bar| [bar.value, bar.interval.map(|i| i.0), bar.interval.map(|i| i.1)]).flatten();
    let scale = Scale::around(ends.chain(guides.iter().copied()), &[0.0], (LEFT, RIGHT));
    let bottom = TOP + PITCH * bars.len() as f64;
    Bars {
        width: Px(super::HALF),
        height: Px(bottom + 46.0),
        zero: scale.px(0.0),
        top: Px(TOP),
        bottom: Px(bottom),
        tick_y: Px(bottom + 17.0),
        title_y: Px(bottom + 38.0),
        centre_x: Px((LEFT + RIGHT) / 2.0),
        label_x: Px(LEFT - 10.0),
        text_x: Px(super::HALF - 2.0),
        thickness: Px(THICKNESS),
        x_title: x_title.to_owned(),
        ticks: scale.ticks(4),
        guides: guides
            .iter()
            .map(|guide| Tick { at: scale.px(*guide), text: guide.to_string(), zero: false })
            .collect(),
        rows: bars.iter().enumerate().map(|(at, bar)| row(bar, TOP + PITCH * (at as f64 + 0.5), &scale)).collect(),
    }
}

fn row(bar: &Bar, centre: f64, scale: &Scale) -> BarRow {
    let value = bar.value.filter(|value| value.is_finite());
    let (zero, end) = (scale.at(0.0), scale.at(value.unwrap_or(0.0)));
    BarRow {
        label: Label::within(&bar.name, LEFT - 10.0, super::TEXT),
        x: Px(zero.min(end)),
        y: Px(centre - THICKNESS / 2.0),
        length: Px((end - zero).abs()),
        centre: Px(centre),
        text_y: Px(centre + 4.0),
        whisker: bar.interval.map(|(low, high)| (scale.px(low), scale.px(high))),
        text: bar.text.clone(),
        empty: value.is_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(value: f64) -> Bar {
        Bar { name: "age".into(), value: Some(value), ..Bar::default() }
    }

    #[test]
    fn lengths_are_proportional_to_values() {
        let chart = draw(&[bar(2.0), bar(1.0)], "x");
        assert!((chart.rows[0].length.0 - 2.0 * chart.rows[1].length.0).abs() < 1e-9);
    }

    #[test]
    fn a_negative_importance_grows_to_the_left_of_zero() {
        let chart = draw(&[bar(1.0), bar(-0.5)], "x");
        let row = &chart.rows[1];
        assert!(row.x.0 < chart.zero.0);
        assert!((row.x.0 + row.length.0 - chart.zero.0).abs() < 1e-9);
    }
}
