//! Which registers the machine has, and the one compare that every evaluation of quantised rows is made of.
//!
//! Every variant gives the same bits, so which one the machine can run never changes a result. `explain::tree::simd` adds
//! its own loops to [`Simd`].
#![allow(unsafe_code)]

use super::cuts::{BLOCK, Compare};

/// What the machine can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Simd {
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
            // Machines with wide registers count and find bits in one instruction.
            let bits = is_x86_feature_detected!("popcnt") && is_x86_feature_detected!("bmi1");
            if bits && is_x86_feature_detected!("avx2") {
                found.push(Simd::Avx2);
            }
            if bits && is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw") {
                found.push(Simd::Avx512);
            }
        }
        found
    }

    /// Runs `work` compiled for the machine's registers.
    pub fn run<W: Work>(self, work: W) {
        match self {
            // SAFETY: the instructions were found at run time.
            #[cfg(target_arch = "x86_64")]
            Simd::Avx512 => unsafe { x86::run_avx512(work) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Simd::Avx2 => unsafe { x86::run_avx2(work) },
            Simd::Portable => work.run(Plain),
        }
    }
}

/// A number for each row of a block, in whole registers.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C, align(64))]
pub(crate) struct Sums(pub [f64; BLOCK]);

/// A value for the rows of a cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Term {
    pub cell: u32,
    pub value: f64,
}

/// Compares a quantised column with a threshold.
pub(crate) trait Holds: Copy {
    /// Rows whose byte is above `threshold`, one bit each.
    fn holds(self, column: &[u8; BLOCK], threshold: u8) -> u64;

    /// Adds `value` to the sums of these rows.
    #[inline(always)]
    fn add(self, rows: u64, value: f64, sums: &mut Sums) {
        let mut left = rows;
        while left != 0 {
            sums.0[left.trailing_zeros() as usize % BLOCK] += value;
            left &= left - 1;
        }
    }

    /// Adds each term's value to the sums of the rows in its cell, in order.
    #[inline(always)]
    fn add_all(self, cells: &[u64], terms: &[Term], sums: &mut Sums) {
        terms.iter().for_each(|term| self.add(cells[term.cell as usize], term.value, sums));
    }

    /// Rows of a block for which a compare holds.
    #[inline(always)]
    fn compare(self, block: &[u8], compare: Compare) -> u64 {
        match block.get(compare.column as usize * BLOCK..).and_then(|column| column.first_chunk()) {
            Some(column) => self.holds(column, compare.threshold),
            None => 0,
        }
    }
}

/// Something to do with many compares.
pub(crate) trait Work {
    fn run<H: Holds>(self, holds: H);
}

/// What every machine can do.
#[derive(Clone, Copy)]
struct Plain;

impl Holds for Plain {
    #[inline(always)]
    fn holds(self, column: &[u8; BLOCK], threshold: u8) -> u64 {
        holds(column, threshold)
    }
}

/// One compare at a time: the instructions are chosen at each.
impl Holds for Simd {
    fn holds(self, column: &[u8; BLOCK], threshold: u8) -> u64 {
        match self {
            // SAFETY: the instructions were found at run time.
            #[cfg(target_arch = "x86_64")]
            Simd::Avx512 => unsafe { x86::holds_avx512(column, threshold) },
            _ => holds(column, threshold),
        }
    }
}

/// Rows whose byte is above `threshold`, one bit each: eight bytes at a time within a word.
fn holds(column: &[u8; BLOCK], threshold: u8) -> u64 {
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let Some(least) = threshold.checked_add(1) else { return 0 };
    let least = u64::from(least) * 0x0101_0101_0101_0101;
    let mut holds = 0;
    for (at, bytes) in column.as_chunks::<8>().0.iter().enumerate() {
        let bytes = u64::from_le_bytes(*bytes);
        // The high bit of each byte: whether its low seven bits are at least the threshold's, then with their own.
        let low = (bytes | HIGH) - (least & !HIGH);
        let reaches = (bytes & !least | !(bytes ^ least) & low) & HIGH;
        // Gathers the eight high bits in the top byte.
        holds |= ((reaches >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * at);
    }
    holds
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{BLOCK, Holds, Sums, Term, Work};
    use std::arch::x86_64::*;

    /// # Safety
    /// Needs AVX-512 F and BW.
    #[target_feature(enable = "avx512f,avx512bw")]
    pub unsafe fn holds_avx512(column: &[u8; BLOCK], threshold: u8) -> u64 {
        // SAFETY: the column is 64 bytes.
        let bytes = unsafe { _mm512_loadu_si512(column.as_ptr().cast()) };
        _mm512_cmpgt_epu8_mask(bytes, _mm512_set1_epi8(threshold as i8))
    }

    /// [`Holds`] with mask registers; only [`run_avx512`] makes one.
    #[derive(Clone, Copy)]
    struct Wide(());

    impl Holds for Wide {
        #[inline(always)]
        fn add(self, rows: u64, value: f64, sums: &mut Sums) {
            // SAFETY: a `Wide` exists only where AVX-512 F was found; chunks of eight numbers are aligned registers.
            unsafe {
                let value = _mm512_set1_pd(value);
                for (at, sums) in sums.0.as_chunks_mut::<8>().0.iter_mut().enumerate() {
                    let before = _mm512_load_pd(sums.as_ptr());
                    let after = _mm512_mask_add_pd(before, (rows >> (8 * at)) as u8, before, value);
                    _mm512_store_pd(sums.as_mut_ptr(), after);
                }
            }
        }

        #[inline(always)]
        fn add_all(self, cells: &[u64], terms: &[Term], sums: &mut Sums) {
            // The sums stay in eight registers. Cells are not asked whether they are empty: they are too often for the
            // processor to guess, and too seldom to be worth it.
            let chunks = sums.0.as_chunks_mut::<8>().0;
            // SAFETY: a `Wide` exists only where AVX-512 F was found; chunks of eight numbers are aligned registers.
            unsafe {
                let mut found = [_mm512_setzero_pd(); BLOCK / 8];
                found.iter_mut().zip(chunks.iter()).for_each(|(to, from)| *to = _mm512_load_pd(from.as_ptr()));
                for term in terms {
                    let (rows, value) = (cells[term.cell as usize], _mm512_set1_pd(term.value));
                    for (at, sums) in found.iter_mut().enumerate() {
                        *sums = _mm512_mask_add_pd(*sums, (rows >> (8 * at)) as u8, *sums, value);
                    }
                }
                found.iter().zip(chunks).for_each(|(from, to)| _mm512_store_pd(to.as_mut_ptr(), *from));
            }
        }

        #[inline(always)]
        fn holds(self, column: &[u8; BLOCK], threshold: u8) -> u64 {
            // SAFETY: a `Wide` exists only where AVX-512 F and BW were found; the column is 64 bytes.
            unsafe {
                let bytes = _mm512_loadu_si512(column.as_ptr().cast());
                _mm512_cmpgt_epu8_mask(bytes, _mm512_set1_epi8(threshold as i8))
            }
        }
    }

    /// [`Holds`] with registers of 32 bytes; only [`run_avx2`] makes one.
    #[derive(Clone, Copy)]
    struct Half(());

    impl Holds for Half {
        #[inline(always)]
        fn holds(self, column: &[u8; BLOCK], threshold: u8) -> u64 {
            // SAFETY: a `Half` exists only where AVX2 was found; the column is two registers of 32 bytes.
            unsafe {
                let threshold = _mm256_set1_epi8(threshold as i8);
                let above = |from: usize| {
                    let bytes = _mm256_loadu_si256(column.as_ptr().add(from).cast());
                    let at_most = _mm256_cmpeq_epi8(_mm256_max_epu8(bytes, threshold), threshold);
                    u64::from(!_mm256_movemask_epi8(at_most) as u32)
                };
                above(0) | above(32) << 32
            }
        }
    }

    /// # Safety
    /// Needs AVX2, POPCNT and BMI1.
    #[target_feature(enable = "avx2,popcnt,bmi1")]
    pub unsafe fn run_avx2<W: Work>(work: W) {
        work.run(Half(()));
    }

    /// # Safety
    /// Needs AVX-512 F and BW, POPCNT and BMI1.
    #[target_feature(enable = "avx512f,avx512bw,popcnt,bmi1")]
    pub unsafe fn run_avx512<W: Work>(work: W) {
        work.run(Wide(()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(seed: &mut u64) -> u64 {
        *seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        *seed >> 33
    }

    struct Compared<'a> {
        block: &'a [u8],
        compare: Compare,
        found: &'a mut (u64, Sums),
    }

    impl Work for Compared<'_> {
        fn run<H: Holds>(self, holds: H) {
            self.found.0 = holds.compare(self.block, self.compare);
            holds.add(self.found.0, 0.1, &mut self.found.1);
            let terms = [Term { cell: 1, value: 0.1 }, Term { cell: 0, value: 7.0 }, Term { cell: 1, value: -0.3 }];
            holds.add_all(&[0, self.found.0], &terms, &mut self.found.1);
        }
    }

    #[test]
    fn every_variant_finds_the_same_rows() {
        let mut seed = 3;
        let block: Vec<u8> = (0..2 * BLOCK).map(|_| noise(&mut seed) as u8).collect();
        for threshold in [0, 1, 127, 128, 254, 255] {
            let compare = Compare { column: 1, threshold };
            let rows = (0..BLOCK).filter(|row| block[BLOCK + row] > threshold);
            let expected = rows.fold(0, |bits, row| bits | 1_u64 << row);
            for simd in Simd::available() {
                let mut found = (0, Sums([0.25; BLOCK]));
                simd.run(Compared { block: &block, compare, found: &mut found });
                let sum = |row: usize| if expected >> row & 1 == 1 { 0.25 + 0.1 + 0.1 + -0.3 } else { 0.25 };
                let sums = Sums(std::array::from_fn(sum));
                assert_eq!((simd.compare(&block, compare), found), (expected, (expected, sums)), "{simd:?}");
            }
        }
    }
}
