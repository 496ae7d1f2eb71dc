//! Weighted sums and products over a neighbourhood: all that its surrogates need.

use ndarray::{Array1, Array2, ArrayView2, Axis, ShapeBuilder, Zip, s};

/// Parts a neighbourhood is divided into, so that bootstrap replicates can be put together from parts.
pub(super) const PARTS: usize = 50;

/// Cross products of a neighbourhood. Variables are the features, then the outputs, each with the row's own value
/// subtracted: what remains is small where the model is nearly constant, whatever its level.
pub(super) struct Products {
    /// The row itself, which is in every replicate once.
    own: Array2<f64>,
    /// `[1 + variables]²` each, the constant 1 first; up to [`PARTS`] of nearly equal numbers of neighbours.
    parts: Vec<Array2<f64>>,
}

/// Means and centred cross products of some neighbours.
pub(super) struct Centred {
    pub n_features: usize,
    /// Less the row's own value, `[features + outputs]`.
    pub mean: Array1<f64>,
    /// `[features + outputs]²`.
    pub products: Array2<f64>,
}

impl Products {
    /// `design` is `[neighbours × features]` with the row itself first, `scores` `[neighbours × outputs]`; the weight of
    /// a neighbour is √exp(−d²/`width`²) for its distance d from the row. Columns that lie in one piece are fastest.
    pub fn of(design: ArrayView2<f64>, scores: ArrayView2<f64>, width: f64) -> Self {
        let mut distance2: Array1<f64> = Array1::zeros(design.nrows());
        for column in design.columns() {
            let own = column[0];
            Zip::from(&mut distance2).and(column).for_each(|sum, x| *sum += (x - own) * (x - own));
        }
        let weights = distance2.mapv_into(|distance2| (-distance2 / (2.0 * width * width)).exp());
        Self::weighted(design, scores, &weights)
    }

    /// The same with weights `[neighbours]` of any kind.
    pub fn weighted(design: ArrayView2<f64>, scores: ArrayView2<f64>, weights: &Array1<f64>) -> Self {
        let (n, p, m) = (design.nrows(), design.ncols(), scores.ncols());
        let mut table = Array2::ones((n, 1 + p + m).f());
        for (at, column) in design.columns().into_iter().chain(scores.columns()).enumerate() {
            let own = column[0];
            Zip::from(table.column_mut(1 + at)).and(column).for_each(|less, x| *less = x - own);
        }
        let products = |from: usize, to: usize| {
            let part = table.slice(s![from..to, ..]);
            let weighted = &part * &weights.slice(s![from..to]).insert_axis(Axis(1));
            weighted.t().dot(&part)
        };
        let n_parts = PARTS.min(n - 1);
        let start = |part: usize| 1 + part * (n - 1) / n_parts;
        let parts = (0..n_parts).map(|part| products(start(part), start(part + 1))).collect();
        Self { own: products(0, 1), parts }
    }

    pub fn n_parts(&self) -> usize {
        self.parts.len()
    }

    /// Each part as often as `times` says.
    pub fn with(&self, n_features: usize, times: impl Fn(usize) -> f64) -> Centred {
        let mut sum = self.own.clone();
        self.parts.iter().enumerate().for_each(|(at, part)| sum.scaled_add(times(at), part));
        let weight = sum[[0, 0]];
        let mean = &sum.slice(s![0, 1..]) / weight;
        let mut products = sum.slice(s![1.., 1..]).to_owned();
        for ((i, j), product) in products.indexed_iter_mut() {
            *product -= weight * mean[i] * mean[j];
        }
        // A sum of squares below the rounding of its parts is zero.
        for i in 0..mean.len() {
            if products[[i, i]] <= 1e-14 * sum[[1 + i, 1 + i]] {
                products.row_mut(i).fill(0.0);
                products.column_mut(i).fill(0.0);
            }
        }
        Centred { n_features, mean, products }
    }
}

impl Centred {
    /// Products of the features, `[features × features]`.
    pub fn xx(&self) -> ArrayView2<'_, f64> {
        self.products.slice(s![..self.n_features, ..self.n_features])
    }

    /// Products of the features with an output.
    pub fn xy(&self, output: usize) -> ndarray::ArrayView1<'_, f64> {
        self.products.slice(s![..self.n_features, self.n_features + output])
    }

    /// An output's sum of squares.
    pub fn yy(&self, output: usize) -> f64 {
        let at = self.n_features + output;
        self.products[[at, at]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::random::Stream;

    #[test]
    fn products_are_those_of_the_definition() {
        let stream = Stream::new(4, "products");
        let (n, p, width) = (331, 3, 1.3);
        let design = Array2::from_shape_fn((n, p), |(i, j)| stream.normal((i * p + j) as u64));
        let scores = Array2::from_shape_fn((n, 2), |(i, j)| 1e6 + stream.unit((5_000 + i * 2 + j) as u64));
        let found = Products::of(design.view(), scores.view(), width).with(p, |_| 1.0);
        let distance2 = |i: usize| (0..p).map(|j| (design[[i, j]] - design[[0, j]]).powi(2)).sum::<f64>();
        let weights: Vec<f64> = (0..n).map(|i| (-distance2(i) / width.powi(2)).exp().sqrt()).collect();
        let all = ndarray::concatenate![Axis(1), design, scores];
        let total: f64 = weights.iter().sum();
        let mean = |a: usize| (0..n).map(|i| weights[i] * all[[i, a]]).sum::<f64>() / total;
        for a in 0..p + 2 {
            assert!((found.mean[a] + all[[0, a]] - mean(a)).abs() < 1e-9);
            for b in 0..p + 2 {
                let (of_a, of_b) = (mean(a), mean(b));
                let product: f64 = (0..n).map(|i| weights[i] * (all[[i, a]] - of_a) * (all[[i, b]] - of_b)).sum();
                assert!((found.products[[a, b]] - product).abs() < 1e-7, "{a} {b}");
            }
        }
    }

    #[test]
    fn few_neighbours_make_few_parts_and_every_neighbour_is_in_one() {
        for n in [1, 2, 7, 50, 51, 52, 149] {
            let (design, scores) = (Array2::<f64>::ones((n, 1)), Array2::<f64>::zeros((n, 1)));
            let products = Products::of(design.view(), scores.view(), 1.0);
            let count = products.own[[0, 0]] + products.parts.iter().map(|part| part[[0, 0]]).sum::<f64>();
            assert_eq!((products.n_parts(), count), (PARTS.min(n - 1), n as f64));
        }
    }
}
