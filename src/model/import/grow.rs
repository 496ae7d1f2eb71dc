//! Trees from node tables: one table row a node, children by position.

use super::error::ImportError;
use crate::forest::{Node, Split, Test, Tree};

/// A node as the file has it.
#[derive(Debug, Clone, PartialEq)]
pub enum Planted {
    Split {
        feature: u32,
        test: Test,
        /// Positions in the table.
        yes: usize,
        no: usize,
        missing_yes: bool,
    },
    /// `(output, value)` pairs.
    Leaf(Vec<(u32, f64)>),
}

/// Where the nodes of a tree come from, in the order of `Tree::nodes`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TreeOrigin {
    /// `nodes_treeids` of the file, or the position among `tree_roots`.
    pub tree_id: i64,
    /// `nodes_nodeids` of the file; for `TreeEnsemble` 5 the position of the node, leaves counted behind all splits.
    pub node_ids: Vec<i64>,
    /// `nodes_hitrates` as stored (many converters write a constant); empty if there are none.
    pub hitrates: Vec<f64>,
}

/// A table of nodes of one ensemble.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    pub nodes: Vec<Planted>,
    /// Per node; see [`TreeOrigin::node_ids`].
    pub ids: Vec<i64>,
    /// Per node, or empty.
    pub hitrates: Vec<f64>,
    /// `(tree id, position of the root)`.
    pub roots: Vec<(i64, usize)>,
}

/// A tree and where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Grown {
    pub tree: Tree,
    pub origin: TreeOrigin,
}

impl Table {
    /// Grows every tree from its root, parents before children.
    ///
    /// Nodes that several branches share are copied, up to a bound that no tree exceeds; chains of equality tests that
    /// lead to one node (how LightGBM writes `x in {a, b, c}`) become one membership test first.
    ///
    /// # Errors
    /// A tree leads back to itself.
    pub fn grow(&self) -> Result<Vec<Grown>, ImportError> {
        let mut budget = 4 * self.nodes.len() + 1_024;
        self.roots.iter().map(|(tree_id, root)| self.grow_tree(*tree_id, *root, &mut budget)).collect()
    }

    fn grow_tree(&self, tree_id: i64, root: usize, budget: &mut usize) -> Result<Grown, ImportError> {
        let mut tree = Tree::default();
        let mut origin = TreeOrigin { tree_id, ..TreeOrigin::default() };
        let mut waiting = vec![(root, None)];
        while let Some((at, parent)) = waiting.pop() {
            *budget = budget.checked_sub(1).ok_or(ImportError::Cyclic { tree: tree_id })?;
            let position = tree.nodes.len() as u32;
            if let Some((parent, is_yes)) = parent
                && let Node::Split(split) = &mut tree.nodes[parent]
            {
                *(if is_yes { &mut split.yes } else { &mut split.no }) = position;
            }
            origin.node_ids.push(self.ids[at]);
            origin.hitrates.extend(self.hitrates.get(at));
            match &self.nodes[at] {
                Planted::Leaf(votes) => {
                    let start = tree.votes.len() as u32;
                    tree.votes.extend(votes);
                    tree.nodes.push(Node::Leaf { votes: start..tree.votes.len() as u32 });
                }
                Planted::Split { feature, yes, .. } => {
                    let (test, missing_yes, no) = self.test_at(at);
                    waiting.push((no, Some((position as usize, false))));
                    waiting.push((*yes, Some((position as usize, true))));
                    tree.nodes.push(Node::Split(Split { feature: *feature, test, yes: 0, no: 0, missing_yes }));
                }
            }
        }
        Ok(Grown { tree, origin })
    }

    /// The test of a split, its missing direction and the child where it fails, with a chain of equality tests on the
    /// same feature and to the same child taken together.
    fn test_at(&self, at: usize) -> (Test, bool, usize) {
        let Planted::Split { feature, test, yes, no, missing_yes } = &self.nodes[at] else {
            return (Test::Member(Box::default()), false, at);
        };
        let (Test::Eq(first), mut missing, mut otherwise) = (test, *missing_yes, *no) else {
            return (test.clone(), *missing_yes, *no);
        };
        let mut members = vec![*first];
        while members.len() < self.nodes.len()
            && let Planted::Split { feature: f, test: Test::Eq(value), yes: y, no: n, missing_yes: m } =
                &self.nodes[otherwise]
            && (f, y) == (feature, yes)
        {
            members.push(*value);
            missing |= m;
            otherwise = *n;
        }
        match members.as_slice() {
            [only] => (Test::Eq(*only), missing, otherwise),
            _ => (member(members), missing, otherwise),
        }
    }
}

/// Membership in a set of numbers.
pub fn member(mut values: Vec<f64>) -> Test {
    values.sort_unstable_by(f64::total_cmp);
    values.dedup();
    Test::Member(values.into_boxed_slice())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eq(value: f64, yes: usize, no: usize, missing_yes: bool) -> Planted {
        Planted::Split { feature: 0, test: Test::Eq(value), yes, no, missing_yes }
    }

    fn table(nodes: Vec<Planted>) -> Table {
        Table { ids: (0..nodes.len() as i64).collect(), nodes, hitrates: vec![], roots: vec![(7, 0)] }
    }

    #[test]
    fn a_chain_of_equalities_to_one_child_is_one_membership_test() {
        let leaf = |value| Planted::Leaf(vec![(0, value)]);
        let grown = table(vec![eq(3.0, 3, 1, false), eq(1.0, 3, 2, true), eq(2.0, 3, 4, false), leaf(1.0), leaf(2.0)]);
        let tree = &grown.grow().unwrap()[0];
        assert_eq!(tree.tree.nodes.len(), 3);
        let Node::Split(split) = &tree.tree.nodes[0] else { panic!("the root splits") };
        assert_eq!(split.test, Test::Member([1.0, 2.0, 3.0].into()));
        assert!(split.missing_yes);
        assert_eq!(tree.origin, TreeOrigin { tree_id: 7, node_ids: vec![0, 3, 4], hitrates: vec![] });
    }

    #[test]
    fn children_stand_behind_their_parent() {
        let split = |yes, no| Planted::Split { feature: 0, test: Test::Leq(0.5), yes, no, missing_yes: false };
        let leaf = || Planted::Leaf(vec![]);
        let grown = table(vec![split(2, 1), leaf(), split(3, 4), leaf(), leaf()]).grow().unwrap();
        for (at, node) in grown[0].tree.nodes.iter().enumerate() {
            if let Node::Split(split) = node {
                assert!(split.yes as usize > at && split.no as usize > at);
            }
        }
        assert_eq!(grown[0].origin.node_ids, [0, 2, 3, 4, 1]);
    }

    #[test]
    fn a_tree_that_leads_back_to_itself_is_refused() {
        let back = Planted::Split { feature: 0, test: Test::Leq(0.5), yes: 0, no: 1, missing_yes: false };
        let nodes = vec![back, Planted::Leaf(vec![])];
        assert_eq!(table(nodes).grow(), Err(ImportError::Cyclic { tree: 7 }));
        assert!(table(vec![eq(1.0, 0, 1, false), eq(2.0, 0, 0, false)]).grow().is_err());
    }

    #[test]
    fn a_shared_leaf_is_copied() {
        let split = Planted::Split { feature: 0, test: Test::Leq(0.5), yes: 1, no: 1, missing_yes: false };
        let grown = table(vec![split, Planted::Leaf(vec![(0, 5.0)])]).grow().unwrap();
        assert_eq!(grown[0].tree.n_leaves(), 2);
    }
}
