//! What several verbs do first: read a pipeline, find the history.

use super::Problem;
use super::args::History;
use crate::ExitStatus;
use crate::config::{self, Loaded};
use crate::pipeline::{Cause, RunError};
use crate::plan::{Plan, PlanError};
use crate::store::{Store, StoreError};
use std::path::{Path, PathBuf};

const DEFAULT_CATALOGUE: &str = "var/catalogue.db";
const DEFAULT_RESULTS: &str = "var/results";

pub(super) fn env(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

pub(super) fn load(path: &Path, sets: &[String]) -> Result<Loaded, Problem> {
    config::load(path, sets, &env).map_err(|errors| report(ExitStatus::Unacceptable, errors))
}

/// A diagnostic keeps its excerpts.
fn report(status: ExitStatus, errors: impl miette::Diagnostic + Send + Sync + 'static) -> Problem {
    Problem { status, report: miette::Report::new(errors) }
}

pub(super) fn resolve(loaded: Loaded, threads: usize, batch_rows: usize) -> Result<Plan, Problem> {
    let path = loaded.path.clone();
    Plan::resolve(loaded, threads, batch_rows).map_err(|error| plan_problem(&path, error))
}

fn plan_problem(path: &Path, error: PlanError) -> Problem {
    match error {
        PlanError::Config(errors) => report(ExitStatus::Unacceptable, *errors),
        other => Problem::unacceptable(format!("{}: {other}", path.display())),
    }
}

pub(super) fn run_problem(path: &Path, error: RunError) -> Problem {
    match error.cause {
        Cause::Plan(cause) => plan_problem(path, *cause),
        Cause::Other(message) => Problem::with(error.status, format!("{}: {message}", path.display())),
    }
}

/// Threads asked for, else all cores.
pub(super) fn threads(asked: Option<u16>) -> usize {
    asked.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from)
}

/// Sizes the pools of this process once: ours and polars'.
pub(super) fn start_threads(threads: usize) {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().ok();
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let status = match error.exit_code() {
            75 => ExitStatus::Locked,
            2 => ExitStatus::Unacceptable,
            _ => ExitStatus::Broken,
        };
        Problem::with(status, error)
    }
}

/// Where a pipeline's history is kept: the command line, the environment, the TOML, the default beside the TOML.
pub(super) fn store_for(loaded: &Loaded, history: &History) -> Result<Store, Problem> {
    let catalogue = history.catalogue.clone().or_else(|| env("PROBITY_CATALOGUE").filter(|url| !url.is_empty()));
    let beside = |name: &str| loaded.folder.join(name);
    let catalogue =
        catalogue.or_else(|| loaded.catalogue()).unwrap_or_else(|| beside(DEFAULT_CATALOGUE).display().to_string());
    let results = loaded.results().unwrap_or_else(|| beside(DEFAULT_RESULTS));
    Ok(Store::open(&catalogue, &results)?)
}

/// The history that reading verbs mean.
pub(super) fn history(history: &History) -> Result<Store, Problem> {
    Ok(Store::open_read_only(&url(history)?)?)
}

/// The same, for verbs that change what is there.
pub(super) fn history_for_writing(history: &History) -> Result<Store, Problem> {
    Ok(Store::open_existing(&url(history)?)?)
}

fn url(history: &History) -> Result<String, Problem> {
    let given = history.catalogue.clone().or_else(|| env("PROBITY_CATALOGUE").filter(|url| !url.is_empty()));
    match given {
        Some(url) => Ok(url),
        None => {
            let nearest = config::nearest_catalogue(Path::new("."), &env);
            let found = nearest.map_err(|errors| report(ExitStatus::Unacceptable, errors))?;
            Ok(found.unwrap_or_else(|| DEFAULT_CATALOGUE.to_owned()))
        }
    }
}

/// A path as short as it can be said from here.
pub(super) fn shown(path: &Path) -> String {
    let here = std::env::current_dir().and_then(|here| here.canonicalize()).unwrap_or_else(|_| PathBuf::from("."));
    let full = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    full.strip_prefix(&here).map_or_else(|_| path.display().to_string(), |short| short.display().to_string())
}
