//! How a layer's numbers are distributed: over all rows, by unit, and by cell of the groups.
//!
//! Sums over the units of a row are taken in their order, sums over rows exactly: however the rows are split, merged
//! partials give the same digits. Numbers that are not finite are counted and left out of everything else.

use super::layout::Layout;
use crate::stats::groups::Group;
use crate::stats::{Accumulator, Cells, ExactSum};

/// What is kept of the numbers of a unit, a cell or both.
#[derive(Debug, Clone, Default)]
struct Sums {
    n: u64,
    zeros: u64,
    sum: ExactSum,
    squares: ExactSum,
}

/// Least and greatest number, the other way round where there is none.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Extremes {
    least: f32,
    greatest: f32,
}

/// Rows of one combination of groups.
#[derive(Debug, Clone, Default)]
struct CellActivity {
    n_rows: u64,
    not_finite: u64,
    sums: Sums,
    /// By unit.
    extremes: Vec<Extremes>,
}

/// Accumulates the numbers of one layer.
#[derive(Debug, Clone)]
pub struct Activity {
    layout: Layout,
    cells: Cells,
    by_cell: Vec<CellActivity>,
    by_unit: Vec<Sums>,
}

/// A layer's numbers over the rows of a group.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupActivity {
    pub n_rows: u64,
    /// Numbers that are not finite.
    pub not_finite: u64,
    pub numbers: Numbers,
    /// Units with one and the same number everywhere or, behind a rectifier, never above 0. `None` for a single row of
    /// a layer with one number per unit, of which that could not be told.
    pub dead_units: Option<u64>,
}

/// A unit's numbers over all rows.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitActivity {
    pub unit: usize,
    pub numbers: Numbers,
    pub is_dead: Option<bool>,
}

/// How some numbers are distributed; `None` without any.
#[derive(Debug, Clone, PartialEq)]
pub struct Numbers {
    pub mean: Option<f64>,
    /// Square root of Σ(x − mean)² / n over rows, units and positions.
    pub std: Option<f64>,
    /// Share of the numbers that are exactly 0.
    pub zero_fraction: Option<f64>,
    pub minimum: Option<f64>,
    pub maximum: Option<f64>,
}

impl Activity {
    pub fn new(layout: &Layout) -> Self {
        let by_unit = vec![Sums::default(); layout.n_units()];
        Self { layout: layout.clone(), cells: Cells::default(), by_cell: Vec::new(), by_unit }
    }

    /// Cells of the group columns that were seen.
    pub fn cells(&self) -> &Cells {
        &self.cells
    }

    pub fn update(&mut self, codes: &[Vec<u32>], numbers: &[f32]) {
        let width = self.layout.width().max(1);
        let n_rows = numbers.len() / width;
        let cells = self.cells.intern(codes, n_rows);
        self.make_room();
        for (row, cell) in numbers.chunks_exact(width).zip(cells) {
            self.row(row, cell as usize);
        }
    }

    fn make_room(&mut self) {
        let empty = CellActivity { extremes: vec![Extremes::NONE; self.layout.n_units()], ..Default::default() };
        self.by_cell.resize(self.cells.len(), empty);
    }

    fn row(&mut self, row: &[f32], cell: usize) {
        let cell = &mut self.by_cell[cell];
        let mut units = vec![RowSums::default(); self.layout.n_units()];
        self.layout.each(row, |unit, _, number| {
            if number.is_finite() {
                units[unit].add(number);
                cell.extremes[unit].add(number);
            } else {
                cell.not_finite += 1;
            }
        });
        let mut whole = RowSums::default();
        for (unit, sums) in units.iter().zip(&mut self.by_unit) {
            whole.add_all(unit);
            sums.add(unit);
        }
        cell.n_rows += 1;
        cell.sums.add(&whole);
    }

    /// Takes in everything `other` has seen of the same layer.
    pub fn merge(&mut self, other: Self) {
        let to = self.cells.absorb(&other.cells);
        self.make_room();
        for (cell, to) in other.by_cell.into_iter().zip(to) {
            let mine = &mut self.by_cell[to as usize];
            mine.n_rows += cell.n_rows;
            mine.not_finite += cell.not_finite;
            mine.sums.merge(cell.sums);
            mine.extremes.iter_mut().zip(cell.extremes).for_each(|(mine, theirs)| mine.merge(theirs));
        }
        self.by_unit.iter_mut().zip(other.by_unit).for_each(|(mine, theirs)| mine.merge(theirs));
    }

    /// Over all rows. `rectified`: nothing below zero counts as life.
    pub fn overall(&self, rectified: bool) -> GroupActivity {
        self.of(0..self.by_cell.len(), rectified)
    }

    /// Over the rows of a group.
    pub fn group(&self, group: &Group, rectified: bool) -> GroupActivity {
        self.of(group.cells.iter().map(|cell| *cell as usize), rectified)
    }

    fn of(&self, cells: impl Iterator<Item = usize> + Clone, rectified: bool) -> GroupActivity {
        let mut sums = Sums::default();
        let mut units = vec![Extremes::NONE; self.layout.n_units()];
        let (mut n_rows, mut not_finite) = (0, 0);
        for cell in cells.map(|cell| &self.by_cell[cell]) {
            n_rows += cell.n_rows;
            not_finite += cell.not_finite;
            sums.merge(cell.sums.clone());
            units.iter_mut().zip(&cell.extremes).for_each(|(mine, theirs)| mine.merge(*theirs));
        }
        let all = units.iter().fold(Extremes::NONE, |mut all, unit| {
            all.merge(*unit);
            all
        });
        let dead = || units.iter().filter(|unit| unit.is_dead(rectified) == Some(true)).count() as u64;
        GroupActivity {
            n_rows,
            not_finite,
            numbers: Numbers::of(&sums, all),
            dead_units: self.tells_the_dead(n_rows, sums.n).then(dead),
        }
    }

    /// One number is always constant.
    fn tells_the_dead(&self, n_rows: u64, n: u64) -> bool {
        n > 0 && (n_rows > 1 || self.layout.n_positions() > 1)
    }

    /// Every unit over all rows, in order.
    pub fn units(&self, rectified: bool) -> Vec<UnitActivity> {
        let n_rows = self.by_cell.iter().map(|cell| cell.n_rows).sum();
        let of = |(unit, sums): (usize, &Sums)| {
            let mut all = Extremes::NONE;
            self.by_cell.iter().for_each(|cell| all.merge(cell.extremes[unit]));
            UnitActivity {
                unit,
                numbers: Numbers::of(sums, all),
                is_dead: self.tells_the_dead(n_rows, sums.n).then(|| all.is_dead(rectified)).flatten(),
            }
        };
        self.by_unit.iter().enumerate().map(of).collect()
    }
}

impl Numbers {
    fn of(sums: &Sums, all: Extremes) -> Self {
        Self {
            mean: sums.mean(),
            std: sums.std().map(|std| if all.is_constant() { 0.0 } else { std }),
            zero_fraction: sums.zero_fraction(),
            minimum: all.known().map(|all| f64::from(all.least)),
            maximum: all.known().map(|all| f64::from(all.greatest)),
        }
    }
}

/// Sums over one row.
#[derive(Debug, Clone, Copy, Default)]
struct RowSums {
    n: u64,
    zeros: u64,
    sum: f64,
    squares: f64,
}

impl RowSums {
    fn add(&mut self, number: f32) {
        let number = f64::from(number);
        self.n += 1;
        self.zeros += u64::from(number == 0.0);
        self.sum += number;
        self.squares += number * number;
    }

    fn add_all(&mut self, other: &Self) {
        self.n += other.n;
        self.zeros += other.zeros;
        self.sum += other.sum;
        self.squares += other.squares;
    }
}

impl Sums {
    fn add(&mut self, row: &RowSums) {
        self.n += row.n;
        self.zeros += row.zeros;
        self.sum.add(row.sum);
        self.squares.add(row.squares);
    }

    fn merge(&mut self, other: Self) {
        self.n += other.n;
        self.zeros += other.zeros;
        self.sum.merge(other.sum);
        self.squares.merge(other.squares);
    }

    fn mean(&self) -> Option<f64> {
        (self.n > 0).then(|| self.sum.value() / self.n as f64)
    }

    fn std(&self) -> Option<f64> {
        let mean = self.mean()?;
        // Rounding can leave a tiny negative difference for constant numbers.
        Some((self.squares.value() / self.n as f64 - mean * mean).max(0.0).sqrt())
    }

    fn zero_fraction(&self) -> Option<f64> {
        (self.n > 0).then(|| self.zeros as f64 / self.n as f64)
    }
}

impl Extremes {
    const NONE: Self = Self { least: f32::INFINITY, greatest: f32::NEG_INFINITY };

    fn add(&mut self, number: f32) {
        self.least = self.least.min(number);
        self.greatest = self.greatest.max(number);
    }

    fn merge(&mut self, other: Self) {
        self.least = self.least.min(other.least);
        self.greatest = self.greatest.max(other.greatest);
    }

    fn known(self) -> Option<Self> {
        (self.least <= self.greatest).then_some(self)
    }

    fn is_constant(self) -> bool {
        self.known().is_some_and(|known| known.least == known.greatest)
    }

    /// `None` without any number.
    fn is_dead(self, rectified: bool) -> Option<bool> {
        self.known().map(|known| known.is_constant() || rectified && known.greatest <= 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::GroupLevels;
    use crate::stats::groups::groups;
    use crate::stats::random::Stream;

    /// 3 channels of 2 × 2: the first alive, the second never above zero, the third constant.
    fn numbers(n_rows: usize) -> Vec<f32> {
        let stream = Stream::new(3, "activity");
        let number = |at: u64| match (at / 4) % 3 {
            0 => (stream.normal(at) as f32).max(0.0),
            1 => -(stream.unit(at) as f32),
            _ => 0.25,
        };
        (0..n_rows as u64 * 12).map(number).collect()
    }

    fn codes(n_rows: usize) -> Vec<Vec<u32>> {
        vec![(0..n_rows as u32).map(|row| row % 3).collect()]
    }

    fn layout() -> Layout {
        Layout::new(&[3, 2, 2], None)
    }

    fn close(found: Option<f64>, expected: f64) {
        assert!((found.unwrap() - expected).abs() < 1e-12, "{found:?} is not {expected}");
    }

    #[test]
    fn moments_are_those_of_all_numbers_and_dead_units_are_told_by_the_activation() {
        let numbers = numbers(50);
        let mut activity = Activity::new(&layout());
        activity.update(&codes(50), &numbers);
        let found = activity.overall(true);
        let n = numbers.len() as f64;
        let wide = || numbers.iter().map(|x| f64::from(*x));
        let mean = wide().sum::<f64>() / n;
        close(found.numbers.mean, mean);
        close(found.numbers.std, (wide().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt());
        close(found.numbers.zero_fraction, wide().filter(|x| *x == 0.0).count() as f64 / n);
        assert_eq!((found.n_rows, found.dead_units, activity.overall(false).dead_units), (50, Some(2), Some(1)));
        let units = activity.units(true);
        assert_eq!(units.iter().map(|unit| unit.is_dead).collect::<Vec<_>>(), [Some(false), Some(true), Some(true)]);
        assert_eq!((units[2].numbers.mean, units[2].numbers.std), (Some(0.25), Some(0.0)));
    }

    #[test]
    fn any_split_merged_in_any_order_gives_the_same_bits() {
        let (numbers, codes) = (numbers(90), codes(90));
        let part = |from: usize, to: usize| {
            let mut part = Activity::new(&layout());
            part.update(&[codes[0][from..to].to_vec()], &numbers[from * 12..to * 12]);
            part
        };
        let whole = part(0, 90);
        let mut parts = part(61, 90);
        [part(0, 1), part(7, 61), Activity::new(&layout()), part(1, 7)].into_iter().for_each(|p| parts.merge(p));
        assert_eq!(whole.overall(true), parts.overall(true));
        assert_eq!(whole.units(true), parts.units(true));
        let levels = GroupLevels { columns: vec!["g".into()], levels: vec![vec!["a".into(), "b".into(), "c".into()]] };
        let of = |activity: &Activity| -> Vec<GroupActivity> {
            let groups = groups("g", &[0], activity.cells(), &levels).unwrap();
            groups.iter().map(|group| activity.group(group, true)).collect()
        };
        assert_eq!(of(&whole), of(&parts));
        // A group is what its rows alone give.
        let mut only = Activity::new(&layout());
        (0..90).step_by(3).for_each(|row| only.update(&[vec![0]], &numbers[row * 12..(row + 1) * 12]));
        assert_eq!(of(&whole)[0], only.overall(true));
    }

    #[test]
    fn what_is_not_finite_is_counted_and_left_out() {
        let mut activity = Activity::new(&Layout::new(&[2], None));
        activity.update(&[], &[1.0, f32::NAN, 3.0, f32::INFINITY]);
        let found = activity.overall(false);
        assert_eq!((found.not_finite, found.numbers.mean, found.numbers.maximum), (2, Some(2.0), Some(3.0)));
        let unit = &activity.units(false)[1];
        assert_eq!((unit.numbers.mean, unit.numbers.minimum, unit.is_dead), (None, None, None));
    }

    #[test]
    fn a_unit_without_a_finite_number_is_neither_dead_nor_alive() {
        let mut activity = Activity::new(&Layout::new(&[2, 2, 1], None));
        activity.update(&[], &[f32::NAN, f32::NEG_INFINITY, 1.0, 2.0]);
        for rectified in [false, true] {
            assert_eq!(activity.overall(rectified).dead_units, Some(0));
            let units = activity.units(rectified);
            assert_eq!(units.iter().map(|unit| unit.is_dead).collect::<Vec<_>>(), [None, Some(false)]);
        }
    }

    #[test]
    fn nothing_is_said_of_no_rows_and_no_death_of_one_number() {
        let empty = Activity::new(&layout()).overall(true);
        assert_eq!((empty.n_rows, empty.numbers.mean, empty.dead_units), (0, None, None));
        let mut one = Activity::new(&Layout::new(&[3], None));
        one.update(&[], &[0.0, 1.0, -1.0]);
        assert_eq!(one.overall(true).dead_units, None);
    }
}
