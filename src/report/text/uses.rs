//! Every message is used, and every use has its message: read from the sources and the templates.

use super::{Book, ENGLISH};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Groups of messages that are looked up by names from data, with the place in the sources that does so.
const LOOKED_UP: &[(&str, &str)] = &[
    ("metric.", "fn metric("),
    ("prediction.", "fn metric_for("),
    ("derived.", "fn named("),
    ("compared.", "fn table("),
    ("month.", "fn date("),
    ("explainer.", "fn explainer("),
    ("attributions.", "fn attributions("),
    ("ranking.", "fn ranking("),
    ("ordinal.", "fn ordinal("),
];

/// Functions that take the end of a key, with its beginning and the places that they fill.
const TAKERS: &[(&str, &str, &[&str])] = &[("shown_of(\"", "shown.", &["n", "of"])];

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Use {
    key: String,
    places: BTreeSet<String>,
}

fn files(folder: &str, ends: &[&str]) -> Vec<(PathBuf, String)> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let is_wanted = path.extension().is_some_and(|end| ends.iter().any(|known| end == *known));
            if path.is_dir() {
                folders.push(path);
            } else if is_wanted {
                found.push((path.clone(), std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found
}

/// Sources of what is printed; what tests say is theirs.
fn sources() -> Vec<(PathBuf, String)> {
    let all = ["src/report", "src/site"].into_iter().flat_map(|folder| files(folder, &["rs"]));
    let all = all.filter(|(path, _)| !path.parent().is_some_and(|folder| folder.ends_with("report/text")));
    let tested = |text: &str| text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    all.map(|(path, text)| (path, text[..tested(&text)].to_owned())).collect()
}

/// The text after `opening` up to the end of the literal that begins there, and what follows.
fn literals<'a>(text: &'a str, opening: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    text.match_indices(opening).filter_map(move |(at, _)| text[at + opening.len()..].split_once('"'))
}

/// Names before `=` at the depth of a call's arguments, up to its end.
fn named(arguments: &str) -> BTreeSet<String> {
    let (mut depth, mut in_text, mut escaped, mut word) = (0, false, false, String::new());
    let mut names = BTreeSet::new();
    for (at, c) in arguments.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if in_text => escaped = true,
            '"' => in_text = !in_text,
            _ if in_text => {}
            '(' | '[' | '{' => depth += 1,
            ')' if depth == 0 => break,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => word.clear(),
            '=' if depth == 0 && !arguments[at + 1..].starts_with(['=', '>']) && is_name(word.trim()) => {
                names.insert(word.trim().to_owned());
                word.clear();
            }
            c if depth == 0 => word.push(c),
            _ => {}
        }
    }
    names
}

fn is_name(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

fn uses() -> Vec<(PathBuf, Use)> {
    let mut uses = Vec::new();
    let mut add = |path: &Path, key: String, places| uses.push((path.to_owned(), Use { key, places }));
    for (path, text) in sources() {
        // However the call was broken into lines.
        let text =
            text.replace("say!(\n", "say!(").split("say!(").map(str::trim_start).collect::<Vec<_>>().join("say!(");
        literals(&text, "say!(\"").for_each(|(key, rest)| add(&path, key.to_owned(), named(rest)));
        for (keys, _) in literals(&text, "heads!(\"") {
            let keys = keys.split_whitespace().map(|key| key.trim_end_matches('|'));
            keys.for_each(|key| add(&path, format!("column.{key}"), BTreeSet::new()));
        }
        for (taker, prefix, places) in TAKERS {
            let places = || places.iter().map(|place| (*place).to_owned()).collect();
            literals(&text, taker).for_each(|(key, _)| add(&path, format!("{prefix}{key}"), places()));
        }
    }
    for (path, text) in files("templates", &["html", "md", "svg"]) {
        literals(&text, "say(\"").for_each(|(key, rest)| add(&path, key.to_owned(), named(rest)));
    }
    uses
}

#[test]
fn every_use_has_its_message_with_the_same_places() {
    let book = Book::parse(ENGLISH).unwrap();
    let mut wrong = Vec::new();
    for (path, used) in uses() {
        let known = book.get(&used.key).map(|message| message.places());
        let given: BTreeSet<&str> = used.places.iter().map(String::as_str).collect();
        if known.as_ref() != Some(&given) {
            wrong.push(format!("{}: {} gives {given:?}, the message takes {known:?}", path.display(), used.key));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_message_is_used() {
    let book = Book::parse(ENGLISH).unwrap();
    let used: BTreeSet<String> = uses().into_iter().map(|(_, used)| used.key).collect();
    let is_looked_up = |key: &str| LOOKED_UP.iter().any(|(prefix, _)| key.starts_with(prefix));
    let idle: Vec<&str> =
        book.messages().map(|(key, _)| key).filter(|key| !used.contains(*key) && !is_looked_up(key)).collect();
    assert!(idle.is_empty(), "\n{}", idle.join("\n"));
}

#[test]
fn groups_that_are_looked_up_by_name_are_looked_up() {
    let all: String = sources().into_iter().map(|(_, text)| text).collect();
    for (prefix, place) in LOOKED_UP {
        let looks_up = |body: &str| body[..body.find("\n}\n").unwrap_or(body.len())].contains(&format!("\"{prefix}"));
        let called = all.split(place).skip(1).any(looks_up);
        assert!(called, "{place} looks up {prefix}");
    }
}

#[test]
fn no_two_messages_say_the_same_under_one_head() {
    let book = Book::parse(ENGLISH).unwrap();
    let mut columns: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (key, message) in book.messages().filter(|(key, _)| key.starts_with("column.")) {
        columns.entry(message.fill(&[])).or_default().push(key);
    }
    let twice: Vec<_> = columns.into_iter().filter(|(_, keys)| keys.len() > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
}

#[test]
fn names_of_places_are_read_from_a_call() {
    assert_eq!(
        named(", n = 3, of = f(a, b = 2), text = \"x, y = z)\")"),
        ["n", "of", "text"].map(str::to_owned).into()
    );
    assert_eq!(named(", n=1) y=2"), ["n".to_owned()].into());
    assert_eq!(named(")"), BTreeSet::new());
}
