//! `probity init`: a commented first pipeline from what the model and the data say.

use super::args::InitArgs;
use super::{Done, Problem, opening, style};
use crate::ExitStatus;
use crate::draft::{Draft, Request, draft, pipeline_name};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

pub(super) fn run(args: &InitArgs) -> Done {
    let out = args.out.clone().unwrap_or_else(|| default_out(&args.model));
    if out.exists() {
        return Err(taken(&out));
    }
    let request = Request { model: &args.model, data: &args.data, label: args.label.as_deref(), out: &out };
    let drafted = draft(request, &opening::env).map_err(Problem::unacceptable)?;
    write_new(&out, &drafted)?;
    for doubt in &drafted.doubts {
        eprintln!("check: {doubt}");
    }
    style::print(&format!("{}\n", opening::shown(&out)));
    eprintln!("next: probity check {}", opening::shown(&out));
    Ok(ExitStatus::Passed)
}

/// `<model>.toml` in the working folder.
fn default_out(model: &Path) -> PathBuf {
    let stem = model.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    PathBuf::from(format!("{}.toml", pipeline_name(&stem)))
}

/// Somebody's pipeline is never overwritten, not even one that was put there meanwhile.
fn write_new(out: &Path, drafted: &Draft) -> Result<(), Problem> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(out).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => taken(out),
        _ => Problem::unacceptable(format!("{}: {error}", out.display())),
    })?;
    file.write_all(drafted.text.as_bytes()).map_err(|error| {
        std::fs::remove_file(out).ok();
        Problem::unacceptable(format!("{}: {error}", out.display()))
    })
}

fn taken(out: &Path) -> Problem {
    Problem::unacceptable(format!("{} is there already: move it away, or name another file with --out", out.display()))
}
