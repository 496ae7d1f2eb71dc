//! Second opinions: what other methods say of the same model, how sure they are, and where they differ.

use super::agreement;
use super::drivers::short_scale_of;
use crate::audit::{Case, CaseTerm, Further, Proof};
use crate::report::label::{self, Label};
use crate::report::lookup::Lookup;
use crate::report::number;
use crate::report::table::{Cell, Column, Table};
use crate::report::text::{heads, say};
use crate::report::view::{Part, Section};
use crate::report::words;

/// Features in a case's table.
const MAX_FEATURES: usize = 10;
/// Cases with a table.
const MAX_CASES: usize = 6;

pub fn section(lookup: &Lookup) -> Option<Section> {
    let parts = vec![
        methods(lookup),
        agreement::matrix(lookup),
        agreement::trial(lookup),
        agreement::sensitivity(lookup),
        cases(lookup),
    ];
    let lede = say!("opinions.lede");
    Some(Section::of("opinions", say!("opinions.title"), parts)?.with_lede(lede))
}

/// Every method with what can be said for it.
fn methods(lookup: &Lookup) -> Part {
    let audit = lookup.audit;
    if audit.also.is_empty() && audit.proof.local_fit.is_none() {
        return Part::default();
    }
    let columns = heads!("method rows scale| adds_up_to_within mean_local_r stability");
    let mut table = Table::new(say!("opinions.table"), &columns);
    for proof in proofs(lookup) {
        table.push(Label::fit(&words::explainer(&proof.method), 60), method_cells(lookup, proof));
    }
    let has_fits = proofs(lookup).any(|proof| proof.local_fit.is_some());
    let fits = say!("opinions.fits");
    Part {
        sentences: if has_fits { vec![fits] } else { Vec::new() },
        tables: vec![table],
        ..Part::titled(say!("opinions.methods"))
    }
}

fn proofs<'a>(lookup: &Lookup<'a>) -> impl Iterator<Item = &'a Proof> {
    std::iter::once(&lookup.audit.proof).chain(lookup.audit.also.iter().map(|further| &further.proof))
}

fn method_cells(lookup: &Lookup, proof: &Proof) -> Vec<Cell> {
    let share = |value: Option<f64>| value.map_or(Cell::none(), |value| Cell::number(number::fixed(value, 2)));
    let fit = proof.local_fit.clone().unwrap_or_default();
    vec![
        Cell::count(proof.n_explained),
        Cell::text(&short_scale_of(lookup, &proof.scale)),
        proof.additivity_gap.map_or(Cell::none(), |gap| Cell::number(number::tiny(gap))),
        share(fit.mean_r2),
        share(fit.mean_stability),
    ]
}

/// The main method's cases beside what the others say of them.
fn cases(lookup: &Lookup) -> Part {
    let audit = lookup.audit;
    if audit.also.iter().all(|further| further.cases.is_empty()) {
        return Part::default();
    }
    let tables = audit.cases.iter().take(MAX_CASES).map(|case| beside(lookup, case)).collect();
    Part { folded: tables, ..Part::titled(say!("opinions.rows")) }
}

fn beside(lookup: &Lookup, case: &Case) -> Table {
    let audit = lookup.audit;
    let others: Vec<(&Further, &Case)> = audit.also.iter().filter_map(|it| Some((it, same(it, case)?))).collect();
    let caption =
        say!("cases.row", row = label::shorten(&case.row_id, 40), chosen_as = label::shorten(&case.chosen_as, 60));
    let mut table = Table::new(caption, &heads!("feature value|"));
    let methods = std::iter::once(audit.proof.method.as_str());
    let methods = methods.chain(others.iter().map(|(further, _)| further.proof.method.as_str()));
    table.columns.extend(methods.map(|method| Column::new(words::explainer(method), true)));
    let mut terms: Vec<&CaseTerm> = case.terms.iter().collect();
    terms.sort_by(|a, b| b.attribution.abs().total_cmp(&a.attribution.abs()));
    table.shown = words::shown_of("features_largest_attributions", terms.len().min(MAX_FEATURES), terms.len());
    for term in terms.into_iter().take(MAX_FEATURES) {
        let mut cells = vec![Cell::text(&term.feature_value), cell(case, Some(term))];
        cells.extend(
            others.iter().map(|(_, other)| cell(other, other.terms.iter().find(|found| found.feature == term.feature))),
        );
        table.push(Label::fit(&term.feature, 60), cells);
    }
    table
}

/// The same row and output as another method explains it.
fn same<'a>(further: &'a Further, case: &Case) -> Option<&'a Case> {
    let same = |other: &&Case| other.row_id == case.row_id && other.chosen_as == case.chosen_as;
    further.cases.iter().find(same)
}

fn cell(case: &Case, term: Option<&CaseTerm>) -> Cell {
    let Some(term) = term else { return Cell::none() };
    let largest = case.terms.iter().map(|term| term.attribution.abs()).fold(0.0, f64::max);
    let condition = term.term.as_deref().map(|term| label::shorten(term, 40));
    Cell::number(number::signed(term.attribution, number::decimals_of_parts(largest))).with_sub(condition)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    #[test]
    fn another_methods_values_stand_beside_the_main_ones_with_their_conditions() {
        let audit = example::binary();
        let part = cases(&Lookup::new(&audit));
        let row = &part.folded[0].rows[0];
        assert_eq!(row.head.text, "age");
        let told: Vec<_> = row.cells.iter().map(|cell| (cell.text.as_str(), cell.sub.as_deref())).collect();
        assert_eq!(told, [("48", None), ("+4.50", None), ("+0.200", Some("age > 45"))]);
    }

    #[test]
    fn a_run_of_one_shapley_method_has_no_second_opinion() {
        let mut audit = example::binary();
        audit.also.clear();
        assert!(section(&Lookup::new(&audit)).is_none());
    }
}
