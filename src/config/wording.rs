//! What the schema allows, in words, and how a value would be written to fit.

use super::schema::{Schema, largest, names, pattern};
use super::suggest::words;
use super::tree::{Node, Value};
use serde_json::Value as Json;

/// What the alternatives allow, in words: "`all` or a whole number".
pub(super) fn expected(schema: Schema<'_>, branches: &[&Json]) -> String {
    let mut parts: Vec<String> =
        branches.iter().flat_map(|branch| names(branch)).map(|name| format!("\"{name}\"")).collect();
    for branch in branches.iter().filter(|branch| names(branch).is_empty()) {
        let part = kind(schema, branch);
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    // Where any number will do, "a whole number" is said already.
    if parts.iter().any(|part| part == "a number") {
        parts.retain(|part| part != "a whole number");
    }
    words(&parts)
}

fn kind<'s>(view: Schema<'s>, schema: &'s Json) -> String {
    match schema["type"].as_str() {
        Some("string") => pattern(schema).map_or("text", |pattern| pattern.words).to_owned(),
        Some("integer") => "a whole number".to_owned(),
        Some("number") => "a number".to_owned(),
        Some("boolean") => "true or false".to_owned(),
        Some("array") => format!("a list of {}", items(view, &schema["items"])),
        _ => "a table".to_owned(),
    }
}

fn items<'s>(view: Schema<'s>, schema: &'s Json) -> &'static str {
    match view.branches(schema).as_slice() {
        [only] => match only["type"].as_str() {
            Some("string") if names(only).is_empty() => "text values",
            Some("integer") => "whole numbers",
            Some("number") => "numbers",
            Some("object") => "tables",
            _ => "names",
        },
        branches if branches.iter().all(|branch| !names(branch).is_empty()) => "names",
        _ => "values",
    }
}

/// The bounds of a number: "between 0 and 1".
pub(super) fn bounds(schema: &Json) -> String {
    let bound = |name: &str| schema[name].as_f64();
    let lower = bound("minimum").map(|min| (min, "at least"));
    let lower = lower.or(bound("exclusiveMinimum").map(|min| (min, "above")));
    let upper = bound("maximum").or(largest(schema)).map(|max| (max, "at most"));
    let upper = upper.or(bound("exclusiveMaximum").map(|max| (max, "below")));
    match (lower, upper) {
        (Some((min, "at least")), Some((max, "at most"))) => format!("between {min} and {max}"),
        (Some((min, above)), Some((max, below))) => format!("{above} {min} and {below} {max}"),
        (Some((limit, side)), None) | (None, Some((limit, side))) => format!("{side} {limit}"),
        (None, None) => "a number".to_owned(),
    }
}

/// How the value would be written to fit, where that is plain.
pub(super) fn rewritten(node: &Node, view: Schema<'_>, branches: &[&Json], key: &str, in_list: bool) -> Option<String> {
    let wants = |kind: &str| branches.iter().any(|branch| branch["type"] == kind);
    let wants_tables = branches.iter().any(|branch| kind(view, branch) == "a list of tables");
    let wants_any_text = branches.iter().any(|branch| kind(view, branch) == "text" && names(branch).is_empty());
    match &node.value {
        Value::Text(text) if wants("number") || wants("integer") => {
            text.parse::<f64>().is_ok().then(|| format!("write {text} without quotes"))
        }
        Value::Text(text) if wants("boolean") && matches!(text.as_str(), "true" | "false") => {
            Some(format!("write {text} without quotes"))
        }
        Value::Table(_) if wants_tables => Some(format!("write [[{key}]], with two brackets")),
        Value::List(items) if !in_list && wants("object") && items.iter().all(|item| item.table().is_some()) => {
            Some(format!("write [{key}] once, with one bracket"))
        }
        Value::List(_) | Value::Table(_) => None,
        _ if wants("array") && !in_list => Some(format!("put it into a list: [{node}]")),
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) if wants_any_text => {
            Some(format!("put it in quotes: \"{node}\""))
        }
        _ => None,
    }
}
