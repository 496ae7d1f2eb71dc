//! How often each value of a column occurred, in bounded memory and in any order of rows.

use crate::audit::{CellValue, DistributionCell};
use crate::stats::distribution::{Mass, ScoreDistribution, Scored};
use crate::stats::{Accumulator, random};
use std::collections::HashMap;
use std::sync::Arc;

/// Cells of numbers kept; beyond it values share cells, whose width is a power of two relative to the value.
const MOST_NUMBERS: usize = 4_096;
/// Names kept; beyond it they are hashed into buckets.
const MOST_CATEGORIES: usize = 1_000;
/// Buckets that names are hashed into.
const BUCKETS: u64 = 100;

/// Tags of numbers that are none.
const FINITE: u8 = 0;
const MISSING: u8 = 1;
const INFINITE: u8 = 2;

/// A column of a batch.
#[derive(Debug, Clone, Copy)]
pub enum Values<'a> {
    /// NaN is missing.
    Numbers(&'a [f64]),
    /// `None` is missing.
    Texts(&'a [Option<Arc<str>>]),
}

/// What a column's numbers mean.
#[derive(Debug, Clone, Copy)]
pub enum Meaning<'a> {
    Quantity,
    /// Codes of categories, with names where they are known.
    Codes(&'a [String]),
}

/// Counts the values of one column. The result depends on the multiset of rows alone.
#[derive(Debug, Clone)]
pub struct ColumnCounts {
    numbers: ScoreDistribution,
    names: Names,
}

impl Default for ColumnCounts {
    fn default() -> Self {
        Self { numbers: ScoreDistribution::with_cap(MOST_NUMBERS), names: Names::default() }
    }
}

impl ColumnCounts {
    /// Counts consecutive rows; without weights each counts 1.
    pub fn update(&mut self, values: Values<'_>, weights: Option<&[f64]>) {
        let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
        match values {
            Values::Numbers(numbers) => numbers.iter().enumerate().for_each(|(row, number)| {
                let tag = match number {
                    number if number.is_nan() => MISSING,
                    number if number.is_infinite() => INFINITE,
                    _ => FINITE,
                };
                let score = if tag == FINITE { *number } else { 0.0 };
                self.numbers.update(Scored { cell: 0, tag, score, weight: weight(row) });
            }),
            Values::Texts(texts) => texts.iter().enumerate().for_each(|(row, text)| match text {
                Some(text) => self.names.add(text, weight(row)),
                None => self.numbers.update(Scored { cell: 0, tag: MISSING, score: 0.0, weight: weight(row) }),
            }),
        }
    }

    /// Coarseness and cells, in their order; all in bin 0.
    pub fn finish(&self, meaning: Meaning<'_>) -> (u32, Vec<DistributionCell>) {
        let masses = self.numbers.finish();
        let dropped = self.numbers.dropped_bits();
        let finite = masses.iter().filter(|mass| mass.tag == FINITE);
        let mut cells: Vec<DistributionCell> = match meaning {
            // Codes that were dropped into common cells are no categories any more.
            Meaning::Codes(names) if dropped == 0 => {
                let named = finite.map(|mass| (code_name(mass.score, names), *mass));
                let mut named: Vec<(String, Mass)> = named.collect();
                named.sort_by(|a, b| a.0.cmp(&b.0));
                named.into_iter().map(|(name, mass)| cell(CellValue::Category(name), &mass)).collect()
            }
            _ => finite.map(|mass| cell(CellValue::Number(mass.score), mass)).collect(),
        };
        cells.extend(self.names.cells());
        for (tag, value) in [(MISSING, CellValue::Missing), (INFINITE, CellValue::Infinite)] {
            cells.extend(masses.iter().filter(|mass| mass.tag == tag).map(|mass| cell(value.clone(), mass)));
        }
        (dropped.max(u32::from(self.names.hashed)), cells)
    }
}

fn cell(value: CellValue, mass: &Mass) -> DistributionCell {
    DistributionCell { value, bin: 0, n: mass.n, weight: mass.weight }
}

fn code_name(code: f64, names: &[String]) -> String {
    let known = (code >= 0.0 && code.fract() == 0.0).then(|| names.get(code as usize)).flatten();
    known.cloned().unwrap_or_else(|| code.to_string())
}

/// Counts of names: each its own, or hashed into buckets where there are too many.
#[derive(Debug, Clone)]
struct Names {
    codes: HashMap<Arc<str>, u32>,
    counts: ScoreDistribution,
    hashed: bool,
}

impl Default for Names {
    fn default() -> Self {
        Self { codes: HashMap::new(), counts: ScoreDistribution::with_cap(usize::MAX), hashed: false }
    }
}

impl Names {
    fn add(&mut self, name: &Arc<str>, weight: f64) {
        let cell = match (self.hashed, self.codes.get(name)) {
            (true, _) => bucket(name),
            (false, Some(code)) => *code,
            (false, None) => {
                let code = self.codes.len() as u32;
                self.codes.insert(name.clone(), code);
                code
            }
        };
        self.counts.update(Scored { cell, tag: 0, score: 0.0, weight });
        if self.codes.len() > MOST_CATEGORIES {
            let mut buckets = vec![0; self.codes.len()];
            self.codes.drain().for_each(|(name, code)| buckets[code as usize] = bucket(&name));
            self.counts.relabel(&buckets);
            self.hashed = true;
        }
    }

    fn cells(&self) -> Vec<DistributionCell> {
        let mut names: Vec<&str> = vec![""; self.codes.len()];
        self.codes.iter().for_each(|(name, code)| names[*code as usize] = name);
        let name = |mass: &Mass| match self.hashed {
            true => bucket_name(mass.cell),
            false => names[mass.cell as usize].to_owned(),
        };
        let mut cells: Vec<(String, Mass)> = self.counts.finish().into_iter().map(|mass| (name(&mass), mass)).collect();
        cells.sort_by(|a, b| a.0.cmp(&b.0));
        cells.into_iter().map(|(name, mass)| cell(CellValue::Category(name), &mass)).collect()
    }
}

/// The bucket of a name: the same on every machine and in every version, since it is stored.
fn bucket(name: &str) -> u32 {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        // FNV-1a (Fowler, Noll and Vo).
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (random::mix(hash) % BUCKETS) as u32
}

fn bucket_name(bucket: u32) -> String {
    format!("(bucket {bucket:02})")
}

/// The bucket that a name is counted in where names are hashed.
pub(super) fn bucket_of(name: &str) -> String {
    bucket_name(bucket(name))
}
