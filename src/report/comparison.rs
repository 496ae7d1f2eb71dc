//! Two runs side by side, as a document of the same looks as a report.

use super::label::{self, Label};
use super::number;
use super::sections::drift;
use super::table::{Cell, Table};
use super::view::{Fact, Note, Part, Section, Verdict, View};
use super::words;
use crate::audit::{Comparison, Decision, Side};

/// What the templates print of a comparison of published audits.
pub fn view(comparison: &Comparison) -> View {
    let (before, now) = (&comparison.before, &comparison.now);
    let sections = [runs(comparison), gates(comparison), moved(comparison), metrics(comparison)];
    View {
        lang: "en",
        title: Label::whole(&format!("{}: what changed", now.pipeline), 120),
        eyebrow: format!("Comparison · {} · {}", words::date(&before.as_of), words::date(&now.as_of)),
        description: None,
        verdict: verdict(comparison),
        sections: sections.into_iter().flatten().collect(),
        pipeline: now.pipeline.clone(),
        as_of: words::date(&now.as_of),
        annexes: Vec::new(),
        document: None,
        colophon: format!("Runs {} and {} · drawn from the stored runs alone.", before.run_id, now.run_id),
    }
}

fn verdict(comparison: &Comparison) -> Verdict {
    let (class, icon, word) = match comparison.comparable {
        true => ("none", "↔", "Comparable"),
        false => ("insufficient", "?", "Not comparable"),
    };
    let apart = comparison.metrics.iter().chain(&comparison.group_gaps);
    let apart = apart.filter(|change| change.intervals_overlap == Some(false)).count();
    let sentence = match comparison.comparable {
        true => {
            format!("Intervals of the two runs are apart for {}.", words::counted(apart as u64, "metric", "metrics"))
        }
        false => comparison.not_comparable.join("; "),
    };
    Verdict { class, icon, word, sentence, findings: Vec::new() }
}

fn runs(comparison: &Comparison) -> Option<Section> {
    let side = |name: &'static str, side: &Side| {
        let rows = number::count(side.n_rows);
        let verdict = words::decision(side.verdict);
        let text = format!("{} · {} · {verdict} · {rows} rows · {}", side.pipeline, side.as_of, side.run_id);
        Fact { name, value: Label::whole(&text, 160), code: false }
    };
    let facts = vec![side("Before", &comparison.before), side("Now", &comparison.now)];
    let mut table = Table::new("What the runs were made from, where it differs", &["", "Before|", "Now|"]);
    for difference in &comparison.differences {
        let cell = |text: &str| Cell::text(&label::shorten(if text.is_empty() { "none" } else { text }, 20));
        table.push(Label::fit(difference.what, 40), vec![cell(&difference.before), cell(&difference.now)]);
    }
    let reason = |text: &String| Note { about: "not comparable".into(), text: text.clone() };
    let notes = comparison.not_comparable.iter().map(reason).collect();
    let tables = if table.rows.is_empty() { Vec::new() } else { vec![table] };
    Section::of("runs", "The two runs", vec![Part { facts, notes, tables, ..Part::default() }])
}

fn gates(comparison: &Comparison) -> Option<Section> {
    let mut table = Table::new("Gates of the two runs", &["Gate", "Before|", "Now|", "Observed before", "now"]);
    for gate in &comparison.gates {
        let word = |decision: Option<Decision>| Cell::text(decision.map_or("–", words::decision));
        let unit = words::unit(gate.gate.split(' ').next().unwrap_or_default());
        let value = |value: Option<f64>| value.map_or(Cell::none(), |v| Cell::number(number::with_unit(unit, v)));
        let cells = vec![word(gate.before), word(gate.now), value(gate.observed_before), value(gate.observed_now)];
        table.push(Label::whole(&gate.gate, 80), cells);
    }
    let tables = if table.rows.is_empty() { Vec::new() } else { vec![table] };
    Section::of("gates", "Gates", vec![Part { tables, ..Part::default() }])
}

fn metrics(comparison: &Comparison) -> Option<Section> {
    let shown = |table: Option<Table>| Part { tables: table.into_iter().collect(), ..Part::default() };
    let groups = drift::changes("Single groups", &comparison.groups).into_iter().collect();
    let parts = vec![
        shown(drift::changes("Over all rows", &comparison.metrics)),
        shown(drift::changes("Across groups", &comparison.group_gaps)),
        Part { folded: groups, ..Part::default() },
    ];
    let lede = "Metrics that changed, with the interval of the change as of independent samples; where both runs hold \
                the same rows, the true one is narrower.";
    Some(Section::of("metrics", "Metrics", parts)?.with_lede(lede))
}

fn moved(comparison: &Comparison) -> Option<Section> {
    let mut part = drift::distances(&comparison.drift);
    part.figures.extend(drift::rank_chart(&comparison.ranks));
    let lede = "Distances of distributions in the earlier run's bins (0 is no change), and ranks of features.";
    Some(Section::of("drift", "Columns, scores and ranks", vec![part])?.with_lede(lede))
}
