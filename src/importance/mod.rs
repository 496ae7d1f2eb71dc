//! What a model relies on overall.
//!
//! Permutation importance: how much a metric gets worse when one player's values are shuffled among the rows
//! (Breiman 2001; Fisher, Rudin and Dominici 2019). It needs labels and the model, no background. It runs on a seeded
//! `sample` of the rows that fits in memory; `metric` scores predictions against labels; `permutation` shuffles,
//! predicts and compares: players one by one, groups of columns together, within `strata` or among all rows. Shuffling breaks a column's ties with all others, so correlated columns share importance
//! between them or are judged on rows that do not occur: group them as one player where that matters.
//!
//! Beside it: dependence curves (`dependence`), interactions (`interaction`), Shapley values of the loss (`sage`), shares
//! of the score's variance (`sobol`), elementary effects (`morris`), single changes and the decisions they turn
//! (`local`), and how far methods agree (`agreement`). All ask the model about made-up rows through `answers`, within a
//! budget of such rows.
//!
//! `surrogate` fits a small tree to the model's scores on a sample of scored rows and says how far it follows them.
//!
//! A further sample holds `people`: scored rows with their groups. On it `neighbours` asks whether rows that are alike
//! are decided alike, `flips` scores rows as if they were of another group, and `proxies` says which features tell the
//! group.

pub mod agreement;
mod answers;
mod classification;
pub mod dependence;
mod drawing;
mod error;
mod flips;
mod interaction;
mod local;
mod metric;
mod morris;
mod neighbours;
mod people;
mod permutation;
mod proxies;
mod regression;
mod sage;
mod sample;
mod sobol;
mod strata;
pub mod surrogate;

pub use answers::{Factors, answers};
pub use error::ImportanceError;
pub use flips::as_level;
pub use interaction::{friedman_h, interaction_rows};
pub use local::{Decide, Flip, Sweep};
pub use metric::{Metric, Task};
pub use morris::{morris, trajectories};
pub use neighbours::{Compare, NEIGHBOURS, neighbour_agreement};
pub use people::{PEOPLE, People, PeopleSample};
pub use permutation::{PermutationImportance, Settings, Shuffle, Undefined, shuffles};
pub use proxies::proxy;
pub use sage::{Sage, sage, sage_rows};
pub use sample::{DEFAULT_CAP, Reservoir, Sample};
pub use sobol::{Study, sobol, sobol_samples};
pub use strata::Strata;
