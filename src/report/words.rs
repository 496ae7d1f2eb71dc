//! Words of metrics, verdicts and methods, and sentences made from numbers; the texts themselves stand in the file of the
//! language ([`text`](super::text)).
//!
//! Sentences are never more certain than their interval: a ratio is called below the four-fifths screen only if the
//! whole interval is. A screen is called a screen; nothing is ever called compliant.

use super::number::{self, Unit};
use super::text::{find, say};
use crate::audit::{Decision, LimitOn, MACRO, Metric, WORST};

/// Which side of its limit a gate allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    AtLeast,
    AtMost,
}

/// Units of metrics by name; their words stand under `metric` in the file of texts.
const UNITS: &[(&str, Unit)] = &[
    ("selection_rate", Unit::Share),
    ("favourable_rate", Unit::Share),
    ("base_rate", Unit::Share),
    ("accuracy", Unit::Share),
    ("balanced_accuracy", Unit::Share),
    ("precision", Unit::Share),
    ("recall", Unit::Share),
    ("f1", Unit::Index),
    ("true_positive_rate", Unit::Share),
    ("true_negative_rate", Unit::Share),
    ("false_positive_rate", Unit::Share),
    ("false_negative_rate", Unit::Share),
    ("false_discovery_rate", Unit::Share),
    ("false_omission_rate", Unit::Share),
    ("error_rate", Unit::Share),
    ("roc_auc", Unit::Index),
    ("average_precision", Unit::Index),
    ("log_loss", Unit::Index),
    ("brier", Unit::Index),
    ("ece", Unit::Index),
    ("mean_score", Unit::Value),
    ("mae", Unit::Value),
    ("mse", Unit::Value),
    ("rmse", Unit::Value),
    ("r2", Unit::Index),
    ("mean_residual", Unit::Value),
    ("impact_ratio", Unit::Ratio),
    ("disparate_impact", Unit::Ratio),
    ("scoring_rate", Unit::Share),
    ("scoring_impact_ratio", Unit::Ratio),
    ("demographic_parity", Unit::Share),
    ("statistical_parity", Unit::Share),
    ("equalized_odds", Unit::Share),
    ("equal_opportunity", Unit::Share),
    ("average_odds", Unit::Share),
    ("average_abs_odds", Unit::Share),
    ("generalized_entropy_index", Unit::Index),
    ("theil_index", Unit::Index),
    ("mean_log_deviation", Unit::Index),
    ("atkinson_index", Unit::Index),
    ("calibration_gap", Unit::Share),
    ("xauc", Unit::Index),
    ("abroca", Unit::Index),
    ("score_ks", Unit::Index),
    ("impact_ratio_with_two_more", Unit::Ratio),
    ("odds_ratio", Unit::Ratio),
    ("conditional_odds_ratio", Unit::Ratio),
    ("odds_ratio_homogeneity", Unit::Index),
    ("shortfall", Unit::Value),
    ("standardized_mean_difference", Unit::Index),
    ("residual_standardized_mean_difference", Unit::Index),
    ("consistency", Unit::Share),
    ("flip_rate", Unit::Share),
    ("flip_score_change", Unit::Value),
    ("adversarial_flip_rate", Unit::Share),
    ("robust_accuracy", Unit::Share),
    ("differential_fairness", Unit::Index),
    ("label_differential_fairness", Unit::Index),
    ("psi", Unit::Index),
    ("js", Unit::Index),
    ("ks", Unit::Index),
    ("wasserstein", Unit::Value),
    ("ndcg", Unit::Index),
    ("coefficient_of_variation", Unit::Index),
    ("parameters", Unit::Count),
    ("operators", Unit::Count),
    ("trees", Unit::Count),
    ("leaves", Unit::Count),
    ("depth", Unit::Count),
    ("features_used", Unit::Count),
    ("effective_features", Unit::Ratio),
    ("surrogate_fidelity", Unit::Share),
    ("surrogate_r2", Unit::Index),
];

/// "demographic_parity_ratio" → "Demographic parity ratio".
pub fn metric(name: &str) -> String {
    if let Some(words) = named("metric.", name) {
        return words;
    }
    match name.strip_prefix("clarify_") {
        Some(short) => say!("word.clarify", name = short.to_uppercase()),
        None => spaced(name),
    }
}

/// What the file of texts calls a metric, or a quantity that is derived from one.
fn named(table: &str, name: &str) -> Option<String> {
    let known = |name: &str| find(&format!("{table}{name}"), &[]);
    let derived = |(suffix, form): &(&str, &str)| {
        let root = known(name.strip_suffix(suffix)?)?;
        find(&format!("derived.{form}"), &[("metric", root.into())])
    };
    known(name).or_else(|| DERIVED.iter().find_map(derived))
}

/// "my_own_thing" → "My own thing".
fn spaced(name: &str) -> String {
    let spaced = name.replace('_', " ");
    let mut letters = spaced.chars();
    letters.next().map_or_else(String::new, |c| c.to_uppercase().chain(letters).collect())
}

/// A metric's words; what a regression calls a score is its prediction.
pub fn metric_for(name: &str, is_regression: bool) -> String {
    let predicted = is_regression.then(|| named("prediction.", name)).flatten();
    predicted.unwrap_or_else(|| metric(name))
}

/// A metric's words with what a number over all classes is.
pub fn of_classes(metric: String, output: &str) -> String {
    match output {
        WORST => say!("classes.worst", metric = metric),
        MACRO => say!("classes.mean", metric = metric),
        _ => metric,
    }
}

/// Words inside a sentence: "Mean score" → "mean score", "ROC AUC" stays.
pub fn lower(words: &str) -> String {
    let is_acronym = words.chars().nth(1).is_none_or(|c| c.is_uppercase() || c.is_numeric());
    let mut letters = words.chars();
    match letters.next() {
        Some(first) if !is_acronym => first.to_lowercase().chain(letters).collect(),
        _ => words.to_owned(),
    }
}

/// Endings of derived metrics, the longest first, and what they are called.
const DERIVED: &[(&str, &str)] = &[
    ("_difference_mean", "difference_mean"),
    ("_ratio_mean", "ratio_mean"),
    ("_difference", "difference"),
    ("_ratio", "ratio"),
];

/// A metric's unit; a difference of shares is in percentage points, a quotient is a ratio.
pub fn unit(name: &str) -> Unit {
    if let Some(unit) = known(name) {
        return unit;
    }
    if ["clarify_", "between_group_", "within_group_"].iter().any(|prefix| name.starts_with(prefix)) {
        return Unit::Index;
    }
    let root = name.trim_end_matches("_mean");
    if root.ends_with("_ratio") {
        return Unit::Ratio;
    }
    match root.strip_suffix("_difference").map(known) {
        Some(Some(Unit::Share)) => Unit::Points,
        Some(Some(unit)) => unit,
        _ => Unit::Value,
    }
}

fn known(name: &str) -> Option<Unit> {
    UNITS.iter().find(|(known, _)| *known == name).map(|(_, unit)| *unit)
}

/// "Pass", "Fail", "Insufficient evidence".
pub fn decision(decision: Decision) -> String {
    match decision {
        Decision::Pass => say!("decision.pass"),
        Decision::Fail => say!("decision.fail"),
        Decision::Insufficient => say!("decision.insufficient"),
    }
}

/// Class of the mark beside a decision; a breached warning is not a failure.
pub fn decision_class(decision: Decision, severity: &str) -> &'static str {
    match decision {
        Decision::Pass => "pass",
        Decision::Fail if severity == "warn" => "warn",
        Decision::Fail => "fail",
        Decision::Insufficient => "insufficient",
    }
}

/// What happened to a gate, before its numbers.
pub fn finding(class: &str) -> String {
    match class {
        "warn" => say!("finding.warn"),
        "insufficient" => say!("finding.insufficient"),
        "fail" => say!("finding.fail"),
        _ => say!("finding.pass"),
    }
}

/// Read from the gate's sentence, which holds "≥" or "≤".
pub fn allowed_side(gate: &str) -> Option<Side> {
    match (gate.contains('≥'), gate.contains('≤')) {
        (true, false) => Some(Side::AtLeast),
        (false, true) => Some(Side::AtMost),
        _ => None,
    }
}

/// Metric, attribute, what the limit is on, its side, severity.
pub type GateKey<'a> = (&'a str, &'a str, LimitOn, Option<Side>, &'a str);

/// What tells gates on one metric apart from night to night, however their limits are moved: what the limit is on, its
/// side (read from the gate's sentence) and how severe it is.
pub fn gate_key<'a>(
    gate: &str,
    (metric, attribute): (&'a str, &'a str),
    limit_on: LimitOn,
    severity: &'a str,
) -> GateKey<'a> {
    (metric, attribute, limit_on, allowed_side(gate), severity)
}

/// "21 November 2026" from "2026-11-21"; anything else as it is.
pub fn date(iso: &str) -> String {
    let parts: Vec<&str> = iso.split('-').collect();
    let month = |text: &str| find(&format!("month.{}", text.parse::<u8>().ok()?), &[]);
    match parts.as_slice() {
        [year, m, day] if day.len() == 2 => match (month(m), day.parse::<u8>()) {
            (Some(month), Ok(day)) => say!("date.day", day = day.to_string(), month = month, year = *year),
            _ => iso.to_owned(),
        },
        _ => iso.to_owned(),
    }
}

/// "November 2026" from 2026 and 11.
pub fn month(year: i32, month: u8) -> String {
    let name = find(&format!("month.{month}"), &[]).unwrap_or_default();
    say!("date.month", month = name, year = format!("{year:04}"))
}

/// "1 row", "2,000 rows".
pub fn rows(n: u64) -> String {
    say!("count.rows", n = n)
}

/// "600 of 16,281 rows shown (seeded sample)", or that all are.
pub fn rows_shown(n: usize, of: u64) -> String {
    match of > n as u64 {
        true => say!("count.rows_shown", n = n, of = of),
        false => say!("count.all_rows_shown", n = n),
    }
}

/// "24 of 200 groups shown, the largest…", where not all are: the sentence `key` under `shown`.
pub fn shown_of(key: &str, n: usize, of: usize) -> Option<String> {
    (n < of).then(|| find(&format!("shown.{key}"), &[("n", n.into()), ("of", of.into())]))?
}

/// "(95 % interval 0.33–0.39)", or that there is none.
pub fn in_brackets(unit: Unit, m: &Metric) -> String {
    match number::interval(unit, m) {
        Some(range) => {
            say!("interval.some", confidence = confidence(m.confidence), range = format!("{range}{}", suffix(unit)))
        }
        None => say!("interval.none"),
    }
}

fn suffix(unit: Unit) -> &'static str {
    match unit {
        Unit::Share => "\u{a0}%",
        Unit::Points => "\u{a0}pp",
        _ => "",
    }
}

/// "95 %".
pub fn confidence(share: Option<f64>) -> String {
    let percent = 100.0 * share.unwrap_or(0.95);
    let decimals = usize::from((percent - percent.round()).abs() > 1e-9);
    format!("{}\u{a0}%", number::fixed(percent, decimals))
}

/// What an impact ratio's interval allows to be said about the four-fifths screen.
pub fn four_fifths(m: &Metric, min_group_rows: u64) -> String {
    match (m.value, m.ci_low, m.ci_high) {
        (None, ..) => say!("word.undefined"),
        _ if m.n < min_group_rows => say!("four_fifths.too_few"),
        (_, _, Some(high)) if high < 0.8 => say!("four_fifths.below"),
        (_, Some(low), _) if low >= 0.8 => say!("four_fifths.above"),
        (_, Some(_), Some(_)) => say!("four_fifths.neither"),
        (Some(value), ..) if value < 0.8 => say!("four_fifths.below_as_point"),
        _ => say!("four_fifths.above_as_point"),
    }
}

/// One group against the most favoured one.
pub fn impact_sentence(group: &str, best: &str, m: &Metric, n_best: u64, min_group_rows: u64) -> Option<String> {
    Some(say!(
        "four_fifths.sentence",
        group = group,
        best = best,
        ratio = number::plain(Unit::Ratio, m.value?),
        interval = in_brackets(Unit::Ratio, m),
        n_group = m.n,
        n_best = n_best,
        reading = four_fifths(m, min_group_rows),
    ))
}

/// The first sentence of the report.
pub fn verdict(verdict: Decision, n_gates: usize, n_failed: usize, n_warned: usize, n_undecided: usize) -> String {
    let undecided = || say!("verdict.undecided", some = n_undecided, n = n_gates);
    let sentence = match verdict {
        _ if n_gates == 0 => return say!("verdict.none"),
        Decision::Pass if n_gates == n_warned + n_undecided => say!("verdict.none_failed"),
        Decision::Pass => say!("verdict.passed", some = n_gates - n_warned - n_undecided, n = n_gates),
        Decision::Fail => say!("verdict.failed", some = n_failed, n = n_gates),
        Decision::Insufficient => undecided(),
    };
    let warned = (n_warned > 0).then(|| say!("verdict.warned", some = n_warned, n = n_gates));
    let open = (n_undecided > 0 && verdict != Decision::Insufficient).then(undecided);
    [Some(sentence), warned, open].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// An explanation method in words.
pub fn explainer(method: &str) -> String {
    find(&format!("explainer.{method}"), &[]).unwrap_or_else(|| method.replace('_', " "))
}

/// What the attributions of a method are, as the beginning of a sentence.
pub fn attributions(method: &str) -> String {
    find(&format!("attributions.{method}"), &[]).unwrap_or_else(|| say!("attributions.shapley"))
}

/// A way of ordering features in words.
pub fn ranking(method: &str) -> String {
    find(&format!("ranking.{method}"), &[]).unwrap_or_else(|| explainer(method))
}

/// What the explained scale is called on an axis.
pub fn scale(scale: &str, task: &str) -> String {
    match (scale, task) {
        (_, "regression") => say!("scale.prediction"),
        ("probability", _) => say!("scale.probability"),
        _ => say!("scale.margin"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratio(value: f64, interval: Option<(f64, f64)>) -> Metric {
        Metric {
            value: Some(value),
            ci_low: interval.map(|i| i.0),
            ci_high: interval.map(|i| i.1),
            confidence: Some(0.95),
            n: 4_900,
            ..Metric::default()
        }
    }

    #[test]
    fn a_sentence_is_never_more_certain_than_its_interval() {
        assert_eq!(four_fifths(&ratio(0.36, Some((0.33, 0.39))), 30), "below the four-fifths screen");
        assert_eq!(four_fifths(&ratio(0.95, Some((0.9, 1.0))), 30), "above the four-fifths screen");
        assert!(four_fifths(&ratio(0.75, Some((0.6, 0.9))), 30).contains("neither side"));
        assert!(four_fifths(&ratio(0.75, None), 30).contains("point value"));
        assert_eq!(four_fifths(&Metric { n: 12, ..ratio(0.1, Some((0.0, 0.2))) }, 30), "too few rows to say");
    }

    #[test]
    fn the_impact_sentence_names_both_groups_the_interval_and_both_counts() {
        let sentence = impact_sentence("Female", "Male", &ratio(0.36, Some((0.33, 0.39))), 9_800, 30).unwrap();
        assert_eq!(
            sentence,
            "Female: favourable decisions 0.36 times as often as Male (95\u{a0}% interval 0.33–0.39), \
             n\u{a0}=\u{a0}4,900 and 9,800: below the four-fifths screen."
        );
    }

    #[test]
    fn derived_metrics_take_words_and_unit_from_their_root() {
        assert_eq!(metric("demographic_parity_difference"), "Demographic parity difference");
        assert_eq!(unit("demographic_parity_difference"), Unit::Points);
        assert_eq!(unit("roc_auc_difference"), Unit::Index);
        assert_eq!(unit("equalized_odds_ratio_mean"), Unit::Ratio);
        assert_eq!(metric("my_own_thing"), "My own thing");
        assert_eq!(metric("clarify_dppl"), "Clarify DPPL");
        assert_eq!(
            (lower("Mean score"), lower("ROC AUC"), lower("R²")),
            ("mean score".into(), "ROC AUC".into(), "R²".into())
        );
    }

    #[test]
    fn dates_are_written_out_and_anything_else_is_left_alone() {
        assert_eq!(date("2026-11-21"), "21 November 2026");
        assert_eq!(date("2026-13-21"), "2026-13-21");
        assert_eq!(date("tonight"), "tonight");
    }

    #[test]
    fn a_verdict_says_how_many_gates_of_how_many() {
        assert_eq!(verdict(Decision::Fail, 4, 1, 0, 0), "1 of 4 gates failed.");
        assert_eq!(verdict(Decision::Pass, 1, 0, 0, 0), "1 of 1 gate passed.");
        assert_eq!(verdict(Decision::Pass, 1, 0, 1, 0), "No gate failed. 1 of 1 gate breached as a warning.");
        assert_eq!(
            verdict(Decision::Fail, 4, 1, 1, 2),
            "1 of 4 gates failed. 1 of 4 gates breached as a warning. 2 of 4 gates could not be decided."
        );
        assert_eq!(verdict(Decision::Pass, 0, 0, 0, 0), "No gates were set: this run measures and does not judge.");
    }

    #[test]
    fn the_allowed_side_is_read_from_the_gate() {
        assert_eq!(allowed_side("accuracy ≥ 0.8"), Some(Side::AtLeast));
        assert_eq!(allowed_side("change of accuracy"), None);
    }
}
