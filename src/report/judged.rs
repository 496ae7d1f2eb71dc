//! The number that a gate's limit is on: the value itself, or the size of its change.

use super::number::Unit;
use super::words;
use crate::audit::{Gate, LimitOn};

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    pub unit: Unit,
    pub value: Option<f64>,
    pub interval: Option<(f64, f64)>,
}

/// What is compared with the limit. A change counts by its size, so an interval on both sides of zero begins there.
pub fn judged(gate: &Gate) -> Judged {
    let unit = unit_of_limit(gate);
    match gate.limit_on {
        LimitOn::Value => Judged { unit, value: gate.observed, interval: gate.ci_low.zip(gate.ci_high) },
        _ => Judged {
            unit,
            value: gate.change.map(f64::abs),
            interval: gate.change_low.zip(gate.change_high).map(|(low, high)| match low <= 0.0 && high >= 0.0 {
                true => (0.0, high.max(-low)),
                false => (low.abs().min(high.abs()), low.abs().max(high.abs())),
            }),
        },
    }
}

/// A change of shares is one of percentage points; a relative one is a share.
pub fn unit_of_limit(gate: &Gate) -> Unit {
    match (gate.limit_on, words::unit(&gate.metric)) {
        (LimitOn::RelativeChange, _) => Unit::Share,
        (LimitOn::Change, Unit::Share) => Unit::Points,
        (_, unit) => unit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    fn changed(low: f64, value: f64, high: f64) -> Gate {
        let (change, change_low, change_high) = (Some(value), Some(low), Some(high));
        let gate = example::binary().gates.remove(0);
        Gate { metric: "accuracy".into(), limit_on: LimitOn::Change, change, change_low, change_high, ..gate }
    }

    #[test]
    fn a_change_is_judged_by_its_size() {
        let of = |low, value, high| judged(&changed(low, value, high));
        assert_eq!(of(-0.3, -0.2, -0.1), Judged { unit: Unit::Points, value: Some(0.2), interval: Some((0.1, 0.3)) });
        assert_eq!(of(-0.3, -0.1, 0.1).interval, Some((0.0, 0.3)));
        assert_eq!(of(0.1, 0.2, 0.3).interval, Some((0.1, 0.3)));
    }

    #[test]
    fn without_a_baseline_there_is_nothing_to_judge() {
        let gate = Gate { change: None, change_low: None, ..changed(0.1, 0.2, 0.3) };
        assert_eq!((judged(&gate).value, judged(&gate).interval), (None, None));
    }
}
