//! Which engine explains: estimated before the first row, from totals only.
//!
//! The constants are nanoseconds of one core of a 2024 server, measured on boosted trees and forests of depth 3 to 20;
//! they need to be right to a factor of two or so, since engines differ by far more away from the crossings.

use super::Options;
use super::agreement;
use super::cohort::Cohorts;
use super::cover::Cover;
use super::ensemble::Ensemble;
use super::kernel::LANES;
use super::layout::Layout;
use super::merge::Limits;
use super::pairs::PatternPairs;
use super::pattern::Target;
use super::quadrature::Quadrature;
use super::slots::Slots;
use super::survey::Survey;
use super::table::Absent;
use super::tables::Tables;
use crate::forest::cuts::{Bins, Cuts};
#[cfg(test)]
use crate::forest::simd::Simd;
use ndarray::ArrayView2;
use std::ops::Range;

/// Patterns of more players than this take more room than any number of rows pays for.
const MOST_PLAYERS: usize = 12;
/// Features on a path: keys are 16 bits.
const MOST_FEATURES: usize = 14;
/// Rows of a batch, assumed where tables must be built again for each.
const BATCH: f64 = 16_384.0;

/// What absent players do, as given.
pub(super) enum Absence<'a> {
    /// A background, quantised, and its margins `[rows × outputs]` if probabilities are explained.
    Background {
        bins: Bins,
        margins: Vec<f64>,
    },
    Cover(&'a Cover),
}

/// The algorithms there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// Merged-leaf tables, both kinds; paths of up to 12 players.
    Tables,
    /// Pairs of patterns, interventional; paths of up to 64 players.
    Pairs,
    /// Cohort walk, interventional.
    Cohorts,
    /// Gauss–Legendre quadrature, path-dependent.
    Quadrature,
}

/// What explaining all expected rows is expected to take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// On one core of a current machine.
    pub seconds: f64,
    /// Memory beside the rows.
    pub bytes: usize,
}

/// An engine, ready to explain.
#[derive(Debug)]
pub(super) struct Engine {
    kernel: Kernel,
    name: String,
    estimate: Estimate,
}

#[derive(Debug)]
enum Kernel {
    Tables(Tables),
    Pairs(PatternPairs),
    Cohorts(Cohorts),
    Quadrature(Quadrature),
}

impl Engine {
    /// Writes the slots of rows `[rows × n_features]` to `out`, `[rows × outputs × slots]`.
    pub fn explain(&self, rows: ArrayView2<f64>, out: &mut [f64]) {
        match &self.kernel {
            Kernel::Tables(tables) => tables.explain(rows, out),
            Kernel::Pairs(pairs) => pairs.explain(rows, out),
            Kernel::Cohorts(cohorts) => cohorts.explain(rows, out),
            Kernel::Quadrature(quadrature) => quadrature.explain(rows, out),
        }
    }

    pub fn slots(&self) -> &Slots {
        match &self.kernel {
            Kernel::Tables(tables) => tables.slots(),
            Kernel::Pairs(pairs) => pairs.slots(),
            Kernel::Cohorts(cohorts) => cohorts.slots(),
            Kernel::Quadrature(quadrature) => quadrature.slots(),
        }
    }

    #[cfg(test)]
    pub fn with_simd(mut self, simd: Simd) -> Self {
        self.kernel = match self.kernel {
            Kernel::Tables(tables) => Kernel::Tables(tables.with_simd(simd)),
            Kernel::Pairs(pairs) => Kernel::Pairs(pairs.with_simd(simd)),
            Kernel::Cohorts(cohorts) => Kernel::Cohorts(cohorts),
            Kernel::Quadrature(quadrature) => Kernel::Quadrature(quadrature.with_simd(simd)),
        };
        self
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn estimate(&self) -> Estimate {
        self.estimate
    }
}

/// Chooses and builds the engine with the smallest estimate.
pub(super) fn route(ensemble: &Ensemble, cuts: &Cuts, absence: &Absence, target: Target, options: &Options) -> Engine {
    let slots = Slots::new(ensemble, target);
    let costs = Costs { survey: Survey::of(ensemble), slots: &slots, absence, options };
    let (algorithm, estimate) = costs.cheapest();
    let limit = options.table_bytes;
    let kernel = match (algorithm, absence) {
        (Algorithm::Tables, _) => {
            let limits = costs.merge_limits();
            Kernel::Tables(Tables::new(ensemble, cuts.clone(), absence.to_owned(), slots, limits, options))
        }
        (Algorithm::Pairs, Absence::Background { bins, .. }) => {
            Kernel::Pairs(PatternPairs::new(ensemble, cuts, bins, slots, limit))
        }
        (_, Absence::Background { bins, margins }) => {
            let cohorts = Cohorts::new(ensemble, cuts, bins, slots, limit);
            Kernel::Cohorts(cohorts.on_probabilities(margins.clone()))
        }
        (_, Absence::Cover(cover)) => {
            Kernel::Quadrature(Quadrature::new(ensemble.clone(), cover, cuts.clone(), slots, limit))
        }
    };
    Engine { name: name(&kernel), kernel, estimate }
}

fn name(kernel: &Kernel) -> String {
    match kernel {
        Kernel::Tables(tables) if tables.are_built_again() => "merged-leaf tables, built again for each batch".into(),
        Kernel::Tables(_) => "merged-leaf tables".into(),
        Kernel::Pairs(_) => "pattern pairs".into(),
        Kernel::Cohorts(_) => "cohort walk".into(),
        Kernel::Quadrature(quadrature) => format!("quadrature with up to {} points", quadrature.most_points()),
    }
}

impl Absence<'_> {
    fn to_owned(&self) -> Absent {
        match self {
            Absence::Background { bins, .. } => Absent::Background(bins.clone()),
            Absence::Cover(cover) => Absent::Cover((*cover).clone()),
        }
    }
}

/// Estimates for one forest and one run.
struct Costs<'a> {
    survey: Survey,
    slots: &'a Slots,
    absence: &'a Absence<'a>,
    options: &'a Options,
}

impl Costs<'_> {
    /// The cheapest algorithm, of those asked for if any of them can do it.
    fn cheapest(&self) -> (Algorithm, Estimate) {
        let walk = match self.absence {
            Absence::Background { .. } => (Algorithm::Cohorts, self.cohorts()),
            Absence::Cover(_) => (Algorithm::Quadrature, self.quadrature()),
        };
        let tables = self.tables().map(|estimate| (Algorithm::Tables, estimate));
        let pairs = self.pairs().map(|estimate| (Algorithm::Pairs, estimate));
        let all = [Some(walk), tables, pairs].into_iter().flatten();
        let asked = all.clone().filter(|(algorithm, _)| self.options.algorithm == Some(*algorithm));
        let cheaper = |a: &(Algorithm, Estimate), b: &(Algorithm, Estimate)| a.1.seconds.total_cmp(&b.1.seconds);
        asked.min_by(cheaper).or_else(|| all.min_by(cheaper)).unwrap_or(walk)
    }

    /// Merging leaves pays only if enough rows look them up; looking up pairs costs several times as much.
    fn merge_limits(&self) -> Limits {
        let lookups = match self.slots.target() {
            Target::Players => self.options.expected_rows,
            Target::Pairs => self.options.expected_rows.saturating_mul(6),
        };
        match lookups {
            ..1_500 => Limits { cells: 1024, numbers: 16 << 10, run: 1 },
            1_500..12_000 => Limits { cells: 128, numbers: 16 << 10, run: 64 },
            _ => Limits { cells: 512, numbers: 16 << 10, run: 64 },
        }
    }

    fn rows(&self) -> f64 {
        self.options.expected_rows.max(1) as f64
    }

    /// Registers of a table's entry.
    fn entry_lines(&self) -> f64 {
        Layout::of(self.survey.most_players, self.slots.n_outputs, self.slots).width.max(1) as f64
    }

    /// `None` where tables cannot hold the paths, or the scale needs single background rows.
    fn tables(&self) -> Option<Estimate> {
        let survey = &self.survey;
        if self.explains_probability() || survey.most_players > MOST_PLAYERS || survey.most_features > MOST_FEATURES {
            return None;
        }
        let lines = self.entry_lines();
        let merged = self.merge_limits().run > 1;
        let lookups = survey.leaves * if merged { 0.1 } else { 1.0 };
        let values = self.slots.target().n_values(survey.most_players.max(1)) as f64;
        let build = survey.leaves * if merged { 1_800.0 } else { 1_000.0 }
            + survey.patterns * (values / LANES as f64).ceil() * survey.most_players as f64 * 1.5
            + survey.cells * lines * 5.0;
        let background = match self.absence {
            Absence::Background { bins, .. } => bins.n_rows as f64 * lookups * 2.0,
            Absence::Cover(_) => 0.0,
        };
        let bytes = survey.cells * lines * (LANES * 8) as f64;
        let builds = if bytes <= self.options.table_bytes as f64 { 1.0 } else { (self.rows() / BATCH).ceil() };
        let nanoseconds = builds * (build + background) + self.rows() * lookups * (0.5 + 0.4 * lines);
        let bytes = (bytes as usize).min(self.options.table_bytes);
        Some(Estimate { seconds: nanoseconds * 1e-9, bytes })
    }

    /// A margin's values are the same for equal patterns; a probability's are not.
    fn explains_probability(&self) -> bool {
        matches!(self.absence, Absence::Background { margins, .. } if !margins.is_empty())
    }

    /// `None` where patterns cannot hold the paths' players, or the scale needs single background rows.
    fn pairs(&self) -> Option<Estimate> {
        let Absence::Background { bins, .. } = self.absence else { return None };
        if self.explains_probability() || self.survey.most_players > agreement::MOST_PLAYERS {
            return None;
        }
        let n_rows = bins.n_rows as f64;
        let distinct = (self.survey.patterns / self.survey.leaves.max(1.0)).min(n_rows);
        let values = self.slots.target().n_values(self.survey.most_players.max(1)) as f64;
        let by_row = self.survey.leaves * (6.0 + distinct / 64.0 + 0.7 * values);
        let by_batch = self.survey.leaves * (2_000.0 + n_rows * 15.0);
        // Rows are taken 64 at a time.
        let nanoseconds = self.rows().max(16.0) * by_row + (self.rows() / BATCH).ceil() * by_batch;
        let bytes = (self.survey.leaves * bins.n_rows as f64 * 32.0) as usize;
        Some(Estimate { seconds: nanoseconds * 1e-9, bytes: bytes.min(self.options.table_bytes) })
    }

    /// More background rows disagree with a row in more ways, and so visit more nodes, some of them several times.
    fn cohorts(&self) -> Estimate {
        let Absence::Background { bins, margins } = self.absence else {
            return Estimate { seconds: f64::INFINITY, bytes: 0 };
        };
        let words = bins.n_blocks() as f64;
        let n_rows = bins.n_rows as f64;
        let visits = self.survey.nodes * 0.2 * (1.0 + n_rows.log2());
        let by_row = if margins.is_empty() { 0.0 } else { n_rows };
        let pairs = self.slots.len() as f64 / self.slots.n_players.max(1) as f64;
        let nanoseconds = self.rows() * visits * (30.0 + 1.5 * words + 0.2 * by_row + 5.0 * pairs);
        let bytes = (self.survey.nodes * words * 8.0) as usize;
        Estimate { seconds: nanoseconds * 1e-9, bytes: bytes.min(self.options.table_bytes) }
    }

    fn quadrature(&self) -> Estimate {
        let survey = &self.survey;
        let pairs = match self.slots.target() {
            Target::Players => 0.0,
            Target::Pairs => survey.points * (survey.most_players * survey.most_players) as f64 * 0.3,
        };
        let nanoseconds =
            self.rows() * (survey.nodes * 0.6 + survey.points * 0.3 * self.slots.n_outputs as f64 + pairs);
        let bytes = (survey.points * 32.0 + survey.nodes * 96.0) as usize;
        Estimate { seconds: nanoseconds * 1e-9, bytes: bytes.min(self.options.table_bytes) }
    }
}

/// Consecutive pieces that fit `limit` together; a piece that does not fit alone stands alone.
pub(super) fn parts_within(bytes: impl Iterator<Item = usize>, limit: usize) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let (mut from, mut sum, mut end) = (0, 0_usize, 0);
    for (at, more) in bytes.enumerate() {
        if at > from && sum.saturating_add(more) > limit {
            parts.push(from..at);
            (from, sum) = (at, 0);
        }
        sum = sum.saturating_add(more);
        end = at + 1;
    }
    parts.push(from..end);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_fit_the_limit_and_cover_everything() {
        assert_eq!(parts_within([3, 3, 3, 9, 1].into_iter(), 6), vec![0..2, 2..3, 3..4, 4..5]);
        assert_eq!(parts_within([1, 1].into_iter(), 6), vec![0..2]);
        assert_eq!(parts_within([].into_iter(), 6), vec![0..0]);
    }
}
