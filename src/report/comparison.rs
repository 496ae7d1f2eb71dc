//! Two runs side by side, as a document of the same looks as a report.

use super::label::{self, Label};
use super::number;
use super::sections::drift;
use super::table::{Cell, Table};
use super::view::{Fact, Note, Part, Section, Verdict, View};
use super::words;
use crate::audit::{Comparison, Decision, Side};
use crate::report::text::{heads, say};

/// What the templates print of a comparison of published audits.
pub fn view(comparison: &Comparison) -> View {
    let (before, now) = (&comparison.before, &comparison.now);
    let sections = [runs(comparison), gates(comparison), moved(comparison), metrics(comparison)];
    View {
        lang: say!("language"),
        logo: None,
        title: Label::whole(&say!("comparison.title", pipeline = &now.pipeline), 120),
        eyebrow: say!("comparison.eyebrow", before = words::date(&before.as_of), now = words::date(&now.as_of)),
        description: None,
        verdict: verdict(comparison),
        sections: sections.into_iter().flatten().collect(),
        pipeline: now.pipeline.clone(),
        as_of: words::date(&now.as_of),
        annexes: Vec::new(),
        document: None,
        colophon: say!("comparison.colophon", before = &before.run_id, now = &now.run_id),
    }
}

fn verdict(comparison: &Comparison) -> Verdict {
    let (class, icon, word) = match comparison.comparable {
        true => ("none", "↔", say!("comparison.comparable")),
        false => ("insufficient", "?", say!("comparison.not_comparable")),
    };
    let apart = comparison.metrics.iter().chain(&comparison.group_gaps);
    let apart = apart.filter(|change| change.intervals_overlap == Some(false)).count();
    let sentence = match comparison.comparable {
        true => say!("comparison.apart", n = apart),
        false => comparison.not_comparable.join("; "),
    };
    Verdict { class, icon, word, sentence, findings: Vec::new() }
}

fn runs(comparison: &Comparison) -> Option<Section> {
    let side = |name: String, side: &Side| {
        let text = say!(
            "comparison.side",
            pipeline = &side.pipeline,
            date = &side.as_of,
            verdict = words::decision(side.verdict),
            rows = words::rows(side.n_rows),
            run = &side.run_id,
        );
        Fact { name, value: Label::whole(&text, 160), code: false }
    };
    let facts = vec![side(say!("column.before"), &comparison.before), side(say!("column.now"), &comparison.now)];
    let mut table = Table::new(
        say!("comparison.made_from"),
        &[String::new(), say!("column.before") + "|", say!("column.now") + "|"],
    );
    for difference in &comparison.differences {
        let cell = |text: &str| match text.is_empty() {
            true => Cell::text(&say!("comparison.nothing")),
            false => Cell::text(&label::shorten(text, 20)),
        };
        table.push(Label::fit(difference.what, 40), vec![cell(&difference.before), cell(&difference.now)]);
    }
    let reason = |text: &String| Note { about: say!("word.not_comparable"), text: text.clone() };
    let notes = comparison.not_comparable.iter().map(reason).collect();
    let tables = if table.rows.is_empty() { Vec::new() } else { vec![table] };
    Section::of("runs", say!("runs.title"), vec![Part { facts, notes, tables, ..Part::default() }])
}

fn gates(comparison: &Comparison) -> Option<Section> {
    let mut table = Table::new(say!("comparison.gates"), &heads!("gate before| now| observed_before now_later"));
    for gate in &comparison.gates {
        let word = |decision: Option<Decision>| Cell::text(&decision.map_or_else(|| "–".to_owned(), words::decision));
        let unit = words::unit(gate.gate.split(' ').next().unwrap_or_default());
        let value = |value: Option<f64>| value.map_or(Cell::none(), |v| Cell::number(number::with_unit(unit, v)));
        let cells = vec![word(gate.before), word(gate.now), value(gate.observed_before), value(gate.observed_now)];
        table.push(Label::whole(&gate.gate, 80), cells);
    }
    let tables = if table.rows.is_empty() { Vec::new() } else { vec![table] };
    Section::of("gates", say!("gates.title"), vec![Part { tables, ..Part::default() }])
}

fn metrics(comparison: &Comparison) -> Option<Section> {
    let shown = |table: Option<Table>| Part { tables: table.into_iter().collect(), ..Part::default() };
    let groups = drift::changes(&say!("comparison.groups"), &comparison.groups).into_iter().collect();
    let parts = vec![
        shown(drift::changes(&say!("comparison.overall"), &comparison.metrics)),
        shown(drift::changes(&say!("comparison.across"), &comparison.group_gaps)),
        Part { folded: groups, ..Part::default() },
    ];
    let lede = say!("comparison.metrics_lede");
    Some(Section::of("metrics", say!("metrics.title"), parts)?.with_lede(lede))
}

fn moved(comparison: &Comparison) -> Option<Section> {
    let mut part = drift::distances(&comparison.drift);
    part.figures.extend(drift::rank_chart(&comparison.ranks));
    let lede = say!("comparison.moved_lede");
    Some(Section::of("drift", say!("comparison.moved"), vec![part])?.with_lede(lede))
}
