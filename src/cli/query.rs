//! `probity query`: read-only SQL over the whole history.

use super::args::{QueryArgs, TableFormat};
use super::{Done, Problem, opening, shell, style};
use crate::ExitStatus;
use crate::store::Store;
use crate::store::query::{
    Parameter, QueryFormat, QueryLimits, Statement, Written, named_queries, named_query, query_into,
};
use crate::whole_file::WholeFile;
use std::io::{IsTerminal, Read, Write};
use std::path::Path;

pub(super) fn run(args: &QueryArgs) -> Done {
    let format = format(args.format);
    let limits = QueryLimits { max_rows: args.limit, memory_bytes: args.memory_limit.0, ..Default::default() };
    if args.named.as_deref() == Some("list") {
        style::print(&named_list());
        return Ok(ExitStatus::Passed);
    }
    let Some((sql, parameters)) = question(args)? else {
        let store = opening::history(&args.history)?;
        return shell::run(&store, &limits, format).map(|()| ExitStatus::Passed);
    };
    if format == QueryFormat::Parquet && args.output.is_none() && std::io::stdout().is_terminal() {
        return Err(Problem::unacceptable("Parquet is not for the terminal: name a file with --output"));
    }
    let store = opening::history(&args.history)?;
    let statement = Statement { sql: &sql, parameters: &parameters, pipeline: args.pipeline.as_deref() };
    let written = match &args.output {
        Some(file) => to_file(&store, statement, &limits, format, file)?,
        None => to_stdout(&store, statement, &limits, format)?,
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

/// The statement and the values for its places; `None` where somebody sits at a terminal to type it.
fn question(args: &QueryArgs) -> Result<Option<(String, Vec<Parameter>)>, Problem> {
    let mut parameters = args.parameters.clone();
    let named = args.named.as_deref().map(named_query).transpose();
    let named = named.map_err(|error| Problem::from(crate::store::StoreError::from(error)))?;
    let sql = match &named {
        Some(named) => Some(named.sql.to_owned()),
        None => statement(args)?,
    };
    let Some(sql) = sql else { return Ok(None) };
    let names_pipeline = sql.contains("$pipeline") && parameters.iter().all(|given| given.name != "pipeline");
    parameters
        .extend(args.pipeline.iter().filter(|_| names_pipeline).map(|pipeline| Parameter::new("pipeline", pipeline)));
    let parameters = named.map_or(parameters.clone(), |named| named.parameters(&parameters));
    Ok(Some((sql, parameters)))
}

fn named_list() -> String {
    let mut text = String::new();
    for query in named_queries() {
        text += &format!("{}\n    {}\n", query.name, query.about);
        for place in &query.places {
            let default = place.default.map_or(String::new(), |default| format!(" [default: {default}]"));
            let flag = match place.name {
                "pipeline" => "--pipeline NAME".to_owned(),
                name => format!("--param {name}=…"),
            };
            text += &format!("    {flag}: {}{default}\n", place.meaning);
        }
    }
    text
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
    statement: Statement<'_>,
    limits: &QueryLimits,
    format: QueryFormat,
    file: &Path,
) -> Result<Written, Problem> {
    let unwritable = |error: std::io::Error| Problem::unacceptable(format!("{}: {error}", file.display()));
    let mut whole = WholeFile::create(file).map_err(unwritable)?;
    let written = query_into(store, statement, limits, format, &mut whole)?;
    whole.finish().map_err(unwritable)?;
    Ok(written)
}

fn to_stdout(
    store: &Store,
    statement: Statement<'_>,
    limits: &QueryLimits,
    format: QueryFormat,
) -> Result<Written, Problem> {
    let mut out = style::Stdout::new();
    let written = query_into(store, statement, limits, format, &mut out);
    out.flush().ok();
    match written {
        // Whoever closed the pipe has seen enough.
        Err(_) if out.closed => Ok(Written { n_rows: 0, truncated: false }),
        written => Ok(written?),
    }
}
