//! What was audited: pipeline, data, model, threshold, groups, features.

use crate::audit::{Audit, Feature, ModelFacts};
use crate::report::label::{self, Label};
use crate::report::lookup::{self, Lookup};
use crate::report::number;
use crate::report::table::{Cell, Table};
use crate::report::view::{Fact, Part, Section};
use crate::report::words;

/// Most features listed.
const MAX_FEATURES: usize = 200;

pub fn section(lookup: &Lookup) -> Option<Section> {
    let audit = lookup.audit;
    let part = Part { facts: facts(audit), tables: attributes(lookup), folded: features(audit), ..Part::default() };
    Section::of("scope", "Scope", vec![part])
}

/// A fact as text; nothing where there is none.
pub fn fact(name: &'static str, value: impl AsRef<str>) -> Option<Fact> {
    let value = value.as_ref();
    (!value.is_empty()).then(|| Fact { name, value: Label::whole(value, 200), code: false })
}

/// A fact in a fixed-width face.
pub fn code(name: &'static str, value: impl AsRef<str>) -> Option<Fact> {
    fact(name, value).map(|fact| Fact { code: true, ..fact })
}

fn facts(audit: &Audit) -> Vec<Fact> {
    let scope = &audit.scope;
    let threshold = scope.threshold.map(|t| format!("score ≥ {t}"));
    let label = scope.label.as_ref().map_or("none: only measures that need no label", String::as_str);
    let groups = scope.attributes.iter().map(|a| label::attribute(&a.attribute)).collect::<Vec<_>>().join(", ");
    [
        fact("Pipeline", &audit.run.pipeline),
        fact("As of", words::date(&audit.run.as_of)),
        fact("Owner", scope.owner.as_deref().unwrap_or_default()),
        fact("Version", scope.version.as_deref().unwrap_or_default()),
        fact("Tags", scope.tags.join(", ")),
        fact("Task", task(audit)),
        code("Data", &scope.data_path),
        fact("Rows", number::count(audit.run.n_rows)),
        code("Filter", scope.filter.as_deref().unwrap_or_default()),
        fact("Label", label),
        fact("Positive class", scope.positive.as_deref().unwrap_or_default()),
        fact("Favourable outcome", scope.favourable.as_deref().unwrap_or_default()),
        fact("Decision", threshold.unwrap_or_default()),
        fact("Row weights", scope.weight.as_deref().unwrap_or_default()),
        fact("Groups", groups),
        fact("Confidence", format!("{} intervals", words::confidence(Some(scope.confidence)))),
        fact("Rows for a verdict", format!("at least {} in a group", number::count(scope.min_group_rows))),
    ]
    .into_iter()
    .chain(scope.model.iter().flat_map(model))
    .flatten()
    .collect()
}

fn model(model: &ModelFacts) -> Vec<Option<Fact>> {
    let inputs = words::counted(model.n_inputs, "input", "inputs");
    let opset = if model.opset > 0 { format!(", ONNX opset {}", model.opset) } else { String::new() };
    vec![
        code("Model", &model.path),
        fact("Structure", &model.structure),
        fact("Made by", format!("{}{opset}, {inputs}", model.producer)),
    ]
}

fn task(audit: &Audit) -> String {
    match audit.scope.task.as_str() {
        "binary" => "binary classification".to_owned(),
        "multiclass" => format!("classification into {} classes", audit.scope.outputs.len()),
        other => other.to_owned(),
    }
}

fn attributes(lookup: &Lookup) -> Vec<Table> {
    let mut table = Table::new("Attributes audited", &["Attribute", "Groups", "Compared with|", "Rows unknown"]);
    for scope in &lookup.audit.scope.attributes {
        let n_groups = lookup.groups(&scope.attribute).iter().filter(|group| lookup::is_known(group)).count();
        let reference = label::group(&scope.attribute, &scope.reference);
        let cells = vec![
            Cell::number(number::count(n_groups as u64)),
            Cell { is_reason: true, ..Cell::text(&reference).with_sub(Some(scope.reference_rule.clone())) },
            scope.n_unknown.map_or_else(Cell::withheld, |n| Cell::number(number::count(n))),
        ];
        table.push(Label::whole(&label::product(&scope.attribute), 40), cells);
    }
    if table.rows.is_empty() { Vec::new() } else { vec![table] }
}

fn missing(feature: &Feature, n_rows: u64) -> Cell {
    let Some(n) = feature.n_missing else { return Cell::withheld() };
    let share = if n_rows > 0 { n as f64 / n_rows as f64 } else { 0.0 };
    Cell::number(number::count(n)).with_sub((n > 0).then(|| number::with_unit(number::Unit::Share, share)))
}

fn features(audit: &Audit) -> Vec<Table> {
    let all = &audit.scope.features;
    let caption = format!("The model's {}", words::counted(all.len() as u64, "feature", "features"));
    let mut table = Table::new(caption, &["Feature", "Kind|", "Missing", "Values|"]);
    for feature in all.iter().take(MAX_FEATURES) {
        let levels =
            feature.levels.iter().take(40).map(|level| label::shorten(level, 40)).collect::<Vec<_>>().join(", ");
        let cells = vec![Cell::text(&feature.kind), missing(feature, audit.run.n_rows), Cell::text(&levels)];
        table.push(Label::whole(&feature.name, 40), cells);
    }
    table.shown = words::shown(table.rows.len(), all.len(), "features", "in model order");
    if table.rows.is_empty() { Vec::new() } else { vec![table] }
}
