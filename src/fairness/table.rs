//! Every metric, once: name, formula, direction, denominator and where the definition comes from.
//!
//! [`MEASURES`] are computed for each group; everything in [`COMPARISONS`] follows from them, and each compared
//! measure also has a `METRIC_difference` and a `METRIC_ratio` ([`names`] lists them all).

use super::Task;
use super::confusion::{Outcomes, Rate};
use super::model_facts::model_fact_names;

/// What a measure is computed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    Rate(Rate),
    /// Selection rate of the favourable class.
    FavourableRate,
    /// Share scored above the median of all rows, for the favourable class.
    ScoringRate,
    BalancedAccuracy,
    F1,
    /// FN / FP of the favourable class.
    TreatmentEquality,
    /// Mean of the benefit 1 + decision − label, for the favourable class.
    MeanBenefit,
    GeneralizedEntropy,
    Theil,
    CoefficientOfVariation,
    /// Generalised entropy index, α = 0.
    MeanLogDeviation,
    Atkinson,
    RocAuc,
    AveragePrecision,
    LogLoss,
    Brier,
    Ece,
    MeanScore,
    ActualExpected,
    /// Mean score − share of positive labels.
    CalibrationGap,
    MeanAbsoluteError,
    RootMeanSquaredError,
    R2,
    MeanResidual,
}

/// Which kind of output a measure is computed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    Binary,
    /// One class of several against the rest.
    OneVsRest,
    /// The predicted class of several, right or wrong.
    TopLabel,
    Regression,
}

/// Whether more is better, for a reader of the number alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Direction {
    Higher,
    Lower,
    /// Nearer to this value is better.
    Near(f64),
    /// Describes; neither better nor worse.
    Descriptive,
}

/// A measure of one group.
#[derive(Debug, Clone, Copy)]
pub struct Definition {
    pub name: &'static str,
    pub measure: Measure,
    pub views: &'static [View],
    pub needs_labels: bool,
    /// Whether groups are compared on it.
    pub compared: bool,
    pub formula: &'static str,
    pub direction: Direction,
    /// Rows that count as evidence.
    pub denominator: &'static str,
    pub source: &'static str,
}

/// What a comparison compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Comparison {
    /// Each group over the highest.
    AgainstBest,
    /// Each group, and all others together, against the reference.
    AgainstReference,
    /// All others together against the reference.
    OthersAgainstReference,
    /// One value over all groups.
    AcrossGroups,
    /// Of single rows, on a sample of them: over all rows, by group, or each group as if it were the reference.
    Sampled,
}

/// A metric that compares groups.
#[derive(Debug, Clone, Copy)]
pub struct ComparisonDefinition {
    pub name: &'static str,
    pub kind: Comparison,
    pub needs_labels: bool,
    pub formula: &'static str,
    pub direction: Direction,
    pub source: &'static str,
}

const BINARY: &[View] = &[View::Binary];
const CLASSES: &[View] = &[View::Binary, View::OneVsRest];
const OVERALL_CLASSES: &[View] = &[View::Binary, View::TopLabel];
const REGRESSION: &[View] = &[View::Regression];

const fn rate(hits: Outcomes, of: Outcomes) -> Measure {
    Measure::Rate(Rate { hits, of })
}

/// Fields in the order of [`Definition`], for a compared measure that needs labels.
const fn measure(
    name: &'static str,
    measure: Measure,
    views: &'static [View],
    formula: &'static str,
    direction: Direction,
    denominator: &'static str,
    source: &'static str,
) -> Definition {
    Definition { name, measure, views, needs_labels: true, compared: true, formula, direction, denominator, source }
}

const fn label_free(definition: Definition) -> Definition {
    Definition { needs_labels: false, ..definition }
}

const fn not_compared(definition: Definition) -> Definition {
    Definition { compared: false, ..definition }
}

use Direction::{Descriptive, Higher, Lower, Near};
use Outcomes as O;

/// Measures of one group, in the order in which they are reported.
#[rustfmt::skip]
pub const MEASURES: &[Definition] = &[
    label_free(measure("selection_rate", rate(O::SELECTED, O::ALL), CLASSES, "decisions for the positive class / rows", Descriptive, "rows", "fairlearn")),
    label_free(measure("favourable_rate", Measure::FavourableRate, BINARY, "decisions for the favourable class / rows", Descriptive, "rows", "NYC Local Law 144")),
    label_free(measure("scoring_rate", Measure::ScoringRate, BINARY, "rows scored strictly above the median of all rows, for the favourable class / rows", Descriptive, "rows", "NYC Local Law 144")),
    measure("base_rate", rate(O::POSITIVE, O::LABELLED), CLASSES, "positive labels / labelled rows", Descriptive, "labelled rows", "AIF360"),
    measure("accuracy", rate(O::CORRECT, O::LABELLED), OVERALL_CLASSES, "(TP + TN) / labelled rows", Higher, "labelled rows", "scikit-learn"),
    measure("error_rate", rate(O::WRONG, O::LABELLED), OVERALL_CLASSES, "(FP + FN) / labelled rows", Lower, "labelled rows", "AIF360"),
    measure("balanced_accuracy", Measure::BalancedAccuracy, BINARY, "(TPR + TNR) / 2", Higher, "labelled rows of the rarer class", "scikit-learn"),
    measure("precision", rate(O::TRUE_POSITIVE, O::SELECTED_LABELLED), CLASSES, "TP / (TP + FP)", Higher, "labelled positive decisions", "scikit-learn"),
    measure("negative_predictive_value", rate(O::TRUE_NEGATIVE, O::REJECTED_LABELLED), CLASSES, "TN / (TN + FN)", Higher, "labelled negative decisions", "AIF360"),
    measure("recall", rate(O::TRUE_POSITIVE, O::POSITIVE), CLASSES, "TP / (TP + FN)", Higher, "positive labels", "scikit-learn"),
    measure("f1", Measure::F1, CLASSES, "2 TP / (2 TP + FP + FN)", Higher, "positive labels or decisions", "scikit-learn"),
    measure("true_positive_rate", rate(O::TRUE_POSITIVE, O::POSITIVE), CLASSES, "TP / (TP + FN)", Higher, "positive labels", "fairlearn"),
    measure("true_negative_rate", rate(O::TRUE_NEGATIVE, O::NEGATIVE), CLASSES, "TN / (TN + FP)", Higher, "negative labels", "fairlearn"),
    measure("false_positive_rate", rate(O::FALSE_POSITIVE, O::NEGATIVE), CLASSES, "FP / (FP + TN)", Lower, "negative labels", "fairlearn"),
    measure("false_negative_rate", rate(O::FALSE_NEGATIVE, O::POSITIVE), CLASSES, "FN / (FN + TP)", Lower, "positive labels", "fairlearn"),
    measure("false_discovery_rate", rate(O::FALSE_POSITIVE, O::SELECTED_LABELLED), CLASSES, "FP / (FP + TP)", Lower, "labelled positive decisions", "AIF360"),
    measure("false_omission_rate", rate(O::FALSE_NEGATIVE, O::REJECTED_LABELLED), CLASSES, "FN / (FN + TN)", Lower, "labelled negative decisions", "AIF360"),
    measure("roc_auc", Measure::RocAuc, CLASSES, "P(score of a positive > score of a negative) + ½ P(equal)", Higher, "labelled rows of the rarer class", "scikit-learn"),
    measure("average_precision", Measure::AveragePrecision, CLASSES, "Σ (Rₖ − Rₖ₋₁) Pₖ over thresholds", Higher, "positive labels", "scikit-learn"),
    measure("log_loss", Measure::LogLoss, OVERALL_CLASSES, "mean −ln p(label), p clipped to [1e-15, 1 − 1e-15]", Lower, "labelled rows", "scikit-learn"),
    measure("brier", Measure::Brier, CLASSES, "mean (score − label)²", Lower, "labelled rows", "scikit-learn"),
    measure("ece", Measure::Ece, &[View::Binary, View::OneVsRest, View::TopLabel], "Σ over 10 equal-width bins of share · |mean score − share of positives|", Lower, "labelled rows", "Naeini et al. 2015"),
    label_free(measure("mean_score", Measure::MeanScore, &[View::Binary, View::OneVsRest, View::Regression], "mean score of the output", Descriptive, "rows", "—")),
    measure("calibration_gap", Measure::CalibrationGap, CLASSES, "mean score − share of positive labels", Near(0.0), "labelled rows", "calibration in the large"),
    measure("actual_expected_ratio", Measure::ActualExpected, &[View::Binary, View::Regression], "share of positive labels (mean label) / mean score", Near(1.0), "labelled rows", "actuarial A/E"),
    measure("treatment_equality", Measure::TreatmentEquality, BINARY, "FN / FP, favourable class", Descriptive, "labelled rows", "Berk et al. 2018"),
    not_compared(measure("mean_benefit", Measure::MeanBenefit, BINARY, "mean of b = 1 + decision − label, favourable class", Near(1.0), "labelled rows", "Speicher et al. 2018")),
    not_compared(measure("generalized_entropy_index", Measure::GeneralizedEntropy, BINARY, "mean((b/μ)² − 1) / 2 (α = 2)", Lower, "labelled rows", "AIF360")),
    not_compared(measure("theil_index", Measure::Theil, BINARY, "mean((b/μ) ln(b/μ))", Lower, "labelled rows", "AIF360")),
    not_compared(measure("coefficient_of_variation", Measure::CoefficientOfVariation, BINARY, "√(2 · generalized_entropy_index)", Lower, "labelled rows", "AIF360")),
    not_compared(measure("mean_log_deviation", Measure::MeanLogDeviation, BINARY, "mean −ln(b/μ) (α = 0)", Lower, "labelled rows", "Speicher et al. 2018")),
    not_compared(measure("atkinson_index", Measure::Atkinson, BINARY, "1 − (mean √b)² / μ (ε = ½)", Lower, "labelled rows", "Atkinson 1970")),
    measure("mae", Measure::MeanAbsoluteError, REGRESSION, "mean |label − score|", Lower, "labelled rows", "scikit-learn"),
    measure("rmse", Measure::RootMeanSquaredError, REGRESSION, "√ mean (label − score)²", Lower, "labelled rows", "scikit-learn"),
    measure("r2", Measure::R2, REGRESSION, "1 − Σ (label − score)² / Σ (label − mean label)²", Higher, "labelled rows", "scikit-learn"),
    measure("mean_residual", Measure::MeanResidual, REGRESSION, "mean (label − score)", Near(0.0), "labelled rows", "—"),
];

const fn comparison(
    name: &'static str,
    kind: Comparison,
    needs_labels: bool,
    formula: &'static str,
    direction: Direction,
    source: &'static str,
) -> ComparisonDefinition {
    ComparisonDefinition { name, kind, needs_labels, formula, direction, source }
}

use Comparison::{AcrossGroups, AgainstBest, AgainstReference, OthersAgainstReference, Sampled};

/// Named comparisons of a binary audit. Those against the reference are on the favourable class: g is the group (or
/// all others), r the reference.
#[rustfmt::skip]
pub const COMPARISONS: &[ComparisonDefinition] = &[
    comparison("impact_ratio", AgainstBest, false, "favourable_rate / highest group's", Near(1.0), "four-fifths rule; NYC Local Law 144"),
    comparison("scoring_impact_ratio", AgainstBest, false, "scoring_rate / highest group's", Near(1.0), "NYC Local Law 144"),
    comparison("impact_ratio_with_two_more", AgainstBest, false, "(favourable_rate + 2 / rows) / highest group's", Near(1.0), "Uniform Guidelines, question 21"),
    comparison("statistical_parity_difference", AgainstReference, false, "favourable_rate g − r", Near(0.0), "AIF360"),
    comparison("disparate_impact", AgainstReference, false, "favourable_rate g / r", Near(1.0), "AIF360"),
    comparison("equal_opportunity_difference", AgainstReference, true, "TPR g − r", Near(0.0), "AIF360"),
    comparison("average_odds_difference", AgainstReference, true, "((FPR g − r) + (TPR g − r)) / 2", Near(0.0), "AIF360"),
    comparison("average_abs_odds_difference", AgainstReference, true, "(|FPR g − r| + |TPR g − r|) / 2", Near(0.0), "AIF360"),
    comparison("average_predictive_value_difference", AgainstReference, true, "((PPV g − r) + (FOR g − r)) / 2", Near(0.0), "AIF360"),
    comparison("odds_ratio", AgainstReference, false, "odds of a favourable decision g / r", Near(1.0), "Woolf 1955"),
    comparison("conditional_odds_ratio", AgainstReference, false, "Σ a d / n over Σ b c / n of the strata's 2 × 2 tables; p_value: Cochran–Mantel–Haenszel", Near(1.0), "Mantel and Haenszel 1959"),
    comparison("odds_ratio_homogeneity", AgainstReference, false, "χ² of equal odds ratios in all strata; p_value: its own", Near(0.0), "Breslow and Day 1980; Tarone 1985"),
    comparison("shortfall", AgainstReference, false, "favourable decisions that g lacks at the common rate of g and r", Near(0.0), "OFCCP"),
    comparison("standardized_mean_difference", AgainstReference, false, "(mean_score g − r) / √((s_g² + s_r²) / 2), s² the variances over n", Near(0.0), "Austin 2009"),
    comparison("residual_standardized_mean_difference", AgainstReference, true, "(mean_residual g − r) / √((s_g² + s_r²) / 2)", Near(0.0), "Austin 2009"),
    comparison("score_ks", AgainstReference, false, "max |F_g − F_r| of the scores; p_value: Kolmogorov–Smirnov", Near(0.0), "Smirnov 1948"),
    comparison("xauc", AgainstReference, true, "P(score of a positive of g > score of a negative of r) + ½ P(equal)", Higher, "Kallus and Zhou 2019"),
    comparison("xauc_difference", AgainstReference, true, "xauc of g over r − xauc of r over g", Near(0.0), "Kallus and Zhou 2019"),
    comparison("abroca", AgainstReference, true, "∫ |ROC_g − ROC_r| over false positive rates", Near(0.0), "Gardner et al. 2019"),
    comparison("clarify_ci", OthersAgainstReference, false, "(weight r − weight others) / (weight r + weight others)", Near(0.0), "SageMaker Clarify"),
    comparison("clarify_dpl", OthersAgainstReference, true, "share of favourable labels r − others", Near(0.0), "SageMaker Clarify"),
    comparison("clarify_kl", OthersAgainstReference, true, "Σ P_r ln(P_r / P_others) over labels", Near(0.0), "SageMaker Clarify"),
    comparison("clarify_js", OthersAgainstReference, true, "(KL(P_r, M) + KL(P_others, M)) / 2, M the mean of both", Near(0.0), "SageMaker Clarify"),
    comparison("clarify_l2", OthersAgainstReference, true, "‖P_r − P_others‖₂", Near(0.0), "SageMaker Clarify"),
    comparison("clarify_tvd", OthersAgainstReference, true, "‖P_r − P_others‖₁ / 2", Near(0.0), "SageMaker Clarify"),
    comparison("clarify_ks", OthersAgainstReference, true, "max |P_r − P_others|", Near(0.0), "SageMaker Clarify"),
    comparison("clarify_dppl", OthersAgainstReference, false, "favourable_rate r − others", Near(0.0), "SageMaker Clarify"),
    comparison("clarify_di", OthersAgainstReference, false, "favourable_rate others / r", Near(1.0), "SageMaker Clarify"),
    comparison("clarify_dcacc", OthersAgainstReference, true, "favourable labels / favourable decisions, r − others", Near(0.0), "SageMaker Clarify"),
    comparison("clarify_dcr", OthersAgainstReference, true, "unfavourable labels / unfavourable decisions, others − r", Near(0.0), "SageMaker Clarify"),
    comparison("clarify_rd", OthersAgainstReference, true, "TPR r − others", Near(0.0), "SageMaker Clarify"),
    comparison("clarify_sd", OthersAgainstReference, true, "TNR others − r", Near(0.0), "SageMaker Clarify"),
    comparison("clarify_dar", OthersAgainstReference, true, "PPV r − others", Near(0.0), "SageMaker Clarify"),
    comparison("clarify_drr", OthersAgainstReference, true, "NPV others − r", Near(0.0), "SageMaker Clarify"),
    comparison("clarify_ad", OthersAgainstReference, true, "accuracy r − others", Near(0.0), "SageMaker Clarify"),
    comparison("clarify_te", OthersAgainstReference, true, "FN / FP, others − r", Near(0.0), "SageMaker Clarify"),
    comparison("clarify_cddl", OthersAgainstReference, true, "Σ n DD / Σ n over strata, DD = others' share of unfavourable labels − of favourable labels", Near(0.0), "SageMaker Clarify"),
    comparison("clarify_cddpl", OthersAgainstReference, false, "the same of decisions", Near(0.0), "SageMaker Clarify"),
    comparison("demographic_parity_difference", AcrossGroups, false, "max − min selection_rate", Near(0.0), "fairlearn"),
    comparison("demographic_parity_ratio", AcrossGroups, false, "min / max selection_rate", Near(1.0), "fairlearn"),
    comparison("equalized_odds_difference", AcrossGroups, true, "larger of the TPR and FPR differences (max − min)", Near(0.0), "fairlearn"),
    comparison("equalized_odds_ratio", AcrossGroups, true, "smaller of the TPR and FPR ratios (min / max)", Near(1.0), "fairlearn"),
    comparison("equalized_odds_difference_mean", AcrossGroups, true, "mean of the TPR and FPR differences", Near(0.0), "fairlearn"),
    comparison("equalized_odds_ratio_mean", AcrossGroups, true, "mean of the TPR and FPR ratios", Near(1.0), "fairlearn"),
    comparison("equal_opportunity_difference", AcrossGroups, true, "max − min TPR", Near(0.0), "fairlearn"),
    comparison("equal_opportunity_ratio", AcrossGroups, true, "min / max TPR", Near(1.0), "fairlearn"),
    comparison("between_group_generalized_entropy_index", AcrossGroups, true, "generalized_entropy_index with each row's benefit replaced by its group's mean", Near(0.0), "AIF360"),
    comparison("between_group_theil_index", AcrossGroups, true, "theil_index with each row's benefit replaced by its group's mean", Near(0.0), "AIF360"),
    comparison("between_group_coefficient_of_variation", AcrossGroups, true, "coefficient_of_variation with each row's benefit replaced by its group's mean", Near(0.0), "AIF360"),
    comparison("within_group_generalized_entropy_index", AcrossGroups, true, "generalized_entropy_index of all known groups − between_group_generalized_entropy_index", Near(0.0), "Speicher et al. 2018"),
    comparison("within_group_theil_index", AcrossGroups, true, "theil_index of all known groups − between_group_theil_index", Near(0.0), "Speicher et al. 2018"),
    comparison("differential_fairness", AcrossGroups, false, "largest |ln P(y g) − ln P(y h)| over groups and decisions y, P smoothed by ½ row each", Near(0.0), "Foulds et al. 2020"),
    comparison("consistency", Sampled, false, "share of a row's 5 nearest other rows that have its decision, mean", Higher, "Zemel et al. 2013"),
    comparison("flip_rate", Sampled, false, "share of decisions that change if only the attribute does: to the reference, or (over all groups) to any other group", Near(0.0), "Galhotra et al. 2017"),
    comparison("flip_score_change", Sampled, false, "mean score as the reference − mean score", Near(0.0), "Galhotra et al. 2017"),
    comparison("adversarial_flip_rate", Sampled, false, "share of decisions that a change of at most ε turns, as far as attacks along gradients find one", Lower, "Goodfellow et al. 2015; Madry et al. 2018"),
    comparison("adversarial_flip_rate_difference", Sampled, false, "max − min adversarial_flip_rate of the known groups", Near(0.0), "Nanda et al. 2021"),
    comparison("robust_accuracy", Sampled, true, "share of rows decided as labelled whatever the attacks change within ε", Higher, "Madry et al. 2018"),
    comparison("label_differential_fairness", AcrossGroups, true, "the same of labels", Near(0.0), "AIF360"),
];

/// Comparisons of [`COMPARISONS`] that a one-vs-rest class has as well.
pub const ONE_VS_REST_COMPARISONS: &[&str] = &[
    "demographic_parity_difference",
    "demographic_parity_ratio",
    "equalized_odds_difference",
    "equalized_odds_ratio",
    "equalized_odds_difference_mean",
    "equalized_odds_ratio_mean",
    "equal_opportunity_difference",
    "equal_opportunity_ratio",
    "standardized_mean_difference",
    "score_ks",
    "xauc",
    "xauc_difference",
    "abroca",
    "consistency",
    "flip_rate",
    "adversarial_flip_rate",
    "adversarial_flip_rate_difference",
    "robust_accuracy",
];

/// Comparisons of [`COMPARISONS`] that a regression has.
pub const REGRESSION_COMPARISONS: &[&str] =
    &["standardized_mean_difference", "residual_standardized_mean_difference", "score_ks", "flip_score_change"];

/// Comparisons that score rows as another group: only where the attribute is itself a column of the model.
pub const NEED_INPUT: &[&str] = &["flip_rate", "flip_score_change"];

/// Measures of attacked rows: only where `[robustness]` asks for attacks.
pub const NEED_ATTACKS: &[&str] = &["adversarial_flip_rate", "adversarial_flip_rate_difference", "robust_accuracy"];

/// Measures of single rows that all rows together have as well.
pub const OF_ALL_ROWS: &[&str] = &["consistency", "adversarial_flip_rate", "robust_accuracy"];

/// Comparisons that are made within strata, and only where there are some.
pub const NEED_STRATA: &[&str] = &["conditional_odds_ratio", "odds_ratio_homogeneity", "clarify_cddl", "clarify_cddpl"];

/// The measures of a view, without those that need labels where there are none.
pub fn measures(view: View, labelled: bool) -> Vec<&'static Definition> {
    MEASURES.iter().filter(|m| m.views.contains(&view) && (labelled || !m.needs_labels)).collect()
}

fn views(task: Task) -> &'static [View] {
    match task {
        Task::Binary => &[View::Binary],
        Task::Multiclass => &[View::OneVsRest, View::TopLabel],
        Task::Regression => &[View::Regression],
    }
}

/// Every metric name that an audit of this task can hold, in the order of the tables.
pub fn names(task: Task) -> Vec<String> {
    let of_task = |m: &&Definition| m.views.iter().any(|view| views(task).contains(view));
    let mut names: Vec<String> = Vec::new();
    for definition in MEASURES.iter().filter(of_task) {
        names.push(definition.name.into());
        if definition.compared {
            names.extend([format!("{}_difference", definition.name), format!("{}_ratio", definition.name)]);
        }
    }
    if task == Task::Multiclass {
        names.push("balanced_accuracy".into());
    }
    let compared = COMPARISONS.iter().filter(|c| match task {
        // The residual of a class is its calibration gap, which has no spread of its own.
        Task::Binary => c.name != "residual_standardized_mean_difference",
        Task::Multiclass => ONE_VS_REST_COMPARISONS.contains(&c.name),
        Task::Regression => REGRESSION_COMPARISONS.contains(&c.name),
    });
    for definition in compared {
        if !names.iter().any(|name| name == definition.name) {
            names.push(definition.name.into());
        }
    }
    names
}

/// Up to three names of the task that are close to what was typed, the closest first.
pub fn close_names(task: Task, typed: &str) -> Vec<String> {
    let of_model = model_fact_names(task).map(str::to_owned);
    let mut ranked: Vec<(usize, String)> =
        names(task).into_iter().chain(of_model).map(|name| (distance(typed, &name), name)).collect();
    ranked.sort();
    ranked.into_iter().take(3).map(|(_, name)| name).collect()
}

/// Number of insertions, deletions and substitutions between two names (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, &y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_stands_twice_for_one_task() {
        for task in [Task::Binary, Task::Multiclass, Task::Regression] {
            let names = names(task);
            let distinct: std::collections::BTreeSet<&String> = names.iter().collect();
            assert_eq!(distinct.len(), names.len(), "{task:?}");
        }
    }

    #[test]
    fn tasks_have_their_own_metrics() {
        assert!(names(Task::Binary).contains(&"demographic_parity_ratio".to_string()));
        assert!(names(Task::Multiclass).contains(&"accuracy_difference".to_string()));
        assert!(!names(Task::Multiclass).contains(&"impact_ratio".to_string()));
        assert!(names(Task::Regression).contains(&"mae_ratio".to_string()));
        assert!(!names(Task::Regression).contains(&"accuracy".to_string()));
    }

    #[test]
    fn a_typing_error_finds_the_name() {
        assert_eq!(close_names(Task::Binary, "demografic_parity_ratio")[0], "demographic_parity_ratio");
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn without_labels_only_what_needs_none_is_measured() {
        let names: Vec<&str> = measures(View::Binary, false).iter().map(|m| m.name).collect();
        assert_eq!(names, ["selection_rate", "favourable_rate", "scoring_rate", "mean_score"]);
    }
}
