//! Reports as PDF, printed by an installed Chromium. Without one only the refusal can be tested, and that is said.

use crate::project::{BINARY, Project};
use std::fs;
use std::process::Command;

fn has_chromium() -> bool {
    let known = ["PROBITY_CHROMIUM", "CHROMIUM"].iter().any(|name| std::env::var_os(name).is_some());
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = |name: &str| std::env::split_paths(&path).any(|folder| folder.join(name).is_file());
    let found = known || ["chromium", "chromium-browser", "google-chrome", "chrome"].iter().any(|name| on_path(name));
    if !found {
        eprintln!("SKIPPED: no Chromium is installed, so no PDF was printed");
    }
    found
}

/// Pages of a PDF whose page objects stand in the open, as Chromium writes them.
fn pages(pdf: &[u8]) -> usize {
    let text = String::from_utf8_lossy(pdf);
    text.matches("/Type /Page\n").count() + text.matches("/Type /Page ").count()
}

#[test]
fn a_report_is_printed_whole() {
    if !has_chromium() {
        return;
    }
    let project = Project::new();
    project.ran(0);
    let scratch = project.path("scratch");
    fs::create_dir(&scratch).unwrap();
    let ran = Command::new(BINARY)
        .args(["report", "credit@latest", "--pdf", "out/audit report.pdf"])
        .env("TMPDIR", &scratch)
        .current_dir(project.path("."))
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let pdf = fs::read(project.path("out/audit report.pdf")).unwrap();
    assert!(pdf.starts_with(b"%PDF-") && pdf.len() > 20_000, "{} bytes", pdf.len());
    assert!(pages(&pdf) >= 3, "{} pages", pages(&pdf));
    assert_eq!(fs::read_dir(project.path("out")).unwrap().count(), 1, "the file and nothing beside it");
    assert_eq!(fs::read_dir(&scratch).unwrap().count(), 0, "the browser's profile is gone");
    project.probity(&["report", "credit@latest", "--out", "all", "--template", "model-card", "--pdf"]).expect(0);
    assert!(fs::read(project.path("all/model-card.pdf")).unwrap().starts_with(b"%PDF-"));
}

#[test]
fn without_a_browser_it_is_said_what_to_do_and_nothing_is_written() {
    let project = Project::new();
    project.ran(0);
    let report = |variable: &str, value: &str| {
        let mut command = Command::new(BINARY);
        command.args(["report", "credit@latest", "--pdf", "out/a.pdf"]).current_dir(project.path("."));
        command.env_remove("PROBITY_CHROMIUM").env_remove("CHROMIUM").env(variable, value);
        let ran = command.output().unwrap();
        assert_eq!(ran.status.code(), Some(2));
        assert!(!project.path("out").exists());
        String::from_utf8(ran.stderr).unwrap()
    };
    let none = report("PATH", "/nonexistent");
    assert!(none.contains("no Chromium was found") && none.contains("PROBITY_CHROMIUM"), "{none}");
    assert!(report("PROBITY_CHROMIUM", "/no/such/browser").contains("/no/such/browser"));
}

#[test]
fn one_name_is_for_one_document() {
    let project = Project::new();
    project.ran(0);
    let two = ["report", "credit@latest", "--template", "audit", "--template", "model-card", "--pdf", "a.pdf"];
    assert!(project.probity(&two).expect(2).stderr.contains("--out"));
    let both = ["report", "credit@latest", "--format", "md", "--pdf"];
    project.probity(&both).expect(2);
}
