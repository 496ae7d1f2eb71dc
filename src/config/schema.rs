//! The JSON Schema of the TOML: published for editors, and the one list of keys, types and bounds that is checked.

use super::secret::is_address;
use super::typed::{Config, ENV_PATTERN, NAME_PATTERN, PARQUET_PATTERN, Project};
use serde_json::Value as Json;
use std::sync::LazyLock;

/// JSON Schema (draft 2020-12) of a pipeline file.
pub fn json_schema() -> Json {
    without_null(schemars::schema_for!(Config).to_value())
}

/// The same, made once.
pub(super) static PIPELINE: LazyLock<Json> = LazyLock::new(json_schema);

/// JSON Schema of a `probity.toml`.
pub(super) fn project_schema() -> Json {
    without_null(schemars::schema_for!(Project).to_value())
}

/// TOML has no null: optional keys are left out, so the schema need not offer it.
fn without_null(mut schema: Json) -> Json {
    match &mut schema {
        Json::Object(entries) => {
            if entries.get("default").is_some_and(|default| default.is_null() || is_table_of_defaults(default)) {
                entries.remove("default");
            }
            entries.values_mut().for_each(|value| *value = without_null(value.take()));
            drop_null_type(entries);
            drop_null_branch(entries);
        }
        Json::Array(items) => items.iter_mut().for_each(|item| *item = without_null(item.take())),
        _ => {}
    }
    schema
}

/// The defaults of a whole table stand at its keys already.
fn is_table_of_defaults(default: &Json) -> bool {
    default.is_object()
}

fn drop_null_type(entries: &mut serde_json::Map<String, Json>) {
    if let Some(Json::Array(types)) = entries.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_mut_slice() {
            let only = only.take();
            entries.insert("type".into(), only);
        }
    }
}

/// `anyOf: [X, null]` becomes X, beside the description of the key.
fn drop_null_branch(entries: &mut serde_json::Map<String, Json>) {
    let Some(Json::Array(branches)) = entries.get_mut("anyOf") else {
        return;
    };
    branches.retain(|branch| branch["type"] != "null");
    if branches.len() > 1 {
        return;
    }
    if let Some(Json::Array(branches)) = entries.remove("anyOf")
        && let Some(Json::Object(only)) = branches.into_iter().next()
    {
        for (key, value) in only {
            entries.entry(key).or_insert(value);
        }
    }
}

/// A pattern of the schema: how it is tested, and how it reads in words.
pub(super) struct Pattern {
    pub regex: &'static str,
    pub fits: fn(&str) -> bool,
    pub words: &'static str,
}

/// Every pattern that the schema uses.
pub(super) const PATTERNS: &[Pattern] = &[
    Pattern { regex: NAME_PATTERN, fits: is_name, words: "lower-case letters, digits and hyphens" },
    Pattern { regex: PARQUET_PATTERN, fits: |text| text.ends_with(".parquet"), words: "the path of a .parquet file" },
    Pattern { regex: ENV_PATTERN, fits: is_address, words: "env: and the name of a variable of the environment" },
];

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// The pattern that a text must fit; `None` where the schema has none.
pub(super) fn pattern(schema: &Json) -> Option<&'static Pattern> {
    let regex = schema["pattern"].as_str()?;
    PATTERNS.iter().find(|pattern| pattern.regex == regex)
}

/// The largest value of a narrow integer type, which schemars does not write down.
pub(super) fn largest(schema: &Json) -> Option<f64> {
    (schema["format"] == "uint32").then_some(f64::from(u32::MAX))
}

/// Read-only view of a schema with its references.
#[derive(Clone, Copy)]
pub(super) struct Schema<'s> {
    root: &'s Json,
}

impl<'s> Schema<'s> {
    pub fn new(root: &'s Json) -> Self {
        Schema { root }
    }

    pub fn root(self) -> &'s Json {
        self.root
    }

    /// What a `$ref` stands for; other schemas as they are.
    pub fn resolve(self, schema: &'s Json) -> &'s Json {
        match schema["$ref"].as_str() {
            Some(target) => self.resolve(self.root.pointer(target.trim_start_matches('#')).unwrap_or(&Json::Null)),
            None => schema,
        }
    }

    /// The alternatives of a schema, flattened; one that has none is its own.
    pub fn branches(self, schema: &'s Json) -> Vec<&'s Json> {
        let schema = self.resolve(schema);
        match schema["anyOf"].as_array().or(schema["oneOf"].as_array()) {
            Some(branches) => branches.iter().flat_map(|branch| self.branches(branch)).collect(),
            None => vec![schema],
        }
    }

    /// The schema of a dotted key, entries of lists included under the list's key.
    #[cfg(test)]
    pub fn property(self, key: &str) -> Option<&'s Json> {
        key.split('.').try_fold(self.root, |table, name| {
            let table = self.resolve(table);
            let table = if table["items"].is_object() { self.resolve(&table["items"]) } else { table };
            table["properties"].get(name)
        })
    }

    /// Tables that have a key of this name, as `[table]`.
    pub fn tables_with(self, key: &str) -> Vec<String> {
        let sections = self.root["properties"].as_object().into_iter().flatten();
        sections
            .filter(|(_, section)| properties(self.resolve(section)).any(|name| name == key))
            .map(|(name, _)| format!("[{name}]"))
            .collect()
    }
}

/// Names of a table's keys.
pub(super) fn properties(schema: &Json) -> impl Iterator<Item = &str> {
    schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.as_str())
}

/// Texts that an enumeration allows; empty for other schemas.
pub(super) fn names(schema: &Json) -> Vec<&str> {
    let listed = schema["enum"].as_array().into_iter().flatten();
    listed.chain(schema.get("const")).filter_map(Json::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn each(schema: &Json, visit: &mut dyn FnMut(&str, &Json)) {
        match schema {
            Json::Object(entries) => entries.iter().for_each(|(key, value)| {
                visit(key, value);
                each(value, visit);
            }),
            Json::Array(items) => items.iter().for_each(|item| each(item, visit)),
            _ => {}
        }
    }

    #[test]
    fn every_pattern_of_the_schema_can_be_tested() {
        let mut found = 0;
        each(&json_schema(), &mut |key, value| {
            if key == "pattern" {
                let known = PATTERNS.iter().any(|pattern| value == pattern.regex);
                assert!(known, "{value}");
                found += 1;
            }
        });
        assert!(found >= 3);
    }

    #[test]
    fn the_schema_offers_no_null() {
        each(&json_schema(), &mut |_, value| assert!(!value.is_null() && value != "null"));
    }

    #[test]
    fn every_key_is_described() {
        let schema = json_schema();
        let schema = Schema::new(&schema);
        let tables = schema.root["$defs"].as_object().unwrap().values().chain([schema.root]);
        for table in tables {
            for (key, property) in table["properties"].as_object().into_iter().flatten() {
                assert!(property["description"].is_string(), "{key} has no description");
            }
        }
    }

    #[test]
    fn every_table_with_fixed_keys_refuses_others() {
        let schema = json_schema();
        for (name, table) in schema["$defs"].as_object().unwrap() {
            if table.get("properties").is_some() {
                assert_eq!(table["additionalProperties"], false, "{name}");
            }
        }
    }
}
