//! Moving numbers around within a row: shapes of one row, row-major, the batch axis left out.

use super::error::ImportError;

/// Numbers of one row that are followed; a file could ask for any number.
pub const LARGEST_ROW: usize = 1 << 20;

/// A rearranged row: `picks[to] = (operand, from)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    pub dims: Vec<usize>,
    pub picks: Vec<(usize, usize)>,
}

/// Two rows stretched to one shape: where each element stands in the left and in the right row.
#[derive(Debug, Clone, PartialEq)]
pub struct Stretched {
    pub dims: Vec<usize>,
    pub pairs: Vec<(usize, usize)>,
}

type Rearranged = Result<Layout, ImportError>;

/// Elements of a row, if that many are followed.
pub fn size(dims: &[usize]) -> Result<usize, ImportError> {
    let product = dims.iter().try_fold(1_usize, |product, dim| product.checked_mul(*dim));
    product.filter(|size| *size <= LARGEST_ROW).ok_or_else(|| ImportError::TooLarge {
        what: "the width of a row",
        found: dims.iter().map(usize::to_string).collect::<Vec<_>>().join(" × "),
        limit: LARGEST_ROW,
    })
}

/// An axis of the whole tensor (negative from the end) as an axis of the row.
pub fn row_axis(axis: i64, dims: &[usize]) -> Result<usize, ImportError> {
    let rank = dims.len() as i64 + 1;
    let axis = if axis < 0 { axis + rank } else { axis };
    match axis {
        0 => ImportError::no_rule("it works across rows"),
        axis if axis > 0 && axis < rank => Ok(axis as usize - 1),
        axis => ImportError::no_rule(format!("axis {axis} is beyond rank {rank}")),
    }
}

impl Layout {
    /// The same numbers in the same order.
    pub fn with_dims(dims: Vec<usize>) -> Rearranged {
        let picks = (0..size(&dims)?).map(|from| (0, from)).collect();
        Ok(Layout { dims, picks })
    }

    /// `Reshape`: `target` is the shape of the whole tensor, with 0 (keep) and −1 (infer).
    pub fn reshape(dims: &[usize], target: &[i64]) -> Rearranged {
        let total = size(dims)?;
        let Some((batch, rest)) = target.split_first() else {
            return ImportError::no_rule("it reshapes to a scalar");
        };
        let mut row = Vec::with_capacity(rest.len());
        for (at, wanted) in rest.iter().enumerate() {
            row.push(match wanted {
                0 => dims.get(at).copied().unwrap_or(0) as i64,
                wanted => *wanted,
            });
        }
        let known: usize = size(&row.iter().filter(|dim| **dim >= 0).map(|dim| *dim as usize).collect::<Vec<_>>())?;
        let inferred = match row.iter().filter(|dim| **dim < 0).count() {
            0 => 1,
            1 if *batch >= 0 && known > 0 => total / known,
            _ => return ImportError::no_rule("its shape does not say which axis is the row"),
        };
        // A batch axis of fixed size is only the batch if the rest is a whole row.
        if known * inferred != total {
            return ImportError::no_rule(format!("it reshapes across rows (to {target:?})"));
        }
        Layout::with_dims(row.into_iter().map(|dim| usize::try_from(dim).unwrap_or(inferred)).collect())
    }

    pub fn flatten(dims: &[usize], axis: i64) -> Rearranged {
        match axis {
            1 => Layout::with_dims(vec![size(dims)?]),
            axis => ImportError::no_rule(format!("it flattens at axis {axis}")),
        }
    }

    pub fn squeeze(dims: &[usize], axes: &[i64]) -> Rearranged {
        let axes: Vec<usize> = match axes {
            [] => (0..dims.len()).filter(|axis| dims[*axis] == 1).collect(),
            axes => axes.iter().map(|axis| row_axis(*axis, dims)).collect::<Result<_, _>>()?,
        };
        if axes.iter().any(|axis| dims[*axis] != 1) {
            return ImportError::no_rule("it squeezes an axis that is not 1");
        }
        Layout::with_dims((0..dims.len()).filter(|axis| !axes.contains(axis)).map(|axis| dims[axis]).collect())
    }

    pub fn unsqueeze(dims: &[usize], axes: &[i64]) -> Rearranged {
        let mut row = dims.to_vec();
        let mut places = Vec::with_capacity(axes.len());
        let rank = (dims.len() + axes.len() + 1) as i64;
        for axis in axes {
            places.push(if *axis < 0 { axis + rank } else { *axis });
        }
        places.sort_unstable();
        for place in places {
            match usize::try_from(place - 1) {
                Ok(place) if place <= row.len() => row.insert(place, 1),
                _ => return ImportError::no_rule("it adds an axis before the rows"),
            }
        }
        Layout::with_dims(row)
    }

    /// Keeps `indices` along one row axis.
    pub fn take(dims: &[usize], axis: usize, indices: &[usize]) -> Rearranged {
        size(dims)?;
        if let Some(beyond) = indices.iter().find(|index| **index >= dims[axis]) {
            return ImportError::no_rule(format!("it takes column {beyond} of {}", dims[axis]));
        }
        let mut taken = dims.to_vec();
        taken[axis] = indices.len();
        let total = size(&taken)?;
        let inner: usize = dims[axis + 1..].iter().product();
        let mut picks = Vec::with_capacity(total);
        for to in 0..total {
            let (outer, along, within) = (to / (inner * indices.len()), to / inner % indices.len(), to % inner);
            picks.push((0, (outer * dims[axis] + indices[along]) * inner + within));
        }
        Ok(Layout { dims: taken, picks })
    }

    /// Joins rows along one axis.
    pub fn concat(rows: &[&[usize]], axis: usize) -> Rearranged {
        let Some(first) = rows.first() else {
            return ImportError::no_rule("it joins nothing");
        };
        let fits =
            |row: &&&[usize]| row.len() == first.len() && (0..first.len()).all(|at| at == axis || row[at] == first[at]);
        if !rows.iter().all(|row| fits(&row)) {
            return ImportError::no_rule("it joins tensors of different shapes");
        }
        let mut dims = first.to_vec();
        dims[axis] = rows.iter().try_fold(0_usize, |sum, row| sum.checked_add(row[axis])).unwrap_or(usize::MAX);
        let mut picks = Vec::with_capacity(size(&dims)?);
        let (outer, inner): (usize, usize) = (dims[..axis].iter().product(), dims[axis + 1..].iter().product());
        for block in 0..outer {
            for (operand, row) in rows.iter().enumerate() {
                let width = row[axis] * inner;
                picks.extend((0..width).map(|within| (operand, block * width + within)));
            }
        }
        Ok(Layout { dims, picks })
    }

    /// `perm` is that of the whole tensor.
    pub fn transpose(dims: &[usize], perm: &[i64]) -> Rearranged {
        let axes: Vec<usize> = match perm.split_first() {
            Some((0, rest)) => rest.iter().map(|axis| row_axis(*axis, dims)).collect::<Result<_, _>>()?,
            _ => return ImportError::no_rule("it moves the axis of the rows"),
        };
        let mut sorted = axes.clone();
        sorted.sort_unstable();
        if sorted != (0..dims.len()).collect::<Vec<_>>() {
            return ImportError::no_rule("its permutation does not name every axis once");
        }
        let moved: Vec<usize> = axes.iter().map(|axis| dims[*axis]).collect();
        let mut picks = Vec::with_capacity(size(&moved)?);
        for to in 0..size(&moved)? {
            let mut rest = to;
            let mut from = 0;
            for (axis, width) in axes.iter().zip(&moved).rev() {
                from += rest % width * dims[axis + 1..].iter().product::<usize>();
                rest /= width;
            }
            picks.push((0, from));
        }
        Ok(Layout { dims: moved, picks })
    }

    /// Rows of two shapes stretched to one (numpy's rule): the common shape and, per element, where each comes from.
    pub fn broadcast(left: &[usize], right: &[usize]) -> Result<Stretched, ImportError> {
        let rank = left.len().max(right.len());
        let padded = |dims: &[usize]| [vec![1; rank - dims.len()], dims.to_vec()].concat();
        let (left, right) = (padded(left), padded(right));
        let mut dims = Vec::with_capacity(rank);
        for (l, r) in left.iter().zip(&right) {
            match (l, r) {
                (l, r) if l == r => dims.push(*l),
                (1, r) => dims.push(*r),
                (l, 1) => dims.push(*l),
                _ => return ImportError::no_rule("its operands do not fit"),
            }
        }
        let pairs = (0..size(&dims)?).map(|to| (stretched(to, &dims, &left), stretched(to, &dims, &right))).collect();
        Ok(Stretched { dims, pairs })
    }
}

/// Where element `to` of a stretched row stands in the row of shape `from`.
fn stretched(to: usize, dims: &[usize], from: &[usize]) -> usize {
    let (mut rest, mut at, mut stride) = (to, 0, 1);
    for (wide, narrow) in dims.iter().zip(from).rev() {
        if *narrow != 1 {
            at += rest % wide * stride;
        }
        stride *= narrow;
        rest /= wide;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(layout: &Layout) -> Vec<usize> {
        layout.picks.iter().map(|(_, from)| *from).collect()
    }

    #[test]
    fn taking_and_joining_are_inverse() {
        let left = Layout::take(&[2, 3], 1, &[0]).unwrap();
        let right = Layout::take(&[2, 3], 1, &[1, 2]).unwrap();
        assert_eq!((from(&left), from(&right)), (vec![0, 3], vec![1, 2, 4, 5]));
        let joined = Layout::concat(&[&[2, 1], &[2, 2]], 1).unwrap();
        let parts = [from(&left), from(&right)];
        let back: Vec<usize> = joined.picks.iter().map(|(operand, at)| parts[*operand][*at]).collect();
        assert_eq!((joined.dims, back), (vec![2, 3], (0..6).collect()));
    }

    #[test]
    fn a_transpose_moves_every_number_once() {
        let layout = Layout::transpose(&[2, 3], &[0, 2, 1]).unwrap();
        assert_eq!((layout.dims.clone(), from(&layout)), (vec![3, 2], vec![0, 3, 1, 4, 2, 5]));
    }

    #[test]
    fn a_reshape_keeps_rows_apart_or_is_refused() {
        assert_eq!(Layout::reshape(&[1, 4], &[-1, 4]).unwrap().dims, [4]);
        assert_eq!(Layout::reshape(&[4], &[0, 2, -1]).unwrap().dims, [2, 2]);
        assert_eq!(Layout::reshape(&[1], &[-1]).unwrap().dims, [0_usize; 0]);
        assert!(Layout::reshape(&[4], &[-1]).is_err());
        assert!(Layout::reshape(&[4], &[-1, 2]).is_err());
        assert!(Layout::reshape(&[4], &[-1, -1]).is_err());
    }

    #[test]
    fn broadcasting_follows_trailing_axes() {
        let Stretched { dims, pairs } = Layout::broadcast(&[2, 1], &[3]).unwrap();
        assert_eq!((dims, pairs), (vec![2, 3], vec![(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]));
        assert!(Layout::broadcast(&[2], &[3]).is_err());
    }

    #[test]
    fn axes_are_added_and_removed_where_they_are_one() {
        assert_eq!(Layout::squeeze(&[1, 3], &[1]).unwrap().dims, [3]);
        assert_eq!(Layout::unsqueeze(&[3], &[-1]).unwrap().dims, [3, 1]);
        assert!(Layout::squeeze(&[3], &[1]).is_err() && Layout::unsqueeze(&[3], &[0]).is_err());
    }
}
