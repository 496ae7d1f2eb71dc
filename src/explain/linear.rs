//! Linear models, exactly: `φ_i = Σ w·(x − E[x])` over the features of player i.
//!
//! For a margin that is a weighted sum of features the interventional Shapley value of a player needs no coalitions:
//! every feature adds the same in all of them (Štrumbelj and Kononenko 2014). Features are those that reach the
//! weights, so one-hot columns and scaled numbers are summed over the raw column they come from. The values explain
//! the margin, before any link.

use crate::explain::Attributions;
use ndarray::{Array1, Array2, Array3, ArrayView1, ArrayView2};

/// Why a linear model cannot be explained with what was given.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LinearError {
    #[error("the linear model has {expected} {what}, {found} were given")]
    Count { what: &'static str, expected: usize, found: usize },
    #[error("output {output} is to be explained, but the linear model has {found}; check `explain.outputs`")]
    Output { output: usize, found: usize },
    #[error("feature {feature} belongs to player {player}, but there are only {n_players} players")]
    Player { feature: usize, player: u32, n_players: usize },
    #[error(
        "feature {feature} is {value} in row {row}; a linear model needs a finite number there, so fill missing values before it"
    )]
    NotFinite { row: usize, feature: usize, value: f64 },
    #[error(
        "the background's mean of feature {feature} is {value}; leave rows with missing values out of the background"
    )]
    Background { feature: usize, value: f64 },
}

/// A linear model with its background, ready to explain rows.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearExplainer {
    /// `[outputs × features]`, explained outputs only.
    weights: Array2<f64>,
    mean: Array1<f64>,
    /// Margin of the mean row, which is the mean margin, `[outputs]`.
    base: Array1<f64>,
    player_of: Vec<u32>,
    n_players: usize,
}

impl LinearExplainer {
    /// `weights` `[outputs × features]`, `intercept` `[outputs]`, `mean` `[features]`: the background's mean of each
    /// feature as it reaches the weights; `player_of` `[features]`: the player each feature belongs to; `outputs`: those
    /// to explain.
    ///
    /// # Errors
    /// Counts that do not fit together, an unknown output or player, or a mean that is not finite.
    pub fn new(
        weights: ArrayView2<f64>,
        intercept: ArrayView1<f64>,
        mean: ArrayView1<f64>,
        player_of: &[u32],
        n_players: usize,
        outputs: &[usize],
    ) -> Result<Self, LinearError> {
        let (n_outputs, n_features) = weights.dim();
        count("intercepts", n_outputs, intercept.len())?;
        count("features", n_features, mean.len())?;
        count("features", n_features, player_of.len())?;
        if let Some(output) = outputs.iter().find(|output| **output >= n_outputs) {
            return Err(LinearError::Output { output: *output, found: n_outputs });
        }
        if let Some(feature) = player_of.iter().position(|player| *player as usize >= n_players) {
            return Err(LinearError::Player { feature, player: player_of[feature], n_players });
        }
        if let Some(feature) = mean.iter().position(|value| !value.is_finite()) {
            return Err(LinearError::Background { feature, value: mean[feature] });
        }
        let weights = weights.select(ndarray::Axis(0), outputs);
        let base = weights.dot(&mean) + intercept.select(ndarray::Axis(0), outputs);
        Ok(Self { weights, mean: mean.to_owned(), base, player_of: player_of.to_vec(), n_players })
    }

    /// Attributions of `rows`, `[rows × features]` as they reach the weights; exact, so without standard errors.
    ///
    /// # Errors
    /// Another number of features, or a value that is not finite.
    pub fn explain(&self, rows: ArrayView2<f64>) -> Result<Attributions, LinearError> {
        count("features", self.mean.len(), rows.ncols())?;
        let mut phi = Array3::zeros((rows.nrows(), self.weights.nrows(), self.n_players));
        for (row, values) in rows.rows().into_iter().enumerate() {
            if let Some(feature) = values.iter().position(|value| !value.is_finite()) {
                return Err(LinearError::NotFinite { row, feature, value: values[feature] });
            }
            for (output, weights) in self.weights.rows().into_iter().enumerate() {
                for (feature, player) in self.player_of.iter().enumerate() {
                    phi[[row, output, *player as usize]] += weights[feature] * (values[feature] - self.mean[feature]);
                }
            }
        }
        let base = Array2::from_shape_fn((rows.nrows(), self.weights.nrows()), |(_, output)| self.base[output]);
        Ok(Attributions { phi, base, std_err: None })
    }
}

fn count(what: &'static str, expected: usize, found: usize) -> Result<(), LinearError> {
    if expected == found { Ok(()) } else { Err(LinearError::Count { what, expected, found }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::batch::{Column, Features};
    use crate::explain::game::{GameExplainer, Method, Players, Rules, Scale};
    use crate::model::predictor::{PredictError, Predictor, Scores};
    use ndarray::{Axis, array};

    /// Two outputs over a one-hot column (features 0–2) and two numbers.
    struct OneHot {
        weights: Array2<f64>,
        intercept: Array1<f64>,
    }

    impl OneHot {
        fn new() -> Self {
            let weights = array![[0.5, -1.0, 2.0, 0.25, -3.0], [1.0, 0.0, -2.0, 4.0, 0.125]];
            Self { weights, intercept: array![0.75, -2.0] }
        }

        /// `[rows × 5]` from codes and numbers.
        fn transform(features: &Features) -> Array2<f64> {
            let number = |column: usize, row: usize| match &features.columns[column] {
                Column::Number(values) => values[row],
                _ => f64::NAN,
            };
            Array2::from_shape_fn((features.n_rows, 5), |(row, feature)| match feature {
                code @ 0..3 => f64::from(u8::from(number(0, row) == code as f64)),
                _ => number(feature - 2, row),
            })
        }
    }

    impl Predictor for OneHot {
        fn predict(&self, features: &Features) -> Result<Scores, PredictError> {
            let margin = Self::transform(features).dot(&self.weights.t()) + &self.intercept;
            Ok(Scores { probability: margin.clone(), margin: Some(margin) })
        }
    }

    fn features(codes: &[f64], a: &[f64], b: &[f64]) -> Features {
        let columns = [codes, a, b].map(|column| Column::Number(column.to_vec())).to_vec();
        Features { n_rows: codes.len(), columns }
    }

    fn explainer(model: &OneHot, mean: &Array1<f64>) -> LinearExplainer {
        LinearExplainer::new(model.weights.view(), model.intercept.view(), mean.view(), &[0, 0, 0, 1, 2], 3, &[0, 1])
            .unwrap()
    }

    #[test]
    fn values_are_those_of_enumeration() {
        let model = OneHot::new();
        let rows = features(&[0.0, 2.0, 1.0], &[1.5, -2.0, 0.0], &[0.1, 7.0, -0.5]);
        let background = features(&[0.0, 1.0, 1.0, 2.0], &[0.0, 1.0, -1.0, 5.0], &[2.0, 0.1, 0.0, 1.0]);
        let mean = OneHot::transform(&background).mean_axis(Axis(0)).unwrap();
        let found = explainer(&model, &mean).explain(OneHot::transform(&rows).view()).unwrap();
        let rules = Rules { method: Method::Exact, scale: Scale::Margin, outputs: vec![0, 1], seed: 0 };
        let players = Players::columns(&["code", "a", "b"].map(String::from));
        let game = GameExplainer::new(&model, &background, players, rules).unwrap();
        let expected = game.explain(&rows, &[0, 1, 2]).unwrap();
        assert!((&found.phi - &expected.phi).iter().all(|gap| gap.abs() < 1e-12));
        assert!((&found.base - &expected.base).iter().all(|gap| gap.abs() < 1e-12));
    }

    #[test]
    fn values_and_base_add_up_to_the_margin() {
        let model = OneHot::new();
        let rows = features(&[0.0, 2.0], &[1e6, -2.0], &[0.1, 7.0]);
        let found =
            explainer(&model, &array![0.5, 0.25, 0.25, 3.0, -1.0]).explain(OneHot::transform(&rows).view()).unwrap();
        let margin = model.predict(&rows).unwrap().margin.unwrap();
        let gaps = found.phi.sum_axis(Axis(2)) + &found.base - margin;
        assert!(gaps.iter().all(|gap| gap.abs() < 1e-9));
    }

    #[test]
    fn missing_values_are_refused_by_place() {
        let model = OneHot::new();
        let explainer = explainer(&model, &Array1::zeros(5));
        let error = explainer.explain(array![[0.0; 5], [0.0, 0.0, 0.0, f64::NAN, 0.0]].view()).unwrap_err();
        assert!(matches!(error, LinearError::NotFinite { row: 1, feature: 3, .. }));
    }

    #[test]
    fn shapes_that_do_not_fit_are_refused() {
        let model = OneHot::new();
        let make = |mean: &[f64], player_of: &[u32], outputs: &[usize]| {
            let mean = ArrayView1::from(mean);
            LinearExplainer::new(model.weights.view(), model.intercept.view(), mean, player_of, 2, outputs).unwrap_err()
        };
        let players = [0, 0, 0, 1, 1];
        assert_eq!(make(&[0.0; 4], &players, &[0]), LinearError::Count { what: "features", expected: 5, found: 4 });
        assert_eq!(make(&[0.0; 5], &players, &[2]), LinearError::Output { output: 2, found: 2 });
        let player = LinearError::Player { feature: 4, player: 2, n_players: 2 };
        assert_eq!(make(&[0.0; 5], &[0, 0, 0, 1, 2], &[0]), player);
        let mean = make(&[0.0, f64::INFINITY, 0.0, 0.0, 0.0], &players, &[0]);
        assert!(matches!(mean, LinearError::Background { feature: 1, .. }));
    }
}
