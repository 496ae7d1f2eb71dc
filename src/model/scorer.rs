//! Scores rows with ONNX Runtime: blocks of rows in parallel, outputs reduced to what the audit calls outputs.

use super::asked;
use super::error::ModelError;
use super::feed::Feed;
use super::pool::Pool;
use super::predictor::{MatrixPredictor, PredictError, Predictor, Scores, Wanted};
use super::read;
use super::signature::{Element, Port};
use crate::dataset::{Column, Features, block_rows};
use crate::forest::Link;
use ndarray::{Array2, Axis, concatenate, s};
use ort::session::SessionOutputs;
use ort::value::TensorRef;
use rayon::prelude::*;
use std::ops::Range;

/// How a model's outputs become scores.
#[derive(Debug, Clone)]
pub struct Reading {
    pub shape: Shape,
    /// The output that holds what the model reports.
    pub score: Port,
    /// Keys of the score's maps, in output order (ZipMap).
    pub classes: Vec<String>,
    /// The tensor before the last link, and that link.
    pub margin: Option<(Port, Link)>,
    /// The score output holds margins: what is reported is their link.
    pub score_is_margin: Option<Link>,
    /// A tensor inside the graph that the native structure starts from.
    pub inner: Option<Port>,
}

impl Reading {
    /// Whether ONNX Runtime returns the margin.
    pub fn shows_margin(&self) -> bool {
        self.margin.is_some() || self.score_is_margin.is_some()
    }
}

/// What the outputs mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One output: the positive class.
    Binary,
    /// One output per class.
    Classes(usize),
    /// One output: the value.
    Value,
}

impl Shape {
    pub fn n_outputs(self) -> usize {
        match self {
            Shape::Binary | Shape::Value => 1,
            Shape::Classes(n) => n,
        }
    }
}

/// A model ready to score: sessions, what feeds them and how they are read.
pub struct Scorer {
    pub(super) name: String,
    pub(super) pool: Pool,
    pub(super) feed: Feed,
    pub(super) reading: Reading,
}

/// Scores of consecutive rows and, where asked for, the inner tensor `[rows × features]`.
#[derive(Debug, Clone)]
pub struct Scored {
    pub scores: Scores,
    pub inner: Option<Array2<f64>>,
}

impl Scorer {
    pub fn n_outputs(&self) -> usize {
        self.reading.shape.n_outputs()
    }

    pub fn feed(&self) -> &Feed {
        &self.feed
    }

    pub fn reading(&self) -> &Reading {
        &self.reading
    }

    /// Scores all rows on all threads. Runs hold whole blocks, so a batch's size never shows in a score.
    pub fn score(&self, features: &Features) -> Result<Scored, PredictError> {
        let step = self.feed.fixed_batch().unwrap_or_else(|| block(features));
        let starts: Vec<usize> = (0..features.n_rows).step_by(step).collect();
        let blocks: Vec<Scored> = starts
            .into_par_iter()
            .map(|start| self.run(features, start..(start + step).min(features.n_rows)))
            .collect::<Result<_, _>>()?;
        Ok(stack(blocks, self.n_outputs()))
    }

    /// One run of one session. With a fixed batch dimension, at most that many rows.
    pub fn run(&self, features: &Features, rows: Range<usize>) -> Result<Scored, PredictError> {
        let n_rows = rows.len();
        asked::count(n_rows);
        let padded = self.feed.fixed_batch().unwrap_or(n_rows);
        let broken = |error: ort::Error| PredictError::Runtime { n_rows, message: error.to_string() };
        let values = self.feed.values(features, rows, padded).map_err(broken)?;
        self.pool.with(|session| {
            let outputs = session.run(values).map_err(broken)?;
            let inner = self.reading.inner.as_ref();
            let inner = inner.map(|port| self.read(&outputs, port, n_rows, padded)).transpose()?;
            Ok(Scored { scores: self.scores(&outputs, n_rows, padded)?, inner })
        })
    }

    fn read(
        &self,
        outputs: &SessionOutputs,
        port: &Port,
        n_rows: usize,
        padded: usize,
    ) -> Result<Array2<f64>, PredictError> {
        let broken = |message: String| PredictError::Runtime { n_rows, message };
        let value = outputs.get(&port.name).ok_or_else(|| broken(format!("no output `{}`", port.name)))?;
        let matrix = read::matrix(port, value, padded, &self.reading.classes)
            .map_err(|problem| broken(format!("output `{}`: {problem}", port.name)))?;
        Ok(if padded == n_rows { matrix } else { matrix.slice(s![..n_rows, ..]).to_owned() })
    }

    fn scores(&self, outputs: &SessionOutputs, n_rows: usize, padded: usize) -> Result<Scores, PredictError> {
        let raw = self.raw(outputs, n_rows, padded)?;
        let margin = match &self.reading.margin {
            Some((port, link)) => Some(self.reduce_margin(port, *link, self.read(outputs, port, n_rows, padded)?)?),
            None => None,
        };
        Ok(match self.reading.score_is_margin {
            Some(link) => Scores { probability: linked(&raw, link), margin: Some(raw) },
            None => Scores { probability: raw, margin },
        })
    }

    /// One kind of scores of an unpadded run; `None` for margins that the model does not have.
    fn only(
        &self,
        wanted: Wanted,
        outputs: &SessionOutputs,
        n_rows: usize,
    ) -> Result<Option<Array2<f64>>, PredictError> {
        let reading = &self.reading;
        if let (Wanted::Margin, None) = (wanted, reading.score_is_margin) {
            let Some((port, link)) = &reading.margin else { return Ok(None) };
            return self.reduce_margin(port, *link, self.read(outputs, port, n_rows, n_rows)?).map(Some);
        }
        let raw = self.raw(outputs, n_rows, n_rows)?;
        Ok(Some(match (wanted, reading.score_is_margin) {
            (Wanted::Probability, Some(link)) => linked(&raw, link),
            _ => raw,
        }))
    }

    /// The output with the scores: what the model reports, or margins where it reports those.
    fn raw(&self, outputs: &SessionOutputs, n_rows: usize, padded: usize) -> Result<Array2<f64>, PredictError> {
        let score = &self.reading.score;
        let raw = self.read(outputs, score, n_rows, padded)?;
        match self.reading.score_is_margin {
            Some(link) => self.reduce_margin(score, link, raw),
            None => self.reduce(score, raw),
        }
    }

    /// Raw columns of an output to the audit's outputs.
    fn reduce(&self, port: &Port, raw: Array2<f64>) -> Result<Array2<f64>, PredictError> {
        let columns = raw.ncols();
        match self.reading.shape {
            Shape::Binary if columns == 2 => Ok(raw.slice(s![.., 1..]).to_owned()),
            shape if columns == shape.n_outputs() => Ok(raw),
            shape => Err(PredictError::Shape {
                output: port.name.clone(),
                found: raw.shape().to_vec(),
                n_rows: raw.nrows(),
                expected: match shape {
                    Shape::Binary => "1 or 2 columns (binary)".to_owned(),
                    shape => format!("{} columns", shape.n_outputs()),
                },
            }),
        }
    }

    /// Two raw class scores before a softmax: their difference is the log-odds.
    fn reduce_margin(&self, port: &Port, link: Link, raw: Array2<f64>) -> Result<Array2<f64>, PredictError> {
        match (self.reading.shape, raw.ncols(), link) {
            (Shape::Binary, 2, Link::Softmax | Link::SoftmaxZero) => {
                Ok((&raw.slice(s![.., 1..]) - &raw.slice(s![.., ..1])).to_owned())
            }
            _ => self.reduce(port, raw),
        }
    }
}

impl Predictor for Scorer {
    /// Single-threaded: as many rows as there are, in runs of at most four blocks.
    fn predict(&self, features: &Features) -> Result<Scores, PredictError> {
        let step = self.feed.fixed_batch().unwrap_or_else(|| 4 * block(features));
        let blocks: Vec<Scored> = (0..features.n_rows)
            .step_by(step)
            .map(|start| self.run(features, start..(start + step).min(features.n_rows)))
            .collect::<Result<_, _>>()?;
        Ok(stack(blocks, self.n_outputs()).scores)
    }

    fn on_matrix(&self) -> Option<&dyn MatrixPredictor> {
        let n_columns = self.feed.inputs.iter().map(|input| input.columns.len()).sum();
        self.feed.matrix(n_columns).map(|_| self as &dyn MatrixPredictor)
    }
}

impl MatrixPredictor for Scorer {
    fn predict_matrix(
        &self,
        values: &[f32],
        n_rows: usize,
        wanted: Wanted,
    ) -> Result<Option<Array2<f64>>, PredictError> {
        asked::count(n_rows);
        let broken = |message: String| PredictError::Runtime { n_rows, message };
        let n_columns = values.len() / n_rows.max(1);
        let input =
            self.feed.matrix(n_columns).ok_or_else(|| broken(format!("it does not take {n_columns} columns")))?;
        let tensor = TensorRef::from_array_view(([n_rows, n_columns], values)).map_err(|e| broken(e.to_string()))?;
        self.pool.with(|session| {
            let outputs = session.run(ort::inputs![input.port.name.as_str() => tensor]);
            self.only(wanted, &outputs.map_err(|error| broken(error.to_string()))?, n_rows)
        })
    }
}

/// Rows that are scored together.
fn block(features: &Features) -> usize {
    let numbers = |column: &Column| if matches!(column, Column::Tensor { .. }) { column.width() } else { 0 };
    block_rows(features.columns.iter().map(numbers).sum())
}

fn stack(mut blocks: Vec<Scored>, n_outputs: usize) -> Scored {
    if blocks.len() == 1 {
        return blocks.swap_remove(0);
    }
    let join = |parts: Vec<&Array2<f64>>| {
        let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
        concatenate(Axis(0), &views).unwrap_or_else(|_| Array2::zeros((0, n_outputs)))
    };
    let optional = |parts: Option<Vec<&Array2<f64>>>| parts.filter(|parts| !parts.is_empty()).map(join);
    Scored {
        scores: Scores {
            probability: join(blocks.iter().map(|block| &block.scores.probability).collect()),
            margin: optional(blocks.iter().map(|block| block.scores.margin.as_ref()).collect()),
        },
        inner: optional(blocks.iter().map(|block| block.inner.as_ref()).collect()),
    }
}

/// What a model reports for its margins, row by row; of one column where a softmax goes over two, their difference.
fn linked(margins: &Array2<f64>, link: Link) -> Array2<f64> {
    let link = if margins.ncols() == 1 && !link.is_elementwise() { Link::Logistic } else { link };
    let mut out = margins.clone();
    for mut row in out.rows_mut() {
        link.apply(row.as_slice_mut().unwrap_or_default());
    }
    out
}

/// Largest difference of a score when the same rows are scored one by one: dynamic quantisation shows here.
pub fn batch_difference(scorer: &Scorer, features: &Features, n_rows: usize) -> Result<f64, ModelError> {
    let unscored = |error: PredictError| ModelError::Rejected { model: scorer.name.clone(), reason: error.to_string() };
    let n_rows = n_rows.min(features.n_rows);
    let together =
        scorer.run(features, 0..n_rows.min(scorer.feed.fixed_batch().unwrap_or(n_rows))).map_err(unscored)?;
    let mut largest: f64 = 0.0;
    for (row, scores) in together.scores.probability.rows().into_iter().enumerate() {
        let alone = scorer.run(features, row..row + 1).map_err(unscored)?;
        let differences = scores.iter().zip(alone.scores.probability.iter()).map(|(a, b)| (a - b).abs());
        largest = differences.fold(largest, f64::max);
    }
    Ok(largest)
}

/// Names a port of a graph's inner tensor.
pub(super) fn inner_port(name: &str, element: Element) -> Port {
    Port { name: name.to_owned(), element, dims: vec![None, None] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::onnx::testing::{encoded, float_input, graph, int, model, node, output, tensor};
    use crate::model::{Element, FedInput, Model};
    use ndarray::array;

    fn port(name: &str, width: usize) -> Port {
        Port { name: name.to_owned(), element: Element::F32, dims: vec![None, Some(width)] }
    }

    /// A network that reports `weights.len()` raw class scores of its one column.
    fn raw_scores(weights: &[f32], shape: Shape, link: Link) -> Scorer {
        let n = weights.len();
        let mut proto =
            graph(vec![node("MatMul", &["x", "w"], &["z"], vec![])], vec![float_input("x", 1)], vec![output("z")]);
        proto.initializer = vec![tensor("w", &[1, n as i64], weights)];
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.onnx");
        std::fs::write(&path, encoded(&model(proto))).unwrap();
        let feed = Feed { inputs: vec![FedInput { port: port("x", 1), columns: vec![0] }] };
        let reading = Reading {
            shape,
            score: port("z", n),
            classes: Vec::new(),
            margin: None,
            score_is_margin: Some(link),
            inner: None,
        };
        Model::open(&path).unwrap().scorer(feed, reading, 1).unwrap()
    }

    #[test]
    fn numbers_of_16_bits_are_fed_and_read() {
        let mut narrow = node("Cast", &["sum"], &["z"], vec![int("to", 10)]);
        narrow.name = "narrow".to_owned();
        let wide = node("Cast", &["x"], &["wide"], vec![int("to", 1)]);
        let nodes = vec![wide, node("MatMul", &["wide", "w"], &["sum"], vec![]), narrow];
        let (mut input, mut score) = (float_input("x", 1), output("z"));
        for info in [&mut input, &mut score] {
            info.r#type.as_mut().and_then(|kind| kind.tensor_type.as_mut()).unwrap().elem_type = 10;
        }
        let mut proto = graph(nodes, vec![input], vec![score]);
        proto.initializer = vec![tensor("w", &[1, 1], &[0.5])];
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.onnx");
        std::fs::write(&path, encoded(&model(proto))).unwrap();
        let opened = Model::open(&path).unwrap();
        let (port, score) = (opened.signature.inputs[0].clone(), opened.signature.outputs[0].clone());
        assert_eq!((port.element, score.element), (Element::F16, Element::F16));
        let feed = Feed { inputs: vec![FedInput { port, columns: vec![0] }] };
        let (classes, margin) = (Vec::new(), None);
        let reading = Reading { shape: Shape::Value, score, classes, margin, score_is_margin: None, inner: None };
        let rows = Features { n_rows: 3, columns: vec![Column::Number(vec![1.0, -2.5, 0.1])] };
        let scores = opened.scorer(feed, reading, 1).unwrap().predict(&rows).unwrap();
        // 0.1 is 0.099975586 in 16 bits.
        close(&scores.probability, &array![[0.5], [-1.25], [0.049_987_793]]);
    }

    fn close(found: &Array2<f64>, expected: &Array2<f64>) {
        assert_eq!(found.dim(), expected.dim());
        assert!((found - expected).iter().all(|gap| gap.abs() < 1e-6), "{found} is not {expected}");
    }

    #[test]
    fn of_two_raw_class_scores_the_difference_counts_not_the_second_alone() {
        let rows = Features { n_rows: 2, columns: vec![Column::Number(vec![1.0, -2.0])] };
        let scorer = raw_scores(&[3.0, 1.0], Shape::Binary, Link::Softmax);
        let scores = scorer.predict(&rows).unwrap();
        close(&scores.margin.unwrap(), &array![[-2.0], [4.0]]);
        let p = |z: f64| z.exp() / (1.0 + z.exp());
        close(&scores.probability, &array![[p(-2.0)], [p(4.0)]]);
        for (wanted, expected) in [(Wanted::Margin, array![[-2.0], [4.0]]), (Wanted::Probability, scores.probability)] {
            close(&scorer.predict_matrix(&[1.0, -2.0], 2, wanted).unwrap().unwrap(), &expected);
        }
    }

    #[test]
    fn raw_scores_of_several_classes_stay_and_their_softmax_is_reported() {
        let rows = Features { n_rows: 1, columns: vec![Column::Number(vec![1.0])] };
        let scores = raw_scores(&[0.0, 1.0, 2.0], Shape::Classes(3), Link::Softmax).predict(&rows).unwrap();
        close(&scores.margin.unwrap(), &array![[0.0, 1.0, 2.0]]);
        let total: f64 = [0.0_f64, 1.0, 2.0].map(f64::exp).iter().sum();
        close(&scores.probability, &array![[1.0 / total, 1.0_f64.exp() / total, 2.0_f64.exp() / total]]);
        let one = raw_scores(&[2.0], Shape::Binary, Link::Logistic).predict(&rows).unwrap();
        close(&one.probability, &array![[1.0 / (1.0 + (-2.0_f64).exp())]]);
    }
}
