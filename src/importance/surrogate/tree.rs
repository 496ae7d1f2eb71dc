//! A regression tree of a few levels, grown greedily.

use super::columns::{Columns, Values};
use super::split::{self, Members, Split, exceeds};
use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

/// How far a tree may grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Levels of splits.
    pub depth: usize,
    /// Rows that a leaf has at least.
    pub least_rows: usize,
}

/// Node 0 is the root; children stand behind their parent, the `yes` branch with all below it before the `no` branch.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    pub nodes: Vec<Node>,
}

/// The rows that reach a place of the tree.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    pub depth: usize,
    pub n_rows: usize,
    pub weight: f64,
    /// Weighted mean of each output.
    pub mean: Vec<f64>,
    /// `None` for a leaf.
    pub branches: Option<Branches>,
}

/// A split with where it leads.
#[derive(Debug, Clone, PartialEq)]
pub struct Branches {
    pub split: Split,
    pub yes: usize,
    pub no: usize,
}

impl Tree {
    /// Grows a tree on `rows` of the columns towards `targets`, `[all rows × outputs]`, with the weights of all rows.
    /// Of splits that are worth the same, the first column's is taken. `rows` must not be empty.
    pub fn fit(columns: &Columns, targets: ArrayView2<f64>, weights: &[f64], rows: Vec<usize>, limits: Limits) -> Self {
        let mut growing = Growing { columns, targets, weights, limits, nodes: Vec::new() };
        growing.grow(rows, 0);
        Self { nodes: growing.nodes }
    }

    /// The leaf that a row reaches, as a position among the nodes.
    pub fn leaf(&self, columns: &Columns, row: usize) -> usize {
        let mut at = 0;
        while let Some(Branches { split, yes, no }) = &self.nodes[at].branches {
            let values = columns.list[split.column].as_ref();
            at = if values.is_some_and(|values| split.takes_yes(values, row)) { *yes } else { *no };
        }
        at
    }

    /// What the tree says of each of `rows`, `[rows × outputs]`.
    pub fn predict(&self, columns: &Columns, rows: &[usize]) -> Array2<f64> {
        let leaves: Vec<usize> = rows.iter().map(|row| self.leaf(columns, *row)).collect();
        let outputs = self.nodes[0].mean.len();
        Array2::from_shape_fn((rows.len(), outputs), |(at, output)| self.nodes[leaves[at]].mean[output])
    }

    /// Edges on the longest path.
    pub fn depth(&self) -> usize {
        self.nodes.iter().map(|node| node.depth).max().unwrap_or(0)
    }

    pub fn n_leaves(&self) -> usize {
        self.nodes.iter().filter(|node| node.branches.is_none()).count()
    }
}

struct Growing<'a> {
    columns: &'a Columns,
    targets: ArrayView2<'a, f64>,
    weights: &'a [f64],
    limits: Limits,
    nodes: Vec<Node>,
}

impl Growing<'_> {
    /// Adds the node of these rows with all that grows below it; returns its position.
    fn grow(&mut self, rows: Vec<usize>, depth: usize) -> usize {
        let at = self.nodes.len();
        let weight: f64 = rows.iter().map(|row| self.weights[*row]).sum();
        let mean = self.mean(&rows, weight);
        let split = if depth < self.limits.depth { self.best(&rows, &mean) } else { None };
        self.nodes.push(Node { depth, n_rows: rows.len(), weight, mean, branches: None });
        if let Some(split) = split {
            let values = self.columns.list[split.column].as_ref();
            let (yes, no): (Vec<usize>, Vec<usize>) =
                rows.into_iter().partition(|row| values.is_some_and(|values| split.takes_yes(values, *row)));
            let yes = self.grow(yes, depth + 1);
            let no = self.grow(no, depth + 1);
            self.nodes[at].branches = Some(Branches { split, yes, no });
        }
        at
    }

    fn mean(&self, rows: &[usize], weight: f64) -> Vec<f64> {
        let of = |output: usize| rows.iter().map(|row| self.weights[*row] * self.targets[[*row, output]]).sum::<f64>();
        (0..self.targets.ncols()).map(|output| of(output) / weight).collect()
    }

    fn best(&self, rows: &[usize], mean: &[f64]) -> Option<Split> {
        let centred = Array2::from_shape_fn((rows.len(), mean.len()), |(at, output)| {
            self.targets[[rows[at], output]] - mean[output]
        });
        let squares = |at: usize| centred.row(at).iter().map(|distance| distance * distance).sum::<f64>();
        let total: f64 = (0..rows.len()).map(|at| self.weights[rows[at]] * squares(at)).sum();
        let level: f64 =
            rows.iter().map(|row| self.weights[*row]).sum::<f64>() * mean.iter().map(|m| m * m).sum::<f64>();
        // Scores that are equal leave only rounding.
        if total <= 1e-24 * level {
            return None;
        }
        let members =
            Members { rows, centred: centred.view(), weights: self.weights, total, least_rows: self.limits.least_rows };
        let of = |(column, values): (usize, &Option<Values>)| split::best(column, values.as_ref()?, &members);
        let found: Vec<Option<Split>> = self.columns.list.par_iter().enumerate().map(of).collect();
        found.into_iter().flatten().reduce(|best, next| if exceeds(next.gain, best.gain, total) { next } else { best })
    }
}

#[cfg(test)]
mod tests {
    use super::super::columns::Columns;
    use super::super::split::Test;
    use super::super::testing::{numbers, scored};
    use super::*;
    use serde::Deserialize;

    const LIMITS: Limits = Limits { depth: 4, least_rows: 1 };

    fn fit(columns: &[Vec<f64>], targets: &Array2<f64>, weights: &[f64], limits: Limits) -> (Columns, Tree) {
        let rows = scored(columns, |_| 0.0).features;
        let columns = Columns::new(&rows, &vec![false; columns.len()]);
        let tree = Tree::fit(&columns, targets.view(), weights, (0..weights.len()).collect(), limits);
        (columns, tree)
    }

    #[test]
    fn limits_hold_and_every_row_is_in_one_leaf() {
        let x = numbers(500, 3);
        let y = Array2::from_shape_fn((500, 1), |(row, _)| (7.0 * x[0][row]).sin() + x[1][row]);
        let (columns, tree) = fit(&x, &y, &[1.0; 500], Limits { depth: 3, least_rows: 20 });
        assert!(tree.depth() == 3 && tree.n_leaves() <= 8);
        assert!(tree.nodes.iter().all(|node| node.n_rows >= 20));
        let mut counted = vec![0; tree.nodes.len()];
        (0..500).for_each(|row| counted[tree.leaf(&columns, row)] += 1);
        for (node, counted) in tree.nodes.iter().zip(counted) {
            assert_eq!(counted, if node.branches.is_none() { node.n_rows } else { 0 });
        }
    }

    #[test]
    fn whole_weights_are_repeated_rows() {
        let x = numbers(80, 2);
        let y = Array2::from_shape_fn((80, 1), |(row, _)| x[0][row] * x[1][row]);
        let weights: Vec<f64> = (0..80).map(|row| f64::from(1 + row % 3)).collect();
        let repeated: Vec<usize> = (0..80).flat_map(|row| vec![row; weights[row] as usize]).collect();
        let again: Vec<Vec<f64>> = x.iter().map(|column| repeated.iter().map(|row| column[*row]).collect()).collect();
        let targets = y.select(ndarray::Axis(0), &repeated);
        let (_, weighted) = fit(&x, &y, &weights, LIMITS);
        let (_, plain) = fit(&again, &targets, &vec![1.0; repeated.len()], LIMITS);
        assert_eq!(weighted.nodes.len(), plain.nodes.len());
        for (a, b) in weighted.nodes.iter().zip(&plain.nodes) {
            assert!((a.mean[0] - b.mean[0]).abs() < 1e-12 && (a.weight - b.n_rows as f64).abs() < 1e-9);
            let test = |node: &Node| node.branches.as_ref().map(|b| (b.split.column, b.split.test.clone()));
            assert_eq!(test(a), test(b));
        }
    }

    #[test]
    fn of_twins_the_first_column_is_split_and_equal_scores_make_one_leaf() {
        let x = numbers(100, 1).remove(0);
        let y = Array2::from_shape_fn((100, 1), |(row, _)| x[row]);
        let (_, tree) = fit(&[x.clone(), x.clone()], &y, &[1.0; 100], LIMITS);
        assert!(tree.nodes.iter().flat_map(|node| &node.branches).all(|branches| branches.split.column == 0));
        let (_, tree) = fit(&[x], &Array2::from_elem((100, 1), 0.1), &[1.0; 100], LIMITS);
        assert_eq!(tree.nodes.len(), 1);
    }

    #[derive(Deserialize)]
    struct Golden {
        cases: Vec<Case>,
    }

    #[derive(Deserialize)]
    struct Case {
        name: String,
        /// `[column][row]`, null = missing.
        columns: Vec<Vec<Option<f64>>>,
        /// `[row][output]`.
        targets: Vec<Vec<f64>>,
        weights: Vec<f64>,
        depth: usize,
        least_rows: usize,
        /// Depth first, the branch of `x <= threshold` before the other; `feature` null for a leaf.
        nodes: Vec<GoldenNode>,
        predictions: Vec<Vec<f64>>,
    }

    #[derive(Deserialize)]
    struct GoldenNode {
        feature: Option<usize>,
        /// Null where the split is between known and missing values.
        threshold: Option<f64>,
        missing_yes: Option<bool>,
        n_rows: usize,
        mean: Vec<f64>,
    }

    #[test]
    fn scikit_learn_grows_the_same_trees() {
        let golden: Golden = serde_json::from_str(include_str!("../../../tests/golden/surrogate.json")).unwrap();
        assert!(golden.cases.len() >= 4);
        for case in golden.cases {
            let known = |column: &Vec<Option<f64>>| column.iter().map(|x| x.unwrap_or(f64::NAN)).collect();
            let columns: Vec<Vec<f64>> = case.columns.iter().map(known).collect();
            let n_rows = case.targets.len();
            let targets = Array2::from_shape_fn((n_rows, case.targets[0].len()), |(row, k)| case.targets[row][k]);
            let limits = Limits { depth: case.depth, least_rows: case.least_rows };
            let (columns, tree) = fit(&columns, &targets, &case.weights, limits);
            assert_eq!(tree.nodes.len(), case.nodes.len(), "{}", case.name);
            for (mine, theirs) in tree.nodes.iter().zip(&case.nodes) {
                assert_eq!(mine.n_rows, theirs.n_rows, "{}", case.name);
                mine.mean.iter().zip(&theirs.mean).for_each(|(a, b)| assert!((a - b).abs() < 1e-12, "{}", case.name));
                let Some(Branches { split, .. }) = &mine.branches else {
                    assert_eq!(theirs.feature, None, "{}", case.name);
                    continue;
                };
                assert_eq!(Some(split.column), theirs.feature, "{}", case.name);
                let test = theirs.threshold.map_or(Test::Known, Test::AtMost);
                assert_eq!(split.test, test, "{}", case.name);
                theirs.missing_yes.iter().for_each(|yes| assert_eq!(split.missing_yes, *yes, "{}", case.name));
            }
            let rows: Vec<usize> = (0..n_rows).collect();
            let mine = tree.predict(&columns, &rows);
            for (row, theirs) in case.predictions.iter().enumerate() {
                mine.row(row).iter().zip(theirs).for_each(|(a, b)| assert!((a - b).abs() < 1e-12, "{}", case.name));
            }
        }
    }
}
