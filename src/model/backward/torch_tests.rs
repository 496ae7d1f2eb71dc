//! Every rule against torch's autograd, and multipliers against captum's DeepLIFT: the answers are made by
//! `data/make/golden_autograd.py` and `data/make/golden_multipliers.py`.

use super::tape::Tape;
use super::{BackwardError, Rule, Types, differentiate, follow, rules};
use crate::model::onnx::Graph;
use crate::model::onnx::testing::{self, graph, node, output};
use crate::model::pool::Pool;
use ort::session::SessionInputValue;
use ort::value::Tensor;
use serde::Deserialize;
use std::collections::BTreeSet;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");

/// Share of a module's largest gradient that a gradient may be away: float32 against float64.
const TOLERANCE: f64 = 1e-5;

/// Operators with a rule that torch has no counterpart of, by why.
const WITHOUT_GOLDEN: &[(&str, &str)] =
    &[("ai.onnx.ml", "ArrayFeatureExtractor"), ("ai.onnx.ml", "Imputer"), ("ai.onnx.ml", "Scaler")];

#[derive(Deserialize)]
struct Golden {
    /// Domain and name of every operator of the two standards.
    operators: Vec<(String, String)>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    weights: Vec<f32>,
    inputs: Vec<Input>,
}

#[derive(Deserialize)]
struct Input {
    name: String,
    shape: Vec<i64>,
    values: Vec<f32>,
    gradient: Vec<f64>,
}

fn golden() -> Golden {
    let text = std::fs::read_to_string(format!("{FOLDER}/autograd.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

impl Case {
    fn bytes(&self) -> Vec<u8> {
        std::fs::read(format!("{FOLDER}/autograd/{}.onnx", self.name)).unwrap()
    }

    fn names(&self) -> Vec<&str> {
        self.inputs.iter().map(|input| input.name.as_str()).collect()
    }

    /// Per input, what ONNX Runtime finds.
    fn gradients(&self) -> Result<Vec<Vec<f32>>, String> {
        let bytes = self.bytes();
        let types = Graph::decode(&bytes).map_err(BackwardError::File).and_then(|graph| Types::infer(&bytes, &graph));
        let types = types.map_err(|error| error.to_string())?;
        let found = differentiate(&bytes, &types, "y", &self.names(), Rule::Derivative);
        let backward = found.map_err(|error| error.to_string())?;
        let pool = Pool::open("m", &backward.bytes, 1).map_err(|error| error.to_string())?;
        let seed = Tensor::from_array((vec![1, self.weights.len() as i64], self.weights.clone())).unwrap();
        let mut feed: Vec<(&str, SessionInputValue)> = vec![(&backward.seed, seed.into())];
        for input in &self.inputs {
            let tensor = Tensor::from_array((input.shape.clone(), input.values.clone())).unwrap();
            feed.push((&input.name, tensor.into()));
        }
        pool.with(|session| {
            let outputs = session.run(feed).map_err(|error| error.to_string())?;
            let read = |name: &String| outputs[name.as_str()].try_extract_tensor::<f32>().unwrap().1.to_vec();
            Ok(backward.gradients.iter().map(read).collect())
        })
    }

    /// What is wrong with the gradients, if anything is.
    fn fault(&self) -> Option<String> {
        let found = match self.gradients() {
            Ok(found) => found,
            Err(error) => return Some(error),
        };
        let all = || self.inputs.iter().flat_map(|input| &input.gradient);
        let largest = all().fold(0.0_f64, |most, value| most.max(value.abs()));
        let gap = |(found, expected): (&f32, &f64)| (f64::from(*found) - expected).abs();
        for (input, found) in self.inputs.iter().zip(&found) {
            assert_eq!(input.gradient.len(), found.len(), "{}", self.name);
            // A gap that is no number is a fault too.
            let good = |pair| gap(pair) <= TOLERANCE * largest;
            if let Some(at) = (0..found.len()).find(|at| !good((&found[*at], &input.gradient[*at]))) {
                let (found, expected) = (found[at], input.gradient[at]);
                return Some(format!("element {at} of `{}` is {found}, torch says {expected}", input.name));
            }
        }
        None
    }
}

#[test]
fn gradients_are_those_of_torch() {
    let golden = golden();
    assert_eq!(golden.cases.len(), 253);
    let faults: Vec<String> =
        golden.cases.iter().filter_map(|case| Some(format!("{}: {}", case.name, case.fault()?))).collect();
    assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), golden.cases.len(), faults.join("\n"));
}

/// Whether some rule answers to an operator, be it that a bare node does not suit it.
fn has_rule(domain: &str, op: &str) -> bool {
    let mut bare = node(op, &["x", "a", "b", "c", "d"], &["y"], vec![]);
    bare.domain = domain.to_owned();
    let proto = graph(vec![bare], vec![testing::float_input("x", 1)], vec![output("y")]);
    let graph = Graph::from(proto);
    let types = Types::default();
    let mut tape = Tape::new(&graph, &types, "grad/".to_owned());
    tape.active = BTreeSet::from(["x".to_owned()]);
    let call = rules::Call { node: &graph.nodes[0], gradients: vec![Some("g".to_owned())] };
    let found = rules::contributions(&mut tape, &call);
    !matches!(found, Err(BackwardError::NoRule { what: "gradient rule", .. }))
}

#[test]
fn every_rule_that_torch_has_an_operator_for_is_compared_to_it() {
    let golden = golden();
    let mut compared = BTreeSet::new();
    for case in &golden.cases {
        let graph = Graph::decode(&case.bytes()).unwrap();
        let types = Types::infer(&case.bytes(), &graph).unwrap();
        let mut tape = Tape::new(&graph, &types, "grad/".to_owned());
        follow(&mut tape, &case.names());
        let passes = |names: &[String]| names.iter().any(|name| tape.active.contains(name));
        let nodes = graph.nodes.iter().filter(|node| passes(&node.inputs) && passes(&node.outputs));
        compared.extend(nodes.map(|node| (node.domain.clone(), node.op_type.clone())));
    }
    let ruled = golden.operators.iter().filter(|(domain, op)| has_rule(domain, op));
    let missing: Vec<(&str, &str)> =
        ruled.filter(|rule| !compared.contains(rule)).map(|(domain, op)| (domain.as_str(), op.as_str())).collect();
    let mut expected = WITHOUT_GOLDEN.to_vec();
    expected.sort_unstable();
    assert_eq!(missing, expected, "rules without an answer of torch");
}

#[derive(Deserialize)]
struct Multipliers {
    cases: Vec<Against>,
}

/// Rows of one network against a reference each.
#[derive(Deserialize)]
struct Against {
    name: String,
    shape: Vec<i64>,
    n_outputs: usize,
    x: Vec<f32>,
    reference: Vec<f32>,
    /// Per output.
    values: Vec<Vec<f64>>,
}

impl Against {
    /// Multipliers times changes, of one output.
    fn attributions(&self, output: usize) -> Vec<f64> {
        let bytes = std::fs::read(format!("{FOLDER}/multipliers/{}.onnx", self.name)).unwrap();
        let types = Types::infer(&bytes, &Graph::decode(&bytes).unwrap()).unwrap();
        let backward = differentiate(&bytes, &types, "y", &["x"], Rule::Rescale).unwrap();
        let pool = Pool::open("m", &backward.bytes, 1).unwrap();
        let tensor = |values: &[f32]| Tensor::from_array((self.shape.clone(), values.to_vec())).unwrap().into();
        let mut seed = vec![0.0_f32; self.n_outputs];
        seed[output] = 1.0;
        let rows = self.shape[0];
        let seed = Tensor::from_array((vec![rows, self.n_outputs as i64], seed.repeat(rows as usize))).unwrap();
        let feed: Vec<(&str, SessionInputValue)> = vec![
            ("x", tensor(&self.x)),
            (&backward.references[0], tensor(&self.reference)),
            (&backward.seed, seed.into()),
        ];
        let multipliers = pool.with(|session| {
            let outputs = session.run(feed).unwrap();
            outputs[backward.gradients[0].as_str()].try_extract_tensor::<f32>().unwrap().1.to_vec()
        });
        let changes = self.x.iter().zip(&self.reference).map(|(x, reference)| f64::from(*x) - f64::from(*reference));
        multipliers.iter().zip(changes).map(|(multiplier, change)| f64::from(*multiplier) * change).collect()
    }
}

#[test]
fn multipliers_are_those_of_captum() {
    let text = std::fs::read_to_string(format!("{FOLDER}/multipliers.json")).unwrap();
    let golden: Multipliers = serde_json::from_str(&text).unwrap();
    assert_eq!(golden.cases.len(), 3);
    for case in &golden.cases {
        for (output, expected) in case.values.iter().enumerate() {
            let largest = expected.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
            for (at, (found, expected)) in case.attributions(output).iter().zip(expected).enumerate() {
                let gap = (found - expected).abs();
                assert!(gap <= TOLERANCE * largest, "{}, output {output}, {at}: {found}, not {expected}", case.name);
            }
        }
    }
}
