//! Two distributions of the same column laid side by side: in the earlier one's bins, and value by value.

use super::counts::bucket_of;
use crate::audit::{CellValue, Distribution, DistributionCell};
use crate::stats::quantiles::{from_ordered_bits, ordered_bits};
use std::collections::BTreeMap;

/// Weights of the baseline and of the later run, in the same places.
#[derive(Debug, Clone, PartialEq)]
pub struct Aligned {
    /// Shares of the weight in the baseline's bins, then of what has none there: new categories, numbers where there
    /// were none, missing values where none were missing. Empty where a run has no weight at all.
    pub bins: Vec<(f64, f64)>,
    /// Finite numbers in ascending order, with their weights.
    pub numbers: Vec<(f64, f64, f64)>,
}

impl Aligned {
    /// Lays `now` beside `before`. Where one of them was kept in coarser cells, both are counted in those, and an edge
    /// of the baseline's bins moves to the edge of the coarser cell around it.
    pub fn new(before: &Distribution, now: &Distribution) -> Self {
        let coarseness = before.coarseness.max(now.coarseness);
        let frozen = Frozen::new(before, coarseness);
        let mut bins: BTreeMap<Place, (f64, f64)> = BTreeMap::new();
        let mut numbers: BTreeMap<u64, (f64, f64)> = BTreeMap::new();
        for cell in &before.cells {
            bins.entry(frozen.place(cell)).or_default().0 += cell.weight;
            if let CellValue::Number(value) = cell.value {
                numbers.entry(key(value, coarseness)).or_default().0 += cell.weight;
            }
        }
        for cell in &now.cells {
            bins.entry(frozen.place(cell)).or_default().1 += cell.weight;
            if let CellValue::Number(value) = cell.value {
                numbers.entry(key(value, coarseness)).or_default().1 += cell.weight;
            }
        }
        let numbers = numbers.into_iter().map(|(key, (a, b))| (middle(key, coarseness), a, b)).collect();
        Self { bins: shares(bins.into_values().collect()), numbers }
    }
}

fn shares(weights: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    let (before, now) = weights.iter().fold((0.0, 0.0), |(a, b), (x, y)| (a + x, b + y));
    match before > 0.0 && now > 0.0 {
        true => weights.into_iter().map(|(a, b)| (a / before, b / now)).collect(),
        false => Vec::new(),
    }
}

/// A bin of the baseline, or what has none there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Bin(u32),
    New,
    NewlyMissing,
    NewlyInfinite,
}

/// The baseline's bins, as lookups.
struct Frozen {
    coarseness: u32,
    /// Lowest key of each bin of numbers, ascending.
    edges: Vec<(u64, u32)>,
    categories: BTreeMap<String, u32>,
    missing: Option<u32>,
    infinite: Option<u32>,
}

impl Frozen {
    fn new(before: &Distribution, coarseness: u32) -> Self {
        let (mut edges, mut categories) = (BTreeMap::new(), BTreeMap::new());
        let (mut missing, mut infinite) = (None, None);
        for cell in &before.cells {
            match &cell.value {
                // Cells ascend: the first of a bin is its lowest, and a coarse cell stays with its first bin.
                CellValue::Number(value) => {
                    let key = key(*value, coarseness);
                    if edges.last_key_value().is_none_or(|(_, bin)| *bin != cell.bin) {
                        edges.entry(key).or_insert(cell.bin);
                    }
                }
                CellValue::Category(name) => {
                    categories.entry(category(name, before.coarseness, coarseness)).or_insert(cell.bin);
                }
                CellValue::Missing => missing = Some(cell.bin),
                CellValue::Infinite => infinite = Some(cell.bin),
            }
        }
        Self { coarseness, edges: edges.into_iter().collect(), categories, missing, infinite }
    }

    fn place(&self, cell: &DistributionCell) -> Place {
        let bin = match &cell.value {
            CellValue::Number(value) => {
                let above = self.edges.partition_point(|(edge, _)| *edge <= key(*value, self.coarseness));
                // Below the lowest edge is the lowest bin.
                self.edges.get(above.saturating_sub(1)).map(|(_, bin)| *bin)
            }
            CellValue::Category(name) => {
                let known = self.categories.get(name);
                known.or_else(|| self.categories.get(&category(name, 0, self.coarseness))).copied()
            }
            CellValue::Missing => return self.missing.map_or(Place::NewlyMissing, Place::Bin),
            CellValue::Infinite => return self.infinite.map_or(Place::NewlyInfinite, Place::Bin),
        };
        bin.map_or(Place::New, Place::Bin)
    }
}

/// A category as it is called at the common coarseness.
fn category(name: &str, own: u32, common: u32) -> String {
    if own < common { bucket_of(name) } else { name.to_owned() }
}

/// The cell of a number, as an integer that orders like it.
fn key(value: f64, dropped: u32) -> u64 {
    ordered_bits(value) >> dropped << dropped
}

/// The number that stands for a cell: itself, or the middle of the cell.
fn middle(key: u64, dropped: u32) -> f64 {
    match dropped.checked_sub(1) {
        Some(bit) if from_ordered_bits(key) != 0.0 => from_ordered_bits(key | 1 << bit),
        _ => from_ordered_bits(key),
    }
}
