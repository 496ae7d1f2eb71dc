//! Sums of products in the notation of Einstein.

use super::{Call, Contributions, Found};
use crate::model::backward::error::BackwardError;
use crate::model::backward::tape::Tape;
use crate::model::onnx::extend;

pub fn rule(tape: &mut Tape, call: &Call) -> Found {
    if !call.node.is("Einsum") {
        return Ok(None);
    }
    let equation: String = call.node.text("equation").unwrap_or_default().split_whitespace().collect();
    let Some((terms, result)) = equation.split_once("->") else {
        return Err(call.unfit("its equation does not name the output's dimensions"));
    };
    let terms: Vec<&str> = terms.split(',').collect();
    let mut found = Contributions::new();
    for at in call.wanted(tape) {
        found.push((at, factor(tape, call, &terms, result, at)?));
    }
    Ok(Some(found))
}

/// A sum of products too, of the gradient and the other factors: over what the input does not have, spread over what only
/// it has.
fn factor(tape: &mut Tape, call: &Call, terms: &[&str], result: &str, at: usize) -> Result<String, BackwardError> {
    let own = terms[at];
    let twice = |term: &str| term.chars().enumerate().any(|(place, letter)| term[..place].contains(letter));
    if own.contains('.') || result.contains('.') || terms.iter().any(|term| twice(term)) {
        return Err(call.unfit("equations with `...` or a letter twice in one term are not covered"));
    }
    if terms.len() > 2 {
        call.only_derivative(tape)?;
    }
    let mut letters = vec![result];
    let mut factors = vec![call.g()?.to_owned()];
    for (other, term) in terms.iter().enumerate().filter(|(other, _)| *other != at) {
        letters.push(term);
        factors.push(tape.midway(call.x(other)));
    }
    if !own.chars().all(|letter| letters.iter().any(|term| term.contains(letter))) {
        let (zeros, one) = (tape.zeros_like(call.x(at)), tape.number(1.0, call.x(at)));
        letters.push(own);
        factors.push(tape.add(&zeros, &one));
    }
    let factors: Vec<&str> = factors.iter().map(String::as_str).collect();
    let equation = extend::text("equation", &format!("{}->{own}", letters.join(",")));
    Ok(tape.op("Einsum", &factors, vec![equation]))
}
