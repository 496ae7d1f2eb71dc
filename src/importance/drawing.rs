//! A seeded sample of bounded size from rows that come in batches, whatever the rows are made of.
//!
//! The rows whose hash of (seed, position) is smallest are kept: all sets of rows are equally likely, and neither the
//! order of batches nor their sizes change which.

use crate::stats::random::Stream;

/// Rows in memory that can be drawn from.
pub(super) trait Rows {
    fn append(&mut self, more: Self);

    /// The rows at these positions, in this order.
    fn take(&self, rows: &[usize]) -> Self;
}

/// The rows at these positions of a row-major table of `n_rows`.
pub(super) fn pick<T: Copy>(table: &[T], n_rows: usize, rows: &[usize]) -> Vec<T> {
    let width = table.len() / n_rows.max(1);
    rows.iter().flat_map(|row| &table[row * width..(row + 1) * width]).copied().collect()
}

/// A sample on its way.
#[derive(Debug, Clone)]
pub(super) struct Drawing<R> {
    cap: usize,
    stream: Stream,
    n_total: u64,
    /// No row with a larger key can be among the kept.
    bound: u64,
    /// `(hash, position)` of the rows below.
    keys: Vec<(u64, u64)>,
    rows: Option<R>,
}

impl<R: Rows> Drawing<R> {
    /// Keeps at most `cap` rows (at least one).
    pub fn new(cap: usize, stream: Stream) -> Self {
        Self { cap: cap.max(1), stream, n_total: 0, bound: u64::MAX, keys: Vec::new(), rows: None }
    }

    /// Of the rows of a batch whose first stands at `first_row` of the data, those to be passed to [`Drawing::append`].
    pub fn choose(&mut self, first_row: u64, rows: impl Iterator<Item = usize>) -> Vec<usize> {
        let mut chosen = Vec::new();
        for row in rows {
            self.n_total += 1;
            let position = first_row + row as u64;
            let key = self.stream.at(position);
            if key <= self.bound {
                self.keys.push((key, position));
                chosen.push(row);
            }
        }
        chosen
    }

    /// Adds chosen rows.
    pub fn append(&mut self, more: R) {
        match &mut self.rows {
            Some(rows) => rows.append(more),
            None => self.rows = Some(more),
        }
        if self.keys.len() > 2 * self.cap {
            self.prune();
        }
    }

    /// Adds the rows of another drawing with the same cap and stream.
    pub fn merge(&mut self, other: Self) {
        self.n_total += other.n_total;
        self.bound = self.bound.min(other.bound);
        self.keys.extend(other.keys);
        if let Some(rows) = other.rows {
            self.append(rows);
        }
    }

    /// The sample in data order and the number of rows it was drawn from; `None` without rows.
    pub fn finish(mut self) -> Option<(R, u64)> {
        self.prune();
        let mut order: Vec<usize> = (0..self.keys.len()).collect();
        order.sort_by_key(|at| self.keys[*at].1);
        let rows = self.rows.filter(|_| !order.is_empty())?;
        Some((rows.take(&order), self.n_total))
    }

    fn prune(&mut self) {
        let Some(rows) = self.rows.as_mut().filter(|_| self.keys.len() > self.cap) else { return };
        let mut order: Vec<usize> = (0..self.keys.len()).collect();
        order.select_nth_unstable_by_key(self.cap - 1, |at| self.keys[*at]);
        order.truncate(self.cap);
        self.bound = order.iter().map(|at| self.keys[*at].0).max().unwrap_or(u64::MAX);
        *rows = rows.take(&order);
        self.keys = order.iter().map(|at| self.keys[*at]).collect();
    }
}
