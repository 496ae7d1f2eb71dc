//! Pieces of the report as they read, for review: sections as Markdown, charts as SVG, of the small audits made by hand.
//!
//! A change of wording, rounding or geometry shows as a difference of `tests/snapshots`. After looking at it:
//! `INSTA_UPDATE=always cargo test --release pieces`. Nothing in them depends on a clock or a random source.

use super::{example, markdown, render};
use crate::audit::Audit;
use insta::{assert_snapshot, with_settings};

/// What the store gives back of an audit.
fn stored(audit: &Audit) -> Audit {
    serde_json::from_str(&serde_json::to_string(audit).unwrap()).unwrap()
}

/// Sections of that order in the Markdown, from their heading to the next; with what stands before the first.
fn sections(audit: &Audit, wanted: &[&str]) -> String {
    let whole = markdown(&stored(audit), "audit", None).unwrap();
    let ids: Vec<String> = super::view::View::of(audit).sections.iter().map(|section| section.id.to_string()).collect();
    let parts: Vec<&str> = whole.split("\n## ").collect();
    let section = |id: &&str| {
        let at = ids.iter().position(|known| known == id).unwrap_or_else(|| panic!("no section {id}"));
        format!("## {}", parts[at + 1].trim_end())
    };
    [parts[0].trim_end().to_owned()].into_iter().chain(wanted.iter().map(section)).collect::<Vec<_>>().join("\n\n")
}

/// The chart of that id, as it stands in the page.
fn chart(audit: &Audit, id: &str) -> String {
    let page = render(&stored(audit), "audit", None).unwrap();
    let at = page.find(&format!("aria-labelledby=\"{id}-t")).unwrap_or_else(|| panic!("no chart {id}"));
    let start = page[..at].rfind("<svg").unwrap();
    let end = start + page[start..].find("</svg>").unwrap() + "</svg>".len();
    page[start..end].lines().filter(|line| !line.trim().is_empty()).collect::<Vec<_>>().join("\n")
}

fn reviewed(name: &str, text: &str) {
    with_settings!({
        snapshot_path => "../../tests/snapshots", prepend_module_to_snapshot => false, omit_expression => true
    }, { assert_snapshot!(name, text) });
}

#[test]
fn the_words_of_a_binary_audit() {
    reviewed("binary", &sections(&example::binary(), &["gates", "performance", "fairness", "history"]));
}

#[test]
fn the_words_of_a_multiclass_audit() {
    reviewed("multiclass", &sections(&example::multiclass(), &["performance", "fairness"]));
}

#[test]
fn the_words_of_a_regression_audit() {
    reviewed("regression", &sections(&example::regression(), &["performance", "fairness", "cases"]));
}

#[test]
fn the_marks_of_charts() {
    let audit = example::binary();
    for id in ["fig-gates-0", "fig-ratio-0", "fig-case-0", "fig-ranks"] {
        reviewed(id, &chart(&audit, id));
    }
}
