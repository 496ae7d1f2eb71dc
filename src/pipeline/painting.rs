//! Methods that ask the model what a row is worth with parts of it replaced.

use super::RunError;
use super::explainer::asked_scale;
use crate::explain::hierarchy::{HierarchyExplainer, Tree};
use crate::explain::occlusion::{OcclusionExplainer, Windows};
use crate::explain::versions::Asker;
use crate::model::NativePredictor;
use crate::plan::{Background, ExplainPlan, Plan, PlannedModel};

/// Asks the native structure where there is one, else ONNX Runtime.
fn asker<'a>(
    plan: &Plan,
    model: &'a PlannedModel,
    explain: &ExplainPlan,
    native: Option<&'a NativePredictor<'a>>,
) -> Asker<'a> {
    let scale = asked_scale(plan, model, explain);
    match native {
        Some(native) => Asker { predictor: native, scale },
        None => Asker { predictor: &model.scorer, scale },
    }
}

pub(super) fn occlusion<'a>(
    plan: &Plan,
    model: &'a PlannedModel,
    explain: &ExplainPlan,
    background: &Background,
    (outputs, native): (Vec<usize>, Option<&'a NativePredictor<'a>>),
) -> Result<OcclusionExplainer<'a>, RunError> {
    let windows = explain.painting.map(|painting| Windows {
        column: 0,
        picture: painting.picture,
        size: painting.window,
        stride: painting.stride,
    });
    let asker = asker(plan, model, explain, native);
    OcclusionExplainer::new(asker, &background.features, explain.players.clone(), windows, outputs)
        .map_err(RunError::unacceptable)
}

pub(super) fn partition<'a>(
    plan: &Plan,
    model: &'a PlannedModel,
    explain: &ExplainPlan,
    background: &Background,
    (outputs, native): (Vec<usize>, Option<&'a NativePredictor<'a>>),
) -> Result<HierarchyExplainer<'a>, RunError> {
    let painting = explain.painting.ok_or_else(|| RunError::broken("there is no picture to divide"))?;
    let picture = painting.picture;
    let tree = Tree::new((picture.height, picture.width), painting.leaf);
    let asker = asker(plan, model, explain, native);
    let rules = (tree, explain.budget as usize, outputs);
    HierarchyExplainer::new(asker, &background.features, picture, explain.players.clone(), rules)
        .map_err(RunError::unacceptable)
}
