//! What moved since the baseline run: columns and scores, the ranking of features, metrics.

use crate::audit::{Drift, MetricChange, RankChange};
use crate::report::charts::bars::{self, Bar};
use crate::report::charts::slope::{self, Ranked};
use crate::report::charts::{Chart, Figure};
use crate::report::label::{self, Label};
use crate::report::lookup::Lookup;
use crate::report::number::{self, Unit};
use crate::report::table::{Cell, Table};
use crate::report::text::{heads, say};
use crate::report::view::{Note, Part};
use crate::report::words;

const MAX_BARS: usize = 16;
const MAX_SLOPES: usize = 14;
const MAX_ROWS: usize = 120;
/// Conventional readings of the PSI.
const GUIDES: [f64; 2] = [0.1, 0.25];

pub fn parts(lookup: &Lookup) -> Vec<Part> {
    let audit = lookup.audit;
    let titled = |sentence: String| Part { sentences: vec![sentence], ..Part::titled(say!("drift.title")) };
    let Some(baseline) = &audit.baseline else {
        // Audits of versions that kept the distances alone.
        let run_id = audit.drift.first().map(|drift| &drift.baseline_run_id);
        let lede = run_id.map(|run_id| titled(say!("drift.lede_distances", run_id = run_id)));
        return lede
            .map(|lede| Part { sentences: lede.sentences, title: lede.title, ..distances(&audit.drift) })
            .into_iter()
            .collect();
    };
    let since = say!("drift.since", run = &baseline.run_id, date = words::date(&baseline.as_of));
    if !baseline.not_comparable.is_empty() {
        let note = |text: &String| Note { about: say!("word.not_comparable"), text: text.clone() };
        let notes = baseline.not_comparable.iter().map(note).collect();
        return vec![Part { notes, ..titled(say!("drift.lede_none", since = since)) }];
    }
    let own: Vec<Drift> = audit.drift.iter().filter(|d| d.baseline_run_id == baseline.run_id).cloned().collect();
    let mut part = distances(&own);
    part.figures.extend(rank_chart(&baseline.ranks));
    let metrics =
        Part { folded: changes(&say!("drift.metrics"), &baseline.changes).into_iter().collect(), ..Part::default() };
    let Part { title, sentences, .. } = titled(say!("drift.lede", since = since));
    (part.title, part.sentences) = (title, sentences);
    vec![part, metrics]
}

/// Bars, and the table of all distances.
pub fn distances(all: &[Drift]) -> Part {
    let mut part = Part::default();
    part.figures.extend(psi_chart(all));
    part.folded.extend(table(all));
    part
}

/// Population stability index of every feature and of the score, the largest first.
fn psi_chart(all: &[Drift]) -> Option<Figure> {
    let mut psi: Vec<&Drift> = all.iter().filter(|d| d.measure == "psi" && d.value.is_finite()).collect();
    psi.sort_by(|a, b| b.value.total_cmp(&a.value));
    let drawn: Vec<&Drift> = psi.iter().take(MAX_BARS).copied().collect();
    if drawn.is_empty() {
        return None;
    }
    let bar =
        |d: &&Drift| Bar { name: d.place(), value: Some(d.value), interval: None, text: number::fixed(d.value, 3) };
    let mut table = Table::new(say!("drift.psi"), &heads!("column psi"));
    for d in &drawn {
        table.push(Label::fit(&d.place(), 60), vec![Cell::number(number::fixed(d.value, 3))]);
    }
    let convention = say!("drift.psi_convention");
    let shown = words::shown_of("columns", drawn.len(), psi.len());
    let bars: Vec<Bar> = drawn.iter().map(bar).collect();
    Some(Figure {
        id: "fig-drift".into(),
        template: "charts/bars.svg",
        title: say!("drift.psi"),
        desc: say!("drift.psi_desc", convention = &convention),
        note: Some([Some(convention), shown].into_iter().flatten().collect::<Vec<_>>().join(" ")),
        wide: false,
        chart: Chart::Bars(bars::draw_with_guides(&bars, &say!("drift.psi_axis"), &GUIDES)),
        table,
    })
}

/// Ranks before and now of the features that are, or were, the most important.
pub fn rank_chart(ranks: &[RankChange]) -> Option<Figure> {
    if ranks.is_empty() {
        return None;
    }
    let mut sorted: Vec<&RankChange> = ranks.iter().collect();
    sorted.sort_by_key(|rank| (rank.before.min(rank.now), rank.now));
    sorted.truncate(MAX_SLOPES);
    sorted.sort_by_key(|rank| rank.now);
    let mut table = Table::new(
        say!("drift.ranks_table"),
        &heads!("feature rank_before rank_now mean_abs_attribution_before now_later"),
    );
    for rank in &sorted {
        let value = |value| Cell::number(number::significant(value, 3));
        let (before, now) = (Cell::number(rank.before.to_string()), Cell::number(rank.now.to_string()));
        table.push(Label::fit(&rank.feature, 60), vec![before, now, value(rank.value_before), value(rank.value_now)]);
    }
    let ranked = |rank: &&RankChange| Ranked { name: rank.feature.clone(), before: rank.before, now: rank.now };
    Some(Figure {
        id: "fig-ranks".into(),
        template: "charts/slope.svg",
        title: say!("drift.ranks"),
        desc: say!("drift.ranks_desc"),
        note: words::shown_of("features_were_important", sorted.len(), ranks.len()),
        wide: false,
        chart: Chart::Slope(slope::draw(&sorted.iter().map(ranked).collect::<Vec<_>>())),
        table,
    })
}

fn table(all: &[Drift]) -> Option<Table> {
    let mut table = Table::new(say!("drift.distances"), &heads!("column of| measure| value"));
    for d in all.iter().take(MAX_ROWS) {
        let measure = Cell::text(&label::shorten(&words::metric(&d.measure), 60));
        let place = if d.feature.is_empty() { d.subject.clone() } else { d.feature.clone() };
        table.push(
            Label::fit(&place, 60),
            vec![Cell::text(&d.subject), measure, Cell::number(number::fixed(d.value, 4))],
        );
    }
    table.shown = words::shown_of("distances", table.rows.len(), all.len());
    (!table.rows.is_empty()).then_some(table)
}

/// Metrics of both runs with their change; those that changed, in the order of the audit.
pub fn changes(caption: &str, all: &[MetricChange]) -> Option<Table> {
    let moved: Vec<&MetricChange> = all.iter().filter(|c| c.change.is_some_and(|change| change != 0.0)).collect();
    let mut table = Table::new(caption, &heads!("metric of| before now change intervals|"));
    for change in moved.iter().take(MAX_ROWS) {
        let unit = words::unit(&change.metric);
        let of_change = if unit == Unit::Share { Unit::Points } else { unit };
        let value = |value: Option<f64>| value.map_or(Cell::none(), |v| Cell::number(number::with_unit(unit, v)));
        let interval = change.change_low.zip(change.change_high).map(|(low, high)| number::range(of_change, low, high));
        let moved = change.change.map_or(Cell::none(), |v| Cell::number(number::with_unit(of_change, v)));
        let overlap = change.intervals_overlap.map_or_else(String::new, |overlap| match overlap {
            true => say!("drift.overlap"),
            false => say!("drift.apart"),
        });
        let place = [&change.attribute, &change.group_value, &change.stratum, &change.output];
        let place: Vec<&str> = place.into_iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
        table.push(
            Label::fit(&words::metric(&change.metric), 60),
            vec![
                Cell::text(&place.join(" · ")),
                value(change.before),
                value(change.now),
                moved.with_sub(interval),
                Cell::text(&overlap),
            ],
        );
    }
    table.shown = words::shown_of("metrics", table.rows.len(), moved.len());
    (!table.rows.is_empty()).then_some(table)
}
