//! Which columns are no features: the row's id, the label, a weight.

use crate::dataset::{Kind, Profile};
use crate::model::Signature;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Roles {
    pub id: Option<String>,
    /// As asked for.
    pub label: Option<String>,
    /// A column that looks like the label where none was asked for.
    pub likely_label: Option<String>,
    pub likely_weight: Option<String>,
    pub doubts: Vec<String>,
}

const LABELS: &[&str] = &["label", "target", "y", "class", "outcome", "truth", "ground_truth", "y_true"];
const WEIGHTS: &[&str] = &["weight", "weights", "sample_weight", "fnlwgt"];

impl Roles {
    /// What a model's input is called is a feature, whatever it looks like.
    pub fn of(profiles: &[Profile], label: Option<&str>, signature: &Signature) -> Self {
        let is_input = |name: &str| signature.inputs.iter().any(|port| same(&port.name, name));
        let free = || profiles.iter().filter(|profile| !is_input(profile.name()) && Some(profile.name()) != label);
        let named = |names: &[&str]| {
            let found = free().find(|profile| names.contains(&profile.name().to_lowercase().as_str()));
            found.map(|profile| profile.name().to_owned())
        };
        let id = free().find(|profile| is_id(profile)).map(|profile| profile.name().to_owned());
        let likely_label = if label.is_some() { None } else { named(LABELS) };
        let doubts = match (&likely_label, label) {
            (Some(likely), _) => vec![format!("no --label was given; {likely:?} looks like one")],
            (None, None) => vec!["no --label was given: only metrics of scores and decisions are computed".to_owned()],
            _ => Vec::new(),
        };
        Self { id, label: label.map(str::to_owned), likely_label, likely_weight: named(WEIGHTS), doubts }
    }

    /// Whether the column has a role that keeps it from being a feature.
    pub fn taken(&self, name: &str) -> bool {
        [&self.id, &self.label, &self.likely_label, &self.likely_weight]
            .iter()
            .any(|role| role.as_deref() == Some(name))
    }
}

/// A different value in every row, and a name that says so.
fn is_id(profile: &Profile) -> bool {
    let name = profile.name().to_lowercase();
    let named = ["id", "uuid", "key", "index", "row"].contains(&name.as_str())
        || ["_id", "-id", " id", "_uuid", "_key"].iter().any(|end| name.ends_with(end))
        || ["row_id", "rowid", "customerid", "userid", "personid"].contains(&name.as_str());
    named && profile.is_unique && matches!(profile.field.kind, Kind::Integer | Kind::Text)
}

/// Names that differ only in case and in how words are set apart.
pub(super) fn same(a: &str, b: &str) -> bool {
    let letters =
        |name: &str| name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    a == b || (!letters(a).is_empty() && letters(a) == letters(b))
}
