//! Raw columns as a tree splits them: numbers in their order, or categories.

use crate::dataset::batch::{Column, Features};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The columns of some rows, in model order; `None`: pictures and lists, which are not split.
#[derive(Debug, Clone, PartialEq)]
pub struct Columns {
    pub list: Vec<Option<Values>>,
}

/// One column.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// NaN = missing.
    Numbers(Vec<f64>),
    /// `codes[row]` is a position in `names`; `None` = missing.
    Categories { codes: Vec<Option<u32>>, names: Vec<Category> },
}

/// What a category is called in the data.
#[derive(Debug, Clone, PartialEq)]
pub enum Category {
    Text(Arc<str>),
    /// A code.
    Number(f64),
}

impl Columns {
    /// Texts are categories, and so are numbers where `is_category` says so.
    pub fn new(features: &Features, is_category: &[bool]) -> Self {
        let column = |(column, is_category): (&Column, &bool)| match column {
            Column::Number(values) if *is_category => Some(codes(values)),
            Column::Number(values) => Some(Values::Numbers(values.clone())),
            Column::Text(values) => Some(texts(values)),
            Column::Tensor { .. } => None,
        };
        Self { list: features.columns.iter().zip(is_category).map(column).collect() }
    }
}

/// Names in alphabetical order.
fn texts(values: &[Option<Arc<str>>]) -> Values {
    let names: BTreeSet<&Arc<str>> = values.iter().flatten().collect();
    let places: BTreeMap<&Arc<str>, u32> = names.iter().enumerate().map(|(at, name)| (*name, at as u32)).collect();
    Values::Categories {
        codes: values.iter().map(|value| value.as_ref().map(|value| places[value])).collect(),
        names: names.into_iter().cloned().map(Category::Text).collect(),
    }
}

/// Codes in ascending order.
fn codes(values: &[f64]) -> Values {
    let mut names: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
    names.sort_by(f64::total_cmp);
    names.dedup();
    // `==` and `<` take −0 and 0 for one code.
    let place = |value: f64| names.partition_point(|name| *name < value) as u32;
    Values::Categories {
        codes: values.iter().map(|value| (!value.is_nan()).then(|| place(*value))).collect(),
        names: names.iter().copied().map(Category::Number).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_codes_become_places_in_a_sorted_list() {
        let text = |text: &str| Some(Arc::from(text));
        let columns = vec![
            Column::Text(vec![text("b"), None, text("a")]),
            Column::Number(vec![2.0, f64::NAN, -0.0]),
            Column::Number(vec![2.0, f64::NAN, 0.5]),
            Column::Tensor { width: 0, values: vec![] },
        ];
        let columns = Columns::new(&Features { n_rows: 3, columns }, &[false, true, false, false]).list;
        let Some(Values::Categories { codes, names }) = &columns[0] else { panic!("categories") };
        assert_eq!((codes.as_slice(), names.len()), (&[Some(1), None, Some(0)][..], 2));
        let Some(Values::Categories { codes, names }) = &columns[1] else { panic!("categories") };
        assert_eq!(codes, &[Some(1), None, Some(0)]);
        assert_eq!(names[1], Category::Number(2.0));
        assert!(matches!(columns[2], Some(Values::Numbers(_))) && columns[3].is_none());
    }
}
