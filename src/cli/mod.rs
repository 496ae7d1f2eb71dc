//! The command line: clap types, one file per verb. The only room that prints.
//!
//! Data goes to stdout, everything else to stderr.

mod args;
mod check;
mod compare;
mod explain;
mod init;
mod inspect;
mod opening;
mod progress;
mod prune;
mod query;
mod report;
mod run;
mod runs;
mod shell;
mod signals;
mod site;
mod style;
mod telling;
mod verify;

pub use args::Cli;

use crate::ExitStatus;
use args::Verb;

/// Runs the verb that was asked for.
pub fn run(cli: Cli) -> ExitStatus {
    style::start_logging(&cli);
    let done = match &cli.verb {
        Verb::Run(args) => return run::run(args),
        Verb::Check(args) => check::run(args),
        Verb::Init(args) => init::run(args),
        Verb::Inspect(args) => inspect::run(args),
        Verb::Runs(args) => runs::list(args),
        Verb::Show(args) => runs::show(args),
        Verb::Compare(args) => compare::run(args),
        Verb::Explain(args) => explain::run(args),
        Verb::Query(args) => query::run(args),
        Verb::Site(args) => site::run(args),
        Verb::Report(args) => report::run(args),
        Verb::Prune(args) => prune::run(args),
        Verb::Verify(args) => verify::run(args),
        Verb::Metrics => args::print_metrics(),
        Verb::Schema => args::print_schema(),
        Verb::Completions { shell } => args::print_completions(*shell),
        Verb::Man => args::print_man(),
    };
    done.unwrap_or_else(|problem| problem.print())
}

/// Whatever stops a verb, and the code to leave with.
pub(crate) struct Problem {
    pub status: ExitStatus,
    pub report: miette::Report,
}

impl Problem {
    /// The user can mend it: exit code 2.
    pub fn unacceptable(error: impl std::fmt::Display) -> Self {
        Self { status: ExitStatus::Unacceptable, report: miette::Report::msg(error.to_string()) }
    }

    pub fn with(status: ExitStatus, error: impl std::fmt::Display) -> Self {
        Self { status, report: miette::Report::msg(error.to_string()) }
    }

    pub fn print(self) -> ExitStatus {
        eprintln!("{:?}", self.report);
        self.status
    }
}

pub(crate) type Done = Result<ExitStatus, Problem>;
