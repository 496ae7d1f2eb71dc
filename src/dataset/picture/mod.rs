//! Pictures: their size, where each number of a tensor stands in them, and how PNG and JPEG bytes become numbers.
//!
//! ```text
//! bytes → size and channels, checked before anything is decoded   (png, jpeg)
//!       → Raster: samples as the file holds them
//!       → numbers in the model's order, from 0 to 255             (coded)
//! ```
//!
//! Nothing is resized, turned or recoloured: a file that is not the picture that the model takes is refused.

mod coded;
mod jpeg;
mod png;
mod raster;
mod scanlines;

pub(super) use coded::write;

/// Height, width and channels of a picture, and the order of its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Picture {
    pub height: usize,
    pub width: usize,
    pub channels: usize,
    /// The channels of a pixel stand together (NHWC); else every channel is a plane of its own (NCHW).
    pub channels_last: bool,
}

impl Picture {
    /// From a tensor's dimensions behind the batch: height and width, with the channels behind or before them. The
    /// smaller end is taken for the channels.
    pub fn of_dims(dims: &[usize]) -> Option<Self> {
        match *dims {
            [height, width] => Some(Self { height, width, channels: 1, channels_last: true }),
            [first, second, last] if last <= 4 && (first > 4 || last < first) => {
                Some(Self { height: first, width: second, channels: last, channels_last: true })
            }
            [channels, height, width] => Some(Self { height, width, channels, channels_last: false }),
            _ => None,
        }
    }

    pub fn n_pixels(&self) -> usize {
        self.height * self.width
    }

    /// Numbers in all.
    pub fn n_numbers(&self) -> usize {
        self.n_pixels() * self.channels
    }

    /// The pixel of a number, counted row by row.
    pub fn pixel(&self, number: usize) -> usize {
        if self.channels_last { number / self.channels } else { number % self.n_pixels() }
    }

    /// The number of a pixel's channel.
    pub fn number(&self, pixel: usize, channel: usize) -> usize {
        if self.channels_last { pixel * self.channels + channel } else { channel * self.n_pixels() + pixel }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_the_smaller_end() {
        let of = |dims: &[usize]| Picture::of_dims(dims).map(|p| (p.height, p.width, p.channels, p.channels_last));
        assert_eq!(of(&[28, 28, 1]), Some((28, 28, 1, true)));
        assert_eq!(of(&[3, 224, 200]), Some((224, 200, 3, false)));
        assert_eq!(of(&[224, 200, 3]), Some((224, 200, 3, true)));
        assert_eq!(of(&[1, 3, 3]), Some((3, 3, 1, false)));
        assert_eq!(of(&[8, 6]), Some((8, 6, 1, true)));
        assert_eq!(of(&[784]), None);
    }

    #[test]
    fn numbers_and_pixels_name_each_other_in_both_orders() {
        for channels_last in [false, true] {
            let picture = Picture { height: 3, width: 4, channels: 2, channels_last };
            for pixel in 0..12 {
                assert!((0..2).all(|channel| picture.pixel(picture.number(pixel, channel)) == pixel));
            }
        }
    }
}
