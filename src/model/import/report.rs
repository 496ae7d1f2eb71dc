//! From margins to what the model reports.

use crate::forest::Link;
use crate::forest::logistic::logistic_all;
use crate::forest::simd::Simd;

/// How the reported columns follow from the margins.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Applied to the margins first.
    pub link: Link,
    /// One a reported column, in the model's order.
    pub columns: Vec<Reported>,
    /// The columns are divided by the sum of their magnitudes at last (one-vs-rest classifiers).
    pub normalised: bool,
    /// The columns are scores of classes: the model decides on one, or applies a link.
    pub classifier: bool,
}

/// A reported column, by the position of a linked margin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reported {
    Value(usize),
    /// 1 − the linked margin: the first class of a binary model with one margin.
    Complement(usize),
    /// −the linked margin: the raw score of the first class, likewise.
    Negated(usize),
}

impl Report {
    /// Reported columns of one row.
    pub fn reported(&self, margins: &[f64]) -> Vec<f64> {
        let mut linked = margins.to_vec();
        self.link.apply(&mut linked);
        let mut columns: Vec<f64> = self.columns.iter().map(|column| column.of(&linked)).collect();
        if self.normalised {
            let total: f64 = columns.iter().map(|value| value.abs()).sum();
            if total != 0.0 {
                columns.iter_mut().for_each(|value| *value /= total);
            }
        }
        columns
    }

    /// The margin that a reported column follows from alone; `None` where others count as well.
    pub fn alone(&self, column: usize) -> Option<usize> {
        let elementwise = self.link.is_elementwise() && !self.normalised;
        self.columns.get(column).filter(|_| elementwise).map(|column| match column {
            Reported::Value(at) | Reported::Complement(at) | Reported::Negated(at) => *at,
        })
    }

    /// A column of many rows, in place of its margins, where these are [`Report::alone`].
    pub(crate) fn report_alone(&self, column: usize, margins: &mut [f64], simd: Simd) {
        match self.link {
            Link::Logistic => logistic_all(simd, margins),
            link => link.apply(margins),
        }
        match self.columns[column] {
            Reported::Value(_) => {}
            Reported::Complement(_) => margins.iter_mut().for_each(|linked| *linked = 1.0 - *linked),
            Reported::Negated(_) => margins.iter_mut().for_each(|linked| *linked = -*linked),
        }
    }

    /// The margin that grows with the probability of class 1 in a binary model; `None` for other models.
    pub fn binary_margin_output(&self) -> Option<usize> {
        match self.columns.as_slice() {
            [_, Reported::Value(output)] if self.classifier => Some(*output),
            [Reported::Value(output)] if matches!(self.link, Link::Logistic | Link::Probit) => Some(*output),
            _ => None,
        }
    }
}

impl Reported {
    fn of(self, linked: &[f64]) -> f64 {
        match self {
            Reported::Value(at) => linked[at],
            Reported::Complement(at) => 1.0 - linked[at],
            Reported::Negated(at) => -linked[at],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_of_a_pair_sum_to_one() {
        let columns = vec![Reported::Complement(0), Reported::Value(0)];
        let report = Report { link: Link::Logistic, columns, normalised: false, classifier: true };
        for margin in [-700.0, -1.0, 0.0, 2.5, 700.0] {
            let reported = report.reported(&[margin]);
            assert!((reported[0] + reported[1] - 1.0).abs() < 1e-15);
        }
        assert_eq!(report.binary_margin_output(), Some(0));
    }

    #[test]
    fn a_column_of_one_margin_is_reported_alone_as_with_all() {
        for link in [Link::Identity, Link::Logistic, Link::Probit] {
            let columns = vec![Reported::Complement(1), Reported::Value(1), Reported::Negated(0)];
            let report = Report { link, columns, normalised: false, classifier: true };
            let margins = [0.25, 0.75];
            for (column, all) in report.reported(&margins).into_iter().enumerate() {
                let mut one = [margins[report.alone(column).unwrap()]];
                report.report_alone(column, &mut one, Simd::detect());
                assert_eq!(one, [all]);
            }
            assert_eq!(Report { normalised: true, ..report }.alone(0), None);
        }
        let columns = vec![Reported::Value(0), Reported::Value(1)];
        let report = Report { link: Link::Softmax, columns, normalised: false, classifier: true };
        assert_eq!(report.alone(0), None);
    }

    #[test]
    fn regression_has_no_binary_margin() {
        let report =
            Report { link: Link::Identity, columns: vec![Reported::Value(0)], normalised: false, classifier: false };
        assert_eq!(report.binary_margin_output(), None);
        assert_eq!(report.reported(&[3.5]), [3.5]);
    }

    #[test]
    fn normalised_columns_sum_to_one() {
        let columns = vec![Reported::Value(0), Reported::Value(1)];
        let report = Report { link: Link::Logistic, columns, normalised: true, classifier: true };
        let reported = report.reported(&[0.0, 30.0]);
        assert!((reported[0] + reported[1] - 1.0).abs() < 1e-15);
    }
}
