//! Numbers as bins between quantiles, and numbers drawn from a bin.

use super::shares::Shares;
use super::truncated::Uniforms;
use super::{Discretiser, PointBins};
use crate::stats::{Accumulator, Quantiles};

/// Bins of one number column; missing numbers are one more bin after the others.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bins {
    /// Ascending and different; bin b holds the numbers above `bounds[b − 1]` and up to `bounds[b]`.
    bounds: Vec<f64>,
    bins: Vec<Bin>,
    /// Infinite numbers are not counted: they are nobody's neighbours.
    shares: Shares,
    point_bins: PointBins,
}

/// The training data's numbers in one bin.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Bin {
    low: f64,
    high: f64,
    mean: f64,
    std: f64,
}

impl Bins {
    /// Bins between the quantiles of `numbers`, of which NaN is missing.
    pub fn learn(numbers: &[f64], discretiser: Discretiser, point_bins: PointBins) -> Self {
        let mut finite: Vec<f64> = numbers.iter().copied().filter(|x| x.is_finite()).collect();
        finite.sort_unstable_by(f64::total_cmp);
        let bounds = bounds(&finite, discretiser);
        let (mut bins, mut counts, mut rest) = (Vec::new(), Vec::new(), finite.as_slice());
        for b in 0..=bounds.len() {
            let end = bounds.get(b).map_or(rest.len(), |bound| rest.partition_point(|x| x <= bound));
            let low = if b == 0 { finite.first() } else { bounds.get(b - 1) };
            let high = bounds.get(b).or(finite.last());
            bins.extend(low.zip(high).map(|(low, high)| Bin::of(*low, *high, &rest[..end])));
            rest = &rest[end..];
            counts.push(end as u64);
        }
        counts.push(numbers.iter().filter(|x| x.is_nan()).count() as u64);
        Self { bounds, bins, shares: Shares::of(counts.into_iter()), point_bins }
    }

    pub fn bounds(&self) -> &[f64] {
        &self.bounds
    }

    /// The bin of a number; the bins' number itself for a missing one.
    pub fn bin_of(&self, x: f64) -> usize {
        if x.is_nan() { self.bounds.len() + 1 } else { self.bounds.partition_point(|bound| *bound < x) }
    }

    /// A bin with the training data's probabilities; `None` if they had nothing to draw from.
    pub fn draw_bin(&self, uniforms: &mut Uniforms) -> Option<usize> {
        self.shares.at(uniforms.unit())
    }

    /// A number of a drawn bin.
    pub fn draw_in(&self, bin: usize, uniforms: &mut Uniforms) -> f64 {
        self.bins.get(bin).map_or(f64::NAN, |bin| bin.draw(self.point_bins, uniforms))
    }
}

impl Bin {
    fn of(low: f64, high: f64, numbers: &[f64]) -> Self {
        let n = numbers.len().max(1) as f64;
        let mean = numbers.iter().map(|x| x / n).sum::<f64>();
        let is_one_number = numbers.windows(2).all(|pair| pair[0] == pair[1]);
        let mean = if is_one_number { numbers.first().copied().unwrap_or(low) } else { mean };
        let std = numbers.iter().map(|x| (x - mean) * (x - mean) / n).sum::<f64>().sqrt();
        Self { low, high, mean, std }
    }

    fn draw(&self, point_bins: PointBins, uniforms: &mut Uniforms) -> f64 {
        if self.low == self.high && point_bins == PointBins::AsLime {
            return 0.0;
        }
        if self.std == 0.0 {
            return self.mean;
        }
        let z = uniforms.truncated_normal((self.low - self.mean) / self.std, (self.high - self.mean) / self.std);
        (self.mean + self.std * z).clamp(self.low, self.high)
    }
}

/// Different quantiles of ascending numbers.
fn bounds(numbers: &[f64], discretiser: Discretiser) -> Vec<f64> {
    let mut exact = Quantiles::with_limit(usize::MAX);
    numbers.iter().for_each(|x| exact.update(*x));
    let sorted = exact.finish();
    let quantiles = match discretiser {
        Discretiser::Decile => sorted.quantiles([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]).map(Vec::from),
        Discretiser::Quartile | Discretiser::Off => sorted.quantiles([0.25, 0.5, 0.75]).map(Vec::from),
    };
    let mut quantiles = quantiles.unwrap_or_default();
    quantiles.dedup();
    quantiles
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::random::Stream;

    fn quartiles(numbers: &[f64]) -> Bins {
        Bins::learn(numbers, Discretiser::Quartile, PointBins::Own)
    }

    fn draws(bins: &Bins, n: usize) -> Vec<(usize, f64)> {
        let mut uniforms = Uniforms::new(Stream::new(3, "bins"));
        let draw = |_| {
            let bin = bins.draw_bin(&mut uniforms).unwrap();
            (bin, bins.draw_in(bin, &mut uniforms))
        };
        (0..n).map(draw).collect()
    }

    #[test]
    fn a_number_on_a_bound_belongs_to_the_bin_below() {
        let bins = quartiles(&[1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!(bins.bounds(), [2.0, 3.0, 4.0]);
        let found = [f64::NEG_INFINITY, 2.0, 2.1, 3.0, 4.0, 4.1, f64::INFINITY, f64::NAN].map(|x| bins.bin_of(x));
        assert_eq!(found, [0, 0, 1, 1, 2, 3, 3, 4]);
    }

    #[test]
    fn a_drawn_number_lies_in_its_bin_and_bins_come_as_often_as_in_the_data() {
        let numbers: Vec<f64> = (0..999).map(|i| f64::from(i % 37).powi(2)).chain([f64::NAN; 111]).collect();
        let bins = Bins::learn(&numbers, Discretiser::Decile, PointBins::Own);
        let n = 50_000;
        let mut counts = vec![0.0; bins.bounds().len() + 2];
        for (bin, x) in draws(&bins, n) {
            // Drawn numbers fall onto a bin's lower bound with probability zero, but for rounding.
            assert!(bins.bin_of(x) == bin || bins.bounds().get(bin.wrapping_sub(1)) == Some(&x), "{bin} {x}");
            counts[bin] += 1.0;
        }
        for (bin, count) in counts.iter().enumerate() {
            let share = numbers.iter().filter(|x| bins.bin_of(**x) == bin).count() as f64 / numbers.len() as f64;
            let allowed = 5.0 * (share * (1.0 - share) / n as f64).sqrt();
            assert!((count / n as f64 - share).abs() <= allowed, "bin {bin}");
        }
    }

    #[test]
    fn a_bin_of_one_number_gives_that_number_or_zero_as_lime_does() {
        let numbers = [1.0, 1.0, 1.0, 1.0, 2.0, 7.0];
        let own = quartiles(&numbers);
        assert!(draws(&own, 500).iter().all(|(bin, x)| (*bin == 0) == (*x == 1.0)));
        let lime = Bins::learn(&numbers, Discretiser::Quartile, PointBins::AsLime);
        assert!(draws(&lime, 500).iter().all(|(bin, x)| (*bin == 0) == (*x == 0.0)));
    }

    #[test]
    fn constant_missing_and_infinite_columns_have_few_bins() {
        let constant = quartiles(&[5.0; 4]);
        assert_eq!((constant.bounds(), constant.bin_of(5.0)), (&[5.0][..], 0));
        assert!(draws(&constant, 20).iter().all(|drawn| *drawn == (0, 5.0)));
        let missing = quartiles(&[f64::NAN; 4]);
        assert!(draws(&missing, 20).iter().all(|(bin, x)| *bin == missing.bin_of(f64::NAN) && x.is_nan()));
        let infinite = quartiles(&[f64::INFINITY; 4]);
        assert_eq!(infinite.draw_bin(&mut Uniforms::new(Stream::new(1, "bins"))), None);
        let one = quartiles(&[3.0]);
        assert!(draws(&one, 20).iter().all(|drawn| *drawn == (0, 3.0)));
    }
}
