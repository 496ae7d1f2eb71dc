//! Which group of an attribute each row is in.

use crate::fairness::AttributeSpec;
use crate::stats::GroupLevels;
use crate::stats::groups::UNKNOWN;
use std::collections::BTreeMap;

/// The name of a row's group, by the row's code of each group column; `None` where a part of it is unknown.
pub fn group_name(attribute: &AttributeSpec, levels: &GroupLevels, code: impl Fn(usize) -> u32) -> Option<String> {
    let level = |column: &usize| levels.levels[*column][code(*column) as usize].as_str();
    let parts: Vec<&str> = attribute.columns.iter().map(level).collect();
    (!parts.contains(&UNKNOWN)).then(|| parts.join(","))
}

/// [`group_name`] of `n_rows` rows, by `codes[column][row]`.
pub fn group_names(
    attribute: &AttributeSpec,
    levels: &GroupLevels,
    codes: &[Vec<u32>],
    n_rows: usize,
) -> Vec<Option<String>> {
    (0..n_rows).map(|row| group_name(attribute, levels, |column| codes[column][row])).collect()
}

/// A number for each name, from 0 in order of appearance.
pub fn numbered(names: &[Option<String>]) -> Vec<Option<u32>> {
    let mut numbers: BTreeMap<&str, u32> = BTreeMap::new();
    names
        .iter()
        .map(|name| {
            let next = numbers.len() as u32;
            name.as_deref().map(|name| *numbers.entry(name).or_insert(next))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_numbered_as_they_come_and_rows_of_unknown_parts_are_in_none() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let levels = vec![names(&["Male", "Female"]), names(&[UNKNOWN, "Black", "White"])];
        let levels = GroupLevels { columns: names(&["sex", "race"]), levels };
        let attribute = AttributeSpec { name: "sex,race".to_owned(), columns: vec![0, 1] };
        let codes = [vec![1, 0, 0, 1, 1], vec![2, 2, 0, 2, 1]];
        let found = group_names(&attribute, &levels, &codes, 5);
        let expected = [Some("Female,White"), Some("Male,White"), None, Some("Female,White"), Some("Female,Black")];
        assert_eq!(found.iter().map(Option::as_deref).collect::<Vec<_>>(), expected);
        assert_eq!(numbered(&found), [Some(0), Some(1), None, Some(0), Some(2)]);
    }
}
