//! What drives the model: importance by two methods, the beeswarm, dependence on the most important features.

use super::{dependence, interactions};
use crate::audit::{Importance, SampleSeries};
use crate::report::charts::bars::{self, Bar};
use crate::report::charts::beeswarm::{self, Swarm};
use crate::report::charts::plot;
use crate::report::charts::{Chart, Figure};
use crate::report::label::{self, Label};
use crate::report::lookup::Lookup;
use crate::report::number;
use crate::report::table::{Cell, Table};
use crate::report::text::{heads, say};
use crate::report::view::{Part, Section};
use crate::report::words;

/// Most features in a chart.
const MAX_FEATURES: usize = 20;
/// Most outputs with charts of their own.
pub const MAX_OUTPUTS: usize = 10;
/// Most outputs with triangles of interactions.
const MAX_WITH_INTERACTIONS: usize = 3;
/// Most dots of one feature, and of all beeswarms together.
pub const MAX_DOTS: usize = 600;
const MAX_ALL_DOTS: usize = 24_000;
/// Ranks that must lie between two methods before their disagreement is named.
const RANKS_APART: u32 = 3;

pub fn section(lookup: &Lookup) -> Option<Section> {
    let outputs = lookup.explained_outputs();
    let of = |(at, output): (usize, &&str)| part(lookup, at, output, outputs.len());
    let parts = outputs.iter().take(MAX_OUTPUTS).enumerate().map(of).collect();
    let lede = say!(
        "drivers.lede",
        attributions = words::attributions(&lookup.audit.proof.method),
        scale = words::scale(&lookup.audit.proof.scale, &lookup.audit.scope.task)
    );
    let section = Section::of("drivers", say!("drivers.title"), parts)?;
    let is_additive = !matches!(lookup.audit.proof.method.as_str(), "none" | "lime" | "");
    Some(if is_additive { section.with_lede(lede) } else { section })
}

fn part(lookup: &Lookup, at: usize, output: &str, n_outputs: usize) -> Part {
    let attribution = lookup.importance("attribution", output);
    // What is measured on no output in particular is told once.
    let of = |method| {
        let list = lookup.importance(method, output);
        if at > 0 && list.iter().all(|i| i.output.is_empty()) { Vec::new() } else { list }
    };
    let mut part = if n_outputs > 1 { Part::titled(say!("drivers.output", output = output)) } else { Part::default() };
    part.sentences = sentences(&attribution, &lookup.importance("permutation", output));
    part.sentences.extend(interactions::sentence(lookup, output));
    part.figures.extend(importance_chart(lookup, at, "attribution", &attribution, &attribution));
    part.figures.extend(importance_chart(lookup, at, "permutation", &of("permutation"), &attribution));
    part.figures.extend(importance_chart(
        lookup,
        at,
        "permutation_conditional",
        &of("permutation_conditional"),
        &attribution,
    ));
    part.figures.extend(importance_chart(lookup, at, "permutation_groups", &of("permutation_groups"), &[]));
    let both = "permutation_groups_conditional";
    part.figures.extend(importance_chart(lookup, at, both, &of(both), &of("permutation_groups")));
    part.figures.extend(swarm_chart(lookup, at, output, &attribution, n_outputs));
    if at == 0 {
        part.figures.extend(dependence::charts(lookup, output, &attribution));
    }
    if at < MAX_WITH_INTERACTIONS {
        part.figures.extend(interactions::figures(lookup, at, output));
    }
    part
}

fn sentences(attribution: &[&Importance], permutation: &[&Importance]) -> Vec<String> {
    let mut sentences = Vec::new();
    if let [first, second, ..] = attribution {
        sentences.push(leading(first, second));
    }
    let rank_of = |feature: &str| permutation.iter().find(|i| i.feature == feature).map(|i| i.rank);
    let apart = attribution.iter().take(10).filter_map(|a| Some((a, rank_of(&a.feature)?)));
    let apart: Vec<String> = apart
        .filter(|(a, rank)| a.rank.abs_diff(*rank) >= RANKS_APART)
        .map(|(a, rank)| {
            say!(
                "drivers.apart_item",
                feature = label::shorten(&a.feature, 40),
                by_attribution = a.rank,
                by_permutation = rank
            )
        })
        .take(4)
        .collect();
    if !apart.is_empty() {
        let list = apart.join(", ");
        sentences.push(say!("drivers.apart", n = apart.len(), list = list));
    }
    sentences
}

/// Which feature leads, if the intervals tell.
fn leading(first: &Importance, second: &Importance) -> String {
    let name = |i: &Importance| label::shorten(&i.feature, 60);
    let overlap = first.ci_low.zip(second.ci_high).map(|(low, high)| low <= high);
    match overlap {
        Some(true) => say!("drivers.leading_open", first = name(first), second = name(second)),
        Some(false) => say!("drivers.leading_clear", first = name(first), second = name(second)),
        None => say!("drivers.leading_unknown", first = name(first), second = name(second)),
    }
}

fn importance_chart(
    lookup: &Lookup,
    at: usize,
    method: &str,
    list: &[&Importance],
    order: &[&Importance],
) -> Option<Figure> {
    let metric = list.first()?.metric.as_str();
    let order = if order.is_empty() { list } else { order };
    let top: Vec<&str> = order.iter().take(MAX_FEATURES).map(|i| i.feature.as_str()).collect();
    let find = |feature: &str| list.iter().find(|i| i.feature == feature).copied();
    let largest = list.iter().map(|i| i.value.abs()).fold(0.0, f64::max);
    let decimals = number::decimals_for(largest, 3);
    let bar = |feature: &&str| {
        let importance = find(feature);
        Bar {
            name: (*feature).to_owned(),
            value: importance.map(|i| i.value),
            interval: importance.and_then(|i| i.ci_low.zip(i.ci_high)),
            text: importance.map_or("–".into(), |i| number::fixed(i.value, decimals)),
        }
    };
    let bars: Vec<Bar> = top.iter().map(bar).collect();
    let (title, axis, desc) = wording(lookup, method, metric);
    let mut table =
        Table::new(say!("drivers.table", title = &title), &[say!("column.feature"), axis.clone(), say!("column.rank")]);
    for feature in &top {
        if let Some(i) = find(feature) {
            let interval = i
                .ci_low
                .zip(i.ci_high)
                .map(|(l, h)| say!("interval.to", low = number::fixed(l, decimals), high = number::fixed(h, decimals)));
            let cells = vec![
                Cell::number(number::fixed(i.value, decimals)).with_sub(interval),
                Cell::number(i.rank.to_string()),
            ];
            table.push(Label::fit(feature, 60), cells);
        }
    }
    Some(Figure {
        id: format!("fig-{method}-{at}"),
        template: "charts/bars.svg",
        title,
        desc,
        note: words::shown_of("features_by_attribution", top.len(), order.len()),
        wide: false,
        chart: Chart::Bars(bars::draw(&bars, &axis)),
        table,
    })
}

fn wording(lookup: &Lookup, method: &str, metric: &str) -> (String, String, String) {
    if method == "attribution" {
        let axis = say!("drivers.attribution_axis", scale = short_scale(lookup));
        return (say!("drivers.attribution"), axis, say!("drivers.attribution_desc"));
    }
    let lost = words::metric(metric.trim_start_matches("neg_"));
    let lost = words::lower(&lost);
    let (title, desc) = match method {
        "permutation_conditional" => (say!("drivers.conditional"), say!("drivers.conditional_desc", lost = &lost)),
        "permutation_groups" => (say!("drivers.groups"), say!("drivers.groups_desc", lost = &lost)),
        "permutation_groups_conditional" => {
            (say!("drivers.groups_conditional"), say!("drivers.groups_conditional_desc", lost = &lost))
        }
        _ => (say!("drivers.permutation"), say!("drivers.permutation_desc", lost = &lost)),
    };
    (title, say!("drivers.permutation_axis", lost = lost), desc)
}

/// One word for the scale on an axis.
pub fn short_scale(lookup: &Lookup) -> String {
    short_scale_of(lookup, &lookup.audit.proof.scale)
}

/// The same of another method.
pub fn short_scale_of(lookup: &Lookup, scale: &str) -> String {
    match scale {
        _ if lookup.is_regression() => say!("axis.prediction"),
        "probability" => say!("axis.probability"),
        _ => say!("axis.margin"),
    }
}

fn swarm_chart(lookup: &Lookup, at: usize, output: &str, order: &[&Importance], n_outputs: usize) -> Option<Figure> {
    let series = ordered_series(lookup, output, order);
    let n_features = series.len().min(MAX_FEATURES);
    let most = MAX_DOTS.min(MAX_ALL_DOTS / (n_features.max(1) * n_outputs.clamp(1, MAX_OUTPUTS)));
    let swarms: Vec<Swarm> = series.iter().take(MAX_FEATURES).map(|s| swarm(lookup, s, most)).collect();
    let n_dots = swarms.first()?.dots.len();
    let table = swarm_table(output, &swarms, n_outputs);
    Some(Figure {
        id: format!("fig-swarm-{at}"),
        template: "charts/beeswarm.svg",
        title: say!("drivers.swarm"),
        desc: say!("drivers.swarm_desc"),
        note: Some(say!("drivers.swarm_note", rows = words::rows_shown(n_dots, lookup.audit.sample.n_total))),
        wide: true,
        chart: Chart::Beeswarm(beeswarm::draw(&swarms, &say!("axis.attribution", scale = short_scale(lookup)))),
        table,
    })
}

/// The sample's series of one output, in order of importance.
pub fn ordered_series<'a>(lookup: &Lookup<'a>, output: &str, order: &[&Importance]) -> Vec<&'a SampleSeries> {
    let rank = |feature: &str| order.iter().position(|i| i.feature == feature).unwrap_or(usize::MAX);
    let here = |s: &&SampleSeries| s.output == output && !s.attribution.is_empty();
    let mut series: Vec<&SampleSeries> = lookup.audit.sample.series.iter().filter(here).collect();
    series.sort_by_key(|s| rank(&s.feature));
    series
}

fn swarm(lookup: &Lookup, series: &SampleSeries, most: usize) -> Swarm {
    let fifths = if has_order(lookup, &series.feature) { beeswarm::fifths(&series.value) } else { Vec::new() };
    let fifth = |at: usize| fifths.get(at).copied().flatten();
    let dots: Vec<(f64, Option<usize>)> = series
        .attribution
        .iter()
        .enumerate()
        .filter(|(_, phi)| phi.is_finite())
        .map(|(at, phi)| (*phi, fifth(at)))
        .collect();
    Swarm { name: series.feature.clone(), dots: plot::thin(&dots, most) }
}

/// Codes of categories and texts have no low and high.
pub fn has_order(lookup: &Lookup, feature: &str) -> bool {
    let kind = lookup.audit.scope.features.iter().find(|f| f.name == feature).map_or("number", |f| f.kind.as_str());
    matches!(kind, "number" | "boolean" | "date")
}

fn swarm_table(output: &str, swarms: &[Swarm], n_outputs: usize) -> Table {
    let caption = match n_outputs > 1 {
        true => say!("drivers.swarm_table_of_output", output = label::shorten(output, 40)),
        false => say!("drivers.swarm_table"),
    };
    let columns = heads!("feature smallest median largest mean_lowest_fifth_of_values mean_highest_fifth_of_values");
    let mut table = Table::new(caption, &columns);
    for swarm in swarms {
        let mut sorted: Vec<f64> = swarm.dots.iter().map(|dot| dot.0).collect();
        sorted.sort_by(f64::total_cmp);
        let (Some(first), Some(last)) = (sorted.first(), sorted.last()) else {
            continue;
        };
        let decimals = number::decimals_for(first.abs().max(last.abs()), 3);
        let cell = |value: f64| Cell::number(number::signed(value, decimals));
        let mean = |fifth: usize| mean_of_fifth(swarm, fifth).map_or(Cell::none(), cell);
        let median = sorted[sorted.len() / 2];
        let cells = vec![cell(*first), cell(median), cell(*last), mean(0), mean(beeswarm::N_COLOURS - 1)];
        table.push(Label::fit(&swarm.name, 60), cells);
    }
    table
}

fn mean_of_fifth(swarm: &Swarm, fifth: usize) -> Option<f64> {
    let values: Vec<f64> = swarm.dots.iter().filter(|dot| dot.1 == Some(fifth)).map(|dot| dot.0).collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Audit;
    use crate::report::example;

    fn importance(feature: &str, rank: u32, interval: Option<(f64, f64)>) -> Importance {
        Importance {
            method: "attribution".into(),
            metric: "mean_abs_attribution".into(),
            feature: feature.into(),
            output: "1".into(),
            value: 1.0 / f64::from(rank),
            std_err: None,
            ci_low: interval.map(|i| i.0),
            ci_high: interval.map(|i| i.1),
            rank,
        }
    }

    #[test]
    fn an_order_is_claimed_only_where_intervals_are_apart() {
        let first = importance("age", 1, Some((0.9, 1.1)));
        assert!(leading(&first, &importance("sex", 2, Some((0.4, 0.6)))).contains("clearly before"));
        assert!(leading(&first, &importance("sex", 2, Some((0.4, 0.95)))).contains("order is open"));
        assert!(leading(&first, &importance("sex", 2, None)).contains("without intervals"));
    }

    #[test]
    fn what_is_measured_on_no_class_in_particular_is_told_once() {
        let mut audit = example::multiclass();
        audit.importance.iter_mut().filter(|i| i.method == "permutation").for_each(|i| i.output.clear());
        let green: Vec<Importance> = audit.importance.iter().filter(|i| i.method == "attribution").cloned().collect();
        audit.importance.extend(green.into_iter().map(|i| Importance { output: "green".into(), ..i }));
        let parts = section(&Lookup::new(&audit)).unwrap().parts;
        let has = |at: usize, id: &str| parts[at].figures.iter().any(|figure| figure.id == id);
        assert!(has(0, "fig-attribution-0") && has(0, "fig-permutation-0"));
        assert!(has(1, "fig-attribution-1") && !has(1, "fig-permutation-1"));
    }

    #[test]
    fn a_regression_has_predictions_whatever_a_method_calls_its_scale() {
        let (binary, regression) = (example::binary(), example::regression());
        let words = |audit: &Audit| ["margin", "probability"].map(|scale| short_scale_of(&Lookup::new(audit), scale));
        assert_eq!(words(&binary), ["margin", "probability"]);
        assert_eq!(words(&regression), ["prediction", "prediction"]);
    }

    #[test]
    fn disagreement_of_the_methods_is_named() {
        let attribution = [importance("age", 1, None), importance("sex", 2, None)];
        let permutation = [importance("sex", 1, None), importance("age", 7, None)];
        let sentences = sentences(&attribution.iter().collect::<Vec<_>>(), &permutation.iter().collect::<Vec<_>>());
        assert!(sentences[1].contains("age (1 by attribution, 7 by permutation)"), "{sentences:?}");
        assert!(!sentences[1].contains("sex ("));
    }
}
