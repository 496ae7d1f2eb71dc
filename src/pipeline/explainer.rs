//! The explanation a plan decided on, ready for batches.

use super::explanation::Explanation;
use super::maps::pixels;
use super::surrogate::Surrogate;
use super::{RunError, pace, painting};
use crate::config::{Sampling, Scale};
use crate::dataset::{Column, Features};
use crate::explain::game::{self, GameExplainer, Part};
use crate::explain::gradient::{self, GradientExplainer};
use crate::explain::hierarchy::HierarchyExplainer;
use crate::explain::linear::LinearExplainer;
use crate::explain::occlusion::OcclusionExplainer;
use crate::explain::tree::{self, Interactions, TreeExplainer};
use crate::model::predictor::Predictor;
use crate::model::{Native, NativeKind, NativePredictor};
use crate::plan::{self, Background, Chosen, ExplainPlan, Explained, Plan, PlannedModel};
use ndarray::{Array1, Array2, ArrayView1, Axis};

/// Explains batches of one run.
pub struct Explainer<'a> {
    engine: Engine<'a>,
    /// Outputs that the engine explains, as positions among the audit's outputs.
    pub outputs: Vec<usize>,
    pub engine_name: String,
    pub cover_source: Option<String>,
}

enum Engine<'a> {
    Tree(Box<TreeExplainer>),
    Linear(LinearExplainer),
    Game(Box<GameExplainer<'a>>),
    Lime(Box<Surrogate<'a>>),
    Gradient(Box<GradientExplainer<'a>>),
    Occlusion(Box<OcclusionExplainer<'a>>),
    Hierarchy(Box<HierarchyExplainer<'a>>),
}

impl<'a> Explainer<'a> {
    /// `predictor` answers sampling methods in place of ONNX Runtime, where there is one.
    pub fn new(
        plan: &Plan,
        model: &'a PlannedModel,
        explain: &ExplainPlan,
        background: &'a Background,
        predictor: Option<&'a NativePredictor<'a>>,
    ) -> Result<Self, RunError> {
        let outputs = match &explain.outputs {
            Explained::Fixed(outputs) => outputs.clone(),
            Explained::Predicted => (0..plan.outputs.len()).collect(),
        };
        match (explain.method, &model.native) {
            (Chosen::Tree | Chosen::TreePathDependent | Chosen::Linear, Some(native)) => {
                native_explainer(plan, model, native, explain, background, outputs)
            }
            (Chosen::Occlusion, _) => {
                let explainer = painting::occlusion(plan, model, explain, background, (outputs.clone(), predictor))?;
                Ok(Explainer::of(Engine::Occlusion(Box::new(explainer)), outputs, "replaced cells"))
            }
            (Chosen::Partition, _) => {
                let explainer = painting::partition(plan, model, explain, background, (outputs.clone(), predictor))?;
                Ok(Explainer::of(Engine::Hierarchy(Box::new(explainer)), outputs, "recursive halving"))
            }
            (Chosen::Lime, _) => {
                let (surrogate, engine_name) = Surrogate::new(model, explain, background, predictor)?;
                Ok(Explainer::of(Engine::Lime(Box::new(surrogate)), outputs, &engine_name))
            }
            (method, _) if method.follows_gradients() => gradient_explainer(plan, model, explain, background, outputs),
            _ => game_explainer(plan, model, explain, background, outputs, predictor),
        }
    }

    /// Attributions of `features` `[rows × outputs × players]`; `inner` is the model's inner tensor where it has one,
    /// `keys` are the rows' positions in the data. With `decisions`, each row has its own output alone.
    pub fn explain(
        &self,
        native: Option<&Native>,
        features: &Features,
        inner: Option<&Array2<f64>>,
        keys: &[u64],
        decisions: Option<&[u32]>,
    ) -> Result<Explanation, RunError> {
        let rows = || {
            let rows = native.and_then(|native| native.rows(features, inner));
            rows.ok_or_else(|| RunError::broken("the rows did not reach the model's structure"))
        };
        let plain = |attributions| Explanation { attributions, surrogates: None, maps: None };
        let all = match &self.engine {
            Engine::Tree(explainer) => plain(explainer.explain(rows()?.view()).map_err(RunError::broken)?),
            Engine::Linear(explainer) => plain(explainer.explain(rows()?.view()).map_err(RunError::unacceptable)?),
            Engine::Game(explainer) => plain(explainer.explain(features, keys).map_err(RunError::unacceptable)?),
            Engine::Lime(explainer) => return explainer.explain(features, keys, decisions),
            Engine::Gradient(explainer) => {
                // Its cost is that of the outputs it is asked for.
                let found = explainer.explain(features, keys, decisions).map_err(RunError::unacceptable)?;
                return Ok(Explanation { attributions: found.attributions, surrogates: None, maps: found.maps });
            }
            Engine::Occlusion(explainer) => {
                let found = explainer.explain(features, keys, decisions).map_err(RunError::unacceptable)?;
                return Ok(Explanation { attributions: found.attributions, surrogates: None, maps: found.maps });
            }
            Engine::Hierarchy(explainer) => {
                let found = explainer.explain(features, keys, decisions).map_err(RunError::unacceptable)?;
                return Ok(Explanation { attributions: found.attributions, surrogates: None, maps: Some(found.maps) });
            }
        };
        Ok(match decisions {
            Some(decisions) => all.of_decision(decisions),
            None => all,
        })
    }
}

impl<'a> Explainer<'a> {
    fn of(engine: Engine<'a>, outputs: Vec<usize>, engine_name: &str) -> Self {
        Self { engine, outputs, engine_name: engine_name.to_owned(), cover_source: None }
    }

    /// What explaining was estimated to take, for exact tree engines.
    pub fn estimate(&self) -> Option<tree::Estimate> {
        match &self.engine {
            Engine::Tree(explainer) => Some(explainer.estimate()),
            _ => None,
        }
    }

    /// Evaluations a second on one core of the model as this method asks it; `None` where it asks nothing.
    ///
    /// # Errors
    /// Rows that the model cannot score.
    pub fn pace(&self, rows: &Features) -> Result<Option<f64>, RunError> {
        match &self.engine {
            Engine::Tree(_) | Engine::Linear(_) => Ok(None),
            Engine::Game(explainer) => pace::of_scores(explainer.predictor(), rows).map(Some),
            Engine::Lime(explainer) => pace::of_scores(explainer.predictor(), rows).map(Some),
            Engine::Occlusion(explainer) => pace::of_scores(explainer.predictor(), rows).map(Some),
            Engine::Hierarchy(explainer) => pace::of_scores(explainer.predictor(), rows).map(Some),
            Engine::Gradient(explainer) => {
                pace::of_gradients(explainer.model(), rows, self.outputs[0], explainer.is_deep()).map(Some)
            }
        }
    }

    /// Scores that explaining so many rows asks of the model, where their number follows from the budget.
    pub fn evaluations(&self, n_rows: u64) -> Option<u64> {
        match &self.engine {
            Engine::Lime(explainer) => Some(explainer.evaluations(n_rows)),
            Engine::Occlusion(explainer) => Some(n_rows * explainer.evaluations_per_row()),
            Engine::Hierarchy(explainer) => Some(n_rows * explainer.evaluations_per_row()),
            _ => None,
        }
    }

    /// Interaction values of the same rows, where the method has them and the plan asks for them.
    pub fn interactions(
        &self,
        native: Option<&Native>,
        features: &Features,
        inner: Option<&Array2<f64>>,
    ) -> Result<Option<Interactions>, RunError> {
        let Engine::Tree(explainer) = &self.engine else { return Ok(None) };
        let rows = native.and_then(|native| native.rows(features, inner));
        let rows = rows.ok_or_else(|| RunError::broken("the rows did not reach the model's structure"))?;
        explainer.interactions(rows.view()).map_err(RunError::broken)
    }
}

/// Players of the structure's features: the player that owns the raw column each comes from.
fn player_of(native: &Native, players: &game::Players) -> Vec<u32> {
    let owner = |column: usize| {
        let owns =
            |player: &game::Player| player.parts.iter().any(|part| matches!(part, Part::Column(own) if *own == column));
        players.iter().position(owns).unwrap_or(0) as u32
    };
    native.columns.iter().map(|column| owner(*column)).collect()
}

/// A linear model has no way to take a missing value, so its explanation has none either.
fn check_mean(plan: &Plan, native: &Native, mean: ArrayView1<f64>) -> Result<(), RunError> {
    let Some(at) = mean.iter().position(|mean| !mean.is_finite()) else { return Ok(()) };
    let column = native.columns.get(at).and_then(|column| plan.selection.features.get(*column));
    Err(RunError::unacceptable(format!(
        "column `{}`: missing or infinite values in the background, which a linear model cannot take; fill them in the \
         data, or leave these rows out with [data] filter",
        column.map_or("", |feature| feature.column.as_str()),
    )))
}

fn native_explainer<'a>(
    plan: &Plan,
    model: &'a PlannedModel,
    native: &Native,
    explain: &ExplainPlan,
    background: &Background,
    outputs: Vec<usize>,
) -> Result<Explainer<'a>, RunError> {
    let scored = model.scorer.score(&background.features).map_err(RunError::unacceptable)?;
    let rows = native.rows(&background.features, scored.inner.as_ref());
    let mut rows = rows.ok_or_else(|| RunError::broken("the background did not reach the model's structure"))?;
    if explain.zero_baseline {
        rows = Array2::zeros((1, rows.ncols()));
    }
    let player_of = player_of(native, &explain.players);
    let margins: Vec<usize> = outputs.iter().map(|output| native.margins[*output]).collect();
    let mut cover_source = None;
    let (engine, engine_name) = match &native.kind {
        NativeKind::Linear { weights, intercepts } => {
            let mean = rows.mean_axis(Axis(0)).ok_or_else(|| RunError::broken("the background has no rows"))?;
            check_mean(plan, native, mean.view())?;
            let intercepts = Array1::from(intercepts.clone());
            let explainer = LinearExplainer::new(
                weights.view(),
                intercepts.view(),
                mean.view(),
                &player_of,
                explain.players.len(),
                &margins,
            );
            (Engine::Linear(explainer.map_err(RunError::unacceptable)?), "closed form".to_owned())
        }
        NativeKind::Forest(forest, origins) => {
            let players = tree::Players { of_feature: &player_of, n_players: explain.players.len() };
            let identity = native.link() == crate::forest::Link::Identity;
            let options = tree::Options {
                scale: if explain.scale == Scale::Probability && !identity {
                    tree::Scale::Probability
                } else {
                    tree::Scale::Margin
                },
                expected_rows: expected_rows(plan, explain),
                interactions: explain.interactions,
                ..Default::default()
            };
            let explainer = match explain.method {
                Chosen::TreePathDependent => {
                    let (cover, source) = plan::cover(&plan.loaded, forest, origins, rows.view())?;
                    cover_source = Some(source);
                    TreeExplainer::path_dependent(forest, &players, &cover, &margins, &options)
                }
                _ => TreeExplainer::interventional(forest, &players, rows.view(), &margins, &options),
            };
            let explainer = explainer.map_err(RunError::unacceptable)?;
            let name = explainer.engine().to_owned();
            (Engine::Tree(Box::new(explainer)), name)
        }
    };
    Ok(Explainer { engine, outputs, engine_name, cover_source })
}

fn expected_rows(plan: &Plan, explain: &ExplainPlan) -> usize {
    let n_rows = match explain.rows {
        plan::Rows::All => plan.n_rows,
        plan::Rows::Count(n) => n.min(plan.n_rows),
    };
    n_rows as usize
}

fn game_explainer<'a>(
    plan: &Plan,
    model: &'a PlannedModel,
    explain: &ExplainPlan,
    background: &'a Background,
    outputs: Vec<usize>,
    predictor: Option<&'a NativePredictor<'a>>,
) -> Result<Explainer<'a>, RunError> {
    let budget = explain.budget as usize;
    let method = match explain.method {
        Chosen::Kernel if explain.sampling == Sampling::ShapleyKernel => game::Method::ShapleyKernel { budget },
        Chosen::Kernel => game::Method::Kernel { budget },
        Chosen::Permutation => game::Method::Permutation { budget },
        _ => game::Method::Exact,
    };
    let scale = asked_scale(plan, model, explain);
    let rules = game::Rules { method, scale, outputs: outputs.clone(), seed: plan.config().pipeline.seed };
    // Sampling asks for very many scores; enumeration stays with ONNX Runtime, as the oracle of the native structure,
    // unless it asks for margins that the graph does not show.
    let hidden = scale == game::Scale::Margin && !model.scorer.reading().shows_margin();
    let native = predictor.filter(|_| explain.method != Chosen::Exact || hidden);
    let predictor: &dyn Predictor = match native {
        Some(native) => native,
        None => &model.scorer,
    };
    let explainer = GameExplainer::new(predictor, &background.features, explain.players.clone(), rules);
    let explainer = explainer.map_err(RunError::unacceptable)?;
    let engine_name = match explain.method {
        Chosen::Kernel if explain.sampling == Sampling::ShapleyKernel => "KernelSHAP as published",
        Chosen::Kernel => "paired leverage-score sampling",
        Chosen::Permutation => "antithetic permutations",
        _ => "enumeration",
    };
    Ok(Explainer {
        engine: Engine::Game(Box::new(explainer)),
        outputs,
        engine_name: engine_name.to_owned(),
        cover_source: None,
    })
}

/// The scale on which methods that only ask the model are to ask it.
pub(super) fn asked_scale(plan: &Plan, model: &PlannedModel, explain: &ExplainPlan) -> game::Scale {
    match explain.scale {
        Scale::Margin if !score_is_margin(plan, model) => game::Scale::Margin,
        _ => game::Scale::Probability,
    }
}

/// Whether the score is its own margin: a value, or probabilities that are averaged.
fn score_is_margin(plan: &Plan, model: &PlannedModel) -> bool {
    let unlinked = |native: &Native| native.link() == crate::forest::Link::Identity;
    plan.task == crate::config::Task::Regression
        || !model.scorer.reading().shows_margin() && model.native.as_ref().is_some_and(unlinked)
}

/// Gradients of the model's own graph.
fn gradient_explainer<'a>(
    plan: &Plan,
    model: &'a PlannedModel,
    explain: &ExplainPlan,
    background: &Background,
    outputs: Vec<usize>,
) -> Result<Explainer<'a>, RunError> {
    let differentiator = model.differentiator(plan.task, explain);
    let differentiator = differentiator.ok_or_else(|| RunError::broken("the model was not differentiated"))?;
    let (method, engine_name) = match explain.method {
        Chosen::SmoothGrad => (gradient::Method::Smooth, "tangent, mean of noisy copies"),
        Chosen::IntegratedGradients => (gradient::Method::Integrated, "Gauss–Legendre on panels"),
        Chosen::ExpectedGradients => (gradient::Method::Expected, "Gauss–Legendre on panels, every background row"),
        Chosen::Deep => (gradient::Method::Deep, "rescale rule, an approximation"),
        _ => (gradient::Method::Input, "tangent"),
    };
    let rules = gradient::Rules {
        method,
        outputs: outputs.clone(),
        budget: explain.budget as usize,
        seed: plan.config().pipeline.seed,
        map: plan::picture(&plan.selection.features).map(|(column, picture)| pixels(differentiator, column, picture)),
    };
    let explainer = GradientExplainer::new(differentiator, &background.features, &explain.players, rules);
    Ok(Explainer {
        engine: Engine::Gradient(Box::new(explainer.map_err(RunError::unacceptable)?)),
        outputs,
        engine_name: match differentiator.is_behind_preprocessing() {
            true => format!("{engine_name}, of the numbers behind the model's preprocessing"),
            false => engine_name.to_owned(),
        },
        cover_source: None,
    })
}

/// A background of one row of zeros, for `baseline = "zero"`.
pub fn zeros_like(features: &Features) -> Features {
    let columns = features.columns.iter().map(|column| match column {
        Column::Number(_) => Column::Number(vec![0.0]),
        Column::Text(_) => Column::Text(vec![None]),
        Column::Tensor { width, .. } => Column::Tensor { width: *width, values: vec![0.0; *width] },
    });
    Features { n_rows: 1, columns: columns.collect() }
}
