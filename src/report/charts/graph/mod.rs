//! A model's structure: boxes from top to bottom, wrapped into columns, and onto further sheets where one is full.
//!
//! An edge from one column to the next ends in a number that stands again where it goes on.

mod layers;

use super::{FULL, HALF, TEXT};
use crate::audit::{BoxKind, Repeat, Structure, StructureBox};
use crate::report::label::Label;
use crate::report::number::{self, Px, px};
use crate::report::text::say;
use layers::{Item, Layers};
use serde::Serialize;

const BOX_WIDTH: f64 = 186.0;
const NARROWEST: f64 = 96.0;
const BOX_HEIGHT: f64 = 52.0;
const GAP: f64 = 18.0;
const PASS: f64 = 16.0;
/// From the top of a box to the top of the next below.
const PITCH: f64 = 82.0;
/// Around all, with room for a number where an edge goes on.
const MARGIN: f64 = 34.0;
const COLUMN_GAP: f64 = 40.0;
/// Most boxes below each other: with a caption this is what a printed page holds.
const MOST_RANKS: usize = 13;
/// Up to so many boxes stay in one column.
const SHORT: usize = 7;
const STUB: f64 = 17.0;
const BESIDE: f64 = 20.0;

/// One sheet.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Graph {
    pub width: Px,
    pub height: Px,
    pub box_width: Px,
    pub box_height: Px,
    pub boxes: Vec<BoxMark>,
    /// Path data of all edges, and of their heads.
    pub lines: String,
    pub heads: String,
    pub stubs: Vec<Stub>,
    pub frames: Vec<Frame>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BoxMark {
    pub x: Px,
    pub y: Px,
    /// "input", "operator", "weights" (an operator that has learnt something) or "output".
    pub class: &'static str,
    pub text_x: Px,
    pub title: Label,
    pub title_y: Px,
    pub then: Option<Label>,
    pub then_y: Px,
    pub shape: Label,
    pub shape_y: Px,
    /// "× 12", with its place.
    pub times: Option<String>,
    pub times_x: Px,
    pub tooltip: String,
}

/// Where an edge leaves a column or enters the next.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stub {
    pub x: Px,
    pub y: Px,
    pub text_y: Px,
    pub number: usize,
}

/// Around boxes that are computed several times in a row.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Frame {
    pub x: Px,
    pub y: Px,
    pub width: Px,
    pub height: Px,
    pub text: String,
    pub text_x: Px,
    pub text_y: Px,
}

/// Sheets in order; none for an empty structure.
pub fn draw(structure: &Structure) -> Vec<Graph> {
    let n = structure.boxes.len();
    if n == 0 {
        return Vec::new();
    }
    let most = layers::most_beside(n, &structure.edges);
    let box_width = (FULL - 2.0 * MARGIN).mul_add(1.0 / most as f64, -GAP).clamp(NARROWEST, BOX_WIDTH);
    let layers = layers::layers(n, &structure.edges, (box_width + GAP, PASS));
    let plan = Columns::of(&layers, box_width);
    let mut sheets: Vec<Sheet> = (0..plan.n_sheets).map(|_| Sheet::default()).collect();
    let mut pen = Pen { structure, layers: &layers, plan: &plan, numbers: Vec::new() };
    for rank in 0..layers.ranks.len() {
        let sheet = plan.sheet(rank);
        pen.rank(rank, &mut sheets[sheet]);
        pen.lines(rank, &mut sheets);
    }
    for repeat in &structure.repeats {
        pen.frames(repeat, &mut sheets);
    }
    sheets.into_iter().map(|sheet| sheet.finish(&plan)).collect()
}

/// How ranks are wrapped.
struct Columns {
    box_width: f64,
    ranks_each: usize,
    per_sheet: usize,
    n_sheets: usize,
    /// Extent of the drawing before wrapping.
    left: f64,
    column_width: f64,
    width: f64,
    height: f64,
}

impl Columns {
    fn of(layers: &Layers, box_width: f64) -> Self {
        let (mut left, mut right) = (f64::INFINITY, f64::NEG_INFINITY);
        for (rank, centres) in layers.ranks.iter().zip(&layers.centres) {
            for (item, centre) in rank.iter().zip(centres) {
                let half = if matches!(item, Item::Box(_)) { box_width / 2.0 } else { PASS / 2.0 };
                (left, right) = (left.min(centre - half), right.max(centre + half));
            }
        }
        let column_width = right - left;
        let n = layers.ranks.len();
        let fitting = (FULL - 2.0 * MARGIN + COLUMN_GAP) / (column_width + COLUMN_GAP);
        let fitting = if n <= SHORT { 1 } else { (fitting as usize).max(1) };
        let n_columns = n.div_ceil(MOST_RANKS).max(fitting.min(n.div_ceil(SHORT)));
        let ranks_each = n.div_ceil(n_columns);
        let per_sheet = fitting.min(n_columns);
        let needed = 2.0 * MARGIN + per_sheet as f64 * (column_width + COLUMN_GAP) - COLUMN_GAP;
        Self {
            box_width,
            ranks_each,
            per_sheet,
            n_sheets: n.div_ceil(ranks_each).div_ceil(per_sheet),
            left,
            column_width,
            width: if needed <= HALF { HALF } else { needed.max(FULL) },
            height: 2.0 * MARGIN + PITCH * ranks_each.min(n) as f64 - (PITCH - BOX_HEIGHT),
        }
    }

    fn sheet(&self, rank: usize) -> usize {
        rank / self.ranks_each / self.per_sheet
    }

    /// From the drawing before wrapping to the sheet.
    fn x(&self, rank: usize, x: f64) -> f64 {
        let column = (rank / self.ranks_each) % self.per_sheet;
        let all = self.per_sheet as f64 * (self.column_width + COLUMN_GAP) - COLUMN_GAP;
        (self.width - all) / 2.0 + column as f64 * (self.column_width + COLUMN_GAP) + x - self.left
    }

    fn y(&self, rank: usize) -> f64 {
        MARGIN + PITCH * (rank % self.ranks_each) as f64
    }
}

#[derive(Default)]
struct Sheet {
    boxes: Vec<BoxMark>,
    lines: String,
    heads: String,
    stubs: Vec<Stub>,
    frames: Vec<Frame>,
}

impl Sheet {
    fn finish(self, plan: &Columns) -> Graph {
        Graph {
            width: Px(plan.width),
            height: Px(plan.height),
            box_width: Px(plan.box_width),
            box_height: Px(BOX_HEIGHT),
            boxes: self.boxes,
            lines: self.lines,
            heads: self.heads,
            stubs: self.stubs,
            frames: self.frames,
        }
    }

    fn curve(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64), has_head: bool) {
        let middle = (y1 + y2) / 2.0;
        let end = if has_head { y2 - 4.0 } else { y2 };
        let [ax, ay, bx, by, m] = [x1, y1, x2, end, middle].map(px);
        self.lines +=
            &if ax == bx { format!("M{ax} {ay}V{by}") } else { format!("M{ax} {ay}C{ax} {m} {bx} {m} {bx} {by}") };
        if has_head {
            self.heads += &format!("M{} {}h7l-3.5 6z", px(x2 - 3.5), px(y2 - 6.0));
        }
    }

    fn stub(&mut self, x: f64, y: f64, number: usize) {
        self.stubs.push(Stub { x: Px(x), y: Px(y), text_y: Px(y + 3.6), number });
    }
}

struct Pen<'a> {
    structure: &'a Structure,
    layers: &'a Layers,
    plan: &'a Columns,
    /// Sources of edges that go on elsewhere, numbered by position; with the rank they left.
    numbers: Vec<(usize, usize)>,
}

impl Pen<'_> {
    fn rank(&self, rank: usize, sheet: &mut Sheet) {
        for (item, centre) in self.layers.ranks[rank].iter().zip(&self.layers.centres[rank]) {
            let (x, y) = (self.plan.x(rank, *centre), self.plan.y(rank));
            match item {
                Item::Box(at) => sheet.boxes.push(mark(&self.structure.boxes[*at], x, y, self.plan.box_width)),
                Item::Pass(_) => sheet.lines += &format!("M{} {}v{}", px(x), px(y), px(BOX_HEIGHT)),
            }
        }
    }

    /// Lines from this rank to the next.
    fn lines(&mut self, rank: usize, sheets: &mut [Sheet]) {
        let Some(lines) = self.layers.lines.get(rank) else { return };
        let is_cut = (rank + 1).is_multiple_of(self.plan.ranks_each);
        let (here, next) = (self.plan.sheet(rank), self.plan.sheet(rank + 1));
        for (above, below) in lines {
            let source = self.layers.ranks[rank][*above].source();
            let from = (self.plan.x(rank, self.layers.centres[rank][*above]), self.plan.y(rank) + BOX_HEIGHT);
            let to = (self.plan.x(rank + 1, self.layers.centres[rank + 1][*below]), self.plan.y(rank + 1));
            let has_head = matches!(self.layers.ranks[rank + 1][*below], Item::Box(_));
            if !is_cut {
                sheets[here].curve(from, to, has_head);
                continue;
            }
            let known = self.numbers.iter().position(|number| *number == (source, rank));
            let number = known.unwrap_or(self.numbers.len());
            if known.is_none() {
                self.numbers.push((source, rank));
                sheets[here].curve(from, (from.0, from.1 + STUB - 8.0), false);
                sheets[here].stub(from.0, from.1 + STUB, number + 1);
            }
            // Several that enter the same box stand side by side.
            let entering: Vec<usize> = lines.iter().filter(|line| line.1 == *below).map(|line| line.0).collect();
            let beside = entering.iter().position(|place| place == above).unwrap_or(0) as f64;
            let x = to.0 + BESIDE * (beside - (entering.len() - 1) as f64 / 2.0);
            sheets[next].curve((x, to.1 - STUB + 8.0), (x, to.1), has_head);
            sheets[next].stub(x, to.1 - STUB, number + 1);
        }
    }

    /// A frame in every column that the repeated boxes reach.
    fn frames(&self, repeat: &Repeat, sheets: &mut [Sheet]) {
        let inside = |item: &Item| matches!(item, Item::Box(at) if (repeat.first..=repeat.last).contains(at));
        let ranks: Vec<usize> =
            (0..self.layers.ranks.len()).filter(|r| self.layers.ranks[*r].iter().any(inside)).collect();
        for column in ranks.chunk_by(|a, b| a / self.plan.ranks_each == b / self.plan.ranks_each) {
            let (top, bottom) = (column[0], column[column.len() - 1]);
            let (mut left, mut right) = (f64::INFINITY, f64::NEG_INFINITY);
            for rank in column {
                for (item, centre) in self.layers.ranks[*rank].iter().zip(&self.layers.centres[*rank]) {
                    let half = if matches!(item, Item::Box(_)) { self.plan.box_width / 2.0 } else { 0.0 };
                    let x = self.plan.x(*rank, *centre);
                    (left, right) = (left.min(x - half - 9.0), right.max(x + half + 9.0));
                }
            }
            let (y, end) = (self.plan.y(top) - 11.0, self.plan.y(bottom) + BOX_HEIGHT + 9.0);
            sheets[self.plan.sheet(top)].frames.push(Frame {
                x: Px(left),
                y: Px(y),
                width: Px(right - left),
                height: Px(end - y),
                text: format!("× {}", number::count(repeat.times)),
                text_x: Px(right - 2.0),
                text_y: Px(y - 3.0),
            });
        }
    }
}

fn mark(own: &StructureBox, centre: f64, y: f64, width: f64) -> BoxMark {
    let class = match own.kind {
        BoxKind::Input => "input",
        BoxKind::Output => "output",
        BoxKind::Operator if own.parameters > 0 => "weights",
        BoxKind::Operator => "operator",
    };
    let times = (own.times > 1).then(|| format!("× {}", number::count(own.times)));
    let room = width - 20.0;
    let beside = if times.is_some() { 34.0 } else { 0.0 };
    // Inputs and outputs are told by their names, operators by what they do.
    let (title, then) = match own.kind {
        BoxKind::Input => (&own.name, own.title.clone()),
        BoxKind::Output => (&own.title, say!("structure.output")),
        BoxKind::Operator => (&own.title, own.then.join(", ")),
    };
    let shape = Some(own.shape.clone()).filter(|shape| shape != "?");
    let learnt = (own.parameters > 0).then(|| number::count(own.parameters));
    let size: Vec<String> = shape.into_iter().chain(learnt).collect();
    BoxMark {
        x: Px(centre - width / 2.0),
        y: Px(y),
        class,
        text_x: Px(centre - width / 2.0 + 10.0),
        title: Label::within(title, room - beside, TEXT),
        title_y: Px(y + 17.0),
        then: (!then.is_empty()).then(|| Label::within(&then, room, TEXT - 2.0)),
        then_y: Px(y + 31.0),
        shape: Label::within(&size.join(" · "), room, TEXT - 2.0),
        shape_y: Px(y + 45.0),
        times,
        times_x: Px(centre + width / 2.0 - 8.0),
        tooltip: own.name.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(n: usize) -> Structure {
        let one = |at: usize| StructureBox {
            title: format!("op {at}"),
            times: 1,
            shape: "[N, 4]".into(),
            ..Default::default()
        };
        Structure {
            boxes: (0..n).map(one).collect(),
            edges: (1..n).map(|at| (at - 1, at)).collect(),
            ..Structure::default()
        }
    }

    fn inside(graph: &Graph) -> bool {
        graph.boxes.iter().all(|mark| {
            mark.x.0 >= 0.0
                && mark.x.0 + graph.box_width.0 <= graph.width.0
                && mark.y.0 >= 0.0
                && mark.y.0 + graph.box_height.0 <= graph.height.0
        })
    }

    #[test]
    fn all_boxes_stand_on_a_sheet_once_whatever_their_number() {
        for n in [1, 2, 7, 8, 30, 200, 503] {
            let sheets = draw(&chain(n));
            assert_eq!(sheets.iter().map(|sheet| sheet.boxes.len()).sum::<usize>(), n);
            assert!(sheets.iter().all(inside), "{n}");
            assert!(sheets.iter().all(|sheet| sheet.height.0 < 1_150.0), "{n}");
        }
    }

    #[test]
    fn an_edge_that_goes_on_in_the_next_column_has_the_same_number_there() {
        let sheets = draw(&chain(20));
        let numbers: Vec<usize> = sheets.iter().flat_map(|sheet| &sheet.stubs).map(|stub| stub.number).collect();
        assert!(!numbers.is_empty());
        for number in &numbers {
            assert_eq!(numbers.iter().filter(|other| *other == number).count(), 2);
        }
    }

    #[test]
    fn repeated_boxes_stand_in_a_frame_that_says_how_often() {
        let structure = Structure { repeats: vec![Repeat { first: 1, last: 2, times: 16 }], ..chain(5) };
        let sheets = draw(&structure);
        let [frame] = sheets[0].frames.as_slice() else { panic!("one frame") };
        assert_eq!(frame.text, "× 16");
        let (first, last) = (&sheets[0].boxes[1], &sheets[0].boxes[2]);
        assert!(frame.y.0 < first.y.0 && frame.y.0 + frame.height.0 > last.y.0 + BOX_HEIGHT);
        assert!(frame.y.0 > sheets[0].boxes[0].y.0 + BOX_HEIGHT);
    }

    #[test]
    fn many_branches_are_narrower_but_never_outside() {
        let wide =
            Structure { edges: (1..40).map(|at| (0, at)).chain((1..40).map(|at| (at, 40))).collect(), ..chain(41) };
        assert!(draw(&wide).iter().all(inside));
    }

    #[test]
    fn nothing_gives_no_sheet() {
        assert_eq!(draw(&Structure::default()), Vec::new());
    }
}
