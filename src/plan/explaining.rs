//! Which explanation fits the model, and why.

use super::error::conflict;
use super::patches::{self, Painting};
use super::surrogate::{self, LimePlan};
use crate::config::{self, Baseline, Conflict, Loaded, Method, Outputs, Sampling, Scale, Task};
use crate::dataset::{Column, Features, Selection, Source};
use crate::explain::OTHER;
use crate::explain::game::{self, MAX_COALITIONS, Players};
use crate::forest::Link;
use crate::model::{Native, NativeKind, Reading};

/// An explanation, decided.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainPlan {
    pub method: Chosen,
    /// For the reader: why this method.
    pub reason: String,
    pub scale: Scale,
    pub outputs: Explained,
    pub rows: Rows,
    /// Background rows; `None` = all.
    pub background_rows: Option<u64>,
    /// Coalitions per row for sampling methods, neighbours per row for LIME.
    pub budget: u64,
    pub sampling: Sampling,
    /// So many of a row's largest attributions are stored one by one, the rest as their sum; 0 = all.
    pub top_k: usize,
    /// Columns, or groups of columns, that share a score among them.
    pub players: Players,
    pub interactions: bool,
    /// The reference is zero in every column instead of a background.
    pub zero_baseline: bool,
    /// The reference is the rows of this Parquet file instead of a background.
    pub baseline_file: Option<String>,
    /// Exactly for method "lime".
    pub lime: Option<LimePlan>,
    /// For methods that paint a picture over.
    pub painting: Option<Painting>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chosen {
    Tree,
    TreePathDependent,
    Linear,
    Exact,
    Kernel,
    Permutation,
    Lime,
    Gradient,
    SmoothGrad,
    IntegratedGradients,
    ExpectedGradients,
    Deep,
    Occlusion,
    Partition,
}

impl Chosen {
    /// As typed in `[explain] method` and stored.
    pub fn name(self) -> &'static str {
        match self {
            Chosen::Tree => "tree",
            Chosen::TreePathDependent => "tree_path_dependent",
            Chosen::Linear => "linear",
            Chosen::Exact => "exact",
            Chosen::Kernel => "kernel",
            Chosen::Permutation => "permutation",
            Chosen::Lime => "lime",
            Chosen::Gradient => "gradient",
            Chosen::SmoothGrad => "smooth_grad",
            Chosen::IntegratedGradients => "integrated_gradients",
            Chosen::ExpectedGradients => "expected_gradients",
            Chosen::Deep => "deep",
            Chosen::Occlusion => "occlusion",
            Chosen::Partition => "partition",
        }
    }

    /// Whether the model's structure is read.
    fn is_native(self) -> bool {
        matches!(self, Chosen::Tree | Chosen::TreePathDependent | Chosen::Linear)
    }

    /// Whether the cost grows with the background. LIME only takes its distribution from it, integrated gradients its
    /// mean.
    fn costs_by_background(self) -> bool {
        use Chosen::{Deep, Exact, ExpectedGradients, Kernel, Occlusion, Permutation};
        matches!(self, Exact | Kernel | Permutation | ExpectedGradients | Deep | Occlusion)
    }

    /// Whether the model is differentiated.
    pub fn follows_gradients(self) -> bool {
        use Chosen::{Deep, ExpectedGradients, Gradient, IntegratedGradients, SmoothGrad};
        matches!(self, Gradient | SmoothGrad | IntegratedGradients | ExpectedGradients | Deep)
    }
}

/// Positions of the explained outputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Explained {
    Fixed(Vec<usize>),
    /// The decision of each row.
    Predicted,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    All,
    /// So many, sampled with the seed.
    Count(u64),
}

/// Single pixels are too many players to sample, and which of these fits is for the reader to say.
const PICTURES: &str = "pictures are scored, but not explained unless a method is named: \"integrated_gradients\" where \
                        the model can be differentiated, else \"occlusion\" or \"partition\"";

/// Enumeration is the default while a row needs at most this many coalitions.
const FEW_COALITIONS: u64 = 1 << 10;
/// Background rows where the cost grows with them.
const SAMPLED_BACKGROUND: u64 = 200;

/// What the decision rests on.
pub struct Facts<'a> {
    pub task: Task,
    pub outputs: &'a [String],
    pub native: &'a Result<Native, String>,
    pub source: &'a Source,
    pub selection: &'a Selection,
    pub reading: &'a Reading,
    pub features: &'a Features,
    pub n_rows: u64,
}

/// One explanation on its way to be decided.
pub(super) struct Decision<'a> {
    pub explain: &'a config::Explain,
    /// Where the explanation stands in the TOML.
    pub key: String,
    pub loaded: &'a Loaded,
    pub facts: &'a Facts<'a>,
    pub players: Players,
}

impl Decision<'_> {
    /// The inner error is a reason to explain nothing.
    pub fn decide(&self) -> Result<Result<ExplainPlan, String>, Conflict> {
        let (method, reason) = match self.method()? {
            Ok(chosen) => chosen,
            Err(why) => return Ok(Err(why)),
        };
        self.check_clusters(method)?;
        self.check_top_k()?;
        let scale = self.scale(method)?;
        self.check_interactions(method, scale)?;
        let background = self.loaded.config.background.rows;
        let background_rows = match background {
            Some(config::Rows::All) => None,
            Some(config::Rows::Count(n)) => Some(n),
            None if method.costs_by_background() || self.has_pictures() => Some(SAMPLED_BACKGROUND),
            None => None,
        };
        let rows = match self.explain.rows {
            config::Rows::Count(n) if n < self.facts.n_rows => Rows::Count(n),
            _ => Rows::All,
        };
        let outputs = self.outputs()?;
        Ok(Ok(ExplainPlan {
            method,
            reason,
            scale,
            lime: self.lime(method, scale, &outputs)?,
            painting: patches::painting(self, method)?,
            outputs,
            rows,
            background_rows,
            budget: self.explain.budget,
            sampling: self.explain.sampling,
            top_k: self.explain.top_k as usize,
            players: self.players.clone(),
            interactions: self.explain.interactions,
            zero_baseline: self.explain.baseline == Baseline::Zero,
            baseline_file: match &self.explain.baseline {
                Baseline::File(path) => Some(path.clone()),
                Baseline::Background | Baseline::Zero => None,
            },
        }))
    }

    fn has_pictures(&self) -> bool {
        self.facts.features.columns.iter().any(|column| matches!(column, Column::Tensor { .. }))
    }

    fn lime(&self, method: Chosen, scale: Scale, outputs: &Explained) -> Result<Option<LimePlan>, Conflict> {
        if method != Chosen::Lime {
            return Ok(None);
        }
        if self.explain.baseline == Baseline::Zero {
            let message = "LIME draws neighbours as the background is distributed: zero in every column is none";
            let help = "leave `baseline` out; what hides parts of a picture is `lime.hide_color`";
            return Err(self.conflict("baseline", message, help));
        }
        let outputs = match outputs {
            Explained::Fixed(outputs) => outputs.clone(),
            Explained::Predicted => (0..self.facts.outputs.len()).collect(),
        };
        let scale = match scale {
            Scale::Margin if self.facts.task != Task::Regression => game::Scale::Margin,
            _ => game::Scale::Probability,
        };
        let (config, selection) = (&self.loaded.config, self.facts.selection);
        let typed = &self.explain.lime;
        let varied = surrogate::varied(config, typed, &self.key, &selection.features, self.facts.source)?;
        surrogate::lime(config, self.explain, &self.key, &self.players, outputs, scale, varied).map(Some)
    }

    /// A conflict at one of the explanation's keys.
    pub(super) fn conflict(&self, key: &str, message: impl Into<String>, help: &str) -> Conflict {
        conflict(format!("{}.{key}", self.key), message, help)
    }

    /// Owen values need a method that knows clusters. A linear model's are its Shapley values: nothing interacts.
    fn check_clusters(&self, method: Chosen) -> Result<(), Conflict> {
        let knows = matches!(method, Chosen::Linear | Chosen::Exact | Chosen::Permutation);
        match !self.players.is_clustered() || knows {
            true => Ok(()),
            false => Err(self.conflict(
                "players",
                format!("method \"{}\" cannot share the worth of a cluster (`split = true`)", method.name()),
                "use method \"exact\" or \"permutation\", or leave `split` out: the columns are one player then",
            )),
        }
    }

    /// The sum of the small attributions needs its name for itself.
    fn check_top_k(&self) -> Result<(), Conflict> {
        match self.explain.top_k > 0 && self.players.iter().any(|player| player.name == OTHER) {
            false => Ok(()),
            true => Err(self.conflict(
                "top_k",
                format!("a player is called {OTHER}, as the sum of the small attributions would be"),
                "leave it at 0, or rename the player in [[explain.players]]",
            )),
        }
    }

    /// Pairwise values are those of a tree ensemble's margin, for outputs that are the same for every row.
    fn check_interactions(&self, method: Chosen, scale: Scale) -> Result<(), Conflict> {
        let trees = matches!(method, Chosen::Tree | Chosen::TreePathDependent);
        let identity = matches!(self.facts.native, Ok(native) if identity(native, self.facts.reading));
        let fixed = self.outputs()? != Explained::Predicted;
        match !self.explain.interactions || trees && fixed && (scale == Scale::Margin || identity) {
            true => Ok(()),
            false => Err(self.conflict("interactions",
                "interactions are values of a tree ensemble's margin, for the same outputs in every row",
                "use method \"tree\" or \"tree_path_dependent\", scale = \"margin\", and outputs other than \"predicted\"",
            )),
        }
    }

    /// The method with its reason; the inner error is a reason to explain nothing.
    fn method(&self) -> Result<Result<(Chosen, String), String>, Conflict> {
        let native = self.facts.native.as_ref();
        let is_forest = |native: &&Native| matches!(native.kind, NativeKind::Forest(..));
        let why_not = || match &self.facts.native {
            Err(why) => why.clone(),
            Ok(native) => match native.kind {
                NativeKind::Forest(..) => "the model is a tree ensemble".to_owned(),
                NativeKind::Linear { .. } => "the model is linear".to_owned(),
            },
        };
        let refuse = |wanted: &str| {
            let message = format!("method \"{wanted}\" does not fit this model: {}", why_not());
            self.conflict("method", message, "use method = \"auto\", or \"exact\" / \"kernel\", which fit any model")
        };
        let asked = |method: Chosen| Ok(Ok((method, "asked for".to_owned())));
        match self.explain.method {
            Method::None => Ok(Err("[explain] method = \"none\"".to_owned())),
            Method::Auto => Ok(self.auto()),
            Method::Tree if native.ok().filter(is_forest).is_some() => asked(Chosen::Tree),
            Method::Tree => Err(refuse("tree")),
            Method::TreePathDependent if native.ok().filter(is_forest).is_some() => asked(Chosen::TreePathDependent),
            Method::TreePathDependent => Err(refuse("tree_path_dependent")),
            Method::Linear if native.ok().filter(|native| !is_forest(native)).is_some() => asked(Chosen::Linear),
            Method::Linear => Err(refuse("linear")),
            Method::Exact => asked(Chosen::Exact),
            Method::Kernel => asked(Chosen::Kernel),
            Method::Permutation => asked(Chosen::Permutation),
            Method::Lime => asked(Chosen::Lime),
            Method::Gradient => asked(Chosen::Gradient),
            Method::SmoothGrad => asked(Chosen::SmoothGrad),
            Method::IntegratedGradients => asked(Chosen::IntegratedGradients),
            Method::ExpectedGradients => asked(Chosen::ExpectedGradients),
            Method::Deep => asked(Chosen::Deep),
            Method::Occlusion => asked(Chosen::Occlusion),
            Method::Partition => asked(Chosen::Partition),
        }
    }

    fn auto(&self) -> Result<(Chosen, String), String> {
        if self.has_pictures() {
            return Err(PICTURES.to_owned());
        }
        let clustered = self.players.is_clustered();
        match self.facts.native {
            Ok(native) if self.explain.scale == Some(Scale::Probability) && !identity(native, self.facts.reading) => {}
            Ok(native) if clustered && matches!(native.kind, NativeKind::Forest(..)) => {}
            Ok(native) => {
                return Ok(match &native.kind {
                    NativeKind::Forest(forest, _) => (
                        Chosen::Tree,
                        format!("the model is an ensemble of {} trees: exact and fast", forest.trees.len()),
                    ),
                    NativeKind::Linear { .. } => (Chosen::Linear, "the model is linear: exact and fast".to_owned()),
                });
            }
            Err(_) => {}
        }
        let why = match self.facts.native {
            Ok(_) if clustered => "sharing a cluster's worth has no closed form".to_owned(),
            Ok(_) => "the probability of a model with a link has no closed form".to_owned(),
            Err(why) => why.clone(),
        };
        let players = self.players.len();
        let coalitions = self.players.n_coalitions(&(0..players).collect::<Vec<_>>());
        match coalitions <= FEW_COALITIONS || coalitions <= self.explain.budget && coalitions <= MAX_COALITIONS {
            true => Ok((Chosen::Exact, format!("{why}; {players} players are few enough to enumerate"))),
            false if clustered => {
                Ok((Chosen::Permutation, format!("{why}; {players} players are too many to enumerate")))
            }
            false => Ok((Chosen::Kernel, format!("{why}; {players} players are too many to enumerate"))),
        }
    }

    fn scale(&self, method: Chosen) -> Result<Scale, Conflict> {
        let scale = self.explain.scale.unwrap_or(if method.is_native() { Scale::Margin } else { Scale::Probability });
        let Ok(native) = self.facts.native else { return self.model_scale(method, scale) };
        let no = |what: &str| {
            let help =
                "use scale = \"margin\", or method = \"exact\" or \"kernel\" for the Shapley value of the probability";
            Err(self.conflict("scale", format!("\"probability\" is not available for {what}"), help))
        };
        match (method, scale) {
            _ if identity(native, self.facts.reading) => Ok(scale),
            (Chosen::Tree, Scale::Probability) => match &native.kind {
                NativeKind::Forest(forest, _) if forest.link == Link::Logistic && forest.n_outputs == 1 => Ok(scale),
                _ => no("this ensemble's link"),
            },
            (Chosen::TreePathDependent, Scale::Probability) => no("path-dependent values"),
            (Chosen::Linear, Scale::Probability) => no("linear models with a link"),
            // A structure that starts from the raw columns can be asked for margins that the graph never shows.
            (method, Scale::Margin) if !method.is_native() && native.predictor().is_none() => {
                self.model_scale(method, scale)
            }
            _ => Ok(scale),
        }
    }

    /// Without a native structure, margins must come from the graph.
    fn model_scale(&self, method: Chosen, scale: Scale) -> Result<Scale, Conflict> {
        let has_margin = self.facts.reading.shows_margin() || self.facts.task == Task::Regression;
        match scale {
            Scale::Margin if !has_margin && !method.is_native() => Err(self.conflict(
                "scale",
                "the model has no margin: its last operation is neither Sigmoid nor Softmax",
                "use scale = \"probability\", or name the raw scores in [model] margin_output",
            )),
            scale => Ok(scale),
        }
    }

    fn outputs(&self) -> Result<Explained, Conflict> {
        let n = self.facts.outputs.len();
        match &self.explain.outputs {
            None if self.facts.task == Task::Multiclass => Ok(Explained::Predicted),
            Some(Outputs::Positive) if self.facts.task == Task::Multiclass => Err(self.conflict(
                "outputs",
                "a multiclass model has no positive class",
                "use \"predicted\", \"all\", or class indices such as [0, 2]",
            )),
            Some(Outputs::Predicted) if self.facts.task == Task::Multiclass => Ok(Explained::Predicted),
            None | Some(Outputs::Positive | Outputs::Predicted) => Ok(Explained::Fixed(vec![0])),
            Some(Outputs::All) => Ok(Explained::Fixed((0..n).collect())),
            Some(Outputs::Classes(classes)) => self.classes(classes),
        }
    }

    fn classes(&self, classes: &[u64]) -> Result<Explained, Conflict> {
        let n = self.facts.outputs.len();
        let known = match self.facts.task {
            Task::Binary => 2,
            _ => n as u64,
        };
        if let Some(class) = classes.iter().find(|class| **class >= known) {
            let message = format!("class {class} is to be explained, but the model has {known} classes (from 0)");
            return Err(self.conflict("outputs", message, "name existing classes"));
        }
        match self.facts.task {
            Task::Binary if classes != [1] => Err(self.conflict(
                "outputs",
                "binary models are explained for class 1; class 0 is the same with the opposite sign",
                "use \"positive\"",
            )),
            Task::Binary => Ok(Explained::Fixed(vec![0])),
            _ => Ok(Explained::Fixed(classes.iter().map(|class| *class as usize).collect())),
        }
    }
}

/// The reported score is the margin itself (regression, averaged probabilities).
fn identity(native: &Native, reading: &Reading) -> bool {
    let link = match &native.kind {
        NativeKind::Forest(forest, _) => forest.link,
        NativeKind::Linear { .. } => native.link(),
    };
    link == Link::Identity && reading.score_is_margin.is_none()
}
