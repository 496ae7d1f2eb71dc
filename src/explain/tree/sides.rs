//! Which side of every split quantised rows take, 64 rows a word.

use super::cuts::{Bins, Compare, Cuts, LocalBins, as_split};
use super::simd::Simd;
use crate::forest::{Node, Split, Tree};

/// A tree's splits as compares on quantised rows, by node.
#[derive(Debug, Clone)]
pub(super) struct Switches {
    /// `None` for leaves.
    nodes: Vec<Option<Switch>>,
}

/// A split as a switch: `start` for the lowest values, flipped by each compare that holds.
#[derive(Debug, Clone)]
pub(super) struct Switch {
    start: bool,
    flips: Vec<Compare>,
}

impl Switches {
    pub fn new(tree: &Tree, cuts: &Cuts) -> Self {
        let bins = LocalBins::of(tree.nodes.iter().filter_map(as_split));
        let switch = |split: &Split| {
            let at = bins.partition_point(|local| local.feature < split.feature);
            Switch::new(split, &bins[at], cuts)
        };
        Self { nodes: tree.nodes.iter().map(|node| as_split(node).map(switch)).collect() }
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
    fn new(split: &Split, bins: &LocalBins, cuts: &Cuts) -> Self {
        let yes = bins.takes_yes(split);
        let changes = bins.cuts.iter().enumerate().filter(|(bin, _)| yes[*bin] != yes[bin + 1]);
        let mut flips: Vec<Compare> = changes.map(|(_, cut)| cuts.passes(bins.feature, *cut)).collect();
        let (above, missing) = (bins.n_bins() - 2, bins.n_bins() - 1);
        if yes[above] != yes[missing] {
            flips.push(cuts.missing(bins.feature));
        }
        Self { start: yes[0], flips }
    }

    fn yes(&self, block: &[u8], simd: Simd) -> u64 {
        let start = if self.start { u64::MAX } else { 0 };
        self.flips.iter().fold(start, |yes, compare| yes ^ simd.holds(block, *compare))
    }
}

/// Number of rows that reach every node of a tree.
pub(super) fn count_nodes(tree: &Tree, cuts: &Cuts, rows: &Bins, simd: Simd) -> Vec<u64> {
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
