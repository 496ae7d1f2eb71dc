//! Individual fairness: do rows that are alike get the same decision?

use super::people::People;
use crate::dataset::batch::Column;
use rayon::prelude::*;
use std::collections::HashMap;

/// Nearest rows that a row is compared with (Zemel et al. 2013; AIF360's default).
pub const NEIGHBOURS: usize = 5;

/// How two values of a column differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    /// By their distance in standard deviations of the sample.
    Distance,
    /// They are equal or not (distance 1).
    Equality,
    /// The column is left out, as that of a sensitive attribute.
    LeaveOut,
}

/// A column ready for distances.
enum Axis {
    Number(Vec<f64>),
    Code(Vec<u32>),
}

/// Per row: the share of its [`NEIGHBOURS`] nearest other rows that have its decision (the first of equally near).
/// Missing values are at distance 0 from each other and 1 from any value. Empty for fewer than two rows, without
/// decisions, or if all columns are left out.
pub fn neighbour_agreement(people: &People, compare: &[Compare]) -> Vec<f64> {
    let axes: Vec<Axis> = people.features.columns.iter().zip(compare).filter_map(|(c, how)| axis(c, *how)).collect();
    let n = people.n_rows();
    if n < 2 || axes.is_empty() || people.decisions.is_empty() {
        return Vec::new();
    }
    let share = |row: usize| {
        let mut nearest: Vec<(f64, usize)> = Vec::with_capacity(NEIGHBOURS + 1);
        for other in (0..n).filter(|other| *other != row) {
            let distance = distance(&axes, row, other);
            if nearest.len() == NEIGHBOURS && nearest.last().is_some_and(|last| last.0 <= distance) {
                continue;
            }
            let at = nearest.partition_point(|near| near.0 <= distance);
            nearest.insert(at, (distance, other));
            nearest.truncate(NEIGHBOURS);
        }
        let same = nearest.iter().filter(|(_, other)| people.decisions[*other] == people.decisions[row]).count();
        same as f64 / nearest.len() as f64
    };
    (0..n).into_par_iter().map(share).collect()
}

fn axis(column: &Column, compare: Compare) -> Option<Axis> {
    match (column, compare) {
        (_, Compare::LeaveOut) | (Column::Tensor { .. }, _) => None,
        (Column::Number(values), Compare::Distance) => Some(Axis::Number(standardised(values))),
        (Column::Number(values), Compare::Equality) => {
            Some(Axis::Code(codes(values.iter().map(|value| (!value.is_nan()).then(|| value.to_bits())))))
        }
        (Column::Text(values), _) => Some(Axis::Code(codes(values.iter().map(|value| value.as_deref())))),
    }
}

fn standardised(values: &[f64]) -> Vec<f64> {
    let known = || values.iter().filter(|value| value.is_finite());
    let n = known().count().max(1) as f64;
    let mean = known().sum::<f64>() / n;
    let deviation = (known().map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt();
    let scale = if deviation > 0.0 { deviation } else { 1.0 };
    values.iter().map(|value| if value.is_finite() { (value - mean) / scale } else { f64::NAN }).collect()
}

/// Numbers for distinct values, 0 for missing.
fn codes<T: std::hash::Hash + Eq>(values: impl Iterator<Item = Option<T>>) -> Vec<u32> {
    let mut seen: HashMap<T, u32> = HashMap::new();
    values
        .map(|value| match value {
            None => 0,
            Some(value) => {
                let next = seen.len() as u32 + 1;
                *seen.entry(value).or_insert(next)
            }
        })
        .collect()
}

/// Squared.
fn distance(axes: &[Axis], a: usize, b: usize) -> f64 {
    let along = |axis: &Axis| match axis {
        Axis::Number(values) => match (values[a].is_nan(), values[b].is_nan()) {
            (false, false) => (values[a] - values[b]).powi(2),
            (true, true) => 0.0,
            _ => 1.0,
        },
        Axis::Code(codes) => f64::from(u8::from(codes[a] != codes[b])),
    };
    axes.iter().map(along).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::batch::Features;
    use crate::stats::random::Stream;
    use std::sync::Arc;

    fn people(columns: Vec<Column>, decisions: Vec<u32>) -> People {
        let n = decisions.len();
        let features = Features { n_rows: n, columns };
        People { features, codes: Vec::new(), scores: vec![0.0; n], decisions, n_total: n as u64 }
    }

    #[test]
    fn the_nearest_rows_are_those_of_a_full_sort() {
        let stream = Stream::new(3, "neighbours");
        let n = 120u64;
        let numbers: Vec<f64> =
            (0..n).map(|i| if i % 13 == 0 { f64::NAN } else { (stream.unit(i) * 10.0).floor() }).collect();
        let texts: Vec<Option<Arc<str>>> =
            (0..n).map(|i| (i % 7 > 0).then(|| Arc::from((stream.at(n + i) % 3).to_string()))).collect();
        let decisions: Vec<u32> = (0..n).map(|i| (stream.at(2 * n + i) % 2) as u32).collect();
        let people = people(vec![Column::Number(numbers), Column::Text(texts)], decisions);
        let compare = [Compare::Distance, Compare::Equality];
        let axes: Vec<Axis> = people.features.columns.iter().zip(compare).filter_map(|(c, how)| axis(c, how)).collect();
        let found = neighbour_agreement(&people, &compare);
        for (row, share) in found.iter().enumerate() {
            let mut others: Vec<usize> = (0..n as usize).filter(|other| *other != row).collect();
            others.sort_by(|a, b| distance(&axes, row, *a).total_cmp(&distance(&axes, row, *b)));
            let same = others[..5].iter().filter(|other| people.decisions[**other] == people.decisions[row]).count();
            assert_eq!(*share, same as f64 / 5.0, "{row}");
        }
    }

    #[test]
    fn two_clusters_decided_alike_agree_and_a_column_left_out_is_not_seen() {
        let far: Vec<f64> = (0..40).map(|i| f64::from(i % 2) * 100.0 + f64::from(i) / 100.0).collect();
        let decisions: Vec<u32> = (0..40).map(|i| i % 2).collect();
        let noise: Vec<f64> = (0..40).map(|i| f64::from(i / 2)).collect();
        let people = people(vec![Column::Number(far), Column::Number(noise)], decisions);
        assert!(
            neighbour_agreement(&people, &[Compare::Distance, Compare::LeaveOut]).iter().all(|share| *share == 1.0)
        );
        let blind = neighbour_agreement(&people, &[Compare::LeaveOut, Compare::Distance]);
        assert!(blind.iter().sum::<f64>() / 40.0 < 0.7);
        assert!(neighbour_agreement(&people, &[Compare::LeaveOut, Compare::LeaveOut]).is_empty());
    }

    #[test]
    fn fewer_rows_than_neighbours_are_all_compared() {
        let people = people(vec![Column::Number(vec![1.0, 2.0, 3.0])], vec![1, 1, 0]);
        assert_eq!(neighbour_agreement(&people, &[Compare::Distance]), [0.5, 0.5, 0.0]);
    }
}
