//! Repeated blocks stand once: sixteen equal residual blocks are one, in a frame that says "× 16".
//!
//! The graph is cut where a single box is all that later boxes read of what came before. The stretches between cuts are
//! compared by what they hold and how it is joined; a run of equal stretches, or of equal groups of several, is
//! kept once.

use super::boxes::Drawn;
use crate::audit::{Repeat, StructureBox};

/// Most stretches that make one repeated group.
const LONGEST: usize = 12;
/// Boxes that a frame must save.
const SAVES: usize = 2;

/// Equal stretches have the same boxes joined in the same way.
#[derive(PartialEq, Eq)]
struct Look<'a> {
    boxes: Vec<(&'a str, &'a [String], &'a str, u64, u64)>,
    /// Distances back to what each box reads; everything before the stretch is its one entry.
    reads: Vec<Vec<usize>>,
}

pub fn fold(drawn: Drawn) -> (Drawn, Vec<Repeat>) {
    let stretches = stretches(&drawn);
    let looks: Vec<Look> = stretches.iter().map(|(first, end)| look(&drawn, *first, *end)).collect();
    let mut keep: Vec<usize> = Vec::new();
    let mut repeats = Vec::new();
    // The box that stands for each of the file.
    let mut stand_in: Vec<usize> = (0..drawn.boxes.len()).collect();
    let mut at = 0;
    while at < stretches.len() {
        let (period, times) = longest_run(&looks, &stretches, at).unwrap_or((1, 1));
        let (first, end) = (stretches[at].0, stretches[at + period - 1].1);
        if times > 1 {
            repeats.push(Repeat { first: keep.len(), last: keep.len() + end - first - 1, times: times as u64 });
            let all = first..stretches[at + period * times - 1].1;
            all.for_each(|each| stand_in[each] = first + (each - first) % (end - first));
        }
        keep.extend(first..end);
        at += period * times;
    }
    (kept(&drawn, &keep, &stand_in), repeats)
}

fn kept(drawn: &Drawn, keep: &[usize], stand_in: &[usize]) -> Drawn {
    let place = |at: usize| keep.binary_search(&stand_in[at]).unwrap_or_default();
    let reads = |at: &usize| {
        let mut reads: Vec<usize> = drawn.reads[*at].iter().map(|read| place(*read)).collect();
        reads.sort_unstable();
        reads.dedup();
        reads
    };
    Drawn {
        boxes: keep.iter().map(|at| drawn.boxes[*at].clone()).collect(),
        reads: keep.iter().map(reads).collect(),
        n_hidden: drawn.n_hidden,
    }
}

/// Half-open ranges of boxes between cuts.
fn stretches(drawn: &Drawn) -> Vec<(usize, usize)> {
    let n = drawn.boxes.len();
    let mut last_reader: Vec<usize> = (0..n).collect();
    for (at, reads) in drawn.reads.iter().enumerate() {
        reads.iter().for_each(|read| last_reader[*read] = at);
    }
    let mut stretches = Vec::new();
    let (mut first, mut reach) = (0, 0);
    for (at, last_read) in last_reader.iter().enumerate() {
        // Everything before `at` is read by `at` at the latest, and what follows hangs on it alone.
        let joins = drawn.reads.get(at + 1).is_none_or(|reads| reads.contains(&at));
        if reach <= at && joins {
            stretches.push((first, at + 1));
            first = at + 1;
        }
        reach = reach.max(*last_read);
    }
    if first < n {
        stretches.push((first, n));
    }
    stretches
}

fn look(drawn: &Drawn, first: usize, end: usize) -> Look<'_> {
    fn is(own: &StructureBox) -> (&str, &[String], &str, u64, u64) {
        (&own.title, &own.then, &own.shape, own.parameters, own.times)
    }
    let back =
        |at: usize| drawn.reads[at].iter().map(|read| if *read < first { at - first + 1 } else { at - read }).collect();
    Look { boxes: drawn.boxes[first..end].iter().map(is).collect(), reads: (first..end).map(back).collect() }
}

/// The repetition from stretch `at` on that saves most boxes: stretches in a group, number of groups.
fn longest_run(looks: &[Look], stretches: &[(usize, usize)], at: usize) -> Option<(usize, usize)> {
    let most = LONGEST.min((looks.len() - at) / 2);
    let run = |period: usize| {
        let same = (at + period..looks.len()).take_while(|next| looks[*next] == looks[next - period]).count();
        let times = 1 + same / period;
        let boxes = stretches[at + period - 1].1 - stretches[at].0;
        (boxes * (times - 1), period, times)
    };
    let saving = (1..=most).map(run).filter(|(saved, _, _)| *saved >= SAVES);
    // Of equal savings the shortest group.
    saving
        .max_by_key(|(saved, period, _)| (*saved, std::cmp::Reverse(*period)))
        .map(|(_, period, times)| (period, times))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(boxes: &[(&str, &[usize])]) -> Drawn {
        let one = |title: &str| StructureBox { title: title.into(), times: 1, ..Default::default() };
        Drawn {
            boxes: boxes.iter().map(|(title, _)| one(title)).collect(),
            reads: boxes.iter().map(|(_, reads)| reads.to_vec()).collect(),
            n_hidden: 0,
        }
    }

    fn titles(drawn: &Drawn) -> Vec<&str> {
        drawn.boxes.iter().map(|own| own.title.as_str()).collect()
    }

    /// in → stem → n × (conv → conv → add with what came before) → out.
    fn residual(n: usize) -> Drawn {
        let mut boxes = vec![("in".to_owned(), vec![]), ("stem".to_owned(), vec![0])];
        for _ in 0..n {
            let last = boxes.len() - 1;
            boxes.push(("conv".into(), vec![last]));
            boxes.push(("conv".into(), vec![last + 1]));
            boxes.push(("add".into(), vec![last, last + 2]));
        }
        boxes.push(("out".into(), vec![boxes.len() - 1]));
        let all: Vec<(&str, &[usize])> =
            boxes.iter().map(|(title, reads)| (title.as_str(), reads.as_slice())).collect();
        drawn(&all)
    }

    #[test]
    fn residual_blocks_stand_once_in_a_frame() {
        let (folded, repeats) = fold(residual(16));
        assert_eq!(titles(&folded), ["in", "stem", "conv", "conv", "add", "out"]);
        assert_eq!(repeats, [Repeat { first: 2, last: 4, times: 16 }]);
        assert_eq!(folded.reads, [vec![], vec![0], vec![1], vec![2], vec![1, 3], vec![4]]);
    }

    #[test]
    fn what_is_read_later_is_not_cut() {
        // The first convolution is read again at the end: nothing between may be folded.
        let boxes: &[(&str, &[usize])] =
            &[("in", &[]), ("conv", &[0]), ("conv", &[1]), ("conv", &[2]), ("conv", &[3]), ("add", &[1, 4])];
        assert_eq!(fold(drawn(boxes)).1, []);
    }

    #[test]
    fn groups_of_several_stretches_repeat_together() {
        let boxes: &[(&str, &[usize])] =
            &[("in", &[]), ("a", &[0]), ("b", &[1]), ("a", &[2]), ("b", &[3]), ("a", &[4]), ("b", &[5]), ("out", &[6])];
        let (folded, repeats) = fold(drawn(boxes));
        assert_eq!(titles(&folded), ["in", "a", "b", "out"]);
        assert_eq!(repeats, [Repeat { first: 1, last: 2, times: 3 }]);
    }

    #[test]
    fn different_shapes_are_different_blocks() {
        let mut plain = residual(4);
        plain.boxes[5].shape = "[N, 8]".into();
        let (folded, repeats) = fold(plain);
        assert_eq!(repeats, [Repeat { first: 8, last: 10, times: 2 }]);
        assert_eq!(folded.boxes.len(), 2 + 3 + 3 + 3 + 1);
    }

    #[test]
    fn nothing_at_all_is_nothing() {
        assert_eq!(fold(Drawn::default()), (Drawn::default(), Vec::new()));
    }
}
