//! `probity site`: all pipelines and runs as static pages.

use super::args::SiteArgs;
use super::{Done, Problem, opening, style};
use crate::ExitStatus;
use crate::site::{SiteError, build};

pub(super) fn run(args: &SiteArgs) -> Done {
    let store = opening::history(&args.history)?;
    let built = build(&store, &args.out, args.overrides.as_deref()).map_err(|error| match error {
        SiteError::Store(error) => Problem::from(error),
        other => Problem::unacceptable(other),
    })?;
    style::print(&format!("{}\n", opening::shown(&built.index)));
    eprintln!("{} pipelines, {} runs; {} files written", built.n_pipelines, built.n_runs, built.n_written);
    Ok(ExitStatus::Passed)
}
