//! Everything that changed between two stored runs.

use super::{changes, drift, obstacles, ranks};
use crate::audit::{Audit, Comparison, Difference, Distribution, Gate, GateChange, MODEL, MetricChange, Side};

/// Compares two runs by what they stored. Where that means nothing, all but the reasons and the differences is empty.
pub fn comparison(before: (&Audit, &[Distribution]), now: (&Audit, &[Distribution])) -> Comparison {
    let (a, b) = (before.0, now.0);
    let not_comparable = obstacles(a, b);
    let comparable = not_comparable.is_empty();
    let changes = if comparable { changes(&a.metrics, &b.metrics) } else { Vec::new() };
    let (whole, parts): (Vec<MetricChange>, Vec<MetricChange>) =
        changes.into_iter().partition(|change| change.group_value.is_empty() && change.stratum.is_empty());
    let is_of_all = |change: &MetricChange| change.attribute.is_empty() || change.attribute == MODEL;
    let (metrics, group_gaps) = whole.into_iter().partition(is_of_all);
    Comparison {
        before: Side::of(a),
        now: Side::of(b),
        differences: differences(a, b),
        metrics,
        group_gaps,
        groups: parts,
        ranks: if comparable { ranks(a, b) } else { Vec::new() },
        drift: if comparable { drift(before, now) } else { Vec::new() },
        gates: if comparable { gates(&a.gates, &b.gates) } else { Vec::new() },
        comparable,
        not_comparable,
    }
}

/// What the runs were made from, where it differs: that explains a change, and is none itself.
fn differences(before: &Audit, now: &Audit) -> Vec<Difference> {
    let threshold = |audit: &Audit| audit.scope.threshold.map(|threshold| threshold.to_string()).unwrap_or_default();
    let filter = |audit: &Audit| audit.scope.filter.clone().unwrap_or_default();
    let of = |audit: &Audit| {
        let (run, scope) = (&audit.run, &audit.scope);
        [
            ("pipeline", run.pipeline.clone()),
            ("model", run.model_sha256.clone()),
            ("data", run.data_sha256.clone()),
            ("configuration", run.config_sha256.clone()),
            ("threshold", threshold(audit)),
            ("filter", filter(audit)),
            ("weight", scope.weight.clone().unwrap_or_default()),
            ("explained by", run.explain_method.clone()),
            ("tool version", run.tool_version.clone()),
        ]
    };
    let pairs = of(before).into_iter().zip(of(now));
    let differing = pairs.filter(|((_, before), (_, now))| before != now);
    differing.map(|((what, before), (_, now))| Difference { what, before, now }).collect()
}

/// The later run's gates in their order, then those that only the earlier one had.
fn gates(before: &[Gate], now: &[Gate]) -> Vec<GateChange> {
    let find = |gates: &'_ [Gate], name: &str| gates.iter().position(|gate| gate.gate == name);
    let gone = before.iter().filter(|gate| find(now, &gate.gate).is_none());
    let names = now.iter().chain(gone).map(|gate| gate.gate.as_str());
    names
        .map(|name| {
            let (before, now) = (find(before, name).map(|at| &before[at]), find(now, name).map(|at| &now[at]));
            GateChange {
                gate: name.to_owned(),
                before: before.map(|gate| gate.decision),
                now: now.map(|gate| gate.decision),
                observed_before: before.and_then(|gate| gate.observed),
                observed_now: now.and_then(|gate| gate.observed),
            }
        })
        .collect()
}
