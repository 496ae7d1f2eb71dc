//! Inside the network: what its layers do, for whom, and what can be told from them.

use super::feature_maps;
use crate::audit::{LayerActivity, LayerProbe};
use crate::report::charts::plot::{self, Axis, Series};
use crate::report::charts::{Chart, Figure};
use crate::report::label::{self, Label};
use crate::report::lookup::Lookup;
use crate::report::number::{self, Unit};
use crate::report::table::{Cell, Column, Table};
use crate::report::text::{heads, say};
use crate::report::view::{Part, Section};
use crate::report::words;
use std::collections::BTreeSet;

/// Most attributes with a column or a line of their own.
const MAX_ATTRIBUTES: usize = 4;
/// Most groups of one attribute, the largest.
const MAX_GROUPS: usize = 8;
/// Most layers of one table, evenly spaced.
const MAX_LAYERS: usize = 40;

pub fn section(lookup: &Lookup) -> Option<Section> {
    let layers = layers(lookup);
    let n = layers.first()?.n;
    let parts = vec![
        activity(lookup, &layers),
        separability(lookup, &layers),
        by_group(lookup, &layers),
        feature_maps::part(lookup),
    ];
    let lede = say!("layers.lede", layers = say!("layers.count", n = layers.len()), rows = words::rows(n));
    Some(Section::of("layers", say!("layers.title"), parts)?.with_lede(lede))
}

/// Over all rows, in order of computation.
fn layers<'a>(lookup: &Lookup<'a>) -> Vec<&'a LayerActivity> {
    lookup.audit.layers.iter().filter(|layer| layer.attribute.is_empty()).collect()
}

fn shown<T: Copy>(all: &[T]) -> Vec<T> {
    plot::thin(all, MAX_LAYERS)
}

/// That a table has not all layers.
fn shown_layers(all: &[&LayerActivity]) -> Option<String> {
    words::shown_of("layers", shown(all).len(), all.len())
}

/// Attributes that were probed, as far as there is room.
fn attributes<'a>(lookup: &Lookup<'a>) -> Vec<&'a str> {
    let probed: BTreeSet<&str> = lookup.audit.layer_probes.iter().map(|probe| probe.attribute.as_str()).collect();
    let names = lookup.audit.scope.attributes.iter().map(|scope| scope.attribute.as_str());
    names.filter(|name| probed.contains(name)).take(MAX_ATTRIBUTES).collect()
}

fn name(layer: &str) -> Label {
    Label::fit(layer, 48)
}

fn number(value: Option<f64>) -> Cell {
    value.map_or(Cell::none(), |value| Cell::number(number::significant(value, 3)))
}

fn share(value: Option<f64>) -> Cell {
    value.map_or(Cell::none(), |value| Cell::number(number::with_unit(Unit::Share, value)))
}

fn dead(layer: &LayerActivity) -> Cell {
    layer
        .dead_units
        .map_or(Cell::none(), |dead| Cell::count(dead).with_sub(Some(say!("layers.of_units", n = layer.units))))
}

fn activity(lookup: &Lookup, layers: &[&LayerActivity]) -> Part {
    let mut table =
        Table::new(say!("layers.all"), &heads!("layer operator| shape| parameters mean spread zeros dead_units"));
    for layer in shown(layers) {
        let cells = vec![
            Cell::text(&layer.op),
            Cell::text(&layer.shape),
            Cell::count(layer.parameters),
            number(layer.mean),
            number(layer.std),
            share(layer.zero_fraction),
            dead(layer),
        ];
        table.push(name(&layer.layer), cells);
    }
    table.shown = shown_layers(layers);
    let sentences = vec![dead_sentence(lookup, layers)];
    Part { sentences, tables: vec![table], ..Part::titled(say!("layers.activity")) }
}

fn dead_sentence(lookup: &Lookup, layers: &[&LayerActivity]) -> String {
    let with_dead: Vec<&&LayerActivity> = layers.iter().filter(|layer| layer.dead_units > Some(0)).collect();
    let meaning = say!("layers.dead_means");
    let only_for = groups_with_more_dead(lookup, layers);
    let more = match only_for.as_slice() {
        [] => String::new(),
        names => format!(" {}", say!("layers.more_dead", groups = names.join("; "))),
    };
    match with_dead.as_slice() {
        [] => format!("{} {meaning}{more}", say!("layers.none_dead")),
        some => {
            let dead: u64 = some.iter().filter_map(|layer| layer.dead_units).sum();
            let units: u64 = layers.iter().map(|layer| layer.units).sum();
            format!(
                "{} {meaning}{more}",
                say!("layers.some_dead", dead = dead, units = say!("layers.units", n = units))
            )
        }
    }
}

/// Groups of enough rows with more dead units than all rows have, in the layer where it is most.
fn groups_with_more_dead(lookup: &Lookup, layers: &[&LayerActivity]) -> Vec<String> {
    let least = lookup.audit.scope.min_group_rows;
    let mut found: Vec<(u64, String)> = Vec::new();
    for group in lookup.audit.layers.iter().filter(|layer| !layer.group_value.is_empty() && layer.n >= least) {
        let all = layers.iter().find(|layer| layer.layer == group.layer).and_then(|layer| layer.dead_units);
        if let (Some(here), Some(all)) = (group.dead_units, all)
            && here > all
        {
            let who = label::group(&group.attribute, &group.group_value);
            let layer = label::shorten(&group.layer, 40);
            found.push((here - all, say!("layers.dead_for", group = who, layer = layer, here = here, all = all)));
        }
    }
    found.sort_by_key(|(more, _)| std::cmp::Reverse(*more));
    found.into_iter().take(3).map(|(_, text)| text).collect()
}

/// The measure that stands for all: AUC of classes, R² of values.
fn headline<'a>(lookup: &Lookup<'a>, layer: &str, attribute: &str) -> Option<&'a LayerProbe> {
    let of = |probe: &&LayerProbe| probe.layer == layer && probe.attribute == attribute;
    lookup.audit.layer_probes.iter().filter(of).find(|probe| ["roc_auc", "r2"].contains(&probe.measure.as_str()))
}

fn told(lookup: &Lookup, attribute: &str) -> String {
    match (attribute, &lookup.audit.scope.label) {
        ("", Some(label)) => label::attribute(label),
        ("", None) => say!("layers.label"),
        (attribute, _) => label::attribute(attribute),
    }
}

fn separability(lookup: &Lookup, layers: &[&LayerActivity]) -> Part {
    let mut asked: Vec<&str> = Vec::new();
    if lookup.audit.layer_probes.iter().any(|probe| probe.attribute.is_empty()) {
        asked.push("");
    }
    asked.extend(attributes(lookup));
    if asked.is_empty() {
        return Part::default();
    }
    let mut sentences = vec![say!("layers.probe")];
    sentences.extend(asked.iter().filter_map(|attribute| told_sentence(lookup, layers, attribute)));
    let folded = vec![probes(lookup, layers, &asked)];
    let figures = figure(lookup, layers, &asked).into_iter().collect();
    Part { sentences, figures, folded, ..Part::titled(say!("layers.told")) }
}

/// Where it is told best, and how well by the last layer.
fn told_sentence(lookup: &Lookup, layers: &[&LayerActivity], attribute: &str) -> Option<String> {
    let probes: Vec<&LayerProbe> =
        layers.iter().filter_map(|layer| headline(lookup, &layer.layer, attribute)).collect();
    let value = |probe: &LayerProbe| probe.value.unwrap_or(f64::NEG_INFINITY);
    // The first of equals.
    let best =
        probes.iter().rev().filter(|probe| probe.value.is_some()).max_by(|a, b| value(a).total_cmp(&value(b)))?;
    let last = probes.last()?;
    let measure = measure(&best.measure);
    let what = told(lookup, attribute);
    let (most, layer) = (with_interval(best), label::shorten(&best.layer, 40));
    Some(match last.value {
        Some(_) if last.layer != best.layer => {
            let last = with_interval(last);
            say!("layers.told_best", what = what, measure = measure, most = most, layer = layer, last = last)
        }
        _ => say!("layers.told_last", what = what, measure = measure, most = most, layer = layer),
    })
}

fn with_interval(probe: &LayerProbe) -> String {
    let value = probe.value.map_or_else(|| "–".to_owned(), |value| number::fixed(value, 2));
    match (probe.ci_low, probe.ci_high) {
        (Some(low), Some(high)) => format!("{value} ({})", number::fixed_range(low, high, 2)),
        _ => value,
    }
}

fn figure(lookup: &Lookup, layers: &[&LayerActivity], asked: &[&str]) -> Option<Figure> {
    if layers.len() < 2 {
        return None;
    }
    let (named, series): (Vec<&str>, Vec<Series>) =
        asked.iter().filter_map(|attribute| Some((*attribute, series(lookup, layers, attribute)?))).unzip();
    let intervals = series.iter().flat_map(|series| &series.intervals).flatten().map(|(low, _)| *low);
    let values = series.iter().flat_map(|series| &series.points).map(|(_, y)| *y);
    let lowest = values.chain(intervals).reduce(f64::min)?;
    let (x_title, y_title) = (say!("axis.layer"), say!("axis.auc_of_the_probe"));
    let x = Axis { title: &x_title, domain: (1.0, layers.len() as f64), percent: false };
    let y = Axis { title: &y_title, domain: (lowest.min(0.5), 1.0), percent: false };
    let mut drawn = plot::lines(&x, &y, &series);
    plot::count_along_x(&mut drawn, 1, layers.len());
    let mut table = Table::new(say!("layers.by_layer"), &heads!("layer"));
    table.columns.extend(series.iter().map(|series| Column::new(label::shorten(&series.name, 40), true)));
    for layer in shown(layers) {
        let cell = |attribute: &&str| match headline(lookup, &layer.layer, attribute) {
            Some(probe) => probe.value.map_or(Cell::none(), |_| Cell::number(with_interval(probe))),
            None => Cell::none(),
        };
        table.push(name(&layer.layer), named.iter().map(cell).collect());
    }
    table.shown = shown_layers(layers);
    Some(Figure {
        id: "fig-separability".into(),
        template: "charts/plot.svg",
        title: say!("layers.each_tells"),
        desc: say!("layers.each_tells_desc"),
        note: Some(say!("layers.each_tells_note")),
        wide: false,
        chart: Chart::Plot(Box::new(drawn)),
        table,
    })
}

/// R² is no AUC and has no line.
fn series(lookup: &Lookup, layers: &[&LayerActivity], attribute: &str) -> Option<Series> {
    let at = |(at, layer): (usize, &&LayerActivity)| {
        let probe = headline(lookup, &layer.layer, attribute).filter(|probe| probe.measure == "roc_auc")?;
        let interval = probe.ci_low.zip(probe.ci_high);
        Some(((at as f64 + 1.0, probe.value?), interval))
    };
    let found: Vec<_> = layers.iter().enumerate().filter_map(at).collect();
    let (points, intervals): (Vec<_>, Vec<_>) = found.into_iter().unzip();
    (!points.is_empty()).then(|| Series {
        name: told(lookup, attribute),
        points,
        intervals,
        with_dots: true,
        ..Series::default()
    })
}

fn probes(lookup: &Lookup, layers: &[&LayerActivity], asked: &[&str]) -> Table {
    let mut table = Table::new(
        say!("layers.probes"),
        &heads!("layer tells| measure| held_out without_looking fitted_on asked_about sees|"),
    );
    for layer in shown(layers) {
        let of = |probe: &&LayerProbe| probe.layer == layer.layer && asked.contains(&probe.attribute.as_str());
        for probe in lookup.audit.layer_probes.iter().filter(of) {
            let value = match (probe.value, probe.ci_low, probe.ci_high) {
                (Some(value), Some(low), Some(high)) => {
                    Cell::number(number::fixed(value, 3)).with_sub(Some(number::fixed_range(low, high, 3)))
                }
                (Some(value), ..) => Cell::number(number::fixed(value, 3)),
                (None, ..) => Cell::undefined(probe.undefined_reason.as_deref()),
            };
            let cells = vec![
                Cell::text(&told(lookup, &probe.attribute)),
                Cell::text(&measure(&probe.measure)),
                value,
                probe.baseline.map_or(Cell::none(), |baseline| Cell::number(number::fixed(baseline, 3))),
                Cell::count(probe.n_train),
                Cell::count(probe.n_test),
                Cell::text(&format!("{} ({})", number::count(probe.n_inputs), probe.reduction)),
            ];
            table.push(name(&layer.layer), cells);
        }
    }
    table.shown = shown_layers(layers);
    table
}

fn measure(name: &str) -> String {
    match name {
        "balanced_accuracy" => say!("layers.balanced_accuracy"),
        "r2" => say!("layers.r2"),
        _ => say!("layers.auc"),
    }
}

/// A folded table for each attribute.
fn by_group(lookup: &Lookup, layers: &[&LayerActivity]) -> Part {
    let names = lookup.audit.scope.attributes.iter().map(|scope| scope.attribute.as_str());
    let folded: Vec<Table> = names.filter_map(|attribute| group_table(lookup, layers, attribute)).collect();
    match folded.is_empty() {
        true => Part::default(),
        false => Part { folded, ..Part::titled(say!("layers.by_group")) },
    }
}

fn group_table(lookup: &Lookup, layers: &[&LayerActivity], attribute: &str) -> Option<Table> {
    let groups = lookup.largest_groups(attribute, MAX_GROUPS);
    let mut table = Table::new(
        say!("layers.by_attribute", attribute = label::attribute(attribute)),
        &heads!("layer group| rows mean spread zeros dead_units"),
    );
    for layer in shown(layers) {
        for group in &groups {
            let of =
                |it: &&LayerActivity| it.layer == layer.layer && it.attribute == attribute && it.group_value == *group;
            let Some(found) = lookup.audit.layers.iter().find(of) else { continue };
            let cells = vec![
                Cell::text(group),
                Cell::count(found.n),
                number(found.mean),
                number(found.std),
                share(found.zero_fraction),
                dead(found),
            ];
            table.push(name(&layer.layer), cells);
        }
    }
    let largest = words::shown_of("groups_largest_only", groups.len(), lookup.groups(attribute).len());
    table.shown = shown_layers(layers).into_iter().chain(largest).reduce(|a, b| format!("{a} {b}"));
    (!table.rows.is_empty()).then_some(table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Audit;
    use crate::report::example;

    fn layer(name: &str, group: &str, dead: u64) -> LayerActivity {
        LayerActivity {
            layer: name.into(),
            op: "Relu".into(),
            shape: "[N, 8]".into(),
            parameters: 80,
            attribute: if group.is_empty() { "" } else { "sex" }.into(),
            group_value: group.into(),
            n: 2_000,
            units: 8,
            mean: Some(0.25),
            std: Some(1.5),
            zero_fraction: Some(0.4),
            minimum: Some(0.0),
            maximum: Some(7.0),
            dead_units: Some(dead),
            separability: None,
        }
    }

    fn probe(layer: &str, attribute: &str, value: f64) -> LayerProbe {
        LayerProbe {
            layer: layer.into(),
            attribute: attribute.into(),
            measure: "roc_auc".into(),
            value: Some(value),
            undefined_reason: None,
            ci_low: Some(value - 0.05),
            ci_high: Some(value + 0.05),
            baseline: Some(0.5),
            n_train: 1_400,
            n_test: 600,
            n_classes: 2,
            n_inputs: 8,
            reduction: "all numbers".into(),
        }
    }

    fn audit() -> Audit {
        let mut audit = example::binary();
        audit.layers = vec![layer("first", "", 1), layer("first", "Female", 3), layer("last", "", 0)];
        audit.layer_probes = vec![
            probe("first", "", 0.8),
            probe("first", "sex", 0.93),
            probe("last", "", 0.9),
            probe("last", "sex", 0.6),
        ];
        audit
    }

    #[test]
    fn the_section_says_where_a_group_is_told_best_and_how_well_at_the_end() {
        let audit = audit();
        let section = section(&Lookup::new(&audit)).unwrap();
        let told = &section.parts[1];
        assert!(
            told.sentences
                .iter()
                .any(|s| s.contains("0.93") && s.contains("first") && s.contains("0.60") && s.contains("last layer")),
            "{:?}",
            told.sentences
        );
        assert_eq!((told.figures.len(), told.folded[0].rows.len()), (1, 4));
        assert_eq!(section.parts[0].tables[0].rows.len(), 2);
    }

    #[test]
    fn dead_units_are_counted_and_those_of_a_group_alone_are_named() {
        let audit = audit();
        let section = section(&Lookup::new(&audit)).unwrap();
        let sentence = &section.parts[0].sentences[0];
        assert!(sentence.starts_with("1 of 16 units are dead"), "{sentence}");
        assert!(sentence.contains("(3 against 1)"), "{sentence}");
    }

    #[test]
    fn every_table_that_has_not_all_layers_says_so() {
        let mut audit = audit();
        let names: Vec<String> = (0..41).map(|at| format!("layer {at}")).collect();
        audit.layers = names.iter().flat_map(|name| [layer(name, "", 0), layer(name, "Female", 0)]).collect();
        audit.layer_probes = names.iter().map(|name| probe(name, "", 0.8)).collect();
        let parts = section(&Lookup::new(&audit)).unwrap().parts;
        let told = &parts[1];
        let tables = [&parts[0].tables[0], &told.folded[0], &told.figures[0].table, &parts[2].folded[0]];
        for table in tables {
            let said = table.shown.as_deref().unwrap_or_default();
            assert!(said.starts_with("40 of 41 layers shown"), "{}: {said}", table.caption);
        }
    }

    #[test]
    fn without_layers_there_is_no_section_and_without_probes_no_part_about_them() {
        let mut audit = example::binary();
        assert_eq!(section(&Lookup::new(&audit)), None);
        audit.layers = vec![layer("only", "", 0)];
        let section = section(&Lookup::new(&audit)).unwrap();
        assert_eq!(section.parts.len(), 1);
        assert!(section.parts[0].sentences[0].starts_with("No unit is dead"));
    }
}
