//! Whole audits of hand-worked data, and the laws that hold for any data.

use super::*;
use crate::stats::GroupLevels;
use crate::stats::groups::UNKNOWN;
use crate::stats::random::Stream;

/// A binary audit by sex, one score column, threshold ½.
pub(super) fn spec() -> Spec {
    Spec {
        attributes: vec![AttributeSpec { name: "sex".into(), columns: vec![0] }],
        reference: BTreeMap::new(),
        task: Task::Binary,
        threshold: 0.5,
        accuracy_loss: 0.01,
        positive_output: 0,
        favourable_is_positive: true,
        outputs: vec!["1".into()],
        confidence: 0.95,
        bootstrap: 0,
        strata: Vec::new(),
        seed: 7,
        metrics: None,
    }
}

fn against_men(spec: Spec) -> Spec {
    Spec { reference: BTreeMap::from([("sex".into(), "Male".into())]), ..spec }
}

fn levels() -> GroupLevels {
    let names = |names: &[&str]| names.iter().map(|name| name.to_string()).collect::<Vec<_>>();
    GroupLevels {
        columns: names(&["sex", "town"]),
        levels: vec![names(&["Female", "Male", UNKNOWN]), names(&["A", "B", "C"])],
    }
}

/// Columns of rows to audit.
#[derive(Clone, Default)]
struct Data {
    codes: Vec<Vec<u32>>,
    scores: Vec<f64>,
    decisions: Vec<u32>,
    labels: Vec<Option<u32>>,
    weights: Option<Vec<f64>>,
}

impl Data {
    /// Rows of (sex, label, score), decided at ½, all of town A.
    fn binary(rows: &[(u32, Option<u32>, f64)]) -> Self {
        Self {
            codes: vec![rows.iter().map(|row| row.0).collect(), vec![0; rows.len()]],
            scores: rows.iter().map(|row| row.2).collect(),
            decisions: rows.iter().map(|row| u32::from(row.2 >= 0.5)).collect(),
            labels: rows.iter().map(|row| row.1).collect(),
            weights: None,
        }
    }

    /// `n` rows of all groups and towns; women score lower.
    fn random(n: u64, seed: u64) -> Self {
        let stream = Stream::new(seed, "rows");
        let mut rows = Vec::new();
        let mut towns = Vec::new();
        for i in 0..n {
            let sex = (stream.at(4 * i) % 9 / 4) as u32;
            let score = (stream.unit(4 * i + 1) * (0.6 + 0.4 * f64::from(sex.min(1)))).clamp(0.0, 1.0);
            let label = u32::from(stream.unit(4 * i + 2) < score);
            rows.push((sex, (i % 17 != 0).then_some(label), f64::from(score as f32)));
            towns.push((stream.at(4 * i + 3) % 3) as u32);
        }
        let mut data = Self::binary(&rows);
        data.codes[1] = towns;
        data
    }

    fn rows(&self, outputs: usize, from: usize, to: usize) -> (Vec<Vec<u32>>, Vec<f64>) {
        let codes = self.codes.iter().map(|column| column[from..to].to_vec()).collect();
        (codes, self.scores[from * outputs..to * outputs].to_vec())
    }

    fn accumulate(&self, spec: &Spec, from: usize, to: usize) -> Result<FairnessAccumulator, FairnessError> {
        let (codes, scores) = self.rows(spec.outputs.len(), from, to);
        let mut accumulator = FairnessAccumulator::new(spec);
        accumulator.update(Rows {
            first_row: from as u64,
            codes: &codes,
            scores: &scores,
            decisions: &self.decisions[from..to],
            labels: Some(Truth::Class(&self.labels[from..to])),
            weights: self.weights.as_ref().map(|weights| &weights[from..to]),
        })?;
        Ok(accumulator)
    }

    fn audit(&self, spec: &Spec) -> Result<FairnessResult, FairnessError> {
        self.accumulate(spec, 0, self.decisions.len())?.finish(&levels())
    }
}

fn find<'a>(result: &'a FairnessResult, metric: &str, attribute: &str, group: &str) -> &'a Metric {
    result
        .metrics
        .iter()
        .find(|row| {
            (row.metric.as_str(), row.attribute.as_str(), row.group_value.as_str()) == (metric, attribute, group)
                && row.stratum.is_empty()
        })
        .unwrap_or_else(|| panic!("no {metric} {attribute} {group}"))
}

fn value(result: &FairnessResult, metric: &str, attribute: &str, group: &str) -> f64 {
    find(result, metric, attribute, group).value.unwrap_or(f64::NAN)
}

fn near(a: f64, b: f64) {
    assert!((a - b).abs() < 1e-12, "{a} is not {b}");
}

/// Women: tp 1, fn 1, fp 1, tn 3 of 6 rows; men: tp 3, fn 1, fp 2, tn 2 of 8 rows; one unknown: tp 1.
fn worked() -> Data {
    let (y, n) = (Some(1), Some(0));
    Data::binary(&[
        (0, y, 0.9),
        (0, y, 0.3),
        (0, n, 0.6),
        (0, n, 0.1),
        (0, n, 0.2),
        (0, n, 0.4),
        (1, y, 0.8),
        (1, y, 0.7),
        (1, y, 0.55),
        (1, y, 0.45),
        (1, n, 0.65),
        (1, n, 0.5),
        (1, n, 0.15),
        (1, n, 0.05),
        (2, y, 0.95),
    ])
}

#[test]
fn rates_of_a_worked_example() {
    let result = worked().audit(&spec()).unwrap();
    for (metric, women, men) in [
        ("selection_rate", 2.0 / 6.0, 5.0 / 8.0),
        ("base_rate", 2.0 / 6.0, 4.0 / 8.0),
        ("accuracy", 4.0 / 6.0, 5.0 / 8.0),
        ("balanced_accuracy", (0.5 + 0.75) / 2.0, (0.75 + 0.5) / 2.0),
        ("precision", 0.5, 0.6),
        ("recall", 0.5, 0.75),
        ("f1", 0.5, 2.0 * 3.0 / (2.0 * 3.0 + 2.0 + 1.0)),
        ("false_positive_rate", 0.25, 0.5),
        ("false_negative_rate", 0.5, 0.25),
        ("false_discovery_rate", 0.5, 0.4),
        ("false_omission_rate", 0.25, 1.0 / 3.0),
        ("treatment_equality", 1.0, 0.5),
        // Positive pairs won: women 0.9 beats 4, 0.3 beats 2 of 4; men 0.8 and 0.7 beat 4, 0.55 beats 3, 0.45 beats 2.
        ("roc_auc", 6.0 / 8.0, 13.0 / 16.0),
        ("mean_score", 2.5 / 6.0, 3.85 / 8.0),
    ] {
        near(value(&result, metric, "sex", "Female"), women);
        near(value(&result, metric, "sex", "Male"), men);
    }
    near(value(&result, "selection_rate", "", ""), 8.0 / 15.0);
}

#[test]
fn comparisons_of_a_worked_example() {
    let result = worked().audit(&spec()).unwrap();
    let across = |metric| value(&result, metric, "sex", "");
    near(across("demographic_parity_difference"), 5.0 / 8.0 - 2.0 / 6.0);
    near(across("demographic_parity_ratio"), (2.0 / 6.0) / (5.0 / 8.0));
    near(across("equalized_odds_difference"), 0.25);
    near(across("equalized_odds_ratio"), 0.5);
    near(across("equalized_odds_ratio_mean"), (0.5 + 0.5 / 0.75) / 2.0);
    near(across("equal_opportunity_difference"), 0.25);
    near(across("accuracy_difference"), 4.0 / 6.0 - 5.0 / 8.0);
    let pair = find(&result, "accuracy_difference", "sex", "").pair.clone().unwrap();
    assert_eq!(pair, ("Male".to_string(), "Female".to_string()));
    let women = |metric| value(&result, metric, "sex", "Female");
    near(women("statistical_parity_difference"), 2.0 / 6.0 - 5.0 / 8.0);
    near(women("disparate_impact"), (2.0 / 6.0) / (5.0 / 8.0));
    near(women("impact_ratio"), (2.0 / 6.0) / (5.0 / 8.0));
    near(women("average_odds_difference"), ((0.25 - 0.5) + (0.5 - 0.75)) / 2.0);
    near(women("false_positive_rate_difference"), -0.25);
    near(value(&result, "impact_ratio", "sex", "Male"), 1.0);
    let others = |metric| value(&result, metric, "sex", "(others)");
    near(others("clarify_ci"), 2.0 / 14.0);
    near(others("clarify_dpl"), 0.5 - 2.0 / 6.0);
    near(others("clarify_dcacc"), 4.0 / 5.0 - 1.0);
    near(others("clarify_te"), 0.5);
    assert_eq!(result.attributes[0].n_unknown, Some(1));
}

#[test]
fn inequality_of_a_worked_example() {
    // All rows: benefits 0 twice, 2 three times, 1 ten times; mean 16/15.
    let result = worked().audit(&spec()).unwrap();
    let mean = 16.0 / 15.0;
    near(value(&result, "mean_benefit", "", ""), mean);
    let squares = (3.0 * 4.0 + 10.0) / 15.0 / (mean * mean);
    near(value(&result, "generalized_entropy_index", "", ""), (squares - 1.0) / 2.0);
    near(value(&result, "coefficient_of_variation", "", ""), (squares - 1.0f64).sqrt());
    let term = |b: f64| b / mean * (b / mean).ln();
    near(value(&result, "theil_index", "", ""), (3.0 * term(2.0) + 10.0 * term(1.0)) / 15.0);
    // Women's mean benefit is 1, men's 9/8; both together 15/14.
    let (women, men, both) = (1.0, 9.0 / 8.0, 15.0 / 14.0);
    let squares = (6.0 * women * women + 8.0 * men * men) / 14.0 / (both * both);
    near(value(&result, "between_group_generalized_entropy_index", "sex", ""), (squares - 1.0) / 2.0);
}

#[test]
fn counts_are_reported_for_every_group() {
    let result = worked().audit(&spec()).unwrap();
    let row = result.group_counts.iter().find(|row| row.group_value == "Male").unwrap();
    assert_eq!((row.n, row.weight), (8, 8.0));
    assert_eq!((row.tp, row.fp, row.tn, row.fn_), (Some(3.0), Some(2.0), Some(2.0), Some(1.0)));
    let women = find(&result, "recall", "sex", "Female");
    assert_eq!((women.n, women.denominator), (6, Some(2)));
    assert_eq!((women.n_positive, women.n_predicted_positive), (Some(2), Some(2)));
}

#[test]
fn a_favourable_class_other_than_the_positive_one_flips_what_is_about_favour() {
    let spec = Spec { favourable_is_positive: false, ..spec() };
    let result = worked().audit(&spec).unwrap();
    near(value(&result, "selection_rate", "sex", "Female"), 2.0 / 6.0);
    near(value(&result, "favourable_rate", "sex", "Female"), 4.0 / 6.0);
    near(value(&result, "statistical_parity_difference", "sex", "Female"), 4.0 / 6.0 - 3.0 / 8.0);
    // Favourable decisions among favourable labels are the true negatives.
    near(value(&result, "equal_opportunity_difference", "sex", "Female"), 0.75 - 0.5);
    near(value(&result, "true_positive_rate_difference", "sex", "(others)"), 0.75 - 0.5);
    near(value(&result, "demographic_parity_difference", "sex", ""), 5.0 / 8.0 - 2.0 / 6.0);
    near(value(&result, "treatment_equality", "sex", "Male"), 2.0);
    near(value(&result, "clarify_dpl", "sex", "(others)"), 0.5 - 4.0 / 6.0);
}

#[test]
fn undefined_values_have_a_reason_and_never_a_number() {
    // Women without positives, men without negatives.
    let data = Data::binary(&[(0, Some(0), 0.2), (0, Some(0), 0.6), (1, Some(1), 0.3), (1, Some(1), 0.9)]);
    let result = data.audit(&spec()).unwrap();
    let recall = find(&result, "recall", "sex", "Female");
    assert_eq!(recall.value, None);
    assert_eq!(recall.undefined_reason.as_deref(), Some("no positive labels in the group"));
    let auc = find(&result, "roc_auc", "sex", "Male");
    assert_eq!(auc.undefined_reason.as_deref(), Some("labels of one class only in the group"));
    let odds = find(&result, "equalized_odds_difference", "sex", "");
    assert!(odds.undefined_reason.as_deref().unwrap().starts_with("fewer than two groups"));
    let difference = find(&result, "recall_difference", "sex", "Male");
    assert_eq!(difference.undefined_reason.as_deref(), Some("no positive labels in the reference group"));
    for row in &result.metrics {
        assert_eq!(row.value.is_none(), row.undefined_reason.is_some(), "{} {}", row.metric, row.group_value);
        assert!(row.value.is_none_or(f64::is_finite), "{} {}", row.metric, row.group_value);
    }
}

#[test]
fn empty_intersections_are_named_and_undefined() {
    let mut data = worked();
    data.codes[1][0] = 1;
    let both = AttributeSpec { name: "sex,town".into(), columns: vec![0, 1] };
    let result = data.audit(&Spec { attributes: vec![both], ..spec() }).unwrap();
    let empty = find(&result, "selection_rate", "sex,town", "Male,B");
    assert_eq!((empty.n, empty.value), (0, None));
    assert_eq!(empty.undefined_reason.as_deref(), Some("no rows in the group"));
}

#[test]
fn without_labels_only_label_free_metrics_are_reported() {
    let mut data = worked();
    data.labels.fill(None);
    let result = data.audit(&Spec { bootstrap: 20, ..spec() }).unwrap();
    let names: std::collections::BTreeSet<&str> = result.metrics.iter().map(|row| row.metric.as_str()).collect();
    assert!(names.contains("impact_ratio") && names.contains("demographic_parity_ratio"), "{names:?}");
    assert!(!names.contains("accuracy") && !names.contains("equalized_odds_ratio"), "{names:?}");
    assert!(result.group_counts.iter().all(|row| row.tp.is_none()));
    assert_eq!(find(&result, "selection_rate", "", "").n_positive, None);
}

#[test]
fn any_split_gives_the_same_result() {
    let spec = Spec {
        attributes: vec![
            AttributeSpec { name: "sex".into(), columns: vec![0] },
            AttributeSpec { name: "sex,town".into(), columns: vec![0, 1] },
        ],
        bootstrap: 50,
        strata: vec![1],
        ..spec()
    };
    let mut data = Data::random(700, 3);
    for weighted in [false, true] {
        let stream = Stream::new(9, "weights");
        data.weights = weighted.then(|| (0..700).map(|i| 0.1 + stream.unit(i)).collect());
        let whole = data.audit(&spec).unwrap();
        for size in [1, 90, 333] {
            let mut parts = FairnessAccumulator::new(&spec);
            let mut starts: Vec<usize> = (0..700).step_by(size).collect();
            starts.reverse();
            for from in starts {
                parts.merge(data.accumulate(&spec, from, (from + size).min(700)).unwrap()).unwrap();
            }
            assert!(parts.finish(&levels()).unwrap() == whole, "weighted {weighted}, parts of {size}");
        }
    }
}

#[test]
fn the_coding_of_levels_changes_nothing_but_their_order() {
    let spec = Spec { bootstrap: 50, ..spec() };
    let data = Data::random(400, 4);
    let mut recoded = data.clone();
    recoded.codes[0].iter_mut().for_each(|code| *code = [1, 0, 2][*code as usize]);
    let mut swapped = levels();
    swapped.levels[0].swap(0, 1);
    let sorted = |mut result: FairnessResult| {
        result
            .metrics
            .sort_by(|a, b| (&a.metric, &a.attribute, &a.group_value).cmp(&(&b.metric, &b.attribute, &b.group_value)));
        result.metrics
    };
    let spec = against_men(spec);
    let recoded = recoded.accumulate(&spec, 0, 400).unwrap().finish(&swapped).unwrap();
    assert!(sorted(recoded) == sorted(data.audit(&spec).unwrap()));
}

#[test]
fn integer_weights_count_as_repeated_rows() {
    let data = Data::random(300, 5);
    let weights: Vec<usize> = (0..300).map(|i| 1 + i % 3).collect();
    let mut repeated = Data { codes: vec![Vec::new(); 2], ..Data::default() };
    for (row, &times) in weights.iter().enumerate() {
        for _ in 0..times {
            (0..2).for_each(|column| repeated.codes[column].push(data.codes[column][row]));
            repeated.scores.push(data.scores[row]);
            repeated.decisions.push(data.decisions[row]);
            repeated.labels.push(data.labels[row]);
        }
    }
    let weighted = Data { weights: Some(weights.iter().map(|&w| w as f64).collect()), ..data };
    let spec = against_men(spec());
    let (weighted, repeated) = (weighted.audit(&spec).unwrap(), repeated.audit(&spec).unwrap());
    assert_eq!(weighted.metrics.len(), repeated.metrics.len());
    // Two more rows are a larger share of few weighted rows than of many repeated ones.
    let alike = |row: &&Metric| row.metric != "impact_ratio_with_two_more";
    for (a, b) in weighted.metrics.iter().filter(alike).zip(repeated.metrics.iter().filter(alike)) {
        match (a.value, b.value) {
            (Some(x), Some(y)) => assert!((x - y).abs() < 1e-9, "{} {}: {x} {y}", a.metric, a.group_value),
            (x, y) => assert_eq!(x, y, "{} {}", a.metric, a.group_value),
        }
    }
}

#[test]
fn strata_hold_the_metrics_of_their_rows() {
    let data = Data::random(600, 6);
    let result = data.audit(&Spec { strata: vec![1], ..spec() }).unwrap();
    let rows = (0..600).filter(|&row| data.codes[1][row] == 1 && data.codes[0][row] == 0);
    let (n, selected) = rows.fold((0.0, 0.0), |(n, s), row| (n + 1.0, s + f64::from(data.decisions[row])));
    let in_b = |row: &&Metric| row.metric == "selection_rate" && row.group_value == "Female" && row.stratum == "B";
    near(result.metrics.iter().find(in_b).unwrap().value.unwrap(), selected / n);
}

#[test]
fn intervals_hold_their_values_and_narrow_with_data() {
    let width = |n: u64, metric: &str, group: &str| {
        let result = Data::random(n, 7).audit(&Spec { bootstrap: 200, ..against_men(spec()) }).unwrap();
        let row = find(&result, metric, "sex", group);
        let (low, high) = (row.ci_low.unwrap(), row.ci_high.unwrap());
        assert!(low <= row.value.unwrap() && row.value.unwrap() <= high, "{metric}");
        high - low
    };
    let closed =
        [("selection_rate", "Male"), ("statistical_parity_difference", "Female"), ("disparate_impact", "Female")];
    let bootstrap =
        [("roc_auc", "Male"), ("f1", "Male"), ("demographic_parity_difference", ""), ("clarify_kl", "(others)")];
    for (metric, group) in closed.into_iter().chain(bootstrap) {
        let (few, many) = (width(400, metric, group), width(6_400, metric, group));
        // √16 = 4 times narrower, give or take the bootstrap's own noise.
        assert!(many < few / 2.0 && many > few / 9.0, "{metric}: {few} {many}");
    }
}

#[test]
fn bootstrap_and_closed_form_agree_where_both_exist() {
    let spec = Spec { bootstrap: 2_000, ..against_men(spec()) };
    let result = Data::random(4_000, 8).audit(&spec).unwrap();
    let closed = find(&result, "statistical_parity_difference", "sex", "Female");
    let boot = find(&result, "clarify_dppl", "sex", "(others)");
    near(closed.value.unwrap(), -boot.value.unwrap());
    let width = |row: &Metric| row.ci_high.unwrap() - row.ci_low.unwrap();
    assert!((width(closed) / width(boot) - 1.0).abs() < 0.1, "{} {}", width(closed), width(boot));
}

#[test]
fn only_metrics_asked_for_are_reported_and_unknown_ones_refused() {
    let asked = |names: &[&str]| Spec { metrics: Some(names.iter().map(|n| n.to_string()).collect()), ..spec() };
    let result = worked().audit(&asked(&["accuracy", "demographic_parity_ratio"])).unwrap();
    let names: std::collections::BTreeSet<&str> = result.metrics.iter().map(|row| row.metric.as_str()).collect();
    assert_eq!(names.into_iter().collect::<Vec<_>>(), ["accuracy", "demographic_parity_ratio"]);
    let error = worked().audit(&asked(&["acuracy"])).unwrap_err().to_string();
    assert!(error.contains("did you mean accuracy"), "{error}");
}

#[test]
fn bad_rows_are_refused_by_number() {
    let spec = spec();
    let with = |change: &dyn Fn(&mut Data)| {
        let mut data = worked();
        change(&mut data);
        data.audit(&spec).unwrap_err()
    };
    let error = with(&|data| data.scores[3] = f64::NAN);
    assert!(matches!(error, FairnessError::ScoreNotFinite { row: 3, .. }), "{error}");
    let error = with(&|data| data.scores[2] = 1.5);
    assert_eq!(error, FairnessError::ScoreNotProbability { row: 2, score: 1.5 });
    let error = with(&|data| data.labels[1] = Some(2));
    assert_eq!(error, FairnessError::Class { row: 1, class: 2, classes: 2 });
    let error = with(&|data| data.weights = Some([1.0; 14].into_iter().chain([-1.0]).collect()));
    assert_eq!(error, FairnessError::Weight { row: 14, weight: -1.0 });
    let mut accumulator = FairnessAccumulator::new(&spec);
    let short = Rows {
        first_row: 0,
        codes: &[vec![0], vec![0, 1]],
        scores: &[0.5, 0.5],
        decisions: &[1, 1],
        labels: None,
        weights: None,
    };
    let error = accumulator.update(short).unwrap_err();
    assert_eq!(error, FairnessError::Shape { what: "group codes", found: 1, expected: 2 });
    let numbers = Rows { codes: &[vec![0, 1], vec![0, 1]], labels: Some(Truth::Value(&[0.0, 1.0])), ..short };
    assert_eq!(accumulator.update(numbers).unwrap_err(), FairnessError::LabelKind { task: "binary" });
    assert_eq!(Data { codes: vec![Vec::new(); 2], ..Data::default() }.audit(&spec), Err(FairnessError::NoRows));
}

#[test]
fn an_audit_without_attributes_is_the_overall_performance() {
    let data = Data { codes: Vec::new(), ..worked() };
    let spec = Spec { attributes: Vec::new(), ..spec() };
    let result = data.accumulate(&spec, 0, 15).unwrap().finish(&GroupLevels::default()).unwrap();
    near(value(&result, "accuracy", "", ""), 10.0 / 15.0);
    assert!(result.metrics.iter().all(|row| row.attribute.is_empty()));
}

#[test]
fn multiclass_is_each_class_against_the_rest_and_their_mean() {
    let names = ["cat", "dog", "owl"].map(String::from).to_vec();
    let spec = Spec { task: Task::Multiclass, outputs: names, bootstrap: 30, ..spec() };
    // Labels and decisions of women: cat-cat, dog-cat, owl-owl; of men: cat-cat, dog-dog, owl-dog.
    let decided = [0, 0, 2, 0, 1, 1];
    let data = Data {
        codes: vec![vec![0, 0, 0, 1, 1, 1], vec![0; 6]],
        scores: decided.iter().flat_map(|&d| (0..3).map(move |c| if c == d { 0.6 } else { 0.2 })).collect(),
        decisions: decided.to_vec(),
        labels: vec![Some(0), Some(1), Some(2), Some(0), Some(1), Some(2)],
        weights: None,
    };
    let result = data.audit(&spec).unwrap();
    let of = |metric: &str, group: &str, output: &str| {
        let matches = |row: &&Metric| row.metric == metric && row.group_value == group && row.output == output;
        result.metrics.iter().filter(|row| (row.attribute == "sex") != group.is_empty()).find(matches).unwrap().clone()
    };
    near(of("accuracy", "", "").value.unwrap(), 4.0 / 6.0);
    near(of("log_loss", "", "").value.unwrap(), -(4.0 * 0.6f64.ln() + 2.0 * 0.2f64.ln()) / 6.0);
    near(of("recall", "", "dog").value.unwrap(), 0.5);
    near(of("recall", "", MACRO_OUTPUT).value.unwrap(), (1.0 + 0.5 + 0.5) / 3.0);
    near(of("balanced_accuracy", "", "").value.unwrap(), 2.0 / 3.0);
    near(of("recall", "Female", "dog").value.unwrap(), 0.0);
    let worst = result
        .metrics
        .iter()
        .find(|row| row.metric == "demographic_parity_difference" && row.output == "(worst)")
        .unwrap();
    // Selected as dog: no woman, two of three men.
    near(worst.value.unwrap(), 2.0 / 3.0);
    assert!(result.metrics.iter().all(|row| row.value.is_some() != row.undefined_reason.is_some()));
}

const MACRO_OUTPUT: &str = "(macro)";

#[test]
fn regression_is_measured_by_group() {
    let spec = Spec { task: Task::Regression, outputs: vec!["value".into()], bootstrap: 200, ..spec() };
    let stream = Stream::new(3, "regression");
    let n = 2_000usize;
    let sexes: Vec<u32> = (0..n).map(|i| (i % 2) as u32).collect();
    let labels: Vec<f64> = (0..n as u64).map(|i| 10.0 + stream.normal(2 * i)).collect();
    let scores: Vec<f64> =
        (0..n).map(|i| labels[i] + 0.5 * stream.normal(2 * i as u64 + 1) + 0.3 * f64::from(sexes[i])).collect();
    let mut accumulator = FairnessAccumulator::new(&spec);
    let rows = Rows {
        first_row: 0,
        codes: &[sexes.clone(), vec![0; n]],
        scores: &scores,
        decisions: &[],
        labels: Some(Truth::Value(&labels)),
        weights: None,
    };
    accumulator.update(rows).unwrap();
    let result = accumulator.finish(&levels()).unwrap();
    let men = |f: &dyn Fn(usize) -> f64| (0..n).filter(|&i| sexes[i] == 1).map(f).sum::<f64>() / (n / 2) as f64;
    near(value(&result, "mae", "sex", "Male"), men(&|i| (labels[i] - scores[i]).abs()));
    near(value(&result, "mean_residual", "sex", "Male"), men(&|i| labels[i] - scores[i]));
    near(value(&result, "rmse", "sex", "Male"), men(&|i| (labels[i] - scores[i]).powi(2)).sqrt());
    let residual = find(&result, "mean_residual_difference", "sex", "Male");
    assert!(residual.ci_low.unwrap() < -0.3 && residual.ci_high.unwrap() > -0.3 && residual.p_value.unwrap() < 1e-6);
    let ratio = find(&result, "rmse_ratio", "sex", "");
    assert!(ratio.ci_low.unwrap() < ratio.value.unwrap() && ratio.value.unwrap() < ratio.ci_high.unwrap());
    assert!(find(&result, "mean_residual_ratio", "sex", "").undefined_reason.is_some());
    assert!(result.curves.iter().all(|point| point.kind == "score_histogram"));
}

#[test]
fn curves_are_there_for_all_rows_and_every_group() {
    let result = Data::random(900, 2).audit(&spec()).unwrap();
    let points = |kind: &str, attribute: &str, group: &str| {
        let at = |p: &&CurvePoint| p.kind == kind && p.feature == attribute && p.group_value == group;
        result.curves.iter().filter(at).collect::<Vec<_>>()
    };
    for (attribute, group) in [("", ""), ("sex", "Female"), ("sex", "Male")] {
        let roc = points("roc", attribute, group);
        assert!(roc.len() <= 200 && (roc[0].x, roc[0].y) == (0.0, 0.0));
        assert_eq!(roc.last().map(|p| (p.x, p.y)), Some((1.0, 1.0)));
        near(points("score_histogram", attribute, group).iter().map(|p| p.y).sum(), 1.0);
        let at_threshold = points("threshold", attribute, group).into_iter().find(|p| p.x == 0.5).unwrap();
        near(at_threshold.y, value(&result, "selection_rate", attribute, group));
        let accuracy = points("threshold_accuracy", attribute, group).into_iter().find(|p| p.x == 0.5).unwrap();
        near(accuracy.y, value(&result, "accuracy", attribute, group));
    }
    let gap = points("threshold_difference", "sex", "").into_iter().find(|p| p.x == 0.5).unwrap();
    near(gap.y, value(&result, "demographic_parity_difference", "sex", ""));
}

/// Coverage of nominal 95 % intervals by simulation. Takes a minute:
/// `cargo test --release -- --ignored coverage --nocapture`.
///
/// Scores are uniform on [0, 0.8] for women and [0, 1] for men, labels are drawn with the score as probability,
/// decisions at ½; towns make no difference. Expected values follow by integration.
#[test]
#[ignore = "simulation: run by name"]
fn coverage_is_near_nominal() {
    const TRIALS: u64 = 1_000;
    let truths = [
        ("selection_rate", "sex", "Female", 0.375),
        ("recall", "sex", "Female", 0.609375),
        ("f1", "sex", "Female", 0.4875 / 0.775),
        ("roc_auc", "sex", "Female", 7.0 / 9.0),
        ("mean_score", "sex", "Female", 0.4),
        ("statistical_parity_difference", "sex", "Female", -0.125),
        ("disparate_impact", "sex", "Female", 0.75),
        ("average_odds_difference", "sex", "Female", (-0.140625 - 0.03125) / 2.0),
        ("roc_auc_difference", "sex", "Female", 7.0 / 9.0 - 5.0 / 6.0),
        ("demographic_parity_difference", "sex", "", 0.125),
        ("demographic_parity_ratio", "sex", "", 0.75),
        ("equalized_odds_difference", "sex", "", 0.140625),
        ("equalized_odds_ratio", "sex", "", 0.8125),
        ("demographic_parity_difference", "town", "", 0.0),
        ("demographic_parity_ratio", "town", "", 1.0),
    ];
    let attributes = ["sex", "town"].iter().zip(0..);
    let attributes = attributes.map(|(name, column)| AttributeSpec { name: name.to_string(), columns: vec![column] });
    let base = Spec { attributes: attributes.collect(), bootstrap: 1_000, ..against_men(spec()) };
    for n in [60u64, 200, 1_000] {
        let mut covered = [0u32; 15];
        let mut parity_rejected = 0;
        for trial in 0..TRIALS {
            let stream = Stream::new(trial, "coverage");
            let row = |i: u64| {
                let sex = (i % 2) as u32;
                let score = stream.unit(3 * i) * (0.8 + 0.2 * f64::from(sex));
                (sex, Some(u32::from(stream.unit(3 * i + 1) < score)), score)
            };
            let mut data = Data::binary(&(0..n).map(row).collect::<Vec<_>>());
            data.codes[1] = (0..n).map(|i| (stream.at(3 * i + 2) % 3) as u32).collect();
            let result = data.audit(&Spec { seed: trial, ..base.clone() }).unwrap();
            for (hit, (metric, attribute, group, truth)) in covered.iter_mut().zip(truths) {
                let row = find(&result, metric, attribute, group);
                *hit += u32::from(row.ci_low.unwrap() <= truth && truth <= row.ci_high.unwrap());
            }
            let of_towns = |row: &&Metric| row.metric == "selection_rate_difference" && row.attribute == "town";
            let others = result.metrics.iter().filter(of_towns).find(|row| row.group_value == OTHERS);
            parity_rejected += u32::from(others.and_then(|row| row.p_value).is_some_and(|p| p < 0.05));
        }
        println!("{n} rows: test of equal selection rates rejects {:.3}", f64::from(parity_rejected) / TRIALS as f64);
        for (hits, (metric, attribute, group, _)) in covered.iter().zip(truths) {
            let share = f64::from(*hits) / TRIALS as f64;
            println!("{n} rows: {metric} {attribute} {group}: {share:.3}");
            // At equality the interval may hold more than its share. Else 93–97 % and the simulation's own error.
            let most = if attribute == "town" { 1.0 } else { 0.98 };
            assert!(n < 200 || (0.92..=most).contains(&share), "{metric} {attribute} at n = {n}: {share}");
        }
    }
}
