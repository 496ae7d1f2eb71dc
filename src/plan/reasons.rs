//! Texts of reasons, held against what there are attributions of.

use super::error::{PlanError, conflict, did_you_mean};
use crate::config::Loaded;
use crate::explain::game::Players;

/// Refuses texts for features that the model does not have.
pub fn check(loaded: &Loaded, players: &Players) -> Result<(), PlanError> {
    let names: Vec<&str> = players.iter().map(|player| player.name.as_str()).collect();
    let unknown = loaded.config.report.reasons.keys().filter(|feature| !names.contains(&feature.as_str()));
    let conflicts: Vec<_> = unknown
        .map(|feature| {
            let near = did_you_mean(feature, names.iter().copied());
            let message = format!("[report.reasons] names `{feature}`, which is no feature of the model{near}");
            conflict(format!("report.reasons.{feature}"), message, format!("its features: {}", names.join(", ")))
        })
        .collect();
    match conflicts.is_empty() {
        true => Ok(()),
        false => Err(PlanError::Config(Box::new(loaded.errors(conflicts)))),
    }
}
