//! A decoded picture as its file holds it, and the reasons why there is none.

use super::Picture;

/// Samples of 8 or 16 bits, pixels row by row, the channels of a pixel together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raster {
    pub channels: usize,
    /// The last channel says how opaque a pixel is.
    pub has_alpha: bool,
    /// The colours were those of a palette, which has no number of channels of its own.
    pub from_palette: bool,
    /// Two bytes a sample, the higher first.
    pub is_deep: bool,
    pub bytes: Vec<u8>,
}

/// What is wrong with a picture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    #[error("{n} bytes that are neither PNG nor JPEG (they begin with {beginning})")]
    Unknown { n: usize, beginning: String },
    #[error("a broken {format} picture ({reason})")]
    Broken { format: &'static str, reason: String },
    #[error("a picture of {found} pixels (height × width), the model takes {wanted}")]
    Size { found: String, wanted: String },
    #[error("a picture of {found}, the model takes {wanted}")]
    Channels { found: String, wanted: String },
}

/// Refuses a size that is not the model's.
pub fn check_size(wanted: &Picture, height: usize, width: usize) -> Result<(), PictureError> {
    let size = |height: usize, width: usize| format!("{height} × {width}");
    match (height, width) == (wanted.height, wanted.width) {
        true => Ok(()),
        false => Err(PictureError::Size { found: size(height, width), wanted: size(wanted.height, wanted.width) }),
    }
}

impl Raster {
    /// From 0 to 255; samples of 16 bits keep what lies between.
    pub fn sample(&self, pixel: usize, channel: usize) -> f64 {
        let at = pixel * self.channels + channel;
        match self.is_deep {
            false => f64::from(self.bytes[at]),
            true => f64::from(u16::from_be_bytes([self.bytes[2 * at], self.bytes[2 * at + 1]])) / 257.0,
        }
    }

    fn n_pixels(&self) -> usize {
        self.bytes.len() / self.channels.max(1) / if self.is_deep { 2 } else { 1 }
    }

    /// Refuses channels that do not fit without a loss: only a channel that is opaque everywhere is left out, and only a
    /// palette of greys is one channel.
    pub fn check_channels(&self, wanted: usize) -> Result<(), PictureError> {
        let colours = self.channels - usize::from(self.has_alpha);
        let opaque = || self.has_alpha && self.all(|pixel| self.sample(pixel, colours) == 255.0);
        let grey = || (1..colours).all(|channel| self.all(|at| self.sample(at, 0) == self.sample(at, channel)));
        let fits = match wanted {
            n if n == self.channels => true,
            n if n == colours => opaque(),
            1 => self.from_palette && (!self.has_alpha || opaque()) && grey(),
            _ => false,
        };
        match fits {
            true => Ok(()),
            false => Err(PictureError::Channels { found: self.describe(), wanted: count(wanted) }),
        }
    }

    fn all(&self, holds: impl Fn(usize) -> bool) -> bool {
        (0..self.n_pixels()).all(holds)
    }

    /// "3 channels (RGB)".
    fn describe(&self) -> String {
        let kind = match (self.channels, self.has_alpha) {
            (1, _) => "grey",
            (2, true) => "grey with transparency",
            (3, _) => "RGB",
            (4, true) => "RGB with transparency",
            _ => "of an unknown kind",
        };
        format!("{} ({kind})", count(self.channels))
    }
}

fn count(channels: usize) -> String {
    if channels == 1 { "1 channel".to_owned() } else { format!("{channels} channels") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raster(channels: usize, has_alpha: bool, from_palette: bool, bytes: &[u8]) -> Raster {
        Raster { channels, has_alpha, from_palette, is_deep: false, bytes: bytes.to_vec() }
    }

    #[test]
    fn channels_are_left_out_only_where_nothing_is_lost() {
        let fits = |raster: Raster, wanted: usize| raster.check_channels(wanted).is_ok();
        assert!(fits(raster(4, true, false, &[1, 2, 3, 255]), 3) && fits(raster(4, true, false, &[1, 2, 3, 9]), 4));
        assert!(!fits(raster(4, true, false, &[1, 2, 3, 254]), 3));
        assert!(fits(raster(2, true, false, &[7, 255]), 1) && !fits(raster(2, true, false, &[7, 0]), 1));
        assert!(fits(raster(3, false, true, &[5, 5, 5]), 1) && !fits(raster(3, false, true, &[5, 5, 6]), 1));
        assert!(!fits(raster(3, false, false, &[5, 5, 5]), 1) && !fits(raster(1, false, false, &[5]), 3));
    }

    #[test]
    fn deep_samples_lie_on_the_scale_of_shallow_ones() {
        let deep = Raster { is_deep: true, ..raster(1, false, false, &[0, 0, 0xff, 0xff, 0x80, 0x80, 0x01, 0x00]) };
        assert_eq!((deep.sample(0, 0), deep.sample(1, 0), deep.sample(2, 0)), (0.0, 255.0, 128.0));
        assert!((deep.sample(3, 0) - 256.0 / 257.0).abs() < 1e-12);
    }
}
