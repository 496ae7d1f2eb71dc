//! What shows that an explanation belongs to the model.

use super::explaining::Explaining;
use super::scoring::Agreement;
use crate::audit::Proof;
use crate::plan::{Background, Plan};

/// The proof of the main method, or that nothing is explained.
pub fn main(
    plan: &Plan,
    explaining: Option<(&Explaining, &Background)>,
    agreement: &Agreement,
    batch_difference: Option<f64>,
) -> Proof {
    let model = plan.model.as_ref();
    let nothing = || Proof {
        method: "none".to_owned(),
        reason: model.and_then(|model| model.unexplained.clone()).unwrap_or_else(|| "no model".to_owned()),
        ..Default::default()
    };
    let is_native = model.is_some_and(|model| model.native.is_some());
    Proof {
        batch_difference,
        native_difference: is_native.then_some(agreement.largest),
        native_rows: if is_native { agreement.n_rows } else { 0 },
        ..explaining.map_or_else(nothing, |(explaining, background)| of(explaining, background))
    }
}

/// What one method's explanations rest on.
pub fn of(explaining: &Explaining, background: &Background) -> Proof {
    let (explain, explainer) = (explaining.explain, explaining.explainer);
    let n_rows = background.features.n_rows as u64;
    let is_sample = background.n_total > n_rows && !explain.zero_baseline;
    Proof {
        method: explain.method.name().to_owned(),
        reason: explain.reason.clone(),
        engine: explainer.engine_name.clone(),
        scale: explain.scale.name().to_owned(),
        additivity_gap: explaining.additivity.largest(),
        additivity_gap_mean: explaining.additivity.mean(),
        background_rows: n_rows,
        background_source: match is_sample {
            true => format!("{}: a seeded sample of {} rows", background.source, background.n_total),
            false => background.source.clone(),
        },
        cover_source: explainer.cover_source.clone(),
        n_explained: explaining.n_explained,
        local_fit: explaining.local_fit(),
        ..Default::default()
    }
}
