//! Mean attributions by group and feature, as a heatmap.

use super::drivers::short_scale;
use super::gaps::Summaries;
use crate::audit::GroupAttribution;
use crate::report::charts::heatmap::{self, Block, Tile};
use crate::report::charts::{self, Chart, Figure};
use crate::report::label::{self, Label};
use crate::report::lookup::{self, Lookup};
use crate::report::number;
use crate::report::table::{Cell, Column, Table};
use crate::report::text::{heads, say};
use crate::report::words;

const MAX_FEATURES: usize = 14;
/// Most groups of one attribute, and of all.
const MAX_GROUPS: usize = 12;
const MAX_ROWS: usize = 40;

/// Features in order of importance; all that are summarised.
fn features<'a>(lookup: &Lookup<'a>, output: &str, summaries: &Summaries<'a>) -> Vec<&'a str> {
    let ranked: Vec<&str> = lookup.importance("attribution", output).into_iter().map(|i| i.feature.as_str()).collect();
    let mut features = ranked.clone();
    for (.., feature) in summaries.keys() {
        if !features.contains(feature) {
            features.push(feature);
        }
    }
    features.retain(|feature| summaries.keys().any(|key| key.2 == *feature));
    features
}

/// How many cells the heatmap of one output has.
pub fn n_cells(lookup: &Lookup, output: &str, summaries: &Summaries) -> usize {
    let n_rows: usize = rows(lookup, summaries).iter().map(|(_, groups)| groups.len()).sum();
    n_rows * features(lookup, output, summaries).len().min(MAX_FEATURES)
}

pub fn heatmap(lookup: &Lookup, id: &str, output: &str, summaries: &Summaries) -> Option<Figure> {
    let features = features(lookup, output, summaries);
    let shown = &features[..features.len().min(MAX_FEATURES)];
    let rows = rows(lookup, summaries);
    let n_rows: usize = rows.iter().map(|(_, groups)| groups.len()).sum();
    let mean =
        |attribute: &str, group: &str, feature: &str| summaries.get(&(attribute, group, feature)).map(|g| g.mean);
    let all =
        rows.iter().flat_map(|(a, groups)| groups.iter().flat_map(|g| shown.iter().filter_map(|f| mean(a, g, f))));
    let largest = all.map(f64::abs).fold(0.0, f64::max);
    let decimals = number::decimals_of_parts(largest).min(if largest < 0.1 { 3 } else { 2 });
    let tile = |attribute: &str, group: &str, feature: &str| match mean(attribute, group, feature) {
        Some(mean) => Tile {
            class: heatmap::diverging(mean, largest),
            text: number::signed(mean, decimals),
            hatched: lookup.is_small(attribute, group),
        },
        None => Tile { class: "none".into(), text: "–".into(), hatched: false },
    };
    let block = |(attribute, groups): &(&str, Vec<&str>)| Block {
        title: Some(label::attribute(attribute)),
        rows: groups
            .iter()
            .map(|group| (lookup::name(attribute, group), shown.iter().map(|f| tile(attribute, group, f)).collect()))
            .collect(),
    };
    let blocks: Vec<Block> = rows.iter().map(block).collect();
    if blocks.is_empty() || shown.is_empty() {
        return None;
    }
    let columns: Vec<String> = shown.iter().map(|feature| (*feature).to_owned()).collect();
    let limits = [
        words::shown_of("features_most_important", shown.len(), features.len()),
        words::shown_of("groups_of_each", n_rows, n_groups(lookup, summaries)),
    ];
    Some(Figure {
        id: id.to_owned(),
        template: "charts/heatmap.svg",
        title: match lookup.is_multiclass() {
            true => say!("gaps.heatmap_of_output", output = label::shorten(output, 40)),
            false => say!("gaps.heatmap"),
        },
        desc: say!("gaps.heatmap_desc"),
        note: Some(
            std::iter::once(say!("gaps.heatmap_note", scale = short_scale(lookup)))
                .chain(limits.into_iter().flatten())
                .collect::<Vec<_>>()
                .join(" "),
        ),
        wide: true,
        chart: Chart::Heatmap(heatmap::draw(id, &columns, &blocks, charts::FULL).with_key(
            &heatmap::DIVERGING,
            &number::signed(-largest, decimals),
            &number::signed(largest, decimals),
        )),
        table: numbers(&rows, shown, summaries, decimals),
    })
}

/// Groups by attribute, as many as there is room for.
fn rows<'a>(lookup: &Lookup<'a>, summaries: &Summaries<'a>) -> Vec<(&'a str, Vec<&'a str>)> {
    let mut left = MAX_ROWS;
    let mut rows = Vec::new();
    for scope in &lookup.audit.scope.attributes {
        let groups = lookup.largest_groups(&scope.attribute, MAX_GROUPS.min(left));
        let has_any = |g: &&str| summaries.keys().any(|key| key.0 == scope.attribute && key.1 == *g);
        let groups: Vec<&str> = groups.into_iter().filter(has_any).collect();
        left -= groups.len();
        if !groups.is_empty() {
            rows.push((scope.attribute.as_str(), groups));
        }
    }
    rows
}

fn n_groups(lookup: &Lookup, summaries: &Summaries) -> usize {
    let attributes = &lookup.audit.scope.attributes;
    let distinct = |attribute: &str| {
        let mut groups: Vec<&str> = summaries.keys().filter(|key| key.0 == attribute).map(|key| key.1).collect();
        groups.dedup();
        groups.len()
    };
    attributes.iter().map(|scope| distinct(&scope.attribute)).sum()
}

fn numbers(rows: &[(&str, Vec<&str>)], features: &[&str], summaries: &Summaries, decimals: usize) -> Table {
    let mut table = Table::new(say!("gaps.table"), &heads!("group n"));
    table.columns.extend(features.iter().map(|feature| Column::new(label::shorten(feature, 30), true)));
    for (attribute, groups) in rows {
        for group in groups {
            let of_group: Vec<Option<&GroupAttribution>> =
                features.iter().map(|feature| summaries.get(&(*attribute, *group, *feature)).copied()).collect();
            let n = of_group.iter().flatten().next().map_or(0, |summary| summary.n);
            let cell = |summary: Option<&GroupAttribution>| summary.map_or(Cell::none(), |g| mean_cell(g, decimals));
            let cells = std::iter::once(Cell::count(n)).chain(of_group.into_iter().map(cell)).collect();
            table.push(Label::fit(&lookup::name(attribute, group), 60), cells);
            if let Some(row) = table.rows.last_mut() {
                row.remark = Some(label::attribute(attribute));
            }
        }
    }
    table
}

fn mean_cell(summary: &GroupAttribution, decimals: usize) -> Cell {
    let (low, high) = (summary.mean_ci_low, summary.mean_ci_high);
    let interval = say!("interval.to", low = number::fixed(low, decimals), high = number::fixed(high, decimals));
    Cell::number(number::signed(summary.mean, decimals))
        .with_sub((low.is_finite() && high.is_finite()).then_some(interval))
}
