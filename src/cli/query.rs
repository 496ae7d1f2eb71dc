//! `probity query`: read-only SQL over the whole history.

use super::args::{QueryArgs, TableFormat};
use super::{Done, Problem, opening, style};
use crate::ExitStatus;
use crate::store::query::{QueryFormat, QueryLimits, query};

pub(super) fn run(args: &QueryArgs) -> Done {
    let sql = match (&args.sql, &args.file) {
        (Some(sql), _) => sql.clone(),
        (None, Some(file)) => std::fs::read_to_string(file)
            .map_err(|error| Problem::unacceptable(format!("{}: {error}", file.display())))?,
        (None, None) => return Err(Problem::unacceptable("give a query, or --file with one")),
    };
    let store = opening::history(&args.history)?;
    let result = query(&store, &sql, &QueryLimits { max_rows: args.limit, ..Default::default() })?;
    let format = match args.format {
        TableFormat::Table => QueryFormat::Table,
        TableFormat::Csv => QueryFormat::Csv,
        TableFormat::Json => QueryFormat::Json,
        TableFormat::Parquet => QueryFormat::Parquet,
    };
    if matches!(args.format, TableFormat::Parquet) && args.output.is_none() {
        return Err(Problem::unacceptable("Parquet is not for the terminal: name a file with --output"));
    }
    let mut out = Vec::new();
    result.write(format, &mut out).map_err(|error| Problem::from(crate::store::StoreError::from(error)))?;
    match &args.output {
        Some(file) => {
            std::fs::write(file, out).map_err(|error| Problem::unacceptable(format!("{}: {error}", file.display())))?
        }
        None => style::print(&String::from_utf8_lossy(&out)),
    }
    if result.truncated {
        eprintln!("only the first {} rows are shown (--limit)", result.n_rows());
    }
    Ok(ExitStatus::Passed)
}
