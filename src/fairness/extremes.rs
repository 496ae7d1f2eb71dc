//! Replicates of rates that were never, or always, observed.
//!
//! Redrawn counts of an outcome without a row are zero in every replicate, as if a rate of 0 out of 20 were known for
//! certain, and a ratio of such rates had no uncertainty. Such a rate is drawn from Jeffreys' posterior instead,
//! Beta(½, n + ½) (Brown, Cai and DasGupta 2001), whose upper limits are close to Wilson's.

use super::confusion::{Evidence, Outcomes, Rate};
use super::layout::Slot;
use super::table::Measure;
use crate::stats::random::Stream;

/// The rate behind a measure that is one.
pub fn rate_of(measure: Measure) -> Option<Rate> {
    match measure {
        Measure::Rate(rate) => Some(rate),
        Measure::FavourableRate => Some(Rate { hits: Outcomes::SELECTED, of: Outcomes::ALL }),
        _ => None,
    }
}

/// Replicates of a rate whose observed value is `value`, 0 or 1; `None` for any other and for a rate over no rows.
/// A rate and its complement are drawn from the same numbers.
pub fn degenerate(
    value: f64,
    rate: Rate,
    evidence: &Evidence,
    slot: &Slot,
    stream: Stream,
    rounds: usize,
) -> Option<Vec<f64>> {
    let trials = evidence.proportion(rate)?.trials;
    if value != 0.0 && value != 1.0 {
        return None;
    }
    let name = [slot.attribute.as_str(), &slot.group, &slot.stratum].join("\u{1f}");
    let stream = stream.child(Stream::new(0, &name).at(u64::from(rate.of.bits())));
    let never = (0..rounds as u64).map(|round| stream.beta_half(round, trials + 0.5));
    Some(if value == 0.0 { never.collect() } else { never.map(|share| 1.0 - share).collect() })
}
