//! Growing columns of a chunk.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, Float64Array, Int32Array, Int64Array, StringArray, new_null_array};
use arrow::buffer::NullBuffer;
use arrow::datatypes::Int32Type;

use super::schema::{IdType, text_dictionary};
use crate::dataset::batch::RowIds;

/// Text of a dictionary, shared by all chunks that point into it.
pub(super) fn names(names: &[String]) -> Arc<StringArray> {
    Arc::new(StringArray::from_iter_values(names))
}

/// Text as keys into `names`.
pub(super) fn keyed(keys: Vec<i32>, names: &Arc<StringArray>) -> ArrayRef {
    // Keys are positions in `names` by construction.
    Arc::new(DictionaryArray::<Int32Type>::new(Int32Array::from(keys), names.clone()))
}

/// Keys of which negative ones stand for null.
pub(super) fn keyed_or_null(keys: Vec<i32>, names: &Arc<StringArray>) -> ArrayRef {
    if keys.iter().all(|key| *key >= 0) {
        return keyed(keys, names);
    }
    let nulls = NullBuffer::from_iter(keys.iter().map(|key| *key >= 0));
    let keys = Int32Array::new(keys.into_iter().map(|key| key.max(0)).collect(), Some(nulls));
    Arc::new(DictionaryArray::<Int32Type>::new(keys, names.clone()))
}

pub(super) fn null_text(n: usize) -> ArrayRef {
    new_null_array(&text_dictionary(), n)
}

pub(super) fn numbers(values: Vec<f64>) -> ArrayRef {
    Arc::new(Float64Array::from(values))
}

/// Numbers of which NaN stands for null.
pub(super) fn numbers_or_null(values: Vec<f64>) -> ArrayRef {
    let nulls = NullBuffer::from_iter(values.iter().map(|value| !value.is_nan()));
    let nulls = Some(nulls).filter(|nulls| nulls.null_count() > 0);
    Arc::new(Float64Array::new(values.into(), nulls))
}

/// The `row_id` column.
#[derive(Debug)]
pub(super) enum Ids {
    Int(Vec<i64>),
    Text { keys: Vec<i32>, texts: Vec<String> },
}

impl Ids {
    pub(super) fn new(id_type: IdType) -> Self {
        match id_type {
            IdType::Int64 => Self::Int(Vec::new()),
            IdType::String => Self::Text { keys: Vec::new(), texts: Vec::new() },
        }
    }

    /// Repeats the id of `row` for the `n` values of that row; false where the ids are of the other type.
    pub(super) fn push(&mut self, ids: &RowIds, row: usize, n: usize) -> bool {
        match (self, ids) {
            (Self::Int(column), RowIds::Int(ids)) => column.extend(std::iter::repeat_n(ids[row], n)),
            (Self::Text { keys, texts }, RowIds::Text(ids)) => {
                keys.extend(std::iter::repeat_n(texts.len() as i32, n));
                texts.push(ids[row].clone());
            }
            _ => return false,
        }
        true
    }

    /// The column so far; a new one begins.
    pub(super) fn take(&mut self) -> ArrayRef {
        match self {
            Self::Int(column) => Arc::new(Int64Array::from(std::mem::take(column))),
            Self::Text { keys, texts } => keyed(std::mem::take(keys), &names(&std::mem::take(texts))),
        }
    }
}

/// Texts, each kept once; keys count from 0 in order of appearance.
#[derive(Debug, Default)]
pub(super) struct Words {
    keys: HashMap<String, i32>,
    texts: Vec<String>,
}

impl Words {
    pub(super) fn key(&mut self, text: &str) -> i32 {
        if let Some(key) = self.keys.get(text) {
            return *key;
        }
        let key = self.texts.len() as i32;
        self.keys.insert(text.to_owned(), key);
        self.texts.push(text.to_owned());
        key
    }

    /// The texts so far.
    pub(super) fn texts(&self) -> Arc<StringArray> {
        names(&self.texts)
    }

    /// The texts so far; keys count from 0 again.
    pub(super) fn take(&mut self) -> Arc<StringArray> {
        self.keys.clear();
        names(&std::mem::take(&mut self.texts))
    }
}

pub(super) fn id_type(ids: &RowIds) -> IdType {
    match ids {
        RowIds::Int(_) => IdType::Int64,
        RowIds::Text(_) => IdType::String,
    }
}

pub(super) fn n_ids(ids: &RowIds) -> usize {
    match ids {
        RowIds::Int(ids) => ids.len(),
        RowIds::Text(ids) => ids.len(),
    }
}
