//! `probity report`: a stored run rendered again; needs neither model nor data.

use super::args::{ReportArgs, ReportFormat};
use super::{Done, Problem, opening, style};
use crate::ExitStatus;
use crate::report;

pub(super) fn run(args: &ReportArgs) -> Done {
    let store = opening::history(&args.history)?;
    let audit = store.audit(&store.run(&args.run)?)?;
    let default = ["audit".to_owned()];
    let templates = if args.templates.is_empty() { default.as_slice() } else { &args.templates };
    // All are rendered before any is written: a broken template leaves nothing half-done.
    let mut rendered = Vec::new();
    for template in templates {
        let written = match args.format {
            ReportFormat::Html => report::render(&audit, template, args.overrides.as_deref()),
            ReportFormat::Json => report::json(&audit, template, args.overrides.as_deref()),
            ReportFormat::Md => report::markdown(&audit, template, args.overrides.as_deref()),
        };
        rendered.push((template, written.map_err(Problem::unacceptable)?));
    }
    let unwritable =
        |path: &std::path::Path, error: std::io::Error| Problem::unacceptable(format!("{}: {error}", path.display()));
    std::fs::create_dir_all(&args.out).map_err(|error| unwritable(&args.out, error))?;
    for (template, text) in rendered {
        let path = args.out.join(format!("{template}.{}", ending(args.format)));
        std::fs::write(&path, text).map_err(|error| unwritable(&path, error))?;
        style::print(&format!("{}\n", opening::shown(&path)));
    }
    Ok(ExitStatus::Passed)
}

fn ending(format: ReportFormat) -> &'static str {
    match format {
        ReportFormat::Html => "html",
        ReportFormat::Json => "json",
        ReportFormat::Md => "md",
    }
}
