//! What drives the gaps: mean attributions by group and feature, and the decomposition of mean-score gaps.

use super::drivers::short_scale;
use super::proxies;
use crate::audit::{AttributionGap, GroupAttribution};
use crate::report::charts::heatmap::{self, Block, Tile};
use crate::report::charts::waterfall::{self, Step};
use crate::report::charts::{self, Chart, Figure};
use crate::report::label::{self, Label};
use crate::report::lookup::{self, Lookup};
use crate::report::number;
use crate::report::table::{Cell, Column, Table};
use crate::report::text::{heads, say};
use crate::report::view::{Part, Section};
use crate::report::words;
use std::collections::BTreeMap;

const MAX_FEATURES: usize = 14;
/// Most groups of one attribute, and of all, in the heatmap.
const MAX_GROUPS: usize = 12;
const MAX_ROWS: usize = 40;
/// Most gap waterfalls, most terms in one.
const MAX_GAPS: usize = 4;
const MAX_TERMS: usize = 9;

/// `(attribute, group, feature)` → summary, of one output.
type Summaries<'a> = BTreeMap<(&'a str, &'a str, &'a str), &'a GroupAttribution>;

pub fn section(lookup: &Lookup) -> Option<Section> {
    let output = lookup.explained_outputs().into_iter().next()?;
    let here = |g: &&GroupAttribution| g.output == output && !g.attribute.is_empty();
    let summaries: Summaries = lookup
        .audit
        .group_attributions
        .iter()
        .filter(here)
        .map(|g| ((g.attribute.as_str(), g.group_value.as_str(), g.feature.as_str()), g))
        .collect();
    let features = features(lookup, output, &summaries);
    let gaps: Vec<Gap> = gaps(lookup, &summaries);
    let part = Part {
        sentences: gaps.iter().map(|gap| gap.sentence(lookup)).collect(),
        figures: heatmap(lookup, output, &features, &summaries)
            .into_iter()
            .chain(gaps.iter().take(MAX_GAPS).enumerate().map(|(at, gap)| gap.figure(lookup, at, &short_scale(lookup))))
            .collect(),
        ..Part::default()
    };
    let lede = say!("gaps.lede");
    let parts = std::iter::once(part).chain(proxies::part(lookup)).collect();
    Some(Section::of("gaps", say!("gaps.title"), parts)?.with_lede(lede))
}

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

fn heatmap(lookup: &Lookup, output: &str, features: &[&str], summaries: &Summaries) -> Option<Figure> {
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
        id: "fig-group-features".into(),
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
        chart: Chart::Heatmap(heatmap::draw("fig-group-features", &columns, &blocks, charts::FULL).with_key(
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
            let cells = std::iter::once(Cell::number(number::count(n))).chain(of_group.into_iter().map(cell)).collect();
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

/// The gap of mean scores between a group and its reference, feature by feature.
struct Gap {
    attribute: String,
    /// As in the data.
    group_value: String,
    group: String,
    reference: String,
    /// Largest first: feature, difference of means, half-width of its interval.
    terms: Vec<(String, f64, f64)>,
    total: f64,
}

/// For every single attribute: the group with the largest gap among those with enough rows.
fn gaps(lookup: &Lookup, summaries: &Summaries) -> Vec<Gap> {
    let single = lookup.audit.scope.attributes.iter().filter(|scope| !scope.attribute.contains(','));
    let largest = single.filter_map(|scope| {
        let (attribute, reference) = (scope.attribute.as_str(), scope.reference.as_str());
        let groups = lookup.groups(attribute).into_iter();
        let others = groups.filter(|g| *g != reference && lookup::is_known(g) && !lookup.is_small(attribute, g));
        let gaps = others.filter_map(|group| gap(summaries, attribute, group, reference));
        gaps.max_by(|a, b| a.total.abs().total_cmp(&b.total.abs()))
    });
    largest.take(MAX_GAPS).collect()
}

/// Differences of means; their intervals take the groups as independent: half-widths add in squares.
fn gap(summaries: &Summaries, attribute: &str, group: &str, reference: &str) -> Option<Gap> {
    let of = |wanted: &str| -> Vec<&GroupAttribution> {
        summaries.iter().filter(|(key, _)| key.0 == attribute && key.1 == wanted).map(|(_, summary)| *summary).collect()
    };
    let half = |s: &GroupAttribution| (s.mean_ci_high - s.mean_ci_low) / 2.0;
    let (group_means, reference_means) = (of(group), of(reference));
    let difference = |own: &&GroupAttribution| {
        let other = reference_means.iter().find(|other| other.feature == own.feature)?;
        Some((own.feature.clone(), own.mean - other.mean, half(own).hypot(half(other))))
    };
    let mut terms: Vec<(String, f64, f64)> = group_means.iter().filter_map(difference).collect();
    terms.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
    let total = terms.iter().map(|term| term.1).sum();
    let name = |group| lookup::name(attribute, group);
    let (attribute, group_value) = (attribute.to_owned(), group.to_owned());
    let gap = Gap { attribute, group_value, group: name(group), reference: name(reference), terms, total };
    (!gap.terms.is_empty()).then_some(gap)
}

/// What the columns of a gap's table mean.
fn tested_note(lookup: &Lookup) -> Option<String> {
    (!lookup.audit.attribution_gaps.is_empty()).then(|| say!("gaps.tested"))
}

impl Gap {
    fn decimals(&self) -> usize {
        let largest = self.terms.first().map_or(0.0, |term| term.1.abs());
        number::decimals_of_parts(largest.max(self.total.abs()))
    }

    fn sentence(&self, lookup: &Lookup) -> String {
        let decimals = self.decimals();
        let (group, reference) = (label::shorten(&self.group, 60), label::shorten(&self.reference, 60));
        let size = number::fixed(self.total.abs(), decimals);
        let size = match lookup.is_regression() {
            true => size,
            false => say!("gaps.size", size = size, scale = short_scale(lookup)),
        };
        let what = if lookup.is_regression() { say!("axis.mean_prediction") } else { say!("axis.mean_score") };
        let part = self.terms.first().map(|term| largest_part(term, decimals)).unwrap_or_default();
        match self.total < 0.0 {
            true => {
                say!("gaps.below", what = what, group = group, size = size, reference = reference, largest_part = part)
            }
            false => {
                say!("gaps.above", what = what, group = group, size = size, reference = reference, largest_part = part)
            }
        }
    }

    /// What was stored of a feature's part, with its test.
    fn tested<'a>(&self, lookup: &Lookup<'a>, feature: &str, condition: &str) -> Option<&'a AttributionGap> {
        let output = lookup.explained_outputs().into_iter().next()?;
        let here = |gap: &&AttributionGap| {
            gap.attribute == self.attribute && gap.group_value == self.group_value && gap.output == output
        };
        let gaps = lookup.audit.attribution_gaps.iter().filter(here);
        gaps.into_iter().find(|gap| gap.feature == feature && gap.condition == condition)
    }

    fn figure(&self, lookup: &Lookup, at: usize, scale: &str) -> Figure {
        let decimals = self.decimals();
        let title = say!(
            "gaps.waterfall",
            reference = label::shorten(&self.reference, 40),
            group = label::shorten(&self.group, 40)
        );
        let table = self.table(lookup, &title);
        let (from, to) = (say!("gaps.start"), say!("gaps.end"));
        let end = (to.as_str(), self.total, number::signed(self.total, decimals));
        let start = (from.as_str(), 0.0, "0".to_owned());
        let axis = say!("gaps.axis", scale = scale);
        Figure {
            id: format!("fig-gap-{at}"),
            template: "charts/waterfall.svg",
            title,
            desc: say!(
                "gaps.waterfall_desc",
                reference = label::shorten(&self.reference, 60),
                group = label::shorten(&self.group, 60)
            ),
            note: Some(say!("gaps.waterfall_note", attribute = label::attribute(&self.attribute))),
            wide: false,
            chart: Chart::Waterfall(waterfall::draw(start, &self.steps(decimals), end, &axis)),
            table,
        }
    }

    fn table(&self, lookup: &Lookup, title: &str) -> Table {
        let decimals = self.decimals();
        let columns = heads!("feature difference_of_mean_attributions by_chance among_favourable_labels");
        let mut table = Table::new(say!("gaps.waterfall_table", title = title), &columns);
        let range = |low: f64, high: f64| number::fixed_range(low, high, decimals);
        for (feature, size, half) in self.terms.iter().take(50) {
            let interval = half.is_finite().then(|| range(size - half, size + half));
            let difference = Cell::number(number::signed(*size, decimals)).with_sub(interval);
            let tested = self.tested(lookup, feature, "");
            let chance = tested.and_then(|gap| gap.p_value).map_or(Cell::none(), |p| {
                let adjusted = tested.and_then(|gap| gap.p_adjusted).map(number::adjusted_p_value);
                Cell::number(number::p_value(p)).with_sub(adjusted)
            });
            let among = self.tested(lookup, feature, "favourable label").map_or(Cell::none(), |gap| {
                let interval = gap.ci_low.zip(gap.ci_high).map(|(low, high)| range(low, high));
                let sub =
                    interval.into_iter().chain(gap.p_value.map(number::p_value)).reduce(|a, b| format!("{a}; {b}"));
                Cell::number(number::signed(gap.difference, decimals)).with_sub(sub)
            });
            table.push(Label::fit(feature, 60), vec![difference, chance, among]);
        }
        table.shown = tested_note(lookup);
        table
    }

    fn steps(&self, decimals: usize) -> Vec<Step> {
        let step = |(feature, size, half): &(String, f64, f64)| Step {
            name: feature.clone(),
            size: *size,
            text: number::signed(*size, decimals),
            interval: (half.is_finite() && *half > 0.0).then_some((size - half, size + half)),
        };
        let mut steps: Vec<Step> = self.terms.iter().take(MAX_TERMS).map(step).collect();
        let rest = &self.terms[steps.len()..];
        if !rest.is_empty() {
            let size = rest.iter().map(|term| term.1).sum();
            let name = say!("count.others", n = rest.len());
            steps.push(Step { name, size, text: number::signed(size, decimals), interval: None });
        }
        steps
    }
}

fn largest_part((feature, size, half): &(String, f64, f64), decimals: usize) -> String {
    let (feature, part) = (label::shorten(feature, 40), number::signed(*size, decimals));
    if !half.is_finite() || *half <= 0.0 {
        return say!("gaps.largest_part", feature = feature, part = part);
    }
    let (low, high) = (number::fixed(size - half, decimals), number::fixed(size + half, decimals));
    say!("gaps.largest_part_interval", feature = feature, part = part, low = low, high = high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    #[test]
    fn the_terms_of_a_gap_add_up_to_the_gap_of_means() {
        let audit = example::binary();
        let lookup = Lookup::new(&audit);
        let summaries: Summaries = audit
            .group_attributions
            .iter()
            .map(|g| ((g.attribute.as_str(), g.group_value.as_str(), g.feature.as_str()), g))
            .collect();
        let gaps = gaps(&lookup, &summaries);
        assert_eq!((gaps[0].group.as_str(), gaps[0].reference.as_str()), ("Female", "Male"));
        let by_hand: f64 = ["Female", "Male"]
            .iter()
            .map(|group| {
                let sum: f64 =
                    audit.group_attributions.iter().filter(|g| g.group_value == *group).map(|g| g.mean).sum();
                if *group == "Female" { sum } else { -sum }
            })
            .sum();
        assert!((gaps[0].total - by_hand).abs() < 1e-12);
    }

    #[test]
    fn terms_that_do_not_fit_are_summed_so_that_the_waterfall_still_ends_at_the_gap() {
        let terms: Vec<(String, f64, f64)> = (0..30).map(|i| (format!("x{i}"), 1.0, 0.1)).collect();
        let (group_value, group) = ("g".to_owned(), "g".to_owned());
        let gap = Gap { attribute: "a".into(), group_value, group, reference: "r".into(), terms, total: 30.0 };
        let steps = gap.steps(2);
        assert_eq!(steps.len(), MAX_TERMS + 1);
        assert!((steps.iter().map(|step| step.size).sum::<f64>() - gap.total).abs() < 1e-12);
    }
}
