//! `probity report`: a stored run rendered again; needs neither model nor data.

use super::args::ReportArgs;
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
        let html = report::render(&audit, template, args.overrides.as_deref()).map_err(Problem::unacceptable)?;
        rendered.push((template, html));
    }
    let unwritable =
        |path: &std::path::Path, error: std::io::Error| Problem::unacceptable(format!("{}: {error}", path.display()));
    std::fs::create_dir_all(&args.out).map_err(|error| unwritable(&args.out, error))?;
    for (template, html) in rendered {
        let path = args.out.join(format!("{template}.html"));
        std::fs::write(&path, html).map_err(|error| unwritable(&path, error))?;
        style::print(&format!("{}\n", opening::shown(&path)));
    }
    Ok(ExitStatus::Passed)
}
