//! Row ids that stand for more than one row.

use super::batch::RowIds;
use super::error::DataError;
use super::reader::{Reader, Selection};
use super::source::Source;
use rayon::prelude::*;
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Hashes held at a time, 64 MB: the ids of more rows are gone through several times.
const MOST: u64 = 1 << 23;
/// Rows read at a time.
const BATCH_ROWS: usize = 1 << 16;

/// Refuses ids of the rows that pass the filter, `n_rows` of them, where one names two rows. Ids in ascending order cost
/// no memory, others 8 bytes a row up to a bound.
///
/// # Errors
/// An id that stands twice, or ids that cannot be read.
pub fn check_ids(source: &Source, selection: &Selection, n_rows: u64) -> Result<(), DataError> {
    check(source, selection, n_rows.div_ceil(MOST))
}

/// Goes through the ids once for each of `n_parts` parts of the hashes.
fn check(source: &Source, selection: &Selection, n_parts: u64) -> Result<(), DataError> {
    let Some(column) = &selection.id else { return Ok(()) };
    let only = Selection { id: Some(column.clone()), filter: selection.filter.clone(), ..Selection::default() };
    let ids = Ids { source, column, only };
    if ids.ascend()? {
        return Ok(());
    }
    (0..n_parts).try_for_each(|part| ids.refuse(&ids.shared(|hash| hash % n_parts == part)?))
}

struct Ids<'a> {
    source: &'a Source,
    column: &'a str,
    only: Selection,
}

impl Ids<'_> {
    fn read(&self) -> Result<Reader<'_>, DataError> {
        Reader::start(self.source, &self.only, BATCH_ROWS)
    }

    /// Whether every id is greater than the one before it, as those of most tables are.
    fn ascend(&self) -> Result<bool, DataError> {
        let (mut number, mut text) = (None, None);
        for batch in self.read()? {
            let ascend = match &batch?.ids {
                RowIds::Int(ids) => ascend(&mut number, ids),
                RowIds::Text(ids) => ascend(&mut text, ids),
            };
            if !ascend {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Hashes that several rows have, of those that `counts`.
    fn shared(&self, counts: impl Fn(u64) -> bool) -> Result<HashSet<u64>, DataError> {
        let mut all = Vec::new();
        for batch in self.read()? {
            all.extend(hashes(&batch?.ids).into_iter().filter(|hash| counts(*hash)));
        }
        all.par_sort_unstable();
        Ok(all.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect())
    }

    /// Names the first id with one of these hashes that stands twice: different ids may share a hash.
    fn refuse(&self, shared: &HashSet<u64>) -> Result<(), DataError> {
        if shared.is_empty() {
            return Ok(());
        }
        let mut seen: HashMap<String, u64> = HashMap::new();
        for batch in self.read()? {
            let batch = batch?;
            let suspects = hashes(&batch.ids).into_iter().enumerate().filter(|(_, hash)| shared.contains(hash));
            for (at, _) in suspects {
                let (id, row) = (batch.ids.text(at), batch.first_row + at as u64);
                if let Some(first) = seen.insert(id.clone(), row) {
                    let (path, column) = (self.source.path.clone(), self.column.to_owned());
                    return Err(DataError::SameId { path, column, id, rows: [first, row] });
                }
            }
        }
        Ok(())
    }
}

fn ascend<T: PartialOrd + Clone>(last: &mut Option<T>, ids: &[T]) -> bool {
    let ascend = last.iter().chain(ids).is_sorted_by(|a, b| a < b);
    *last = ids.last().cloned().or(last.take());
    ascend
}

fn hashes(ids: &RowIds) -> Vec<u64> {
    match ids {
        RowIds::Int(ids) => ids.iter().map(hash).collect(),
        RowIds::Text(ids) => ids.iter().map(hash).collect(),
    }
}

fn hash(id: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said of these ids, gone through in so many parts.
    fn said(ids: &[String], filter: Option<&str>, n_parts: u64) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.csv");
        let rows: String = ids.iter().enumerate().map(|(row, id)| format!("{id},{row}\n")).collect();
        std::fs::write(&path, format!("id,row\n{rows}")).unwrap();
        let selection = Selection { id: Some("id".into()), filter: filter.map(str::to_owned), ..Selection::default() };
        check(&Source::open(&path).unwrap(), &selection, n_parts).err().map(|error| error.to_string())
    }

    #[test]
    fn ids_that_stand_once_pass_in_any_order_and_any_number_of_parts() {
        let shuffled = |row: usize| row * 7_919 % 70_001;
        let orders: [fn(usize) -> usize; 2] = [|row| row, |row| row * 7_919 % 70_001];
        assert_eq!((0..70_001).map(shuffled).collect::<HashSet<_>>().len(), 70_001);
        for order in orders {
            for prefix in ["", "person-"] {
                let ids: Vec<String> = (0..70_001).map(|row| format!("{prefix}{}", order(row))).collect();
                for n_parts in [1, 3] {
                    assert_eq!(said(&ids, None, n_parts), None, "{prefix}, {n_parts} parts");
                }
            }
        }
    }

    #[test]
    fn an_id_that_stands_twice_is_named_with_both_rows_however_far_apart() {
        for prefix in ["", "person-"] {
            let mut ids: Vec<String> = (0..70_000).map(|row| format!("{prefix}{}", row + 100_000)).collect();
            ids[69_999] = ids[5].clone();
            for n_parts in [1, 2, 5] {
                let said = said(&ids, None, n_parts).unwrap();
                let expected = format!("rows.csv: `{prefix}100005` in column `id` stands for row 5 and for row 69999");
                assert!(said.contains(&expected), "{said}");
            }
        }
    }

    #[test]
    fn rows_that_the_filter_leaves_out_may_share_an_id() {
        let ids = ["1", "2", "2", "3"].map(str::to_owned);
        assert_eq!(said(&ids, Some("row <> 1"), 1), None);
        assert!(said(&ids, Some("row > 0"), 1).unwrap().contains("`2` in column `id` stands for row 0 and for row 1"));
    }

    #[test]
    fn only_equal_ids_are_refused_though_hashes_be_shared() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.csv");
        std::fs::write(&path, "id\n3\n1\n2\n").unwrap();
        let source = Source::open(&path).unwrap();
        let only = Selection { id: Some("id".into()), ..Selection::default() };
        let ids = Ids { source: &source, column: "id", only };
        assert!(ids.refuse(&[1_i64, 2, 3].iter().map(hash).collect()).is_ok());
    }
}
