//! Templates: those compiled into the binary, and those of the user's folder, which come first.
//!
//! Every value is made printable and escaped in one place, the formatter below; templates never mark data as safe, but
//! for the one text that is Markdown already in documents of Markdown ([`super::prose`]).

use super::document;
use super::label;
use super::script::Script;
use super::text::{self, Language, book::BookError};
use super::view::View;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Serde, ValueKind};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value, escape_formatter};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Name and text of every template in the binary.
const EMBEDDED: &[(&str, &str)] = &[
    ("audit.html", include_str!("../../templates/audit.html")),
    ("page.html", include_str!("../../templates/page.html")),
    ("decision.html", include_str!("../../templates/decision.html")),
    ("text/en.toml", text::ENGLISH),
    ("document.html", include_str!("../../templates/document.html")),
    ("document.md", include_str!("../../templates/document.md")),
    ("table.md", include_str!("../../templates/table.md")),
    ("documents.json", include_str!("../../templates/documents.json")),
    ("section.html", include_str!("../../templates/section.html")),
    ("gallery.html", include_str!("../../templates/gallery.html")),
    ("figure.html", include_str!("../../templates/figure.html")),
    ("table.html", include_str!("../../templates/table.html")),
    ("script.html", include_str!("../../templates/script.html")),
    ("report.js", include_str!("../../templates/report.js")),
    ("prose.html", include_str!("../../templates/prose.html")),
    ("theme.css", include_str!("../../templates/theme.css")),
    ("graph.css", include_str!("../../templates/graph.css")),
    ("structure.svg", include_str!("../../templates/structure.svg")),
    ("report.css", include_str!("../../templates/report.css")),
    ("site-head.html", include_str!("../../templates/site-head.html")),
    ("site-index.html", include_str!("../../templates/site-index.html")),
    ("site-pipeline.html", include_str!("../../templates/site-pipeline.html")),
    ("site-run.html", include_str!("../../templates/site-run.html")),
    ("site-trend.html", include_str!("../../templates/site-trend.html")),
    ("site.css", include_str!("../../templates/site.css")),
    ("charts/bars.svg", include_str!("../../templates/charts/bars.svg")),
    ("charts/beeswarm.svg", include_str!("../../templates/charts/beeswarm.svg")),
    ("charts/dots.svg", include_str!("../../templates/charts/dots.svg")),
    ("charts/gates.svg", include_str!("../../templates/charts/gates.svg")),
    ("charts/graph.svg", include_str!("../../templates/charts/graph.svg")),
    ("charts/heatmap.svg", include_str!("../../templates/charts/heatmap.svg")),
    ("charts/plot.svg", include_str!("../../templates/charts/plot.svg")),
    ("charts/slope.svg", include_str!("../../templates/charts/slope.svg")),
    ("charts/sparks.svg", include_str!("../../templates/charts/sparks.svg")),
    ("charts/tree.svg", include_str!("../../templates/charts/tree.svg")),
    ("charts/trend.svg", include_str!("../../templates/charts/trend.svg")),
    ("charts/waterfall.svg", include_str!("../../templates/charts/waterfall.svg")),
];

/// Why a report could not be drawn. The stored run is never touched.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    #[error("there is no report template `{name}`; known: {known}{}", .folder.as_ref().map(|f| format!(" (and {} has no `{name}.html`)", f.display())).unwrap_or_default())]
    UnknownTemplate { name: String, known: String, folder: Option<PathBuf> },
    #[error("the template name `{name}` is not acceptable: use letters, digits, `-` and `_`")]
    BadName { name: String },
    #[error("the folder of templates {} cannot be read: {source}", .path.display())]
    Folder { path: PathBuf, source: std::io::Error },
    #[error("the text {} is broken: {source}", .path.display())]
    Text { path: PathBuf, source: BookError },
    #[error("{} holds {first} and {second}: a document speaks one language, keep one file in it", .folder.display())]
    Languages { folder: PathBuf, first: String, second: String },
    #[error("the template {file} is broken at line {line}: {detail}")]
    Template { file: String, line: usize, detail: String },
}

/// Prints `view` with the template `NAME.html`, taken from `overrides` where it holds one, or as the document that the
/// view holds.
///
/// # Errors
/// The template is unknown, or it or one that it includes cannot be read, parsed or printed (with file and line).
pub fn print(view: &View, name: &str, overrides: Option<&Path>) -> Result<String, ReportError> {
    let own = format!("{name}.html");
    let file = if view.document.is_some() && !is_known(&own, overrides) { DOCUMENT } else { &own };
    rendered(view, file, overrides)
}

/// Prints `view` as Markdown.
///
/// # Errors
/// As [`print()`].
pub fn print_markdown(view: &View, name: &str, overrides: Option<&Path>) -> Result<String, ReportError> {
    if view.document.is_none() && !is_known(&format!("{name}.html"), overrides) {
        return Err(unknown(name, overrides));
    }
    rendered(view, MARKDOWN, overrides)
}

/// Prints every declared document, in HTML and in Markdown.
const DOCUMENT: &str = "document.html";
const MARKDOWN: &str = "document.md";

/// Whether a name can be a template's, and the folder be read.
pub fn check(name: &str, overrides: Option<&Path>) -> Result<(), ReportError> {
    check_name(name)?;
    let Some(path) = overrides else { return Ok(()) };
    std::fs::read_dir(path).map_err(|source| ReportError::Folder { path: path.to_owned(), source }).map(drop)
}

/// Prints a page that is no report with the template `file` (`site-run.html`).
///
/// # Errors
/// As [`print()`].
pub fn print_page(file: &str, view: &impl Serialize, overrides: Option<&Path>) -> Result<String, ReportError> {
    if let Some(path) = overrides {
        std::fs::read_dir(path).map_err(|source| ReportError::Folder { path: path.to_owned(), source })?;
    }
    rendered(view, file, overrides)
}

/// The text of all templates as they are taken, to know when one has changed.
///
/// # Errors
/// A file of the folder cannot be read.
pub fn page_sources(overrides: Option<&Path>) -> Result<String, ReportError> {
    let text = |(file, _): &(&str, &str)| load(file, overrides).map(Option::unwrap_or_default);
    let all = EMBEDDED.iter().map(text).collect::<Result<String, Error>>();
    let all = all.map_err(|error| failure(&error, "site", overrides))?;
    Ok(all + Language::of(overrides)?.source())
}

fn rendered(view: &impl Serialize, file: &str, overrides: Option<&Path>) -> Result<String, ReportError> {
    let script = Script::of(overrides)?;
    let render = || {
        let mut environment = environment(overrides)?;
        // The script is a file of the templates and no value: the one text that is not escaped.
        environment.add_global("script_policy", Value::from_safe_string(script.policy()));
        environment.add_global("script", Value::from_safe_string(script.text));
        environment.get_template(file)?.render(Serde(view))
    };
    render().map_err(|error| failure(&error, file, overrides))
}

/// The content of a file that goes with the templates: the user's, else ours.
pub fn content(file: &str, overrides: Option<&Path>) -> Result<String, ReportError> {
    let found = load(file, overrides).map_err(|error| broken(file, overrides, 1, detail(&error)))?;
    Ok(found.unwrap_or_default())
}

/// Such a file is not as it should be.
pub fn broken(file: &str, overrides: Option<&Path>, line: usize, detail: String) -> ReportError {
    ReportError::Template { file: place(file, overrides), line, detail }
}

fn environment(overrides: Option<&Path>) -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    let folder = overrides.map(Path::to_owned);
    environment.set_loader(move |name| load(name, folder.as_deref()));
    environment.set_auto_escape_callback(|name| match name.rsplit_once('.') {
        Some((_, "css")) => AutoEscape::None,
        Some((_, "md")) => AutoEscape::Custom(MARKDOWN.into()),
        _ => AutoEscape::Html,
    });
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_formatter(print_value);
    environment.add_function("say", say);
    Ok(environment)
}

/// `{{ say("gates.passed", n=3) }}`: a message of the language spoken.
fn say(key: &str, values: Kwargs) -> Result<String, Error> {
    let value = |name: &str| -> Result<text::message::Value, Error> {
        let value: Value = values.get(name)?;
        let count = u64::try_from(value.clone()).ok().filter(|_| value.kind() == ValueKind::Number);
        Ok(count.map_or_else(|| value.to_string().into(), text::message::Value::Count))
    };
    let names: Vec<&str> = values.args().collect();
    let given = names.iter().map(|name| Ok((*name, value(name)?))).collect::<Result<Vec<_>, Error>>()?;
    text::find(key, &given)
        .ok_or_else(|| Error::new(ErrorKind::InvalidOperation, format!("there is no message `{key}`")))
}

/// The user's file of that name, else ours.
fn load(name: &str, overrides: Option<&Path>) -> Result<Option<String>, Error> {
    let is_inside = Path::new(name).components().all(|part| matches!(part, std::path::Component::Normal(_)));
    if let Some(path) = overrides.filter(|_| is_inside).map(|folder| folder.join(name)) {
        match std::fs::read_to_string(&path) {
            Ok(text) => return Ok(Some(text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                return Err(Error::new(
                    ErrorKind::InvalidOperation,
                    format!("cannot read {}: {error}", path.display()),
                ));
            }
        }
    }
    Ok(EMBEDDED.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned()))
}

/// The one place where values become text of the document: made printable, then escaped.
fn print_value(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    if *state.auto_escape() == AutoEscape::Custom(MARKDOWN.into()) {
        if value.is_safe() {
            return out.write_str(value.as_str().unwrap_or_default()).map_err(Error::from);
        }
        return out.write_str(&markdown(&label::clean(&value.to_string()))).map_err(Error::from);
    }
    match value.as_str().filter(|_| value.kind() == ValueKind::String && !value.is_safe()) {
        Some(text) => escape_formatter(out, state, &Value::from(label::clean(text))),
        None => escape_formatter(out, state, value),
    }
}

/// Text that means nothing but itself in Markdown, on one line.
fn markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => escaped.push(' '),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '&' | '~' => escaped.extend(['\\', c]),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Names of reports become names of files.
fn check_name(name: &str) -> Result<(), ReportError> {
    let is_plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if is_plain { Ok(()) } else { Err(ReportError::BadName { name: label::shorten(name, 60) }) }
}

/// The error of the innermost template, with the file that the user can open.
fn failure(error: &Error, asked_for: &str, overrides: Option<&Path>) -> ReportError {
    if error.kind() == ErrorKind::TemplateNotFound && error.name().is_none() && !is_known(asked_for, overrides) {
        return unknown(asked_for.trim_end_matches(".html"), overrides);
    }
    let innermost = innermost(error);
    let file = innermost.name().unwrap_or(asked_for);
    ReportError::Template {
        file: place(file, overrides),
        line: innermost.line().unwrap_or(1),
        detail: detail(innermost),
    }
}

fn unknown(name: &str, overrides: Option<&Path>) -> ReportError {
    let reports = EMBEDDED.iter().filter_map(|(file, _)| file.strip_suffix(".html"));
    let reports = reports.filter(|file| !PARTS.contains(file)).map(str::to_owned);
    let known: Vec<String> = reports.chain(document::names()).collect();
    ReportError::UnknownTemplate { name: name.into(), known: known.join(", "), folder: overrides.map(Path::to_owned) }
}

/// Templates that are pieces of a report, not reports.
const PARTS: &[&str] = &[
    "decision",
    "document",
    "page",
    "script",
    "section",
    "figure",
    "gallery",
    "table",
    "prose",
    "site-head",
    "site-index",
    "site-pipeline",
    "site-run",
    "site-trend",
];

fn is_known(file: &str, overrides: Option<&Path>) -> bool {
    load(file, overrides).is_ok_and(|text| text.is_some())
}

/// An error inside an included template stands in the chain of sources.
fn innermost(error: &Error) -> &Error {
    let mut innermost = error;
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if let Some(cause) = cause.downcast_ref::<Error>().filter(|cause| cause.line().is_some()) {
            innermost = cause;
        }
        source = cause.source();
    }
    innermost
}

fn detail(error: &Error) -> String {
    match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    }
}

fn place(file: &str, overrides: Option<&Path>) -> String {
    match overrides.map(|folder| folder.join(file)).filter(|path| path.exists()) {
        Some(path) => path.display().to_string(),
        None => format!("{file} (built in)"),
    }
}
