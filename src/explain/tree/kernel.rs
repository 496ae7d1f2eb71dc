//! The two inner loops of the tables, for 64 rows at a time: keys from quantised bytes, and adding table entries.
//!
//! What they work on, and the plain versions; `simd` has the same loops for wide registers.

use super::cuts::{BLOCK, Compare};

/// Numbers of a 512-bit register.
pub(super) const LANES: usize = 8;

/// Eight numbers on a cache line of their own.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C, align(64))]
pub(super) struct Line(pub [f64; LANES]);

pub(super) const ZERO: Line = Line([0.0; LANES]);

/// Keys of a block of rows, none above `last`.
#[repr(C, align(64))]
#[derive(Debug, Clone, Copy)]
pub(super) struct Keys {
    pub(super) keys: [u16; BLOCK],
    pub(super) last: u16,
}

impl Keys {
    pub const NONE: Self = Self { keys: [0; BLOCK], last: 0 };

    pub fn as_slice(&self) -> &[u16] {
        &self.keys
    }
}

/// Adds `delta` (modulo 2^16) to the key of each row whose compare holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Term {
    pub compare: Compare,
    pub delta: u16,
}

/// Widest entry that `Simd::add_entries` takes, in lines.
pub(super) const WIDEST: usize = 4;

/// Where a row's sums are: `width` lines from `offset` within `stride` lines a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub offset: usize,
    pub width: usize,
    pub stride: usize,
}

/// Keys, see [`super::simd::Simd::keys`].
pub(super) fn keys(block: &[u8], terms: &[Term], last: u16, keys: &mut Keys) {
    keys.keys = [0; BLOCK];
    for term in terms {
        let column = &block[term.compare.column as usize * BLOCK..][..BLOCK];
        for (key, byte) in keys.keys.iter_mut().zip(column) {
            *key = key.wrapping_add(if *byte > term.compare.threshold { term.delta } else { 0 });
        }
    }
    keys.keys.iter_mut().for_each(|key| *key = (*key).min(last));
}

/// Rows whose byte is above `threshold`, one bit each.
pub(super) fn holds(column: &[u8; BLOCK], threshold: u8) -> u64 {
    let bit = |row: usize| u64::from(column[row] > threshold) << row;
    (0..BLOCK).fold(0, |holds, row| holds | bit(row))
}

/// Adds entries, see [`super::simd::Simd::add_entries`].
pub(super) fn add<const W: usize>(sums: &mut [Line], place: Place, tables: &[&[Line]], keys: &[Keys]) {
    for (row, sums) in sums.chunks_exact_mut(place.stride).enumerate() {
        let sums = &mut sums[place.offset..place.offset + W];
        for (table, keys) in tables.iter().zip(keys) {
            let entry = &table[keys.keys[row] as usize * W..][..W];
            for (sum, term) in sums.iter_mut().zip(entry) {
                sum.0.iter_mut().zip(&term.0).for_each(|(sum, term)| *sum += *term);
            }
        }
    }
}
