//! Single rows: a waterfall and the reasons, strongest first.

use super::drivers::short_scale;
use crate::audit::{Case, CaseFit, CaseTerm};
use crate::report::charts::waterfall::{self, Step, Waterfall};
use crate::report::charts::{Chart, Figure};
use crate::report::label::{self, Label};
use crate::report::lookup::Lookup;
use crate::report::number::{self, Unit};
use crate::report::table::{Cell, Table};
use crate::report::text::{heads, say};
use crate::report::view::{Part, Section};
use crate::report::words;

/// Most cases shown.
const MAX_CASES: usize = 12;
const MAX_TERMS: usize = 9;
/// What stands for features that were not kept one by one, as in the stored rows.
const OTHER: &str = "(other)";
/// Most reasons in a row's table.
const MAX_REASONS: usize = 50;

pub fn section(lookup: &Lookup) -> Option<Section> {
    let all = &lookup.audit.cases;
    let part = Part {
        figures: all.iter().take(MAX_CASES).enumerate().map(|(at, case)| figure(lookup, at, case)).collect(),
        sentences: words::shown_of("cases", all.len().min(MAX_CASES), all.len()).into_iter().collect(),
        ..Part::default()
    };
    let lede = say!("cases.lede");
    Some(Section::of("cases", say!("cases.title"), vec![part])?.with_lede(lede))
}

/// Draws one case; `at` tells its figure from others of the page.
pub fn figure(lookup: &Lookup, at: usize, case: &Case) -> Figure {
    let terms = sorted(case);
    let title =
        say!("cases.row", row = label::shorten(&case.row_id, 40), chosen_as = label::shorten(&case.chosen_as, 60));
    Figure {
        id: format!("fig-case-{at}"),
        template: "charts/waterfall.svg",
        desc: say!(
            "cases.desc",
            reasons = terms.iter().take(4).map(|term| reason(term)).collect::<Vec<_>>().join("; ")
        ),
        note: Some(note(lookup, case)),
        wide: false,
        chart: Chart::Waterfall(draw(lookup, case, &terms)),
        table: reasons(
            &say!("cases.table", row = label::shorten(&case.row_id, 40), chosen_as = &case.chosen_as),
            case,
            &terms,
        ),
        title,
    }
}

fn sorted(case: &Case) -> Vec<&CaseTerm> {
    let mut terms: Vec<&CaseTerm> = case.terms.iter().collect();
    terms.sort_by(|a, b| b.attribution.abs().total_cmp(&a.attribution.abs()));
    terms
}

/// "Score 97.3 % for >50K · label >50K · strongest reasons: …"
fn note(lookup: &Lookup, case: &Case) -> String {
    let score = match lookup.is_regression() {
        true => say!("cases.predicted", value = number::plain(Unit::Value, case.score)),
        false => {
            let (score, output) = (number::probability(case.score), label::shorten(&case.output, 40));
            say!("cases.score", score = score, output = output)
        }
    };
    let told = match &case.label {
        Some(label) => say!("cases.told_with_label", score = score, label = label::shorten(label, 40)),
        None => say!("cases.told", score = score),
    };
    told + &case.local_fit.as_ref().map(|fit| format!(" {}", surrogate(fit))).unwrap_or_default()
}

/// How well the row's surrogate fits.
fn surrogate(fit: &CaseFit) -> String {
    let says = number::fixed(fit.local_prediction, number::decimals_of_parts(fit.local_prediction.abs()));
    let share = |value: f64| number::fixed(value, 2);
    match (fit.r2.map(share), fit.stability.map(share)) {
        (Some(r2), Some(stability)) => say!("cases.surrogate", value = says, r2 = r2, stability = stability),
        (Some(r2), None) => say!("cases.surrogate_r2", value = says, r2 = r2),
        (None, Some(stability)) => say!("cases.surrogate_stability", value = says, stability = stability),
        (None, None) => say!("cases.surrogate_alone", value = says),
    }
}

fn reason(term: &CaseTerm) -> String {
    match term.attribution < 0.0 {
        true => say!("cases.lowers", what = assignment(term)),
        false => say!("cases.raises", what = assignment(term)),
    }
}

fn assignment(term: &CaseTerm) -> String {
    if let Some(condition) = &term.term {
        return label::shorten(condition, 60);
    }
    let value = label::shorten(&term.feature_value, 24);
    if value.is_empty() {
        label::shorten(&term.feature, 40)
    } else {
        format!("{} = {value}", label::shorten(&term.feature, 40))
    }
}

fn decimals(case: &Case) -> usize {
    let ends = [case.base_value.abs(), case.explained_score.abs()];
    let largest = case.terms.iter().map(|term| term.attribution.abs()).chain(ends).fold(0.0, f64::max);
    number::decimals_of_parts(largest)
}

fn draw(lookup: &Lookup, case: &Case, terms: &[&CaseTerm]) -> Waterfall {
    let decimals = decimals(case);
    let step = |name: String, size: f64| Step { name, size, text: number::signed(size, decimals), interval: None };
    let mut steps: Vec<Step> =
        terms.iter().take(MAX_TERMS).map(|term| step(assignment(term), term.attribution)).collect();
    let rest = &terms[steps.len()..];
    if !rest.is_empty() {
        steps.push(step(say!("count.others", n = rest.len()), rest.iter().map(|term| term.attribution).sum()));
    }
    steps.extend(case.other.map(|other| step(OTHER.to_owned(), other)));
    let (from, axis) = match lookup.is_regression() {
        true => (say!("axis.mean_prediction"), say!("axis.prediction")),
        false => (say!("axis.mean_score"), say!("axis.score", scale = short_scale(lookup))),
    };
    let start = (from.as_str(), case.base_value, number::fixed(case.base_value, decimals));
    let this = say!("cases.this_row");
    let end = (this.as_str(), case.explained_score, number::fixed(case.explained_score, decimals));
    waterfall::draw(start, &steps, end, &axis)
}

fn reasons(caption: &str, case: &Case, terms: &[&CaseTerm]) -> Table {
    let decimals = decimals(case);
    let mut table = Table::new(label::shorten(caption, 160), &heads!("feature value| attribution direction|"));
    let listed = terms.iter().take(MAX_REASONS).map(|term| (&*term.feature, &*term.feature_value, term.attribution));
    for (feature, value, attribution) in listed.chain(case.other.map(|other| (OTHER, "", other))) {
        let direction = match attribution {
            a if a > 0.0 => say!("direction.raises"),
            a if a < 0.0 => say!("direction.lowers"),
            _ => say!("direction.no_effect"),
        };
        let attribution = Cell::number(number::signed(attribution, decimals));
        table.push(Label::fit(feature, 60), vec![Cell::text(value), attribution, Cell::text(&direction)]);
    }
    table.shown = words::shown_of("features_strongest", terms.len().min(MAX_REASONS), terms.len());
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    #[test]
    fn reasons_come_strongest_first_whatever_their_sign() {
        let audit = example::binary();
        let sizes: Vec<f64> = sorted(&audit.cases[0]).iter().map(|term| term.attribution.abs()).collect();
        assert!(sizes.windows(2).all(|pair| pair[0] >= pair[1]));
    }

    #[test]
    fn a_waterfall_with_more_terms_than_room_still_ends_at_the_score() {
        let audit = example::binary();
        let mut case = audit.cases[0].clone();
        let term =
            |i: usize| CaseTerm { feature: format!("x{i}"), feature_value: "1".into(), attribution: 0.25, term: None };
        case.terms = (0..40).map(term).collect();
        (case.base_value, case.explained_score) = (-1.0, 9.0);
        let drawn = draw(&Lookup::new(&audit), &case, &sorted(&case));
        let last = drawn.steps.last().unwrap();
        assert_eq!((last.label.text.as_str(), last.text.as_str()), ("31 others", "+7.75"));
        assert!((last.join_x.0 - drawn.end.x.0).abs() < 1e-6);
    }

    #[test]
    fn what_was_not_kept_one_by_one_comes_last_however_large() {
        let audit = example::binary();
        let mut case = audit.cases[0].clone();
        let term = |feature: &str, attribution| CaseTerm {
            feature: feature.into(),
            feature_value: "1".into(),
            attribution,
            term: None,
        };
        case.terms = vec![term("a", 0.5), term("b", -1.0)];
        (case.other, case.base_value, case.explained_score) = (Some(2.0), 0.0, 1.5);
        let drawn = draw(&Lookup::new(&audit), &case, &sorted(&case));
        let labels: Vec<&str> = drawn.steps.iter().map(|step| step.label.text.as_str()).collect();
        assert_eq!(labels, ["b = 1", "a = 1", "(other)"]);
        assert!((drawn.steps[2].join_x.0 - drawn.end.x.0).abs() < 1e-6);
        let table = reasons("reasons", &case, &sorted(&case));
        assert_eq!(table.rows.len(), 3);
    }
}
