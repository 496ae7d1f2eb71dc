//! Which of a metric's values, one for each output, stands for all.

use super::{Metric, Scope};

/// Outputs that stand for all classes: the worst of them, their unweighted mean.
pub const WORST: &str = "(worst)";
pub const MACRO: &str = "(macro)";

impl Scope {
    /// Of the values `found` of one metric at one place: that of the positive class, of no class in particular, of all
    /// classes together, or the only one there is.
    pub fn principal<'m>(&self, found: &[&'m Metric]) -> Option<&'m Metric> {
        let of = |output: &str| found.iter().find(|metric| metric.output == output).copied();
        let positive = self.positive.as_deref().filter(|_| self.task == "binary");
        let only = || found.first().copied().filter(|_| matches!(self.task.as_str(), "binary" | "regression"));
        positive.and_then(of).or_else(|| ["", WORST, MACRO].into_iter().find_map(of)).or_else(only)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn principal(task: &str, positive: Option<&str>, outputs: &[&str]) -> Option<String> {
        let scope = Scope { task: task.into(), positive: positive.map(str::to_owned), ..Scope::default() };
        let metrics: Vec<Metric> =
            outputs.iter().map(|output| Metric { output: (*output).to_owned(), ..Metric::default() }).collect();
        scope.principal(&metrics.iter().collect::<Vec<_>>()).map(|metric| metric.output.clone())
    }

    #[test]
    fn the_positive_class_comes_before_all_and_a_single_class_stands_for_no_others() {
        assert_eq!(principal("binary", Some("yes"), &["", "no", "yes"]).as_deref(), Some("yes"));
        assert_eq!(principal("binary", Some("yes"), &["no", ""]).as_deref(), Some(""));
        assert_eq!(principal("binary", None, &["no", "yes"]).as_deref(), Some("no"));
        assert_eq!(principal("regression", None, &["value"]).as_deref(), Some("value"));
        assert_eq!(principal("multiclass", None, &["red", MACRO, WORST]).as_deref(), Some(WORST));
        assert_eq!(principal("multiclass", Some("red"), &["red", "blue"]), None);
        assert_eq!(principal("binary", Some("yes"), &[]), None);
    }
}
