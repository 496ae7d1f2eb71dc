//! What is not shown, and why; never how large it is.

use crate::privacy::{Entry, Published, Why};
use crate::report::label::{self, Label};
use crate::report::table::{Cell, Table};
use crate::report::text::{heads, say};
use crate::report::view::{Part, Section};
use crate::report::words;

/// Most lines of the log shown.
const MAX_LINES: usize = 200;

pub fn section(published: &Published) -> Option<Section> {
    let limit = published.audit.scope.privacy.suppress_below;
    if limit <= 1 {
        return None;
    }
    let n_primary = published.log.iter().filter(|entry| entry.why == Why::Primary).count() as u64;
    let sentence = match published.log.len() {
        0 => say!("withheld.nothing"),
        _ => say!("withheld.entries", n = published.log.len(), primary = n_primary),
    };
    let part = Part { sentences: vec![sentence], tables: log(&published.log), ..Part::default() };
    let lede = say!("withheld.lede", limit = limit);
    Some(Section::of("withheld", say!("withheld.title"), vec![part])?.with_lede(lede))
}

fn log(entries: &[Entry]) -> Vec<Table> {
    let mut table = Table::new(say!("withheld.log"), &heads!("cell withheld| reason|"));
    for entry in entries.iter().take(MAX_LINES) {
        let cells = vec![Cell::text(&entry.what), Cell::text(&why(entry.why))];
        table.push(Label::fit(&cell(entry), 70), cells);
    }
    table.shown = words::shown_of("entries", table.rows.len(), entries.len());
    if table.rows.is_empty() { Vec::new() } else { vec![table] }
}

fn cell(entry: &Entry) -> String {
    match (entry.attribute.as_str(), entry.group.as_str()) {
        ("", _) => say!("withheld.all_rows"),
        (attribute, "") => label::product(attribute),
        (attribute, group) => format!("{}: {}", label::product(attribute), label::group(attribute, group)),
    }
}

fn why(why: Why) -> String {
    match why {
        Why::Primary => say!("withheld.primary"),
        Why::Complementary => say!("withheld.complementary"),
    }
}
