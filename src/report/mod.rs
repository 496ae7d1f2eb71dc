//! The report: one HTML file that is read offline, years later, and printed.
//!
//! An [`Audit`] becomes a [`view::View`] — wording ([`words`]), rounding ([`number`]), tables ([`table`]) and chart
//! geometry ([`charts`]) — section by section ([`sections`]); minijinja templates print the view without calculating
//! anything. Values are made printable and escaped in one place ([`templates`]). The same stored audit gives the same
//! bytes: nothing here reads a clock, a random source or the order of a hash table.

pub mod charts;
pub mod comparison;
pub mod decision;
pub mod judged;
pub mod label;
pub mod lookup;
pub mod number;
pub mod scale;
pub mod sections;
pub mod table;
pub mod templates;
pub mod view;
pub mod words;

#[cfg(test)]
mod example;
#[cfg(test)]
mod tests;

use crate::audit::{Audit, Comparison};
use std::path::Path;
pub use templates::{ReportError, page_sources, print_page};

/// Draws a stored audit as one self-contained HTML document.
///
/// `template` names the report ("audit"); templates in the folder `overrides` are taken before the built-in ones.
///
/// # Errors
/// An unknown template, an unreadable folder, or a broken template, which is named with its line.
pub fn render(audit: &Audit, template: &str, overrides: Option<&Path>) -> Result<String, ReportError> {
    templates::print(&view::View::of(audit), template, overrides)
}

/// Draws a comparison of two published audits as one self-contained HTML document.
///
/// # Errors
/// A broken built-in template.
pub fn compare(comparison: &Comparison) -> Result<String, ReportError> {
    templates::print(&comparison::view(comparison), "audit", None)
}
