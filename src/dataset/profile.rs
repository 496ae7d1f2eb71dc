//! What columns hold, at a glance: for a first draft of a pipeline, not for results.

use super::error::DataError;
use super::source::{Field, Kind, Source, plain, unreadable};
use polars::prelude::*;

/// Rows looked at to tell few values from many.
const GLANCE_ROWS: u32 = 50_000;

/// Values listed at most; a column with more is not one of categories.
pub const MOST_VALUES: usize = 1000;

/// One column of the data.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    pub field: Field,
    /// Every value but null, as text: numbers by size, texts by letter. `None` where there are more than
    /// [`MOST_VALUES`], and for lists.
    pub values: Option<Vec<String>>,
    /// Whether no two of the first 50,000 rows hold the same, and none holds null.
    pub is_unique: bool,
    /// Smallest and largest number.
    pub range: Option<(f64, f64)>,
}

impl Profile {
    pub fn name(&self) -> &str {
        &self.field.name
    }

    /// Number of different values where they are few.
    pub fn n_values(&self) -> Option<usize> {
        self.values.as_ref().map(Vec::len)
    }
}

/// Looks at every column.
pub fn profile(source: &Source) -> Result<Vec<Profile>, DataError> {
    source.fields.iter().map(|field| one(source, field)).collect()
}

fn one(source: &Source, field: &Field) -> Result<Profile, DataError> {
    let mut profile = Profile { field: field.clone(), values: None, is_unique: false, range: None };
    if matches!(field.kind, Kind::List | Kind::Binary | Kind::Other) {
        return Ok(profile);
    }
    let column = source.frame.clone().select([col(field.name.as_str())]);
    let glance = collected(source, column.clone().limit(GLANCE_ROWS))?;
    let seen = distinct(source, glance.clone().lazy())?;
    profile.is_unique = seen.len() == glance.height() && seen.null_count() == 0;
    if matches!(field.kind, Kind::Integer | Kind::Float) {
        profile.range = range(source, column.clone())?;
    }
    if seen.len() <= MOST_VALUES + 1 {
        let all = distinct(source, column)?;
        profile.values = values(source, &all, field.kind)?.filter(|values| values.len() <= MOST_VALUES);
    }
    Ok(profile)
}

fn collected(source: &Source, frame: LazyFrame) -> Result<DataFrame, DataError> {
    let broken = |error: PolarsError| unreadable(&source.path, plain(&error));
    Ok(frame.collect_with_engine(Engine::Streaming).map_err(broken)?.unwrap_single())
}

fn distinct(source: &Source, column: LazyFrame) -> Result<Column, DataError> {
    let frame = collected(source, column.unique(None, UniqueKeepStrategy::Any))?;
    let only = frame.columns().first().cloned();
    only.ok_or_else(|| unreadable(&source.path, "a column has disappeared"))
}

fn range(source: &Source, column: LazyFrame) -> Result<Option<(f64, f64)>, DataError> {
    let both = [all().as_expr().min().alias("least"), all().as_expr().max().alias("greatest")];
    let frame = collected(source, column.select(both.map(|bound| bound.cast(DataType::Float64))))?;
    let bound = |name: &str| frame.column(name).ok().and_then(|column| column.get(0).ok()?.extract::<f64>());
    Ok(bound("least").zip(bound("greatest")).filter(|(least, greatest)| least.is_finite() && greatest.is_finite()))
}

fn values(source: &Source, column: &Column, kind: Kind) -> Result<Option<Vec<String>>, DataError> {
    let broken = |error: PolarsError| unreadable(&source.path, plain(&error));
    let column = column.drop_nulls();
    if matches!(kind, Kind::Integer | Kind::Float) {
        let numbers = column.cast(&DataType::Float64).map_err(broken)?;
        let mut numbers: Vec<f64> = numbers.f64().map_err(broken)?.iter().flatten().filter(|x| !x.is_nan()).collect();
        numbers.sort_by(f64::total_cmp);
        return Ok(Some(numbers.iter().map(f64::to_string).collect()));
    }
    let texts = column.cast(&DataType::String).map_err(broken)?;
    let mut texts: Vec<String> = texts.str().map_err(broken)?.iter().flatten().map(str::to_owned).collect();
    texts.sort();
    Ok(Some(texts))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profiles(csv: &str) -> Vec<Profile> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data.csv");
        std::fs::write(&path, csv).unwrap();
        profile(&Source::open(&path).unwrap()).unwrap()
    }

    #[test]
    fn columns_are_told_by_their_values() {
        let of = profiles("id,age,job,none\n1,30.5,b,\n2,30.5,a,\n3,-2,,\n");
        assert!(of[0].is_unique && !of[1].is_unique && !of[2].is_unique);
        assert_eq!(of[1].values, Some(vec!["-2".to_owned(), "30.5".to_owned()]));
        assert_eq!(of[1].range, Some((-2.0, 30.5)));
        assert_eq!(of[2].values, Some(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!((of[3].n_values(), of[3].range), (Some(0), None));
    }

    #[test]
    fn many_values_are_not_listed() {
        let rows: String = (0..2_000).map(|row| format!("t{row}\n")).collect();
        let of = profiles(&format!("text\n{rows}"));
        assert_eq!((of[0].n_values(), of[0].is_unique), (None, true));
    }
}
