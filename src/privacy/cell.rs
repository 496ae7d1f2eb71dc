//! One cell of a table: its rows by kind, whether one of its counts is small, and how rows could be exchanged.

use super::Depth;

/// What the rows of a table are told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// True positives, false positives, true negatives, false negatives, rows without a label.
    Labelled,
    /// Decided positive, decided negative.
    Decided,
    /// For every class the rows rightly decided for it, then all others.
    Classes,
    /// Nothing.
    Rows,
}

/// Counts of one group; with row weights, scaled to the number of rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    pub kind: Kind,
    /// In the order that the kind says.
    pub rows: Vec<i64>,
    /// The depth from which it must be withheld because one of its counts is small.
    pub small: Option<Depth>,
}

/// A change of the rows of a cell, kind by kind.
pub type Exchange = Vec<i64>;

/// 1 to limit − 1: an empty cell gives nobody away.
pub fn is_small(count: i64, limit: u64) -> bool {
    count >= 1 && count < limit as i64
}

impl Cell {
    /// `also` is what other counts of the group ask for.
    pub fn new(kind: Kind, rows: Vec<i64>, also: Option<Depth>, limit: u64) -> Self {
        // Where outcomes cannot be exchanged by themselves, more is withheld.
        let also = also.map(|depth| match kind {
            Kind::Labelled => depth,
            Kind::Decided | Kind::Classes => depth.min(Depth::Decisions),
            Kind::Rows => Depth::Everything,
        });
        let small = [depth(kind, &rows, limit), also].into_iter().flatten().min();
        Self { kind, rows, small }
    }

    pub fn n(&self) -> i64 {
        self.rows.iter().sum()
    }

    /// Whether the cell could have these rows more (`sign` 1) or fewer (−1) without the log telling the difference.
    fn allows(&self, exchange: &Exchange, sign: i64, limit: u64) -> bool {
        let rows: Vec<i64> = self.rows.iter().zip(exchange).map(|(own, change)| own + sign * change).collect();
        rows.iter().all(|count| *count >= 0) && depth(self.kind, &rows, limit) == depth(self.kind, &self.rows, limit)
    }

    /// Exchanges that what is published above `depth` does not show.
    pub fn exchanges(&self, depth: Depth) -> Vec<Exchange> {
        let n_kinds = self.rows.len();
        let unit = |at: usize| (0..n_kinds).map(|i| i64::from(i == at)).collect::<Vec<_>>();
        let minus = |a: usize, b: usize| unit(a).iter().zip(unit(b)).map(|(a, b)| a - b).collect::<Vec<_>>();
        // Of several classes it is not known what the other rows were decided for.
        let kinds = if self.kind == Kind::Classes { n_kinds - 1 } else { n_kinds };
        let pairs = || (0..kinds).flat_map(|a| (0..kinds).map(move |b| (a, b))).filter(|(a, b)| a != b);
        match depth {
            Depth::Everything => {
                let moved = (0..kinds).flat_map(|at| [unit(at), unit(at).iter().map(|c| -c).collect()]);
                moved.chain(pairs().map(|(a, b)| minus(a, b))).collect()
            }
            Depth::Decisions => pairs().map(|(a, b)| minus(a, b)).collect(),
            // Decisions are published: a true positive may only have been a false one.
            Depth::Outcomes => match self.kind {
                Kind::Labelled => [(0, 1), (1, 0), (2, 3), (3, 2)].map(|(a, b)| minus(a, b)).into(),
                _ => Vec::new(),
            },
        }
    }
}

/// The depth from which a cell with these rows is withheld.
fn depth(kind: Kind, rows: &[i64], limit: u64) -> Option<Depth> {
    let small = |counts: &[i64]| counts.iter().any(|count| is_small(*count, limit));
    if small(&[rows.iter().sum()]) {
        return Some(Depth::Everything);
    }
    match (kind, rows) {
        (Kind::Labelled, [tp, fp, tn, fn_, _]) => {
            if small(&[tp + fp, tn + fn_]) {
                Some(Depth::Decisions)
            } else {
                small(&[*tp, *fp, *tn, *fn_, tp + fn_, fp + tn]).then_some(Depth::Outcomes)
            }
        }
        (Kind::Rows, _) => None,
        _ => small(rows).then_some(Depth::Decisions),
    }
}

/// The exchanges that lead to another table with the same totals and the same log.
///
/// `plus` (with the cell to be protected first) and `minus` are the corners of a hypercube: what the first gain the
/// others lose, so every sum along an edge stays as it is.
pub fn exchanges(plus: &[&Cell], minus: &[&Cell], depth: Depth, limit: u64) -> Vec<Exchange> {
    let Some(origin) = plus.first() else { return Vec::new() };
    let mut exchanges = origin.exchanges(depth);
    exchanges.retain(|exchange| {
        plus.iter().all(|cell| cell.allows(exchange, 1, limit))
            && minus.iter().all(|cell| cell.allows(exchange, -1, limit))
    });
    exchanges
}

/// Whether these exchanges leave no small count of the cell certain.
pub fn protect(origin: &Cell, exchanges: &[Exchange], depth: Depth, limit: u64) -> bool {
    let mut at_risk =
        (0..origin.rows.len()).filter(|at| is_small(origin.rows[*at], limit) && reached(origin, depth, *at));
    let size_is_open = depth != Depth::Everything || exchanges.iter().any(|exchange| exchange.iter().sum::<i64>() != 0);
    !exchanges.is_empty() && size_is_open && at_risk.all(|at| exchanges.iter().any(|exchange| exchange[at] != 0))
}

/// Whether any exchange at all speaks of this kind of row.
fn reached(origin: &Cell, depth: Depth, at: usize) -> bool {
    origin.exchanges(depth).iter().any(|exchange| exchange[at] != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(n: i64) -> Cell {
        Cell::new(Kind::Rows, vec![n], None, 5)
    }

    #[test]
    fn empty_cells_and_cells_at_the_limit_are_not_small() {
        assert_eq!([0, 1, 4, 5].map(|n| rows(n).small.is_some()), [false, true, true, false]);
    }

    fn protects(origin: &Cell, partner: &Cell, depth: Depth) -> bool {
        protect(origin, &exchanges(&[origin], &[partner], depth, 5), depth, 5)
    }

    #[test]
    fn a_partner_at_the_limit_does_not_protect_a_single_row() {
        // 1 + 5 = 6: the small one is 1 to 4 and the other at least 5, so the small one is 1.
        assert!(!protects(&rows(1), &rows(5), Depth::Everything));
        assert!(protects(&rows(1), &rows(6), Depth::Everything));
        assert!(protects(&rows(2), &rows(5), Depth::Everything), "it could be 1");
    }

    #[test]
    fn the_depth_is_that_of_the_shallowest_small_count() {
        let cell = |rows: [i64; 5]| Cell::new(Kind::Labelled, rows.into(), None, 5).small;
        assert_eq!(cell([50, 50, 50, 50, 0]), None);
        assert_eq!(cell([50, 3, 50, 50, 0]), Some(Depth::Outcomes));
        assert_eq!(cell([2, 1, 50, 50, 0]), Some(Depth::Decisions));
        assert_eq!(cell([1, 1, 1, 1, 0]), Some(Depth::Everything));
    }

    #[test]
    fn a_small_outcome_is_protected_by_a_partner_with_both_kinds_of_that_decision() {
        let cell = |tp, fp| Cell::new(Kind::Labelled, vec![tp, fp, 100, 100, 0], None, 5);
        assert!(protects(&cell(3, 20), &cell(20, 20), Depth::Outcomes));
        // One true positive cannot become fewer, and the other has no room to give one.
        assert!(!protects(&cell(1, 20), &cell(5, 20), Depth::Outcomes));
    }
}
