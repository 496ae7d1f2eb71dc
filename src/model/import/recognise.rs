//! From what is known of every tensor to the structure of the model.

use super::columns::{Columns, Source};
use super::flow::{Flow, Value};
use super::grow::Grown;
use super::report::{Report, Reported};
use super::scores::{Additive, AffineRow, Element, Form, Scores, Terms};
use super::structure::{EnsembleInput, FeatureSource, ForestModel, LinearModel, Structure, mixed_feature};
use crate::forest::{Forest, Link};
use crate::model::onnx::{ElementType, Graph};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Recognises the model behind the graph output that holds its scores.
///
/// Of several outputs with scores the one behind a link is taken (probabilities rather than logits of the same sums).
pub fn recognise(graph: &Graph) -> Structure {
    let flow = Flow::of(graph);
    let mut candidates: Vec<(&str, Rc<Scores>)> = Vec::new();
    for port in &graph.outputs {
        if let Value::Scores(scores) = flow.value(&port.name) {
            candidates.push((&port.name, scores));
        }
    }
    if candidates.len() > 1 {
        let linked: Vec<_> = candidates.iter().filter(|(_, scores)| scores.link.is_some()).cloned().collect();
        let same = candidates.iter().all(|(_, scores)| Rc::ptr_eq(&scores.additive, &candidates[0].1.additive));
        match (linked.len(), same) {
            (1, _) => candidates = linked,
            (_, true) => candidates.truncate(1),
            _ => {
                let names: Vec<String> = candidates.iter().map(|(name, _)| format!("`{name}`")).collect();
                let why = format!("the graph has several scores: {}; say which one to explain", names.join(", "));
                return Structure::Opaque { why };
            }
        }
    }
    match candidates.first() {
        Some((name, scores)) => finish(&flow, name, scores),
        None => Structure::Opaque { why: reason(graph, &flow) },
    }
}

/// Recognises the model behind one graph output.
pub fn recognise_output(graph: &Graph, output: &str) -> Structure {
    let flow = Flow::of(graph);
    match flow.value(output) {
        Value::Scores(scores) => finish(&flow, output, &scores),
        other => Structure::Opaque { why: other.reason(graph, output) },
    }
}

/// Why no output is a score, from the most telling output: what has no rule, then what is computed, then decisions.
fn reason(graph: &Graph, flow: &Flow<'_>) -> String {
    let telling = |value: &Value| match value {
        Value::Opaque(_) => 0,
        Value::Columns(_) => 1,
        _ => 2,
    };
    let values = graph.outputs.iter().map(|port| (flow.value(&port.name), &port.name));
    match values.min_by_key(|(value, _)| telling(value)) {
        Some((value, name)) => value.reason(graph, name),
        None => "the graph has no output".to_owned(),
    }
}

fn finish(flow: &Flow<'_>, output: &str, scores: &Scores) -> Structure {
    if scores.dims.len() > 1 {
        return Structure::Opaque { why: format!("output `{output}` has more than one axis per row") };
    }
    let link = scores.link.unwrap_or(Link::Identity);
    let decides = flow.graph.outputs.iter().any(|port| flow.value(&port.name) == Value::Label);
    let classifier = decides || scores.link.is_some();
    let (additive, elements) = simplified(&scores.additive, &scores.elements, link, classifier);
    let normalised = scores.normalised && !Scores { elements: elements.clone(), ..scores.clone() }.sums_to_one();
    let columns = elements.iter().map(|element| Reported::from(*element)).collect();
    let report = Report { link, columns, normalised, classifier };
    let output = output.to_owned();
    let Additive { input, base, terms } = additive;
    match terms {
        Terms::Trees(trees) => {
            Structure::Forest(forest_model(trees, base, ensemble_input(flow, &input), report, output))
        }
        Terms::Weights(weights) => match first_mixed(flow, &input) {
            Some(mixed) => {
                Structure::Opaque { why: format!("the last linear layer does not see single columns: {mixed}") }
            }
            None => {
                let input = ensemble_input(flow, &input);
                Structure::Linear(LinearModel { weights, intercepts: base, input, report, output })
            }
        },
    }
}

/// Says why the features of a linear layer are not those of single columns, without naming the columns of all of them.
fn first_mixed(flow: &Flow<'_>, columns: &Columns) -> Option<String> {
    let at = columns.sources.iter().position(|source| source.raws().len() > 1)?;
    Some(mixed_feature(&columns.tensor, at, columns.sources[at].raws().iter().map(|raw| flow.raw(*raw))))
}

fn forest_model(
    trees: Vec<Grown>,
    base: Vec<f64>,
    input: EnsembleInput,
    report: Report,
    output: String,
) -> ForestModel {
    let (trees, origins) = trees.into_iter().map(|grown| (grown.tree, grown.origin)).unzip();
    let forest = Forest { n_features: input.columns.len(), n_outputs: base.len(), base, trees, link: report.link };
    ForestModel { forest, input, report, output, origins }
}

/// Drops margins that nothing reports, and one of two that mirror each other: σ(−m) = 1 − σ(m).
fn simplified(additive: &Additive, elements: &[Element], link: Link, classifier: bool) -> (Additive, Vec<Element>) {
    let mut elements = elements.to_vec();
    if let [first, second] = &mut elements[..]
        && (link == Link::Logistic || (link == Link::Identity && classifier))
        && (first.form, second.form) == (Form::Plain, Form::Plain)
        && first.output != second.output
        && additive.is_mirror(first.output, second.output)
    {
        let form = if link == Link::Logistic { Form::Complement } else { Form::Negated };
        *first = Element { output: second.output, form };
    }
    if matches!(link, Link::Softmax | Link::SoftmaxZero) {
        return (additive.clone(), elements);
    }
    let mut kept = BTreeMap::new();
    for element in &elements {
        kept.insert(element.output, 0);
    }
    for (position, place) in kept.values_mut().enumerate() {
        *place = position;
    }
    let rows: Vec<AffineRow> = kept.keys().map(|output| AffineRow::keep(*output)).collect();
    for element in &mut elements {
        element.output = kept[&element.output];
    }
    (additive.affine(&rows), elements)
}

impl From<Element> for Reported {
    fn from(element: Element) -> Reported {
        match element.form {
            Form::Plain => Reported::Value(element.output),
            Form::Complement => Reported::Complement(element.output),
            Form::Negated => Reported::Negated(element.output),
        }
    }
}

fn ensemble_input(flow: &Flow<'_>, columns: &Columns) -> EnsembleInput {
    let named = |raw: &u32| flow.raw(*raw);
    let source = |source: &Source| match source.raws() {
        [] => FeatureSource::Constant,
        [raw] => {
            let (input, index) = named(raw);
            FeatureSource::Column { input, index }
        }
        raws => FeatureSource::Several(raws.iter().map(named).collect()),
    };
    EnsembleInput {
        tensor: columns.tensor.clone(),
        // Integers and half floats become float32 before the runtime compares them.
        element: if columns.element == ElementType::Double { ElementType::Double } else { ElementType::Float },
        is_graph_input: flow.is_input(&columns.tensor),
        columns: columns.sources.iter().map(source).collect(),
    }
}
