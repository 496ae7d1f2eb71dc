//! What is summed for the rows of one cell and one output. Groups are merged cells.

use super::confusion::{Confusion, Evidence, Outcomes, TAGS, tag};
use crate::stats::{Accumulator, ExactSum};

/// Bins of the calibration error: [k/10, (k+1)/10), the last one closed.
pub const CALIBRATION_BINS: usize = 10;
/// Scores are clipped to [CLIP, 1 − CLIP] for the log loss.
const CLIP: f64 = 1e-15;

/// A row of a classification output.
#[derive(Debug, Clone, Copy)]
pub struct ClassRow {
    pub label: Option<bool>,
    pub decision: bool,
    pub score: f64,
    /// 1 where rows carry no weights.
    pub weight: f64,
    /// −ln of the probability of the label; only read where there is a label.
    pub log_loss: f64,
}

/// −ln p, with p clipped away from 0.
pub fn log_loss(probability: f64) -> f64 {
    -probability.clamp(CLIP, 1.0 - CLIP).ln()
}

/// The calibration bin of a probability.
pub fn calibration_bin(score: f64) -> usize {
    ((score * CALIBRATION_BINS as f64).max(0.0) as usize).min(CALIBRATION_BINS - 1)
}

/// Σ w and Σ w² of rows. Without weights both are the number of rows.
#[derive(Debug, Clone, Default)]
pub struct Weights {
    pub rows: u64,
    weighted: Option<Box<(ExactSum, ExactSum)>>,
}

impl Weights {
    fn add(&mut self, weight: Option<f64>) {
        self.rows += 1;
        if let Some(weight) = weight {
            let sums = self.weighted.get_or_insert_default();
            sums.0.add(weight);
            sums.1.add(weight * weight);
        }
    }

    fn merge(&mut self, other: Self) {
        self.rows += other.rows;
        if let Some(theirs) = other.weighted {
            let sums = self.weighted.get_or_insert_default();
            sums.0.merge(theirs.0);
            sums.1.merge(theirs.1);
        }
    }

    pub fn total(&self) -> f64 {
        self.weighted.as_ref().map_or(self.rows as f64, |sums| sums.0.value())
    }

    pub fn squares(&self) -> f64 {
        self.weighted.as_ref().map_or(self.rows as f64, |sums| sums.1.value())
    }

    /// (Σw)² / Σw² (Kish 1965).
    pub fn effective(&self) -> f64 {
        let squares = self.squares();
        if squares > 0.0 { self.total().powi(2) / squares } else { 0.0 }
    }
}

/// Σ w x and Σ w x² of a per-row quantity.
#[derive(Debug, Clone, Default)]
pub struct WeightedMean {
    sum: ExactSum,
    squares: ExactSum,
}

impl WeightedMean {
    pub fn add(&mut self, x: f64, weight: f64) {
        self.sum.add(weight * x);
        self.squares.add(weight * x * x);
    }

    pub fn merge(&mut self, other: Self) {
        self.sum.merge(other.sum);
        self.squares.merge(other.squares);
    }

    /// Weighted mean and its standard error (`None` for fewer than two effective rows); `None` without weight.
    pub fn mean(&self, total: f64, effective: f64) -> Option<(f64, Option<f64>)> {
        if total <= 0.0 {
            return None;
        }
        let mean = self.sum.value() / total;
        let variance = (self.squares.value() / total - mean * mean).max(0.0);
        Some((mean, (effective > 1.0).then(|| (variance / (effective - 1.0)).sqrt())))
    }
}

/// One bin of the calibration table.
#[derive(Debug, Clone, Default)]
pub struct CalibrationBin {
    weights: Weights,
    positives: Weights,
    score: ExactSum,
}

/// A finished calibration bin, over labelled rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Calibration {
    pub rows: u64,
    pub weight: f64,
    /// Effective number of rows.
    pub effective: f64,
    pub mean_score: f64,
    pub positive_share: f64,
}

/// Everything about a cell (or group) and a classification output but the distribution of its scores.
#[derive(Debug, Clone, Default)]
pub struct ClassCell {
    tags: [Weights; TAGS],
    score: WeightedMean,
    brier: WeightedMean,
    log_loss: WeightedMean,
    calibration: [CalibrationBin; CALIBRATION_BINS],
}

impl ClassCell {
    /// `weighted`: the row's weight is one that was given, not the 1 of unweighted data.
    pub fn update(&mut self, row: &ClassRow, weighted: bool) {
        let weight = weighted.then_some(row.weight);
        self.tags[usize::from(tag(row.label, row.decision))].add(weight);
        self.score.add(row.score, row.weight);
        let Some(positive) = row.label else { return };
        let residual = row.score - f64::from(u8::from(positive));
        self.brier.add(residual * residual, row.weight);
        self.log_loss.add(row.log_loss, row.weight);
        let bin = &mut self.calibration[calibration_bin(row.score)];
        bin.weights.add(weight);
        bin.score.add(row.score * row.weight);
        if positive {
            bin.positives.add(weight);
        }
    }

    pub fn merge(&mut self, other: Self) {
        self.tags.iter_mut().zip(other.tags).for_each(|(mine, theirs)| mine.merge(theirs));
        self.score.merge(other.score);
        self.brier.merge(other.brier);
        self.log_loss.merge(other.log_loss);
        for (mine, theirs) in self.calibration.iter_mut().zip(other.calibration) {
            mine.weights.merge(theirs.weights);
            mine.positives.merge(theirs.positives);
            mine.score.merge(theirs.score);
        }
    }

    pub fn evidence(&self) -> Evidence {
        let of = |value: fn(&Weights) -> f64| Confusion(std::array::from_fn(|tag| value(&self.tags[tag])));
        Evidence { weight: of(Weights::total), squares: of(Weights::squares), count: of(|weights| weights.rows as f64) }
    }

    /// Effective rows behind a unit of weight, per tag: turns a bucket's weight into its effective count.
    pub fn effective_per_weight(&self, tag: u8) -> f64 {
        let weights = &self.tags[usize::from(tag)];
        let total = weights.total();
        if total > 0.0 { weights.effective() / total } else { 0.0 }
    }

    /// Mean score over all rows.
    pub fn mean_score(&self, evidence: &Evidence) -> Option<(f64, Option<f64>)> {
        mean_over(&self.score, evidence, Outcomes::ALL)
    }

    pub fn brier(&self, evidence: &Evidence) -> Option<(f64, Option<f64>)> {
        mean_over(&self.brier, evidence, Outcomes::LABELLED)
    }

    pub fn log_loss(&self, evidence: &Evidence) -> Option<(f64, Option<f64>)> {
        mean_over(&self.log_loss, evidence, Outcomes::LABELLED)
    }

    /// Bins that hold labelled rows.
    pub fn calibration(&self) -> Vec<Calibration> {
        let filled = self.calibration.iter().filter(|bin| bin.weights.total() > 0.0);
        filled
            .map(|bin| Calibration {
                rows: bin.weights.rows,
                weight: bin.weights.total(),
                effective: bin.weights.effective(),
                mean_score: bin.score.value() / bin.weights.total(),
                positive_share: bin.positives.total() / bin.weights.total(),
            })
            .collect()
    }
}

fn mean_over(mean: &WeightedMean, evidence: &Evidence, of: Outcomes) -> Option<(f64, Option<f64>)> {
    let (total, squares) = (evidence.weight.of(of), evidence.squares.of(of));
    mean.mean(total, if squares > 0.0 { total * total / squares } else { 0.0 })
}

/// A row of a regression.
#[derive(Debug, Clone, Copy)]
pub struct ValueRow {
    pub label: Option<f64>,
    pub score: f64,
    pub weight: f64,
}

/// Sums of a cell (or group) of a regression.
#[derive(Debug, Clone, Default)]
pub struct ValueCell {
    pub all: Weights,
    pub labelled: Weights,
    pub score: WeightedMean,
    /// Label − score.
    pub residual: WeightedMean,
    pub absolute: WeightedMean,
    /// Squared residual: its second moment gives the standard error of the mean squared error.
    pub squared: WeightedMean,
    /// Weighted power sums of labels y and squared residuals e: y, y², y³, y⁴, e y, e y².
    pub powers: [ExactSum; 6],
}

impl ValueCell {
    pub fn update(&mut self, row: &ValueRow, weighted: bool) {
        let weight = weighted.then_some(row.weight);
        self.all.add(weight);
        self.score.add(row.score, row.weight);
        let Some(label) = row.label else { return };
        let residual = label - row.score;
        let (w, e, square) = (row.weight, residual * residual, label * label);
        self.labelled.add(weight);
        self.residual.add(residual, w);
        self.absolute.add(residual.abs(), w);
        self.squared.add(e, w);
        let terms = [w * label, w * square, w * square * label, w * square * square, w * e * label, w * e * square];
        self.powers.iter_mut().zip(terms).for_each(|(sum, term)| sum.add(term));
    }

    pub fn merge(&mut self, other: Self) {
        self.all.merge(other.all);
        self.labelled.merge(other.labelled);
        self.score.merge(other.score);
        self.residual.merge(other.residual);
        self.absolute.merge(other.absolute);
        self.squared.merge(other.squared);
        self.powers.iter_mut().zip(other.powers).for_each(|(mine, theirs)| mine.merge(theirs));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(label: Option<bool>, score: f64, weight: f64) -> ClassRow {
        let p = if label == Some(true) { score } else { 1.0 - score };
        ClassRow { label, decision: score >= 0.5, score, weight, log_loss: log_loss(p) }
    }

    #[test]
    fn sums_of_a_worked_example() {
        let mut cell = ClassCell::default();
        for (label, score) in [(Some(true), 0.9), (Some(false), 0.2), (Some(true), 0.4), (None, 0.7)] {
            cell.update(&row(label, score, 1.0), false);
        }
        let evidence = cell.evidence();
        assert_eq!(evidence.weight.0, [1.0, 0.0, 1.0, 1.0, 0.0, 1.0]);
        assert!((cell.mean_score(&evidence).unwrap().0 - 0.55).abs() < 1e-15);
        assert!((cell.brier(&evidence).unwrap().0 - (0.01 + 0.04 + 0.36) / 3.0).abs() < 1e-15);
        let expected = -(0.9f64.ln() + 0.8f64.ln() + 0.4f64.ln()) / 3.0;
        assert!((cell.log_loss(&evidence).unwrap().0 - expected).abs() < 1e-15);
    }

    #[test]
    fn doubling_every_weight_changes_no_mean_and_no_effective_count() {
        let mut cells = [ClassCell::default(), ClassCell::default()];
        for i in 0..50 {
            let score = f64::from(i) / 50.0;
            let weight = 1.0 + f64::from(i % 3);
            cells[0].update(&row(Some(i % 4 == 0), score, weight), true);
            cells[1].update(&row(Some(i % 4 == 0), score, 2.0 * weight), true);
        }
        let [one, two] = cells.each_ref().map(ClassCell::evidence);
        let (a, b) = (cells[0].brier(&one).unwrap(), cells[1].brier(&two).unwrap());
        assert!((a.0 - b.0).abs() < 1e-15 && (a.1.unwrap() - b.1.unwrap()).abs() < 1e-15);
        assert!((cells[0].effective_per_weight(0) - 2.0 * cells[1].effective_per_weight(0)).abs() < 1e-15);
    }

    #[test]
    fn bins_are_closed_below_and_the_last_one_above() {
        assert_eq!([0.0, 0.1, 0.0999, 0.95, 1.0].map(calibration_bin), [0, 1, 0, 9, 9]);
    }

    #[test]
    fn log_loss_of_a_certain_mistake_is_finite() {
        assert!((log_loss(0.0) + 1e-15f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn an_empty_cell_has_no_means() {
        let cell = ClassCell::default();
        assert_eq!(cell.mean_score(&cell.evidence()), None);
        assert!(cell.calibration().is_empty());
    }
}
