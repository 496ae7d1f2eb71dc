//! A batch of rows, resolved: columns in model order, labels, weights and groups as numbers.

use std::sync::Arc;

/// Consecutive rows of the (filtered) data.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Position of the first row in the data, from 0.
    pub first_row: u64,
    pub ids: RowIds,
    /// Raw input columns in model order.
    pub features: Features,
    pub labels: Option<Labels>,
    /// Row weights, all 1 where `None`.
    pub weights: Option<Vec<f64>>,
    /// Scores computed elsewhere (`[data] score`).
    pub recorded: Option<Vec<f64>>,
    /// Level codes per attribute column: `codes[column][row]` indexes `GroupLevels::levels[column]`.
    pub codes: Vec<Vec<u32>>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum RowIds {
    Int(Vec<i64>),
    Text(Vec<String>),
}

/// Raw columns of a batch, `columns[feature]`, each of `n_rows`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Features {
    pub n_rows: usize,
    pub columns: Vec<Column>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// NaN = missing. Whole numbers, booleans and dates are numbers too.
    Number(Vec<f64>),
    /// `None` = missing.
    Text(Vec<Option<Arc<str>>>),
    /// A row-major tensor per row, `width` numbers each.
    Tensor { width: usize, values: Vec<f32> },
}

#[derive(Debug, Clone, PartialEq)]
pub enum Labels {
    /// Index into the model's outputs (binary: 1 is the positive class); `None` = missing.
    Class(Vec<Option<u32>>),
    /// NaN = missing.
    Value(Vec<f64>),
}

impl Batch {
    pub fn n_rows(&self) -> usize {
        self.features.n_rows.max(match &self.ids {
            RowIds::Int(ids) => ids.len(),
            RowIds::Text(ids) => ids.len(),
        })
    }
}

impl Features {
    /// The given rows, in the given order.
    pub fn take(&self, rows: &[usize]) -> Self {
        let columns = self.columns.iter().map(|column| column.take(rows)).collect();
        Self { n_rows: rows.len(), columns }
    }

    /// The given rows, in the given order, with pictures and lists left empty.
    pub fn take_without_tensors(&self, rows: &[usize]) -> Self {
        let columns = self.columns.iter().map(|column| match column {
            Column::Tensor { .. } => Column::Tensor { width: 0, values: Vec::new() },
            column => column.take(rows),
        });
        Self { n_rows: rows.len(), columns: columns.collect() }
    }

    /// Adds the rows of `other`, which has the same columns.
    pub fn append(&mut self, other: Self) {
        self.n_rows += other.n_rows;
        self.columns.iter_mut().zip(other.columns).for_each(|(mine, theirs)| mine.append(theirs));
    }
}

impl Column {
    pub fn n_rows(&self) -> usize {
        match self {
            Column::Number(values) => values.len(),
            Column::Text(values) => values.len(),
            Column::Tensor { width, values } => values.len() / (*width).max(1),
        }
    }

    /// The given rows, in the given order.
    pub fn take(&self, rows: &[usize]) -> Self {
        match self {
            Column::Number(values) => Column::Number(rows.iter().map(|row| values[*row]).collect()),
            Column::Text(values) => Column::Text(rows.iter().map(|row| values[*row].clone()).collect()),
            Column::Tensor { width, values } => {
                let of = |row: &usize| &values[row * width..(row + 1) * width];
                Column::Tensor { width: *width, values: rows.iter().flat_map(of).copied().collect() }
            }
        }
    }

    fn append(&mut self, other: Self) {
        match (self, other) {
            (Column::Number(mine), Column::Number(theirs)) => mine.extend(theirs),
            (Column::Text(mine), Column::Text(theirs)) => mine.extend(theirs),
            (Column::Tensor { values: mine, .. }, Column::Tensor { values: theirs, .. }) => mine.extend(theirs),
            // Batches of one selection have one kind per column.
            _ => {}
        }
    }
}

impl RowIds {
    pub fn len(&self) -> usize {
        match self {
            RowIds::Int(ids) => ids.len(),
            RowIds::Text(ids) => ids.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// An id as text.
    pub fn text(&self, row: usize) -> String {
        match self {
            RowIds::Int(ids) => ids[row].to_string(),
            RowIds::Text(ids) => ids[row].clone(),
        }
    }

    /// The given rows, in the given order.
    pub fn take(&self, rows: &[usize]) -> Self {
        match self {
            RowIds::Int(ids) => RowIds::Int(rows.iter().map(|row| ids[*row]).collect()),
            RowIds::Text(ids) => RowIds::Text(rows.iter().map(|row| ids[*row].clone()).collect()),
        }
    }
}
