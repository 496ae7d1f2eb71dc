//! `probity explain`: one decision, from stored values.

use super::args::{DocumentFormat, ExplainArgs};
use super::{Done, Problem, opening, style};
use crate::ExitStatus;
use crate::audit::{Audit, Case, CaseTerm};
use crate::report::decision::{self, Decision, Earlier};
use crate::store::query::{Account, AccountOf, RowExplanation, Term, account};

pub(super) fn run(args: &ExplainArgs) -> Done {
    let store = opening::history(&args.history)?;
    let run = store.run(&args.run)?;
    let audit = store.audit(&run)?;
    let wanted = AccountOf {
        row_id: &args.row_id,
        method: args.method.as_deref(),
        output: args.output.as_deref(),
        n_earlier: args.earlier,
    };
    let account = account(&store, &run, wanted)?;
    let text = match args.format {
        DocumentFormat::Text => text(&account, &audit),
        DocumentFormat::Json => json(&account, &audit)?,
        DocumentFormat::Html => decision::render(&audit, &page(&account, &audit)).map_err(Problem::unacceptable)?,
    };
    style::print(&text);
    Ok(ExitStatus::Passed)
}

fn text(account: &Account, audit: &Audit) -> String {
    let run = &account.run;
    let mut text = format!("{} {}, row {} (run {})\n\n", run.pipeline, run.as_of, account.row_id, run.run_id);
    text += &predictions(account);
    if let Some(decision) = account.decision() {
        text += &format!("decision: {decision}\n");
    }
    for explanation in &account.explanations {
        text += &format!(
            "\n{} explained by {}, on the {} scale\n{}",
            explanation.output,
            explanation.method,
            run.explain_scale,
            terms(explanation)
        );
        if let Some(fit) = &explanation.local_fit {
            let share = |value: Option<f64>| value.map_or("undefined".to_owned(), |value| format!("{value:.3}"));
            let (r2, stability) = (share(fit.r2), share(fit.stability));
            text +=
                &format!("the surrogate predicts {}, R² {r2}, stability {stability}\n", number(fit.local_prediction));
        }
        let reasons = explanation.reasons(&audit.scope);
        if !reasons.is_empty() {
            text += &format!("\n{}\n", reasons_title(audit, explanation));
            for (at, term) in reasons.iter().enumerate() {
                text += &format!("{:>2}. {} ({})\n", at + 1, said(term), signed(term.attribution));
            }
        }
    }
    text + &earlier(account)
}

fn predictions(account: &Account) -> String {
    let row = |prediction: &crate::store::query::Prediction| {
        vec![
            prediction.output.clone(),
            number(prediction.score),
            prediction.margin.map_or(String::new(), number),
            prediction.label.clone().unwrap_or_default(),
        ]
    };
    let rows: Vec<Vec<String>> = account.predictions.iter().map(row).collect();
    style::table(&["output", "score", "margin", "label"], &rows, &[false, true, true])
}

fn terms(explanation: &RowExplanation) -> String {
    let mut rows = vec![vec!["(base value)".to_owned(), String::new(), number(explanation.base_value)]];
    for term in &explanation.terms {
        let error = term.std_err.map_or(String::new(), |error| format!("± {}", number(error)));
        let missing = if term.is_rest() { "" } else { "(missing)" };
        let value = term.term.as_ref().or(term.feature_value.as_ref()).map_or(missing, String::as_str).to_owned();
        rows.push(vec![term.feature.clone(), value, signed(term.attribution), error]);
    }
    rows.push(vec!["(explained score)".to_owned(), String::new(), number(explanation.explained_score)]);
    style::table(&["feature", "value", "attribution", ""], &rows, &[false, false, true, false])
}

fn reasons_title(audit: &Audit, explanation: &RowExplanation) -> String {
    match &audit.scope.favourable {
        _ if audit.scope.task == "regression" => "strongest reasons".to_owned(),
        Some(favourable) => format!("principal reasons against {favourable}"),
        None => format!("principal reasons for {}", explanation.output),
    }
}

fn earlier(account: &Account) -> String {
    let note = account.earlier_note.as_ref().map_or(String::new(), |note| format!("\n{note}\n"));
    if account.earlier.is_empty() {
        return note;
    }
    let row = |run: &crate::store::query::EarlierRun| {
        let strongest: Vec<String> =
            run.terms.iter().map(|term| format!("{} {}", said(term), signed(term.attribution))).collect();
        let decided = match run.predicted {
            Some(true) => "yes",
            Some(false) => "no",
            None => "",
        };
        vec![run.as_of.clone(), number(run.score), decided.to_owned(), strongest.join("; ")]
    };
    let rows: Vec<Vec<String>> = account.earlier.iter().map(row).collect();
    let header = ["as of", "score", &account.explanations[0].output, "strongest"];
    format!("\nthe same row in earlier runs\n{}{note}", style::table(&header, &rows, &[false, true]))
}

/// "age = 17", or LIME's own words.
fn said(term: &Term) -> String {
    match (&term.term, &term.feature_value) {
        (Some(words), _) => words.clone(),
        (None, Some(value)) => format!("{} = {value}", term.feature),
        (None, None) => format!("{} is missing", term.feature),
    }
}

fn number(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-4..1e7).contains(&size) { format!("{value:.4e}") } else { format!("{value:.6}") }
}

fn signed(value: f64) -> String {
    if value < 0.0 { number(value) } else { format!("+{}", number(value)) }
}

fn json(account: &Account, audit: &Audit) -> Result<String, Problem> {
    let mut object = serde_json::to_value(account).map_err(Problem::unacceptable)?;
    for (at, explanation) in account.explanations.iter().enumerate() {
        let reason = |(rank, term): (usize, &&Term)| {
            serde_json::json!({
                "rank": rank + 1, "feature": term.feature, "feature_value": term.feature_value,
                "attribution": term.attribution, "text": said(term),
            })
        };
        let reasons: Vec<_> = explanation.reasons(&audit.scope).iter().enumerate().map(reason).collect();
        object["explanations"][at]["reasons"] = reasons.into();
    }
    object["decision"] = account.decision().into();
    object["favourable"] = audit.scope.favourable.clone().into();
    object["scale"] = account.run.explain_scale.clone().into();
    Ok(format!("{object:#}\n"))
}

fn page(account: &Account, audit: &Audit) -> Decision {
    let case_term = |term: &Term| CaseTerm {
        feature: term.feature.clone(),
        feature_value: term.feature_value.clone().unwrap_or_default(),
        attribution: term.attribution,
        term: term.term.clone(),
    };
    let case = |explanation: &RowExplanation| {
        let prediction = account.predictions.iter().find(|prediction| prediction.output == explanation.output);
        Case {
            row_id: account.row_id.clone(),
            chosen_as: format!("{} explained by {}", explanation.output, explanation.method),
            output: explanation.output.clone(),
            label: prediction.and_then(|prediction| prediction.label.clone()),
            score: prediction.map_or(f64::NAN, |prediction| prediction.score),
            explained_score: explanation.explained_score,
            base_value: explanation.base_value,
            terms: explanation.terms.iter().filter(|term| !term.is_rest()).map(case_term).collect(),
            local_fit: explanation.local_fit.clone(),
            flip: None,
            other: explanation.terms.iter().find(|term| term.is_rest()).map(|term| term.attribution),
        }
    };
    let reasons = account.explanations.first().map_or(Vec::new(), |explanation| explanation.reasons(&audit.scope));
    let earlier = account.earlier.iter().map(|run| Earlier {
        as_of: run.as_of.clone(),
        run_id: run.run_id.clone(),
        score: run.score,
        drivers: run.terms.iter().map(said).collect(),
    });
    Decision {
        cases: account.explanations.iter().map(case).collect(),
        reasons: reasons.into_iter().map(case_term).collect(),
        earlier: earlier.collect(),
        notes: account.earlier_note.iter().cloned().collect(),
    }
}
