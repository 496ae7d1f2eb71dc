//! Attributions as pictures.

use super::exhibition::Exhibition;
use super::players::is_dropped;
use super::thumbnails::Thumbnails;
use crate::dataset::{FeatureSpec, Picture, Want};
use crate::explain::Attributions;
use crate::explain::game::{Part, Players};
use crate::explain::gradient::Map;
use crate::model::differentiable::Differentiable;
use crate::plan::{Plan, picture};
use ndarray::{Array3, s};

/// Pixels of a point's numbers.
pub(super) fn pixels(model: &dyn Differentiable, column: usize, picture: Picture) -> Map {
    let mut pixel_of = vec![u32::MAX; model.width()];
    for stretch in model.layout().iter().filter(|stretch| stretch.column == column) {
        for (at, pixel) in pixel_of[stretch.numbers.clone()].iter_mut().enumerate() {
            *pixel = picture.pixel(stretch.cell + at) as u32;
        }
    }
    Map { n_pixels: picture.n_pixels(), pixel_of }
}

/// What is drawn of the picture that feeds the model; nothing of a column whose values are kept out of everything: maps
/// show outlines.
pub(super) fn exhibition(plan: &Plan) -> Option<Exhibition> {
    let (column, picture) = shown_picture(plan)?;
    let Want::Tensor { scale, .. } = &plan.selection.features[column].want else { return None };
    let attributes = plan.groups.attributes.iter().filter_map(|attribute| match attribute.columns.as_slice() {
        [column] => Some((*column, attribute.name.clone())),
        _ => None,
    });
    let thumbnails = Thumbnails::new(picture, scale.clone());
    Some(Exhibition::new(thumbnails, column, plan.task, [&plan.classes, &plan.outputs], attributes.collect()))
}

/// The picture that feeds the model and its column, where maps of it may be stored.
pub(super) fn shown_picture(plan: &Plan) -> Option<(usize, Picture)> {
    let features = &plan.selection.features;
    picture(features).filter(|(column, _)| !is_dropped(plan.config(), &features[*column].column))
}

/// Of players that own parts of a picture: each pixel has its even share of its player's value, so that a map adds up to
/// what its players do. `None` where a player owns more, or nobody a part.
pub(super) fn of_patches(players: &Players, picture: Picture, attributions: &Attributions) -> Option<Array3<f32>> {
    let (n_rows, n_outputs, _) = attributions.phi.dim();
    let mut maps = Array3::zeros((n_rows, n_outputs, picture.n_pixels()));
    for (at, player) in players.iter().enumerate() {
        let [Part::Cells { cells, .. }] = player.parts.as_slice() else { return None };
        let values = attributions.phi.slice(s![.., .., at]).mapv(|value| (value / cells.len().max(1) as f64) as f32);
        for cell in cells {
            let mut pixel = maps.slice_mut(s![.., .., picture.pixel(*cell)]);
            pixel += &values;
        }
    }
    Some(maps)
}

/// Numbers of the rows that are explained at a time.
const NUMBERS_AT_ONCE: usize = 1 << 22;

/// A power of two, so that parts of a batch begin at the same rows whatever batch they are in.
pub(super) fn rows_at_once(features: &[FeatureSpec]) -> u64 {
    let width = |feature: &FeatureSpec| match feature.want {
        Want::Tensor { width, .. } => width,
        _ => 0,
    };
    let pictures: usize = features.iter().map(width).sum();
    match pictures {
        0 => u64::MAX,
        width => 1 << (NUMBERS_AT_ONCE / width).max(1).ilog2(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    #[test]
    fn a_patch_is_spread_over_its_pixels_and_adds_up() {
        let picture = Picture { height: 3, width: 4, channels: 2, channels_last: false };
        let players = Players::patches((3, 4, 2), false, (2, 2));
        let phi = Array3::from_shape_fn((1, 1, players.len()), |(_, _, player)| 1.0 + player as f64);
        let attributions = Attributions { phi: phi.clone(), base: Array2::zeros((1, 1)), std_err: None };
        let maps = of_patches(&players, picture, &attributions).unwrap();
        assert!((f64::from(maps.sum()) - phi.sum()).abs() < 1e-5);
        // The first patch has four pixels, those of the lower border two.
        assert_eq!((maps[[0, 0, 0]], maps[[0, 0, 5]], maps[[0, 0, 8]]), (0.25, 0.25, 1.5));
        let whole = Players::columns(&["picture".to_owned()]);
        let attributions = Attributions { phi: Array3::ones((1, 1, 1)), base: Array2::zeros((1, 1)), std_err: None };
        assert_eq!(of_patches(&whole, picture, &attributions), None);
    }
}
