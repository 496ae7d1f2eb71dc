//! Gates and key metrics from night to night: series of what runs told, and their sparklines.

use crate::audit::{Decision, LimitOn, Night, NightGate, NightMetric, Seen};
use crate::privacy;
use crate::report::charts::sparks::{self, Point, Spark};
use crate::report::charts::{Chart, Figure};
use crate::report::label::{self, Label};
use crate::report::lookup::Lookup;
use crate::report::number::{self, Unit};
use crate::report::sections::verdict::icon;
use crate::report::table::{Cell, Column, Table};
use crate::report::text::{heads, say};
use crate::report::words;

/// Most gates and metrics drawn.
const MAX_GATES: usize = 11;
const MAX_METRICS: usize = 8;
/// Sparklines in one figure.
const PER_FIGURE: usize = 4;

/// One number of every night, the last of them this run's.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// "Demographic parity ratio by sex".
    pub name: String,
    /// The gate as a sentence; empty for a metric.
    pub gate: String,
    pub unit: Unit,
    pub points: Vec<SeriesPoint>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct SeriesPoint {
    pub as_of: String,
    /// `None`: the night did not ask for it.
    pub seen: Option<Seen>,
    pub decision: Option<Decision>,
    /// Of the decision's mark; "none" without one.
    pub class: &'static str,
    /// On the value; limits on changes have no place among values.
    pub limit: Option<f64>,
}

/// The nights of a pipeline up to this run.
pub struct Nights {
    nights: Vec<Night>,
}

impl Nights {
    /// `None` for the first night of a pipeline.
    pub fn of(lookup: &Lookup) -> Option<Self> {
        let audit = lookup.audit;
        let nights: Vec<Night> = audit.history.iter().cloned().chain([privacy::night(audit)]).collect();
        (nights.len() > 1).then_some(Self { nights })
    }

    pub fn n_nights(&self) -> usize {
        self.nights.len()
    }

    pub fn dates(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.nights.iter().map(|night| night.as_of.as_str())
    }

    pub fn verdicts(&self) -> impl DoubleEndedIterator<Item = (&str, Decision)> {
        self.nights.iter().map(|night| (night.as_of.as_str(), night.verdict))
    }

    fn last(&self) -> Option<&Night> {
        self.nights.last()
    }

    /// A series for each gate of this run.
    pub fn gates(&self) -> Vec<Series> {
        let of_night = |night: &Night, gate: &NightGate| {
            let same = night.gates.iter().find(|other| key(other) == key(gate));
            SeriesPoint {
                as_of: night.as_of.clone(),
                seen: same.map(|same| same.seen),
                decision: same.map(|same| same.decision),
                class: same.map_or("none", |same| words::decision_class(same.decision, &same.severity)),
                limit: same.filter(|same| same.limit_on == LimitOn::Value).map(|same| same.limit),
            }
        };
        let series = |gate: &NightGate| Series {
            name: name(&gate.metric, &gate.attribute, "", false),
            gate: gate.gate.clone(),
            unit: words::unit(&gate.metric),
            points: self.nights.iter().map(|night| of_night(night, gate)).collect(),
        };
        self.last().map(|last| last.gates.iter().map(series).collect()).unwrap_or_default()
    }

    /// A series for each key metric of this run that no gate watches.
    pub fn metrics(&self, lookup: &Lookup) -> Vec<Series> {
        let of_night = |night: &Night, metric: &NightMetric| {
            let same = |other: &&NightMetric| {
                (&other.metric, &other.attribute, &other.output) == (&metric.metric, &metric.attribute, &metric.output)
            };
            let seen = night.metrics.iter().find(same).map(|same| same.seen);
            SeriesPoint { as_of: night.as_of.clone(), seen, decision: None, class: "none", limit: None }
        };
        let series = |metric: &NightMetric| Series {
            name: name(&metric.metric, &metric.attribute, &metric.output, lookup.is_regression()),
            gate: String::new(),
            unit: lookup.unit(&metric.metric),
            points: self.nights.iter().map(|night| of_night(night, metric)).collect(),
        };
        let Some(last) = self.last() else { return Vec::new() };
        let watched = |metric: &&NightMetric| {
            let same = |gate: &&NightGate| gate.metric == metric.metric && gate.attribute == metric.attribute;
            last.gates.iter().any(|gate| same(&gate))
        };
        last.metrics.iter().filter(|metric| !watched(metric)).map(series).collect()
    }
}

fn key(gate: &NightGate) -> words::GateKey<'_> {
    words::gate_key(&gate.gate, (&gate.metric, &gate.attribute), gate.limit_on, &gate.severity)
}

fn name(metric: &str, attribute: &str, output: &str, is_regression: bool) -> String {
    let metric = words::of_classes(words::metric_for(metric, is_regression), output);
    match attribute {
        "" => metric,
        attribute => say!("fairness.by", metric = metric, attribute = label::attribute(attribute)),
    }
}

impl SeriesPoint {
    pub fn value(&self) -> Option<f64> {
        self.seen?.value
    }

    pub fn interval(&self) -> Option<(f64, f64)> {
        self.seen.and_then(|seen| seen.ci_low.zip(seen.ci_high))
    }

    /// "0.36", "withheld", "undefined", or "–" where the night did not ask.
    pub fn text(&self, unit: Unit) -> String {
        match self.seen {
            None => "–".to_owned(),
            Some(Seen { withheld: true, .. }) => say!("word.withheld"),
            Some(Seen { value: None, .. }) => say!("word.undefined"),
            Some(Seen { value: Some(value), .. }) => match self.limit {
                Some(limit) => number::apart(unit, value, limit).0,
                None => number::with_unit(unit, value),
            },
        }
    }
}

/// Verdicts and gates in the first figures, then the key metrics.
pub fn figures(lookup: &Lookup, nights: &Nights) -> Vec<Figure> {
    let (gates, metrics) = (nights.gates(), nights.metrics(lookup));
    let drawn_gates = &gates[..gates.len().min(MAX_GATES)];
    let drawn_metrics = &metrics[..metrics.len().min(MAX_METRICS)];
    let verdicts = (!gates.is_empty()).then(|| verdicts(nights));
    let of_gates: Vec<Series> = verdicts.into_iter().chain(drawn_gates.iter().cloned()).collect();
    let of_gate = words::shown_of("gates", drawn_gates.len(), gates.len());
    let of_metric = words::shown_of("metrics_telling", drawn_metrics.len(), metrics.len());
    let gates = even(&of_gates).map(|rows| (say!("nights.gates"), rows, &of_gate));
    let metrics = even(drawn_metrics).map(|rows| (say!("nights.metrics"), rows, &of_metric));
    let figure = |(at, (title, rows, shown)): (usize, (String, &[Series], &Option<String>))| {
        figure(at, title, rows, nights, shown.as_deref())
    };
    gates.chain(metrics).enumerate().map(figure).collect()
}

/// As few figures as there is room for, with about as many rows each.
fn even(rows: &[Series]) -> impl Iterator<Item = &[Series]> {
    let n_figures = rows.len().div_ceil(PER_FIGURE).max(1);
    rows.chunks(rows.len().div_ceil(n_figures).max(1))
}

/// The verdicts as a row of marks.
fn verdicts(nights: &Nights) -> Series {
    let point = |(as_of, verdict): (&str, Decision)| SeriesPoint {
        as_of: as_of.to_owned(),
        seen: None,
        decision: Some(verdict),
        class: words::decision_class(verdict, "fail"),
        limit: None,
    };
    Series {
        name: say!("column.verdict"),
        gate: String::new(),
        unit: Unit::Value,
        points: nights.verdicts().map(point).collect(),
    }
}

fn figure(at: usize, title: String, rows: &[Series], nights: &Nights, shown: Option<&str>) -> Figure {
    let first = nights.dates().next().unwrap_or_default();
    let last = nights.dates().next_back().unwrap_or_default();
    let (from, to) = (words::date(first), words::date(last));
    let drawn: Vec<Spark> = rows.iter().map(spark).collect();
    let is_judged = rows.iter().any(|row| row.points.iter().any(|point| point.decision.is_some()));
    let n = nights.n_nights();
    let note = match is_judged {
        true => say!("nights.note_gates", n = n, from = &from, to = &to),
        false => say!("nights.note", n = n, from = &from, to = &to),
    };
    let latest: Vec<String> = drawn.iter().map(|spark| format!("{}: {}", spark.name, spark.text)).collect();
    Figure {
        id: format!("fig-nights-{at}"),
        template: "charts/sparks.svg",
        desc: say!("nights.desc", from = &from, to = &to, latest = latest.join("; ")),
        note: Some([Some(note.as_str()), shown].into_iter().flatten().collect::<Vec<_>>().join(" ")),
        wide: false,
        chart: Chart::Sparks(sparks::draw(&drawn, (day(first), &from), (day(last), &to))),
        table: numbers(&title, rows, nights),
        title,
    }
}

fn spark(series: &Series) -> Spark {
    let marks_only = series.points.iter().all(|point| point.seen.is_none());
    let point = |point: &SeriesPoint| Point {
        day: day(&point.as_of),
        value: point.value(),
        interval: point.interval(),
        class: point.class,
        title: told(series, point, marks_only),
    };
    let last = series.points.last();
    let word = last.and_then(|last| Some((last.decision?, last.class)));
    let text = match (last, word) {
        (Some(_), Some((decision, _))) if marks_only => words::decision(decision),
        (Some(last), Some((_, class))) => format!("{} · {}", last.text(series.unit), words::finding(class)),
        (Some(last), None) => last.text(series.unit),
        (None, _) => String::new(),
    };
    let limit = last.and_then(|last| {
        let limit = last.limit?;
        Some((limit, say!("gates.limit", limit = number::apart(series.unit, limit, last.value().unwrap_or(limit)).0)))
    });
    Spark {
        name: series.name.clone(),
        class: last.map_or("none", |last| last.class),
        text,
        limit,
        points: series.points.iter().map(point).collect(),
        marks_only,
    }
}

/// "21 November 2026: 0.36 (0.33–0.39), Failed".
fn told(series: &Series, point: &SeriesPoint, marks_only: bool) -> String {
    let date = words::date(&point.as_of);
    if marks_only {
        return format!("{date}: {}", point.decision.map_or_else(String::new, words::decision));
    }
    let interval = point.interval().map(|(low, high)| format!(" ({})", number::range(series.unit, low, high)));
    let word = point.decision.map(|_| format!(", {}", words::finding(point.class)));
    format!("{date}: {}{}{}", point.text(series.unit), interval.unwrap_or_default(), word.unwrap_or_default())
}

/// A row a night, the latest first.
fn numbers(title: &str, rows: &[Series], nights: &Nights) -> Table {
    let mut table = Table::new(title, &heads!("night"));
    table.columns.extend(rows.iter().map(|series| Column::new(label::shorten(&series.name, 60), true)));
    for at in (0..nights.n_nights()).rev() {
        let Some(date) = nights.dates().nth(at) else { continue };
        let cells = rows.iter().map(|series| cell(series, at)).collect();
        table.push(Label::fit(&words::date(date), 40), cells);
    }
    table
}

fn cell(series: &Series, at: usize) -> Cell {
    let Some(point) = series.points.get(at) else { return Cell::none() };
    let mark = point.decision.map(|_| (point.class, icon(point.class)));
    let text = match (point.seen, point.decision) {
        (None, Some(decision)) => words::decision(decision),
        _ => point.text(series.unit),
    };
    let interval = point.interval().map(|(low, high)| number::range(series.unit, low, high));
    Cell { mark, ..Cell::number(text).with_sub(interval) }
}

/// Days since 1970 of a date as stored (the calendar of eras of 400 years); the first day for what is no date.
fn day(date: &str) -> f64 {
    let mut parts = date.split('-').map(|part| part.parse::<i64>().ok());
    let (Some(year), Some(month), Some(day)) = (parts.next().flatten(), parts.next().flatten(), parts.next().flatten())
    else {
        return 0.0;
    };
    // Years begin in March, so that the leap day is the last.
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    (era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    #[test]
    fn days_follow_the_calendar() {
        assert_eq!((day("1970-01-01"), day("1970-01-02"), day("2000-03-01")), (0.0, 1.0, 11_017.0));
        assert_eq!(day("2028-03-01") - day("2028-02-28"), 2.0);
        assert_eq!(day("2100-03-01") - day("2100-02-28"), 1.0);
        assert_eq!(day("tonight"), 0.0);
    }

    #[test]
    fn the_first_night_has_no_history() {
        let mut audit = example::binary();
        audit.history.clear();
        assert!(Nights::of(&Lookup::new(&audit)).is_none());
    }

    #[test]
    fn a_gate_is_followed_through_moved_limits_and_nights_that_did_not_ask() {
        let mut audit = example::binary();
        audit.history[0].gates[0].limit = 0.7;
        audit.history[0].gates[0].gate = "demographic_parity_ratio over sex ≥ 0.7".into();
        audit.history[1].gates.clear();
        let series = Nights::of(&Lookup::new(&audit)).unwrap().gates().remove(0);
        assert_eq!(series.points[0].limit, Some(0.7));
        assert_eq!((series.points[1].seen, series.points[1].class), (None, "none"));
        assert_eq!(series.points[2].decision, Some(Decision::Fail));
    }

    #[test]
    fn a_metric_that_a_gate_watches_is_drawn_once() {
        let audit = example::binary();
        let lookup = Lookup::new(&audit);
        let nights = Nights::of(&lookup).unwrap();
        let names: Vec<String> = nights.metrics(&lookup).into_iter().map(|series| series.name).collect();
        assert_eq!(names, ["Accuracy", "ROC AUC"]);
    }

    #[test]
    fn what_was_withheld_is_said_and_not_drawn() {
        let mut audit = example::binary();
        audit.history[1].gates[0].seen = Seen { withheld: true, ..Seen::default() };
        let lookup = Lookup::new(&audit);
        let nights = Nights::of(&lookup).unwrap();
        let figure = figures(&lookup, &nights).remove(0);
        assert_eq!(figure.table.rows[1].cells[1].text, "withheld");
        let Chart::Sparks(chart) = figure.chart else { panic!("sparklines") };
        assert_eq!(chart.rows[1].lines.len(), 2, "{:?}", chart.rows[1].lines);
    }
}
