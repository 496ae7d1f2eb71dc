//! Retention: which runs' files go, and how they go.
//!
//! A plan first, which removes nothing; then one transaction that leaves a tombstone for each run; then the files. A
//! run's rows stay with all hashes, so the chain stays whole. What a killed process leaves to remove, the pipeline's
//! next run removes: a pruned run whose report folder is still there is not removed in full.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde::Serialize;

use super::catalogue::insert::{self, TombstoneRow};
use super::catalogue::runs::{RunFilter, RunSummary, status_name};
use super::fault::{self, Place};
use super::leftovers::Mark;
use super::lock::PipelineLock;
use super::{Store, StoreError, TOOL_VERSION, layout, now};
use crate::audit::{Decision, Status};

/// What is kept. The latest succeeded run of a pipeline always is.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Only runs of this pipeline go.
    pub pipeline: Option<String>,
    /// As many succeeded runs of each pipeline, the latest, and every other run since.
    pub keep: Option<usize>,
    /// Runs whose day is at most so many days ago.
    pub keep_days: Option<u32>,
    /// Runs that broke, and audits that did not pass.
    pub keep_failed: bool,
    /// Runs with one of these tags.
    pub keep_tags: Vec<String>,
}

/// What would go.
#[derive(Debug, Clone, Default, Serialize)]
pub struct PruningPlan {
    /// Oldest first.
    pub runs: Vec<Doomed>,
    /// Runs that keep their files.
    pub n_kept: usize,
}

/// A run whose files go.
#[derive(Debug, Clone, Serialize)]
pub struct Doomed {
    pub run: RunSummary,
    pub n_files: usize,
    pub bytes: u64,
    /// The rule that lets it go.
    pub reason: String,
}

impl PruningPlan {
    pub fn n_files(&self) -> usize {
        self.runs.iter().map(|doomed| doomed.n_files).sum()
    }

    pub fn bytes(&self) -> u64 {
        self.runs.iter().map(|doomed| doomed.bytes).sum()
    }
}

impl Store {
    /// Says what would go. `today` is `YYYY-MM-DD`. Without any rule of number or age nothing goes.
    pub fn plan_pruning(&self, policy: &Policy, today: &str) -> Result<PruningPlan, StoreError> {
        let oldest = policy.keep_days.map(|days| days_before(today, days)).transpose()?;
        let tagged = self.catalogue.tagged(&policy.keep_tags)?;
        let sizes = self.catalogue.stored_sizes()?;
        let filter = RunFilter { pipeline: policy.pipeline.as_deref(), ..Default::default() };
        let mut by_pipeline: BTreeMap<String, Vec<RunSummary>> = BTreeMap::new();
        // Runs come in the reverse order of recording, and the sort is stable.
        for run in self.catalogue.runs(filter)?.into_iter().filter(|run| run.status != Status::Pruned) {
            by_pipeline.entry(run.pipeline.clone()).or_default().push(run);
        }
        let mut plan = PruningPlan::default();
        for mut runs in by_pipeline.into_values() {
            runs.sort_by(|a, b| b.as_of.cmp(&a.as_of));
            let mut n_succeeded = 0;
            for run in runs {
                let is_latest = run.status == Status::Succeeded && n_succeeded == 0;
                let beyond = policy.keep.filter(|keep| n_succeeded >= *keep);
                n_succeeded += usize::from(run.status == Status::Succeeded);
                let spared = is_latest || policy.spares(&run, &tagged);
                let size = sizes.get(&run.run_id).filter(|_| !spared);
                match (size, policy.rule_against(&run, beyond, oldest.as_deref())) {
                    (Some((n_files, bytes)), Some(reason)) => {
                        plan.runs.push(Doomed { run, n_files: *n_files, bytes: *bytes, reason });
                    }
                    _ => plan.n_kept += 1,
                }
            }
        }
        plan.runs.sort_by(|a, b| (&a.run.as_of, &a.run.run_id).cmp(&(&b.run.as_of, &b.run.run_id)));
        Ok(plan)
    }

    /// Carries a plan out; runs that have changed since it was made are left alone. Returns what went. While a run of
    /// one of the pipelines is in progress, nothing goes.
    pub fn prune(&self, plan: &PruningPlan) -> Result<PruningPlan, StoreError> {
        let pipelines: BTreeSet<&str> = plan.runs.iter().map(|doomed| doomed.run.pipeline.as_str()).collect();
        let _locks: Vec<PipelineLock> = pipelines.into_iter().map(|name| self.lock(name)).collect::<Result<_, _>>()?;
        let gone = self.bury(plan)?;
        fault::reach(Place::Buried);
        for doomed in &gone.runs {
            remove_files(&doomed.run)?;
        }
        Ok(gone)
    }

    /// Removes nothing yet: from here on the runs are pruned.
    fn bury(&self, plan: &PruningPlan) -> Result<PruningPlan, StoreError> {
        let pruned_at = now();
        self.catalogue.transaction("record what is pruned", async |connection| {
            let mut gone = PruningPlan { runs: Vec::new(), n_kept: plan.n_kept };
            for doomed in &plan.runs {
                let row = TombstoneRow {
                    run_id: &doomed.run.run_id,
                    chain_sha256: &doomed.run.chain_sha256,
                    pruned_at: &pruned_at,
                    status: status_name(doomed.run.status),
                    n_files: doomed.n_files as u64,
                    bytes: doomed.bytes,
                    reason: &doomed.reason,
                    tool_version: TOOL_VERSION,
                };
                if insert::tombstone(connection, &row).await? {
                    gone.runs.push(doomed.clone());
                }
            }
            Ok(gone)
        })
    }

    /// Removes what pruning of the locked pipeline left when it was killed.
    pub(super) fn finish_pruning(&self, lock: &PipelineLock) -> Result<(), StoreError> {
        let filter = RunFilter { pipeline: Some(lock.pipeline()), status: Some(Status::Pruned), ..Default::default() };
        for run in self.catalogue.runs(filter)? {
            if self.reports_folder(&run).exists() {
                remove_files(&run)?;
            }
        }
        Ok(())
    }
}

impl Policy {
    fn spares(&self, run: &RunSummary, tagged: &BTreeSet<String>) -> bool {
        let broke = matches!(run.status, Status::Failed | Status::Aborted);
        let not_passed = run.verdict.is_some_and(|verdict| verdict != Decision::Pass);
        self.keep_failed && (broke || not_passed) || tagged.contains(&run.run_id)
    }

    /// Why the run goes; `None` while a rule keeps it.
    fn rule_against(&self, run: &RunSummary, beyond: Option<usize>, oldest: Option<&str>) -> Option<String> {
        let old = oldest.filter(|oldest| run.as_of.as_str() < *oldest);
        let beyond = beyond.map(|keep| format!("beyond the {keep} latest of its pipeline"));
        let old = old.and(self.keep_days).map(|days| format!("older than {days} days"));
        match (self.keep.is_some(), self.keep_days.is_some()) {
            (true, true) => Some(format!("{}, {}", beyond?, old?)),
            _ => beyond.or(old),
        }
    }
}

fn days_before(today: &str, days: u32) -> Result<String, StoreError> {
    layout::check_date(today)?;
    let day = today.parse::<jiff::civil::Date>().ok();
    let oldest = day.and_then(|day| day.checked_sub(jiff::Span::new().try_days(days).ok()?).ok());
    // Before the calendar begins there are no runs.
    Ok(oldest.map_or(String::new(), |oldest| oldest.to_string()))
}

/// Rows first and the report folder last, whose absence says that all is gone.
fn remove_files(run: &RunSummary) -> Result<(), StoreError> {
    let mark = Mark {
        run_id: run.run_id.clone(),
        pipeline: run.pipeline.clone(),
        as_of: run.as_of.clone(),
        started_at: run.started_at.clone(),
        tool_version: run.tool_version.clone(),
        results: run.results.clone(),
    };
    for removed in mark.remove_files()? {
        // A night without files needs no folder; one with files is not removed by this.
        if let Some(night) = removed.parent() {
            let _ = fs::remove_dir(night);
        }
    }
    Ok(())
}
