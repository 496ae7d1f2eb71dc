//! How features act together: mean |φ_ab| of tree ensembles, Friedman's H of any model, as triangles of pairs.

use super::drivers::short_scale;
use crate::audit::{Importance, MOST_PAIRS};
use crate::report::charts::heatmap::{self, Block, Tile};
use crate::report::charts::{self, Chart, Figure};
use crate::report::label::{self, Label};
use crate::report::lookup::Lookup;
use crate::report::number;
use crate::report::table::{Cell, Column, Table};
use crate::report::text::{heads, say};
use crate::report::words;
use std::collections::{BTreeMap, BTreeSet};

/// Most features in a triangle, and pairs in its table.
const MAX_FEATURES: usize = 10;
const MAX_PAIRS: usize = 30;
/// More features than this take the whole line.
const HALF_LINE: usize = 5;
/// Stands between the features of a pair.
pub const AND: &str = " × ";

/// What is measured of pairs and, on the diagonal, of single features.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Mean |φ_ab|, on the scale of the score.
    Attribution,
    /// Friedman's H, a share.
    Friedman,
}

impl Kind {
    /// Of pairs, and of single features.
    fn metrics(self) -> (&'static str, &'static str) {
        match self {
            Kind::Attribution => ("mean_abs_interaction", "mean_abs_main_effect"),
            Kind::Friedman => ("friedman_h", "friedman_h_total"),
        }
    }

    fn slug(self) -> &'static str {
        match self {
            Kind::Attribution => "interactions",
            Kind::Friedman => "friedman",
        }
    }

    fn title(self) -> String {
        match self {
            Kind::Attribution => say!("interactions.title"),
            Kind::Friedman => say!("interactions.friedman"),
        }
    }

    fn measure(self) -> String {
        match self {
            Kind::Attribution => say!("interactions.measure"),
            Kind::Friedman => say!("interactions.friedman_measure"),
        }
    }

    fn says(self, lookup: &Lookup) -> String {
        match self {
            Kind::Attribution => say!("interactions.says", scale = short_scale(lookup)),
            Kind::Friedman => say!("interactions.friedman_says"),
        }
    }
}

/// Values of pairs, either way round, and of single features.
struct Found<'a> {
    kind: Kind,
    pairs: Vec<((&'a str, &'a str), &'a Importance)>,
    values: BTreeMap<(&'a str, &'a str), f64>,
    single: BTreeMap<&'a str, f64>,
    /// Those that interact most first.
    features: Vec<&'a str>,
}

/// The triangles of one output; `at` tells their ids apart.
pub fn figures(lookup: &Lookup, at: usize, output: &str) -> Vec<Figure> {
    let kinds = [Kind::Attribution, Kind::Friedman];
    kinds.into_iter().filter_map(|kind| Some(figure(lookup, at, &Found::of(lookup, kind, output)?))).collect()
}

/// Which pair interacts most, if the standard errors tell.
pub fn sentence(lookup: &Lookup, output: &str) -> Option<String> {
    let found = Found::of(lookup, Kind::Attribution, output)?;
    let ((a, b), first) = found.pairs.first()?;
    if first.value <= 0.0 {
        return Some(say!("interactions.none"));
    }
    let name = |feature: &str| label::shorten(feature, 40);
    let decimals = number::decimals_of_parts(first.value);
    let size = |i: &Importance| number::fixed(i.value, decimals);
    let (a, b, scale) = (name(a), name(b), short_scale(lookup));
    let Some(((c, d), second)) = found.pairs.get(1) else {
        return Some(say!("interactions.only", a = a, b = b, size = size(first), scale = scale));
    };
    let (c, d, next) = (name(c), name(d), size(second));
    let errors = first.std_err.zip(second.std_err).map(|(a, b)| a.hypot(b));
    Some(match errors.is_some_and(|error| first.value - second.value > 1.96 * error) {
        true => say!("interactions.most", a = a, b = b, size = size(first), scale = scale, c = c, d = d, next = next),
        false => say!("interactions.open", a = a, b = b, size = size(first), scale = scale, c = c, d = d, next = next),
    })
}

impl<'a> Found<'a> {
    fn of(lookup: &Lookup<'a>, kind: Kind, output: &str) -> Option<Self> {
        let (of_pairs, of_single) = kind.metrics();
        let here = |metric: &'static str| {
            let all = lookup.audit.importance.iter();
            all.filter(move |i| i.method == "interaction" && i.metric == metric && i.output == output)
        };
        let names: BTreeSet<&str> = lookup.audit.scope.features.iter().map(|feature| feature.name.as_str()).collect();
        let is_drawn = |i: &&Importance| i.value.is_finite();
        let mut pairs: Vec<((&str, &str), &Importance)> =
            here(of_pairs).filter(is_drawn).filter_map(|i| Some((pair(&i.feature, &names)?, i))).collect();
        pairs.sort_by(|a, b| b.1.value.total_cmp(&a.1.value));
        let mut total: BTreeMap<&str, f64> = BTreeMap::new();
        let mut values = BTreeMap::new();
        for ((a, b), importance) in &pairs {
            values.extend([((*a, *b), importance.value), ((*b, *a), importance.value)]);
            [a, b].into_iter().for_each(|feature| *total.entry(feature).or_default() += importance.value);
        }
        let mut features: Vec<&str> = total.keys().copied().collect();
        features.sort_by(|a, b| total[b].total_cmp(&total[a]));
        let single = here(of_single).filter(is_drawn).map(|i| (i.feature.as_str(), i.value)).collect();
        (!pairs.is_empty()).then_some(Self { kind, pairs, values, single, features })
    }

    /// `None`: not known. Features that never meet in a tree do not interact; where as many pairs are kept as can be,
    /// others may have been left out.
    fn value(&self, a: &str, b: &str) -> Option<f64> {
        let absent = (self.kind == Kind::Attribution && self.pairs.len() < MOST_PAIRS).then_some(0.0);
        self.values.get(&(a, b)).copied().or(absent)
    }

    fn largest(&self) -> f64 {
        self.pairs.first().map_or(0.0, |(_, importance)| importance.value)
    }

    fn decimals(&self) -> usize {
        let largest = self.single.values().copied().fold(self.largest(), f64::max);
        if self.kind == Kind::Attribution { number::decimals_of_parts(largest) } else { 2 }
    }
}

/// The two features of "age × sex"; names may hold the sign themselves.
pub fn pair<'a>(feature: &'a str, names: &BTreeSet<&str>) -> Option<(&'a str, &'a str)> {
    let mut splits = feature.match_indices(AND).map(|(at, sign)| (&feature[..at], &feature[at + sign.len()..]));
    splits.clone().find(|(a, b)| names.contains(a) && names.contains(b)).or_else(|| splits.next())
}

fn figure(lookup: &Lookup, at: usize, found: &Found) -> Figure {
    let kind = found.kind;
    let shown = &found.features[..found.features.len().min(MAX_FEATURES)];
    let id = format!("fig-{}-{at}", kind.slug());
    let rows = shown.iter().enumerate().map(|(row, name)| ((*name).to_owned(), tiles(found, shown, row))).collect();
    let columns: Vec<String> = shown.iter().map(|name| (*name).to_owned()).collect();
    let wide = shown.len() > HALF_LINE;
    let width = if wide { charts::FULL } else { charts::HALF };
    let largest = number::fixed(found.largest(), found.decimals());
    let drawn = heatmap::draw(&id, &columns, &[Block { title: None, rows }], width);
    let limit = words::shown_of("features_interacting", shown.len(), found.features.len());
    let strongest: Vec<String> = found.pairs.iter().take(3).map(|(_, i)| label::shorten(&i.feature, 60)).collect();
    let says = kind.says(lookup);
    Figure {
        id,
        template: "charts/heatmap.svg",
        title: kind.title(),
        desc: say!("interactions.desc", says = &says, strongest = strongest.join("; ")),
        note: [Some(says), limit].into_iter().flatten().reduce(|a, b| format!("{a} {b}")),
        wide,
        chart: Chart::Heatmap(drawn.with_key(&heatmap::SEQUENTIAL, "0", &largest)),
        table: numbers(found),
    }
}

/// One row of the triangle, up to the diagonal.
fn tiles(found: &Found, shown: &[&str], row: usize) -> Vec<Tile> {
    let print = |value: Option<f64>| value.map_or("–".to_owned(), |value| number::fixed(value, found.decimals()));
    let tile = |(column, name): (usize, &&str)| {
        if column == row {
            return Tile { class: "alone".into(), text: print(found.single.get(name).copied()), hatched: false };
        }
        let value = found.value(shown[row], name);
        let class = value.map_or("none".into(), |value| heatmap::sequential(value, found.largest()));
        Tile { class, text: print(value), hatched: false }
    };
    shown.iter().enumerate().take(row + 1).map(tile).collect()
}

/// Pairs, the strongest first, then the features shown alone.
fn numbers(found: &Found) -> Table {
    let caption = say!("interactions.table", title = found.kind.title());
    let mut table = Table::new(caption, &heads!("feature"));
    table.columns.push(Column::new(found.kind.measure(), true));
    let cell = |value: f64| Cell::number(number::fixed(value, found.decimals()));
    for (_, importance) in found.pairs.iter().take(MAX_PAIRS) {
        let error = importance.std_err.map(|error| number::significant(error, 2));
        let error = error.map(|error| say!("interactions.error", error = error));
        table.push(Label::fit(&importance.feature, 60), vec![cell(importance.value).with_sub(error)]);
    }
    for name in found.features.iter().take(MAX_FEATURES) {
        if let Some(value) = found.single.get(name) {
            table.push(Label::fit(name, 60), vec![cell(*value).with_sub(Some(say!("interactions.diagonal")))]);
        }
    }
    table.shown = words::shown_of("pairs", found.pairs.len().min(MAX_PAIRS), found.pairs.len());
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    fn audit(rows: &[(&str, &str, f64, Option<f64>)]) -> crate::audit::Audit {
        let mut audit = example::binary();
        for (metric, feature, value, std_err) in rows {
            audit.importance.push(Importance {
                method: "interaction".into(),
                metric: (*metric).into(),
                feature: (*feature).into(),
                value: *value,
                std_err: *std_err,
                ..audit.importance[0].clone()
            });
        }
        audit
    }

    fn triangle(audit: &crate::audit::Audit) -> heatmap::Heatmap {
        match figures(&Lookup::new(audit), 0, ">50K").remove(0).chart {
            Chart::Heatmap(chart) => chart,
            other => panic!("{other:?}"),
        }
    }

    const PAIRS: &str = "mean_abs_interaction";

    #[test]
    fn pairs_that_never_met_are_zero_and_the_diagonal_is_outside_of_the_colours() {
        let rows =
            [(PAIRS, "a × b", 0.5, None), (PAIRS, "b × c", 0.25, None), ("mean_abs_main_effect", "b", 9.0, None)];
        let chart = triangle(&audit(&rows));
        let names: Vec<&str> = chart.columns.iter().map(|column| column.label.text.as_str()).collect();
        assert_eq!(names, ["b", "a", "c"]);
        let row = |at: usize| {
            let cells = &chart.blocks[0].rows[at].cells;
            cells.iter().map(|cell| (cell.class.as_str(), cell.text.as_str())).collect::<Vec<_>>()
        };
        assert_eq!(row(0), [("alone", "9.00")]);
        assert_eq!(row(1), [("q5", "0.50"), ("alone", "–")]);
        assert_eq!(row(2), [("q3", "0.25"), ("q0", "0.00"), ("alone", "–")]);
    }

    #[test]
    fn a_pair_that_was_not_asked_for_has_no_value() {
        let chart = triangle(&audit(&[("friedman_h", "a × b", 0.5, None), ("friedman_h", "b × c", 0.2, None)]));
        let last = chart.blocks[0].rows[2].cells.iter().map(|cell| cell.text.as_str()).collect::<Vec<_>>();
        assert_eq!(last, ["0.20", "–", "–"]);
    }

    #[test]
    fn the_strongest_pair_is_called_so_only_where_its_lead_is_beyond_the_errors() {
        let told = |error: f64| {
            let audit = audit(&[(PAIRS, "a × b", 0.5, Some(error)), (PAIRS, "a × c", 0.45, Some(error))]);
            sentence(&Lookup::new(&audit), ">50K").unwrap()
        };
        assert!(told(0.01).contains("a and b interact most: together they move the score by 0.50"));
        assert!(told(0.05).contains("too close for the order to be sure"), "{}", told(0.05));
        let additive = audit(&[(PAIRS, "a × b", 0.0, Some(0.0))]);
        assert!(sentence(&Lookup::new(&additive), ">50K").unwrap().starts_with("No two features act together"));
        assert_eq!(sentence(&Lookup::new(&example::binary()), ">50K"), None);
    }

    #[test]
    fn names_may_hold_the_sign_between_two_names() {
        let names = ["a × b", "c"].into();
        assert_eq!(pair("a × b × c", &names), Some(("a × b", "c")));
        assert_eq!(pair("x × y", &names), Some(("x", "y")));
        assert_eq!(pair("alone", &names), None);
    }

    #[test]
    fn many_features_are_cut_to_those_that_interact_most() {
        let names: Vec<String> = (0..30).map(|i| format!("f{i:02} × g")).collect();
        let rows: Vec<_> = names.iter().zip(0..).map(|(name, i)| (PAIRS, name.as_str(), f64::from(i), None)).collect();
        let figure = figures(&Lookup::new(&audit(&rows)), 0, ">50K").remove(0);
        assert!(figure.wide && figure.note.unwrap().contains("10 of 31 features shown"));
    }
}
