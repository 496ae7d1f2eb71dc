//! The logistic function of many numbers at once.

use super::simd::{Holds, Simd, Work};

/// Puts 1 / (1 + e⁻ˣ) in the place of every x, within two units of the last place of `exp` by itself; the same bits with
/// every set of instructions.
pub(crate) fn logistic_all(simd: Simd, numbers: &mut [f64]) {
    simd.run(Logistic(numbers));
}

struct Logistic<'a>(&'a mut [f64]);

impl Work for Logistic<'_> {
    #[inline(always)]
    fn run<H: Holds>(self, _: H) {
        self.0.iter_mut().for_each(|x| *x = 1.0 / (1.0 + exp(-*x)));
    }
}

/// Beyond, e^x is no normal number; a probability there is 0 or 1.
const BOUND: f64 = 708.0;

/// e^x = 2ᵏ e^r with k the nearest whole number to x / ln 2 (Cody and Waite 1980), e^r by its series up to r¹³ / 13!:
/// the rest is below 2⁻⁵⁶ for |r| ≤ ln 2 / 2. Without a branch, so that compilers take several numbers at once.
#[inline(always)]
fn exp(x: f64) -> f64 {
    // ln 2 in two parts: products of the first with whole numbers up to 2²⁰ are exact.
    const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    // Added to a number, leaves its whole part in the last bits.
    const SHIFT: f64 = 6_755_399_441_055_744.0;
    let x = x.clamp(-BOUND, BOUND);
    let shifted = x * std::f64::consts::LOG2_E + SHIFT;
    let k = shifted - SHIFT;
    let r = x - k * LN_2_HIGH - k * LN_2_LOW;
    let series = SERIES.iter().rev().fold(0.0, |sum, term| sum * r + term);
    let power = f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52);
    series * power
}

/// 1 / n!
const SERIES: [f64; 14] = {
    let mut series = [1.0; 14];
    let mut n = 1;
    while n < series.len() {
        series[n] = series[n - 1] / n as f64;
        n += 1;
    }
    series
};

#[cfg(test)]
mod tests {
    use super::*;

    fn all(simd: Simd, numbers: &[f64]) -> Vec<f64> {
        let mut found = numbers.to_vec();
        logistic_all(simd, &mut found);
        found
    }

    #[test]
    fn it_is_the_function_by_itself_to_rounding_and_the_same_bits_on_all_registers() {
        let numbers: Vec<f64> = (-70_000..=70_000).map(|at| f64::from(at) * 0.0101).collect();
        let found = all(Simd::Portable, &numbers);
        for (x, found) in numbers.iter().zip(&found) {
            let expected = 1.0 / (1.0 + (-x).exp());
            assert!((found / expected - 1.0).abs() < 1e-15, "{x}: {found} is to be {expected}");
        }
        for simd in Simd::available() {
            assert_eq!(all(simd, &numbers), found, "{simd:?}");
        }
    }

    #[test]
    fn beyond_all_bounds_it_is_nearly_0_or_1_and_of_no_number_no_number() {
        let found = all(Simd::detect(), &[f64::NEG_INFINITY, -1e4, 0.0, 1e4, f64::INFINITY, f64::NAN]);
        assert!(found[..2].iter().all(|p| (0.0..1e-300).contains(p)), "{found:?}");
        assert_eq!(found[2..5], [0.5, 1.0, 1.0]);
        assert!(found[5].is_nan());
    }
}
