//! What the model computes: its drawing, and what it costs.

use crate::audit::{Cost, Structure};
use crate::report::lookup::Lookup;
use crate::report::number;
use crate::report::structure::figures;
use crate::report::view::{KeyFigure, Part, Section};

pub fn section(lookup: &Lookup) -> Option<Section> {
    let structure = lookup.audit.structure.as_ref()?;
    let part = Part { key_figures: key_figures(structure), figures: figures(structure), ..Part::default() };
    Some(
        Section::of("structure", "Structure of the model", vec![part])?
            .with_lede("What the model's file computes, drawn from the file itself."),
    )
}

fn key_figures(structure: &Structure) -> Vec<KeyFigure> {
    let Cost { parameters, multiply_adds, weight_bytes, activation_bytes } = structure.cost;
    let key = |name: &str, value: String| KeyFigure { name: name.to_owned(), value, interval: None };
    let mut keys =
        vec![key("Operators", number::count(structure.n_nodes)), key("Parameters", number::count(parameters))];
    keys.extend(multiply_adds.filter(|n| *n > 0).map(|n| key("Multiply-adds a row", number::count(n))));
    if weight_bytes > 0 && multiply_adds != Some(0) {
        keys.push(key("Constants", number::bytes(weight_bytes)));
    }
    keys.extend(activation_bytes.filter(|n| *n > 0).map(|n| key("Memory a row, at most", number::bytes(n))));
    keys
}
