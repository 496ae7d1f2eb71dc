//! Pictures as inputs: which column holds one, and its patches as players.

use super::error::conflict;
use crate::config::Conflict;
use crate::dataset::{FeatureSpec, Picture, Want};
use crate::explain::game::Players;

/// The picture that feeds the model, and its position among the columns.
pub fn picture(features: &[FeatureSpec]) -> Option<(usize, Picture)> {
    features.iter().enumerate().find_map(|(at, feature)| match feature.want {
        Want::Tensor { picture, .. } => Some((at, picture?)),
        _ => None,
    })
}

/// Patches of `[height, width]` pixels as players.
pub fn patches(features: &[FeatureSpec], [height, width]: [u32; 2]) -> Result<Players, Conflict> {
    let refused = |reason: &str| {
        let help = "patches are for models whose only input is a picture of fixed height and width";
        conflict("data.image.patch", reason, help)
    };
    let (_, picture) = picture(features).ok_or_else(|| refused("the model's input has no height and width"))?;
    match features {
        [_] if height > 0 && width > 0 => Ok(Players::patches(
            (picture.height, picture.width, picture.channels),
            picture.channels_last,
            (height as usize, width as usize),
        )),
        [_] => Err(refused("a patch has at least one pixel")),
        _ => Err(refused("the model takes other columns beside the picture")),
    }
}
