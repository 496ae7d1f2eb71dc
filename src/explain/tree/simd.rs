//! The inner loops of the engines, written for the registers that [`Simd`] finds.
//!
//! Every variant does the same additions of the same numbers in the same order, lane by lane, so which one the machine
//! can run never changes a bit of the result. This is the only file of the explanations with `unsafe`: calls of
//! functions compiled for instructions that were found at run time, and loads whose bounds are checked beforehand.
#![allow(unsafe_code)]

use super::kernel::{self, Keys, Line, Place, Spread, Term};
use super::lanes::{Plain, Vectorised};
use crate::forest::cuts::BLOCK;
#[cfg(test)]
use crate::forest::cuts::Compare;
use crate::forest::simd::Simd;

impl Simd {
    /// Keys of a quantised block `[column][row]`: the deltas of the terms that hold, at most `last`.
    pub(super) fn keys(self, block: &[u8], terms: &[Term], last: u16, keys: &mut Keys) {
        let column = |term: &Term| term.compare.column as usize;
        assert!(terms.iter().all(|term| (column(term) + 1) * BLOCK <= block.len()), "a column that the block lacks");
        keys.last = last;
        match self {
            Simd::Portable => kernel::keys(block, terms, last, keys),
            // SAFETY: the instructions were found at run time, and every term's column lies within the block.
            #[cfg(target_arch = "x86_64")]
            Simd::Avx2 => unsafe { x86::keys_avx2(block, terms, last, keys) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Simd::Avx512 => unsafe { x86::keys_avx512(block, terms, last, keys) },
        }
    }

    /// Runs `work` compiled for the machine's vectors. Nothing is reassociated or fused: the bits stay the same.
    pub(super) fn vectorise<W: Vectorised>(self, work: W) {
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
    pub(super) fn add_entries(self, sums: &mut [Line], place: Place, tables: &[&[Line]], keys: &[Keys]) {
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

    /// As [`Simd::add_entries`] for tables of one line an entry, spread over the row's `width` lines.
    pub(super) fn add_packed(self, sums: &mut [Line], place: Place, tables: &[(&[Line], &Spread)], keys: &[Keys]) {
        assert!(place.offset + place.width <= place.stride && sums.len() == place.stride * BLOCK);
        let fits = |(table, keys): (&(&[Line], &Spread), &Keys)| (keys.last as usize) < table.0.len();
        assert!(tables.len() == keys.len() && tables.iter().zip(keys).all(fits), "a key beyond its table");
        match self {
            // SAFETY: the instructions were found at run time; the asserts checked sums and keys.
            #[cfg(target_arch = "x86_64")]
            Simd::Avx512 => unsafe {
                match place.width {
                    2 => x86::add_packed_avx512::<2>(sums, place, tables, keys),
                    3 => x86::add_packed_avx512::<3>(sums, place, tables, keys),
                    4 => x86::add_packed_avx512::<4>(sums, place, tables, keys),
                    width => unreachable!("packed entries are not spread over {width} lines"),
                }
            },
            _ => kernel::add_packed(sums, place, tables, keys),
        }
    }

    fn add_lines<const W: usize>(self, sums: &mut [Line], place: Place, tables: &[&[Line]], keys: &[Keys]) {
        match self {
            Simd::Portable => kernel::add::<W>(sums, place, tables, keys),
            // SAFETY: the instructions were found at run time; `add_entries` checked every key against its table.
            #[cfg(target_arch = "x86_64")]
            Simd::Avx2 => unsafe { x86::add_avx2::<W>(sums, place, tables, keys) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Simd::Avx512 => unsafe { x86::add_avx512::<W>(sums, place, tables, keys) },
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use crate::explain::tree::kernel::{Keys, LANES, Line, Place, Spread, Term};
    use crate::explain::tree::lanes::{EdgeFactors, Histories, Lanewise, Plain, Tip, Vectorised};
    use crate::forest::cuts::BLOCK;
    use std::arch::x86_64::*;

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
    pub unsafe fn keys_avx512(block: &[u8], terms: &[Term], last: u16, keys: &mut Keys) {
        let mut low = _mm512_setzero_si512();
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
    pub unsafe fn keys_avx2(block: &[u8], terms: &[Term], last: u16, keys: &mut Keys) {
        let mut sums = [_mm256_setzero_si256(); 4];
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
    /// Needs AVX-512 F; `sums` holds 64 rows at `place`; every key is within its table.
    #[target_feature(enable = "avx512f")]
    pub unsafe fn add_packed_avx512<const W: usize>(
        sums: &mut [Line],
        place: Place,
        tables: &[(&[Line], &Spread)],
        keys: &[Keys],
    ) {
        // SAFETY: passed on from the caller.
        unsafe {
            let (tables, keys) = add_packed_while::<W, TOGETHER>(sums, place, tables, keys);
            let (tables, keys) = add_packed_while::<W, 4>(sums, place, tables, keys);
            let (tables, keys) = add_packed_while::<W, 2>(sums, place, tables, keys);
            add_packed_while::<W, 1>(sums, place, tables, keys);
        }
    }

    /// Adds N tables at a time while there are as many, and returns the rest.
    ///
    /// # Safety
    /// As [`add_packed_avx512`].
    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn add_packed_while<'a, 'l, const W: usize, const N: usize>(
        sums: &mut [Line],
        place: Place,
        mut tables: &'a [(&'l [Line], &'l Spread)],
        mut keys: &'a [Keys],
    ) -> (&'a [(&'l [Line], &'l Spread)], &'a [Keys]) {
        while let (Some((some, rest)), Some((their, other))) = (tables.split_first_chunk(), keys.split_first_chunk()) {
            // SAFETY: passed on from the caller.
            unsafe { add_packed_lines::<W, N>(sums, place, some, their) };
            (tables, keys) = (rest, other);
        }
        (tables, keys)
    }

    /// # Safety
    /// As [`add_packed_avx512`].
    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn add_packed_lines<const W: usize, const N: usize>(
        sums: &mut [Line],
        place: Place,
        tables: &[(&[Line], &Spread); N],
        keys: &[Keys; N],
    ) {
        let mut lanes = [[_mm512_setzero_si512(); W]; N];
        for (lanes, (_, spread)) in lanes.iter_mut().zip(tables) {
            for (lanes, from) in lanes.iter_mut().zip(spread.lanes.chunks_exact(LANES)) {
                // SAFETY: eight bytes are loaded from a chunk of eight.
                *lanes = unsafe { _mm512_cvtepu8_epi64(_mm_loadl_epi64(from.as_ptr().cast())) };
            }
        }
        let entries: [*const Line; N] = std::array::from_fn(|table| tables[table].0.as_ptr());
        for row in 0..BLOCK {
            // SAFETY: `sums` has 64 · stride lines and offset + W ≤ stride; each key is below its table's length.
            unsafe {
                let at = sums.as_mut_ptr().add(row * place.stride + place.offset).cast::<f64>();
                let mut sum = [_mm512_setzero_pd(); W];
                (0..W).for_each(|line| sum[line] = _mm512_load_pd(at.add(line * 8)));
                for table in 0..N {
                    let key = *keys[table].keys.get_unchecked(row) as usize;
                    let entry = _mm512_load_pd(entries[table].add(key).cast());
                    for line in 0..W {
                        sum[line] = _mm512_add_pd(sum[line], _mm512_permutexvar_pd(lanes[table][line], entry));
                    }
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
    use crate::explain::tree::kernel::{LANES, WIDEST, ZERO};

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
            simd.keys(&block, &terms, 40_000, &mut keys);
            keys.keys
        };
        let expected = keys(Simd::Portable);
        assert!(expected.contains(&40_000) && expected.iter().any(|key| *key != 40_000));
        Simd::available().into_iter().for_each(|simd| assert_eq!(keys(simd), expected, "{simd:?}"));
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
    fn every_variant_spreads_to_the_same_bits() {
        for (width, slots) in [(2, vec![0, 3, 8, 15]), (3, vec![1, 9, 10, 17, 21, 22, 23]), (4, vec![31]), (4, vec![])]
        {
            let mut seed = width as u64;
            let place = Place { offset: 1, width, stride: width + 2 };
            let spread = Spread::over(&slots);
            let mut line = || {
                let number = |lane: usize| if lane < slots.len() { (noise(&mut seed) as f64).ln() - 20.0 } else { 0.0 };
                Line(std::array::from_fn(number))
            };
            let tables: Vec<Vec<Line>> = (0..15).map(|_| (0..7).map(|_| line()).collect()).collect();
            let tables: Vec<(&[Line], &Spread)> = tables.iter().map(|table| (table.as_slice(), &spread)).collect();
            let keys: Vec<Keys> = (0..15)
                .map(|_| Keys { keys: std::array::from_fn(|_| (noise(&mut seed) % 7) as u16), last: 6 })
                .collect();
            let bits = |simd: Simd| {
                let mut sums = vec![ZERO; place.stride * BLOCK];
                simd.add_packed(&mut sums, place, &tables, &keys);
                sums.iter().flat_map(|line| line.0.map(f64::to_bits)).collect::<Vec<_>>()
            };
            let expected = bits(Simd::Portable);
            let row = &expected[LANES..];
            assert!((0..width * LANES).all(|slot| (row[slot] != 0) == slots.contains(&(slot as u32))));
            Simd::available().into_iter().for_each(|simd| assert_eq!(bits(simd), expected, "{simd:?}"));
        }
    }

    #[test]
    #[should_panic(expected = "a key beyond its table")]
    fn a_key_beyond_its_table_is_caught() {
        let place = Place { offset: 0, width: 1, stride: 1 };
        Simd::detect().add_entries(&mut [ZERO; BLOCK], place, &[&[ZERO; 3]], &[Keys { keys: [3; BLOCK], last: 3 }]);
    }
}
