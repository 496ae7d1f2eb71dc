//! What the TOML can say already and this version cannot do yet: refused by name, never ignored.

use super::error::{Findings, Problem};
use super::tree::{Node, Value, join};

/// Dotted keys (list indices left out) and how the texts begin that ask for something that is not there yet. Delete a
/// line when its feature arrives.
const NOT_YET: &[(&str, &str)] =
    &[("store.catalogue", "postgres://"), ("store.catalogue", "postgresql://"), ("store.results", "s3://")];

/// Notes every key and value that is not available yet.
pub(super) fn refuse_unavailable(root: &Node, findings: &mut Findings) {
    Refuse { findings }.below(root, "");
}

struct Refuse<'f> {
    findings: &'f mut Findings,
}

impl Refuse<'_> {
    fn below(&mut self, node: &Node, key: &str) {
        match &node.value {
            Value::Table(entries) => entries.iter().for_each(|(name, entry)| self.below(&entry.node, &join(key, name))),
            Value::List(items) => items.iter().for_each(|item| self.below(item, key)),
            Value::Text(text) if asks(key, text) => self.value(node, key),
            _ => {}
        }
    }

    fn value(&mut self, node: &Node, key: &str) {
        let what = format!("`{key}` = {node}");
        self.findings.add(node.place, Problem::NotAvailable(what), "not available yet", Some(LOCAL_STORE.to_owned()));
    }
}

/// The texts that are refused are addresses of remote stores.
const LOCAL_STORE: &str = "keep results in a folder on this machine and the catalogue in sqlite:path/to/catalogue.db";

fn asks(key: &str, text: &str) -> bool {
    NOT_YET.iter().any(|(path, beginning)| *path == key && text.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use super::super::schema::{Schema, json_schema};
    use super::*;

    #[test]
    fn every_line_of_the_table_names_a_key_and_value_of_the_schema() {
        let schema = json_schema();
        let schema = Schema::new(&schema);
        for (key, _) in NOT_YET {
            assert!(schema.property(key).is_some(), "{key} is not in the schema");
        }
    }
}
