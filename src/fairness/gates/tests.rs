//! Laws of gates.

use super::*;
use crate::audit::{Drift, LimitOn};
use crate::fairness::Task;
use std::collections::BTreeMap;

fn gate(metric: &str, attribute: &str, min: Option<f64>, max: Option<f64>) -> GateSpec {
    GateSpec {
        metric: metric.into(),
        attribute: attribute.into(),
        min,
        max,
        feature: None,
        max_change: None,
        max_relative_change: None,
        baseline: None,
        consecutive: 1,
        decide_on: DecideOn::Point,
        severity: Severity::Fail,
        output: None,
    }
}

fn row(metric: &str, attribute: &str, group: &str, value: f64, denominator: u64) -> Metric {
    Metric {
        metric: metric.into(),
        attribute: attribute.into(),
        group_value: group.into(),
        output: "1".into(),
        value: Some(value),
        ci_low: Some(value - 0.1),
        ci_high: Some(value + 0.1),
        n: 1_000,
        denominator: Some(denominator),
        ..Metric::default()
    }
}

/// On this run's metrics alone.
fn decide_on(gates: &[GateSpec], metrics: &[Metric]) -> Result<Vec<Gate>, GateError> {
    let none = BTreeMap::new();
    decide(gates, &Evidence { metrics, n_rows: 1_000, min_group_rows: 30, earlier: &none, previous_gates: &[] })
}

fn decided(gate: &GateSpec, metrics: &[Metric]) -> Gate {
    decide_on(std::slice::from_ref(gate), metrics).unwrap().remove(0)
}

#[test]
fn a_value_on_the_limit_passes() {
    let metrics = [row("accuracy", "", "", 0.8, 100)];
    assert_eq!(decided(&gate("accuracy", "", Some(0.8), None), &metrics).decision, Decision::Pass);
    assert_eq!(decided(&gate("accuracy", "", None, Some(0.8)), &metrics).decision, Decision::Pass);
    let failed = decided(&gate("accuracy", "", Some(0.81), None), &metrics);
    assert_eq!((failed.decision, failed.limit, failed.observed), (Decision::Fail, 0.81, Some(0.8)));
    assert_eq!(failed.gate, "accuracy ≥ 0.81");
}

#[test]
fn the_limit_reported_is_the_one_breached() {
    let metrics = [row("selection_rate", "", "", 0.9, 100)];
    let judged = decided(&gate("selection_rate", "", Some(0.1), Some(0.5)), &metrics);
    assert_eq!((judged.decision, judged.limit), (Decision::Fail, 0.5));
}

#[test]
fn an_interval_gate_fails_only_if_the_whole_interval_breaches() {
    let metrics = [row("accuracy", "", "", 0.75, 100)];
    let on = |min| GateSpec { decide_on: DecideOn::Interval, ..gate("accuracy", "", Some(min), None) };
    assert_eq!(decided(&on(0.8), &metrics).decision, Decision::Pass);
    assert_eq!(decided(&on(0.9), &metrics).decision, Decision::Fail);
    let bare = [Metric { ci_low: None, ci_high: None, ..metrics[0].clone() }];
    assert_eq!(decided(&on(0.9), &bare).decision, Decision::Insufficient);
}

#[test]
fn the_value_across_groups_wins_over_single_groups() {
    let metrics = [row("f1_difference", "sex", "F", 0.0, 100), row("f1_difference", "sex", "", 0.3, 100)];
    let judged = decided(&gate("f1_difference", "sex", None, Some(0.1)), &metrics);
    assert_eq!((judged.decision, judged.observed), (Decision::Fail, Some(0.3)));
}

#[test]
fn a_metric_of_groups_is_judged_on_the_worst_one_and_names_it() {
    let metrics = [
        row("impact_ratio", "race", "A", 1.0, 100),
        row("impact_ratio", "race", "B", 0.6, 100),
        row("impact_ratio", "race", "C", 0.7, 100),
        row("impact_ratio", "race", "(unknown)", 0.1, 100),
        row("impact_ratio", "race", "(others)", 0.2, 100),
    ];
    let judged = decided(&gate("impact_ratio", "race", Some(0.8), None), &metrics);
    assert_eq!((judged.decision, judged.observed, judged.reason.as_str()), (Decision::Fail, Some(0.6), "B"));
}

#[test]
fn a_failure_outranks_a_small_group_and_a_small_group_outranks_a_pass() {
    let mut metrics = vec![row("impact_ratio", "race", "A", 1.0, 100), row("impact_ratio", "race", "B", 0.1, 29)];
    let limit = gate("impact_ratio", "race", Some(0.8), None);
    let judged = decided(&limit, &metrics);
    assert_eq!(judged.decision, Decision::Insufficient);
    assert_eq!(judged.reason, "B: 29 rows of evidence, 30 are required");
    metrics.push(row("impact_ratio", "race", "C", 0.7, 30));
    assert_eq!(decided(&limit, &metrics).decision, Decision::Fail);
}

#[test]
fn an_undefined_metric_is_insufficient_with_its_reason() {
    let undefined = Metric {
        value: None,
        undefined_reason: Some("no positive labels in the group".into()),
        ..row("recall", "", "", 0.0, 0)
    };
    let judged = decided(&gate("recall", "", Some(0.5), None), &[undefined]);
    assert_eq!((judged.decision, judged.observed), (Decision::Insufficient, None));
    assert_eq!(judged.reason, "no positive labels in the group");
}

#[test]
fn several_classes_are_judged_on_their_aggregate_unless_one_is_named() {
    let of = |output: &str, value| Metric { output: output.into(), ..row("recall", "", "", value, 100) };
    let metrics = [of("cat", 0.2), of("dog", 0.8), of(MACRO, 0.5)];
    let judged = |output: Option<&str>| {
        let spec = GateSpec { output: output.map(String::from), ..gate("recall", "", Some(0.4), None) };
        decided(&spec, &metrics)
    };
    assert_eq!(judged(None).observed, Some(0.5));
    assert_eq!((judged(Some("cat")).observed, judged(Some("cat")).decision), (Some(0.2), Decision::Fail));
}

#[test]
fn strata_are_not_judged() {
    let in_stratum = Metric { stratum: "A".into(), ..row("accuracy", "", "", 0.1, 100) };
    let metrics = [in_stratum, row("accuracy", "", "", 0.9, 100)];
    assert_eq!(decided(&gate("accuracy", "", Some(0.8), None), &metrics).decision, Decision::Pass);
}

#[test]
fn the_verdict_asks_only_gates_that_can_fail_a_run() {
    let metrics = [row("accuracy", "", "", 0.5, 100), row("recall", "", "", 0.5, 3)];
    let of = |metric: &str, severity| GateSpec { severity, ..gate(metric, "", Some(0.8), None) };
    let verdict_of = |specs: &[GateSpec]| verdict(&decide_on(specs, &metrics).unwrap());
    assert_eq!(verdict_of(&[]), Decision::Pass);
    assert_eq!(verdict_of(&[of("accuracy", Severity::Warn)]), Decision::Pass);
    assert_eq!(verdict_of(&[of("recall", Severity::Fail)]), Decision::Insufficient);
    assert_eq!(verdict_of(&[of("recall", Severity::Fail), of("accuracy", Severity::Fail)]), Decision::Fail);
}

#[test]
fn gates_are_checked_before_a_run() {
    let check = |gate: GateSpec| validate(&[gate], Task::Binary, &["sex".into()], &["1".into()], &["age".into()]);
    assert_eq!(check(gate("demographic_parity_ratio", "sex", Some(0.8), None)), Ok(()));
    let error = check(gate("demographic_parity_ration", "sex", Some(0.8), None)).unwrap_err().to_string();
    assert!(error.contains("did you mean demographic_parity_ratio,"), "{error}");
    let error = check(gate("recall", "race", Some(0.8), None)).unwrap_err().to_string();
    assert!(error.ends_with("the audited attributes are sex"), "{error}");
    assert!(matches!(check(gate("recall", "", None, None)), Err(GateError::NoLimit { .. })));
    let error = check(gate("impact_ratio", "", Some(0.8), None)).unwrap_err();
    assert!(matches!(error, GateError::NeedsAttribute { .. }), "{error}");
    let of_cat = GateSpec { output: Some("cat".into()), ..gate("recall", "", Some(0.8), None) };
    assert!(matches!(check(of_cat), Err(GateError::UnknownOutput { .. })));
}

#[test]
fn a_metric_that_was_not_measured_is_an_error() {
    let error = decide_on(&[gate("recall", "", Some(0.8), None)], &[]).unwrap_err().to_string();
    assert!(error.contains("recall overall") && error.contains("labels"), "{error}");
}

// Change since a baseline

fn earlier<'a>(name: &str, found: Result<Earlier<'a>, String>) -> BTreeMap<String, Result<Earlier<'a>, String>> {
    BTreeMap::from([(name.to_owned(), found)])
}

fn on_change(metric: &str, max_change: Option<f64>, max_relative_change: Option<f64>) -> GateSpec {
    GateSpec { max_change, max_relative_change, ..gate(metric, "", None, None) }
}

fn changed(spec: &GateSpec, before: &[Metric], now: &[Metric]) -> Gate {
    let earlier = earlier(PREVIOUS, Ok(Earlier { n_rows: 1_000, metrics: before, drift: &[] }));
    let evidence = Evidence { metrics: now, n_rows: 1_000, min_group_rows: 30, earlier: &earlier, previous_gates: &[] };
    decide(std::slice::from_ref(spec), &evidence).unwrap().remove(0)
}

#[test]
fn a_change_is_judged_against_the_baseline_in_either_direction() {
    let before = [row("accuracy", "", "", 0.8, 100)];
    for (now, decision) in
        [(0.75, Decision::Pass), (0.85, Decision::Pass), (0.74, Decision::Fail), (0.86, Decision::Fail)]
    {
        let judged = changed(&on_change("accuracy", Some(0.05), None), &before, &[row("accuracy", "", "", now, 100)]);
        assert_eq!((judged.decision, judged.limit, judged.limit_on), (decision, 0.05, LimitOn::Change), "{now}");
        assert_eq!((judged.observed, judged.baseline_value), (Some(now), Some(0.8)));
        assert!((judged.change.unwrap() - (now - 0.8)).abs() < 1e-15);
        assert_eq!(judged.gate, "accuracy change ≤ 0.05 since the previous run");
    }
}

#[test]
fn a_relative_change_is_a_share_of_the_baselines_size() {
    let before = [row("mean_residual", "", "", -2.0, 100)];
    let judged = |now, limit| {
        changed(&on_change("mean_residual", None, Some(limit)), &before, &[row("mean_residual", "", "", now, 100)])
    };
    assert_eq!(judged(-2.2, 0.2).decision, Decision::Pass);
    let failed = judged(-2.6, 0.2);
    assert_eq!((failed.decision, failed.limit_on), (Decision::Fail, LimitOn::RelativeChange));
    assert!((failed.change.unwrap() + 0.3).abs() < 1e-12, "{failed:?}");
    assert!(failed.change_low.unwrap() < -0.3 && failed.change_high.unwrap() > -0.3, "{failed:?}");
}

#[test]
fn a_share_of_nothing_is_insufficient() {
    let judged = changed(
        &on_change("accuracy", None, Some(0.1)),
        &[row("accuracy", "", "", 0.0, 100)],
        &[row("accuracy", "", "", 0.5, 100)],
    );
    assert_eq!(judged.decision, Decision::Insufficient);
    assert!(judged.reason.contains("is 0"), "{}", judged.reason);
}

#[test]
fn an_interval_gate_on_change_fails_only_if_the_whole_change_is_too_large() {
    // Both intervals reach 0.1 to each side: the change's reaches 0.1414.
    let before = [row("accuracy", "", "", 0.8, 100)];
    let judged = |now: f64, limit| {
        let spec = GateSpec { decide_on: DecideOn::Interval, ..on_change("accuracy", Some(limit), None) };
        changed(&spec, &before, &[row("accuracy", "", "", now, 100)])
    };
    let failed = judged(0.5, 0.1);
    assert_eq!(failed.decision, Decision::Fail);
    assert!((failed.change_high.unwrap() - (-0.3 + 0.1 * 2f64.sqrt())).abs() < 1e-12);
    assert_eq!(judged(0.5, 0.2).decision, Decision::Pass);
    let bare = [Metric { ci_low: None, ci_high: None, ..before[0].clone() }];
    let spec = GateSpec { decide_on: DecideOn::Interval, ..on_change("accuracy", Some(0.1), None) };
    let judged = changed(&spec, &bare, &before);
    assert_eq!(judged.decision, Decision::Insufficient);
    assert_eq!(judged.reason, "the change has no confidence interval");
}

#[test]
fn without_a_run_to_compare_with_a_change_is_insufficient() {
    let now = [row("accuracy", "", "", 0.8, 100)];
    let spec = on_change("accuracy", Some(0.1), None);
    assert_eq!(decided(&spec, &now).decision, Decision::Insufficient);
    let none = earlier(PREVIOUS, Err("not comparable with run r: another task".into()));
    let evidence = Evidence { metrics: &now, n_rows: 1_000, min_group_rows: 30, earlier: &none, previous_gates: &[] };
    let judged = decide(&[spec], &evidence).unwrap().remove(0);
    assert_eq!((judged.decision, judged.baseline_value), (Decision::Insufficient, None));
    assert_eq!(judged.reason, "not comparable with run r: another task");
    assert_eq!((judged.limit, judged.limit_on), (0.1, LimitOn::Change));
}

#[test]
fn the_baseline_needs_evidence_too() {
    let (few, now) = ([row("recall", "", "", 0.1, 29)], [row("recall", "", "", 0.9, 100)]);
    let judged = changed(&on_change("recall", Some(0.1), None), &few, &now);
    assert_eq!(judged.decision, Decision::Insufficient);
    assert_eq!(judged.reason, "29 rows of evidence in the baseline run, 30 are required");
    let undefined = [Metric { value: None, undefined_reason: Some("0 / 0".into()), ..few[0].clone() }];
    let judged = changed(&on_change("recall", Some(0.1), None), &undefined, &now);
    assert_eq!(judged.reason, "undefined in the baseline run");
    let judged = changed(&on_change("recall", Some(0.1), None), &[], &now);
    assert_eq!(judged.reason, "the baseline run did not measure it");
}

#[test]
fn of_several_limits_the_breached_one_decides() {
    let spec = GateSpec { min: Some(0.1), max: Some(0.9), ..on_change("accuracy", Some(0.01), Some(9.0)) };
    let before = [row("accuracy", "", "", 0.5, 100)];
    let judged = changed(&spec, &before, &[row("accuracy", "", "", 0.6, 100)]);
    assert_eq!((judged.decision, judged.limit, judged.limit_on), (Decision::Fail, 0.01, LimitOn::Change));
    let judged = changed(&spec, &before, &[row("accuracy", "", "", 0.95, 100)]);
    assert_eq!((judged.limit, judged.limit_on), (0.9, LimitOn::Value), "the first breached");
    let judged = changed(&spec, &before, &before);
    assert_eq!((judged.decision, judged.limit, judged.baseline_value), (Decision::Pass, 0.1, Some(0.5)));
}

#[test]
fn each_group_is_compared_with_itself() {
    let groups = |a, b| [row("recall", "sex", "A", a, 100), row("recall", "sex", "B", b, 100)];
    let spec = GateSpec { attribute: "sex".into(), ..on_change("recall", Some(0.1), None) };
    let judged = changed(&spec, &groups(0.9, 0.5), &groups(0.85, 0.7));
    assert_eq!((judged.decision, judged.baseline_value), (Decision::Fail, Some(0.5)));
    assert_eq!(judged.reason, "B: 0.5000 before, +0.2000 (+0.0586 to +0.3414)");
}

// Drift

fn drift(subject: &str, feature: &str, measure: &str, value: f64) -> Drift {
    let text = str::to_owned;
    let (subject, feature, measure) = (text(subject), text(feature), text(measure));
    Drift { subject, feature, measure, value, baseline_run_id: "r".into() }
}

#[test]
fn drift_is_judged_at_the_feature_that_moved_most() {
    let found = [
        drift("score", "", "psi", 0.05),
        drift("feature", "age", "psi", 0.3),
        drift("feature", "age", "ks", 0.9),
        drift("feature", "job", "psi", 0.2),
        drift("attribution", "", "ndcg", 0.85),
    ];
    let judged = |spec: GateSpec, n_rows| {
        let earlier = earlier(PREVIOUS, Ok(Earlier { n_rows, metrics: &[], drift: &found }));
        let evidence =
            Evidence { metrics: &[], n_rows: 1_000, min_group_rows: 30, earlier: &earlier, previous_gates: &[] };
        decide(&[spec], &evidence).unwrap().remove(0)
    };
    let of =
        |feature: Option<&str>| GateSpec { feature: feature.map(str::to_owned), ..gate("psi", "", None, Some(0.25)) };
    let worst = judged(of(None), 500);
    assert_eq!((worst.decision, worst.observed, worst.reason.as_str()), (Decision::Fail, Some(0.3), "age"));
    assert_eq!((worst.n, worst.gate.as_str()), (500, "psi ≤ 0.25 since the previous run"));
    assert_eq!(judged(of(Some("job")), 500).observed, Some(0.2));
    let score = judged(of(Some(SCORE)), 500);
    assert_eq!((score.observed, score.reason.as_str()), (Some(0.05), "(score)"));
    assert_eq!(judged(gate("ndcg", "", Some(0.9), None), 500).decision, Decision::Fail);
    assert_eq!(judged(of(None), 29).decision, Decision::Insufficient);
    let absent = judged(GateSpec { metric: "wasserstein".into(), ..of(Some("job")) }, 500);
    assert_eq!(absent.decision, Decision::Insufficient);
    assert_eq!(absent.reason, "job: wasserstein could not be measured against the baseline run");
    assert_eq!(decided(&of(None), &[]).reason, "there is no run to compare with");
}

#[test]
fn gates_of_drift_are_checked_before_a_run() {
    let check = |gate: GateSpec| validate(&[gate], Task::Binary, &["sex".into()], &["1".into()], &["age".into()]);
    let psi = || gate("psi", "", None, Some(0.2));
    assert_eq!(check(psi()), Ok(()));
    assert_eq!(check(GateSpec { feature: Some("age".into()), baseline: Some("0199".into()), ..psi() }), Ok(()));
    let key = |gate: GateSpec| check(gate).unwrap_err().key();
    assert_eq!(key(GateSpec { feature: Some("agee".into()), ..psi() }), "feature");
    assert_eq!(key(GateSpec { feature: Some("age".into()), ..gate("ndcg", "", Some(0.9), None) }), "feature");
    assert_eq!(key(GateSpec { feature: Some("age".into()), ..gate("recall", "", Some(0.9), None) }), "feature");
    assert_eq!(key(GateSpec { attribute: "sex".into(), ..psi() }), "attribute");
    assert_eq!(key(GateSpec { max_change: Some(0.1), ..psi() }), "metric");
    assert_eq!(key(GateSpec { decide_on: DecideOn::Interval, ..psi() }), "decide_on");
    assert_eq!(key(GateSpec { baseline: Some(PREVIOUS.into()), ..gate("recall", "", Some(0.9), None) }), "baseline");
    assert_eq!(check(on_change("recall", Some(0.1), None)), Ok(()));
}

// Breaches in a row

#[test]
fn a_gate_that_asks_for_several_breaches_fails_at_the_last_of_them() {
    let spec = GateSpec { consecutive: 3, ..gate("accuracy", "", Some(0.8), None) };
    let none = BTreeMap::new();
    let night = |value, previous: &[Gate]| {
        let metrics = [row("accuracy", "", "", value, 100)];
        let evidence =
            Evidence { metrics: &metrics, n_rows: 1_000, min_group_rows: 30, earlier: &none, previous_gates: previous };
        decide(std::slice::from_ref(&spec), &evidence).unwrap()
    };
    let mut gates = Vec::new();
    let mut nights = Vec::new();
    for value in [0.7, 0.7, 0.9, 0.7, 0.7, 0.7, 0.7] {
        gates = night(value, &gates);
        nights.push((gates[0].decision, gates[0].breaches));
    }
    let (pass, fail) = (Decision::Pass, Decision::Fail);
    assert_eq!(nights, [(pass, 1), (pass, 2), (pass, 0), (pass, 1), (pass, 2), (fail, 3), (fail, 4)]);
    let first = night(0.7, &[]);
    assert_eq!(first[0].reason, "breached, 1 in a row of the 3 that fail");
    assert_eq!(first[0].gate, "accuracy ≥ 0.8, 3 runs in a row");
    // Another limit is another gate, and an undecided night is no breach.
    let other = [Gate { gate: "accuracy ≥ 0.7".into(), ..first[0].clone() }];
    assert_eq!(night(0.7, &other)[0].breaches, 1);
    let undecided = [Gate { decision: Decision::Insufficient, breaches: 0, ..first[0].clone() }];
    assert_eq!(night(0.7, &undecided)[0].breaches, 1);
}

#[test]
fn a_fact_of_the_models_file_needs_no_rows_and_one_that_rests_on_rows_does() {
    let fact = |metric: &str, value: f64| Metric { output: String::new(), ..row(metric, MODEL, "", value, 3) };
    let metrics = [fact("leaves", 40.0), fact("surrogate_fidelity", 0.9)];
    let leaves = decided(&gate("leaves", "", None, Some(32.0)), &metrics);
    assert_eq!((leaves.decision, leaves.attribute.as_str()), (Decision::Fail, ""));
    let fidelity = decided(&gate("surrogate_fidelity", "", Some(0.8), None), &metrics);
    assert_eq!(fidelity.decision, Decision::Insufficient);
}

#[test]
fn facts_of_the_model_belong_to_no_group_and_are_suggested() {
    let check = |gate: GateSpec| validate(&[gate], Task::Binary, &["sex".to_owned()], &[], &[]);
    assert!(check(gate("depth", "", None, Some(6.0))).is_ok());
    let of_groups = check(gate("depth", "sex", None, Some(6.0))).unwrap_err();
    assert_eq!((of_groups.key(), of_groups.help()), ("attribute", "leave the attribute out"));
    let misspelt = check(gate("efective_features", "", None, Some(6.0))).unwrap_err().to_string();
    assert!(misspelt.contains("effective_features"), "{misspelt}");
}
