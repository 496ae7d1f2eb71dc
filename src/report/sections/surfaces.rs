//! What two columns do together, as heatmaps.

use super::drivers::has_order;
use super::interactions;
use crate::audit::CurvePoint;
use crate::report::charts::heatmap::{self, Block, Tile};
use crate::report::charts::{self, Chart, Figure};
use crate::report::label::{self, Label};
use crate::report::lookup::Lookup;
use crate::report::number;
use crate::report::table::{Cell, Column, Table};
use crate::report::text::say;

const MAX_PAIRS: usize = 6;
/// Values of either column that are drawn; of more, so many are taken evenly.
const MAX_ROWS: usize = 12;
const MAX_COLUMNS: usize = 8;

/// Effects have zero in their middle.
const EFFECTS: &str = "ale_pair";
const MEANS: &str = "pdp_pair";

pub fn figures(lookup: &Lookup) -> Vec<Figure> {
    let names = &lookup.audit.scope.features.iter().map(|feature| feature.name.as_str()).collect();
    let of_kind = |kind: &'static str| {
        let pairs = lookup.curve_features(kind).into_iter().take(MAX_PAIRS).enumerate();
        pairs.filter_map(move |(at, pair)| {
            let (first, second) = interactions::pair(pair, names)?;
            let are_numbers = [first, second].map(|name| has_order(lookup, name));
            let surface = Surface::of(&lookup.curves_of(kind, pair), are_numbers)?;
            Some(surface.figure(&format!("fig-{kind}-{at}"), kind == EFFECTS, [first, second]))
        })
    };
    [EFFECTS, MEANS].into_iter().flat_map(of_kind).collect()
}

/// Points of one surface by their rows (the first column's values) and columns (the second's).
struct Surface<'a> {
    rows: Vec<Vec<&'a CurvePoint>>,
    first_is_category: bool,
    /// Both columns are numbers: a cell without rows is one that no row lies near.
    has_cells: bool,
}

impl<'a> Surface<'a> {
    /// `None` unless the points are a full grid.
    fn of(points: &[&'a CurvePoint], [first, second]: [bool; 2]) -> Option<Self> {
        let rows: Vec<Vec<&CurvePoint>> = points.chunk_by(|a, b| a.x == b.x).map(<[&CurvePoint]>::to_vec).collect();
        let width = rows.first()?.len();
        rows.iter().all(|row| row.len() == width).then_some(Self {
            rows,
            first_is_category: !first,
            has_cells: first && second,
        })
    }

    fn figure(&self, id: &str, diverges: bool, [first, second]: [&str; 2]) -> Figure {
        let rows: Vec<&Vec<&CurvePoint>> = thinned(&self.rows.iter().collect::<Vec<_>>(), MAX_ROWS);
        let all = || self.rows.iter().flatten();
        let largest = all().map(|point| point.y.abs()).fold(0.0, f64::max);
        let decimals = number::decimals_for(largest, 2);
        let tile = |point: &CurvePoint| Tile {
            class: if diverges { heatmap::diverging(point.y, largest) } else { heatmap::sequential(point.y, largest) },
            text: number::signed(point.y, decimals),
            // Edges of the lowest cells have no cell below them.
            hatched: diverges && self.has_cells && point.n == 0 && !self.is_edge(point),
        };
        let plain = |point: &CurvePoint| Tile { text: number::fixed(point.y, decimals), ..tile(point) };
        let cells = |row: &Vec<&CurvePoint>| -> Vec<Tile> {
            let cell = |point: &&CurvePoint| if diverges { tile(point) } else { plain(point) };
            thinned(row, MAX_COLUMNS).iter().map(cell).collect()
        };
        // The highest values on top, as on an axis.
        let lines = rows.iter().rev().map(|row| (self.head(row[0]), cells(row))).collect();
        let names: Vec<String> = thinned(&self.rows[0], MAX_COLUMNS).iter().map(|point| self.name(point)).collect();
        let block = Block { title: Some(first.to_owned()), rows: lines };
        let name = [first, second].map(|name| label::shorten(name, 40)).join(interactions::AND);
        let title = match diverges {
            true => say!("surfaces.effects", name = &name),
            false => say!("surfaces.means", name = &name),
        };
        let mut table = Table::new(title.clone(), &[label::shorten(first, 30)]);
        table.columns.extend(names.iter().map(|name| Column::new(label::shorten(name, 20), true)));
        for row in &rows {
            let row_cells = thinned(row, MAX_COLUMNS);
            let cells = row_cells.iter().map(|point| Cell::number(number::significant(point.y, 3)));
            table.push(Label::fit(&self.head(row[0]), 30), cells.collect());
        }
        Figure {
            chart: Chart::Heatmap(heatmap::draw(id, &names, &[block], charts::HALF)),
            id: id.to_owned(),
            template: "charts/heatmap.svg",
            title,
            desc: say!("surfaces.desc", first = first, second = second),
            note: Some(match (diverges, self.has_cells) {
                (true, true) => say!("surfaces.effects_hatched", first = first, second = second),
                (true, false) => say!("surfaces.effects_note", first = first, second = second),
                (false, _) => say!("surfaces.means_note", first = first, second = second),
            }),
            wide: false,
            table,
        }
    }

    /// On the lowest row or column of the grid, where no cell leads to.
    fn is_edge(&self, point: &CurvePoint) -> bool {
        point.group_value == self.rows[0][0].group_value || point.x == self.rows[0][0].x
    }

    /// The second column's value; it stands behind the first's where that is a category.
    fn name(&self, point: &CurvePoint) -> String {
        let behind = point.group_value.split_once(", ").filter(|_| self.first_is_category);
        let text = behind.map_or(point.group_value.as_str(), |(_, second)| second);
        text.parse().map_or_else(|_| text.to_owned(), number::compact)
    }

    fn head(&self, point: &CurvePoint) -> String {
        match point.group_value.split_once(", ").filter(|_| self.first_is_category) {
            Some((category, _)) => category.to_owned(),
            None => number::compact(point.x),
        }
    }
}

fn thinned<T: Clone>(items: &[T], most: usize) -> Vec<T> {
    crate::report::charts::plot::thin(items, most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    #[test]
    fn names_of_columns_may_hold_the_sign_between_two_names() {
        let mut audit = example::binary();
        audit.scope.features[0].name = "age × sex".into();
        let point = audit.curves[0].clone();
        let at = |x: f64, group: &str| CurvePoint {
            kind: MEANS.into(),
            feature: "age × sex × relationship".into(),
            group_value: group.into(),
            x,
            y: 0.5,
            ..point.clone()
        };
        audit.curves.extend([at(1.0, "Wife"), at(1.0, "Husband"), at(2.0, "Wife"), at(2.0, "Husband")]);
        let figure = figures(&Lookup::new(&audit)).remove(0);
        assert!(
            figure.desc.contains("over age × sex, ") && figure.desc.contains("relationship, from left"),
            "{}",
            figure.desc
        );
        let Chart::Heatmap(chart) = figure.chart else { panic!("no heatmap") };
        // The first column is a number: its values are the heads of the rows.
        let heads: Vec<&str> = chart.blocks[0].rows.iter().map(|row| row.label.text.as_str()).collect();
        assert_eq!(heads, ["2", "1"]);
    }
}
