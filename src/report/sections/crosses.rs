//! Rates over two dimensions: two attributes, or groups and classes.

use super::fairness::{MAX_DOTS, MAX_GROUPS, shown_groups};
use crate::report::charts::heatmap::{self, Block, Heatmap, Tile};
use crate::report::charts::{self, Chart, Figure};
use crate::report::label::{self, Label};
use crate::report::lookup::{self, Lookup};
use crate::report::number::{self, Unit};
use crate::report::table::{Cell, Column, Table};
use crate::report::text::{heads, say};
use crate::report::words;

/// What is drawn over two attributes, the first of these that was measured: who is favoured, else how well the model
/// does.
const CROSSED: &[(&str, Unit)] = &[
    ("favourable_rate", Unit::Share),
    ("selection_rate", Unit::Share),
    ("accuracy", Unit::Share),
    ("mae", Unit::Value),
];

/// A rate or error over two attributes; cells with too few rows are hatched.
pub fn intersection(lookup: &Lookup, at: usize, attribute: &str) -> Option<Figure> {
    if attribute.split(',').count() != 2 {
        return None;
    }
    let groups = lookup.groups(attribute);
    let is_measured = |name: &str| groups.iter().any(|group| lookup.metric(name, attribute, group).is_some());
    // Rates of several classes have a chart of their own.
    let fits = |name: &str| !(lookup.is_multiclass() && name.ends_with("_rate"));
    let (name, unit) = *CROSSED.iter().find(|(name, _)| fits(name) && is_measured(name))?;
    let pairs: Vec<(&str, &str, &str)> = lookup
        .largest_groups(attribute, MAX_GROUPS)
        .into_iter()
        .filter_map(|group| group.split_once(',').map(|(row, column)| (group, row, column)))
        .collect();
    let (columns, rows) = (distinct(pairs.iter().map(|pair| pair.1)), distinct(pairs.iter().map(|pair| pair.2)));
    if columns.len() > 6 || rows.len() > 20 || columns.is_empty() {
        return None;
    }
    let value = |group: &str| lookup.metric(name, attribute, group).and_then(|metric| metric.value);
    let largest = pairs.iter().filter_map(|(group, ..)| value(group)).fold(0.0, f64::max);
    let tile = |row: &str, column: &str| match pairs.iter().find(|pair| pair.1 == column && pair.2 == row) {
        Some((group, ..)) => Tile {
            class: value(group).map_or("none".into(), |v| heatmap::sequential(v, largest)),
            text: value(group).map_or("–".into(), |v| number::with_unit(unit, v)),
            hatched: lookup.is_small(attribute, group),
        },
        None => Tile { class: "none".into(), text: "–".into(), hatched: true },
    };
    let row = |row: &&str| ((*row).to_owned(), columns.iter().map(|column| tile(row, column)).collect());
    let block = Block { title: None, rows: rows.iter().map(row).collect() };
    let id = format!("fig-cross-{at}");
    let words = words::metric(name);
    let mut table = Table::new(
        say!("crosses.of", metric = &words, attribute = label::attribute(attribute)),
        &[say!("column.group"), words.clone(), say!("column.n")],
    );
    for (group, ..) in &pairs {
        let n = Cell::count(lookup.n(attribute, group));
        let cell = Cell::metric(unit, lookup.metric(name, attribute, group));
        table.push(Label::fit(&lookup::name(attribute, group), 60), vec![cell, n]);
    }
    let columns: Vec<String> = columns.into_iter().map(str::to_owned).collect();
    Some(Figure {
        chart: Chart::Heatmap(keyed(heatmap::draw(&id, &columns, &[block], charts::HALF), unit, largest)),
        id,
        template: "charts/heatmap.svg",
        title: say!("crosses.title", metric = &words, attribute = label::attribute(attribute)),
        desc: say!("crosses.desc", metric = &words, attribute = label::attribute(attribute)),
        note: Some(say!("crosses.note", n = lookup.audit.scope.min_group_rows)),
        wide: false,
        table,
    })
}

/// With a key from zero to the largest.
fn keyed(drawn: Heatmap, unit: Unit, largest: f64) -> Heatmap {
    let text = |value| number::with_unit(unit, value);
    drawn.with_key(&heatmap::SEQUENTIAL, &text(0.0), &text(largest))
}

fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    names.fold(Vec::new(), |mut seen, name| {
        if !seen.contains(&name) {
            seen.push(name);
        }
        seen
    })
}

/// Selection rates of every class by group (multiclass).
pub fn class_rates(lookup: &Lookup, at: usize, attribute: &str) -> Option<Figure> {
    const MAX_CLASSES: usize = 12;
    if !lookup.is_multiclass() {
        return None;
    }
    let outputs: Vec<String> = lookup.audit.scope.outputs.iter().take(MAX_CLASSES).cloned().collect();
    let groups = lookup.largest_groups(attribute, MAX_DOTS);
    let of = |group: &str, output: &str| lookup.metric_of_output("selection_rate", attribute, group, output);
    let values = groups.iter().flat_map(|group| outputs.iter().filter_map(|output| of(group, output)?.value));
    let largest = values.fold(0.0, f64::max);
    groups.iter().find(|group| outputs.iter().any(|output| of(group, output).is_some()))?;
    let tile = |group: &str, output: &str| {
        let value = of(group, output).and_then(|metric| metric.value);
        let class = value.map_or("none".into(), |v| heatmap::sequential(v, largest));
        let text = value.map_or("–".into(), |v| number::with_unit(Unit::Share, v));
        Tile { class, text, hatched: lookup.is_small(attribute, group) }
    };
    let row =
        |group: &&str| (lookup::name(attribute, group), outputs.iter().map(|output| tile(group, output)).collect());
    let block = Block { title: None, rows: groups.iter().map(row).collect() };
    let id = format!("fig-classes-{at}");
    let mut table =
        Table::new(say!("crosses.classes_table", attribute = label::attribute(attribute)), &heads!("group"));
    table.columns.extend(outputs.iter().map(|output| Column::new(label::shorten(output, 30), true)));
    for group in &groups {
        let cells = outputs.iter().map(|output| Cell::metric(Unit::Share, of(group, output))).collect();
        table.push(Label::fit(&lookup::name(attribute, group), 60), cells);
    }
    Some(Figure {
        chart: Chart::Heatmap(keyed(heatmap::draw(&id, &outputs, &[block], charts::FULL), Unit::Share, largest)),
        id,
        template: "charts/heatmap.svg",
        title: say!("crosses.classes", attribute = label::attribute(attribute)),
        desc: say!("crosses.classes_desc"),
        note: words::shown_of("classes", outputs.len(), lookup.audit.scope.outputs.len())
            .or_else(|| shown_groups(lookup, attribute, groups.len())),
        wide: true,
        table,
    })
}
