//! Which decisions small changes turn, over the size of the change and by group.

use super::fairness::shown_groups;
use crate::audit::CurvePoint;
use crate::report::charts::plot::{self, Axis, Series};
use crate::report::charts::{Chart, Figure};
use crate::report::label::{self, Label};
use crate::report::lookup::{self, Lookup};
use crate::report::number::{self, Unit};
use crate::report::table::{Cell, Column, Table};
use crate::report::text::{heads, say};
use crate::report::view::{KeyFigure, Part, Section};
use crate::report::words;

const TURNED: &str = "adversarial_flip_rate";
const BY_STEP: &str = "adversarial_flip_rate_fgsm";
const ROBUST: &str = "robust_accuracy";
const KEYS: [&str; 2] = [TURNED, ROBUST];
/// Most curves in one plot.
const MAX_CURVES: usize = 5;
/// Most sizes in one table, most groups in one.
const MAX_SIZES: usize = 6;
const MAX_GROUPS: usize = 60;

pub fn section(lookup: &Lookup) -> Option<Section> {
    let attributes = lookup.audit.scope.attributes.iter().map(|scope| scope.attribute.as_str());
    let mut parts = vec![overall(lookup)];
    parts.extend(attributes.enumerate().filter_map(|(at, attribute)| by_group(lookup, at, attribute)));
    Some(Section::of("robustness", say!("robustness.title"), parts)?.with_lede(say!("robustness.lede")))
}

fn overall(lookup: &Lookup) -> Part {
    let kinds = [
        (TURNED, say!("robustness.turned")),
        (BY_STEP, say!("robustness.by_step")),
        (ROBUST, say!("robustness.right")),
    ];
    let curves = kinds.map(|(kind, name)| (name, lookup.curve(kind, "", "")));
    let curves: Vec<_> = curves.into_iter().filter(|(_, points)| !points.is_empty()).collect();
    let key = |name: &&str| {
        let (value, interval) = number::measured(Unit::Share, lookup.metric(name, "", "")?)?;
        Some(KeyFigure { name: words::metric(name), value, interval })
    };
    let notes = lookup.audit.notes.iter().filter(|note| note.about == "robustness").map(|note| note.text.clone());
    let (title, says) = (say!("robustness.figure"), say!("robustness.figure_says"));
    Part {
        sentences: sentence(&lookup.curve(TURNED, "", "")).into_iter().chain(notes).collect(),
        key_figures: KEYS.iter().filter_map(key).collect(),
        figures: figure("fig-robust".to_owned(), title, says, None, &curves).into_iter().collect(),
        ..Part::default()
    }
}

fn sentence(points: &[&CurvePoint]) -> Option<String> {
    let changed: Vec<&&CurvePoint> = points.iter().filter(|point| point.x > 0.0).collect();
    let (first, last) = (changed.first()?, changed.last()?);
    let share = |point: &CurvePoint| {
        let interval = point.ci_low.zip(point.ci_high);
        let interval = interval.map(|(low, high)| format!(" ({})", number::range(Unit::Share, low, high)));
        format!("{}{}", number::with_unit(Unit::Share, point.y), interval.unwrap_or_default())
    };
    let (n, least, of_least) = (first.n, size(first.x), share(first));
    Some(match changed.len() {
        1 => say!("robustness.one_size", n = n, size = least, share = of_least),
        _ => {
            say!("robustness.sizes", n = n, size = least, share = of_least, largest = size(last.x), most = share(last))
        }
    })
}

fn by_group(lookup: &Lookup, at: usize, attribute: &str) -> Option<Part> {
    let groups: Vec<&str> = lookup.groups(attribute).into_iter().filter(|group| lookup::is_known(group)).collect();
    let curve = |group: &str| (lookup::name(attribute, group), lookup.curve(TURNED, attribute, group));
    let measured = |groups: Vec<&str>| -> Vec<(String, Vec<&CurvePoint>)> {
        groups.into_iter().map(curve).filter(|(_, points)| !points.is_empty()).collect()
    };
    let (shown, all) = (measured(lookup.largest_groups(attribute, MAX_CURVES)), measured(groups));
    if all.is_empty() {
        return None;
    }
    let name = label::attribute(attribute);
    let title = say!("robustness.by_group", attribute = &name);
    let note = shown_groups(lookup, attribute, shown.len());
    let says = say!("robustness.by_group_says");
    let drawn = figure(format!("fig-robust-{at}"), title.clone(), says, note, &shown);
    let head = heads!("group n");
    let mut table = table(title, &all[..all.len().min(MAX_GROUPS)], &head);
    table.shown = words::shown_of("groups_largest", table.rows.len(), all.len());
    Some(Part { figures: drawn.into_iter().collect(), tables: vec![table], ..Part::titled(name) })
}

/// Lines over the size of the change; `None` where nothing was changed.
fn figure(
    id: String,
    title: String,
    says: String,
    note: Option<String>,
    curves: &[(String, Vec<&CurvePoint>)],
) -> Option<Figure> {
    let largest = curves.iter().flat_map(|(_, points)| points).map(|point| point.x).fold(0.0, f64::max);
    if largest <= 0.0 {
        return None;
    }
    let series = |(name, points): &(String, Vec<&CurvePoint>)| Series {
        name: name.clone(),
        points: points.iter().map(|point| (point.x, point.y)).collect(),
        intervals: points.iter().map(|point| point.ci_low.zip(point.ci_high)).collect(),
        with_dots: true,
        ..Series::default()
    };
    let series: Vec<Series> = curves.iter().map(series).collect();
    let (size, share) = (say!("robustness.size"), say!("robustness.share"));
    let x = Axis { title: &size, domain: (0.0, largest), percent: false };
    let y = Axis { title: &share, domain: (0.0, 1.0), percent: true };
    let names = curves.iter().map(|(name, _)| label::shorten(name, 60)).collect::<Vec<_>>().join(", ");
    Some(Figure {
        id,
        template: "charts/plot.svg",
        table: table(say!("robustness.numbers", title = &title), curves, &[share.clone(), say!("column.n")]),
        title,
        desc: say!("robustness.drawn", says = says, names = names),
        note,
        wide: false,
        chart: Chart::Plot(Box::new(plot::lines(&x, &y, &series))),
    })
}

/// One row for each curve, one column for each of the sizes.
fn table(caption: String, curves: &[(String, Vec<&CurvePoint>)], heads: &[String]) -> Table {
    let mut table = Table::new(caption, heads);
    let sizes: Vec<f64> = curves.first().map_or_else(Vec::new, |(_, points)| points.iter().map(|p| p.x).collect());
    let changed: Vec<f64> = sizes.into_iter().filter(|size| *size > 0.0).collect();
    let sizes = plot::thin(&changed, MAX_SIZES);
    table.columns.extend(sizes.iter().map(|x| Column::new(say!("robustness.within", size = size(*x)), true)));
    for (name, points) in curves {
        let n = points.first().map_or(0, |point| point.n);
        let mut cells = vec![Cell::count(n)];
        cells.extend(sizes.iter().map(|x| points.iter().find(|point| point.x == *x).map_or(Cell::none(), |p| cell(p))));
        table.push(Label::whole(name, 60), cells);
    }
    table
}

fn cell(point: &CurvePoint) -> Cell {
    let interval = point.ci_low.zip(point.ci_high).map(|(low, high)| number::range(Unit::Share, low, high));
    Cell::number(number::with_unit(Unit::Share, point.y)).with_sub(interval)
}

fn size(epsilon: f64) -> String {
    epsilon.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    #[test]
    fn what_was_not_attacked_has_no_section() {
        let mut audit = example::binary();
        assert!(section(&Lookup::new(&audit)).is_some());
        audit.curves.retain(|point| ![TURNED, BY_STEP, ROBUST].contains(&point.kind.as_str()));
        audit.metrics.retain(|metric| !KEYS.contains(&metric.metric.as_str()));
        assert_eq!(section(&Lookup::new(&audit)), None);
    }

    #[test]
    fn every_group_stands_in_the_table_with_its_interval() {
        let audit = example::binary();
        let part = by_group(&Lookup::new(&audit), 0, "sex").unwrap();
        assert_eq!(part.tables[0].rows.len(), 2);
        assert_eq!(part.tables[0].columns.iter().map(|column| column.text.as_str()).next_back(), Some("Within 0.2"));
        assert!(part.tables[0].rows[0].cells[1].sub.is_some() && part.figures.len() == 1);
        let told = sentence(&Lookup::new(&audit).curve(TURNED, "", "")).unwrap();
        assert!(told.starts_with("Of 100 attacked rows, changes of at most 0.1 turn the decisions of"), "{told}");
    }

    #[test]
    fn without_any_change_there_is_a_table_and_no_line() {
        let mut audit = example::binary();
        audit.curves.retain(|point| point.x == 0.0);
        let lookup = Lookup::new(&audit);
        assert!(sentence(&lookup.curve(TURNED, "", "")).is_none());
        assert!(by_group(&lookup, 0, "sex").unwrap().figures.is_empty());
    }
}
