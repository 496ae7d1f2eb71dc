//! Linear operators: `LinearClassifier`, `LinearRegressor`, `Gemm` and `MatMul`.

use super::columns::Columns;
use super::error::ImportError;
use super::scores::{Additive, AffineRow, Form, Scores, Terms};
use super::tree_scores::{checked_outputs, link};
use crate::forest::Link;
use crate::model::onnx::{Node, Tensor};
use ndarray::Array2;
use std::rc::Rc;

/// `LinearClassifier`: the product and how two classes come out of it.
///
/// Like ONNX Runtime, the number of intercepts is the number of sums.
pub fn classifier(node: &Node, operand: Operand) -> Result<Scores, ImportError> {
    let n_labels = node.texts("classlabels_strings").len().max(node.ints("classlabels_ints").len());
    let intercepts = widened(node.floats("intercepts"));
    if intercepts.is_empty() {
        return Err(ImportError::Missing { attribute: "intercepts" });
    }
    let link = link(node.text("post_transform").unwrap_or("NONE"))?;
    let additive = operand.times(coefficients(node, intercepts)?)?;
    match (additive.n_outputs(), n_labels, link) {
        (1, 2, Link::Logistic) => Ok(Scores::pair(additive, Link::Logistic, Form::Complement)),
        (1, 2, Link::Probit) => ImportError::no_rule("PROBIT of one sum for two classes leaves a column unset"),
        (1, 2, _) => Ok(Scores::pair(additive, Link::Identity, Form::Complement)),
        (1, _, _) => ImportError::no_rule("it has one sum but not two classes"),
        _ => Ok(Scores::linked(additive, link)),
    }
}

/// `LinearRegressor`; to a single target only PROBIT is applied.
pub fn regressor(node: &Node, operand: Operand) -> Result<Scores, ImportError> {
    let targets = checked_outputs(node.int("targets").unwrap_or(1))?;
    let intercepts = match node.floats("intercepts") {
        [] => vec![0.0; targets],
        intercepts => widened(intercepts),
    };
    super::ensemble::check_length("intercepts", intercepts.len(), targets)?;
    let link = link(node.text("post_transform").unwrap_or("NONE"))?;
    let additive = operand.times(coefficients(node, intercepts)?)?;
    Ok(Scores::linked(additive, if targets == 1 && link != Link::Probit { Link::Identity } else { link }))
}

fn widened(values: &[f32]) -> Vec<f64> {
    values.iter().map(|value| f64::from(*value)).collect()
}

/// `coefficients`, as many features wide as they say.
fn coefficients(node: &Node, bias: Vec<f64>) -> Result<Product, ImportError> {
    let coefficients = widened(node.floats("coefficients"));
    let width = coefficients.len() / bias.len();
    super::ensemble::check_length("coefficients", coefficients.len(), bias.len() * width)?;
    let weights = Array2::from_shape_vec((bias.len(), width), coefficients);
    Ok(Product { weights: weights.map_err(|error| ImportError::NoRule(error.to_string()))?, bias })
}

/// What weights are applied to.
#[derive(Debug, Clone)]
pub enum Operand {
    Columns(Rc<Columns>),
    /// Sums without a link: the product of two linear maps is one.
    Sums(Rc<Scores>),
}

impl Operand {
    pub fn times(&self, product: Product) -> Result<Additive, ImportError> {
        let dims = match self {
            Operand::Columns(columns) => &columns.dims,
            Operand::Sums(scores) => &scores.dims,
        };
        if *dims != [product.weights.ncols()] {
            let width = product.weights.ncols();
            return ImportError::no_rule(format!("its weights are for {width} features, its rows are {dims:?}"));
        }
        match self {
            Operand::Columns(input) => {
                let input = Rc::clone(input);
                Ok(Additive { input, base: product.bias, terms: Terms::Weights(product.weights) })
            }
            Operand::Sums(scores) => scores.summed(&product.rows()),
        }
    }
}

/// A constant matrix, and what is added to its product.
#[derive(Debug, Clone, PartialEq)]
pub struct Product {
    /// `[outputs × features]`.
    pub weights: Array2<f64>,
    pub bias: Vec<f64>,
}

impl Product {
    /// `x · B` of `MatMul`.
    pub fn of_matmul(b: &Tensor) -> Result<Product, ImportError> {
        let weights = match b.dims.as_slice() {
            [_, _] => matrix(b)?.reversed_axes(),
            // A vector: one sum, without an axis of its own.
            [width] => row(b, *width)?,
            _ => return ImportError::no_rule("its second operand is not a matrix"),
        };
        Ok(Product { bias: vec![0.0; weights.nrows()], weights })
    }

    /// `alpha · x · B(ᵀ) + beta · C` of `Gemm`.
    pub fn of_gemm(node: &Node, b: &Tensor, c: Option<&Tensor>) -> Result<Product, ImportError> {
        if node.int("transA").unwrap_or(0) != 0 {
            return ImportError::no_rule("it transposes its first operand");
        }
        let stored = matrix(b)?;
        let weights = if node.int("transB").unwrap_or(0) != 0 { stored } else { stored.reversed_axes() };
        let (alpha, beta) = (node.float("alpha").unwrap_or(1.0), node.float("beta").unwrap_or(1.0));
        let bias = match c {
            None => vec![0.0; weights.nrows()],
            Some(c) => row_of(c, weights.nrows())?.iter().map(|value| f64::from(beta) * value).collect(),
        };
        Ok(Product { weights: weights * f64::from(alpha), bias })
    }

    fn rows(&self) -> Vec<AffineRow> {
        let row = |(weights, shift): (ndarray::ArrayView1<f64>, &f64)| AffineRow {
            terms: weights.iter().copied().enumerate().filter(|(_, weight)| *weight != 0.0).collect(),
            shift: *shift,
        };
        self.weights.rows().into_iter().zip(&self.bias).map(row).collect()
    }
}

fn matrix(tensor: &Tensor) -> Result<Array2<f64>, ImportError> {
    match (tensor.dims.as_slice(), tensor.numbers()) {
        ([rows, columns], Some(values)) => {
            Array2::from_shape_vec((*rows, *columns), values).map_err(|error| ImportError::NoRule(error.to_string()))
        }
        _ => ImportError::no_rule("its second operand is not a matrix of numbers"),
    }
}

fn row(tensor: &Tensor, width: usize) -> Result<Array2<f64>, ImportError> {
    let Some(values) = tensor.numbers() else {
        return ImportError::no_rule("its second operand is not numbers");
    };
    Array2::from_shape_vec((1, width), values).map_err(|error| ImportError::NoRule(error.to_string()))
}

/// A constant that is the same for every row, stretched to `width`.
fn row_of(tensor: &Tensor, width: usize) -> Result<Vec<f64>, ImportError> {
    match tensor.numbers() {
        Some(values) if values.len() == width => Ok(values),
        Some(values) if values.len() == 1 => Ok(vec![values[0]; width]),
        _ => ImportError::no_rule("its third operand is not one row"),
    }
}
