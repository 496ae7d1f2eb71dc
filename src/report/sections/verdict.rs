//! The verdict in words, and every gate with what was observed and what was allowed.

use super::nights::Nights;
use super::nights_told;
use crate::audit::{Audit, Decision, Gate, LimitOn};
use crate::privacy::WITHHELD;
use crate::report::charts::{Chart, Figure, gates};
use crate::report::judged::{judged, unit_of_limit};
use crate::report::label::{self, Label};
use crate::report::lookup::Lookup;
use crate::report::number;
use crate::report::table::{Cell, Table};
use crate::report::text::{heads, say};
use crate::report::view::{Finding, Part, Section, Verdict};
use crate::report::words;

/// Most gates drawn; the table has all.
const MAX_DRAWN: usize = 12;
/// Most findings spelled out under the verdict.
const MAX_FINDINGS: usize = 6;

pub fn headline(audit: &Audit) -> Verdict {
    let failed = |gate: &&Gate| gate.decision == Decision::Fail && gate.severity != "warn";
    let warned = |gate: &&Gate| gate.decision == Decision::Fail && gate.severity == "warn";
    let undecided = |gate: &&Gate| gate.decision == Decision::Insufficient;
    let count = |which: &dyn Fn(&&Gate) -> bool| audit.gates.iter().filter(which).count();
    let class = if audit.gates.is_empty() { "none" } else { words::decision_class(audit.run.verdict, "fail") };
    let open: Vec<&Gate> = audit.gates.iter().filter(|gate| gate.decision != Decision::Pass).collect();
    Verdict {
        class,
        icon: icon(class),
        word: if audit.gates.is_empty() { say!("verdict.no_gates") } else { words::decision(audit.run.verdict) },
        sentence: words::verdict(
            audit.run.verdict,
            audit.gates.len(),
            count(&failed),
            count(&warned),
            count(&undecided),
        ),
        findings: open.iter().take(MAX_FINDINGS).map(|gate| marked(gate)).collect(),
    }
}

pub fn section(lookup: &Lookup) -> Option<Section> {
    let all: Vec<&Gate> = lookup.audit.gates.iter().collect();
    let mut part = Part::default();
    if !all.is_empty() {
        part.tables.push(table(&all));
        part.figures.extend(strips(&all));
    }
    if let Some(previous) = &lookup.audit.run.prev_run_id {
        part.sentences.push(say!("gates.previous", previous = previous));
    }
    if let Some(nights) = Nights::of(lookup).filter(|_| !all.is_empty()) {
        part.sentences.splice(0..0, nights_told::verdict(&nights).into_iter().chain(nights_told::gates(&nights)));
    }
    let section = Section::of("gates", say!("gates.title"), vec![part])?;
    let lede = say!("gates.lede");
    Some(if all.is_empty() { section } else { section.with_lede(lede) })
}

fn marked(gate: &Gate) -> Finding {
    let class = words::decision_class(gate.decision, &gate.severity);
    Finding { class, icon: icon(class), word: words::finding(class), text: finding(gate) }
}

/// "demographic_parity_ratio over sex ≥ 0.8: 0.36 (0.33–0.39), n = 14,700"
fn finding(gate: &Gate) -> String {
    let judged = judged(gate);
    let unit = judged.unit;
    let name = label::shorten(&gate.gate, 160);
    if gate.reason == WITHHELD {
        return say!("gates.finding_withheld", gate = name, WITHHELD = WITHHELD);
    }
    if gate.decision == Decision::Insufficient {
        return say!("gates.finding_undecided", gate = name, reason = label::shorten(&gate.reason, 200));
    }
    let observed = judged.value.map_or(say!("word.undefined"), |value| number::apart(unit, value, gate.limit).0);
    let interval = judged.interval.map(|(low, high)| format!(" ({})", number::range(unit, low, high)));
    let from = gate.baseline_value.zip(gate.observed).filter(|_| gate.limit_on != LimitOn::Value);
    let unit = words::unit(&gate.metric);
    let from = from.map(|(before, now)| {
        let (before, now) = number::apart(unit, before, now);
        say!("gates.from", before = before, now = now)
    });
    let interval = interval.unwrap_or_default() + &from.unwrap_or_default();
    say!("gates.finding", gate = name, observed = observed + &interval, n = gate.n)
}

fn table(all: &[&Gate]) -> Table {
    let has_baseline = all.iter().any(|gate| gate.limit_on != LimitOn::Value || gate.baseline_value.is_some());
    let columns = match has_baseline {
        true => heads!("gate decision| observed limit before change n reason|"),
        false => heads!("gate decision| observed limit n reason|"),
    };
    let mut table = Table::new(say!("gates.table"), &columns);
    for gate in all {
        let unit = words::unit(&gate.metric);
        let mut cells = vec![decision(gate), observed(gate), limit(gate)];
        if has_baseline {
            cells.push(gate.baseline_value.map_or(Cell::none(), |v| Cell::number(number::with_unit(unit, v))));
            cells.push(change(gate));
        }
        let n = if gate.reason == WITHHELD { Cell::withheld() } else { Cell::count(gate.n) };
        cells.extend([n, Cell::text(&gate.reason)]);
        table.push(Label::whole(&gate.gate, 80), cells);
    }
    table
}

fn observed(gate: &Gate) -> Cell {
    let unit = words::unit(&gate.metric);
    match gate.observed {
        Some(value) => {
            let interval = gate.ci_low.zip(gate.ci_high).map(|(low, high)| number::range(unit, low, high));
            Cell::number(number::apart(unit, value, gate.limit).0).with_sub(interval)
        }
        None if gate.reason == WITHHELD => Cell::withheld(),
        None => Cell::number(say!("word.undefined")),
    }
}

/// The change that the limit is on, with its interval.
fn change(gate: &Gate) -> Cell {
    let unit = unit_of_limit(gate);
    let Some(change) = gate.change else { return Cell::none() };
    let interval = gate.change_low.zip(gate.change_high).map(|(low, high)| number::range(unit, low, high));
    let sign = if change > 0.0 { "+" } else { "" };
    Cell::number(format!("{sign}{}", number::apart(unit, change, gate.limit).0)).with_sub(interval)
}

fn decision(gate: &Gate) -> Cell {
    let class = words::decision_class(gate.decision, &gate.severity);
    let sub = (gate.severity == "warn").then(|| say!("gates.warning_only"));
    Cell { mark: Some((class, icon(class))), is_reason: true, sub, ..Cell::text(&words::decision(gate.decision)) }
}

/// One figure, or two side by side where there are many gates.
fn strips(all: &[&Gate]) -> Vec<Figure> {
    let drawn = &all[..all.len().min(MAX_DRAWN)];
    let per_figure = if drawn.len() > 3 { drawn.len().div_ceil(2) } else { drawn.len().max(1) };
    let limit = words::shown_of("gates", drawn.len(), all.len());
    drawn.chunks(per_figure).enumerate().map(|(at, gates)| strip(at, gates, limit.clone())).collect()
}

fn strip(at: usize, gates: &[&Gate], limit: Option<String>) -> Figure {
    let findings = gates.iter().map(|gate| finding(gate)).collect::<Vec<_>>().join("; ");
    Figure {
        id: format!("fig-gates-{at}"),
        template: "charts/gates.svg",
        title: if at > 0 { say!("gates.strip_continued") } else { say!("gates.strip") },
        desc: say!("gates.strip_desc", findings = findings),
        note: limit.filter(|_| at == 0),
        wide: false,
        chart: Chart::Gates(gates::draw(gates)),
        table: numbers(at, gates),
    }
}

fn numbers(at: usize, gates: &[&Gate]) -> Table {
    let caption = if at > 0 { say!("gates.strip_table_continued") } else { say!("gates.strip_table") };
    let mut table = Table::new(caption, &heads!("gate observed limit"));
    for gate in gates {
        table.push(Label::fit(&gate.gate, 80), vec![observed(gate), limit(gate)]);
    }
    table
}

fn limit(gate: &Gate) -> Cell {
    let judged = judged(gate);
    Cell::number(number::apart(judged.unit, gate.limit, judged.value.unwrap_or(gate.limit)).0)
}

pub fn icon(class: &str) -> &'static str {
    match class {
        "pass" => "✓",
        "fail" => "✕",
        "warn" => "!",
        "insufficient" => "?",
        _ => "–",
    }
}
