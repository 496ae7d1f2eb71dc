//! Which of a row's numbers belong to which unit.

/// Dimensions of a layer's output behind the batch, and the one along which its units lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    dims: Vec<usize>,
    axis: usize,
}

impl Layout {
    /// `axis` counts without the batch. Without one, the first of three dimensions and more is taken (channels before
    /// height and width), else the last.
    pub fn new(dims: &[usize], axis: Option<usize>) -> Self {
        let dims = if dims.is_empty() { vec![1] } else { dims.to_vec() };
        let usual = if dims.len() >= 3 { 0 } else { dims.len() - 1 };
        let axis = axis.filter(|axis| *axis < dims.len()).unwrap_or(usual);
        Self { dims, axis }
    }

    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    /// Numbers per row.
    pub fn width(&self) -> usize {
        self.dims.iter().product()
    }

    /// Channels or neurons.
    pub fn n_units(&self) -> usize {
        self.dims[self.axis]
    }

    /// Numbers per row and unit.
    pub fn n_positions(&self) -> usize {
        self.width() / self.n_units().max(1)
    }

    /// Height and width of a unit's numbers, where they make a picture.
    pub fn plane(&self) -> Option<(usize, usize)> {
        let rest: Vec<usize> = self.rest().collect();
        match rest.as_slice() {
            [height, width] if height * width > 1 => Some((*height, *width)),
            _ => None,
        }
    }

    /// Dimensions but that of the units.
    pub fn rest(&self) -> impl Iterator<Item = usize> + '_ {
        self.dims.iter().enumerate().filter(|(at, _)| *at != self.axis).map(|(_, size)| *size)
    }

    /// Numbers between two neighbouring units.
    fn stride(&self) -> usize {
        self.dims[self.axis + 1..].iter().product()
    }

    /// Hands out a row's numbers unit by unit, in order of position: `take(unit, position, number)`.
    pub fn each(&self, row: &[f32], mut take: impl FnMut(usize, usize, f32)) {
        let (units, stride) = (self.n_units(), self.stride());
        for (outer, block) in row.chunks_exact((units * stride).max(1)).enumerate() {
            for (unit, numbers) in block.chunks_exact(stride.max(1)).enumerate() {
                for (inner, number) in numbers.iter().enumerate() {
                    take(unit, outer * stride + inner, *number);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(layout: &Layout) -> Vec<(usize, usize)> {
        let row: Vec<f32> = (0..layout.width()).map(|at| at as f32).collect();
        let mut found = vec![(9, 9); row.len()];
        layout.each(&row, |unit, position, number| found[number as usize] = (unit, position));
        found
    }

    #[test]
    fn channels_stand_first_last_or_alone() {
        let first = Layout::new(&[2, 2, 2], None);
        assert_eq!(units(&first)[..5], [(0, 0), (0, 1), (0, 2), (0, 3), (1, 0)]);
        let last = Layout::new(&[2, 2, 2], Some(2));
        assert_eq!(units(&last)[..5], [(0, 0), (1, 0), (0, 1), (1, 1), (0, 2)]);
        let middle = Layout::new(&[2, 3, 2], Some(1));
        assert_eq!(units(&middle)[..7], [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1), (0, 2)]);
        let dense = Layout::new(&[4], None);
        assert_eq!(units(&dense), [(0, 0), (1, 0), (2, 0), (3, 0)]);
        assert_eq!((first.plane(), last.plane(), dense.plane()), (Some((2, 2)), Some((2, 2)), None));
        assert_eq!((Layout::new(&[], None).n_units(), Layout::new(&[7, 3], None).n_units()), (1, 3));
    }
}
