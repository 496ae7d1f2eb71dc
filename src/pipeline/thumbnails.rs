//! Pictures and maps made small: shades are averaged, attributions added.

use crate::audit::DrawnMap;
use crate::dataset::{ImageScale, Picture};

/// Most pixels of a side.
const MOST: usize = 64;

/// How pictures of one model are made small.
#[derive(Debug, Clone)]
pub struct Thumbnails {
    pub picture: Picture,
    scale: ImageScale,
    /// Pixels on each side that become one.
    pub step: usize,
}

/// A picture and its map at full precision.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Thumbnail {
    pub shades: Vec<f64>,
    pub map: Vec<f64>,
}

impl Thumbnails {
    pub fn new(picture: Picture, scale: ImageScale) -> Self {
        Self { picture, scale, step: picture.height.max(picture.width).div_ceil(MOST).max(1) }
    }

    /// Height and width of what is drawn.
    pub fn size(&self) -> (usize, usize) {
        (self.picture.height.div_ceil(self.step), self.picture.width.div_ceil(self.step))
    }

    /// `numbers` as the model takes them, `map` one attribution a pixel.
    pub fn of(&self, numbers: &[f32], map: &[f32]) -> Thumbnail {
        let (height, width) = self.size();
        let mut found = Thumbnail { shades: vec![0.0; height * width], map: vec![0.0; height * width] };
        let mut pixels = vec![0.0; height * width];
        for row in 0..self.picture.height {
            for column in 0..self.picture.width {
                let pixel = row * self.picture.width + column;
                let drawn = row / self.step * width + column / self.step;
                found.shades[drawn] += self.shade(numbers, pixel);
                found.map[drawn] += f64::from(map[pixel]);
                pixels[drawn] += 1.0;
            }
        }
        found.shades.iter_mut().zip(&pixels).for_each(|(shade, n)| *shade /= n);
        found
    }

    /// How light a pixel is, in the file's own numbers: of colours the luma of ITU-R BT.601, of other channels the mean.
    fn shade(&self, numbers: &[f32], pixel: usize) -> f64 {
        let of = |channel: usize| {
            let at = self.picture.number(pixel, channel);
            self.scale.undo(at, self.picture.n_numbers(), f64::from(numbers[at]))
        };
        match self.picture.channels {
            1 | 2 => of(0),
            3 | 4 => 0.299 * of(0) + 0.587 * of(1) + 0.114 * of(2),
            n => (0..n).map(of).sum::<f64>() / n as f64,
        }
    }
}

/// Between which numbers a run's pictures lie, so that all are drawn alike.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shades {
    black: f64,
    white: f64,
}

impl Shades {
    /// 0 to 255 or 0 to 1 where the pictures keep to that, else from the darkest to the lightest.
    pub fn of<'a>(pictures: impl Iterator<Item = &'a Thumbnail>) -> Self {
        let shades = pictures.flat_map(|picture| &picture.shades).copied().filter(|shade| shade.is_finite());
        let (low, high) = shades.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
        // Undoing the scale in single precision misses the ends by a little.
        let within = |white: f64| low >= -1e-3 * white && high <= 1.001 * white;
        let white = [1.0, 255.0].into_iter().find(|white| within(*white));
        white.map_or(Self { black: low, white: high }, |white| Self { black: 0.0, white })
    }

    pub fn draw(self, thumbnail: &Thumbnail) -> DrawnMap {
        let size = self.white - self.black;
        let share = |shade: &f64| if size > 0.0 { (shade - self.black) / size } else { 0.5 };
        let shades = thumbnail.shades.iter().map(|shade| (255.0 * share(shade)).round().clamp(0.0, 255.0) as u8);
        DrawnMap::new(shades.collect(), &thumbnail.map)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thumbnails(height: usize, width: usize) -> Thumbnails {
        let scale = ImageScale { scale: Some(0.5), mean: vec![1.0], std: vec![2.0], channels_last: true };
        Thumbnails::new(Picture { height, width, channels: 1, channels_last: true }, scale)
    }

    #[test]
    fn small_pictures_stay_as_they_are_in_the_numbers_of_the_file() {
        let of = thumbnails(2, 3);
        // (x · 0.5 − 1) / 2
        let numbers: Vec<f32> = [0.0, 10.0, 255.0, 4.0, 2.0, 100.0].map(|x: f32| (x * 0.5 - 1.0) / 2.0).to_vec();
        let found = of.of(&numbers, &[1.0, 2.0, 3.0, 4.0, 5.0, -6.0]);
        assert_eq!(found.shades, [0.0, 10.0, 255.0, 4.0, 2.0, 100.0]);
        assert_eq!(found.map, [1.0, 2.0, 3.0, 4.0, 5.0, -6.0]);
        let drawn = Shades::of([found].iter()).draw(&of.of(&numbers, &[0.0; 6]));
        assert_eq!(drawn.shades.0, [0, 10, 255, 4, 2, 100]);
    }

    #[test]
    fn large_maps_add_up_to_what_they_did() {
        let of = thumbnails(130, 65);
        assert_eq!(of.size(), (44, 22));
        let map: Vec<f32> = (0..130 * 65).map(|at| (at % 7) as f32 - 2.5).collect();
        let found = of.of(&vec![0.5; 130 * 65], &map);
        let total: f64 = map.iter().map(|x| f64::from(*x)).sum();
        assert!((found.map.iter().sum::<f64>() - total).abs() < 1e-9);
        assert!(found.shades.iter().all(|shade| (*shade - 4.0).abs() < 1e-6), "a mean of equals is that");
    }

    #[test]
    fn numbers_of_another_range_go_from_black_to_white() {
        let picture = Thumbnail { shades: vec![-3.0, 0.0, 3.0], map: vec![0.0; 3] };
        assert_eq!(Shades::of([picture.clone()].iter()).draw(&picture).shades.0, [0, 128, 255]);
        let flat = Thumbnail { shades: vec![900.0; 2], map: vec![0.0; 2] };
        assert_eq!(Shades::of([flat.clone()].iter()).draw(&flat).shades.0, [128, 128]);
    }
}
