//! Attributions summarised by group, and what that says about features overall.
//!
//! Per cell, output and feature: exact sums of φ, |φ| and φ², and a quantile sketch. Groups are merged cells. Features
//! are independent of one another, so they are the unit of parallel work; no digit depends on threads or batches.
//! Rows count equally: attributions explain single decisions, and row weights do not enter.

use super::AttributeSpec;
use super::attribution_gaps::{FAVOURABLE, Place, Sums, adjust};
use crate::audit::{AttributeScope, AttributionGap, GroupAttribution, Importance};
use crate::stats::groups::{GroupError, groups};
use crate::stats::intervals::student_quantile;
use crate::stats::moments::Summary;
use crate::stats::{Accumulator, Cells, ExactSum, GroupLevels, Quantiles, quantiles};
use rayon::prelude::*;

/// Values kept exactly for quantiles, over all features and outputs of a cell.
const EXACT_VALUES: usize = 1 << 22;
/// At least so many are kept exactly for each feature and output.
const MIN_EXACT: usize = 256;
const LEVELS: [f64; 5] = [0.05, 0.25, 0.5, 0.75, 0.95];

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AttributionError {
    #[error("attributions have {found} values, expected {rows} rows × {outputs} outputs × {features} features")]
    Shape { found: usize, rows: usize, outputs: usize, features: usize },
    #[error("the attribution of row {row}, output {output}, feature {feature} is not a finite number")]
    NotFinite { row: usize, output: usize, feature: usize },
}

/// Summaries by group, and importance over all rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AttributionSummary {
    /// By output, feature and group; groups with fewer than two rows are left out, as their mean has no interval.
    pub groups: Vec<GroupAttribution>,
    /// Mean |φ| with rank, by output.
    pub importance: Vec<Importance>,
    /// Differences of means from each attribute's reference group.
    pub gaps: Vec<AttributionGap>,
}

/// What names the numbers of an [`AttributionAccumulator`].
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    pub outputs: &'a [String],
    pub features: &'a [String],
    pub levels: &'a GroupLevels,
    pub attributes: &'a [AttributeSpec],
    /// Their reference groups.
    pub references: &'a [AttributeScope],
}

/// Accumulates attributions, by cell.
#[derive(Debug, Clone)]
pub struct AttributionAccumulator {
    n_outputs: usize,
    n_features: usize,
    cells: Cells,
    /// `[output × features + feature]`.
    columns: Vec<Column>,
}

/// One output and feature: a summary per cell.
#[derive(Debug, Clone)]
struct Column {
    exact: usize,
    cells: Vec<Phi>,
    /// Of the rows with a favourable label.
    favoured: Vec<Sums>,
}

/// φ of one cell, output and feature.
#[derive(Debug, Clone)]
struct Phi {
    n: u64,
    /// Σ of the φ that are not negative, and of those that are: one addition a row gives Σφ and Σ|φ|.
    by_sign: [ExactSum; 2],
    squares: ExactSum,
    quantiles: Quantiles,
}

impl AttributionAccumulator {
    pub fn new(n_outputs: usize, n_features: usize) -> Self {
        let n = n_outputs * n_features;
        let exact = (EXACT_VALUES / n.max(1)).clamp(MIN_EXACT, quantiles::EXACT_LIMIT);
        Self {
            n_outputs,
            n_features,
            cells: Cells::default(),
            columns: vec![Column { exact, cells: Vec::new(), favoured: Vec::new() }; n],
        }
    }

    /// Takes in rows: `codes[column][row]`, row-major `phi[rows × outputs × features]`, and which rows have the
    /// favourable label (none where labels are missing or not of two classes).
    pub fn update(
        &mut self,
        codes: &[Vec<u32>],
        n_rows: usize,
        phi: &[f64],
        favoured: &[bool],
    ) -> Result<(), AttributionError> {
        let width = self.columns.len();
        let (outputs, features) = (self.n_outputs, self.n_features);
        let fits = favoured.is_empty() || favoured.len() == n_rows;
        if phi.len() != n_rows * width || !fits || codes.iter().any(|column| column.len() != n_rows) {
            return Err(AttributionError::Shape { found: phi.len(), rows: n_rows, outputs, features });
        }
        if let Some(at) = phi.iter().position(|x| !x.is_finite()) {
            let (row, column) = (at / width, at % width);
            return Err(AttributionError::NotFinite { row, output: column / features, feature: column % features });
        }
        let cells = self.cells.intern(codes, n_rows);
        let n_cells = self.cells.len();
        let rows_of_cells = rows_of_cells(&cells, n_cells);
        self.columns.par_iter_mut().enumerate().for_each(|(at, column)| {
            column.resize(n_cells);
            for (summary, rows) in column.cells.iter_mut().zip(&rows_of_cells) {
                rows.iter().for_each(|&row| summary.update(phi[row as usize * width + at]));
            }
            for (sums, rows) in column.favoured.iter_mut().zip(&rows_of_cells) {
                let favoured = rows.iter().filter(|&&row| favoured.get(row as usize).is_some_and(|&favoured| favoured));
                favoured.for_each(|&row| sums.add(phi[row as usize * width + at]));
            }
        });
        Ok(())
    }

    /// Takes in everything `other` has seen; it must be of the same shape.
    pub fn merge(&mut self, other: Self) {
        let cells = self.cells.absorb(&other.cells);
        let n_cells = self.cells.len();
        self.columns.par_iter_mut().zip(other.columns).for_each(|(mine, theirs)| {
            mine.resize(n_cells);
            theirs.cells.into_iter().zip(&cells).for_each(|(phi, &to)| mine.cells[to as usize].merge(phi));
            theirs.favoured.into_iter().zip(&cells).for_each(|(sums, &to)| mine.favoured[to as usize].merge(sums));
        });
    }

    /// Summaries of everything seen, at a confidence level.
    pub fn finish(&self, names: Names<'_>, confidence: f64) -> Result<AttributionSummary, GroupError> {
        let mut unions = vec![(String::new(), String::new(), (0..self.cells.len() as u32).collect::<Vec<_>>())];
        for attribute in names.attributes {
            let groups = groups(&attribute.name, &attribute.columns, &self.cells, names.levels)?;
            unions.extend(groups.into_iter().map(|group| (attribute.name.clone(), group.name, group.cells)));
        }
        let columns: Vec<(usize, &Column)> = self.columns.iter().enumerate().collect();
        let groups = columns.par_iter().flat_map_iter(|&(at, column)| {
            let (output, feature) = (&names.outputs[at / self.n_features], &names.features[at % self.n_features]);
            unions.iter().filter_map(move |(attribute, group, cells)| {
                let row = column.union(cells).summary(confidence)?;
                let (attribute, group_value) = (attribute.clone(), group.clone());
                Some(GroupAttribution {
                    attribute,
                    group_value,
                    feature: feature.clone(),
                    output: output.clone(),
                    ..row
                })
            })
        });
        Ok(AttributionSummary {
            groups: groups.collect(),
            importance: self.importance(names, confidence),
            gaps: self.gaps(names, confidence)?,
        })
    }

    fn gaps(&self, names: Names<'_>, confidence: f64) -> Result<Vec<AttributionGap>, GroupError> {
        let mut gaps = Vec::new();
        for attribute in names.attributes {
            let Some(scope) = names.references.iter().find(|scope| scope.attribute == attribute.name) else { continue };
            let groups = groups(&attribute.name, &attribute.columns, &self.cells, names.levels)?;
            for (at, column) in self.columns.iter().enumerate() {
                let place = Place {
                    scope,
                    output: &names.outputs[at / self.n_features],
                    feature: &names.features[at % self.n_features],
                };
                gaps.extend(place.gaps("", &groups, confidence, |cells| column.union(cells).sums()));
                gaps.extend(place.gaps(FAVOURABLE, &groups, confidence, |cells| column.favoured_union(cells)));
            }
        }
        adjust(&mut gaps);
        Ok(gaps)
    }

    fn importance(&self, names: Names<'_>, confidence: f64) -> Vec<Importance> {
        let all: Vec<u32> = (0..self.cells.len() as u32).collect();
        let of_output = |(output, columns): (usize, &[Column])| {
            let rows = columns.iter().zip(names.features);
            let rows = rows
                .map(|(column, feature)| column.union(&all).importance(feature, &names.outputs[output], confidence));
            ranked(rows.flatten().collect())
        };
        self.columns.chunks(self.n_features.max(1)).enumerate().flat_map(of_output).collect()
    }
}

/// Rows of each cell: one cell's sums at a time stay in the processor's nearest cache.
fn rows_of_cells(cells: &[u32], n_cells: usize) -> Vec<Vec<u32>> {
    let mut rows = vec![Vec::new(); n_cells];
    cells.iter().zip(0..).for_each(|(&cell, row)| rows[cell as usize].push(row));
    rows
}

/// Most important first; equals keep the order of the features.
fn ranked(mut rows: Vec<Importance>) -> Vec<Importance> {
    rows.sort_by(|a, b| b.value.total_cmp(&a.value));
    rows.iter_mut().zip(1..).for_each(|(row, rank)| row.rank = rank);
    rows
}

impl Column {
    fn resize(&mut self, n_cells: usize) {
        let exact = self.exact;
        self.cells.resize_with(n_cells, || Phi::new(exact));
        self.favoured.resize_with(n_cells, Sums::default);
    }

    fn favoured_union(&self, cells: &[u32]) -> Sums {
        let mut union = Sums::default();
        cells.iter().for_each(|&cell| union.merge(self.favoured[cell as usize].clone()));
        union
    }

    fn union(&self, cells: &[u32]) -> Phi {
        let mut union = Phi::new(self.exact);
        cells.iter().for_each(|&cell| union.merge(self.cells[cell as usize].clone()));
        union
    }
}

impl Phi {
    fn new(exact: usize) -> Self {
        Self {
            n: 0,
            by_sign: Default::default(),
            squares: ExactSum::default(),
            quantiles: Quantiles::with_limit(exact),
        }
    }

    fn update(&mut self, x: f64) {
        self.n += 1;
        self.by_sign[usize::from(x < 0.0)].add(x);
        self.squares.add(x * x);
        self.quantiles.update(x);
    }

    fn merge(&mut self, other: Self) {
        self.n += other.n;
        self.by_sign.iter_mut().zip(other.by_sign).for_each(|(mine, theirs)| mine.merge(theirs));
        self.squares.merge(other.squares);
        self.quantiles.merge(other.quantiles);
    }

    fn sums(&self) -> Sums {
        let [mut sum, negative] = self.by_sign.clone();
        sum.merge(negative);
        Sums { n: self.n, sum, squares: self.squares.clone() }
    }

    /// Moments of φ.
    fn signed(&self) -> Summary {
        self.moments(&self.sums().sum)
    }

    /// Moments of |φ|.
    fn absolute(&self) -> Summary {
        let [mut sum, negative] = self.by_sign.clone();
        sum.merge(negative.negated());
        self.moments(&sum)
    }

    /// Moments from a sum and Σφ², which φ and |φ| share.
    fn moments(&self, sum: &ExactSum) -> Summary {
        let n = self.n as f64;
        let mean = sum.value() / n;
        Summary { n: self.n, mean, population_variance: (self.squares.value() / n - mean * mean).max(0.0) }
    }

    /// Everything but the names; `None` for fewer than two rows.
    fn summary(&self, confidence: f64) -> Option<GroupAttribution> {
        let moments = self.signed();
        let half = student_quantile(confidence, self.n as f64 - 1.0) * moments.std_err()?;
        let [q05, q25, q50, q75, q95] = self.quantiles.finish().quantiles(LEVELS)?;
        Some(GroupAttribution {
            attribute: String::new(),
            group_value: String::new(),
            feature: String::new(),
            output: String::new(),
            n: self.n,
            mean: moments.mean,
            mean_abs: self.absolute().mean,
            std: moments.population_std(),
            q05,
            q25,
            q50,
            q75,
            q95,
            mean_ci_low: moments.mean - half,
            mean_ci_high: moments.mean + half,
        })
    }

    /// Unranked; `None` without rows.
    fn importance(&self, feature: &str, output: &str, confidence: f64) -> Option<Importance> {
        let moments = (self.n > 0).then(|| self.absolute())?;
        let std_err = moments.std_err();
        let half = std_err.map(|std_err| student_quantile(confidence, self.n as f64 - 1.0) * std_err);
        Some(Importance {
            method: "attribution".into(),
            metric: "mean_abs_attribution".into(),
            feature: feature.into(),
            output: output.into(),
            value: moments.mean,
            std_err,
            ci_low: half.map(|half| (moments.mean - half).max(0.0)),
            ci_high: half.map(|half| moments.mean + half),
            rank: 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::random::Stream;

    fn names(n: usize, prefix: &str) -> Vec<String> {
        (0..n).map(|i| format!("{prefix}{i}")).collect()
    }

    fn levels() -> GroupLevels {
        GroupLevels { columns: vec!["sex".into()], levels: vec![vec!["F".into(), "M".into(), "X".into()]] }
    }

    fn finish(accumulator: &AttributionAccumulator, outputs: usize, features: usize) -> AttributionSummary {
        let (outputs, features) = (names(outputs, "o"), names(features, "f"));
        let attributes = [AttributeSpec { name: "sex".into(), columns: vec![0] }];
        let references = [AttributeScope {
            attribute: "sex".into(),
            reference: "M".into(),
            reference_rule: "configured".into(),
            n_unknown: Some(0),
        }];
        let names = Names {
            outputs: &outputs,
            features: &features,
            levels: &levels(),
            attributes: &attributes,
            references: &references,
        };
        accumulator.finish(names, 0.95).unwrap()
    }

    #[test]
    fn a_worked_example() {
        let mut accumulator = AttributionAccumulator::new(1, 2);
        // Rows F, F, M, M; features f0 and f1.
        let phi = [1.0, -0.5, 3.0, 0.5, -2.0, 0.0, -2.0, 0.0];
        accumulator.update(&[vec![0, 0, 1, 1]], 4, &phi, &[true, false, true, true]).unwrap();
        let summary = finish(&accumulator, 1, 2);
        let row = |group: &str, feature: &str| {
            summary.groups.iter().find(|row| row.group_value == group && row.feature == feature).unwrap()
        };
        let women = row("F", "f0");
        assert_eq!((women.n, women.mean, women.mean_abs, women.std, women.q50), (2, 2.0, 2.0, 1.0, 2.0));
        // t(0.975, 1) = 12.706, standard error √2 / √2 = 1.
        assert!((women.mean_ci_high - 2.0 - 12.706204736432095).abs() < 1e-6);
        let men = row("M", "f0");
        assert_eq!((men.mean, men.mean_abs, men.std, men.mean_ci_low), (-2.0, 2.0, 0.0, -2.0));
        assert_eq!((row("", "f0").n, row("", "f0").mean), (4, 0.0));
        let gap = summary.gaps.iter().find(|gap| gap.condition.is_empty() && gap.feature == "f0").unwrap();
        assert_eq!((gap.group_value.as_str(), gap.difference, gap.n, gap.n_reference), ("F", 4.0, 2, 2));
        let among = summary.gaps.iter().find(|gap| gap.condition == FAVOURABLE && gap.feature == "f0").unwrap();
        assert_eq!((among.difference, among.n, among.n_reference, among.ci_low), (3.0, 1, 2, None));
        let [first, second] = &summary.importance[..] else { panic!("two features") };
        assert_eq!((first.feature.as_str(), first.value, first.rank), ("f0", 2.0, 1));
        assert_eq!((second.feature.as_str(), second.value, second.rank), ("f1", 0.25, 2));
        assert!((second.std_err.unwrap() - (0.25f64 / 12.0).sqrt()).abs() < 1e-15);
    }

    #[test]
    fn any_split_gives_the_same_summary() {
        let (rows, outputs, features) = (2_000, 2, 3);
        let stream = Stream::new(1, "phi");
        let phi: Vec<f64> = (0..(rows * 6) as u64).map(|i| stream.normal(i)).collect();
        let sexes: Vec<u32> = (0..rows as u64).map(|i| (stream.at(i) % 3) as u32).collect();
        let favoured: Vec<bool> = (0..rows as u64).map(|i| stream.at(i) % 5 < 2).collect();
        let part = |from: usize, to: usize| {
            let mut accumulator = AttributionAccumulator::new(outputs, features);
            accumulator
                .update(&[sexes[from..to].to_vec()], to - from, &phi[from * 6..to * 6], &favoured[from..to])
                .unwrap();
            accumulator
        };
        let whole = finish(&part(0, rows), outputs, features);
        let mut parts = part(1_500, 2_000);
        parts.merge(part(0, 3));
        parts.merge(part(3, 1_500));
        assert_eq!(finish(&parts, outputs, features), whole);
        assert_eq!(whole.groups.len(), 6 * 4);
    }

    #[test]
    fn the_group_means_average_to_the_whole() {
        let stream = Stream::new(2, "phi");
        let phi: Vec<f64> = (0..300).map(|i| stream.normal(i)).collect();
        let mut accumulator = AttributionAccumulator::new(1, 1);
        accumulator.update(&[(0..300).map(|i| i % 3).collect()], 300, &phi, &[]).unwrap();
        let groups = finish(&accumulator, 1, 1).groups;
        let weighted: f64 = groups[1..].iter().map(|row| row.mean * row.n as f64).sum();
        assert!((weighted / 300.0 - groups[0].mean).abs() < 1e-15);
    }

    #[test]
    fn a_group_of_one_row_has_no_interval_and_is_left_out() {
        let mut accumulator = AttributionAccumulator::new(1, 1);
        accumulator.update(&[vec![0, 1, 1]], 3, &[1.0, 2.0, 3.0], &[]).unwrap();
        let groups = finish(&accumulator, 1, 1).groups;
        assert_eq!(groups.iter().map(|row| row.group_value.as_str()).collect::<Vec<_>>(), ["", "M"]);
    }

    #[test]
    fn wrong_shapes_and_nan_are_refused() {
        let mut accumulator = AttributionAccumulator::new(1, 2);
        let error = accumulator.update(&[vec![0]], 1, &[1.0], &[]).unwrap_err();
        assert_eq!(error, AttributionError::Shape { found: 1, rows: 1, outputs: 1, features: 2 });
        let error = accumulator.update(&[vec![0, 0]], 2, &[1.0, 2.0, 3.0, f64::NAN], &[]).unwrap_err();
        assert_eq!(error, AttributionError::NotFinite { row: 1, output: 0, feature: 1 });
    }
}
