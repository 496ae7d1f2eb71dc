//! Rows to grow trees on.

use super::sample::Scored;
use crate::dataset::batch::{Column, Features};
use crate::stats::random::Stream;

/// `[column][row]`, uniform between 0 and 1.
pub fn numbers(n_rows: usize, n_columns: usize) -> Vec<Vec<f64>> {
    let column = |at: u64| {
        let stream = Stream::new(at, "surrogate tests");
        (0..n_rows as u64).map(|row| stream.unit(row)).collect()
    };
    (0..n_columns as u64).map(column).collect()
}

/// Number columns with one score a row.
pub fn scored(columns: &[Vec<f64>], score: impl Fn(usize) -> f64) -> Scored {
    let n_rows = columns[0].len();
    Scored {
        features: Features { n_rows, columns: columns.iter().cloned().map(Column::Number).collect() },
        scores: (0..n_rows).map(score).collect(),
        weights: None,
        n_total: n_rows as u64,
    }
}
