//! The two inner loops of the tables, for 64 rows at a time: keys from quantised bytes, and adding table entries.
//!
//! Every variant does the same additions of the same numbers in the same order, lane by lane, so which one the machine
//! can run never changes a bit of the result. This is the only file of the crate's explanations with `unsafe`: calls into
//! functions compiled for instructions that were found at run time, and loads whose bounds are checked beforehand.
#![allow(unsafe_code)]

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
    keys: [u16; BLOCK],
    last: u16,
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

/// What the machine can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Simd {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Simd {
    pub fn detect() -> Self {
        Self::available().pop().unwrap_or(Simd::Portable)
    }

    /// All variants this machine can run, the fastest last.
    pub fn available() -> Vec<Self> {
        #[allow(unused_mut)]
        let mut found = vec![Simd::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") {
                found.push(Simd::Avx2);
            }
            if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw") {
                found.push(Simd::Avx512);
            }
        }
        found
    }

    /// Keys of a quantised block `[column][row]`: `first` plus the deltas of the terms that hold, at most `last`.
    pub fn keys(self, block: &[u8], first: u16, terms: &[Term], last: u16, keys: &mut Keys) {
        let column = |term: &Term| term.compare.column as usize;
        assert!(terms.iter().all(|term| (column(term) + 1) * BLOCK <= block.len()), "a column that the block lacks");
        keys.last = last;
        match self {
            Simd::Portable => keys_portable(block, first, terms, last, keys),
            // SAFETY: the instructions were found at run time, and every term's column lies within the block.
            #[cfg(target_arch = "x86_64")]
            Simd::Avx2 => unsafe { x86::keys_avx2(block, first, terms, last, keys) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Simd::Avx512 => unsafe { x86::keys_avx512(block, first, terms, last, keys) },
        }
    }

    /// Rows of a quantised block whose compare holds, one bit each.
    pub fn holds(self, block: &[u8], compare: Compare) -> u64 {
        let column: &[u8; BLOCK] = block[compare.column as usize * BLOCK..]
            .first_chunk()
            .unwrap_or_else(|| unreachable!("a block has whole columns"));
        match self {
            // SAFETY: the instructions were found at run time.
            #[cfg(target_arch = "x86_64")]
            Simd::Avx512 => unsafe { x86::holds_avx512(column, compare.threshold) },
            _ => holds_portable(column, compare.threshold),
        }
    }

    /// Runs `work` compiled for the machine's vectors. Nothing is reassociated or fused: the bits stay the same.
    pub fn vectorise<W: Vectorised>(self, work: W) {
        match self {
            Simd::Portable => work.run(Plain),
            // SAFETY: the instructions were found at run time.
            #[cfg(target_arch = "x86_64")]
            Simd::Avx2 => unsafe { x86::run_avx2(work) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Simd::Avx512 => unsafe { x86::run_avx512(work) },
        }
    }

    /// Adds to each row's `width` lines of `sums` (at `offset` of `stride`) its entry of every table, table by table.
    pub fn add_entries(self, sums: &mut [Line], place: Place, tables: &[&[Line]], keys: &[Keys]) {
        assert!(place.offset + place.width <= place.stride && sums.len() == place.stride * BLOCK);
        let fits = |(table, keys): (&&[Line], &Keys)| (keys.last as usize + 1) * place.width <= table.len();
        assert!(tables.len() == keys.len() && tables.iter().zip(keys).all(fits), "a key beyond its table");
        match place.width {
            1 => self.add_lines::<1>(sums, place, tables, keys),
            2 => self.add_lines::<2>(sums, place, tables, keys),
            3 => self.add_lines::<3>(sums, place, tables, keys),
            4 => self.add_lines::<4>(sums, place, tables, keys),
            width => unreachable!("entries of {width} lines are added through their offsets"),
        }
    }

    fn add_lines<const W: usize>(self, sums: &mut [Line], place: Place, tables: &[&[Line]], keys: &[Keys]) {
        match self {
            Simd::Portable => add_portable::<W>(sums, place, tables, keys),
            // SAFETY: the instructions were found at run time; `add_entries` checked every key against its table.
            #[cfg(target_arch = "x86_64")]
            Simd::Avx2 => unsafe { x86::add_avx2::<W>(sums, place, tables, keys) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Simd::Avx512 => unsafe { x86::add_avx512::<W>(sums, place, tables, keys) },
        }
    }
}

/// Work on lanes, compiled once for each kind of registers.
pub(super) trait Vectorised {
    /// To be marked `#[inline(always)]`, as all it calls.
    fn run<V: Lanewise>(self, with: V);
}

/// What a row's history makes of an edge: one number for rows that agree (bit set in `new`), one for those that agreed
/// before (bit set in `old` only), one for the rest.
#[derive(Debug, Clone, Copy)]
pub(super) struct Histories {
    pub new: u8,
    pub old: u8,
}

/// What an edge does at each point: to rows that still agree with the player's tests (`agree`), and to those that
/// agreed before it only (`leave`).
#[derive(Debug, Clone, Copy)]
pub(super) struct EdgeFactors<'a> {
    /// u_new / u_old.
    pub ratio_agree: &'a [f64],
    pub ratio_leave: &'a [f64],
    /// The weighted g_new − g_old.
    pub gain_agree: &'a [f64],
    pub gain_leave: &'a [f64],
}

/// Where an edge to a leaf reads and adds.
pub(super) struct Tip<'a> {
    pub above: &'a [Line],
    pub below: &'a mut [Line],
    pub sum: &'a mut Line,
}

/// The loops of `walk` over points, eight rows side by side.
pub(super) trait Lanewise: Copy {
    /// `below[q] = above[q] · (agree[q] | leave[q] | gone)`.
    fn descend(self, rows: Histories, factors: &EdgeFactors, gone: f64, above: &[Line], below: &mut [Line]);

    /// `above[q] += below[q]` and, one point after the other, `sum += below[q] · (agree[q] | leave[q] | 0)`.
    fn ascend(self, rows: Histories, factors: &EdgeFactors, below: &[Line], above: &mut [Line], sum: &mut Line);

    /// An edge to a leaf at once: `e = above[q] · (ratio) · vote`, `below[q] += e`, `sum += e · (gain)`.
    fn tip(self, rows: Histories, factors: &EdgeFactors, gone: f64, vote: f64, at: Tip);

    /// `below[q] += products[q] · vote`.
    fn vote(self, vote: f64, products: &[Line], below: &mut [Line]);
}

/// [`Lanewise`] without intrinsics.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plain;

impl Plain {
    #[inline(always)]
    fn choose(rows: Histories, lane: usize, agree: f64, leave: f64, gone: f64) -> f64 {
        let before = if rows.old >> lane & 1 == 1 { leave } else { gone };
        if rows.new >> lane & 1 == 1 { agree } else { before }
    }
}

impl Lanewise for Plain {
    #[inline(always)]
    fn descend(self, rows: Histories, factors: &EdgeFactors, gone: f64, above: &[Line], below: &mut [Line]) {
        let factors = factors.ratio_agree.iter().zip(factors.ratio_leave);
        for ((below, above), (agree, leave)) in below.iter_mut().zip(above).zip(factors) {
            for lane in 0..LANES {
                below.0[lane] = above.0[lane] * Self::choose(rows, lane, *agree, *leave, gone);
            }
        }
    }

    #[inline(always)]
    fn ascend(self, rows: Histories, factors: &EdgeFactors, below: &[Line], above: &mut [Line], sum: &mut Line) {
        let factors = factors.gain_agree.iter().zip(factors.gain_leave);
        for ((above, below), (agree, leave)) in above.iter_mut().zip(below).zip(factors) {
            for lane in 0..LANES {
                above.0[lane] += below.0[lane];
                sum.0[lane] += below.0[lane] * Self::choose(rows, lane, *agree, *leave, 0.0);
            }
        }
    }

    #[inline(always)]
    fn tip(self, rows: Histories, factors: &EdgeFactors, gone: f64, vote: f64, at: Tip) {
        for (q, (below, above)) in at.below.iter_mut().zip(at.above).enumerate() {
            let (ratio_agree, ratio_leave) = (factors.ratio_agree[q], factors.ratio_leave[q]);
            let (gain_agree, gain_leave) = (factors.gain_agree[q], factors.gain_leave[q]);
            for lane in 0..LANES {
                let e = above.0[lane] * Self::choose(rows, lane, ratio_agree, ratio_leave, gone) * vote;
                below.0[lane] += e;
                at.sum.0[lane] += e * Self::choose(rows, lane, gain_agree, gain_leave, 0.0);
            }
        }
    }

    #[inline(always)]
    fn vote(self, vote: f64, products: &[Line], below: &mut [Line]) {
        for (below, product) in below.iter_mut().zip(products) {
            (0..LANES).for_each(|lane| below.0[lane] += product.0[lane] * vote);
        }
    }
}

/// Widest entry that [`Simd::add_entries`] takes, in lines.
pub(super) const WIDEST: usize = 4;

/// Where a row's sums are: `width` lines from `offset` within `stride` lines a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub offset: usize,
    pub width: usize,
    pub stride: usize,
}

fn keys_portable(block: &[u8], first: u16, terms: &[Term], last: u16, keys: &mut Keys) {
    keys.keys = [first; BLOCK];
    for term in terms {
        let column = &block[term.compare.column as usize * BLOCK..][..BLOCK];
        for (key, byte) in keys.keys.iter_mut().zip(column) {
            *key = key.wrapping_add(if *byte > term.compare.threshold { term.delta } else { 0 });
        }
    }
    keys.keys.iter_mut().for_each(|key| *key = (*key).min(last));
}

fn holds_portable(column: &[u8; BLOCK], threshold: u8) -> u64 {
    let bit = |row: usize| u64::from(column[row] > threshold) << row;
    (0..BLOCK).fold(0, |holds, row| holds | bit(row))
}

fn add_portable<const W: usize>(sums: &mut [Line], place: Place, tables: &[&[Line]], keys: &[Keys]) {
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

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{BLOCK, EdgeFactors, Histories, Keys, Lanewise, Line, Place, Plain, Term, Tip, Vectorised};
    use std::arch::x86_64::*;

    /// # Safety
    /// Needs AVX-512 F and BW.
    #[target_feature(enable = "avx512f,avx512bw")]
    pub unsafe fn holds_avx512(column: &[u8; BLOCK], threshold: u8) -> u64 {
        // SAFETY: the column is 64 bytes.
        let bytes = unsafe { _mm512_loadu_si512(column.as_ptr().cast()) };
        _mm512_cmpgt_epu8_mask(bytes, _mm512_set1_epi8(threshold as i8))
    }

    /// [`Lanewise`] with mask registers; only [`run_avx512`] makes one.
    #[derive(Clone, Copy)]
    struct Wide(());

    impl Lanewise for Wide {
        #[inline(always)]
        fn descend(self, rows: Histories, factors: &EdgeFactors, gone: f64, above: &[Line], below: &mut [Line]) {
            let factors = factors.ratio_agree.iter().zip(factors.ratio_leave);
            for ((below, above), (agree, leave)) in below.iter_mut().zip(above).zip(factors) {
                // SAFETY: a `Wide` exists only where AVX-512 F was found; a line is one aligned register.
                unsafe {
                    let before = _mm512_mask_mov_pd(_mm512_set1_pd(gone), rows.old, _mm512_set1_pd(*leave));
                    let ratio = _mm512_mask_mov_pd(before, rows.new, _mm512_set1_pd(*agree));
                    _mm512_store_pd(below.0.as_mut_ptr(), _mm512_mul_pd(_mm512_load_pd(above.0.as_ptr()), ratio));
                }
            }
        }

        #[inline(always)]
        fn ascend(self, rows: Histories, factors: &EdgeFactors, below: &[Line], above: &mut [Line], sum: &mut Line) {
            // SAFETY: as above.
            unsafe {
                let mut total = _mm512_load_pd(sum.0.as_ptr());
                let factors = factors.gain_agree.iter().zip(factors.gain_leave);
                for ((above, below), (agree, leave)) in above.iter_mut().zip(below).zip(factors) {
                    let gain = _mm512_mask_mov_pd(_mm512_setzero_pd(), rows.old, _mm512_set1_pd(*leave));
                    let gain = _mm512_mask_mov_pd(gain, rows.new, _mm512_set1_pd(*agree));
                    let below = _mm512_load_pd(below.0.as_ptr());
                    let raised = _mm512_add_pd(_mm512_load_pd(above.0.as_ptr()), below);
                    _mm512_store_pd(above.0.as_mut_ptr(), raised);
                    total = _mm512_add_pd(total, _mm512_mul_pd(below, gain));
                }
                _mm512_store_pd(sum.0.as_mut_ptr(), total);
            }
        }

        #[inline(always)]
        fn tip(self, rows: Histories, factors: &EdgeFactors, gone: f64, vote: f64, at: Tip) {
            let ratios = factors.ratio_agree.iter().zip(factors.ratio_leave);
            let gains = factors.gain_agree.iter().zip(factors.gain_leave);
            // SAFETY: as above.
            unsafe {
                let mut total = _mm512_load_pd(at.sum.0.as_ptr());
                for (((below, above), ratio), gain) in at.below.iter_mut().zip(at.above).zip(ratios).zip(gains) {
                    let before = _mm512_mask_mov_pd(_mm512_set1_pd(gone), rows.old, _mm512_set1_pd(*ratio.1));
                    let ratio = _mm512_mask_mov_pd(before, rows.new, _mm512_set1_pd(*ratio.0));
                    let product = _mm512_mul_pd(_mm512_load_pd(above.0.as_ptr()), ratio);
                    let e = _mm512_mul_pd(product, _mm512_set1_pd(vote));
                    _mm512_store_pd(below.0.as_mut_ptr(), _mm512_add_pd(_mm512_load_pd(below.0.as_ptr()), e));
                    let before = _mm512_mask_mov_pd(_mm512_setzero_pd(), rows.old, _mm512_set1_pd(*gain.1));
                    let gain = _mm512_mask_mov_pd(before, rows.new, _mm512_set1_pd(*gain.0));
                    total = _mm512_add_pd(total, _mm512_mul_pd(e, gain));
                }
                _mm512_store_pd(at.sum.0.as_mut_ptr(), total);
            }
        }

        #[inline(always)]
        fn vote(self, vote: f64, products: &[Line], below: &mut [Line]) {
            for (below, product) in below.iter_mut().zip(products) {
                // SAFETY: as above.
                unsafe {
                    let product = _mm512_mul_pd(_mm512_load_pd(product.0.as_ptr()), _mm512_set1_pd(vote));
                    let sum = _mm512_add_pd(_mm512_load_pd(below.0.as_ptr()), product);
                    _mm512_store_pd(below.0.as_mut_ptr(), sum);
                }
            }
        }
    }

    /// # Safety
    /// Needs AVX-512 F and BW.
    #[target_feature(enable = "avx512f,avx512bw")]
    pub unsafe fn run_avx512<W: Vectorised>(work: W) {
        work.run(Wide(()));
    }

    /// # Safety
    /// Needs AVX2.
    #[target_feature(enable = "avx2")]
    pub unsafe fn run_avx2<W: Vectorised>(work: W) {
        work.run(Plain);
    }

    /// # Safety
    /// Needs AVX-512 F and BW, and every term's column within `block`.
    #[target_feature(enable = "avx512f,avx512bw")]
    pub unsafe fn keys_avx512(block: &[u8], first: u16, terms: &[Term], last: u16, keys: &mut Keys) {
        let mut low = _mm512_set1_epi16(first as i16);
        let mut high = low;
        for term in terms {
            // SAFETY: the caller checked that 64 bytes from the column's start are in the block.
            let bytes = unsafe { _mm512_loadu_si512(block.as_ptr().add(term.compare.column as usize * BLOCK).cast()) };
            let holds = _mm512_cmpgt_epu8_mask(bytes, _mm512_set1_epi8(term.compare.threshold as i8));
            let delta = _mm512_set1_epi16(term.delta as i16);
            low = _mm512_mask_add_epi16(low, holds as u32, low, delta);
            high = _mm512_mask_add_epi16(high, (holds >> 32) as u32, high, delta);
        }
        let last = _mm512_set1_epi16(last as i16);
        let out = keys.keys.as_mut_ptr();
        // SAFETY: 64 keys are two registers of 32.
        unsafe {
            _mm512_storeu_si512(out.cast(), _mm512_min_epu16(low, last));
            _mm512_storeu_si512(out.add(BLOCK / 2).cast(), _mm512_min_epu16(high, last));
        }
    }

    /// # Safety
    /// Needs AVX2, and every term's column within `block`.
    #[target_feature(enable = "avx2")]
    pub unsafe fn keys_avx2(block: &[u8], first: u16, terms: &[Term], last: u16, keys: &mut Keys) {
        let mut sums = [_mm256_set1_epi16(first as i16); 4];
        for term in terms {
            let above = _mm256_set1_epi16(term.compare.threshold as i16);
            let delta = _mm256_set1_epi16(term.delta as i16);
            for (quarter, sum) in sums.iter_mut().enumerate() {
                let from = term.compare.column as usize * BLOCK + quarter * 16;
                // SAFETY: the caller checked that 64 bytes from the column's start are in the block.
                let bytes = unsafe { _mm_loadu_si128(block.as_ptr().add(from).cast()) };
                let holds = _mm256_cmpgt_epi16(_mm256_cvtepu8_epi16(bytes), above);
                *sum = _mm256_add_epi16(*sum, _mm256_and_si256(holds, delta));
            }
        }
        let last = _mm256_set1_epi16(last as i16);
        for (quarter, sum) in sums.iter().enumerate() {
            // SAFETY: 64 keys are four registers of 16.
            unsafe {
                let out = keys.keys.as_mut_ptr().add(quarter * 16);
                _mm256_storeu_si256(out.cast(), _mm256_min_epu16(*sum, last));
            }
        }
    }

    /// Tables that are added while a row's sums stay in registers.
    const TOGETHER: usize = 8;

    /// # Safety
    /// Needs AVX-512 F; `sums` holds 64 rows at `place`; every key is within its table.
    #[target_feature(enable = "avx512f")]
    pub unsafe fn add_avx512<const W: usize>(sums: &mut [Line], place: Place, tables: &[&[Line]], keys: &[Keys]) {
        for (tables, keys) in tables.chunks(TOGETHER).zip(keys.chunks(TOGETHER)) {
            // SAFETY: passed on from the caller.
            unsafe {
                match <&[&[Line]; TOGETHER]>::try_from(tables) {
                    Ok(tables) => add_avx512_lines::<W>(sums, place, tables, keys),
                    Err(_) => add_avx512_lines::<W>(sums, place, tables, keys),
                }
            }
        }
    }

    /// # Safety
    /// As [`add_avx512`].
    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn add_avx512_lines<const W: usize>(sums: &mut [Line], place: Place, tables: &[&[Line]], keys: &[Keys]) {
        for row in 0..BLOCK {
            // SAFETY: `sums` has 64 · stride lines and offset + W ≤ stride; each key · W + W ≤ its table's length.
            unsafe {
                let at = sums.as_mut_ptr().add(row * place.stride + place.offset).cast::<f64>();
                let mut sum = [_mm512_setzero_pd(); W];
                (0..W).for_each(|line| sum[line] = _mm512_load_pd(at.add(line * 8)));
                for (table, keys) in tables.iter().zip(keys) {
                    let key = *keys.keys.get_unchecked(row) as usize;
                    let entry = table.as_ptr().add(key * W).cast::<f64>();
                    (0..W).for_each(|line| sum[line] = _mm512_add_pd(sum[line], _mm512_load_pd(entry.add(line * 8))));
                }
                (0..W).for_each(|line| _mm512_store_pd(at.add(line * 8), sum[line]));
            }
        }
    }

    /// # Safety
    /// Needs AVX2; `sums` holds 64 rows at `place`; every key is within its table.
    #[target_feature(enable = "avx2")]
    pub unsafe fn add_avx2<const W: usize>(sums: &mut [Line], place: Place, tables: &[&[Line]], keys: &[Keys]) {
        for row in 0..BLOCK {
            // SAFETY: `sums` has 64 · stride lines and offset + W ≤ stride; each key · W + W ≤ its table's length.
            unsafe {
                let at = sums.as_mut_ptr().add(row * place.stride + place.offset).cast::<f64>();
                let mut sum = [[_mm256_setzero_pd(); 2]; W];
                (0..W).for_each(|line| {
                    sum[line] = [_mm256_load_pd(at.add(line * 8)), _mm256_load_pd(at.add(line * 8 + 4))];
                });
                for (table, keys) in tables.iter().zip(keys) {
                    let key = *keys.keys.get_unchecked(row) as usize;
                    let entry = table.as_ptr().add(key * W).cast::<f64>();
                    (0..W).for_each(|line| {
                        sum[line][0] = _mm256_add_pd(sum[line][0], _mm256_load_pd(entry.add(line * 8)));
                        sum[line][1] = _mm256_add_pd(sum[line][1], _mm256_load_pd(entry.add(line * 8 + 4)));
                    });
                }
                (0..W).for_each(|line| {
                    _mm256_store_pd(at.add(line * 8), sum[line][0]);
                    _mm256_store_pd(at.add(line * 8 + 4), sum[line][1]);
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(seed: &mut u64) -> u64 {
        *seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        *seed >> 33
    }

    #[test]
    fn every_variant_makes_the_same_keys() {
        let mut seed = 1;
        let block: Vec<u8> = (0..5 * BLOCK).map(|_| noise(&mut seed) as u8).collect();
        let terms: Vec<Term> = (0..20)
            .map(|_| Term {
                compare: Compare { column: (noise(&mut seed) % 5) as u32, threshold: noise(&mut seed) as u8 },
                delta: noise(&mut seed) as u16,
            })
            .collect();
        let keys = |simd: Simd| {
            let mut keys = Keys::NONE;
            simd.keys(&block, 17, &terms, 40_000, &mut keys);
            keys.keys
        };
        let expected = keys(Simd::Portable);
        assert!(expected.contains(&40_000) && expected.iter().any(|key| *key != 40_000));
        Simd::available().into_iter().for_each(|simd| assert_eq!(keys(simd), expected, "{simd:?}"));
    }

    #[test]
    fn every_variant_finds_the_same_rows() {
        let mut seed = 3;
        let block: Vec<u8> = (0..2 * BLOCK).map(|_| noise(&mut seed) as u8).collect();
        for threshold in [0, 1, 127, 128, 254, 255] {
            let compare = Compare { column: 1, threshold };
            let rows = (0..BLOCK).filter(|row| block[BLOCK + row] > threshold);
            let expected = rows.fold(0, |bits, row| bits | 1_u64 << row);
            Simd::available().into_iter().for_each(|simd| assert_eq!(simd.holds(&block, compare), expected));
        }
    }

    #[test]
    fn every_variant_adds_to_the_same_bits() {
        for width in 1..=WIDEST {
            let mut seed = width as u64;
            let place = Place { offset: 1, width, stride: width + 2 };
            let mut line = || Line(std::array::from_fn(|_| (noise(&mut seed) as f64).ln() - 20.0));
            let tables: Vec<Vec<Line>> = (0..11).map(|_| (0..7 * width).map(|_| line()).collect()).collect();
            let tables: Vec<&[Line]> = tables.iter().map(Vec::as_slice).collect();
            let keys: Vec<Keys> = (0..11)
                .map(|_| Keys { keys: std::array::from_fn(|_| (noise(&mut seed) % 7) as u16), last: 6 })
                .collect();
            let sums = |simd: Simd| {
                let mut sums = vec![ZERO; place.stride * BLOCK];
                simd.add_entries(&mut sums, place, &tables, &keys);
                sums
            };
            let expected = sums(Simd::Portable);
            assert!(expected.iter().any(|line| *line != ZERO));
            for simd in Simd::available() {
                let bits =
                    |lines: Vec<Line>| lines.iter().flat_map(|line| line.0.map(f64::to_bits)).collect::<Vec<_>>();
                assert_eq!(bits(sums(simd)), bits(expected.clone()), "{simd:?}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "a key beyond its table")]
    fn a_key_beyond_its_table_is_caught() {
        let place = Place { offset: 0, width: 1, stride: 1 };
        Simd::detect().add_entries(&mut [ZERO; BLOCK], place, &[&[ZERO; 3]], &[Keys { keys: [3; BLOCK], last: 3 }]);
    }
}
