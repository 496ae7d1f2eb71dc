//! Where a network begins: the tensors behind encoding, scaling and imputing, which gradients are taken for.
//!
//! A model that takes texts or codes has no gradient for them. It has one for the numbers that its first operators make
//! of them (one-hot places, embeddings, scaled values), and where each of these follows from one raw column, shares of
//! the numbers add up to shares of the column. So the graph is cut there: the part before makes points of rows, the part
//! behind is differentiated.

use super::backward::{BackwardError, Types};
use super::differentiable::Stretch;
use super::import::{Origin, origins};
use super::onnx::{Dim, ElementType, Entry, Graph, Node, with_outputs};
use super::pool::Pool;
use super::predictor::PredictError;
use super::{Feed, read};
use crate::dataset::Features;
use ndarray::{Array2, s};
use std::collections::{BTreeSet, HashMap, HashSet};

/// The part of a model before the cut.
pub(super) struct Preprocessing {
    pool: Pool,
    feed: Feed,
    /// Tensors at the cut, and the numbers of a row in each.
    pub entries: Vec<(Entry, usize)>,
    pub layout: Vec<Stretch>,
}

/// Numbers of a tensor, `[rows × width]`, and its shape as the run gave it.
type Encoded = (Array2<f64>, Vec<i64>);

/// Rows that are encoded together.
const ROWS: usize = 4_096;

/// Tensors nearest to the inputs from which `score` follows by standard operators on floating numbers alone, in the order
/// of the graph. Nodes at positions `blocked` are not passed.
///
/// # Errors
/// The score depends on something that is no floating number.
pub(super) fn frontier(
    graph: &Graph,
    types: &Types,
    score: &str,
    blocked: &BTreeSet<usize>,
) -> Result<Vec<Entry>, BackwardError> {
    let dependent = dependent(graph);
    let position: HashMap<&str, usize> = graph
        .nodes
        .iter()
        .enumerate()
        .flat_map(|(at, node)| node.outputs.iter().map(move |o| (o.as_str(), at)))
        .collect();
    let element = |tensor: &str| types.element(graph, tensor);
    let is_float = |tensor: &str| matches!(element(tensor), Some(ElementType::Float | ElementType::Double));
    let mut found = BTreeSet::new();
    let mut seen = HashSet::new();
    let mut waiting = vec![score.to_owned()];
    while let Some(tensor) = waiting.pop() {
        if !seen.insert(tensor.clone()) {
            continue;
        }
        let producer = position.get(tensor.as_str()).map(|at| (*at, &graph.nodes[*at]));
        let reads = |node: &Node| node.reads().into_iter().filter(|name| dependent.contains(name));
        match producer {
            Some((at, node))
                if node.domain.is_empty() && !blocked.contains(&at) && reads(node).all(|name| is_float(&name)) =>
            {
                waiting.extend(reads(node));
            }
            _ if is_float(&tensor) => {
                found.insert((producer.map_or(0, |(at, _)| at + 1), tensor));
            }
            _ => {
                let found = element(&tensor).map_or("no tensor".to_owned(), |element| element.to_string());
                return Err(BackwardError::NotFloat { tensor, found });
            }
        }
    }
    let entry = |(_, name): (usize, String)| {
        let dims = types.dims(graph, &name).unwrap_or_default();
        let element = element(&name).unwrap_or(ElementType::Float);
        Entry { name, element, dims }
    };
    Ok(found.into_iter().map(entry).collect())
}

/// Tensors whose values (not only their shapes) follow from the inputs.
fn dependent(graph: &Graph) -> HashSet<String> {
    let mut dependent: HashSet<String> = graph.inputs.iter().map(|port| port.name.clone()).collect();
    for node in graph.nodes.iter().filter(|node| !node.is("Shape") && !node.is("Size")) {
        if node.reads().iter().any(|input| dependent.contains(input)) {
            dependent.extend(node.outputs.iter().filter(|output| !output.is_empty()).cloned());
        }
    }
    dependent
}

impl Preprocessing {
    /// Opens the part of the model that makes `entries` of rows; `features` are any rows.
    ///
    /// # Errors
    /// A number depends on several raw columns, or on one that cannot be told.
    pub fn open(
        bytes: &[u8],
        graph: &Graph,
        (feed, features): (&Feed, &Features),
        entries: Vec<Entry>,
    ) -> Result<Self, BackwardError> {
        let names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
        let pool = sessions(bytes, &names, 1)?;
        let mut opened = Self { pool, feed: feed.clone(), entries: Vec::new(), layout: Vec::new() };
        let one = features.take(&(0..features.n_rows.min(1)).collect::<Vec<_>>());
        let first = opened.encode(&one, &names).map_err(|error| BackwardError::Rejected(error.to_string()))?;
        let cells = cells(feed, features);
        let followed = origins(graph, &names);
        let mut from = 0;
        for ((mut entry, (numbers, shape)), followed) in entries.into_iter().zip(first).zip(followed) {
            let followed = followed.filter(|origins| origins.len() == numbers.ncols());
            let owners = owners(graph, &entry.name, numbers.ncols(), followed, &cells)?;
            for (at, (column, cell)) in owners.into_iter().enumerate() {
                opened.extend(from + at, column, cell);
            }
            from += numbers.ncols();
            // A run says what shapes no file states; only the batch is another next time.
            let is_fixed = feed.fixed_batch().is_some();
            let dim = |(at, size): (usize, &i64)| match usize::try_from(*size) {
                Ok(size) if at > 0 || is_fixed => Dim::Fixed(size),
                _ => Dim::Unknown,
            };
            entry.dims = shape.iter().enumerate().map(dim).collect();
            opened.entries.push((entry, numbers.ncols()));
        }
        Ok(opened)
    }

    /// With a session for each thread, once the cut is the right one.
    ///
    /// # Errors
    /// ONNX Runtime rejects the part before the cut.
    pub fn on_threads(self, bytes: &[u8], threads: usize) -> Result<Self, BackwardError> {
        let names: Vec<&str> = self.entries.iter().map(|(entry, _)| entry.name.as_str()).collect();
        Ok(Self { pool: sessions(bytes, &names, threads)?, ..self })
    }

    /// The next number of a point: it continues the stretch before where the column does.
    fn extend(&mut self, at: usize, column: usize, cell: usize) {
        match self.layout.last_mut() {
            Some(last) if last.column == column && (cell == 0 || last.cell + last.numbers.len() == cell) => {
                last.numbers.end = at + 1;
            }
            _ => self.layout.push(Stretch { numbers: at..at + 1, column, cell }),
        }
    }

    pub fn width(&self) -> usize {
        self.entries.iter().map(|(_, width)| width).sum()
    }

    /// Rows as points, `[rows × width]`.
    ///
    /// # Errors
    /// The model does not take these rows.
    pub fn points(&self, features: &Features) -> Result<Array2<f64>, PredictError> {
        let names: Vec<&str> = self.entries.iter().map(|(entry, _)| entry.name.as_str()).collect();
        let step = self.feed.fixed_batch().unwrap_or(ROWS);
        let mut points = Array2::zeros((features.n_rows, self.width()));
        for first in (0..features.n_rows).step_by(step.max(1)) {
            let end = (first + step).min(features.n_rows);
            let mut from = 0;
            for (part, _) in self.encode(&features.take(&(first..end).collect::<Vec<_>>()), &names)? {
                points.slice_mut(s![first..end, from..from + part.ncols()]).assign(&part);
                from += part.ncols();
            }
        }
        Ok(points)
    }

    fn encode(&self, features: &Features, names: &[&str]) -> Result<Vec<Encoded>, PredictError> {
        let n_rows = features.n_rows;
        let padded = self.feed.fixed_batch().unwrap_or(n_rows);
        let broken = |message: String| PredictError::Runtime { n_rows, message };
        let values = self.feed.values(features, 0..n_rows, padded).map_err(|error| broken(error.to_string()))?;
        self.pool.with(|session| {
            let found = session.run(values).map_err(|error| broken(error.to_string()))?;
            let matrix = |name: &&str| {
                let value = found.get(*name).ok_or_else(|| broken(format!("no output `{name}`")))?;
                let all = read::numbers(value, padded).map_err(|problem| broken(format!("`{name}`: {problem}")))?;
                Ok((all.slice(s![..n_rows, ..]).to_owned(), value.shape().to_vec()))
            };
            names.iter().map(matrix).collect()
        })
    }
}

fn sessions(bytes: &[u8], names: &[&str], threads: usize) -> Result<Pool, BackwardError> {
    let pool = Pool::open("model", &with_outputs(bytes, names)?, threads);
    pool.map_err(|error| BackwardError::Rejected(error.to_string()))
}

/// Per graph input, the raw column and cell of every position of its row.
fn cells<'a>(feed: &'a Feed, features: &Features) -> HashMap<&'a str, Vec<(usize, usize)>> {
    let of = |column: &usize| (0..features.columns[*column].width()).map(|cell| (*column, cell)).collect::<Vec<_>>();
    feed.inputs.iter().map(|input| (input.port.name.as_str(), input.columns.iter().flat_map(of).collect())).collect()
}

/// Raw column and cell of every number of a tensor.
fn owners(
    graph: &Graph,
    tensor: &str,
    width: usize,
    followed: Option<Vec<Origin>>,
    cells: &HashMap<&str, Vec<(usize, usize)>>,
) -> Result<Vec<(usize, usize)>, BackwardError> {
    let unfit = |reason: String| BackwardError::Unfit { node: format!("`{tensor}`"), reason };
    let place = |(input, at): (String, usize)| {
        let cell = cells.get(input.as_str()).and_then(|cells| cells.get(at).copied());
        cell.ok_or_else(|| unfit(format!("no column of the data fills position {at} of the input `{input}`")))
    };
    let Some(followed) = followed else {
        // Where the operators on the way are not followed number by number, one input of one column is still clear.
        let reached = reached(graph, tensor);
        let inputs: Vec<&String> = reached.iter().collect();
        let [input] = inputs[..] else {
            return Err(unfit(format!(
                "it depends on several inputs ({})",
                reached.into_iter().collect::<Vec<_>>().join(", ")
            )));
        };
        let columns: BTreeSet<usize> =
            cells.get(input.as_str()).into_iter().flatten().map(|(column, _)| *column).collect();
        return match columns.into_iter().collect::<Vec<_>>()[..] {
            [column] => Ok(vec![(column, 0); width]),
            _ => Err(unfit(format!("it depends on several columns of the input `{input}`"))),
        };
    };
    let mut last = None;
    let mut owners = Vec::with_capacity(width);
    for origin in followed {
        let owner = match origin {
            Origin::One(raw) => place(raw)?,
            // A constant never changes: whose it is does not matter.
            Origin::Nothing => last.or_else(|| cells.values().flatten().min().copied()).unwrap_or_default(),
            Origin::Many(raws) => {
                let columns: Result<BTreeSet<usize>, BackwardError> =
                    raws.into_iter().map(|raw| place(raw).map(|(column, _)| column)).collect();
                match columns?.into_iter().collect::<Vec<_>>()[..] {
                    [column] => (column, 0),
                    ref several => {
                        return Err(unfit(format!("a number of it depends on {} columns of the data", several.len())));
                    }
                }
            }
        };
        last = Some(owner);
        owners.push(owner);
    }
    Ok(owners)
}

/// Graph inputs that a tensor follows from.
fn reached(graph: &Graph, tensor: &str) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut seen = HashSet::new();
    let mut waiting = vec![tensor.to_owned()];
    while let Some(name) = waiting.pop() {
        if graph.is_input(&name) {
            reached.insert(name);
        } else if seen.insert(name.clone())
            && let Some(node) = graph.producer_of(&name)
        {
            waiting.extend(node.reads());
        }
    }
    reached
}

/// Whether the part behind the cut reads an input of the model besides.
pub(super) fn leftover(cut: &Graph, entries: &[(Entry, usize)]) -> Option<String> {
    let is_entry = |name: &str| entries.iter().any(|(entry, _)| entry.name == name);
    cut.inputs.iter().map(|port| &port.name).find(|name| !is_entry(name)).cloned()
}

/// Shape of `n_rows` of an entry of `width` numbers a row.
pub(super) fn shape_of(entry: &Entry, width: usize, n_rows: usize) -> Vec<i64> {
    let declared = entry.dims.get(1..).unwrap_or_default();
    let fixed = |dim: &Dim| if let Dim::Fixed(size) = dim { Some(*size) } else { None };
    let known: usize = declared.iter().filter_map(fixed).product();
    let rest = declared.iter().map(|dim| fixed(dim).unwrap_or(width / known.max(1)) as i64);
    std::iter::once(n_rows as i64).chain(rest).collect()
}

#[cfg(test)]
mod tests {
    use crate::dataset::{Column, Features};
    use crate::model::backward::{BackwardError, Rule};
    use crate::model::differentiable::Differentiable;
    use crate::model::onnx::extend::int;
    use crate::model::onnx::proto::NodeProto;
    use crate::model::onnx::testing::{
        encoded, float_input, floats, graph, input, int_tensor, ml, model, node, output, tensor, text, texts,
    };
    use crate::model::{Differentiator, Element, FedInput, Feed, Model, Port, Quantity, Reading, Shape};
    use ndarray::array;

    const WEIGHTS: [f32; 5] = [0.5, -1.0, 2.0, 0.25, -0.75];

    /// A text column one-hot encoded beside two numbers that are scaled, then `layers`.
    fn opened(layers: Vec<NodeProto>) -> Result<Differentiator, BackwardError> {
        let mut nodes = vec![
            ml("OneHotEncoder", &["kind"], &["hot"], vec![texts("cats_strings", &["a", "b", "c"])]),
            node("Reshape", &["hot", "flat"], &["places"], vec![]),
            ml("Scaler", &["x"], &["scaled"], vec![floats("offset", &[1.0, 0.0]), floats("scale", &[0.5, 2.0])]),
            node("Concat", &["places", "scaled"], &["all"], vec![int("axis", 1)]),
        ];
        nodes.extend(layers);
        let mut proto = graph(nodes, vec![input("kind", 8, 1), float_input("x", 2)], vec![output("p")]);
        proto.initializer =
            vec![int_tensor("flat", &[-1, 3]), tensor("w", &[5, 1], &WEIGHTS), tensor("v", &[1, 1], &[1.0])];
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.onnx");
        std::fs::write(&path, encoded(&model(proto))).unwrap();
        let port = |name: &str, element, width| Port { name: name.to_owned(), element, dims: vec![None, Some(width)] };
        let feed = Feed {
            inputs: vec![
                FedInput { port: port("kind", Element::Text, 1), columns: vec![1] },
                FedInput { port: port("x", Element::F32, 2), columns: vec![0, 2] },
            ],
        };
        let reading = Reading {
            shape: Shape::Binary,
            score: port("p", Element::F32, 1),
            classes: Vec::new(),
            margin: None,
            score_is_margin: None,
            inner: None,
        };
        let what = (Quantity::Reported, Rule::Derivative);
        Model::open(&path).unwrap().differentiator(&feed, &reading, &rows(), what, 1)
    }

    fn rows() -> Features {
        let kinds = ["b", "c", "unheard of"].map(|kind| Some(kind.into()));
        let columns = vec![
            Column::Number(vec![1.0, 3.0, -1.0]),
            Column::Text(kinds.to_vec()),
            Column::Number(vec![0.5, 0.0, -0.5]),
        ];
        Features { n_rows: 3, columns }
    }

    #[test]
    fn texts_are_differentiated_behind_their_encoder_and_numbers_behind_their_scaler() {
        let layers = vec![node("MatMul", &["all", "w"], &["z"], vec![]), node("Sigmoid", &["z"], &["p"], vec![])];
        let found = opened(layers).unwrap();
        let points = found.points(&rows()).unwrap();
        assert_eq!(points, array![[0.0, 1.0, 0.0, 0.0, 1.0], [0.0, 0.0, 1.0, 1.0, 0.0], [0.0, 0.0, 0.0, -1.0, -1.0]]);
        let owners: Vec<usize> =
            found.layout().iter().flat_map(|stretch| stretch.numbers.clone().map(|_| stretch.column)).collect();
        assert_eq!(owners, [1, 1, 1, 0, 2]);
        let found = found.gradients(points.view(), &[0, 0, 0]).unwrap();
        for row in 0..3 {
            let z: f64 = points.row(row).iter().zip(WEIGHTS).map(|(x, w)| x * f64::from(w)).sum();
            let p = 1.0 / (1.0 + (-z).exp());
            assert!((found.scores[[row, 0]] - p).abs() < 1e-6);
            for (gradient, weight) in found.gradients.row(row).iter().zip(WEIGHTS) {
                assert!((gradient - f64::from(weight) * p * (1.0 - p)).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn where_the_cut_would_mix_columns_the_model_is_refused() {
        let layers = vec![
            node("MatMul", &["all", "w"], &["z"], vec![]),
            ml("Normalizer", &["z"], &["s"], vec![text("norm", "MAX")]),
            node("Sigmoid", &["s"], &["p"], vec![]),
        ];
        let why = opened(layers).err().unwrap().to_string();
        assert!(why.contains("`s`") && why.contains("several inputs (kind, x)"), "{why}");
    }
}
