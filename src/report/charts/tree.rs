//! A small decision tree from left to right: questions branch into leaves, each with the share of rows that reaches it.

use crate::report::label::Label;
use crate::report::number::{Px, px};
use crate::report::text::say;
use serde::Serialize;

const LEFT: f64 = 1.0;
const TOP: f64 = 8.0;
/// Between neighbouring leaves.
const PITCH: f64 = 43.0;
const BOX_WIDTH: f64 = 146.0;
/// Of a leaf: two lines and its bar.
const LEAF_HEIGHT: f64 = 36.0;
/// Of a question: three lines.
const QUESTION_HEIGHT: f64 = 47.0;
/// From line to line.
const LINE: f64 = 14.0;
/// Between the text and the edge of its box.
const PAD: f64 = 8.0;
/// Size of the text in boxes.
const TEXT: f64 = 12.0;
/// Height of the bar of a leaf's share.
const BAR: f64 = 4.0;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tree {
    pub width: Px,
    pub height: Px,
    pub box_width: Px,
    pub bar_height: Px,
    pub nodes: Vec<NodeMarks>,
    pub edges: Vec<Edge>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NodeMarks {
    /// "question" or "leaf".
    pub class: &'static str,
    pub x: Px,
    pub y: Px,
    pub height: Px,
    pub text_x: Px,
    /// Each with its baseline; the first is set strong.
    pub lines: Vec<(Px, Label)>,
    /// Where the bar of a leaf stands, and how long it is.
    pub bar: Option<(Px, Px)>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Edge {
    pub d: String,
    pub text: String,
    pub text_x: Px,
    pub text_y: Px,
}

/// A place of the tree, in words.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    pub depth: usize,
    /// Two or three: what is asked and of what, or what a leaf says.
    pub lines: Vec<String>,
    /// Of all rows, between 0 and 1.
    pub share: f64,
    /// Positions of the branches; `None` for a leaf.
    pub branches: Option<(usize, usize)>,
}

/// Draws places; children stand behind their parent, and leaves in the order of the list from top to bottom.
pub fn draw(places: &[Place]) -> Tree {
    let deepest = places.iter().map(|place| place.depth).max().unwrap_or(0);
    let step = if deepest > 0 { (super::FULL - BOX_WIDTH - 2.0 * LEFT) / deepest as f64 } else { 0.0 };
    let x = |place: &Place| LEFT + step * place.depth as f64;
    let (centres, n_leaves) = centres(places);
    let edges = places.iter().enumerate().flat_map(|(at, place)| {
        let branches =
            place.branches.map_or(Vec::new(), |(yes, no)| vec![(yes, say!("rule.yes")), (no, say!("rule.no"))]);
        let from = (x(place) + BOX_WIDTH, centres[at]);
        let to = |child: usize| (x(&places[child]), centres[child]);
        branches.into_iter().map(move |(child, text)| edge(from, to(child), text)).collect::<Vec<_>>()
    });
    Tree {
        width: Px(super::FULL),
        height: Px(TOP + PITCH * n_leaves as f64 + TOP),
        box_width: Px(BOX_WIDTH),
        bar_height: Px(BAR),
        edges: edges.collect(),
        nodes: places.iter().zip(&centres).map(|(place, centre)| node(place, x(place), *centre)).collect(),
    }
}

/// The height of every place, a parent between its branches; and the number of leaves.
fn centres(places: &[Place]) -> (Vec<f64>, usize) {
    let mut centres = vec![0.0; places.len()];
    let mut n_leaves = 0;
    for (at, _) in places.iter().enumerate().filter(|(_, place)| place.branches.is_none()) {
        centres[at] = TOP + PITCH * (n_leaves as f64 + 0.5);
        n_leaves += 1;
    }
    for (at, place) in places.iter().enumerate().rev() {
        if let Some((yes, no)) = place.branches {
            centres[at] = (centres[yes] + centres[no]) / 2.0;
        }
    }
    (centres, n_leaves)
}

fn node(place: &Place, x: f64, centre: f64) -> NodeMarks {
    let height = if place.branches.is_some() { QUESTION_HEIGHT } else { LEAF_HEIGHT };
    let top = centre - height / 2.0;
    let label = |text: &str| Label::within(text, BOX_WIDTH - 2.0 * PAD, TEXT);
    NodeMarks {
        class: if place.branches.is_some() { "question" } else { "leaf" },
        x: Px(x),
        y: Px(top),
        height: Px(height),
        text_x: Px(x + PAD),
        lines: (1..)
            .map(|line| Px(top + LINE * f64::from(line)))
            .zip(place.lines.iter().map(|text| label(text)))
            .collect(),
        bar: place.branches.is_none().then(|| (Px(top + height - BAR), Px(BOX_WIDTH * place.share.clamp(0.0, 1.0)))),
    }
}

fn edge((x0, y0): (f64, f64), (x1, y1): (f64, f64), text: String) -> Edge {
    let middle = (x0 + x1) / 2.0;
    let (m, a, b) = (px(middle), px(y0), px(y1));
    Edge {
        d: format!("M{} {a}C{m} {a} {m} {b} {} {b}", px(x0), px(x1)),
        text,
        text_x: Px(x1 - 5.0),
        // Above a line that rises, below one that falls.
        text_y: Px(if y1 > y0 { y1 + 13.0 } else { y1 - 5.0 }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(depth: usize, branches: Option<(usize, usize)>) -> Place {
        Place { depth, lines: vec!["age".into(), "≤ 27.5".into()], share: 0.25, branches }
    }

    fn drawn() -> Tree {
        draw(&[place(0, Some((1, 2))), place(1, None), place(1, Some((3, 4))), place(2, None), place(2, None)])
    }

    #[test]
    fn a_parent_stands_between_its_branches_and_leaves_do_not_touch() {
        let tree = drawn();
        let y: Vec<f64> = tree.nodes.iter().map(|node| node.y.0).collect();
        let centre = |at: usize| y[at] + tree.nodes[at].height.0 / 2.0;
        assert!((centre(2) - (centre(3) + centre(4)) / 2.0).abs() < 1e-9);
        assert!((centre(0) - (centre(1) + centre(2)) / 2.0).abs() < 1e-9);
        let bottom = |at: usize| y[at] + tree.nodes[at].height.0;
        assert!(bottom(1) < y[3] && bottom(3) < y[4] && bottom(4) < tree.height.0);
    }

    #[test]
    fn every_branch_is_joined_and_bars_are_shares_of_the_box() {
        let tree = drawn();
        let texts: Vec<&str> = tree.edges.iter().map(|edge| edge.text.as_str()).collect();
        assert_eq!(texts, ["yes", "no", "yes", "no"]);
        let bars: Vec<f64> = tree.nodes.iter().filter_map(|node| node.bar).map(|bar| bar.1.0).collect();
        assert_eq!(bars, [BOX_WIDTH / 4.0; 3]);
    }

    #[test]
    fn a_single_leaf_and_a_tree_of_four_levels_stay_on_the_page() {
        assert_eq!(draw(&[place(0, None)]).nodes.len(), 1);
        let deep: Vec<Place> =
            (0..9_usize).map(|at| place(at.div_ceil(2), (at % 2 == 0 && at < 8).then_some((at + 1, at + 2)))).collect();
        let tree = draw(&deep);
        assert!(tree.nodes.iter().all(|node| node.x.0 + BOX_WIDTH <= super::super::FULL));
    }
}
