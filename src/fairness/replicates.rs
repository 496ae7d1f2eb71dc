//! Bootstrap replicates of every measure of every group, from counts.
//!
//! The scores of each cell are binned (64 quantiles of all scores, the edges of the calibration bins, the threshold,
//! the median); a bucket is a cell, a bin and an outcome. A replicate redraws every bucket's count, adds cells up to
//! groups and evaluates the measures, so its cost depends on cells and bins, not on rows. Measures that depend on the
//! scores within a bin (ROC AUC, calibration error, …) are shifted by the difference between their exact value and
//! their value from the bins. Rates that are 0 or 1 in the data have replicates of their own ([`super::extremes`]).

use super::Spec;
use super::accumulator::ClassOutput;
use super::cell::{CALIBRATION_BINS, calibration_bin, log_loss};
use super::confusion::{Confusion, TAGS, label_of};
use super::extremes::{degenerate, rate_of};
use super::group_table::{ClassSlots, Figures, evaluate};
use super::layout::Layout;
use super::score_gaps::{N_GAPS, SlotPair, gaps};
use super::table::{Definition, Measure, View};
use crate::stats::bootstrap::{Redraw, Redraws};
use crate::stats::distribution::Mass;
use crate::stats::random::Stream;
use crate::stats::ranking;
use crate::stats::score_gap::{Pair, Weights};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Quantile bins of the scores of all rows.
const QUANTILE_BINS: usize = 64;
/// Replicates are numbered below this within a bucket's random stream.
const MAX_REPLICATES: u64 = 1 << 24;

/// `[measure][slot]` → one value per replicate, NaN where undefined.
#[derive(Debug, Clone, Default)]
pub struct Replicates {
    slots: usize,
    values: Vec<Vec<f64>>,
}

impl Replicates {
    pub fn new(slots: usize, values: Vec<Vec<f64>>) -> Self {
        Self { slots, values }
    }

    /// Empty where there was no bootstrap.
    pub fn of(&self, measure: usize, slot: usize) -> &[f64] {
        self.values.get(measure * self.slots + slot).map_or(&[], Vec::as_slice)
    }
}

/// What to replicate.
pub struct Plan<'a> {
    pub spec: &'a Spec,
    pub layout: &'a Layout,
    pub view: View,
    pub measures: &'a [&'static Definition],
    pub favourable: bool,
    /// Name of the output.
    pub name: &'a str,
    /// Exact values `[measure][slot]`.
    pub values: &'a [Vec<Option<f64>>],
    /// Slots whose scores are compared, and the exact gaps between them.
    pub pairs: &'a [SlotPair],
    pub gaps: &'a [[Option<f64>; N_GAPS]],
}

/// Rows of a cell with one outcome and nearly one score.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    id: u64,
    bin: usize,
    tag: u8,
    weight: f64,
    mean_score: f64,
    redraw: Redraw,
}

/// Sums of a group in one replicate, as one vector so that cells add up in one sweep.
struct Sums {
    bins: usize,
}

impl Sums {
    const SCORE: usize = TAGS;
    const BRIER: usize = TAGS + 1;
    const LOG_LOSS: usize = TAGS + 2;
    const CALIBRATION_SCORE: usize = TAGS + 3;
    const CALIBRATION_LABEL: usize = Self::CALIBRATION_SCORE + CALIBRATION_BINS;
    const HISTOGRAM: usize = Self::CALIBRATION_LABEL + CALIBRATION_BINS;

    fn len(&self) -> usize {
        Self::HISTOGRAM + 3 * self.bins
    }

    /// Adds a redrawn bucket. The histogram is by label: negative, positive, none.
    fn add(&self, sums: &mut [f64], bucket: &Bucket, weight: f64) {
        let score = weight * bucket.mean_score;
        sums[usize::from(bucket.tag)] += weight;
        sums[Self::SCORE] += score;
        sums[Self::HISTOGRAM + usize::from(bucket.tag / 2) * self.bins + bucket.bin] += weight;
        let Some(positive) = label_of(bucket.tag) else { return };
        let label = f64::from(u8::from(positive));
        sums[Self::BRIER] += weight * (bucket.mean_score - label).powi(2);
        let probability = if positive { bucket.mean_score } else { 1.0 - bucket.mean_score };
        sums[Self::LOG_LOSS] += weight * log_loss(probability);
        let bin = calibration_bin(bucket.mean_score);
        sums[Self::CALIBRATION_SCORE + bin] += score;
        sums[Self::CALIBRATION_LABEL + bin] += weight * label;
    }

    /// Weights of two slots at every bin, ascending.
    fn align(&self, a: &[f64], b: &[f64]) -> Vec<Pair> {
        let at = |sums: &[f64], bin: usize| {
            let histogram = |label: usize| sums[Self::HISTOGRAM + label * self.bins + bin];
            Weights { negative: histogram(0), positive: histogram(1), unlabelled: histogram(2) }
        };
        (0..self.bins).map(|bin| Pair { a: at(a, bin), b: at(b, bin) }).collect()
    }

    /// `above`: the bins on the favourable side of the median.
    fn figures(&self, sums: &[f64], above: &std::ops::Range<usize>) -> Figures {
        let histogram = |label: usize| &sums[Self::HISTOGRAM + label * self.bins..][..self.bins];
        let (negative, positive) = (histogram(0), histogram(1));
        let pairs = || negative.iter().copied().zip(positive.iter().copied());
        let calibration = |from: usize| &sums[from..from + CALIBRATION_BINS];
        let (scores, labels) = (calibration(Self::CALIBRATION_SCORE), calibration(Self::CALIBRATION_LABEL));
        Figures {
            confusion: Confusion(std::array::from_fn(|tag| sums[tag])),
            score: sums[Self::SCORE],
            brier: sums[Self::BRIER],
            log_loss: sums[Self::LOG_LOSS],
            labelled_score: scores.iter().sum(),
            calibration_gap: scores.iter().zip(labels).map(|(score, label)| (score - label).abs()).sum(),
            roc_auc: ranking::roc_auc(pairs()),
            average_precision: ranking::average_precision(pairs().rev()),
            above_median: (0..3).map(|label| histogram(label)[above.clone()].iter().sum::<f64>()).sum(),
        }
    }
}

/// Everything that replicates share.
struct Bootstrap<'a> {
    plan: &'a Plan<'a>,
    sums: Sums,
    above: std::ops::Range<usize>,
    buckets: Vec<Vec<Bucket>>,
    streams: Vec<Stream>,
    slots_of_cells: Vec<Vec<u32>>,
    redraws: Redraws,
}

/// Replicates of all measures, and of all gaps of scores (`[pair × N_GAPS + gap]`); empty if `spec.bootstrap` is 0.
pub fn draw(plan: &Plan<'_>, output: &ClassOutput, slots: &ClassSlots) -> (Replicates, Vec<Vec<f64>>) {
    let n_slots = plan.layout.slots.len();
    if plan.spec.bootstrap == 0 {
        return Default::default();
    }
    let bootstrap = Bootstrap::new(plan, output, slots);
    let expected = bootstrap.evaluate(|bucket, _| bucket.weight);
    let n_measured = plan.measures.len() * n_slots;
    let shift = |(at, expected): (usize, &f64)| match at.checked_sub(n_measured) {
        None => bootstrap.shift(at / n_slots, plan.values[at / n_slots][at % n_slots], *expected),
        // Gaps are of binned scores as well.
        Some(at) => plan.gaps[at / N_GAPS][at % N_GAPS].map_or(0.0, |exact| exact - expected),
    };
    let shifts: Vec<f64> = expected.iter().enumerate().map(shift).collect();
    let rounds: Vec<Vec<f64>> = (0..plan.spec.bootstrap as u64)
        .into_par_iter()
        .map(|round| bootstrap.evaluate(|bucket, stream| bootstrap.redraw(bucket, stream, round)))
        .collect();
    let stream = Stream::new(plan.spec.seed, "fairness extremes").child(Stream::new(0, plan.name).at(0));
    let replicates = |(at, shift): (usize, &f64)| {
        let (measure, slot) = (at / n_slots, at % n_slots);
        let rate = plan.measures.get(measure).and_then(|definition| rate_of(definition.measure));
        let never = rate.zip(plan.values.get(measure).and_then(|values| values[slot])).and_then(|(rate, value)| {
            degenerate(value, rate, &slots.evidence[slot], &plan.layout.slots[slot], stream, rounds.len())
        });
        never.unwrap_or_else(|| rounds.iter().map(|round| round[at] + shift).collect())
    };
    let mut values: Vec<Vec<f64>> = shifts.par_iter().enumerate().map(replicates).collect();
    let gaps = values.split_off(n_measured);
    (Replicates::new(n_slots, values), gaps)
}

impl<'a> Bootstrap<'a> {
    fn new(plan: &'a Plan<'a>, output: &ClassOutput, slots: &ClassSlots) -> Self {
        let edges = edges(&slots.masses, plan.spec.threshold, slots.median);
        let bin_of = |score: f64| edges.partition_point(|&edge| edge <= score);
        let mut redraws = Redraws::default();
        let buckets = buckets(output, &slots.masses, &mut redraws, bin_of);
        let output_stream = Stream::new(plan.spec.seed, "fairness bootstrap").child(Stream::new(0, plan.name).at(0));
        // Streams follow the levels' names: neither the order of rows nor the coding of levels matters.
        let streams =
            plan.layout.cell_names.iter().map(|name| output_stream.child(Stream::new(0, name).at(0))).collect();
        let sums = Sums { bins: edges.len() + 1 };
        let above = match plan.favourable {
            true => bin_of(slots.median.next_up())..sums.bins,
            false => 0..bin_of(slots.median),
        };
        Self { plan, sums, above, buckets, streams, slots_of_cells: plan.layout.slots_of_cells(), redraws }
    }

    fn redraw(&self, bucket: &Bucket, stream: Stream, round: u64) -> f64 {
        self.redraws.draw(bucket.redraw, stream, bucket.id * MAX_REPLICATES + round)
    }

    /// All measures of all slots, `[measure × slots]`, then all gaps, with bucket weights as `weight` says.
    fn evaluate(&self, weight: impl Fn(&Bucket, Stream) -> f64) -> Vec<f64> {
        let length = self.sums.len();
        let n_slots = self.plan.layout.slots.len();
        let (mut cell_sums, mut slots) = (vec![0.0; length], vec![0.0; length * n_slots]);
        for (cell, buckets) in self.buckets.iter().enumerate() {
            cell_sums.fill(0.0);
            buckets.iter().for_each(|bucket| {
                self.sums.add(&mut cell_sums, bucket, weight(bucket, self.streams[cell]));
            });
            for &slot in &self.slots_of_cells[cell] {
                let sums = &mut slots[slot as usize * length..][..length];
                sums.iter_mut().zip(&cell_sums).for_each(|(sum, part)| *sum += part);
            }
        }
        let mut values = vec![f64::NAN; self.plan.measures.len() * n_slots];
        values.reserve(self.plan.pairs.len() * N_GAPS);
        for (slot, sums) in slots.chunks_exact(length).enumerate() {
            let figures = self.sums.figures(sums, &self.above);
            for (m, definition) in self.plan.measures.iter().enumerate() {
                let value = evaluate(definition.measure, &figures, self.plan.favourable);
                values[m * n_slots + slot] = value.unwrap_or(f64::NAN);
            }
        }
        for pair in self.plan.pairs {
            let of = |slot: usize| &slots[slot * length..][..length];
            let gaps = gaps(&self.sums.align(of(pair.slot), of(pair.reference)));
            values.extend(gaps.map(|gap| gap.unwrap_or(f64::NAN)));
        }
        values
    }

    /// Exact minus binned value, for measures that bins only approximate.
    fn shift(&self, measure: usize, exact: Option<f64>, binned: f64) -> f64 {
        match (self.plan.measures[measure].measure, exact) {
            // The log loss of a predicted class is not a function of its score: no replicates.
            (Measure::LogLoss, _) if self.plan.view == View::TopLabel => f64::NAN,
            (Measure::RocAuc | Measure::AveragePrecision | Measure::LogLoss | Measure::Brier, Some(exact))
            | (Measure::Ece | Measure::MeanScore | Measure::ActualExpected | Measure::ScoringRate, Some(exact))
            | (Measure::CalibrationGap, Some(exact))
                if binned.is_finite() =>
            {
                exact - binned
            }
            _ => 0.0,
        }
    }
}

/// Ascending lower edges of all bins but the first.
fn edges(masses: &[Mass], threshold: f64, median: f64) -> Vec<f64> {
    let total: f64 = masses.iter().map(|mass| mass.weight).sum();
    let calibration = (1..CALIBRATION_BINS).map(|k| k as f64 / CALIBRATION_BINS as f64);
    let mut edges: Vec<f64> = calibration.chain([threshold, median, median.next_up()]).collect();
    let (mut seen, mut next) = (0.0, 1);
    for mass in masses {
        if seen >= total * next as f64 / QUANTILE_BINS as f64 {
            edges.push(mass.score);
            next = (seen * QUANTILE_BINS as f64 / total) as usize + 1;
        }
        seen += mass.weight;
    }
    edges.retain(|edge| edge.is_finite());
    edges.sort_by(f64::total_cmp);
    edges.dedup();
    edges
}

fn buckets(
    output: &ClassOutput,
    masses: &[Mass],
    redraws: &mut Redraws,
    bin_of: impl Fn(f64) -> usize,
) -> Vec<Vec<Bucket>> {
    let mut sums: Vec<BTreeMap<(usize, u8), (f64, f64)>> = vec![BTreeMap::new(); output.cells.len()];
    for mass in masses {
        let sum = sums[mass.cell as usize].entry((bin_of(mass.score), mass.tag)).or_default();
        sum.0 += mass.weight;
        sum.1 += mass.weight * mass.score;
    }
    let mut of_cell = |cell: usize, sums: BTreeMap<(usize, u8), (f64, f64)>| {
        let filled = sums.into_iter().filter(|(_, (weight, _))| *weight > 0.0);
        filled
            .map(|((bin, tag), (weight, score))| Bucket {
                id: (bin * TAGS + usize::from(tag)) as u64,
                bin,
                tag,
                weight,
                mean_score: score / weight,
                redraw: redraws.prepare(weight, weight * output.cells[cell].effective_per_weight(tag)),
            })
            .collect()
    };
    sums.into_iter().enumerate().map(|(cell, sums)| of_cell(cell, sums)).collect()
}
