//! Pictures as inputs: which column holds one, and its patches as players.

use super::error::conflict;
use super::explaining::{Chosen, Decision};
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

/// How a picture is painted over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Painting {
    pub picture: Picture,
    /// Occlusion: size and steps of the window.
    pub window: (usize, usize),
    pub stride: (usize, usize),
    /// Partition: what is not divided further.
    pub leaf: (usize, usize),
}

/// What a method paints over; `None` where it has nothing to paint.
pub(super) fn painting(decision: &Decision, method: Chosen) -> Result<Option<Painting>, Conflict> {
    if !matches!(method, Chosen::Occlusion | Chosen::Partition) {
        return Ok(None);
    }
    let features = &decision.facts.selection.features;
    let found = match (picture(features), features.as_slice()) {
        (Some((_, picture)), [_]) => picture,
        (None, _) if method == Chosen::Occlusion => return Ok(None),
        _ => {
            let message =
                format!("method \"{}\" paints over a picture, which must be all that the model takes", method.name());
            let help = "use \"exact\", \"kernel\" or \"permutation\", which explain any columns";
            return Err(decision.conflict("method", message, help));
        }
    };
    let pair = |[height, width]: [u32; 2]| (height as usize, width as usize);
    let typed = &decision.explain.occlusion;
    let window = typed.window.map_or((found.height.div_ceil(4), found.width.div_ceil(4)), pair);
    let stride = typed.stride.map_or((window.0.div_ceil(2), window.1.div_ceil(2)), pair);
    let fits = |stride: usize, window: usize| (1..=window).contains(&stride);
    if !fits(stride.0, window.0) || !fits(stride.1, window.1) {
        let message = format!("steps of {stride:?} pixels leave gaps between windows of {window:?}, or never end");
        return Err(decision.conflict(
            "occlusion",
            message,
            "windows have at least one pixel, steps at least one and at most theirs",
        ));
    }
    let patch = decision.loaded.config.data.image.as_ref().and_then(|image| image.patch);
    Ok(Some(Painting { picture: found, window, stride, leaf: patch.map_or((1, 1), pair) }))
}
