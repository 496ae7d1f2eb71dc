//! What is not shown, and why; never how large it is.

use crate::privacy::{Entry, Published, Why};
use crate::report::label::{self, Label};
use crate::report::number;
use crate::report::table::{Cell, Table};
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
    let counted = words::counted(published.log.len() as u64, "entry", "entries");
    let sentence = match published.log.len() {
        0 => "Nothing had to be withheld.".to_owned(),
        _ => format!("{counted} in the log, {} of them primary.", number::count(n_primary)),
    };
    let part = Part { sentences: vec![sentence], tables: log(&published.log), ..Part::default() };
    let lede = format!(
        "Counts of fewer than {} rows are withheld (primary), and so are numbers from which one of them could be worked \
         out (complementary). Ratios to the most favoured group are taken over the groups shown wherever one is \
         withheld. Decisions of gates rest on all numbers.",
        number::count(limit)
    );
    Some(Section::of("withheld", "What is withheld", vec![part])?.with_lede(lede))
}

fn log(entries: &[Entry]) -> Vec<Table> {
    let mut table = Table::new("Suppression log", &["Cell", "Withheld|", "Reason|"]);
    for entry in entries.iter().take(MAX_LINES) {
        let cells = vec![Cell::text(&entry.what), Cell::text(why(entry.why))];
        table.push(Label::fit(&cell(entry), 70), cells);
    }
    table.shown = words::shown(table.rows.len(), entries.len(), "entries", "in the order of the attributes");
    if table.rows.is_empty() { Vec::new() } else { vec![table] }
}

fn cell(entry: &Entry) -> String {
    match (entry.attribute.as_str(), entry.group.as_str()) {
        ("", _) => "all rows".to_owned(),
        (attribute, "") => label::product(attribute),
        (attribute, group) => format!("{}: {}", label::product(attribute), label::group(attribute, group)),
    }
}

fn why(why: Why) -> &'static str {
    match why {
        Why::Primary => "primary",
        Why::Complementary => "complementary",
    }
}
