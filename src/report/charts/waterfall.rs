//! The waterfall: from where the score starts, feature by feature, to where it ends.

use crate::report::label::Label;
use crate::report::number::{Px, px};
use crate::report::scale::{Scale, Tick};
use serde::Serialize;

const LEFT: f64 = 178.0;
const RIGHT: f64 = super::HALF - 58.0;
const TOP: f64 = 10.0;
const PITCH: f64 = 24.0;
const THICKNESS: f64 = 15.0;
/// Length of an arrow's tip.
const TIP: f64 = 4.0;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Waterfall {
    pub width: Px,
    pub height: Px,
    pub top: Px,
    pub bottom: Px,
    pub tick_y: Px,
    pub title_y: Px,
    pub centre_x: Px,
    pub label_x: Px,
    pub text_x: Px,
    pub x_title: Label,
    pub ticks: Vec<Tick>,
    pub start: End,
    pub end: End,
    pub steps: Vec<StepMarks>,
}

/// The first or the last line.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct End {
    pub label: Label,
    pub text: String,
    pub x: Px,
    pub y: Px,
    pub y_top: Px,
    pub y_bottom: Px,
    pub text_y: Px,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepMarks {
    pub label: Label,
    pub text: String,
    /// "up", "down" or "flat": colour of an arrow that also points there.
    pub class: &'static str,
    pub d: String,
    pub whisker: Option<(Px, Px)>,
    pub centre: Px,
    pub text_y: Px,
    /// Where the next step begins, joined by a thin line.
    pub join_x: Px,
    pub join_end: Px,
}

/// One term: its name, its size, its text at the right, and the interval of its size.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Step {
    pub name: String,
    pub size: f64,
    pub text: String,
    pub interval: Option<(f64, f64)>,
}

/// Draws `steps` from `start` (name, value, text) to `end`; the sizes add up to the difference.
pub fn draw(start: (&str, f64, String), steps: &[Step], end: (&str, f64, String), x_title: &str) -> Waterfall {
    let mut levels = vec![start.1];
    steps.iter().for_each(|step| levels.push(levels[levels.len() - 1] + step.size));
    let whiskers = steps.iter().zip(&levels).filter_map(|(s, from)| s.interval.map(|(l, h)| [from + l, from + h]));
    let scale = Scale::around(levels.iter().copied().chain([end.1]).chain(whiskers.flatten()), &[], (LEFT, RIGHT));
    let line = |at: usize| TOP + PITCH * (at as f64 + 0.5);
    let bottom = TOP + PITCH * (steps.len() + 2) as f64;
    let marks = |(at, s): (usize, &Step)| step(s, levels[at], line(at + 1), &scale);
    Waterfall {
        width: Px(super::HALF),
        height: Px(bottom + 46.0),
        top: Px(TOP),
        bottom: Px(bottom),
        tick_y: Px(bottom + 17.0),
        title_y: Px(bottom + 38.0),
        centre_x: Px((LEFT + RIGHT) / 2.0),
        label_x: Px(LEFT - 10.0),
        text_x: Px(super::HALF - 2.0),
        x_title: Label::within(x_title, RIGHT - LEFT + 60.0, super::TEXT),
        ticks: scale.ticks(4),
        start: ending(start, line(0), &scale),
        end: ending(end, line(steps.len() + 1), &scale),
        steps: steps.iter().enumerate().map(marks).collect(),
    }
}

fn ending((name, value, text): (&str, f64, String), y: f64, scale: &Scale) -> End {
    End {
        label: Label::within(name, LEFT - 10.0, super::TEXT),
        text,
        x: scale.px(value),
        y: Px(y),
        y_top: Px(y - THICKNESS / 2.0),
        y_bottom: Px(y + THICKNESS / 2.0),
        text_y: Px(y + 4.0),
    }
}

fn step(step: &Step, from: f64, centre: f64, scale: &Scale) -> StepMarks {
    let (x0, x1) = (scale.at(from), scale.at(from + step.size));
    StepMarks {
        label: Label::within(&step.name, LEFT - 10.0, super::TEXT),
        text: step.text.clone(),
        class: if step.size > 0.0 {
            "up"
        } else if step.size < 0.0 {
            "down"
        } else {
            "flat"
        },
        d: arrow(x0, x1, centre),
        whisker: step.interval.map(|(low, high)| (scale.px(from + low), scale.px(from + high))),
        centre: Px(centre),
        text_y: Px(centre + 4.0),
        join_x: Px(x1),
        join_end: Px(centre + PITCH),
    }
}

/// A bar whose tip points the way it pushes.
fn arrow(from: f64, to: f64, centre: f64) -> String {
    let (top, bottom) = (px(centre - THICKNESS / 2.0), px(centre + THICKNESS / 2.0));
    let tip = TIP.min((to - from).abs()).copysign(to - from);
    let (x0, neck, x1) = (px(from), px(to - tip), px(to));
    format!("M{x0} {top}H{neck}L{x1} {}L{neck} {bottom}H{x0}Z", px(centre))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn term(size: f64) -> Step {
        Step { name: "age = 48".into(), size, ..Step::default() }
    }

    #[test]
    fn every_step_begins_where_the_last_one_ended_and_the_last_ends_at_the_score() {
        let chart = draw(("base", 0.0, String::new()), &[term(2.0), term(-0.5)], ("score", 1.5, String::new()), "x");
        let begin = chart.steps[1].d.split(' ').next().unwrap().trim_start_matches('M').to_owned();
        assert_eq!(begin, px(chart.steps[0].join_x.0));
        assert!((chart.steps[1].join_x.0 - chart.end.x.0).abs() < 1e-9);
    }

    #[test]
    fn arrows_point_the_way_they_push() {
        let chart =
            draw(("base", 0.0, String::new()), &[term(2.0), term(-0.5), term(0.0)], ("score", 1.5, String::new()), "x");
        let classes: Vec<&str> = chart.steps.iter().map(|step| step.class).collect();
        assert_eq!(classes, ["up", "down", "flat"]);
    }
}
