//! Intervals from bootstrap replicates.
//!
//! Replicates come from counts, not rows: the number of rows in a bucket is redrawn as Poisson, which is the bootstrap
//! of rows with the total left free (Hanley and MacGibbon 2006; Chamandy et al. 2012). Weighted rows of one bucket are
//! redrawn as Poisson of their effective number, scaled so that mean and variance are those of Poisson(1) row weights.

use super::intervals::Interval;
use super::random::{Poisson, Stream};
use std::collections::BTreeMap;

/// Share of replicates that must be defined before an interval is given.
const DEFINED_SHARE: f64 = 0.5;

/// A bucket's redraw: `scale` · Poisson(λ).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Redraw {
    table: u32,
    scale: f64,
}

/// Poisson tables shared by all buckets with the same effective count.
#[derive(Debug, Clone, Default)]
pub struct Redraws {
    tables: Vec<Poisson>,
    by_lambda: BTreeMap<u64, u32>,
}

impl Redraws {
    /// For a bucket of total `weight` whose effective number of rows is `effective` (its count without weights).
    pub fn prepare(&mut self, weight: f64, effective: f64) -> Redraw {
        let tables = &mut self.tables;
        let table = *self.by_lambda.entry(effective.to_bits()).or_insert_with(|| {
            tables.push(Poisson::new(effective));
            tables.len() as u32 - 1
        });
        Redraw { table, scale: if effective > 0.0 { weight / effective } else { 0.0 } }
    }

    /// The bucket's weight in a replicate; `index` must not repeat within `stream`.
    pub fn draw(&self, redraw: Redraw, stream: Stream, index: u64) -> f64 {
        f64::from(self.tables[redraw.table as usize].draw(stream.at(index))) * redraw.scale
    }
}

/// Percentile interval of a statistic from its replicates, moved by their bias (mean replicate − `point`).
///
/// Moving matters for statistics such as max − min or a calibration error, whose replicates lie above the estimate on
/// average. Undefined replicates are NaN and left out; if they are the majority there is no interval. The interval
/// holds `point`, and does not leave [0, ∞) or (−∞, 1] if no replicate does.
pub fn percentile_interval(point: f64, replicates: &mut Vec<f64>, confidence: f64) -> Option<Interval> {
    keep_defined(replicates)?;
    let bias = mean(replicates) - point;
    let (low, high) = ends(replicates, confidence);
    Some(inside(replicates, point, low - bias, high - bias))
}

/// Interval of the distance between the extreme ones of `groups` groups, such as max − min, from replicates of the
/// distance and of the signed distance of the two groups that are extreme in the data.
///
/// `toward` is the end at which the groups are equal. Replicates of the distance never cross equality, so their
/// percentiles could never say "equal": that end comes from the signed pair, with the level shared among all pairs
/// that might have been the extreme one (Bonferroni). The other end is the percentile of the distance.
pub fn extremes_interval(
    point: f64,
    distances: &mut Vec<f64>,
    pair: &mut Vec<f64>,
    toward: Equality,
    groups: usize,
    confidence: f64,
) -> Option<Interval> {
    keep_defined(distances)?;
    keep_defined(pair)?;
    let pairs = (groups * groups.saturating_sub(1) / 2).max(1) as f64;
    let near = ends(pair, 1.0 - (1.0 - confidence) / pairs);
    let far = ends(distances, confidence);
    let (low, high) = match toward {
        Equality::Below => (near.0, far.1),
        Equality::Above => (far.0, near.1),
    };
    Some(inside(distances, point, low, high))
}

/// Where equal groups lie: below all distances (max − min is 0) or above (min / max is 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Equality {
    Below,
    Above,
}

/// Drops NaN; `None` if too few are left.
fn keep_defined(replicates: &mut Vec<f64>) -> Option<()> {
    let asked = replicates.len() as f64;
    replicates.retain(|x| x.is_finite());
    (replicates.len() >= 2 && replicates.len() as f64 >= asked * DEFINED_SHARE).then_some(())
}

fn mean(numbers: &[f64]) -> f64 {
    numbers.iter().sum::<f64>() / numbers.len() as f64
}

fn ends(replicates: &mut [f64], confidence: f64) -> (f64, f64) {
    let tail = (1.0 - confidence) / 2.0;
    (percentile(replicates, tail), percentile(replicates, 1.0 - tail))
}

fn inside(replicates: &[f64], point: f64, low: f64, high: f64) -> Interval {
    let (least, most) = replicates.iter().fold((point, point), |(a, b), &x| (a.min(x), b.max(x)));
    let floor = if least >= 0.0 { 0.0 } else { f64::NEG_INFINITY };
    let ceiling = if most <= 1.0 { 1.0 } else { f64::INFINITY };
    Interval { low: low.min(point).max(floor), high: high.max(point).min(ceiling) }
}

/// Linearly interpolated percentile (type 7); reorders the numbers.
fn percentile(numbers: &mut [f64], level: f64) -> f64 {
    let position = level * (numbers.len() - 1) as f64;
    let below = position as usize;
    let (_, &mut low, above) = numbers.select_nth_unstable_by(below, f64::total_cmp);
    let high = above.iter().copied().fold(f64::INFINITY, f64::min);
    if high.is_finite() { low + (high - low) * (position - below as f64) } else { low }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_interpolate_as_numpys() {
        let mut numbers = vec![4.0, 1.0, 3.0, 2.0];
        assert_eq!(percentile(&mut numbers, 0.5), 2.5);
        assert_eq!(percentile(&mut numbers, 1.0), 4.0);
        assert_eq!(percentile(&mut numbers, 0.0), 1.0);
    }

    #[test]
    fn unbiased_replicates_give_the_plain_percentiles() {
        let mut replicates: Vec<f64> = (0..=1_000).map(f64::from).collect();
        let interval = percentile_interval(500.0, &mut replicates, 0.95).unwrap();
        assert!((interval.low - 25.0).abs() < 1e-6 && (interval.high - 975.0).abs() < 1e-6, "{interval:?}");
    }

    #[test]
    fn biased_replicates_are_moved_back_and_stay_on_their_side_of_zero() {
        let mut replicates: Vec<f64> = (0..=1_000).map(f64::from).collect();
        let interval = percentile_interval(400.0, &mut replicates, 0.95).unwrap();
        assert!(interval.low == 0.0 && (interval.high - 875.0).abs() < 1e-6, "{interval:?}");
    }

    #[test]
    fn extremes_may_be_no_distance_apart() {
        // Signed distances around 1 with spread 1: |d| never is 0, but the interval reaches it.
        let mut pair: Vec<f64> = (0..=1_000).map(|i| f64::from(i) / 250.0 - 1.0).collect();
        let mut distances: Vec<f64> = pair.iter().map(|d: &f64| d.abs()).collect();
        let interval = extremes_interval(1.0, &mut distances, &mut pair, Equality::Below, 2, 0.95).unwrap();
        assert_eq!(interval.low, 0.0);
        assert!(interval.high > 2.85 && interval.high < 3.0, "{interval:?}");
    }

    #[test]
    fn more_groups_reach_further_toward_equality() {
        let replicates: Vec<f64> = (0..=1_000).map(|i| 1.0 + f64::from(i) / 1_000.0).collect();
        let low = |groups| {
            let (mut distances, mut pair) = (replicates.clone(), replicates.clone());
            extremes_interval(1.5, &mut distances, &mut pair, Equality::Below, groups, 0.95).unwrap().low
        };
        assert!((low(2) - 1.025).abs() < 1e-9 && (low(5) - 1.0025).abs() < 1e-9, "{} {}", low(2), low(5));
    }

    #[test]
    fn a_ratio_of_extremes_may_be_one() {
        let mut pair: Vec<f64> = (0..=1_000).map(|i| 0.7 + f64::from(i) / 2_500.0).collect();
        let mut ratios: Vec<f64> = pair.iter().map(|r: &f64| r.min(1.0 / r)).collect();
        let interval = extremes_interval(0.9, &mut ratios, &mut pair, Equality::Above, 2, 0.95).unwrap();
        assert!(interval.low > 0.7 && interval.low < 0.75 && interval.high == 1.0, "{interval:?}");
    }

    #[test]
    fn mostly_undefined_replicates_give_no_interval() {
        assert_eq!(percentile_interval(1.0, &mut vec![1.0, f64::NAN, f64::NAN], 0.95), None);
        assert_eq!(percentile_interval(1.0, &mut vec![], 0.95), None);
    }

    #[test]
    fn redrawn_weight_has_the_variance_of_poisson_row_weights() {
        // Rows of weight 1, 2 and 3 four times each: Σw = 24, Σw² = 56.
        let (weight, squares) = (24.0, 56.0);
        let mut redraws = Redraws::default();
        let redraw = redraws.prepare(weight, weight * weight / squares);
        let (stream, n) = (Stream::new(1, "redraw"), 100_000);
        let draws: Vec<f64> = (0..n).map(|i| redraws.draw(redraw, stream, i)).collect();
        let mean = draws.iter().sum::<f64>() / n as f64;
        let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n as f64;
        assert!((mean - weight).abs() < 0.1, "{mean}");
        assert!((variance - squares).abs() < 1.5, "{variance}");
    }
}
