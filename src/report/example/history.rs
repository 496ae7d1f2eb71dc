//! Earlier nights of the example audits.

use super::gate;
use crate::audit::*;

/// An earlier night, with one gate and two metrics.
pub fn night(as_of: &str, parity: f64) -> Night {
    let seen = |value: f64| Seen {
        value: Some(value),
        ci_low: Some(value - 0.01),
        ci_high: Some(value + 0.01),
        withheld: false,
    };
    let gate = gate(Decision::Fail, Some(parity));
    let metric = |metric: &str, value| NightMetric {
        metric: metric.into(),
        attribute: String::new(),
        output: String::new(),
        seen: seen(value),
    };
    Night {
        run_id: format!("0190-{as_of}"),
        as_of: as_of.into(),
        verdict: Decision::Fail,
        n_rows: 1_000,
        suppress_below: 0,
        gates: vec![NightGate {
            gate: gate.gate,
            metric: gate.metric,
            attribute: gate.attribute,
            limit: gate.limit,
            limit_on: gate.limit_on,
            decision: gate.decision,
            severity: gate.severity,
            seen: seen(parity),
        }],
        metrics: vec![metric("accuracy", 0.87), metric("roc_auc", 0.92)],
    }
}
