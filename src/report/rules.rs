//! The tests of a small decision tree, in words.

use super::number;
use super::text::say;
use crate::audit::{Surrogate, SurrogateSplit};

/// Categories named in a sentence before the rest is counted.
const MAX_NAMED: usize = 8;

/// "age ≤ 27.5", "sex is Female", "education is one of HS-grad, 11th, or missing": what sends rows to one branch.
pub fn condition(split: &SurrogateSplit, is_yes: bool) -> String {
    let feature = &split.feature;
    let known = match (split.threshold, split.categories.as_slice()) {
        _ if split.dropped && is_yes => return say!("rule.dropped_yes", feature = feature),
        _ if split.dropped => return say!("rule.dropped_no", feature = feature),
        (Some(threshold), _) => format!("{feature} {} {}", if is_yes { "≤" } else { ">" }, number_text(threshold)),
        (None, []) if is_yes => return say!("rule.known", feature = feature),
        (None, []) => return say!("rule.missing", feature = feature),
        (None, [one]) if is_yes => say!("rule.is", feature = feature, category = one),
        (None, [one]) => say!("rule.is_not", feature = feature, category = one),
        (None, several) if is_yes => say!("rule.one_of", feature = feature, categories = listed(several)),
        (None, several) => say!("rule.none_of", feature = feature, categories = listed(several)),
    };
    if split.missing_yes == Some(is_yes) { say!("rule.or_missing", condition = known) } else { known }
}

/// What is asked of the feature, for the node of a drawing: "≤ 27.5", "is Female", "is one of 9", "is known".
pub fn question(split: &SurrogateSplit) -> String {
    match (split.threshold, split.categories.as_slice()) {
        _ if split.dropped => say!("rule.asks_dropped"),
        (Some(threshold), _) => format!("≤ {}", number_text(threshold)),
        (None, []) => say!("rule.asks_known"),
        (None, [one]) => say!("rule.asks_is", category = one),
        (None, several) => say!("rule.asks_one_of", categories = listed(several)),
    }
}

/// The conditions that lead to a node, from the root.
pub fn path(tree: &Surrogate, node: usize) -> Vec<String> {
    let mut conditions = Vec::new();
    let mut at = node;
    // Children stand behind their parent.
    for parent in (0..node).rev() {
        let Some(split) = &tree.nodes[parent].split else { continue };
        if split.yes == at as u64 || split.no == at as u64 {
            conditions.push(condition(split, split.yes == at as u64));
            at = parent;
        }
    }
    conditions.reverse();
    conditions
}

/// Levels between the root and a node.
pub fn depth(tree: &Surrogate, node: usize) -> usize {
    path(tree, node).len()
}

fn listed(categories: &[String]) -> String {
    let named = categories.iter().take(MAX_NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match categories.len().saturating_sub(MAX_NAMED) {
        0 => named,
        more => say!("rule.and_more", named = named, n = more),
    }
}

/// A threshold with the digits that it needs, six at most.
fn number_text(threshold: f64) -> String {
    if threshold.fract() == 0.0 {
        return number::fixed(threshold, 0);
    }
    let text = number::significant(threshold, 6);
    match text.contains('.') && !text.contains('e') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    fn split(threshold: Option<f64>, categories: &[&str], missing_yes: Option<bool>) -> SurrogateSplit {
        SurrogateSplit {
            feature: "age".into(),
            threshold,
            categories: categories.iter().map(|name| (*name).to_owned()).collect(),
            dropped: false,
            missing_yes,
            gain: 0.1,
            yes: 1,
            no: 2,
        }
    }

    #[test]
    fn both_branches_of_every_test_are_told() {
        let both = |split: &SurrogateSplit| [condition(split, true), condition(split, false)];
        assert_eq!(both(&split(Some(27.5), &[], Some(false))), ["age ≤ 27.5", "age > 27.5, or missing"]);
        assert_eq!(both(&split(None, &["old"], None)), ["age is old", "age is not old"]);
        assert_eq!(
            both(&split(None, &["a", "b"], Some(true))),
            ["age is one of a, b, or missing", "age is none of a, b"]
        );
        assert_eq!(both(&split(None, &[], Some(false))), ["age is known", "age is missing"]);
        let dropped = SurrogateSplit { dropped: true, ..split(None, &[], Some(true)) };
        assert!(both(&dropped).iter().all(|told| told.contains("not shown")));
    }

    #[test]
    fn thresholds_keep_the_digits_that_they_need() {
        let told = [7073.5, 5.0, 0.1330496893, 1234567.5].map(number_text);
        assert_eq!(told, ["7,073.5", "5", "0.13305", "1,234,568"]);
    }

    #[test]
    fn a_path_leads_from_the_root() {
        let audit = example::binary();
        let tree = audit.surrogate.as_ref().unwrap();
        assert_eq!(path(tree, 3), ["age ≤ 27.5", "relationship is not Husband"]);
        assert!(path(tree, 0).is_empty());
    }
}
