//! The best split of one column: every threshold, or every cut of the categories in order of their mean, with missing
//! values on either side.
//!
//! A split is worth what it takes from the weighted sum of squared distances from the mean, added over the outputs. For
//! one output the best set of categories is among those that the order of means gives (Breiman et al. 1984, 4.2; Fisher
//! 1958); for several, the order of each output is tried.

use super::columns::Values;
use ndarray::ArrayView2;
use std::collections::BTreeSet;

/// What decides between the two branches of a node.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// In model order.
    pub column: usize,
    pub test: Test,
    /// Missing values follow `yes`: where they fare better, or with the more rows where the node saw none.
    pub missing_yes: bool,
    /// Whether any row of the node lacks a value.
    pub missing_seen: bool,
    /// So do categories that the node never saw: with the more rows.
    pub unseen_yes: bool,
    /// What the split takes from the node's sum of squares.
    pub gain: f64,
    /// That as a share of it.
    pub share: f64,
}

/// A question about one value.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// x ≤ threshold, the middle between the two values that it tells apart.
    AtMost(f64),
    /// The category is one of `yes`; `no` are the others that the node saw.
    Among { yes: BTreeSet<u32>, no: BTreeSet<u32> },
    /// There is a value.
    Known,
}

/// A gain must be larger by this share of the node's sum of squares to count as larger: sums carry rounding.
const ROUNDING: f64 = 1e-10;

impl Split {
    /// Whether a row takes the `yes` branch.
    pub fn takes_yes(&self, values: &Values, row: usize) -> bool {
        match values {
            Values::Numbers(values) => self.takes_number(values[row]),
            Values::Categories { codes, .. } => self.takes_category(codes[row]),
        }
    }

    fn takes_number(&self, value: f64) -> bool {
        match &self.test {
            _ if value.is_nan() => self.missing_yes,
            Test::AtMost(threshold) => value <= *threshold,
            _ => true,
        }
    }

    fn takes_category(&self, code: Option<u32>) -> bool {
        match (&self.test, code) {
            (_, None) => self.missing_yes,
            (Test::Among { yes, .. }, Some(code)) if yes.contains(&code) => true,
            (Test::Among { no, .. }, Some(code)) if no.contains(&code) => false,
            (Test::Among { .. }, Some(_)) => self.unseen_yes,
            _ => true,
        }
    }
}

/// Rows of a node, with their distances from its mean.
pub struct Members<'a> {
    pub rows: &'a [usize],
    /// `[members × outputs]`, centred on the node's weighted mean.
    pub centred: ArrayView2<'a, f64>,
    /// Of all rows of the data.
    pub weights: &'a [f64],
    /// The node's sum of squares.
    pub total: f64,
    /// Rows that a side has at least.
    pub least_rows: usize,
}

/// Rows, weight and weighted sums of the outputs.
#[derive(Debug, Clone, Default, PartialEq)]
struct Sums {
    rows: usize,
    weight: f64,
    outputs: Vec<f64>,
}

impl Sums {
    fn new(n_outputs: usize) -> Self {
        Self { outputs: vec![0.0; n_outputs], ..Self::default() }
    }

    fn add(&mut self, other: &Self) {
        self.rows += other.rows;
        self.weight += other.weight;
        self.outputs.iter_mut().zip(&other.outputs).for_each(|(mine, theirs)| *mine += theirs);
    }

    fn without(&self, other: &Self) -> Self {
        let outputs = self.outputs.iter().zip(&other.outputs).map(|(mine, theirs)| mine - theirs);
        Self { rows: self.rows - other.rows, weight: self.weight - other.weight, outputs: outputs.collect() }
    }

    fn with(&self, other: &Self) -> Self {
        let mut both = self.clone();
        both.add(other);
        both
    }

    /// W · |mean|²: what a side of its own takes from the sum of squares.
    fn taken(&self) -> f64 {
        self.outputs.iter().map(|sum| sum * sum).sum::<f64>() / self.weight
    }

    fn mean(&self, output: usize) -> f64 {
        self.outputs[output] / self.weight
    }
}

/// The best split of a column; the first of equals: by threshold from below, missing values on the `no` side first.
pub fn best<'a>(column: usize, values: &Values, members: &'a Members<'a>) -> Option<Split> {
    let mut best = Best { members, column, missing_seen: false, found: None };
    match values {
        Values::Numbers(values) => best.numbers(values),
        Values::Categories { codes, names } => best.categories(codes, names.len()),
    }
    best.found
}

struct Best<'a> {
    members: &'a Members<'a>,
    column: usize,
    missing_seen: bool,
    found: Option<Split>,
}

impl Best<'_> {
    fn sums(&self) -> Sums {
        Sums::new(self.members.centred.ncols())
    }

    /// One member's part of the sums.
    fn one(&self, member: usize) -> Sums {
        let weight = self.members.weights[self.members.rows[member]];
        let outputs = self.members.centred.row(member).iter().map(|distance| weight * distance).collect();
        Sums { rows: 1, weight, outputs }
    }

    fn numbers(&mut self, values: &[f64]) {
        let of = |member: usize| values[self.members.rows[member]];
        let (missing, mut known): (Vec<usize>, Vec<usize>) =
            (0..self.members.rows.len()).partition(|member| of(*member).is_nan());
        known.sort_by(|a, b| of(*a).total_cmp(&of(*b)));
        let mut without = self.sums();
        missing.iter().for_each(|member| without.add(&self.one(*member)));
        self.missing_seen = without.rows > 0;
        let mut all = self.sums();
        known.iter().for_each(|member| all.add(&self.one(*member)));
        let thresholds: Vec<Option<f64>> = known.windows(2).map(|pair| between(of(pair[0]), of(pair[1]))).collect();
        let mut below = self.sums();
        for (member, threshold) in known.iter().zip(thresholds) {
            below.add(&self.one(*member));
            if let Some(threshold) = threshold {
                self.cut(&below, &all.without(&below), &without, || Test::AtMost(threshold));
            }
        }
        self.known(&all, &without);
    }

    fn categories(&mut self, codes: &[Option<u32>], n_names: usize) {
        let mut of_names = vec![self.sums(); n_names];
        let (mut all, mut missing) = (self.sums(), self.sums());
        for member in 0..self.members.rows.len() {
            let one = self.one(member);
            match codes[self.members.rows[member]] {
                Some(code) => {
                    of_names[code as usize].add(&one);
                    all.add(&one);
                }
                None => missing.add(&one),
            }
        }
        self.missing_seen = missing.rows > 0;
        let seen: Vec<u32> = (0..n_names as u32).filter(|code| of_names[*code as usize].rows > 0).collect();
        for output in 0..self.members.centred.ncols() {
            let mean = |code: &u32| of_names[*code as usize].mean(output);
            let mut order = seen.clone();
            order.sort_by(|a, b| mean(a).total_cmp(&mean(b)));
            let mut below = self.sums();
            for last in 1..order.len() {
                below.add(&of_names[order[last - 1] as usize]);
                self.cut(&below, &all.without(&below), &missing, || Test::Among {
                    yes: order[..last].iter().copied().collect(),
                    no: order[last..].iter().copied().collect(),
                });
            }
        }
        self.known(&all, &missing);
        self.name_the_shorter_side();
    }

    /// Considers a cut with the missing values on the `no` side, then on the `yes` side.
    fn cut(&mut self, yes: &Sums, no: &Sums, missing: &Sums, test: impl Fn() -> Test) {
        if missing.rows == 0 {
            self.consider(yes, no, yes.rows > no.rows, test);
            return;
        }
        self.consider(yes, &no.with(missing), false, &test);
        self.consider(&yes.with(missing), no, true, &test);
    }

    fn known(&mut self, known: &Sums, missing: &Sums) {
        if missing.rows > 0 {
            self.consider(known, missing, false, || Test::Known);
        }
    }

    fn consider(&mut self, yes: &Sums, no: &Sums, missing_yes: bool, test: impl Fn() -> Test) {
        if yes.rows.min(no.rows) < self.members.least_rows.max(1) {
            return;
        }
        let gain = yes.taken() + no.taken();
        if exceeds(gain, self.found.as_ref().map_or(0.0, |found| found.gain), self.members.total) {
            let unseen_yes = yes.rows > no.rows;
            self.found = Some(Split {
                column: self.column,
                test: test(),
                missing_yes,
                missing_seen: self.missing_seen,
                unseen_yes,
                gain,
                share: gain / self.members.total,
            });
        }
    }

    /// Of two sets of categories the smaller one is told.
    fn name_the_shorter_side(&mut self) {
        let Some(split) = &mut self.found else { return };
        if let Test::Among { yes, no } = &mut split.test
            && no.len() < yes.len()
        {
            std::mem::swap(yes, no);
            split.missing_yes = !split.missing_yes;
            split.unseen_yes = !split.unseen_yes;
        }
    }
}

/// Whether a gain is larger than another by more than rounding.
pub fn exceeds(gain: f64, other: f64, total: f64) -> bool {
    gain > other + ROUNDING * total
}

/// The middle of two sorted values, if they differ; the lower one where the middle is not between them.
fn between(low: f64, high: f64) -> Option<f64> {
    if low == high {
        return None;
    }
    let middle = low / 2.0 + high / 2.0;
    Some(if middle.is_finite() && low <= middle && middle < high { middle } else { low })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::random::Stream;
    use ndarray::Array2;

    /// The sum of squares of some rows around their weighted mean, the plain way.
    fn squares(targets: &Array2<f64>, weights: &[f64], rows: &[usize]) -> f64 {
        let weight: f64 = rows.iter().map(|row| weights[*row]).sum();
        let of_output = |output: usize| {
            let mean = rows.iter().map(|row| weights[*row] * targets[[*row, output]]).sum::<f64>() / weight;
            rows.iter().map(|row| weights[*row] * (targets[[*row, output]] - mean).powi(2)).sum::<f64>()
        };
        (0..targets.ncols()).map(of_output).sum()
    }

    fn found(values: &Values, targets: &Array2<f64>, weights: &[f64], least_rows: usize) -> Option<Split> {
        let rows: Vec<usize> = (0..weights.len()).collect();
        let weight: f64 = weights.iter().sum();
        let mut centred = targets.clone();
        for mut column in centred.columns_mut() {
            let mean = column.iter().zip(weights).map(|(y, w)| y * w).sum::<f64>() / weight;
            column.mapv_inplace(|y| y - mean);
        }
        let total = squares(targets, weights, &rows);
        best(0, values, &Members { rows: &rows, centred: centred.view(), weights, total, least_rows })
    }

    /// What the best of all divisions of `n` levels (and the missing) takes from the sum of squares.
    fn oracle(
        levels: &[Option<usize>],
        n: usize,
        ordered: bool,
        targets: &Array2<f64>,
        weights: &[f64],
        least_rows: usize,
    ) -> f64 {
        let rows: Vec<usize> = (0..weights.len()).collect();
        let total = squares(targets, weights, &rows);
        let masks: Vec<u32> = if ordered { (0..=n).map(|k| (1 << k) - 1).collect() } else { (0..1u32 << n).collect() };
        let mut best = 0.0f64;
        for mask in masks {
            for missing in [false, true] {
                let (yes, no): (Vec<usize>, Vec<usize>) =
                    rows.iter().partition(|row| levels[**row].map_or(missing, |level| mask >> level & 1 == 1));
                if yes.len().min(no.len()) >= least_rows {
                    best = best.max(total - squares(targets, weights, &yes) - squares(targets, weights, &no));
                }
            }
        }
        best
    }

    /// Targets, weights and levels with gaps, ties and missing values.
    fn drawn(seed: u64, n: usize, outputs: usize) -> (Array2<f64>, Vec<f64>, Vec<Option<usize>>) {
        let stream = Stream::new(seed, "splits");
        let targets = Array2::from_shape_fn((n, outputs), |(row, output)| {
            (stream.unit((row * 8 + output) as u64) * 6.0).floor() / 4.0
        });
        let weights = (0..n).map(|row| 0.25 + stream.child(1).unit(row as u64)).collect();
        let level = |row: usize| stream.child(2).at(row as u64) as usize % 7;
        (targets, weights, (0..n).map(|row| Some(level(row)).filter(|level| *level < 6)).collect())
    }

    #[test]
    fn no_threshold_is_better_than_the_one_found() {
        for seed in 0..40 {
            let (targets, weights, levels) = drawn(seed, 25, 1 + seed as usize % 3);
            let values = Values::Numbers(levels.iter().map(|l| l.map_or(f64::NAN, |l| l as f64 * 0.5)).collect());
            let least = 1 + seed as usize % 4;
            let best = oracle(&levels, 6, true, &targets, &weights, least);
            let gain = found(&values, &targets, &weights, least).map_or(0.0, |split| split.gain);
            assert!((gain - best).abs() < 1e-9, "seed {seed}: {gain} for {best}");
        }
    }

    #[test]
    fn no_set_of_categories_is_better_than_the_one_found() {
        for seed in 0..40 {
            let (targets, weights, levels) = drawn(seed, 25, 1);
            let codes = levels.iter().map(|level| level.map(|level| level as u32)).collect();
            let names = (0..6).map(|at| super::super::columns::Category::Number(f64::from(at))).collect();
            let split = found(&Values::Categories { codes, names }, &targets, &weights, 1).unwrap();
            let best = oracle(&levels, 6, false, &targets, &weights, 1);
            assert!((split.gain - best).abs() < 1e-9, "seed {seed}: {} for {best}", split.gain);
            if let Test::Among { yes, no } = &split.test {
                assert!(yes.len() <= no.len(), "the shorter side is told");
            }
        }
    }

    #[test]
    fn the_gain_is_that_of_the_rows_that_take_each_branch() {
        for seed in 0..20 {
            let (targets, weights, levels) = drawn(seed, 30, 2);
            let codes: Vec<Option<u32>> = levels.iter().map(|level| level.map(|level| level as u32)).collect();
            let names = (0..6).map(|at| super::super::columns::Category::Number(f64::from(at))).collect();
            let values = Values::Categories { codes, names };
            let split = found(&values, &targets, &weights, 1).unwrap();
            let rows: Vec<usize> = (0..30).collect();
            let (yes, no): (Vec<usize>, Vec<usize>) = rows.iter().partition(|row| split.takes_yes(&values, **row));
            let taken = squares(&targets, &weights, &rows)
                - squares(&targets, &weights, &yes)
                - squares(&targets, &weights, &no);
            assert!((taken - split.gain).abs() < 1e-9, "seed {seed}: {taken} for {}", split.gain);
        }
    }

    #[test]
    fn missing_values_go_where_they_fare_better_and_alone_where_that_is_best() {
        let targets = Array2::from_shape_vec((6, 1), vec![0.0, 0.0, 1.0, 1.0, 1.0, 1.0]).unwrap();
        let values = Values::Numbers(vec![1.0, 2.0, 8.0, 9.0, f64::NAN, f64::NAN]);
        let split = found(&values, &targets, &[1.0; 6], 1).unwrap();
        assert_eq!((split.test.clone(), split.missing_yes), (Test::AtMost(5.0), false));
        assert!(!split.takes_yes(&values, 5));
        let targets = Array2::from_shape_vec((6, 1), vec![0.0, 0.0, 0.0, 0.0, 1.0, 1.0]).unwrap();
        let split = found(&values, &targets, &[1.0; 6], 1).unwrap();
        assert_eq!(split.test, Test::Known);
    }

    #[test]
    fn a_column_without_two_values_has_no_split_and_the_first_of_equals_wins() {
        let targets = Array2::from_shape_vec((4, 1), vec![0.0, 1.0, 0.0, 1.0]).unwrap();
        assert!(found(&Values::Numbers(vec![3.0; 4]), &targets, &[1.0; 4], 1).is_none());
        assert!(found(&Values::Numbers(vec![0.0, -0.0, 0.0, -0.0]), &targets, &[1.0; 4], 1).is_none());
        let targets = Array2::from_shape_vec((4, 1), vec![0.0, 1.0, 1.0, 0.0]).unwrap();
        let split = found(&Values::Numbers(vec![1.0, 2.0, 3.0, 4.0]), &targets, &[1.0; 4], 1).unwrap();
        assert_eq!(split.test, Test::AtMost(1.5), "1.5 and 3.5 are worth the same");
    }

    #[test]
    fn a_category_that_was_never_seen_goes_with_the_more_rows() {
        let targets = Array2::from_shape_vec((5, 1), vec![0.0, 1.0, 1.0, 1.0, 1.0]).unwrap();
        let codes = vec![Some(0), Some(1), Some(1), Some(2), Some(2), Some(3), None];
        let names = (0..4).map(|at| super::super::columns::Category::Number(f64::from(at))).collect();
        let values = Values::Categories { codes, names };
        let split = found(&values, &targets, &[1.0; 5], 1).unwrap();
        let taken: Vec<bool> = (0..7).map(|row| split.takes_yes(&values, row)).collect();
        assert_eq!(taken, [true, false, false, false, false, false, false]);
    }

    #[test]
    fn neighbouring_and_infinite_values_are_told_apart() {
        let next = f64::from_bits(1.0f64.to_bits() + 1);
        assert_eq!(between(1.0, next), Some(1.0));
        assert_eq!(between(1.0, f64::INFINITY), Some(1.0));
        assert_eq!(between(f64::NEG_INFINITY, f64::INFINITY), Some(f64::NEG_INFINITY));
        assert_eq!(between(f64::MIN, f64::MAX), Some(0.0));
    }
}
