//! Why decisions were unfavourable: principal reasons by feature, and row by row.

use crate::audit::{AdverseActions, AdverseRow, CaseTerm};
use crate::report::label::{self, Label};
use crate::report::lookup::Lookup;
use crate::report::number;
use crate::report::table::{Cell, Table};
use crate::report::text::{heads, say};
use crate::report::view::{Part, Section};
use crate::report::words;

/// Most rows listed; all of them are in `explanations`.
const MAX_ROWS: usize = 100;

pub fn section(lookup: &Lookup) -> Option<Section> {
    let parts = match &lookup.audit.adverse {
        Some(adverse) => vec![overall(lookup, adverse), by_row(lookup, adverse)],
        None => vec![Part { sentences: vec![say!("reasons.none")], ..Part::default() }],
    };
    let lede = say!("reasons.lede");
    Some(Section::of("reasons", say!("reasons.title"), parts)?.with_lede(lede))
}

fn overall(lookup: &Lookup, adverse: &AdverseActions) -> Part {
    let proof = &lookup.audit.proof;
    let mut sentences = vec![
        say!("reasons.adverse", n = adverse.n_explained, adverse = adverse.n_adverse),
        say!(
            "reasons.method",
            n = adverse.per_decision,
            method = &proof.method,
            scale = words::scale(&proof.scale, &lookup.audit.scope.task),
            background = match proof.background_source.as_str() {
                "" => say!("reasons.own_background"),
                source => source.to_owned(),
            },
        ),
    ];
    let version = lookup.audit.scope.documents.reasons_version.as_deref();
    sentences.push(match version {
        Some(version) => say!("reasons.version", version = label::shorten(version, 60)),
        None => say!("reasons.no_version"),
    });
    let mut table = Table::new(say!("reasons.by_feature"), &heads!("code text| principal_reason among_the_reasons"));
    for reason in &adverse.reasons {
        let cells = vec![text(lookup, &reason.feature), Cell::count(reason.n_first), Cell::count(reason.n_any)];
        table.push(Label::whole(&reason.feature, 40), cells);
    }
    let tables = if table.rows.is_empty() { Vec::new() } else { vec![table] };
    Part { sentences, tables, ..Part::default() }
}

fn text(lookup: &Lookup, feature: &str) -> Cell {
    match lookup.audit.scope.documents.reasons.get(feature) {
        Some(text) => Cell::text(text),
        None => Cell {
            is_long: true,
            ..Cell::text(&say!("word.not_provided")).with_sub(Some(format!("[report.reasons] {feature}")))
        },
    }
}

fn by_row(lookup: &Lookup, adverse: &AdverseActions) -> Part {
    let shown = adverse.rows.len().min(MAX_ROWS);
    let mut table = Table::new(say!("reasons.by_row_table"), &heads!("row score reasons|"));
    for row in adverse.rows.iter().take(MAX_ROWS) {
        table.push(
            Label::whole(&row.row_id, 40),
            vec![Cell::number(number::probability(row.score)), reasons(lookup, row)],
        );
    }
    table.shown = words::shown_of("adverse", shown, adverse.n_adverse as usize);
    if table.rows.is_empty() {
        return Part::default();
    }
    Part { tables: vec![table], ..Part::titled(say!("reasons.by_row")) }
}

fn reasons(lookup: &Lookup, row: &AdverseRow) -> Cell {
    let one = |(at, term): (usize, &CaseTerm)| {
        let texts = &lookup.audit.scope.documents.reasons;
        let text = texts.get(&term.feature).map_or(String::new(), |text| format!(": {}", label::shorten(text, 90)));
        format!("{}. {}{text}", at + 1, label::shorten(&term.feature, 40))
    };
    let listed = row.reasons.iter().enumerate().map(one).collect::<Vec<_>>().join("; ");
    let text = if listed.is_empty() { say!("reasons.no_feature") } else { listed };
    Cell { text, is_long: true, ..Cell::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    #[test]
    fn a_reason_has_its_text_or_the_key_that_gives_it() {
        let mut audit = example::binary();
        audit.scope.documents.reasons = [("age".to_owned(), "Length of credit history".to_owned())].into();
        let lookup = Lookup::new(&audit);
        assert_eq!(text(&lookup, "age").text, "Length of credit history");
        assert_eq!(text(&lookup, "debt").sub.as_deref(), Some("[report.reasons] debt"));
    }

    #[test]
    fn without_explained_decisions_the_section_says_so() {
        let audit = example::regression();
        let section = section(&Lookup::new(&audit)).unwrap();
        assert_eq!(section.parts[0].sentences, [say!("reasons.none")]);
    }
}
