//! Small audits made by hand, for the tests of the report.

mod curves;
mod history;
mod lime;
mod structure;
mod surrogate;

use crate::audit::*;

/// A binary audit of one attribute with every section filled.
pub fn binary() -> Audit {
    Audit {
        schema_version: SCHEMA_VERSION,
        run: run(),
        scope: scope(),
        proof: proof(),
        metrics: metrics(),
        group_counts: vec![counts("", "", 1_000), counts("sex", "Female", 400), counts("sex", "Male", 590)],
        importance: importance(),
        group_attributions: group_attributions(),
        attribution_gaps: vec![],
        proxies: vec![],
        layers: vec![],
        feature_maps: vec![],
        layer_probes: vec![],
        gates: vec![gate(Decision::Fail, Some(0.36)), gate(Decision::Insufficient, None)],
        drift: vec![Drift {
            subject: "feature".into(),
            feature: "age".into(),
            measure: "psi".into(),
            value: 0.12,
            baseline_run_id: "0190-before".into(),
        }],
        baseline: Some(baseline()),
        history: [("2026-11-19", 0.42), ("2026-11-20", 0.4)]
            .map(|(as_of, parity)| history::night(as_of, parity))
            .into(),
        curves: curves::curves(),
        sample: sample(),
        cases: vec![case("highest score", 0.97), case("nearest the threshold", 0.5)],
        also: vec![lime::lime()],
        surrogate: Some(surrogate::surrogate()),
        adverse: Some(adverse()),
        structure: Some(structure::structure()),
        confusion: Vec::new(),
        confusion_by_group: Vec::new(),
        pictures: None,
        notes: vec![Note { about: "data".into(), text: "12 rows have a missing age.".into() }],
        timings: [("score".to_owned(), 0.12), ("total".to_owned(), 72.5)].into(),
    }
}

/// The night before, from which a few things have moved.
fn baseline() -> Baseline {
    let rank = |feature: &str, before, now| RankChange {
        feature: feature.into(),
        before,
        now,
        value_before: 0.1 / f64::from(before),
        value_now: 0.1 / f64::from(now),
    };
    let change = |metric: &str, attribute: &str, before: f64, now: f64| MetricChange {
        metric: metric.into(),
        attribute: attribute.into(),
        before: Some(before),
        now: Some(now),
        change: Some(now - before),
        change_low: Some(now - before - 0.01),
        change_high: Some(now - before + 0.01),
        intervals_overlap: Some(false),
        ..MetricChange::default()
    };
    Baseline {
        run_id: "0190-before".into(),
        as_of: "2026-11-20".into(),
        not_comparable: vec![],
        changes: vec![change("accuracy", "", 0.87, 0.85), change("demographic_parity_ratio", "sex", 0.4, 0.36)],
        ranks: vec![rank("relationship", 2, 1), rank("age", 1, 2)],
    }
}

/// The same rows as a regression: no classes, no threshold, no rates.
pub fn regression() -> Audit {
    let mut audit = binary();
    audit.scope.task = "regression".into();
    audit.scope.outputs = vec!["value".into()];
    audit.scope.explained_outputs = vec!["value".into()];
    (audit.scope.positive, audit.scope.favourable, audit.scope.threshold) = (None, None, None);
    audit.metrics = ["rmse", "mae", "r2", "mean_score", "mean_residual"]
        .iter()
        .flat_map(|name| [("", ""), ("sex", "Female"), ("sex", "Male")].map(|(a, g)| metric(name, a, g, 0.5)))
        .map(|metric| Metric { output: "value".into(), ..metric })
        .collect();
    audit.metrics.push(Metric { output: "value".into(), ..metric("surrogate_fidelity", MODEL, "", 0.7) });
    surrogate::plant(&mut audit, &["value"], None);
    audit.adverse = None;
    audit.curves.clear();
    audit.gates.clear();
    audit.importance.iter_mut().filter(|i| i.method == "permutation").for_each(|i| i.metric = "rmse".into());
    rename_output(&mut audit, "value");
    audit
}

/// Three classes, two of them explained.
pub fn multiclass() -> Audit {
    let mut audit = binary();
    let classes = ["red", "green", "blue"];
    audit.scope.task = "multiclass".into();
    audit.scope.outputs = classes.map(str::to_owned).into();
    audit.scope.explained_outputs = vec!["red".into()];
    (audit.scope.positive, audit.scope.favourable, audit.scope.threshold) = (None, None, None);
    let places = [("", ""), ("sex", "Female"), ("sex", "Male")];
    let of_class = |class: &str| {
        let metric = |name: &str, (a, g): (&str, &str)| Metric { output: class.into(), ..metric(name, a, g, 0.4) };
        places
            .iter()
            .flat_map(|place| ["selection_rate", "recall"].map(|name| metric(name, *place)))
            .collect::<Vec<_>>()
    };
    audit.metrics = classes.iter().flat_map(|class| of_class(class)).collect();
    audit
        .metrics
        .extend(places.map(|(a, g)| metric("accuracy", a, g, 0.8)).map(|m| Metric { output: String::new(), ..m }));
    let fidelity = |output: &str| Metric { output: output.into(), ..metric("surrogate_fidelity", MODEL, "", 0.8) };
    audit.metrics.extend(["", "red", "green", "blue"].map(fidelity));
    surrogate::plant(&mut audit, &classes, Some("green"));
    audit.group_counts.clear();
    audit.curves.clear();
    rename_output(&mut audit, "red");
    audit
}

fn rename_output(audit: &mut Audit, output: &str) {
    audit.importance.iter_mut().for_each(|i| i.output = output.into());
    audit.group_attributions.iter_mut().for_each(|g| g.output = output.into());
    audit.sample.series.iter_mut().for_each(|s| s.output = output.into());
    audit.cases.iter_mut().for_each(|c| c.output = output.into());
}

fn run() -> Run {
    Run {
        run_id: "0190f000-0000-7000-8000-000000000001".into(),
        pipeline: "adult-income".into(),
        as_of: "2026-11-21".into(),
        started_at: "2026-11-21T02:00:00Z".into(),
        finished_at: "2026-11-21T02:01:12Z".into(),
        status: Status::Succeeded,
        verdict: Decision::Fail,
        tool_version: "0.1.0".into(),
        config_sha256: "c".repeat(64),
        model_sha256: "a".repeat(64),
        data_sha256: "d".repeat(64),
        prev_run_id: None,
        seed: 7,
        n_rows: 1_000,
        explain_method: "tree".into(),
        explain_scale: "margin".into(),
    }
}

fn scope() -> Scope {
    let feature =
        |name: &str, kind: &str| Feature { name: name.into(), kind: kind.into(), n_missing: Some(3), levels: vec![] };
    Scope {
        title: "Income above 50K".into(),
        description: Some("Who is shown an offer.".into()),
        task: "binary".into(),
        data_path: "data/adult.parquet".into(),
        label: Some("income".into()),
        positive: Some(">50K".into()),
        favourable: Some(">50K".into()),
        threshold: Some(0.5),
        outputs: vec!["<=50K".into(), ">50K".into()],
        explained_outputs: vec![">50K".into()],
        features: vec![feature("age", "number"), feature("relationship", "category")],
        attributes: vec![AttributeScope {
            attribute: "sex".into(),
            reference: "Male".into(),
            reference_rule: "largest group".into(),
            n_unknown: Some(10),
        }],
        confidence: 0.95,
        min_group_rows: 30,
        ..Scope::default()
    }
}

fn proof() -> Proof {
    Proof {
        method: "tree".into(),
        reason: "the model is a tree ensemble".into(),
        engine: "pattern tables".into(),
        scale: "margin".into(),
        native_difference: Some(4.4e-7),
        native_rows: 1_000,
        additivity_gap: Some(8.8e-16),
        additivity_gap_mean: Some(1.1e-16),
        background_rows: 1_000,
        background_source: "the evaluation data".into(),
        n_explained: 1_000,
        ..Proof::default()
    }
}

fn metric(name: &str, attribute: &str, group: &str, value: f64) -> Metric {
    Metric {
        metric: name.into(),
        attribute: attribute.into(),
        group_value: group.into(),
        output: ">50K".into(),
        value: Some(value),
        ci_low: Some(value - 0.02),
        ci_high: Some(value + 0.02),
        confidence: Some(0.95),
        n: match group {
            "Female" => 400,
            "Male" => 590,
            "(unknown)" => 10,
            _ => 1_000,
        },
        ..Metric::default()
    }
}

fn metrics() -> Vec<Metric> {
    let undefined = Metric {
        value: None,
        ci_low: None,
        ci_high: None,
        undefined_reason: Some("no positive labels in the group".into()),
        ..metric("true_positive_rate", "sex", "(unknown)", 0.0)
    };
    vec![
        metric("accuracy", "", "", 0.87),
        metric("roc_auc", "", "", 0.92),
        metric("selection_rate", "sex", "Female", 0.09),
        metric("selection_rate", "sex", "Male", 0.25),
        metric("selection_rate", "sex", "(unknown)", 0.1),
        metric("favourable_rate", "sex", "Female", 0.09),
        metric("favourable_rate", "sex", "Male", 0.25),
        Metric { reference: "Male".into(), ..metric("impact_ratio", "sex", "Female", 0.36) },
        Metric { reference: "Male".into(), ..metric("impact_ratio", "sex", "Male", 1.0) },
        metric("true_positive_rate", "sex", "Female", 0.5),
        metric("true_positive_rate", "sex", "Male", 0.6),
        undefined,
        Metric { pair: Some(("Female".into(), "Male".into())), ..metric("demographic_parity_ratio", "sex", "", 0.36) },
        metric("leaves", MODEL, "", 5_352.0),
        metric("effective_features", MODEL, "", 3.2),
        metric("surrogate_fidelity", MODEL, "", 0.86),
        metric("surrogate_r2", MODEL, "", 0.71),
    ]
}

fn counts(attribute: &str, group: &str, n: u64) -> GroupCount {
    let quarter = n as f64 / 4.0;
    GroupCount {
        attribute: attribute.into(),
        group_value: group.into(),
        output: ">50K".into(),
        n,
        weight: n as f64,
        tp: Some(quarter),
        fp: Some(quarter),
        tn: Some(quarter),
        fn_: Some(quarter),
        ..GroupCount::default()
    }
}

fn importance() -> Vec<Importance> {
    let of = |method: &str, metric: &str, feature: &str, value: f64, rank: u32| Importance {
        method: method.into(),
        metric: metric.into(),
        feature: feature.into(),
        output: ">50K".into(),
        value,
        std_err: Some(0.01),
        ci_low: Some(value - 0.02),
        ci_high: Some(value + 0.02),
        rank,
    };
    vec![
        of("attribution", "mean_abs_attribution", "age", 0.9, 1),
        of("attribution", "mean_abs_attribution", "relationship", 0.4, 2),
        of("permutation", "roc_auc", "relationship", 0.05, 1),
        of("permutation", "roc_auc", "age", -0.01, 2),
    ]
}

fn group_attributions() -> Vec<GroupAttribution> {
    let of = |group: &str, feature: &str, mean: f64| GroupAttribution {
        attribute: "sex".into(),
        group_value: group.into(),
        feature: feature.into(),
        output: ">50K".into(),
        n: 400,
        mean,
        mean_abs: mean.abs(),
        std: 1.0,
        q05: -1.0,
        q25: -0.5,
        q50: 0.0,
        q75: 0.5,
        q95: 1.0,
        mean_ci_low: mean - 0.05,
        mean_ci_high: mean + 0.05,
    };
    vec![
        of("Female", "age", -0.2),
        of("Female", "relationship", -0.7),
        of("Male", "age", 0.1),
        of("Male", "relationship", 0.4),
    ]
}

pub fn gate(decision: Decision, observed: Option<f64>) -> Gate {
    Gate {
        gate: "demographic_parity_ratio over sex ≥ 0.8".into(),
        metric: "demographic_parity_ratio".into(),
        attribute: "sex".into(),
        observed,
        ci_low: observed.map(|v| v - 0.03),
        ci_high: observed.map(|v| v + 0.03),
        limit: 0.8,
        baseline_value: None,
        limit_on: Default::default(),
        change: None,
        change_low: None,
        change_high: None,
        breaches: 0,
        decision,
        severity: "fail".into(),
        reason: "Female against Male".into(),
        n: 990,
    }
}

fn sample() -> Sample {
    let series = |feature: &str, slope: f64| SampleSeries {
        feature: feature.into(),
        output: ">50K".into(),
        attribution: (0..50).map(|i| slope * (f64::from(i) - 25.0)).collect(),
        value: (0..50).map(|i| Some(f64::from(i))).collect(),
    };
    Sample { n_total: 1_000, n_rows: 50, series: vec![series("relationship", -0.02), series("age", 0.05)] }
}

fn adverse() -> AdverseActions {
    let reason = |feature: &str, n_first, n_any| ReasonCount { feature: feature.into(), n_first, n_any };
    let row = AdverseRow { row_id: "18".into(), score: 0.2, reasons: case("lowest score", 0.2).terms };
    AdverseActions {
        n_explained: 1_000,
        n_adverse: 700,
        per_decision: 4,
        reasons: vec![reason("relationship", 500, 650), reason("age", 200, 300)],
        rows: vec![row],
    }
}

fn case(chosen_as: &str, score: f64) -> Case {
    let term = |feature: &str, value: &str, attribution: f64| CaseTerm {
        feature: feature.into(),
        feature_value: value.into(),
        attribution,
        term: None,
    };
    Case {
        row_id: "17".into(),
        chosen_as: chosen_as.into(),
        output: ">50K".into(),
        label: Some(">50K".into()),
        score,
        explained_score: 2.5,
        base_value: -1.2,
        terms: vec![term("relationship", "Husband", -0.8), term("age", "48", 4.5)],
        other: None,
        local_fit: None,
        flip: Some(CaseFlip { feature: "age".into(), from: "48".into(), to: "24".into(), score: 0.31 }),
    }
}
