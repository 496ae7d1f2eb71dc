//! Earlier nights that a run keeps, so that its report shows the history as it was known, whatever becomes of it later.

use crate::audit::{Audit, Night, Status};
use crate::privacy;
use crate::store::{RunFilter, RunSummary, Store, StoreError};
use std::collections::{BTreeMap, BTreeSet};

/// Nights kept at most, the latest ones.
const MOST_NIGHTS: usize = 30;

/// The pipeline's nights before this run's, the earliest first. A night is the last run recorded of its date that
/// succeeded and that no other superseded; files may have been pruned since.
///
/// `previous`, the run's baseline, knows the nights before it; what it does not know is read from the runs' own records.
/// `its_audit` is that run's record where it was read already. A night whose record cannot be read keeps its verdict alone.
pub fn before(
    store: &Store,
    audit: &Audit,
    previous: Option<(&RunSummary, Option<&Audit>)>,
    supersedes: Option<&str>,
) -> Result<Vec<Night>, StoreError> {
    let Some((previous, its_audit)) = previous else { return Ok(Vec::new()) };
    let runs = store.runs(RunFilter { pipeline: Some(&audit.run.pipeline), ..RunFilter::default() })?;
    let read_again = if its_audit.is_none() { store.audit(previous).ok() } else { None };
    let nights_of = |audit: &Audit| audit.history.iter().cloned().chain([published(audit)]).collect::<Vec<_>>();
    let known = its_audit.or(read_again.as_ref()).map(nights_of).unwrap_or_default();
    let mut known: BTreeMap<String, Night> = known.into_iter().map(|night| (night.run_id.clone(), night)).collect();
    let nights = standing(&runs, &audit.run.as_of, supersedes);
    Ok(nights.into_iter().map(|run| known.remove(&run.run_id).unwrap_or_else(|| read(store, run))).collect())
}

/// Runs that stand for the latest nights before `as_of`, the earliest first; `runs` come with the last recorded first.
fn standing<'a>(runs: &'a [RunSummary], as_of: &str, supersedes: Option<&str>) -> Vec<&'a RunSummary> {
    let stands = |run: &&RunSummary| {
        matches!(run.status, Status::Succeeded | Status::Pruned)
            && run.verdict.is_some()
            && run.superseded_by.is_none()
            && run.as_of.as_str() < as_of
            && supersedes != Some(run.run_id.as_str())
    };
    let mut dates = BTreeSet::new();
    let mut nights: Vec<&RunSummary> = runs.iter().filter(stands).filter(|run| dates.insert(&run.as_of)).collect();
    nights.sort_by(|a, b| a.as_of.cmp(&b.as_of));
    nights.split_off(nights.len().saturating_sub(MOST_NIGHTS))
}

/// What a run's own report told of its night.
fn published(audit: &Audit) -> Night {
    privacy::night(&privacy::published(audit).audit)
}

fn read(store: &Store, run: &RunSummary) -> Night {
    store.audit(run).map(|audit| published(&audit)).unwrap_or_else(|_| Night {
        run_id: run.run_id.clone(),
        as_of: run.as_of.clone(),
        verdict: run.verdict.unwrap_or(crate::audit::Decision::Insufficient),
        n_rows: run.n_rows,
        suppress_below: 0,
        gates: Vec::new(),
        metrics: Vec::new(),
    })
}
