//! Categories in the order of their similarity, so that neighbours have rows that are alike.

use super::{DependenceError, Grid, Varied};
use crate::dataset::batch::{Column, Features};
use ndarray::Array2;
use std::collections::{BTreeMap, BTreeSet};

/// More categories than this stay in the order of the grid.
const MOST_ORDERED: usize = 100;
/// Numbers of at most so many different values are compared value by value.
const FEW_VALUES: usize = 10;
/// Quantiles at which distributions of numbers are compared.
const LEVELS: usize = 100;

/// Positions on a grid of categories, similar ones next to each other; empty for numbers.
///
/// Two categories are as far apart as their rows' distributions of all other columns together: the largest difference of
/// the distribution functions for numbers (Kolmogorov and Smirnov), half the sum of differences of shares for categories.
/// The order is that of the first coordinate of classical multidimensional scaling (Apley and Zhu 2020, as ALEPlot and
/// PyALE). It begins with whichever end has the lower position.
///
/// # Errors
/// No such column.
pub(super) fn similar_order(rows: &Features, varied: Varied, grid: &Grid) -> Result<Vec<usize>, DependenceError> {
    let column = varied.column_of(rows)?;
    if grid.is_continuous() {
        return Ok(Vec::new());
    }
    let mut members = vec![Vec::new(); grid.len()];
    for row in 0..rows.n_rows {
        if let Some(place) = grid.position(column, row) {
            members[place].push(row);
        }
    }
    let (present, absent): (Vec<usize>, Vec<usize>) = (0..grid.len()).partition(|place| !members[*place].is_empty());
    if present.len() < 3 || present.len() > MOST_ORDERED {
        return Ok((0..grid.len()).collect());
    }
    let groups: Vec<&[usize]> = present.iter().map(|place| members[*place].as_slice()).collect();
    let mut distances = Array2::zeros((groups.len(), groups.len()));
    for (_, other) in rows.columns.iter().enumerate().filter(|(at, _)| *at != varied.column) {
        distances = distances + apart(other, &groups);
    }
    let coordinate = first_coordinate(&distances);
    let mut order: Vec<usize> = (0..present.len()).collect();
    order.sort_by(|a, b| coordinate[*a].total_cmp(&coordinate[*b]));
    if order.first() > order.last() {
        order.reverse();
    }
    Ok(order.into_iter().map(|at| present[at]).chain(absent).collect())
}

/// Distances of groups of rows by one column, `[groups × groups]`.
fn apart(column: &Column, groups: &[&[usize]]) -> Array2<f64> {
    match column {
        Column::Tensor { .. } => Array2::zeros((groups.len(), groups.len())),
        Column::Text(texts) => pairwise(&shares(groups, |row| &texts[row]), total_variation),
        Column::Number(numbers) => {
            let all: BTreeSet<u64> = numbers.iter().map(|x| x.to_bits()).collect();
            match all.len() <= FEW_VALUES {
                true => pairwise(&shares(groups, |row| numbers[row].to_bits()), total_variation),
                false => pairwise(&distribution_functions(numbers, groups), largest_difference),
            }
        }
    }
}

fn pairwise(profiles: &[Vec<f64>], distance: impl Fn(&[f64], &[f64]) -> f64) -> Array2<f64> {
    Array2::from_shape_fn((profiles.len(), profiles.len()), |(a, b)| distance(&profiles[a], &profiles[b]))
}

/// The share of each value among the rows of each group.
fn shares<T: Ord>(groups: &[&[usize]], value: impl Fn(usize) -> T) -> Vec<Vec<f64>> {
    let mut places: BTreeMap<T, usize> = BTreeMap::new();
    for value in groups.iter().flat_map(|rows| rows.iter()).map(|row| value(*row)) {
        let next = places.len();
        places.entry(value).or_insert(next);
    }
    let of_group = |rows: &&[usize]| {
        let mut shares = vec![0.0; places.len()];
        let found = rows.iter().filter_map(|row| places.get(&value(*row)));
        found.for_each(|place| shares[*place] += 1.0 / rows.len() as f64);
        shares
    };
    groups.iter().map(of_group).collect()
}

/// The share of numbers up to each quantile of all, for each group.
fn distribution_functions(numbers: &[f64], groups: &[&[usize]]) -> Vec<Vec<f64>> {
    let sorted = |numbers: Vec<f64>| {
        let mut known: Vec<f64> = numbers.into_iter().filter(|x| x.is_finite()).collect();
        known.sort_unstable_by(f64::total_cmp);
        known
    };
    let all = sorted(numbers.to_vec());
    if all.is_empty() {
        return vec![Vec::new(); groups.len()];
    }
    let levels: Vec<f64> = (0..LEVELS).map(|level| all[level * (all.len() - 1) / (LEVELS - 1)]).collect();
    let of_group = |rows: &&[usize]| {
        let own = sorted(rows.iter().map(|row| numbers[*row]).collect());
        let share = |level: &f64| own.partition_point(|x| x <= level) as f64 / own.len().max(1) as f64;
        levels.iter().map(share).collect()
    };
    groups.iter().map(of_group).collect()
}

fn total_variation(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f64>() / 2.0
}

fn largest_difference(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// The first coordinate of classical scaling: the leading eigenvector of the doubly centred squares.
fn first_coordinate(distances: &Array2<f64>) -> Vec<f64> {
    let n = distances.nrows();
    let squares = distances.mapv(|distance| distance * distance);
    let mean = |row: usize| squares.row(row).sum() / n as f64;
    let means: Vec<f64> = (0..n).map(mean).collect();
    let all = means.iter().sum::<f64>() / n as f64;
    let centred = Array2::from_shape_fn((n, n), |(a, b)| -0.5 * (squares[[a, b]] - means[a] - means[b] + all));
    leading_eigenvector(centred)
}

/// The eigenvector of the largest eigenvalue of a symmetric matrix, by Jacobi's rotations.
fn leading_eigenvector(mut matrix: Array2<f64>) -> Vec<f64> {
    const SWEEPS: usize = 50;
    let n = matrix.nrows();
    let mut vectors = Array2::<f64>::eye(n);
    let size = matrix.iter().map(|x| x * x).sum::<f64>();
    for _ in 0..SWEEPS {
        let off: f64 = matrix.indexed_iter().filter(|((a, b), _)| a != b).map(|(_, x)| x * x).sum();
        if off <= 1e-28 * size {
            break;
        }
        for a in 0..n {
            for b in a + 1..n {
                rotate(&mut matrix, &mut vectors, a, b);
            }
        }
    }
    let leading = (0..n).max_by(|a, b| matrix[[*a, *a]].total_cmp(&matrix[[*b, *b]])).unwrap_or(0);
    vectors.column(leading).to_vec()
}

/// Turns axes `a` and `b` so that the matrix has nothing off its diagonal there.
fn rotate(matrix: &mut Array2<f64>, vectors: &mut Array2<f64>, a: usize, b: usize) {
    if matrix[[a, b]] == 0.0 {
        return;
    }
    let theta = (matrix[[b, b]] - matrix[[a, a]]) / (2.0 * matrix[[a, b]]);
    let tangent = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
    let cosine = 1.0 / (tangent * tangent + 1.0).sqrt();
    let sine = tangent * cosine;
    let turn = |x: f64, y: f64| (cosine * x - sine * y, sine * x + cosine * y);
    for k in 0..matrix.nrows() {
        (matrix[[k, a]], matrix[[k, b]]) = turn(matrix[[k, a]], matrix[[k, b]]);
    }
    for k in 0..matrix.nrows() {
        (matrix[[a, k]], matrix[[b, k]]) = turn(matrix[[a, k]], matrix[[b, k]]);
        (vectors[[k, a]], vectors[[k, b]]) = turn(vectors[[k, a]], vectors[[k, b]]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_leading_eigenvector_is_found() {
        let matrix = ndarray::array![[2.0, 1.0, 0.0], [1.0, 2.0, 0.0], [0.0, 0.0, -7.0]];
        let vector = leading_eigenvector(matrix);
        assert!((vector[0] - vector[1]).abs() < 1e-14 && vector[2].abs() < 1e-14 && vector[0].abs() > 0.7);
    }

    #[test]
    fn categories_stand_beside_those_with_similar_rows() {
        // Names are in another order than the numbers that go with them.
        let names = ["d", "a", "c", "b"];
        let texts = (0..400).map(|row| Some(names[row % 4].into())).collect();
        let numbers = (0..400).map(|row| (row % 4) as f64 * 10.0 + (row / 4) as f64).collect();
        let rows = Features { n_rows: 400, columns: vec![Column::Text(texts), Column::Number(numbers)] };
        let varied = Varied { column: 0, name: "name" };
        let grid = Grid::observed(&rows, varied).unwrap();
        let order = similar_order(&rows, varied, &grid).unwrap();
        let named: Vec<String> = order.iter().map(|place| grid.category(*place)).collect();
        assert_eq!(named, ["b", "c", "a", "d"]);
    }

    #[test]
    fn few_categories_and_numbers_stay_as_they_are() {
        let texts = vec![Some("b".into()), Some("a".into())];
        let rows = Features { n_rows: 2, columns: vec![Column::Text(texts), Column::Number(vec![1.0, 2.0])] };
        let (text, number) = (Varied { column: 0, name: "t" }, Varied { column: 1, name: "n" });
        let grid = |varied| Grid::observed(&rows, varied).unwrap();
        assert_eq!(similar_order(&rows, text, &grid(text)), Ok(vec![0, 1]));
        assert_eq!(similar_order(&rows, number, &grid(number)), Ok(vec![]));
    }
}
