//! Numbers made from raw columns, and which raw columns each depends on.

use super::error::ImportError;
use super::layout::{Layout, Stretched, size};
use crate::model::onnx::ElementType;
use std::collections::BTreeSet;
use std::rc::Rc;

/// A raw column: position in the list of all columns of all graph inputs.
pub type Raw = u32;

/// What one number of a row depends on.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    Nothing,
    One(Raw),
    /// Sorted, at least two.
    Many(Rc<[Raw]>),
}

/// A tensor computed from raw columns alone.
#[derive(Debug, Clone, PartialEq)]
pub struct Columns {
    pub tensor: String,
    pub element: ElementType,
    /// Shape of a row.
    pub dims: Vec<usize>,
    pub sources: Vec<Source>,
}

impl Source {
    /// What a number computed from all of these depends on.
    pub fn union<'a>(sources: impl IntoIterator<Item = &'a Source>) -> Source {
        let mut sources = sources.into_iter().filter(|source| **source != Source::Nothing);
        let Some(first) = sources.next() else {
            return Source::Nothing;
        };
        // Numbers of one layer share their set; reading it once is enough.
        let mut last = first;
        let mut all: BTreeSet<Raw> = BTreeSet::new();
        for source in sources {
            if !source.is_same(last) {
                all.extend(source.raws());
                last = source;
            }
        }
        if all.is_empty() {
            return first.clone();
        }
        all.extend(first.raws());
        match all.len() {
            0 => Source::Nothing,
            1 => all.first().map_or(Source::Nothing, |raw| Source::One(*raw)),
            _ => Source::Many(all.into_iter().collect()),
        }
    }

    /// Known to be equal without comparing sets.
    fn is_same(&self, other: &Source) -> bool {
        match (self, other) {
            (Source::Many(left), Source::Many(right)) => Rc::ptr_eq(left, right),
            (Source::One(left), Source::One(right)) => left == right,
            _ => false,
        }
    }

    pub fn raws(&self) -> &[Raw] {
        match self {
            Source::Nothing => &[],
            Source::One(raw) => std::slice::from_ref(raw),
            Source::Many(many) => many,
        }
    }
}

impl Columns {
    /// Numbers that depend on nothing.
    pub fn constant(tensor: &str, element: ElementType, dims: Vec<usize>) -> Result<Columns, ImportError> {
        let sources = vec![Source::Nothing; size(&dims)?];
        Ok(Columns { tensor: tensor.to_owned(), element, dims, sources })
    }

    /// The same row, each number on its own turned into another.
    pub fn mapped(&self, tensor: &str, element: ElementType) -> Columns {
        Columns { tensor: tensor.to_owned(), element, ..self.clone() }
    }

    /// A row with other numbers per position.
    pub fn with_sources(&self, tensor: &str, dims: Vec<usize>, sources: Vec<Source>) -> Columns {
        Columns { tensor: tensor.to_owned(), element: self.element, dims, sources }
    }

    /// Numbers of several rows moved into one.
    pub fn rearranged(tensor: &str, operands: &[&Columns], layout: Layout) -> Columns {
        let sources = layout.picks.iter().map(|(operand, from)| operands[*operand].sources[*from].clone()).collect();
        operands[0].with_sources(tensor, layout.dims, sources)
    }

    /// Position by position from two rows, stretched to each other.
    pub fn combined(&self, other: &Columns, tensor: &str) -> Result<Columns, ImportError> {
        let Stretched { dims, pairs } = Layout::broadcast(&self.dims, &other.dims)?;
        let both = |(l, r): &(usize, usize)| Source::union([&self.sources[*l], &other.sources[*r]]);
        Ok(self.with_sources(tensor, dims, pairs.iter().map(both).collect()))
    }

    /// What all numbers of the row together depend on.
    pub fn all(&self) -> Source {
        Source::union(&self.sources)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_union_is_as_small_as_it_can_be() {
        let many = Source::Many([1, 2].into());
        assert_eq!(Source::union([&Source::Nothing, &Source::Nothing]), Source::Nothing);
        assert_eq!(Source::union([&Source::One(3), &Source::Nothing, &Source::One(3)]), Source::One(3));
        assert_eq!(Source::union([&Source::One(2), &many, &many]), many);
        assert_eq!(Source::union([&Source::One(0), &many]).raws(), [0, 1, 2]);
    }
}
