//! A model with its graph of gradients, ready to differentiate rows.

use super::asked;
use super::backward::{Backward, BackwardError, Rule, Types, differentiate};
use super::differentiable::{Differentiable, Gradients, Stretch};
use super::onnx::extend::{Extension, extend, int, standard_node};
use super::onnx::{ElementType, Entry, Graph, cut};
use super::pool::Pool;
use super::predictor::PredictError;
use super::preprocessing::{Preprocessing, frontier, leftover, shape_of};
use super::{Element, Feed, Model, Reading, Shape, read};
use crate::dataset::Features;
use crate::forest::Link;
use ndarray::{Array2, ArrayView2, Axis, concatenate, s};
use ort::session::SessionInputValue;
use ort::value::Tensor;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Memory for the tensors of a run, about what caches hold: with more points at once, each takes half as long again.
const RUN_BYTES: usize = 16 << 20;
/// Beyond this, a run only gets longer.
const MOST_POINTS: usize = 1024;

/// What is differentiated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// What the model reports.
    Reported,
    /// Before the last link.
    Margin,
}

/// Gradients of a model's outputs with respect to its inputs.
pub struct Differentiator {
    pool: Pool,
    feed: Feed,
    /// Where the model is differentiated from behind its preprocessing on.
    preprocessing: Option<Preprocessing>,
    rule: Rule,
    backward: Backward,
    layout: Vec<Stretch>,
    width: usize,
    /// Per output of the audit: the weight of each column of the score.
    weights: Array2<f64>,
    most_points: usize,
}

impl Model {
    /// Writes and opens the graph of gradients; `features` are any rows, for the widths of columns.
    ///
    /// # Errors
    /// An operator without a rule (named), an input that is not floating, a score that cannot be followed.
    pub fn differentiator(
        &self,
        feed: &Feed,
        reading: &Reading,
        features: &Features,
        (quantity, rule): (Quantity, Rule),
        threads: usize,
    ) -> Result<Differentiator, BackwardError> {
        let (bytes, score) = self.score_tensor(reading, quantity)?;
        let (graph, types) = match &bytes {
            Cow::Borrowed(_) => (Cow::Borrowed(&self.graph), self.types()?),
            Cow::Owned(bytes) => {
                let graph = Graph::decode(bytes)?;
                let types = Types::infer(bytes, &graph)?;
                (Cow::Owned(graph), types)
            }
        };
        let inputs: Vec<&str> = feed.inputs.iter().map(|input| input.port.name.as_str()).collect();
        let (backward, preprocessing, types) = match differentiate(&bytes, &types, &score, &inputs, rule) {
            Ok(backward) => (backward, None, types),
            // Texts, codes and encoders have no gradient; what is made of them may.
            Err(why) => {
                let behind = behind(&bytes, &graph, &types, &score, (feed, features), rule, threads);
                let (backward, preprocessing, types) = behind.map_err(|other| match (&why, &other) {
                    // Of columns that cannot be told apart, the cut knows more; of operators, the way from the inputs.
                    (BackwardError::NotFloat { .. }, BackwardError::Unfit { .. }) => other,
                    _ => why,
                })?;
                (backward, Some(preprocessing), types)
            }
        };
        let columns = types.dims(&graph, &score).and_then(|dims| match dims.as_slice() {
            [_] => Some(1),
            [_, super::onnx::Dim::Fixed(columns)] => Some(*columns),
            _ => None,
        });
        let link = reading.margin.as_ref().map(|(_, link)| *link).filter(|_| quantity == Quantity::Margin);
        let weights = weights(reading.shape, columns, link).ok_or_else(|| BackwardError::Unfit {
            node: format!("`{score}`"),
            reason: format!("{columns:?} columns"),
        })?;
        let layout = preprocessing.as_ref().map_or_else(|| layout(feed, features), |before| before.layout.clone());
        let width = layout.last().map_or(0, |stretch| stretch.numbers.end);
        let pool = Pool::open(&self.name, &backward.bytes, threads);
        let pool = pool.map_err(|error| BackwardError::Rejected(error.to_string()))?;
        // Tensors of the way forward are kept until the way back has used them; the rescale rule has two runs of them.
        let copies = if rule == Rule::Rescale { 4 } else { 3 };
        let per_point = types.numbers_per_row().max(1).saturating_mul(4 * copies);
        let most_points = (RUN_BYTES / per_point).clamp(1, MOST_POINTS);
        Ok(Differentiator {
            pool,
            feed: feed.clone(),
            preprocessing,
            rule,
            backward,
            layout,
            width,
            weights,
            most_points,
        })
    }

    /// The tensor with the quantity, in a model that computes it.
    fn score_tensor(&self, reading: &Reading, quantity: Quantity) -> Result<(Cow<'_, [u8]>, String), BackwardError> {
        let reported = match reading.score.element {
            // A map's numbers are those of the tensor that it was made of.
            Element::ClassMaps => {
                self.graph.producer_of(&reading.score.name).and_then(|node| node.inputs.first().cloned())
            }
            _ => Some(reading.score.name.clone()),
        };
        let reported = reported.unwrap_or_default();
        match (quantity, &reading.margin, reading.score_is_margin) {
            (Quantity::Margin, Some((port, _)), _) => Ok((Cow::Borrowed(&self.bytes), port.name.clone())),
            (Quantity::Reported, _, Some(link)) => {
                let name = format!("{reported}/linked");
                let (op, with) = match link {
                    Link::Softmax | Link::SoftmaxZero => ("Softmax", vec![int("axis", -1)]),
                    _ => ("Sigmoid", Vec::new()),
                };
                let nodes = vec![standard_node(op, &name, &[&reported], vec![name.clone()], with)];
                let extension = Extension { nodes, outputs: vec![name.clone()], ..Default::default() };
                Ok((extend(&self.bytes, extension)?.into(), name))
            }
            _ => Ok((Cow::Borrowed(&self.bytes), reported)),
        }
    }
}

/// Operators without a rule that one model may have before its network begins.
const MOST_BLOCKED: usize = 64;

/// The gradient from behind the preprocessing on: cut as near to the inputs as rules reach.
fn behind(
    bytes: &[u8],
    graph: &Graph,
    types: &Types,
    score: &str,
    (feed, features): (&Feed, &Features),
    rule: Rule,
    threads: usize,
) -> Result<(Backward, Preprocessing, Types), BackwardError> {
    let mut blocked = BTreeSet::new();
    loop {
        let entries = frontier(graph, types, score, &blocked)?;
        let before = Preprocessing::open(bytes, graph, (feed, features), entries)?;
        let entries: Vec<Entry> = before.entries.iter().map(|(entry, _)| entry.clone()).collect();
        let shorter = cut(bytes, &entries, &[score])?;
        let rest = Graph::decode(&shorter)?;
        if let Some(input) = leftover(&rest, &before.entries) {
            return Err(BackwardError::Unreached { score: score.to_owned(), tensor: input });
        }
        let names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
        let types = Types::infer(&shorter, &rest)?;
        match differentiate(&shorter, &types, score, &names, rule) {
            Ok(backward) => return Ok((backward, before.on_threads(bytes, threads)?, types)),
            Err(BackwardError::NoRule { node, what }) => {
                let at = graph.nodes.iter().position(|known| known.label() == node);
                match at.filter(|at| blocked.len() < MOST_BLOCKED && blocked.insert(*at)) {
                    Some(_) => {}
                    None => return Err(BackwardError::NoRule { node, what }),
                }
            }
            Err(why) => return Err(why),
        }
    }
}

/// Of two columns of a binary score the second is the positive class; of two before a softmax the difference is its
/// log-odds.
fn weights(shape: Shape, columns: Option<usize>, link: Option<Link>) -> Option<Array2<f64>> {
    match (shape, columns?) {
        (Shape::Binary, 2) if matches!(link, Some(Link::Softmax | Link::SoftmaxZero)) => {
            Some(ndarray::array![[-1.0, 1.0]])
        }
        (Shape::Binary | Shape::Value, 1) => Some(Array2::ones((1, 1))),
        (Shape::Binary, 2) => Some(ndarray::array![[0.0, 1.0]]),
        (Shape::Classes(n), columns) if n == columns => Some(Array2::eye(n)),
        _ => None,
    }
}

fn layout(feed: &Feed, features: &Features) -> Vec<Stretch> {
    let mut from = 0;
    let mut layout = Vec::new();
    for column in feed.inputs.iter().flat_map(|input| &input.columns) {
        let width = features.columns[*column].width();
        layout.push(Stretch { numbers: from..from + width, column: *column, cell: 0 });
        from += width;
    }
    layout
}

impl Differentiator {
    /// Whether points are what the model's preprocessing makes of rows, rather than their own numbers.
    pub fn is_behind_preprocessing(&self) -> bool {
        self.preprocessing.is_some()
    }

    fn run(
        &self,
        points: ArrayView2<f64>,
        references: Option<ArrayView2<f64>>,
        outputs: ArrayView2<f64>,
    ) -> Result<Gradients, PredictError> {
        let step = self.feed.fixed_batch().unwrap_or(self.most_points);
        let mut parts = Vec::new();
        for from in (0..points.nrows()).step_by(step.max(1)) {
            let to = (from + step).min(points.nrows());
            let references = references.as_ref().map(|references| references.slice(s![from..to, ..]));
            let outputs = outputs.slice(s![from..to, ..]);
            parts.push(self.chunk(points.slice(s![from..to, ..]), references, outputs)?);
        }
        if parts.len() == 1 {
            return Ok(parts.remove(0));
        }
        let join = |of: fn(&Gradients) -> &Array2<f64>, width: usize| {
            let views: Vec<_> = parts.iter().map(|part| of(part).view()).collect();
            concatenate(Axis(0), &views).unwrap_or_else(|_| Array2::zeros((0, width)))
        };
        Ok(Gradients {
            scores: join(|part| &part.scores, self.weights.nrows()),
            gradients: join(|part| &part.gradients, self.width),
        })
    }

    /// Weights of one output for each point, `[points × outputs]`.
    fn one_each(&self, outputs: &[usize]) -> Array2<f64> {
        let shape = (outputs.len(), self.weights.nrows());
        Array2::from_shape_fn(shape, |(point, output)| f64::from(u8::from(outputs[point] == output)))
    }

    /// One run of one session; `outputs` are each point's weights of the outputs.
    fn chunk(
        &self,
        points: ArrayView2<f64>,
        references: Option<ArrayView2<f64>>,
        outputs: ArrayView2<f64>,
    ) -> Result<Gradients, PredictError> {
        let n_rows = points.nrows();
        asked::count(n_rows);
        let padded = self.feed.fixed_batch().unwrap_or(n_rows);
        let broken = |message: String| PredictError::Runtime { n_rows, message };
        let mut values = self.values(points, padded, None).map_err(&broken)?;
        if let Some(references) = references {
            values.extend(self.values(references, padded, Some(&self.backward.references)).map_err(&broken)?);
        }
        let seeds = outputs.dot(&self.weights);
        let shape = vec![padded as i64, seeds.ncols() as i64];
        let seed = tensor(shape, seeds.view(), padded, self.backward.element);
        let seed = seed.map_err(|error| broken(error.to_string()))?;
        values.push((self.backward.seed.as_str(), seed));
        self.pool.with(|session| {
            let found = session.run(values).map_err(|error| broken(error.to_string()))?;
            let matrix = |name: &str| -> Result<Array2<f64>, PredictError> {
                let value = found.get(name).ok_or_else(|| broken(format!("no output `{name}`")))?;
                let all = read::numbers(value, padded).map_err(|problem| broken(format!("`{name}`: {problem}")))?;
                Ok(if padded == n_rows { all } else { all.slice(s![..n_rows, ..]).to_owned() })
            };
            let scores = matrix(&self.backward.score)?.dot(&self.weights.t());
            let gradients = match self.backward.gradients.as_slice() {
                [one] => matrix(one)?,
                several => {
                    let parts = several.iter().map(|name| matrix(name)).collect::<Result<Vec<_>, _>>()?;
                    let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
                    concatenate(Axis(1), &views).map_err(|error| broken(error.to_string()))?
                }
            };
            Ok(Gradients { scores, gradients })
        })
    }

    /// Points as the inputs' tensors; the last is repeated up to a fixed batch. `names` stand for the inputs' own.
    fn values<'a>(
        &'a self,
        points: ArrayView2<f64>,
        padded: usize,
        names: Option<&'a [String]>,
    ) -> Result<Vec<(&'a str, SessionInputValue<'static>)>, String> {
        let mut from = 0;
        let mut values = Vec::new();
        for (at, input) in self.inputs(padded).into_iter().enumerate() {
            let own = points.slice(s![.., from..from + input.width]);
            let value = tensor(input.shape, own, padded, input.element).map_err(|error| error.to_string())?;
            values.push((names.map_or(input.name, |names| names[at].as_str()), value));
            from += input.width;
        }
        Ok(values)
    }

    /// What the graph of gradients takes for `n_rows` points.
    fn inputs<'a>(&'a self, n_rows: usize) -> Vec<Input<'a>> {
        if let Some(before) = &self.preprocessing {
            let input = |(entry, width): &'a (Entry, usize)| Input {
                name: entry.name.as_str(),
                element: entry.element,
                shape: shape_of(entry, *width, n_rows),
                width: *width,
            };
            return before.entries.iter().map(input).collect();
        }
        let mut stretches = self.layout.iter();
        let mut inputs = Vec::with_capacity(self.feed.inputs.len());
        for fed in &self.feed.inputs {
            let width = stretches.by_ref().take(fed.columns.len()).map(|stretch| stretch.numbers.len()).sum();
            let element = if fed.port.element == Element::F64 { ElementType::Double } else { ElementType::Float };
            inputs.push(Input { name: fed.port.name.as_str(), element, shape: fed.shape_of(width, n_rows), width });
        }
        inputs
    }
}

/// One input of the graph of gradients.
struct Input<'a> {
    name: &'a str,
    element: ElementType,
    shape: Vec<i64>,
    /// Numbers of a point.
    width: usize,
}

/// Rows as a tensor of `padded` of them; the last is repeated.
fn tensor(
    shape: Vec<i64>,
    rows: ArrayView2<f64>,
    padded: usize,
    element: ElementType,
) -> ort::Result<SessionInputValue<'static>> {
    Ok(match element {
        ElementType::Double => Tensor::from_array((shape, repeated(rows, padded, |value| value)))?.into(),
        _ => Tensor::from_array((shape, repeated(rows, padded, |value| value as f32)))?.into(),
    })
}

fn repeated<T>(rows: ArrayView2<f64>, padded: usize, number: impl Fn(f64) -> T) -> Vec<T> {
    let last = rows.nrows().saturating_sub(1);
    let mut numbers = Vec::with_capacity(padded * rows.ncols());
    (0..padded).for_each(|row| numbers.extend(rows.row(row.min(last)).iter().map(|value| number(*value))));
    numbers
}

impl Differentiable for Differentiator {
    fn width(&self) -> usize {
        self.width
    }

    fn layout(&self) -> &[Stretch] {
        &self.layout
    }

    fn most_points(&self) -> usize {
        self.most_points
    }

    fn points(&self, features: &Features) -> Result<Array2<f64>, PredictError> {
        if let Some(before) = &self.preprocessing {
            return before.points(features);
        }
        if let [input] = self.feed.inputs.as_slice()
            && features.n_rows > 0
        {
            return Ok(input.matrix(features));
        }
        let mut points = Array2::zeros((features.n_rows, self.width));
        let mut from = 0;
        for input in &self.feed.inputs {
            let numbers = input.matrix(features);
            points.slice_mut(s![.., from..from + numbers.ncols()]).assign(&numbers);
            from += numbers.ncols();
        }
        Ok(points)
    }

    fn gradients(&self, points: ArrayView2<f64>, outputs: &[usize]) -> Result<Gradients, PredictError> {
        self.run(points, None, self.one_each(outputs).view())
    }

    fn combined(&self, points: ArrayView2<f64>, weights: ArrayView2<f64>) -> Result<Gradients, PredictError> {
        self.run(points, None, weights)
    }

    fn multipliers(
        &self,
        points: ArrayView2<f64>,
        references: ArrayView2<f64>,
        outputs: &[usize],
    ) -> Result<Gradients, PredictError> {
        match self.rule {
            Rule::Rescale => self.run(points, Some(references), self.one_each(outputs).view()),
            Rule::Derivative => Err(PredictError::Runtime {
                n_rows: points.nrows(),
                message: "the graph was written for derivatives, not for multipliers".to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Column;
    use crate::model::onnx::testing::{encoded, float_input, graph, model, node, output, tensor};
    use crate::model::{FedInput, Port};
    use ndarray::array;

    /// Two inputs of two columns and one, two raw class scores, their softmax.
    fn opened() -> Model {
        let nodes = vec![
            node("Concat", &["a", "b"], &["x"], vec![int("axis", 1)]),
            node("MatMul", &["x", "w"], &["z"], vec![]),
            node("Softmax", &["z"], &["p"], vec![]),
        ];
        let mut proto = graph(nodes, vec![float_input("a", 2), float_input("b", 1)], vec![output("p")]);
        proto.initializer = vec![tensor("w", &[3, 2], &[1.0, -1.0, 0.5, 2.0, 0.0, 1.0])];
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.onnx");
        std::fs::write(&path, encoded(&model(proto))).unwrap();
        Model::open(&path).unwrap()
    }

    fn port(name: &str, width: usize) -> Port {
        Port { name: name.to_owned(), element: Element::F32, dims: vec![None, Some(width)] }
    }

    fn differentiator(model: &Model, quantity: Quantity, rule: Rule) -> Differentiator {
        let feed = Feed {
            inputs: vec![
                FedInput { port: port("a", 2), columns: vec![2, 0] },
                FedInput { port: port("b", 1), columns: vec![1] },
            ],
        };
        let reading = Reading {
            shape: Shape::Binary,
            score: port("p", 2),
            classes: Vec::new(),
            margin: Some((port("z", 2), Link::Softmax)),
            score_is_margin: None,
            inner: None,
        };
        model.differentiator(&feed, &reading, &features(), (quantity, rule), 2).unwrap()
    }

    fn features() -> Features {
        let columns = [[0.1, 0.2], [0.5, -0.5], [1.0, 2.0]].map(|column| Column::Number(column.to_vec()));
        Features { n_rows: 2, columns: columns.to_vec() }
    }

    fn close(found: &Array2<f64>, expected: &Array2<f64>) {
        assert!((found - expected).iter().all(|gap| gap.abs() < 1e-5), "{found} is not {expected}");
    }

    #[test]
    fn points_stand_in_the_order_of_the_inputs_and_know_their_columns() {
        let model = opened();
        let found = differentiator(&model, Quantity::Reported, Rule::Derivative);
        assert_eq!(found.points(&features()).unwrap(), array![[1.0, 0.1, 0.5], [2.0, 0.2, -0.5]]);
        let columns: Vec<usize> = found.layout().iter().map(|stretch| stretch.column).collect();
        assert_eq!((found.width(), columns), (3, vec![2, 0, 1]));
    }

    #[test]
    fn a_margin_is_the_difference_of_two_class_scores_and_a_probability_its_softmax() {
        let model = opened();
        let points = array![[1.0, 0.1, 0.5], [2.0, 0.2, -0.5]];
        let margin = differentiator(&model, Quantity::Margin, Rule::Derivative);
        let margin = margin.gradients(points.view(), &[0, 0]).unwrap();
        let slope = array![[-2.0, 1.5, 1.0]];
        close(&margin.scores, &points.dot(&slope.t()));
        close(&margin.gradients, &Array2::from_shape_fn((2, 3), |(_, at)| slope[[0, at]]));
        let found = differentiator(&model, Quantity::Reported, Rule::Derivative);
        let found = found.gradients(points.view(), &[0, 0]).unwrap();
        let p = margin.scores.mapv(|z: f64| 1.0 / (1.0 + (-z).exp()));
        close(&found.scores, &p);
        close(&found.gradients, &(&p * &p.mapv(|p| 1.0 - p) * &slope));
    }

    #[test]
    fn multipliers_add_up_and_more_points_than_a_run_holds_change_nothing() {
        let model = opened();
        let found = differentiator(&model, Quantity::Reported, Rule::Rescale);
        let points = Array2::from_shape_fn((2_500, 3), |(row, at)| ((row * 7 + at * 3) % 11) as f64 / 5.0 - 1.0);
        let references = points.mapv(|x| 0.3 - x);
        let outputs = vec![0; 2_500];
        let all = found.multipliers(points.view(), references.view(), &outputs).unwrap();
        let reference = found.multipliers(references.view(), points.view(), &outputs).unwrap();
        let sums = (&all.gradients * &(&points - &references)).sum_axis(Axis(1));
        close(&sums.insert_axis(Axis(1)), &(&all.scores - &reference.scores));
        let plain = differentiator(&model, Quantity::Reported, Rule::Derivative);
        assert!(plain.multipliers(points.view(), references.view(), &outputs).is_err());
    }
}
