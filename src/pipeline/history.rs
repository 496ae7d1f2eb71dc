//! The run beside earlier ones: drift, changes, and the gates that rest on them.
//!
//! The baseline of a run is the pipeline's succeeded run of the latest date up to its own, and of that date the last
//! recorded; never the run that it supersedes. So a run repeated on the same inputs is found before anything is
//! compared, and one audited late is compared with what came before its date.

use super::{RunError, nights};
use crate::audit::{Audit, Baseline, Distribution, Drift, Gate, MetricChange, Note, Status};
use crate::drift;
use crate::fairness::gates::{self, Earlier, Evidence, PREVIOUS};
use crate::plan::Plan;
use crate::store::{RunSummary, Store, StoreError};
use std::collections::{BTreeMap, BTreeSet};

/// A comparable run, and how far this one has drifted from it.
struct Reference {
    audit: Audit,
    drift: Vec<Drift>,
}

/// Compares a measured run with its baseline and the runs that gates name, and decides its gates.
pub fn compare(
    plan: &Plan,
    store: &Store,
    audit: &mut Audit,
    distributions: &[Distribution],
    supersedes: Option<&str>,
) -> Result<(), RunError> {
    let previous = store.before(&audit.run.pipeline, &audit.run.as_of, supersedes)?;
    let names: BTreeSet<&str> = plan.gates.iter().filter_map(|gate| gate.baseline()).chain([PREVIOUS]).collect();
    let mut references: BTreeMap<String, Result<Reference, String>> = BTreeMap::new();
    for name in names {
        let found = match name {
            PREVIOUS => previous.clone().ok_or_else(|| FIRST.to_owned()),
            name => named(store, name, supersedes),
        };
        let reference = found.and_then(|run| reference(store, &run, audit, distributions));
        references.insert(name.to_owned(), reference);
    }
    for reference in references.values().flatten() {
        let run_id = &reference.audit.run.run_id;
        // Two names may mean the same run.
        if !audit.drift.iter().any(|drift| drift.baseline_run_id == *run_id) {
            audit.drift.extend(reference.drift.iter().cloned());
        }
    }
    let its_audit = references.get(PREVIOUS).and_then(|found| found.as_ref().ok()).map(|reference| &reference.audit);
    audit.history = nights::before(store, audit, previous.as_ref().map(|run| (run, its_audit)), supersedes)?;
    audit.baseline = previous.map(|run| baseline(&run, references.get(PREVIOUS), audit));
    audit.notes.extend(note(audit.baseline.as_ref()));
    audit.gates = decide(plan, audit, &references)?;
    audit.run.verdict = gates::verdict(&audit.gates);
    Ok(())
}

const FIRST: &str = "there is no earlier run of the pipeline to compare with";

/// The run that a gate names.
fn named(store: &Store, name: &str, supersedes: Option<&str>) -> Result<RunSummary, String> {
    let run = store.run(name).map_err(|error| format!("the baseline {name} is not there: {error}"))?;
    match run.status {
        Status::Succeeded if supersedes != Some(run.run_id.as_str()) => Ok(run),
        Status::Succeeded => Err(format!("the baseline {name} is superseded by this run")),
        status => {
            Err(format!("the baseline {name} is no succeeded run: it is {}", format!("{status:?}").to_lowercase()))
        }
    }
}

/// What a run left, if comparing with it means something. A record that cannot be read is no reason to lose this
/// night's audit.
fn reference(
    store: &Store,
    run: &RunSummary,
    audit: &Audit,
    distributions: &[Distribution],
) -> Result<Reference, String> {
    let unreadable = |error: StoreError| {
        tracing::warn!(run_id = run.run_id, %error, "the baseline's record cannot be read");
        format!("the record of run {} cannot be read: {error}", run.run_id)
    };
    let earlier = store.audit(run).map_err(unreadable)?;
    let obstacles = drift::obstacles(&earlier, audit);
    if !obstacles.is_empty() {
        return Err(format!("not comparable with run {}: {}", run.run_id, obstacles.join("; ")));
    }
    let before = store.distributions(run).map_err(unreadable)?;
    let drift = drift::drift((&earlier, &before), (audit, distributions));
    Ok(Reference { audit: earlier, drift })
}

fn baseline(run: &RunSummary, reference: Option<&Result<Reference, String>>, audit: &Audit) -> Baseline {
    let mut baseline = Baseline { run_id: run.run_id.clone(), as_of: run.as_of.clone(), ..Baseline::default() };
    match reference {
        Some(Ok(reference)) => {
            // Single groups stand in the metrics of both runs; the record keeps what a report shows.
            let summary = |change: &MetricChange| change.group_value.is_empty() && change.stratum.is_empty();
            baseline.changes = drift::changes(&reference.audit.metrics, &audit.metrics);
            baseline.changes.retain(summary);
            baseline.ranks = drift::ranks(&reference.audit, audit);
        }
        Some(Err(reason)) => baseline.not_comparable.push(reason.clone()),
        None => {}
    }
    baseline
}

fn note(baseline: Option<&Baseline>) -> Option<Note> {
    let text = match baseline {
        None => {
            "This is the first run of the pipeline up to its date: there is no baseline to compare with.".to_owned()
        }
        Some(baseline) if !baseline.not_comparable.is_empty() => {
            format!("No drift is measured: {}.", baseline.not_comparable.join("; "))
        }
        Some(_) => return None,
    };
    Some(Note { about: "drift".to_owned(), text })
}

fn decide(
    plan: &Plan,
    audit: &Audit,
    references: &BTreeMap<String, Result<Reference, String>>,
) -> Result<Vec<Gate>, RunError> {
    let earlier: BTreeMap<String, Result<Earlier, String>> = references
        .iter()
        .map(|(name, reference)| {
            let earlier = reference.as_ref().map_err(String::clone).map(|reference| Earlier {
                n_rows: reference.audit.run.n_rows,
                metrics: &reference.audit.metrics,
                drift: &reference.drift,
            });
            (name.clone(), earlier)
        })
        .collect();
    let previous_gates = match references.get(PREVIOUS) {
        Some(Ok(reference)) => reference.audit.gates.as_slice(),
        _ => &[],
    };
    let evidence = Evidence {
        metrics: &audit.metrics,
        n_rows: audit.run.n_rows,
        min_group_rows: plan.groups.min_group_rows,
        earlier: &earlier,
        previous_gates,
    };
    gates::decide(&plan.gates, &evidence).map_err(RunError::unacceptable)
}
