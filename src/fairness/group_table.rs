//! Every measure of every group: values, intervals and bootstrap replicates of one output.

use super::Spec;
use super::accumulator::ClassOutput;
use super::cell::{Calibration, ClassCell};
use super::confusion::{Confusion, Evidence, Outcomes, Rate, label_of};
use super::estimate::{Basis, Cause, Estimate, Undefined};
use super::layout::Layout;
use super::replicates::{self, Replicates};
use super::score_gaps::{self, ScoreGaps};
use super::table::{Definition, Measure, View, measures};
use crate::stats::bootstrap::percentile_interval;
use crate::stats::distribution::{Mass, median};
use crate::stats::intervals::{Interval, Proportion, normal_quantile, student_quantile, wilson};
use crate::stats::{Accumulator, Ranking};

const SELECTION: Rate = Rate { hits: Outcomes::SELECTED, of: Outcomes::ALL };

/// What a classification measure is a function of, whether of the data or of a replicate.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    pub confusion: Confusion,
    /// Weighted sums over all rows.
    pub score: f64,
    /// Weighted sums over labelled rows.
    pub brier: f64,
    pub log_loss: f64,
    pub labelled_score: f64,
    /// Σ over bins |Σ w score − Σ w label|.
    pub calibration_gap: f64,
    pub roc_auc: Option<f64>,
    pub average_precision: Option<f64>,
    /// Weight above the median of all rows, on the favourable side.
    pub above_median: f64,
}

/// The value of a measure; `None` for 0 / 0. `favourable`: the positive class is the favourable one.
pub fn evaluate(measure: Measure, figures: &Figures, favourable: bool) -> Option<f64> {
    let all = &figures.confusion;
    let (rows, labelled) = (all.of(Outcomes::ALL), all.of(Outcomes::LABELLED));
    let over = |sum: f64, total: f64| (total > 0.0).then(|| sum / total);
    match measure {
        Measure::Rate(rate) => rate.share(all),
        Measure::FavourableRate => toward(favourable, SELECTION).share(all),
        Measure::ScoringRate => over(figures.above_median, rows),
        Measure::RocAuc => figures.roc_auc,
        Measure::AveragePrecision => figures.average_precision,
        Measure::LogLoss => over(figures.log_loss, labelled),
        Measure::Brier => over(figures.brier, labelled),
        Measure::Ece => over(figures.calibration_gap, labelled),
        Measure::MeanScore => over(figures.score, rows),
        Measure::ActualExpected => over(all.of(Outcomes::POSITIVE), figures.labelled_score),
        Measure::CalibrationGap => over(figures.labelled_score - all.of(Outcomes::POSITIVE), labelled),
        _ => from_outcomes(measure, &if favourable { *all } else { all.flipped() }, all),
    }
}

/// Measures of the outcomes that are not rates; `all` is in terms of the positive class, `good` of the favourable.
fn from_outcomes(measure: Measure, good: &Confusion, all: &Confusion) -> Option<f64> {
    let over = |sum: f64, total: f64| (total > 0.0).then(|| sum / total);
    let labelled = good.of(Outcomes::LABELLED);
    let [_, fp, fn_, tp, ..] = all.0;
    let [_, too_good, too_bad, ..] = good.0;
    let benefit = || over(too_good - too_bad, labelled).map(|excess| 1.0 + excess).filter(|&mean| mean > 0.0);
    match measure {
        Measure::BalancedAccuracy => {
            let recall = |hits, of| Rate { hits, of }.share(all);
            let positive = recall(Outcomes::TRUE_POSITIVE, Outcomes::POSITIVE)?;
            Some((positive + recall(Outcomes::TRUE_NEGATIVE, Outcomes::NEGATIVE)?) / 2.0)
        }
        Measure::F1 => over(2.0 * tp, 2.0 * tp + fp + fn_),
        Measure::TreatmentEquality => over(too_bad, too_good),
        Measure::MeanBenefit => over(too_good - too_bad, labelled).map(|excess| 1.0 + excess),
        Measure::GeneralizedEntropy => benefit().map(|mean| entropy(benefits(good, labelled), mean)),
        Measure::Theil => benefit().map(|mean| theil(benefits(good, labelled), mean)),
        Measure::MeanLogDeviation => {
            let mean = benefit()?;
            let all_benefit = benefits(good, labelled).all(|(b, share)| b > 0.0 || share <= 0.0);
            let gaps = benefits(good, labelled).filter(|(_, share)| *share > 0.0);
            all_benefit.then(|| gaps.map(|(b, share)| -share * (b / mean).ln()).sum::<f64>().max(0.0))
        }
        // ε = ½: 1 − (mean √b)² / μ.
        Measure::Atkinson => benefit().map(|mean| {
            let root: f64 = benefits(good, labelled).map(|(b, share)| share * b.sqrt()).sum();
            (1.0 - root * root / mean).max(0.0)
        }),
        Measure::CoefficientOfVariation => {
            benefit().map(|mean| (2.0 * entropy(benefits(good, labelled), mean)).max(0.0).sqrt())
        }
        _ => None,
    }
}

/// (benefit, share) of labelled rows: 0 for a false negative, 1 for a correct decision, 2 for a false positive.
fn benefits(good: &Confusion, labelled: f64) -> impl Iterator<Item = (f64, f64)> {
    let [_, too_good, too_bad, ..] = good.0;
    let correct = good.of(Outcomes::CORRECT);
    [(0.0, too_bad), (1.0, correct), (2.0, too_good)].into_iter().map(move |(b, weight)| (b, weight / labelled))
}

/// Generalised entropy index, α = 2, of (benefit, share) pairs.
pub fn entropy(benefits: impl Iterator<Item = (f64, f64)>, mean: f64) -> f64 {
    benefits.map(|(b, share)| share * ((b / mean).powi(2) - 1.0) / 2.0).sum()
}

/// Theil index (α = 1) of (benefit, share) pairs; 0 ln 0 = 0.
pub fn theil(benefits: impl Iterator<Item = (f64, f64)>, mean: f64) -> f64 {
    let positive = benefits.filter(|&(b, _)| b > 0.0);
    positive.map(|(b, share)| share * (b / mean) * (b / mean).ln()).sum()
}

fn toward(favourable: bool, rate: Rate) -> Rate {
    if favourable { rate } else { rate.flipped() }
}

/// One output's groups, measured.
#[derive(Debug, Clone, Default)]
pub struct GroupTable {
    pub measures: Vec<&'static Definition>,
    /// `[measure][slot]`.
    pub estimates: Vec<Vec<Estimate>>,
    pub replicates: Replicates,
    /// `[slot]`.
    pub facts: Vec<Facts>,
    /// Groups' scores beside the reference's.
    pub score_gaps: ScoreGaps,
}

/// Counts that stand beside every metric of a slot.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Facts {
    pub rows: u64,
    pub weight: f64,
    pub n_positive: Option<u64>,
    pub n_predicted_positive: Option<u64>,
    /// Weighted, labelled outcomes (tn, fp, fn, tp); `None` without labels.
    pub outcomes: Option<[f64; 4]>,
    /// Weight of labelled rows.
    pub labelled: f64,
    /// Rows of each outcome; none for regressions.
    pub counts: Confusion,
    /// Effective numbers of all and of labelled rows.
    pub effective_rows: f64,
    pub effective_labelled: f64,
}

impl GroupTable {
    /// Position of a measure; `None` where the view or missing labels leave it out.
    pub fn index(&self, name: &str) -> Option<usize> {
        self.measures.iter().position(|definition| definition.name == name)
    }
}

/// A classification output's slots, merged from its cells.
pub struct ClassSlots {
    pub cells: Vec<ClassCell>,
    pub evidence: Vec<Evidence>,
    pub rankings: Vec<Ranking>,
    /// Weight above the median of all rows, on the favourable side.
    above_median: Vec<Above>,
    pub masses: Vec<Mass>,
    pub median: f64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Above {
    weight: f64,
    rows: u64,
}

impl ClassSlots {
    pub fn new(output: &ClassOutput, layout: &Layout, favourable: bool) -> Self {
        let cells: Vec<ClassCell> = layout.slots.iter().map(|slot| merged(output, &slot.cells)).collect();
        let evidence = cells.iter().map(ClassCell::evidence).collect();
        let masses = output.scores.finish();
        let median = median(masses.iter()).unwrap_or(f64::NAN);
        let mut rankings = vec![Ranking::default(); layout.slots.len()];
        let mut above_median = vec![Above::default(); layout.slots.len()];
        let slots = layout.slots_of_cells();
        for mass in &masses {
            let above = if favourable { mass.score > median } else { mass.score < median };
            for &slot in &slots[mass.cell as usize] {
                rankings[slot as usize].push(mass.score, mass.weight, label_of(mass.tag));
                if above {
                    above_median[slot as usize].weight += mass.weight;
                    above_median[slot as usize].rows += mass.n;
                }
            }
        }
        Self { cells, evidence, rankings, above_median, masses, median }
    }

    fn figures(&self, slot: usize) -> Figures {
        let (cell, evidence) = (&self.cells[slot], &self.evidence[slot]);
        let total = |mean: Option<(f64, Option<f64>)>, of| mean.map_or(0.0, |(mean, _)| mean * evidence.weight.of(of));
        let bins = cell.calibration();
        let gap = |bin: &Calibration| bin.weight * (bin.mean_score - bin.positive_share).abs();
        Figures {
            confusion: evidence.weight,
            score: total(cell.mean_score(evidence), Outcomes::ALL),
            brier: total(cell.brier(evidence), Outcomes::LABELLED),
            log_loss: total(cell.log_loss(evidence), Outcomes::LABELLED),
            labelled_score: bins.iter().map(|bin| bin.weight * bin.mean_score).sum(),
            calibration_gap: bins.iter().map(gap).sum(),
            roc_auc: self.rankings[slot].roc_auc(),
            average_precision: self.rankings[slot].average_precision(),
            above_median: self.above_median[slot].weight,
        }
    }
}

fn merged(output: &ClassOutput, cells: &[u32]) -> ClassCell {
    let mut group = ClassCell::default();
    cells.iter().for_each(|&cell| group.merge(output.cells[cell as usize].clone()));
    group
}

/// Measures all slots of a classification output. `name` keeps the random streams of outputs apart.
pub fn class_table(
    output: &ClassOutput,
    slots: &ClassSlots,
    layout: &Layout,
    view: View,
    spec: &Spec,
    name: &str,
) -> GroupTable {
    let favourable = spec.favourable_is_positive || view != View::Binary;
    let labelled = slots.evidence.iter().any(|evidence| evidence.rows(Outcomes::LABELLED) > 0);
    let measures = measures(view, labelled);
    let figures: Vec<Figures> = (0..layout.slots.len()).map(|slot| slots.figures(slot)).collect();
    let values: Vec<Vec<Option<f64>>> = measures
        .iter()
        .map(|definition| figures.iter().map(|figures| evaluate(definition.measure, figures, favourable)).collect())
        .collect();
    let pairs = if view == View::TopLabel { Vec::new() } else { score_gaps::pairs(layout) };
    let gaps = score_gaps::exact(&pairs, &slots.rankings);
    let plan = replicates::Plan {
        spec,
        layout,
        view,
        measures: &measures,
        favourable,
        name,
        values: &values,
        pairs: &pairs,
        gaps: &gaps,
    };
    let (replicates, gap_replicates) = replicates::draw(&plan, output, slots);
    let estimates = measures
        .iter()
        .enumerate()
        .map(|(m, definition)| {
            let estimate = |slot| {
                let value = values[m][slot];
                class_estimate(definition.measure, value, slots, slot, spec, favourable, replicates.of(m, slot))
            };
            (0..layout.slots.len()).map(estimate).collect()
        })
        .collect();
    let facts = slots.evidence.iter().map(|evidence| facts(evidence, labelled)).collect();
    let score_gaps = ScoreGaps { pairs, values: gaps, replicates: gap_replicates };
    GroupTable { measures, estimates, replicates, facts, score_gaps }
}

fn facts(evidence: &Evidence, labelled: bool) -> Facts {
    let [tn, fp, fn_, tp, ..] = evidence.weight.0;
    Facts {
        rows: evidence.rows(Outcomes::ALL),
        weight: evidence.weight.of(Outcomes::ALL),
        n_positive: labelled.then(|| evidence.rows(Outcomes::POSITIVE)),
        n_predicted_positive: Some(evidence.rows(Outcomes::SELECTED)),
        outcomes: labelled.then_some([tn, fp, fn_, tp]),
        labelled: evidence.weight.of(Outcomes::LABELLED),
        counts: evidence.count,
        effective_rows: evidence.effective(Outcomes::ALL),
        effective_labelled: evidence.effective(Outcomes::LABELLED),
    }
}

fn class_estimate(
    measure: Measure,
    value: Option<f64>,
    slots: &ClassSlots,
    slot: usize,
    spec: &Spec,
    favourable: bool,
    replicates: &[f64],
) -> Estimate {
    let evidence = &slots.evidence[slot];
    let (denominator, cause) = support(measure, evidence);
    let Some(value) = value else { return Estimate::undefined(Undefined::in_group(cause), denominator) };
    let cell = &slots.cells[slot];
    let mean = |mean: Option<(f64, Option<f64>)>| {
        mean.and_then(|(_, std_err)| std_err).map_or(Basis::Replicates, |std_err| Basis::Mean { std_err })
    };
    let basis = match measure {
        Measure::Rate(rate) => proportion(evidence.proportion(rate)),
        Measure::FavourableRate => proportion(evidence.proportion(toward(favourable, SELECTION))),
        Measure::ScoringRate => proportion(
            evidence.proportion(SELECTION).map(|p| Proportion { successes: value * p.trials, trials: p.trials }),
        ),
        Measure::LogLoss => mean(cell.log_loss(evidence)),
        Measure::Brier => mean(cell.brier(evidence)),
        Measure::MeanScore => mean(cell.mean_score(evidence)),
        _ => Basis::Replicates,
    };
    let interval = interval(value, basis, denominator, spec.confidence, replicates);
    Estimate { value: Ok(value), interval, p_value: None, denominator, basis }
}

fn proportion(proportion: Option<Proportion>) -> Basis {
    proportion.map_or(Basis::Replicates, Basis::Proportion)
}

/// The interval that goes with a basis; `rows` are the degrees of freedom of a mean, plus one.
pub fn interval(value: f64, basis: Basis, rows: u64, confidence: f64, replicates: &[f64]) -> Option<Interval> {
    match basis {
        Basis::Proportion(proportion) => Some(wilson(proportion, normal_quantile(confidence))),
        Basis::Mean { std_err } => {
            let t = student_quantile(confidence, rows.saturating_sub(1) as f64);
            Some(Interval::around(value, t * std_err))
        }
        Basis::Replicates => percentile_interval(value, &mut replicates.to_vec(), confidence),
    }
}

/// Rows of evidence for a measure, and what is missing where it is undefined.
fn support(measure: Measure, evidence: &Evidence) -> (u64, Cause) {
    use Outcomes as O;
    let rows = |of| evidence.rows(of);
    let rarer = rows(O::POSITIVE).min(rows(O::NEGATIVE));
    let (n, cause) = match measure {
        Measure::Rate(rate) => (rows(rate.of), missing(rate.of)),
        Measure::FavourableRate | Measure::ScoringRate | Measure::MeanScore => (rows(O::ALL), Cause::NoRows),
        Measure::BalancedAccuracy | Measure::RocAuc => (rarer, Cause::OneClass),
        Measure::AveragePrecision => (rows(O::POSITIVE), Cause::NoPositiveLabels),
        Measure::F1 => {
            let touched = rows(O::TRUE_POSITIVE) + rows(O::FALSE_POSITIVE) + rows(O::FALSE_NEGATIVE);
            (touched, Cause::NeitherPositiveLabelsNorDecisions)
        }
        Measure::TreatmentEquality => (rows(O::LABELLED), Cause::NoFalsePositives),
        Measure::ActualExpected => (rows(O::LABELLED), Cause::ZeroMeanScore),
        Measure::MeanLogDeviation => (rows(O::LABELLED), Cause::ZeroBenefit),
        _ => (rows(O::LABELLED), Cause::NoLabels),
    };
    if rows(O::ALL) == 0 {
        return (n, Cause::NoRows);
    }
    let needs_labels = !matches!(measure, Measure::FavourableRate | Measure::ScoringRate | Measure::MeanScore)
        && !matches!(measure, Measure::Rate(rate) if rate.of == O::ALL);
    (n, if needs_labels && rows(O::LABELLED) == 0 { Cause::NoLabels } else { cause })
}

fn missing(of: Outcomes) -> Cause {
    match of {
        Outcomes::POSITIVE => Cause::NoPositiveLabels,
        Outcomes::NEGATIVE => Cause::NoNegativeLabels,
        Outcomes::SELECTED_LABELLED => Cause::NoPositiveDecisions,
        Outcomes::REJECTED_LABELLED => Cause::NoNegativeDecisions,
        Outcomes::LABELLED => Cause::NoLabels,
        _ => Cause::NoRows,
    }
}
