//! Telling the sinks of `[notify]` what became of a run. Whatever they do, the verdict and the exit code stand.

use super::{Problem, opening};
use crate::ExitStatus;
use crate::audit::{Audit, Status};
use crate::config::Loaded;
use crate::notify::{self, News, Outcome, Sinks};
use crate::store::{self, RunFilter, RunSummary, Store};
use std::time::{Instant, SystemTime};

/// Collects what is known of a run, from its config to its end.
pub(super) struct Telling {
    sinks: Option<Sinks>,
    pipeline: String,
    as_of: String,
    previous: Option<Outcome>,
    last_success_unix: Option<i64>,
    started: Instant,
}

impl Telling {
    pub fn of(loaded: &Loaded, as_of: &str) -> Self {
        let sinks = loaded.config.notify.as_ref().map(|notify| Sinks {
            textfile: notify.textfile.as_ref().map(|typed| loaded.resolve(typed)),
            webhook: notify.webhook.clone(),
            on: notify.on,
        });
        Self {
            sinks,
            pipeline: loaded.config.pipeline.name.clone(),
            as_of: as_of.to_owned(),
            previous: None,
            last_success_unix: None,
            started: Instant::now(),
        }
    }

    /// What the history says before the run.
    pub fn look_back(&mut self, store: &Store) {
        if self.sinks.is_none() {
            return;
        }
        let filter = RunFilter { pipeline: Some(&self.pipeline), limit: Some(1), ..Default::default() };
        // A history that cannot be read stops the run itself; sinks need not say so twice.
        self.previous = store.runs(filter).ok().and_then(|runs| runs.first().map(outcome));
        let last = store.runs(RunFilter { status: Some(Status::Succeeded), ..filter }).ok().unwrap_or_default();
        self.last_success_unix = last.first().and_then(|run| store::unix_seconds(run.finished_at.as_deref()?));
    }

    /// The run reached a verdict, now or before.
    pub fn verdict(self, audit: &Audit, report: Option<String>, already_audited: bool) {
        let exit_code = ExitStatus::from(audit.run.verdict).code();
        let last_success_unix = if already_audited { self.last_success_unix } else { Some(now_unix()) };
        self.tell(News { exit_code, report, already_audited, last_success_unix, ..News::of(audit) });
    }

    /// There is no verdict. Who only found the pipeline locked knows nothing about it.
    pub fn problem(self, problem: &Problem) {
        let outcome = match problem.status {
            ExitStatus::Locked => return,
            ExitStatus::Unacceptable => Outcome::Refused,
            _ => Outcome::Broken,
        };
        let news = News::without_verdict(&self.pipeline, &self.as_of, outcome, &problem.report.to_string());
        let last_success_unix = self.last_success_unix;
        self.tell(News { exit_code: problem.status.code(), last_success_unix, ..news });
    }

    fn tell(self, news: News) {
        let Some(sinks) = &self.sinks else { return };
        let seconds = self.started.elapsed().as_secs_f64();
        let news = News { previous: self.previous, seconds, finished_unix: now_unix(), ..news };
        for failure in notify::tell(sinks, &news, &opening::env) {
            tracing::warn!(pipeline = self.pipeline, "{failure}");
        }
    }
}

fn outcome(run: &RunSummary) -> Outcome {
    match (run.status, run.verdict) {
        (Status::Failed | Status::Aborted, _) | (_, None) => Outcome::Broken,
        (_, Some(verdict)) => verdict.into(),
    }
}

fn now_unix() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
