//! What a model relies on overall.
//!
//! Permutation importance: how much a metric gets worse when one player's values are shuffled among the rows
//! (Breiman 2001; Fisher, Rudin and Dominici 2019). It needs labels and the model, no background. It runs on a seeded
//! `sample` of the rows that fits in memory; `metric` scores predictions against labels; `permutation` shuffles,
//! predicts and compares. Shuffling breaks a column's ties with all others, so correlated columns share importance
//! between them or are judged on rows that do not occur: group them as one player where that matters.

mod classification;
pub mod dependence;
mod error;
mod metric;
mod permutation;
mod regression;
mod sample;

pub use error::ImportanceError;
pub use metric::{Metric, Task};
pub use permutation::{PermutationImportance, Settings, Undefined, permutation_importance};
pub use sample::{DEFAULT_CAP, Reservoir, Sample};
