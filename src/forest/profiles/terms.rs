//! Small trees without a branch at their leaves: which leaves change each margin and difference.

use super::tree::{Kind, ProfileTree};
use crate::forest::simd::Term;
use std::collections::BTreeMap;
use std::ops::Range;

/// Trees of at most so many nodes are summed up this way: rows of a block reach most of their leaves anyway.
const SMALL: usize = 256;

/// One margin, or one difference of a column's curve, and all that is added to it.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub output: u32,
    /// The difference; `None` for the margin itself.
    pub at: Option<u32>,
    pub terms: Range<u32>,
}

/// What every target of a small tree is made of. A leaf keeps its rows in a cell for the margin and one for each edge.
#[derive(Debug, Clone, Default)]
pub(super) struct Terms {
    pub targets: Vec<Target>,
    pub all: Vec<Term>,
    /// 0 for large trees, which have no terms.
    pub n_cells: usize,
}

impl Terms {
    /// Numbers the cells of the tree's leaves; nothing for large trees.
    pub fn of(tree: &mut ProfileTree) -> Self {
        if tree.nodes.len() > SMALL {
            return Self::default();
        }
        let mut found: BTreeMap<(u32, Option<u32>), Vec<Term>> = BTreeMap::new();
        let mut cell = 0;
        for node in &mut tree.nodes {
            let Kind::Leaf { votes, edges, first_cell } = &mut node.kind else { continue };
            *first_cell = cell;
            let edges = &tree.edges[edges.start as usize..edges.end as usize];
            for (output, value) in &tree.votes[votes.start as usize..votes.end as usize] {
                found.entry((*output, None)).or_default().push(Term { cell, value: *value });
                for (cell, edge) in (cell + 1..).zip(edges) {
                    found.entry((*output, Some(edge.at))).or_default().push(Term { cell, value: edge.signed(*value) });
                }
            }
            cell += 1 + edges.len() as u32;
        }
        let mut terms = Self { n_cells: cell as usize, ..Self::default() };
        for ((output, at), own) in found {
            let from = terms.all.len() as u32;
            terms.all.extend(own);
            terms.targets.push(Target { output, at, terms: from..terms.all.len() as u32 });
        }
        terms
    }
}
