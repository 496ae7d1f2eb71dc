//! Rows that agree in some columns: what a conditional shuffle moves values among.

use crate::dataset::batch::{Column, Features};
use crate::explain::game::random::Draws;
use std::collections::BTreeMap;

/// A number column of more different values is cut at its tenths.
const MOST_VALUES: usize = 20;

/// The rows of a sample, divided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strata {
    /// Rows of each stratum, ascending.
    list: Vec<Vec<usize>>,
}

impl Strata {
    /// Rows are of one stratum if they agree in all of `columns` (positions among the features): in a category or a
    /// number, in the tenth of the rows where a column holds more than 20 different numbers and is no code
    /// (`is_category`, per column), or in having no value.
    pub fn new(features: &Features, columns: &[usize], is_category: &[bool]) -> Self {
        let levels: Vec<Vec<usize>> =
            columns.iter().map(|column| levels(&features.columns[*column], is_category[*column])).collect();
        let mut strata: BTreeMap<Vec<usize>, Vec<usize>> = BTreeMap::new();
        for row in 0..features.n_rows {
            strata.entry(levels.iter().map(|levels| levels[row]).collect()).or_default().push(row);
        }
        Self { list: strata.into_values().collect() }
    }

    pub fn len(&self) -> usize {
        self.list.len()
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Rows that have no other to change places with.
    pub fn n_alone(&self) -> usize {
        self.list.iter().filter(|rows| rows.len() == 1).count()
    }

    /// A random order of the rows in which each keeps its stratum: `order[i]` is the row whose values row i takes.
    pub fn shuffled(&self, draws: &mut Draws) -> Vec<usize> {
        let mut order = vec![0; self.list.iter().map(Vec::len).sum()];
        for rows in &self.list {
            let mut taken = rows.clone();
            draws.shuffle(&mut taken);
            rows.iter().zip(taken).for_each(|(row, from)| order[*row] = from);
        }
        order
    }
}

/// A number for every value, 0 for what is missing.
fn levels(column: &Column, is_category: bool) -> Vec<usize> {
    match column {
        Column::Number(values) => numbers(values, is_category),
        Column::Text(values) => {
            let mut names: BTreeMap<&str, usize> = values.iter().flatten().map(|name| (&**name, 0)).collect();
            names.values_mut().enumerate().for_each(|(at, level)| *level = at + 1);
            values.iter().map(|value| value.as_deref().map_or(0, |name| names[name])).collect()
        }
        // Pictures are no strata; the plan refuses them.
        Column::Tensor { .. } => Vec::new(),
    }
}

fn numbers(values: &[f64], is_category: bool) -> Vec<usize> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
    sorted.sort_by(f64::total_cmp);
    let mut cuts = sorted.clone();
    cuts.dedup();
    if cuts.len() > MOST_VALUES && !is_category {
        cuts = (1..10).map(|tenth| sorted[tenth * sorted.len() / 10]).collect();
        cuts.dedup();
    }
    let level = |value: f64| if value.is_nan() { 0 } else { 1 + cuts.partition_point(|cut| *cut <= value) };
    values.iter().map(|value| level(*value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn features(columns: Vec<Column>, n_rows: usize) -> Features {
        Features { n_rows, columns }
    }

    #[test]
    fn every_row_takes_values_of_its_own_stratum_once() {
        let text = |name: &str| Some(Arc::from(name));
        let texts = vec![text("a"), text("b"), text("a"), None, text("b"), text("a"), None];
        let numbers = vec![1.0, 1.0, 1.0, 1.0, 2.0, 1.0, 1.0];
        let features = features(vec![Column::Text(texts.clone()), Column::Number(numbers.clone())], 7);
        let strata = Strata::new(&features, &[0, 1], &[true, false]);
        assert_eq!((strata.len(), strata.n_alone()), (4, 2));
        for draw in 0..20 {
            let order = strata.shuffled(&mut Draws::new(draw, "strata", &[]));
            let mut seen = order.clone();
            seen.sort_unstable();
            assert_eq!(seen, (0..7).collect::<Vec<_>>());
            assert!((0..7).all(|row| texts[row] == texts[order[row]] && numbers[row] == numbers[order[row]]));
        }
    }

    #[test]
    fn many_numbers_are_cut_at_their_tenths_and_codes_are_not() {
        let column = || vec![Column::Number((0..1_000).map(f64::from).collect())];
        assert_eq!(Strata::new(&features(column(), 1_000), &[0], &[false]).len(), 10);
        let codes = Strata::new(&features(column(), 1_000), &[0], &[true]);
        assert_eq!((codes.len(), codes.n_alone()), (1_000, 1_000));
    }

    #[test]
    fn a_value_that_most_rows_share_is_cut_once_and_missing_ones_are_together() {
        let mut values = vec![0.0; 900];
        values.extend((0..90).map(f64::from));
        values.extend([f64::NAN; 10]);
        let strata = Strata::new(&features(vec![Column::Number(values)], 1_000), &[0], &[false]);
        assert!(strata.len() <= 3, "{}", strata.len());
        assert!(strata.list.iter().any(|rows| rows.len() == 10 && rows[0] == 990));
    }
}
