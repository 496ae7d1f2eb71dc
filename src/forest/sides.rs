//! Which side of every split quantised rows take, 64 rows a word.

use super::cuts::{Bins, Compare, Cuts, LocalBins, as_split};
use super::simd::{Holds, Simd};
use super::{Node, Split, Tree};
use smallvec::SmallVec;

/// A tree's splits as switches, by node.
#[derive(Debug, Clone)]
pub(crate) struct Switches {
    /// `None` for leaves.
    nodes: Vec<Option<Switch>>,
}

/// A set of bins as a switch: `start` for the lowest values, flipped by each compare that holds.
#[derive(Debug, Clone)]
pub(crate) struct Switch {
    start: bool,
    flips: SmallVec<[Compare; 2]>,
}

impl Switches {
    pub fn new(tree: &Tree, cuts: &Cuts) -> Self {
        Self { nodes: tree.nodes.iter().map(|node| as_split(node).map(|split| Switch::of(split, cuts))).collect() }
    }

    /// For each node, the rows of a block that take its `yes` side; zero for leaves.
    pub fn yes(&self, block: &[u8], simd: Simd, out: &mut [u64]) {
        for (switch, out) in self.nodes.iter().zip(out) {
            *out = switch.as_ref().map_or(0, |switch| switch.yes(block, simd));
        }
    }

    pub fn n_nodes(&self) -> usize {
        self.nodes.len()
    }
}

impl Switch {
    /// On for values that take the `yes` side.
    pub fn of(split: &Split, cuts: &Cuts) -> Self {
        let bins = LocalBins::of(std::iter::once(split)).remove(0);
        Self::new(&bins.takes_yes(split), &bins, cuts)
    }

    /// On for the bins of a feature in which `yes`.
    pub fn new(yes: &[bool], bins: &LocalBins, cuts: &Cuts) -> Self {
        let changes = bins.cuts.iter().enumerate().filter(|(bin, _)| yes[*bin] != yes[bin + 1]);
        let mut flips: SmallVec<[Compare; 2]> = changes.map(|(_, cut)| cuts.passes(bins.feature, *cut)).collect();
        let (above, missing) = (bins.n_bins() - 2, bins.n_bins() - 1);
        if yes[above] != yes[missing] {
            flips.push(cuts.missing(bins.feature));
        }
        Self { start: yes[0], flips }
    }

    /// Rows for which it is on before any compare flips it: none or all.
    pub fn start(&self) -> u64 {
        if self.start { u64::MAX } else { 0 }
    }

    pub fn flips(&self) -> &[Compare] {
        &self.flips
    }

    /// Rows of a block for which it is on.
    #[inline(always)]
    pub fn yes(&self, block: &[u8], holds: impl Holds) -> u64 {
        self.flips.iter().fold(self.start(), |yes, compare| yes ^ holds.compare(block, *compare))
    }
}

/// Number of rows that reach every node of a tree.
pub(crate) fn count_nodes(tree: &Tree, cuts: &Cuts, rows: &Bins, simd: Simd) -> Vec<u64> {
    let switches = Switches::new(tree, cuts);
    let mut counts = vec![0; tree.nodes.len()];
    let mut yes = vec![0; tree.nodes.len()];
    let mut here = vec![0; tree.nodes.len()];
    for block in 0..rows.n_blocks() {
        switches.yes(rows.block(block), simd, &mut yes);
        here[0] = u64::MAX >> (64 - rows.rows_in(block));
        for (at, node) in tree.nodes.iter().enumerate() {
            counts[at] += u64::from(here[at].count_ones());
            if let Node::Split(split) = node {
                here[split.yes as usize] = here[at] & yes[at];
                here[split.no as usize] = here[at] & !yes[at];
            }
        }
    }
    counts
}
