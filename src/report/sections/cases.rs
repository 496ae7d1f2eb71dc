//! Single rows: a waterfall and the reasons, strongest first.

use super::drivers::short_scale;
use crate::audit::{Case, CaseFit, CaseTerm};
use crate::report::charts::waterfall::{self, Step, Waterfall};
use crate::report::charts::{Chart, Figure};
use crate::report::label::{self, Label};
use crate::report::lookup::Lookup;
use crate::report::number::{self, Unit};
use crate::report::table::{Cell, Table};
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
        sentences: words::shown(all.len().min(MAX_CASES), all.len(), "cases", "in the order of the audit")
            .into_iter()
            .collect(),
        ..Part::default()
    };
    let lede = "Rows worth looking at one by one. Each arrow is one feature's part of the score: to the right it raises \
                the score, to the left it lowers it.";
    Some(Section::of("cases", "Cases", vec![part])?.with_lede(lede))
}

/// Draws one case; `at` tells its figure from others of the page.
pub fn figure(lookup: &Lookup, at: usize, case: &Case) -> Figure {
    let terms = sorted(case);
    let title = format!("Row {}: {}", label::shorten(&case.row_id, 40), label::shorten(&case.chosen_as, 60));
    Figure {
        id: format!("fig-case-{at}"),
        template: "charts/waterfall.svg",
        desc: format!(
            "From the mean score to this row's score. Strongest reasons: {}.",
            terms.iter().take(4).map(|term| reason(term)).collect::<Vec<_>>().join("; ")
        ),
        note: Some(note(lookup, case)),
        wide: false,
        chart: Chart::Waterfall(draw(lookup, case, &terms)),
        table: reasons(
            &format!("Reasons for row {} ({})", label::shorten(&case.row_id, 40), case.chosen_as),
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
    let score = if lookup.is_regression() {
        format!("Predicted {}", number::plain(Unit::Value, case.score))
    } else {
        format!("Score {} for {}", number::probability(case.score), label::shorten(&case.output, 40))
    };
    let label = case.label.as_ref().map(|l| format!(", label {}", label::shorten(l, 40))).unwrap_or_default();
    format!("{score}{label}.{}", case.local_fit.as_ref().map(surrogate).unwrap_or_default())
}

/// How well the row's surrogate fits.
fn surrogate(fit: &CaseFit) -> String {
    let share = |name: &str, value: Option<f64>| value.map(|value| format!(", {name} {}", number::fixed(value, 2)));
    let parts = [share("local R²", fit.r2), share("stability", fit.stability)];
    let decimals = number::decimals_of_parts(fit.local_prediction.abs());
    let rest: String = parts.into_iter().flatten().collect();
    format!(" The surrogate says {}{rest}.", number::fixed(fit.local_prediction, decimals))
}

fn reason(term: &CaseTerm) -> String {
    let direction = if term.attribution < 0.0 { "lowers" } else { "raises" };
    format!("{} {direction} the score", assignment(term))
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
        steps.push(step(format!("{} others", rest.len()), rest.iter().map(|term| term.attribution).sum()));
    }
    steps.extend(case.other.map(|other| step(OTHER.to_owned(), other)));
    let start = (
        if lookup.is_regression() { "mean prediction" } else { "mean score" },
        case.base_value,
        number::fixed(case.base_value, decimals),
    );
    let end = ("this row", case.explained_score, number::fixed(case.explained_score, decimals));
    waterfall::draw(
        start,
        &steps,
        end,
        &(if lookup.is_regression() { "prediction".to_owned() } else { format!("score, {}", short_scale(lookup)) }),
    )
}

fn reasons(caption: &str, case: &Case, terms: &[&CaseTerm]) -> Table {
    let decimals = decimals(case);
    let mut table = Table::new(label::shorten(caption, 160), &["Feature", "Value|", "Attribution", "Direction|"]);
    let listed = terms.iter().take(MAX_REASONS).map(|term| (&*term.feature, &*term.feature_value, term.attribution));
    for (feature, value, attribution) in listed.chain(case.other.map(|other| (OTHER, "", other))) {
        let direction = match attribution {
            a if a > 0.0 => "raises",
            a if a < 0.0 => "lowers",
            _ => "no effect",
        };
        let attribution = Cell::number(number::signed(attribution, decimals));
        table.push(Label::fit(feature, 60), vec![Cell::text(value), attribution, Cell::text(direction)]);
    }
    table.shown = words::shown(terms.len().min(MAX_REASONS), terms.len(), "features", "the strongest");
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
