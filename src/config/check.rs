//! The tree against the schema: unknown and missing keys, wrong types, unknown names, values out of bounds.

use super::error::{Findings, Problem};
use super::schema::{self, Schema, names, properties};
use super::suggest::{nearest, one_of, words};
use super::tree::{Node, Table, Value, join};
use super::wording;
use serde_json::Value as Json;

/// Notes everything about `node` that `schema` does not allow.
pub(super) fn against_schema(node: &Node, schema: Schema<'_>, findings: &mut Findings) {
    Check { schema, findings }.value(node, schema.root(), &Position::default());
}

struct Check<'s, 'f> {
    schema: Schema<'s>,
    findings: &'f mut Findings,
}

/// Where in the file a value stands, in the words of messages.
#[derive(Clone, Default)]
struct Position<'s> {
    /// Dotted, without list indices.
    key: String,
    in_list: bool,
    /// What the schema says about the key.
    description: Option<&'s str>,
}

impl Position<'_> {
    fn table(&self) -> String {
        match (self.key.as_str(), self.in_list) {
            ("", _) => "the file".to_owned(),
            (key, true) => format!("an entry of `{key}`"),
            (key, false) => format!("[{key}]"),
        }
    }

    fn unknown(&self, key: &str, below: &Node) -> Problem {
        match below.value {
            Value::Table(_) if self.key.is_empty() => Problem::UnknownTable(key.to_owned()),
            _ => Problem::UnknownKey { key: key.to_owned(), table: self.table() },
        }
    }

    /// The value itself: the key's, or one of the list under the key.
    fn subject(&self) -> String {
        if self.in_list { format!("an entry of `{}`", self.key) } else { format!("`{}`", self.key) }
    }

    fn help(&self) -> Option<String> {
        self.description.map(str::to_owned)
    }
}

impl<'s> Check<'s, '_> {
    fn value(&mut self, node: &Node, schema: &'s Json, position: &Position<'s>) {
        let branches = self.schema.branches(schema);
        let fitting: Vec<_> = branches.iter().copied().filter(|branch| fits(branch, node)).collect();
        let named = branches.iter().any(|branch| !names(branch).is_empty());
        match fitting.as_slice() {
            [] => self.wrong_type(node, &branches, position),
            _ if fitting.iter().any(|branch| self.allows(node, branch)) => {}
            _ if named && node.text().is_some() => self.unknown_value(node, &branches, position),
            [first, ..] => self.branch(node, first, position),
        }
    }

    /// Whether a branch has nothing to say against the value.
    fn allows(&self, node: &Node, branch: &'s Json) -> bool {
        let mut trial = Findings::default();
        Check { schema: self.schema, findings: &mut trial }.branch(node, branch, &Position::default());
        trial.is_empty()
    }

    fn branch(&mut self, node: &Node, schema: &'s Json, position: &Position<'s>) {
        match &node.value {
            Value::Text(text) => self.text(node, text, schema, position),
            Value::Integer(_) | Value::Float(_) => self.bounds(node, schema, position),
            Value::List(items) => self.list(node, items, schema, position),
            Value::Table(entries) => self.table(node, entries, schema, position),
            Value::Boolean(_) | Value::Date(_) => {}
        }
    }

    fn text(&mut self, node: &Node, text: &str, schema: &'s Json, position: &Position<'s>) {
        let allowed = names(schema);
        if !allowed.is_empty() && !allowed.contains(&text) {
            return self.unknown_value(node, &[schema], position);
        }
        if text.is_empty() && schema["minLength"].as_u64() > Some(0) {
            self.findings.add(node.place, Problem::Empty(position.key.clone()), "no text", position.help());
        }
        if let Some(pattern) = schema::pattern(schema).filter(|pattern| !(pattern.fits)(text)) {
            self.out_of_range(node, format!("made of {}", pattern.words), position);
        }
    }

    fn bounds(&mut self, node: &Node, schema: &'s Json, position: &Position<'s>) {
        let Some(number) = node.number() else { return };
        let bound = |name: &str| schema[name].as_f64();
        let breached = bound("minimum").is_some_and(|min| number < min)
            || bound("maximum").or(schema::largest(schema)).is_some_and(|max| number > max)
            || bound("exclusiveMinimum").is_some_and(|min| number <= min)
            || bound("exclusiveMaximum").is_some_and(|max| number >= max);
        if breached {
            self.out_of_range(node, wording::bounds(schema), position);
        }
    }

    fn out_of_range(&mut self, node: &Node, limit: String, position: &Position<'s>) {
        let label = format!("must be {limit}");
        let problem = Problem::OutOfRange { key: position.key.clone(), found: node.to_string(), limit };
        self.findings.add(node.place, problem, label, position.help());
    }

    fn list(&mut self, node: &Node, items: &[Node], schema: &'s Json, position: &Position<'s>) {
        self.length(node, items.len() as u64, schema, position);
        let inside = Position { in_list: true, ..position.clone() };
        for item in items {
            self.value(item, &schema["items"], &inside);
        }
    }

    fn length(&mut self, node: &Node, found: u64, schema: &'s Json, position: &Position<'s>) {
        let least = schema["minItems"].as_u64().unwrap_or(0);
        let most = schema["maxItems"].as_u64().unwrap_or(u64::MAX);
        let key = position.subject();
        let (problem, label) = match found {
            0 if least > 0 => (Problem::Empty(position.key.clone()), "no entries"),
            _ if found < least => (Problem::TooFew { key, least, found }, "too few entries"),
            _ if found > most => (Problem::TooMany { key, most, found }, "too many entries"),
            _ => return,
        };
        self.findings.add(node.place, problem, label, position.help());
    }

    fn table(&mut self, node: &Node, entries: &Table, schema: &'s Json, position: &Position<'s>) {
        for (name, entry) in entries {
            let key = join(&position.key, name);
            if let Some(property) = schema["properties"].get(name) {
                let description = property["description"].as_str();
                self.value(&entry.node, property, &Position { key, in_list: false, description });
            } else if schema["additionalProperties"].is_object() {
                let below = Position { key, in_list: false, description: position.description };
                self.value(&entry.node, &schema["additionalProperties"], &below);
            } else {
                let help = self.help_for_key(name, schema);
                self.findings.add(entry.key, position.unknown(name, &entry.node), "not known", Some(help));
            }
        }
        self.missing(node, entries, schema, position);
    }

    /// Keys that must be there; one that was only misspelt is reported as unknown already.
    fn missing(&mut self, node: &Node, entries: &Table, schema: &'s Json, position: &Position<'s>) {
        let required = schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str);
        let unknown = || entries.keys().filter(|key| schema["properties"].get(key.as_str()).is_none());
        for key in required.filter(|key| !entries.contains_key(*key)) {
            if unknown().any(|typed| nearest(typed, properties(schema)) == Some(key)) {
                continue;
            }
            let description = schema["properties"][key]["description"].as_str().unwrap_or_default();
            let (problem, label, help) = match position.key.as_str() {
                "" => (
                    Problem::MissingTable(key.to_owned()),
                    format!("no [{key}]"),
                    format!("add [{key}]: {description}"),
                ),
                _ => {
                    let problem = Problem::MissingKey { key: key.to_owned(), table: position.table() };
                    (problem, format!("`{key}` is missing"), format!("add `{key} = …`: {description}"))
                }
            };
            self.findings.add(node.place, problem, label, Some(help));
        }
    }

    fn help_for_key(&self, typed: &str, table: &Json) -> String {
        if let Some(meant) = nearest(typed, properties(table)) {
            return format!("did you mean `{meant}`?");
        }
        match self.schema.tables_with(typed).as_slice() {
            [] => format!("known here: {}", one_of(properties(table))),
            tables => format!("`{typed}` is a key of {}", words(tables)),
        }
    }

    fn unknown_value(&mut self, node: &Node, branches: &[&'s Json], position: &Position<'s>) {
        let expected = wording::expected(self.schema, branches);
        let known = branches.iter().flat_map(|branch| names(branch));
        let help = match node.text().and_then(|typed| nearest(typed, known)) {
            Some(meant) => format!("did you mean \"{meant}\"?"),
            None => format!("known: {expected}"),
        };
        let problem = Problem::UnknownValue { key: position.key.clone(), found: node.to_string() };
        self.findings.add(node.place, problem, "not known", Some(help));
    }

    fn wrong_type(&mut self, node: &Node, branches: &[&'s Json], position: &Position<'s>) {
        let (key, found) = (position.subject(), node.kind().to_owned());
        let problem = Problem::WrongType { key, expected: wording::expected(self.schema, branches), found };
        let label = format!("this is {}", node.kind());
        let help = wording::rewritten(node, self.schema, branches, &position.key, position.in_list).or(position.help());
        self.findings.add(node.place, problem, label, help);
    }
}

/// Whether a value is of a branch's type.
fn fits(schema: &Json, node: &Node) -> bool {
    let wanted = schema["type"].as_str();
    match node.value {
        Value::Text(_) => wanted == Some("string"),
        Value::Integer(_) => matches!(wanted, Some("integer" | "number")),
        Value::Float(_) => wanted == Some("number"),
        Value::Boolean(_) => wanted == Some("boolean"),
        Value::Date(_) => false,
        Value::List(_) => wanted == Some("array"),
        Value::Table(_) => wanted == Some("object"),
    }
}
