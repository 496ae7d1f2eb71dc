//! Which columns fill which model input, and which of them need an encoding.

use super::roles::{Roles, same};
use crate::dataset::{Kind, Profile};
use crate::model::{Element, Port, Signature};
use std::collections::BTreeMap;

#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Inputs {
    pub bound: Vec<Bound>,
    /// Text columns that go where the model wants numbers, with their categories in code order.
    pub encode: BTreeMap<String, Vec<String>>,
    pub doubts: Vec<String>,
}

/// A model input and its columns.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bound {
    pub port: Port,
    pub columns: Vec<String>,
    /// The column has the input's very name: nothing need be said.
    pub by_name: bool,
}

pub(super) fn bind(signature: &Signature, profiles: &[Profile], roles: &Roles) -> Inputs {
    let mut inputs = Inputs::default();
    // Names first: what they claim is no candidate for a matrix.
    let named: Vec<Option<&Profile>> = signature.inputs.iter().map(|port| by_name(port, profiles)).collect();
    let claimed: Vec<&str> = named.iter().flatten().map(|profile| profile.name()).collect();
    let mut free: Vec<&Profile> = profiles
        .iter()
        .filter(|profile| !roles.taken(profile.name()) && !claimed.contains(&profile.name()))
        .filter(|profile| !matches!(profile.field.kind, Kind::Binary | Kind::Other))
        .collect();
    for (port, named) in signature.inputs.iter().zip(named) {
        let chosen = match named {
            Some(profile) => vec![profile],
            None => {
                let (chosen, doubt) = choose(port, &free, profiles);
                inputs.doubts.extend(doubt);
                free.retain(|profile| !chosen.iter().any(|taken| taken.name() == profile.name()));
                chosen
            }
        };
        for profile in &chosen {
            inputs.encode_where_needed(port, profile);
        }
        let by_name = named.is_some_and(|profile| profile.name() == port.name);
        let columns = chosen.iter().map(|profile| profile.name().to_owned()).collect();
        inputs.bound.push(Bound { port: port.clone(), columns, by_name });
    }
    inputs
}

impl Inputs {
    fn encode_where_needed(&mut self, port: &Port, profile: &Profile) {
        if port.element == Element::Text || profile.field.kind != Kind::Text {
            return;
        }
        match &profile.values {
            Some(values) if !values.is_empty() => {
                self.encode.insert(profile.name().to_owned(), values.clone());
            }
            _ => self.doubts.push(format!(
                "column {:?} holds text with too many or no values to be encoded, and input {:?} takes numbers",
                profile.name(),
                port.name
            )),
        }
    }
}

/// The column of the input's name, or the only one of nearly that name.
fn by_name<'p>(port: &Port, profiles: &'p [Profile]) -> Option<&'p Profile> {
    if let Some(exact) = profiles.iter().find(|profile| profile.name() == port.name) {
        return Some(exact);
    }
    let mut near = profiles.iter().filter(|profile| same(profile.name(), &port.name));
    near.next().filter(|_| near.next().is_none())
}

/// Columns for an input that no column is named after, in the data's order, and what is uncertain about them.
fn choose<'p>(port: &Port, free: &[&'p Profile], profiles: &[Profile]) -> (Vec<&'p Profile>, Option<String>) {
    let of = |kinds: &[Kind]| -> Vec<&'p Profile> {
        free.iter().copied().filter(|profile| kinds.contains(&profile.field.kind)).collect()
    };
    let lists = of(&[Kind::List]);
    if lists.len() == 1 && port.element != Element::Text {
        return (lists, None);
    }
    let text = of(&[Kind::Text]);
    let numbers = of(&[Kind::Integer, Kind::Float, Kind::Boolean]);
    let both = of(&[Kind::Integer, Kind::Float, Kind::Boolean, Kind::Text]);
    let encodable: Vec<_> =
        both.iter().copied().filter(|profile| profile.field.kind != Kind::Text || profile.values.is_some()).collect();
    let without_last = match profiles.last() {
        Some(last) => encodable.iter().copied().filter(|profile| profile.name() != last.name()).collect(),
        None => Vec::new(),
    };
    let order =
        format!("input {:?} is filled by columns in the data's order, which the model need not share", port.name);
    let Some(width) = port.width() else {
        let all = if port.element == Element::Text { text } else { encodable };
        return (all, Some(format!("input {:?} does not say how many columns it takes; all are given", port.name)));
    };
    let kinds = if port.element == Element::Text {
        [text, both, Vec::new(), Vec::new()]
    } else {
        [encodable.clone(), both, numbers, without_last]
    };
    if let Some(fitting) = kinds.into_iter().find(|columns| columns.len() == width && width > 0) {
        return (fitting, (width > 1).then_some(order));
    }
    let n = encodable.len();
    let doubt = format!(
        "input {:?} takes {width} columns and the data has {n} that may be meant: correct [model.inputs]",
        port.name
    );
    (encodable.into_iter().take(width).collect(), Some(doubt))
}
