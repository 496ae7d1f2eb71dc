//! What happened to a pipeline, as sinks tell it.

use crate::audit::{Audit, Decision, Gate, LimitOn};
use serde::Serialize;

/// Version of the JSON that webhooks get.
const VERSION: u32 = 1;

/// The outcome of one run. Its JSON is what webhooks get (docs/scheduling.md).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct News {
    pub version: u32,
    /// The news in a sentence; chat services show it.
    pub text: String,
    pub pipeline: String,
    /// `YYYY-MM-DD`.
    pub as_of: String,
    /// `None` where no run had begun.
    pub run_id: Option<String>,
    pub outcome: Outcome,
    /// Of the pipeline's run recorded before; `None` if there was none.
    pub previous: Option<Outcome>,
    pub exit_code: u8,
    /// Why there is no verdict.
    pub error: Option<String>,
    pub n_rows: Option<u64>,
    /// Of the whole run.
    pub seconds: f64,
    pub gates: Vec<GateNews>,
    /// Where the report lies.
    pub report: Option<String>,
    pub tool_version: String,
    /// The stored verdict was repeated, nothing was computed.
    #[serde(skip)]
    pub already_audited: bool,
    /// Seconds since 1970 when the run ended.
    pub finished_unix: i64,
    /// Seconds since 1970 when a run last reached a verdict; `None` if not known.
    pub last_success_unix: Option<i64>,
}

/// A verdict, or why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Pass,
    Fail,
    Insufficient,
    /// The run broke or was stopped.
    Broken,
    /// Config, data or model was not acceptable.
    Refused,
}

impl Outcome {
    pub const ALL: [Self; 5] = [Self::Pass, Self::Fail, Self::Insufficient, Self::Broken, Self::Refused];

    pub fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Insufficient => "insufficient",
            Self::Broken => "broken",
            Self::Refused => "refused",
        }
    }
}

impl From<Decision> for Outcome {
    fn from(verdict: Decision) -> Self {
        match verdict {
            Decision::Pass => Self::Pass,
            Decision::Fail => Self::Fail,
            Decision::Insufficient => Self::Insufficient,
        }
    }
}

/// A gate and what was decided.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GateNews {
    pub gate: String,
    pub metric: String,
    pub attribute: String,
    pub observed: Option<f64>,
    pub limit: f64,
    /// What the limit is on: the value, or its change since another run.
    pub limit_on: LimitOn,
    pub decision: Decision,
    pub severity: String,
    pub reason: String,
}

impl From<&Gate> for GateNews {
    fn from(gate: &Gate) -> Self {
        Self {
            gate: gate.gate.clone(),
            metric: gate.metric.clone(),
            attribute: gate.attribute.clone(),
            observed: gate.observed,
            limit: gate.limit,
            limit_on: gate.limit_on,
            decision: gate.decision,
            severity: gate.severity.clone(),
            reason: gate.reason.clone(),
        }
    }
}

impl News {
    /// News of an audit that reached a verdict; of its numbers only what may be published.
    pub fn of(audit: &Audit) -> Self {
        let run = &audit.run;
        let gates: Vec<GateNews> = crate::privacy::published(audit).audit.gates.iter().map(GateNews::from).collect();
        Self {
            text: sentence(&run.pipeline, &run.as_of, run.verdict, &gates),
            run_id: Some(run.run_id.clone()),
            outcome: run.verdict.into(),
            n_rows: Some(run.n_rows),
            gates,
            tool_version: run.tool_version.clone(),
            ..Self::without_verdict(&run.pipeline, &run.as_of, Outcome::Broken, "")
        }
    }

    /// News of a run that reached none.
    pub fn without_verdict(pipeline: &str, as_of: &str, outcome: Outcome, error: &str) -> Self {
        let what = if outcome == Outcome::Refused { "was not run" } else { "broke" };
        Self {
            version: VERSION,
            text: format!("{pipeline}, {as_of}: the audit {what}: {error}"),
            pipeline: pipeline.to_owned(),
            as_of: as_of.to_owned(),
            run_id: None,
            outcome,
            previous: None,
            exit_code: 0,
            error: (!error.is_empty()).then(|| error.to_owned()),
            n_rows: None,
            seconds: 0.0,
            gates: Vec::new(),
            report: None,
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            already_audited: false,
            finished_unix: 0,
            last_success_unix: None,
        }
    }

    #[cfg(test)]
    pub(super) fn example() -> Self {
        let gate = GateNews {
            gate: "demographic_parity_ratio over \"sex\" ≥ 0.8".to_owned(),
            metric: "demographic_parity_ratio".to_owned(),
            attribute: "sex".to_owned(),
            observed: Some(0.36),
            limit: 0.8,
            limit_on: LimitOn::Value,
            decision: Decision::Fail,
            severity: "fail".to_owned(),
            reason: String::new(),
        };
        let undecided = GateNews { observed: None, decision: Decision::Insufficient, ..gate.clone() };
        Self {
            outcome: Outcome::Fail,
            exit_code: 1,
            n_rows: Some(16_281),
            seconds: 1.5,
            gates: vec![gate, undecided],
            finished_unix: 1_795_000_000,
            last_success_unix: Some(1_795_000_000),
            error: None,
            ..Self::without_verdict("adult", "2026-11-21", Outcome::Fail, "")
        }
    }
}

fn sentence(pipeline: &str, as_of: &str, verdict: Decision, gates: &[GateNews]) -> String {
    let word = match verdict {
        Decision::Pass => "passed",
        Decision::Fail => "FAILED",
        Decision::Insufficient => "could not be decided",
    };
    let breached: Vec<String> = gates.iter().filter(|gate| gate.decision != Decision::Pass).map(breach).collect();
    let gates = if breached.is_empty() { String::new() } else { format!(": {}", breached.join("; ")) };
    format!("{pipeline}, {as_of}: the audit {word}{gates}")
}

fn breach(gate: &GateNews) -> String {
    let observed = gate.observed.map_or_else(|| "undefined".to_owned(), |observed| format!("{observed:.4}"));
    let warn = if gate.severity == "warn" { " (warning)" } else { "" };
    format!("{} observed {observed}{warn}", gate.gate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_names_the_gates_that_did_not_pass() {
        let gates = News::example().gates;
        assert_eq!(
            sentence("adult", "2026-11-21", Decision::Fail, &gates[..1]),
            "adult, 2026-11-21: the audit FAILED: demographic_parity_ratio over \"sex\" ≥ 0.8 observed 0.3600"
        );
        assert_eq!(sentence("adult", "2026-11-21", Decision::Pass, &[]), "adult, 2026-11-21: the audit passed");
    }
}
