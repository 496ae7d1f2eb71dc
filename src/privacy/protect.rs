//! Which cells are withheld beside the small ones.
//!
//! A small cell stays a secret if some hypercube of withheld cells has it as a corner and rows can be exchanged between
//! its corners: all sums over any column of the table stay as they are. What changes a cell of a coarser table ("race")
//! must have room in every finer one ("sex,race"): there, the same hypercube is withheld at one value of the further
//! columns. Where no hypercube is found, the whole table is withheld.

use super::cell::{self, Cell, Exchange};
use super::tables::Table;
use super::{Depth, Why, Withheld};
use std::collections::{BTreeMap, BTreeSet};

/// Most hypercubes looked at for one table; beyond that it is withheld as a whole.
const MOST_CANDIDATES: usize = 300_000;

type Levels = Vec<String>;

/// Corners of a hypercube: those that gain rows (the origin first) and those that lose them.
struct Corners<'a> {
    plus: Vec<&'a Levels>,
    minus: Vec<&'a Levels>,
}

/// A hypercube, and the exchanges between its corners that nothing published tells apart.
type Protection<'a> = (Corners<'a>, Vec<Exchange>);

impl<'a> Corners<'a> {
    fn all(&self) -> impl Iterator<Item = &'a Levels> + '_ {
        self.plus.iter().chain(&self.minus).copied()
    }
}

/// Everything that must be withheld of these tables.
pub fn protect(tables: &[Table], limit: u64) -> Withheld {
    let mut protecting = Protecting { tables, limit, withheld: Withheld::default() };
    for depth in [Depth::Everything, Depth::Decisions, Depth::Outcomes] {
        for table in tables {
            protecting.table(table, depth);
        }
    }
    protecting.withheld
}

struct Protecting<'a> {
    tables: &'a [Table],
    limit: u64,
    withheld: Withheld,
}

impl<'a> Protecting<'a> {
    fn table(&mut self, table: &'a Table, depth: Depth) {
        let small: Vec<&Levels> =
            table.cells.iter().filter(|(_, cell)| cell.small == Some(depth)).map(|(levels, _)| levels).collect();
        if small.is_empty() {
            return;
        }
        for levels in &small {
            self.withheld.add(&table.attribute, &table.group(levels), depth, Why::Primary);
        }
        // Groups of whatever kind add up to all rows.
        if table.columns.is_empty() {
            return self.tables.iter().for_each(|table| self.whole(table, depth));
        }
        if table.opaque || small.len().saturating_mul(n_opposite(table)) > MOST_CANDIDATES {
            return self.whole_with_finer(table, depth);
        }
        for origin in small {
            match self.hypercube(table, origin, depth) {
                Some((corners, exchanges)) => self.corners(table, &corners, exchanges, depth),
                None => return self.whole_with_finer(table, depth),
            }
        }
    }

    fn is_hidden(&self, table: &Table, levels: &Levels, depth: Depth) -> bool {
        self.withheld.hides(&table.attribute, &table.group(levels), depth)
    }

    /// The hypercube that protects the origin and costs the fewest rows beyond what is withheld already.
    fn hypercube(&self, table: &'a Table, origin: &'a Levels, depth: Depth) -> Option<Protection<'a>> {
        let candidates = table.cells.keys().filter(|opposite| opposite.iter().zip(origin).all(|(a, b)| a != b));
        let protecting = candidates.filter_map(|opposite| {
            let corners = corners(table, origin, opposite)?;
            let exchanges = self.exchanges(table, &corners, depth);
            cell::protect(&table.cells[origin], &exchanges, depth, self.limit).then_some((corners, exchanges))
        });
        protecting.min_by_key(|(corners, _)| self.cost(table, corners, depth))
    }

    fn exchanges(&self, table: &Table, corners: &Corners, depth: Depth) -> Vec<Exchange> {
        let cells = |levels: &[&Levels]| levels.iter().map(|levels| &table.cells[*levels]).collect::<Vec<&Cell>>();
        cell::exchanges(&cells(&corners.plus), &cells(&corners.minus), depth, self.limit)
    }

    fn cost(&self, table: &Table, corners: &Corners, depth: Depth) -> i64 {
        let new = corners.all().filter(|levels| !self.is_hidden(table, levels, depth));
        new.map(|levels| table.cells[levels].n().max(1)).sum()
    }

    /// Withholds the corners, here and in every finer table. The same exchange must be possible in all of them.
    fn corners(&mut self, table: &'a Table, corners: &Corners<'a>, mut exchanges: Vec<Exchange>, depth: Depth) {
        for levels in corners.all() {
            self.withheld.add(&table.attribute, &table.group(levels), depth, why(&table.cells[levels], depth));
        }
        for finer in self.tables.iter().filter(|finer| is_finer(finer, table)) {
            match self.lifted(finer, table, corners, &exchanges, depth) {
                Some((lifted, common)) => {
                    for levels in lifted.all() {
                        let why = why(&finer.cells[levels], depth);
                        self.withheld.add(&finer.attribute, &finer.group(levels), depth, why);
                    }
                    exchanges = common;
                }
                None => self.whole(finer, depth),
            }
        }
    }

    /// The hypercube in a finer table, at the values of the further columns where it costs least.
    fn lifted(
        &self,
        finer: &'a Table,
        table: &Table,
        corners: &Corners,
        exchanges: &[Exchange],
        depth: Depth,
    ) -> Option<Protection<'a>> {
        if finer.opaque {
            return None;
        }
        let at: Vec<usize> =
            table.columns.iter().filter_map(|column| finer.columns.iter().position(|c| c == column)).collect();
        let mut by_rest: BTreeMap<Levels, BTreeMap<Levels, &'a Levels>> = BTreeMap::new();
        for levels in finer.cells.keys() {
            let own: Levels = at.iter().map(|i| levels[*i].clone()).collect();
            let rest = levels.iter().enumerate().filter(|(i, _)| !at.contains(i)).map(|(_, level)| level.clone());
            by_rest.entry(rest.collect()).or_default().insert(own, levels);
        }
        let lift = |cells: &BTreeMap<Levels, &'a Levels>, of: &[&Levels]| -> Option<Vec<&'a Levels>> {
            of.iter().map(|levels| cells.get(*levels).copied()).collect()
        };
        let origin = &table.cells[*corners.plus.first()?];
        let lifted = by_rest.values().filter_map(|cells| {
            let corners = Corners { plus: lift(cells, &corners.plus)?, minus: lift(cells, &corners.minus)? };
            let mut common = self.exchanges(finer, &corners, depth);
            common.retain(|exchange| exchanges.contains(exchange));
            cell::protect(origin, &common, depth, self.limit).then_some((corners, common))
        });
        lifted.min_by_key(|(corners, _)| self.cost(finer, corners, depth))
    }

    /// A table whose cells cannot be protected one by one.
    fn whole(&mut self, table: &Table, depth: Depth) {
        for (levels, cell) in &table.cells {
            let why = why(cell, depth);
            self.withheld.add(&table.attribute, &table.group(levels), depth, why);
        }
    }

    /// Finer tables add up to this one.
    fn whole_with_finer(&mut self, table: &Table, depth: Depth) {
        self.whole(table, depth);
        self.tables.iter().filter(|finer| is_finer(finer, table)).for_each(|finer| self.whole(finer, depth));
    }
}

fn why(cell: &Cell, depth: Depth) -> Why {
    if cell.small.is_some_and(|small| small <= depth) { Why::Primary } else { Why::Complementary }
}

/// Whether the cells of one table add up to those of the other.
fn is_finer(finer: &Table, table: &Table) -> bool {
    finer.columns.len() > table.columns.len() && table.columns.iter().all(|column| finer.has_column(column))
}

/// Cells that differ from any one cell in every column, at most.
fn n_opposite(table: &Table) -> usize {
    let distinct =
        |column: usize| table.cells.keys().map(|levels| &levels[column]).collect::<BTreeSet<_>>().len().max(1) - 1;
    (0..table.columns.len()).map(distinct).product()
}

/// The corners of the hypercube between two opposite cells; `None` where one of them is not in the table.
fn corners<'a>(table: &'a Table, origin: &Levels, opposite: &Levels) -> Option<Corners<'a>> {
    let mut corners = Corners { plus: Vec::new(), minus: Vec::new() };
    for mask in 0..1u32 << origin.len() {
        let levels: Levels = (0..origin.len())
            .map(|column| if mask >> column & 1 == 1 { &opposite[column] } else { &origin[column] }.clone())
            .collect();
        let (levels, _) = table.cells.get_key_value(&levels)?;
        if mask.count_ones() % 2 == 0 { corners.plus.push(levels) } else { corners.minus.push(levels) }
    }
    Some(corners)
}
