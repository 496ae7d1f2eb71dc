//! `probity query`: read-only SQL over the whole history.

use super::args::{QueryArgs, TableFormat};
use super::{Done, Problem, opening, shell, style};
use crate::ExitStatus;
use crate::store::Store;
use crate::store::query::{QueryFormat, QueryLimits, Written, query_into};
use crate::whole_file::WholeFile;
use std::io::{IsTerminal, Read, Write};
use std::path::Path;

pub(super) fn run(args: &QueryArgs) -> Done {
    let format = format(args.format);
    let limits = QueryLimits { max_rows: args.limit, memory_bytes: args.memory_limit.0, ..Default::default() };
    let Some(sql) = statement(args)? else {
        let store = opening::history(&args.history)?;
        return shell::run(&store, &limits, format).map(|()| ExitStatus::Passed);
    };
    if format == QueryFormat::Parquet && args.output.is_none() && std::io::stdout().is_terminal() {
        return Err(Problem::unacceptable("Parquet is not for the terminal: name a file with --output"));
    }
    let store = opening::history(&args.history)?;
    let written = match &args.output {
        Some(file) => to_file(&store, &sql, &limits, format, file)?,
        None => to_stdout(&store, &sql, &limits, format)?,
    };
    if written.truncated {
        eprintln!("only the first {} rows are shown (--limit)", written.n_rows);
    }
    Ok(ExitStatus::Passed)
}

fn format(format: TableFormat) -> QueryFormat {
    match format {
        TableFormat::Table => QueryFormat::Table,
        TableFormat::Csv => QueryFormat::Csv,
        TableFormat::Json => QueryFormat::Json,
        TableFormat::Parquet => QueryFormat::Parquet,
    }
}

/// The statement given, in a file or piped in; `None` where somebody sits at a terminal to type it.
fn statement(args: &QueryArgs) -> Result<Option<String>, Problem> {
    if let Some(sql) = &args.sql {
        return Ok(Some(sql.clone()));
    }
    if let Some(file) = &args.file {
        let text = std::fs::read_to_string(file);
        return text.map(Some).map_err(|error| Problem::unacceptable(format!("{}: {error}", file.display())));
    }
    if std::io::stdin().is_terminal() && std::io::stdout().is_terminal() {
        return Ok(None);
    }
    let mut sql = String::new();
    std::io::stdin().read_to_string(&mut sql).map_err(|error| Problem::unacceptable(format!("stdin: {error}")))?;
    match sql.trim() {
        "" => Err(Problem::unacceptable("give a query, --file with one, or pipe one in")),
        _ => Ok(Some(sql)),
    }
}

/// The whole result or no file: it gets its name when it is complete.
fn to_file(
    store: &Store,
    sql: &str,
    limits: &QueryLimits,
    format: QueryFormat,
    file: &Path,
) -> Result<Written, Problem> {
    let unwritable = |error: std::io::Error| Problem::unacceptable(format!("{}: {error}", file.display()));
    let mut whole = WholeFile::create(file).map_err(unwritable)?;
    let written = query_into(store, sql, limits, format, &mut whole)?;
    whole.finish().map_err(unwritable)?;
    Ok(written)
}

fn to_stdout(store: &Store, sql: &str, limits: &QueryLimits, format: QueryFormat) -> Result<Written, Problem> {
    let mut out = style::Stdout::new();
    let written = query_into(store, sql, limits, format, &mut out);
    out.flush().ok();
    match written {
        // Whoever closed the pipe has seen enough.
        Err(_) if out.closed => Ok(Written { n_rows: 0, truncated: false }),
        written => Ok(written?),
    }
}
