//! Changes of a point that count as small.

use crate::model::differentiable::Stretch;
use ndarray::{ArrayView1, ArrayViewMut1};

/// What rounding may add to a whole number of steps.
const ROUNDING: f64 = 1e-9;

/// How one number may move.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reach {
    /// What ε = 1 is worth; 0: it stays.
    pub unit: f64,
    pub low: f64,
    pub high: f64,
    /// It moves by whole numbers.
    pub whole: bool,
}

impl Reach {
    /// A number that stays.
    pub const STILL: Self = Self { unit: 0.0, low: f64::NEG_INFINITY, high: f64::INFINITY, whole: false };

    /// Whether ε is worth anything.
    pub fn moves(&self) -> bool {
        self.unit > 0.0
    }
}

/// The box of admissible changes (L∞), `[width]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Ball {
    reach: Vec<Reach>,
}

impl Ball {
    /// Of a point's `width` numbers; `columns` says how each raw column's may move.
    pub fn new(width: usize, layout: &[Stretch], columns: &[Reach]) -> Self {
        let mut reach = vec![Reach::STILL; width];
        for stretch in layout {
            reach[stretch.numbers.clone()].fill(columns[stretch.column]);
        }
        Self { reach }
    }

    /// Moves `point` by `length` of each number's unit along `signs`.
    pub fn step(&self, mut point: ArrayViewMut1<f64>, signs: ArrayView1<f64>, length: f64) {
        for ((value, slope), reach) in point.iter_mut().zip(signs).zip(&self.reach) {
            // A slope that is not a number points nowhere.
            if *slope != 0.0 && slope.is_finite() {
                *value += length * reach.unit * slope.signum();
            }
        }
    }

    /// Moves `point` by shares of `epsilon` units, one for each number.
    pub fn shift(&self, mut point: ArrayViewMut1<f64>, shares: impl Iterator<Item = f64>, epsilon: f64) {
        for ((value, share), reach) in point.iter_mut().zip(shares).zip(&self.reach) {
            *value += share * epsilon * reach.unit;
        }
    }

    /// The nearest point within `epsilon` units of `origin` and within range. A number that already lies outside of its
    /// range may stay there, or come back.
    pub fn project(&self, origin: ArrayView1<f64>, epsilon: f64, mut point: ArrayViewMut1<f64>) {
        for ((value, origin), reach) in point.iter_mut().zip(origin).zip(&self.reach) {
            let most = epsilon * reach.unit;
            *value = match most > 0.0 && origin.is_finite() {
                true => {
                    value.max(reach.low.min(*origin)).min(reach.high.max(*origin)).max(origin - most).min(origin + most)
                }
                false => *origin,
            };
        }
    }

    /// The point that a projected one stands for: whole numbers move by the whole steps on the way.
    pub fn settle(&self, origin: ArrayView1<f64>, mut point: ArrayViewMut1<f64>) {
        for ((value, origin), _) in point.iter_mut().zip(origin).zip(&self.reach).filter(|(_, reach)| reach.whole) {
            let change = *value - origin;
            if change.is_finite() {
                *value = origin + change.signum() * (change.abs() + ROUNDING).floor();
            }
        }
    }

    /// Whether anything moves at all.
    pub fn moves(&self) -> bool {
        self.reach.iter().any(Reach::moves)
    }

    pub fn width(&self) -> usize {
        self.reach.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array1, array};

    fn ball() -> Ball {
        let free = |unit| Reach { unit, low: -1.0, high: 10.0, whole: false };
        let columns = [free(1.0), free(2.0), Reach { whole: true, ..free(3.0) }, Reach::STILL];
        let layout: Vec<Stretch> =
            (0..4).map(|column| Stretch { numbers: column..column + 1, column, cell: 0 }).collect();
        Ball::new(4, &layout, &columns)
    }

    fn projected(origin: &Array1<f64>, epsilon: f64, point: Array1<f64>) -> Array1<f64> {
        let mut point = point;
        ball().project(origin.view(), epsilon, point.view_mut());
        ball().settle(origin.view(), point.view_mut());
        point
    }

    #[test]
    fn numbers_move_by_their_units_within_their_range_and_whole_ones_by_whole_steps() {
        let origin = array![0.0, 0.0, 4.0, 7.0];
        assert_eq!(projected(&origin, 0.5, array![9.0, 9.0, 9.0, 9.0]), array![0.5, 1.0, 5.0, 7.0]);
        assert_eq!(projected(&origin, 0.5, array![-9.0, -9.0, -9.0, -9.0]), array![-0.5, -1.0, 3.0, 7.0]);
        assert_eq!(projected(&origin, 100.0, array![99.0, -99.0, 99.0, 99.0]), array![10.0, -1.0, 10.0, 7.0]);
        assert_eq!(projected(&origin, 0.0, array![1.0, 1.0, 1.0, 1.0]), origin);
        let mut point = origin.clone();
        ball().step(point.view_mut(), array![1e-9, -5.0, f64::NAN, 1.0].view(), 0.25);
        assert_eq!(point, array![0.25, -0.5, 4.0, 7.0]);
    }

    #[test]
    fn what_lies_outside_of_its_range_is_not_pushed_further_and_missing_values_stay() {
        let origin = array![12.0, -3.0, f64::NAN, 0.0];
        let up = projected(&origin, 1.0, array![20.0, 0.5, 2.0, 0.0]);
        assert_eq!((up[0], up[1], up[2].is_nan()), (12.0, -1.0, true));
        let down = projected(&origin, 1.0, array![0.0, -9.0, 2.0, 0.0]);
        assert_eq!((down[0], down[1]), (11.0, -3.0));
    }
}
