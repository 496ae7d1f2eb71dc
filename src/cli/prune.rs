//! `probity prune`: retention. Says what would go; with `--yes` it goes.

use super::args::{Kept, PruneArgs, TextOrJson};
use super::{Done, Problem, opening, style};
use crate::ExitStatus;
use crate::store::prune::{Doomed, Policy, PruningPlan};

pub(super) fn run(args: &PruneArgs) -> Done {
    let policy = policy(args);
    let today = &crate::store::now()[..10];
    let plan = opening::history(&args.history)?.plan_pruning(&policy, today)?;
    let (plan, done) = match args.yes && !plan.runs.is_empty() {
        true => (opening::history_for_writing(&args.history)?.prune(&plan)?, true),
        false => (plan, false),
    };
    let text = match args.format {
        TextOrJson::Json => json(&plan, done)?,
        TextOrJson::Text => text(&plan, done),
    };
    style::print(&text);
    Ok(ExitStatus::Passed)
}

fn policy(args: &PruneArgs) -> Policy {
    let mut policy = Policy {
        pipeline: args.pipeline.clone(),
        keep_days: args.older_than,
        keep_failed: args.keep_failed,
        keep_tags: args.keep_tags.clone(),
        ..Policy::default()
    };
    // Of several rules of one kind the one that keeps more holds.
    for kept in &args.keep {
        match *kept {
            Kept::Runs(runs) => policy.keep = policy.keep.max(Some(runs)),
            Kept::Days(days) => policy.keep_days = policy.keep_days.max(Some(days)),
        }
    }
    policy
}

fn json(plan: &PruningPlan, done: bool) -> Result<String, Problem> {
    let mut object = serde_json::to_value(plan).map_err(Problem::unacceptable)?;
    object["removed"] = done.into();
    object["n_files"] = plan.n_files().into();
    object["bytes"] = plan.bytes().into();
    Ok(format!("{object:#}\n"))
}

fn text(plan: &PruningPlan, done: bool) -> String {
    if plan.runs.is_empty() {
        return format!("nothing to remove: all {} runs are kept\n", plan.n_kept);
    }
    let rows: Vec<Vec<String>> = plan.runs.iter().map(row).collect();
    let header = ["as of", "pipeline", "verdict", "files", "bytes", "run", "why"];
    let table = style::table(&header, &rows, &[false, false, false, true, true]);
    let sum = format!(
        "{} runs, {} files, {} bytes",
        style::thousands(plan.runs.len() as u64),
        style::thousands(plan.n_files() as u64),
        style::thousands(plan.bytes())
    );
    match done {
        true => format!("{table}{sum} were removed; the runs stay in the catalogue as pruned\n"),
        false => format!("{table}{sum} would go, {} runs would stay; --yes removes them\n", plan.n_kept),
    }
}

fn row(doomed: &Doomed) -> Vec<String> {
    let run = &doomed.run;
    vec![
        run.as_of.clone(),
        run.pipeline.clone(),
        run.verdict.map(super::run::verdict_words).unwrap_or("").to_lowercase(),
        doomed.n_files.to_string(),
        style::thousands(doomed.bytes),
        run.run_id.clone(),
        doomed.reason.clone(),
    ]
}
