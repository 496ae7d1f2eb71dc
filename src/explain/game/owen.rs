//! Owen values: the worth of a cluster is shared among its players, who act together towards everybody else.
//!
//! They are mean contributions over the orders of arrival in which a cluster's members stand side by side, all equally
//! likely (Owen 1977). While one cluster's members arrive, every other cluster is present as a whole or not at all, so
//! far fewer coalitions matter than there are: 2^m of whole clusters, and for each cluster of u players 2^(m−1)·(2^u −
//! 2) in which it is divided. Twenty players in five clusters of four ask for 1,152 coalitions instead of a million.

use super::coalition::Coalitions;
use super::exact::orders;
use ndarray::ArrayView1;

/// The coalitions that the Owen values of one game rest on.
///
/// First those of whole clusters, numbered by their bits, so that nobody comes first; then cluster by cluster the
/// divided ones, by the bits of the others present and of the members inside.
#[derive(Debug)]
pub struct Arrangement {
    coalitions: Coalitions,
    /// Positions of each cluster's players, clusters in order of their first.
    unions: Vec<Vec<usize>>,
    /// Number of each cluster's first divided coalition.
    first: Vec<usize>,
}

/// Coalitions that the Owen values of players in these clusters rest on; `u64::MAX` if more.
pub fn n_coalitions(cluster: &[usize]) -> u64 {
    let unions = unions(cluster);
    let power = |exponent: usize| 1_u64.checked_shl(exponent as u32).unwrap_or(u64::MAX);
    let others = power(unions.len().saturating_sub(1));
    let divided = unions.iter().map(|union| others.saturating_mul(power(union.len()).saturating_sub(2)));
    divided.fold(power(unions.len()), u64::saturating_add)
}

impl Arrangement {
    /// `cluster[player]` names each player's cluster; for as many coalitions as fit into memory ([`n_coalitions`]).
    pub fn new(cluster: &[usize]) -> Self {
        let unions = unions(cluster);
        let n_whole = 1 << unions.len();
        let mut coalitions = Coalitions::empty(cluster.len(), n_coalitions(cluster) as usize);
        let mut first = Vec::with_capacity(unions.len());
        let mut next = n_whole;
        for at in 0..n_whole {
            insert_unions(&mut coalitions, &unions, at, at);
        }
        for (mine, union) in unions.iter().enumerate() {
            first.push(next);
            for others in 0..n_whole / 2 {
                for inside in 1..(1 << union.len()) - 1 {
                    insert_unions(&mut coalitions, &unions, spread(others, mine), next);
                    members(union, inside).for_each(|player| coalitions.insert(player, next));
                    next += 1;
                }
            }
        }
        Self { coalitions, unions, first }
    }

    pub fn coalitions(&self) -> &Coalitions {
        &self.coalitions
    }

    /// Owen values from the payoffs of [`Arrangement::coalitions`], in their order.
    pub fn values(&self, payoffs: ArrayView1<f64>) -> Vec<f64> {
        let mut phi = vec![0.0; self.coalitions.n_players()];
        let across = orders(self.unions.len());
        for (mine, union) in self.unions.iter().enumerate() {
            let within = orders(union.len());
            for others in 0..1_usize << (self.unions.len() - 1) {
                let weight = across[others.count_ones() as usize];
                for inside in 0..(1_usize << union.len()) - 1 {
                    let before = payoffs[self.number(mine, others, inside)];
                    let weight = weight * within[inside.count_ones() as usize];
                    for (bit, player) in union.iter().enumerate().filter(|(bit, _)| inside >> bit & 1 == 0) {
                        phi[*player] += weight * (payoffs[self.number(mine, others, inside | 1 << bit)] - before);
                    }
                }
            }
        }
        phi
    }

    /// Number of the coalition of the `others` present and the members `inside` of the cluster `mine`, both as bits.
    fn number(&self, mine: usize, others: usize, inside: usize) -> usize {
        let everyone = (1 << self.unions[mine].len()) - 1;
        match inside {
            0 => spread(others, mine),
            _ if inside == everyone => spread(others, mine) | 1 << mine,
            _ => self.first[mine] + others * (everyone - 1) + inside - 1,
        }
    }
}

/// Makes room for a bit at `at`, left 0.
fn spread(bits: usize, at: usize) -> usize {
    let below = (1 << at) - 1;
    (bits & !below) << 1 | bits & below
}

fn members(union: &[usize], inside: usize) -> impl Iterator<Item = usize> {
    union.iter().enumerate().filter(move |(bit, _)| inside >> bit & 1 == 1).map(|(_, player)| *player)
}

fn insert_unions(coalitions: &mut Coalitions, unions: &[Vec<usize>], present: usize, number: usize) {
    for union in unions.iter().enumerate().filter(|(bit, _)| present >> bit & 1 == 1).map(|(_, union)| union) {
        union.iter().for_each(|player| coalitions.insert(*player, number));
    }
}

/// The clusters as positions of their players, in order of their first.
fn unions(cluster: &[usize]) -> Vec<Vec<usize>> {
    let mut names: Vec<usize> = Vec::new();
    let mut unions: Vec<Vec<usize>> = Vec::new();
    for (player, name) in cluster.iter().enumerate() {
        match names.iter().position(|known| known == name) {
            Some(at) => unions[at].push(player),
            None => {
                names.push(*name);
                unions.push(vec![player]);
            }
        }
    }
    unions
}

#[cfg(test)]
mod tests {
    use super::super::exact::add_shapley;
    use super::super::exact::testing::{assert_close, by_orders, random_payoffs};
    use super::*;
    use std::collections::BTreeSet;

    /// Owen values of a game given by all 2^k payoffs.
    fn owen(payoffs: &[f64], cluster: &[usize]) -> Vec<f64> {
        let arrangement = Arrangement::new(cluster);
        let coalitions = arrangement.coalitions();
        let mask = |at| (0..cluster.len()).filter(|p| coalitions.contains(*p, at)).map(|p| 1 << p).sum::<usize>();
        let asked: Vec<f64> = (0..coalitions.len()).map(|at| payoffs[mask(at)]).collect();
        arrangement.values(ArrayView1::from(&asked))
    }

    fn side_by_side(order: &[usize], cluster: &[usize]) -> bool {
        let seen: Vec<usize> = order.iter().map(|player| cluster[*player]).collect();
        let changes = seen.windows(2).filter(|pair| pair[0] != pair[1]).count();
        changes + 1 == seen.iter().collect::<BTreeSet<_>>().len()
    }

    #[test]
    fn owen_values_are_means_over_the_orders_that_keep_clusters_together() {
        for cluster in [vec![0, 0, 1, 2, 1], vec![4, 4, 4, 1, 1, 9], vec![0, 1, 0, 1], vec![3, 3]] {
            let k = cluster.len();
            let payoffs = random_payoffs(k, 7 * k as u64);
            let expected = by_orders(&payoffs, k, &|order| side_by_side(order, &cluster));
            assert_close(&owen(&payoffs, &cluster), &expected);
        }
    }

    #[test]
    fn owen_values_of_singletons_and_of_one_cluster_are_shapley_values() {
        let payoffs = random_payoffs(5, 3);
        let mut shapley = vec![0.0; 5];
        add_shapley(&mut payoffs.clone(), &mut shapley);
        assert_close(&owen(&payoffs, &[0, 1, 2, 3, 4]), &shapley);
        assert_close(&owen(&payoffs, &[8; 5]), &shapley);
    }

    #[test]
    fn no_coalition_is_asked_for_twice_and_all_are_counted() {
        for cluster in [vec![0, 1, 0, 2, 2, 2], vec![0, 1, 2, 3], vec![1, 1, 1, 1], vec![], vec![5]] {
            let arrangement = Arrangement::new(&cluster);
            let coalitions = arrangement.coalitions();
            let distinct: BTreeSet<Vec<bool>> = (0..coalitions.len())
                .map(|at| (0..cluster.len()).map(|player| coalitions.contains(player, at)).collect())
                .collect();
            assert_eq!((distinct.len(), coalitions.len() as u64), (coalitions.len(), n_coalitions(&cluster)));
            assert!((0..cluster.len()).all(|player| !coalitions.contains(player, 0)), "nobody comes first");
        }
    }

    #[test]
    fn clusters_need_far_fewer_coalitions_than_there_are() {
        let fives: Vec<usize> = (0..20).map(|player| player / 4).collect();
        assert_eq!(n_coalitions(&fives), 32 + 5 * 16 * 14);
        assert_eq!(n_coalitions(&(0..70).collect::<Vec<_>>()), u64::MAX);
        assert_eq!(n_coalitions(&[0; 70]), u64::MAX);
    }

    #[test]
    fn nobody_is_left_out_of_a_game_without_players() {
        assert!(Arrangement::new(&[]).values(ArrayView1::from(&[3.0])).is_empty());
    }
}
