//! What drives the gaps: mean attributions by group and feature, and the decomposition of mean-score gaps.

use super::drivers::{MAX_OUTPUTS, short_scale};
use super::group_features;
use super::proxies;
use crate::audit::{AttributionGap, GroupAttribution};
use crate::report::charts::waterfall::{self, Step};
use crate::report::charts::{Chart, Figure};
use crate::report::label::{self, Label};
use crate::report::lookup::{self, Lookup};
use crate::report::number;
use crate::report::table::{Cell, Table};
use crate::report::text::{heads, say};
use crate::report::view::{Fold, Part, Section};
use crate::report::words;
use std::collections::BTreeMap;

/// Most cells of heatmaps of all outputs together, so that the page stays small.
const MAX_CELLS: usize = 1_200;
/// Most gap waterfalls of an output and of all, most terms in one.
const MAX_GAPS: usize = 4;
const MAX_ALL_GAPS: usize = 12;
const MAX_TERMS: usize = 9;

/// `(attribute, group, feature)` → summary, of one output.
pub type Summaries<'a> = BTreeMap<(&'a str, &'a str, &'a str), &'a GroupAttribution>;

/// Each output has a stretch of its own where there are several; the first is open.
pub fn section(lookup: &Lookup) -> Option<Section> {
    let outputs = lookup.explained_outputs();
    let first = outputs.first()?;
    let n_cells = group_features::n_cells(lookup, first, &summaries(lookup, first)).max(1);
    let shown = &outputs[..outputs.len().min(MAX_CELLS / n_cells).clamp(1, MAX_OUTPUTS)];
    let mut parts: Vec<Part> =
        shown.iter().enumerate().map(|(at, output)| part(lookup, at, output, shown.len())).collect();
    if let Some(last) = parts.last_mut().filter(|last| !last.is_empty()) {
        last.sentences.extend(words::shown_of("classes", shown.len(), outputs.len()));
    }
    parts.extend(proxies::part(lookup));
    Some(Section::of("gaps", say!("gaps.title"), parts)?.with_lede(say!("gaps.lede")))
}

fn summaries<'a>(lookup: &Lookup<'a>, output: &str) -> Summaries<'a> {
    let here = |g: &&GroupAttribution| g.output == output && !g.attribute.is_empty();
    let key = |g: &'a GroupAttribution| ((g.attribute.as_str(), g.group_value.as_str(), g.feature.as_str()), g);
    lookup.audit.group_attributions.iter().filter(here).map(key).collect()
}

fn part(lookup: &Lookup, at: usize, output: &str, n_outputs: usize) -> Part {
    let summaries = summaries(lookup, output);
    let gaps = gaps(lookup, output, &summaries);
    // Ids of the first output's figures stay what they are of a single one.
    let slug = if at == 0 { String::new() } else { format!("-{at}") };
    let most = MAX_GAPS.min((MAX_ALL_GAPS / n_outputs).max(1));
    let figure = |(place, gap): (usize, &Gap)| gap.figure(lookup, format!("fig-gap{slug}-{place}"), n_outputs > 1);
    let heatmap = group_features::heatmap(lookup, &format!("fig-group-features{slug}"), output, &summaries);
    let part = Part {
        sentences: gaps.iter().map(|gap| gap.sentence(lookup)).collect(),
        figures: heatmap.into_iter().chain(gaps.iter().take(most).enumerate().map(figure)).collect(),
        ..Part::default()
    };
    match n_outputs {
        1 => part,
        _ => part.folded(say!("gaps.output", output = output), if at == 0 { Fold::Open } else { Fold::Closed }),
    }
}

/// The gap of mean scores between a group and its reference, feature by feature.
struct Gap {
    output: String,
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
fn gaps(lookup: &Lookup, output: &str, summaries: &Summaries) -> Vec<Gap> {
    let single = lookup.audit.scope.attributes.iter().filter(|scope| !scope.attribute.contains(','));
    let largest = single.filter_map(|scope| {
        let (attribute, reference) = (scope.attribute.as_str(), scope.reference.as_str());
        let groups = lookup.groups(attribute).into_iter();
        let others = groups.filter(|g| *g != reference && lookup::is_known(g) && !lookup.is_small(attribute, g));
        let gaps = others.filter_map(|group| gap(output, summaries, attribute, group, reference));
        gaps.max_by(|a, b| a.total.abs().total_cmp(&b.total.abs()))
    });
    largest.take(MAX_GAPS).collect()
}

/// Differences of means; their intervals take the groups as independent: half-widths add in squares.
fn gap(output: &str, summaries: &Summaries, attribute: &str, group: &str, reference: &str) -> Option<Gap> {
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
    (!terms.is_empty()).then(|| Gap {
        output: output.to_owned(),
        attribute: attribute.to_owned(),
        group_value: group.to_owned(),
        group: name(group),
        reference: name(reference),
        terms,
        total,
    })
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
        let here = |gap: &&AttributionGap| {
            gap.attribute == self.attribute && gap.group_value == self.group_value && gap.output == self.output
        };
        let mut gaps = lookup.audit.attribution_gaps.iter().filter(here);
        gaps.find(|gap| gap.feature == feature && gap.condition == condition)
    }

    fn figure(&self, lookup: &Lookup, id: String, names_output: bool) -> Figure {
        let decimals = self.decimals();
        let (reference, group) = (label::shorten(&self.reference, 40), label::shorten(&self.group, 40));
        let title = match names_output {
            true => {
                let output = label::shorten(&self.output, 40);
                say!("gaps.waterfall_of_output", reference = reference, group = group, output = output)
            }
            false => say!("gaps.waterfall", reference = reference, group = group),
        };
        let table = self.table(lookup, &title);
        let (from, to) = (say!("gaps.start"), say!("gaps.end"));
        let end = (to.as_str(), self.total, number::signed(self.total, decimals));
        let start = (from.as_str(), 0.0, "0".to_owned());
        let axis = say!("gaps.axis", scale = short_scale(lookup));
        Figure {
            id,
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
    use crate::audit::Audit;
    use crate::report::example;

    #[test]
    fn the_terms_of_a_gap_add_up_to_the_gap_of_means() {
        let audit = example::binary();
        let lookup = Lookup::new(&audit);
        let gaps = gaps(&lookup, ">50K", &summaries(&lookup, ">50K"));
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
        let [output, attribute, group_value, group, reference] = ["o", "a", "g", "g", "r"].map(str::to_owned);
        let gap = Gap { output, attribute, group_value, group, reference, terms, total: 30.0 };
        let steps = gap.steps(2);
        assert_eq!(steps.len(), MAX_TERMS + 1);
        assert!((steps.iter().map(|step| step.size).sum::<f64>() - gap.total).abs() < 1e-12);
    }

    /// The multiclass example with as many classes explained, each with attributions of its own.
    fn explained(classes: &[&str]) -> Audit {
        let mut audit = example::multiclass();
        let (first, sizes) = (audit.group_attributions.clone(), 1..);
        audit.importance.iter_mut().for_each(|importance| importance.output = classes[0].to_owned());
        audit.scope.explained_outputs = classes.iter().map(|class| (*class).to_owned()).collect();
        let of = |(class, size): (&&str, u32)| {
            let scaled = |g: &GroupAttribution| GroupAttribution {
                output: (*class).to_owned(),
                mean: f64::from(size) * g.mean,
                ..g.clone()
            };
            first.iter().map(scaled).collect::<Vec<_>>()
        };
        audit.group_attributions = classes.iter().zip(sizes).flat_map(of).collect();
        audit
    }

    #[test]
    fn every_class_has_its_own_heatmap_and_waterfall_and_the_first_is_open() {
        let audit = explained(&["red", "green", "blue"]);
        let section = section(&Lookup::new(&audit)).unwrap();
        let told: Vec<_> =
            section.parts.iter().map(|part| (part.title.as_ref().unwrap().text.as_str(), part.fold)).collect();
        let closed = Some(Fold::Closed);
        assert_eq!(told, [("Output red", Some(Fold::Open)), ("Output green", closed), ("Output blue", closed)]);
        let ids = |at: usize| section.parts[at].figures.iter().map(|figure| figure.id.as_str()).collect::<Vec<_>>();
        assert_eq!(ids(0), ["fig-group-features", "fig-gap-0"]);
        assert_eq!(ids(2), ["fig-group-features-2", "fig-gap-2-0"]);
        let gap = |at: usize| section.parts[at].figures[1].table.rows[0].cells[0].text.clone();
        assert_eq!([gap(0), gap(1), gap(2)], ["−1.10", "−2.20", "−3.30"]);
        assert!(section.parts[1].figures[1].title.ends_with(", output green"));
    }

    #[test]
    fn classes_that_would_make_the_page_too_large_are_left_out_and_counted() {
        let names: Vec<String> = (0..12).map(|at| format!("class {at}")).collect();
        let audit = explained(&names.iter().map(String::as_str).collect::<Vec<_>>());
        let parts = section(&Lookup::new(&audit)).unwrap().parts;
        assert_eq!(parts.len(), MAX_OUTPUTS);
        assert_eq!(parts[9].sentences.last().unwrap(), "10 of 12 classes shown, in model order.");
    }

    #[test]
    fn a_single_output_is_told_without_a_fold() {
        let parts = section(&Lookup::new(&example::binary())).unwrap().parts;
        assert!(parts[0].title.is_none() && parts[0].fold.is_none());
    }
}
