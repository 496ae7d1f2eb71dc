//! Whatever the bytes: reading, summarising, recognising, editing and evaluating a model ends in a value or an error.

#![no_main]
#![allow(dead_code, unused_imports)]

#[path = "../../../src/forest/mod.rs"]
mod forest;

#[path = "../../../src/model"]
mod model {
    pub mod import;
    pub mod onnx;
}

use libfuzzer_sys::fuzz_target;
use model::import::{Structure, class_labels, recognise, recognise_output};
use model::onnx::{Graph, append_outputs, margin_tensor, summary, with_outputs};

/// Rows that a recognised model is asked about: wide ones are no business of this test.
const WIDEST: usize = 4096;

fuzz_target!(|bytes: &[u8]| read(bytes));

fn read(bytes: &[u8]) {
    let Ok(graph) = Graph::decode(bytes) else { return };
    let described = summary(&graph);
    assert!(described.layers.len() <= graph.nodes.len());
    for port in &graph.outputs {
        evaluate(&recognise_output(&graph, &port.name));
        if let Some(cut) = margin_tensor(&graph, &port.name) {
            let _ = with_outputs(bytes, &[&cut.tensor]);
        }
    }
    evaluate(&recognise(&graph));
    assert!(matches!(class_labels(&graph, 2).len(), 0 | 2));
    let names: Vec<&str> = graph.nodes.iter().flat_map(|node| &node.outputs).map(String::as_str).take(2).collect();
    if let Ok(more) = append_outputs(bytes, &names) {
        // An edited model is still one, with what was asked for among its outputs.
        let more = Graph::decode(&more).expect("an edited model can be read");
        assert!(names.iter().all(|name| more.outputs.iter().any(|port| port.name == *name)));
    }
}

fn evaluate(structure: &Structure) {
    match structure {
        Structure::Forest(model) if model.forest.n_features <= WIDEST => {
            let forest = &model.forest;
            let flat = forest::FlatForest::new(forest);
            for value in [f64::NAN, -1.0, 0.0, f64::INFINITY] {
                let row = vec![value; forest.n_features];
                let (mut walked, mut together) = (vec![0.0; forest.n_outputs], vec![0.0; forest.n_outputs]);
                forest.margin(&row, &mut walked);
                if forest.n_features > 0 {
                    flat.margins(&row, &mut together);
                    let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
                    assert!(bits(&walked) == bits(&together) || walked.iter().any(|margin| margin.is_nan()));
                }
            }
        }
        Structure::Linear(model) if model.weights.ncols() <= WIDEST => {
            let _ = model.margin(&vec![0.5; model.weights.ncols()]);
        }
        _ => {}
    }
}
