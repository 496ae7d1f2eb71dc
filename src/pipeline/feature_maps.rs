//! Feature maps: the planes of numbers that convolutions compute for a few of the run's cases.

use super::RunError;
use super::gallery::Picked;
use super::players::is_dropped;
use crate::audit::{DrawnMap, FeatureMaps, FeatureMapsRow, LayerUnit};
use crate::layers::Layout;
use crate::plan::{LayersPlan, Plan, PlannedLayer};

/// Rows that are shown, each chosen for another reason.
const ROWS: usize = 3;
/// Layers that are shown, evenly spread.
const LAYERS: usize = 12;
/// Most pixels of a side.
const SIDE: usize = 32;

/// Nothing where no maps are asked for, no layer has planes, no row is a case, or a column that the model takes is
/// dropped: maps show its outlines.
pub fn feature_maps(
    plan: &Plan,
    layers: &LayersPlan,
    units: &[LayerUnit],
    cases: &[Picked],
) -> Result<Vec<FeatureMaps>, RunError> {
    let dropped = plan.selection.features.iter().any(|feature| is_dropped(plan.config(), &feature.column));
    let rows = if dropped || layers.maps == 0 { Vec::new() } else { various(cases) };
    let mut found: Vec<(usize, FeatureMaps)> = match rows.is_empty() {
        true => Vec::new(),
        false => shown(layers).into_iter().map(|at| (at, blank(&layers.layers[at], units, layers.maps))).collect(),
    };
    found.retain(|(_, maps)| !maps.units.is_empty());
    if found.is_empty() {
        return Ok(Vec::new());
    }
    for picked in rows {
        let numbers = layers.taps.run(&picked.features, 0..1).map_err(RunError::broken)?;
        for (at, maps) in &mut found {
            maps.rows.push(FeatureMapsRow {
                row_id: picked.case.row_id.clone(),
                chosen_as: picked.case.chosen_as.clone(),
                label: picked.case.label.clone(),
                maps: planes(&layers.layers[*at].layout, &maps.units, &numbers[*at]),
            });
        }
    }
    Ok(found.into_iter().map(|(_, maps)| maps).collect())
}

/// The first case of every reason, no row twice.
fn various(cases: &[Picked]) -> Vec<&Picked> {
    let mut rows: Vec<&Picked> = Vec::new();
    for picked in cases {
        let known = |other: &&Picked| other.row == picked.row || other.case.chosen_as == picked.case.chosen_as;
        if rows.len() < ROWS && !rows.iter().any(known) {
            rows.push(picked);
        }
    }
    rows
}

/// Positions of layers with planes, evenly spread, the first always among them: it is nearest to what is seen.
fn shown(layers: &LayersPlan) -> Vec<usize> {
    let planes: Vec<usize> =
        (0..layers.layers.len()).filter(|at| layers.layers[*at].layout.plane().is_some()).collect();
    let n = planes.len().min(LAYERS);
    (0..n).map(|at| planes[at * planes.len() / n]).collect()
}

fn blank(layer: &PlannedLayer, units: &[LayerUnit], most: usize) -> FeatureMaps {
    let (height, width) = layer.layout.plane().unwrap_or_default();
    let (drawn_height, drawn_width) = drawn(height, width);
    FeatureMaps {
        layer: layer.tensor.clone(),
        height: height as u64,
        width: width as u64,
        drawn_height: drawn_height as u64,
        drawn_width: drawn_width as u64,
        units: widest(units.iter().filter(|unit| unit.layer == layer.tensor), most),
        n_units: layer.layout.n_units() as u64,
        rows: Vec::new(),
    }
}

/// Units with the largest standard deviation, of equals the first; those that never change tell nothing.
fn widest<'a>(units: impl Iterator<Item = &'a LayerUnit>, most: usize) -> Vec<u64> {
    let mut spreads: Vec<(f64, u64)> =
        units.filter_map(|unit| Some((unit.std.filter(|std| *std > 0.0)?, unit.unit))).collect();
    spreads.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut found: Vec<u64> = spreads.into_iter().take(most).map(|(_, unit)| unit).collect();
    found.sort_unstable();
    found
}

/// Numbers on each side of a plane that become one pixel.
fn step(height: usize, width: usize) -> usize {
    height.max(width).div_ceil(SIDE).max(1)
}

fn drawn(height: usize, width: usize) -> (usize, usize) {
    let step = step(height, width);
    (height.div_ceil(step), width.div_ceil(step))
}

/// Means over squares of the units' planes. Numbers that are not finite count as 0.
fn planes(layout: &Layout, units: &[u64], row: &[f32]) -> Vec<DrawnMap> {
    let Some((height, width)) = layout.plane() else { return Vec::new() };
    let (step, (drawn_height, drawn_width)) = (step(height, width), drawn(height, width));
    let mut sums = vec![vec![0.0; drawn_height * drawn_width]; units.len()];
    layout.each(row, |unit, position, number| {
        if let Ok(at) = units.binary_search(&(unit as u64)) {
            let (down, across) = (position / width / step, position % width / step);
            let n = step.min(height - down * step) * step.min(width - across * step);
            let number = if number.is_finite() { f64::from(number) } else { 0.0 };
            sums[at][down * drawn_width + across] += number / n as f64;
        }
    });
    sums.iter().map(|plane| DrawnMap::new(Vec::new(), plane)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(unit: u64, std: Option<f64>) -> LayerUnit {
        LayerUnit {
            layer: "relu".into(),
            unit,
            n: 10,
            mean: None,
            std,
            zero_fraction: None,
            minimum: None,
            maximum: None,
            is_dead: None,
        }
    }

    #[test]
    fn units_that_spread_most_are_taken_and_constant_ones_never() {
        let units = [unit(0, Some(1.0)), unit(1, Some(3.0)), unit(2, Some(0.0)), unit(3, None), unit(4, Some(1.0))];
        assert_eq!(widest(units.iter(), 2), [0, 1]);
        assert_eq!(widest(units.iter(), 12), [0, 1, 4]);
    }

    #[test]
    fn a_plane_is_the_same_wherever_its_channels_lie() {
        let value = |unit: usize, at: usize| (100 * unit + at) as f32;
        let first: Vec<f32> = (0..3).flat_map(|unit| (0..6).map(move |at| value(unit, at))).collect();
        let last: Vec<f32> = (0..6).flat_map(|at| (0..3).map(move |unit| value(unit, at))).collect();
        let found = planes(&Layout::new(&[3, 2, 3], Some(0)), &[0, 2], &first);
        assert_eq!(found, planes(&Layout::new(&[2, 3, 3], Some(2)), &[0, 2], &last));
        assert_eq!((found.len(), found[0].largest, found[1].largest), (2, 5.0, 205.0));
        assert_eq!((found[1].attribution(5), found[0].attribution(0)), (205.0, 0.0));
    }

    #[test]
    fn large_planes_shrink_to_means_of_squares_whole_or_cut() {
        // 65 numbers a side: three become one pixel, and two in the last row and column.
        let ones = vec![1.5; 65 * 65];
        let found = planes(&Layout::new(&[1, 65, 65], None), &[0], &ones);
        assert_eq!((drawn(65, 65), found[0].parts.0.len()), ((22, 22), 484));
        assert!((0..484).all(|at| (found[0].attribution(at) - 1.5).abs() < 1e-9));
        assert_eq!((drawn(32, 7), drawn(1, 33), drawn(1, 1)), ((32, 7), (1, 17), (1, 1)));
    }

    #[test]
    fn what_is_not_finite_is_nothing() {
        let found = planes(&Layout::new(&[1, 1, 3], None), &[0], &[f32::NAN, 2.0, f32::INFINITY]);
        assert_eq!((found[0].largest, found[0].attribution(0), found[0].attribution(2)), (2.0, 0.0, 0.0));
    }
}
