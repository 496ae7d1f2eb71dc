//! JPEG bytes → samples.

use super::Picture;
use super::raster::{PictureError, Raster, check_size};
use std::io::Cursor;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// What JPEG files begin with.
pub const SIGNATURE: &[u8] = b"\xff\xd8\xff";

/// Decodes a picture of the size that `wanted` has, as it lies in the file: a note on how to turn it is not followed.
pub fn decode(bytes: &[u8], wanted: &Picture) -> Result<Raster, PictureError> {
    let fail = |reason: String| PictureError::Broken { format: "JPEG", reason };
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        // Checked here, so that the error says what was wanted.
        .set_max_width(usize::MAX)
        .set_max_height(usize::MAX);
    let mut decoder = JpegDecoder::new_with_options(Cursor::new(bytes), options);
    decoder.decode_headers().map_err(|error| fail(error.to_string()))?;
    let (width, height) = decoder.dimensions().ok_or_else(|| fail("no size".to_owned()))?;
    check_size(wanted, height, width)?;
    let (channels, space) = match decoder.input_colorspace() {
        Some(ColorSpace::Luma) => (1, ColorSpace::Luma),
        Some(ColorSpace::YCbCr | ColorSpace::RGB) => (3, ColorSpace::RGB),
        other => {
            let found = other.map_or("unknown colours".to_owned(), |space| format!("{space:?} colours"));
            return Err(PictureError::Channels { found, wanted: "grey or RGB".to_owned() });
        }
    };
    if !has_end(bytes) {
        return Err(fail("it ends too early".to_owned()));
    }
    decoder.set_options(options.jpeg_set_out_colorspace(space));
    let bytes = decoder.decode().map_err(|error| fail(error.to_string()))?;
    match bytes.len() == wanted.n_pixels() * channels {
        true => Ok(Raster { channels, has_alpha: false, from_palette: false, is_deep: false, bytes }),
        false => Err(fail(format!("{} samples", bytes.len()))),
    }
}

/// Whether the mark of the end stands behind the first pixels: decoders fill up with grey what was cut off.
fn has_end(bytes: &[u8]) -> bool {
    let mut at = SIGNATURE.len() - 1;
    // Segments before the pixels may hold whole pictures of their own.
    while let Some([0xff, kind, high, low]) = bytes.get(at..at + 4) {
        at += match kind {
            0xda => return bytes[at..].windows(2).any(|two| two == [0xff, 0xd9]),
            0xff => 1,
            _ => 2 + usize::from(u16::from_be_bytes([*high, *low])),
        };
    }
    false
}
