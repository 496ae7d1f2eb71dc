//! The widest gaps between groups in words: what differs, between whom, by how much, and how sure that is.

use crate::audit::Metric;
use crate::report::label;
use crate::report::lookup::{self, Lookup};
use crate::report::number;
use crate::report::text::say;
use crate::report::words;

/// Most attributes told of.
const MAX_ATTRIBUTES: usize = 6;
/// How well groups are told: the first that is measured.
const PERFORMANCE: &[&str] = &["accuracy_difference", "mae_difference", "rmse_difference"];
/// How groups are decided, where no ratio to the most favoured one is told.
const DECISIONS: &[&str] = &["demographic_parity_difference", "mean_score_difference"];
/// Among those who are alike in their label.
const ERRORS: &[&str] = &["equalized_odds_difference", "mean_residual_difference"];

/// The widest gap of performance for every single attribute.
pub fn by_group(lookup: &Lookup) -> Vec<String> {
    let attributes = lookup.audit.scope.attributes.iter().map(|scope| scope.attribute.as_str());
    let single = attributes.filter(|attribute| !attribute.contains(','));
    single.take(MAX_ATTRIBUTES).filter_map(|attribute| first(lookup, attribute, PERFORMANCE)).collect()
}

/// The widest gaps of decisions and of errors between the groups of an attribute.
pub fn of_decisions(lookup: &Lookup, attribute: &str) -> Vec<String> {
    let decisions = if lookup.is_binary() { None } else { first(lookup, attribute, DECISIONS) };
    decisions.into_iter().chain(first(lookup, attribute, ERRORS)).collect()
}

/// The first of these that is measured; what is withheld or undefined is not told.
fn first(lookup: &Lookup, attribute: &str, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| sentence(lookup, attribute, lookup.metric(name, attribute, "")?))
}

fn sentence(lookup: &Lookup, attribute: &str, metric: &Metric) -> Option<String> {
    let value = metric.value.filter(|value| value.is_finite())?;
    let (one, other) = metric.pair.as_ref()?;
    let unit = lookup.unit(&metric.metric);
    let measure = words::of_classes(words::metric_for(&metric.metric, lookup.is_regression()), &metric.output);
    let name = |group: &str| label::shorten(&lookup::name(attribute, group), 60);
    let sentence = say!(
        "widest.sentence",
        measure = measure,
        value = number::with_unit(unit, value),
        interval = words::in_brackets(unit, metric),
        one = name(one),
        other = name(other),
        n_one = lookup.n(attribute, one),
        n_other = lookup.n(attribute, other)
    );
    let is_few = [one, other].iter().any(|group| lookup.is_small(attribute, group));
    let reaches_zero = metric.ci_low.is_some_and(|low| low <= 0.0);
    let caveat = match (is_few, reaches_zero) {
        (true, _) => Some(say!("widest.few", n = lookup.audit.scope.min_group_rows)),
        (false, true) => Some(say!("widest.zero")),
        (false, false) => None,
    };
    Some([Some(sentence), caveat].into_iter().flatten().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Audit;
    use crate::privacy::WITHHELD;
    use crate::report::example;

    fn audit(value: Option<f64>, interval: Option<(f64, f64)>) -> Audit {
        let mut audit = example::binary();
        audit.metrics.push(Metric {
            metric: "accuracy_difference".into(),
            attribute: "sex".into(),
            output: ">50K".into(),
            value,
            undefined_reason: value.is_none().then(|| WITHHELD.to_owned()),
            ci_low: interval.map(|interval| interval.0),
            ci_high: interval.map(|interval| interval.1),
            confidence: Some(0.95),
            pair: Some(("Female".into(), "Male".into())),
            n: 990,
            ..Metric::default()
        });
        audit
    }

    fn told(audit: &Audit) -> Option<String> {
        by_group(&Lookup::new(audit)).pop()
    }

    #[test]
    fn a_gap_names_both_groups_the_interval_and_both_counts() {
        assert_eq!(
            told(&audit(Some(0.044), Some((0.035, 0.052)))).unwrap(),
            "Accuracy difference: 4.4\u{a0}pp (95\u{a0}% interval 3.5–5.2\u{a0}pp) between Female and Male, \
             n\u{a0}=\u{a0}400 and 590."
        );
    }

    #[test]
    fn a_gap_whose_interval_reaches_zero_may_be_none() {
        let sentence = told(&audit(Some(0.02), Some((-0.01, 0.05)))).unwrap();
        assert!(sentence.ends_with("The interval contains no difference at all."), "{sentence}");
        assert!(told(&audit(Some(0.02), None)).unwrap().contains("(no interval)"));
    }

    #[test]
    fn too_few_rows_are_said_before_anything_else() {
        let mut audit = audit(Some(0.02), Some((-0.01, 0.05)));
        audit.scope.min_group_rows = 500;
        let sentence = told(&audit).unwrap();
        assert!(sentence.ends_with("One of them has fewer than 500 rows: too few for a verdict."), "{sentence}");
    }

    #[test]
    fn what_is_withheld_or_undefined_is_not_told() {
        assert_eq!(told(&audit(None, None)), None);
        assert_eq!(told(&audit(Some(f64::NAN), None)), None);
        assert_eq!(told(&example::binary()), None);
    }
}
