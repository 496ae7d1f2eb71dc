//! SageMaker Clarify's bias metrics: the reference group (facet a) against all others (facet d), on the favourable
//! class. Signs are Clarify's own and alternate; each formula stands in the metrics table.

use super::compare::{Comparer, on_favourable};
use super::estimate::{Basis, Cause, Estimate, Undefined};
use crate::stats::intervals::{Interval, Proportion, wilson};

/// Distributions of a binary label: (unfavourable, favourable).
type Shares = [f64; 2];

/// All of Clarify's metrics that the table's labels allow, by name.
pub fn clarify(
    comparer: &Comparer<'_>,
    others: usize,
    reference: usize,
    favourable: bool,
) -> Vec<(&'static str, Estimate)> {
    let mut metrics = vec![("clarify_ci", class_imbalance(comparer, others, reference))];
    let of = |name| comparer.table.index(on_favourable(name, favourable));
    // (value of others, value of the reference) → metric
    let mut against = |name, measure: Option<usize>, f: fn(f64, f64) -> Result<f64, Cause>| {
        if let Some(m) = measure {
            metrics.push((name, comparer.combine([(m, others), (m, reference)], reference, |[d, a]| f(d, a))));
        }
    };
    against("clarify_dppl", of("favourable_rate"), |d, a| Ok(a - d));
    against("clarify_di", of("favourable_rate"), over);
    against("clarify_rd", of("true_positive_rate"), |d, a| Ok(a - d));
    against("clarify_sd", of("true_negative_rate"), |d, a| Ok(d - a));
    against("clarify_dar", of("precision"), |d, a| Ok(a - d));
    against("clarify_drr", of("negative_predictive_value"), |d, a| Ok(d - a));
    against("clarify_ad", of("accuracy"), |d, a| Ok(a - d));
    against("clarify_te", of("treatment_equality"), |d, a| Ok(d - a));
    if let Some(base) = of("base_rate") {
        for (name, f) in LABEL_METRICS {
            let parts = [(base, others), (base, reference)];
            let shares =
                move |positive: f64| if favourable { [1.0 - positive, positive] } else { [positive, 1.0 - positive] };
            metrics.push((name, comparer.combine(parts, reference, |[d, a]| f(shares(a), shares(d)))));
        }
        metrics.extend(conditional(comparer, base, others, reference, favourable));
    }
    metrics
}

/// (labels of the reference, labels of the others) → metric
type LabelMetric = fn(Shares, Shares) -> Result<f64, Cause>;

const LABEL_METRICS: [(&str, LabelMetric); 6] = [
    ("clarify_dpl", |a, d| Ok(a[1] - d[1])),
    ("clarify_kl", kullback_leibler),
    ("clarify_js", |a, d| {
        let middle = [(a[0] + d[0]) / 2.0, (a[1] + d[1]) / 2.0];
        Ok((kullback_leibler(a, middle)? + kullback_leibler(d, middle)?) / 2.0)
    }),
    ("clarify_l2", |a, d| Ok((a[0] - d[0]).hypot(a[1] - d[1]))),
    ("clarify_tvd", |a, d| Ok(((a[0] - d[0]).abs() + (a[1] - d[1]).abs()) / 2.0)),
    ("clarify_ks", |a, d| Ok((a[0] - d[0]).abs().max((a[1] - d[1]).abs()))),
];

/// Σ P ln(P / Q), natural logarithm; undefined where Q lacks an outcome of P.
fn kullback_leibler(p: Shares, q: Shares) -> Result<f64, Cause> {
    let mut sum = 0.0;
    for (p, q) in p.into_iter().zip(q).filter(|(p, _)| *p > 0.0) {
        if q <= 0.0 {
            return Err(Cause::OutsideSupport);
        }
        sum += p * (p / q).ln();
    }
    Ok(sum)
}

fn over(value: f64, by: f64) -> Result<f64, Cause> {
    if by > 0.0 { Ok(value / by) } else { Err(Cause::ZeroDenominator) }
}

/// Conditional acceptance (DCAcc) and rejection (DCR): labels over decisions, of the favourable and the unfavourable
/// class.
fn conditional(
    comparer: &Comparer<'_>,
    base: usize,
    others: usize,
    reference: usize,
    favourable: bool,
) -> Vec<(&'static str, Estimate)> {
    let Some(decided) = comparer.table.index("favourable_rate") else { return Vec::new() };
    let parts = [(base, others), (decided, others), (base, reference), (decided, reference)];
    let good = move |positive: f64| if favourable { positive } else { 1.0 - positive };
    let acceptance = comparer
        .combine(parts, reference, |[d_label, d, a_label, a]| Ok(over(good(a_label), a)? - over(good(d_label), d)?));
    let rejection = comparer.combine(parts, reference, |[d_label, d, a_label, a]| {
        Ok(over(1.0 - good(d_label), 1.0 - d)? - over(1.0 - good(a_label), 1.0 - a)?)
    });
    vec![("clarify_dcacc", acceptance), ("clarify_dcr", rejection)]
}

/// (n_a − n_d) / (n_a + n_d), with the interval of the share n_a / (n_a + n_d) stretched from [0, 1] to [−1, 1].
fn class_imbalance(comparer: &Comparer<'_>, others: usize, reference: usize) -> Estimate {
    let [d, a] = [others, reference].map(|slot| comparer.table.facts[slot]);
    let total = a.weight + d.weight;
    let rows = a.rows + d.rows;
    if total <= 0.0 {
        return Estimate::undefined(Undefined::comparing(Cause::NoRows), rows);
    }
    let trials = rows as f64;
    let share = wilson(Proportion { successes: a.weight / total * trials, trials }, comparer.z);
    let interval = Interval { low: 2.0 * share.low - 1.0, high: 2.0 * share.high - 1.0 };
    let value = Ok((a.weight - d.weight) / total);
    Estimate { value, interval: Some(interval), p_value: None, denominator: rows, basis: Basis::Replicates }
}
