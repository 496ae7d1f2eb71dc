//! The two inner loops of the tables, for 64 rows at a time: keys from quantised bytes, and adding table entries.
//!
//! What they work on, and the plain versions; `simd` has the same loops for wide registers.

use crate::forest::cuts::{BLOCK, Compare};

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

/// How the one line of a packed entry is spread over the slots of a row of sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spread {
    /// Slot of each lane of the entry.
    slots: [u8; LANES - 1],
    n_slots: u8,
    /// For each slot, the lane of the entry that is added to it; the last lane, which is zero, where there is none.
    pub(super) lanes: [u8; WIDEST * LANES],
}

impl Spread {
    /// Lane i goes to `slots[i]`; fewer slots than lanes, all within the widest row.
    pub fn over(slots: &[u32]) -> Self {
        let mut spread =
            Self { slots: [0; LANES - 1], n_slots: slots.len() as u8, lanes: [LANES as u8 - 1; WIDEST * LANES] };
        for (lane, slot) in slots.iter().enumerate() {
            spread.slots[lane] = *slot as u8;
            spread.lanes[*slot as usize] = lane as u8;
        }
        spread
    }

    fn slots(&self) -> &[u8] {
        &self.slots[..self.n_slots as usize]
    }
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

/// Adds packed entries, see [`super::simd::Simd::add_packed`].
pub(super) fn add_packed(sums: &mut [Line], place: Place, tables: &[(&[Line], &Spread)], keys: &[Keys]) {
    for (row, sums) in sums.chunks_exact_mut(place.stride).enumerate() {
        let sums = &mut sums[place.offset..place.offset + place.width];
        for ((table, spread), keys) in tables.iter().zip(keys) {
            let entry = &table[keys.keys[row] as usize];
            for (slot, term) in spread.slots().iter().zip(entry.0) {
                sums[*slot as usize / LANES].0[*slot as usize % LANES] += term;
            }
        }
    }
}
