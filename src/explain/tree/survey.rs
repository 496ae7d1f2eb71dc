//! What a forest will cost, read off its trees before anything is built.

use super::ensemble::Ensemble;
use super::paths::for_each_path;

/// Totals over a forest's leaves.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Survey {
    pub nodes: f64,
    pub leaves: f64,
    /// Most distinct players on a path.
    pub most_players: usize,
    /// Most distinct features on a path.
    pub most_features: usize,
    /// Σ 2^players over the leaves: patterns of agreement.
    pub patterns: f64,
    /// Σ 2^features over the leaves: cells of the leaves' own tables.
    pub cells: f64,
    /// Σ nodes · quadrature points.
    pub points: f64,
}

impl Survey {
    pub fn of(ensemble: &Ensemble) -> Self {
        let mut all = Self::default();
        for tree in 0..ensemble.forest.trees.len() {
            let one = Self::of_tree(ensemble, tree);
            all.nodes += one.nodes;
            all.leaves += one.leaves;
            all.most_players = all.most_players.max(one.most_players);
            all.most_features = all.most_features.max(one.most_features);
            all.patterns += one.patterns;
            all.cells += one.cells;
            all.points += one.nodes * one.most_players.div_ceil(2) as f64;
        }
        all
    }

    fn of_tree(ensemble: &Ensemble, tree: usize) -> Self {
        let mut one = Self { nodes: ensemble.forest.trees[tree].nodes.len() as f64, ..Self::default() };
        let (mut features, mut players) = (Vec::new(), Vec::new());
        for_each_path(&ensemble.forest.trees[tree], |path| {
            features.clear();
            features.extend_from_slice(path);
            features.sort_unstable();
            features.dedup();
            players.clear();
            players.extend(features.iter().map(|feature| ensemble.players[*feature as usize]));
            players.sort_unstable();
            players.dedup();
            one.leaves += 1.0;
            one.most_features = one.most_features.max(features.len());
            one.most_players = one.most_players.max(players.len());
            one.patterns += (players.len() as f64).exp2();
            one.cells += (features.len() as f64).exp2();
        });
        one
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::tree::ensemble::Players;
    use crate::explain::tree::testing::stump;

    #[test]
    fn a_stump_is_two_leaves_of_one_player() {
        let players = Players { of_feature: &[0], n_players: 1 };
        let ensemble = Ensemble::new(&stump(1.0, [1.0, 2.0]), &players, &[0]).unwrap();
        let expected = Survey {
            nodes: 3.0,
            leaves: 2.0,
            most_players: 1,
            most_features: 1,
            patterns: 4.0,
            cells: 4.0,
            points: 3.0,
        };
        assert_eq!(Survey::of(&ensemble), expected);
    }
}
