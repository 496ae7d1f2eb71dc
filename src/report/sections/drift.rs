//! What moved since the baseline run: scores, features, attributions.

use crate::audit::Drift;
use crate::report::charts::bars::{self, Bar};
use crate::report::charts::{Chart, Figure};
use crate::report::label::{self, Label};
use crate::report::lookup::Lookup;
use crate::report::number;
use crate::report::table::{Cell, Table};
use crate::report::view::{Part, Section};
use crate::report::words;

const MAX_BARS: usize = 16;
const MAX_ROWS: usize = 120;

pub fn section(lookup: &Lookup) -> Option<Section> {
    let all = &lookup.audit.drift;
    let mut part = Part::default();
    part.figures.extend(psi_chart(all));
    part.tables.extend(table(all));
    let baseline = &all.first()?.baseline_run_id;
    let lede = format!("Distances between the distributions of this run and of run {baseline}; 0 is no change.");
    Some(Section::of("drift", "Since the baseline run", vec![part])?.with_lede(lede))
}

/// Population stability index of every feature and of the score, the largest first.
fn psi_chart(all: &[Drift]) -> Option<Figure> {
    let mut psi: Vec<&Drift> = all.iter().filter(|d| d.measure == "psi" && d.value.is_finite()).collect();
    psi.sort_by(|a, b| b.value.total_cmp(&a.value));
    let drawn: Vec<&Drift> = psi.iter().take(MAX_BARS).copied().collect();
    if drawn.is_empty() {
        return None;
    }
    let bar = |d: &&Drift| Bar { name: name(d), value: Some(d.value), interval: None, text: number::fixed(d.value, 3) };
    let mut table = Table::new("Population stability index", &["Column", "PSI"]);
    for d in &drawn {
        table.push(Label::fit(&name(d), 60), vec![Cell::number(number::fixed(d.value, 3))]);
    }
    Some(Figure {
        id: "fig-drift".into(),
        template: "charts/bars.svg",
        title: "Population stability index".into(),
        desc: "How far each column's distribution moved since the baseline run; longer bars moved more.".into(),
        note: words::shown(drawn.len(), psi.len(), "columns", "those that moved most"),
        wide: false,
        chart: Chart::Bars(bars::draw(&drawn.iter().map(bar).collect::<Vec<_>>(), "population stability index")),
        table,
    })
}

fn table(all: &[Drift]) -> Option<Table> {
    let mut table = Table::new("Drift since the baseline run", &["Column", "Of|", "Measure|", "Value"]);
    for d in all.iter().take(MAX_ROWS) {
        let measure = Cell::text(&label::shorten(&d.measure, 40).to_uppercase());
        table.push(
            Label::fit(&name(d), 60),
            vec![Cell::text(&d.subject), measure, Cell::number(number::fixed(d.value, 4))],
        );
    }
    table.shown = words::shown(table.rows.len(), all.len(), "distances", "in the order of the catalogue");
    (!table.rows.is_empty()).then_some(table)
}

fn name(drift: &Drift) -> String {
    if drift.feature.is_empty() { drift.subject.clone() } else { drift.feature.clone() }
}
