//! What the numbers of columns are: spread, ends, whether they are whole.

use crate::dataset::{Column, Features};
use crate::stats::{Accumulator, Moments};

/// One column over all rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// Standard deviation (with n in the denominator) of a number, 0 for texts; of a tensor 1, whose numbers are measured
    /// as they are.
    pub unit: f64,
    /// Least and greatest number; infinite the wrong way round where there is none.
    pub low: f64,
    pub high: f64,
    /// No number has a fraction.
    pub whole: bool,
}

/// Collects columns batch by batch.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Spreads {
    columns: Vec<Seen>,
}

#[derive(Debug, Clone, PartialEq)]
struct Seen {
    moments: Moments,
    tensor: bool,
    low: f64,
    high: f64,
    fraction: bool,
}

impl Seen {
    fn empty(tensor: bool) -> Self {
        let (low, high) = (f64::INFINITY, f64::NEG_INFINITY);
        Self { moments: Moments::default(), tensor, low, high, fraction: false }
    }

    fn see(&mut self, value: f64) {
        if value.is_finite() {
            self.low = self.low.min(value);
            self.high = self.high.max(value);
            self.fraction |= value.fract() != 0.0;
        }
    }
}

impl Spreads {
    /// Counts a batch.
    pub fn update(&mut self, features: &Features) {
        if self.columns.is_empty() {
            let is_tensor = |column: &Column| matches!(column, Column::Tensor { .. });
            self.columns = features.columns.iter().map(|column| Seen::empty(is_tensor(column))).collect();
        }
        for (mine, column) in self.columns.iter_mut().zip(&features.columns) {
            match column {
                Column::Number(values) => values.iter().filter(|value| value.is_finite()).for_each(|value| {
                    mine.moments.update(*value);
                    mine.see(*value);
                }),
                Column::Tensor { values, .. } => values.iter().for_each(|value| mine.see(f64::from(*value))),
                Column::Text(_) => {}
            }
        }
    }

    /// Per column.
    pub fn finish(&self) -> Vec<Spread> {
        let spread = |column: &Seen| Spread {
            unit: match (column.tensor, column.moments.finish()) {
                (true, _) => 1.0,
                (false, Some(summary)) => summary.population_std(),
                (false, None) => 0.0,
            },
            low: column.low,
            high: column.high,
            whole: !column.fraction,
        };
        self.columns.iter().map(spread).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features(numbers: &[f64]) -> Features {
        let values = numbers.iter().map(|value| *value as f32).collect();
        let columns = vec![Column::Number(numbers.to_vec()), Column::Tensor { width: 1, values }];
        Features { n_rows: numbers.len(), columns }
    }

    #[test]
    fn batches_change_nothing_and_missing_values_count_for_nothing() {
        let mut whole = Spreads::default();
        whole.update(&features(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0, f64::NAN]));
        let mut parts = Spreads::default();
        [&[2.0, 4.0, 4.0][..], &[4.0, 5.0], &[5.0, 7.0, 9.0]].iter().for_each(|part| parts.update(&features(part)));
        assert_eq!(whole.finish(), parts.finish());
        assert_eq!(whole.finish()[0], Spread { unit: 2.0, low: 2.0, high: 9.0, whole: true });
        assert_eq!(whole.finish()[1], Spread { unit: 1.0, low: 2.0, high: 9.0, whole: true });
        parts.update(&features(&[0.5]));
        assert!(!parts.finish()[0].whole);
    }
}
