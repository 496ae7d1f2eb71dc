//! From local differences of differences to the surface of second-order effects.

use super::pair::Along;
use ndarray::{Array1, Array2, Axis};

/// What the surface is averaged with: the rows of each pair of homes, `[homes × homes]`.
pub(super) struct Surface<'a> {
    pub along: [&'a Along; 2],
    pub rows: Array2<f64>,
}

impl Surface<'_> {
    /// The accumulated and centred surface at every pair of nodes, of local effects `[steps × steps]`.
    ///
    /// Effects are added up along both features; then the first-order effects that the sum has along either are taken
    /// away, and at last the mean over the rows (Apley and Zhu 2020, equations 16 and 17; as ALEPlot). A linear map.
    pub fn of(&self, local: &Array2<f64>) -> Array2<f64> {
        let mut surface = Array2::zeros((local.nrows() + 1, local.ncols() + 1));
        for ((a, b), effect) in local.indexed_iter() {
            surface[[a + 1, b + 1]] = effect + surface[[a, b + 1]] + surface[[a + 1, b]] - surface[[a, b]];
        }
        let [along_a, along_b] = self.along;
        let of_a = main_effect(&surface, &self.rows, along_a, along_b);
        let turned = (surface.t().to_owned(), self.rows.t().to_owned());
        let of_b = main_effect(&turned.0, &turned.1, along_b, along_a);
        surface = surface - of_a.insert_axis(Axis(1)) - of_b.insert_axis(Axis(0));
        let mean = self.mean(&surface);
        surface - mean
    }

    fn mean(&self, surface: &Array2<f64>) -> f64 {
        let weighted = self.rows.indexed_iter().map(|((a, b), n)| {
            let nodes = || self.along[0].nodes_of(a).flat_map(|i| self.along[1].nodes_of(b).map(move |j| (i, j)));
            n * nodes().map(|at| surface[at]).sum::<f64>() / nodes().count() as f64
        });
        weighted.sum::<f64>() / self.rows.sum()
    }
}

/// The accumulated first-order effect of a surface along its first axis, one for each node; the first is 0.
fn main_effect(surface: &Array2<f64>, rows: &Array2<f64>, along: &Along, across: &Along) -> Array1<f64> {
    let mut effect = Array1::zeros(surface.nrows());
    for step in 0..along.n_steps() {
        let (mut sum, mut weight) = (0.0, 0.0);
        for home in 0..across.n_homes() {
            // Rows of an interval; of two categories, half of each.
            let n = match along.is_continuous {
                true => rows[[step, home]],
                false => (rows[[step, home]] + rows[[step + 1, home]]) / 2.0,
            };
            let nodes = across.nodes_of(home);
            let differences = nodes.clone().map(|node| surface[[step + 1, node]] - surface[[step, node]]);
            sum += n * differences.sum::<f64>() / nodes.len() as f64;
            weight += n;
        }
        effect[step + 1] = effect[step] + if weight > 0.0 { sum / weight } else { 0.0 };
    }
    effect
}
