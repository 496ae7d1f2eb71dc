//! Why a pipeline that is right in itself cannot be run on this data and this model.

use crate::config::{ConfigErrors, Conflict};
use crate::dataset::DataError;
use crate::model::ModelError;

#[derive(Debug)]
pub enum PlanError {
    /// Points at a key of the TOML.
    Config(Box<ConfigErrors>),
    Data(DataError),
    Model(ModelError),
}

impl std::fmt::Display for PlanError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            PlanError::Config(errors) => errors.fmt(f),
            PlanError::Data(error) => error.fmt(f),
            PlanError::Model(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for PlanError {}

impl From<DataError> for PlanError {
    fn from(error: DataError) -> Self {
        PlanError::Data(error)
    }
}

impl From<ModelError> for PlanError {
    fn from(error: ModelError) -> Self {
        PlanError::Model(error)
    }
}

/// A conflict at a key, with what to do.
pub(super) fn conflict(key: impl Into<String>, message: impl Into<String>, help: impl Into<String>) -> Conflict {
    Conflict { key: key.into(), message: message.into(), help: Some(help.into()) }
}

/// ", did you mean `x`?" where something is close.
pub(super) fn did_you_mean<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    crate::config::nearest(typed, known).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}
