//! A layered drawing: every box below all that it reads, long edges led past the layers between, crossings few.
//!
//! After Sugiyama, Tagawa and Toda (1981): ranks by longest path, stand-ins where an edge passes a rank, order within ranks
//! by the mean place of neighbours, positions by least squares under the order.

/// One place in a rank: a box, or an edge on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item {
    /// Position among the boxes.
    Box(usize),
    /// An edge of this box passes.
    Pass(usize),
}

impl Item {
    /// The box that an edge going down from here comes from.
    pub fn source(self) -> usize {
        match self {
            Item::Box(at) | Item::Pass(at) => at,
        }
    }
}

/// Ranks from top to bottom; within a rank from left to right.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Layers {
    pub ranks: Vec<Vec<Item>>,
    /// Centre of every item.
    pub centres: Vec<Vec<f64>>,
    /// Lines from rank r to rank r + 1: (place above, place below).
    pub lines: Vec<Vec<(usize, usize)>>,
}

/// Sweeps down and up that order and place: more change little.
const SWEEPS: usize = 8;

/// `edges` go from lower to higher positions; `widths` give the room of a box and of a passing edge, gap included.
pub fn layers(n_boxes: usize, edges: &[(usize, usize)], widths: (f64, f64)) -> Layers {
    let mut layers = ranked(n_boxes, edges);
    for _ in 0..SWEEPS {
        layers.order(true);
        layers.order(false);
    }
    layers.centres = layers.ranks.iter().map(|rank| spread(&vec![0.0; rank.len()], rank, widths)).collect();
    for sweep in 0..SWEEPS {
        layers.place(sweep % 2 == 0, widths);
    }
    layers
}

/// The most boxes of one rank, at least one.
pub fn most_beside(n_boxes: usize, edges: &[(usize, usize)]) -> usize {
    let n_boxes_of = |rank: &Vec<Item>| rank.iter().filter(|item| matches!(item, Item::Box(_))).count();
    ranked(n_boxes, edges).ranks.iter().map(n_boxes_of).fold(1, usize::max)
}

fn ranked(n_boxes: usize, edges: &[(usize, usize)]) -> Layers {
    let mut rank = vec![0_usize; n_boxes];
    let mut sorted = edges.to_vec();
    sorted.sort_unstable_by_key(|(from, to)| (*to, *from));
    for (from, to) in &sorted {
        rank[*to] = rank[*to].max(rank[*from] + 1);
    }
    let depth = rank.iter().max().map_or(0, |most| most + 1);
    let mut layers = Layers { ranks: vec![Vec::new(); depth], ..Layers::default() };
    layers.lines = vec![Vec::new(); depth.saturating_sub(1)];
    let mut place: Vec<usize> = Vec::with_capacity(n_boxes);
    for (at, rank) in rank.iter().enumerate() {
        place.push(layers.ranks[*rank].len());
        layers.ranks[*rank].push(Item::Box(at));
    }
    for (from, to) in sorted {
        let mut above = place[from];
        for between in rank[from] + 1..rank[to] {
            // Edges of one box share their way as long as they go together.
            let passing = layers.ranks[between].iter().position(|item| *item == Item::Pass(from));
            let here = passing.unwrap_or_else(|| {
                layers.ranks[between].push(Item::Pass(from));
                layers.ranks[between].len() - 1
            });
            layers.join(between - 1, above, here);
            above = here;
        }
        layers.join(rank[to] - 1, above, place[to]);
    }
    layers
}

impl Layers {
    fn join(&mut self, rank: usize, above: usize, below: usize) {
        if !self.lines[rank].contains(&(above, below)) {
            self.lines[rank].push((above, below));
        }
    }

    /// Sorts every rank by the mean place of its neighbours above (or below).
    fn order(&mut self, downwards: bool) {
        let n = self.ranks.len();
        let sequence: Vec<usize> = if downwards { (1..n).collect() } else { (0..n.saturating_sub(1)).rev().collect() };
        for rank in sequence {
            let wish: Vec<f64> = (0..self.ranks[rank].len())
                .map(|at| {
                    let near = self.neighbours(rank, at, downwards);
                    if near.is_empty() { at as f64 } else { near.iter().sum::<usize>() as f64 / near.len() as f64 }
                })
                .collect();
            let mut order: Vec<usize> = (0..wish.len()).collect();
            order.sort_by(|a, b| wish[*a].total_cmp(&wish[*b]));
            self.rearrange(rank, &order);
        }
    }

    fn rearrange(&mut self, rank: usize, order: &[usize]) {
        let mut place = vec![0; order.len()];
        order.iter().enumerate().for_each(|(new, old)| place[*old] = new);
        self.ranks[rank] = order.iter().map(|old| self.ranks[rank][*old]).collect();
        if rank > 0 {
            self.lines[rank - 1].iter_mut().for_each(|(_, below)| *below = place[*below]);
        }
        if let Some(lines) = self.lines.get_mut(rank) {
            lines.iter_mut().for_each(|(above, _)| *above = place[*above]);
        }
    }

    /// Places of the neighbours in the rank above (or below).
    fn neighbours(&self, rank: usize, at: usize, above: bool) -> Vec<usize> {
        if above {
            let lines = rank.checked_sub(1).map_or(&[][..], |before| &self.lines[before]);
            lines.iter().filter(|(_, to)| *to == at).map(|(from, _)| *from).collect()
        } else {
            let lines = self.lines.get(rank).map_or(&[][..], Vec::as_slice);
            lines.iter().filter(|(from, _)| *from == at).map(|(_, to)| *to).collect()
        }
    }

    /// Moves every rank towards its neighbours above (or below), in order and without overlap.
    fn place(&mut self, downwards: bool, widths: (f64, f64)) {
        let n = self.ranks.len();
        let sequence: Vec<usize> = if downwards { (1..n).collect() } else { (0..n.saturating_sub(1)).rev().collect() };
        for rank in sequence {
            let beside = if downwards { rank - 1 } else { rank + 1 };
            let wishes: Vec<f64> = (0..self.ranks[rank].len())
                .map(|at| {
                    let near = self.neighbours(rank, at, downwards);
                    let sum: f64 = near.iter().map(|place| self.centres[beside][*place]).sum();
                    if near.is_empty() { self.centres[rank][at] } else { sum / near.len() as f64 }
                })
                .collect();
            self.centres[rank] = spread(&wishes, &self.ranks[rank], widths);
        }
    }
}

/// Positions nearest to the wishes (least squares) that keep the order and the room of each: pool adjacent violators.
fn spread(wishes: &[f64], rank: &[Item], widths: (f64, f64)) -> Vec<f64> {
    let room = |item: &Item| if matches!(item, Item::Box(_)) { widths.0 } else { widths.1 };
    let mut offset = 0.0;
    let mut offsets = Vec::with_capacity(rank.len());
    for (at, item) in rank.iter().enumerate() {
        if at > 0 {
            offset += (room(&rank[at - 1]) + room(item)) / 2.0;
        }
        offsets.push(offset);
    }
    // Blocks of equal shift: (sum, count).
    let mut blocks: Vec<(f64, usize)> = Vec::new();
    for (wish, offset) in wishes.iter().zip(&offsets) {
        blocks.push((wish - offset, 1));
        while let [.., (before, m), (after, n)] = blocks.as_slice()
            && before / *m as f64 > after / *n as f64
        {
            let pooled = (before + after, m + n);
            blocks.truncate(blocks.len() - 2);
            blocks.push(pooled);
        }
    }
    let shifts = blocks.iter().flat_map(|(sum, n)| std::iter::repeat_n(sum / *n as f64, *n));
    shifts.zip(offsets).map(|(shift, offset)| shift + offset).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTHS: (f64, f64) = (100.0, 20.0);

    #[test]
    fn a_chain_is_a_straight_line() {
        let layers = layers(4, &[(0, 1), (1, 2), (2, 3)], WIDTHS);
        assert_eq!(layers.ranks.len(), 4);
        assert!(layers.centres.iter().all(|rank| rank == &layers.centres[0]));
    }

    #[test]
    fn every_box_stands_below_what_it_reads_and_long_edges_pass_each_rank_between() {
        let edges = [(0, 1), (1, 2), (2, 3), (0, 3)];
        let layers = layers(4, &edges, WIDTHS);
        let passes = layers.ranks.iter().map(|rank| rank.iter().filter(|item| matches!(item, Item::Pass(0))).count());
        assert_eq!(passes.collect::<Vec<_>>(), [0, 1, 1, 0]);
        assert_eq!(layers.lines.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 2]);
    }

    #[test]
    fn nothing_in_a_rank_overlaps() {
        let edges: Vec<(usize, usize)> = (1..8).flat_map(|to| [(0, to), (to, 8)]).chain([(0, 8), (3, 9)]).collect();
        let layers = layers(10, &edges, WIDTHS);
        for (rank, centres) in layers.ranks.iter().zip(&layers.centres) {
            let room = |item: &Item| if matches!(item, Item::Box(_)) { WIDTHS.0 } else { WIDTHS.1 };
            for at in 1..rank.len() {
                let apart = (room(&rank[at - 1]) + room(&rank[at])) / 2.0;
                assert!(centres[at] - centres[at - 1] > apart - 1e-9, "{centres:?}");
            }
        }
    }

    #[test]
    fn parallel_chains_do_not_cross() {
        // Two chains, interleaved in the file.
        let layers = layers(6, &[(0, 3), (1, 2), (2, 5), (3, 4)], WIDTHS);
        for lines in &layers.lines {
            for (a, b) in lines.iter().flat_map(|a| lines.iter().map(move |b| (a, b))) {
                assert!(!(a.0 < b.0 && a.1 > b.1), "{lines:?}");
            }
        }
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        assert_eq!(layers(0, &[], WIDTHS), Layers::default());
    }
}
