//! Numbers as text: units, sensible digits, true minus signs. The only place that rounds.

use crate::audit::Metric;
use crate::report::text::say;
use serde::{Serialize, Serializer};

/// What a number counts; decides its digits and its sign of unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A share of rows, printed in per cent.
    Share,
    /// A difference of shares, printed in percentage points.
    Points,
    /// A quotient of two like quantities.
    Ratio,
    /// A dimensionless index such as an area under a curve.
    Index,
    /// A quantity in the unit of the target or score.
    Value,
    /// A whole number of things.
    Count,
}

/// A length or position in an SVG, in user units; printed with at most one decimal.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Px(pub f64);

impl Serialize for Px {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&px(self.0))
    }
}

/// A coordinate for path data: one decimal, ASCII minus, no trailing zero.
pub fn px(value: f64) -> String {
    let text = format!("{value:.1}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// `value` in its unit: "30.6 %", "−19.5 pp", "0.36".
pub fn with_unit(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Share => format!("{}\u{a0}%", plain(unit, value)),
        Unit::Points => format!("{}\u{a0}pp", plain(unit, value)),
        _ => plain(unit, value),
    }
}

/// `value` scaled and rounded as its unit asks, without the unit's sign.
pub fn plain(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Share | Unit::Points => fixed(100.0 * value, 1),
        Unit::Ratio => fixed(value, 2),
        Unit::Index => fixed(value, 3),
        Unit::Value => significant(value, 4),
        Unit::Count => fixed(value, 0),
    }
}

/// Two values with the digits that it takes to tell them apart: a breach by a hair is not printed as equality.
pub fn apart(unit: Unit, a: f64, b: f64) -> (String, String) {
    let rounded = (with_unit(unit, a), with_unit(unit, b));
    if a == b || rounded.0 != rounded.1 || !(a - b).is_finite() {
        return rounded;
    }
    let (factor, sign) = match unit {
        Unit::Share => (100.0, "\u{a0}%"),
        Unit::Points => (100.0, "\u{a0}pp"),
        _ => (1.0, ""),
    };
    let decimals = decimals_for(factor * (a - b).abs(), 1);
    let print = |value: f64| format!("{}{sign}", fixed(factor * value, decimals));
    let printed = (print(a), print(b));
    // Apart by less than any digits tell.
    if printed.0 == printed.1 { rounded } else { printed }
}

/// A probability in per cent; next to its ends only that is said.
pub fn probability(p: f64) -> String {
    match p {
        p if p > 0.0 && p < 0.0005 => say!("number.under", limit = "0.1\u{a0}%"),
        p if p < 1.0 && p > 0.9995 => say!("number.over", limit = "99.9\u{a0}%"),
        p => with_unit(Unit::Share, p),
    }
}

/// A number of rows, weighted or not.
pub fn quantity(n: f64) -> String {
    fixed(n, usize::from(n.fract() != 0.0))
}

/// "33.1–38.9", or "−2.0 to 3.5" where a dash would read as a sign.
pub fn range(unit: Unit, low: f64, high: f64) -> String {
    joined(&plain(unit, low), &plain(unit, high))
}

/// Like [`range`], with fixed decimals.
pub fn fixed_range(low: f64, high: f64, decimals: usize) -> String {
    joined(&fixed(low, decimals), &fixed(high, decimals))
}

fn joined(low: &str, high: &str) -> String {
    let is_signed = low.starts_with('−') || high.starts_with('−');
    if is_signed { say!("interval.to", low = low, high = high) } else { format!("{low}–{high}") }
}

/// Fixed decimals, thousands separated, never "−0".
pub fn fixed(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return if value.is_nan() {
            say!("number.nan")
        } else {
            format!("{}∞", if value < 0.0 { "−" } else { "" })
        };
    }
    if value.abs() >= 1e15 {
        return format!("{value:.3e}").replace('-', "−");
    }
    let digits = format!("{:.decimals$}", value.abs());
    let is_zero = digits.chars().all(|c| c == '0' || c == '.');
    let (whole, fraction) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    format!("{}{}{fraction}", if value < 0.0 && !is_zero { "−" } else { "" }, grouped(whole))
}

/// Like [`fixed`] with a plus sign before positive values.
pub fn signed(value: f64, decimals: usize) -> String {
    let text = fixed(value, decimals);
    let is_zero = !text.chars().any(|c| ('1'..='9').contains(&c));
    if value > 0.0 && !is_zero { format!("+{text}") } else { text }
}

/// About `digits` significant digits; scientific only where plain digits would not be read.
pub fn significant(value: f64, digits: usize) -> String {
    let magnitude = value.abs();
    if magnitude == 0.0 || !value.is_finite() {
        return fixed(value, 0);
    }
    if magnitude < 1e-4 {
        return format!("{value:.1e}").replace('-', "−");
    }
    fixed(value, decimals_for(magnitude, digits))
}

/// A value of a feature: whole numbers as they are, others with four significant digits.
pub fn compact(value: f64) -> String {
    if value.fract() == 0.0 { fixed(value, 0) } else { significant(value, 4) }
}

/// Decimals that show `largest` with `digits` significant digits: one choice for a whole column or axis.
pub fn decimals_for(largest: f64, digits: usize) -> usize {
    if largest <= 0.0 || !largest.is_finite() {
        return 0;
    }
    (digits as i32 - 1 - (largest.log10() + 1e-9).floor() as i32).clamp(0, 8) as usize
}

/// Decimals of a chart of parts: hundredths below 100, else as [`decimals_for`] three digits.
pub fn decimals_of_parts(largest: f64) -> usize {
    decimals_for(if largest < 100.0 { largest.min(9.0) } else { largest }, 3)
}

/// "48,842".
pub fn count(n: u64) -> String {
    grouped(&n.to_string())
}

/// "812 bytes", "1.2 kB", "94 MB".
pub fn bytes(n: u64) -> String {
    match n {
        n if n < 1_000 => say!("number.bytes", n = n),
        n if n < 1_000_000 => format!("{}\u{a0}kB", significant(n as f64 / 1e3, 3)),
        n if n < 1_000_000_000 => format!("{}\u{a0}MB", significant(n as f64 / 1e6, 3)),
        n => format!("{}\u{a0}GB", significant(n as f64 / 1e9, 3)),
    }
}

/// "p < 0.001" or "p = 0.042".
pub fn p_value(p: f64) -> String {
    if p < 0.001 { "p\u{a0}<\u{a0}0.001".into() } else { format!("p\u{a0}=\u{a0}{p:.3}") }
}

/// "adjusted 0.042": of a test among several.
pub fn adjusted_p_value(p: f64) -> String {
    if p < 0.001 { say!("number.adjusted_below", p = "0.001") } else { say!("number.adjusted", p = format!("{p:.3}")) }
}

/// A very small difference as a power of ten: "4.4 × 10⁻⁷"; 0 is "0 (identical)".
pub fn tiny(value: f64) -> String {
    if value == 0.0 {
        return say!("number.identical");
    }
    let text = format!("{value:.1e}");
    match text.split_once('e') {
        Some((mantissa, exponent)) => format!("{mantissa}\u{a0}×\u{a0}10{}", superscript(exponent)),
        None => text,
    }
}

/// "0.42 s", "3 min 12 s".
pub fn seconds(value: f64) -> String {
    match value {
        v if v < 10.0 => format!("{v:.2}\u{a0}s"),
        v if v < 60.0 => format!("{v:.1}\u{a0}s"),
        v => format!("{}\u{a0}min {:.0}\u{a0}s", (v / 60.0).floor(), v % 60.0),
    }
}

/// A metric's value and interval as text; a value in a unit of its own gets the digits that its interval warrants.
pub fn measured(unit: Unit, metric: &Metric) -> Option<(String, Option<String>)> {
    let value = metric.value?;
    let half_width = metric.ci_low.zip(metric.ci_high).map(|(low, high)| (high - low) / 2.0);
    match half_width.filter(|half| unit == Unit::Value && *half > 0.0 && half.is_finite()) {
        Some(half) => {
            let decimals = decimals_for(half, 2);
            let interval = metric.ci_low.zip(metric.ci_high).map(|(low, high)| fixed_range(low, high, decimals));
            Some((fixed(value, decimals), interval))
        }
        None => Some((with_unit(unit, value), interval(unit, metric))),
    }
}

/// The interval of a metric as text, where it has one.
pub fn interval(unit: Unit, metric: &Metric) -> Option<String> {
    Some(range(unit, metric.ci_low?, metric.ci_high?))
}

fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn superscript(exponent: &str) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    exponent
        .chars()
        .filter_map(|c| if c == '-' { Some('⁻') } else { c.to_digit(10).map(|d| DIGITS[d as usize]) })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_has_its_digits() {
        assert_eq!(with_unit(Unit::Share, 0.30612), "30.6\u{a0}%");
        assert_eq!(with_unit(Unit::Points, -0.195), "−19.5\u{a0}pp");
        assert_eq!(with_unit(Unit::Ratio, 0.3614), "0.36");
        assert_eq!(with_unit(Unit::Index, 0.92345), "0.923");
        assert_eq!(with_unit(Unit::Value, 12_345.678), "12,346");
    }

    #[test]
    fn a_rounded_zero_has_no_sign() {
        assert_eq!(fixed(-0.0004, 2), "0.00");
        assert_eq!(signed(0.0004, 2), "0.00");
        assert_eq!(px(-0.04), "0");
    }

    #[test]
    fn values_on_two_sides_of_a_limit_are_never_printed_alike() {
        assert_eq!(apart(Unit::Index, 0.0041, 0.004), ("0.0041".into(), "0.0040".into()));
        assert_eq!(apart(Unit::Share, 0.79996, 0.8), ("79.996\u{a0}%".into(), "80.000\u{a0}%".into()));
        assert_eq!(apart(Unit::Ratio, 0.36, 0.8), ("0.36".into(), "0.80".into()));
        assert_eq!(apart(Unit::Ratio, 0.8, 0.8), ("0.80".into(), "0.80".into()));
        assert_eq!(apart(Unit::Share, 0.1 + 1e-17, 0.1 - 1e-16), ("10.0\u{a0}%".into(), "10.0\u{a0}%".into()));
    }

    #[test]
    fn a_range_with_a_negative_end_is_joined_by_a_word() {
        assert_eq!(range(Unit::Ratio, 0.331, 0.389), "0.33–0.39");
        assert_eq!(range(Unit::Points, -0.02, 0.035), "−2.0 to 3.5");
    }

    #[test]
    fn a_value_has_the_digits_that_its_interval_warrants() {
        let metric = |value, low, high| Metric {
            value: Some(value),
            ci_low: Some(low),
            ci_high: Some(high),
            ..Metric::default()
        };
        let rmse = metric(54.3123, 51.2, 57.4);
        assert_eq!(measured(Unit::Value, &rmse), Some(("54.3".into(), Some("51.2–57.4".into()))));
        assert_eq!(measured(Unit::Value, &metric(12_345.6, 11_000.0, 13_000.0)).unwrap().0, "12,346");
        assert_eq!(measured(Unit::Share, &metric(0.5, 0.4, 0.6)).unwrap().0, "50.0\u{a0}%");
    }

    #[test]
    fn parts_of_a_score_have_hundredths_unless_they_are_large_or_tiny() {
        assert_eq!([0.05, 0.5, 7.4, 10.8, 152.0].map(decimals_of_parts), [4, 3, 2, 2, 0]);
    }

    #[test]
    fn thousands_are_separated() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(48_842), "48,842");
        assert_eq!(fixed(-1_234_567.891, 1), "−1,234,567.9");
        assert_eq!(
            (compact(7.0), compact(40_000.0), compact(0.123456)),
            ("7".into(), "40,000".into(), "0.1235".into())
        );
    }

    #[test]
    fn what_is_not_finite_is_said_in_words() {
        assert_eq!(fixed(f64::NAN, 2), "not a number");
        assert_eq!(fixed(f64::NEG_INFINITY, 2), "−∞");
    }

    #[test]
    fn tiny_differences_are_powers_of_ten() {
        assert_eq!(tiny(4.4e-7), "4.4\u{a0}×\u{a0}10⁻⁷");
        assert_eq!(tiny(0.0), "0 (identical)");
        assert_eq!(p_value(0.0), "p\u{a0}<\u{a0}0.001");
    }
}
