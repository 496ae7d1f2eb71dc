//! The rows of a PNG file, unpacked: filters undone, samples taken out of their bits, interlaced passes put in place.

/// How samples are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    pub channels: usize,
    /// Bits of a sample.
    pub depth: usize,
    pub is_interlaced: bool,
}

/// Pixels of a pass: `(first x, first y, step in x, step in y)`.
type Pass = (usize, usize, usize, usize);

const WHOLE: &[Pass] = &[(0, 0, 1, 1)];
const ADAM7: &[Pass] =
    &[(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)];

impl Layout {
    /// Passes with their widths and heights; those without a pixel have no bytes either.
    fn passes(self, width: usize, height: usize) -> impl Iterator<Item = (Pass, usize, usize)> {
        let passes = if self.is_interlaced { ADAM7 } else { WHOLE };
        let sized = move |pass: &Pass| {
            let (x, y, dx, dy) = *pass;
            (*pass, width.saturating_sub(x).div_ceil(dx), height.saturating_sub(y).div_ceil(dy))
        };
        passes.iter().map(sized).filter(|(_, width, height)| *width > 0 && *height > 0)
    }

    /// Bytes of a row without its filter's.
    fn row_bytes(self, width: usize) -> usize {
        (width * self.channels * self.depth).div_ceil(8)
    }

    /// Bytes of all rows, each behind the number of its filter.
    pub fn packed_size(self, width: usize, height: usize) -> usize {
        self.passes(width, height).map(|(_, width, height)| height * (1 + self.row_bytes(width))).sum()
    }
}

/// Samples of all pixels, row by row, the channels of a pixel together.
///
/// # Errors
/// Another number of bytes than the size asks for, or an unknown filter.
pub fn unpack(mut packed: Vec<u8>, layout: Layout, width: usize, height: usize) -> Result<Vec<u16>, &'static str> {
    if packed.len() != layout.packed_size(width, height) {
        return Err("it has fewer pixels than its header says");
    }
    let mut samples = vec![0; width * height * layout.channels];
    let mut rest = packed.as_mut_slice();
    for ((x, y, dx, dy), columns, rows) in layout.passes(width, height) {
        let n_bytes = layout.row_bytes(columns);
        let (pass, after) = rest.split_at_mut(rows * (1 + n_bytes));
        rest = after;
        let mut above = vec![0; n_bytes];
        for (row, line) in pass.chunks_exact_mut(1 + n_bytes).enumerate() {
            let (filter, line) = line.split_first_mut().ok_or("it has no filters")?;
            undo(*filter, line, &above, (layout.channels * layout.depth).div_ceil(8))?;
            for column in 0..columns {
                let pixel = (y + row * dy) * width + x + column * dx;
                for channel in 0..layout.channels {
                    let found = sample(line, layout.depth, column * layout.channels + channel);
                    samples[pixel * layout.channels + channel] = found;
                }
            }
            above.copy_from_slice(line);
        }
    }
    Ok(samples)
}

/// The sample at a position of a row.
fn sample(line: &[u8], depth: usize, at: usize) -> u16 {
    match depth {
        16 => u16::from_be_bytes([line[2 * at], line[2 * at + 1]]),
        8 => u16::from(line[at]),
        _ => {
            let bit = at * depth;
            u16::from(line[bit / 8] >> (8 - depth - bit % 8)) & ((1 << depth) - 1)
        }
    }
}

/// Undoes a row's filter; `step` is the number of bytes to the pixel on the left.
fn undo(filter: u8, line: &mut [u8], above: &[u8], step: usize) -> Result<(), &'static str> {
    for at in 0..line.len() {
        let left = if at < step { 0 } else { line[at - step] };
        let corner = if at < step { 0 } else { above[at - step] };
        let guess = match filter {
            0 => 0,
            1 => left,
            2 => above[at],
            3 => u16::midpoint(u16::from(left), u16::from(above[at])) as u8,
            4 => paeth(left, above[at], corner),
            _ => return Err("a row has an unknown filter"),
        };
        line[at] = line[at].wrapping_add(guess);
    }
    Ok(())
}

/// Of left, above and the corner between, the one that is nearest to left + above − corner; the first of equals.
fn paeth(left: u8, above: u8, corner: u8) -> u8 {
    let [a, b, c] = [left, above, corner].map(i16::from);
    let far = [(b - c).abs(), (a - c).abs(), (a + b - 2 * c).abs()];
    match far {
        [a, b, c] if a <= b && a <= c => left,
        [_, b, c] if b <= c => above,
        _ => corner,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pixel_is_in_one_pass() {
        for (width, height) in [(1, 1), (2, 3), (5, 5), (8, 8), (9, 17)] {
            let layout = Layout { channels: 1, depth: 8, is_interlaced: true };
            let mut seen = vec![0; width * height];
            for ((x, y, dx, dy), columns, rows) in layout.passes(width, height) {
                (0..rows).for_each(|r| (0..columns).for_each(|c| seen[(y + r * dy) * width + x + c * dx] += 1));
            }
            assert!(seen.iter().all(|times| *times == 1), "{width} × {height}");
        }
    }

    #[test]
    fn small_samples_are_taken_out_of_their_bits() {
        let of = |depth: usize, n: usize| (0..n).map(|at| sample(&[0b1011_0001], depth, at)).collect::<Vec<_>>();
        assert_eq!(of(1, 8), [1, 0, 1, 1, 0, 0, 0, 1]);
        assert_eq!((of(2, 4), of(4, 2)), (vec![2, 3, 0, 1], vec![11, 1]));
    }
}
