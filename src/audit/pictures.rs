//! What an audit says of pictures: which of them, with their maps, and the mean maps of classes and groups.

use super::Octets;
use serde::{Deserialize, Serialize};

/// Pictures and maps, made small enough to be looked at; whole maps are in `attribution_maps`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Pictures {
    /// Pixels of what the model takes.
    pub height: u64,
    pub width: u64,
    pub channels: u64,
    /// Pixels of what is kept here: each stands for the same number of the model's, in both directions.
    pub drawn_height: u64,
    pub drawn_width: u64,
    /// Pictures that were explained, and that the others were chosen from.
    pub n_explained: u64,
    /// By class, then confident errors.
    pub overlays: Vec<Overlay>,
    pub mean_maps: Vec<MeanMap>,
}

/// One picture with its map.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Overlay {
    pub row_id: String,
    /// "most certain", "least certain", "highest", "lowest", "confident error", "largest error".
    pub chosen_as: String,
    /// The class decided for; "" for regressions.
    pub decision: String,
    pub label: Option<String>,
    /// The output that the map explains.
    pub output: String,
    /// What the model reports: the probability of the decision, or the value.
    pub score: f64,
    /// The most probable classes, the first the most.
    pub probabilities: Vec<Probability>,
    pub map: DrawnMap,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Probability {
    pub class: String,
    pub probability: f64,
}

/// The mean map of explained rows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MeanMap {
    /// "" for a class that rows were decided for.
    pub attribute: String,
    /// The group, or the class.
    pub group_value: String,
    pub n: u64,
    pub map: DrawnMap,
}

/// Attributions of `drawn_height` × `drawn_width` pixels, over the picture's shades.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DrawnMap {
    /// From black (0) to white (255).
    pub shades: Octets,
    /// The largest absolute attribution of a drawn pixel; attributions of the pixels it stands for are added.
    pub largest: f64,
    /// Square roots of parts of the largest, so that one extreme does not blot out the rest: 1 is −127, 128 is 0, 255 is
    /// +127 of 127.
    pub parts: Octets,
}

/// How often rows of one class were decided for one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ConfusionCell {
    pub label: String,
    pub decision: String,
    pub n: u64,
    pub weight: f64,
}

/// The same among the rows of a group.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct GroupConfusion {
    pub attribute: String,
    pub group_value: String,
    #[serde(flatten)]
    pub cell: ConfusionCell,
}

/// A mean map at full precision; the `mean_maps` rows.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredMeanMap {
    /// "" for a class that rows were decided for.
    pub attribute: String,
    pub group_value: String,
    pub n: u64,
    pub height: u64,
    pub width: u64,
    /// Pixels on each side of the model's picture whose attributions one number adds up.
    pub step: u64,
    /// Row by row.
    pub values: Vec<f32>,
}

impl DrawnMap {
    /// From full precision.
    pub fn new(shades: Vec<u8>, map: &[f64]) -> Self {
        let largest = map.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
        let root = |value: &f64| (value.abs() / largest).sqrt().copysign(*value);
        let part = |value: &f64| if largest > 0.0 { (root(value) * 127.0).round() + 128.0 } else { 128.0 };
        Self { shades: Octets(shades), largest, parts: Octets(map.iter().map(|value| part(value) as u8).collect()) }
    }

    /// The attribution of a drawn pixel, to 1/127 of the largest, and the finer the smaller it is.
    pub fn attribution(&self, pixel: usize) -> f64 {
        let part = self.parts.0.get(pixel).map_or(0.0, |part| f64::from(*part) - 128.0);
        (part / 127.0).powi(2).copysign(part) * self.largest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributions_are_kept_to_a_small_part_of_the_largest() {
        let values = [0.5, -0.25, 0.0, -0.5, 0.1234];
        let map = DrawnMap::new(vec![0; 5], &values);
        let far = values.iter().enumerate().map(|(at, value)| (map.attribution(at) - value).abs());
        assert!(far.fold(0.0, f64::max) <= 0.5 / 127.0);
        assert_eq!((map.attribution(0), map.attribution(2), map.attribution(3)), (0.5, 0.0, -0.5));
        assert_eq!(DrawnMap::new(vec![0], &[0.0]).attribution(0), 0.0);
    }
}
