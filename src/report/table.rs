//! Tables: typed rows of already formatted cells.

use super::label::{self, Label};
use super::number::{self, Unit};
use crate::audit::Metric;
use crate::privacy::WITHHELD;
use crate::report::text::say;
use serde::Serialize;

/// A table with one column of row headers.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Table {
    pub caption: String,
    /// The first column heads the rows.
    pub columns: Vec<Column>,
    pub rows: Vec<Row>,
    /// "24 of 200 groups shown…", where rows were left out.
    pub shown: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Column {
    pub text: String,
    pub numeric: bool,
    pub title: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    pub head: Label,
    /// A short remark under the header: "reference group", "too few rows".
    pub remark: Option<String>,
    pub cells: Vec<Cell>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Cell {
    pub text: String,
    /// Second line: an interval, or why there is no value.
    pub sub: Option<String>,
    pub title: Option<String>,
    pub numeric: bool,
    /// The second line is words, not digits.
    pub is_reason: bool,
    /// Prose that needs room in a narrow table.
    pub is_long: bool,
    /// Class and sign of a decision's mark before the text.
    pub mark: Option<(&'static str, &'static str)>,
}

impl Table {
    /// `columns`: names, of which all but the first and those ending in "|" hold numbers.
    pub fn new(caption: impl Into<String>, columns: &[impl AsRef<str>]) -> Self {
        let column =
            |(at, name): (usize, &str)| Column::new(name.trim_end_matches('|'), at > 0 && !name.ends_with('|'));
        let columns = columns.iter().map(AsRef::as_ref).enumerate().map(column).collect();
        Self { caption: caption.into(), columns, ..Self::default() }
    }

    pub fn push(&mut self, head: Label, cells: Vec<Cell>) {
        self.rows.push(Row { head, remark: None, cells });
    }
}

impl Column {
    pub fn new(text: impl Into<String>, numeric: bool) -> Self {
        Self { text: text.into(), numeric, title: None }
    }
}

impl Cell {
    pub fn number(text: impl Into<String>) -> Self {
        Self { text: text.into(), numeric: true, ..Self::default() }
    }

    /// How many.
    pub fn count(n: u64) -> Self {
        Self::number(number::count(n))
    }

    /// Free text from anywhere, shortened, the rest in the tooltip.
    pub fn text(text: &str) -> Self {
        let Label { text, title } = Label::fit(text, 160);
        Self { is_long: text.chars().count() > 24, text, title, ..Self::default() }
    }

    pub fn with_sub(self, sub: Option<String>) -> Self {
        Self { sub, ..self }
    }

    /// Nothing was measured here.
    pub fn none() -> Self {
        Self::number("–")
    }

    /// A metric with its interval, or the reason why it has no value.
    pub fn metric(unit: Unit, metric: Option<&Metric>) -> Self {
        let Some(metric) = metric else { return Self::none() };
        match number::measured(unit, metric) {
            Some((value, interval)) => Self::number(value).with_sub(interval),
            None => Self::undefined(metric.undefined_reason.as_deref()),
        }
    }

    /// There is a number, and it is not shown.
    pub fn withheld() -> Self {
        Self { text: say!("word.withheld"), numeric: true, ..Self::default() }
    }

    /// "undefined" with its reason.
    pub fn undefined(reason: Option<&str>) -> Self {
        if reason == Some(WITHHELD) {
            return Self::withheld();
        }
        let sub = Some(reason.map_or_else(|| say!("word.no_reason"), |reason| label::shorten(reason, 80)));
        Self { text: say!("word.undefined"), sub, numeric: true, is_reason: true, ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_undefined_metric_shows_its_reason_instead_of_a_number() {
        let metric = Metric { undefined_reason: Some("no positive labels in the group".into()), ..Metric::default() };
        let cell = Cell::metric(Unit::Share, Some(&metric));
        assert_eq!(cell.text, "undefined");
        assert_eq!(cell.sub.as_deref(), Some("no positive labels in the group"));
    }

    #[test]
    fn a_metric_shows_value_unit_and_interval() {
        let metric = Metric { value: Some(0.306), ci_low: Some(0.3), ci_high: Some(0.312), ..Metric::default() };
        let cell = Cell::metric(Unit::Share, Some(&metric));
        assert_eq!((cell.text.as_str(), cell.sub.as_deref()), ("30.6\u{a0}%", Some("30.0–31.2")));
    }
}
