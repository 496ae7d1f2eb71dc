//! Who is told about an outcome: a Prometheus textfile, a webhook.
//!
//! [`News`] is what happened, put together where runs end. [`tell`] hands it to the sinks that `[notify]` names. A sink
//! never changes a verdict or an exit code: what goes wrong is returned, to be logged.

mod news;
mod textfile;
mod webhook;

pub use news::{GateNews, News, Outcome};

use crate::config::NotifyOn;
use std::path::PathBuf;

/// `[notify]` with its path and address resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sinks {
    /// Prometheus textfile, shared by any number of pipelines.
    pub textfile: Option<PathBuf>,
    /// Address as typed (`env:NAME` or a URL).
    pub webhook: Option<String>,
    pub on: NotifyOn,
}

/// Why a sink was not reached.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    #[error("the Prometheus textfile {} cannot be written: {source}", path.display())]
    Textfile { path: PathBuf, source: std::io::Error },
    #[error("[notify] webhook = \"env:{name}\": the environment variable {name} is not set")]
    Unset { name: String },
    #[error("[notify] webhook: the address is not acceptable ({reason}): give an http:// or https:// address")]
    Address { reason: String },
    #[error("the webhook at {host} was not told in {attempts} attempt{}: {reason}", if *attempts == 1 { "" } else { "s" })]
    Webhook { host: String, attempts: u32, reason: String },
}

/// Tells every sink; returns what went wrong. The textfile is the pipeline's present state and written every time; the
/// webhook is sent what `on` asks for.
pub fn tell(sinks: &Sinks, news: &News, env: &dyn Fn(&str) -> Option<String>) -> Vec<NotifyError> {
    let mut failures = Vec::new();
    if let Some(path) = &sinks.textfile {
        let written = textfile::write(path, news);
        failures.extend(written.err().map(|source| NotifyError::Textfile { path: path.clone(), source }));
    }
    if let Some(webhook) = sinks.webhook.as_ref().filter(|_| is_wanted(sinks.on, news)) {
        failures.extend(webhook::send(webhook, news, env).err());
    }
    failures
}

/// Whether the webhook wants to know. An audit that was there already is no news.
fn is_wanted(on: NotifyOn, news: &News) -> bool {
    !news.already_audited
        && match on {
            NotifyOn::Always => true,
            NotifyOn::Failure => news.outcome != Outcome::Pass,
            NotifyOn::Change => news.previous != Some(news.outcome),
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_is_told_what_it_asked_for() {
        let news = |outcome, previous| News { outcome, previous, ..News::example() };
        use NotifyOn::{Always, Change, Failure};
        use Outcome::{Broken, Fail, Insufficient, Pass};
        for (on, outcome, previous, wanted) in [
            (Always, Pass, Some(Pass), true),
            (Failure, Pass, Some(Fail), false),
            (Failure, Fail, Some(Fail), true),
            (Failure, Insufficient, None, true),
            (Failure, Broken, None, true),
            (Change, Pass, Some(Pass), false),
            (Change, Fail, Some(Fail), false),
            (Change, Pass, Some(Fail), true),
            (Change, Pass, None, true),
        ] {
            assert_eq!(is_wanted(on, &news(outcome, previous)), wanted, "{on:?} {outcome:?} {previous:?}");
        }
        assert!(!is_wanted(Always, &News { already_audited: true, ..News::example() }));
    }
}
