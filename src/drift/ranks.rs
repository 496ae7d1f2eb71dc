//! The ranking of features by importance, then and now.

use crate::audit::{Audit, RankChange};
use std::collections::BTreeMap;

/// Features by mean |attribution|, summed over the explained outputs, in the order of the later run; empty where a
/// run explained nothing, or the two explained different features.
pub fn ranks(before: &Audit, now: &Audit) -> Vec<RankChange> {
    let (earlier, later) = (importance(before), importance(now));
    if earlier.len() != later.len() {
        return Vec::new();
    }
    let place = |ranking: &[(String, f64)], feature: &str| {
        ranking.iter().position(|(name, _)| name == feature).map(|at| (at as u32 + 1, ranking[at].1))
    };
    let change = |(feature, value): &(String, f64)| {
        let (before, value_before) = place(&earlier, feature)?;
        let (now, _) = place(&later, feature)?;
        Some(RankChange { feature: feature.clone(), before, now, value_before, value_now: *value })
    };
    later.iter().map(change).collect::<Option<Vec<_>>>().unwrap_or_default()
}

/// The largest first, ties in the order of names.
fn importance(audit: &Audit) -> Vec<(String, f64)> {
    let mut by_feature: BTreeMap<&str, f64> = BTreeMap::new();
    for row in audit.importance.iter().filter(|row| row.method == "attribution") {
        *by_feature.entry(&row.feature).or_default() += row.value;
    }
    let mut ranked: Vec<(String, f64)> = by_feature.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    ranked
}

/// Normalised discounted cumulative gain of today's ranking, judged by the baseline's attributions (Järvelin and
/// Kekäläinen 2002): Σ aᵢ / log₂ (rank + 1) over today's ranks, divided by the same over the baseline's own. 1: the same
/// order. Amazon SageMaker Clarify's monitor of feature attribution drift, which alarms below 0.90. `None` where
/// nothing is ranked or the baseline attributed nothing.
pub fn ndcg(ranks: &[RankChange]) -> Option<f64> {
    let gain = |rank: u32, value: f64| value / f64::from(rank + 1).log2();
    let ideal: f64 = ranks.iter().map(|feature| gain(feature.before, feature.value_before)).sum();
    let found: f64 = ranks.iter().map(|feature| gain(feature.now, feature.value_before)).sum();
    (ideal > 0.0).then(|| found / ideal)
}
