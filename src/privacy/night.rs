//! What a run tells later runs of its pipeline: gates and key metrics, as far as its own report shows them.
//!
//! Later reports repeat what was published before and nothing else, so they give nothing away that is not known
//! already; under a stricter limit of small cells they repeat less (see `apply`).

use super::WITHHELD;
use crate::audit::{Audit, MACRO, Metric, Night, NightGate, NightMetric, Seen, WORST};

/// Metrics over all rows that are followed from night to night, the most telling first.
const OVERALL: &[&str] = &[
    "accuracy",
    "balanced_accuracy",
    "roc_auc",
    "average_precision",
    "ece",
    "brier",
    "selection_rate",
    "rmse",
    "mae",
    "r2",
    "mean_residual",
    "mean_score",
];
/// Across the groups of an attribute: the first of these that is measured.
const ACROSS: &[&str] =
    &["demographic_parity_ratio", "accuracy_difference", "mean_residual_difference", "mean_score_difference"];
/// Most gates, metrics over all rows, and attributes that are followed.
const MAX_GATES: usize = 24;
const MAX_OVERALL: usize = 6;
const MAX_ATTRIBUTES: usize = 4;
/// Outputs that stand for all classes.
const OVER_CLASSES: [&str; 3] = ["", WORST, MACRO];

/// The night of a published audit.
pub fn night(published: &Audit) -> Night {
    let run = &published.run;
    let gates = published.gates.iter().take(MAX_GATES).map(|gate| NightGate {
        gate: gate.gate.clone(),
        metric: gate.metric.clone(),
        attribute: gate.attribute.clone(),
        limit: gate.limit,
        limit_on: gate.limit_on,
        decision: gate.decision,
        severity: gate.severity.clone(),
        seen: Seen {
            value: gate.observed,
            ci_low: gate.ci_low,
            ci_high: gate.ci_high,
            withheld: gate.reason == WITHHELD,
        },
    });
    let overall = OVERALL.iter().filter_map(|name| metric(published, name, "")).take(MAX_OVERALL);
    let single = published.scope.attributes.iter().map(|scope| scope.attribute.as_str());
    let single = single.filter(|attribute| !attribute.contains(',')).take(MAX_ATTRIBUTES);
    let across = single.filter_map(|attribute| ACROSS.iter().find_map(|name| metric(published, name, attribute)));
    Night {
        run_id: run.run_id.clone(),
        as_of: run.as_of.clone(),
        verdict: run.verdict,
        n_rows: run.n_rows,
        suppress_below: published.scope.privacy.suppress_below,
        gates: gates.collect(),
        metrics: overall.chain(across).map(followed).collect(),
    }
}

fn metric<'a>(audit: &'a Audit, name: &str, attribute: &str) -> Option<&'a Metric> {
    let here =
        |m: &&Metric| m.metric == name && m.attribute == attribute && m.group_value.is_empty() && m.stratum.is_empty();
    audit.scope.principal(&audit.metrics.iter().filter(here).collect::<Vec<_>>())
}

fn followed(metric: &Metric) -> NightMetric {
    let all = OVER_CLASSES.contains(&metric.output.as_str());
    NightMetric {
        metric: metric.metric.clone(),
        attribute: metric.attribute.clone(),
        output: if all { metric.output.clone() } else { String::new() },
        seen: Seen {
            value: metric.value,
            ci_low: metric.ci_low,
            ci_high: metric.ci_high,
            withheld: metric.undefined_reason.as_deref() == Some(WITHHELD),
        },
    }
}

/// Nights as they may be shown under `limit`: those published under a laxer one keep their decisions alone.
pub(super) fn under(nights: &[Night], limit: u64) -> Vec<Night> {
    let shown = |night: &Night| if tells_more(night, limit) { decisions(night) } else { night.clone() };
    nights.iter().map(shown).collect()
}

/// Whether the night was published under a laxer limit than `limit`, with numbers that it may not have shown now.
fn tells_more(night: &Night, limit: u64) -> bool {
    let numbers = night.gates.iter().map(|gate| gate.seen).chain(night.metrics.iter().map(|metric| metric.seen));
    night.suppress_below < limit && numbers.into_iter().any(|seen| seen.value.is_some())
}

/// The night with its decisions alone.
fn decisions(night: &Night) -> Night {
    let hidden = Seen { withheld: true, ..Seen::default() };
    let mut night = night.clone();
    night.gates.iter_mut().for_each(|gate| gate.seen = hidden);
    night.metrics.iter_mut().for_each(|metric| metric.seen = hidden);
    night
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn metric(name: &str, attribute: &str, output: &str, value: f64) -> Metric {
        Metric {
            metric: name.into(),
            attribute: attribute.into(),
            output: output.into(),
            value: Some(value),
            ..Metric::default()
        }
    }

    fn audit(task: &str, metrics: Vec<Metric>) -> Audit {
        let attributes = ["sex", "race", "sex,race"]
            .map(|name| json!({"attribute": name, "reference": "", "reference_rule": "", "n_unknown": null}));
        let mut scope = serde_json::to_value(crate::audit::Scope::default()).unwrap();
        scope["task"] = task.into();
        scope["positive"] = "yes".into();
        scope["attributes"] = attributes.to_vec().into();
        serde_json::from_value(json!({
            "schema_version": 1,
            "run": {
                "run_id": "r", "pipeline": "p", "as_of": "2026-11-21", "started_at": "", "finished_at": "",
                "status": "succeeded", "verdict": "pass", "tool_version": "", "config_sha256": "",
                "model_sha256": "", "data_sha256": "", "prev_run_id": null, "seed": 0, "n_rows": 5,
                "explain_method": "", "explain_scale": "",
            },
            "scope": scope,
            "proof": crate::audit::Proof::default(),
            "metrics": metrics,
            "group_counts": [], "importance": [], "group_attributions": [], "gates": [], "drift": [], "curves": [],
            "sample": crate::audit::Sample::default(),
            "cases": [], "notes": [], "timings": {},
        }))
        .unwrap()
    }

    fn told(night: &Night) -> Vec<(&str, &str, &str)> {
        night.metrics.iter().map(|m| (m.metric.as_str(), m.attribute.as_str(), m.output.as_str())).collect()
    }

    #[test]
    fn one_number_a_metric_is_followed_of_the_class_that_stands_for_all() {
        let metrics = vec![
            metric("accuracy", "", "yes", 0.9),
            metric("f1", "", "yes", 0.9),
            metric("demographic_parity_ratio", "sex", "yes", 0.4),
            metric("accuracy_difference", "sex", "yes", 0.1),
            metric("demographic_parity_ratio", "sex,race", "yes", 0.4),
        ];
        let binary = night(&audit("binary", metrics));
        assert_eq!(told(&binary), [("accuracy", "", ""), ("demographic_parity_ratio", "sex", "")]);
        let metrics = vec![
            metric("roc_auc", "", "red", 0.7),
            metric("roc_auc", "", "(macro)", 0.8),
            metric("accuracy", "", "", 0.9),
            metric("accuracy_difference", "race", "", 0.1),
            metric("selection_rate", "", "red", 0.3),
        ];
        let multiclass = night(&audit("multiclass", metrics));
        assert_eq!(
            told(&multiclass),
            [("accuracy", "", ""), ("roc_auc", "", "(macro)"), ("accuracy_difference", "race", "")]
        );
        let regression = night(&audit("regression", vec![metric("rmse", "", "value", 3.0)]));
        assert_eq!(told(&regression), [("rmse", "", "")]);
    }

    #[test]
    fn under_a_stricter_limit_an_earlier_night_keeps_its_decisions_alone() {
        let night = night(&audit("binary", vec![metric("accuracy", "", "yes", 0.9)]));
        assert!(tells_more(&night, 10) && !tells_more(&night, 0));
        let kept = decisions(&night);
        assert!(!tells_more(&kept, 10));
        assert_eq!((kept.metrics[0].seen.value, kept.metrics[0].seen.withheld), (None, true));
        assert_eq!(kept.verdict, night.verdict);
    }

    #[test]
    fn a_night_comes_back_from_storage_as_it_was() {
        let night = night(&audit("binary", vec![metric("accuracy", "", "yes", 0.1 + 0.2)]));
        let stored = serde_json::to_string(&night).unwrap();
        assert_eq!(serde_json::from_str::<Night>(&stored).unwrap(), night);
        assert!(!stored.contains("withheld") && !stored.contains("suppress_below"));
    }
}
