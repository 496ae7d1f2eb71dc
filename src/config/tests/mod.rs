//! Reading whole files: what is refused and how, what is read, and laws over every key.

use super::*;
mod laws;
mod mistakes;
mod reading;

use miette::{GraphicalReportHandler, GraphicalTheme};
use std::fs;
use tempfile::TempDir;

const SOUND: &str = "[pipeline]\nname = \"a\"\n[data]\npath = \"d.parquet\"\n[model]\npath = \"m.onnx\"\n";

/// Nothing is set but the key that [`laws`] name.
fn environment(name: &str) -> Option<String> {
    (name == "PROBITY_KEY").then(|| "kept safe".to_owned())
}

fn folder_with(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn load_with(text: &str, sets: &[&str]) -> Result<Loaded, ConfigErrors> {
    let sets: Vec<_> = sets.iter().map(|set| (*set).to_owned()).collect();
    load_text(Path::new("pipelines/a.toml"), text, &sets, &environment)
}

/// Every error as "line:column message | help".
fn mistakes(text: &str, sets: &[&str]) -> Vec<String> {
    let errors = load_with(text, sets).expect_err("the file should be refused").errors;
    let line = |error: &ConfigError| {
        let (_, line, column) = error.location().unwrap_or(("", 0, 0));
        format!("{line}:{column} {error} | {}", error.help.as_deref().unwrap_or(""))
    };
    errors.iter().map(line).collect()
}

/// A sound file with more lines after it (from line 7), and the one mistake expected in them.
fn one_mistake(more: &str, expected: &str) {
    assert_eq!(mistakes(&format!("{SOUND}{more}"), &[]), [expected], "in:\n{more}");
}

fn sound(more: &str) -> Config {
    match load_with(&format!("{SOUND}{more}"), &[]) {
        Ok(loaded) => loaded.config,
        Err(errors) => panic!("{}", rendered(&errors)),
    }
}

fn rendered(errors: &ConfigErrors) -> String {
    let mut out = String::new();
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(100);
    handler.render_report(&mut out, errors).unwrap();
    out
}
