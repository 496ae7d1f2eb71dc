//! One decision as a page: what drove its score, the principal reasons, and the same row's earlier runs.

use super::label::{self, Label};
use super::lookup::Lookup;
use super::number;
use super::sections::{self, cases};
use super::table::{Cell, Table};
use super::templates::{self, ReportError};
use super::view::{Part, Section, View};
use super::words;
use crate::audit::{Audit, Case, CaseTerm};
use crate::privacy;
use crate::report::text::{heads, say};

/// What is known of one row.
#[derive(Debug, Clone)]
pub struct Decision {
    /// One an explained output; of one row.
    pub cases: Vec<Case>,
    /// What pushed away from the favourable outcome, the strongest first.
    pub reasons: Vec<CaseTerm>,
    /// The latest first.
    pub earlier: Vec<Earlier>,
    pub notes: Vec<String>,
}

/// The same row in an earlier run.
#[derive(Debug, Clone)]
pub struct Earlier {
    /// `YYYY-MM-DD`.
    pub as_of: String,
    pub run_id: String,
    /// Probability or value.
    pub score: f64,
    /// Largest attributions, as "age = 17".
    pub drivers: Vec<String>,
}

/// Draws one row's decision as one self-contained HTML document. `audit` is that of the run.
///
/// # Errors
/// A broken template, which is named with its line.
pub fn render(audit: &Audit, decision: &Decision) -> Result<String, ReportError> {
    templates::print(&view(audit, decision), "decision", None)
}

fn view(audit: &Audit, decision: &Decision) -> View {
    let published = privacy::published(audit);
    let audit = &published.audit;
    let (lookup, run) = (Lookup::new(audit), &audit.run);
    let row_id = decision.cases.first().map_or("", |case| case.row_id.as_str());
    let all = [drivers(&lookup, decision), reasons(decision), earlier(&lookup, decision)];
    View {
        lang: say!("language"),
        logo: None,
        title: Label::whole(&say!("decision_page.row", row_id = row_id), 120),
        eyebrow: say!(
            "decision_page.eyebrow",
            pipeline = label::shorten(&run.pipeline, 60),
            date = words::date(&run.as_of)
        ),
        description: audit.scope.description.clone(),
        verdict: sections::verdict::headline(audit),
        sections: all.into_iter().flatten().collect(),
        pipeline: audit.run.pipeline.clone(),
        as_of: words::date(&audit.run.as_of),
        annexes: Vec::new(),
        document: None,
        colophon: say!("decision_page.colophon", run = &run.run_id, version = &run.tool_version),
    }
}

fn drivers(lookup: &Lookup, decision: &Decision) -> Option<Section> {
    let figures = decision.cases.iter().enumerate().map(|(at, case)| cases::figure(lookup, at, case)).collect();
    let lede = say!("decision_page.drivers_lede");
    Some(
        Section::of("drivers", say!("decision_page.drivers"), vec![Part { figures, ..Part::default() }])?
            .with_lede(lede),
    )
}

fn reasons(decision: &Decision) -> Option<Section> {
    let largest = decision.reasons.iter().map(|term| term.attribution.abs()).fold(0.0, f64::max);
    let decimals = number::decimals_of_parts(largest);
    let mut table = Table::new(say!("decision_page.reasons"), &heads!("feature value| attribution"));
    for term in &decision.reasons {
        let attribution = Cell::number(number::signed(term.attribution, decimals));
        table.push(Label::fit(&term.feature, 60), vec![Cell::text(&term.feature_value), attribution]);
    }
    let tables = if table.rows.is_empty() { Vec::new() } else { vec![table] };
    let lede = say!("decision_page.reasons_lede");
    let part = Part { tables, ..Part::default() };
    Some(Section::of("reasons", say!("reasons.title"), vec![part])?.with_lede(lede))
}

fn earlier(lookup: &Lookup, decision: &Decision) -> Option<Section> {
    let mut table = Table::new(say!("decision_page.earlier"), &heads!("date score strongest|"));
    for run in &decision.earlier {
        let score = match lookup.is_regression() {
            true => number::plain(number::Unit::Value, run.score),
            false => number::probability(run.score),
        };
        let drivers = Cell::text(&run.drivers.join("; "));
        table.push(Label::fit(&words::date(&run.as_of), 40), vec![Cell::number(score), drivers]);
    }
    let tables = if table.rows.is_empty() { Vec::new() } else { vec![table] };
    Section::of(
        "earlier",
        say!("earlier.title"),
        vec![Part { tables, sentences: decision.notes.clone(), ..Part::default() }],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    #[test]
    fn a_page_names_row_reasons_and_earlier_scores_and_nothing_is_loaded() {
        let audit = example::binary();
        let case = audit.cases[0].clone();
        let decision = Decision {
            reasons: case.terms.iter().take(2).cloned().collect(),
            cases: vec![Case { row_id: "<script>17".into(), ..case.clone() }],
            earlier: vec![Earlier {
                as_of: "2026-11-01".into(),
                run_id: "r".into(),
                score: 0.25,
                drivers: vec!["age = 17".into()],
            }],
            notes: vec![],
        };
        let html = render(&audit, &decision).unwrap();
        for part in
            ["Row &lt;script&gt;17", "Principal reasons", "1 November 2026", "age = 17", case.terms[0].feature.as_str()]
        {
            assert!(html.contains(part), "{part}");
        }
        assert_eq!(html.matches("<script").count(), 1, "that of the page");
        assert!(!html.contains("http://") && !html.contains("https://"));
    }
}
