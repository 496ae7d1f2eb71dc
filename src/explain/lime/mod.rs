//! LIME for tables: a linear surrogate of any model near one row (Ribeiro, Singh and Guestrin, KDD 2016).
//!
//! The semantics are those of the `lime` package 0.2.0.1, so that its users find their numbers again, within the spread
//! of its sampling. Around a row:
//! 1. `columns` draws a neighbourhood, column by column, as the training data are distributed: a number's quartile by
//!    the quartiles' shares and a value in it from a truncated normal (`bins`, `truncated`), a category by its share.
//!    Beside the cells for the model it notes the *design*: 1 where the drawn quartile or category is the row's own,
//!    else 0.
//! 2. The model scores the neighbourhood; the first of its rows is the row itself.
//! 3. `products` weighs each drawn row by its nearness, √exp(−d²/w²) for the distance d between designs, and reduces
//!    everything to weighted cross products.
//! 4. `selection` picks the features and `surrogate` fits a ridge regression: its coefficients are the attributions, its
//!    intercept the base, and their sum is the local prediction, which may lie far from the model's: R² says how far.
//! 5. `stability` asks whether another seed would have told the same story.
//!
//! Of a picture, `picture` takes the place of step 1: neighbours keep some of its superpixels (`segments`) and paint the
//! others over. The rest is the same.
//!
//! From step 3 on all is arithmetic on small matrices, so asking about stability costs no further scores. Random numbers
//! belong to (seed, row, column): neither threads nor batches change a digit.

mod bins;
mod columns;
mod error;
mod explainer;
mod lasso;
mod neighbourhood;
mod picture;
mod products;
mod segments;
mod selection;
mod shares;
mod stability;
mod surrogate;
mod sweep;
mod term;
#[cfg(test)]
mod tests;
mod truncated;

pub use error::LimeError;
pub use explainer::LimeExplainer;
pub use picture::{Hidden, PictureLime, PictureResult, Superpixels};
pub use segments::Segments;

use super::Attributions;
use super::game::Scale;
use ndarray::Array2;

/// A surrogate needs at least a few neighbours for every coefficient.
const LEAST_PER_COLUMN: usize = 4;

/// What a column means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimeColumn {
    pub name: String,
    /// A number column whose numbers are codes. Text columns are categories in any case.
    pub categorical: bool,
    /// Names of the codes 0, 1, …; a code beyond them is shown as the number.
    pub levels: Vec<String>,
}

/// How numbers become few values that a row shares with its neighbours or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Discretiser {
    /// Up to four bins between the training data's quartiles.
    Quartile,
    /// Up to ten bins between its deciles.
    Decile,
    /// None: numbers are drawn from a normal, and the surrogate is linear in standardised numbers. A feature's
    /// attribution is then its coefficient (what `lime` reports) times the row's standardised value, so that
    /// attributions and base still sum to the local prediction.
    Off,
}

/// Where numbers are drawn without a discretiser: with the training data's spread around …
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Around {
    /// … its mean.
    Data,
    /// … the row's own number.
    Row,
}

/// What is drawn for a bin that holds a single number, such as the lowest quartile of a column that is mostly 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PointBins {
    /// 0, whatever the number is: `lime` takes the standardised number for the number itself. Needed to find its
    /// results again; wrong for columns where 0 is not that number.
    AsLime,
    /// The number.
    Own,
}

/// Which features the surrogate may use; the others get 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    All,
    /// At most `k`.
    Best {
        k: usize,
        by: Selection,
    },
}

/// How the best features are found, as `lime` calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// Forward selection for at most six features, else highest weights.
    Auto,
    /// One after the other, each time the one that raises R² most.
    Forward,
    /// The largest contributions in a regression on all.
    HighestWeights,
    /// Those that the lasso path uses before it uses more than `k`.
    LassoPath,
}

/// Where the answers of other seeds come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stability {
    NotAsked,
    /// So many bootstrap replicates of the neighbourhood that was scored anyway.
    Resampled {
        replicates: usize,
    },
    /// So many further neighbourhoods, each scored in full.
    Seeds {
        further: usize,
    },
}

/// How to explain.
#[derive(Debug, Clone, PartialEq)]
pub struct LimeSettings {
    /// Model outputs to explain, all from the same scores.
    pub outputs: Vec<usize>,
    pub scale: Scale,
    /// Rows of a neighbourhood, the explained row among them.
    pub samples: usize,
    /// Of the kernel; `None` is 0.75·√(number of columns), of pictures 0.25.
    pub kernel_width: Option<f64>,
    pub discretiser: Discretiser,
    pub around: Around,
    pub point_bins: PointBins,
    pub features: Choice,
    /// Penalty of the surrogate's squared coefficients.
    pub ridge: f64,
    pub stability: Stability,
    pub seed: u64,
}

impl LimeSettings {
    /// `lime`'s defaults with all features, and stability from 20 bootstrap replicates.
    pub fn new(outputs: Vec<usize>, scale: Scale, seed: u64) -> Self {
        Self {
            outputs,
            scale,
            samples: 5_000,
            kernel_width: None,
            discretiser: Discretiser::Quartile,
            around: Around::Data,
            point_bins: PointBins::AsLime,
            features: Choice::All,
            ridge: 1.0,
            stability: Stability::Resampled { replicates: 20 },
            seed,
        }
    }
}

impl LimeSettings {
    /// Scores that one row asks of the model.
    fn evaluations_per_row(&self) -> u64 {
        let further = match self.stability {
            Stability::Seeds { further } => further as u64,
            Stability::NotAsked | Stability::Resampled { .. } => 0,
        };
        self.samples as u64 * (1 + further)
    }

    /// # Errors
    /// No outputs, or a kernel or penalty that is not above 0.
    fn check(&self) -> Result<(), LimeError> {
        if self.outputs.is_empty() {
            return Err(LimeError::NoOutputs);
        }
        let is_positive = |x: f64| x.is_finite() && x > 0.0;
        let expected = "it must be above 0";
        if let Some(value) = self.kernel_width.filter(|width| !is_positive(*width)) {
            return Err(LimeError::Setting { name: "the kernel's width", value, expected });
        }
        if !is_positive(self.ridge) {
            return Err(LimeError::Setting { name: "the ridge penalty", value: self.ridge, expected });
        }
        Ok(())
    }
}

/// Explanations of some rows.
#[derive(Debug, Clone, PartialEq)]
pub struct LimeResult {
    /// Weights of the surrogates, `[rows × outputs × features]`, their intercepts as `base`, and as `std_err` how far
    /// another seed would move the weights (`None` where that was not asked).
    pub attributions: Attributions,
    /// What each weight is for, `terms[row][feature]`: "age > 48", "28 < age <= 37", "sex = Female".
    pub terms: Vec<Vec<String>>,
    /// `[rows × outputs]`.
    pub fits: Array2<LocalFit>,
}

/// A row's surrogate as a whole.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LocalFit {
    pub intercept: f64,
    /// The surrogate's answer for the row itself.
    pub local_prediction: f64,
    /// Weighted R² over the neighbourhood; `None` where the model says the same everywhere.
    pub r2: Option<f64>,
    /// How much the leading features of any two seeds agree: 1 is always the same five features with the same signs, 0
    /// never one in common (the variables stability index of Visani et al. 2022, with signs). `None` if not asked.
    pub stability: Option<f64>,
}
