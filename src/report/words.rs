//! Every English word of the report that is not in a template: names and units of metrics, headings, sentences.
//!
//! Sentences are never more certain than their interval: a ratio is called below the four-fifths screen only if the
//! whole interval is. A screen is called a screen; nothing is ever called compliant.

use super::lookup;
use super::number::{self, Unit};
use crate::audit::{Decision, Metric};
use std::borrow::Cow;

/// Which side of its limit a gate allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    AtLeast,
    AtMost,
}

/// Metrics by name: words and unit.
const METRICS: &[(&str, &str, Unit)] = &[
    ("selection_rate", "Selection rate", Unit::Share),
    ("favourable_rate", "Favourable rate", Unit::Share),
    ("base_rate", "Base rate", Unit::Share),
    ("accuracy", "Accuracy", Unit::Share),
    ("balanced_accuracy", "Balanced accuracy", Unit::Share),
    ("precision", "Precision", Unit::Share),
    ("recall", "Recall", Unit::Share),
    ("f1", "F1", Unit::Index),
    ("true_positive_rate", "True positive rate", Unit::Share),
    ("true_negative_rate", "True negative rate", Unit::Share),
    ("false_positive_rate", "False positive rate", Unit::Share),
    ("false_negative_rate", "False negative rate", Unit::Share),
    ("false_discovery_rate", "False discovery rate", Unit::Share),
    ("false_omission_rate", "False omission rate", Unit::Share),
    ("error_rate", "Error rate", Unit::Share),
    ("roc_auc", "ROC AUC", Unit::Index),
    ("average_precision", "Average precision", Unit::Index),
    ("log_loss", "Log loss", Unit::Index),
    ("brier", "Brier score", Unit::Index),
    ("ece", "Calibration error (ECE)", Unit::Index),
    ("mean_score", "Mean score", Unit::Value),
    ("mae", "Mean absolute error", Unit::Value),
    ("mse", "Mean squared error", Unit::Value),
    ("rmse", "Root mean squared error", Unit::Value),
    ("r2", "R²", Unit::Index),
    ("mean_residual", "Mean residual", Unit::Value),
    ("impact_ratio", "Impact ratio", Unit::Ratio),
    ("disparate_impact", "Disparate impact", Unit::Ratio),
    ("scoring_rate", "Scoring rate", Unit::Share),
    ("scoring_impact_ratio", "Scoring impact ratio", Unit::Ratio),
    ("demographic_parity", "Demographic parity", Unit::Share),
    ("statistical_parity", "Statistical parity", Unit::Share),
    ("equalized_odds", "Equalized odds", Unit::Share),
    ("equal_opportunity", "Equal opportunity", Unit::Share),
    ("average_odds", "Average odds", Unit::Share),
    ("average_abs_odds", "Average absolute odds", Unit::Share),
    ("generalized_entropy_index", "Generalized entropy index (α = 2)", Unit::Index),
    ("theil_index", "Theil index", Unit::Index),
    ("mean_log_deviation", "Mean log deviation (α = 0)", Unit::Index),
    ("atkinson_index", "Atkinson index (ε = ½)", Unit::Index),
    ("calibration_gap", "Calibration gap", Unit::Share),
    ("xauc", "xAUC", Unit::Index),
    ("abroca", "ABROCA", Unit::Index),
    ("score_ks", "Kolmogorov–Smirnov distance of scores", Unit::Index),
    ("impact_ratio_with_two_more", "Impact ratio with two more", Unit::Ratio),
    ("odds_ratio", "Odds ratio", Unit::Ratio),
    ("conditional_odds_ratio", "Odds ratio within strata", Unit::Ratio),
    ("odds_ratio_homogeneity", "Homogeneity of odds ratios (χ²)", Unit::Index),
    ("shortfall", "Shortfall of favourable decisions", Unit::Value),
    ("standardized_mean_difference", "Standardised mean difference of scores", Unit::Index),
    ("residual_standardized_mean_difference", "Standardised mean difference of residuals", Unit::Index),
    ("consistency", "Consistency with the nearest rows", Unit::Share),
    ("flip_rate", "Decisions that flip with the attribute", Unit::Share),
    ("flip_score_change", "Score change with the attribute", Unit::Value),
    ("differential_fairness", "Differential fairness (ε)", Unit::Index),
    ("label_differential_fairness", "Differential fairness of labels (ε)", Unit::Index),
    ("psi", "Population stability index", Unit::Index),
    ("js", "Jensen–Shannon distance", Unit::Index),
    ("ks", "Kolmogorov–Smirnov distance", Unit::Index),
    ("wasserstein", "Wasserstein distance", Unit::Value),
    ("ndcg", "NDCG of the ranking of features", Unit::Index),
    ("coefficient_of_variation", "Coefficient of variation", Unit::Index),
];

/// "demographic_parity_ratio" → "Demographic parity ratio".
pub fn metric(name: &str) -> Cow<'static, str> {
    if let Some((_, words, _)) = known(name) {
        return Cow::Borrowed(words);
    }
    for (suffix, word) in SUFFIXES {
        if let Some((_, words, _)) = name.strip_suffix(suffix).and_then(known) {
            return Cow::Owned(format!("{words} {word}"));
        }
    }
    if let Some(short) = name.strip_prefix("clarify_") {
        return Cow::Owned(format!("Clarify {}", short.to_uppercase()));
    }
    let spaced = name.replace('_', " ");
    let mut letters = spaced.chars();
    Cow::Owned(letters.next().map_or_else(String::new, |c| c.to_uppercase().chain(letters).collect()))
}

/// A metric's words; what a regression calls a score is its prediction.
pub fn metric_for(name: &str, is_regression: bool) -> String {
    let words = metric(name);
    if is_regression { words.replace("score", "prediction") } else { words.into_owned() }
}

/// What a number over all classes is.
pub fn of_classes(output: &str) -> &'static str {
    match output {
        lookup::WORST => ", worst class",
        lookup::MACRO => ", mean over classes",
        _ => "",
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

const SUFFIXES: &[(&str, &str)] = &[
    ("_difference_mean", "difference (mean)"),
    ("_ratio_mean", "ratio (mean)"),
    ("_difference", "difference"),
    ("_ratio", "ratio"),
];

/// A metric's unit; a difference of shares is in percentage points, a quotient is a ratio.
pub fn unit(name: &str) -> Unit {
    if let Some((.., unit)) = known(name) {
        return *unit;
    }
    if ["clarify_", "between_group_", "within_group_"].iter().any(|prefix| name.starts_with(prefix)) {
        return Unit::Index;
    }
    let root = name.trim_end_matches("_mean");
    if root.ends_with("_ratio") {
        return Unit::Ratio;
    }
    match root.strip_suffix("_difference").map(known) {
        Some(Some((.., Unit::Share))) => Unit::Points,
        Some(Some((.., unit))) => *unit,
        _ => Unit::Value,
    }
}

fn known(name: &str) -> Option<&'static (&'static str, &'static str, Unit)> {
    METRICS.iter().find(|(known, ..)| *known == name)
}

/// "Pass", "Fail", "Insufficient evidence".
pub fn decision(decision: Decision) -> &'static str {
    match decision {
        Decision::Pass => "Pass",
        Decision::Fail => "Fail",
        Decision::Insufficient => "Insufficient evidence",
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
pub fn finding(class: &str) -> &'static str {
    match class {
        "warn" => "Warning",
        "insufficient" => "Undecided",
        "fail" => "Failed",
        _ => "Passed",
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

/// "21 November 2026" from "2026-11-21"; anything else as it is.
pub fn date(iso: &str) -> String {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let parts: Vec<&str> = iso.split('-').collect();
    let month = |text: &str| text.parse::<usize>().ok().and_then(|m| MONTHS.get(m.wrapping_sub(1)));
    match parts.as_slice() {
        [year, m, day] if day.len() == 2 => match (month(m), day.parse::<u8>()) {
            (Some(month), Ok(day)) => format!("{day} {month} {year}"),
            _ => iso.to_owned(),
        },
        _ => iso.to_owned(),
    }
}

/// "1 row", "2,000 rows".
pub fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", number::count(n), if n == 1 { one } else { many })
}

/// "24 of 200 groups shown, the largest first; all are in the table `metrics` of the catalogue."
pub fn shown(n: usize, of: usize, what: &str, which: &str) -> Option<String> {
    (n < of).then(|| format!("{n} of {} {what} shown, {which}.", number::count(of as u64)))
}

/// " (95 % interval 0.33–0.39)", or that there is none.
pub fn in_brackets(unit: Unit, m: &Metric) -> String {
    match number::interval(unit, m) {
        Some(range) => format!("({} interval {range}{})", confidence(m.confidence), suffix(unit)),
        None => "(no interval)".to_owned(),
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
pub fn four_fifths(m: &Metric, min_group_rows: u64) -> &'static str {
    match (m.value, m.ci_low, m.ci_high) {
        (None, ..) => "undefined",
        _ if m.n < min_group_rows => "too few rows to say",
        (_, _, Some(high)) if high < 0.8 => "below the four-fifths screen",
        (_, Some(low), _) if low >= 0.8 => "above the four-fifths screen",
        (_, Some(_), Some(_)) => "on neither side of the four-fifths screen for sure: the interval contains 0.8",
        (Some(value), ..) if value < 0.8 => {
            "below the four-fifths screen as a point value; without an interval, no more can be said"
        }
        _ => "above the four-fifths screen as a point value; without an interval, no more can be said",
    }
}

/// One group against the most favoured one.
pub fn impact_sentence(group: &str, best: &str, m: &Metric, n_best: u64, min_group_rows: u64) -> Option<String> {
    let value = m.value?;
    Some(format!(
        "{group}: favourable decisions {} times as often as {best} {}, n\u{a0}=\u{a0}{} and {}: {}.",
        number::plain(Unit::Ratio, value),
        in_brackets(Unit::Ratio, m),
        number::count(m.n),
        number::count(n_best),
        four_fifths(m, min_group_rows),
    ))
}

/// The first sentence of the report.
pub fn verdict(verdict: Decision, n_gates: usize, n_failed: usize, n_warned: usize, n_undecided: usize) -> String {
    let gates = |n: usize| format!("{n} of {}", counted(n_gates as u64, "gate", "gates"));
    let warned = if n_warned > 0 { format!(" {} breached as a warning.", gates(n_warned)) } else { String::new() };
    match verdict {
        _ if n_gates == 0 => "No gates were set: this run measures and does not judge.".to_owned(),
        Decision::Pass => format!("{} passed.{warned}", gates(n_gates - n_warned - n_undecided)),
        Decision::Fail => format!("{} failed.{warned}", gates(n_failed)),
        Decision::Insufficient => format!("{} could not be decided.{warned}", gates(n_undecided)),
    }
}

/// An explanation method in words.
pub fn explainer(method: &str) -> String {
    let known = match method {
        "tree" => "Shapley values of the trees",
        "tree_path_dependent" => "Path-dependent Shapley values",
        "linear" => "Shapley values, linear",
        "exact" => "Shapley values, all coalitions",
        "kernel" => "Shapley values, sampled coalitions",
        "permutation" => "Shapley values, sampled orders",
        "lime" => "LIME",
        "gradient" => "Gradient × input",
        "smooth_grad" => "Smoothed gradient × input",
        "integrated_gradients" => "Integrated gradients",
        "expected_gradients" => "Expected gradients",
        "deep" => "DeepSHAP, an approximation",
        other => return other.replace('_', " "),
    };
    known.to_owned()
}

/// What the attributions of a method are, as the beginning of a sentence.
pub fn attributions(method: &str) -> &'static str {
    match method {
        "gradient" => {
            "Attributions are the gradient of the score times the input: the parts of the tangent at each row, which does \
             not see what happens further away; the base is the tangent's value at zero"
        }
        "smooth_grad" => {
            "Attributions are the mean gradient of noisy copies of each row times the input: the parts of a tangent, \
             whose value at zero is the base"
        }
        "integrated_gradients" => {
            "Attributions are integrated gradients: what each column adds along the straight way from the mean of the \
             background to the row; they add up to the score's distance from the score of that mean"
        }
        "expected_gradients" => {
            "Attributions are expected gradients: what each column adds along the straight ways from all rows of the \
             background to the row; they add up to the score's distance from the mean score"
        }
        "deep" => {
            "Attributions are DeepLIFT's rescaled contributions, an approximation of Shapley values for networks; they \
             add up to the score's distance from the mean score"
        }
        _ => {
            "Attributions are Shapley values: the parts of a score that add up exactly to its distance from the mean \
             score"
        }
    }
}

/// A way of ordering features in words.
pub fn ranking(method: &str) -> String {
    let known = match method {
        "attribution" => "mean attributions",
        "permutation" => "permutation importance",
        "sage" => "SAGE",
        "sobol" => "Sobol (total)",
        "morris" => "Morris (μ*)",
        "sensitivity" => "single changes",
        "kernel" => "sampled coalitions",
        other => return explainer(other),
    };
    known.to_owned()
}

/// What the explained scale is called on an axis.
pub fn scale(scale: &str, task: &str) -> &'static str {
    match (scale, task) {
        ("probability", _) => "the probability",
        (_, "regression") => "the prediction",
        _ => "the margin (the model's score before its link)",
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
        assert_eq!(verdict(Decision::Pass, 0, 0, 0, 0), "No gates were set: this run measures and does not judge.");
    }

    #[test]
    fn the_allowed_side_is_read_from_the_gate() {
        assert_eq!(allowed_side("accuracy ≥ 0.8"), Some(Side::AtLeast));
        assert_eq!(allowed_side("change of accuracy"), None);
    }
}
