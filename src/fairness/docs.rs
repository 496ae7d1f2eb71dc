//! `docs/metrics.md`, printed from the metrics table.

use super::model_facts::{MODEL_FACTS, ModelFact};
use super::table::{COMPARISONS, Comparison, Definition, Direction, MEASURES, View};

const INTRODUCTION: &str = "\
# Metrics

Printed from the table in the source (`probity metrics`); do not edit by hand.

Names are scikit-learn's, fairlearn's and AIF360's where they exist. The *positive* class is `[data] positive`, the
*favourable* one `[data] favourable`. Counts and sums are weighted where rows carry weights. Rows without a label count
for what needs no label and are left out of the rest. Without labels only label-free metrics are computed.

## Reading a row of `metrics`

| attribute | group_value | meaning |
|---|---|---|
| empty | empty | all rows |
| `sex` | `Female` | one group; `reference` is empty |
| `sex` | `Female` | the group against `reference` (differences, ratios, impact ratios) |
| `sex` | `(others)` | all known groups but the reference together, against `reference` |
| `sex` | empty | one value over all groups; `pair` names the lowest and the highest group |
| `sex` | `(unknown)` | rows whose attribute is missing: measured, but in no comparison across groups and in no `(others)` |

`n` counts the rows of the group (across groups: of all known groups). `denominator` counts the rows that the metric
itself rests on, for a comparison those of the smaller of the two groups compared; gates ask for
`min_group_rows` of these. A value that would be 0 / 0 is null, with the reason in `undefined_reason`; it is never 0.

Multiclass: every class against the rest has rows of its own (`output` is the class). `accuracy`, `error_rate`,
`log_loss`, `ece` and `balanced_accuracy` with an empty `output` are over all classes; `ece` there is that of the
predicted class, `balanced_accuracy` the mean recall. `output` `(macro)` is the unweighted mean over classes, `(worst)`
the class with the largest difference or smallest ratio across groups. A gate that names no output judges the row
with the empty output, else `(worst)`, else `(macro)`.
";

const COMPARED: &str = "\
## Derived: METRIC_difference and METRIC_ratio

Every measure above that is marked *compared* gives two more metrics: for each group and for `(others)` the difference
from (ratio to) the reference, and across groups max − min (min / max). Groups where the measure is undefined are
passed over across groups; two must remain. A ratio over 0, or of values that are not all positive, is undefined.

Comparisons with the reference by AIF360's rates (true and false positive and negative rates, false discovery and
omission rates) are, as in AIF360, on the favourable class. If that is not the positive class,
`true_positive_rate_difference` of a group is therefore the difference of its `true_negative_rate`. Everything per
group, and everything across groups, is on the positive class, as in fairlearn.
";

const MODEL: &str = "\
## Of the model as a whole

Rows of `metrics` under the attribute `(model)`; gates on them name no attribute. Where a model has no such thing (a
network has no trees) the value is null, with the reason. What stands in the file needs no rows as evidence.

`effective_features` takes p from the mean absolute attributions of the run's explanation method, on its scale; with
several outputs there is a row for each, and one of all together with an empty `output`. It is at most the number of
features, and equals it if all count alike.

The surrogate is a regression tree (CART, Breiman et al. 1984) of at most four tests on a path, fitted to what the model
reports: the probability of the positive class, all classes' probabilities, or the value. It is grown on two thirds of at
most 30,000 sampled rows, on raw columns: numbers by every threshold, categories by every cut in the order of their mean
score (with several classes in the order of each), missing values with the side that they fare better on; a leaf has at
least 5 rows, and no fewer than `[privacy] suppress_below`. Fidelity is measured on the other third. For classes
`surrogate_fidelity` is the share of rows that tree and model decide alike, in multiclass also by class among the rows that
the model decides so (Wilson's interval); the report sets the share of the model's commonest decision beside it, which a
tree without a test reaches. R² is a normal interval of its influence function. Intervals say how far other held-out rows
would move the value, not how another tree would do.

";

const INTERVALS: &str = "\
## Intervals and tests

| what | interval | p_value |
|---|---|---|
| rates of a group | Wilson | |
| difference of two groups' rates | Newcombe (method 10) | Fisher's exact test where an expected count is below 5, else the pooled Z test |
| ratio of two groups' rates | log-ratio (Katz); half a success and half a trial added where a count is zero (Walter) | the same |
| means (log_loss, brier, mean_score, mae, …) of a group | Student's t; rmse and r2 by the delta method | |
| difference of two groups' means | normal, unequal variances | Z test |
| max − min and min / max across groups | bootstrap percentiles: the end near equality from the signed comparison of the two extreme groups, at a level shared among all pairs (Bonferroni), the other end from the value itself | |
| odds_ratio | Woolf's log interval; half a row added to every cell where one is empty | as for the rates |
| conditional_odds_ratio | log interval with the variance of Robins, Breslow and Greenland | Cochran–Mantel–Haenszel, without continuity correction |
| odds_ratio_homogeneity | | Breslow–Day with Tarone's correction |
| shortfall | Newcombe's of the difference, scaled | as for the rates |
| standardized_mean_difference | Hedges and Olkin's for large samples | Z test of the means |
| score_ks | bootstrap percentiles (none for regressions) | Kolmogorov–Smirnov, asymptotic |
| differential_fairness | as max − min across groups | |
| everything else | bootstrap percentiles, moved by the bias of the replicates | |

`p_adjusted` is Benjamini and Hochberg's p-value over the known groups that one metric compares with the reference (or
the highest group), within one attribute, stratum and output: groups below it, say below 0.05, are told apart with an
expected share of false ones of at most that. `(others)` and unknown groups are not counted among them.

Within strata (`[fairness] strata`) every metric is measured once more. `conditional_odds_ratio`,
`odds_ratio_homogeneity`, `clarify_cddl` and `clarify_cddpl` put the strata together and stand with an empty stratum;
strata that lack one of the groups or one of the outcomes say nothing there and are left out.

A rate that is 0 or 1 in the data would be 0 or 1 in every replicate, as if it were known for certain. Its replicates
are drawn from Jeffreys' posterior Beta(½, n + ½) instead, so that ratios and differences of such rates have intervals
of their own.

Measures of single rows rest on samples drawn with the seed, whose sizes are their `n`: `consistency` on up to 2,000
rows (columns of the audited attributes are left out; numbers differ by standard deviations, codes and texts by being
equal or not; the interval takes rows as independent), the flip test on up to 5,000 and up to 12 groups, attacks on
`[robustness] rows`; weights are disregarded. `adversarial_flip_rate` and `robust_accuracy` are those within
`[robustness] gate_epsilon`, with Wilson's intervals; their shares over all sizes of changes are in `curves`. Attacks that
find nothing prove nothing: the flip rate is a lower bound, the robust accuracy an upper one.
`adversarial_flip_rate_difference` has Newcombe's interval of the two extreme groups, at a level shared among all pairs
(Bonferroni).

With weights the number of trials is the effective one, (Σw)² / Σw² (Kish).

The bootstrap redraws counts, not rows: scores are binned (64 quantiles of all scores, and edges at the tenths, the
threshold and the median), and the rows of each group cell, bin, label and decision are redrawn as Poisson. Measures
that depend on the order of scores within a bin (roc_auc, average_precision, ece, …) are shifted by the difference
between their exact value and their value from the bins. Scores are kept exactly up to 2¹⁸ distinct values of group
cell, label, decision and score; beyond that low bits of the score are dropped until they fit, which touches roc_auc,
average_precision, the median and curves, and nothing else. For regressions each value is redrawn as normal with its
standard error. Replicates of `between_group_…` keep the sizes of groups; the median of `scoring_rate` is taken as
known. `(macro)` rows have no interval, because the classes of a row are not independent.

All draws are functions of the seed, the group's name and the replicate's number: threads, batches and the order of
rows change nothing.

## Coverage

Share of 1,000 simulated audits whose nominal 95 % interval holds the true value, by the number of rows in two groups
of equal size (uniform scores, true selection rates 0.375 and 0.5; `cargo test --release -- --ignored coverage
--nocapture`). The last two rows compare three groups that are equal. The simulation's own standard error is 0.007.

| interval | 60 rows | 200 rows | 1,000 rows |
|---|---|---|---|
| selection_rate | 0.946 | 0.935 | 0.943 |
| recall | 0.971 | 0.934 | 0.945 |
| f1 | 0.964 | 0.943 | 0.937 |
| roc_auc | 0.947 | 0.941 | 0.957 |
| mean_score | 0.945 | 0.945 | 0.948 |
| statistical_parity_difference | 0.953 | 0.951 | 0.940 |
| disparate_impact | 0.958 | 0.951 | 0.946 |
| average_odds_difference | 0.946 | 0.957 | 0.945 |
| roc_auc_difference against the reference | 0.956 | 0.944 | 0.954 |
| demographic_parity_difference | 0.970 | 0.966 | 0.940 |
| demographic_parity_ratio | 0.969 | 0.969 | 0.945 |
| equalized_odds_difference | 0.960 | 0.971 | 0.936 |
| equalized_odds_ratio | 0.936 | 0.954 | 0.959 |
| demographic_parity_difference, equal groups | 0.945 | 0.962 | 0.950 |
| demographic_parity_ratio, equal groups | 0.945 | 0.963 | 0.950 |

The test of equal selection rates, one group against two others, rejects at 0.05 in 0.047, 0.038 and 0.046 of them.

## Where libraries differ

- scikit-learn and fairlearn give 0 for a rate without a denominator (recall without positive labels); here it is null.
- scikit-learn averages balanced accuracy over the classes that are present; here both must be.
- log_loss clips probabilities at 1e-15 (scikit-learn: at the machine epsilon).
- Clarify calls 0 / 0 zero in conditional acceptance and treatment equality; here it is null. In its conditional
  demographic disparities a stratum without favourable (unfavourable) outcomes counts with a share of 0; here it is left
  out. AIF360's `conditional_demographic_disparity` sums over groups instead of strata and is another number.
- AIF360's `generalized_entropy_index` at α = 0 divides by the mean twice; `mean_log_deviation` does not.
- Gardner's ABROCA interpolates on a grid; here the area between the curves is exact.
- `xauc` and `abroca` are on the positive class.
- AIF360's `between_group_…` compare the reference with all others: those are the rows of `(others)`; the rows across
  groups keep every group apart.
- Local Law 144 lets groups below 2 % be left out of the maximum; `impact_ratio` leaves none out.
";

/// The page, as Markdown.
pub fn markdown() -> String {
    let mut page = INTRODUCTION.to_string();
    page += "\n## Per group: classification\n\n";
    page += &measures(|definition| !definition.views.contains(&View::Regression) || definition.views.len() > 1);
    page += "\n## Per group: regression\n\n";
    page += &measures(|definition| definition.views.contains(&View::Regression));
    page += "\n";
    page += COMPARED;
    for (title, kind) in [
        ("Each group against the highest", Comparison::AgainstBest),
        ("Each group and all others against the reference", Comparison::AgainstReference),
        ("All others against the reference", Comparison::OthersAgainstReference),
        ("Across groups", Comparison::AcrossGroups),
        ("Of single rows, on a sample", Comparison::Sampled),
    ] {
        page += &format!("\n## {title}\n\n");
        page += &comparisons(kind);
    }
    page += "\n";
    page += MODEL;
    page += &model_facts();
    page += "\n";
    page + INTERVALS
}

fn measures(belongs: impl Fn(&Definition) -> bool) -> String {
    let header = "| metric | formula | better | denominator | labels | compared | multiclass | source |\n|---|---|---|---|---|---|---|---|\n";
    let row = |definition: &Definition| {
        row(&[
            &format!("`{}`", definition.name),
            definition.formula,
            &better(definition.direction),
            definition.denominator,
            yes(definition.needs_labels),
            yes(definition.compared),
            yes(definition.views.iter().any(|view| matches!(view, View::OneVsRest | View::TopLabel))),
            definition.source,
        ])
    };
    header.to_string() + &MEASURES.iter().filter(|d| belongs(d)).map(row).collect::<String>()
}

fn comparisons(kind: Comparison) -> String {
    let header = "| metric | formula | better | labels | source |\n|---|---|---|---|---|\n";
    let rows = COMPARISONS.iter().filter(|definition| definition.kind == kind).map(|definition| {
        row(&[
            &format!("`{}`", definition.name),
            definition.formula,
            &better(definition.direction),
            yes(definition.needs_labels),
            definition.source,
        ])
    });
    header.to_string() + &rows.collect::<String>()
}

fn model_facts() -> String {
    let header = "| metric | formula | better | rests on | source |\n|---|---|---|---|---|\n";
    let row = |fact: &ModelFact| {
        let cells = [&format!("`{}`", fact.name), fact.formula, &better(fact.direction), fact.rests_on, fact.source];
        row(&cells)
    };
    header.to_string() + &MODEL_FACTS.iter().map(row).collect::<String>()
}

fn row(cells: &[&str]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    format!("| {} |\n", cells.join(" | "))
}

fn yes(flag: bool) -> &'static str {
    if flag { "yes" } else { "" }
}

fn better(direction: Direction) -> String {
    match direction {
        Direction::Higher => "higher".into(),
        Direction::Lower => "lower".into(),
        Direction::Near(value) => format!("near {value}"),
        Direction::Descriptive => "—".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fairness::{Task, table};

    #[test]
    fn the_committed_page_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/metrics.md");
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(committed == markdown(), "docs/metrics.md is not what the table says; print it again: probity metrics");
    }

    #[test]
    fn every_name_is_on_the_page_or_derived() {
        let page = markdown();
        for task in [Task::Binary, Task::Multiclass, Task::Regression] {
            for name in table::names(task) {
                let base = name.strip_suffix("_difference").or(name.strip_suffix("_ratio")).unwrap_or(&name);
                assert!([&name, base].iter().any(|name| page.contains(&format!("`{name}`"))), "{name}");
            }
        }
    }
}
