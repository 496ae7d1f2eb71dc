//! The verdict in words, and every gate with what was observed and what was allowed.

use crate::audit::{Audit, Decision, Gate, LimitOn};
use crate::privacy::WITHHELD;
use crate::report::charts::{Chart, Figure, gates};
use crate::report::judged::{judged, unit_of_limit};
use crate::report::label::{self, Label};
use crate::report::lookup::Lookup;
use crate::report::number;
use crate::report::table::{Cell, Table};
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
        word: if audit.gates.is_empty() { "No verdict" } else { words::decision(audit.run.verdict) },
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
        part.sentences.push(format!("The previous run of this pipeline is {previous}."));
    }
    let section = Section::of("gates", "Gates", vec![part])?;
    let lede = "A gate compares one number of this audit with the limit that its owners set. \
                Insufficient means that the rows do not decide it, which is not a pass.";
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
        return format!("{name}: the number is {WITHHELD}");
    }
    if gate.decision == Decision::Insufficient {
        return format!("{name}: {}", label::shorten(&gate.reason, 200));
    }
    let observed = judged.value.map_or("undefined".to_owned(), |value| number::apart(unit, value, gate.limit).0);
    let interval = judged.interval.map(|(low, high)| format!(" ({})", number::range(unit, low, high)));
    let from = gate.baseline_value.zip(gate.observed).filter(|_| gate.limit_on != LimitOn::Value);
    let unit = words::unit(&gate.metric);
    let from = from.map(|(before, now)| {
        let (before, now) = number::apart(unit, before, now);
        format!(", from {before} to {now}")
    });
    let interval = interval.unwrap_or_default() + &from.unwrap_or_default();
    format!("{name}: {observed}{interval}, n\u{a0}=\u{a0}{}", number::count(gate.n))
}

fn table(all: &[&Gate]) -> Table {
    let has_baseline = all.iter().any(|gate| gate.limit_on != LimitOn::Value || gate.baseline_value.is_some());
    let mut columns = vec!["Gate", "Decision|", "Observed", "Limit"];
    columns.extend(has_baseline.then_some(["Before", "Change"]).into_iter().flatten());
    columns.extend(["n", "Reason|"]);
    let mut table = Table::new("Gates of this run", &columns);
    for gate in all {
        let unit = words::unit(&gate.metric);
        let mut cells = vec![decision(gate), observed(gate), limit(gate)];
        if has_baseline {
            cells.push(gate.baseline_value.map_or(Cell::none(), |v| Cell::number(number::with_unit(unit, v))));
            cells.push(change(gate));
        }
        let n = if gate.reason == WITHHELD { Cell::withheld() } else { Cell::number(number::count(gate.n)) };
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
        None => Cell::number("undefined"),
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
    let sub = (gate.severity == "warn").then(|| "warning only".to_owned());
    Cell { mark: Some((class, icon(class))), is_reason: true, sub, ..Cell::text(words::decision(gate.decision)) }
}

/// One figure, or two side by side where there are many gates.
fn strips(all: &[&Gate]) -> Vec<Figure> {
    let drawn = &all[..all.len().min(MAX_DRAWN)];
    let per_figure = if drawn.len() > 3 { drawn.len().div_ceil(2) } else { drawn.len().max(1) };
    let limit = words::shown(drawn.len(), all.len(), "gates", "in the order of the pipeline");
    drawn.chunks(per_figure).enumerate().map(|(at, gates)| strip(at, gates, limit.clone())).collect()
}

fn strip(at: usize, gates: &[&Gate], limit: Option<String>) -> Figure {
    let findings = gates.iter().map(|gate| finding(gate)).collect::<Vec<_>>().join("; ");
    Figure {
        id: format!("fig-gates-{at}"),
        template: "charts/gates.svg",
        title: format!("How far from the limit{}", if at > 0 { ", continued" } else { "" }),
        desc: format!(
            "Each gate on its own scale: the allowed side is tinted, the limit is a tick, the observed value a dot with \
             its interval. {findings}"
        ),
        note: limit.filter(|_| at == 0),
        wide: false,
        chart: Chart::Gates(gates::draw(gates)),
        table: numbers(at, gates),
    }
}

fn numbers(at: usize, gates: &[&Gate]) -> Table {
    let caption = format!("Numbers of the gate strip{}", if at > 0 { ", continued" } else { "" });
    let mut table = Table::new(caption, &["Gate", "Observed", "Limit"]);
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
