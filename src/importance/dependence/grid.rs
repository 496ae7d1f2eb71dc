//! Values at which a curve is evaluated.

use super::{DependenceError, Varied};
use crate::dataset::batch::{Column, Features};
use crate::stats::{Accumulator, Quantiles};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Values of one feature, in the order of the curve.
#[derive(Debug, Clone, PartialEq)]
pub enum Grid {
    /// Finite, ascending and different; they are the x of the points.
    Numbers(Vec<f64>),
    /// Categories; the x of a point is the position here. `None` is the missing value.
    Texts(Vec<Option<Arc<str>>>),
    /// Categories that the data hold as numbers, ascending, with their names.
    Codes(Vec<(f64, String)>),
}

/// Name of the missing category.
const MISSING: &str = "(missing)";

impl Grid {
    /// The given numbers in order, each once. Missing and infinite ones are left out.
    pub fn given(numbers: &[f64]) -> Self {
        let mut numbers: Vec<f64> = numbers.iter().copied().filter(|x| x.is_finite()).collect();
        numbers.sort_unstable_by(f64::total_cmp);
        numbers.dedup();
        Grid::Numbers(numbers)
    }

    /// The given categories, each once.
    pub fn texts(categories: impl Iterator<Item = String>) -> Self {
        let categories: BTreeSet<Option<Arc<str>>> = categories.map(|text| Some(Arc::from(text))).collect();
        Grid::Texts(categories.into_iter().collect())
    }

    /// The given codes in order, each once, called by their position in `names`, else by the number.
    pub fn codes(codes: &[f64], names: &[String]) -> Self {
        let Grid::Numbers(codes) = Self::given(codes) else { return Grid::Codes(Vec::new()) };
        let name = |code: f64| match names.get(code as usize).filter(|_| code >= 0.0 && code.fract() == 0.0) {
            Some(name) => name.clone(),
            None => code.to_string(),
        };
        Grid::Codes(codes.into_iter().map(|code| (code, name(code))).collect())
    }

    /// All values that occur; for texts in alphabetical order, missing first.
    ///
    /// # Errors
    /// No such column, tensors, or nothing but missing numbers.
    pub fn observed(rows: &Features, varied: Varied) -> Result<Self, DependenceError> {
        let grid = match varied.column_of(rows)? {
            Column::Number(numbers) => Grid::given(numbers),
            Column::Text(texts) => Grid::Texts(texts.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect()),
            Column::Tensor { .. } => return Err(DependenceError::Tensor { feature: varied.name.to_owned() }),
        };
        grid.not_empty(varied)
    }

    /// Up to `points` quantiles at equal steps between the levels `from` and `to`, or all values if they are as few.
    /// Partial dependence leaves out the tails (0.05 to 0.95); accumulated effects need all rows (0 to 1).
    /// Each is a number that occurs, so that between any two of them there is at least one row.
    ///
    /// # Errors
    /// As [`Grid::observed`], which also serves columns of texts.
    pub fn quantiles(
        rows: &Features,
        varied: Varied,
        points: usize,
        from: f64,
        to: f64,
    ) -> Result<Self, DependenceError> {
        let Grid::Numbers(values) = Grid::observed(rows, varied)? else { return Grid::observed(rows, varied) };
        let Column::Number(numbers) = varied.column_of(rows)? else { return Ok(Grid::Numbers(values)) };
        if values.len() <= points {
            return Ok(Grid::Numbers(values));
        }
        let mut all = Quantiles::with_limit(usize::MAX);
        numbers.iter().filter(|x| x.is_finite()).for_each(|x| all.update(*x));
        let sorted = all.finish();
        let steps = points.saturating_sub(1).max(1) as f64;
        let level = |i: usize| from + (to - from) * (i as f64 / steps);
        let quantile = |i: usize| sorted.quantiles([level(i)]).map(|[x]| nearest(&values, x));
        Ok(Grid::given(&(0..points).filter_map(quantile).collect::<Vec<_>>()))
    }

    pub fn len(&self) -> usize {
        match self {
            Grid::Numbers(numbers) => numbers.len(),
            Grid::Texts(texts) => texts.len(),
            Grid::Codes(codes) => codes.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The x of a point.
    pub fn x(&self, at: usize) -> f64 {
        match self {
            Grid::Numbers(numbers) => numbers[at],
            Grid::Texts(_) => at as f64,
            Grid::Codes(codes) => codes[at].0,
        }
    }

    /// The name of a category, "" for numbers.
    pub fn category(&self, at: usize) -> String {
        match self {
            Grid::Numbers(_) => String::new(),
            Grid::Texts(texts) => texts[at].as_deref().unwrap_or(MISSING).to_owned(),
            Grid::Codes(codes) => codes[at].1.clone(),
        }
    }

    /// All values as a column, and the missing one behind them where numbers are `with_missing`.
    pub fn values(&self, with_missing: bool) -> Column {
        let mut values = match self {
            Grid::Numbers(numbers) => numbers.clone(),
            Grid::Codes(codes) => codes.iter().map(|(code, _)| *code).collect(),
            Grid::Texts(texts) => return Column::Text(texts.clone()),
        };
        values.extend(with_missing.then_some(f64::NAN));
        Column::Number(values)
    }

    /// Which category a row of the column is of.
    pub(super) fn position(&self, column: &Column, row: usize) -> Option<usize> {
        match (self, column) {
            (Grid::Texts(texts), Column::Text(column)) => texts.iter().position(|text| *text == column[row]),
            (Grid::Codes(codes), Column::Number(column)) => codes.iter().position(|(code, _)| *code == column[row]),
            _ => None,
        }
    }

    /// Whether neighbouring values have numbers between them.
    pub fn is_continuous(&self) -> bool {
        matches!(self, Grid::Numbers(_))
    }

    /// A column of `n_rows` that holds the value `at` everywhere.
    pub(super) fn column(&self, at: usize, n_rows: usize) -> Column {
        match self {
            Grid::Numbers(numbers) => Column::Number(vec![numbers[at]; n_rows]),
            Grid::Codes(codes) => Column::Number(vec![codes[at].0; n_rows]),
            Grid::Texts(texts) => Column::Text(vec![texts[at].clone(); n_rows]),
        }
    }

    /// # Errors
    /// There are no rows, or the grid has no values, or of another kind than the column.
    pub(super) fn check(&self, rows: &Features, varied: Varied) -> Result<(), DependenceError> {
        if rows.n_rows == 0 {
            return Err(DependenceError::NoRows { feature: varied.name.to_owned() });
        }
        let column = match varied.column_of(rows)? {
            Column::Number(_) => "numbers",
            Column::Text(_) => "text",
            Column::Tensor { .. } => return Err(DependenceError::Tensor { feature: varied.name.to_owned() }),
        };
        let grid = match self {
            Grid::Numbers(_) | Grid::Codes(_) => "numbers",
            Grid::Texts(_) => "text",
        };
        if column != grid {
            return Err(DependenceError::GridKind { feature: varied.name.to_owned(), column, grid });
        }
        self.clone().not_empty(varied).map(|_| ())
    }

    fn not_empty(self, varied: Varied) -> Result<Self, DependenceError> {
        let why = "it is missing or infinite everywhere";
        if self.is_empty() { Err(DependenceError::NoGrid { feature: varied.name.to_owned(), why }) } else { Ok(self) }
    }
}

impl Varied<'_> {
    pub(super) fn column_of<'a>(&self, rows: &'a Features) -> Result<&'a Column, DependenceError> {
        let found = rows.columns.len();
        let none = || DependenceError::NoColumn { feature: self.name.to_owned(), column: self.column, found };
        rows.columns.get(self.column).ok_or_else(none)
    }

    /// Whether some row has no number of this feature.
    pub fn has_missing(&self, rows: &Features) -> Result<bool, DependenceError> {
        match self.column_of(rows)? {
            Column::Number(numbers) => Ok(numbers.iter().any(|number| number.is_nan())),
            Column::Text(_) | Column::Tensor { .. } => Ok(false),
        }
    }
}

/// The nearest of ascending values, the lower of two that are equally near.
fn nearest(values: &[f64], x: f64) -> f64 {
    let above = values.partition_point(|value| *value < x).min(values.len() - 1);
    let below = above.saturating_sub(1);
    if x - values[below] <= values[above] - x { values[below] } else { values[above] }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VARIED: Varied = Varied { column: 0, name: "x" };

    fn rows(column: Column, n_rows: usize) -> Features {
        Features { n_rows, columns: vec![column] }
    }

    fn numbers(numbers: &[f64]) -> Features {
        rows(Column::Number(numbers.to_vec()), numbers.len())
    }

    #[test]
    fn few_values_are_taken_as_they_are() {
        let grid = Grid::quantiles(&numbers(&[3.0, 1.0, f64::NAN, 3.0, f64::INFINITY, -0.0]), VARIED, 5, 0.05, 0.95);
        assert_eq!(grid, Ok(Grid::Numbers(vec![0.0, 1.0, 3.0])));
    }

    #[test]
    fn many_values_are_thinned_to_quantiles_that_occur() {
        let all: Vec<f64> = (0..=1_000).map(f64::from).collect();
        let grid = Grid::quantiles(&numbers(&all), VARIED, 5, 0.0, 1.0);
        assert_eq!(grid, Ok(Grid::Numbers(vec![0.0, 250.0, 500.0, 750.0, 1_000.0])));
        let inner = Grid::quantiles(&numbers(&all), VARIED, 3, 0.05, 0.95);
        assert_eq!(inner, Ok(Grid::Numbers(vec![50.0, 500.0, 950.0])));
        let skewed: Vec<f64> = (0..1_000).map(|i| if i < 900 { 0.0 } else { f64::from(i) + 0.5 }).collect();
        let Ok(Grid::Numbers(grid)) = Grid::quantiles(&numbers(&skewed), VARIED, 20, 0.0, 1.0) else { panic!("grid") };
        assert!(grid.iter().all(|x| skewed.contains(x)) && grid.len() > 1 && grid[0] == 0.0);
        assert_eq!(grid[grid.len() - 1], 999.5);
    }

    #[test]
    fn texts_are_categories() {
        let texts = Column::Text(vec![Some("b".into()), None, Some("a".into()), Some("b".into())]);
        let grid = Grid::quantiles(&rows(texts, 4), VARIED, 2, 0.0, 1.0).unwrap();
        assert_eq!(grid, Grid::Texts(vec![None, Some("a".into()), Some("b".into())]));
        assert_eq!((grid.len(), grid.x(2)), (3, 2.0));
    }

    #[test]
    fn nothing_to_draw_at_is_an_error() {
        assert!(matches!(Grid::observed(&numbers(&[f64::NAN]), VARIED), Err(DependenceError::NoGrid { .. })));
        let beyond = Varied { column: 3, name: "x" };
        assert!(matches!(Grid::observed(&numbers(&[1.0]), beyond), Err(DependenceError::NoColumn { found: 1, .. })));
        let tensor = rows(Column::Tensor { width: 1, values: vec![1.0] }, 1);
        assert!(matches!(Grid::observed(&tensor, VARIED), Err(DependenceError::Tensor { .. })));
        let wrong = Grid::Texts(vec![None]).check(&numbers(&[1.0]), VARIED);
        assert!(matches!(wrong, Err(DependenceError::GridKind { column: "numbers", grid: "text", .. })));
    }
}
