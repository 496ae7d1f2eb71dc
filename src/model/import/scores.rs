//! Sums over trees or features, and what has been done to them since.

use super::columns::{Columns, Source};
use super::error::ImportError;
use super::grow::Grown;
use super::layout::{Layout, size};
use crate::forest::{Link, Node};
use crate::model::onnx::ElementType;
use ndarray::{Array2, Axis, concatenate};
use std::rc::Rc;

/// `base + Σ terms`, one sum an output, all over the same row of features.
#[derive(Debug, Clone, PartialEq)]
pub struct Additive {
    /// What the trees or weights read.
    pub input: Rc<Columns>,
    pub base: Vec<f64>,
    pub terms: Terms,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Terms {
    Trees(Vec<Grown>),
    /// `[outputs × features]`.
    Weights(Array2<f64>),
}

/// A tensor of scores: each number is one of the sums, perhaps linked, perhaps turned round.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    pub additive: Rc<Additive>,
    /// One a number of the row.
    pub elements: Vec<Element>,
    /// Shape of a row.
    pub dims: Vec<usize>,
    /// `None`: no link has been applied yet.
    pub link: Option<Link>,
    /// Numbers have been divided by the sum of their magnitudes.
    pub normalised: bool,
}

/// Number of the (linked) sum `output`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Element {
    pub output: usize,
    pub form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// s
    Plain,
    /// 1 − s
    Complement,
    /// −s
    Negated,
}

/// `shift + Σ factor · output`, a row of an affine map.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AffineRow {
    pub terms: Vec<(usize, f64)>,
    pub shift: f64,
}

impl Additive {
    pub fn n_outputs(&self) -> usize {
        self.base.len()
    }

    /// New outputs as affine functions of these.
    pub fn affine(&self, rows: &[AffineRow]) -> Additive {
        let base = rows
            .iter()
            .map(|row| row.shift + row.terms.iter().map(|(output, factor)| factor * self.base[*output]).sum::<f64>())
            .collect();
        let terms = match &self.terms {
            Terms::Weights(weights) => {
                let mut mapped = Array2::zeros((rows.len(), weights.ncols()));
                for (row, mut target) in rows.iter().zip(mapped.rows_mut()) {
                    for (output, factor) in &row.terms {
                        target.scaled_add(*factor, &weights.row(*output));
                    }
                }
                Terms::Weights(mapped)
            }
            Terms::Trees(trees) => {
                let map = by_output(rows, self.n_outputs());
                Terms::Trees(trees.iter().map(|grown| revote(grown, &map)).collect())
            }
        };
        Additive { input: Rc::clone(&self.input), base, terms }
    }

    /// The outputs of both, these first.
    ///
    /// # Errors
    /// They read different tensors, or one sums trees and the other features.
    pub fn stacked(&self, other: &Additive) -> Result<Additive, ImportError> {
        if self.input.tensor != other.input.tensor {
            let (left, right) = (&self.input.tensor, &other.input.tensor);
            return ImportError::no_rule(format!(
                "it joins scores computed from different tensors `{left}` and `{right}`"
            ));
        }
        check_size(self.n_nodes().saturating_add(other.n_nodes()))?;
        let n_outputs = self.n_outputs() + other.n_outputs();
        if n_outputs > MOST_OUTPUTS {
            let (what, found) = ("the number of scores", n_outputs.to_string());
            return Err(ImportError::TooLarge { what, found, limit: MOST_OUTPUTS });
        }
        let terms = match (&self.terms, &other.terms) {
            (Terms::Weights(upper), Terms::Weights(lower)) => {
                let stacked = concatenate(Axis(0), &[upper.view(), lower.view()]);
                Terms::Weights(stacked.map_err(|error| ImportError::NoRule(error.to_string()))?)
            }
            (Terms::Trees(first), Terms::Trees(second)) => {
                let shifted: Vec<_> =
                    (0..other.n_outputs()).map(|output| vec![(self.n_outputs() + output, 1.0)]).collect();
                let moved = second.iter().map(|grown| revote(grown, &shifted));
                Terms::Trees(first.iter().cloned().chain(moved).collect())
            }
            _ => return ImportError::no_rule("it joins tree scores and linear scores"),
        };
        Ok(Additive { input: Rc::clone(&self.input), base: [&self.base[..], &other.base[..]].concat(), terms })
    }

    /// Numbers that the terms would hold after an affine map, at most.
    fn cost_of(&self, rows: &[AffineRow]) -> usize {
        match &self.terms {
            Terms::Weights(weights) => rows.len().saturating_mul(weights.ncols()),
            Terms::Trees(trees) => {
                let widest = by_output(rows, self.n_outputs()).iter().map(Vec::len).max().unwrap_or(0);
                let votes: usize = trees.iter().map(|grown| grown.tree.votes.len()).sum();
                votes.saturating_mul(widest)
            }
        }
    }

    fn n_nodes(&self) -> usize {
        match &self.terms {
            Terms::Weights(weights) => weights.len(),
            Terms::Trees(trees) => trees.iter().map(|grown| grown.tree.nodes.len()).sum(),
        }
    }

    /// Whether output `left` is exactly −`right`.
    pub fn is_mirror(&self, left: usize, right: usize) -> bool {
        self.base[left] == -self.base[right]
            && match &self.terms {
                Terms::Weights(weights) => weights.row(left).iter().zip(weights.row(right)).all(|(l, r)| *l == -r),
                Terms::Trees(trees) => trees.iter().all(|grown| {
                    leaves(grown).all(|votes| {
                        let sum =
                            |output| votes.iter().filter(|vote| vote.0 as usize == output).map(|vote| vote.1).sum();
                        let (l, r): (f64, f64) = (sum(left), sum(right));
                        l == -r
                    })
                }),
            }
    }

    /// Whether every row is certain to receive a vote for `output`.
    pub fn always_votes(&self, output: usize) -> bool {
        match &self.terms {
            Terms::Weights(_) => true,
            Terms::Trees(trees) => {
                trees.iter().any(|grown| leaves(grown).all(|votes| votes.iter().any(|vote| vote.0 as usize == output)))
            }
        }
    }

    /// What each output depends on.
    fn sources(&self) -> Vec<Source> {
        let all = self.input.all();
        (0..self.n_outputs()).map(|output| self.source(output, &all)).collect()
    }

    /// What one output depends on; `all` is what the whole input depends on.
    fn source(&self, output: usize, all: &Source) -> Source {
        match &self.terms {
            Terms::Weights(weights) if weights.row(output).iter().all(|weight| *weight != 0.0) => all.clone(),
            Terms::Weights(weights) => {
                let used =
                    weights.row(output).into_iter().zip(&self.input.sources).filter(|(weight, _)| **weight != 0.0);
                Source::union(used.map(|(_, source)| source))
            }
            Terms::Trees(_) => all.clone(),
        }
    }
}

/// Numbers that joined or mapped scores may hold: a few operators could ask for any amount of memory.
const LARGEST_TERMS: usize = 1 << 21;

/// Outputs that joined scores may have.
const MOST_OUTPUTS: usize = 1 << 16;

fn check_size(size: usize) -> Result<(), ImportError> {
    if size <= LARGEST_TERMS {
        return Ok(());
    }
    let (what, found) = ("the number of weights or votes", size.to_string());
    Err(ImportError::TooLarge { what, found, limit: LARGEST_TERMS })
}

fn leaves(grown: &Grown) -> impl Iterator<Item = &[(u32, f64)]> {
    grown.tree.nodes.iter().filter_map(|node| match node {
        Node::Leaf { votes } => Some(&grown.tree.votes[votes.start as usize..votes.end as usize]),
        Node::Split(_) => None,
    })
}

/// Per old output, the new outputs it adds to.
fn by_output(rows: &[AffineRow], n_outputs: usize) -> Vec<Vec<(usize, f64)>> {
    let mut map = vec![Vec::new(); n_outputs];
    for (to, row) in rows.iter().enumerate() {
        for (from, factor) in &row.terms {
            map[*from].push((to, *factor));
        }
    }
    map
}

/// The same tree with its votes passed on.
fn revote(grown: &Grown, map: &[Vec<(usize, f64)>]) -> Grown {
    let mut tree = crate::forest::Tree::default();
    for node in &grown.tree.nodes {
        let Node::Leaf { votes } = node else {
            tree.nodes.push(node.clone());
            continue;
        };
        let start = tree.votes.len() as u32;
        for (output, value) in &grown.tree.votes[votes.start as usize..votes.end as usize] {
            tree.votes.extend(map[*output as usize].iter().map(|(to, factor)| (*to as u32, factor * value)));
        }
        tree.nodes.push(Node::Leaf { votes: start..tree.votes.len() as u32 });
    }
    Grown { tree, origin: grown.origin.clone() }
}

impl Scores {
    /// The sums themselves, one number each, no link yet.
    pub fn raw(additive: Additive) -> Scores {
        let elements = (0..additive.n_outputs()).map(|output| Element { output, form: Form::Plain }).collect();
        let dims = vec![additive.n_outputs()];
        Scores { additive: Rc::new(additive), elements, dims, link: None, normalised: false }
    }

    /// The sums through a link.
    pub fn linked(additive: Additive, link: Link) -> Scores {
        Scores { link: (link != Link::Identity).then_some(link), ..Scores::raw(additive) }
    }

    /// A pair made of the only sum: first class, second class.
    pub fn pair(additive: Additive, link: Link, first: Form) -> Scores {
        let elements = [first, Form::Plain].map(|form| Element { output: 0, form }).to_vec();
        Scores { elements, dims: vec![2], ..Scores::linked(additive, link) }
    }

    /// Whether these are sums that may still be added to and scaled.
    pub fn is_raw(&self) -> bool {
        self.link.is_none() && !self.normalised
    }

    fn rows(&self) -> Vec<AffineRow> {
        self.elements.iter().map(|element| AffineRow::from(*element)).collect()
    }

    /// Affine functions of the numbers of the row.
    ///
    /// # Errors
    /// A link has been applied: the result would not be a sum any more.
    pub fn affine(&self, rows: &[AffineRow], dims: Vec<usize>) -> Result<Scores, ImportError> {
        Ok(Scores { dims, ..Scores::raw(self.summed(rows)?) })
    }

    /// The same as bare sums.
    pub fn summed(&self, rows: &[AffineRow]) -> Result<Additive, ImportError> {
        if !self.is_raw() {
            return ImportError::no_rule("it computes with scores behind their link");
        }
        let own = self.rows();
        let composed: Vec<AffineRow> = rows.iter().map(|row| row.of(&own)).collect();
        check_size(self.additive.cost_of(&composed))?;
        Ok(self.additive.affine(&composed))
    }

    /// Whether the numbers of a row sum to 1 as they are.
    pub fn sums_to_one(&self) -> bool {
        let pair = matches!(&self.elements[..], [first, second]
            if first.output == second.output && (first.form, second.form) == (Form::Complement, Form::Plain));
        let softmax = self.link == Some(Link::Softmax) && self.elements.len() == self.additive.n_outputs();
        let plain = |(at, element): (usize, &Element)| *element == Element { output: at, form: Form::Plain };
        (pair && self.link == Some(Link::Logistic)) || (softmax && self.elements.iter().enumerate().all(plain))
    }

    pub fn rearranged(operands: &[&Scores], layout: Layout) -> Result<Scores, ImportError> {
        let first = operands[0];
        if operands.iter().any(|other| (other.link, other.normalised) != (first.link, first.normalised)) {
            return ImportError::no_rule("it joins scores behind different links");
        }
        if first.normalised && layout.picks.len() != first.elements.len() {
            return ImportError::no_rule("it takes normalised scores apart");
        }
        let mut additive = Rc::clone(&first.additive);
        let mut offsets = vec![0];
        for other in &operands[1..] {
            if Rc::ptr_eq(&other.additive, &first.additive) {
                offsets.push(0);
                continue;
            }
            if matches!(first.link, Some(Link::Softmax | Link::SoftmaxZero)) {
                return ImportError::no_rule("it joins scores of different softmaxes");
            }
            offsets.push(additive.n_outputs());
            additive = Rc::new(additive.stacked(&other.additive)?);
        }
        let moved = layout.picks.iter().map(|(operand, from)| {
            let element = operands[*operand].elements[*from];
            Element { output: element.output + offsets[*operand], ..element }
        });
        let elements = moved.collect();
        Ok(Scores { additive, elements, dims: layout.dims, link: first.link, normalised: first.normalised })
    }

    /// Applies σ number by number.
    pub fn sigmoid(&self) -> Result<Scores, ImportError> {
        if !self.is_raw() {
            return ImportError::no_rule("it applies a second link");
        }
        if self.elements.iter().any(|element| element.form == Form::Complement) {
            let plain: Vec<AffineRow> = (0..self.elements.len()).map(AffineRow::keep).collect();
            return self.affine(&plain, self.dims.clone())?.sigmoid();
        }
        let mut linked = Scores { link: Some(Link::Logistic), ..self.clone() };
        for element in &mut linked.elements {
            // σ(−s) = 1 − σ(s)
            if element.form == Form::Negated {
                element.form = Form::Complement;
            }
        }
        Ok(linked)
    }

    /// Applies softmax over the whole row.
    pub fn softmax(&self) -> Result<Scores, ImportError> {
        if !self.is_raw() {
            return ImportError::no_rule("it applies a second link");
        }
        let in_order =
            self.elements.iter().enumerate().all(|(at, element)| *element == Element { output: at, form: Form::Plain });
        if in_order && self.elements.len() == self.additive.n_outputs() {
            return Ok(Scores { link: Some(Link::Softmax), ..self.clone() });
        }
        let rows: Vec<AffineRow> = (0..self.elements.len()).map(AffineRow::keep).collect();
        Ok(Scores { link: Some(Link::Softmax), ..self.affine(&rows, self.dims.clone())? })
    }

    /// 1 − each number.
    pub fn complement(&self) -> Result<Scores, ImportError> {
        let mut turned = self.clone();
        for element in &mut turned.elements {
            element.form = match element.form {
                Form::Plain => Form::Complement,
                Form::Complement => Form::Plain,
                Form::Negated => return ImportError::no_rule("it computes with scores that were turned round"),
            };
        }
        Ok(turned)
    }

    /// As numbers that depend on raw columns, for operators that do more than sum.
    pub fn as_columns(&self, tensor: &str) -> Result<Columns, ImportError> {
        let all = matches!(self.link, Some(Link::Softmax | Link::SoftmaxZero)) || self.normalised;
        let per_output = self.additive.sources();
        let together = Source::union(&per_output);
        let of = |element: &Element| {
            if all { together.clone() } else { per_output[element.output].clone() }
        };
        size(&self.dims)?;
        let sources = self.elements.iter().map(of).collect();
        Ok(Columns { tensor: tensor.to_owned(), element: ElementType::Float, dims: self.dims.clone(), sources })
    }
}

impl AffineRow {
    /// Number `at` as it is.
    pub fn keep(at: usize) -> AffineRow {
        AffineRow { terms: vec![(at, 1.0)], shift: 0.0 }
    }

    /// This function of numbers that are themselves functions.
    fn of(&self, inner: &[AffineRow]) -> AffineRow {
        let mut composed = AffineRow { terms: Vec::new(), shift: self.shift };
        for (at, factor) in &self.terms {
            composed.shift += factor * inner[*at].shift;
            for (output, inner_factor) in &inner[*at].terms {
                match composed.terms.iter_mut().find(|term| term.0 == *output) {
                    Some(term) => term.1 += factor * inner_factor,
                    None => composed.terms.push((*output, factor * inner_factor)),
                }
            }
        }
        composed
    }
}

impl From<Element> for AffineRow {
    fn from(element: Element) -> AffineRow {
        let (factor, shift) = match element.form {
            Form::Plain => (1.0, 0.0),
            Form::Complement => (-1.0, 1.0),
            Form::Negated => (-1.0, 0.0),
        };
        AffineRow { terms: vec![(element.output, factor)], shift }
    }
}
