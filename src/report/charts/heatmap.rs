//! Heatmaps: blocks of rows against shared columns, the number printed in every cell.

use crate::report::label::{self, Label};
use crate::report::number::Px;
use serde::Serialize;

/// Most room for labels of rows and of columns.
const MAX_ROW_LABEL: f64 = 196.0;
const MAX_COLUMN_LABEL: f64 = 140.0;
/// The same in a chart that shares its line.
const MAX_COLUMN_LABEL_OF_HALF: f64 = 110.0;
/// Column labels lean by this angle.
const LEAN: f64 = 35.0;
const ROW: f64 = 25.0;
const BLOCK_GAP: f64 = 26.0;
const GAP: f64 = 1.5;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Heatmap {
    pub width: Px,
    pub height: Px,
    pub label_x: Px,
    pub columns: Vec<ColumnLabel>,
    pub blocks: Vec<BlockMarks>,
    /// Column labels do not fit side by side.
    pub leaning: bool,
    /// Id of the hatch pattern; ids must be unique in the document.
    pub hatch_id: String,
    pub cell_width: Px,
    pub cell_height: Px,
    pub key: Option<Key>,
}

/// What the colours mean: their steps between the words for both ends.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Key {
    pub y: Px,
    pub text_y: Px,
    pub low_x: Px,
    pub low: String,
    pub high_x: Px,
    pub high: String,
    pub steps: Vec<(Px, &'static str)>,
}

/// Classes of the colours, from the least to the most.
pub const SEQUENTIAL: [&str; 6] = ["q0", "q1", "q2", "q3", "q4", "q5"];
pub const DIVERGING: [&str; 9] = ["n4", "n3", "n2", "n1", "z0", "p1", "p2", "p3", "p4"];

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColumnLabel {
    pub label: Label,
    pub x: Px,
    pub y: Px,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BlockMarks {
    pub title: Option<Label>,
    pub title_y: Px,
    pub rows: Vec<RowMarks>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RowMarks {
    pub label: Label,
    pub text_y: Px,
    pub y: Px,
    pub cells: Vec<CellMarks>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CellMarks {
    pub x: Px,
    pub text_x: Px,
    pub class: String,
    pub text: String,
    pub hatched: bool,
}

/// Rows under one heading.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Block {
    pub title: Option<String>,
    pub rows: Vec<(String, Vec<Tile>)>,
}

/// One cell: its colour class, its number, and whether it rests on too few rows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tile {
    pub class: String,
    pub text: String,
    pub hatched: bool,
}

/// Classes "n4" … "z0" … "p4" of a value between −`largest` and `largest`.
pub fn diverging(value: f64, largest: f64) -> String {
    let share = if largest > 0.0 { (value / largest).clamp(-1.0, 1.0) } else { 0.0 };
    DIVERGING[((4.0 * share).round() as i32 + 4) as usize].to_owned()
}

/// Classes "q0" … "q5" of a value between 0 and `largest`.
pub fn sequential(value: f64, largest: f64) -> String {
    let share = if largest > 0.0 { (value / largest).clamp(0.0, 1.0) } else { 0.0 };
    SEQUENTIAL[(5.0 * share).round() as usize].to_owned()
}

/// Draws on `width` user units; `id` makes the hatch pattern's id.
pub fn draw(id: &str, columns: &[String], blocks: &[Block], width: f64) -> Heatmap {
    let left = 18.0 + longest(blocks.iter().flat_map(|b| &b.rows).map(|row| &row.0), MAX_ROW_LABEL).max(60.0);
    let room = if width > super::HALF { MAX_COLUMN_LABEL } else { MAX_COLUMN_LABEL_OF_HALF };
    let label_width = longest(columns.iter(), room);
    let slot_of = |right: f64| ((width - left - right) / columns.len().max(1) as f64).min(110.0);
    let leaning = label_width > slot_of(4.0) - 6.0;
    let (header, right) = if leaning {
        (20.0 + label_width * LEAN.to_radians().sin(), (label_width * LEAN.to_radians().cos() - 16.0).max(4.0))
    } else {
        (24.0, 4.0)
    };
    let slot = slot_of(right);
    let mut y = header;
    let mut marks = Vec::with_capacity(blocks.len());
    for block in blocks {
        let (drawn, end) = place(block, y, (left, slot));
        marks.push(drawn);
        y = end;
    }
    let label = |(at, name): (usize, &String)| ColumnLabel {
        label: Label::within(name, room, super::TEXT),
        x: Px(left + slot * (at as f64 + 0.5) - if leaning { 2.0 } else { GAP / 2.0 }),
        y: Px(header - 8.0 + if blocks.iter().any(|b| b.title.is_some()) { 8.0 } else { 0.0 }),
    };
    Heatmap {
        width: Px(width),
        height: Px(y + 6.0),
        label_x: Px(left - 10.0),
        columns: columns.iter().enumerate().map(label).collect(),
        blocks: marks,
        leaning,
        hatch_id: format!("{id}-hatch"),
        cell_width: Px(slot - GAP),
        cell_height: Px(ROW - GAP),
        key: None,
    }
}

impl Heatmap {
    /// With a key of the colours under the cells.
    pub fn with_key(self, classes: &[&'static str], low: &str, high: &str) -> Self {
        const STEP: f64 = 18.0;
        let (left, top) = (self.label_x.0 + 10.0, self.height.0 + 6.0);
        let step = |(at, class): (usize, &&'static str)| (Px(left + STEP * at as f64), *class);
        let key = Key {
            y: Px(top),
            text_y: Px(top + 10.0),
            low_x: Px(left - 8.0),
            low: low.to_owned(),
            high_x: Px(left + STEP * classes.len() as f64 + 8.0),
            high: high.to_owned(),
            steps: classes.iter().enumerate().map(step).collect(),
        };
        Self { height: Px(top + 18.0), key: Some(key), ..self }
    }
}

/// Width of the longest name, at most `room`.
fn longest<'a>(names: impl Iterator<Item = &'a String>, room: f64) -> f64 {
    names.map(|name| label::width(&label::shorten(name, 80), super::TEXT)).fold(0.0, f64::max).min(room)
}

fn place(block: &Block, top: f64, (left, slot): (f64, f64)) -> (BlockMarks, f64) {
    let title_y = top + 18.0;
    let first = if block.title.is_some() { top + BLOCK_GAP } else { top };
    let row = |(at, (name, tiles)): (usize, &(String, Vec<Tile>))| {
        let y = first + ROW * at as f64;
        let cells = tiles.iter().enumerate().map(|(at, tile)| cell(tile, left + slot * at as f64, slot)).collect();
        RowMarks { label: Label::within(name, left - 14.0, super::TEXT), text_y: Px(y + 16.0), y: Px(y), cells }
    };
    let rows: Vec<RowMarks> = block.rows.iter().enumerate().map(row).collect();
    let end = first + ROW * rows.len() as f64;
    let title = block.title.as_deref().map(|title| Label::within(title, left - 14.0, super::TEXT));
    (BlockMarks { title, title_y: Px(title_y), rows }, end)
}

fn cell(tile: &Tile, x: f64, slot: f64) -> CellMarks {
    CellMarks {
        x: Px(x),
        text_x: Px(x + (slot - GAP) / 2.0),
        class: tile.class.clone(),
        text: tile.text.clone(),
        hatched: tile.hatched,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_symmetric_about_zero_and_never_leave_the_palette() {
        assert_eq!(diverging(0.0, 1.0), "z0");
        assert_eq!((diverging(-1.0, 1.0), diverging(1.0, 1.0)), ("n4".into(), "p4".into()));
        assert_eq!((diverging(-9.0, 1.0), diverging(0.5, 0.0)), ("n4".into(), "z0".into()));
        assert_eq!(
            (sequential(0.0, 0.4), sequential(0.4, 0.4), sequential(9.0, 0.4)),
            ("q0".into(), "q5".into(), "q5".into())
        );
    }

    #[test]
    fn a_key_stands_under_the_cells_and_begins_where_they_do() {
        let block = Block { title: None, rows: vec![("x".into(), vec![Tile::default()])] };
        let bare = draw("h", &["age".into()], &[block], 440.0);
        let drawn = bare.clone().with_key(&SEQUENTIAL, "0", "0.5");
        let key = drawn.key.unwrap();
        assert!(key.y.0 > bare.blocks[0].rows[0].y.0 + bare.cell_height.0 && drawn.height.0 > key.text_y.0);
        assert_eq!((key.steps.len(), key.steps[0].0), (6, bare.blocks[0].rows[0].cells[0].x));
    }

    #[test]
    fn blocks_follow_each_other_without_overlap() {
        let block = |n: usize| Block { title: Some("sex".into()), rows: vec![("x".into(), vec![Tile::default()]); n] };
        let chart = draw("h", &["age".into()], &[block(2), block(3)], 900.0);
        let last = chart.blocks[0].rows[1].y.0 + chart.cell_height.0;
        assert!(chart.blocks[1].rows[0].y.0 > last);
        assert!(chart.height.0 > chart.blocks[1].rows[2].y.0 + chart.cell_height.0);
    }
}
