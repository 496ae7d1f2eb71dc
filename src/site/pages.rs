//! What stands on the pages: wording and links, no markup.

use super::calendar::{self, Month};
use super::trend::{self, Trend};
use crate::audit::{Artifact, Decision, Gate, Status};
use crate::privacy::WITHHELD;
use crate::report::sections::verdict;
use crate::report::text::say;
use crate::report::{number, words};
use crate::store::RunSummary;
use serde::Serialize;

/// A run with what the site shows of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Night<'a> {
    pub run: &'a RunSummary,
    pub gates: &'a [Gate],
    /// Name and link of each stored report.
    pub reports: Vec<(String, String)>,
}

/// A pipeline and all its runs, by night.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pipeline<'a> {
    pub name: &'a str,
    pub nights: Vec<Night<'a>>,
}

impl<'a> Pipeline<'a> {
    /// The runs that stand for their nights: not those that others superseded.
    fn standing(&self) -> Vec<&Night<'a>> {
        let standing = |night: &&Night<'a>| {
            let run = night.run;
            let replaced = |other: &Night<'a>| other.run.as_of == run.as_of && other.run.status == Status::Succeeded;
            match run.status {
                Status::Succeeded | Status::Pruned => true,
                Status::Superseded => false,
                // A failed attempt stands for its night where no other succeeded.
                Status::Failed | Status::Aborted => !self.nights.iter().any(replaced),
            }
        };
        self.nights.iter().filter(standing).collect()
    }

    /// Everything that the page of one run shows, as text: another text, another page.
    pub fn made_of(&self, at: usize) -> String {
        let night = &self.nights[at];
        let neighbour = |at: Option<usize>| at.and_then(|at| self.nights.get(at)).map_or("", |night| &night.run.run_id);
        let run = serde_json::to_string(night.run).unwrap_or_default();
        let (before, after) = (neighbour(at.checked_sub(1)), neighbour(Some(at + 1)));
        format!("{run}{:?}{:?}{before}{after}\n", night.gates, night.reports)
    }
}

/// A verdict as a mark: class, sign and word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Mark {
    pub class: &'static str,
    pub icon: &'static str,
    pub word: String,
}

pub(super) fn mark(run: &RunSummary) -> Mark {
    let (class, word) = match (run.status, run.verdict) {
        (Status::Failed, _) => ("broken", say!("site.broke")),
        (Status::Aborted, _) => ("broken", say!("site.stopped")),
        (_, Some(verdict)) => (words::decision_class(verdict, "fail"), words::decision(verdict)),
        (_, None) => ("none", say!("verdict.no_gates")),
    };
    Mark { class, icon: icon(class), word }
}

fn icon(class: &str) -> &'static str {
    match class {
        "broken" => "⊘",
        class => verdict::icon(class),
    }
}

/// A pipeline on the index.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Card {
    pub name: String,
    pub link: String,
    pub mark: Mark,
    pub date: String,
    pub sentence: String,
    pub runs: String,
    /// The latest nights, the earliest first.
    pub strip: Vec<calendar::Day>,
    pub trends: Vec<GateTrend>,
    #[serde(skip)]
    as_of: String,
}

/// A gate over the nights.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct GateTrend {
    pub id: String,
    pub title: String,
    pub gate: String,
    pub latest: String,
    pub mark: Mark,
    pub desc: String,
    pub chart: Trend,
    pub numbers: Vec<Number>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Number {
    pub date: String,
    pub value: String,
    pub interval: String,
    pub mark: Mark,
}

const STRIP_NIGHTS: usize = 30;
const CARD_TRENDS: usize = 3;

pub(super) fn card(pipeline: &Pipeline<'_>) -> Card {
    let standing = pipeline.standing();
    let latest = standing.last().copied().or(pipeline.nights.last());
    let strip = &standing[standing.len().saturating_sub(STRIP_NIGHTS)..];
    let day = |night: &&Night<'_>| {
        let mark = mark(night.run);
        let title = say!("site.day", date = words::date(&night.run.as_of), verdict = &mark.word);
        calendar::Day {
            class: mark.class,
            icon: mark.icon,
            title,
            link: format!("{}/{}.html", pipeline.name, night.run.run_id),
        }
    };
    Card {
        name: pipeline.name.to_owned(),
        link: format!("{}/index.html", pipeline.name),
        mark: latest
            .map_or(Mark { class: "none", icon: icon("none"), word: say!("site.no_run") }, |night| mark(night.run)),
        date: latest.map(|night| words::date(&night.run.as_of)).unwrap_or_default(),
        sentence: latest.map(sentence).unwrap_or_default(),
        runs: say!("site.runs", n = pipeline.nights.len()),
        strip: strip.iter().map(day).collect(),
        trends: trends(&standing, 180.0, 44.0, pipeline.name).into_iter().take(CARD_TRENDS).collect(),
        as_of: latest.map(|night| night.run.as_of.clone()).unwrap_or_default(),
    }
}

#[derive(Debug, Serialize)]
pub(super) struct Index {
    title: String,
    sentence: String,
    /// How many pipelines stand how.
    tally: Vec<(Mark, String)>,
    cards: Vec<Card>,
    style: &'static str,
}

pub(super) fn index(cards: Vec<Card>, n_runs: usize) -> Index {
    let latest = cards.iter().map(|card| card.as_of.as_str()).max().unwrap_or_default();
    let (pipelines, runs) = (say!("site.pipelines", n = cards.len()), say!("site.runs", n = n_runs));
    let sentence = match latest {
        "" => say!("site.index_empty", pipelines = pipelines, runs = runs),
        latest => say!("site.index", pipelines = pipelines, runs = runs, date = words::date(latest)),
    };
    let mut tally: Vec<(Mark, usize)> = Vec::new();
    for card in &cards {
        match tally.iter_mut().find(|(mark, _)| *mark == card.mark) {
            Some((_, n)) => *n += 1,
            None => tally.push((card.mark.clone(), 1)),
        }
    }
    tally.sort_by_key(|(mark, _)| {
        ["broken", "fail", "insufficient", "none", "pass"].iter().position(|class| *class == mark.class)
    });
    let tally = tally.into_iter().map(|(mark, n)| (mark, number::count(n as u64))).collect();
    Index { title: say!("site.title"), sentence, tally, cards, style: "site.css" }
}

#[derive(Debug, Serialize)]
pub(super) struct PipelinePage {
    title: String,
    mark: Mark,
    date: String,
    sentence: String,
    latest: String,
    trends: Vec<GateTrend>,
    months: Vec<Month>,
    runs: Vec<RunRow>,
    style: &'static str,
}

#[derive(Debug, Serialize)]
struct RunRow {
    date: String,
    link: String,
    mark: Mark,
    remark: String,
    rows: String,
    gates: String,
    version: String,
    reports: Vec<(String, String)>,
}

pub(super) fn pipeline(pipeline: &Pipeline<'_>) -> PipelinePage {
    let card = card(pipeline);
    let standing = pipeline.standing();
    let latest = standing.last().copied().or(pipeline.nights.last());
    PipelinePage {
        title: pipeline.name.to_owned(),
        mark: card.mark,
        date: card.date,
        sentence: card.sentence,
        latest: latest.map(|night| format!("{}.html", night.run.run_id)).unwrap_or_default(),
        trends: trends(&standing, 420.0, 84.0, pipeline.name),
        months: calendar::months(&standing),
        runs: pipeline.nights.iter().rev().map(row).collect(),
        style: "../site.css",
    }
}

fn row(night: &Night<'_>) -> RunRow {
    let passed = night.gates.iter().filter(|gate| gate.decision == Decision::Pass).count();
    RunRow {
        date: words::date(&night.run.as_of),
        link: format!("{}.html", night.run.run_id),
        mark: mark(night.run),
        remark: remark(night.run),
        rows: number::count(night.run.n_rows),
        gates: if night.gates.is_empty() {
            "–".to_owned()
        } else {
            say!("site.gates_passed", passed = passed, all = night.gates.len())
        },
        version: night.run.tool_version.clone(),
        reports: night.reports.clone(),
    }
}

/// What became of a run besides its verdict.
fn remark(run: &RunSummary) -> String {
    match run.status {
        Status::Superseded => say!("site.superseded"),
        Status::Pruned => say!("site.pruned"),
        _ => run.error.clone().unwrap_or_default(),
    }
}

#[derive(Debug, Serialize)]
pub(super) struct RunPage {
    title: String,
    pipeline: String,
    mark: Mark,
    sentence: String,
    remark: String,
    reports: Vec<(String, String)>,
    gates: Vec<GateRow>,
    facts: Vec<(String, String)>,
    /// What it was made from, and its place in the chain.
    hashes: Vec<(String, String)>,
    /// Label and page.
    links: Vec<(String, String)>,
    style: &'static str,
}

#[derive(Debug, Serialize)]
struct GateRow {
    gate: String,
    value: String,
    interval: String,
    n: String,
    mark: Mark,
    reason: String,
}

pub(super) fn run(pipeline: &Pipeline<'_>, at: usize) -> RunPage {
    let night = &pipeline.nights[at];
    let run = night.run;
    let page =
        |at: Option<usize>| at.and_then(|at| pipeline.nights.get(at)).map(|night| format!("{}.html", night.run.run_id));
    let by_id = |id: &Option<String>| id.as_ref().map(|id| format!("{id}.html"));
    let links = [
        (say!("site.earlier"), page(at.checked_sub(1))),
        (say!("site.later"), page(Some(at + 1))),
        (say!("site.supersedes"), by_id(&run.supersedes)),
        (say!("site.superseded_by"), by_id(&run.superseded_by)),
    ];
    let text = |name: String, value: &str| (!value.is_empty()).then(|| (name, value.to_owned()));
    let explained = format!("{} {}", run.explain_method, run.explain_scale);
    let facts = [
        text(say!("site.fact_night"), &words::date(&run.as_of)),
        text(say!("site.fact_started"), &run.started_at),
        text(say!("site.fact_finished"), run.finished_at.as_deref().unwrap_or_default()),
        text(say!("site.fact_rows"), &number::count(run.n_rows)),
        text(say!("site.fact_explained_by"), explained.trim()),
        text(say!("site.fact_probity"), &run.tool_version),
    ];
    let hashes = [
        text(say!("site.fact_run"), &run.run_id),
        text(say!("site.fact_config"), &run.config_sha256),
        text(say!("site.fact_model"), &run.model_sha256),
        text(say!("site.fact_data"), &run.data_sha256),
        text(say!("site.fact_chain"), &run.chain_sha256),
    ];
    RunPage {
        title: words::date(&run.as_of),
        pipeline: pipeline.name.to_owned(),
        mark: mark(run),
        sentence: sentence(night),
        remark: remark(run),
        reports: night.reports.clone(),
        gates: night.gates.iter().map(gate_row).collect(),
        facts: facts.into_iter().flatten().collect(),
        hashes: hashes.into_iter().flatten().collect(),
        links: links.into_iter().filter_map(|(label, page)| Some((label, page?))).collect(),
        style: "../site.css",
    }
}

fn gate_row(gate: &Gate) -> GateRow {
    let withheld = gate.reason == WITHHELD;
    GateRow {
        gate: gate.gate.clone(),
        value: trend::value(gate),
        interval: interval(gate),
        n: if withheld { String::new() } else { number::count(gate.n) },
        mark: gate_mark(gate),
        reason: gate.reason.clone(),
    }
}

fn gate_mark(gate: &Gate) -> Mark {
    let class = words::decision_class(gate.decision, &gate.severity);
    Mark { class, icon: icon(class), word: words::finding(class) }
}

fn interval(gate: &Gate) -> String {
    match (gate.ci_low, gate.ci_high) {
        (Some(low), Some(high)) => number::range(words::unit(&gate.metric), low, high),
        _ => String::new(),
    }
}

/// What the gates of a night came to.
fn sentence(night: &Night<'_>) -> String {
    let Some(verdict) = night.run.verdict else { return say!("site.no_verdict") };
    let count = |which: &dyn Fn(&Gate) -> bool| night.gates.iter().filter(|gate| which(gate)).count();
    words::verdict(
        verdict,
        night.gates.len(),
        count(&|gate| gate.decision == Decision::Fail && gate.severity != "warn"),
        count(&|gate| gate.decision == Decision::Fail && gate.severity == "warn"),
        count(&|gate| gate.decision == Decision::Insufficient),
    )
}

/// The gates of the latest night that has any, over all nights.
fn trends(standing: &[&Night<'_>], width: f64, height: f64, pipeline: &str) -> Vec<GateTrend> {
    let latest = standing.iter().rev().find(|night| !night.gates.is_empty());
    let gates = latest.map_or(&[][..], |night| night.gates);
    let one = |(at, gate): (usize, &Gate)| {
        let seen = trend::seen(standing, gate);
        let title = match gate.attribute.as_str() {
            "" => words::metric(&gate.metric),
            by => say!("fairness.by", metric = words::metric(&gate.metric), attribute = by.replace(',', " × ")),
        };
        let first = seen.first().map(|one| words::date(one.as_of)).unwrap_or_default();
        let failed = seen.iter().filter(|one| one.gate.decision != Decision::Pass).count();
        let numbers = seen.iter().rev().map(|one| Number {
            date: words::date(one.as_of),
            value: trend::value(one.gate),
            interval: interval(one.gate),
            mark: gate_mark(one.gate),
        });
        GateTrend {
            id: format!("{pipeline}-{at}"),
            title,
            gate: gate.gate.clone(),
            latest: trend::value(gate),
            mark: gate_mark(gate),
            desc: say!("site.trend_desc", n = seen.len(), first = first, failed = failed, latest = trend::value(gate),),
            chart: trend::draw(&seen, width, height),
            numbers: numbers.collect(),
        }
    };
    gates.iter().enumerate().map(one).collect()
}

/// "audit" of the artifact `report:audit`.
pub(super) fn template_of(artifact: &Artifact) -> String {
    artifact.kind.trim_start_matches("report:").to_owned()
}
