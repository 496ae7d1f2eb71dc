//! Exact Shapley values of tree ensembles, for players that own one or more of the forest's features.
//!
//! Every engine starts from the same fact: a leaf of value v pays v if every player with a test on its path agrees, so a
//! tree is a sum of small product games. `paths` reads these games off a tree, `weights` knows what joining is worth.
//!
//! - `tables` (bulk): rows are quantised by all cuts (`cuts`), leaves of a tree are grouped (`merge`), each group
//!   becomes one lookup table (`pattern`, `table`), rows add table entries (`kernel`, `simd`).
//! - `cohort` (interventional, few rows or deep trees): a row walks each tree with the whole background as bit sets.
//! - `quadrature` (path-dependent, few rows or deep trees): Gauss–Legendre quadrature along one depth-first walk.
//!
//! `router` estimates what each would cost and chooses before the first row, from totals only: batches and threads never
//! change a digit. Work runs on the current rayon pool.

mod agreement;
mod cohort;
mod cover;
mod ensemble;
pub(crate) mod gauss;
mod kernel;
mod lanes;
mod layout;
mod merge;
mod pairs;
mod paths;
mod pattern;
mod quadrature;
mod router;
mod simd;
mod slots;
mod survey;
mod table;
mod tables;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod walk;
mod weights;

pub use cover::Cover;
pub use ensemble::Players;
pub use router::{Algorithm, Estimate};

use crate::explain::Attributions;
use crate::forest::cuts::Cuts;
use crate::forest::{Forest, Link};
use ensemble::Ensemble;
use ndarray::{Array2, Array3, ArrayView2};
use pattern::Target;
use router::{Absence, Engine, route};
use weights::logistic;

/// What absent players do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// They take the values of a background's rows.
    Interventional,
    /// They follow the trees' cover.
    PathDependent,
}

/// What is explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scale {
    /// The forest's raw output.
    #[default]
    Margin,
    /// The logistic of the raw output, by rescaling: against each background row the margin's values are multiplied by
    /// (σ(f(x)) − σ(f(z))) / (f(x) − f(z)). It adds up to the probability, but is not its Shapley value. Interventional
    /// only.
    Probability,
}

/// Sizes that decide which engine runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    pub scale: Scale,
    /// Rows that will be explained in all, over all batches.
    pub expected_rows: usize,
    /// Most memory that tables may take for a whole run, in bytes.
    pub table_bytes: usize,
    /// Whether [`TreeExplainer::interactions`] will be asked for.
    pub interactions: bool,
    /// Algorithm to use where it can, instead of the one with the smallest estimate.
    pub algorithm: Option<Algorithm>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            scale: Scale::Margin,
            expected_rows: 50_000,
            table_bytes: 256 << 20,
            interactions: false,
            algorithm: None,
        }
    }
}

/// What keeps a forest, a background or rows from being explained.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TreeError {
    #[error("tree {tree}, node {node}: {what}")]
    Malformed { tree: usize, node: usize, what: &'static str },
    #[error("tree {tree} is deeper than {limit} splits; use a model-agnostic method")]
    TooDeep { tree: usize, limit: usize },
    #[error("output {found} was asked for, but the forest has {n_outputs}")]
    Output { found: usize, n_outputs: usize },
    #[error("{found} features have a player, but the forest has {expected} features")]
    PlayerMap { found: usize, expected: usize },
    #[error("feature {feature} belongs to player {found}, but there are {n_players} players")]
    Player { feature: usize, found: u32, n_players: usize },
    #[error("rows have {found} columns, but the forest has {expected} features")]
    Width { found: usize, expected: usize },
    #[error("the background has no rows; give at least one")]
    EmptyBackground,
    #[error("the cover has {found} trees, but the forest has {expected}")]
    CoverTrees { found: usize, expected: usize },
    #[error("the cover of tree {tree} has {found} nodes, but the tree has {expected}")]
    CoverNodes { tree: usize, found: usize, expected: usize },
    #[error("the cover of tree {tree}, node {node} is {found}; it must be a number ≥ 0")]
    CoverValue { tree: usize, node: usize, found: f64 },
    #[error(
        "the probability scale needs a background (interventional values) and a logistic link; use the margin scale"
    )]
    NoProbability,
}

/// Interactions of a batch, only between players that share a path.
///
/// The sum over all pairs, diagonal included, plus the base is the explained score.
#[derive(Debug, Clone, PartialEq)]
pub struct Interactions {
    /// Pairs of players `(a, b)`, a ≤ b, ascending.
    pub pairs: Vec<(u32, u32)>,
    /// `[rows × outputs × pairs]`: for a < b the symmetric pair's total, for a = b the player's main effect.
    pub values: Array3<f64>,
}

/// Explains one forest; made once for a run, then shared by threads and batches.
#[derive(Debug)]
pub struct TreeExplainer {
    kind: Kind,
    n_features: usize,
    /// Mean score without any player's value, one per output.
    base: Vec<f64>,
    attributions: Engine,
    interactions: Option<Engine>,
}

impl TreeExplainer {
    /// Interventional values against `background` `[rows × n_features]`, NaN = missing, rows weighted equally.
    ///
    /// # Errors
    /// A malformed forest or player map, an output that does not exist, a background without rows or of another width,
    /// a probability scale without a logistic link.
    pub fn interventional(
        forest: &Forest,
        players: &Players,
        background: ArrayView2<f64>,
        outputs: &[usize],
        options: &Options,
    ) -> Result<Self, TreeError> {
        check_width(forest, background.view())?;
        if background.nrows() == 0 {
            return Err(TreeError::EmptyBackground);
        }
        if options.scale == Scale::Probability && forest.link != Link::Logistic {
            return Err(TreeError::NoProbability);
        }
        let ensemble = Ensemble::new(forest, players, outputs)?;
        let cuts = Cuts::of(&ensemble.forest);
        let bins = cuts.quantise_parallel(background.view());
        let (base, margins) = match options.scale {
            Scale::Margin => (ensemble.mean_margin(&cuts, &bins), vec![]),
            Scale::Probability => {
                let margins = ensemble.margins(background.view());
                (mean_probability(&margins, ensemble.n_outputs()), margins)
            }
        };
        let absence = Absence::Background { bins, margins };
        Ok(Self::new(Kind::Interventional, &ensemble, &cuts, &absence, base, options))
    }

    /// Path-dependent values with the trees' `cover`.
    ///
    /// # Errors
    /// A malformed forest or player map, an output that does not exist, a probability scale.
    pub fn path_dependent(
        forest: &Forest,
        players: &Players,
        cover: &Cover,
        outputs: &[usize],
        options: &Options,
    ) -> Result<Self, TreeError> {
        if options.scale == Scale::Probability {
            return Err(TreeError::NoProbability);
        }
        cover.check(forest)?;
        let ensemble = Ensemble::new(forest, players, outputs)?;
        let base = cover.mean_margin(&ensemble.forest);
        let cuts = Cuts::of(&ensemble.forest);
        Ok(Self::new(Kind::PathDependent, &ensemble, &cuts, &Absence::Cover(cover), base, options))
    }

    fn new(kind: Kind, ensemble: &Ensemble, cuts: &Cuts, absence: &Absence, base: Vec<f64>, options: &Options) -> Self {
        let engine = |target| route(ensemble, cuts, absence, target, options);
        Self {
            kind,
            n_features: ensemble.forest.n_features,
            base,
            attributions: engine(Target::Players),
            interactions: options.interactions.then(|| engine(Target::Pairs)),
        }
    }

    /// Shapley values of rows `[rows × n_features]`.
    ///
    /// # Errors
    /// Rows of another width than the forest's.
    pub fn explain(&self, rows: ArrayView2<f64>) -> Result<Attributions, TreeError> {
        self.check_rows(rows.view())?;
        let slots = self.attributions.slots();
        let mut phi = Array3::zeros((rows.nrows(), slots.n_outputs, slots.len()));
        if let Some(out) = phi.as_slice_mut() {
            self.attributions.explain(rows.view(), out);
        }
        let base = Array2::from_shape_fn((rows.nrows(), slots.n_outputs), |(_, output)| self.base[output]);
        Ok(Attributions { phi, base, std_err: None })
    }

    /// Shapley interaction values of rows `[rows × n_features]`; `None` unless they were announced in [`Options`].
    ///
    /// # Errors
    /// Rows of another width than the forest's.
    pub fn interactions(&self, rows: ArrayView2<f64>) -> Result<Option<Interactions>, TreeError> {
        self.check_rows(rows.view())?;
        let Some(engine) = &self.interactions else { return Ok(None) };
        let slots = engine.slots();
        let mut found = vec![0.0; rows.nrows() * slots.row()];
        engine.explain(rows.view(), &mut found);
        Ok(Some(slots.interactions(rows.nrows(), &found)))
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The algorithm at work, e.g. "merged-leaf tables".
    pub fn engine(&self) -> &str {
        self.attributions.name()
    }

    /// What explaining was estimated to take.
    pub fn estimate(&self) -> Estimate {
        self.attributions.estimate()
    }

    /// Mean score without any player's value, one per output.
    pub fn base(&self) -> &[f64] {
        &self.base
    }

    #[cfg(test)]
    fn with_simd(self, simd: crate::forest::simd::Simd) -> Self {
        let interactions = self.interactions.map(|engine| engine.with_simd(simd));
        Self { attributions: self.attributions.with_simd(simd), interactions, ..self }
    }

    fn check_rows(&self, rows: ArrayView2<f64>) -> Result<(), TreeError> {
        if rows.ncols() == self.n_features {
            Ok(())
        } else {
            Err(TreeError::Width { found: rows.ncols(), expected: self.n_features })
        }
    }
}

fn check_width(forest: &Forest, rows: ArrayView2<f64>) -> Result<(), TreeError> {
    if rows.ncols() == forest.n_features {
        Ok(())
    } else {
        Err(TreeError::Width { found: rows.ncols(), expected: forest.n_features })
    }
}

fn mean_probability(margins: &[f64], n_outputs: usize) -> Vec<f64> {
    let n_rows = (margins.len() / n_outputs.max(1)) as f64;
    let of_output = |output: usize| margins.iter().skip(output).step_by(n_outputs).map(|margin| logistic(*margin));
    (0..n_outputs).map(|output| of_output(output).sum::<f64>() / n_rows).collect()
}
