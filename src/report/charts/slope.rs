//! Rank changes as a slope chart: each feature's place before on the left, its place now on the right.

use crate::report::label::Label;
use crate::report::number::Px;
use serde::Serialize;

const LEFT: f64 = 150.0;
const RIGHT: f64 = super::HALF - 150.0;
const TOP: f64 = 26.0;
const PITCH: f64 = 22.0;
const GAP: f64 = 9.0;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Slope {
    pub width: Px,
    pub height: Px,
    pub left: Px,
    pub right: Px,
    pub label_left: Px,
    pub label_right: Px,
    pub title_y: Px,
    pub rows: Vec<SlopeRow>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SlopeRow {
    pub before: Label,
    pub now: Label,
    pub y_before: Px,
    pub y_now: Px,
    pub text_before: Px,
    pub text_now: Px,
    /// "up", "down" or "same"; the labels carry the ranks.
    pub class: &'static str,
}

/// A feature's ranks; 1 is the first.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranked {
    pub name: String,
    pub before: u32,
    pub now: u32,
}

/// Lines in the order given. Places are those among the features drawn, so that lines stay on the chart wherever a
/// feature comes from; labels name the true ranks.
pub fn draw(features: &[Ranked]) -> Slope {
    let place = |rank: fn(&Ranked) -> u32, of: &Ranked| features.iter().filter(|one| rank(one) < rank(of)).count();
    let row = |feature: &Ranked| {
        let y = |at: usize| TOP + PITCH * (at as f64 + 0.5);
        let (before, now) = (y(place(|one| one.before, feature)), y(place(|one| one.now, feature)));
        let label = |text: String| Label::within(&text, LEFT - GAP - 2.0, super::TEXT);
        SlopeRow {
            before: label(format!("{} {}", feature.name, feature.before)),
            now: label(format!("{} {}", feature.now, feature.name)),
            y_before: Px(before),
            y_now: Px(now),
            text_before: Px(before + 4.0),
            text_now: Px(now + 4.0),
            class: match feature.now.cmp(&feature.before) {
                std::cmp::Ordering::Less => "up",
                std::cmp::Ordering::Greater => "down",
                std::cmp::Ordering::Equal => "same",
            },
        }
    };
    Slope {
        width: Px(super::HALF),
        height: Px(TOP + PITCH * features.len() as f64 + 6.0),
        left: Px(LEFT),
        right: Px(RIGHT),
        label_left: Px(LEFT - GAP),
        label_right: Px(RIGHT + GAP),
        title_y: Px(14.0),
        rows: features.iter().map(row).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranked(before: u32, now: u32) -> Ranked {
        Ranked { name: format!("f{before}"), before, now }
    }

    #[test]
    fn lines_cross_where_features_change_places() {
        let chart = draw(&[ranked(1, 2), ranked(2, 1), ranked(3, 3)]);
        let [a, b, c] = chart.rows.as_slice() else { panic!("three rows") };
        assert!(a.y_before.0 < b.y_before.0 && a.y_now.0 > b.y_now.0);
        assert_eq!((a.class, b.class, c.class), ("down", "up", "same"));
        assert_eq!(c.y_before, c.y_now);
    }

    #[test]
    fn a_feature_from_far_below_stays_on_the_chart() {
        let chart = draw(&[ranked(1, 2), ranked(90, 1)]);
        assert!(chart.rows.iter().all(|row| row.y_before.0 < chart.height.0 && row.y_now.0 < chart.height.0));
        assert!(chart.rows[1].before.text.ends_with("90"));
    }
}
