//! Overlays: a picture in shades of grey under what its parts add to the score, as a PNG of one palette.
//!
//! Blue lowers and orange raises, as in all charts; both are told apart by those who do not tell red from green. The
//! more a part counts, the less of the picture is seen through its colour. The palette is the product of a few greys and
//! a few strengths, so that a pixel is one byte and packs well.

use crate::audit::{DrawnMap, Octets};
use miniz_oxide::deflate::compress_to_vec_zlib;
use serde::Serialize;

const GREYS: usize = 17;
/// Strengths on each side of nothing.
const STRENGTHS: usize = 7;
const COLOURS: usize = 2 * STRENGTHS + 1;
const DOWN: [f64; 3] = [26.0, 118.0, 214.0];
const UP: [f64; 3] = [230.0, 110.0, 0.0];

/// A picture that a page shows.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Image {
    /// `data:image/png;base64,…`
    pub src: String,
    pub width: usize,
    pub height: usize,
}

/// Draws maps of `height` × `width` pixels whose colours are full at ±`limit`; `None` where there are not as many pixels.
pub fn draw(map: &DrawnMap, height: usize, width: usize, limit: f64) -> Option<Image> {
    let n = height * width;
    if n == 0 || map.parts.0.len() != n || map.shades.0.len() != n {
        return None;
    }
    let index = |at: usize| (grey(map.shades.0[at]) * COLOURS + colour(map.attribution(at), limit)) as u8;
    Some(image(height, width, &(0..n).map(index).collect::<Vec<u8>>()))
}

/// The colours from −limit to +limit over a middle grey.
pub fn legend() -> Image {
    let row: Vec<u8> = (0..COLOURS).map(|colour| (GREYS / 2 * COLOURS + colour) as u8).collect();
    image(1, COLOURS, &row)
}

/// Where colours are full: all but a hundredth of the pixels that count at all lie within.
pub fn limit<'a>(maps: impl Iterator<Item = &'a DrawnMap>) -> f64 {
    let of = |map: &'a DrawnMap| (0..map.parts.0.len()).map(|at| map.attribution(at).abs());
    let mut sizes: Vec<f64> = maps.flat_map(of).filter(|size| *size > 0.0 && size.is_finite()).collect();
    sizes.sort_by(f64::total_cmp);
    let at = (sizes.len() * 99).div_ceil(100).saturating_sub(1);
    sizes.get(at).copied().unwrap_or(0.0)
}

fn grey(shade: u8) -> usize {
    (usize::from(shade) * (GREYS - 1) + 127) / 255
}

/// 0 is fully down, `STRENGTHS` nothing.
fn colour(value: f64, limit: f64) -> usize {
    let share = if limit > 0.0 && value.is_finite() { (value / limit).clamp(-1.0, 1.0) } else { 0.0 };
    (STRENGTHS as f64 * (1.0 + share)).round() as usize
}

fn palette() -> Vec<u8> {
    let mut bytes = Vec::with_capacity(3 * GREYS * COLOURS);
    for grey in 0..GREYS {
        // Neither black nor white: both colours stand out from either end.
        let under = 22.0 + 216.0 * grey as f64 / (GREYS - 1) as f64;
        for colour in 0..COLOURS {
            let share = colour as f64 / STRENGTHS as f64 - 1.0;
            let over = if share < 0.0 { DOWN } else { UP };
            let opaque = 0.92 * share.abs().powf(0.75);
            bytes.extend(over.map(|over| (opaque * over + (1.0 - opaque) * under).round() as u8));
        }
    }
    bytes
}

/// One byte a pixel, an index into the palette.
fn image(height: usize, width: usize, indices: &[u8]) -> Image {
    let mut lines = Vec::with_capacity(height * (width + 1));
    for line in indices.chunks_exact(width) {
        lines.push(0);
        lines.extend_from_slice(line);
    }
    let size = |side: usize| (side as u32).to_be_bytes();
    let header = [&size(width)[..], &size(height), &[8, 3, 0, 0, 0]].concat();
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    let parts =
        [(b"IHDR", header), (b"PLTE", palette()), (b"IDAT", compress_to_vec_zlib(&lines, 9)), (b"IEND", vec![])];
    for (kind, content) in parts {
        let chunk = [&kind[..], &content].concat();
        png.extend((content.len() as u32).to_be_bytes());
        png.extend(&chunk);
        png.extend(crc32fast::hash(&chunk).to_be_bytes());
    }
    Image { src: format!("data:image/png;base64,{}", Octets(png).text()), width, height }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(values: &[f64]) -> DrawnMap {
        DrawnMap::new(vec![128; values.len()], values)
    }

    #[test]
    fn colours_are_symmetric_and_stay_within_the_palette() {
        assert_eq!((colour(-9.0, 1.0), colour(0.0, 1.0), colour(9.0, 1.0)), (0, STRENGTHS, COLOURS - 1));
        assert_eq!((colour(0.4, 0.0), colour(f64::NAN, 1.0)), (STRENGTHS, STRENGTHS));
        assert_eq!((grey(0), grey(255)), (0, GREYS - 1));
        assert!(GREYS * COLOURS <= 256 && palette().len() == 3 * GREYS * COLOURS);
    }

    #[test]
    fn what_counts_for_nothing_shows_the_picture_alone() {
        let palette = palette();
        for grey in 0..GREYS {
            let at = 3 * (grey * COLOURS + STRENGTHS);
            assert!(palette[at] == palette[at + 1] && palette[at] == palette[at + 2]);
        }
    }

    #[test]
    fn few_extremes_do_not_pale_the_rest() {
        let mut values = vec![1.0; 1_000];
        values[3] = 500.0;
        values.extend(vec![0.0; 9_000]);
        let found = limit([map(&values)].iter());
        // To the precision that a map is kept with.
        assert!((found - 1.0).abs() < 0.2, "{found}");
        assert_eq!(limit([map(&[0.0, 0.0])].iter()), 0.0);
    }

    #[test]
    fn a_map_of_another_size_is_not_drawn() {
        assert!(
            draw(&map(&[1.0; 6]), 2, 3, 1.0).is_some_and(|image| image.src.starts_with("data:image/png;base64,iVBOR"))
        );
        assert_eq!(draw(&map(&[1.0; 5]), 2, 3, 1.0), None);
        assert_eq!(draw(&map(&[]), 0, 0, 1.0), None);
    }
}
