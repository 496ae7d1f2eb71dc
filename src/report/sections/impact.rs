//! Impact ratios by category: the tables of New York City's Local Law 144.

use crate::audit::Metric;
use crate::privacy::Published;
use crate::report::label::{self, Label};
use crate::report::lookup::{self, Lookup};
use crate::report::number::{self, Unit};
use crate::report::table::{Cell, Table};
use crate::report::text::{heads, say};
use crate::report::view::{Part, Section};
use crate::report::words;

/// Categories of fewer than this share of the rows may be left out of impact ratios (6 RCNY § 5-301).
const MAY_BE_LEFT_OUT: f64 = 0.02;
/// Most categories of one attribute.
const MAX_CATEGORIES: usize = 200;

pub fn section(lookup: &Lookup, published: &Published) -> Option<Section> {
    let attributes = lookup.audit.scope.attributes.iter().map(|scope| scope.attribute.as_str());
    let parts: Vec<Part> = attributes.filter_map(|attribute| part(lookup, published, attribute)).collect();
    let lede = say!("impact_ratios.lede");
    let nothing = Part { sentences: vec![say!("impact_ratios.none")], ..Part::default() };
    let parts = if parts.is_empty() { vec![nothing] } else { parts };
    Some(Section::of("impact-ratios", say!("impact_ratios.title"), parts)?.with_lede(lede))
}

fn part(lookup: &Lookup, published: &Published, attribute: &str) -> Option<Part> {
    let groups = lookup.groups(attribute);
    let known: Vec<&str> = groups.iter().copied().filter(|group| lookup::is_known(group)).collect();
    let rates: Vec<Category> = known.iter().map(|group| Category::new(lookup, attribute, group)).collect();
    rates.iter().find(|category| category.selection.is_some())?;
    let mut table = Table::new(
        say!("fairness.ratios", attribute = label::attribute(attribute)),
        &heads!("category rows selected selection_rate impact_ratio scoring_rate scoring_impact_ratio"),
    );
    let (best_selection, best_scoring) = (highest(&rates, |c| c.selection), highest(&rates, |c| c.scoring));
    for category in rates.iter().take(MAX_CATEGORIES) {
        table.push(category.label(attribute), category.cells(lookup, best_selection, best_scoring));
        if let Some(row) = table.rows.last_mut() {
            row.remark = category.remark(lookup.audit.scope.documents.least_share);
        }
    }
    for entry in &published.log {
        if entry.attribute == attribute && entry.what == "everything" && lookup::is_known(&entry.group) {
            table.push(Label::fit(&lookup::name(attribute, &entry.group), 60), vec![Cell::withheld(); 6]);
        }
    }
    table.shown = words::shown_of("categories", rates.len().min(MAX_CATEGORIES), rates.len());
    let sentences = vec![unknown(lookup, attribute)];
    Some(Part { sentences, tables: vec![table], ..Part::titled(label::attribute(attribute)) })
}

fn unknown(lookup: &Lookup, attribute: &str) -> String {
    let scope = lookup.audit.scope.attributes.iter().find(|scope| scope.attribute == attribute);
    match scope.and_then(|scope| scope.n_unknown) {
        Some(n) => say!("impact_ratios.unknown", n = n),
        None => say!("impact_ratios.unknown_withheld"),
    }
}

/// One category with its rates.
struct Category<'a> {
    group: &'a str,
    n: u64,
    share: f64,
    is_left_out: bool,
    selection: Option<&'a Metric>,
    scoring: Option<&'a Metric>,
}

impl<'a> Category<'a> {
    fn new(lookup: &Lookup<'a>, attribute: &str, group: &'a str) -> Self {
        let n = lookup.n(attribute, group);
        let share = if lookup.audit.run.n_rows > 0 { n as f64 / lookup.audit.run.n_rows as f64 } else { 0.0 };
        Self {
            group,
            n,
            share,
            is_left_out: share < lookup.audit.scope.documents.least_share,
            selection: lookup.metric("favourable_rate", attribute, group),
            scoring: lookup.metric("scoring_rate", attribute, group),
        }
    }

    fn label(&self, attribute: &str) -> Label {
        Label::fit(&lookup::name(attribute, self.group), 60)
    }

    fn remark(&self, least_share: f64) -> Option<String> {
        let percent = |share: f64| number::with_unit(Unit::Share, share);
        if self.is_left_out {
            return Some(say!("impact_ratios.left_out", share = percent(least_share)));
        }
        (self.share < MAY_BE_LEFT_OUT).then(|| say!("impact_ratios.may_be_left_out", share = percent(MAY_BE_LEFT_OUT)))
    }

    fn cells(&self, lookup: &Lookup, best_selection: Option<f64>, best_scoring: Option<f64>) -> Vec<Cell> {
        vec![
            Cell::count(self.n),
            self.selected(lookup),
            Cell::metric(Unit::Share, self.selection),
            self.ratio(self.selection, best_selection),
            Cell::metric(Unit::Share, self.scoring),
            self.ratio(self.scoring, best_scoring),
        ]
    }

    /// Rows decided favourably, unweighted.
    fn selected(&self, lookup: &Lookup) -> Cell {
        let favourable_is_positive = lookup.audit.scope.documents.favourable_is_positive;
        match self.selection.and_then(|metric| metric.n_predicted_positive) {
            Some(n) if favourable_is_positive => Cell::count(n),
            Some(n) => Cell::count(self.n.saturating_sub(n)),
            None if self.selection.is_some_and(|metric| metric.value.is_none()) => {
                Cell::metric(Unit::Share, self.selection)
            }
            None => Cell::none(),
        }
    }

    fn ratio(&self, rate: Option<&Metric>, best: Option<f64>) -> Cell {
        match (rate.and_then(|metric| metric.value), best) {
            _ if self.is_left_out => Cell::number(say!("impact_ratios.is_left_out")),
            (Some(rate), Some(best)) => Cell::number(number::plain(Unit::Ratio, rate / best)),
            (Some(_), None) => Cell::undefined(Some(&say!("impact_ratios.no_rate"))),
            (None, _) => Cell::metric(Unit::Ratio, rate),
        }
    }
}

/// The highest rate among the categories that count.
fn highest<'a>(categories: &[Category<'a>], rate: impl Fn(&Category<'a>) -> Option<&'a Metric>) -> Option<f64> {
    let rates = categories.iter().filter(|c| !c.is_left_out).filter_map(|c| rate(c)?.value);
    rates.max_by(f64::total_cmp).filter(|rate| *rate > 0.0)
}
