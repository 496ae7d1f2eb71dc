//! What the model computes: its drawing, and what it costs.

use crate::audit::{Cost, Structure};
use crate::report::lookup::Lookup;
use crate::report::number;
use crate::report::structure::figures;
use crate::report::text::say;
use crate::report::view::{KeyFigure, Part, Section};

pub fn section(lookup: &Lookup) -> Option<Section> {
    let structure = lookup.audit.structure.as_ref()?;
    let part = Part { key_figures: key_figures(structure), figures: figures(structure), ..Part::default() };
    Some(Section::of("structure", say!("structure.title"), vec![part])?.with_lede(say!("structure.lede")))
}

fn key_figures(structure: &Structure) -> Vec<KeyFigure> {
    let Cost { parameters, multiply_adds, weight_bytes, activation_bytes } = structure.cost;
    let key = |name: String, value: String| KeyFigure { name, value, interval: None };
    let mut keys = vec![
        key(say!("structure.operators"), number::count(structure.n_nodes)),
        key(say!("structure.parameters"), number::count(parameters)),
    ];
    keys.extend(multiply_adds.filter(|n| *n > 0).map(|n| key(say!("structure.multiply_adds"), number::count(n))));
    if weight_bytes > 0 && multiply_adds != Some(0) {
        keys.push(key(say!("structure.constants"), number::bytes(weight_bytes)));
    }
    keys.extend(activation_bytes.filter(|n| *n > 0).map(|n| key(say!("structure.memory"), number::bytes(n))));
    keys
}
