//! `probity report`: a stored run rendered again; needs neither model nor data.

use super::args::History;
use super::{Done, Problem, opening, style};
use crate::ExitStatus;
use crate::audit::Audit;
use crate::pdf::{self, PdfError};
use crate::report;
use crate::whole_file;
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// Run id, a unique prefix of one, PIPELINE@latest or PIPELINE@DATE
    pub run: String,
    /// Documents to render (repeatable) [default: audit]
    #[arg(long = "template", value_name = "NAME")]
    pub templates: Vec<String>,
    /// Folder with templates that replace the built-in ones
    #[arg(long = "templates", value_name = "DIR")]
    pub overrides: Option<PathBuf>,
    /// What is written
    #[arg(long, value_name = "FORMAT", default_value = "html")]
    pub format: ReportFormat,
    /// Write PDF, printed by an installed Chromium (PROBITY_CHROMIUM names its program): to PATH, or named after the
    /// document into the folder of --out
    #[arg(long, value_name = "PATH", num_args = 0..=1, conflicts_with = "format")]
    pub pdf: Option<Option<PathBuf>>,
    /// Folder to write to
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub out: PathBuf,
    #[command(flatten)]
    pub history: History,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ReportFormat {
    Html,
    Json,
    Md,
}

/// A file and what stands in it.
type Rendered = (PathBuf, Vec<u8>);

pub(super) fn run(args: &ReportArgs) -> Done {
    let store = opening::history(&args.history)?;
    let audit = store.audit(&store.run(&args.run)?)?;
    // All are rendered before any is written: a broken template leaves nothing half-done.
    let rendered = match &args.pdf {
        Some(path) => printed(&audit, args, path.as_deref())?,
        None => documents(&audit, args, args.format)?,
    };
    for (path, content) in rendered {
        write(&path, &content).map_err(|error| Problem::unacceptable(format!("{}: {error}", path.display())))?;
        style::print(&format!("{}\n", opening::shown(&path)));
    }
    Ok(ExitStatus::Passed)
}

fn documents(audit: &Audit, args: &ReportArgs, format: ReportFormat) -> Result<Vec<Rendered>, Problem> {
    let default = ["audit".to_owned()];
    let templates = if args.templates.is_empty() { default.as_slice() } else { &args.templates };
    let overrides = args.overrides.as_deref();
    let document = |template: &String| {
        let written = match format {
            ReportFormat::Html => report::render(audit, template, overrides),
            ReportFormat::Json => report::json(audit, template, overrides),
            ReportFormat::Md => report::markdown(audit, template, overrides),
        };
        let path = args.out.join(format!("{template}.{}", ending(format)));
        Ok((path, written.map_err(Problem::unacceptable)?.into_bytes()))
    };
    templates.iter().map(document).collect()
}

/// The same documents as PDF, one of them at `path`.
fn printed(audit: &Audit, args: &ReportArgs, path: Option<&Path>) -> Result<Vec<Rendered>, Problem> {
    if path.is_some() && args.templates.len() > 1 {
        let message = "--pdf names one file, and several documents are asked for: leave the name out, and say the folder with --out";
        return Err(Problem::unacceptable(message));
    }
    let browser = pdf::browser(|name| std::env::var_os(name)).map_err(problem)?;
    let print = |(page, html): Rendered| {
        let html = String::from_utf8_lossy(&html);
        let target = path.map_or_else(|| page.with_extension("pdf"), Path::to_owned);
        Ok((target, pdf::print(&html, &browser).map_err(problem)?))
    };
    documents(audit, args, ReportFormat::Html)?.into_iter().map(print).collect()
}

/// A missing browser is for the user to install; one that fails has broken the rendering.
fn problem(error: PdfError) -> Problem {
    match error {
        PdfError::NoBrowser | PdfError::BadVariable { .. } => Problem::unacceptable(error),
        error => Problem::with(ExitStatus::Broken, error),
    }
}

fn write(path: &Path, content: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    whole_file::write(path, content)
}

fn ending(format: ReportFormat) -> &'static str {
    match format {
        ReportFormat::Html => "html",
        ReportFormat::Json => "json",
        ReportFormat::Md => "md",
    }
}
