//! Metrics of two runs side by side, with the interval of their change.

use crate::audit::{Metric, MetricChange};
use crate::stats::Interval;
use crate::stats::intervals::{Estimated, mover_difference};
use std::collections::BTreeMap;

type Key<'a> = [&'a str; 6];

fn key(row: &Metric) -> Key<'_> {
    [&row.metric, &row.attribute, &row.group_value, &row.stratum, &row.reference, &row.output]
}

/// Every metric that both runs measured, in the order of the later run. A comparison with a reference group is the
/// same metric only if the reference is.
pub fn changes(before: &[Metric], now: &[Metric]) -> Vec<MetricChange> {
    let earlier: BTreeMap<Key, &Metric> = before.iter().map(|row| (key(row), row)).collect();
    now.iter().filter_map(|row| earlier.get(&key(row)).map(|before| change(before, row))).collect()
}

fn change(before: &Metric, now: &Metric) -> MetricChange {
    let intervals = estimated(before).zip(estimated(now)).filter(|_| before.confidence == now.confidence);
    let interval = intervals.map(|(before, now)| mover_difference(now, before));
    let overlap =
        |(a, b): (Estimated, Estimated)| a.interval.low <= b.interval.high && b.interval.low <= a.interval.high;
    MetricChange {
        metric: now.metric.clone(),
        attribute: now.attribute.clone(),
        group_value: now.group_value.clone(),
        stratum: now.stratum.clone(),
        reference: now.reference.clone(),
        output: now.output.clone(),
        before: before.value,
        now: now.value,
        change: before.value.zip(now.value).map(|(before, now)| now - before),
        change_low: interval.map(|interval| interval.low),
        change_high: interval.map(|interval| interval.high),
        intervals_overlap: intervals.map(overlap),
    }
}

fn estimated(row: &Metric) -> Option<Estimated> {
    let interval = Interval { low: row.ci_low?, high: row.ci_high? };
    row.value.map(|value| Estimated { value, interval })
}
