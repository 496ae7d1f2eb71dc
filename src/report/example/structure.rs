//! A model's structure for tests.

use crate::audit::{BoxKind, Cost, Repeat, Structure, StructureBox};

/// A dense network of four equal blocks behind three equal branches.
pub fn structure() -> Structure {
    let one = |kind, name: &str, title: &str, parameters, times| StructureBox {
        kind,
        name: name.into(),
        title: title.into(),
        then: if parameters > 0 { vec!["Add".into(), "Relu".into()] } else { Vec::new() },
        shape: "[N, 32]".into(),
        parameters,
        multiply_adds: Some(parameters),
        times,
    };
    Structure {
        boxes: vec![
            one(BoxKind::Input, "<b>age</b>, hours, …", "float32 input", 0, 3),
            one(BoxKind::Operator, "encode", "OneHotEncoder", 0, 3),
            one(BoxKind::Operator, "join", "Concat", 0, 1),
            one(BoxKind::Operator, "dense", "MatMul", 1_056, 1),
            one(BoxKind::Operator, "answer", "Gemm", 33, 1),
            one(BoxKind::Output, "score", "score", 0, 1),
        ],
        edges: vec![(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)],
        repeats: vec![Repeat { first: 3, last: 3, times: 4 }],
        n_nodes: 23,
        n_hidden: 2,
        cost: Cost { parameters: 4_257, multiply_adds: Some(4_128), weight_bytes: 17_028, activation_bytes: None },
    }
}
