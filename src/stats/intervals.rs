//! Confidence intervals in closed form.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

/// A two-sided confidence interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

impl Interval {
    /// `center` ± `half`.
    pub fn around(center: f64, half: f64) -> Self {
        Self { low: center - half, high: center + half }
    }
}

/// Successes out of trials. Weighted data count as the effective number of trials n = (Σw)² / Σw² (Kish 1965) with
/// the weighted share of successes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Proportion {
    pub successes: f64,
    /// Positive.
    pub trials: f64,
}

impl Proportion {
    pub fn share(self) -> f64 {
        self.successes / self.trials
    }
}

/// The standard normal quantile of a two-sided confidence level: 1.96 for 0.95.
pub fn normal_quantile(confidence: f64) -> f64 {
    Normal::standard().inverse_cdf(0.5 + confidence / 2.0)
}

/// Student's t quantile of a two-sided confidence level; the normal one without positive degrees of freedom.
pub fn student_quantile(confidence: f64, degrees: f64) -> f64 {
    StudentsT::new(0.0, 1.0, degrees)
        .map_or_else(|_| normal_quantile(confidence), |t| t.inverse_cdf(0.5 + confidence / 2.0))
}

/// Wilson's score interval of a proportion (Wilson 1927); `z` is the normal quantile.
pub fn wilson(proportion: Proportion, z: f64) -> Interval {
    let (p, n) = (proportion.share(), proportion.trials);
    let center = (p + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).max(0.0).sqrt();
    // At p = 0 and 1 one end is exact, which rounding would miss.
    let low = if p <= 0.0 { 0.0 } else { (center - half).max(0.0) };
    let high = if p >= 1.0 { 1.0 } else { (center + half).min(1.0) };
    Interval { low, high }
}

/// Newcombe's interval of p_a − p_b for independent groups (Newcombe 1998, method 10: from Wilson's).
pub fn newcombe(a: Proportion, b: Proportion, z: f64) -> Interval {
    let (wa, wb) = (wilson(a, z), wilson(b, z));
    let (pa, pb) = (a.share(), b.share());
    Interval { low: pa - pb - (pa - wa.low).hypot(wb.high - pb), high: pa - pb + (wa.high - pa).hypot(pb - wb.low) }
}

/// Log interval of p_a / p_b for independent groups (Katz et al. 1978). Where a count is zero, half a success and half
/// a trial are added to both groups (Walter 1975). The estimate itself is `None` if p_b is 0, and then so is this.
pub fn log_ratio(a: Proportion, b: Proportion, z: f64) -> Option<Interval> {
    if b.successes <= 0.0 {
        return None;
    }
    let zero = a.successes <= 0.0;
    let add = if zero { 0.5 } else { 0.0 };
    let (xa, na, xb, nb) = (a.successes + add, a.trials + add, b.successes + add, b.trials + add);
    let ratio = (xa / na) / (xb / nb);
    let half = z * (1.0 / xa - 1.0 / na + 1.0 / xb - 1.0 / nb).max(0.0).sqrt();
    let low = if zero { 0.0 } else { ratio * (-half).exp() };
    Some(Interval { low, high: ratio * half.exp() })
}

/// Odds of `a` over odds of `b`, with Woolf's log interval (1955); where a cell is empty, half a row is added to each
/// for the interval (Haldane 1956, Anscombe 1956). The ratio is `None` where its denominator is 0.
pub fn odds_ratio(a: Proportion, b: Proportion, z: f64) -> (Option<f64>, Option<Interval>) {
    let cells = [a.successes, a.trials - a.successes, b.successes, b.trials - b.successes];
    let of = |[ya, na, yb, nb]: [f64; 4]| ya * nb / (na * yb);
    let value = (cells[1] * cells[2] > 0.0).then(|| of(cells));
    let is_empty = cells.iter().any(|cell| *cell <= 0.0);
    let cells = cells.map(|cell| if is_empty { cell + 0.5 } else { cell });
    let half = z * cells.iter().map(|cell| 1.0 / cell).sum::<f64>().sqrt();
    let low = if value == Some(0.0) { 0.0 } else { of(cells) * (-half).exp() };
    (value, Some(Interval { low, high: of(cells) * half.exp() }))
}

/// A value with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimated {
    pub value: f64,
    pub interval: Interval,
}

impl Estimated {
    fn negated(self) -> Self {
        let Interval { low, high } = self.interval;
        Self { value: -self.value, interval: Interval { low: -high, high: -low } }
    }

    fn below(self) -> f64 {
        self.value - self.interval.low
    }

    fn above(self) -> f64 {
        self.interval.high - self.value
    }
}

/// Interval of a − b from the intervals that independent a and b have at the same confidence (method of variance
/// estimates recovery, MOVER: Zou and Donner 2008). [`newcombe`] is the case of two Wilson intervals. Where a and b
/// rise and fall together, as two measurements of the same rows do, the interval is wider than it need be.
pub fn mover_difference(a: Estimated, b: Estimated) -> Interval {
    let difference = a.value - b.value;
    Interval { low: difference - a.below().hypot(b.above()), high: difference + a.above().hypot(b.below()) }
}

/// Interval of a / b for independent a and b (MOVER-R: Donner and Zou 2012): the ratios R at which the interval of
/// a − R·b holds 0. `None` where nothing bounds it: the interval of b holds 0 or is too wide.
pub fn mover_ratio(a: Estimated, b: Estimated) -> Option<Interval> {
    if b.value < 0.0 {
        return mover_ratio(a.negated(), b.negated());
    }
    if b.interval.low <= 0.0 {
        return None;
    }
    // Which end of b limits the ratio depends on the ratio's sign.
    let end = |a_apart: f64, a_end: f64, b_if_positive: f64, b_if_negative: f64, side: f64| {
        let b_apart = if a_end >= 0.0 { b_if_positive } else { b_if_negative };
        let square = b.value * b.value - b_apart * b_apart;
        let rest = (a.value * b_apart).hypot(a_apart * square.max(0.0).sqrt());
        (square > 0.0).then(|| (a.value * b.value + side * rest) / square)
    };
    let low = end(a.below(), a.interval.low, b.above(), b.below(), -1.0)?;
    let high = end(a.above(), a.interval.high, b.below(), b.above(), 1.0)?;
    Some(Interval { low, high })
}

#[cfg(test)]
mod tests {
    use super::*;

    const Z: f64 = 1.959963984540054;

    fn of(successes: f64, trials: f64) -> Proportion {
        Proportion { successes, trials }
    }

    fn close(interval: Interval, low: f64, high: f64, tolerance: f64) {
        assert!((interval.low - low).abs() < tolerance && (interval.high - high).abs() < tolerance, "{interval:?}");
    }

    #[test]
    fn quantiles_are_the_tables() {
        assert!((normal_quantile(0.95) - Z).abs() < 1e-12);
        assert!((student_quantile(0.95, 10.0) - 2.2281388519649385).abs() < 1e-9);
    }

    #[test]
    fn wilson_of_published_examples() {
        // Newcombe 1998 (Statistics in Medicine 17, 857–872), table I: 81/263 and 15/148.
        close(wilson(of(81.0, 263.0), Z), 0.2553, 0.3662, 5e-5);
        close(wilson(of(15.0, 148.0), Z), 0.0624, 0.1605, 5e-5);
    }

    #[test]
    fn wilson_reaches_the_ends_and_stays_inside() {
        close(wilson(of(0.0, 20.0), Z), 0.0, 0.1611, 5e-5);
        close(wilson(of(20.0, 20.0), Z), 0.8389, 1.0, 5e-5);
        assert_eq!(wilson(of(1.0, 1.0), Z).high, 1.0);
    }

    #[test]
    fn newcombe_of_published_examples() {
        // Newcombe 1998 (Statistics in Medicine 17, 873–890), table II, method 10: 56/70 − 48/80, 10/10 − 0/10.
        close(newcombe(of(56.0, 70.0), of(48.0, 80.0), Z), 0.0524, 0.3339, 5e-5);
        close(newcombe(of(10.0, 10.0), of(0.0, 10.0), Z), 0.6075, 1.0, 5e-5);
    }

    #[test]
    fn newcombe_turns_its_sign_with_the_groups() {
        let (a, b) = (of(9.0, 40.0), of(22.0, 60.0));
        let (ab, ba) = (newcombe(a, b, Z), newcombe(b, a, Z));
        close(ab, -ba.high, -ba.low, 1e-15);
    }

    #[test]
    fn log_ratio_of_a_worked_example() {
        // ln(0.5) ± 1.96 √(1/10 − 1/100 + 1/20 − 1/100).
        let half = Z * 0.13f64.sqrt();
        let interval = log_ratio(of(10.0, 100.0), of(20.0, 100.0), Z).unwrap();
        close(interval, 0.5 * (-half).exp(), 0.5 * half.exp(), 1e-12);
    }

    #[test]
    fn a_ratio_with_zero_successes_starts_at_zero_and_one_over_zero_has_no_interval() {
        let interval = log_ratio(of(0.0, 50.0), of(20.0, 100.0), Z).unwrap();
        assert!(interval.low == 0.0 && interval.high > 0.0 && interval.high < 1.0);
        assert_eq!(log_ratio(of(5.0, 50.0), of(0.0, 100.0), Z), None);
    }

    #[test]
    fn odds_ratio_of_a_worked_example() {
        // 30 of 100 against 20 of 100: 30 · 80 / (70 · 20), ln ± 1.96 √(1/30 + 1/70 + 1/20 + 1/80).
        let (value, interval) = odds_ratio(of(30.0, 100.0), of(20.0, 100.0), Z);
        let (value, half) = (value.unwrap(), Z * (1.0f64 / 30.0 + 1.0 / 70.0 + 1.0 / 20.0 + 1.0 / 80.0).sqrt());
        assert!((value - 12.0 / 7.0).abs() < 1e-12);
        close(interval.unwrap(), value * (-half).exp(), value * half.exp(), 1e-12);
        let (none, never) = (odds_ratio(of(5.0, 5.0), of(2.0, 5.0), Z), odds_ratio(of(0.0, 9.0), of(2.0, 5.0), Z));
        assert_eq!((none.0, never.0, never.1.unwrap().low), (None, Some(0.0), 0.0));
        assert!(never.1.unwrap().high.is_finite());
    }

    fn estimated(value: f64, low: f64, high: f64) -> Estimated {
        Estimated { value, interval: Interval { low, high } }
    }

    #[test]
    fn the_difference_of_two_wilson_intervals_is_newcombes() {
        let (a, b) = (of(56.0, 70.0), of(48.0, 80.0));
        let with_wilson = |p: Proportion| Estimated { value: p.share(), interval: wilson(p, Z) };
        let expected = newcombe(a, b, Z);
        close(mover_difference(with_wilson(a), with_wilson(b)), expected.low, expected.high, 1e-15);
    }

    #[test]
    fn a_ratio_holds_exactly_the_factors_that_leave_no_difference() {
        for (a, b) in [
            (estimated(3.0, 2.5, 4.0), estimated(2.0, 1.8, 2.1)),
            (estimated(0.2, -0.3, 0.5), estimated(2.0, 1.5, 2.7)),
            (estimated(-1.0, -1.5, -0.7), estimated(0.5, 0.4, 0.8)),
            (estimated(1.0, 0.5, 1.1), estimated(-0.5, -0.8, -0.4)),
        ] {
            let ratio = mover_ratio(a, b).unwrap();
            assert!(ratio.low < a.value / b.value && a.value / b.value < ratio.high, "{ratio:?}");
            for (factor, end) in [(ratio.low, 0), (ratio.high, 1)] {
                let ends = [factor * b.interval.low, factor * b.interval.high];
                let (low, high) = (ends[0].min(ends[1]), ends[0].max(ends[1]));
                let scaled = estimated(factor * b.value, low, high);
                let difference = mover_difference(a, scaled);
                // Where b is negative, a − R·b rises with R.
                let zero = if (end == 0) == (b.value > 0.0) { difference.low } else { difference.high };
                assert!(zero.abs() < 1e-12, "{a:?} {b:?} {zero}");
            }
        }
    }

    #[test]
    fn a_ratio_to_what_may_be_zero_is_unbounded() {
        assert_eq!(mover_ratio(estimated(1.0, 0.5, 2.0), estimated(0.1, -0.1, 0.3)), None);
        assert_eq!(mover_ratio(estimated(1.0, 0.5, 2.0), estimated(0.0, 0.0, 0.0)), None);
        assert_eq!(mover_ratio(estimated(1.0, 0.5, 2.0), estimated(0.1, 0.05, 0.3)), None);
    }
}
