//! Eight rows on their way through a tree, for `quadrature`.

use super::gauss::Rule;
use super::kernel::{LANES, Line, ZERO};
use super::lanes::{Histories, Lanewise, Tip, Vectorised};
use super::pattern::Target;
use super::quadrature::{Edge, Itinerary, Step};
use super::slots::Slots;

/// Eight rows and their sums over the trees so far.
pub(super) struct Walk {
    /// `[outputs × slots]`.
    sums: Vec<Line>,
    /// Rows that agree with all of a player's tests above, one bit each, by player.
    agree: Vec<u8>,
    /// What `agree` was before each open edge.
    before: Vec<u8>,
    /// Open edges.
    path: Vec<u32>,
    /// A, `[depth × points]`.
    products: Vec<Line>,
    /// E, `[depth × outputs × points]`.
    below: Vec<Line>,
}

/// One tree for one walk.
pub(super) struct Go<'a> {
    pub walk: &'a mut Walk,
    pub itinerary: &'a Itinerary,
    pub rule: &'a Rule,
    pub votes: &'a [(u32, f64)],
    pub slots: &'a Slots,
    /// For each node the rows of the block that take its `yes` side.
    pub yes: &'a [u64],
    /// First of the eight rows within the block.
    pub first: usize,
}

impl Walk {
    /// Goes on from the sums in `out`, `[rows × outputs × slots]`, of at most eight rows.
    pub fn new(slots: &Slots, out: &[f64]) -> Self {
        let width = slots.row();
        let of_row = |slot: usize, row: usize| out.get(row * width + slot).copied().unwrap_or(0.0);
        let lane = |slot: usize| Line(std::array::from_fn(|row| of_row(slot, row)));
        Self {
            sums: (0..width).map(lane).collect(),
            agree: vec![u8::MAX; slots.n_players],
            before: vec![],
            path: vec![],
            products: vec![],
            below: vec![],
        }
    }

    pub fn write(&self, out: &mut [f64], width: usize) {
        for (row, out) in out.chunks_mut(width).enumerate() {
            out.iter_mut().zip(&self.sums).for_each(|(out, sum)| *out = sum.0[row]);
        }
    }
}

impl Vectorised for Go<'_> {
    #[inline(always)]
    fn run<V: Lanewise>(mut self, with: V) {
        let (order, n_outputs) = (self.itinerary.order, self.slots.n_outputs);
        let open = self.itinerary.depth + 1;
        self.walk.products.resize(self.walk.products.len().max(open * order), ZERO);
        self.walk.below.resize(self.walk.below.len().max(open * order * n_outputs), ZERO);
        self.walk.products[..order].fill(Line([1.0; LANES]));
        self.walk.below[..order * n_outputs].fill(ZERO);
        for step in &self.itinerary.steps {
            match step {
                Step::Enter(edge) => self.enter(with, *edge),
                Step::Leave(edge) => self.leave(with, *edge),
                Step::Tip { edge, start, end } => self.tip(with, *edge, &self.votes[*start as usize..*end as usize]),
                Step::Leaf { start, end } => self.leaf(with, &self.votes[*start as usize..*end as usize]),
            }
        }
    }
}

impl Go<'_> {
    #[inline(always)]
    fn enter<V: Lanewise>(&mut self, with: V, index: u32) {
        let (edge, factors) = (&self.itinerary.edges[index as usize], self.itinerary.factors(index));
        let (order, walk) = (self.itinerary.order, &mut *self.walk);
        let old = walk.agree[edge.player as usize];
        let new = old & takers(self.yes, edge, self.first);
        let (above, here) = walk.products[walk.path.len() * order..][..2 * order].split_at_mut(order);
        with.descend(Histories { new, old }, &factors, edge.share, above, here);
        walk.before.push(old);
        walk.agree[edge.player as usize] = new;
        walk.path.push(index);
        let width = order * self.slots.n_outputs;
        walk.below[walk.path.len() * width..][..width].fill(ZERO);
    }

    #[inline(always)]
    fn leave<V: Lanewise>(&mut self, with: V, index: u32) {
        let (edge, factors) = (&self.itinerary.edges[index as usize], self.itinerary.factors(index));
        let (order, n_outputs) = (self.itinerary.order, self.slots.n_outputs);
        let (player, width) = (edge.player as usize, order * n_outputs);
        let walk = &mut *self.walk;
        walk.path.pop();
        let new = walk.agree[player];
        let old = walk.before.pop().unwrap_or(new);
        walk.agree[player] = old;
        let (above, here) = walk.below[walk.path.len() * width..][..2 * width].split_at_mut(width);
        for (output, (above, here)) in above.chunks_exact_mut(order).zip(here.chunks_exact(order)).enumerate() {
            let sum = &mut walk.sums[output * self.slots.len() + player];
            with.ascend(Histories { new, old }, &factors, here, above, sum);
        }
    }

    #[inline(always)]
    fn tip<V: Lanewise>(&mut self, with: V, index: u32, votes: &[(u32, f64)]) {
        let (edge, factors) = (&self.itinerary.edges[index as usize], self.itinerary.factors(index));
        let (order, n_outputs) = (self.itinerary.order, self.slots.n_outputs);
        let walk = &mut *self.walk;
        let (player, depth) = (edge.player as usize, walk.path.len());
        let old = walk.agree[player];
        let new = old & takers(self.yes, edge, self.first);
        for (output, vote) in votes {
            let tip = Tip {
                above: &walk.products[depth * order..][..order],
                below: &mut walk.below[(depth * n_outputs + *output as usize) * order..][..order],
                sum: &mut walk.sums[*output as usize * self.slots.len() + player],
            };
            with.tip(Histories { new, old }, &factors, edge.share, *vote, tip);
        }
    }

    #[inline(always)]
    fn leaf<V: Lanewise>(&mut self, with: V, votes: &[(u32, f64)]) {
        if self.walk.path.is_empty() {
            return;
        }
        let (order, n_outputs) = (self.itinerary.order, self.slots.n_outputs);
        let depth = self.walk.path.len();
        let products = &self.walk.products[depth * order..][..order];
        for (output, vote) in votes {
            let below = &mut self.walk.below[(depth * n_outputs + *output as usize) * order..][..order];
            with.vote(*vote, products, below);
        }
        if self.slots.target() == Target::Pairs {
            self.leaf_pairs(votes);
        }
    }

    /// `v ∫ (h_a − c_a) (h_b − c_b) Π_{j≠a,b} u_j dt` for every pair on the path.
    fn leaf_pairs(&mut self, votes: &[(u32, f64)]) {
        let order = self.itinerary.order;
        let products = &self.walk.products[self.walk.path.len() * order..][..order];
        let last = self.last_edges();
        for (at, a) in last.iter().enumerate() {
            for b in &last[at + 1..] {
                let Some(slot) = self.slots.pair(a.player.min(b.player), a.player.max(b.player)) else { continue };
                let mut integral = [0.0; LANES];
                for ((t, weight), product) in self.rule.points.iter().zip(&self.rule.weights).zip(products) {
                    let (g_a, g_b) = (self.gains(a, *t), self.gains(b, *t));
                    (0..LANES).for_each(|lane| integral[lane] += weight * product.0[lane] * g_a[lane] * g_b[lane]);
                }
                for (output, vote) in votes {
                    let sum = &mut self.walk.sums[*output as usize * self.slots.len() + slot as usize];
                    (0..LANES).for_each(|lane| sum.0[lane] += vote * integral[lane]);
                }
            }
        }
    }

    /// The last open edge of each player on the path.
    fn last_edges(&self) -> Vec<Edge> {
        let mut last: Vec<Edge> = Vec::new();
        for index in self.walk.path.iter().rev() {
            let edge = self.itinerary.edges[*index as usize];
            if last.iter().all(|other| other.player != edge.player) {
                last.push(edge);
            }
        }
        last
    }

    /// g of a player at the leaf, by row.
    fn gains(&self, edge: &Edge, t: f64) -> [f64; LANES] {
        let agree = self.walk.agree[edge.player as usize];
        let agreeing = (1.0 - edge.cover) / (t + edge.cover * (1.0 - t));
        std::array::from_fn(|lane| if agree >> lane & 1 == 1 { agreeing } else { -1.0 / (1.0 - t) })
    }
}

/// Rows of the eight that take the edge, one bit each.
#[inline(always)]
fn takers(yes: &[u64], edge: &Edge, first: usize) -> u8 {
    let flip = if edge.yes { 0 } else { u64::MAX };
    ((yes[edge.split as usize] ^ flip) >> first) as u8
}
