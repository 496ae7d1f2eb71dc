//! Dots with whiskers, one row a group, against a reference line and a band: ratios with the four-fifths screen,
//! group means with their intervals.

use crate::report::label::Label;
use crate::report::number::Px;
use crate::report::scale::{Scale, Tick};
use serde::Serialize;

const LEFT: f64 = 174.0;
const RIGHT: f64 = super::HALF - 62.0;
const TOP: f64 = 22.0;
const PITCH: f64 = 26.0;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Dots {
    pub width: Px,
    pub height: Px,
    pub left: Px,
    pub right: Px,
    pub top: Px,
    pub bottom: Px,
    pub height_of_plot: Px,
    pub tick_y: Px,
    pub title_y: Px,
    pub centre_x: Px,
    pub label_x: Px,
    pub text_x: Px,
    pub x_title: String,
    pub ticks: Vec<Tick>,
    /// Where values pass the screen.
    pub band: Option<Band>,
    /// Equality, or the overall value.
    pub rule: Option<Rule>,
    pub rows: Vec<DotRow>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Band {
    pub x: Px,
    pub width: Px,
    pub text: String,
    pub text_x: Px,
    pub text_y: Px,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rule {
    pub x: Px,
    pub text: String,
    pub text_y: Px,
    pub anchor: &'static str,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DotRow {
    pub label: Label,
    pub y: Px,
    pub text_y: Px,
    pub x: Option<Px>,
    pub whisker: Option<(Px, Px)>,
    /// The number itself, at the right edge; the reason where it is undefined.
    pub text: String,
    /// Too few rows: drawn hollow.
    pub hollow: bool,
}

/// One group's value.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Dot {
    pub name: String,
    pub value: Option<f64>,
    pub interval: Option<(f64, f64)>,
    pub text: String,
    pub hollow: bool,
}

/// Ratios from 0 on, with the band that the four-fifths screen lets through (0.8 to 1.25).
pub fn ratios(dots: &[Dot], x_title: &str, band_text: &str, rule_text: &str) -> Dots {
    let scale = Scale::around(extent(dots).filter(|v| *v <= 2.5), &[0.0, 1.3], (LEFT, RIGHT));
    let mut chart = draw(dots, x_title, &scale);
    let (low, high) = (scale.at(0.8), scale.at(1.25));
    chart.band = Some(Band {
        x: Px(low),
        width: Px(high - low),
        text: band_text.to_owned(),
        text_x: Px((low + high) / 2.0),
        text_y: Px(TOP - 8.0),
    });
    chart.rule = Some(Rule { x: scale.px(1.0), text: rule_text.to_owned(), text_y: Px(TOP - 8.0), anchor: "middle" });
    chart
}

/// Values of groups around a reference value; shares get ticks in per cent.
pub fn values(dots: &[Dot], x_title: &str, reference: Option<(f64, &str)>, percent: bool) -> Dots {
    let include: Vec<f64> = reference.iter().map(|(value, _)| *value).collect();
    let scale = Scale::around(extent(dots), &include, (LEFT, RIGHT));
    let mut chart = draw(dots, x_title, &scale);
    if percent {
        chart.ticks = scale.percent_ticks(5);
    }
    chart.rule = reference.map(|(value, text)| {
        let x = scale.at(value);
        let anchor = if x > (LEFT + RIGHT) / 2.0 { "end" } else { "start" };
        Rule { x: Px(x), text: text.to_owned(), text_y: Px(TOP - 8.0), anchor }
    });
    chart
}

fn draw(dots: &[Dot], x_title: &str, scale: &Scale) -> Dots {
    let bottom = TOP + PITCH * dots.len() as f64;
    Dots {
        width: Px(super::HALF),
        height: Px(bottom + 46.0),
        left: Px(LEFT),
        right: Px(RIGHT),
        top: Px(TOP),
        bottom: Px(bottom),
        height_of_plot: Px(bottom - TOP),
        tick_y: Px(bottom + 17.0),
        title_y: Px(bottom + 38.0),
        centre_x: Px((LEFT + RIGHT) / 2.0),
        label_x: Px(LEFT - 10.0),
        text_x: Px(super::HALF - 2.0),
        x_title: x_title.to_owned(),
        ticks: scale.ticks(5),
        band: None,
        rule: None,
        rows: dots.iter().enumerate().map(|(at, dot)| row(dot, TOP + PITCH * (at as f64 + 0.5), scale)).collect(),
    }
}

fn row(dot: &Dot, y: f64, scale: &Scale) -> DotRow {
    DotRow {
        label: Label::within(&dot.name, LEFT - 10.0, super::TEXT),
        y: Px(y),
        text_y: Px(y + 4.0),
        x: dot.value.filter(|value| value.is_finite()).map(|value| scale.px(value)),
        whisker: dot.interval.map(|(low, high)| (scale.px(low), scale.px(high))),
        text: dot.text.clone(),
        hollow: dot.hollow,
    }
}

fn extent(dots: &[Dot]) -> impl Iterator<Item = f64> + '_ {
    dots.iter().flat_map(|dot| [dot.value, dot.interval.map(|i| i.0), dot.interval.map(|i| i.1)]).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_band_of_the_four_fifths_screen_contains_equality_and_not_a_ratio_of_one_third() {
        let dot = Dot { name: "Female".into(), value: Some(0.36), interval: Some((0.33, 0.39)), ..Dot::default() };
        let chart = ratios(&[dot], "ratio", "four-fifths", "equal");
        let (band, rule) = (chart.band.unwrap(), chart.rule.unwrap());
        let within = |x: f64| x >= band.x.0 && x <= band.x.0 + band.width.0;
        assert!(within(rule.x.0));
        assert!(!within(chart.rows[0].x.unwrap().0));
    }

    #[test]
    fn an_undefined_group_keeps_its_row_and_has_no_dot() {
        let dot = Dot { name: "Other".into(), text: "undefined".into(), ..Dot::default() };
        let chart = ratios(&[dot], "ratio", "band", "equal");
        assert!(chart.rows[0].x.is_none());
        assert_eq!(chart.rows[0].text, "undefined");
    }

    #[test]
    fn one_extreme_ratio_does_not_flatten_the_others() {
        let dot = |value| Dot { value: Some(value), ..Dot::default() };
        let chart = ratios(&[dot(0.9), dot(400.0)], "ratio", "band", "equal");
        let gap = chart.rows[1].x.unwrap().0 - chart.rows[0].x.unwrap().0;
        assert!(gap > 20.0 && gap < 200.0, "{gap}");
    }
}
