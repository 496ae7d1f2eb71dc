//! Draws from a standard normal that is cut off on both sides.

use crate::stats::random::Stream;

/// Widest cut within which uniform proposals are used: they are cheaper than normal ones, and with 0 inside the cut at
/// least 31 % of them are accepted.
const UNIFORM_WIDTH: f64 = 4.0;

/// Consecutive uniform numbers of a [`Stream`].
#[derive(Debug, Clone)]
pub(super) struct Uniforms {
    stream: Stream,
    next: u64,
}

impl Uniforms {
    pub fn new(stream: Stream) -> Self {
        Self { stream, next: 0 }
    }

    /// Uniform on [0, 1).
    pub fn unit(&mut self) -> f64 {
        self.next += 1;
        self.stream.unit(self.next - 1)
    }

    /// One of `0..n`; no number of rows is large enough for the 53 bits to favour one of them visibly.
    pub fn below(&mut self, n: u64) -> u64 {
        (self.unit() * n as f64) as u64
    }

    /// Standard normal (Box–Muller).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// Standard normal, given that it lies in `low..=high`, which must hold 0 (acceptance–rejection, Robert 1995).
    pub fn truncated_normal(&mut self, low: f64, high: f64) -> f64 {
        let (low, high) = (low.min(0.0), high.max(0.0));
        loop {
            if high - low < UNIFORM_WIDTH {
                let z = low + (high - low) * self.unit();
                let (height, half_square) = (self.unit(), 0.5 * z * z);
                // 1 − x ≤ exp(−x) spares most exponentials.
                if height < 1.0 - half_square || height < (-half_square).exp() {
                    return z;
                }
            } else {
                let z = self.normal();
                if (low..=high).contains(&z) {
                    return z;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mean and variance of the truncated normal by Simpson's rule.
    fn expected(low: f64, high: f64) -> (f64, f64) {
        let (low, high) = (low.max(-12.0), high.min(12.0));
        let (steps, mut sums) = (20_000, [0.0; 3]);
        for i in 0..=steps {
            let z = low + (high - low) * f64::from(i) / f64::from(steps);
            let simpson = if i == 0 || i == steps { 1.0 } else { 2.0 + 2.0 * f64::from(i % 2) };
            let density = simpson * (-0.5 * z * z).exp();
            sums = [sums[0] + density, sums[1] + density * z, sums[2] + density * z * z];
        }
        let mean = sums[1] / sums[0];
        (mean, sums[2] / sums[0] - mean * mean)
    }

    #[test]
    fn draws_have_the_mean_and_spread_of_the_cut_normal_and_stay_inside() {
        let n = 60_000;
        for (low, high) in [(-1.0, 0.5), (0.0, 3.0), (-1e11, 0.0), (-0.1, 40.0), (-1.7, 1.7), (-1e-9, 0.0)] {
            let mut uniforms = Uniforms::new(Stream::new(1, "truncated"));
            let draws: Vec<f64> = (0..n).map(|_| uniforms.truncated_normal(low, high)).collect();
            assert!(draws.iter().all(|z| (low..=high).contains(z)));
            let mean = draws.iter().sum::<f64>() / f64::from(n);
            let variance = draws.iter().map(|z| (z - mean).powi(2)).sum::<f64>() / f64::from(n);
            let (expected_mean, expected_variance) = expected(low, high);
            // Five standard errors.
            let allowed = 5.0 * (expected_variance / f64::from(n)).sqrt();
            assert!((mean - expected_mean).abs() <= allowed, "{low}..{high}: mean {mean}, not {expected_mean}");
            assert!((variance / expected_variance - 1.0).abs() < 0.05, "{low}..{high}: variance {variance}");
        }
    }
}
