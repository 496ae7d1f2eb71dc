//! The imported structure at work: margins computed here in f64, and the proof that they are the model's.

mod profiles;

pub(crate) use profiles::ProfileBuffers;
pub use profiles::{AskedColumn, NativeProfiles};

use super::import::{EnsembleInput, FeatureSource, ForestModel, LinearModel, Report, Reported, Structure};
use super::predictor::{PredictError, Predictor, Scores};
use super::scorer::{Shape, inner_port};
use super::{Element, Feed, Port};
use crate::dataset::{Column, Features};
use crate::forest::{FlatForest, Forest};
use crate::model::onnx::ElementType;
use ndarray::{Array1, Array2, ArrayView2, Axis};
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
    flat: Option<FlatForest>,
}

#[derive(Debug, Clone)]
pub enum NativeKind {
    Forest(Forest, Vec<super::import::TreeOrigin>),
    Linear { weights: Array2<f64>, intercepts: Vec<f64> },
}

/// Native scores of some rows, `[rows × outputs]` each.
#[derive(Debug, Clone)]
pub struct Evaluated {
    pub margins: Array2<f64>,
    pub reported: Array2<f64>,
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
        let flat = match &kind {
            NativeKind::Forest(forest, _) => Some(FlatForest::new(forest)),
            NativeKind::Linear { .. } => None,
        };
        Ok(Self { kind, columns, margins, report, reported, source, rounds_to_f32, flat })
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

    /// Margins, and what the model would report for them.
    pub fn evaluate(&self, rows: ArrayView2<f64>) -> Evaluated {
        let rows = rows.as_standard_layout();
        let shape = (rows.nrows(), self.margins.len());
        let mut margins = Array2::zeros(shape);
        let mut reported = Array2::zeros(shape);
        let outs = margins.axis_chunks_iter_mut(Axis(0), CHUNK).zip(reported.axis_chunks_iter_mut(Axis(0), CHUNK));
        let chunks: Vec<_> = rows.axis_chunks_iter(Axis(0), CHUNK).zip(outs).collect();
        chunks.into_par_iter().for_each(|(rows, (mut margins, mut reported))| {
            let all = self.all_margins(rows);
            for (row, all) in all.rows().into_iter().enumerate() {
                let columns = self.report.reported(all.as_slice().unwrap_or_default());
                for (output, (margin, column)) in self.margins.iter().zip(&self.reported).enumerate() {
                    margins[[row, output]] = all[*margin];
                    reported[[row, output]] = columns[*column];
                }
            }
        });
        Evaluated { margins, reported }
    }

    /// Margins in the structure's own order, `[rows × margins]`, on the calling thread.
    fn all_margins(&self, rows: ArrayView2<f64>) -> Array2<f64> {
        match &self.kind {
            NativeKind::Linear { weights, intercepts } => rows.dot(&weights.t()) + &Array1::from(intercepts.clone()),
            NativeKind::Forest(forest, _) => {
                let mut out = Array2::zeros((rows.nrows(), forest.n_outputs));
                if let (Some(flat), Some(rows), Some(out)) = (&self.flat, rows.as_slice(), out.as_slice_mut()) {
                    flat.margins(rows, out);
                }
                out
            }
        }
    }
}

/// Rows evaluated at a time: their features stay in the second-level cache while all trees pass over them.
const CHUNK: usize = 512;

/// A model that is only asked through its native structure: the same scores to rounding, several times faster than
/// ONNX Runtime, for methods that ask for very many. Only where the structure starts from the raw columns.
pub struct NativePredictor<'a>(&'a Native);

impl Native {
    /// The structure as a predictor; `None` where preprocessing nodes stand before it.
    pub fn predictor(&self) -> Option<NativePredictor<'_>> {
        matches!(self.source, RowSource::Columns(_)).then_some(NativePredictor(self))
    }
}

impl Predictor for NativePredictor<'_> {
    fn predict(&self, features: &Features) -> Result<Scores, PredictError> {
        let n_rows = features.n_rows;
        let rows = self.0.rows(features, None);
        let rows =
            rows.ok_or_else(|| PredictError::Runtime { n_rows, message: "the rows are not numbers".to_owned() })?;
        super::asked::count(n_rows);
        let Evaluated { margins, reported } = self.0.evaluate(rows.view());
        Ok(Scores { probability: reported, margin: Some(margins) })
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
