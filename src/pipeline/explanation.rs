//! What a method says of some rows.

use crate::explain::Attributions;
use crate::explain::lime::LocalFit;
use ndarray::{Array2, Array3};

/// Attributions of some rows, with the surrogates that they are of.
pub struct Explanation {
    pub attributions: Attributions,
    /// For methods that fit a surrogate to each row.
    pub surrogates: Option<Surrogates>,
    /// Of pictures, `[rows × outputs × pixels]`, where the method knows single pixels.
    pub maps: Option<Array3<f32>>,
}

/// Surrogates of some rows.
pub struct Surrogates {
    /// What each attribution is for, `[row][column]`.
    pub terms: Vec<Vec<String>>,
    /// `[rows × outputs]`.
    pub fits: Array2<LocalFit>,
}

impl Explanation {
    /// Of all outputs, each row's decision.
    pub fn of_decision(self, index: &[u32]) -> Self {
        Self {
            attributions: of_decision(&self.attributions, index),
            surrogates: self.surrogates.map(|surrogates| Surrogates {
                fits: column_of(index, |row, output| surrogates.fits[[row, output]]),
                terms: surrogates.terms,
            }),
            maps: self.maps,
        }
    }
}

/// Of all outputs' attributions, each row's decision.
fn of_decision(attributions: &Attributions, index: &[u32]) -> Attributions {
    let n_players = attributions.phi.shape()[2];
    let pick = |from: &Array3<f64>| {
        Array3::from_shape_fn((index.len(), 1, n_players), |(row, _, player)| from[[row, index[row] as usize, player]])
    };
    Attributions {
        phi: pick(&attributions.phi),
        base: column_of(index, |row, output| attributions.base[[row, output]]),
        std_err: attributions.std_err.as_ref().map(pick),
    }
}

/// `[rows × 1]` of each row's value for its decision.
fn column_of<T>(index: &[u32], value: impl Fn(usize, usize) -> T) -> Array2<T> {
    Array2::from_shape_fn((index.len(), 1), |(row, _)| value(row, index[row] as usize))
}
