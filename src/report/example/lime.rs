//! LIME beside the main method of the example audits.

use super::case;
use crate::audit::*;

/// LIME beside the main method.
pub fn lime() -> Further {
    let term = |feature: &str, term: &str, attribution: f64| CaseTerm {
        feature: feature.into(),
        feature_value: String::new(),
        attribution,
        term: Some(term.into()),
    };
    let shown = |main: Case| Case {
        explained_score: 0.6,
        base_value: 0.3,
        terms: vec![term("relationship", "relationship = Husband", 0.1), term("age", "age > 45", 0.2)],
        local_fit: Some(CaseFit { local_prediction: 0.6, r2: Some(0.41), stability: Some(0.9) }),
        ..main
    };
    Further {
        proof: Proof {
            method: "lime".into(),
            scale: "probability".into(),
            additivity_gap: Some(1e-16),
            n_explained: 20,
            local_fit: Some(FitSummary { n: 20, mean_r2: Some(0.38), mean_stability: Some(0.87), largest_miss: 0.4 }),
            ..Proof::default()
        },
        outputs: vec![">50K".into()],
        cases: vec![shown(case("highest score", 0.97)), shown(case("nearest the threshold", 0.5))],
    }
}
