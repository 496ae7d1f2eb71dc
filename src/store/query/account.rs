//! An account of one row's decision, from stored values alone: its scores, what drove them, and how the same row fared
//! in earlier runs.

use serde::Serialize;

use super::{Parameter, QueryError, QueryLimits, QueryResult, Statement, query};
use crate::audit::{CaseFit, Scope};
use crate::explain::OTHER;
use crate::store::catalogue::runs::RunSummary;
use crate::store::{Store, StoreError};

/// Everything stored about one row of a run.
#[derive(Debug, Clone, Serialize)]
pub struct Account {
    pub run: RunSummary,
    pub row_id: String,
    /// One an output, the decision first, then by falling score.
    pub predictions: Vec<Prediction>,
    /// One a method and output.
    pub explanations: Vec<RowExplanation>,
    /// The same row id in the pipeline's earlier runs, the latest first.
    pub earlier: Vec<EarlierRun>,
    /// Why there may be more earlier runs than these.
    pub earlier_note: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Prediction {
    pub output: String,
    /// Probability or value.
    pub score: f64,
    pub margin: Option<f64>,
    /// This output is the decision; `None` where nothing is decided.
    pub predicted: Option<bool>,
    pub label: Option<String>,
    pub weight: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RowExplanation {
    pub method: String,
    pub output: String,
    pub base_value: f64,
    /// `base_value` and all attributions, on the run's scale.
    pub explained_score: f64,
    /// Largest attribution first.
    pub terms: Vec<Term>,
    /// How well the row's surrogate fits, for methods that fit one.
    pub local_fit: Option<CaseFit>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Term {
    pub feature: String,
    /// `None` where it is missing.
    pub feature_value: Option<String>,
    /// LIME's own words: "age > 48".
    pub term: Option<String>,
    pub attribution: f64,
    pub std_err: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EarlierRun {
    pub run_id: String,
    pub as_of: String,
    pub output: String,
    pub score: f64,
    pub predicted: Option<bool>,
    /// Largest attributions of that run, of the same output and method.
    pub terms: Vec<Term>,
}

impl Term {
    /// The sum of what was not kept feature by feature (`[explain] top_k`).
    pub fn is_rest(&self) -> bool {
        self.feature == OTHER
    }
}

impl Account {
    /// The output decided for, or "not …" where a binary model's one stored output is not the decision; `None` where
    /// nothing is decided (regression).
    pub fn decision(&self) -> Option<String> {
        let decided = self.predictions.iter().find(|prediction| prediction.predicted == Some(true));
        match (decided, self.predictions.as_slice()) {
            (Some(decided), _) => Some(decided.output.clone()),
            (None, [only]) => only.predicted.map(|_| format!("not {}", only.output)),
            _ => None,
        }
    }
}

impl RowExplanation {
    /// The principal reasons: terms that pushed away from the favourable outcome, the strongest first. Where the
    /// favourable outcome is another output than the explained one, those are the terms that raised the explained
    /// output; where none is favourable (regression), the strongest either way.
    pub fn reasons(&self, scope: &Scope) -> Vec<&Term> {
        let against = |term: &&Term| match (&scope.favourable, scope.task.as_str()) {
            (_, "regression") => term.attribution != 0.0,
            (Some(favourable), _) if *favourable == self.output => term.attribution < 0.0,
            _ => term.attribution > 0.0,
        };
        self.terms.iter().filter(|term| !term.is_rest()).filter(against).take(MAX_REASONS).collect()
    }
}

/// What to look for.
#[derive(Debug, Clone, Copy)]
pub struct AccountOf<'a> {
    pub row_id: &'a str,
    /// The run's main method where `None`.
    pub method: Option<&'a str>,
    /// The decision where it is explained, else all explained outputs, where `None`.
    pub output: Option<&'a str>,
    /// Earlier runs at most.
    pub n_earlier: usize,
}

/// Largest attributions kept of each earlier run.
const EARLIER_TERMS: usize = 3;

/// Regulation B's commentary on 12 CFR 1002.9(b)(2): more than four reasons are not likely to help.
const MAX_REASONS: usize = 4;

/// Looks one row up. Files and pages that cannot hold it are not read.
pub fn account(store: &Store, run: &RunSummary, wanted: AccountOf<'_>) -> Result<Account, StoreError> {
    let desk = Desk { store, run, row_id: wanted.row_id };
    let predictions = desk.predictions()?;
    let stored = desk.explanations()?;
    if stored.is_empty() {
        return Err(desk.not_explained(&predictions).into());
    }
    let explanations = chosen(stored, &predictions, run, wanted)?;
    let (earlier, earlier_note) = match desk.earlier(&explanations[0], wanted.n_earlier) {
        // This run's own account does not depend on what is left of others.
        Err(StoreError::Query(QueryError::MissingFile { run_id, path })) => {
            (Vec::new(), Some(format!("earlier runs cannot be read: {} of run {run_id} is missing", path.display())))
        }
        earlier => (earlier?, None),
    };
    let (run, row_id) = (run.clone(), wanted.row_id.to_string());
    Ok(Account { run, row_id, predictions, explanations, earlier, earlier_note })
}

struct Desk<'a> {
    store: &'a Store,
    run: &'a RunSummary,
    row_id: &'a str,
}

impl Desk<'_> {
    fn ask(&self, sql: &str, more: &[(&str, &str)]) -> Result<QueryResult, StoreError> {
        let mut parameters = vec![Parameter::new("row", self.row_id), Parameter::new("run", &self.run.run_id)];
        parameters.extend(more.iter().map(|(name, value)| Parameter::new(*name, *value)));
        let statement = Statement { sql, parameters: &parameters, pipeline: Some(&self.run.pipeline) };
        match query(self.store, statement, &QueryLimits::default()) {
            // An id of the wrong type is the id of no row.
            Err(StoreError::Query(QueryError::Parameter { name, .. })) if name == "row" => {
                Err(self.unknown("its row ids are numbers").into())
            }
            result => result,
        }
    }

    fn predictions(&self) -> Result<Vec<Prediction>, StoreError> {
        let sql = "SELECT output, score, margin, predicted, label, weight FROM predictions
            WHERE run_id = $run AND row_id = $row ORDER BY output";
        let found = self.ask(sql, &[])?;
        if found.n_rows() == 0 {
            return Err(self.unknown(&format!("it audited {} rows", self.run.n_rows)).into());
        }
        let (outputs, scores) = (found.texts("output")?, found.numbers("score")?);
        let (margins, predicted) = (found.numbers("margin")?, found.texts("predicted")?);
        let (labels, weights) = (found.texts("label")?, found.numbers("weight")?);
        let prediction = |i: usize| Prediction {
            output: outputs[i].clone().unwrap_or_default(),
            score: scores[i].unwrap_or(f64::NAN),
            margin: margins[i],
            predicted: predicted[i].as_deref().map(|predicted| predicted == "true"),
            label: labels[i].clone(),
            weight: weights[i],
        };
        let mut predictions: Vec<_> = (0..outputs.len()).map(prediction).collect();
        match predictions.windows(2).any(|pair| pair[0].output == pair[1].output) {
            true => Err(self.ambiguous().into()),
            false => {
                predictions.sort_by(|a, b| b.predicted.cmp(&a.predicted).then(b.score.total_cmp(&a.score)));
                Ok(predictions)
            }
        }
    }

    fn explanations(&self) -> Result<Vec<RowExplanation>, StoreError> {
        let sql = "SELECT method, output, base_value, feature, feature_value, term, attribution, std_err
            FROM explanations WHERE run_id = $run AND row_id = $row
            ORDER BY method, output, abs(attribution) DESC, feature, term";
        let found = self.ask(sql, &[])?;
        let (methods, outputs) = (found.texts("method")?, found.texts("output")?);
        let (bases, terms) = (found.numbers("base_value")?, terms(&found)?);
        let mut explanations: Vec<RowExplanation> = Vec::new();
        for (i, term) in terms.into_iter().enumerate() {
            let (method, output) = (methods[i].clone().unwrap_or_default(), outputs[i].clone().unwrap_or_default());
            match explanations.last_mut().filter(|last| (&last.method, &last.output) == (&method, &output)) {
                Some(last) => last.terms.push(term),
                None => {
                    let base_value = bases[i].unwrap_or(f64::NAN);
                    explanations.push(RowExplanation {
                        method,
                        output,
                        base_value,
                        explained_score: 0.0,
                        terms: vec![term],
                        local_fit: None,
                    });
                }
            }
        }
        for explanation in &mut explanations {
            let sum: f64 = explanation.terms.iter().map(|term| term.attribution).sum();
            explanation.explained_score = explanation.base_value + sum;
        }
        self.add_fits(&mut explanations)?;
        Ok(explanations)
    }

    fn add_fits(&self, explanations: &mut [RowExplanation]) -> Result<(), StoreError> {
        let sql = "SELECT method, output, local_prediction, r2, stability FROM local_fits
            WHERE run_id = $run AND row_id = $row";
        let found = self.ask(sql, &[])?;
        let (methods, outputs) = (found.texts("method")?, found.texts("output")?);
        let (predictions, r2) = (found.numbers("local_prediction")?, found.numbers("r2")?);
        let stability = found.numbers("stability")?;
        for i in 0..methods.len() {
            let (method, output) = (methods[i].as_ref(), outputs[i].as_ref());
            let fitted = explanations.iter_mut().find(|e| (Some(&e.method), Some(&e.output)) == (method, output));
            if let Some(explanation) = fitted {
                let local_prediction = predictions[i].unwrap_or(f64::NAN);
                explanation.local_fit = Some(CaseFit { local_prediction, r2: r2[i], stability: stability[i] });
            }
        }
        Ok(())
    }

    fn earlier(&self, explained: &RowExplanation, n_earlier: usize) -> Result<Vec<EarlierRun>, StoreError> {
        let sql = "SELECT p.run_id, p.run_date, p.score, p.predicted FROM predictions p
            JOIN runs r ON r.run_id = p.run_id
            WHERE p.pipeline = $pipeline AND p.row_id = $row AND p.output = $output AND r.status = 'succeeded'
              AND (p.run_date < $as_of OR p.run_date = $as_of AND p.run_id < $run)
            ORDER BY p.run_date DESC, p.run_id DESC";
        let (pipeline, as_of) = (self.run.pipeline.as_str(), self.run.as_of.as_str());
        let found = self.ask(sql, &[("pipeline", pipeline), ("as_of", as_of), ("output", &explained.output)])?;
        let (ids, days) = (found.texts("run_id")?, found.texts("run_date")?);
        let (scores, predicted) = (found.numbers("score")?, found.texts("predicted")?);
        let mut earlier: Vec<EarlierRun> = Vec::new();
        for i in 0..ids.len() {
            let run_id = ids[i].clone().unwrap_or_default();
            // A row id that stands for several rows of a run is told once.
            if earlier.len() < n_earlier && earlier.last().is_none_or(|last| last.run_id != run_id) {
                earlier.push(EarlierRun {
                    run_id,
                    as_of: days[i].clone().unwrap_or_default(),
                    output: explained.output.clone(),
                    score: scores[i].unwrap_or(f64::NAN),
                    predicted: predicted[i].as_deref().map(|predicted| predicted == "true"),
                    terms: Vec::new(),
                });
            }
        }
        self.add_terms(explained, &mut earlier)?;
        Ok(earlier)
    }

    fn add_terms(&self, explained: &RowExplanation, earlier: &mut [EarlierRun]) -> Result<(), StoreError> {
        let Some(since) = earlier.last().map(|oldest| oldest.as_of.clone()) else { return Ok(()) };
        let sql = "SELECT run_id, feature, feature_value, term, attribution, std_err FROM explanations
            WHERE pipeline = $pipeline AND row_id = $row AND output = $output AND method = $method
              AND run_date >= $since AND run_date <= $as_of AND run_id <> $run
            ORDER BY run_id, abs(attribution) DESC, feature, term";
        let found = self.ask(
            sql,
            &[
                ("pipeline", &self.run.pipeline),
                ("as_of", &self.run.as_of),
                ("output", &explained.output),
                ("method", &explained.method),
                ("since", &since),
            ],
        )?;
        for (run_id, term) in found.texts("run_id")?.into_iter().zip(terms(&found)?) {
            let run = earlier.iter_mut().find(|run| Some(&run.run_id) == run_id.as_ref());
            if let Some(run) = run.filter(|run| run.terms.len() < EARLIER_TERMS) {
                run.terms.push(term);
            }
        }
        Ok(())
    }

    fn unknown(&self, hint: &str) -> QueryError {
        let (row_id, run_id) = (self.row_id.to_string(), self.run.run_id.clone());
        QueryError::UnknownRow { row_id, run_id, hint: hint.to_string() }
    }

    fn ambiguous(&self) -> QueryError {
        QueryError::AmbiguousRow { row_id: self.row_id.to_string(), run_id: self.run.run_id.clone() }
    }

    fn not_explained(&self, predictions: &[Prediction]) -> QueryError {
        let decision = &predictions[0];
        let reason = match self.run.explain_method.as_str() {
            "" | "none" => "the run explained no rows".to_string(),
            _ => "the run explained a sample of the rows ([explain] rows)".to_string(),
        };
        QueryError::NotExplained {
            row_id: self.row_id.to_string(),
            run_id: self.run.run_id.clone(),
            reason,
            output: decision.output.clone(),
            score: decision.score,
        }
    }
}

fn terms(found: &QueryResult) -> Result<Vec<Term>, QueryError> {
    let (features, values) = (found.texts("feature")?, found.texts("feature_value")?);
    let (words, attributions) = (found.texts("term")?, found.numbers("attribution")?);
    let std_errs = found.numbers("std_err")?;
    let term = |i: usize| Term {
        feature: features[i].clone().unwrap_or_default(),
        feature_value: values[i].clone(),
        term: words[i].clone(),
        attribution: attributions[i].unwrap_or(f64::NAN),
        std_err: std_errs[i],
    };
    Ok((0..features.len()).map(term).collect())
}

/// Of what is stored, what is asked for; never empty.
fn chosen(
    stored: Vec<RowExplanation>,
    predictions: &[Prediction],
    run: &RunSummary,
    wanted: AccountOf<'_>,
) -> Result<Vec<RowExplanation>, QueryError> {
    let absent = |what, asked: &str, names: Vec<&str>| {
        let mut names: Vec<String> = names.into_iter().map(str::to_string).collect();
        names.sort();
        names.dedup();
        QueryError::NoSuchExplanation { what, asked: asked.to_string(), stored: names.join(", ") }
    };
    let main =
        if stored.iter().any(|e| e.method == run.explain_method) { &run.explain_method } else { &stored[0].method };
    let method = wanted.method.unwrap_or(main).to_string();
    let methods = stored.iter().map(|e| e.method.as_str()).collect();
    if !stored.iter().any(|e| e.method == method) {
        return Err(absent("method", &method, methods));
    }
    let of_method: Vec<&RowExplanation> = stored.iter().filter(|e| e.method == method).collect();
    let decided = predictions.iter().find(|p| p.predicted == Some(true)).map(|p| p.output.as_str());
    let decided = decided.filter(|decided| of_method.iter().any(|e| e.output == *decided));
    let Some(output) = wanted.output.or(decided) else { return Ok(of_method.into_iter().cloned().collect()) };
    let found: Vec<_> = of_method.iter().filter(|e| e.output == output).map(|e| (*e).clone()).collect();
    if found.is_empty() {
        return Err(absent("output", output, of_method.iter().map(|e| e.output.as_str()).collect()));
    }
    Ok(found)
}
