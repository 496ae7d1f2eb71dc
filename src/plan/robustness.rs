//! Attacks, decided: which columns may change, how far, and along which gradients.

use super::differentiating::{self, Wanted, What};
use super::error::{PlanError, conflict, did_you_mean};
use super::explaining::Rows;
use crate::config::{self, AttackMethod, Conflict, Loaded, Task};
use crate::dataset::{FeatureSpec, Kind, Selection, Source, Want};
use crate::model::backward::Rule;
use crate::model::differentiable::Differentiable;
use crate::model::{Differentiator, Quantity};
use crate::robustness::{Ball, Loss, Method, Reach, Rules, Spread};

/// The share of ε that all steps together are longer than it (Madry's own experiments).
const STEPS_PER_EPSILON: f64 = 2.5;
const HELP: &str =
    "leave [robustness] out; [importance] methods = [\"sensitivity\"] tries changes of single columns on any model";

/// Attacks on a model.
#[derive(Debug, Clone, PartialEq)]
pub struct RobustnessPlan {
    pub rules: Rules,
    /// The ε whose shares are metrics.
    pub judged: f64,
    pub rows: Rows,
    /// Per column of the data.
    movements: Vec<Movement>,
    /// What is differentiated.
    pub(super) what: What,
}

/// How one column may change.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Movement {
    may: May,
    range: Option<[f64; 2]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum May {
    Stay,
    /// By any amount, unless all its numbers turn out to be whole.
    MoveFreely,
    /// Asked for: by whole steps if its numbers are whole.
    Move,
    /// Numbers of a picture or a list.
    MoveCells,
}

impl RobustnessPlan {
    /// The box of admissible changes, with each column's spread over all rows.
    pub fn ball(&self, model: &dyn Differentiable, spreads: &[Spread]) -> Ball {
        Ball::new(model.width(), model.layout(), &self.reaches(spreads))
    }

    fn reaches(&self, spreads: &[Spread]) -> Vec<Reach> {
        self.movements.iter().zip(spreads).map(|(movement, spread)| movement.reach(spread)).collect()
    }

    /// Names of the columns that the box lets move.
    pub fn moving<'a>(&self, features: &'a [FeatureSpec], spreads: &[Spread]) -> Vec<&'a str> {
        let all = features.iter().zip(self.reaches(spreads));
        all.filter(|(_, reach)| reach.moves()).map(|(feature, _)| feature.column.as_str()).collect()
    }
}

impl Movement {
    /// How far the numbers of a column of this spread may move.
    fn reach(&self, spread: &Spread) -> Reach {
        let [low, high] = self.range.unwrap_or([spread.low, spread.high]);
        let whole = match self.may {
            May::Stay => return Reach::STILL,
            May::MoveFreely if spread.whole => return Reach::STILL,
            May::MoveFreely | May::MoveCells => false,
            May::Move => spread.whole,
        };
        Reach { unit: spread.unit, low, high, whole }
    }
}

/// What `[robustness]` asks for; `None` where it stands nowhere.
pub fn decide(
    loaded: &Loaded,
    source: &Source,
    selection: &Selection,
    wanted: &Wanted,
) -> Result<Option<RobustnessPlan>, PlanError> {
    let Some(typed) = &loaded.config.robustness else { return Ok(None) };
    let decided = Deciding { loaded, typed, source, features: &selection.features, wanted }.decide();
    decided.map(Some).map_err(|conflicts| PlanError::Config(Box::new(loaded.errors(conflicts))))
}

/// Recorded decisions have nothing to attack.
pub fn refuse_without_model(loaded: &Loaded) -> Result<(), PlanError> {
    if loaded.config.robustness.is_none() {
        return Ok(());
    }
    let message = "scores that were computed elsewhere cannot be asked what a change would do to them";
    let found = conflict("robustness", message, "give [model] path, or leave [robustness] out");
    Err(PlanError::Config(Box::new(loaded.errors([found]))))
}

/// Opens the gradients that attacks follow, beside those that are open.
///
/// # Errors
/// A model that has none, or only behind its preprocessing: nobody can change a one-hot place by a little.
pub fn open(
    loaded: &Loaded,
    robustness: &RobustnessPlan,
    opened: &mut Vec<(What, Differentiator)>,
    wanted: &Wanted,
) -> Result<(), PlanError> {
    let refuse = |message: String| PlanError::Config(Box::new(loaded.errors([conflict("robustness", message, HELP)])));
    differentiating::add(opened, robustness.what, wanted)
        .map_err(|why| refuse(format!("this model has no gradient to attack along: {why}")))?;
    let behind = opened.iter().any(|(what, found)| *what == robustness.what && found.is_behind_preprocessing());
    match behind {
        false => Ok(()),
        true => {
            let message = "this model has no gradient to attack along: it encodes or scales its columns itself, and has \
                           gradients behind that alone";
            Err(refuse(message.to_owned()))
        }
    }
}

struct Deciding<'a> {
    loaded: &'a Loaded,
    typed: &'a config::Robustness,
    source: &'a Source,
    features: &'a [FeatureSpec],
    wanted: &'a Wanted<'a>,
}

impl Deciding<'_> {
    fn decide(&self) -> Result<RobustnessPlan, Vec<Conflict>> {
        if self.wanted.task == Task::Regression {
            let message = "a regression makes no decisions that a change could turn";
            return Err(vec![conflict("robustness", message, HELP)]);
        }
        let mut conflicts = self.unknown_columns();
        conflicts.extend(self.empty_ranges());
        let mut epsilons = self.typed.epsilon.sizes();
        conflicts.extend(sizes(&epsilons, self.typed.gate_epsilon));
        epsilons.sort_by(f64::total_cmp);
        let judged = self.typed.gate_epsilon.or(epsilons.last().copied()).unwrap_or(0.0);
        // Without a change nothing turns: where curves begin.
        epsilons.insert(0, 0.0);
        epsilons.dedup();
        let movements: Vec<Movement> = self.features.iter().map(|feature| self.movement(feature)).collect();
        if conflicts.is_empty() && movements.iter().all(|movement| movement.may == May::Stay) {
            let message = "nothing would change: every column holds whole numbers, categories or texts";
            let help = "name the columns that may change by whole steps as `columns`";
            conflicts.push(conflict("robustness", message, help));
        }
        if !conflicts.is_empty() {
            return Err(conflicts);
        }
        let has_margin = self.wanted.reading.shows_margin();
        Ok(RobustnessPlan {
            rules: self.rules(epsilons, has_margin),
            judged,
            rows: match self.typed.rows {
                config::Rows::All => Rows::All,
                config::Rows::Count(n) => Rows::Count(n),
            },
            movements,
            what: (if has_margin { Quantity::Margin } else { Quantity::Reported }, Rule::Derivative),
        })
    }

    fn rules(&self, epsilons: Vec<f64>, has_margin: bool) -> Rules {
        Rules {
            method: match self.typed.attack {
                AttackMethod::Fgsm => Method::Fgsm,
                AttackMethod::Pgd => Method::Pgd,
            },
            loss: match (self.wanted.task, has_margin) {
                (Task::Binary, _) => Loss::OneScore,
                (_, true) => Loss::CrossEntropy,
                (_, false) => Loss::OwnScore,
            },
            epsilons,
            steps: self.typed.steps as usize,
            step: self.typed.step_size.unwrap_or((STEPS_PER_EPSILON / self.typed.steps as f64).min(1.0)),
            restarts: self.typed.restarts as usize,
            seed: self.loaded.config.pipeline.seed,
        }
    }

    fn movement(&self, feature: &FeatureSpec) -> Movement {
        let range = self.typed.range.get(&feature.column).copied();
        let kind = self.source.field(&feature.column).map(|field| field.kind);
        let code = self.loaded.config.data.is_code(&feature.column);
        let may = match (&self.typed.columns, &feature.want) {
            (_, Want::Text) => May::Stay,
            (Some(columns), _) if !columns.contains(&feature.column) => May::Stay,
            (_, Want::Tensor { .. }) => May::MoveCells,
            (Some(_), Want::Number) => May::Move,
            (None, Want::Number) if code || matches!(kind, Some(Kind::Boolean | Kind::Integer | Kind::Date)) => {
                May::Stay
            }
            (None, Want::Number) => May::MoveFreely,
        };
        Movement { may, range }
    }

    fn unknown_columns(&self) -> Vec<Conflict> {
        let names = || self.features.iter().map(|feature| feature.column.as_str());
        let listed = self.typed.columns.iter().flatten().map(|column| ("robustness.columns".to_owned(), column));
        let ranged = self.typed.range.keys().map(|column| (format!("robustness.range.{column}"), column));
        let unknown = listed.chain(ranged).filter(|(_, column)| names().all(|name| name != column.as_str()));
        let unknown = unknown.map(|(key, column)| {
            let near = did_you_mean(column, names());
            let help = format!("its columns are {}", names().collect::<Vec<_>>().join(", "));
            conflict(key, format!("`{column}` does not feed the model{near}"), help)
        });
        let texts = self.features.iter().filter(|feature| feature.want == Want::Text);
        let named = texts.filter(|feature| self.typed.columns.iter().flatten().any(|name| *name == feature.column));
        let texts = named.map(|feature| {
            let message = format!("column `{}` reaches the model as text, which has no gradient", feature.column);
            conflict("robustness.columns", message, "leave it out")
        });
        unknown.chain(texts).collect()
    }

    fn empty_ranges(&self) -> impl Iterator<Item = Conflict> {
        let broken = self.typed.range.iter().filter(|(_, [low, high])| low.partial_cmp(high).is_none_or(|o| o.is_gt()));
        broken.map(|(column, [low, high])| {
            let message = format!("the range of `{column}` from {low} to {high} holds no number");
            conflict(format!("robustness.range.{column}"), message, "the least number comes first")
        })
    }
}

/// Sizes that are none, or a gate's that is not among them.
fn sizes(epsilons: &[f64], judged: Option<f64>) -> Vec<Conflict> {
    let help = "an epsilon is a finite number from 0 on";
    let odd = epsilons.iter().find(|size| !size.is_finite() || **size < 0.0);
    let odd = odd.map(|size| conflict("robustness.epsilon", format!("{size} is no size of a change"), help));
    let unknown = judged.filter(|judged| !epsilons.contains(judged)).map(|judged| {
        let known: Vec<String> = epsilons.iter().map(ToString::to_string).collect();
        let message = format!("{judged} is not among the sizes that are tried: {}", known.join(", "));
        conflict("robustness.gate_epsilon", message, "add it to epsilon")
    });
    odd.into_iter().chain(unknown).collect()
}
