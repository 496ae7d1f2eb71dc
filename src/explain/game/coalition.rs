//! Sets of players, many at a time.

/// A table of coalitions over `n_players` positions.
///
/// Stored player by player: a synthetic column asks for one player in all coalitions. A byte each, not a bit, so that
/// filling a column needs no shifting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coalitions {
    n_players: usize,
    len: usize,
    /// `[players × coalitions]`.
    member: Vec<bool>,
}

impl Coalitions {
    /// `len` empty coalitions.
    pub fn empty(n_players: usize, len: usize) -> Self {
        Self { n_players, len, member: vec![false; n_players * len] }
    }

    /// All 2^n coalitions; coalition c holds the players whose bit is set in c.
    pub fn all(n_players: usize) -> Self {
        let mut all = Self::empty(n_players, 1 << n_players);
        for coalition in 0..all.len {
            for player in (0..n_players).filter(|player| coalition >> player & 1 == 1) {
                all.insert(player, coalition);
            }
        }
        all
    }

    /// How many coalitions there are.
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn n_players(&self) -> usize {
        self.n_players
    }

    /// In which coalitions the player at this position is, `[coalitions]`.
    #[inline]
    pub fn with(&self, player: usize) -> &[bool] {
        &self.member[player * self.len..][..self.len]
    }

    /// Whether the player at this position is in the coalition.
    #[inline]
    pub fn contains(&self, player: usize, coalition: usize) -> bool {
        self.with(player)[coalition]
    }

    pub fn insert(&mut self, player: usize, coalition: usize) {
        self.member[player * self.len + coalition] = true;
    }

    /// Memory taken, in bytes.
    pub fn bytes(&self) -> usize {
        self.member.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_coalitions_are_numbered_by_their_bits() {
        let all = Coalitions::all(7);
        assert_eq!(all.len(), 128);
        for coalition in 0..128 {
            for player in 0..7 {
                assert_eq!(all.contains(player, coalition), coalition >> player & 1 == 1);
            }
        }
    }

    #[test]
    fn no_player_makes_one_empty_coalition() {
        assert_eq!(Coalitions::all(0).len(), 1);
    }
}
