//! Who agrees with a leaf's tests, for 64 quantised rows at a time, as bit patterns.

use super::paths::{LeafAxis, LeafGame};
use crate::forest::cuts::{BLOCK, Cuts, LocalBins};
use crate::forest::sides::Switch;
use crate::forest::simd::Simd;

/// Most players whose agreement fits a pattern.
pub(super) const MOST_PLAYERS: usize = u64::BITS as usize;

/// The tests of one leaf as compares on quantised rows: for each feature on its path, the leaf's player and the bins
/// that agree.
#[derive(Debug, Clone)]
pub(super) struct Agreement {
    n_players: usize,
    switches: Vec<(usize, Switch)>,
}

impl Agreement {
    /// Of a leaf with at most [`MOST_PLAYERS`] players.
    pub fn new(game: &LeafGame, bins: &[LocalBins], cuts: &Cuts) -> Self {
        let switch = |axis: &LeafAxis| (axis.player, Switch::new(&axis.agrees, &bins[axis.feature], cuts));
        Self { n_players: game.players.len(), switches: game.axes.iter().map(switch).collect() }
    }

    /// For each row of a block, one bit for each of the leaf's players who agrees with all tests.
    pub fn patterns(&self, block: &[u8], simd: Simd) -> [u64; BLOCK] {
        let mut bits = [0; BLOCK];
        bits[..self.n_players].fill(u64::MAX);
        for (player, switch) in &self.switches {
            bits[*player] &= switch.yes(block, simd);
        }
        transpose(&mut bits);
        bits
    }
}

/// Transposes a matrix of 64 × 64 bits by swapping ever smaller off-diagonal blocks (Warren, Hacker's Delight, 7-3).
fn transpose(bits: &mut [u64; BLOCK]) {
    let (mut width, mut low) = (32, u64::MAX >> 32);
    while width > 0 {
        for at in (0..BLOCK).filter(|at| at & width == 0) {
            let swapped = (bits[at] >> width ^ bits[at + width]) & low;
            bits[at] ^= swapped << width;
            bits[at + width] ^= swapped;
        }
        width /= 2;
        low ^= low << width;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transposed_bit_changes_row_and_column() {
        let mut seed = 1_u64;
        let mut bits = [0; BLOCK];
        for word in &mut bits {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *word = seed;
        }
        let mut flipped = bits;
        transpose(&mut flipped);
        for (row, bits) in bits.iter().enumerate() {
            for (column, flipped) in flipped.iter().enumerate() {
                assert_eq!(flipped >> row & 1, bits >> column & 1, "{row}, {column}");
            }
        }
    }
}
