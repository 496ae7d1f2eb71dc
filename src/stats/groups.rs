//! Which rows belong to which group.
//!
//! A row carries one level code per column (attributes and strata). Rows with the same codes form a *cell*; every row
//! is in exactly one. Statistics are kept per cell only, because each group of each attribute (a single column, an
//! intersection, a binned number) is a union of cells.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Name of the level that stands for a missing value.
pub const UNKNOWN: &str = "(unknown)";
/// Groups of one attribute beyond which an audit by group says nothing.
pub const MAX_GROUPS: usize = 1_000;

/// Names behind the level codes: `levels[column][code]`.
///
/// Groups are listed in the order of these levels; [`UNKNOWN`] marks a missing value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupLevels {
    pub columns: Vec<String>,
    pub levels: Vec<Vec<String>>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GroupError {
    #[error("column {column} has {levels} levels, but a row carries the code {code}")]
    CodeOutOfRange { column: String, code: u32, levels: usize },
    #[error("column number {column} is not among the {columns} group columns")]
    NoSuchColumn { column: usize, columns: usize },
    #[error("{attribute} has {groups} groups, more than {MAX_GROUPS}; bin it or choose a coarser column")]
    TooManyGroups { attribute: String, groups: usize },
}

/// Distinct tuples of codes, numbered as they come.
#[derive(Debug, Clone, Default)]
pub struct Cells {
    ids: HashMap<Box<[u32]>, u32, BuildHasherDefault<MixHasher>>,
    codes: Vec<Box<[u32]>>,
}

impl Cells {
    pub fn len(&self) -> usize {
        self.codes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    /// The codes of a cell, one per column.
    pub fn codes(&self, cell: u32) -> &[u32] {
        &self.codes[cell as usize]
    }

    /// The cell of each row; `codes[column][row]`.
    pub fn intern(&mut self, codes: &[Vec<u32>], n_rows: usize) -> Vec<u32> {
        let mut tuple = vec![0; codes.len()];
        (0..n_rows)
            .map(|row| {
                tuple.iter_mut().zip(codes).for_each(|(code, column)| *code = column[row]);
                self.id(&tuple)
            })
            .collect()
    }

    /// Takes in the cells of `other`; returns the number here of each of its cells.
    pub fn absorb(&mut self, other: &Self) -> Vec<u32> {
        other.codes.iter().map(|codes| self.id(codes)).collect()
    }

    /// The same cells numbered in the order of their level names, whatever order they came in and however levels are
    /// coded. What is summed over cells in this order has the same digits for the same rows.
    pub fn in_name_order(&self, levels: &GroupLevels) -> Result<Self, GroupError> {
        let columns: Vec<usize> = (0..self.codes.first().map_or(0, |codes| codes.len())).collect();
        let mut named = (0..self.codes.len() as u32)
            .map(|cell| Ok((self.names(cell, &columns, levels)?, cell)))
            .collect::<Result<Vec<_>, GroupError>>()?;
        named.sort();
        let mut sorted = Self::default();
        named.iter().for_each(|&(_, cell)| {
            sorted.id(self.codes(cell));
        });
        Ok(sorted)
    }

    fn id(&mut self, codes: &[u32]) -> u32 {
        if let Some(&id) = self.ids.get(codes) {
            return id;
        }
        let id = self.codes.len() as u32;
        self.ids.insert(codes.into(), id);
        self.codes.push(codes.into());
        id
    }

    /// Level names of a cell over some columns.
    pub fn names<'a>(&self, cell: u32, columns: &[usize], levels: &'a GroupLevels) -> Result<Vec<&'a str>, GroupError> {
        columns.iter().map(|&column| level_name(levels, column, self.codes(cell).get(column).copied())).collect()
    }
}

fn level_name(levels: &GroupLevels, column: usize, code: Option<u32>) -> Result<&str, GroupError> {
    let no_column = GroupError::NoSuchColumn { column, columns: levels.columns.len() };
    let (Some(names), Some(code)) = (levels.levels.get(column), code) else { return Err(no_column) };
    names.get(code as usize).map(String::as_str).ok_or_else(|| GroupError::CodeOutOfRange {
        column: levels.columns.get(column).cloned().unwrap_or_default(),
        code,
        levels: names.len(),
    })
}

/// One group of an attribute: a union of cells, empty where a combination of levels has no rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Level names joined by commas: "Female,Black".
    pub name: String,
    /// Some part of the name is [`UNKNOWN`].
    pub unknown: bool,
    pub cells: Vec<u32>,
}

/// All groups of an attribute: the product of the levels observed in its columns, in level order.
///
/// Combinations without rows are named as well, except those with an unknown part, which come last.
pub fn groups(
    attribute: &str,
    columns: &[usize],
    cells: &Cells,
    levels: &GroupLevels,
) -> Result<Vec<Group>, GroupError> {
    let mut members: HashMap<Vec<u32>, Vec<u32>> = HashMap::new();
    let mut observed: Vec<Vec<bool>> =
        columns.iter().map(|&c| vec![false; levels.levels.get(c).map_or(0, Vec::len)]).collect();
    for cell in 0..cells.len() as u32 {
        cells.names(cell, columns, levels)?;
        let key: Vec<u32> = columns.iter().map(|&c| cells.codes(cell)[c]).collect();
        key.iter().zip(&mut observed).for_each(|(&code, seen)| seen[code as usize] = true);
        members.entry(key).or_default().push(cell);
    }
    let product: usize = observed.iter().map(|seen| seen.iter().filter(|&&s| s).count()).product();
    if product > MAX_GROUPS {
        return Err(GroupError::TooManyGroups { attribute: attribute.into(), groups: product });
    }
    let mut groups: Vec<Group> = combinations(&observed)
        .into_iter()
        .map(|key| {
            let names: Vec<&str> =
                key.iter().zip(columns).map(|(&code, &c)| levels.levels[c][code as usize].as_str()).collect();
            let unknown = names.contains(&UNKNOWN);
            Group { name: names.join(","), unknown, cells: members.remove(&key).unwrap_or_default() }
        })
        .filter(|group| !(group.unknown && group.cells.is_empty()))
        .collect();
    groups.sort_by_key(|group| group.unknown);
    Ok(groups)
}

/// The product of the observed codes, the last column running fastest.
fn combinations(observed: &[Vec<bool>]) -> Vec<Vec<u32>> {
    observed.iter().fold(vec![Vec::new()], |prefixes, seen| {
        let codes: Vec<u32> = (0..seen.len() as u32).filter(|&code| seen[code as usize]).collect();
        prefixes
            .iter()
            .flat_map(|prefix| codes.iter().map(move |&code| [prefix.as_slice(), &[code]].concat()))
            .collect()
    })
}

/// Multiplicative mixing of integers: the keys are not hostile, and hash order never reaches a result.
#[derive(Debug, Clone, Default)]
pub(crate) struct MixHasher(u64);

impl Hasher for MixHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..part.len()].copy_from_slice(part);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        let product = u128::from(self.0.rotate_left(23) ^ word ^ 0x9e37_79b9_7f4a_7c15) * 0xd6e8_feb8_6659_fd93;
        self.0 = (product as u64) ^ ((product >> 64) as u64);
    }

    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels() -> GroupLevels {
        GroupLevels {
            columns: vec!["sex".into(), "race".into()],
            levels: vec![
                vec!["Male".into(), "Female".into(), UNKNOWN.into()],
                vec!["White".into(), "Black".into(), "Never seen".into()],
            ],
        }
    }

    fn cells(rows: &[[u32; 2]]) -> (Cells, Vec<u32>) {
        let codes: Vec<Vec<u32>> = (0..2).map(|column| rows.iter().map(|row| row[column]).collect()).collect();
        let mut cells = Cells::default();
        let ids = cells.intern(&codes, rows.len());
        (cells, ids)
    }

    fn names(groups: &[Group]) -> Vec<&str> {
        groups.iter().map(|group| group.name.as_str()).collect()
    }

    #[test]
    fn rows_with_equal_codes_share_a_cell() {
        let (cells, ids) = cells(&[[0, 0], [1, 0], [0, 0], [1, 1]]);
        assert_eq!(ids, vec![0, 1, 0, 2]);
        assert_eq!(cells.codes(2), [1, 1]);
    }

    #[test]
    fn a_group_is_the_union_of_its_cells() {
        let (cells, _) = cells(&[[0, 0], [1, 0], [1, 1]]);
        let sex = groups("sex", &[0], &cells, &levels()).unwrap();
        assert_eq!(names(&sex), ["Male", "Female"]);
        assert_eq!(sex[1].cells, vec![1, 2]);
    }

    #[test]
    fn empty_intersections_are_named_and_unobserved_levels_are_not() {
        let (cells, _) = cells(&[[0, 0], [1, 1]]);
        let both = groups("sex,race", &[0, 1], &cells, &levels()).unwrap();
        assert_eq!(names(&both), ["Male,White", "Male,Black", "Female,White", "Female,Black"]);
        assert!(both[1].cells.is_empty());
    }

    #[test]
    fn unknown_groups_come_last_and_only_if_they_have_rows() {
        let (cells, _) = cells(&[[2, 0], [0, 0], [1, 1]]);
        let both = groups("sex,race", &[0, 1], &cells, &levels()).unwrap();
        assert_eq!(names(&both)[4..], ["(unknown),White"]);
        assert!(both[4].unknown);
    }

    #[test]
    fn absorbing_renumbers_the_other_cells() {
        let (mut one, _) = cells(&[[0, 0], [1, 1]]);
        let (two, _) = cells(&[[1, 1], [2, 0]]);
        assert_eq!(one.absorb(&two), vec![1, 2]);
        assert_eq!(one.len(), 3);
    }

    #[test]
    fn name_order_does_not_depend_on_the_order_of_rows() {
        let (forth, _) = cells(&[[0, 0], [1, 0], [1, 1]]);
        let (back, _) = cells(&[[1, 1], [1, 0], [0, 0]]);
        let codes = |cells: &Cells| {
            let sorted = cells.in_name_order(&levels()).unwrap();
            (0..3).map(|cell| sorted.codes(cell).to_vec()).collect::<Vec<_>>()
        };
        assert_eq!(codes(&forth), codes(&back));
        assert_eq!(codes(&forth)[0], [1, 1]);
    }

    #[test]
    fn a_code_without_a_name_is_an_error() {
        let (cells, _) = cells(&[[0, 9]]);
        let error = groups("race", &[1], &cells, &levels()).unwrap_err();
        assert_eq!(error, GroupError::CodeOutOfRange { column: "race".into(), code: 9, levels: 3 });
        assert!(matches!(groups("x", &[5], &cells, &levels()), Err(GroupError::NoSuchColumn { .. })));
    }

    #[test]
    fn too_many_groups_are_refused() {
        let n = MAX_GROUPS as u32 + 1;
        let mut cells = Cells::default();
        cells.intern(&[(0..n).collect()], n as usize);
        let levels = GroupLevels { columns: vec!["zip".into()], levels: vec![(0..n).map(|i| i.to_string()).collect()] };
        assert!(matches!(groups("zip", &[0], &cells, &levels), Err(GroupError::TooManyGroups { groups: 1001, .. })));
    }

    #[test]
    fn without_columns_all_rows_are_one_cell() {
        let mut cells = Cells::default();
        assert_eq!(cells.intern(&[], 3), vec![0, 0, 0]);
    }
}
