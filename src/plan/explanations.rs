//! All explanations of a run: the main method, and those that stand beside it.

use super::error::{PlanError, conflict};
use super::explaining::{Decision, ExplainPlan, Facts};
use super::patches::patches;
use crate::config::{self, Conflict, Loaded};
use crate::dataset::Selection;
use crate::explain::game::Players;

/// All explanations of a run.
pub struct Explanations {
    pub main: Option<ExplainPlan>,
    /// Why nothing is explained, where nothing is.
    pub unexplained: Option<String>,
    /// Further methods, in the order of the file.
    pub also: Vec<ExplainPlan>,
}

/// Columns, groups of columns, or columns in clusters as the players of the main method.
pub fn players(loaded: &Loaded, selection: &Selection) -> Result<Players, PlanError> {
    let players = players_of(loaded, &loaded.config.explain, "explain", selection);
    players.map_err(|conflict| PlanError::Config(Box::new(loaded.errors([conflict]))))
}

fn players_of(
    loaded: &Loaded,
    explain: &config::Explain,
    key: &str,
    selection: &Selection,
) -> Result<Players, Conflict> {
    if let Some(patch) = loaded.config.data.image.as_ref().and_then(|image| image.patch) {
        return patches(&selection.features, patch);
    }
    let names: Vec<String> = selection.features.iter().map(|feature| feature.column.clone()).collect();
    let groups = |split: bool| -> Vec<_> {
        let groups = explain.players.iter().filter(|group| group.split == split);
        groups.map(|group| (group.name.clone(), group.columns.clone())).collect()
    };
    let clusters = groups(true);
    let players = Players::grouped(&names, &groups(false));
    let players = players.and_then(|players| match clusters.is_empty() {
        true => Ok(players),
        false => players.in_clusters(&names, &clusters),
    });
    let help = "name columns that feed the model, each in one player";
    players.map_err(|error| conflict(format!("{key}.players"), error.to_string(), help))
}

/// The explanation, or why there is none, and the further ones beside it.
pub fn decide(loaded: &Loaded, facts: &Facts) -> Result<Explanations, PlanError> {
    decide_all(loaded, facts).map_err(|conflict| PlanError::Config(Box::new(loaded.errors([conflict]))))
}

fn decide_all(loaded: &Loaded, facts: &Facts) -> Result<Explanations, Conflict> {
    let decide = |explain, key: String| {
        let players = players_of(loaded, explain, &key, facts.selection)?;
        Decision { explain, key, loaded, facts, players }.decide()
    };
    let typed = &loaded.config.explain;
    let (main, unexplained) = match decide(typed, "explain".to_owned())? {
        Ok(main) => (Some(main), None),
        Err(why) => (None, Some(why)),
    };
    let mut also: Vec<ExplainPlan> = Vec::new();
    for (at, explain) in typed.also.iter().enumerate() {
        let key = format!("explain.also.{at}");
        let Some(main) = &main else {
            let message = "there is no main method that a further one could stand beside";
            return Err(conflict(key, message, "name it as `method` of [explain]"));
        };
        let further = decide(explain, key.clone())?.map_err(|why| conflict(&key, why, "name a method"))?;
        check_beside(main, &also, &further, &key)?;
        also.push(further);
    }
    Ok(Explanations { main, unexplained, also })
}

/// Results of a run are told apart by their method, and its interactions are those of one method.
fn check_beside(main: &ExplainPlan, also: &[ExplainPlan], further: &ExplainPlan, key: &str) -> Result<(), Conflict> {
    let mut others = std::iter::once(main).chain(also);
    if others.clone().any(|other| other.method == further.method) {
        let message = format!("method \"{}\" is used twice", further.method.name());
        return Err(conflict(format!("{key}.method"), message, "name each method once"));
    }
    match further.interactions && others.any(|other| other.interactions) {
        true => {
            let message = "interactions are asked of two methods";
            Err(conflict(format!("{key}.interactions"), message, "ask one method for them"))
        }
        false => Ok(()),
    }
}
