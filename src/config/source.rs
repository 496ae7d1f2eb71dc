//! Texts that a configuration is made of: the pipeline file, the project's defaults, each `--set`.

use miette::{NamedSource, SourceSpan};
use std::ops::Range;
use std::sync::Arc;

/// A stretch of bytes of one of the [`Sources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    source: usize,
    start: usize,
    end: usize,
}

impl Place {
    pub fn new(source: usize, bytes: Range<usize>) -> Self {
        Place { source, start: bytes.start, end: bytes.end }
    }

    pub fn span(self) -> SourceSpan {
        (self.start, self.end - self.start).into()
    }

    pub fn is_in(self, source: usize) -> bool {
        self.source == source
    }

    /// The same stretch, `offset` bytes further on.
    pub fn shifted(self, offset: usize) -> Self {
        Place { start: self.start + offset, end: self.end + offset, ..self }
    }
}

/// Named texts, addressed by [`Place`].
#[derive(Debug, Clone, Default)]
pub(super) struct Sources(Vec<NamedSource<Arc<str>>>);

impl Sources {
    /// Adds a text and returns the number that places refer to it by.
    pub fn add(&mut self, name: &str, text: &str) -> usize {
        self.0.push(NamedSource::new(name, Arc::from(text)));
        self.0.len() - 1
    }

    pub fn named(&self, place: Place) -> NamedSource<Arc<str>> {
        self.0[place.source].clone()
    }

    /// The first occurrence of `needle` within `place`, else `place` itself (escapes may have changed the text).
    pub fn narrow(&self, place: Place, needle: &str) -> Place {
        let text = self.0[place.source].inner().get(place.start..place.end).unwrap_or("");
        match text.find(needle) {
            Some(at) => Place { start: place.start + at, end: place.start + at + needle.len(), ..place },
            None => place,
        }
    }
}
