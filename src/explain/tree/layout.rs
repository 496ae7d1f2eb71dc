//! How a table's entries are laid out, and where their numbers are added in a row of sums.

use super::kernel::{LANES, Spread, WIDEST};
use super::pattern::{Target, pairs_of};
use super::slots::Slots;

/// How the entries of a group are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    pub kind: LayoutKind,
    /// Lines of an entry.
    pub width: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LayoutKind {
    /// All slots of one output, in order.
    Dense,
    /// One line with the group's few players; its last lane is always zero.
    Packed,
    /// The group's values, output by output.
    Scattered,
}

impl Layout {
    /// Of a group with `k` players in a tree that votes for `n_outputs`.
    ///
    /// Most groups have fewer players than a line has lanes: spreading one packed line over a row's sums costs less
    /// than reading several lines that are mostly zero.
    pub fn of(k: usize, n_outputs: usize, slots: &Slots) -> Self {
        let lines = slots.lines();
        if n_outputs != 1 || slots.target() == Target::Pairs || lines > WIDEST {
            let width = (n_outputs * slots.target().n_values(k)).div_ceil(LANES);
            return Self { kind: LayoutKind::Scattered, width };
        }
        if lines > 1 && k < LANES {
            return Self { kind: LayoutKind::Packed, width: 1 };
        }
        Self { kind: LayoutKind::Dense, width: lines }
    }
}

/// Where an entry's numbers are added in a row of sums.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Lanes {
    /// All slots of one output, in order.
    Dense { output: usize },
    /// Some slots of one output.
    Packed { output: usize, spread: Spread },
    /// Position of each number, output · padded slots + slot.
    Scattered(Vec<u32>),
}

impl Lanes {
    /// Of a group with `players`, ascending, in a tree that votes for `outputs`.
    pub fn new(layout: Layout, players: &[u32], outputs: &[u32], slots: &Slots) -> Self {
        match layout.kind {
            LayoutKind::Dense => Lanes::Dense { output: outputs[0] as usize },
            LayoutKind::Packed => Lanes::Packed { output: outputs[0] as usize, spread: Spread::over(players) },
            LayoutKind::Scattered => Lanes::Scattered(positions(players, outputs, slots)),
        }
    }

    /// Whether tables with these lanes and the `other`'s can be added in one go.
    pub fn alike(&self, other: &Self) -> bool {
        match (self, other) {
            (Lanes::Dense { output: a }, Lanes::Dense { output: b }) => a == b,
            (Lanes::Packed { output: a, .. }, Lanes::Packed { output: b, .. }) => a == b,
            _ => false,
        }
    }
}

fn positions(players: &[u32], outputs: &[u32], slots: &Slots) -> Vec<u32> {
    let of_group = slots_of(players, slots);
    let row = (slots.lines() * LANES) as u32;
    outputs.iter().flat_map(|output| of_group.iter().map(move |slot| output * row + slot)).collect()
}

/// Slot of each value of a game between `players`, ascending.
pub(super) fn slots_of(players: &[u32], slots: &Slots) -> Vec<u32> {
    let pairs = pairs_of(players.len()).filter(|_| slots.target() == Target::Pairs);
    // Two players of a group may share no path; their number is zero and may be added anywhere.
    let pair_slot = |(a, b): (usize, usize)| slots.pair(players[a], players[b]).unwrap_or(0);
    players.iter().copied().chain(pairs.map(pair_slot)).collect()
}
