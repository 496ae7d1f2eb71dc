//! The report: one HTML file that is read offline, years later, and printed.
//!
//! An [`Audit`] becomes a [`view::View`] — wording ([`words`], of messages in [`text`]), rounding ([`number`]), tables ([`table`]) and chart
//! geometry ([`charts`]) — section by section ([`sections`]); minijinja templates print the view without calculating
//! anything. Values are made printable and escaped in one place ([`templates`]). The same stored audit gives the same
//! bytes: nothing here reads a clock, a random source or the order of a hash table.

pub mod charts;
pub mod comparison;
pub mod decision;
pub mod document;
pub mod judged;
pub mod label;
pub mod lookup;
pub mod number;
pub mod own;
pub mod prose;
pub mod rules;
pub mod scale;
pub mod script;
pub mod sections;
pub mod structure;
pub mod table;
pub mod templates;
pub mod text;
pub mod view;
pub mod words;

#[cfg(test)]
mod example;
#[cfg(test)]
mod pieces;
#[cfg(test)]
mod tests;

use crate::audit::{Audit, Comparison};
use crate::privacy;
use std::path::Path;
pub use templates::{ReportError, page_sources, print_page};
pub use text::Language;

/// Draws a stored audit as one self-contained HTML document.
///
/// `template` names the report ("audit"); templates in the folder `overrides` are taken before the built-in ones.
///
/// # Errors
/// An unknown template, an unreadable folder, or a broken template, which is named with its line.
pub fn render(audit: &Audit, template: &str, overrides: Option<&Path>) -> Result<String, ReportError> {
    Language::of(overrides)?.speaking(|| templates::print(&view(audit, template, overrides)?, template, overrides))
}

/// The same document as Markdown.
///
/// # Errors
/// As [`render`].
pub fn markdown(audit: &Audit, template: &str, overrides: Option<&Path>) -> Result<String, ReportError> {
    Language::of(overrides)?
        .speaking(|| templates::print_markdown(&view(audit, template, overrides)?, template, overrides))
}

/// The same document as JSON: its fields and sections (without the geometry of charts), the audit as it may be shown, and
/// the log of what is withheld.
///
/// # Errors
/// As [`render`].
pub fn json(audit: &Audit, template: &str, overrides: Option<&Path>) -> Result<String, ReportError> {
    let view = Language::of(overrides)?.speaking(|| {
        let view = view(audit, template, overrides)?;
        // Refuses what is no template.
        templates::print_markdown(&view, template, overrides)?;
        Ok::<_, ReportError>(view)
    })?;
    let published = privacy::published(audit);
    let mut document = serde_json::json!({
        "template": template,
        "title": view.title.text,
        "pipeline": published.audit.run.pipeline,
        "as_of": published.audit.run.as_of,
        "run_id": published.audit.run.run_id,
        "verdict": view.verdict,
        "document": view.document,
        "sections": if view.document.is_none() { view.sections } else { Vec::new() },
        "withheld": published.log,
        "audit": published.audit,
    });
    for part in ["/document/outline", "/sections"] {
        document.pointer_mut(part).into_iter().for_each(without_markup);
    }
    Ok(format!("{document}\n"))
}

fn view(audit: &Audit, template: &str, overrides: Option<&Path>) -> Result<view::View, ReportError> {
    templates::check(template, overrides)?;
    let mut view = view::View::of(audit);
    let sections: Vec<&view::Section> = view.sections.iter().chain(&view.annexes).collect();
    view.document = document::of(template, &audit.scope, &sections, overrides)?;
    Ok(view)
}

/// Takes charts' marks and positions, and pictures, out of sections, and tags out of texts; tables and Markdown stay.
fn without_markup(sections: &mut serde_json::Value) {
    let parts = sections.as_array_mut().into_iter().flatten().filter_map(|section| section.get_mut("parts"));
    for part in parts.filter_map(|parts| parts.as_array_mut()).flatten() {
        if let Some(markdown) = part.pointer_mut("/prose/markdown").map(serde_json::Value::take) {
            part["prose"] = markdown;
        }
        for shown in ["figures", "galleries"] {
            let figures = part.get_mut(shown).and_then(|figures| figures.as_array_mut());
            for figure in figures.into_iter().flatten().filter_map(|figure| figure.as_object_mut()) {
                let keys = ["chart", "template", "wide", "legend", "legend_ends", "pictures"];
                keys.iter().for_each(|key| drop(figure.remove(*key)));
            }
        }
    }
}

/// Draws a comparison of two published audits as one self-contained HTML document.
///
/// # Errors
/// A broken built-in template.
pub fn compare(comparison: &Comparison) -> Result<String, ReportError> {
    templates::print(&comparison::view(comparison), "audit", None)
}
