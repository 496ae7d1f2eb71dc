//! The inner loops of the quadrature over its points, eight rows side by side.

use super::kernel::{LANES, Line};

/// Work on lanes, compiled once for each kind of registers.
pub(super) trait Vectorised {
    /// To be marked `#[inline(always)]`, as all it calls.
    fn run<V: Lanewise>(self, with: V);
}

/// What a row's history makes of an edge: one number for rows that agree (bit set in `new`), one for those that agreed
/// before (bit set in `old` only), one for the rest.
#[derive(Debug, Clone, Copy)]
pub(super) struct Histories {
    pub new: u8,
    pub old: u8,
}

/// What an edge does at each point: to rows that still agree with the player's tests (`agree`), and to those that
/// agreed before it only (`leave`).
#[derive(Debug, Clone, Copy)]
pub(super) struct EdgeFactors<'a> {
    /// u_new / u_old.
    pub ratio_agree: &'a [f64],
    pub ratio_leave: &'a [f64],
    /// The weighted g_new − g_old.
    pub gain_agree: &'a [f64],
    pub gain_leave: &'a [f64],
}

/// Where an edge to a leaf reads and adds.
pub(super) struct Tip<'a> {
    pub above: &'a [Line],
    pub below: &'a mut [Line],
    pub sum: &'a mut Line,
}

/// The loops of `walk` over points, eight rows side by side.
pub(super) trait Lanewise: Copy {
    /// `below[q] = above[q] · (agree[q] | leave[q] | gone)`.
    fn descend(self, rows: Histories, factors: &EdgeFactors, gone: f64, above: &[Line], below: &mut [Line]);

    /// `above[q] += below[q]` and, one point after the other, `sum += below[q] · (agree[q] | leave[q] | 0)`.
    fn ascend(self, rows: Histories, factors: &EdgeFactors, below: &[Line], above: &mut [Line], sum: &mut Line);

    /// An edge to a leaf at once: `e = above[q] · (ratio) · vote`, `below[q] += e`, `sum += e · (gain)`.
    fn tip(self, rows: Histories, factors: &EdgeFactors, gone: f64, vote: f64, at: Tip);

    /// `below[q] += products[q] · vote`.
    fn vote(self, vote: f64, products: &[Line], below: &mut [Line]);
}

/// [`Lanewise`] without intrinsics.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plain;

impl Plain {
    #[inline(always)]
    fn choose(rows: Histories, lane: usize, agree: f64, leave: f64, gone: f64) -> f64 {
        let before = if rows.old >> lane & 1 == 1 { leave } else { gone };
        if rows.new >> lane & 1 == 1 { agree } else { before }
    }
}

impl Lanewise for Plain {
    #[inline(always)]
    fn descend(self, rows: Histories, factors: &EdgeFactors, gone: f64, above: &[Line], below: &mut [Line]) {
        let factors = factors.ratio_agree.iter().zip(factors.ratio_leave);
        for ((below, above), (agree, leave)) in below.iter_mut().zip(above).zip(factors) {
            for lane in 0..LANES {
                below.0[lane] = above.0[lane] * Self::choose(rows, lane, *agree, *leave, gone);
            }
        }
    }

    #[inline(always)]
    fn ascend(self, rows: Histories, factors: &EdgeFactors, below: &[Line], above: &mut [Line], sum: &mut Line) {
        let factors = factors.gain_agree.iter().zip(factors.gain_leave);
        for ((above, below), (agree, leave)) in above.iter_mut().zip(below).zip(factors) {
            for lane in 0..LANES {
                above.0[lane] += below.0[lane];
                sum.0[lane] += below.0[lane] * Self::choose(rows, lane, *agree, *leave, 0.0);
            }
        }
    }

    #[inline(always)]
    fn tip(self, rows: Histories, factors: &EdgeFactors, gone: f64, vote: f64, at: Tip) {
        for (q, (below, above)) in at.below.iter_mut().zip(at.above).enumerate() {
            let (ratio_agree, ratio_leave) = (factors.ratio_agree[q], factors.ratio_leave[q]);
            let (gain_agree, gain_leave) = (factors.gain_agree[q], factors.gain_leave[q]);
            for lane in 0..LANES {
                let e = above.0[lane] * Self::choose(rows, lane, ratio_agree, ratio_leave, gone) * vote;
                below.0[lane] += e;
                at.sum.0[lane] += e * Self::choose(rows, lane, gain_agree, gain_leave, 0.0);
            }
        }
    }

    #[inline(always)]
    fn vote(self, vote: f64, products: &[Line], below: &mut [Line]) {
        for (below, product) in below.iter_mut().zip(products) {
            (0..LANES).for_each(|lane| below.0[lane] += product.0[lane] * vote);
        }
    }
}
