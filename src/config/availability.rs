//! What the TOML can say already and this version cannot do yet: refused by name, never ignored.

use super::error::{Findings, Problem};
use super::tree::{Entry, Node, Value, join};

/// When a key counts as asking for something that is not there yet.
enum Asks {
    /// Whatever its value.
    Always,
    /// With a text that begins like this.
    Prefix(&'static str),
}

use Asks::{Always, Prefix};

/// Dotted keys (list indices left out). Delete a line when its feature arrives.
const NOT_YET: &[(&str, Asks)] = &[
    ("layers", Always),
    ("store.catalogue", Prefix("postgres://")),
    ("store.catalogue", Prefix("postgresql://")),
    ("store.results", Prefix("s3://")),
];

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
            Value::Table(entries) => entries.iter().for_each(|(name, entry)| self.entry(entry, &join(key, name))),
            Value::List(items) => items.iter().for_each(|item| self.below(item, key)),
            Value::Text(text) if asks_with(key, text) => self.value(node, key),
            _ => {}
        }
    }

    fn entry(&mut self, entry: &Entry, key: &str) {
        if !asks_always(key) {
            return self.below(&entry.node, key);
        }
        let what = match entry.node.value {
            Value::Table(_) => format!("[{key}]"),
            Value::List(_) => format!("`{key}`"),
            _ => format!("`{key}` = {}", entry.node),
        };
        let help = "leave it out for now".to_owned();
        self.findings.add(entry.key, Problem::NotAvailable(what), "not available yet", Some(help));
    }

    fn value(&mut self, node: &Node, key: &str) {
        let what = format!("`{key}` = {node}");
        self.findings.add(node.place, Problem::NotAvailable(what), "not available yet", Some(LOCAL_STORE.to_owned()));
    }
}

/// The only texts that are refused are addresses of remote stores.
const LOCAL_STORE: &str = "keep results in a folder on this machine and the catalogue in sqlite:path/to/catalogue.db";

/// A further method's keys are those of the main one.
fn main_key(key: &str) -> String {
    key.replacen("explain.also.", "explain.", 1)
}

fn asks_always(key: &str) -> bool {
    let key = main_key(key);
    NOT_YET.iter().any(|(path, asks)| *path == key && matches!(asks, Always))
}

fn asks_with(key: &str, text: &str) -> bool {
    let key = main_key(key);
    NOT_YET.iter().filter(|(path, _)| *path == key).any(|(_, asks)| match asks {
        Always => true,
        Prefix(beginning) => text.starts_with(beginning),
    })
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
