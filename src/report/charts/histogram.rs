//! A histogram of scores: one step outline a group over shared bins.

use super::plot::{self, Axis, Corner, Plot, Series};

pub type Histogram = Plot;

/// Outlines of bins: each series holds `(lower edge, share)`, `width` is that of the last bin.
pub fn draw(x: &Axis, y_title: &str, series: &[Series], width: f64) -> Histogram {
    let highest = series
        .iter()
        .flat_map(|s| &s.points)
        .map(|(_, share)| *share)
        .fold(0.0, f64::max);
    let y = Axis {
        title: y_title,
        domain: (0.0, if highest > 0.0 { 1.08 * highest } else { 1.0 }),
        percent: true,
    };
    let outlines: Vec<Series> = series
        .iter()
        .map(|s| Series {
            points: outline(&s.points, width),
            ..s.clone()
        })
        .collect();
    plot::lines(x, &y, &outlines, Corner::TopRight)
}

/// Two corners a bin, closed to the axis at both ends.
fn outline(bins: &[(f64, f64)], width: f64) -> Vec<(f64, f64)> {
    let (Some(first), Some(last)) = (bins.first(), bins.last()) else {
        return Vec::new();
    };
    let mut points = vec![(first.0, 0.0)];
    for (at, (edge, share)) in bins.iter().enumerate() {
        let end = bins.get(at + 1).map_or(edge + width, |next| next.0);
        points.extend([(*edge, *share), (end, *share)]);
    }
    points.push((last.0 + width, 0.0));
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outline_starts_and_ends_on_the_axis_and_has_two_corners_a_bin() {
        let points = outline(&[(0.0, 0.25), (0.5, 0.75)], 0.5);
        assert_eq!(
            points,
            [
                (0.0, 0.0),
                (0.0, 0.25),
                (0.5, 0.25),
                (0.5, 0.75),
                (1.0, 0.75),
                (1.0, 0.0)
            ]
        );
    }

    #[test]
    fn no_bins_no_outline() {
        assert!(outline(&[], 0.1).is_empty());
    }
}
