//! One group of leaves as a table: an entry of attributions for each combination of classes.

use super::cover::Cover;
use super::ensemble::Ensemble;
use super::kernel::{Keys, LANES, Line, Term, ZERO};
use super::layout::{Lanes, Layout, LayoutKind};
use super::merge::{Axis, Group, Groups, Limits, MadeOf, cells_in, merge_leaves};
use super::paths::{LeafGame, leaf_games};
use super::pattern::{Target, absent_from_counts, absent_from_covers, padded, pair_index, pairs_of, pattern_values};
use super::slots::Slots;
use super::weights::Weights;
use crate::forest::cuts::{Bins, Compare, Cuts, LocalBins};
use crate::forest::simd::Simd;
use smallvec::SmallVec;
use std::collections::BTreeSet;
use std::ops::Range;

/// What absent players do.
#[derive(Debug, Clone)]
pub(super) enum Absent {
    /// They take the values of the background's rows.
    Background(Bins),
    /// They follow the cover.
    Cover(Cover),
}

/// A tree's groups before any number is computed.
#[derive(Debug, Clone)]
pub(super) struct TreePlan {
    bins: Vec<LocalBins>,
    games: Vec<LeafGame>,
    groups: Groups,
    /// Outputs that the tree votes for, ascending.
    outputs: Vec<u32>,
}

/// The tables of one tree.
#[derive(Debug, Clone)]
pub(super) struct TreeTables {
    tables: Vec<Table>,
    /// Of all tables, one after the other.
    terms: Vec<Term>,
    entries: Vec<Line>,
}

#[derive(Debug, Clone)]
struct Table {
    terms: Range<usize>,
    entries: Range<usize>,
    /// Largest key.
    last: u16,
    lanes: Lanes,
}

/// One lookup table: rows find their entry by the key of their classes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lookup<'a> {
    pub terms: &'a [Term],
    pub last: u16,
    pub lanes: &'a Lanes,
    /// `[cells × lines of an entry]`.
    pub entries: &'a [Line],
}

impl TreePlan {
    pub fn new(ensemble: &Ensemble, tree: usize, cover: Option<&Cover>, slots: &Slots, limits: Limits) -> Self {
        let (bins, games) = leaf_games(ensemble, tree, cover);
        let votes = &ensemble.forest.trees[tree].votes;
        let outputs: BTreeSet<u32> = votes.iter().map(|(output, _)| *output).collect();
        let groups = merge_leaves(&games, limits, |players| Layout::of(players, outputs.len(), slots).width * LANES);
        Self { bins, games, groups, outputs: outputs.into_iter().collect() }
    }

    /// Bytes of the tables' entries.
    pub fn table_bytes(&self, slots: &Slots) -> usize {
        self.n_lines(slots) * size_of::<Line>()
    }

    fn n_lines(&self, slots: &Slots) -> usize {
        let width = |group: &Group| Layout::of(group.players.len(), self.outputs.len(), slots).width;
        self.left().map(|group| group.n_cells * width(group)).sum()
    }

    /// Most players of a leaf.
    pub fn most_players(&self) -> usize {
        self.games.iter().map(|game| game.players.len()).max().unwrap_or(0)
    }

    fn left(&self) -> impl Iterator<Item = &Group> {
        self.groups.left.iter().map(|left| &self.groups.arena[*left])
    }

    /// Computes the tables of a tree with these votes.
    pub fn build(&self, votes: &[(u32, f64)], context: &Context, scratch: &mut Scratch) -> TreeTables {
        let entries = Vec::with_capacity(self.n_lines(context.slots));
        let mut built = TreeTables { tables: vec![], terms: vec![], entries };
        let steps: Vec<Vec<Compare>> = self.bins.iter().map(|bins| bins.steps(context.cuts)).collect();
        for top in self.left() {
            let layout = Layout::of(top.players.len(), self.outputs.len(), context.slots);
            Builder { plan: self, votes, context, steps: &steps, top, layout }.build(&mut built, scratch);
        }
        built
    }
}

impl TreeTables {
    pub fn lookups(&self) -> impl Iterator<Item = Lookup<'_>> {
        self.tables.iter().map(|table| Lookup {
            terms: &self.terms[table.terms.clone()],
            last: table.last,
            lanes: &table.lanes,
            entries: &self.entries[table.entries.clone()],
        })
    }
}

/// What all tables of a forest share while they are built.
pub(super) struct Context<'a> {
    pub cuts: &'a Cuts,
    pub absent: &'a Absent,
    pub slots: &'a Slots,
    pub weights: &'a Weights,
    pub simd: Simd,
}

/// Buffers that outlive a table.
#[derive(Default)]
pub(super) struct Scratch {
    values: Vec<f64>,
    spare: Vec<Vec<Line>>,
}

impl Scratch {
    fn lines(&mut self) -> Vec<Line> {
        let mut lines = self.spare.pop().unwrap_or_default();
        lines.clear();
        lines
    }
}

/// Builds the table of one group.
struct Builder<'a> {
    plan: &'a TreePlan,
    votes: &'a [(u32, f64)],
    context: &'a Context<'a>,
    /// For each feature of the tree, the compares that hold from each next bin on; see [`LocalBins::steps`].
    steps: &'a [Vec<Compare>],
    top: &'a Group,
    layout: Layout,
}

impl Builder<'_> {
    fn build(&self, built: &mut TreeTables, scratch: &mut Scratch) {
        let (first_term, first_entry) = (built.terms.len(), built.entries.len());
        self.terms(&mut built.terms);
        let last = (self.top.n_cells - 1) as u16;
        let counts = match self.context.absent {
            Absent::Background(bins) => count_keys(bins, &built.terms[first_term..], last, self.context.simd),
            Absent::Cover(_) => vec![],
        };
        self.entries(self.top, counts, scratch, &mut built.entries);
        built.tables.push(Table {
            terms: first_term..built.terms.len(),
            entries: first_entry..built.entries.len(),
            last,
            lanes: Lanes::new(self.layout, &self.top.players, &self.plan.outputs, self.context.slots),
        });
    }

    fn terms(&self, terms: &mut Vec<Term>) {
        let mut stride = 1;
        for axis in &self.top.axes {
            axis_terms(axis, &self.steps[axis.feature], stride, terms);
            stride = stride.wrapping_mul(axis.n_classes as u16);
        }
    }

    /// Appends the entries of a group below `top`, laid out as the top's; `counts` are the background's rows by cell.
    fn entries(&self, group: &Group, counts: Vec<f64>, scratch: &mut Scratch, entries: &mut Vec<Line>) {
        let (a, b) = match group.made_of {
            MadeOf::Leaf(leaf) => return self.leaf_entries(group, &self.plan.games[leaf], counts, scratch, entries),
            MadeOf::Pair(a, b) => (&self.plan.groups.arena[a], &self.plan.groups.arena[b]),
        };
        let (cells_a, cells_b) = (cells_in(group, a), cells_in(group, b));
        let (mut of_a, mut of_b) = (scratch.lines(), scratch.lines());
        self.entries(a, marginal(&counts, &cells_a, a.n_cells), scratch, &mut of_a);
        self.entries(b, marginal(&counts, &cells_b, b.n_cells), scratch, &mut of_b);
        add_tables((&of_a, &cells_a), (&of_b, &cells_b), self.layout.width, entries);
        scratch.spare.extend([of_a, of_b]);
    }

    fn leaf_entries(
        &self,
        group: &Group,
        game: &LeafGame,
        counts: Vec<f64>,
        scratch: &mut Scratch,
        entries: &mut Vec<Line>,
    ) {
        let (k, target) = (game.players.len(), self.context.slots.target());
        let patterns = cell_patterns(group, game);
        let absent = match self.context.absent {
            Absent::Cover(_) => absent_from_covers(&game.covers),
            Absent::Background(bins) => absent_from_counts(marginal(&counts, &patterns, 1 << k), bins.n_rows as f64),
        };
        let votes = &self.votes[game.votes.start as usize..game.votes.end as usize];
        let lanes = self.lanes_of_leaf(game);
        if self.layout.kind == LayoutKind::Packed {
            let vote: f64 = votes.iter().map(|(_, vote)| vote).sum();
            pattern_values(target, &lanes, &absent, self.context.weights, &mut scratch.values);
            let line = |pattern: &u16| -> &[f64; LANES] {
                scratch.values[*pattern as usize * LANES..].first_chunk().unwrap_or(&ZERO.0)
            };
            entries.extend(patterns.iter().map(|pattern| Line(line(pattern).map(|value| vote * value))));
            return;
        }
        let in_order: Vec<usize> = (0..target.n_values(k)).collect();
        pattern_values(target, &in_order, &absent, self.context.weights, &mut scratch.values);
        let from = entries.len();
        entries.resize(from + group.n_cells * self.layout.width, ZERO);
        let row = padded(target.n_values(k));
        for (entry, pattern) in entries[from..].chunks_exact_mut(self.layout.width).zip(&patterns) {
            let values = &scratch.values[*pattern as usize * row..][..row];
            for (output, vote) in votes {
                let from = self.first_lane(*output);
                for (lane, value) in lanes.iter().zip(values) {
                    let at = from + lane;
                    entry[at / LANES].0[at % LANES] += vote * value;
                }
            }
        }
    }

    /// First number of an output within an entry.
    fn first_lane(&self, output: u32) -> usize {
        if self.layout.kind != LayoutKind::Scattered {
            return 0;
        }
        let place = self.plan.outputs.partition_point(|other| *other < output);
        place * self.context.slots.target().n_values(self.top.players.len())
    }

    /// For each value of a leaf, its number within an output's part of an entry.
    fn lanes_of_leaf(&self, game: &LeafGame) -> SmallVec<[usize; 8]> {
        if self.layout.kind == LayoutKind::Dense {
            return game.players.iter().map(|player| *player as usize).collect();
        }
        let k = self.top.players.len();
        let local: SmallVec<[usize; 8]> =
            game.players.iter().map(|player| self.top.players.partition_point(|other| other < player)).collect();
        let pairs = pairs_of(local.len()).filter(|_| self.context.slots.target() == Target::Pairs);
        let pair_lane = |(a, b): (usize, usize)| k + pair_index(k, local[a], local[b]);
        local.iter().copied().chain(pairs.map(pair_lane)).collect()
    }
}

/// Each change of class along an axis as a term of the key.
fn axis_terms(axis: &Axis, steps: &[Compare], stride: u16, terms: &mut Vec<Term>) {
    for (step, compare) in steps.iter().enumerate() {
        let delta = axis.class[step + 1].wrapping_sub(axis.class[step]).wrapping_mul(stride);
        if delta != 0 {
            terms.push(Term { compare: *compare, delta });
        }
    }
}

/// Background rows by key.
fn count_keys(bins: &Bins, terms: &[Term], last: u16, simd: Simd) -> Vec<f64> {
    let mut counts = vec![0.0; last as usize + 1];
    let mut keys = Keys::NONE;
    for block in 0..bins.n_blocks() {
        simd.keys(bins.block(block), terms, last, &mut keys);
        keys.as_slice()[..bins.rows_in(block)].iter().for_each(|key| counts[*key as usize] += 1.0);
    }
    counts
}

/// Counts summed by the cell of a part; empty stays empty.
fn marginal(counts: &[f64], cells: &[u16], n_cells: usize) -> Vec<f64> {
    if counts.is_empty() {
        return vec![];
    }
    let mut sums = vec![0.0; n_cells];
    counts.iter().zip(cells).for_each(|(count, cell)| sums[*cell as usize] += count);
    sums
}

/// For each cell of a leaf's group, the pattern of players who agree.
fn cell_patterns(group: &Group, game: &LeafGame) -> Vec<u16> {
    let mut patterns = Vec::with_capacity(group.n_cells);
    patterns.push(((1_u32 << game.players.len()) - 1) as u16);
    let mut disagrees: SmallVec<[u16; 16]> = SmallVec::new();
    for (axis, of_leaf) in group.axes.iter().zip(&game.axes) {
        disagrees.clear();
        disagrees.resize(axis.n_classes, 0);
        for (class, agrees) in axis.class.iter().zip(&of_leaf.agrees) {
            disagrees[*class as usize] = u16::from(!agrees) << of_leaf.player;
        }
        let n_before = patterns.len();
        for bit in &disagrees[1..] {
            let from = patterns.len();
            patterns.extend_from_within(..n_before);
            patterns[from..].iter_mut().for_each(|pattern| *pattern &= !bit);
        }
        patterns[..n_before].iter_mut().for_each(|pattern| *pattern &= !disagrees[0]);
    }
    patterns
}

/// `sum[cell] = a[cells_a[cell]] + b[cells_b[cell]]`, entries of `width` lines.
fn add_tables(a: (&[Line], &[u16]), b: (&[Line], &[u16]), width: usize, sum: &mut Vec<Line>) {
    let add = |a: &Line, b: &Line| Line(std::array::from_fn(|lane| a.0[lane] + b.0[lane]));
    let cells = a.1.iter().zip(b.1).map(|(cell_a, cell_b)| (*cell_a as usize, *cell_b as usize));
    if width == 1 {
        return sum.extend(cells.map(|(cell_a, cell_b)| add(&a.0[cell_a], &b.0[cell_b])));
    }
    for (cell_a, cell_b) in cells {
        let (entry_a, entry_b) = (&a.0[cell_a * width..][..width], &b.0[cell_b * width..][..width]);
        sum.extend(entry_a.iter().zip(entry_b).map(|(a, b)| add(a, b)));
    }
}
