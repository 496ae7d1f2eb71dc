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
            if is_x86_feature_detected!("avx2") {
                found.push(Simd::Avx2);
            }
            if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw") {
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
            _ => work.run(Plain),
        }
    }
}

/// Compares a quantised column with a threshold.
pub(crate) trait Holds: Copy {
    /// Rows whose byte is above `threshold`, one bit each.
    fn holds(self, column: &[u8; BLOCK], threshold: u8) -> u64;

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

/// Rows whose byte is above `threshold`, one bit each.
fn holds(column: &[u8; BLOCK], threshold: u8) -> u64 {
    let bit = |row: usize| u64::from(column[row] > threshold) << row;
    (0..BLOCK).fold(0, |holds, row| holds | bit(row))
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{BLOCK, Holds, Work};
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
        fn holds(self, column: &[u8; BLOCK], threshold: u8) -> u64 {
            // SAFETY: a `Wide` exists only where AVX-512 F and BW were found; the column is 64 bytes.
            unsafe {
                let bytes = _mm512_loadu_si512(column.as_ptr().cast());
                _mm512_cmpgt_epu8_mask(bytes, _mm512_set1_epi8(threshold as i8))
            }
        }
    }

    /// # Safety
    /// Needs AVX-512 F and BW.
    #[target_feature(enable = "avx512f,avx512bw")]
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

    #[test]
    fn every_variant_finds_the_same_rows() {
        let mut seed = 3;
        let block: Vec<u8> = (0..2 * BLOCK).map(|_| noise(&mut seed) as u8).collect();
        for threshold in [0, 1, 127, 128, 254, 255] {
            let compare = Compare { column: 1, threshold };
            let rows = (0..BLOCK).filter(|row| block[BLOCK + row] > threshold);
            let expected = rows.fold(0, |bits, row| bits | 1_u64 << row);
            Simd::available().into_iter().for_each(|simd| assert_eq!(simd.compare(&block, compare), expected));
        }
    }
}
