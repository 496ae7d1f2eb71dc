//! One group of leaves as a table: an entry of attributions for each combination of classes.

use super::cover::Cover;
use super::cuts::{Bins, Cuts, LocalBins};
use super::ensemble::Ensemble;
use super::kernel::{Keys, LANES, Line, Term, WIDEST, ZERO};
use super::merge::{Axis, Group, Groups, Limits, MadeOf, cells_in, merge_leaves};
use super::paths::{LeafGame, leaf_games};
use super::pattern::{Target, absent_from_counts, absent_from_covers, padded, pairs_of, pattern_values};
use super::simd::Simd;
use super::slots::Slots;
use super::weights::Weights;
use std::collections::BTreeSet;

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

/// A lookup table: rows find their entry by the key of their classes.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub terms: Vec<Term>,
    /// Largest key.
    pub last: u16,
    pub lanes: Lanes,
    /// `[cells × width]`.
    pub entries: Vec<Line>,
    pub width: usize,
}

/// Where an entry's numbers are added in a row of sums.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Lanes {
    /// All slots of one output, in order.
    Dense { output: usize },
    /// Position of each number, output · padded slots + slot.
    Scattered(Vec<u32>),
}

impl TreePlan {
    pub fn new(ensemble: &Ensemble, tree: usize, cover: Option<&Cover>, slots: &Slots, limits: Limits) -> Self {
        let (bins, games) = leaf_games(ensemble, tree, cover);
        let votes = &ensemble.forest.trees[tree].votes;
        let outputs: BTreeSet<u32> = votes.iter().map(|(output, _)| *output).collect();
        let groups = merge_leaves(&games, limits, |players| width(players, outputs.len(), slots) * LANES);
        Self { bins, games, groups, outputs: outputs.into_iter().collect() }
    }

    /// Bytes of the tables' entries.
    pub fn table_bytes(&self, slots: &Slots) -> usize {
        let lines = |group: &Group| group.n_cells * width(group.players.len(), self.outputs.len(), slots);
        self.left().map(lines).sum::<usize>() * size_of::<Line>()
    }

    /// Most players of a leaf.
    pub fn most_players(&self) -> usize {
        self.games.iter().map(|game| game.players.len()).max().unwrap_or(0)
    }

    fn left(&self) -> impl Iterator<Item = &Group> {
        self.groups.left.iter().map(|left| &self.groups.arena[*left])
    }

    /// Computes the tables of a tree with these votes.
    pub fn build(&self, votes: &[(u32, f64)], context: &Context) -> Vec<Table> {
        let mut scratch = Scratch::default();
        self.left().map(|group| Builder { plan: self, votes, context, top: group }.table(&mut scratch)).collect()
    }
}

/// Lines of an entry of a group with `k` players in a tree that votes for `n_outputs`.
fn width(k: usize, n_outputs: usize, slots: &Slots) -> usize {
    if is_dense(n_outputs, slots) { slots.lines() } else { (n_outputs * slots.target().n_values(k)).div_ceil(LANES) }
}

fn is_dense(n_outputs: usize, slots: &Slots) -> bool {
    n_outputs == 1 && slots.target() == Target::Players && slots.lines() <= WIDEST
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
struct Scratch {
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
    top: &'a Group,
}

impl Builder<'_> {
    fn table(&self, scratch: &mut Scratch) -> Table {
        let terms = self.terms();
        let last = (self.top.n_cells - 1) as u16;
        let counts = match self.context.absent {
            Absent::Background(bins) => count_keys(bins, &terms, last, self.context.simd),
            Absent::Cover(_) => vec![],
        };
        let mut entries = self.entries(self.top, counts, scratch);
        if entries.capacity() > entries.len() {
            let kept = entries.as_slice().to_vec();
            scratch.spare.push(std::mem::replace(&mut entries, kept));
        }
        Table { lanes: self.lanes(), entries, width: self.width(), terms, last }
    }

    fn width(&self) -> usize {
        width(self.top.players.len(), self.plan.outputs.len(), self.context.slots)
    }

    fn terms(&self) -> Vec<Term> {
        let mut stride = 1;
        let mut terms = Vec::new();
        for axis in &self.top.axes {
            axis_terms(axis, &self.plan.bins[axis.feature], stride, self.context.cuts, &mut terms);
            stride = stride.wrapping_mul(axis.n_classes as u16);
        }
        terms
    }

    fn lanes(&self) -> Lanes {
        let (slots, players) = (self.context.slots, &self.top.players);
        if is_dense(self.plan.outputs.len(), slots) {
            return Lanes::Dense { output: self.plan.outputs[0] as usize };
        }
        let pairs = pairs_of(players.len()).filter(|_| slots.target() == Target::Pairs);
        // Two players of a group may share no path; their number is zero and may be added anywhere.
        let pair_slot = |(a, b): (usize, usize)| slots.pair(players[a], players[b]).unwrap_or(0);
        let of_group: Vec<u32> = players.iter().copied().chain(pairs.map(pair_slot)).collect();
        let row = (slots.lines() * LANES) as u32;
        let of_output = |output: &u32| of_group.iter().map(|slot| output * row + slot).collect::<Vec<_>>();
        Lanes::Scattered(self.plan.outputs.iter().flat_map(of_output).collect())
    }

    /// Entries of a group below `top`, laid out as the top's; `counts` are the background's rows by cell.
    fn entries(&self, group: &Group, counts: Vec<f64>, scratch: &mut Scratch) -> Vec<Line> {
        let (a, b) = match group.made_of {
            MadeOf::Leaf(leaf) => return self.leaf_entries(group, &self.plan.games[leaf], counts, scratch),
            MadeOf::Pair(a, b) => (&self.plan.groups.arena[a], &self.plan.groups.arena[b]),
        };
        let (cells_a, cells_b) = (cells_in(group, a), cells_in(group, b));
        let entries_a = self.entries(a, marginal(&counts, &cells_a, a.n_cells), scratch);
        let entries_b = self.entries(b, marginal(&counts, &cells_b, b.n_cells), scratch);
        let mut sum = scratch.lines();
        add_tables((&entries_a, &cells_a), (&entries_b, &cells_b), self.width(), &mut sum);
        scratch.spare.extend([entries_a, entries_b]);
        sum
    }

    fn leaf_entries(&self, group: &Group, game: &LeafGame, counts: Vec<f64>, scratch: &mut Scratch) -> Vec<Line> {
        let (k, target) = (game.players.len(), self.context.slots.target());
        let patterns = cell_patterns(group, game);
        let absent = match self.context.absent {
            Absent::Cover(_) => absent_from_covers(&game.covers),
            Absent::Background(bins) => absent_from_counts(marginal(&counts, &patterns, 1 << k), bins.n_rows as f64),
        };
        pattern_values(target, k, &absent, self.context.weights, &mut scratch.values);
        let lanes = self.lanes_of_leaf(game);
        let mut entries = scratch.lines();
        entries.resize(group.n_cells * self.width(), ZERO);
        let row = padded(target.n_values(k));
        for (entry, pattern) in entries.chunks_exact_mut(self.width()).zip(&patterns) {
            let values = &scratch.values[*pattern as usize * row..][..row];
            for (output, vote) in &self.votes[game.votes.start as usize..game.votes.end as usize] {
                let from = self.first_lane(*output);
                for (lane, value) in lanes.iter().zip(values) {
                    let at = from + lane;
                    entry[at / LANES].0[at % LANES] += vote * value;
                }
            }
        }
        entries
    }

    /// First number of an output within an entry.
    fn first_lane(&self, output: u32) -> usize {
        if is_dense(self.plan.outputs.len(), self.context.slots) {
            return 0;
        }
        let place = self.plan.outputs.partition_point(|other| *other < output);
        place * self.context.slots.target().n_values(self.top.players.len())
    }

    /// For each value of a leaf, its number within an output's part of an entry.
    fn lanes_of_leaf(&self, game: &LeafGame) -> Vec<usize> {
        if is_dense(self.plan.outputs.len(), self.context.slots) {
            return game.players.iter().map(|player| *player as usize).collect();
        }
        let k = self.top.players.len();
        let local: Vec<usize> =
            game.players.iter().map(|player| self.top.players.partition_point(|other| other < player)).collect();
        let pairs = pairs_of(local.len()).filter(|_| self.context.slots.target() == Target::Pairs);
        let pair_lane = |(a, b): (usize, usize)| k + pair_index(k, local[a], local[b]);
        local.iter().copied().chain(pairs.map(pair_lane)).collect()
    }
}

/// Position of (a, b), a < b, in [`pairs_of`]`(k)`.
fn pair_index(k: usize, a: usize, b: usize) -> usize {
    a * (2 * k - a - 1) / 2 + (b - a - 1)
}

/// Each change of class along an axis as a term of the key. A missing value passes every cut, then jumps to its class.
fn axis_terms(axis: &Axis, bins: &LocalBins, stride: u16, cuts: &Cuts, terms: &mut Vec<Term>) {
    let delta = |from: usize, to: usize| axis.class[to].wrapping_sub(axis.class[from]).wrapping_mul(stride);
    let passes = bins.cuts.iter().enumerate();
    let passed = passes.map(|(bin, cut)| Term { compare: cuts.passes(bins.feature, *cut), delta: delta(bin, bin + 1) });
    let (above, missing) = (bins.n_bins() - 2, bins.n_bins() - 1);
    let absent = Term { compare: cuts.missing(bins.feature), delta: delta(above, missing) };
    terms.extend(passed.chain(std::iter::once(absent)).filter(|term| term.delta != 0));
}

/// Background rows by key.
fn count_keys(bins: &Bins, terms: &[Term], last: u16, simd: Simd) -> Vec<f64> {
    let mut counts = vec![0_u32; last as usize + 1];
    let mut keys = Keys::NONE;
    for block in 0..bins.n_blocks() {
        simd.keys(bins.block(block), terms, last, &mut keys);
        keys.as_slice()[..bins.rows_in(block)].iter().for_each(|key| counts[*key as usize] += 1);
    }
    counts.into_iter().map(f64::from).collect()
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
    let mut disagrees = Vec::new();
    for (axis, of_leaf) in group.axes.iter().zip(&game.axes) {
        disagrees.clear();
        disagrees.resize(axis.n_classes, 0);
        for (class, agrees) in axis.class.iter().zip(&of_leaf.agrees) {
            disagrees[*class as usize] = u16::from(!agrees) << of_leaf.player;
        }
        let n_before = patterns.len();
        for bit in &disagrees[1..] {
            (0..n_before).for_each(|at| patterns.push(patterns[at] & !bit));
        }
        patterns[..n_before].iter_mut().for_each(|pattern| *pattern &= !disagrees[0]);
    }
    patterns
}

/// `sum[cell] = a[cells_a[cell]] + b[cells_b[cell]]`, entries of `width` lines.
fn add_tables(a: (&[Line], &[u16]), b: (&[Line], &[u16]), width: usize, sum: &mut Vec<Line>) {
    sum.reserve(a.1.len() * width);
    for (cell_a, cell_b) in a.1.iter().zip(b.1) {
        let entry_a = &a.0[*cell_a as usize * width..][..width];
        let entry_b = &b.0[*cell_b as usize * width..][..width];
        sum.extend(entry_a.iter().zip(entry_b).map(|(a, b)| Line(std::array::from_fn(|lane| a.0[lane] + b.0[lane]))));
    }
}
