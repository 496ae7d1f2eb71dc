//! Linear scales and round ticks.

use super::number::{Px, fixed};
use serde::Serialize;

/// From data to drawing: `domain.0` lands on `range.0`, `domain.1` on `range.1`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    pub domain: (f64, f64),
    pub range: (f64, f64),
}

/// A mark on an axis.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tick {
    pub at: Px,
    pub text: String,
    /// The tick of zero is drawn stronger.
    pub zero: bool,
}

impl Scale {
    /// A scale over `domain`; an empty or undefined domain is widened so that no position is undefined.
    pub fn new(domain: (f64, f64), range: (f64, f64)) -> Self {
        let (low, high) = domain;
        let is_usable = low.is_finite() && high.is_finite() && low < high;
        let centre = if low.is_finite() { low } else { 0.0 };
        let half = 0.5 + 1e-3 * centre.abs();
        Self { domain: if is_usable { domain } else { (centre - half, centre + half) }, range }
    }

    /// A scale over all finite values and `include`, rounded outwards to ticks.
    pub fn around(values: impl IntoIterator<Item = f64>, include: &[f64], range: (f64, f64)) -> Self {
        let all = values.into_iter().chain(include.iter().copied()).filter(|value| value.is_finite());
        let (low, high) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
        let scale = Self::new((low, high), range);
        let step = step(scale.domain, 10);
        let outwards = ((scale.domain.0 / step).floor() * step, (scale.domain.1 / step).ceil() * step);
        Self::new(outwards, range)
    }

    /// Position of `value`, held inside the range; what is not a number stands at its start.
    pub fn at(&self, value: f64) -> f64 {
        if value.is_nan() {
            return self.range.0;
        }
        let share = ((value - self.domain.0) / (self.domain.1 - self.domain.0)).clamp(0.0, 1.0);
        self.range.0 + share * (self.range.1 - self.range.0)
    }

    pub fn px(&self, value: f64) -> Px {
        Px(self.at(value))
    }

    /// About `n` round ticks inside the domain, printed with the decimals that their step needs.
    pub fn ticks(&self, n: usize) -> Vec<Tick> {
        let decimals = decimals_of(step(self.domain, n));
        self.ticks_as(n, |value| fixed(value, decimals))
    }

    /// Ticks of shares, printed in per cent.
    pub fn percent_ticks(&self, n: usize) -> Vec<Tick> {
        let decimals = decimals_of(100.0 * step(self.domain, n));
        self.ticks_as(n, |value| format!("{}\u{a0}%", fixed(100.0 * value, decimals)))
    }

    fn ticks_as(&self, n: usize, print: impl Fn(f64) -> String) -> Vec<Tick> {
        let step = step(self.domain, n);
        let first = (self.domain.0 / step - 1e-9).ceil() as i64;
        let last = (self.domain.1 / step + 1e-9).floor() as i64;
        (first..=last)
            .map(|k| k as f64 * step)
            .map(|v| Tick { at: self.px(v), text: print(v), zero: v == 0.0 })
            .collect()
    }
}

/// 1, 2 or 5 times a power of ten, so that about `n` steps fit.
fn step((low, high): (f64, f64), n: usize) -> f64 {
    let raw = (high - low) / n.max(1) as f64;
    let power = 10f64.powf(raw.log10().floor());
    let round = [1.0, 2.0, 5.0, 10.0].into_iter().find(|m| m * power >= raw * 0.999).unwrap_or(10.0);
    round * power
}

fn decimals_of(step: f64) -> usize {
    (-(step.log10() + 1e-9).floor()).clamp(0.0, 8.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(scale: Scale) -> Vec<String> {
        scale.ticks(5).into_iter().map(|tick| tick.text).collect()
    }

    #[test]
    fn the_ends_of_the_domain_land_on_the_ends_of_the_range() {
        let scale = Scale::new((-2.0, 2.0), (10.0, 110.0));
        assert_eq!((scale.at(-2.0), scale.at(0.0), scale.at(2.0)), (10.0, 60.0, 110.0));
    }

    #[test]
    fn what_lies_outside_is_held_inside() {
        let scale = Scale::new((0.0, 1.0), (0.0, 100.0));
        assert_eq!((scale.at(-5.0), scale.at(f64::INFINITY), scale.at(f64::NAN)), (0.0, 100.0, 0.0));
    }

    #[test]
    fn ticks_are_round_and_as_short_as_their_step_allows() {
        assert_eq!(texts(Scale::new((0.0, 1.0), (0.0, 1.0))), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(texts(Scale::new((-3.0, 7.0), (0.0, 1.0))), ["−2", "0", "2", "4", "6"]);
        assert_eq!(texts(Scale::new((0.0, 4000.0), (0.0, 1.0))), ["0", "1,000", "2,000", "3,000", "4,000"]);
    }

    #[test]
    fn one_value_or_none_still_gives_finite_positions() {
        for values in [vec![], vec![3.0], vec![f64::NAN, f64::INFINITY]] {
            let scale = Scale::around(values, &[], (0.0, 100.0));
            assert!(scale.at(3.0).is_finite());
            assert!(!scale.ticks(5).is_empty());
        }
    }
}
