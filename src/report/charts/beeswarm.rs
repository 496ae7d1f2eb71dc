//! The beeswarm: one dot a row and feature at its attribution, coloured by the feature's value.
//!
//! Dots of one colour and feature are one path, which keeps thousands of dots in tens of kilobytes.

use super::plot::dots;
use crate::report::label::Label;
use crate::report::number::Px;
use crate::report::scale::{Scale, Tick};
use serde::Serialize;

const LEFT: f64 = 172.0;
const RIGHT: f64 = super::FULL - 16.0;
const TOP: f64 = 34.0;
const PITCH: f64 = 36.0;
/// Width in pixels of the columns in which dots pile up.
const COLUMN: f64 = 2.5;
/// Dots pile up at most this far from their line.
const HALF_HEIGHT: f64 = 15.0;
/// Colours from the lowest to the highest fifth of a feature's values.
pub const N_COLOURS: usize = 5;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Beeswarm {
    pub width: Px,
    pub height: Px,
    pub left: Px,
    pub right: Px,
    pub zero: Px,
    pub top: Px,
    pub bottom: Px,
    pub tick_y: Px,
    pub title_y: Px,
    pub centre_x: Px,
    pub label_x: Px,
    pub x_title: String,
    pub ticks: Vec<Tick>,
    pub rows: Vec<SwarmRow>,
    /// The colour key: `(x, class)` of each step, then its two words.
    pub key: Vec<(Px, String)>,
    pub key_y: Px,
    pub key_text_y: Px,
    pub key_low_x: Px,
    pub key_high_x: Px,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SwarmRow {
    pub label: Label,
    pub y: Px,
    pub text_y: Px,
    /// `(class, path)`: "v0" lowest values … "v4" highest, "vn" without an order.
    pub paths: Vec<(String, String)>,
}

/// One feature's sampled rows: attribution and fifth of the value, `None` where values have no order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Swarm {
    pub name: String,
    pub dots: Vec<(f64, Option<usize>)>,
}

pub fn draw(swarms: &[Swarm], x_title: &str) -> Beeswarm {
    let scale = Scale::around(swarms.iter().flat_map(|s| &s.dots).map(|dot| dot.0), &[0.0], (LEFT, RIGHT));
    let bottom = TOP + PITCH * swarms.len() as f64;
    let key_left = RIGHT - 80.0 - 18.0 * N_COLOURS as f64;
    Beeswarm {
        width: Px(super::FULL),
        height: Px(bottom + 46.0),
        left: Px(LEFT),
        right: Px(RIGHT),
        zero: scale.px(0.0),
        top: Px(TOP),
        bottom: Px(bottom),
        tick_y: Px(bottom + 17.0),
        title_y: Px(bottom + 38.0),
        centre_x: Px((LEFT + RIGHT) / 2.0),
        label_x: Px(LEFT - 14.0),
        x_title: x_title.to_owned(),
        ticks: scale.ticks(8),
        rows: swarms.iter().enumerate().map(|(at, s)| row(s, TOP + PITCH * (at as f64 + 0.5), &scale)).collect(),
        key: (0..N_COLOURS).map(|at| (Px(key_left + 18.0 * at as f64), format!("v{at}"))).collect(),
        key_y: Px(6.0),
        key_text_y: Px(15.0),
        key_low_x: Px(key_left - 8.0),
        key_high_x: Px(key_left + 18.0 * N_COLOURS as f64 + 8.0),
    }
}

/// The fifth (0 lowest … 4 highest) that each value lies in by rank; equal values share one. `None` for missing values
/// and for a constant feature.
pub fn fifths(values: &[Option<f64>]) -> Vec<Option<usize>> {
    let mut sorted: Vec<f64> = values.iter().flatten().copied().filter(|v| !v.is_nan()).collect();
    sorted.sort_by(f64::total_cmp);
    let is_constant = sorted.first() == sorted.last();
    let middle_rank = |v: f64| (sorted.partition_point(|x| *x < v) + sorted.partition_point(|x| *x <= v)) as f64 / 2.0;
    let fifth = |v: f64| ((N_COLOURS as f64 * middle_rank(v) / sorted.len() as f64) as usize).min(N_COLOURS - 1);
    values.iter().map(|v| v.filter(|v| !v.is_nan() && !is_constant).map(fifth)).collect()
}

fn row(swarm: &Swarm, y: f64, scale: &Scale) -> SwarmRow {
    let mut by_colour: [Vec<(f64, f64)>; N_COLOURS + 1] = Default::default();
    for ((dx, dy), (_, fifth)) in pile_up(swarm, scale).into_iter().zip(&swarm.dots) {
        by_colour[fifth.unwrap_or(N_COLOURS)].push((dx, y + dy));
    }
    let class = |at: usize| {
        if at == N_COLOURS { "vn".to_owned() } else { format!("v{at}") }
    };
    let paths = by_colour.into_iter().enumerate().filter(|(_, points)| !points.is_empty());
    SwarmRow {
        label: Label::within(&swarm.name, LEFT - 14.0, super::TEXT),
        y: Px(y),
        text_y: Px(y + 4.0),
        paths: paths.map(|(at, points)| (class(at), dots(points))).collect(),
    }
}

/// `(x, offset from the line)` of every dot, in the order given: dots of one column alternate above and below; the fuller
/// the fullest column, the closer, so that heights compare within a line.
fn pile_up(swarm: &Swarm, scale: &Scale) -> Vec<(f64, f64)> {
    let columns: Vec<usize> = swarm.dots.iter().map(|(phi, _)| (scale.at(*phi) / COLUMN) as usize).collect();
    let n_columns = columns.iter().max().map_or(0, |last| last + 1);
    let mut height = vec![0usize; n_columns];
    columns.iter().for_each(|column| height[*column] += 1);
    let mut used = vec![0usize; n_columns];
    let highest = height.iter().max().copied().unwrap_or(0) as f64;
    let step = (2.0 * HALF_HEIGHT / highest.max(1.0)).min(COLUMN);
    let place = |column: usize| {
        let level = used[column].div_ceil(2) as f64;
        let side = if used[column].is_multiple_of(2) { 1.0 } else { -1.0 };
        used[column] += 1;
        (COLUMN * (column as f64 + 0.5), side * step * level)
    };
    columns.into_iter().map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifths_follow_the_rank_and_equal_values_share_one() {
        let values: Vec<Option<f64>> = (0..10).map(|v| Some(f64::from(v))).collect();
        let expected: Vec<Option<usize>> = (0..10).map(|v| Some(v / 2)).collect();
        assert_eq!(fifths(&values), expected);
        assert_eq!(fifths(&[Some(1.0), Some(1.0), Some(2.0), None]), [Some(1), Some(1), Some(4), None]);
    }

    #[test]
    fn a_constant_or_missing_feature_has_no_colour() {
        assert_eq!(fifths(&[Some(3.0), Some(3.0)]), [None, None]);
        assert_eq!(fifths(&[None, Some(f64::NAN)]), [None, None]);
        assert!(fifths(&[]).is_empty());
    }

    #[test]
    fn every_dot_is_drawn_and_stays_within_its_line() {
        let swarm = Swarm { name: "age".into(), dots: vec![(0.5, Some(0)); 400] };
        let scale = Scale::new((0.0, 1.0), (LEFT, RIGHT));
        let offsets = pile_up(&swarm, &scale);
        assert!(offsets.iter().all(|(_, dy)| dy.abs() <= HALF_HEIGHT + 1e-9));
        let drawn = row(&swarm, 50.0, &scale);
        assert_eq!(drawn.paths.iter().map(|(_, d)| d.matches('M').count()).sum::<usize>(), 400);
    }
}
