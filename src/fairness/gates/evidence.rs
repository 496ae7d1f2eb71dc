//! What gates are decided on: this run's metrics, and what earlier runs found.

use super::{GateSpec, SCORE};
use crate::audit::{Drift, Gate, Metric};
use std::collections::BTreeMap;

/// Names the pipeline's run before this one.
pub const PREVIOUS: &str = "previous";

/// Everything that gates look at.
#[derive(Debug, Clone)]
pub struct Evidence<'a> {
    pub metrics: &'a [Metric],
    pub n_rows: u64,
    /// Rows from which a value is judged.
    pub min_group_rows: u64,
    /// The runs that gates compare with, by [`GateSpec::baseline`]; or why there is none.
    pub earlier: &'a BTreeMap<String, Result<Earlier<'a>, String>>,
    /// Gates of the previous run, if it is comparable.
    pub previous_gates: &'a [Gate],
}

/// A comparable run, and how far this one has drifted from it.
#[derive(Debug, Clone)]
pub struct Earlier<'a> {
    pub n_rows: u64,
    pub metrics: &'a [Metric],
    pub drift: &'a [Drift],
}

impl Evidence<'_> {
    pub(super) fn earlier(&self, gate: &GateSpec) -> Result<&Earlier<'_>, String> {
        match gate.baseline().and_then(|name| self.earlier.get(name)) {
            Some(Ok(earlier)) => Ok(earlier),
            Some(Err(reason)) => Err(reason.clone()),
            None => Err("there is no run to compare with".to_owned()),
        }
    }

    /// The baseline's value of the same metric, group, output and reference.
    pub(super) fn before(&self, gate: &GateSpec, row: &Metric) -> Result<&Metric, String> {
        let same = |earlier: &&Metric| {
            (&earlier.metric, &earlier.attribute, &earlier.group_value)
                == (&row.metric, &row.attribute, &row.group_value)
                && (&earlier.stratum, &earlier.output, &earlier.reference)
                    == (&row.stratum, &row.output, &row.reference)
        };
        let found = self.earlier(gate)?.metrics.iter().find(same);
        found.ok_or_else(|| "the baseline run did not measure it".to_owned())
    }

    /// The measures of drift that a gate looks at, as metrics of no group; at least one.
    pub(super) fn drift(&self, gate: &GateSpec) -> Vec<Metric> {
        let row = |feature: &str, value: Result<f64, String>, n: u64| Metric {
            metric: gate.metric.clone(),
            group_value: feature.to_owned(),
            value: value.as_ref().ok().copied(),
            undefined_reason: value.err(),
            n,
            ..Metric::default()
        };
        let named = gate.feature.as_deref().unwrap_or_default();
        let earlier = match self.earlier(gate) {
            Ok(earlier) => earlier,
            Err(reason) => return vec![row(named, Err(reason), self.n_rows)],
        };
        let n = self.n_rows.min(earlier.n_rows);
        let wanted = |drift: &&Drift| {
            let of_score = drift.subject == "score";
            drift.measure == gate.metric
                && match gate.feature.as_deref() {
                    None => true,
                    Some(SCORE) => of_score,
                    Some(feature) => !of_score && drift.feature == feature,
                }
        };
        let found: Vec<Metric> =
            earlier.drift.iter().filter(wanted).map(|drift| row(&drift.place(), Ok(drift.value), n)).collect();
        match found.is_empty() {
            true => vec![row(named, Err(format!("{} could not be measured against the baseline run", gate.metric)), n)],
            false => found,
        }
    }
}
