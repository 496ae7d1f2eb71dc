//! What can go wrong with a statement, and what to do about it.

use std::path::PathBuf;

use datafusion::common::{DataFusionError, SchemaError};
use datafusion::prelude::SessionContext;
use thiserror::Error;

use super::QueryLimits;

#[derive(Debug, Error)]
pub enum QueryError {
    #[error("the SQL cannot be read: {reason}")]
    Syntax { reason: String },
    #[error("no table `{name}`{hint}")]
    UnknownTable { name: String, hint: String },
    #[error("no column `{name}`{hint}")]
    UnknownColumn { name: String, hint: String },
    #[error("the history is read-only: {reason}")]
    NotReadOnly { reason: String },
    #[error("the statement cannot be planned: {reason}")]
    Plan { reason: String },
    #[error("the statement cannot be answered: {reason}")]
    Evaluation { reason: String },
    #[error(
        "the statement needs more than the {limit} MB it may use: select fewer rows or columns, or allow more ({reason})"
    )]
    OutOfMemory { limit: usize, reason: String },
    #[error("{} is missing, though run {run_id} stored it: restore it from a backup", path.display())]
    MissingFile { run_id: String, path: PathBuf },
    #[error("no named query `{name}`; there are {known}")]
    UnknownNamed { name: String, known: String },
    #[error("parameter `{name}`: {reason}")]
    Parameter { name: String, reason: String },
    #[error("run {run_id} has no row `{row_id}`: {hint}")]
    UnknownRow { row_id: String, run_id: String, hint: String },
    #[error("`{row_id}` stands for several rows of run {run_id}: name a column of unique ids in [data] id")]
    AmbiguousRow { row_id: String, run_id: String },
    #[error("row `{row_id}` of run {run_id} was scored ({output}: {score}) but not explained: {reason}")]
    NotExplained { row_id: String, run_id: String, reason: String, output: String, score: f64 },
    #[error("the run stored no explanation of {what} `{asked}` for this row; there is {stored}")]
    NoSuchExplanation { what: &'static str, asked: String, stored: String },
    #[error("the query broke: {0}")]
    Failed(#[source] DataFusionError),
    #[error("the result cannot be written: {0}")]
    Output(#[source] DataFusionError),
}

impl QueryError {
    /// 2 for a statement that is not acceptable, 3 for what broke.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::MissingFile { .. } | Self::Failed(_) | Self::Output(_) => 3,
            _ => 2,
        }
    }
}

/// What people call our columns by other tools' names.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("shap", "attribution"),
    ("shap_value", "attribution"),
    ("phi", "attribution"),
    ("contribution", "attribution"),
    ("prediction", "score"),
    ("probability", "score"),
    ("proba", "score"),
    ("id", "row_id"),
    ("date", "run_date"),
    ("date", "as_of"),
    ("run_date", "as_of"),
    ("as_of", "run_date"),
    ("name", "pipeline"),
    ("group", "group_value"),
    ("expected_value", "base_value"),
];

pub(super) fn explain(error: DataFusionError, context: &SessionContext, limits: &QueryLimits) -> QueryError {
    let error = error.into_root();
    match error {
        DataFusionError::SQL(parser, _) => QueryError::Syntax { reason: parser.to_string() },
        DataFusionError::SchemaError(schema, _) => column(*schema),
        DataFusionError::ResourcesExhausted(reason) => {
            QueryError::OutOfMemory { limit: limits.memory_bytes >> 20, reason: first_line(&reason) }
        }
        DataFusionError::Plan(reason) => plan(reason, context),
        DataFusionError::NotImplemented(reason) => QueryError::Plan { reason: first_line(&reason) },
        DataFusionError::ArrowError(error, _) => QueryError::Evaluation { reason: error.to_string() },
        DataFusionError::Execution(reason) => QueryError::Evaluation { reason: first_line(&reason) },
        // Our own tables speak for themselves.
        DataFusionError::External(inner) => {
            inner.downcast().map_or_else(|inner| QueryError::Failed(DataFusionError::External(inner)), |ours| *ours)
        }
        error => QueryError::Failed(error),
    }
}

/// The error at the bottom, owned where it can be.
trait Root {
    fn into_root(self) -> DataFusionError;
}

impl Root for DataFusionError {
    fn into_root(self) -> DataFusionError {
        match self {
            DataFusionError::Diagnostic(_, inner) | DataFusionError::Context(_, inner) => inner.into_root(),
            DataFusionError::Collection(mut errors) if !errors.is_empty() => errors.remove(0).into_root(),
            error => error,
        }
    }
}

fn column(error: SchemaError) -> QueryError {
    match error {
        SchemaError::FieldNotFound { field, valid_fields } => {
            let known: Vec<_> = valid_fields.iter().map(|field| field.name.clone()).collect();
            QueryError::UnknownColumn { hint: column_hint(&field.name, &known), name: field.name }
        }
        other => QueryError::Plan { reason: other.to_string() },
    }
}

fn column_hint(name: &str, known: &[String]) -> String {
    let other = OTHER_NAMES.iter().find(|(theirs, ours)| *theirs == name && known.iter().any(|known| known == ours));
    match other.map(|(_, ours)| *ours).or_else(|| nearest(name, known)) {
        Some(near) => format!("; did you mean `{near}`?"),
        None if known.is_empty() => String::new(),
        None => format!("; there are {}", known.join(", ")),
    }
}

fn plan(reason: String, context: &SessionContext) -> QueryError {
    if let Some(name) = reason.strip_prefix("table '").and_then(|rest| rest.split_once("' not found")) {
        // Names without a schema are reported with the default one.
        let name = name.0.strip_prefix("datafusion.public.").unwrap_or(name.0).to_string();
        let bare = name.rsplit('.').next().unwrap_or_default();
        return QueryError::UnknownTable { hint: table_hint(bare, &tables(context)), name };
    }
    if reason.contains("not supported: ") {
        let asked = reason.rsplit(": ").next().unwrap_or_default().to_string();
        return QueryError::NotReadOnly { reason: format!("{asked} is not allowed, ask with SELECT") };
    }
    if reason.starts_with("No SQL statements") {
        return QueryError::Syntax { reason: "there is no statement".to_string() };
    }
    QueryError::Plan { reason }
}

fn table_hint(name: &str, known: &[String]) -> String {
    match nearest(name, known) {
        Some(near) => format!("; did you mean `{near}`?"),
        None => format!("; there are {}", known.join(", ")),
    }
}

fn tables(context: &SessionContext) -> Vec<String> {
    let default = context.catalog("datafusion").and_then(|catalog| catalog.schema("public"));
    let mut names = default.map_or(Vec::new(), |schema| schema.table_names());
    names.sort();
    names
}

fn nearest<'a>(name: &str, known: &'a [String]) -> Option<&'a str> {
    let likeness = |known: &str| strsim::jaro_winkler(&name.to_lowercase(), &known.to_lowercase());
    let best = known.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    (likeness(best) > 0.8).then_some(best)
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_string()
}
