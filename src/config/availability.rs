//! What the TOML can say already and this version cannot do yet: refused by name, never ignored.

use super::error::{Findings, Problem};
use super::schema::Schema;
use super::suggest::one_of;
use super::tree::{Entry, Node, Value, join};

/// When a key counts as asking for something that is not there yet.
enum Asks {
    /// Whatever its value.
    Always,
    /// With this text.
    For(&'static str),
    /// With a text that begins like this.
    Prefix(&'static str),
}

use Asks::{Always, For, Prefix};

/// Dotted keys (list indices left out). Delete a line when its feature arrives.
const NOT_YET: &[(&str, Asks)] = &[
    ("layers", Always),
    ("store.catalogue", Prefix("postgres://")),
    ("store.catalogue", Prefix("postgresql://")),
    ("store.results", Prefix("s3://")),
];

/// Notes every key and value that is not available yet; `schema` tells what is known besides.
pub(super) fn refuse_unavailable(root: &Node, schema: Schema<'_>, findings: &mut Findings) {
    Refuse { schema, findings }.below(root, "");
}

struct Refuse<'s, 'f> {
    schema: Schema<'s>,
    findings: &'f mut Findings,
}

impl Refuse<'_, '_> {
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
        self.findings.add(node.place, Problem::NotAvailable(what), "not available yet", self.available(key));
    }

    /// The names that can be used today.
    fn available(&self, key: &str) -> Option<String> {
        let names = self.schema.names_at(key);
        let today = names.into_iter().filter(|name| !asks_with(key, name));
        match one_of(today) {
            none if none.is_empty() => Some(LOCAL_STORE.to_owned()),
            names => Some(format!("available today: {names}")),
        }
    }
}

/// The only texts that are refused without being names of a list are addresses of remote stores.
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
        For(value) => text == *value,
        Prefix(beginning) => text.starts_with(beginning),
    })
}

#[cfg(test)]
mod tests {
    use super::super::schema::json_schema;
    use super::*;

    #[test]
    fn every_line_of_the_table_names_a_key_and_value_of_the_schema() {
        let schema = json_schema();
        let schema = Schema::new(&schema);
        for (key, asks) in NOT_YET {
            assert!(schema.property(key).is_some(), "{key} is not in the schema");
            if let For(value) = asks {
                assert!(schema.names_at(key).contains(value), "{key} = {value} is not in the schema");
            }
        }
    }
}
