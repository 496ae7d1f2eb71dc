//! The state of pipelines in Prometheus' text format, for node_exporter's textfile collector
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>).
//!
//! One file may hold any number of pipelines: a run rewrites its own pipeline's samples and keeps the others'.

use super::{News, Outcome};
use crate::audit::Decision;
use crate::whole_file;
use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

/// Name, what it says, and the samples of one pipeline; all are gauges.
type Family = (&'static str, &'static str, fn(&News) -> Vec<String>);

const FAMILIES: &[Family] = &[
    ("probity_verdict", "1 for what the last run came to, 0 for what it did not.", verdict),
    ("probity_exit_code", "Exit code of the last run.", |news| vec![sample(news, &[], f64::from(news.exit_code))]),
    ("probity_gate_decision", "1 for what the last run decided about a gate, 0 for what it did not.", decisions),
    ("probity_gate_observed", "Observed value of a gate's metric; absent while undefined.", observed),
    ("probity_gate_limit", "Limit of a gate.", limits),
    ("probity_rows", "Rows audited by the last run.", |news| {
        news.n_rows.map(|n_rows| sample(news, &[], n_rows as f64)).into_iter().collect()
    }),
    ("probity_duration_seconds", "Duration of the last run.", |news| vec![sample(news, &[], news.seconds)]),
    ("probity_last_run_timestamp_seconds", "When the last run ended.", |news| {
        vec![sample(news, &[], news.finished_unix as f64)]
    }),
    (LAST_SUCCESS, "When a run last reached a verdict, whichever.", |news| {
        news.last_success_unix.map(|time| sample(news, &[], time as f64)).into_iter().collect()
    }),
];

const LAST_SUCCESS: &str = "probity_last_success_timestamp_seconds";

/// How long to wait for another pipeline that writes the same file.
const PATIENCE: Duration = Duration::from_secs(10);

/// Rewrites the pipeline's samples in the file at `path`, which readers see before or after, never between.
pub(super) fn write(path: &Path, news: &News) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| *folder != Path::new("")) {
        std::fs::create_dir_all(folder)?;
    }
    let _turn = turn(path)?;
    let old = match std::fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        old => old?,
    };
    whole_file::write(path, merged(&old, news).as_bytes())
}

/// Held while the file is read and written. The lock file beside it does not end in `.prom`, so no collector reads it.
fn turn(path: &Path) -> io::Result<File> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
    let lock = File::create(path.with_file_name(format!(".{name}.lock")))?;
    let started = Instant::now();
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            Err(TryLockError::WouldBlock) if started.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(20))
            }
            Err(TryLockError::WouldBlock) => return Err(io::Error::other("another run holds its lock")),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

/// The old text with this pipeline's samples replaced.
fn merged(old: &str, news: &News) -> String {
    let own = format!("{{pipeline=\"{}\"", escaped(&news.pipeline));
    let mut text = String::new();
    for (name, help, samples) in FAMILIES {
        let of_family = |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with("{pipeline="));
        let is_own = |line: &str| line[name.len()..].starts_with(&own);
        let mut lines: Vec<String> =
            old.lines().filter(of_family).filter(|line| !is_own(line)).map(str::to_owned).collect();
        let mut mine: Vec<String> = samples(news).iter().map(|sample| format!("{name}{sample}")).collect();
        if mine.is_empty() && *name == LAST_SUCCESS {
            // A run that could not even open the history does not know better than the one before.
            mine.extend(old.lines().filter(of_family).filter(|line| is_own(line)).map(str::to_owned));
        }
        lines.extend(mine);
        if !lines.is_empty() {
            lines.sort_by(|a, b| pipeline(a).cmp(pipeline(b)));
            text += &format!("# HELP {name} {help}\n# TYPE {name} gauge\n{}\n", lines.join("\n"));
        }
    }
    text
}

/// The pipeline of a sample, its first label.
fn pipeline(line: &str) -> &str {
    line.split('"').nth(1).unwrap_or_default()
}

fn verdict(news: &News) -> Vec<String> {
    let one =
        |outcome: &Outcome| sample(news, &[("verdict", outcome.name())], f64::from(u8::from(*outcome == news.outcome)));
    Outcome::ALL.iter().map(one).collect()
}

/// Samples of every gate: its labels, with further ones, and a value.
fn of_gates(
    news: &News,
    value: impl Fn(&super::GateNews) -> Vec<(Vec<(&'static str, &'static str)>, f64)>,
) -> Vec<String> {
    let mut samples = Vec::new();
    for (at, gate) in news.gates.iter().enumerate() {
        // Two gates may read the same; series must not.
        let number = (at + 1).to_string();
        let own = [
            ("number", number.as_str()),
            ("gate", &gate.gate),
            ("metric", &gate.metric),
            ("attribute", &gate.attribute),
            ("severity", &gate.severity),
        ];
        samples.extend(value(gate).into_iter().map(|(more, value)| sample(news, &[&own[..], &more].concat(), value)));
    }
    samples
}

fn decisions(news: &News) -> Vec<String> {
    let named = [(Decision::Pass, "pass"), (Decision::Fail, "fail"), (Decision::Insufficient, "insufficient")];
    of_gates(news, |gate| {
        let one = |(decision, name): &(Decision, &'static str)| {
            (vec![("decision", *name)], f64::from(u8::from(*decision == gate.decision)))
        };
        named.iter().map(one).collect()
    })
}

fn observed(news: &News) -> Vec<String> {
    of_gates(news, |gate| gate.observed.map(|observed| (Vec::new(), observed)).into_iter().collect())
}

fn limits(news: &News) -> Vec<String> {
    of_gates(news, |gate| vec![(Vec::new(), gate.limit)])
}

/// `{pipeline="…",…} value`
fn sample(news: &News, labels: &[(&str, &str)], value: f64) -> String {
    let pipeline = [("pipeline", news.pipeline.as_str())];
    let all = pipeline.iter().chain(labels).map(|(name, value)| format!("{name}=\"{}\"", escaped(value)));
    format!("{{{}}} {value}", all.collect::<Vec<_>>().join(","))
}

/// Label values escape backslashes, quotes and line feeds.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_of_a_pipeline_is_written_in_prometheus_format() {
        let text = merged("", &News::example());
        for line in [
            "# TYPE probity_verdict gauge",
            "probity_verdict{pipeline=\"adult\",verdict=\"fail\"} 1",
            "probity_verdict{pipeline=\"adult\",verdict=\"pass\"} 0",
            "probity_exit_code{pipeline=\"adult\"} 1",
            "probity_rows{pipeline=\"adult\"} 16281",
            "probity_duration_seconds{pipeline=\"adult\"} 1.5",
            "probity_last_success_timestamp_seconds{pipeline=\"adult\"} 1795000000",
            "probity_gate_observed{pipeline=\"adult\",number=\"1\",gate=\"demographic_parity_ratio over \\\"sex\\\" ≥ 0.8\",metric=\"demographic_parity_ratio\",attribute=\"sex\",severity=\"fail\"} 0.36",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        assert_eq!(text.matches("probity_gate_observed{").count(), 1, "an undefined value is absent");
        assert_eq!(text.matches("probity_gate_decision{").count(), 6);
        let series: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        let distinct: std::collections::BTreeSet<_> =
            series.iter().map(|line| line.rsplit_once(' ').unwrap().0).collect();
        assert_eq!(distinct.len(), series.len(), "no series stands twice");
    }

    #[test]
    fn every_metric_is_documented() {
        let page = include_str!("../../docs/scheduling.md");
        for (name, ..) in FAMILIES {
            assert!(page.contains(&format!("| `{name}")), "{name} is not in docs/scheduling.md");
        }
    }

    #[test]
    fn other_pipelines_samples_are_kept_and_own_ones_replaced() {
        let other = News { pipeline: "adult-2".to_owned(), ..News::example() };
        let both = merged(&merged("", &other), &News::example());
        let again = News { outcome: Outcome::Pass, gates: Vec::new(), ..News::example() };
        let both = merged(&both, &again);
        assert!(both.contains("probity_verdict{pipeline=\"adult\",verdict=\"pass\"} 1"));
        assert!(both.contains("probity_verdict{pipeline=\"adult-2\",verdict=\"fail\"} 1"));
        assert_eq!(both.matches("probity_gate_limit{pipeline=\"adult\"").count(), 0, "gates that are gone are gone");
        assert_eq!(both.matches("probity_gate_limit{pipeline=\"adult-2\"").count(), 2);
        assert_eq!(both.matches("# TYPE probity_verdict gauge").count(), 1);
        assert_eq!(merged(&both, &again), both, "the same news is the same file");
    }

    #[test]
    fn the_last_success_outlasts_a_run_that_knows_of_none() {
        let old = merged("", &News::example());
        let refused = News::without_verdict("adult", "2026-11-22", Outcome::Refused, "no data");
        let text = merged(&old, &refused);
        assert!(text.contains("probity_last_success_timestamp_seconds{pipeline=\"adult\"} 1795000000"), "{text}");
        assert!(text.contains("probity_verdict{pipeline=\"adult\",verdict=\"refused\"} 1"), "{text}");
        assert!(!text.contains("probity_rows"), "{text}");
    }

    #[test]
    fn many_pipelines_write_one_file_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("probity.prom");
        std::thread::scope(|scope| {
            for at in 0..8 {
                let path = &path;
                let news = News { pipeline: format!("p{at}"), ..News::example() };
                scope.spawn(move || write(path, &news).unwrap());
            }
        });
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.matches("probity_exit_code{").count(), 8, "{text}");
    }
}
