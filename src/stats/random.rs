//! Randomness without a state: every draw is a function of (seed, stream, index).
//!
//! Draws are therefore the same whatever thread asks for them and in whatever order. The mixing function is
//! SplitMix64's (Steele, Lea, Flood 2014); a stream is a key of its own, hashed from the seed and the stream's name.

use super::Accumulator;
use statrs::function::gamma::ln_gamma;
use std::collections::BinaryHeap;

const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// SplitMix64's finaliser: a bijection of u64 that mixes all bits.
pub fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// One named sequence of random numbers, readable at any index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream {
    key: u64,
}

impl Stream {
    /// The stream called `name` of a run's seed.
    // Inlined into a loop, its dozens of mixing steps keep the vectoriser busy for ever.
    #[inline(never)]
    pub fn new(seed: u64, name: &str) -> Self {
        name.bytes().fold(Self { key: mix(seed ^ GOLDEN_GAMMA) }, |stream, byte| stream.child(u64::from(byte)))
    }

    /// A stream of its own for the `index`-th part of a piece of work.
    pub fn child(self, index: u64) -> Self {
        Self { key: mix(self.key ^ mix(index.wrapping_add(GOLDEN_GAMMA))) }
    }

    /// The 64 random bits at `index`.
    pub fn at(self, index: u64) -> u64 {
        mix(self.key.wrapping_add(index.wrapping_add(1).wrapping_mul(GOLDEN_GAMMA)))
    }

    /// Uniform on [0, 1), 53 bits.
    pub fn unit(self, index: u64) -> f64 {
        (self.at(index) >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Standard normal (Box–Muller over the indices 2·`index` and 2·`index` + 1).
    pub fn normal(self, index: u64) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit(2 * index)).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit(2 * index + 1)).cos()
    }

    /// Beta(½, b) for b > 0: X / (X + Y) of a Gamma(½), which is half a squared normal, and a Gamma(b) by Wilson and
    /// Hilferty's cube (1931), whose error is far below the noise of replicates from b = ½ on.
    pub fn beta_half(self, index: u64, b: f64) -> f64 {
        let x = self.normal(2 * index).powi(2) / 2.0;
        let y = b * (1.0 - 1.0 / (9.0 * b) + self.normal(2 * index + 1) / (3.0 * b.sqrt())).max(0.0).powi(3);
        if x + y > 0.0 { x / (x + y) } else { 0.0 }
    }
}

/// Poisson(λ) as an alias table (Walker 1977, Vose 1991): one lookup per draw, whatever λ.
///
/// Probabilities are exact to 2^-32; the support is cut where the tails hold less than 1e-14.
#[derive(Debug, Clone, PartialEq)]
pub struct Poisson {
    lowest: u32,
    columns: Vec<Column>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Column {
    keep_below: u32,
    alias: u32,
}

impl Poisson {
    /// `lambda` must be finite and not negative (0 always draws 0).
    pub fn new(lambda: f64) -> Self {
        let reach = 8.0 * lambda.sqrt() + 16.0;
        let lowest = (lambda - reach).max(0.0) as u32;
        let highest = (lambda + reach) as u32;
        let weights: Vec<f64> = (lowest..=highest).map(|k| density(lambda, k)).collect();
        Self { lowest, columns: alias_table(&weights) }
    }

    /// The number that these 64 random bits stand for.
    pub fn draw(&self, bits: u64) -> u32 {
        let at = (((bits >> 32) * self.columns.len() as u64) >> 32) as usize;
        let column = self.columns[at];
        self.lowest + if (bits as u32) < column.keep_below { at as u32 } else { column.alias }
    }
}

fn density(lambda: f64, k: u32) -> f64 {
    if lambda == 0.0 {
        return f64::from(u8::from(k == 0));
    }
    let k = f64::from(k);
    (k * lambda.ln() - lambda - ln_gamma(k + 1.0)).exp()
}

fn alias_table(weights: &[f64]) -> Vec<Column> {
    let n = weights.len();
    let total: f64 = weights.iter().sum();
    let mut share: Vec<f64> = weights.iter().map(|w| w * n as f64 / total).collect();
    let (mut small, mut large): (Vec<usize>, Vec<usize>) = (0..n).partition(|&i| share[i] < 1.0);
    let mut columns: Vec<Column> = (0..n as u32).map(|alias| Column { keep_below: u32::MAX, alias }).collect();
    while let (Some(&poor), Some(&rich)) = (small.last(), large.last()) {
        small.pop();
        columns[poor] = Column { keep_below: (share[poor] * (1u64 << 32) as f64) as u32, alias: rich as u32 };
        share[rich] -= 1.0 - share[poor];
        if share[rich] < 1.0 {
            large.pop();
            small.push(rich);
        }
    }
    columns
}

/// A simple random sample of `size` rows without replacement: the rows whose hash is smallest.
///
/// Which rows are chosen depends on the seed and the row numbers alone, not on batches or threads.
#[derive(Debug, Clone)]
pub struct RowSample {
    stream: Stream,
    size: usize,
    /// Largest hash on top.
    smallest: BinaryHeap<(u64, u64)>,
}

impl RowSample {
    pub fn new(seed: u64, name: &str, size: usize) -> Self {
        Self { stream: Stream::new(seed, name), size, smallest: BinaryHeap::new() }
    }

    fn offer(&mut self, hashed: (u64, u64)) {
        if self.smallest.len() < self.size {
            self.smallest.push(hashed);
        } else if let Some(mut largest) = self.smallest.peek_mut()
            && hashed < *largest
        {
            *largest = hashed;
        }
    }
}

impl Accumulator for RowSample {
    /// A row's number in the data.
    type Item<'a> = u64;
    /// The chosen rows, ascending.
    type Output = Vec<u64>;

    fn update(&mut self, row: u64) {
        self.offer((self.stream.at(row), row));
    }

    fn merge(&mut self, other: Self) {
        other.smallest.into_iter().for_each(|hashed| self.offer(hashed));
    }

    fn finish(&self) -> Vec<u64> {
        let mut rows: Vec<u64> = self.smallest.iter().map(|&(_, row)| row).collect();
        rows.sort_unstable();
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_differ_by_seed_name_and_child() {
        let stream = Stream::new(7, "bootstrap");
        let others = [Stream::new(8, "bootstrap"), Stream::new(7, "sample"), stream.child(0), stream.child(1)];
        assert!(others.iter().all(|other| other.at(0) != stream.at(0)));
        assert_eq!(stream.at(5), Stream::new(7, "bootstrap").at(5));
    }

    #[test]
    fn unit_draws_are_uniform() {
        let stream = Stream::new(1, "unit");
        let mut bins = [0u32; 10];
        (0..100_000).for_each(|i| bins[(stream.unit(i) * 10.0) as usize] += 1);
        // χ² with 9 degrees of freedom exceeds 27.9 once in a thousand.
        let chi2: f64 = bins.iter().map(|&n| (f64::from(n) - 10_000.0).powi(2) / 10_000.0).sum();
        assert!(chi2 < 27.9, "{chi2}");
    }

    #[test]
    fn normal_draws_have_the_normal_moments() {
        let stream = Stream::new(1, "normal");
        let n = 100_000;
        let draws: Vec<f64> = (0..n).map(|i| stream.normal(i)).collect();
        let mean = draws.iter().sum::<f64>() / n as f64;
        let square = draws.iter().map(|x| x * x).sum::<f64>() / n as f64;
        // Four standard errors: 1/√n and √(2/n).
        assert!(mean.abs() < 4.0 / (n as f64).sqrt(), "{mean}");
        assert!((square - 1.0).abs() < 4.0 * (2.0 / n as f64).sqrt(), "{square}");
    }

    #[test]
    fn beta_draws_have_the_beta_quantiles() {
        use statrs::distribution::{Beta, ContinuousCDF};
        for b in [1.5, 4.5, 30.5, 1_000.5] {
            let (stream, n) = (Stream::new(4, "beta"), 40_000u64);
            let mut draws: Vec<f64> = (0..n).map(|i| stream.beta_half(i, b)).collect();
            draws.sort_by(f64::total_cmp);
            let beta = Beta::new(0.5, b).unwrap();
            for level in [0.05, 0.5, 0.9, 0.975] {
                // Four standard errors of a share, and half a percent for the cube.
                let share = beta.cdf(draws[(level * n as f64) as usize]);
                assert!((share - level).abs() < 4.0 * (level * (1.0 - level) / n as f64).sqrt() + 0.005, "{b} {level}");
            }
        }
    }

    #[test]
    fn poisson_draws_have_mean_and_variance_lambda() {
        for lambda in [0.3, 1.0, 17.5, 400.0, 20_000.0] {
            let (poisson, stream) = (Poisson::new(lambda), Stream::new(2, "poisson"));
            let n = 50_000u64;
            let draws: Vec<f64> = (0..n).map(|i| f64::from(poisson.draw(stream.at(i)))).collect();
            let mean = draws.iter().sum::<f64>() / n as f64;
            let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n as f64;
            let n = n as f64;
            // Five standard errors: √(λ/n) for the mean, √((2λ² + λ)/n) for the variance.
            assert!((mean - lambda).abs() < 5.0 * (lambda / n).sqrt(), "λ {lambda}: mean {mean}");
            let allowed = 5.0 * ((2.0 * lambda * lambda + lambda) / n).sqrt();
            assert!((variance - lambda).abs() < allowed, "λ {lambda}: variance {variance}");
        }
    }

    #[test]
    fn poisson_of_zero_is_zero() {
        let poisson = Poisson::new(0.0);
        assert!((0..1_000).all(|i| poisson.draw(mix(i)) == 0));
    }

    #[test]
    fn poisson_frequencies_match_the_density() {
        let (poisson, stream, n) = (Poisson::new(2.5), Stream::new(9, "density"), 200_000u64);
        let mut counts = [0f64; 40];
        (0..n).for_each(|i| counts[poisson.draw(stream.at(i)) as usize] += 1.0);
        for k in 0..8u32 {
            let expected = density(2.5, k) * n as f64;
            assert!((counts[k as usize] - expected).abs() < 5.0 * expected.sqrt(), "k {k}");
        }
    }

    #[test]
    fn a_row_sample_does_not_depend_on_batches() {
        let sample = |rows: &mut dyn Iterator<Item = u64>| {
            let mut sample = RowSample::new(7, "explain", 50);
            rows.for_each(|row| sample.update(row));
            sample
        };
        let whole = sample(&mut (0..10_000)).finish();
        let mut parts = sample(&mut (6_000..10_000));
        parts.merge(sample(&mut (0..10)));
        parts.merge(sample(&mut (10..6_000)));
        assert_eq!(whole, parts.finish());
        assert_eq!(whole.len(), 50);
        assert!(whole.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn a_sample_larger_than_the_data_is_the_data() {
        let mut sample = RowSample::new(7, "explain", 10);
        (0..4).for_each(|row| sample.update(row));
        assert_eq!(sample.finish(), vec![0, 1, 2, 3]);
    }
}
