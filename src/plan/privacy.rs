//! What is withheld and what is never stored, held against the data.

use super::error::{PlanError, conflict};
use super::missing;
use crate::config::{Attribute, Conflict, Loaded};
use crate::dataset::Source;

/// With 2, a withheld count would be known to be 1.
const LEAST_LIMIT: u64 = 3;

/// Refuses what `[privacy]` cannot keep. `n_rows` pass the filter.
pub fn check(loaded: &Loaded, source: &Source, n_rows: u64) -> Result<(), PlanError> {
    let Some(privacy) = &loaded.config.privacy else { return Ok(()) };
    let mut conflicts: Vec<Conflict> = limit(privacy.suppress_below, n_rows).into_iter().collect();
    for (at, column) in privacy.drop.iter().enumerate() {
        let key = format!("privacy.drop.{at}");
        // A project's list is for all its pipelines; not all of them have every column.
        let missing = missing(source, &key, column).filter(|_| !loaded.is_default(&key));
        conflicts.extend(missing.or_else(|| needed(loaded, &key, column)));
    }
    match conflicts.is_empty() {
        true => Ok(()),
        false => Err(PlanError::Config(Box::new(loaded.errors(conflicts)))),
    }
}

fn limit(suppress_below: u64, n_rows: u64) -> Option<Conflict> {
    let key = "privacy.suppress_below";
    if (1..LEAST_LIMIT).contains(&suppress_below) {
        let message =
            format!("suppress_below = {suppress_below} hides nothing: a withheld count would be known to be 1");
        return Some(conflict(key, message, "give 0 for no suppression, or at least 3"));
    }
    (suppress_below > n_rows).then(|| {
        let message = format!("the data has {n_rows} rows, fewer than suppress_below = {suppress_below}");
        conflict(key, message, "nothing of it could be reported: audit more rows, or lower the limit")
    })
}

/// A conflict where values of the column are results themselves.
fn needed(loaded: &Loaded, key: &str, column: &str) -> Option<Conflict> {
    let data = &loaded.config.data;
    let of_data = [("id", &data.id), ("label", &data.label), ("weight", &data.weight), ("score", &data.score)];
    let of_data = of_data.into_iter().find(|(_, named)| named.as_deref() == Some(column));
    if let Some((role, _)) = of_data {
        let message = format!("column `{column}` is [data] {role}, whose values are stored with every row");
        let help = match role {
            "id" => "leave `id` out, or make pseudonyms of it: pseudonymise = \"env:NAME\"",
            _ => "leave it out of `drop`, or name another column there",
        };
        return Some(conflict(key, message, help));
    }
    is_group(loaded, column).then(|| {
        let message = format!("column `{column}` makes groups of [fairness], whose names are stored with every result");
        conflict(key, message, "leave it out of `drop`, or out of [fairness]; small groups: see suppress_below")
    })
}

fn is_group(loaded: &Loaded, column: &str) -> bool {
    let Some(fairness) = &loaded.config.fairness else { return false };
    let names = |attribute: &Attribute| match attribute {
        Attribute::Column(name) => name == column,
        Attribute::Intersection(names) => names.iter().any(|name| name == column),
        Attribute::Binned(binned) => binned.column == column,
    };
    fairness.attributes.iter().any(names) || fairness.strata.iter().any(|name| name == column)
}
