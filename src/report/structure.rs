//! The drawing of a model's structure: figures of the report, and a picture of its own.

use super::charts::{Chart, FULL, Figure, graph};
use super::label::{self, Label};
use super::number::{self, Px};
use super::table::{Cell, Table};
use super::templates::{self, ReportError};
use super::words;
use crate::audit::{BoxKind, Structure, StructureBox};
use crate::report::text::{heads, say};
use serde::Serialize;

/// Most rows of the table of numbers of one drawing.
const MAX_ROWS: usize = 200;

/// One figure for each sheet; the first has the table of all boxes.
pub fn figures(structure: &Structure) -> Vec<Figure> {
    let sheets = graph::draw(structure);
    let n = sheets.len();
    let figure = |(at, sheet): (usize, graph::Graph)| Figure {
        id: format!("fig-structure-{at}"),
        template: "charts/graph.svg",
        title: if n > 1 { say!("structure.sheet", at = at + 1, n = n) } else { say!("structure.drawing") },
        desc: description(structure),
        note: (at == 0).then(|| note(structure)),
        wide: sheet.width.0 >= FULL,
        table: if at == 0 { table(structure, 0..structure.boxes.len()) } else { on_sheet(structure, &sheet) },
        chart: Chart::Graph(Box::new(sheet)),
    };
    sheets.into_iter().enumerate().map(figure).collect()
}

/// The drawing as an SVG document of its own.
///
/// # Errors
/// A broken built-in template.
pub fn svg(structure: &Structure, title: &str) -> Result<String, ReportError> {
    #[derive(Serialize)]
    struct Placed {
        x: Px,
        y: Px,
        chart: graph::Graph,
    }
    #[derive(Serialize)]
    struct Picture {
        width: Px,
        height: Px,
        title: String,
        desc: String,
        sheets: Vec<Placed>,
    }
    let sheets = graph::draw(structure);
    let width = sheets.iter().map(|sheet| sheet.width.0).fold(1.0, f64::max);
    let mut height = 0.0;
    let mut placed = Vec::with_capacity(sheets.len());
    for chart in sheets {
        let y = height;
        height += chart.height.0;
        placed.push(Placed { x: Px((width - chart.width.0) / 2.0), y: Px(y), chart });
    }
    let desc = format!("{} {}", description(structure), note(structure));
    let height = Px(f64::max(height, 1.0));
    let picture = Picture { width: Px(width), height, title: label::shorten(title, 120), desc, sheets: placed };
    templates::print_page("structure.svg", &picture, None)
}

fn description(structure: &Structure) -> String {
    let operators = structure.boxes.iter().filter(|own| own.kind == BoxKind::Operator).count() as u64;
    say!(
        "structure.desc",
        boxes = say!("structure.boxes", n = operators),
        operators = say!("structure.n_operators", n = structure.n_nodes),
    )
}

/// How to read it, and what is not drawn.
fn note(structure: &Structure) -> String {
    let branches = structure.boxes.iter().any(|own| own.times > 1);
    let sentences = [
        Some(say!("structure.note")),
        (!structure.repeats.is_empty()).then(|| say!("structure.note_frame")),
        branches.then(|| say!("structure.note_times")),
        (structure.n_hidden > 0).then(|| say!("structure.note_hidden", n = structure.n_hidden)),
    ];
    sentences.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn table(structure: &Structure, range: std::ops::Range<usize>) -> Table {
    let is_operator = |at: &usize| structure.boxes[*at].kind == BoxKind::Operator;
    let operators: Vec<usize> = range.filter(is_operator).collect();
    let columns = heads!("operators shape| parameters multiply_adds_a_row times");
    let mut table = Table::new(say!("structure.table"), &columns);
    for at in operators.iter().take(MAX_ROWS) {
        let own = &structure.boxes[*at];
        let cells = vec![
            Cell { is_reason: true, ..Cell::text(&own.shape) },
            Cell::count(own.parameters),
            own.multiply_adds.map_or_else(Cell::none, Cell::count),
            Cell::count(times(structure, *at)),
        ];
        let branches = (own.times > 1).then(|| format!("× {}", number::count(own.times)));
        let operators =
            [std::slice::from_ref(&own.title), own.then.as_slice(), branches.as_slice()].concat().join(", ");
        table.push(Label::whole(&operators, 60), cells);
    }
    table.shown = words::shown_of("boxes", table.rows.len(), operators.len());
    table
}

/// The boxes of a further sheet.
fn on_sheet(structure: &Structure, sheet: &graph::Graph) -> Table {
    let drawn: Vec<&str> = sheet.boxes.iter().map(|mark| mark.tooltip.as_str()).collect();
    let is_here = |own: &StructureBox| drawn.contains(&own.name.as_str());
    let first = structure.boxes.iter().position(is_here).unwrap_or(0);
    let last = structure.boxes.iter().rposition(is_here).map_or(first, |at| at + 1);
    table(structure, first..last)
}

/// How often the box is computed in a row.
fn times(structure: &Structure, at: usize) -> u64 {
    let repeats = structure.repeats.iter().filter(|repeat| (repeat.first..=repeat.last).contains(&at));
    repeats.map(|repeat| repeat.times).product()
}
