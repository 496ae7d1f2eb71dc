//! What permutation importance shuffles beside single columns: groups of columns, and within which rows.

use super::error::{PlanError, conflict, did_you_mean};
use crate::config::{Conflict, ImportanceMethod, Loaded};
use crate::dataset::{FeatureSpec, Want};
use crate::explain::game::{Part, Player};

/// `[importance] groups` and `strata`, as positions among the features.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Shuffling {
    /// Columns that are shuffled together; they may overlap.
    pub groups: Vec<Player>,
    /// Columns whose values a row keeps to in a conditional shuffle; empty: none is asked for.
    pub strata: Vec<usize>,
}

/// Finds the columns.
pub fn resolve(loaded: &Loaded, features: &[FeatureSpec]) -> Result<Shuffling, PlanError> {
    let typed = &loaded.config.importance;
    let mut conflicts = Vec::new();
    let mut find = |key: String, column: &String| match position(features, &key, column) {
        Ok(at) => Some(at),
        Err(conflict) => {
            conflicts.push(conflict);
            None
        }
    };
    let mut groups = Vec::new();
    for (at, group) in typed.groups.iter().enumerate() {
        let mut columns: Vec<usize> =
            group.columns.iter().filter_map(|column| find(format!("importance.groups.{at}.columns"), column)).collect();
        columns.sort_unstable();
        columns.dedup();
        groups.push(Player { name: group.name.clone(), parts: columns.into_iter().map(Part::Column).collect() });
    }
    let strata = typed.strata.iter().filter_map(|column| find("importance.strata".to_owned(), column)).collect();
    conflicts.extend(taken(&groups));
    let shuffles = typed.methods.as_ref().is_none_or(|methods| methods.contains(&ImportanceMethod::Permutation));
    for (key, given) in [("groups", !typed.groups.is_empty()), ("strata", !typed.strata.is_empty())] {
        if given && !shuffles {
            let message = format!("`{key}` are of permutation importance, which is not among the methods");
            conflicts.push(conflict(format!("importance.{key}"), message, "add \"permutation\" to importance.methods"));
        }
    }
    match conflicts.is_empty() {
        true => Ok(Shuffling { groups, strata }),
        false => Err(PlanError::Config(Box::new(loaded.errors(conflicts)))),
    }
}

fn position(features: &[FeatureSpec], key: &str, column: &str) -> Result<usize, Conflict> {
    let names = || features.iter().map(|feature| feature.column.as_str());
    let Some(at) = names().position(|name| name == column) else {
        let message = format!("`{column}` does not feed the model{}", did_you_mean(column, names()));
        return Err(conflict(key, message, format!("its columns are {}", names().collect::<Vec<_>>().join(", "))));
    };
    match features[at].want {
        Want::Tensor { .. } => {
            let message = format!("`{column}` holds pictures or lists of numbers");
            Err(conflict(key, message, "name columns of numbers or categories"))
        }
        _ => Ok(at),
    }
}

/// Groups that share a name.
fn taken(groups: &[Player]) -> Vec<Conflict> {
    let again =
        groups.iter().enumerate().filter(|(at, group)| groups[..*at].iter().any(|other| other.name == group.name));
    again
        .map(|(at, group)| {
            let message = format!("two groups are called `{}`", group.name);
            conflict(format!("importance.groups.{at}.name"), message, "give each group a name of its own")
        })
        .collect()
}
