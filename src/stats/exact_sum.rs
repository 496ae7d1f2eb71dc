//! Sums of f64 that do not depend on the order of additions.
//!
//! A small superaccumulator (Neal 2015, "Fast exact summation using small and large superaccumulators"): the sum is
//! kept as a wide fixed-point number in 32-bit digits held in 64-bit chunks, so that an addition touches two chunks
//! and carries are propagated only once in 1,024 additions. Rounding happens once, when the value is read.

use super::Accumulator;

/// Additions between two carries: a digit grows by less than 2^52 each time and has 2^63 of room.
const CARRY_EVERY: u32 = 1 << 10;
const DIGIT_BITS: u32 = 32;
const DIGIT_MASK: u64 = 0xffff_ffff;
const FRACTION_BITS: u32 = 52;
/// Exponent of the lowest bit of the lowest digit: the smallest subnormal is 2^-1074.
const LOWEST_EXPONENT: i32 = -1074;

/// The exact sum of any number of f64, rounded to nearest when read.
///
/// Infinities and NaN are kept apart and win, as they would in an ordinary sum.
#[derive(Debug, Clone, Default)]
pub struct ExactSum {
    /// Position of `digits[0]`, in digits above 2^-1074.
    first: u32,
    /// Signed digits, lowest first; only the window that was touched.
    digits: Vec<i64>,
    since_carry: u32,
    not_finite: f64,
}

impl ExactSum {
    /// Adds one number, exactly.
    pub fn add(&mut self, x: f64) {
        let bits = x.to_bits();
        let exponent = ((bits >> FRACTION_BITS) & 0x7ff) as u32;
        let fraction = bits & ((1 << FRACTION_BITS) - 1);
        if exponent == 0x7ff {
            self.not_finite += x;
            return;
        }
        let (mantissa, position) =
            if exponent == 0 { (fraction, 0) } else { (fraction | 1 << FRACTION_BITS, exponent - 1) };
        if mantissa == 0 {
            return;
        }
        let (digit, shift) = (position / DIGIT_BITS, position % DIGIT_BITS);
        let at = self.cover(digit);
        // Without a branch on the sign, which is hard to predict.
        let sign = 1 - 2 * (bits >> 63) as i64;
        self.digits[at] += sign * ((mantissa << shift) & DIGIT_MASK) as i64;
        self.digits[at + 1] += sign * (mantissa >> (DIGIT_BITS - shift)) as i64;
        self.since_carry += 1;
        if self.since_carry == CARRY_EVERY {
            self.carry();
        }
    }

    /// The sum, correctly rounded (to nearest, ties to even).
    pub fn value(&self) -> f64 {
        if self.not_finite != 0.0 {
            return self.not_finite;
        }
        let mut sum = self.clone();
        sum.carry();
        let negative = sum.digits.last().is_some_and(|&top| top < 0);
        if negative {
            sum = sum.negated();
            sum.carry();
        }
        let magnitude = sum.round();
        if negative { -magnitude } else { magnitude }
    }

    /// The sum with the other sign.
    pub fn negated(mut self) -> Self {
        self.digits.iter_mut().for_each(|digit| *digit = -*digit);
        self.not_finite = -self.not_finite;
        self
    }

    /// Makes sure that `digit` and the next one are in the window; returns the index of `digit`.
    fn cover(&mut self, digit: u32) -> usize {
        if self.digits.is_empty() {
            self.first = digit;
        }
        if digit < self.first {
            let missing = (self.first - digit) as usize;
            self.digits.splice(0..0, std::iter::repeat_n(0, missing));
            self.first = digit;
        }
        let at = (digit - self.first) as usize;
        if self.digits.len() < at + 2 {
            self.digits.resize(at + 2, 0);
        }
        at
    }

    /// Brings all digits but the highest into 0..2^32; the highest keeps the sign.
    fn carry(&mut self) {
        self.since_carry = 0;
        let mut at = 0;
        while at < self.digits.len() {
            let digit = self.digits[at];
            let is_top = at + 1 == self.digits.len();
            if is_top && i32::try_from(digit).is_ok() {
                break;
            }
            if is_top {
                self.digits.push(0);
            }
            self.digits[at] = digit & DIGIT_MASK as i64;
            self.digits[at + 1] += digit >> DIGIT_BITS;
            at += 1;
        }
    }

    /// Rounds non-negative, carried digits: the three highest as one integer, all lower ones as a sticky bit.
    fn round(&self) -> f64 {
        let Some(top) = self.digits.iter().rposition(|&digit| digit != 0) else { return 0.0 };
        let digit = |below: usize| top.checked_sub(below).map_or(0, |at| self.digits[at] as u128);
        let sticky = self.digits[..top.saturating_sub(2)].iter().any(|&digit| digit != 0);
        let integer = digit(0) << 64 | digit(1) << 32 | digit(2) | u128::from(sticky);
        let exponent = (self.first as i32 + top as i32 - 2) * DIGIT_BITS as i32 + LOWEST_EXPONENT;
        // Two factors: 2^exponent alone may underflow although the product does not.
        let half = exponent / 2;
        integer as f64 * power_of_two(half) * power_of_two(exponent - half)
    }
}

/// 2^n for −1022 ≤ n ≤ 1023, exactly.
fn power_of_two(n: i32) -> f64 {
    f64::from_bits(((n + 1023) as u64) << FRACTION_BITS)
}

impl Accumulator for ExactSum {
    type Item<'a> = f64;
    type Output = f64;

    fn update(&mut self, item: f64) {
        self.add(item);
    }

    fn merge(&mut self, mut other: Self) {
        self.not_finite += other.not_finite;
        self.carry();
        other.carry();
        let Some(last) = other.digits.len().checked_sub(1) else { return };
        self.cover(other.first + last as u32);
        let offset = self.cover(other.first);
        for (i, digit) in other.digits.into_iter().enumerate() {
            self.digits[offset + i] += digit;
        }
        self.carry();
    }

    fn finish(&self) -> f64 {
        self.value()
    }
}

impl PartialEq for ExactSum {
    fn eq(&self, other: &Self) -> bool {
        self.value() == other.value()
    }
}

impl FromIterator<f64> for ExactSum {
    fn from_iter<I: IntoIterator<Item = f64>>(items: I) -> Self {
        let mut sum = Self::default();
        items.into_iter().for_each(|x| sum.add(x));
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::random::Stream;

    fn wild(n: u64) -> Vec<f64> {
        let stream = Stream::new(3, "wild");
        (0..n).map(|i| (stream.unit(2 * i) - 0.5) * 10f64.powi((stream.at(2 * i + 1) % 40) as i32 - 20)).collect()
    }

    #[test]
    fn any_order_and_any_split_gives_the_same_bits() {
        let numbers = wild(5_000);
        let whole: ExactSum = numbers.iter().copied().collect();
        let backwards: ExactSum = numbers.iter().rev().copied().collect();
        let mut parts = ExactSum::default();
        for part in numbers.chunks(37).rev() {
            parts.merge(part.iter().copied().collect());
        }
        assert_eq!(whole.value().to_bits(), backwards.value().to_bits());
        assert_eq!(whole.value().to_bits(), parts.value().to_bits());
    }

    #[test]
    fn integers_sum_exactly() {
        let sum: ExactSum = (1..=100_000).map(f64::from).collect();
        assert_eq!(sum.value(), 5_000_050_000.0);
        let negative: ExactSum = (1..=100_000).map(|i| -f64::from(i)).collect();
        assert_eq!(negative.value(), -5_000_050_000.0);
    }

    #[test]
    fn cancellation_leaves_the_small_part() {
        let sum: ExactSum = [1e300, 1.0, -1e300, 1e-300].into_iter().collect();
        assert_eq!(sum.value(), 1.0);
        let sum: ExactSum = [1e300, 1e-300, -1e300].into_iter().collect();
        assert_eq!(sum.value(), 1e-300);
        let sum: ExactSum = [0.1, -0.1].into_iter().collect();
        assert_eq!(sum.value(), 0.0);
    }

    #[test]
    fn negating_turns_the_sign_and_nothing_else() {
        let numbers = wild(1_000);
        let sum: ExactSum = numbers.iter().copied().collect();
        assert_eq!(sum.clone().negated().value(), -sum.value());
        let mut none = sum.clone();
        none.merge(sum.negated());
        assert_eq!(none.value(), 0.0);
    }

    #[test]
    fn ties_round_to_even_and_a_sticky_bit_breaks_them() {
        let half = f64::EPSILON / 2.0;
        assert_eq!([1.0, half].into_iter().collect::<ExactSum>().value(), 1.0);
        assert_eq!([1.0, half, 1e-200].into_iter().collect::<ExactSum>().value(), 1.0 + f64::EPSILON);
        assert_eq!([1.0, half, -1e-200].into_iter().collect::<ExactSum>().value(), 1.0);
    }

    #[test]
    fn one_number_is_its_own_sum_at_every_scale() {
        for x in [5e-324, f64::MIN_POSITIVE, 1e-310, -1e-310, 0.1, -3.5, 1e308, f64::MAX, -f64::MAX, 0.0] {
            assert_eq!([x].into_iter().collect::<ExactSum>().value(), x, "{x:e}");
        }
    }

    #[test]
    fn what_is_not_finite_wins() {
        assert_eq!([1.0, f64::INFINITY].into_iter().collect::<ExactSum>().value(), f64::INFINITY);
        assert!([f64::NEG_INFINITY, f64::INFINITY].into_iter().collect::<ExactSum>().value().is_nan());
        assert!([1.0, f64::NAN].into_iter().collect::<ExactSum>().value().is_nan());
    }
}
