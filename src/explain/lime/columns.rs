//! Neighbours of a row, one column at a time.

use super::bins::Bins;
use super::shares::Shares;
use super::truncated::Uniforms;
use super::{Around, Discretiser, LimeColumn, LimeError, LimeSettings, term};
use crate::dataset::batch::Column;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How the training data are distributed in one column.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Distribution {
    Bins(Bins),
    Codes(Categories<f64>),
    Texts(Categories<Option<Arc<str>>>),
    Normal(Normal),
}

/// Categories and their shares of the training rows.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Categories<T> {
    values: Vec<T>,
    shares: Shares,
}

/// Numbers by mean and standard deviation alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Normal {
    mean: f64,
    std: f64,
    missing_share: f64,
    around: Around,
}

/// One column of a neighbourhood; the first cell is the row's own.
pub(super) struct Neighbours {
    /// For the model.
    pub cells: Column,
    /// For the surrogate: 1 where the bin or category is the row's own, else 0; standardised numbers without bins.
    pub design: Vec<f64>,
}

impl Distribution {
    /// # Errors
    /// A column of tensors.
    pub fn learn(column: &Column, described: &LimeColumn, settings: &LimeSettings) -> Result<Self, LimeError> {
        Ok(match column {
            Column::Text(texts) => Self::Texts(Categories::of(texts.iter().cloned())),
            Column::Number(codes) if described.categorical => {
                let Categories { values, shares } = Categories::of(codes.iter().map(|code| Code(*code)));
                Self::Codes(Categories { values: values.into_iter().map(|code| code.0).collect(), shares })
            }
            Column::Number(numbers) if settings.discretiser == Discretiser::Off => {
                Self::Normal(Normal::of(numbers, settings.around))
            }
            Column::Number(numbers) => Self::Bins(Bins::learn(numbers, settings.discretiser, settings.point_bins)),
            Column::Tensor { .. } => return Err(LimeError::Tensor { column: described.name.clone() }),
        })
    }

    /// `n` neighbours of `row` in this column, the row itself first. `None` if the column is of another kind than the
    /// training data's.
    pub fn neighbours(&self, column: &Column, row: usize, n: usize, uniforms: &mut Uniforms) -> Option<Neighbours> {
        Some(match (self, column) {
            (Self::Bins(bins), Column::Number(numbers)) => bin_neighbours(bins, numbers[row], n, uniforms),
            (Self::Normal(normal), Column::Number(numbers)) => normal.neighbours(numbers[row], n, uniforms),
            (Self::Codes(categories), Column::Number(codes)) => {
                let (cells, design) = categories.neighbours(&codes[row], n, uniforms, |a, b| same_code(*a, *b));
                Neighbours { cells: Column::Number(cells), design }
            }
            (Self::Texts(categories), Column::Text(texts)) => {
                let (cells, design) = categories.neighbours(&texts[row], n, uniforms, |a, b| a == b);
                Neighbours { cells: Column::Text(cells), design }
            }
            _ => return None,
        })
    }

    /// What the row's weight in this column is for. `None` as for [`Distribution::neighbours`].
    pub fn term(&self, described: &LimeColumn, column: &Column, row: usize) -> Option<String> {
        let name = &described.name;
        Some(match (self, column) {
            (Self::Bins(bins), Column::Number(numbers)) => {
                term::between(name, bins.bounds(), bins.bin_of(numbers[row]))
            }
            (Self::Normal(_), Column::Number(numbers)) => term::equals_number(name, numbers[row]),
            (Self::Codes(_), Column::Number(codes)) => term::equals_code(name, codes[row], &described.levels),
            (Self::Texts(_), Column::Text(texts)) => term::equals_text(name, texts[row].as_deref()),
            _ => return None,
        })
    }

    /// The kind of column this was learnt from.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Texts(_) => "text",
            Self::Bins(_) | Self::Codes(_) | Self::Normal(_) => "a number",
        }
    }
}

/// A code in an order with one place for all missing ones and for both zeros.
#[derive(Debug, Clone, Copy)]
struct Code(f64);

impl PartialEq for Code {
    fn eq(&self, other: &Self) -> bool {
        same_code(self.0, other.0)
    }
}

impl Eq for Code {}

impl PartialOrd for Code {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Code {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let place = |code: f64| if code.is_nan() { f64::NAN } else { code + 0.0 };
        place(self.0).total_cmp(&place(other.0))
    }
}

fn same_code(a: f64, b: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan())
}

fn as_design(is_own: bool) -> f64 {
    f64::from(u8::from(is_own))
}

impl<T: Clone> Categories<T> {
    fn of(values: impl Iterator<Item = T>) -> Self
    where
        T: Ord,
    {
        let mut counts: BTreeMap<T, u64> = BTreeMap::new();
        values.for_each(|value| *counts.entry(value).or_default() += 1);
        let shares = Shares::of(counts.values().copied());
        Self { values: counts.into_keys().collect(), shares }
    }

    fn neighbours(
        &self,
        own: &T,
        n: usize,
        uniforms: &mut Uniforms,
        same: impl Fn(&T, &T) -> bool,
    ) -> (Vec<T>, Vec<f64>) {
        let is_own: Vec<f64> = self.values.iter().map(|value| as_design(same(value, own))).collect();
        let (mut cells, mut design) = (Vec::with_capacity(n), Vec::with_capacity(n));
        cells.push(own.clone());
        design.push(1.0);
        for _ in 1..n {
            let drawn = self.shares.at(uniforms.unit());
            cells.push(drawn.map_or_else(|| own.clone(), |at| self.values[at].clone()));
            design.push(drawn.map_or(1.0, |at| is_own[at]));
        }
        (cells, design)
    }
}

fn bin_neighbours(bins: &Bins, own: f64, n: usize, uniforms: &mut Uniforms) -> Neighbours {
    let own_bin = bins.bin_of(own);
    let (mut cells, mut design) = (Vec::with_capacity(n), Vec::with_capacity(n));
    cells.push(own);
    design.push(1.0);
    for _ in 1..n {
        match bins.draw_bin(uniforms) {
            Some(bin) => {
                cells.push(bins.draw_in(bin, uniforms));
                design.push(as_design(bin == own_bin));
            }
            None => {
                cells.push(own);
                design.push(1.0);
            }
        }
    }
    Neighbours { cells: Column::Number(cells), design }
}

impl Normal {
    fn of(numbers: &[f64], around: Around) -> Self {
        let finite = || numbers.iter().copied().filter(|x| x.is_finite());
        let n = finite().count().max(1) as f64;
        let mean = finite().map(|x| x / n).sum::<f64>();
        let is_constant = finite().max_by(f64::total_cmp) == finite().min_by(f64::total_cmp);
        let std = if is_constant { 0.0 } else { finite().map(|x| (x - mean).powi(2) / n).sum::<f64>().sqrt() };
        let mean = if is_constant { finite().next().unwrap_or(0.0) } else { mean };
        let n_missing = numbers.iter().filter(|x| x.is_nan()).count();
        Self { mean, std, missing_share: n_missing as f64 / numbers.len().max(1) as f64, around }
    }

    /// Where the row's own cell is no finite number, neighbours share that or not, as often as the training data have
    /// missing cells; otherwise none of them is missing.
    fn neighbours(&self, own: f64, n: usize, uniforms: &mut Uniforms) -> Neighbours {
        let center = if self.around == Around::Row && own.is_finite() { own } else { self.mean };
        let (mut cells, mut design) = (vec![own], vec![if own.is_finite() { self.standardised(own) } else { 1.0 }]);
        for _ in 1..n {
            let is_missing = !own.is_finite() && uniforms.unit() < self.missing_share;
            let x = if is_missing { own } else { center + self.std * uniforms.normal() };
            cells.push(x);
            design.push(if own.is_finite() { self.standardised(x) } else { as_design(is_missing) });
        }
        Neighbours { cells: Column::Number(cells), design }
    }

    fn standardised(&self, x: f64) -> f64 {
        if self.std > 0.0 { (x - self.mean) / self.std } else { x - self.mean }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::game::Scale;
    use crate::stats::random::Stream;

    fn described(categorical: bool) -> LimeColumn {
        LimeColumn { name: "x".into(), categorical, levels: vec![] }
    }

    fn learn(column: &Column, categorical: bool, discretiser: Discretiser, around: Around) -> Distribution {
        let settings = LimeSettings { discretiser, around, ..LimeSettings::new(vec![0], Scale::Probability, 1) };
        Distribution::learn(column, &described(categorical), &settings).unwrap()
    }

    fn drawn(distribution: &Distribution, own: Column, n: usize) -> (Column, Vec<f64>) {
        let neighbours = distribution.neighbours(&own, 0, n, &mut Uniforms::new(Stream::new(2, "columns"))).unwrap();
        (neighbours.cells, neighbours.design)
    }

    fn numbers(column: &Column) -> &[f64] {
        let Column::Number(numbers) = column else { panic!("numbers") };
        numbers
    }

    #[test]
    fn categories_are_drawn_as_often_as_they_occur_and_compared_with_the_rows_own() {
        let codes = [0.0, 2.0, 2.0, f64::NAN, 2.0, -0.0, 5.0, 2.0];
        let shares = learn(&Column::Number(codes.to_vec()), true, Discretiser::Quartile, Around::Data);
        for (own, share) in [(2.0, 0.5), (f64::NAN, 0.125), (0.0, 0.25), (9.0, 0.0)] {
            let n = 40_001;
            let (cells, design) = drawn(&shares, Column::Number(vec![own]), n);
            assert_eq!(design[0], 1.0);
            assert!(numbers(&cells).iter().zip(&design).all(|(code, one)| same_code(*code, own) == (*one == 1.0)));
            let found = design[1..].iter().sum::<f64>() / 40_000.0;
            assert!((found - share).abs() <= 5.0 * (share * (1.0 - share) / 40_000.0).sqrt(), "{own}: {found}");
        }
    }

    #[test]
    fn texts_and_missing_texts_are_categories() {
        let texts = Column::Text(vec![Some("a".into()), None, Some("b".into()), None]);
        let shares = learn(&texts, false, Discretiser::Quartile, Around::Data);
        let (cells, design) = drawn(&shares, Column::Text(vec![None]), 8_001);
        let Column::Text(cells) = cells else { panic!("texts") };
        assert!(cells.iter().zip(&design).all(|(text, one)| text.is_none() == (*one == 1.0)));
        assert!((design.iter().sum::<f64>() / 8_000.0 - 0.5).abs() < 0.03);
        assert_eq!(shares.term(&described(false), &texts, 1).as_deref(), Some("x is missing"));
        assert_eq!(shares.term(&described(false), &texts, 2).as_deref(), Some("x = b"));
    }

    #[test]
    fn without_bins_numbers_spread_around_the_mean_or_the_row() {
        let training = Column::Number((0..1_000).map(|i| 10.0 + f64::from(i % 5)).collect());
        for (around, center) in [(Around::Data, 12.0), (Around::Row, 30.0)] {
            let normal = learn(&training, false, Discretiser::Off, around);
            let (cells, design) = drawn(&normal, Column::Number(vec![30.0]), 20_001);
            let cells = numbers(&cells);
            let mean = cells[1..].iter().sum::<f64>() / 20_000.0;
            let variance = cells[1..].iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 20_000.0;
            assert!((mean - center).abs() < 5.0 * (2.0f64 / 20_000.0).sqrt() && (variance - 2.0).abs() < 0.1);
            assert!(cells.iter().zip(&design).all(|(x, z)| ((x - 12.0) / 2.0f64.sqrt() - z).abs() < 1e-12));
        }
    }

    #[test]
    fn without_bins_a_missing_number_is_shared_or_not() {
        let training: Vec<f64> = (0..1_000).map(|i| if i % 4 == 0 { f64::NAN } else { f64::from(i) }).collect();
        let normal = learn(&Column::Number(training), false, Discretiser::Off, Around::Row);
        let (cells, design) = drawn(&normal, Column::Number(vec![f64::NAN]), 10_001);
        assert!(numbers(&cells).iter().zip(&design).all(|(x, one)| x.is_nan() == (*one == 1.0)));
        assert!((design[1..].iter().sum::<f64>() / 10_000.0 - 0.25).abs() < 0.03);
        let (cells, _) = drawn(&normal, Column::Number(vec![5.0]), 1_000);
        assert!(numbers(&cells).iter().all(|x| x.is_finite()));
        let constant = learn(&Column::Number(vec![4.0; 9]), false, Discretiser::Off, Around::Data);
        let (cells, design) = drawn(&constant, Column::Number(vec![4.0]), 10);
        assert!(numbers(&cells).iter().all(|x| *x == 4.0) && design.iter().all(|z| *z == 0.0));
    }

    #[test]
    fn a_column_of_another_kind_has_no_neighbours_here_and_a_tensor_nowhere() {
        let bins = learn(&Column::Number(vec![1.0, 2.0]), false, Discretiser::Quartile, Around::Data);
        let text = Column::Text(vec![None]);
        assert!(bins.neighbours(&text, 0, 5, &mut Uniforms::new(Stream::new(1, "x"))).is_none());
        let tensor = Column::Tensor { width: 1, values: vec![0.0] };
        let settings = LimeSettings::new(vec![0], Scale::Probability, 1);
        let error = Distribution::learn(&tensor, &described(false), &settings).unwrap_err();
        assert_eq!(error, LimeError::Tensor { column: "x".into() });
    }
}
