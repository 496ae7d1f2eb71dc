//! Group columns: raw values or bins of a sensitive attribute as level codes.

use super::error::DataError;
use super::source::{Kind, Source};
use polars::prelude::*;
use rayon::prelude::*;
use std::collections::HashMap;

/// The level of rows whose value is missing.
pub const UNKNOWN: &str = "(unknown)";

/// More levels than this in one column is an identifier, not a group.
const MOST_LEVELS: usize = 1_000;

/// A column that groups are made of.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupColumn {
    pub column: String,
    /// Ascending edges of half-open bins `[edge, next)`, with an open bin at each end.
    pub bins: Option<Vec<f64>>,
}

/// Values seen so far and their codes, in order of appearance in the data.
#[derive(Debug, Default)]
pub(super) struct LevelCodes {
    codes: HashMap<String, u32>,
    pub names: Vec<String>,
}

impl LevelCodes {
    fn code(&mut self, name: &str) -> u32 {
        if let Some(code) = self.codes.get(name) {
            return *code;
        }
        let code = self.names.len() as u32;
        self.codes.insert(name.to_owned(), code);
        self.names.push(name.to_owned());
        code
    }

    /// Codes of a batch's column. `whole` says that bins of whole numbers may be named by whole numbers.
    pub fn encode(&mut self, series: &Series, column: &GroupColumn, whole: bool) -> Result<Vec<u32>, DataError> {
        let codes = match &column.bins {
            Some(bins) => self.encode_bins(series, bins, whole)?,
            None => self.encode_values(series)?,
        };
        match self.names.len() > MOST_LEVELS {
            true => Err(DataError::column(
                &column.column,
                format!("more than {MOST_LEVELS} different values"),
                "it looks like an identifier; bin it ({ column = …, bins = […] }) or take it out of [fairness] attributes",
            )),
            false => Ok(codes),
        }
    }

    fn encode_bins(&mut self, series: &Series, bins: &[f64], whole: bool) -> Result<Vec<u32>, DataError> {
        let names = bin_names(bins, whole);
        let values = super::columns::numbers(series)?;
        Ok(values
            .iter()
            .map(|value| match value.is_nan() {
                true => self.code(UNKNOWN),
                false => self.code(&names[bins.partition_point(|edge| edge <= value)]),
            })
            .collect())
    }

    fn encode_values(&mut self, series: &Series) -> Result<Vec<u32>, DataError> {
        let texts = super::columns::texts(series)?;
        Ok(texts.iter().map(|text| self.code(text.as_deref().unwrap_or(UNKNOWN))).collect())
    }
}

/// "<25", "25–44", "45–64", "≥65" for whole numbers; "<25", "[25, 45)", … otherwise.
fn bin_names(bins: &[f64], whole: bool) -> Vec<String> {
    let between = |pair: &[f64]| match whole && pair[0].fract() == 0.0 && pair[1].fract() == 0.0 {
        true if pair[1] - pair[0] == 1.0 => format!("{}", pair[0]),
        true => format!("{}–{}", pair[0], pair[1] - 1.0),
        false => format!("[{}, {})", pair[0], pair[1]),
    };
    let first = bins.first().map(|edge| format!("<{edge}"));
    let last = bins.last().map(|edge| format!("≥{edge}"));
    first.into_iter().chain(bins.windows(2).map(between)).chain(last).collect()
}

/// Encodes every group column of a batch.
pub(super) fn encode_all(
    frame: &DataFrame,
    columns: &[GroupColumn],
    source: &Source,
    levels: &mut [LevelCodes],
) -> Result<Vec<Vec<u32>>, DataError> {
    columns
        .par_iter()
        .zip(levels)
        .map(|(column, levels)| {
            let whole = source.field(&column.column).is_some_and(|field| field.kind == Kind::Integer);
            levels.encode(&super::columns::series(frame, &column.column)?, column, whole)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(series: Series, bins: Option<Vec<f64>>, whole: bool) -> (Vec<u32>, Vec<String>) {
        let mut levels = LevelCodes::default();
        let column = GroupColumn { column: "x".into(), bins };
        (levels.encode(&series, &column, whole).unwrap(), levels.names)
    }

    #[test]
    fn a_value_on_an_edge_belongs_to_the_bin_that_starts_there() {
        let ages = Series::new("x".into(), [Some(24i64), Some(25), Some(44), Some(45), None, Some(70)]);
        let (codes, names) = encode(ages, Some(vec![25.0, 45.0, 65.0]), true);
        let named: Vec<_> = codes.iter().map(|code| names[*code as usize].as_str()).collect();
        assert_eq!(named, ["<25", "25–44", "25–44", "45–64", UNKNOWN, "≥65"]);
    }

    #[test]
    fn missing_values_are_a_level_of_their_own() {
        let (codes, names) = encode(Series::new("x".into(), [Some("F"), None, Some("M"), Some("F")]), None, false);
        assert_eq!((codes, names), (vec![0, 1, 2, 0], vec!["F".to_owned(), UNKNOWN.into(), "M".into()]));
    }

    #[test]
    fn an_identifier_is_not_a_group() {
        let mut levels = LevelCodes::default();
        let ids = Series::new("x".into(), (0..2_000i64).collect::<Vec<_>>());
        let error = levels.encode(&ids, &GroupColumn { column: "id".into(), bins: None }, false).unwrap_err();
        assert!(error.to_string().contains("looks like an identifier"), "{error}");
    }
}
