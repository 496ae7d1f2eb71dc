//! How simple the model is: its size, the number of features it lives on, and a small tree that stands in for it.

use crate::audit::{MODEL, Surrogate, SurrogateNode};
use crate::report::charts::tree::{self, Place};
use crate::report::charts::{Chart, Figure};
use crate::report::label::{self, Label};
use crate::report::lookup::Lookup;
use crate::report::number::{self, Unit};
use crate::report::rules;
use crate::report::sections::scope::fact;
use crate::report::table::{Cell, Table};
use crate::report::text::{heads, say};
use crate::report::view::{Fact, Part, Section};
use crate::report::words;

/// What is counted in the model's file.
const OF_FILE: &[&str] = &["parameters", "operators", "trees", "leaves", "depth", "features_used"];
/// Most classes of the table by class.
const MAX_CLASSES: usize = 60;
/// Most kinds of operators named.
const MAX_OPERATORS: usize = 12;

pub fn section(lookup: &Lookup) -> Option<Section> {
    let parts = vec![size(lookup), stand_in(lookup)];
    Some(Section::of("simplicity", say!("simplicity.title"), parts)?.with_lede(say!("simplicity.lede")))
}

fn size(lookup: &Lookup) -> Part {
    let mut table = Table::new(say!("simplicity.size"), &heads!("measure value"));
    for name in OF_FILE {
        // What a model has none of is left out.
        if let Some(metric) = lookup.metric(name, MODEL, "").filter(|metric| metric.value.is_some()) {
            table.push(Label::fit(&words::metric(name), 60), vec![Cell::metric(lookup.unit(name), Some(metric))]);
        }
    }
    let name = "effective_features";
    if let Some(metric) = effective(lookup) {
        table.push(Label::fit(&words::metric(name), 60), vec![Cell::metric(lookup.unit(name), Some(metric))]);
    }
    Part {
        sentences: features_sentence(lookup).into_iter().collect(),
        facts: operators(lookup).into_iter().collect(),
        tables: if table.rows.is_empty() { Vec::new() } else { vec![table] },
        ..Part::default()
    }
}

/// Of all outputs together, else of the only one.
fn effective<'a>(lookup: &Lookup<'a>) -> Option<&'a crate::audit::Metric> {
    let rows = || lookup.audit.metrics.iter().filter(|m| m.metric == "effective_features" && m.attribute == MODEL);
    rows().find(|metric| metric.output.is_empty()).or_else(|| rows().next())
}

fn features_sentence(lookup: &Lookup) -> Option<String> {
    let effective = effective(lookup)?.value?;
    let all = lookup.audit.scope.features.len() as u64;
    Some(say!("simplicity.features", effective = number::fixed(effective, 1), n = all))
}

fn operators(lookup: &Lookup) -> Option<Fact> {
    let operators = &lookup.audit.scope.model.as_ref()?.operators;
    let mut kinds: Vec<(&String, &u64)> = operators.iter().collect();
    kinds.sort_by_key(|(name, n)| (std::cmp::Reverse(**n), *name));
    let named =
        kinds.iter().take(MAX_OPERATORS).map(|(name, n)| format!("{name} × {n}")).collect::<Vec<_>>().join(", ");
    let more = kinds.len().saturating_sub(MAX_OPERATORS);
    let text = if more > 0 { say!("simplicity.more_kinds", named = named, n = more) } else { named };
    fact(say!("fact.operators"), text)
}

fn stand_in(lookup: &Lookup) -> Part {
    let Some(tree) = &lookup.audit.surrogate else { return undefined(lookup) };
    let title = say!("simplicity.in_its_place", n = tree.depth);
    Part {
        sentences: sentences(lookup, tree),
        figures: vec![figure(tree)],
        tables: by_class(lookup).into_iter().collect(),
        ..Part::titled(title)
    }
}

/// A tree was asked for and there is none.
fn undefined(lookup: &Lookup) -> Part {
    let reason = lookup.metric("surrogate_fidelity", MODEL, "").and_then(|metric| metric.undefined_reason.as_deref());
    let sentence = reason.map(|reason| say!("simplicity.no_tree", reason = reason));
    Part { sentences: sentence.into_iter().collect(), ..Part::default() }
}

fn sentences(lookup: &Lookup, tree: &Surrogate) -> Vec<String> {
    let (fitted, held_out) = (words::rows(tree.n_fitted), words::rows(tree.n_held_out));
    let mut sentences = vec![say!("simplicity.fitted", fitted = fitted, held_out = held_out, all = tree.n_total)];
    let measured = |name: &str, unit: Unit| {
        let metric = lookup.metric(name, MODEL, "")?;
        let value = metric.value?;
        Some(format!("{} {}", number::with_unit(unit, value), words::in_brackets(unit, metric)))
    };
    if lookup.is_regression() {
        sentences
            .extend(measured("surrogate_fidelity", Unit::Index).map(|r2| say!("simplicity.r2_predictions", r2 = r2)));
        return sentences;
    }
    if let Some(alike) = measured("surrogate_fidelity", Unit::Share) {
        let commonest = tree.commonest.map(|share| number::with_unit(Unit::Share, share));
        sentences.push(match commonest {
            Some(commonest) => say!("simplicity.alike", alike = alike, commonest = commonest),
            None => say!("simplicity.alike_alone", alike = alike),
        });
    }
    sentences.extend(measured("surrogate_r2", Unit::Index).map(|r2| say!("simplicity.r2_scores", r2 = r2)));
    sentences
}

fn by_class(lookup: &Lookup) -> Option<Table> {
    let outputs = &lookup.audit.scope.outputs;
    let of = |name: &str, output: &str| {
        lookup.metric_of_output(name, MODEL, "", output).map(|metric| Cell::metric(lookup.unit(name), Some(metric)))
    };
    let mut table = Table::new(say!("simplicity.by_class"), &heads!("class decided_alike r2_of_the_scores"));
    for output in outputs.iter().take(MAX_CLASSES).filter(|_| lookup.is_multiclass()) {
        let cells = [of("surrogate_fidelity", output), of("surrogate_r2", output)];
        if cells.iter().any(Option::is_some) {
            table.push(Label::whole(output, 30), cells.map(|cell| cell.unwrap_or_else(Cell::none)).into());
        }
    }
    table.shown = words::shown_of("classes", table.rows.len(), outputs.len());
    (!table.rows.is_empty()).then_some(table)
}

fn figure(tree: &Surrogate) -> Figure {
    let places: Vec<Place> = (0..tree.nodes.len()).map(|at| place(tree, at)).collect();
    Figure {
        id: "fig-surrogate".into(),
        template: "charts/tree.svg",
        title: say!("simplicity.tree"),
        desc: say!("simplicity.tree_desc"),
        note: Some(note(tree)),
        wide: true,
        chart: Chart::Tree(tree::draw(&places)),
        table: table(tree),
    }
}

fn note(tree: &Surrogate) -> String {
    let decides = tree.nodes.iter().any(|node| node.decision.is_some());
    match tree.outputs.as_slice() {
        [_] if decides => say!("simplicity.note_scores"),
        [_] => say!("simplicity.note_predictions"),
        _ => say!("simplicity.note_classes"),
    }
}

fn place(tree: &Surrogate, at: usize) -> Place {
    let node = &tree.nodes[at];
    let lines = match &node.split {
        Some(split) => {
            vec![split.feature.clone(), rules::question(split), format!("{} · {}", mean(tree, node), share(node))]
        }
        None => vec![said(tree, node), share(node)],
    };
    let branches = node.split.as_ref().map(|split| (split.yes as usize, split.no as usize));
    Place { depth: rules::depth(tree, at), lines, share: node.share, branches }
}

fn share(node: &SurrogateNode) -> String {
    match node.share {
        share if share > 0.0 && share < 0.0005 => "< 0.1\u{a0}%".to_owned(),
        share => number::with_unit(Unit::Share, share),
    }
}

/// A node's mean score, of the class that it would decide for where there are several.
fn mean(tree: &Surrogate, node: &SurrogateNode) -> String {
    match (node.values.as_slice(), &node.decision) {
        ([value], None) => number::significant(*value, 4),
        ([value], Some(_)) => number::fixed(*value, 3),
        _ => said(tree, node),
    }
}

/// What the tree says of the rows that reach a node: "0.83, >50K", "152.4", "versicolor 0.71".
fn said(tree: &Surrogate, node: &SurrogateNode) -> String {
    let decision = node.decision.as_deref().unwrap_or_default();
    match (node.values.as_slice(), node.decision.is_some()) {
        ([value], true) => format!("{} → {}", number::fixed(*value, 3), label::shorten(decision, 40)),
        ([value], false) => number::significant(*value, 4),
        (values, _) => {
            let at = tree.outputs.iter().position(|output| output == decision);
            let value = at.and_then(|at| values.get(at)).map_or(String::new(), |value| number::fixed(*value, 2));
            format!("{} {value}", label::shorten(decision, 40))
        }
    }
}

/// Every leaf with the conditions that lead to it.
fn table(tree: &Surrogate) -> Table {
    let mut table = Table::new(say!("simplicity.paths"), &heads!("leaf where| says| share_of_rows rows"));
    let leaves = tree.nodes.iter().enumerate().filter(|(_, node)| node.split.is_none());
    for (number, (at, node)) in leaves.enumerate() {
        let path = rules::path(tree, at);
        let told = if path.is_empty() { say!("simplicity.all_rows") } else { path.join("; ") };
        let cells = vec![
            Cell { is_long: true, text: label::shorten(&told, MAX_RULE), ..Cell::default() },
            Cell::text(&said(tree, node)),
            Cell::number(share(node)),
            Cell::count(node.n),
        ];
        table.push(Label::fit(&(number + 1).to_string(), 10), cells);
    }
    table
}

/// Longest rule in words: four conditions with their categories.
const MAX_RULE: usize = 900;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    #[test]
    fn the_tree_stands_beside_the_model_with_its_worth_and_its_rules() {
        let audit = example::binary();
        let section = section(&Lookup::new(&audit)).unwrap();
        let tree = &section.parts[1];
        assert!(tree.sentences[1].contains("86.0\u{a0}%") && tree.sentences[1].contains("70.0\u{a0}%"), "{tree:?}");
        let rules = &tree.figures[0].table;
        assert_eq!(rules.rows.len(), 3);
        assert_eq!(rules.rows[1].cells[0].text, "age ≤ 27.5; relationship is not Husband");
        let Chart::Tree(drawn) = &tree.figures[0].chart else { panic!("a tree") };
        assert_eq!(drawn.nodes.len(), 5);
    }

    #[test]
    fn what_the_model_has_none_of_is_absent_and_a_tree_that_cannot_be_has_a_reason() {
        let mut audit = example::binary();
        audit.surrogate = None;
        for metric in audit.metrics.iter_mut().filter(|metric| metric.attribute == MODEL) {
            (metric.value, metric.undefined_reason) = (None, Some("pictures".into()));
        }
        let section = section(&Lookup::new(&audit)).unwrap();
        let rows: Vec<&str> = section.parts[0].tables[0].rows.iter().map(|row| row.head.text.as_str()).collect();
        assert_eq!(rows, ["Effective number of features"]);
        assert!(section.parts[1].sentences[0].contains("pictures"));
    }

    #[test]
    fn an_audit_without_facts_of_the_model_has_no_such_section() {
        let mut audit = example::binary();
        audit.metrics.retain(|metric| metric.attribute != MODEL);
        audit.surrogate = None;
        audit.scope.model = None;
        assert!(section(&Lookup::new(&audit)).is_none());
    }
}
