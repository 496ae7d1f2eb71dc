//! House rules that no linter knows.

use std::fs;
use std::path::{Path, PathBuf};

/// Foreign crates and the one room (or file) that may name them.
const HOMES: &[(&str, &[&str])] = &[
    ("polars", &["dataset"]),
    ("miniz_oxide", &["dataset/picture/png.rs", "report/charts/overlay.rs"]),
    ("crc32fast", &["dataset/picture", "report/charts/overlay.rs"]),
    ("zune_jpeg", &["dataset/picture/jpeg.rs"]),
    ("sqlparser", &["dataset/filter.rs"]),
    ("glob", &["dataset/source.rs"]),
    ("ort", &["model"]),
    ("half", &["model/feed.rs", "model/read.rs", "model/taps.rs"]),
    ("prost", &["model/onnx"]),
    ("arrow", &["store"]),
    ("parquet", &["store"]),
    ("sqlx", &["store"]),
    ("datafusion", &["store/query"]),
    ("futures", &["store/query"]),
    ("tokio", &["store", "notify/webhook.rs"]),
    ("reqwest", &["notify/webhook.rs"]),
    ("sha2", &["store", "report/script.rs"]),
    ("uuid", &["store"]),
    ("toml", &["config", "report/text/book.rs"]),
    ("schemars", &["config"]),
    ("minijinja", &["report"]),
    ("pulldown_cmark", &["report/prose.rs"]),
    ("base64", &["pipeline/letterhead.rs", "audit/octets.rs"]),
    ("smallvec", &["explain/tree", "forest"]),
    ("statrs", &["stats"]),
    ("clap", &["cli", "main.rs"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("console", &["cli/shell"]),
    ("signal_hook", &["cli/signals.rs"]),
    ("indicatif", &["cli/progress.rs"]),
    ("tracing_subscriber", &["cli/style.rs"]),
];

/// Which rooms a room may name: data goes one way, and what knows less comes first.
const ARROWS: &[(&str, &[&str])] = &[
    ("audit", &[]),
    ("config", &[]),
    ("dataset", &[]),
    ("forest", &[]),
    ("stats", &[]),
    ("drift", &["audit", "stats"]),
    ("privacy", &["audit"]),
    ("pdf", &[]),
    ("notify", &["audit", "config", "privacy"]),
    ("report", &["audit", "privacy"]),
    ("fairness", &["audit", "stats"]),
    ("model", &["audit", "dataset", "forest"]),
    ("explain", &["dataset", "forest", "model", "stats"]),
    ("importance", &["audit", "dataset", "explain", "forest", "model", "stats"]),
    ("layers", &["stats"]),
    ("robustness", &["dataset", "model", "stats"]),
    ("store", &["audit", "dataset", "explain"]),
    (
        "plan",
        &["config", "dataset", "explain", "fairness", "forest", "importance", "layers", "model", "robustness", "stats"],
    ),
    (
        "pipeline",
        &[
            "audit",
            "config",
            "dataset",
            "drift",
            "explain",
            "fairness",
            "forest",
            "importance",
            "layers",
            "model",
            "plan",
            "privacy",
            "report",
            "robustness",
            "stats",
            "store",
        ],
    ),
    ("draft", &["config", "dataset", "model", "plan"]),
    ("site", &["audit", "privacy", "report", "store"]),
    (
        "cli",
        &[
            "audit", "config", "dataset", "draft", "drift", "fairness", "model", "notify", "pdf", "pipeline", "plan",
            "privacy", "report", "site", "store",
        ],
    ),
];

const MOST_LINES: usize = 420;

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(root).unwrap().to_owned(), text));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} has sources");
    found
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with("//")
}

/// Whether a line of code names a crate: `name::` not preceded by part of a longer name or path.
fn names_crate(line: &str, name: &str) -> bool {
    let needle = format!("{name}::");
    line.match_indices(&needle).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|c| !(c.is_alphanumeric() || c == '_' || c == ':'))
    })
}

#[test]
fn every_foreign_crate_stays_at_home() {
    let mut strays = Vec::new();
    for (path, text) in sources("src") {
        let inside = path.strip_prefix("src").unwrap().to_string_lossy().replace('\\', "/");
        for (name, homes) in HOMES {
            let at_home = homes.iter().any(|home| inside == *home || inside.starts_with(&format!("{home}/")));
            let line = text.lines().position(|line| !is_comment(line) && names_crate(line, name));
            if let (false, Some(line)) = (at_home, line) {
                strays.push(format!(
                    "{}:{} names {name}, whose home is {}",
                    path.display(),
                    line + 1,
                    homes.join(", ")
                ));
            }
        }
    }
    assert!(strays.is_empty(), "\n{}", strays.join("\n"));
}

/// `dataset` for `src/dataset/reader.rs`, `audit` for `src/audit.rs`.
fn room(path: &Path) -> String {
    let inside = path.strip_prefix("src").unwrap();
    inside.iter().next().unwrap().to_string_lossy().trim_end_matches(".rs").to_owned()
}

/// Names after `crate::` in a line of code.
fn rooms_named(line: &str) -> impl Iterator<Item = &str> {
    line.split("crate::").skip(1).map(|rest| {
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        &rest[..end]
    })
}

#[test]
fn arrows_between_rooms_go_one_way() {
    let mut strays = Vec::new();
    for (path, text) in sources("src") {
        let room = room(&path);
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == room) else { continue };
        for (at, line) in text.lines().enumerate().filter(|(_, line)| !is_comment(line)) {
            let is_room = |name: &str| ARROWS.iter().any(|(room, _)| *room == name);
            // `crate::{…}` would hide the rooms from this test.
            let stray = |name: &&str| name.is_empty() || is_room(name) && *name != room && !allowed.contains(name);
            strays.extend(
                rooms_named(line).find(stray).map(|name| format!("{}:{} names crate::{name}", path.display(), at + 1)),
            );
        }
    }
    assert!(strays.is_empty(), "\n{}", strays.join("\n"));
}

#[test]
fn only_the_command_line_prints() {
    let prints = ["println!", "eprintln!", "print!(", "eprint!(", "dbg!("];
    for (path, text) in
        sources("src").into_iter().filter(|(path, _)| !path.starts_with("src/cli") && !path.ends_with("tests.rs"))
    {
        let program = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let found =
            program.lines().position(|line| !is_comment(line) && prints.iter().any(|print| line.contains(print)));
        assert_eq!(found, None, "{} prints in line {}", path.display(), found.unwrap_or(0) + 1);
    }
}

#[test]
fn nothing_is_left_undone() {
    let marks = [concat!("to", "do!("), concat!("unimple", "mented!("), concat!("FIX", "ME"), concat!("XX", "X:")];
    for (path, text) in sources("src") {
        for mark in marks {
            assert!(!text.contains(mark), "{} contains {mark}", path.display());
        }
    }
}

#[test]
fn a_file_is_one_idea() {
    let long: Vec<_> = sources("src")
        .into_iter()
        .filter(|(path, _)| !path.ends_with("tests.rs"))
        .map(|(path, text)| (path, text.lines().take_while(|line| line.trim() != "#[cfg(test)]").count()))
        .filter(|(_, lines)| *lines > MOST_LINES)
        .map(|(path, lines)| format!("{} has {lines} lines", path.display()))
        .collect();
    assert!(long.is_empty(), "more than {MOST_LINES} lines:\n{}", long.join("\n"));
}

#[test]
fn every_file_says_what_it_is_for() {
    for (path, text) in sources("src") {
        let own = text.starts_with("//!") || path.ends_with("tests.rs");
        assert!(own, "{} does not begin with a line that says what it is for", path.display());
    }
}

#[test]
fn names_say_what_a_thing_is() {
    for (path, _) in sources("src") {
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        let empty = ["util", "utils", "helper", "helpers", "common", "misc", "manager"];
        assert!(!empty.contains(&stem.as_str()), "{} has a name that says nothing", path.display());
    }
}
