//! A histogram of scores: one step outline a group over shared bins.

use super::plot::{self, Axis, Plot, Series};

pub type Histogram = Plot;

/// Outlines of bins: each series holds `(middle, share)` of the bins that are not empty; all are `width` wide.
pub fn draw(x: &Axis, y_title: &str, series: &[Series], width: f64) -> Histogram {
    let highest = series.iter().flat_map(|s| &s.points).map(|(_, share)| *share).fold(0.0, f64::max);
    let y = Axis { title: y_title, domain: (0.0, if highest > 0.0 { 1.08 * highest } else { 1.0 }), percent: true };
    let outlines: Vec<Series> =
        series.iter().map(|s| Series { points: outline(&s.points, width), ..s.clone() }).collect();
    plot::lines(x, &y, &outlines)
}

/// Two corners a bin; down to the axis at both ends and where bins are missing because they are empty.
fn outline(bins: &[(f64, f64)], width: f64) -> Vec<(f64, f64)> {
    let mut points: Vec<(f64, f64)> = Vec::with_capacity(2 * bins.len() + 4);
    for (middle, share) in bins {
        let (low, high) = (middle - width / 2.0, middle + width / 2.0);
        match points.last().copied() {
            Some((end, _)) if low - end < width / 2.0 => {}
            Some((end, _)) => points.extend([(end, 0.0), (low, 0.0)]),
            None => points.push((low, 0.0)),
        }
        points.extend([(low, *share), (high, *share)]);
    }
    points.extend(points.last().map(|(end, _)| (*end, 0.0)));
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outline_starts_and_ends_on_the_axis_and_has_two_corners_a_bin() {
        let points = outline(&[(0.25, 0.25), (0.75, 0.75)], 0.5);
        assert_eq!(points, [(0.0, 0.0), (0.0, 0.25), (0.5, 0.25), (0.5, 0.75), (1.0, 0.75), (1.0, 0.0)]);
    }

    #[test]
    fn an_empty_bin_between_others_lies_on_the_axis() {
        let points = outline(&[(0.5, 0.25), (2.5, 0.75)], 1.0);
        assert_eq!(points[2..6], [(1.0, 0.25), (1.0, 0.0), (2.0, 0.0), (2.0, 0.75)]);
    }

    #[test]
    fn no_bins_no_outline() {
        assert!(outline(&[], 0.1).is_empty());
    }
}
