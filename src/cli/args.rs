//! What can be typed.

use super::{Done, style};
use crate::ExitStatus;
use crate::store::query::Parameter;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Nightly audits of machine-learning models from one TOML file.
#[derive(Debug, Parser)]
#[command(name = "probity", version, about, propagate_version = true, arg_required_else_help = true)]
#[command(after_help = "Exit codes: 0 passed, 1 a gate failed, 2 not acceptable as given, 3 broke while running, \
4 could not be decided, 75 another run holds the lock, 130 and 143 stopped by SIGINT or SIGTERM.")]
pub struct Cli {
    #[command(subcommand)]
    pub(super) verb: Verb,
    /// How log lines look
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
    pub(super) log_format: LogFormat,
    /// Say more (repeat for even more)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Audit: read, score, explain, measure, store, report
    Run(RunArgs),
    /// Validate a pipeline, open its data and model, print the plan; writes nothing
    Check(CheckArgs),
    /// Write a commented first pipeline from what a model and its data say
    Init(InitArgs),
    /// Say what is in an ONNX file: inputs, outputs, layers, structure
    Inspect(InspectArgs),
    /// List the runs of the catalogue
    Runs(RunsArgs),
    /// Show one run: verdict, gates, metrics
    Show(ShowArgs),
    /// Say what changed between two runs (exit code 4 where they are not comparable)
    Compare(CompareArgs),
    /// One decision: score, attributions, reasons, and the same row's earlier runs
    Explain(ExplainArgs),
    /// Ask the whole history in SQL (read-only)
    Query(QueryArgs),
    /// Render a stored run again; needs neither model nor data
    Report(super::report::ReportArgs),
    /// Check every stored file and row against what was recorded; exits with 1 if anything is wrong
    Verify(VerifyArgs),
    /// Remove the files of old runs; only says what would go until --yes
    Prune(PruneArgs),
    /// Write static pages: all pipelines, runs and trends; draws only what changed
    Site(SiteArgs),
    /// Print the table of metrics: names, formulas, denominators, sources
    Metrics,
    /// Print the JSON Schema of the pipeline TOML
    Schema,
    /// Print shell completions
    Completions { shell: clap_complete::Shell },
    /// Print the man page
    Man,
}

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// Pipelines to run, one after the other
    #[arg(required = true, value_name = "PIPELINE.toml")]
    pub pipelines: Vec<PathBuf>,
    /// The day the audit speaks of [default: today, UTC]
    #[arg(long, value_name = "DATE")]
    pub as_of: Option<String>,
    /// Run again even if the same inputs were audited for this day; the new run supersedes the old one
    #[arg(long)]
    pub force: bool,
    /// Wait this long for another run of the pipeline to finish, instead of leaving with 75 at once
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub wait: u64,
    /// Override a key of the TOML (repeatable)
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub sets: Vec<String>,
    /// Threads for scoring and explaining [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Rows held at a time, rounded up to whole blocks of 1,024; results do not depend on it
    #[arg(long, value_name = "N", default_value_t = 16_384)]
    pub batch_rows: usize,
    /// What is printed on stdout: a summary, or one JSON object per pipeline
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: TextOrJson,
    /// Render no report
    #[arg(long)]
    pub no_report: bool,
    #[command(flatten)]
    pub history: History,
}

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[arg(required = true, value_name = "PIPELINE.toml")]
    pub pipelines: Vec<PathBuf>,
    /// Override a key of the TOML (repeatable)
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub sets: Vec<String>,
    /// Threads to plan for [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
}

#[derive(Debug, Args)]
pub(super) struct InitArgs {
    #[arg(long, value_name = "MODEL.onnx")]
    pub model: PathBuf,
    /// File, glob or folder with the rows to audit
    #[arg(long, value_name = "DATA")]
    pub data: PathBuf,
    /// Column with the outcome that came true
    #[arg(long, value_name = "COLUMN")]
    pub label: Option<String>,
    /// Pipeline file to write; an existing one is not overwritten [default: MODEL.toml in the working folder]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct InspectArgs {
    #[arg(value_name = "MODEL.onnx")]
    pub model: PathBuf,
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: TextOrJson,
    /// Draw the graph with operators, shapes and parameters into this file
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
}

/// Where history is.
#[derive(Debug, Clone, Args)]
pub(super) struct History {
    /// Catalogue to use [default: PROBITY_CATALOGUE, else the store of the nearest probity.toml, else var/catalogue.db]
    #[arg(long, value_name = "URL")]
    pub catalogue: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct RunsArgs {
    /// Only this pipeline
    #[arg(long, value_name = "NAME")]
    pub pipeline: Option<String>,
    /// Latest runs to list
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub limit: usize,
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: TextOrJson,
    #[command(flatten)]
    pub history: History,
}

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// Run id, a unique prefix of one, PIPELINE@latest or PIPELINE@DATE
    pub run: String,
    /// Every metric, not only those across groups
    #[arg(long)]
    pub all: bool,
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: TextOrJson,
    #[command(flatten)]
    pub history: History,
}

#[derive(Debug, Args)]
pub(super) struct CompareArgs {
    /// The earlier run: its id, a unique prefix of one, PIPELINE@latest or PIPELINE@DATE
    #[arg(value_name = "RUN_A")]
    pub before: String,
    /// The later run
    #[arg(value_name = "RUN_B")]
    pub now: String,
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: DocumentFormat,
    /// Write to a file instead of stdout
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Every row of every table, and single groups too (text)
    #[arg(long)]
    pub all: bool,
    #[command(flatten)]
    pub history: History,
}

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// Run id, a unique prefix of one, PIPELINE@latest or PIPELINE@DATE
    pub run: String,
    /// The row's id, as in the data
    #[arg(long = "row", value_name = "ID", allow_hyphen_values = true)]
    pub row_id: String,
    /// Which explanation, where the run stored several [default: its main method]
    #[arg(long, value_name = "NAME")]
    pub method: Option<String>,
    /// Which output's explanation [default: the decision's, else all that are explained]
    #[arg(long, value_name = "NAME")]
    pub output: Option<String>,
    /// Earlier runs at most
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub earlier: usize,
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: DocumentFormat,
    #[command(flatten)]
    pub history: History,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum DocumentFormat {
    Text,
    Json,
    Html,
}

#[derive(Debug, Args)]
pub(super) struct QueryArgs {
    /// The query; see SHOW TABLES and DESCRIBE [default: read from stdin; on a terminal, a shell]
    #[arg(conflicts_with = "file")]
    pub sql: Option<String>,
    /// Read the query from a file
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Ask one of the shipped queries; `list` names them
    #[arg(long, value_name = "NAME", conflicts_with_all = ["sql", "file"])]
    pub named: Option<String>,
    /// Value of the query's $pipeline; row-level tables are read for this pipeline only
    #[arg(long, value_name = "NAME")]
    pub pipeline: Option<String>,
    /// Value of a $NAME in the query (repeatable)
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = parameter)]
    pub parameters: Vec<Parameter>,
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: TableFormat,
    /// Write to a file instead of stdout
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Rows at most
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// Memory for sorting, grouping and joining, such as 512MB or 4GB; what needs more goes to temporary files
    #[arg(long, value_name = "SIZE", default_value = "1GB")]
    pub memory_limit: Memory,
    #[command(flatten)]
    pub history: History,
}

fn parameter(text: &str) -> Result<Parameter, String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    Ok(Parameter::new(name.trim_start_matches('$'), value))
}

/// An amount of memory in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Memory(pub usize);

impl std::str::FromStr for Memory {
    type Err = String;

    /// A number and its unit; units are powers of 1,024.
    fn from_str(text: &str) -> Result<Self, String> {
        let at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(at);
        let shift = match unit.trim().to_ascii_lowercase().as_str() {
            "k" | "kb" | "kib" => 10,
            "m" | "mb" | "mib" => 20,
            "g" | "gb" | "gib" => 30,
            _ => return Err("give a number and KB, MB or GB, such as 512MB".to_owned()),
        };
        let bytes = number.parse::<usize>().ok().and_then(|number| number.checked_mul(1 << shift));
        match bytes.filter(|bytes| *bytes > 0) {
            Some(bytes) => Ok(Self(bytes)),
            None => Err("give a number between 1KB and what a computer may have".to_owned()),
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct SiteArgs {
    /// Folder to write to: empty, or with an earlier site
    #[arg(long, value_name = "DIR", default_value = "site")]
    pub out: PathBuf,
    /// Folder with templates that replace the built-in ones
    #[arg(long = "templates", value_name = "DIR")]
    pub overrides: Option<PathBuf>,
    #[command(flatten)]
    pub history: History,
}

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// One run instead of the whole history: its id, a unique prefix of it, PIPELINE@latest or PIPELINE@DATE
    pub run: Option<String>,
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: TextOrJson,
    #[command(flatten)]
    pub history: History,
}

/// Retention. Of every pipeline the latest succeeded run stays, whatever the rules say.
#[derive(Debug, Args)]
pub(super) struct PruneArgs {
    /// What to keep: a number of succeeded runs per pipeline (30), or an age in days, weeks or years (90d, 12w, 7y);
    /// given both, a run stays that either keeps
    #[arg(long, value_name = "N|AGE", required_unless_present = "older_than", value_parser = Kept::parse)]
    pub keep: Vec<Kept>,
    /// Keep what is not older: the same as --keep AGE
    #[arg(long, value_name = "AGE", value_parser = Kept::parse_age)]
    pub older_than: Option<u32>,
    /// Keep runs that broke and audits that did not pass
    #[arg(long)]
    pub keep_failed: bool,
    /// Keep runs of pipelines that had this tag (repeatable)
    #[arg(long = "keep-tag", value_name = "TAG")]
    pub keep_tags: Vec<String>,
    /// Only this pipeline
    #[arg(long, value_name = "NAME")]
    pub pipeline: Option<String>,
    /// Remove the files
    #[arg(long)]
    pub yes: bool,
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: TextOrJson,
    #[command(flatten)]
    pub history: History,
}

/// A rule of `--keep`.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kept {
    Runs(usize),
    Days(u32),
}

impl Kept {
    fn parse(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(runs) => Ok(Self::Runs(runs)),
            Err(_) => Self::parse_age(text).map(Self::Days),
        }
    }

    fn parse_age(text: &str) -> Result<u32, String> {
        let days = |unit: char, days: u32| text.strip_suffix(unit)?.parse::<u32>().ok()?.checked_mul(days);
        let known = [('d', 1), ('w', 7), ('y', 366)];
        let found = known.into_iter().find_map(|(unit, n)| days(unit, n));
        found.ok_or_else(|| "write an age as 90d, 12w or 7y".to_owned())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum TextOrJson {
    Text,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum TableFormat {
    Table,
    Csv,
    Json,
    Parquet,
}

pub(super) fn print_schema() -> Done {
    style::print(&format!("{:#}\n", crate::config::json_schema()));
    Ok(ExitStatus::Passed)
}

pub(super) fn print_metrics() -> Done {
    style::print(&crate::fairness::docs::markdown());
    Ok(ExitStatus::Passed)
}

pub(super) fn print_completions(shell: clap_complete::Shell) -> Done {
    clap_complete::generate(shell, &mut Cli::command(), "probity", &mut std::io::stdout());
    Ok(ExitStatus::Passed)
}

pub(super) fn print_man() -> Done {
    let page = clap_mangen::Man::new(Cli::command());
    page.render(&mut std::io::stdout()).map_err(super::Problem::unacceptable)?;
    Ok(ExitStatus::Passed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_has_a_number_and_a_unit() {
        let bytes = |text: &str| text.parse::<Memory>().map(|memory| memory.0);
        assert_eq!(bytes("512MB"), Ok(512 << 20));
        assert_eq!(bytes("2 GiB"), Ok(2 << 30));
        assert_eq!(bytes("1k"), Ok(1 << 10));
        for wrong in ["", "12", "MB", "0GB", "-1GB", "99999999999999GB", "1TBB"] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_can_be_typed_is_consistent() {
        Cli::command().debug_assert();
    }
}
