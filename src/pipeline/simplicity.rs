//! How simple the model is: what stands in its file, how many features it lives on, and a small tree beside it.

use super::explaining::ExplainedRun;
use super::players::is_dropped;
use super::scoring::{self, ScoredBatch};
use crate::audit::{self, Importance, MODEL, Metric, SurrogateNode, SurrogateSplit};
use crate::config::Task;
use crate::dataset::Batch;
use crate::fairness::model_facts::model_fact_names;
use crate::importance::surrogate::{
    self, Category, DEPTH, LEAST_ROWS, Limits, Measured, Node, SCORED, Scored, ScoredSample, Split, Surrogate, Test,
    Tree, Values,
};
use crate::model::onnx;
use crate::plan::{Plan, fairness_task};
use crate::store::number_text;
use ndarray::ArrayView1;
use std::collections::BTreeMap;

/// What was found.
#[derive(Default)]
pub struct Simplicity {
    pub metrics: Vec<Metric>,
    pub surrogate: Option<audit::Surrogate>,
}

/// Rows for the small tree, where it is wanted.
pub fn sample(plan: &Plan) -> Option<ScoredSample> {
    plan.fits_surrogate().then(|| ScoredSample::new(SCORED, plan.config().pipeline.seed))
}

/// Considers the rows of a scored batch.
pub fn offer(sample: &mut ScoredSample, batch: &Batch, scored: &ScoredBatch) {
    let scores = scored.scores.as_slice().unwrap_or_default();
    sample.update(batch.first_row, &batch.features, scores, batch.weights.as_deref());
}

/// Every fact of the model that the task has.
pub fn simplicity(plan: &Plan, scored: Option<Scored>, explained: Option<&ExplainedRun>) -> Simplicity {
    let Some(model) = &plan.model else { return Simplicity::default() };
    let mut simplicity = Simplicity { metrics: of_file(plan, model.model.summary()), surrogate: None };
    simplicity.metrics.extend(effective_features(plan, explained));
    if let Some(scored) = scored {
        let found = fitted(plan, &scored);
        simplicity.metrics.extend(fidelity(plan, found.as_ref()));
        simplicity.surrogate = found.map(|found| Drawn { plan, found: &found }.surrogate(scored.n_total));
    }
    let known: Vec<&str> = model_fact_names(fairness_task(plan.task)).collect();
    simplicity.metrics.retain(|metric| known.contains(&metric.metric.as_str()));
    simplicity
}

fn fact(name: &str, output: &str, value: Result<f64, &str>, n: u64) -> Metric {
    Metric {
        metric: name.to_owned(),
        attribute: MODEL.to_owned(),
        output: output.to_owned(),
        value: value.ok(),
        undefined_reason: value.err().map(str::to_owned),
        n,
        ..Metric::default()
    }
}

fn of_file(plan: &Plan, summary: &onnx::Summary) -> Vec<Metric> {
    let size = &summary.complexity;
    let of_trees = |count: Option<u64>| count.ok_or("the model is no tree ensemble");
    let counts = [
        ("parameters", Ok(summary.parameters)),
        ("operators", Ok(summary.operators.values().sum())),
        ("trees", of_trees(size.trees)),
        ("leaves", of_trees(size.leaves)),
        ("depth", of_trees(size.depth)),
        ("features_used", size.features_used.ok_or("the model's structure is neither trees nor linear")),
    ];
    counts.into_iter().map(|(name, count)| fact(name, "", count.map(|count| count as f64), plan.n_rows)).collect()
}

/// exp of the entropy of the features' shares of all mean |attribution|, of each output and, where there are several, of
/// all together.
fn effective_features(plan: &Plan, explained: Option<&ExplainedRun>) -> Vec<Metric> {
    let name = "effective_features";
    let Some(explained) = explained else { return vec![fact(name, "", Err("nothing was explained"), plan.n_rows)] };
    let mut by_output: BTreeMap<&str, BTreeMap<&str, f64>> = BTreeMap::new();
    for Importance { output, feature, value, .. } in &explained.summary.importance {
        by_output.entry(output).or_default().insert(feature, *value);
    }
    let n = explained.sample.n_total;
    let of = |(output, values): (&&str, &BTreeMap<&str, f64>)| fact(name, output, effective(values.values()), n);
    let mut metrics: Vec<Metric> = by_output.iter().map(of).collect();
    if metrics.len() != 1 {
        let mut total: BTreeMap<&str, f64> = BTreeMap::new();
        by_output.values().flatten().for_each(|(feature, value)| *total.entry(feature).or_default() += value);
        metrics.insert(0, fact(name, "", effective(total.values()), n));
    }
    metrics
}

fn effective<'a>(values: impl Iterator<Item = &'a f64> + Clone) -> Result<f64, &'static str> {
    let total: f64 = values.clone().sum();
    if total <= 0.0 || !total.is_finite() {
        return Err("no feature has an attribution other than 0");
    }
    let shares = values.map(|value| value / total).filter(|share| *share > 0.0);
    Ok((-shares.map(|share| share * share.ln()).sum::<f64>()).exp())
}

fn fitted(plan: &Plan, scored: &Scored) -> Option<Surrogate> {
    // No leaf tells of fewer rows than a table may.
    let smallest_shown = plan.config().privacy.as_ref().map_or(0, |privacy| privacy.suppress_below) as usize;
    let limits = Limits { depth: DEPTH, least_rows: LEAST_ROWS.max(smallest_shown) };
    let decide = |scores: ArrayView1<f64>| scoring::decide(plan, scores);
    let decides = plan.task != Task::Regression;
    let (confidence, seed) = (plan.groups.confidence, plan.config().pipeline.seed);
    surrogate::surrogate(scored, &plan.are_categories(), limits, decides.then_some(&decide), confidence, seed)
}

fn fidelity(plan: &Plan, found: Option<&Surrogate>) -> Vec<Metric> {
    let overall = if plan.task == Task::Multiclass { "" } else { plan.outputs[0].as_str() };
    let Some(Surrogate { fidelity, .. }) = found else {
        let undefined = |name| fact(name, overall, Err("a tree splits neither pictures nor lists of numbers"), 0);
        return ["surrogate_fidelity", "surrogate_r2"].map(undefined).to_vec();
    };
    let row = |name: &str, output: &str, measured: &Measured| Metric {
        ci_low: measured.interval.map(|interval| interval.low),
        ci_high: measured.interval.map(|interval| interval.high),
        confidence: measured.interval.map(|_| plan.groups.confidence),
        denominator: Some(measured.n as u64),
        ..fact(name, output, measured.value.ok_or(measured.undefined.unwrap_or("undefined")), measured.n as u64)
    };
    let each = |name: &'static str, list: &[Measured]| {
        plan.outputs.iter().zip(list).map(|(output, measured)| row(name, output, measured)).collect::<Vec<_>>()
    };
    let mut metrics = vec![row("surrogate_fidelity", overall, fidelity.agreement.as_ref().unwrap_or(&fidelity.r2))];
    metrics.extend(each("surrogate_fidelity", &fidelity.agreement_by_class));
    metrics.push(row("surrogate_r2", overall, &fidelity.r2));
    metrics.extend(each("surrogate_r2", &fidelity.r2_by_output));
    metrics
}

/// A tree in the audit's words.
struct Drawn<'a> {
    plan: &'a Plan,
    found: &'a Surrogate,
}

impl Drawn<'_> {
    fn surrogate(&self, n_total: u64) -> audit::Surrogate {
        let Tree { nodes } = &self.found.tree;
        audit::Surrogate {
            outputs: self.plan.outputs.clone(),
            depth: DEPTH as u64,
            n_fitted: self.found.n_fitted as u64,
            n_held_out: self.found.fidelity.r2.n as u64,
            n_total,
            commonest: self.found.fidelity.commonest,
            nodes: nodes.iter().map(|node| self.node(node, nodes[0].weight)).collect(),
        }
    }

    fn node(&self, node: &Node, total: f64) -> SurrogateNode {
        let decides = self.plan.task != Task::Regression;
        let decision = || scoring::decide(self.plan, ArrayView1::from(&node.mean)) as usize;
        SurrogateNode {
            n: node.n_rows as u64,
            share: node.weight / total,
            values: node.mean.clone(),
            decision: decides.then(|| self.plan.classes.get(decision()).cloned().unwrap_or_default()),
            split: node.branches.as_ref().map(|branches| SurrogateSplit {
                yes: branches.yes as u64,
                no: branches.no as u64,
                ..self.split(&branches.split)
            }),
        }
    }

    fn split(&self, split: &Split) -> SurrogateSplit {
        let feature = &self.plan.selection.features[split.column];
        let dropped = is_dropped(self.plan.config(), &feature.column);
        let threshold = match split.test {
            Test::AtMost(threshold) if !dropped => Some(threshold),
            _ => None,
        };
        let categories = match (&split.test, &self.found.columns.list[split.column]) {
            (Test::Among { yes, .. }, Some(Values::Categories { names, .. })) if !dropped => {
                let levels = self.plan.categories(feature);
                yes.iter().map(|code| told(&names[*code as usize], &levels)).collect()
            }
            _ => Vec::new(),
        };
        SurrogateSplit {
            feature: feature.column.clone(),
            threshold,
            categories,
            dropped,
            missing_yes: split.missing_seen.then_some(split.missing_yes),
            gain: split.share,
            yes: 0,
            no: 0,
        }
    }
}

/// A category as people know it.
fn told(category: &Category, levels: &[String]) -> String {
    match category {
        Category::Text(text) => text.to_string(),
        Category::Number(code) => match levels.get(*code as usize) {
            Some(level) if code.fract() == 0.0 && *code >= 0.0 => level.clone(),
            _ => number_text(*code),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_that_count_alike_are_as_many_as_they_are() {
        assert!((effective([2.0, 2.0, 2.0, 0.0].iter()).unwrap() - 3.0).abs() < 1e-12);
        assert!((effective([5.0, 0.0].iter()).unwrap() - 1.0).abs() < 1e-12);
        let uneven = effective([8.0, 1.0, 1.0].iter()).unwrap();
        assert!(uneven > 1.0 && uneven < 3.0);
        assert!(effective([0.0, 0.0].iter()).is_err() && effective([].iter()).is_err());
    }

    #[test]
    fn codes_are_told_by_their_names_where_they_have_one() {
        let levels = ["Female".to_owned(), "Male".to_owned()];
        assert_eq!(told(&Category::Number(1.0), &levels), "Male");
        assert_eq!(told(&Category::Number(-1.0), &levels), "-1");
        assert_eq!(told(&Category::Number(7.0), &levels), "7");
        assert_eq!(told(&Category::Text("blue".into()), &levels), "blue");
    }
}
