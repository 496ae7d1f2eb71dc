//! Bulk engine: merged-leaf tables for both kinds of Shapley values.
//!
//! Rows are quantised once; each group of leaves costs a row one lookup and a few register additions. A row's sums are
//! made table by table in the forest's order, so neither threads nor batches can change them. Tables are kept if they
//! fit the limit, else a part of them is built, used on the whole batch and dropped.

use super::cuts::{BLOCK, Bins, Cuts};
use super::ensemble::Ensemble;
use super::kernel::{Keys, LANES, Line, Place, ZERO};
use super::merge::Limits;
use super::router::parts_within;
use super::simd::Simd;
use super::slots::Slots;
use super::table::{Absent, Context, Lanes, Table, TreePlan};
use super::weights::Weights;
use ndarray::{ArrayView2, Axis};
use rayon::prelude::*;
use std::ops::Range;

/// Rows that one thread takes at a time.
const TASK_ROWS: usize = 4096;
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
    Kept(Vec<Table>),
    /// Ranges of trees whose tables fit the limit together.
    Streamed {
        plans: Vec<TreePlan>,
        absent: Absent,
        parts: Vec<Range<usize>>,
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
        table_bytes: usize,
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
        let bytes = plans.iter().map(|plan| plan.table_bytes(&tables.slots));
        let parts = parts_within(bytes, table_bytes);
        tables.store = if parts.len() <= 1 {
            Store::Kept(tables.build(&plans, &absent, 0..plans.len()))
        } else {
            Store::Streamed { plans, absent, parts }
        };
        tables
    }

    #[cfg(test)]
    pub fn with_simd(mut self, simd: Simd) -> Self {
        self.simd = simd;
        self
    }

    pub fn is_streamed(&self) -> bool {
        matches!(self.store, Store::Streamed { .. })
    }

    pub fn slots(&self) -> &Slots {
        &self.slots
    }

    fn build(&self, plans: &[TreePlan], absent: &Absent, trees: Range<usize>) -> Vec<Table> {
        let context = Context { cuts: &self.cuts, absent, slots: &self.slots, weights: &self.weights, simd: self.simd };
        let of_tree = |tree: usize| plans[tree].build(&self.votes[tree], &context);
        let built: Vec<Vec<Table>> = trees.into_par_iter().map(of_tree).collect();
        built.into_iter().flatten().collect()
    }

    /// Writes the slots of rows `[rows × n_features]` to `out`, `[rows × outputs × slots]`.
    pub fn explain(&self, rows: ArrayView2<f64>, out: &mut [f64]) {
        let start = |rows: ArrayView2<f64>| self.start(rows);
        let mut tasks: Vec<Task> =
            (0..rows.nrows().div_ceil(TASK_ROWS)).into_par_iter().map(|task| start(task_rows(&rows, task))).collect();
        match &self.store {
            Store::Kept(tables) => self.add(tables, &mut tasks),
            Store::Streamed { plans, absent, parts } => {
                parts.iter().for_each(|part| self.add(&self.build(plans, absent, part.clone()), &mut tasks));
            }
        }
        let out = out.par_chunks_mut(TASK_ROWS * self.slots.row().max(1));
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

    fn add(&self, tables: &[Table], tasks: &mut [Task]) {
        let chunks = cached_chunks(tables);
        tasks.par_iter_mut().for_each(|task| {
            for chunk in &chunks {
                let blocks = task.sums.chunks_exact_mut((BLOCK * self.stride()).max(1)).enumerate();
                blocks.for_each(|(block, sums)| self.add_chunk(chunk, task.bins.block(block), sums));
            }
        });
    }

    fn add_chunk(&self, tables: &[Table], block: &[u8], sums: &mut [Line]) {
        let mut keys = [Keys::NONE; TOGETHER];
        for run in tables.chunk_by(|a, b| matches!(a.lanes, Lanes::Dense { .. }) && a.lanes == b.lanes) {
            for tables in run.chunks(TOGETHER) {
                for (table, keys) in tables.iter().zip(&mut keys) {
                    self.simd.keys(block, &table.terms, table.last, keys);
                }
                self.add_entries(tables, &keys[..tables.len()], sums);
            }
        }
    }

    fn add_entries(&self, tables: &[Table], keys: &[Keys], sums: &mut [Line]) {
        match &tables[0].lanes {
            Lanes::Dense { output } => {
                let width = self.slots.lines();
                let mut entries: [&[Line]; TOGETHER] = [&[]; TOGETHER];
                entries.iter_mut().zip(tables).for_each(|(entries, table)| *entries = &table.entries);
                let place = Place { offset: output * width, width, stride: self.stride() };
                self.simd.add_entries(sums, place, &entries[..tables.len()], keys);
            }
            Lanes::Scattered(positions) => {
                for (key, sums) in keys[0].as_slice().iter().zip(sums.chunks_exact_mut(self.stride())) {
                    scatter(&tables[0].entries[*key as usize * tables[0].width..][..tables[0].width], positions, sums);
                }
            }
        }
    }

    /// Drops the padding.
    fn finish(&self, sums: &[Line], out: &mut [f64]) {
        let (slots, lines) = (self.slots.len(), self.slots.lines());
        for (out, sums) in out.chunks_exact_mut(slots.max(1)).zip(sums.chunks_exact(lines.max(1))) {
            let numbers = sums.iter().flat_map(|line| line.0);
            out.iter_mut().zip(numbers).for_each(|(out, sum)| *out = sum);
        }
    }
}

fn task_rows<'a>(rows: &'a ArrayView2<f64>, task: usize) -> ArrayView2<'a, f64> {
    let end = rows.nrows().min((task + 1) * TASK_ROWS);
    rows.slice_axis(Axis(0), ndarray::Slice::from(task * TASK_ROWS..end))
}

fn scatter(entry: &[Line], positions: &[u32], sums: &mut [Line]) {
    for (line, positions) in entry.iter().zip(positions.chunks(LANES)) {
        for (number, position) in line.0.iter().zip(positions) {
            sums[*position as usize / LANES].0[*position as usize % LANES] += number;
        }
    }
}

fn cached_chunks(tables: &[Table]) -> Vec<&[Table]> {
    let mut chunks = Vec::new();
    let (mut from, mut bytes) = (0, 0);
    for (at, table) in tables.iter().enumerate() {
        let more = size_of_val(&table.entries[..]);
        if at > from && bytes + more > CACHED_BYTES {
            chunks.push(&tables[from..at]);
            (from, bytes) = (at, 0);
        }
        bytes += more;
    }
    chunks.push(&tables[from..]);
    chunks
}
