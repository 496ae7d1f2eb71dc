//! What ends a run early, and the code to leave with.

use crate::ExitStatus;
use crate::plan::PlanError;
use crate::store::StoreError;

#[derive(Debug)]
pub struct RunError {
    pub status: ExitStatus,
    pub cause: Cause,
}

#[derive(Debug)]
pub enum Cause {
    /// Points at a key of the TOML.
    Plan(Box<PlanError>),
    Other(String),
}

impl RunError {
    /// The user can mend it.
    pub fn unacceptable(error: impl std::fmt::Display) -> Self {
        Self { status: ExitStatus::Unacceptable, cause: Cause::Other(error.to_string()) }
    }

    /// The tool or the machine failed.
    pub fn broken(error: impl std::fmt::Display) -> Self {
        Self { status: ExitStatus::Broken, cause: Cause::Other(error.to_string()) }
    }
}

impl std::fmt::Display for RunError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.cause {
            Cause::Plan(error) => error.fmt(f),
            Cause::Other(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for RunError {}

impl From<PlanError> for RunError {
    fn from(error: PlanError) -> Self {
        Self { status: ExitStatus::Unacceptable, cause: Cause::Plan(Box::new(error)) }
    }
}

impl From<StoreError> for RunError {
    fn from(error: StoreError) -> Self {
        let status = match error.exit_code() {
            75 => ExitStatus::Locked,
            2 => ExitStatus::Unacceptable,
            _ => ExitStatus::Broken,
        };
        Self { status, cause: Cause::Other(error.to_string()) }
    }
}

impl From<crate::dataset::DataError> for RunError {
    fn from(error: crate::dataset::DataError) -> Self {
        RunError::from(PlanError::from(error))
    }
}
