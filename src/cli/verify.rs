//! `probity verify`: whether the history is what was recorded.

use super::args::{TextOrJson, VerifyArgs};
use super::{Done, Problem, opening, style};
use crate::ExitStatus;
use crate::store::verify::{self, Verification};

pub(super) fn run(args: &VerifyArgs) -> Done {
    let store = opening::history(&args.history)?;
    let run = args.run.as_deref().map(|selector| store.run(selector)).transpose()?;
    let found = store.verify(run.as_ref())?;
    let text = match args.format {
        TextOrJson::Json => json(&found)?,
        TextOrJson::Text => text(&found),
    };
    style::print(&text);
    Ok(if found.is_clean() { ExitStatus::Passed } else { ExitStatus::Failed })
}

fn json(found: &Verification) -> Result<String, Problem> {
    let mut object = serde_json::to_value(found).map_err(Problem::unacceptable)?;
    object["clean"] = found.is_clean().into();
    Ok(format!("{object:#}\n"))
}

fn text(found: &Verification) -> String {
    let mut text = String::new();
    for problem in &found.problems {
        text += &format!("WRONG  {}\n", line(problem));
    }
    for note in &found.notes {
        text += &format!("note   {note}\n");
    }
    let checked = format!(
        "{} {} and {} {} ({} bytes) checked",
        style::thousands(found.n_runs as u64),
        if found.n_runs == 1 { "run" } else { "runs" },
        style::thousands(found.n_files as u64),
        if found.n_files == 1 { "file" } else { "files" },
        style::thousands(found.n_bytes),
    );
    text += &match found.problems.len() {
        0 => format!("{checked}: nothing is missing, nothing was altered\n"),
        1 => format!("{checked}: 1 thing is wrong\n"),
        n => format!("{checked}: {n} things are wrong\n"),
    };
    text
}

/// "credit 0190…: reports/…/run.json: the file is missing"
fn line(problem: &verify::Problem) -> String {
    let run = match (&problem.pipeline, &problem.run_id) {
        (Some(pipeline), Some(run_id)) => format!("{pipeline} {run_id}: "),
        _ => String::new(),
    };
    let path = problem.path.as_ref().map_or(String::new(), |path| format!("{}: ", opening::shown(path)));
    format!("{run}{path}{}", problem.message)
}
