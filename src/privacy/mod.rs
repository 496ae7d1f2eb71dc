//! Small cells: what of an audit may be published, and what must be withheld so that no small cell can be worked out.
//!
//! With `[privacy] suppress_below = k`, every count of 1 to k − 1 rows is withheld (*primary*), and with it everything
//! from which it could be computed: rates, intervals, curves, comparisons, and further cells of the same tables, whose
//! differences to totals would give it away (*complementary*).
//!
//! ```text
//! Audit → tables: one per attribute, cells with their counts     (tables, cell)
//!       → which cells are withheld, to what depth, and why        (protect)
//!       → the audit without them, and a log                       (apply, curves)
//!       → what later runs may repeat of it                        (night)
//! ```
//!
//! A complementary cell is chosen so that there is *another table*, equal in everything published and in the log, in
//! which the withheld count is different: rows are exchanged between the corners of a rectangle (a hypercube, in
//! general) of withheld cells, which leaves every total as it is. This is the hypercube method (Giessing, Repsilber
//! 2002), with every alternative checked against what the log says. The stored audit keeps its numbers: they are the
//! auditor's. Reports are drawn from [`published`] alone.

mod apply;
mod cell;
mod curves;
mod layers;
mod night;
mod pictures;
mod protect;
mod reasons;
mod tables;

pub use night::night;

use crate::audit::Audit;
use serde::Serialize;
use std::collections::BTreeMap;

/// Stands as the reason where a value is withheld.
pub const WITHHELD: &str = "withheld to protect small groups";

/// An audit as it may be shown, and what was left out of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Published {
    pub audit: Audit,
    pub log: Vec<Entry>,
}

/// What of a cell is withheld, from the most to the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Depth {
    /// Everything, the number of rows included.
    Everything,
    /// Decisions, and all that depends on labels.
    Decisions,
    /// What depends on labels: confusion counts, error rates, curves.
    Outcomes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Why {
    /// One of its counts is below the limit.
    Primary,
    /// A small cell could be worked out from it.
    Complementary,
}

/// One line of the log; it never says how large anything is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// "sex", "sex,race"; "" = all rows.
    pub attribute: String,
    /// "" where the line is not about one group.
    pub group: String,
    /// "everything", "decisions and outcomes", "outcomes", or what else was left out.
    pub what: String,
    pub why: Why,
}

impl Entry {
    /// Not about one group.
    fn of(attribute: &str, what: impl Into<String>, why: Why) -> Self {
        Self { attribute: attribute.to_owned(), group: String::new(), what: what.into(), why }
    }
}

/// Cells that are withheld, each to its depth.
#[derive(Debug, Clone, Default, PartialEq)]
struct Withheld {
    cells: BTreeMap<(String, String), (Depth, Why)>,
}

/// The audit without what `[privacy] suppress_below` withholds; the audit itself where nothing is to be withheld.
pub fn published(audit: &Audit) -> Published {
    let limit = audit.scope.privacy.suppress_below;
    if limit <= 1 {
        return Published { audit: audit.clone(), log: Vec::new() };
    }
    let tables = tables::tables(audit, limit);
    let withheld = protect::protect(&tables, limit);
    apply::without(audit, &withheld, limit)
}

impl Depth {
    fn name(self) -> &'static str {
        match self {
            Depth::Everything => "everything",
            Depth::Decisions => "decisions and outcomes",
            Depth::Outcomes => "outcomes",
        }
    }
}

impl Withheld {
    /// Withholds a cell, at least to this depth; a primary reason is not forgotten.
    fn add(&mut self, attribute: &str, group: &str, depth: Depth, why: Why) {
        let entry = self.cells.entry((attribute.to_owned(), group.to_owned())).or_insert((depth, why));
        if depth < entry.0 {
            *entry = (depth, why);
        } else if depth == entry.0 {
            entry.1 = entry.1.min(why);
        }
    }

    /// Whether what lies at this depth of the cell is withheld.
    fn hides(&self, attribute: &str, group: &str, depth: Depth) -> bool {
        self.cells.get(&(attribute.to_owned(), group.to_owned())).is_some_and(|(from, _)| *from <= depth)
    }

    /// Whether it is withheld for any group of the attribute.
    fn hides_any(&self, attribute: &str, depth: Depth) -> bool {
        self.cells.iter().any(|((of, _), (from, _))| of == attribute && *from <= depth)
    }
}
