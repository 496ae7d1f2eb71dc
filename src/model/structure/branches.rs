//! Equal branches become one: forty one-hot encoders side by side are a box that says "× 40".
//!
//! Boxes are told apart by what they are and how far they stand from the inputs, then by the classes of what they read and
//! of what reads them, until nothing more is told apart (the coarsest equitable partition of the graph). What then
//! is still equal cannot be told apart by any walk through the graph. Where too many still stand side by side, shapes and
//! numbers of parameters no longer tell them apart: encoders of columns with different categories.

use super::boxes::Drawn;
use crate::audit::{BoxKind, StructureBox};
use std::collections::{BTreeMap, BTreeSet};

/// Fewer equal boxes than this stay apart.
const ENOUGH: usize = 3;
/// Most names that a merged box lists.
const NAMES: usize = 3;

/// More boxes side by side are too narrow to read.
const CROWD: usize = 5;

pub fn merge(drawn: Drawn) -> Drawn {
    let strict = merged(&drawn, true);
    let depth = depth(&strict);
    let crowded = (0..strict.boxes.len()).any(|at| depth.iter().filter(|other| **other == depth[at]).count() > CROWD);
    if crowded { merged(&drawn, false) } else { strict }
}

fn merged(drawn: &Drawn, strict: bool) -> Drawn {
    let classes = classes(drawn, strict);
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (at, class) in classes.iter().enumerate() {
        members.entry(*class).or_default().push(at);
    }
    // Where a box goes: all of a large class to its first member.
    let mut target: Vec<usize> = (0..drawn.boxes.len()).collect();
    for class in members.values().filter(|class| class.len() >= ENOUGH) {
        class.iter().for_each(|at| target[*at] = class[0]);
    }
    let kept: Vec<usize> = (0..target.len()).filter(|at| target[*at] == *at).collect();
    let place: BTreeMap<usize, usize> = kept.iter().enumerate().map(|(place, at)| (*at, place)).collect();
    let mut merged = Drawn { n_hidden: drawn.n_hidden, ..Drawn::default() };
    for at in kept {
        let class = &members[&classes[at]];
        let all: &[usize] = if class.len() >= ENOUGH { class } else { &[at] };
        merged.boxes.push(together(&drawn.boxes, all));
        let reads: BTreeSet<usize> =
            all.iter().flat_map(|each| &drawn.reads[*each]).map(|read| place[&target[*read]]).collect();
        merged.reads.push(reads.into_iter().collect());
    }
    merged
}

fn together(boxes: &[StructureBox], all: &[usize]) -> StructureBox {
    let mut one = boxes[all[0]].clone();
    if let [_, others @ ..] = all
        && !others.is_empty()
    {
        let others = || others.iter().map(|at| &boxes[*at]);
        if others().any(|other| other.shape != one.shape) {
            one.shape = "shapes differ".to_owned();
        }
        one.parameters = others().fold(one.parameters, |sum, other| sum.saturating_add(other.parameters));
        one.multiply_adds =
            others().try_fold(one.multiply_adds, |sum, other| Some(sum?.checked_add(other.multiply_adds?))).flatten();
        let names: Vec<&str> = all.iter().take(NAMES).map(|at| boxes[*at].name.as_str()).collect();
        one.name = if all.len() > NAMES { format!("{}, …", names.join(", ")) } else { names.join(", ") };
        one.times = all.len() as u64;
        if one.kind == BoxKind::Output {
            one.title = one.name.clone();
        }
    }
    one
}

/// What a box is, its distance from the inputs, and what its neighbours are.
type Signature = (usize, Vec<usize>, Vec<usize>);

/// Longest way from an input.
fn depth(drawn: &Drawn) -> Vec<usize> {
    let mut depth = vec![0_usize; drawn.boxes.len()];
    for (at, reads) in drawn.reads.iter().enumerate() {
        depth[at] = reads.iter().map(|read| depth[*read] + 1).max().unwrap_or(0);
    }
    depth
}

fn classes(drawn: &Drawn, strict: bool) -> Vec<usize> {
    let n = drawn.boxes.len();
    let mut readers: Vec<Vec<usize>> = vec![Vec::new(); n];
    for (at, reads) in drawn.reads.iter().enumerate() {
        reads.iter().for_each(|read| readers[*read].push(at));
    }
    let depth = depth(drawn);
    let look = |at: usize| {
        let own = &drawn.boxes[at];
        let title = if own.kind == BoxKind::Output { "" } else { own.title.as_str() };
        let size = strict.then_some((&own.shape, own.parameters));
        (depth[at], own.kind as u8, title, &own.then, size)
    };
    let mut class = numbered((0..n).map(look));
    loop {
        let of = |all: &Vec<usize>| {
            let mut seen: Vec<usize> = all.iter().map(|at| class[*at]).collect();
            seen.sort_unstable();
            seen
        };
        let finer = numbered((0..n).map(|at| -> Signature { (class[at], of(&drawn.reads[at]), of(&readers[at])) }));
        if finer.iter().max() == class.iter().max() {
            return class;
        }
        class = finer;
    }
}

/// Equal keys get equal numbers.
fn numbered<K: Ord>(keys: impl Iterator<Item = K>) -> Vec<usize> {
    let keys: Vec<K> = keys.collect();
    let distinct: BTreeSet<&K> = keys.iter().collect();
    let number: BTreeMap<&K, usize> = distinct.into_iter().enumerate().map(|(number, key)| (key, number)).collect();
    keys.iter().map(|key| number[key]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(titles: &[(&str, &[usize])]) -> Drawn {
        let one =
            |title: &str| StructureBox { title: title.into(), name: title.into(), times: 1, ..Default::default() };
        Drawn {
            boxes: titles.iter().map(|(title, _)| one(title)).collect(),
            reads: titles.iter().map(|(_, reads)| reads.to_vec()).collect(),
            n_hidden: 0,
        }
    }

    #[test]
    fn equal_branches_become_one_and_say_how_many_they_are() {
        let mut boxes = vec![("in", &[][..]); 4];
        let encoders = [[0], [1], [2], [3]];
        boxes.extend(encoders.iter().map(|from| ("OneHotEncoder", &from[..])));
        boxes.push(("Concat", &[4, 5, 6, 7]));
        let merged = merge(drawn(&boxes));
        let seen: Vec<_> = merged.boxes.iter().map(|own| (own.title.as_str(), own.times)).collect();
        assert_eq!(seen, [("in", 4), ("OneHotEncoder", 4), ("Concat", 1)]);
        assert_eq!(merged.reads, [vec![], vec![0], vec![1]]);
        assert_eq!(merged.boxes[0].name, "in, in, in, …");
    }

    #[test]
    fn only_a_crowd_is_merged_across_shapes() {
        let of = |n: usize| {
            let encoders: Vec<Vec<usize>> = (0..n).map(|at| vec![at]).collect();
            let mut boxes = vec![("in", &[][..]); n];
            boxes.extend(encoders.iter().map(|from| ("OneHotEncoder", from.as_slice())));
            let all: Vec<usize> = (n..2 * n).collect();
            boxes.push(("Concat", &all));
            let mut drawn = drawn(&boxes);
            (n..2 * n).for_each(|at| drawn.boxes[at].shape = format!("[N, {at}]"));
            (n..2 * n).for_each(|at| drawn.boxes[at].parameters = 1);
            merge(drawn)
        };
        assert_eq!(of(CROWD).boxes.len(), 2 * CROWD + 1);
        let crowd = of(CROWD + 1);
        assert_eq!(crowd.boxes.len(), 3);
        assert_eq!((crowd.boxes[1].shape.as_str(), crowd.boxes[1].parameters), ("shapes differ", CROWD as u64 + 1));
    }

    #[test]
    fn branches_that_lead_elsewhere_stay_apart() {
        let boxes: &[(&str, &[usize])] = &[
            ("in", &[]),
            ("Gemm", &[0]),
            ("Gemm", &[0]),
            ("Gemm", &[0]),
            ("Tanh", &[1]),
            ("Relu", &[2]),
            ("Exp", &[3]),
        ];
        assert_eq!(merge(drawn(boxes)).boxes.len(), 7);
    }

    #[test]
    fn a_chain_is_not_folded_across_its_depth() {
        let boxes: &[(&str, &[usize])] = &[("Gemm", &[]), ("Gemm", &[0]), ("Gemm", &[1]), ("Gemm", &[2])];
        assert_eq!(merge(drawn(boxes)).boxes.len(), 4);
    }
}
