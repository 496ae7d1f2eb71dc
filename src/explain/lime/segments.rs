//! Superpixels: simple linear iterative clustering (Achanta et al., IEEE TPAMI 2012).
//!
//! Segments grow from the points of a regular grid. A pixel belongs to the centre that is nearest in colour and place,
//! D² = d_colour² + m² (d_place / S)², with S the distance of the grid's points and m the compactness; centres move to
//! the means of their pixels. Colours are the model's numbers as shares of the picture's own range, so that a picture
//! and the same picture standardised have the same segments. At last, each centre keeps
//! its largest connected piece, and crumbs join a neighbour. Nothing is random.

use crate::dataset::Picture;

/// Rounds of moving centres (the paper's number).
const ROUNDS: usize = 10;
/// No segment.
const NONE: usize = usize::MAX;

/// A picture in connected parts, each pixel in one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segments {
    /// Per pixel, row by row: its segment, from 0.
    pub of_pixel: Vec<usize>,
    /// Pixels per segment; none has 0.
    pub sizes: Vec<usize>,
}

/// A centre: its place (y, x) and its colour per channel.
struct Centre {
    place: (f64, f64),
    colour: Vec<f64>,
}

/// A picture on its way to segments.
struct Clustering {
    height: usize,
    width: usize,
    /// `[pixels × channels]`, from 0 to 1.
    colours: Vec<f64>,
    channels: usize,
    /// Distance of the grid's points.
    step: f64,
    /// m² / S².
    place_weight: f64,
}

impl Segments {
    /// About `wanted` segments of a picture, whose numbers are `cells`; `compactness` weighs place against colour.
    pub fn of(cells: &[f32], picture: Picture, wanted: usize, compactness: f64) -> Self {
        let step = (picture.n_pixels() as f64 / wanted.max(1) as f64).sqrt().max(1.0);
        let clustering = Clustering {
            height: picture.height,
            width: picture.width,
            colours: colours(cells, picture),
            channels: picture.channels,
            step,
            place_weight: (compactness / step).powi(2),
        };
        let (mut centres, mut nearest) = clustering.grid(wanted.max(1));
        for _ in 0..ROUNDS {
            clustering.assign(&centres, &mut nearest);
            clustering.move_centres(&mut centres, &nearest);
        }
        clustering.connected(&nearest)
    }

    pub fn len(&self) -> usize {
        self.sizes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.sizes.is_empty()
    }

    /// Mean of each segment's numbers in each channel, `[segments × channels]`.
    pub fn mean_colours(&self, cells: &[f32], picture: Picture) -> Vec<Vec<f32>> {
        let mut sums = vec![vec![0.0_f64; picture.channels]; self.len()];
        for (pixel, segment) in self.of_pixel.iter().enumerate() {
            for (channel, sum) in sums[*segment].iter_mut().enumerate() {
                *sum += f64::from(cells[picture.number(pixel, channel)]);
            }
        }
        let mean = |(sums, size): (Vec<f64>, &usize)| sums.iter().map(|sum| (sum / *size as f64) as f32).collect();
        sums.into_iter().zip(&self.sizes).map(mean).collect()
    }
}

/// `[pixels × channels]`, as shares of the range from the picture's least to its greatest number.
fn colours(cells: &[f32], picture: Picture) -> Vec<f64> {
    let least = cells.iter().copied().fold(f32::INFINITY, f32::min);
    let most = cells.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let range = f64::from(most) - f64::from(least);
    let share = |x: f32| if range > 0.0 { (f64::from(x) - f64::from(least)) / range } else { 0.0 };
    let numbers =
        (0..picture.n_pixels()).flat_map(|pixel| (0..picture.channels).map(move |c| picture.number(pixel, c)));
    numbers.map(|number| share(cells[number])).collect()
}

impl Clustering {
    fn colour(&self, pixel: usize) -> &[f64] {
        &self.colours[pixel * self.channels..(pixel + 1) * self.channels]
    }

    /// Centres in the middle of the cells of a grid, and each pixel's cell.
    fn grid(&self, wanted: usize) -> (Vec<Centre>, Vec<usize>) {
        let rows = ((self.height as f64 / self.step).round() as usize).clamp(1, wanted.min(self.height.max(1)));
        let columns = ((wanted as f64 / rows as f64).round() as usize).clamp(1, self.width.max(1));
        let middle = |at: usize, count: usize, length: usize| (at as f64 + 0.5) * length as f64 / count as f64 - 0.5;
        let centre = |at: usize| {
            let place = (middle(at / columns, rows, self.height), middle(at % columns, columns, self.width));
            let pixel = place.0.round() as usize * self.width + place.1.round() as usize;
            Centre { place, colour: self.colour(pixel).to_vec() }
        };
        let cell = |pixel: usize| {
            let (y, x) = (pixel / self.width, pixel % self.width);
            (y * rows / self.height) * columns + x * columns / self.width
        };
        ((0..rows * columns).map(centre).collect(), (0..self.height * self.width).map(cell).collect())
    }

    /// Each pixel to the nearest of the centres within one step of it, the first among equals.
    fn assign(&self, centres: &[Centre], nearest: &mut [usize]) {
        let mut distance = vec![f64::INFINITY; nearest.len()];
        let reach = |middle: f64, length: usize| {
            let from = (middle - self.step).ceil().max(0.0) as usize;
            from..((middle + self.step).floor().max(0.0) as usize + 1).min(length)
        };
        for (at, centre) in centres.iter().enumerate() {
            for y in reach(centre.place.0, self.height) {
                for x in reach(centre.place.1, self.width) {
                    let pixel = y * self.width + x;
                    let to_centre = self.distance2(centre, y, x);
                    if to_centre < distance[pixel] {
                        (distance[pixel], nearest[pixel]) = (to_centre, at);
                    }
                }
            }
        }
    }

    fn distance2(&self, centre: &Centre, y: usize, x: usize) -> f64 {
        let colour = self.colour(y * self.width + x).iter().zip(&centre.colour);
        let place2 = (y as f64 - centre.place.0).powi(2) + (x as f64 - centre.place.1).powi(2);
        colour.map(|(own, its)| (own - its).powi(2)).sum::<f64>() + self.place_weight * place2
    }

    /// Centres become the means of their pixels; one without pixels stays.
    fn move_centres(&self, centres: &mut [Centre], nearest: &[usize]) {
        let mut sums = vec![vec![0.0; 3 + self.channels]; centres.len()];
        for (pixel, centre) in nearest.iter().enumerate() {
            let place = [1.0, (pixel / self.width) as f64, (pixel % self.width) as f64];
            let numbers = place.iter().chain(self.colour(pixel));
            sums[*centre].iter_mut().zip(numbers).for_each(|(sum, x)| *sum += x);
        }
        for (centre, sums) in centres.iter_mut().zip(sums) {
            let n = sums[0];
            if n > 0.0 {
                centre.place = (sums[1] / n, sums[2] / n);
                centre.colour = sums[3..].iter().map(|sum| sum / n).collect();
            }
        }
    }

    /// The largest piece of each centre's pixels is a segment; all other pixels join the segment that reaches them first
    /// when all grow at one speed.
    fn connected(&self, nearest: &[usize]) -> Segments {
        let largest = self.largest_pieces(nearest);
        let mut of_pixel = vec![NONE; nearest.len()];
        let mut sizes = Vec::new();
        for piece in largest.iter().filter(|piece| !piece.is_empty()) {
            piece.iter().for_each(|pixel| of_pixel[*pixel] = sizes.len());
            sizes.push(piece.len());
        }
        let mut reached: Vec<usize> = (0..nearest.len()).filter(|pixel| of_pixel[*pixel] != NONE).collect();
        let mut at = 0;
        while at < reached.len() {
            let segment = of_pixel[reached[at]];
            for pixel in self.beside(reached[at]) {
                if of_pixel[pixel] == NONE {
                    of_pixel[pixel] = segment;
                    sizes[segment] += 1;
                    reached.push(pixel);
                }
            }
            at += 1;
        }
        Segments { of_pixel, sizes }
    }

    /// Per centre, the most pixels of it that hang together, side by side; the first among equals.
    fn largest_pieces(&self, nearest: &[usize]) -> Vec<Vec<usize>> {
        let mut largest: Vec<Vec<usize>> = vec![Vec::new(); nearest.iter().max().map_or(0, |most| most + 1)];
        let mut is_seen = vec![false; nearest.len()];
        for first in 0..nearest.len() {
            if !is_seen[first] {
                let piece = self.piece(first, nearest, &mut is_seen);
                let most = &mut largest[nearest[first]];
                if piece.len() > most.len() {
                    *most = piece;
                }
            }
        }
        largest
    }

    /// All pixels that hang together with `first` and have its centre.
    fn piece(&self, first: usize, nearest: &[usize], is_seen: &mut [bool]) -> Vec<usize> {
        let mut piece = vec![first];
        is_seen[first] = true;
        let mut at = 0;
        while at < piece.len() {
            for pixel in self.beside(piece[at]) {
                if !is_seen[pixel] && nearest[pixel] == nearest[first] {
                    is_seen[pixel] = true;
                    piece.push(pixel);
                }
            }
            at += 1;
        }
        piece
    }

    /// The pixels left, above, right and below.
    fn beside(&self, pixel: usize) -> impl Iterator<Item = usize> + use<> {
        let (x, width, n) = (pixel % self.width, self.width, self.height * self.width);
        let left = (x > 0).then(|| pixel - 1);
        let right = (x + 1 < width).then_some(pixel + 1);
        let below = (pixel + width < n).then_some(pixel + width);
        [left, pixel.checked_sub(width), right, below].into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::random::Stream;

    /// Discs, ramps and noise.
    fn painted(picture: Picture, noise: f64) -> Vec<f32> {
        let stream = Stream::new(5, "picture");
        let mut cells = vec![0.0; picture.n_numbers()];
        for pixel in 0..picture.n_pixels() {
            let (y, x) = ((pixel / picture.width) as f64, (pixel % picture.width) as f64);
            let (dy, dx) = (y - picture.height as f64 / 3.0, x - picture.width as f64 / 2.0);
            let inside = dy.hypot(dx) < picture.width as f64 / 5.0;
            for channel in 0..picture.channels {
                let number = picture.number(pixel, channel);
                let level = if inside { 0.9 - 0.3 * channel as f64 } else { 0.2 + 0.005 * x };
                cells[number] = (level + noise * stream.normal(number as u64)) as f32;
            }
        }
        cells
    }

    /// Whether every segment's pixels hang together, counted by a search of its own.
    fn check(segments: &Segments, picture: Picture) {
        assert_eq!(segments.of_pixel.len(), picture.n_pixels());
        assert_eq!(segments.sizes.iter().sum::<usize>(), picture.n_pixels());
        for (segment, size) in segments.sizes.iter().enumerate() {
            let own: Vec<usize> = (0..picture.n_pixels()).filter(|p| segments.of_pixel[*p] == segment).collect();
            assert_eq!((own.len(), own.is_empty()), (*size, false));
            let mut reached = vec![own[0]];
            let mut open = vec![own[0]];
            while let Some(pixel) = open.pop() {
                let near = |other: &usize| {
                    let (dy, dx) = (
                        (other / picture.width).abs_diff(pixel / picture.width),
                        (other % picture.width).abs_diff(pixel % picture.width),
                    );
                    dy + dx == 1
                };
                let more: Vec<usize> = own.iter().copied().filter(|p| near(p) && !reached.contains(p)).collect();
                reached.extend(&more);
                open.extend(more);
            }
            assert_eq!(reached.len(), *size, "segment {segment} is in pieces");
        }
    }

    #[test]
    fn segments_hang_together_cover_every_pixel_once_and_are_about_as_many_as_asked() {
        for (height, width, channels, channels_last) in
            [(28, 28, 1, true), (64, 64, 3, false), (64, 64, 3, true), (17, 40, 2, false)]
        {
            let picture = Picture { height, width, channels, channels_last };
            for noise in [0.0, 0.03, 0.3] {
                let cells = painted(picture, noise);
                for wanted in [1, 12, 30, 50] {
                    let segments = Segments::of(&cells, picture, wanted, 0.1);
                    check(&segments, picture);
                    let share = segments.len() as f64 / wanted as f64;
                    assert!((0.8..=1.25).contains(&share), "{} of {wanted} at {noise}", segments.len());
                }
            }
        }
    }

    #[test]
    fn small_and_plain_pictures_have_segments_too() {
        for (height, width) in [(1, 1), (1, 9), (2, 3), (5, 1)] {
            let picture = Picture { height, width, channels: 1, channels_last: true };
            for wanted in [1, 4, 50] {
                let segments = Segments::of(&vec![0.5; height * width], picture, wanted, 0.1);
                check(&segments, picture);
                assert!(segments.len() <= height * width);
            }
        }
        let missing =
            Segments::of(&[f32::NAN; 16], Picture { height: 4, width: 4, channels: 1, channels_last: true }, 4, 0.1);
        assert_eq!(missing.sizes.iter().sum::<usize>(), 16);
    }

    #[test]
    fn edges_of_a_picture_are_edges_of_segments_and_neither_level_nor_layout_matter() {
        let last = Picture { height: 30, width: 30, channels: 3, channels_last: true };
        let first = Picture { channels_last: false, ..last };
        // An edge that no grid line follows.
        let inside = |pixel: usize| pixel % 30 + pixel / 60 < 19;
        let level = |number: usize, picture: Picture| if inside(picture.pixel(number)) { 1.0 } else { 0.0 };
        let cells: Vec<f32> = (0..2_700).map(|number| level(number, last)).collect();
        let segments = Segments::of(&cells, last, 25, 0.1);
        for segment in 0..segments.len() {
            let pixels: Vec<usize> = (0..900).filter(|pixel| segments.of_pixel[*pixel] == segment).collect();
            assert!(pixels.iter().all(|pixel| inside(*pixel) == inside(pixels[0])), "{segment}");
        }
        let planes: Vec<f32> = (0..2_700).map(|number| 4.0 * level(number, first) - 8.0).collect();
        assert_eq!(Segments::of(&planes, first, 25, 0.1), segments);
        let means = segments.mean_colours(&planes, first);
        assert!(means.iter().all(|mean| *mean == [-8.0; 3] || *mean == [-4.0; 3]));
    }
}
