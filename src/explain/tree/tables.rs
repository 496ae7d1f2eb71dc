//! Bulk engine: merged-leaf tables for both kinds of Shapley values.
//!
//! Rows are quantised once; each group of leaves costs a row one lookup and a few register additions. A row's sums are
//! made table by table in the forest's order, so neither threads nor batches can change them. Tables are kept if they
//! fit the limit, else a part of them is built, used on the whole batch and dropped.

use super::Options;
use super::ensemble::Ensemble;
use super::kernel::{Keys, LANES, Line, Place, Spread, ZERO};
use super::layout::Lanes;
use super::merge::Limits;
use super::router::parts_within;
use super::slots::Slots;
use super::table::{Absent, Context, Lookup, Scratch, TreePlan, TreeTables};
use super::weights::Weights;
use crate::forest::cuts::{BLOCK, Bins, Cuts};
use crate::forest::simd::Simd;
use ndarray::{ArrayView2, s};
use rayon::prelude::*;
use std::ops::Range;

/// Rows that one thread takes at a time, at most.
const TASK_ROWS: usize = 4096;
/// So few rows come in one batch: their tables are built part by part, used while they are in cache, and dropped.
const ONE_BATCH: usize = 4096;
/// Tables that stay in a core's second-level cache while rows pass by.
const CACHED_BYTES: usize = 512 << 10;
/// Tables whose keys are made together, so that a row's sums stay in registers.
const TOGETHER: usize = 8;

/// Tables of a forest, built or planned.
#[derive(Debug)]
pub(super) struct Tables {
    cuts: Cuts,
    slots: Slots,
    weights: Weights,
    simd: Simd,
    /// Votes of each tree.
    votes: Vec<Vec<(u32, f64)>>,
    store: Store,
}

#[derive(Debug)]
enum Store {
    Kept(Vec<TreeTables>),
    Streamed {
        plans: Vec<TreePlan>,
        absent: Absent,
        /// Ranges of trees whose tables are built, used on a whole batch, and dropped.
        parts: Vec<Range<usize>>,
        /// Whether several batches will come.
        again: bool,
    },
}

/// Rows of one task: their bytes and their sums so far, `[row × outputs × lines]`.
struct Task {
    bins: Bins,
    sums: Vec<Line>,
}

impl Tables {
    /// Plans the tables and builds those that fit into `table_bytes`.
    pub fn new(
        ensemble: &Ensemble,
        cuts: Cuts,
        absent: Absent,
        slots: Slots,
        limits: Limits,
        options: &Options,
    ) -> Self {
        let trees = &ensemble.forest.trees;
        let cover = match &absent {
            Absent::Cover(cover) => Some(cover),
            Absent::Background(_) => None,
        };
        let planned = (0..trees.len()).into_par_iter().map(|tree| TreePlan::new(ensemble, tree, cover, &slots, limits));
        let plans: Vec<TreePlan> = planned.collect();
        let most = plans.iter().map(TreePlan::most_players).max().unwrap_or(0);
        let mut tables = Self {
            cuts,
            weights: Weights::up_to(most),
            simd: Simd::detect(),
            votes: trees.iter().map(|tree| tree.votes.clone()).collect(),
            store: Store::Kept(vec![]),
            slots,
        };
        let bytes: Vec<usize> = plans.iter().map(|plan| plan.table_bytes(&tables.slots)).collect();
        let in_one_batch = options.expected_rows <= ONE_BATCH;
        let at_once = if in_one_batch { options.table_bytes.min(CACHED_BYTES) } else { options.table_bytes };
        let parts = parts_within(bytes.into_iter(), at_once);
        tables.store = if parts.len() <= 1 {
            Store::Kept(tables.build(&plans, &absent, 0..plans.len()))
        } else {
            Store::Streamed { plans, absent, parts, again: !in_one_batch }
        };
        tables
    }

    #[cfg(test)]
    pub fn with_simd(mut self, simd: Simd) -> Self {
        self.simd = simd;
        self
    }

    /// Whether tables do not fit the limit, so that each batch builds them again.
    pub fn are_built_again(&self) -> bool {
        matches!(self.store, Store::Streamed { again: true, .. })
    }

    pub fn slots(&self) -> &Slots {
        &self.slots
    }

    fn build(&self, plans: &[TreePlan], absent: &Absent, trees: Range<usize>) -> Vec<TreeTables> {
        let context = Context { cuts: &self.cuts, absent, slots: &self.slots, weights: &self.weights, simd: self.simd };
        let of_tree = |scratch: &mut Scratch, tree: usize| plans[tree].build(&self.votes[tree], &context, scratch);
        trees.into_par_iter().map_init(Scratch::default, of_tree).collect()
    }

    /// Writes the slots of rows `[rows × n_features]` to `out`, `[rows × outputs × slots]`.
    pub fn explain(&self, rows: ArrayView2<f64>, out: &mut [f64]) {
        let n_each = rows.nrows().div_ceil(rayon::current_num_threads()).next_multiple_of(BLOCK).min(TASK_ROWS);
        let starts = (0..rows.nrows()).into_par_iter().step_by(n_each.max(1));
        let mut tasks: Vec<Task> =
            starts.map(|from| self.start(rows.slice(s![from..rows.nrows().min(from + n_each), ..]))).collect();
        match &self.store {
            Store::Kept(tables) => self.add(tables, &mut tasks),
            Store::Streamed { plans, absent, parts, .. } => {
                parts.iter().for_each(|part| self.add(&self.build(plans, absent, part.clone()), &mut tasks));
            }
        }
        let out = out.par_chunks_mut((n_each * self.slots.row()).max(1));
        tasks.into_par_iter().zip(out).for_each(|(task, out)| self.finish(&task.sums, out));
    }

    fn start(&self, rows: ArrayView2<f64>) -> Task {
        let bins = self.cuts.quantise(rows);
        let sums = vec![ZERO; bins.n_blocks() * BLOCK * self.stride()];
        Task { bins, sums }
    }

    /// Lines of a row of sums.
    fn stride(&self) -> usize {
        self.slots.n_outputs * self.slots.lines()
    }

    fn add(&self, tables: &[TreeTables], tasks: &mut [Task]) {
        let lookups: Vec<Lookup> = tables.iter().flat_map(TreeTables::lookups).collect();
        let chunks = cached_chunks(&lookups);
        tasks.par_iter_mut().for_each(|task| {
            for chunk in &chunks {
                let blocks = task.sums.chunks_exact_mut((BLOCK * self.stride()).max(1)).enumerate();
                blocks.for_each(|(block, sums)| self.add_chunk(chunk, task.bins.block(block), sums));
            }
        });
    }

    fn add_chunk(&self, lookups: &[Lookup], block: &[u8], sums: &mut [Line]) {
        let mut keys = [Keys::NONE; TOGETHER];
        for run in lookups.chunk_by(|a, b| a.lanes.alike(b.lanes)) {
            for lookups in run.chunks(TOGETHER) {
                for (lookup, keys) in lookups.iter().zip(&mut keys) {
                    self.simd.keys(block, lookup.terms, lookup.last, keys);
                }
                self.add_entries(lookups, &keys[..lookups.len()], sums);
            }
        }
    }

    /// Adds the entries of lookups that are alike.
    fn add_entries(&self, lookups: &[Lookup], keys: &[Keys], sums: &mut [Line]) {
        let width = self.slots.lines();
        let place = |output: usize| Place { offset: output * width, width, stride: self.stride() };
        let n = lookups.len();
        match lookups[0].lanes {
            Lanes::Dense { output } => {
                let mut tables: [&[Line]; TOGETHER] = [&[]; TOGETHER];
                tables.iter_mut().zip(lookups).for_each(|(table, lookup)| *table = lookup.entries);
                self.simd.add_entries(sums, place(*output), &tables[..n], keys);
            }
            Lanes::Packed { output, spread } => {
                let mut tables: [(&[Line], &Spread); TOGETHER] = [(&[], spread); TOGETHER];
                for (table, lookup) in tables.iter_mut().zip(lookups) {
                    let Lanes::Packed { spread, .. } = lookup.lanes else { continue };
                    *table = (lookup.entries, spread);
                }
                self.simd.add_packed(sums, place(*output), &tables[..n], keys);
            }
            Lanes::Scattered(positions) => {
                let width = positions.len().div_ceil(LANES);
                for (key, sums) in keys[0].as_slice().iter().zip(sums.chunks_exact_mut(self.stride())) {
                    scatter(&lookups[0].entries[*key as usize * width..][..width], positions, sums);
                }
            }
        }
    }

    /// Drops the padding.
    fn finish(&self, sums: &[Line], out: &mut [f64]) {
        let (slots, lines) = (self.slots.len(), self.slots.lines());
        for (out, sums) in out.chunks_exact_mut(slots.max(1)).zip(sums.chunks_exact(lines.max(1))) {
            out.chunks_mut(LANES).zip(sums).for_each(|(out, sums)| out.copy_from_slice(&sums.0[..out.len()]));
        }
    }
}

fn scatter(entry: &[Line], positions: &[u32], sums: &mut [Line]) {
    for (line, positions) in entry.iter().zip(positions.chunks(LANES)) {
        for (number, position) in line.0.iter().zip(positions) {
            sums[*position as usize / LANES].0[*position as usize % LANES] += number;
        }
    }
}

fn cached_chunks<'a, 't>(tables: &'a [Lookup<'t>]) -> Vec<&'a [Lookup<'t>]> {
    let mut chunks = Vec::new();
    let (mut from, mut bytes) = (0, 0);
    for (at, table) in tables.iter().enumerate() {
        let more = size_of_val(table.entries);
        if at > from && (at - from) % TOGETHER == 0 && bytes + more > CACHED_BYTES {
            chunks.push(&tables[from..at]);
            (from, bytes) = (at, 0);
        }
        bytes += more;
    }
    chunks.push(&tables[from..]);
    chunks
}
