//! `--set key.path=value`: overrides from the command line, made before anything is checked.
//!
//! The value is TOML where it reads as TOML (`0.6`, `true`, `["a", "b"]`), else text. A number in the path addresses a
//! list entry, from 0: `gates.0.min=0.9`.

use super::error::{Findings, Problem};
use super::source::{Place, Sources};
use super::tree::{self, Entry, Node, Table, Value};

/// Applies the overrides in their order.
pub(super) fn apply(sets: &[String], root: &mut Node, sources: &mut Sources, findings: &mut Findings) {
    for text in sets {
        let source = sources.add("--set", text);
        let Some((path, value)) = read(text, source) else {
            let help = "such as --set model.threshold=0.6".to_owned();
            findings.add(Place::new(source, 0..text.len()), Problem::Set(text.clone()), "", Some(help));
            continue;
        };
        if let Err((key, reason)) = put(root, &path, value) {
            findings.add(key.1, Problem::SetPath { key: key.0, reason: reason.to_owned() }, reason, None);
        }
    }
}

/// A part of the path and where it was typed.
type Segment = (String, Place);

fn read(text: &str, source: usize) -> Option<(Vec<Segment>, Node)> {
    let equals = text.find('=')?;
    let path = path(&text[..equals], source)?;
    let typed = text[equals + 1..].trim();
    let as_text = || Node { value: Value::Text(typed.to_owned()), place: Place::new(source, 0..typed.len()) };
    let mut value = tree::parse_value(typed, source).unwrap_or_else(as_text);
    let blanks = text[equals + 1..].len() - text[equals + 1..].trim_start().len();
    shift(&mut value, equals + 1 + blanks);
    Some((path, value))
}

/// The segments of a dotted key, quoted ones included: read by the TOML parser itself.
fn path(key: &str, source: usize) -> Option<Vec<Segment>> {
    let mut findings = Findings::default();
    let mut table = tree::parse(&format!("{key} = 0"), source, &mut findings);
    let mut path = Vec::new();
    while findings.is_empty() {
        let (name, entry) = table.pop_first()?;
        path.push((name, entry.key));
        match entry.node.value {
            Value::Table(below) => table = below,
            _ => return Some(path),
        }
    }
    None
}

fn shift(node: &mut Node, offset: usize) {
    node.place = node.place.shifted(offset);
    match &mut node.value {
        Value::List(items) => items.iter_mut().for_each(|item| shift(item, offset)),
        Value::Table(entries) => entries.values_mut().for_each(|entry| {
            entry.key = entry.key.shifted(offset);
            shift(&mut entry.node, offset);
        }),
        _ => {}
    }
}

fn put(node: &mut Node, path: &[Segment], value: Node) -> Result<(), (Segment, &'static str)> {
    let Some((segment, rest)) = path.split_first() else {
        *node = value;
        return Ok(());
    };
    let (name, place) = segment;
    match &mut node.value {
        Value::Table(entries) => {
            let fresh = || Entry { key: *place, node: Node { value: Value::Table(Table::new()), place: *place } };
            let entry = entries.entry(name.clone()).or_insert_with(fresh);
            if rest.is_empty() {
                entry.key = *place;
            }
            put(&mut entry.node, rest, value)
        }
        Value::List(items) => match name.parse::<usize>().ok().and_then(|index| items.get_mut(index)) {
            Some(item) => put(item, rest, value),
            None => Err((segment.clone(), "a list entry is addressed by its number, from 0")),
        },
        _ => Err((segment.clone(), "no table stands above it")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(document: &str, sets: &[&str]) -> (toml::Value, Vec<String>) {
        let mut findings = Findings::default();
        let mut sources = Sources::default();
        let source = sources.add("a.toml", document);
        let entries = tree::parse(document, source, &mut findings);
        let mut root = Node { value: Value::Table(entries), place: Place::new(source, 0..0) };
        let sets: Vec<_> = sets.iter().map(|set| (*set).to_owned()).collect();
        apply(&sets, &mut root, &mut sources, &mut findings);
        let errors = findings.into_errors("a.toml".as_ref(), &sources).errors;
        (root.to_toml(), errors.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn values_are_toml_where_they_read_as_toml_and_text_otherwise() {
        let sets =
            ["model.threshold=0.6", "explain.method = tree", "data.path=a=b.csv", "x.list=['a', 1]", "x.flag=true"];
        let (value, errors) = set("", &sets);
        assert!(errors.is_empty(), "{errors:?}");
        assert_eq!(value["model"]["threshold"].as_float(), Some(0.6));
        assert_eq!(value["explain"]["method"].as_str(), Some("tree"));
        assert_eq!(value["data"]["path"].as_str(), Some("a=b.csv"));
        assert_eq!(value["x"]["list"].as_array().map(Vec::len), Some(2));
        assert_eq!(value["x"]["flag"].as_bool(), Some(true));
    }

    #[test]
    fn the_last_override_wins_and_siblings_stay() {
        let (value, errors) = set("[a]\nb = 1\nc = 2\n", &["a.b=3", "a.b=4"]);
        assert!(errors.is_empty());
        assert_eq!(value["a"]["b"].as_integer(), Some(4));
        assert_eq!(value["a"]["c"].as_integer(), Some(2));
    }

    #[test]
    fn list_entries_are_addressed_by_number_and_quoted_keys_by_quotes() {
        let (value, errors) = set("[[gates]]\nmin = 0.8\n", &["gates.0.min=0.9", "fairness.reference.\"sex,race\"=x"]);
        assert!(errors.is_empty(), "{errors:?}");
        assert_eq!(value["gates"][0]["min"].as_float(), Some(0.9));
        assert_eq!(value["fairness"]["reference"]["sex,race"].as_str(), Some("x"));
    }

    #[test]
    fn an_override_that_leads_nowhere_is_an_error() {
        let (_, errors) =
            set("[[gates]]\nmin = 0.8\n[a]\nb = 1\n", &["gates.1.min=1", "a.b.c=1", "nonsense", "=1", "a..b=1"]);
        assert_eq!(errors.len(), 5, "{errors:?}");
        assert!(errors[0].contains("`--set` cannot reach `1`"), "{errors:?}");
        assert!(errors[2].contains("not of the form"), "{errors:?}");
    }
}
