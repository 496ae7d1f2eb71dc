//! What cannot be audited: one clear message, exit code 2, nothing written.

mod asked;
mod columns;
mod files;
mod model;
mod rows;
mod store;

use crate::project::{Project, Ran};

/// Runs what must be refused before anything is opened for writing: the code, the words, no trace.
fn refused(project: &Project, parts: &[&str]) {
    refused_when(project, parts, &[]);
}

fn refused_when(project: &Project, parts: &[&str], more: &[&str]) {
    let before = project.files();
    let ran = project.run(more);
    ran.expect(2).says(parts);
    assert_eq!(ran.stdout, "", "data on stdout though there is none");
    assert_clear(&ran);
    assert_eq!(project.files(), before, "something was left behind");
}

/// Runs what only shows while rows are read or stored: the code, the words, no result, no run in the catalogue.
fn refused_late(project: &Project, parts: &[&str]) {
    let before = project.files();
    let ran = project.run(&[]);
    ran.expect(2).says(parts);
    assert_eq!(ran.stdout, "", "data on stdout though there is none");
    assert_clear(&ran);
    assert_eq!(project.results(), Vec::<String>::new());
    let new = project.files().into_iter().filter(|file| !before.contains(file));
    let others: Vec<_> = new.filter(|file| !file.starts_with("var/catalogue.db")).collect();
    assert_eq!(others, Vec::<String>::new());
    if project.path("var/catalogue.db").exists() {
        assert_eq!(project.query("SELECT run_id FROM runs"), Vec::<serde_json::Value>::new());
    }
}

/// No panic, no source location, no dump of somebody's internals.
fn assert_clear(ran: &Ran) {
    for noise in ["panicked", "RUST_BACKTRACE", "src/", "Some(", "Err(", "unwrap"] {
        assert!(!ran.stderr.contains(noise), "{noise} in: {}", ran.stderr);
    }
}
