//! The label column → classes or values.

use super::batch::Labels;
use super::columns;
use super::error::DataError;
use polars::prelude::*;
use std::collections::{BTreeSet, HashMap};

/// What the label means.
#[derive(Debug, Clone, PartialEq)]
pub enum LabelSpec {
    /// `positive` is class 1, every other value class 0.
    Binary {
        column: String,
        positive: String,
    },
    /// The model's labels in output order, and the names they are shown by; the data may hold either.
    Multiclass {
        column: String,
        classes: Vec<String>,
        names: Vec<String>,
    },
    Value {
        column: String,
    },
}

impl LabelSpec {
    pub fn column(&self) -> &str {
        match self {
            LabelSpec::Binary { column, .. } | LabelSpec::Multiclass { column, .. } | LabelSpec::Value { column } => {
                column
            }
        }
    }
}

/// Reads labels and remembers which values stood for "negative".
#[derive(Debug, Default)]
pub(super) struct LabelReader {
    negatives: BTreeSet<String>,
}

impl LabelReader {
    pub fn read(&mut self, spec: &LabelSpec, series: &Series) -> Result<Labels, DataError> {
        match spec {
            LabelSpec::Binary { column, positive } => self.binary(column, positive, series),
            LabelSpec::Multiclass { column, classes, names } => multiclass(column, classes, names, series),
            LabelSpec::Value { .. } => Ok(Labels::Value(columns::numbers(series)?)),
        }
    }

    fn binary(&mut self, column: &str, positive: &str, series: &Series) -> Result<Labels, DataError> {
        let texts = columns::texts(series)?;
        let mut classes = Vec::with_capacity(texts.len());
        for text in &texts {
            let Some(text) = text else {
                classes.push(None);
                continue;
            };
            let is_positive = same_value(text, positive);
            if !is_positive && !self.negatives.contains(&**text) {
                self.negatives.insert(text.to_string());
                self.check(column, positive)?;
            }
            classes.push(Some(u32::from(is_positive)));
        }
        Ok(Labels::Class(classes))
    }

    /// Two values besides the positive one cannot both be the negative class.
    fn check(&self, column: &str, positive: &str) -> Result<(), DataError> {
        if self.negatives.len() < 2 {
            return Ok(());
        }
        let found: Vec<_> = self.negatives.iter().map(|value| format!("`{value}`")).collect();
        Err(DataError::column(
            column,
            format!(
                "unexpected label values: besides the positive one (`{positive}`) there are {}",
                found.join(" and ")
            ),
            "name the positive value in [data] positive, leave other rows out with [data] filter, or set [model] task = \"multiclass\"",
        ))
    }
}

fn multiclass(column: &str, classes: &[String], names: &[String], series: &Series) -> Result<Labels, DataError> {
    let both = names.iter().enumerate().chain(classes.iter().enumerate());
    let index: HashMap<&str, u32> = both.map(|(at, class)| (class.as_str(), at as u32)).collect();
    let texts = columns::texts(series)?;
    let of = |text: &str| {
        let known = index.get(text).copied();
        known.or_else(|| classes.iter().position(|class| same_value(text, class)).map(|at| at as u32))
    };
    let mut labels = Vec::with_capacity(texts.len());
    for text in texts {
        match text {
            None => labels.push(None),
            Some(text) => match of(&text) {
                Some(class) => labels.push(Some(class)),
                None => {
                    return Err(DataError::column(
                        column,
                        format!("unexpected label value `{text}`; the model's classes are {}", classes.join(", ")),
                        "name the classes in [model] classes in the model's order, or leave such rows out with [data] filter",
                    ));
                }
            },
        }
    }
    Ok(Labels::Class(labels))
}

/// The same text, or the same number or truth value written differently (1, 1.0, true).
fn same_value(text: &str, wanted: &str) -> bool {
    let number = |text: &str| match text {
        "true" => Some(1.0),
        "false" => Some(0.0),
        _ => text.parse::<f64>().ok(),
    };
    text == wanted || matches!((number(text), number(wanted)), (Some(a), Some(b)) if a == b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binary(values: &[Option<&str>], positive: &str) -> Result<Labels, DataError> {
        let spec = LabelSpec::Binary { column: "y".into(), positive: positive.into() };
        LabelReader::default().read(&spec, &Series::new("y".into(), values))
    }

    #[test]
    fn the_positive_value_is_class_one() {
        let labels = binary(&[Some(">50K"), Some("<=50K"), None], ">50K").unwrap();
        assert_eq!(labels, Labels::Class(vec![Some(1), Some(0), None]));
    }

    #[test]
    fn numbers_and_truth_values_match_however_written() {
        for series in [
            Series::new("y".into(), [1i64, 0]),
            Series::new("y".into(), [1.0f64, 0.0]),
            Series::new("y".into(), [true, false]),
        ] {
            let spec = LabelSpec::Binary { column: "y".into(), positive: "1".into() };
            let labels = LabelReader::default().read(&spec, &series).unwrap();
            assert_eq!(labels, Labels::Class(vec![Some(1), Some(0)]));
        }
    }

    #[test]
    fn a_third_value_is_refused() {
        let error = binary(&[Some("yes"), Some("no"), Some("maybe")], "yes").unwrap_err();
        assert!(error.to_string().contains("`maybe` and `no`"), "{error}");
    }

    #[test]
    fn a_class_the_model_does_not_have_is_refused() {
        let spec = LabelSpec::Multiclass { column: "y".into(), classes: vec!["0".into(), "1".into()], names: vec![] };
        let error = LabelReader::default().read(&spec, &Series::new("y".into(), [0i64, 2])).unwrap_err();
        assert!(error.to_string().contains("`2`"), "{error}");
    }
}
