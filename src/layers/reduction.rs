//! From all numbers of a row to the few that a probe is fitted on.
//!
//! Up to [`MOST_INPUTS`] numbers are taken as they are. Of more, each channel's means over a coarse grid are taken; where
//! even the channels are too many, their means are added up with random signs in random sums (the sparse random
//! projection of Charikar, Chen and Farach-Colton 2002, "count sketch"), which keeps distances on average.

use super::layout::Layout;
use crate::stats::random::Stream;

/// Most numbers that a probe sees of a row.
pub const MOST_INPUTS: usize = 256;

/// One layer's way down.
#[derive(Debug, Clone)]
pub struct Reduction {
    layout: Layout,
    /// Rows and columns of the grid, of positions as (height, width).
    grid: (usize, usize),
    plane: (usize, usize),
    /// Draws sum and sign of each mean.
    sums: Option<Stream>,
}

impl Reduction {
    pub fn new(layout: &Layout, seed: u64) -> Self {
        let rest: Vec<usize> = layout.rest().collect();
        let plane = match rest.as_slice() {
            [height, width] => (*height, *width),
            [] => (1, 1),
            _ => (1, layout.n_positions()),
        };
        let whole = layout.width() <= MOST_INPUTS;
        let room = MOST_INPUTS / layout.n_units().max(1);
        let grid = if whole {
            plane
        } else if plane.0 == 1 || plane.1 == 1 {
            (plane.0.min(room).max(1), plane.1.min(room).max(1))
        } else {
            let side = room.isqrt().max(1);
            (plane.0.min(side), plane.1.min(side))
        };
        let many = layout.n_units() * grid.0 * grid.1 > MOST_INPUTS;
        Self { layout: layout.clone(), grid, plane, sums: many.then(|| Stream::new(seed, "layer sums")) }
    }

    /// Numbers of a row afterwards.
    pub fn n_inputs(&self) -> usize {
        self.n_means().min(MOST_INPUTS)
    }

    fn n_means(&self) -> usize {
        self.layout.n_units() * self.grid.0 * self.grid.1
    }

    /// What was done, for the reader.
    pub fn describe(&self) -> String {
        let means = match self.grid {
            grid if grid == self.plane => "all numbers".to_owned(),
            (1, 1) => "channel means".to_owned(),
            (1, n) | (n, 1) => format!("means of {n} stretches per channel"),
            (rows, columns) => format!("means over a {rows} × {columns} grid per channel"),
        };
        match self.sums {
            Some(_) => format!("{means}, in {MOST_INPUTS} random sums"),
            None => means,
        }
    }

    /// One row.
    pub fn apply(&self, row: &[f32]) -> Vec<f32> {
        let cells = self.grid.0 * self.grid.1;
        let mut sums = vec![0.0_f64; self.n_means()];
        let mut counts = vec![0_u32; cells];
        self.layout.each(row, |unit, position, number| {
            let (y, x) = (position / self.plane.1, position % self.plane.1);
            let cell = y * self.grid.0 / self.plane.0 * self.grid.1 + x * self.grid.1 / self.plane.1;
            sums[unit * cells + cell] += f64::from(number);
            counts[cell] += u32::from(unit == 0);
        });
        let means = sums.iter().enumerate().map(|(at, sum)| sum / f64::from(counts[at % cells].max(1)));
        match self.sums {
            None => means.map(|mean| mean as f32).collect(),
            Some(stream) => {
                let mut out = vec![0.0_f64; MOST_INPUTS];
                for (at, mean) in means.enumerate() {
                    let bits = stream.at(at as u64);
                    let sign = if bits >> 63 == 0 { 1.0 } else { -1.0 };
                    out[bits as usize % MOST_INPUTS] += sign * mean;
                }
                out.into_iter().map(|sum| sum as f32).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(layout: &Layout) -> Vec<f32> {
        (0..layout.width()).map(|at| at as f32).collect()
    }

    #[test]
    fn few_numbers_stay_as_they_are() {
        let layout = Layout::new(&[16, 4, 4], None);
        let reduction = Reduction::new(&layout, 1);
        assert_eq!((reduction.n_inputs(), reduction.apply(&row(&layout))), (256, row(&layout)));
        assert_eq!(reduction.describe(), "all numbers");
    }

    #[test]
    fn channels_last_come_out_by_channel_too() {
        let layout = Layout::new(&[2, 1, 2], Some(2));
        assert_eq!(Reduction::new(&layout, 1).apply(&row(&layout)), [0.0, 2.0, 1.0, 3.0]);
    }

    #[test]
    fn large_maps_become_means_over_a_grid() {
        let layout = Layout::new(&[64, 4, 5], None);
        let reduction = Reduction::new(&layout, 1);
        assert_eq!((reduction.n_inputs(), reduction.grid), (256, (2, 2)));
        let found = reduction.apply(&row(&layout));
        // Rows 0 and 1, columns 0 to 2 of the first channel: 0 1 2 5 6 7.
        assert_eq!(found[0], 21.0 / 6.0);
        let whole: f32 = 6.0 * found[0] + 4.0 * found[1] + 6.0 * found[2] + 4.0 * found[3];
        assert_eq!(whole, (0..20).sum::<i32>() as f32);
        assert_eq!(reduction.describe(), "means over a 2 × 2 grid per channel");
    }

    #[test]
    fn a_sequence_is_cut_into_stretches() {
        let layout = Layout::new(&[300, 8], None);
        let reduction = Reduction::new(&layout, 1);
        assert_eq!((reduction.n_inputs(), reduction.grid), (8 * 32, (1, 32)));
    }

    #[test]
    fn many_channels_are_added_up_with_the_seeds_signs() {
        let layout = Layout::new(&[5_000], None);
        let reduction = Reduction::new(&layout, 1);
        let ones = reduction.apply(&vec![1.0; 5_000]);
        assert_eq!((ones.len(), reduction.describe()), (256, "all numbers, in 256 random sums".to_owned()));
        // Σ of squared sums of n random signs is n on average, with a spread of about √(2/256) of it.
        let norm: f32 = ones.iter().map(|x| x * x).sum();
        assert!((norm / 5_000.0 - 1.0).abs() < 0.4, "{norm}");
        assert_ne!(ones, Reduction::new(&layout, 2).apply(&vec![1.0; 5_000]));
    }
}
