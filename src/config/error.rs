//! What is wrong with a pipeline file, each with its place in the text.

use super::source::{Place, Sources};
use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode, SourceSpan};
use std::fmt::{self, Display};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One kind of mistake: what was found, and where in terms of keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("cannot read {}: {reason}", path.display())]
    Read { path: PathBuf, reason: String },
    #[error("not valid TOML: {0}")]
    Syntax(String),
    #[error("`--set {0}` is not of the form key.path=value")]
    Set(String),
    #[error("`--set` cannot reach `{key}`: {reason}")]
    SetPath { key: String, reason: String },
    #[error("unknown key `{key}` in {table}")]
    UnknownKey { key: String, table: String },
    #[error("unknown table [{0}]")]
    UnknownTable(String),
    #[error("missing key `{key}` in {table}")]
    MissingKey { key: String, table: String },
    #[error("missing table [{0}]")]
    MissingTable(String),
    #[error("`{0}` is empty")]
    Empty(String),
    #[error("{key} needs at least {least} entries, found {found}")]
    TooFew { key: String, least: u64, found: u64 },
    #[error("{key} takes at most {most} entries, found {found}")]
    TooMany { key: String, most: u64, found: u64 },
    #[error("{key} must be {expected}, found {found}")]
    WrongType { key: String, expected: String, found: String },
    #[error("`{key}` = {found} is not known")]
    UnknownValue { key: String, found: String },
    #[error("`{key}` = {found} must be {limit}")]
    OutOfRange { key: String, found: String, limit: String },
    #[error("{0} is not available yet")]
    NotAvailable(String),
    #[error("environment variable `{name}` is not set, `{key}` needs it")]
    UnsetVariable { name: String, key: String },
    #[error("`{key}` has a `${{` that does not read ${{NAME}} or ${{NAME:-default}}")]
    BadVariable { key: String },
    /// Keys that are right one by one and do not fit together, with each other or with the data and the model.
    #[error("{0}")]
    Conflict(String),
}

impl Problem {
    /// Why a file could not be read, in plain words where the system's own are not.
    pub(super) fn read(path: &Path, error: &std::io::Error) -> Self {
        let reason = match error.kind() {
            ErrorKind::NotFound => "there is no such file".to_owned(),
            ErrorKind::IsADirectory => "it is a folder".to_owned(),
            ErrorKind::InvalidData => "it is not text in UTF-8".to_owned(),
            _ => error.to_string(),
        };
        Problem::Read { path: path.to_path_buf(), reason }
    }
}

/// A [`Problem`] with its place in the file and what to do about it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{problem}")]
pub struct ConfigError {
    pub problem: Problem,
    /// What to do, if the problem does not say it by itself.
    pub help: Option<String>,
    label: String,
    at: Option<(NamedSource<Arc<str>>, SourceSpan)>,
}

impl ConfigError {
    /// File (or "--set"), line and column, both counted from 1; `None` where there is no text to point into.
    pub fn location(&self) -> Option<(&str, usize, usize)> {
        let (source, span) = self.at.as_ref()?;
        let contents = source.read_span(span, 0, 0).ok()?;
        Some((source.name(), contents.line() + 1, contents.column() + 1))
    }
}

impl Diagnostic for ConfigError {
    fn help<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.at.as_ref().map(|(source, _)| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let (_, span) = self.at.as_ref()?;
        let label = Some(self.label.clone()).filter(|label| !label.is_empty());
        Some(Box::new(std::iter::once(LabeledSpan::new_with_span(label, *span))))
    }
}

/// All that is wrong with one pipeline, in the order of the text.
#[derive(Debug, Clone, thiserror::Error)]
pub struct ConfigErrors {
    pub path: PathBuf,
    pub errors: Vec<ConfigError>,
}

impl Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = match self.errors.len() {
            1 => "1 error".to_owned(),
            n => format!("{n} errors"),
        };
        write!(f, "{} has {count}", self.path.display())
    }
}

impl Diagnostic for ConfigErrors {
    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.errors.iter().map(|error| error as &dyn Diagnostic)))
    }
}

/// Collects mistakes while a file is checked, before places are turned into excerpts.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Finding>);

#[derive(Debug)]
struct Finding {
    problem: Problem,
    label: String,
    help: Option<String>,
    place: Option<Place>,
}

impl Findings {
    /// Notes a problem at a place; `label` stands under the excerpt.
    pub fn add(&mut self, place: Place, problem: Problem, label: impl Into<String>, help: Option<String>) {
        self.0.push(Finding { problem, label: label.into(), help, place: Some(place) });
    }

    /// Notes a problem that has no text to point into.
    pub fn add_without_place(&mut self, problem: Problem, help: Option<String>) {
        self.0.push(Finding { problem, label: String::new(), help, place: None });
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn append(&mut self, other: Findings) {
        self.0.extend(other.0);
    }

    /// Errors in the order of the text, each with its own copy of the source's handle.
    pub fn into_errors(mut self, path: &Path, sources: &Sources) -> ConfigErrors {
        self.0.sort_by_key(|finding| finding.place);
        let errors = self.0.into_iter().map(|finding| finding.located(sources)).collect();
        ConfigErrors { path: path.to_path_buf(), errors }
    }
}

impl Finding {
    fn located(self, sources: &Sources) -> ConfigError {
        let at = self.place.map(|place| (sources.named(place), place.span()));
        ConfigError { problem: self.problem, help: self.help, label: self.label, at }
    }
}
