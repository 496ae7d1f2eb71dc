//! Which classes are taken for which: a matrix of labels against decisions, and the most frequent confusions.

use crate::audit::ConfusionCell;
use crate::report::charts::heatmap::{self, Block, Tile};
use crate::report::charts::{Chart, FULL, Figure};
use crate::report::label::{self, Label};
use crate::report::lookup::Lookup;
use crate::report::number::{self, Unit};
use crate::report::table::{Cell, Column, Table};
use crate::report::text::{heads, say};
use crate::report::words;
use std::collections::BTreeMap;

/// Most classes of a matrix.
const MAX_CLASSES: usize = 15;
/// Most classes of a matrix printed as a table.
const MAX_COLUMNS: usize = 12;
/// Most confusions listed.
const MAX_PAIRS: usize = 30;

/// The matrix over several classes; `None` without labels and for two classes, which have a table of four cells.
pub fn figure(lookup: &Lookup) -> Option<Figure> {
    let cells = &lookup.audit.confusion;
    if cells.is_empty() {
        return None;
    }
    let matrix = Matrix::of(cells, &lookup.audit.scope.outputs);
    let shown = words::shown_of("confused_classes", matrix.classes.len(), lookup.audit.scope.outputs.len());
    let note = say!("performance.matrix_note");
    Some(Figure {
        id: "fig-confusion".to_owned(),
        template: "charts/heatmap.svg",
        title: match lookup.audit.scope.weight {
            Some(_) => say!("performance.matrix_weighted"),
            None => say!("performance.matrix"),
        },
        desc: matrix.description(),
        note: Some(shown.map_or(note.clone(), |shown| format!("{note} {shown}"))),
        wide: true,
        chart: Chart::Heatmap(matrix.draw()),
        table: if matrix.classes.len() <= MAX_COLUMNS { matrix.table() } else { pairs(cells) },
    })
}

/// The most frequent confusions, the first the most frequent; of many classes they stand with the matrix already.
pub fn table(lookup: &Lookup) -> Option<Table> {
    let wrong = lookup.audit.confusion.iter().any(|cell| cell.label != cell.decision);
    (wrong && lookup.audit.scope.outputs.len() <= MAX_COLUMNS).then(|| pairs(&lookup.audit.confusion))
}

fn pairs(cells: &[ConfusionCell]) -> Table {
    let mut totals: BTreeMap<&str, f64> = BTreeMap::new();
    cells.iter().for_each(|cell| *totals.entry(&cell.label).or_default() += cell.weight);
    let mut wrong: Vec<&ConfusionCell> = cells.iter().filter(|cell| cell.label != cell.decision).collect();
    wrong.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    let mut table = Table::new(say!("performance.confusions"), &heads!("label decided| rows share_of_the_label"));
    for cell in wrong.iter().take(MAX_PAIRS) {
        let share = share(cell.weight, totals[cell.label.as_str()]);
        let rows = Cell::number(number::quantity(cell.weight));
        let share = Cell::number(number::with_unit(Unit::Share, share));
        table.push(Label::fit(&cell.label, 40), vec![Cell::text(&label::shorten(&cell.decision, 40)), rows, share]);
    }
    table.shown = words::shown_of("confusions", table.rows.len(), wrong.len());
    table
}

fn share(part: f64, total: f64) -> f64 {
    if total > 0.0 { part / total } else { 0.0 }
}

struct Matrix<'a> {
    classes: Vec<&'a str>,
    /// Over all decisions, those that are not shown too.
    totals: BTreeMap<&'a str, f64>,
    weights: BTreeMap<(&'a str, &'a str), f64>,
}

impl<'a> Matrix<'a> {
    /// All classes in model order, or those with the most wrong decisions.
    fn of(cells: &'a [ConfusionCell], outputs: &'a [String]) -> Self {
        let (mut totals, mut wrong, mut weights) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for cell in cells {
            let (label, decision) = (cell.label.as_str(), cell.decision.as_str());
            *totals.entry(label).or_insert(0.0) += cell.weight;
            weights.insert((label, decision), cell.weight);
            if label != decision {
                [label, decision].iter().for_each(|class| *wrong.entry(*class).or_insert(0.0) += cell.weight);
            }
        }
        let mut classes: Vec<(usize, &str)> = outputs.iter().map(String::as_str).enumerate().collect();
        let errors = |class: &str| wrong.get(class).copied().unwrap_or(0.0);
        classes.sort_by(|a, b| errors(b.1).total_cmp(&errors(a.1)).then(a.0.cmp(&b.0)));
        classes.truncate(MAX_CLASSES);
        classes.sort_unstable();
        Self { classes: classes.into_iter().map(|(_, class)| class).collect(), totals, weights }
    }

    fn weight(&self, label: &str, decision: &str) -> f64 {
        self.weights.get(&(label, decision)).copied().unwrap_or(0.0)
    }

    fn description(&self) -> String {
        let wrong = self.weights.iter().filter(|((label, decision), _)| label != decision);
        let worst = wrong.max_by(|a, b| a.1.total_cmp(b.1));
        match worst {
            None => say!("performance.matrix_right"),
            Some(((label, decision), weight)) => say!(
                "performance.matrix_worst",
                label = label::shorten(label, 40),
                decision = label::shorten(decision, 40),
                rows = number::quantity(*weight),
                all = number::quantity(self.totals[label]),
            ),
        }
    }

    fn draw(&self) -> heatmap::Heatmap {
        let tile = |label: &str, decision: &str| {
            let weight = self.weight(label, decision);
            let class = heatmap::sequential(share(weight, self.totals.get(label).copied().unwrap_or(0.0)), 1.0);
            let text = if weight > 0.0 { number::quantity(weight) } else { "·".to_owned() };
            Tile { class, text, hatched: false }
        };
        let row =
            |label: &&str| ((*label).to_owned(), self.classes.iter().map(|decision| tile(label, decision)).collect());
        let columns: Vec<String> = self.classes.iter().map(|class| (*class).to_owned()).collect();
        let block = Block { title: None, rows: self.classes.iter().map(row).collect() };
        heatmap::draw("fig-confusion", &columns, &[block], FULL)
    }

    fn table(&self) -> Table {
        let mut table = Table::new(say!("performance.matrix_table"), &heads!("label"));
        table.columns.extend(self.classes.iter().map(|class| Column::new(label::shorten(class, 24), true)));
        for label in &self.classes {
            let cell = |decision: &&str| Cell::number(number::quantity(self.weight(label, decision)));
            table.push(Label::fit(label, 30), self.classes.iter().map(cell).collect());
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(label: &str, decision: &str, n: u64) -> ConfusionCell {
        ConfusionCell { label: label.into(), decision: decision.into(), n, weight: n as f64 }
    }

    fn names(n: usize) -> Vec<String> {
        (0..n).map(|class| class.to_string()).collect()
    }

    #[test]
    fn every_count_is_in_its_row_and_column() {
        let (cells, names) = ([cell("0", "0", 5), cell("0", "2", 3), cell("2", "1", 1)], names(3));
        let table = Matrix::of(&cells, &names).table();
        let texts = |row: usize| table.rows[row].cells.iter().map(|cell| cell.text.clone()).collect::<Vec<_>>();
        assert_eq!([texts(0), texts(1), texts(2)], [["5", "0", "3"], ["0", "0", "0"], ["0", "1", "0"]]);
    }

    #[test]
    fn confusions_are_listed_once_beside_the_matrix_or_with_it() {
        let mut audit = crate::report::example::multiclass();
        audit.confusion = vec![cell("0", "0", 5), cell("0", "1", 3)];
        let listed = |audit: &crate::audit::Audit| {
            let lookup = Lookup::new(audit);
            let with = figure(&lookup).unwrap().table.caption == pairs(&audit.confusion).caption;
            (table(&lookup).is_some(), with)
        };
        for (classes, expected) in [(3, (true, false)), (12, (true, false)), (13, (false, true))] {
            audit.scope.outputs = names(classes);
            assert_eq!(listed(&audit), expected, "{classes}");
        }
    }

    #[test]
    fn of_many_classes_those_with_errors_are_shown_in_model_order() {
        let (cells, names) = ([cell("90", "3", 2), cell("50", "50", 9)], names(100));
        let matrix = Matrix::of(&cells, &names);
        assert_eq!(matrix.classes.len(), MAX_CLASSES);
        assert!(matrix.classes.contains(&"90") && matrix.classes.contains(&"3") && !matrix.classes.contains(&"50"));
        assert!(matrix.classes.is_sorted_by_key(|class| class.parse::<u32>().unwrap()));
    }

    #[test]
    fn confusions_come_by_their_number_and_leave_out_what_is_right() {
        let table = pairs(&[cell("a", "a", 90), cell("a", "b", 10), cell("b", "a", 30)]);
        let rows: Vec<(&str, &str)> =
            table.rows.iter().map(|row| (row.head.text.as_str(), row.cells[2].text.as_str())).collect();
        assert_eq!(rows, [("b", "100.0\u{a0}%"), ("a", "10.0\u{a0}%")]);
    }
}
