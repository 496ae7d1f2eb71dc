//! Small trees without a branch at their leaves: which leaves change each margin and difference.

use super::tree::{Edge, Kind, ProfileTree};
use crate::forest::simd::Term;
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
        let mut found: Vec<((u32, Option<u32>), Term)> = Vec::new();
        let mut cell = 0;
        for node in &mut tree.nodes {
            let Kind::Leaf { votes, edges, first_cell } = &mut node.kind else { continue };
            *first_cell = cell;
            let edges = &tree.edges[edges.start as usize..edges.end as usize];
            for (output, value) in &tree.votes[votes.start as usize..votes.end as usize] {
                found.push(((*output, None), Term { cell, value: *value }));
                let of_edge =
                    |(cell, edge): (u32, &Edge)| ((*output, Some(edge.at)), Term { cell, value: edge.signed(*value) });
                found.extend((cell + 1..).zip(edges).map(of_edge));
            }
            cell += 1 + edges.len() as u32;
        }
        let mut terms = Self { n_cells: cell as usize, ..Self::default() };
        // What one target is made of stays in the order of the leaves.
        found.sort_by_key(|(target, _)| *target);
        for own in found.chunk_by(|a, b| a.0 == b.0) {
            let ((output, at), from) = (own[0].0, terms.all.len() as u32);
            terms.all.extend(own.iter().map(|(_, term)| *term));
            terms.targets.push(Target { output, at, terms: from..terms.all.len() as u32 });
        }
        terms
    }
}
