//! Who agrees with a leaf's tests, for 64 quantised rows at a time, as bit patterns.

use super::paths::LeafPath;
use crate::forest::cuts::BLOCK;

/// Most players whose agreement fits a pattern.
pub(super) const MOST_PLAYERS: usize = u64::BITS as usize;

/// For each of a block's rows, one bit for each of a leaf's players (at most [`MOST_PLAYERS`]) who agrees with all tests
/// on the path; `yes` holds the rows that take the `yes` side, by node.
pub(super) fn patterns(path: &LeafPath, yes: &[u64]) -> [u64; BLOCK] {
    let mut bits = [0; BLOCK];
    bits[..path.players.len()].fill(u64::MAX);
    for edge in &path.edges {
        let takes_yes = yes[edge.split as usize];
        bits[edge.player as usize % BLOCK] &= if edge.yes { takes_yes } else { !takes_yes };
    }
    transpose(&mut bits);
    bits
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
