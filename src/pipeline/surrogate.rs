//! LIME for what the model takes: the columns of a table, or a picture in segments.

use super::RunError;
use super::explanation::{Explanation, Surrogates};
use crate::dataset::Features;
use crate::explain::lime::{LimeExplainer, LimeResult, PictureLime};
use crate::explain::versions::Asker;
use crate::model::NativePredictor;
use crate::model::predictor::Predictor;
use crate::plan::{Background, ExplainPlan, PlannedModel, Varied};
use ndarray::Array3;

pub(super) enum Surrogate<'a> {
    Table(LimeExplainer<'a>),
    Picture(PictureLime<'a>),
}

impl<'a> Surrogate<'a> {
    /// With what the engine is called. The distribution of a table's neighbours is learnt from the whole background.
    pub fn new(
        model: &'a PlannedModel,
        explain: &ExplainPlan,
        background: &Background,
        native: Option<&'a NativePredictor<'a>>,
    ) -> Result<(Self, String), RunError> {
        let lime = explain.lime.as_ref().ok_or_else(|| RunError::broken("LIME was chosen without settings"))?;
        let (predictor, scored_by): (&dyn Predictor, _) = match native {
            Some(native) => (native, "the model's own structure"),
            None => (&model.scorer, "the model"),
        };
        let settings = lime.settings.clone();
        let (surrogate, what) = match &lime.varied {
            Varied::Columns(columns) => {
                let explainer = LimeExplainer::new(predictor, &background.features, columns, settings);
                (Self::Table(explainer.map_err(RunError::unacceptable)?), "")
            }
            Varied::Segments(superpixels) => {
                let asker = Asker { predictor, scale: settings.scale };
                let explainer = PictureLime::new(asker, *superpixels, explain.players.clone(), settings);
                (Self::Picture(explainer.map_err(RunError::unacceptable)?), " with superpixels left out")
            }
        };
        let n = lime.settings.samples;
        Ok((surrogate, format!("ridge surrogates of {n} neighbours{what}, scored by {scored_by}")))
    }

    /// With `decisions`, each row has its own output alone.
    pub fn explain(
        &self,
        features: &Features,
        keys: &[u64],
        decisions: Option<&[u32]>,
    ) -> Result<Explanation, RunError> {
        match self {
            Self::Table(explainer) => {
                let found = explainer.explain(features, keys).map_err(RunError::unacceptable)?;
                let all = explanation(found, None);
                Ok(match decisions {
                    Some(decisions) => all.of_decision(decisions),
                    None => all,
                })
            }
            Self::Picture(explainer) => {
                let found = explainer.explain(features, keys, decisions).map_err(RunError::unacceptable)?;
                Ok(explanation(found.lime, Some(found.maps)))
            }
        }
    }

    /// The model that is asked.
    pub fn predictor(&self) -> &'a dyn Predictor {
        match self {
            Self::Table(explainer) => explainer.predictor(),
            Self::Picture(explainer) => explainer.predictor(),
        }
    }

    /// Scores that explaining `n_rows` rows asks of the model.
    pub fn evaluations(&self, n_rows: u64) -> u64 {
        match self {
            Self::Table(explainer) => explainer.evaluations(n_rows),
            Self::Picture(explainer) => explainer.evaluations(n_rows),
        }
    }
}

fn explanation(found: LimeResult, maps: Option<Array3<f32>>) -> Explanation {
    let surrogates = Some(Surrogates { terms: found.terms, fits: found.fits });
    Explanation { attributions: found.attributions, surrogates, maps }
}
