//! Leaves of a tree grouped, so that one lookup serves many of them.
//!
//! For a group of leaves and a feature, a *class* is a set of bins that all leaves of the group treat alike. The group's
//! table has one cell for each combination of classes. Groups are merged greedily, the pair whose table is smallest
//! against the two it replaces first, while the table stays within the limits. Leaves come in depth-first order, and
//! leaves that stand close share most of their tests: only groups close to each other are compared, which finds tables
//! as good as comparing all of them.

use super::paths::LeafGame;
use smallvec::{SmallVec, smallvec};

/// Groups behind each group that it may merge with.
const NEIGHBOURS: usize = 2;

/// A group of leaves: its classes feature by feature, and what it was made of.
#[derive(Debug, Clone)]
pub(super) struct Group {
    /// Ascending by feature.
    pub axes: Vec<Axis>,
    /// Product of the axes' classes.
    pub n_cells: usize,
    /// Distinct players of its leaves, ascending.
    pub players: SmallVec<[u32; 8]>,
    pub made_of: MadeOf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MadeOf {
    /// Index into the tree's leaf games.
    Leaf(usize),
    /// Indices into the arena of groups.
    Pair(usize, usize),
}

/// Classes of one feature's bins.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Axis {
    /// Index into the tree's `LocalBins`.
    pub feature: usize,
    /// Class of every bin; classes are numbered in order of their first bin.
    pub class: SmallVec<[u16; 12]>,
    pub n_classes: usize,
}

/// How far groups may grow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Limits {
    pub cells: usize,
    /// Largest table, in numbers.
    pub numbers: usize,
    /// Leaves that are considered together; longer lists of leaves are cut into runs.
    pub run: usize,
}

/// Groups of one tree: every group ever made, and those that are left.
#[derive(Debug, Clone, Default)]
pub(super) struct Groups {
    pub arena: Vec<Group>,
    pub left: Vec<usize>,
}

/// Groups the leaves of one tree. `width` is the numbers that a cell of a group with so many players takes.
pub(super) fn merge_leaves(games: &[LeafGame], limits: Limits, width: impl Fn(usize) -> usize) -> Groups {
    let mut groups = Groups::default();
    let all: Vec<usize> = (0..games.len()).collect();
    for run in all.chunks(limits.run.max(1)) {
        let live: Vec<usize> = run.iter().map(|leaf| groups.push(of_leaf(*leaf, &games[*leaf]))).collect();
        let left = Greedy::new(&mut groups, live, limits, &width).run();
        groups.left.extend(left);
    }
    groups
}

fn of_leaf(leaf: usize, game: &LeafGame) -> Group {
    let axes: Vec<Axis> = game.axes.iter().map(|axis| two_classes(axis.feature, &axis.agrees)).collect();
    let n_cells = axes.iter().map(|axis| axis.n_classes).product();
    Group { axes, n_cells, players: game.players.clone(), made_of: MadeOf::Leaf(leaf) }
}

fn two_classes(feature: usize, agrees: &[bool]) -> Axis {
    let class: SmallVec<[u16; 12]> = agrees.iter().map(|agree| u16::from(*agree != agrees[0])).collect();
    let n_classes = 1 + usize::from(class.contains(&1));
    Axis { feature, class, n_classes }
}

impl Groups {
    fn push(&mut self, group: Group) -> usize {
        self.arena.push(group);
        self.arena.len() - 1
    }
}

/// The greedy search over one run of leaves.
struct Greedy<'a, W> {
    groups: &'a mut Groups,
    /// Arena index of each live group, `None` once merged away.
    live: Vec<Option<usize>>,
    /// For each live group the best partner behind it: (ratio, position).
    best: Vec<Option<(f64, usize)>>,
    limits: Limits,
    width: &'a W,
    seen: Seen,
}

impl<'a, W: Fn(usize) -> usize> Greedy<'a, W> {
    fn new(groups: &'a mut Groups, live: Vec<usize>, limits: Limits, width: &'a W) -> Self {
        let best = vec![None; live.len()];
        Self { groups, live: live.into_iter().map(Some).collect(), best, limits, width, seen: Seen::default() }
    }

    fn run(mut self) -> Vec<usize> {
        (0..self.live.len()).for_each(|at| self.find_best(at));
        while let Some((first, second)) = self.closest() {
            self.merge(first, second);
        }
        self.live.into_iter().flatten().collect()
    }

    fn closest(&self) -> Option<(usize, usize)> {
        let found = self.best.iter().enumerate().filter_map(|(at, best)| best.map(|(ratio, with)| (ratio, at, with)));
        found.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, at, with)| (at, with))
    }

    fn merge(&mut self, first: usize, second: usize) {
        let (Some(a), Some(b)) = (self.live[first], self.live[second]) else { return };
        let merged = join(a, b, &self.groups.arena);
        self.live[first] = Some(self.groups.push(merged));
        self.live[second] = None;
        self.best[second] = None;
        for at in 0..self.live.len() {
            if at == first || self.reaches(at, first) || self.reaches(at, second) {
                self.find_best(at);
            }
        }
    }

    fn find_best(&mut self, at: usize) {
        self.best[at] = None;
        let mut neighbours = [None; NEIGHBOURS];
        neighbours.iter_mut().zip(self.neighbours(at)).for_each(|(slot, other)| *slot = Some(other));
        neighbours.into_iter().flatten().for_each(|other| self.offer(at, other));
    }

    /// Whether a position is, or was, among the neighbours behind another.
    fn reaches(&self, at: usize, other: usize) -> bool {
        at < other && self.live[at + 1..other].iter().flatten().count() < NEIGHBOURS
    }

    /// The live groups next behind a position.
    fn neighbours(&self, at: usize) -> impl Iterator<Item = usize> {
        (at + 1..self.live.len()).filter(|other| self.live[*other].is_some()).take(NEIGHBOURS)
    }

    fn offer(&mut self, at: usize, other: usize) {
        let (Some(a), Some(b)) = (self.live[at], self.live[other]) else { return };
        let (a, b) = (&self.groups.arena[a], &self.groups.arena[b]);
        let apart = (a.n_cells + b.n_cells) as f64;
        let bound = self.best[at].map_or(f64::INFINITY, |(ratio, _)| ratio * apart);
        let limit = self.limits.cells.min(bound.min(1e9) as usize);
        let Some(cells) = joint_cells(a, b, limit, &mut self.seen) else { return };
        let ratio = cells as f64 / apart;
        let fits = cells * (self.width)(union(&a.players, &b.players).count()) <= self.limits.numbers;
        if fits && self.best[at].is_none_or(|(best, _)| ratio < best) {
            self.best[at] = Some((ratio, other));
        }
    }
}

/// Cells of the merged group, `None` if more than `limit`.
fn joint_cells(a: &Group, b: &Group, limit: usize, seen: &mut Seen) -> Option<usize> {
    let mut cells = 1;
    for pair in zip_axes(&a.axes, &b.axes) {
        cells *= match pair {
            (Some(a), Some(b)) => seen.joint_classes(a, b),
            (Some(axis), None) | (None, Some(axis)) => axis.n_classes,
            (None, None) => 1,
        };
        if cells > limit {
            return None;
        }
    }
    Some(cells)
}

/// Pairs of classes met in this round.
#[derive(Default)]
struct Seen {
    met: Vec<u32>,
    round: u32,
}

impl Seen {
    fn joint_classes(&mut self, a: &Axis, b: &Axis) -> usize {
        let pairs = a.class.iter().zip(&b.class).map(|(of_a, of_b)| *of_a as usize * b.n_classes + *of_b as usize);
        if a.n_classes * b.n_classes <= 64 {
            return pairs.fold(0_u64, |met, pair| met | 1 << pair).count_ones() as usize;
        }
        self.round += 1;
        self.met.resize(self.met.len().max(a.n_classes * b.n_classes), 0);
        pairs.filter(|pair| std::mem::replace(&mut self.met[*pair], self.round) != self.round).count()
    }
}

fn join(a: usize, b: usize, arena: &[Group]) -> Group {
    let (left, right) = (&arena[a], &arena[b]);
    let joined = zip_axes(&left.axes, &right.axes).filter_map(|pair| match pair {
        (Some(a), Some(b)) => Some(join_axes(a, b)),
        (Some(axis), None) | (None, Some(axis)) => Some(axis.clone()),
        (None, None) => None,
    });
    let axes: Vec<Axis> = joined.collect();
    let n_cells = axes.iter().map(|axis| axis.n_classes).product();
    Group { axes, n_cells, players: union(&left.players, &right.players).collect(), made_of: MadeOf::Pair(a, b) }
}

fn join_axes(a: &Axis, b: &Axis) -> Axis {
    let mut number: SmallVec<[u16; 64]> = smallvec![u16::MAX; a.n_classes * b.n_classes];
    let mut n_classes = 0;
    let mut class_of = |(of_a, of_b): (&u16, &u16)| {
        let class = &mut number[*of_a as usize * b.n_classes + *of_b as usize];
        if *class == u16::MAX {
            *class = n_classes;
            n_classes += 1;
        }
        *class
    };
    let class = a.class.iter().zip(&b.class).map(&mut class_of).collect();
    Axis { feature: a.feature, class, n_classes: n_classes as usize }
}

/// For each cell of `whole`, its cell in `part`, one of the two groups that `whole` was made of.
pub(super) fn cells_in(whole: &Group, part: &Group) -> Vec<u16> {
    let mut cells = Vec::with_capacity(whole.n_cells);
    cells.push(0_u16);
    let mut stride = 1;
    let mut parts = part.axes.iter().peekable();
    let mut steps = Vec::new();
    for axis in &whole.axes {
        steps.clear();
        steps.resize(axis.n_classes, 0);
        if let Some(of_part) = parts.next_if(|other| other.feature == axis.feature) {
            axis.class.iter().zip(&of_part.class).for_each(|(class, part)| steps[*class as usize] = *part * stride);
            stride *= of_part.n_classes as u16;
        }
        // Class 0 holds the first bin on both sides: its step is 0, so its cells stand already.
        let n_before = cells.len();
        for step in &steps[1..] {
            let from = cells.len();
            cells.extend_from_within(..n_before);
            cells[from..].iter_mut().for_each(|cell| *cell += step);
        }
    }
    cells
}

/// Axes of both groups side by side, ascending by feature.
fn zip_axes<'a>(a: &'a [Axis], b: &'a [Axis]) -> impl Iterator<Item = (Option<&'a Axis>, Option<&'a Axis>)> {
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    std::iter::from_fn(move || {
        let feature = match (a.peek(), b.peek()) {
            (Some(a), Some(b)) => a.feature.min(b.feature),
            (Some(axis), None) | (None, Some(axis)) => axis.feature,
            (None, None) => return None,
        };
        Some((a.next_if(|axis| axis.feature == feature), b.next_if(|axis| axis.feature == feature)))
    })
}

/// Members of two ascending lists.
fn union<'a>(a: &'a [u32], b: &'a [u32]) -> impl Iterator<Item = u32> {
    let (mut a, mut b) = (a.iter().copied().peekable(), b.iter().copied().peekable());
    std::iter::from_fn(move || {
        let least = a.peek().into_iter().chain(b.peek()).min().copied()?;
        a.next_if_eq(&least);
        b.next_if_eq(&least);
        Some(least)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::tree::paths::LeafAxis;

    fn leaf(axes: &[(usize, &str)]) -> LeafGame {
        let axis = |(player, (feature, agrees)): (usize, &(usize, &str))| LeafAxis {
            feature: *feature,
            player,
            agrees: agrees.chars().map(|bin| bin == '1').collect(),
        };
        LeafGame {
            votes: 0..1,
            players: axes.iter().map(|(feature, _)| *feature as u32).collect(),
            covers: smallvec![1.0; axes.len()],
            axes: axes.iter().enumerate().map(axis).collect(),
        }
    }

    const WIDE: Limits = Limits { cells: 1024, numbers: 1 << 20, run: 64 };

    #[test]
    fn a_class_is_what_all_leaves_treat_alike() {
        let games = [leaf(&[(0, "0110"), (2, "10")]), leaf(&[(0, "0011")])];
        let groups = merge_leaves(&games, WIDE, |players| players);
        let [left] = groups.left[..] else { panic!("one group is left") };
        let group = &groups.arena[left];
        assert_eq!(group.axes[0], Axis { feature: 0, class: smallvec![0, 1, 2, 3], n_classes: 4 });
        assert_eq!(group.axes[1], Axis { feature: 2, class: smallvec![0, 1], n_classes: 2 });
        assert_eq!((group.n_cells, &group.players[..]), (8, &[0, 2][..]));
    }

    #[test]
    fn cells_of_the_whole_know_their_cells_in_the_parts() {
        let games = [leaf(&[(0, "0110"), (2, "10")]), leaf(&[(0, "0011")])];
        let groups = merge_leaves(&games, WIDE, |players| players);
        let whole = &groups.arena[groups.left[0]];
        assert_eq!(cells_in(whole, &groups.arena[0]), vec![0, 1, 1, 0, 2, 3, 3, 2]);
        assert_eq!(cells_in(whole, &groups.arena[1]), vec![0, 0, 1, 1, 0, 0, 1, 1]);
    }

    #[test]
    fn groups_stay_within_their_limits() {
        let games: Vec<LeafGame> = (0..8).map(|feature| leaf(&[(feature, "01")])).collect();
        let cells = merge_leaves(&games, Limits { cells: 16, ..WIDE }, |players| players);
        assert!(cells.left.iter().all(|left| cells.arena[*left].n_cells <= 16));
        let numbers = merge_leaves(&games, Limits { numbers: 8, ..WIDE }, |players| players);
        assert!(numbers.left.iter().all(|left| numbers.arena[*left].n_cells * numbers.arena[*left].players.len() <= 8));
        let runs = merge_leaves(&games, Limits { run: 1, ..WIDE }, |players| players);
        assert_eq!(runs.left.len(), 8);
    }

    #[test]
    fn many_classes_are_counted_as_few_are() {
        let axis = |n: usize, step: usize| Axis {
            feature: 0,
            class: (0..90).map(|bin| (bin / step % n) as u16).collect(),
            n_classes: n,
        };
        for (a, b) in [(axis(9, 10), axis(30, 3)), (axis(2, 45), axis(3, 30)), (axis(90, 1), axis(90, 1))] {
            assert_eq!(Seen::default().joint_classes(&a, &b), join_axes(&a, &b).n_classes);
        }
    }
}
