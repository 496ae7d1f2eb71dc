//! `probity compare`: what changed between two stored runs; needs neither model nor data.

use super::args::{CompareArgs, DocumentFormat};
use super::run::verdict_words;
use super::{Done, Problem, opening, style};
use crate::ExitStatus;
use crate::audit::{Comparison, Decision, Drift, MetricChange, Side};
use crate::drift;
use crate::privacy;
use crate::report;
use crate::store::Store;

/// Rows of a table on a terminal; `--all` lifts it.
const MOST_ROWS: usize = 20;

pub(super) fn run(args: &CompareArgs) -> Done {
    let store = opening::history(&args.history)?;
    let comparison = comparison(&store, &args.before, &args.now)?;
    let status = if comparison.comparable { ExitStatus::Passed } else { ExitStatus::Undecided };
    let text = match args.format {
        DocumentFormat::Text => text(&comparison, args.all),
        DocumentFormat::Json => serde_json::to_string_pretty(&comparison).map_err(Problem::unacceptable)? + "\n",
        DocumentFormat::Html => report::compare(&comparison).map_err(Problem::unacceptable)?,
    };
    match &args.out {
        None => style::print(&text),
        Some(path) => {
            std::fs::write(path, text)
                .map_err(|error| Problem::unacceptable(format!("{}: {error}", path.display())))?;
            style::print(&format!("{}\n", opening::shown(path)));
        }
    }
    Ok(status)
}

/// Of what may be published of either run.
fn comparison(store: &Store, before: &str, now: &str) -> Result<Comparison, Problem> {
    let (before, now) = (store.run(before)?, store.run(now)?);
    let audits = (privacy::published(&store.audit(&before)?), privacy::published(&store.audit(&now)?));
    let distributions = (store.distributions(&before)?, store.distributions(&now)?);
    Ok(drift::comparison((&audits.0.audit, &distributions.0), (&audits.1.audit, &distributions.1)))
}

fn text(comparison: &Comparison, all: bool) -> String {
    let mut text = side("before", &comparison.before) + &side("now", &comparison.now);
    for difference in &comparison.differences {
        let short = |value: &str| if value.is_empty() { "none".to_owned() } else { value.chars().take(16).collect() };
        text += &format!("{:<14} {} → {}\n", difference.what, short(&difference.before), short(&difference.now));
    }
    text.push('\n');
    if !comparison.comparable {
        let reasons = comparison.not_comparable.iter().map(|reason| format!("  {reason}\n"));
        return text + "not comparable\n" + &reasons.collect::<String>();
    }
    text += &gates(comparison);
    text += &changes("over all rows", &comparison.metrics, all);
    text += &changes("across groups", &comparison.group_gaps, all);
    if all {
        text += &changes("in groups", &comparison.groups, all);
    }
    text + &ranks(comparison, all) + &distances(&comparison.drift, all)
}

fn side(name: &str, side: &Side) -> String {
    let (pipeline, as_of, verdict) = (&side.pipeline, &side.as_of, verdict_words(side.verdict));
    format!("{name:<14} {pipeline}  {as_of}  {verdict}  {} rows  {}\n", style::thousands(side.n_rows), side.run_id)
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "—".to_owned(), |value| format!("{value:.4}"))
}

fn signed(value: Option<f64>) -> String {
    value.map_or_else(|| "—".to_owned(), |value| format!("{value:+.4}"))
}

/// A titled table with the first of the rows, and how many there are.
fn table(title: &str, head: &[&str], mut rows: Vec<Vec<String>>, right: &[bool], all: bool) -> String {
    let n = rows.len();
    if n == 0 {
        return String::new();
    }
    if !all {
        rows.truncate(MOST_ROWS);
    }
    let more = n - rows.len();
    let more = if more > 0 { format!("… {more} more: --all\n") } else { String::new() };
    format!("{title}\n{}{more}\n", style::table(head, &rows, right))
}

fn gates(comparison: &Comparison) -> String {
    let word = |decision: Option<Decision>| decision.map_or("—".to_owned(), |d| verdict_words(d).to_lowercase());
    let rows = comparison.gates.iter().map(|gate| {
        let (before, now) = (number(gate.observed_before), number(gate.observed_now));
        vec![gate.gate.clone(), word(gate.before), word(gate.now), before, now]
    });
    table("gates", &["", "before", "now", "before", "now"], rows.collect(), &[false, false, false, true, true], true)
}

/// Metrics with the largest change for its interval first: what stands out from chance.
fn changes(title: &str, changes: &[MetricChange], all: bool) -> String {
    let mut sorted: Vec<&MetricChange> = changes.iter().filter(|change| change.change.is_some()).collect();
    let standing_out = |change: &MetricChange| {
        let width = change.change_low.zip(change.change_high).map(|(low, high)| high - low);
        change.change.unwrap_or(0.0).abs() / width.filter(|width| *width > 0.0).unwrap_or(f64::INFINITY)
    };
    sorted.sort_by(|a, b| standing_out(b).total_cmp(&standing_out(a)));
    let rows = sorted.into_iter().map(|change| {
        let interval = match (change.change_low, change.change_high) {
            (Some(low), Some(high)) => format!("{low:+.4} – {high:+.4}"),
            _ => String::new(),
        };
        let overlap = match change.intervals_overlap {
            Some(true) => "overlap",
            Some(false) => "apart",
            None => "",
        };
        let place = [&change.attribute, &change.group_value, &change.stratum, &change.output];
        let place: Vec<&str> = place.into_iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
        let (before, now) = (number(change.before), number(change.now));
        vec![change.metric.clone(), place.join(" "), before, now, signed(change.change), interval, overlap.to_owned()]
    });
    let head = ["metric", "", "before", "now", "change", "interval of the change", "intervals"];
    table(title, &head, rows.collect(), &[false, false, true, true, true], all)
}

fn ranks(comparison: &Comparison, all: bool) -> String {
    let rows = comparison.ranks.iter().map(|rank| {
        let (before, now) = (rank.before.to_string(), rank.now.to_string());
        vec![rank.feature.clone(), before, now, number(Some(rank.value_before)), number(Some(rank.value_now))]
    });
    let head = ["feature", "rank before", "now", "mean |attribution| before", "now"];
    table("importance", &head, rows.collect(), &[false, true, true, true, true], all)
}

fn distances(drift: &[Drift], all: bool) -> String {
    let mut places: Vec<(String, Vec<&Drift>)> = Vec::new();
    for distance in drift.iter().filter(|distance| distance.subject != "attribution") {
        match places.last_mut() {
            Some((place, of_place)) if *place == distance.place() => of_place.push(distance),
            _ => places.push((distance.place(), vec![distance])),
        }
    }
    let of = |measured: &[&Drift], name: &str| measured.iter().find(|one| one.measure == name).map(|one| one.value);
    places.sort_by(|a, b| of(&b.1, "psi").unwrap_or(0.0).total_cmp(&of(&a.1, "psi").unwrap_or(0.0)));
    let rows = places.into_iter().map(|(place, measured)| {
        let measures = ["psi", "js", "ks", "wasserstein"].map(|name| number(of(&measured, name)));
        [vec![place], measures.to_vec()].concat()
    });
    let head = ["drift", "psi", "js", "ks", "wasserstein"];
    let ndcg = drift.iter().find(|distance| distance.measure == "ndcg").map(|distance| distance.value);
    let ndcg = ndcg.map_or(String::new(), |ndcg| format!("ndcg of the ranking of features: {ndcg:.4}\n"));
    table("distributions", &head, rows.collect(), &[false, true, true, true, true], all) + &ndcg
}
