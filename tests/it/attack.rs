//! An attacker with everything published and a linear program: how far can a count be narrowed down?

/// Kinds of rows in a cell: true positives, false positives, true negatives, false negatives.
pub const KINDS: usize = 4;
pub const ALL: [f64; KINDS] = [1.0; KINDS];
pub const TRUE_POSITIVES: [f64; KINDS] = [1.0, 0.0, 0.0, 0.0];
pub const SELECTED: [f64; KINDS] = [1.0, 1.0, 0.0, 0.0];
pub const POSITIVE: [f64; KINDS] = [1.0, 0.0, 0.0, 1.0];
pub const NEGATIVE: [f64; KINDS] = [0.0, 1.0, 1.0, 0.0];
pub const CORRECT: [f64; KINDS] = [1.0, 0.0, 1.0, 0.0];
pub const FALSE_POSITIVES: [f64; KINDS] = [0.0, 1.0, 0.0, 0.0];

/// Counts over all columns together are unknown; everything published is a sum of them.
pub struct Attack {
    pub columns: Vec<String>,
    /// Levels of every cell, one a column.
    cells: Vec<Vec<String>>,
    /// `coefficients · unknown ≤ limit`.
    known: Vec<(Vec<f64>, f64)>,
}

impl Attack {
    pub fn new(columns: &[&str], cells: Vec<Vec<String>>) -> Self {
        Self { columns: columns.iter().map(|c| (*c).to_owned()).collect(), cells, known: Vec::new() }
    }

    /// The sum over all cells of a group ("sex,race", "Female,Black"), each kind with its weight.
    pub fn sum(&self, attribute: &str, group: &str, kinds: [f64; KINDS]) -> Vec<f64> {
        let wanted: Vec<(usize, &str)> = match attribute {
            "" => Vec::new(),
            _ => attribute
                .split(',')
                .zip(group.split(','))
                .map(|(column, level)| (self.columns.iter().position(|c| c == column).unwrap(), level))
                .collect(),
        };
        let inside = |cell: &Vec<String>| wanted.iter().all(|(column, level)| cell[*column] == *level);
        self.cells.iter().flat_map(|cell| kinds.map(|k| if inside(cell) { k } else { 0.0 })).collect()
    }

    pub fn between(&mut self, sum: Vec<f64>, low: f64, high: f64) {
        self.known.push((sum.iter().map(|c| -c).collect(), -low));
        self.known.push((sum, high));
    }

    /// `part / whole` lies within `error` of `share`.
    pub fn share(&mut self, part: Vec<f64>, whole: Vec<f64>, share: f64, error: f64) {
        let minus = |share: f64| part.iter().zip(&whole).map(|(p, w)| p - share * w).collect::<Vec<_>>();
        self.known.push((minus(share + error), 1e-7));
        self.known.push((minus(share - error).iter().map(|c| -c).collect(), 1e-7));
    }

    /// The least and the most that a sum of whole numbers can be.
    pub fn range(&self, sum: &[f64]) -> (f64, f64) {
        let most = maximum(&self.known, sum).expect("what is published is true of the data");
        let least = -maximum(&self.known, &sum.iter().map(|c| -c).collect::<Vec<_>>()).unwrap();
        ((least - 1e-5).ceil(), (most + 1e-5).floor())
    }
}

const EPSILON: f64 = 1e-9;

/// max c·x with A x ≤ b and x ≥ 0 by the simplex method in two phases; `None` if nothing satisfies it. Bland's rule, so
/// that it ends.
pub fn maximum(rows: &[(Vec<f64>, f64)], objective: &[f64]) -> Option<f64> {
    let (m, n) = (rows.len(), objective.len());
    let mut basis: Vec<usize> = (n..n + m).collect();
    let mut free: Vec<usize> = (0..n).chain([usize::MAX]).collect();
    let mut t = vec![vec![0.0; n + 2]; m + 2];
    for (row, (coefficients, limit)) in rows.iter().enumerate() {
        t[row][..n].copy_from_slice(coefficients);
        (t[row][n], t[row][n + 1]) = (-1.0, *limit);
    }
    objective.iter().enumerate().for_each(|(column, c)| t[m][column] = -c);
    t[m + 1][n] = 1.0;
    let worst = (0..m).min_by(|a, b| t[*a][n + 1].total_cmp(&t[*b][n + 1]))?;
    if t[worst][n + 1] < -EPSILON {
        pivot(&mut t, &mut basis, &mut free, worst, n);
        climb(&mut t, &mut basis, &mut free, m + 1);
        if t[m + 1][n + 1] < -1e-6 {
            return None;
        }
        if let Some(row) = basis.iter().position(|name| *name == usize::MAX) {
            let column = (0..=n).max_by(|a, b| t[row][*a].abs().total_cmp(&t[row][*b].abs()))?;
            pivot(&mut t, &mut basis, &mut free, row, column);
        }
    }
    climb(&mut t, &mut basis, &mut free, m);
    Some(t[m][n + 1])
}

fn climb(t: &mut [Vec<f64>], basis: &mut [usize], free: &mut [usize], objective: usize) {
    let m = basis.len();
    let n = free.len() - 1;
    loop {
        let entering = (0..=n).filter(|c| t[objective][*c] < -EPSILON && (objective > m || free[*c] != usize::MAX));
        let Some(column) = entering.min_by_key(|column| free[*column]) else { return };
        let ratio = |row: usize| t[row][n + 1] / t[row][column];
        let leaving = (0..m).filter(|row| t[*row][column] > EPSILON);
        let leaving = leaving.min_by(|a, b| ratio(*a).total_cmp(&ratio(*b)).then(basis[*a].cmp(&basis[*b])));
        let Some(row) = leaving else {
            t[objective][n + 1] = f64::INFINITY;
            return;
        };
        pivot(t, basis, free, row, column);
    }
}

fn pivot(t: &mut [Vec<f64>], basis: &mut [usize], free: &mut [usize], row: usize, column: usize) {
    let inverse = 1.0 / t[row][column];
    let own = t[row].clone();
    for (_, line) in t.iter_mut().enumerate().filter(|(at, _)| *at != row) {
        let factor = line[column] * inverse;
        if factor != 0.0 {
            line.iter_mut().zip(&own).for_each(|(value, own)| *value -= own * factor);
        }
        line[column] = -factor;
    }
    t[row].iter_mut().for_each(|value| *value *= inverse);
    t[row][column] = inverse;
    std::mem::swap(&mut basis[row], &mut free[column]);
}

#[test]
fn the_simplex_finds_the_known_maximum() {
    let rows = vec![(vec![1.0, 1.0], 4.0), (vec![1.0, 3.0], 6.0), (vec![-1.0, 0.0], -1.0)];
    assert!((maximum(&rows, &[3.0, 2.0]).unwrap() - 12.0).abs() < 1e-9);
    assert!((maximum(&rows, &[-1.0, 1.0]).unwrap() - 2.0 / 3.0).abs() < 1e-9);
    assert_eq!(maximum(&[(vec![1.0], 1.0), (vec![-1.0], -2.0)], &[1.0]), None);
}
