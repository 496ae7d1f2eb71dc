//! 64 quantised rows go down every tree, for all values of all columns at once.

use super::tree::{Edge, Kind, ProfileTree};
use super::{Profiles, Scratch};
use crate::forest::cuts::BLOCK;
use crate::forest::simd::{Holds, Sums, Work};
use ndarray::ArrayView2;

/// Masks of a node: rows that pass all tests, rows that take the `yes` side, then those of each column on the path.
const PASSED: usize = 0;
const YES: usize = 1;
const OPEN: usize = 2;

impl Profiles {
    /// Profiles at most 64 rows `[rows × n_features]`; [`Profiles::margins`] tells what was found.
    pub fn fill(&self, rows: ArrayView2<f64>, scratch: &mut Scratch) {
        let n_rows = rows.nrows();
        if n_rows == 0 {
            return;
        }
        self.cuts.quantise_block(rows, &mut scratch.block);
        let n_sums = self.n_sums();
        scratch.sums.fill(Sums([0.0; BLOCK]));
        scratch.margins.iter_mut().zip(&self.base).for_each(|(margins, base)| margins.0.fill(*base));
        self.simd.run(Fill { profiles: self, n_rows, n_sums, scratch });
    }
}

struct Fill<'a> {
    profiles: &'a Profiles,
    n_rows: usize,
    n_sums: usize,
    scratch: &'a mut Scratch,
}

impl Work for Fill<'_> {
    #[inline(always)]
    fn run<H: Holds>(mut self, holds: H) {
        for tree in &self.profiles.trees {
            // What the walk does not reach stays without rows.
            self.scratch.cells[..tree.terms.n_cells].fill(0);
            self.descend(tree, holds);
            self.add_terms(tree, holds);
        }
        self.accumulate();
    }
}

impl Fill<'_> {
    #[inline(always)]
    fn descend<H: Holds>(&mut self, tree: &ProfileTree, holds: H) {
        let stride = tree.stride;
        let mut at = 0;
        while let Some(node) = tree.nodes.get(at) {
            let (above, here) = self.scratch.masks.split_at_mut(node.depth as usize * stride);
            let here = &mut here[..stride];
            match above.len().checked_sub(stride).map(|from| &above[from..]) {
                None => here[PASSED] = u64::MAX >> (BLOCK - self.n_rows),
                Some(above) => {
                    let side = if node.is_yes { above[YES] } else { !above[YES] };
                    let columns = OPEN..OPEN + node.inherited as usize;
                    here[PASSED] = above[PASSED] & side;
                    let mut any = here[PASSED];
                    for (here, above) in here[columns.clone()].iter_mut().zip(&above[columns.clone()]) {
                        *here = above & side;
                        any |= *here;
                    }
                    // Whatever the tested column's value: the test is left out.
                    if let Some(tested) = node.tested {
                        let tested = OPEN + tested as usize;
                        here[tested] = if columns.contains(&tested) { above[tested] } else { above[PASSED] };
                        any |= here[tested];
                    }
                    if any == 0 {
                        at = node.end as usize;
                        continue;
                    }
                }
            }
            match &node.kind {
                Kind::Split(switch) => here[YES] = switch.yes(&self.scratch.block, holds),
                Kind::Leaf { edges, first_cell, .. } if tree.terms.n_cells > 0 => {
                    let edges = &tree.edges[edges.start as usize..edges.end as usize];
                    let cells = &mut self.scratch.cells[*first_cell as usize..][..=edges.len()];
                    cells[0] = here[PASSED];
                    cells[1..].iter_mut().zip(edges).for_each(|(cell, edge)| *cell = rows_of(here, edge));
                }
                Kind::Leaf { votes, edges, .. } => {
                    let votes = &tree.votes[votes.start as usize..votes.end as usize];
                    let edges = &tree.edges[edges.start as usize..edges.end as usize];
                    for (output, value) in votes {
                        let sums = &mut self.scratch.sums[*output as usize * self.n_sums..][..self.n_sums];
                        add(holds, here[PASSED], *value, &mut self.scratch.margins[*output as usize]);
                        pay(holds, here, *value, edges, sums);
                    }
                }
            }
            at += 1;
        }
    }

    /// Adds what the leaves of a small tree pay to the rows that were found at them.
    #[inline(always)]
    fn add_terms<H: Holds>(&mut self, tree: &ProfileTree, holds: H) {
        for target in &tree.terms.targets {
            let sums = match target.at {
                None => &mut self.scratch.margins[target.output as usize],
                Some(at) => &mut self.scratch.sums[target.output as usize * self.n_sums + at as usize],
            };
            let terms = &tree.terms.all[target.terms.start as usize..target.terms.end as usize];
            holds.add_all(&self.scratch.cells, terms, sums);
        }
    }

    /// From differences to margins.
    #[inline(always)]
    fn accumulate(&mut self) {
        for (output, margins) in self.scratch.margins.iter().enumerate() {
            let sums = &mut self.scratch.sums[output * self.n_sums..][..self.n_sums];
            for place in &self.profiles.places {
                let mut running = *margins;
                for point in &mut sums[place.first..place.first + place.n_points] {
                    for (running, point) in running.0.iter_mut().zip(&mut point.0) {
                        *running += *point;
                        *point = *running;
                    }
                }
            }
        }
    }
}

/// Adds what a leaf of `value` pays.
#[inline(always)]
fn pay<H: Holds>(holds: H, masks: &[u64], value: f64, edges: &[Edge], sums: &mut [Sums]) {
    for edge in edges {
        add(holds, rows_of(masks, edge), edge.signed(value), &mut sums[edge.at as usize]);
    }
}

/// Rows whose curves have this edge. `passed` is part of `open`; without a branch, since processors would guess wrong.
#[inline(always)]
fn rows_of(masks: &[u64], edge: &Edge) -> u64 {
    let (passed, open) = (masks[PASSED], masks[OPEN + edge.slot as usize]);
    let bits = edge.rows as u64;
    (open & (bits & 1).wrapping_neg()) ^ (passed & (bits >> 1).wrapping_neg())
}

/// Rows from which on whole registers are quicker than one row after the other.
const MANY: u32 = 5;

#[inline(always)]
fn add<H: Holds>(holds: H, rows: u64, value: f64, sums: &mut Sums) {
    if rows.count_ones() >= MANY {
        holds.add(rows, value, sums);
        return;
    }
    let mut left = rows;
    while left != 0 {
        sums.0[left.trailing_zeros() as usize % BLOCK] += value;
        left &= left - 1;
    }
}
