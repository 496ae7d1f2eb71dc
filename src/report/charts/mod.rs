//! Charts as geometry: each file turns numbers into typed marks that its template prints.
//!
//! Positions are user units of an SVG 440 wide (two stand side by side on a page) or 900 wide. A chart knows neither
//! colours nor fonts: marks carry classes of `theme.css`. Every chart comes with the table of its numbers.

pub mod bars;
pub mod beeswarm;
pub mod dots;
pub mod gates;
pub mod graph;
pub mod heatmap;
pub mod histogram;
pub mod overlay;
pub mod plot;
pub mod slope;
pub mod sparks;
pub mod tree;
pub mod waterfall;

use super::table::Table;
use serde::Serialize;

/// Width of a chart that shares its line with another.
pub const HALF: f64 = 440.0;
/// Width of a chart that has the line for itself.
pub const FULL: f64 = 900.0;
/// Size of text in charts at its largest, on narrow screens: labels need room for this.
pub const TEXT: f64 = 13.2;

/// A chart with its words and its numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
    /// Unique in the document; `aria-labelledby` is made of it.
    pub id: String,
    /// `charts/….svg`.
    pub template: &'static str,
    pub title: String,
    /// What is to be seen, for those who do not see it.
    pub desc: String,
    /// A sentence or two under the title.
    pub note: Option<String>,
    pub wide: bool,
    pub chart: Chart,
    pub table: Table,
}

/// The geometry of one chart.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Chart {
    Gates(gates::Gates),
    Plot(Box<plot::Plot>),
    Histogram(histogram::Histogram),
    Dots(dots::Dots),
    Bars(bars::Bars),
    Beeswarm(beeswarm::Beeswarm),
    Heatmap(heatmap::Heatmap),
    Slope(slope::Slope),
    Graph(Box<graph::Graph>),
    Sparks(sparks::Sparks),
    Tree(tree::Tree),
    Waterfall(waterfall::Waterfall),
}
