//! What was audited: pipeline, data, model, threshold, groups, features.

use crate::audit::{Audit, Feature, ModelFacts};
use crate::report::label::{self, Label};
use crate::report::lookup::{self, Lookup};
use crate::report::number;
use crate::report::table::{Cell, Table};
use crate::report::text::{heads, say};
use crate::report::view::{Fact, Part, Section};
use crate::report::words;

/// Most features listed.
const MAX_FEATURES: usize = 200;

pub fn section(lookup: &Lookup) -> Option<Section> {
    let audit = lookup.audit;
    let part = Part { facts: facts(audit), tables: attributes(lookup), folded: features(audit), ..Part::default() };
    Section::of("scope", say!("scope.title"), vec![part])
}

/// A fact as text; nothing where there is none.
pub fn fact(name: impl Into<String>, value: impl AsRef<str>) -> Option<Fact> {
    let value = value.as_ref();
    (!value.is_empty()).then(|| Fact { name: name.into(), value: Label::whole(value, 300), code: false })
}

/// A fact in a fixed-width face.
pub fn code(name: impl Into<String>, value: impl AsRef<str>) -> Option<Fact> {
    fact(name, value).map(|fact| Fact { code: true, ..fact })
}

fn facts(audit: &Audit) -> Vec<Fact> {
    let scope = &audit.scope;
    let threshold = scope.threshold.map(|t| say!("scope.threshold", threshold = t.to_string()));
    let label = scope.label.clone().unwrap_or_else(|| say!("scope.no_label"));
    let groups = scope.attributes.iter().map(|a| label::attribute(&a.attribute)).collect::<Vec<_>>().join(", ");
    [
        fact(say!("fact.pipeline"), &audit.run.pipeline),
        fact(say!("fact.as_of"), words::date(&audit.run.as_of)),
        fact(say!("fact.owner"), scope.owner.as_deref().unwrap_or_default()),
        fact(say!("fact.version"), scope.version.as_deref().unwrap_or_default()),
        fact(say!("fact.tags"), scope.tags.join(", ")),
        fact(say!("fact.task"), task(audit)),
        code(say!("fact.data"), &scope.data_path),
        fact(say!("fact.rows"), number::count(audit.run.n_rows)),
        code(say!("fact.filter"), scope.filter.as_deref().unwrap_or_default()),
        fact(say!("fact.label"), label),
        fact(say!("fact.positive_class"), scope.positive.as_deref().unwrap_or_default()),
        fact(say!("fact.favourable_outcome"), scope.favourable.as_deref().unwrap_or_default()),
        fact(say!("fact.decision"), threshold.unwrap_or_default()),
        fact(say!("fact.row_weights"), scope.weight.as_deref().unwrap_or_default()),
        fact(say!("fact.groups"), groups),
        fact(say!("fact.confidence"), say!("scope.intervals", confidence = words::confidence(Some(scope.confidence)))),
        fact(say!("fact.rows_for_a_verdict"), say!("scope.least_rows", n = scope.min_group_rows)),
    ]
    .into_iter()
    .chain(scope.model.iter().flat_map(model))
    .flatten()
    .collect()
}

fn model(model: &ModelFacts) -> Vec<Option<Fact>> {
    let inputs = say!("scope.inputs", n = model.n_inputs);
    let made_by = match model.opset {
        opset if opset > 0 => {
            say!("scope.made_by_with_opset", producer = &model.producer, opset = opset.to_string(), inputs = inputs)
        }
        _ => say!("scope.made_by", producer = &model.producer, inputs = inputs),
    };
    vec![
        code(say!("fact.model"), &model.path),
        fact(say!("fact.structure"), &model.structure),
        fact(say!("fact.made_by"), made_by),
    ]
}

fn task(audit: &Audit) -> String {
    match audit.scope.task.as_str() {
        "binary" => say!("scope.binary"),
        "multiclass" => say!("scope.multiclass", n = audit.scope.outputs.len()),
        "regression" => say!("scope.regression"),
        other => other.to_owned(),
    }
}

fn attributes(lookup: &Lookup) -> Vec<Table> {
    let mut table = Table::new(say!("scope.attributes"), &heads!("attribute groups compared_with| rows_unknown"));
    for scope in &lookup.audit.scope.attributes {
        let n_groups = lookup.groups(&scope.attribute).iter().filter(|group| lookup::is_known(group)).count();
        let reference = label::group(&scope.attribute, &scope.reference);
        let cells = vec![
            Cell::count(n_groups as u64),
            Cell { is_reason: true, ..Cell::text(&reference).with_sub(Some(scope.reference_rule.clone())) },
            scope.n_unknown.map_or_else(Cell::withheld, Cell::count),
        ];
        table.push(Label::whole(&label::product(&scope.attribute), 40), cells);
    }
    if table.rows.is_empty() { Vec::new() } else { vec![table] }
}

fn missing(feature: &Feature, n_rows: u64) -> Cell {
    let Some(n) = feature.n_missing else { return Cell::withheld() };
    let share = if n_rows > 0 { n as f64 / n_rows as f64 } else { 0.0 };
    Cell::count(n).with_sub((n > 0).then(|| number::with_unit(number::Unit::Share, share)))
}

fn features(audit: &Audit) -> Vec<Table> {
    let all = &audit.scope.features;
    let caption = say!("scope.features", n = all.len());
    let mut table = Table::new(caption, &heads!("feature kind| missing values|"));
    for feature in all.iter().take(MAX_FEATURES) {
        let levels =
            feature.levels.iter().take(40).map(|level| label::shorten(level, 40)).collect::<Vec<_>>().join(", ");
        let cells = vec![Cell::text(&feature.kind), missing(feature, audit.run.n_rows), Cell::text(&levels)];
        table.push(Label::whole(&feature.name, 40), cells);
    }
    table.shown = words::shown_of("features_in_order", table.rows.len(), all.len());
    if table.rows.is_empty() { Vec::new() } else { vec![table] }
}
