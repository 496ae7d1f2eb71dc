//! A TOML document as a tree that knows where each key and value stands.
//!
//! The checks walk this tree, so that every mistake of a file is found in one go; the typed [`Config`](super::Config)
//! is read from it once nothing is wrong.

use super::error::{Findings, Problem};
use super::source::Place;
use std::collections::BTreeMap;
use std::fmt;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value and its place.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub value: Value,
    pub place: Place,
}

#[derive(Debug, Clone)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    Date(toml::value::Datetime),
    List(Vec<Node>),
    Table(Table),
}

/// Entries by key.
pub(super) type Table = BTreeMap<String, Entry>;

/// A key's place and its value.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub key: Place,
    pub node: Node,
}

/// Parses a document; every syntax error is a finding, and the tree is empty if there is one.
pub(super) fn parse(text: &str, source: usize, findings: &mut Findings) -> Table {
    let (document, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return table(document.into_inner(), source, findings);
    }
    let mut seen = Vec::new();
    for error in errors {
        let bytes = error.span().unwrap_or(0..0);
        if !seen.contains(&bytes) {
            let place = Place::new(source, bytes.clone());
            findings.add(place, Problem::Syntax(error.message().to_owned()), "here", syntax_help(error.message()));
            seen.push(bytes);
        }
    }
    Table::new()
}

/// Parses one value, as it stands right of `=`; `None` if it is not TOML.
pub(super) fn parse_value(text: &str, source: usize) -> Option<Node> {
    let mut findings = Findings::default();
    let node = node(DeValue::parse(text).ok()?, source, &mut findings);
    findings.is_empty().then_some(node)
}

fn syntax_help(message: &str) -> Option<String> {
    let help = match message {
        "duplicate key" => "a key or [table] may stand only once: join the two, or write [[table]] for list entries",
        _ if message.contains("string values must be quoted") => "put text in quotes",
        _ => return None,
    };
    Some(help.to_owned())
}

fn table(from: DeTable<'_>, source: usize, findings: &mut Findings) -> Table {
    let entry = |(key, value): (Spanned<_>, _)| {
        let place = Place::new(source, key.span());
        (String::from(key.into_inner()), Entry { key: place, node: node(value, source, findings) })
    };
    from.into_iter().map(entry).collect()
}

fn node(from: Spanned<DeValue<'_>>, source: usize, findings: &mut Findings) -> Node {
    let place = Place::new(source, from.span());
    let value = match from.into_inner() {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(digits) => match i64::from_str_radix(digits.as_str(), digits.radix()) {
            Ok(number) => Value::Integer(number),
            Err(_) => {
                findings.add(place, too_large(&digits.to_string()), "too large", None);
                Value::Integer(0)
            }
        },
        DeValue::Float(digits) => match digits.as_str().parse::<f64>() {
            Ok(number) if number.is_finite() => Value::Float(number),
            _ => {
                findings.add(place, too_large(digits.as_str()), "not a finite number", None);
                Value::Float(0.0)
            }
        },
        DeValue::Boolean(flag) => Value::Boolean(flag),
        DeValue::Datetime(date) => Value::Date(date),
        DeValue::Array(items) => Value::List(items.into_iter().map(|item| node(item, source, findings)).collect()),
        DeValue::Table(entries) => Value::Table(table(entries, source, findings)),
    };
    Node { value, place }
}

fn too_large(digits: &str) -> Problem {
    Problem::Syntax(format!("{digits} is not a finite number of at most 64 bits"))
}

impl Node {
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whole numbers count as numbers.
    pub fn number(&self) -> Option<f64> {
        match self.value {
            Value::Integer(number) => Some(number as f64),
            Value::Float(number) => Some(number),
            _ => None,
        }
    }

    pub fn list(&self) -> Option<&[Node]> {
        match &self.value {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    pub fn table(&self) -> Option<&Table> {
        match &self.value {
            Value::Table(entries) => Some(entries),
            _ => None,
        }
    }

    /// The entry of a key; `None` where there is none or this is no table.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.table()?.get(key)
    }

    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.node)
    }

    /// The list under a key; empty where there is none.
    pub fn items(&self, key: &str) -> &[Node] {
        self.get(key).and_then(Node::list).unwrap_or(&[])
    }

    /// Calls `visit` with every text of the tree, its place and its dotted key.
    pub fn each_text(&mut self, key: &str, visit: &mut dyn FnMut(&str, Place, &mut String)) {
        match &mut self.value {
            Value::Text(text) => visit(key, self.place, text),
            Value::List(items) => items.iter_mut().for_each(|item| item.each_text(key, visit)),
            Value::Table(entries) => {
                for (name, entry) in entries {
                    entry.node.each_text(&join(key, name), visit);
                }
            }
            _ => {}
        }
    }

    /// The bare value, for serde.
    pub fn to_toml(&self) -> toml::Value {
        match &self.value {
            Value::Text(text) => toml::Value::String(text.clone()),
            Value::Integer(number) => toml::Value::Integer(*number),
            Value::Float(number) => toml::Value::Float(*number),
            Value::Boolean(flag) => toml::Value::Boolean(*flag),
            Value::Date(date) => toml::Value::Datetime(*date),
            Value::List(items) => toml::Value::Array(items.iter().map(Node::to_toml).collect()),
            Value::Table(entries) => {
                toml::Value::Table(entries.iter().map(|(key, entry)| (key.clone(), entry.node.to_toml())).collect())
            }
        }
    }

    /// The kind of value in words: "text", "a list".
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Text(_) => "text",
            Value::Integer(_) => "a whole number",
            Value::Float(_) => "a number",
            Value::Boolean(true) => "true",
            Value::Boolean(false) => "false",
            Value::Date(_) => "a date",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
        }
    }
}

/// Scalars as TOML, shortened; lists and tables by their kind.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Value::Text(text) if text.chars().count() > 40 => {
                write!(f, "\"{}…\"", text.chars().take(40).collect::<String>().escape_debug())
            }
            Value::Text(text) => write!(f, "\"{}\"", text.escape_debug()),
            Value::Integer(number) => write!(f, "{number}"),
            Value::Float(number) => write!(f, "{number:?}"),
            Value::Date(date) => write!(f, "{date}"),
            _ => f.write_str(self.kind()),
        }
    }
}

/// `key` below `parent` in dotted form.
pub(super) fn join(parent: &str, key: &str) -> String {
    if parent.is_empty() { key.to_owned() } else { format!("{parent}.{key}") }
}
