//! `probity run`.

use super::args::{RunArgs, TextOrJson};
use super::progress::Bar;
use super::signals::{self, Watch};
use super::telling::Telling;
use super::{Problem, opening, style};
use crate::ExitStatus;
use crate::audit::{Audit, Decision, Gate, Proof};
use crate::config::Loaded;
use crate::pipeline::{self, Finished, Outcome, Request};
use crate::privacy::WITHHELD;
use crate::store::{RunSummary, Store};
use serde_json::{Value, json};
use std::time::Duration;

pub(super) fn run(args: &RunArgs) -> ExitStatus {
    match prepare(args) {
        Ok((as_of, loaded, watch)) => {
            let each = loaded.into_iter().map(|loaded| one(args, &as_of, loaded, &watch));
            each.fold(ExitStatus::Passed, ExitStatus::worst)
        }
        Err(problem) => problem.print(),
    }
}

/// Everything that can be refused before anything runs.
fn prepare(args: &RunArgs) -> Result<(String, Vec<Loaded>, Watch), Problem> {
    let watch = signals::watch().map_err(|error| Problem::with(ExitStatus::Broken, format!("signals: {error}")))?;
    opening::start_threads(opening::threads(args.threads));
    let as_of = match &args.as_of {
        None => crate::store::now()[..10].to_owned(),
        Some(date) => checked_date(date)?,
    };
    let loaded = args.pipelines.iter().map(|path| opening::load(path, &args.sets)).collect::<Result<Vec<_>, _>>()?;
    for (at, one) in loaded.iter().enumerate() {
        let name = &one.config.pipeline.name;
        if let Some(other) = loaded[..at].iter().find(|other| other.config.pipeline.name == *name) {
            let (one, other) = (one.path.display(), other.path.display());
            return Err(Problem::unacceptable(format!(
                "{one} and {other} both call themselves `{name}`: a name stands for one pipeline in the catalogue; rename one"
            )));
        }
    }
    Ok((as_of, loaded, watch))
}

fn checked_date(text: &str) -> Result<String, Problem> {
    crate::store::checked_date(text)
        .map_err(|error| Problem::unacceptable(format!("--as-of {text}: {error}; give a date such as 2026-11-21")))
}

/// One pipeline, from its config to the sinks that are told what became of it.
fn one(args: &RunArgs, as_of: &str, loaded: Loaded, watch: &Watch) -> ExitStatus {
    let mut telling = Telling::of(&loaded, as_of);
    match audited(args, as_of, loaded, watch, &mut telling) {
        Ok(done) => {
            style::print(&done.text);
            telling.verdict(&done.audit, done.report, done.already);
            done.audit.run.verdict.into()
        }
        Err(problem) => {
            telling.problem(&problem);
            problem.print()
        }
    }
}

/// A verdict, new or stored.
struct Done {
    /// For stdout.
    text: String,
    audit: Audit,
    /// Where the report lies.
    report: Option<String>,
    already: bool,
}

fn audited(args: &RunArgs, as_of: &str, loaded: Loaded, watch: &Watch, telling: &mut Telling) -> Result<Done, Problem> {
    let path = loaded.path.clone();
    let plan = opening::resolve(loaded, opening::threads(args.threads), args.batch_rows)?;
    let store = opening::store_for(&plan.loaded, &args.history)?;
    watch.over(&store);
    telling.look_back(&store);
    let bar = Bar::new(&plan.config().pipeline.name);
    // Only tests that compare stored bytes give one.
    let run_id = opening::env("PROBITY_RUN_ID");
    let request = Request {
        as_of,
        force: args.force,
        report: !args.no_report,
        patience: Duration::from_secs(args.wait),
        run_id: run_id.as_deref(),
    };
    let outcome = pipeline::run(&plan, &store, &request, &bar).map_err(|error| opening::run_problem(&path, error))?;
    match outcome {
        Outcome::Ran(finished) => Ok(ran(*finished, args.format)),
        Outcome::Same(run) => same(&store, &run, args.format),
    }
}

/// Words for a verdict.
pub(super) fn verdict_words(verdict: Decision) -> &'static str {
    match verdict {
        Decision::Pass => "PASSED",
        Decision::Fail => "FAILED",
        Decision::Insufficient => "UNDECIDED",
    }
}

fn ran(finished: Finished, format: TextOrJson) -> Done {
    let results = &finished.committed.results;
    let files = finished.committed.artifacts.iter();
    let files: Vec<_> =
        files.map(|artifact| (artifact.kind.clone(), results.join(&artifact.path).display().to_string())).collect();
    let report = report_of(&files);
    let text = match format {
        TextOrJson::Text => finished_text(&finished),
        TextOrJson::Json => format!("{}\n", object(&finished.audit, files, false)),
    };
    Done { text, audit: finished.audit, report, already: false }
}

fn same(store: &Store, run: &RunSummary, format: TextOrJson) -> Result<Done, Problem> {
    let audit = store.audit(run)?;
    let artifacts = store.artifacts(run)?;
    let path = |artifact| store.artifact_path(run, artifact);
    let files = artifacts.iter().map(|artifact| (artifact.kind.clone(), path(artifact).display().to_string()));
    let files: Vec<_> = files.collect();
    let report = report_of(&files);
    let text = match format {
        TextOrJson::Text => format!(
            "{}  {}  already audited for {} with the same inputs (run {}); --force runs again\n",
            run.pipeline,
            verdict_words(audit.run.verdict),
            run.as_of,
            run.run_id
        ),
        TextOrJson::Json => format!("{}\n", object(&audit, files, true)),
    };
    Ok(Done { text, audit, report, already: true })
}

fn report_of(files: &[(String, String)]) -> Option<String> {
    files.iter().find(|(kind, _)| kind.starts_with("report:")).map(|(_, path)| path.clone())
}

fn object(audit: &Audit, files: Vec<(String, String)>, already: bool) -> Value {
    let gates = crate::privacy::published(audit).audit.gates;
    let report = report_of(&files);
    let tables: serde_json::Map<String, Value> = files.into_iter().map(|(kind, path)| (kind, path.into())).collect();
    let status: ExitStatus = audit.run.verdict.into();
    json!({
        "run_id": audit.run.run_id,
        "pipeline": audit.run.pipeline,
        "as_of": audit.run.as_of,
        "status": audit.run.status,
        "verdict": audit.run.verdict,
        "exit_code": status.code(),
        "gates": gates,
        "report": report,
        "artifacts": tables,
        "timings": audit.timings,
        "n_rows": audit.run.n_rows,
        "additivity_gap": audit.proof.additivity_gap,
        "already_audited": already,
    })
}

fn finished_text(finished: &Finished) -> String {
    let published = crate::privacy::published(&finished.audit);
    let audit = &published.audit;
    let total = audit.timings.get("total").copied().unwrap_or(0.0);
    let mut text = format!(
        "{}  {}  {} rows in {total:.1} s, explained by {}\n\n",
        audit.run.pipeline,
        verdict_words(audit.run.verdict),
        style::thousands(audit.run.n_rows),
        match audit.proof.method.as_str() {
            "none" => "nothing".to_owned(),
            method => format!("{method} ({})", audit.proof.engine),
        },
    );
    if let Some(gap) = additivity(&audit.proof) {
        text += &format!("{gap}\n\n");
    }
    text += &gates_text(&audit.gates);
    for note in &audit.notes {
        text += &format!("note: {}\n", note.text);
    }
    text.push('\n');
    let results = &finished.committed.results;
    for artifact in &finished.committed.artifacts {
        text += &format!(
            "{:<14} {}\n",
            artifact.kind.replace("report:", "report "),
            opening::shown(&results.join(&artifact.path))
        );
    }
    text += &format!("{:<14} {}\n", "run", audit.run.run_id);
    text
}

/// How well attributions add up to the scores they explain.
pub(super) fn additivity(proof: &Proof) -> Option<String> {
    let (largest, mean) = (proof.additivity_gap?, proof.additivity_gap_mean?);
    let rows = style::thousands(proof.n_explained);
    Some(format!("attributions miss the score by at most {largest:.1e} ({mean:.1e} on average) in {rows} rows"))
}

/// A line per gate: what was asked, what was seen.
pub(super) fn gates_text(gates: &[Gate]) -> String {
    let word = |gate: &Gate| match (gate.decision, gate.severity.as_str()) {
        (Decision::Pass, _) => "pass",
        (Decision::Fail, "warn") => "warn",
        (Decision::Fail, _) => "FAIL",
        (Decision::Insufficient, _) => "undecided",
    };
    let number = |value: Option<f64>| value.map_or_else(|| "—".to_owned(), |value| format!("{value:.4}"));
    let interval = |gate: &Gate| match (gate.ci_low, gate.ci_high) {
        (Some(low), Some(high)) => format!("{low:.4} – {high:.4}"),
        _ => String::new(),
    };
    let rows: Vec<Vec<String>> = gates
        .iter()
        .map(|gate| {
            vec![
                word(gate).to_owned(),
                gate.gate.clone(),
                number(gate.observed),
                interval(gate),
                if gate.reason == WITHHELD { "—".to_owned() } else { style::thousands(gate.n) },
                gate.reason.clone(),
            ]
        })
        .collect();
    match rows.is_empty() {
        true => "no gates\n".to_owned(),
        false => style::table(
            &["", "gate", "observed", "interval", "n", ""],
            &rows,
            &[false, false, true, false, true, false],
        ),
    }
}
