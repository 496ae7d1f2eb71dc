//! The imported structure at work: margins computed here in f64, and the proof that they are the model's.

use super::import::{EnsembleInput, FeatureSource, ForestModel, LinearModel, Report, Reported, Structure};
use super::scorer::{Shape, inner_port};
use super::{Element, Feed, Port};
use crate::dataset::{Column, Features};
use crate::forest::Forest;
use crate::model::onnx::ElementType;
use ndarray::{Array1, Array2, ArrayView1, ArrayView2};
use rayon::prelude::*;

/// A forest or a linear model, with the way from raw columns to its features and from its margins to the outputs.
#[derive(Debug, Clone)]
pub struct Native {
    pub kind: NativeKind,
    /// Per feature of the structure: the raw column it comes from.
    pub columns: Vec<usize>,
    /// Per output of the audit: the margin that belongs to it.
    pub margins: Vec<usize>,
    report: Report,
    /// Per output of the audit: the reported column.
    reported: Vec<usize>,
    source: RowSource,
    rounds_to_f32: bool,
}

#[derive(Debug, Clone)]
pub enum NativeKind {
    Forest(Forest, Vec<super::import::TreeOrigin>),
    Linear { weights: Array2<f64>, intercepts: Vec<f64> },
}

/// Where the structure's features come from.
#[derive(Debug, Clone)]
enum RowSource {
    /// A graph input: `(raw column, position within it)` per feature.
    Columns(Vec<(usize, usize)>),
    /// A tensor inside the graph, computed by ONNX Runtime.
    Inner(Port),
}

impl Native {
    /// Fits an imported structure to a feed; says why where players cannot be told apart.
    pub fn new(structure: Structure, feed: &Feed, features: &Features, shape: Shape) -> Result<Self, String> {
        let (kind, input, report) = match structure {
            Structure::Opaque { why } => return Err(why),
            Structure::Forest(ForestModel { forest, input, report, origins, .. }) => {
                (NativeKind::Forest(forest, origins), input, report)
            }
            Structure::Linear(LinearModel { weights, intercepts, input, report, .. }) => {
                (NativeKind::Linear { weights, intercepts }, input, report)
            }
        };
        if let Some(mixed) = input.mixed() {
            return Err(mixed);
        }
        let places = input.columns.iter().map(|source| place(source, feed, features)).collect::<Result<Vec<_>, _>>()?;
        let (margins, reported) = outputs_of(&report, shape)?;
        let source = match input.is_graph_input {
            true => RowSource::Columns(graph_input(&input, feed, features)?),
            false => RowSource::Inner(inner_port(&input.tensor, Element::F32)),
        };
        let columns = places.into_iter().map(|(column, _)| column).collect();
        let rounds_to_f32 = input.element != ElementType::Double;
        Ok(Self { kind, columns, margins, report, reported, source, rounds_to_f32 })
    }

    /// From margins to what is reported.
    pub fn link(&self) -> crate::forest::Link {
        self.report.link
    }

    /// The tensor that ONNX Runtime must return beside the scores.
    pub fn inner(&self) -> Option<&Port> {
        match &self.source {
            RowSource::Inner(port) => Some(port),
            RowSource::Columns(_) => None,
        }
    }

    /// Rows as they reach the structure, `[rows × features]`, rounded to the runtime's type.
    pub fn rows(&self, features: &Features, inner: Option<&Array2<f64>>) -> Option<Array2<f64>> {
        let round = |x: f64| if self.rounds_to_f32 { f64::from(x as f32) } else { x };
        match &self.source {
            RowSource::Inner(_) => inner.map(|rows| rows.mapv(round)),
            RowSource::Columns(places) => {
                let mut rows = Array2::zeros((features.n_rows, places.len()));
                for ((column, at), mut out) in places.iter().zip(rows.columns_mut()) {
                    match &features.columns[*column] {
                        Column::Number(values) => out.iter_mut().zip(values).for_each(|(out, x)| *out = round(*x)),
                        Column::Tensor { width, values } => {
                            let picked = values.iter().skip(*at).step_by(*width);
                            out.iter_mut().zip(picked).for_each(|(out, x)| *out = f64::from(*x));
                        }
                        Column::Text(_) => return None,
                    }
                }
                Some(rows)
            }
        }
    }

    /// Margins of the audit's outputs, `[rows × outputs]`.
    pub fn margins(&self, rows: ArrayView2<f64>) -> Array2<f64> {
        let all = self.all_margins(rows);
        Array2::from_shape_fn((rows.nrows(), self.margins.len()), |(row, output)| all[[row, self.margins[output]]])
    }

    /// What the model would report for these rows, `[rows × outputs]`.
    pub fn reported(&self, rows: ArrayView2<f64>) -> Array2<f64> {
        let all = self.all_margins(rows);
        let mut out = Array2::zeros((rows.nrows(), self.reported.len()));
        for (margins, mut out) in all.rows().into_iter().zip(out.rows_mut()) {
            let reported = self.report.reported(&margins.to_vec());
            out.iter_mut().zip(&self.reported).for_each(|(out, column)| *out = reported[*column]);
        }
        out
    }

    fn all_margins(&self, rows: ArrayView2<f64>) -> Array2<f64> {
        match &self.kind {
            NativeKind::Linear { weights, intercepts } => rows.dot(&weights.t()) + &Array1::from(intercepts.clone()),
            NativeKind::Forest(forest, _) => {
                let mut out = Array2::zeros((rows.nrows(), forest.n_outputs));
                let each = |(row, mut out): (ArrayView1<f64>, ndarray::ArrayViewMut1<f64>)| {
                    let row = row.to_vec();
                    if let Some(out) = out.as_slice_mut() {
                        forest.margin(&row, out);
                    }
                };
                let rows: Vec<_> = rows.rows().into_iter().zip(out.rows_mut()).collect();
                rows.into_par_iter().with_min_len(256).for_each(each);
                out
            }
        }
    }
}

/// The raw column behind a feature, and the position within it.
fn place(source: &FeatureSource, feed: &Feed, features: &Features) -> Result<(usize, usize), String> {
    match source {
        FeatureSource::Column { input, index } => position(input, *index, feed, features),
        // A constant never differs between a row and the background: whoever owns it gets nothing for it.
        FeatureSource::Constant => Ok((0, 0)),
        FeatureSource::Several(_) => Err("a feature depends on several columns".to_owned()),
    }
}

fn position(input: &str, index: usize, feed: &Feed, features: &Features) -> Result<(usize, usize), String> {
    let fed = feed.inputs.iter().find(|fed| fed.port.name == input);
    let fed = fed.ok_or_else(|| format!("the graph reads an input `{input}` that nothing feeds"))?;
    let mut at = index;
    for column in &fed.columns {
        let width = features.columns[*column].width();
        if at < width {
            return Ok((*column, at));
        }
        at -= width;
    }
    Err(format!("the graph reads position {index} of input `{input}`, which has fewer columns"))
}

fn graph_input(input: &EnsembleInput, feed: &Feed, features: &Features) -> Result<Vec<(usize, usize)>, String> {
    (0..input.columns.len()).map(|index| position(&input.tensor, index, feed, features)).collect()
}

/// Margin and reported column per output of the audit.
fn outputs_of(report: &Report, shape: Shape) -> Result<(Vec<usize>, Vec<usize>), String> {
    let plain = |at: usize| match report.columns.get(at) {
        Some(Reported::Value(margin)) => Ok(*margin),
        _ => Err(format!("output column {at} has no margin of its own")),
    };
    match shape {
        Shape::Binary => {
            let margin = report.binary_margin_output().map_or_else(|| plain(0), Ok)?;
            Ok((vec![margin], vec![report.columns.len().saturating_sub(1)]))
        }
        Shape::Value => Ok((vec![plain(0)?], vec![0])),
        Shape::Classes(n) => Ok(((0..n).map(plain).collect::<Result<_, _>>()?, (0..n).collect())),
    }
}
