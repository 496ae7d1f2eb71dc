//! Which unions of cells are measured: the whole, every group, all others than the reference, and all that again
//! within each stratum.

use super::{FairnessError, Spec};
use crate::audit::AttributeScope;
use crate::stats::groups::{Group, groups};
use crate::stats::{Cells, GroupLevels};
use std::collections::{BTreeMap, BTreeSet};

/// Name of the union of all known groups but the reference.
pub const OTHERS: &str = "(others)";

/// One union of cells.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Slot {
    /// "" for the whole.
    pub attribute: String,
    pub group: String,
    pub stratum: String,
    pub unknown: bool,
    pub cells: Vec<u32>,
}

/// The slots of one attribute within one stratum.
#[derive(Debug, Clone, PartialEq)]
pub struct Scope {
    pub attribute: String,
    pub stratum: String,
    /// All groups, unknown ones last.
    pub groups: Vec<usize>,
    pub reference: usize,
    pub others: usize,
}

/// All slots of an audit.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Layout {
    pub slots: Vec<Slot>,
    pub scopes: Vec<Scope>,
    pub attributes: Vec<AttributeScope>,
    /// Level names of every cell: a key that does not depend on how codes were given out.
    pub cell_names: Vec<String>,
}

/// A stratum's name with the cells in it (`None`: all).
type Stratum = (String, Option<BTreeSet<u32>>);

impl Layout {
    /// `rows[cell]` is the number of rows.
    pub fn new(spec: &Spec, cells: &Cells, levels: &GroupLevels, rows: &[u64]) -> Result<Self, FairnessError> {
        if rows.iter().sum::<u64>() == 0 {
            return Err(FairnessError::NoRows);
        }
        let all_columns: Vec<usize> = (0..levels.columns.len()).collect();
        let cell_names = (0..cells.len() as u32)
            .map(|cell| Ok(cells.names(cell, &all_columns, levels)?.join("\u{1f}")))
            .collect::<Result<_, FairnessError>>()?;
        let mut layout = Self { cell_names, ..Self::default() };
        let strata = strata(spec, cells, levels)?;
        for (stratum, members) in &strata {
            let all = (0..cells.len() as u32).collect();
            let slot = Slot { stratum: stratum.clone(), cells: restrict(all, members), ..Slot::default() };
            layout.slots.push(slot);
        }
        for attribute in &spec.attributes {
            let groups = groups(&attribute.name, &attribute.columns, cells, levels)?;
            let scope = attribute_scope(spec, &attribute.name, &groups, rows)?;
            for stratum in &strata {
                layout.add_scope(&scope, &groups, stratum);
            }
            layout.attributes.push(scope);
        }
        Ok(layout)
    }

    fn add_scope(&mut self, scope: &AttributeScope, groups: &[Group], (stratum, members): &Stratum) {
        let slot = |name: &str, unknown: bool, cells: Vec<u32>| Slot {
            attribute: scope.attribute.clone(),
            group: name.into(),
            stratum: stratum.clone(),
            unknown,
            cells: restrict(cells, members),
        };
        let first = self.slots.len();
        self.slots.extend(groups.iter().map(|group| slot(&group.name, group.unknown, group.cells.clone())));
        let is_other = |group: &&Group| !group.unknown && group.name != scope.reference;
        let others = groups.iter().filter(is_other).flat_map(|group| group.cells.iter().copied()).collect();
        let reference = groups.iter().position(|group| group.name == scope.reference).unwrap_or(0);
        self.scopes.push(Scope {
            attribute: scope.attribute.clone(),
            stratum: stratum.clone(),
            groups: (first..self.slots.len()).collect(),
            reference: first + reference,
            others: self.slots.len(),
        });
        self.slots.push(slot(OTHERS, false, others));
    }

    /// Groups of a scope whose level is known: those that are compared.
    pub fn known<'a>(&'a self, scope: &'a Scope) -> impl Iterator<Item = usize> + Clone + 'a {
        scope.groups.iter().copied().filter(|&slot| !self.slots[slot].unknown)
    }

    /// The slots that each cell belongs to.
    pub fn slots_of_cells(&self) -> Vec<Vec<u32>> {
        let mut slots = vec![Vec::new(); self.cell_names.len()];
        for (i, slot) in self.slots.iter().enumerate() {
            slot.cells.iter().for_each(|&cell| slots[cell as usize].push(i as u32));
        }
        slots
    }
}

fn restrict(cells: Vec<u32>, members: &Option<BTreeSet<u32>>) -> Vec<u32> {
    match members {
        Some(members) => cells.into_iter().filter(|cell| members.contains(cell)).collect(),
        None => cells,
    }
}

/// The whole, then each observed combination of the strata's levels.
fn strata(spec: &Spec, cells: &Cells, levels: &GroupLevels) -> Result<Vec<Stratum>, FairnessError> {
    let mut strata: Vec<Stratum> = vec![(String::new(), None)];
    if !spec.strata.is_empty() {
        let observed = groups("strata", &spec.strata, cells, levels)?;
        let filled = observed.into_iter().filter(|group| !group.cells.is_empty());
        strata.extend(filled.map(|group| (group.name, Some(group.cells.into_iter().collect()))));
    }
    Ok(strata)
}

fn attribute_scope(
    spec: &Spec,
    attribute: &str,
    groups: &[Group],
    rows: &[u64],
) -> Result<AttributeScope, FairnessError> {
    let size = |group: &Group| group.cells.iter().map(|&cell| rows[cell as usize]).sum::<u64>();
    let sizes: BTreeMap<&str, u64> = groups.iter().map(|group| (group.name.as_str(), size(group))).collect();
    let known: Vec<&Group> = groups.iter().filter(|g| !g.unknown && sizes[g.name.as_str()] > 0).collect();
    match known.as_slice() {
        [] => return Err(FairnessError::NoKnownGroup { attribute: attribute.into() }),
        [only] => return Err(FairnessError::OneGroup { attribute: attribute.into(), group: only.name.clone() }),
        _ => {}
    }
    let (reference, rule) = match spec.reference.get(attribute) {
        Some(name) if known.iter().any(|group| &group.name == name) => (name.clone(), "configured"),
        Some(name) => {
            return Err(FairnessError::UnknownReference {
                attribute: attribute.into(),
                reference: name.clone(),
                groups: known.iter().map(|group| group.name.clone()).collect(),
            });
        }
        None => (largest(&known, &sizes), "largest group"),
    };
    Ok(AttributeScope {
        attribute: attribute.into(),
        reference,
        reference_rule: rule.into(),
        n_unknown: Some(groups.iter().filter(|group| group.unknown).map(size).sum()),
    })
}

/// The group with most rows; among equals the first by name.
fn largest(known: &[&Group], sizes: &BTreeMap<&str, u64>) -> String {
    let mut names: Vec<&str> = known.iter().map(|group| group.name.as_str()).collect();
    names.sort_by_key(|&name| (std::cmp::Reverse(sizes[name]), name));
    names[0].into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fairness::tests::spec;
    use crate::stats::groups::UNKNOWN;

    fn levels() -> GroupLevels {
        let names = |names: &[&str]| names.iter().map(|name| name.to_string()).collect();
        GroupLevels {
            columns: names(&["sex", "town"]),
            levels: vec![names(&["Female", "Male", UNKNOWN]), names(&["A", "B"])],
        }
    }

    /// Rows of (sex, town): Female A 2, Male A 1, Male B 3, unknown A 1.
    fn layout(change: impl Fn(&mut Spec)) -> Result<Layout, FairnessError> {
        let mut spec = spec();
        change(&mut spec);
        let mut cells = Cells::default();
        let sexes = vec![0, 0, 1, 1, 1, 1, 2];
        let towns = vec![0, 0, 0, 1, 1, 1, 0];
        let ids = cells.intern(&[sexes, towns], 7);
        let mut rows = vec![0; cells.len()];
        ids.iter().for_each(|&cell| rows[cell as usize] += 1);
        Layout::new(&spec, &cells, &levels(), &rows)
    }

    #[test]
    fn the_largest_group_is_the_reference_and_unknown_rows_are_counted() {
        let layout = layout(|_| {}).unwrap();
        let scope = &layout.attributes[0];
        assert_eq!((scope.reference.as_str(), scope.reference_rule.as_str()), ("Male", "largest group"));
        assert_eq!(scope.n_unknown, Some(1));
        let others = &layout.slots[layout.scopes[0].others];
        assert_eq!((others.group.as_str(), others.cells.as_slice()), (OTHERS, &[0][..]));
        assert_eq!(layout.known(&layout.scopes[0]).count(), 2);
    }

    #[test]
    fn strata_repeat_everything_within_their_cells() {
        let layout = layout(|spec| spec.strata = vec![1]).unwrap();
        let strata: Vec<&str> = layout.scopes.iter().map(|scope| scope.stratum.as_str()).collect();
        assert_eq!(strata, ["", "A", "B"]);
        let in_b: Vec<usize> = layout.scopes[2].groups.iter().map(|&slot| layout.slots[slot].cells.len()).collect();
        assert_eq!(in_b, [0, 1, 0]);
    }

    #[test]
    fn a_configured_reference_must_exist() {
        let configured = layout(|spec| drop(spec.reference.insert("sex".into(), "Female".into()))).unwrap();
        assert_eq!(configured.attributes[0].reference_rule, "configured");
        let missing = layout(|spec| drop(spec.reference.insert("sex".into(), "femal".into()))).unwrap_err();
        assert!(missing.to_string().contains("its groups are Female, Male"), "{missing}");
    }

    #[test]
    fn an_attribute_with_one_group_is_refused() {
        let mut cells = Cells::default();
        cells.intern(&[vec![1, 1], vec![0, 0]], 2);
        let error = Layout::new(&spec(), &cells, &levels(), &[2]).unwrap_err();
        assert_eq!(error, FairnessError::OneGroup { attribute: "sex".into(), group: "Male".into() });
    }
}
