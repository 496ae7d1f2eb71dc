//! Bins: neighbouring cells united, once and for all, when a run is stored.

use crate::audit::{CellValue, DistributionCell};

/// Bins of numbers: deciles, the custom of credit scoring (Siddiqi 2006).
const DECILES: f64 = 10.0;

/// Numbers the bins of cells in their order. Numbers fall into tenths of the weight by the middle of their cell, so a
/// value that many rows share has a bin for itself; each category has one, and so has what is missing or not finite.
pub fn freeze(cells: &mut [DistributionCell]) {
    let is_number = |cell: &DistributionCell| matches!(cell.value, CellValue::Number(_));
    let total: f64 = cells.iter().filter(|cell| is_number(cell)).map(|cell| cell.weight).sum();
    let mut below = 0.0;
    // (what makes the cell's bin, number of the bin)
    let mut last: Option<(Option<u32>, u32)> = None;
    for cell in cells {
        let decile = is_number(cell).then(|| decile(below + cell.weight / 2.0, total));
        if decile.is_some() {
            below += cell.weight;
        }
        let bin = match last {
            None => 0,
            Some((before, bin)) if before == decile && decile.is_some() => bin,
            Some((_, bin)) => bin + 1,
        };
        cell.bin = bin;
        last = Some((decile, bin));
    }
}

fn decile(middle: f64, total: f64) -> u32 {
    // Rows without any weight have no share.
    if total > 0.0 { ((DECILES * middle / total) as u32).min(DECILES as u32 - 1) } else { 0 }
}
