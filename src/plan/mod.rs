//! What will be done: the config resolved against data and model, everything decided before the first row is read.
//!
//! `Plan::resolve` opens the data's schema and the model, binds columns to inputs (`feeding`), decides how outputs are
//! read (`reading`), which explanation fits (`explaining`), which groups are compared (`grouping`), which layers are looked at (`layers`). What does not
//! fit is said with the key it stands at. Only `resolve` crosses from [`crate::config::Config`] to here.

mod background;
mod cover;
mod curves;
mod differentiating;
mod error;
mod explaining;
mod explanations;
mod feeding;
mod gating;
mod grouping;
mod layers;
mod own;
mod patches;
mod privacy;
mod reading;
mod reasons;
mod robustness;
mod shuffling;
mod surrogate;

pub use background::{Background, MOST_ROWS as MOST_BACKGROUND_ROWS, choose, sample as sample_background, within};
pub use cover::cover;
pub use error::PlanError;
pub use explaining::{Chosen, ExplainPlan, Explained, Rows};
pub use gating::{fairness_task, importance_task};
pub use grouping::GroupPlan;
pub use layers::{LayersPlan, PlannedLayer};
pub use own::{Own, Picture as LogoKind, Section as OwnSection};
pub use patches::{Painting, picture};
pub use reading::name as task_name;
pub use robustness::RobustnessPlan;
pub use shuffling::Shuffling;
pub use surrogate::{LimePlan, Varied};

use crate::config::{Config, Grid, ImportanceMethod, Loaded, Task};
use crate::dataset::{Column, FeatureSpec, Features, LabelSpec, Reader, Selection, Source};
use crate::explain::game::Players;
use crate::fairness::gates::GateSpec;
use crate::fairness::model_facts::is_of_surrogate;
use crate::importance::dependence;
use crate::model::import::recognise_output;
use crate::model::{Differentiator, Model, Native, Scorer};
use error::conflict;

/// A run, decided.
pub struct Plan {
    pub loaded: Loaded,
    pub threads: usize,
    pub batch_rows: usize,
    pub source: Source,
    pub selection: Selection,
    /// Rows that pass the filter.
    pub n_rows: u64,
    pub task: Task,
    /// Names of the outputs, in model order; the positive class alone for binary tasks.
    pub outputs: Vec<String>,
    /// Names of the classes behind label indices; empty for regression.
    pub classes: Vec<String>,
    /// Binary decisions: the positive class if its probability is at least this.
    pub threshold: f64,
    pub model: Option<PlannedModel>,
    pub groups: GroupPlan,
    pub gates: Vec<GateSpec>,
    /// What the house adds to the reports.
    pub own: Own,
}

/// A model with everything that scoring and explaining need.
pub struct PlannedModel {
    pub model: Model,
    pub scorer: Scorer,
    pub native: Option<Native>,
    /// By what is differentiated, where explanations follow gradients.
    differentiators: Vec<(differentiating::What, Differentiator)>,
    /// Columns, or groups of columns, that share a score among them.
    pub players: Players,
    pub shuffling: Shuffling,
    pub explain: Option<ExplainPlan>,
    /// Further methods beside the main one.
    pub also: Vec<ExplainPlan>,
    /// Why nothing is explained, where nothing is.
    pub unexplained: Option<String>,
    /// What is looked at inside, where anything is.
    pub layers: Option<LayersPlan>,
    /// Attacks, where they are asked for.
    pub robustness: Option<RobustnessPlan>,
}

impl PlannedModel {
    /// The gradients that an explanation follows.
    pub fn differentiator(&self, task: Task, explain: &ExplainPlan) -> Option<&Differentiator> {
        self.differentiator_of(differentiating::what(task, explain)?)
    }

    /// The gradients that attacks follow.
    pub fn attacked(&self, robustness: &RobustnessPlan) -> Option<&Differentiator> {
        self.differentiator_of(robustness.what)
    }

    fn differentiator_of(&self, wanted: differentiating::What) -> Option<&Differentiator> {
        self.differentiators.iter().find(|(what, _)| *what == wanted).map(|(_, differentiator)| differentiator)
    }
}

impl Plan {
    /// Opens data and model and decides everything.
    pub fn resolve(loaded: Loaded, threads: usize, batch_rows: usize) -> Result<Self, PlanError> {
        let source = Source::open(&loaded.resolve(&loaded.config.data.path))?;
        check_columns(&loaded, &source)?;
        let groups = grouping::resolve(&loaded, &source)?;
        let mut selection = Selection {
            id: loaded.config.data.id.clone(),
            weight: loaded.config.data.weight.clone(),
            score: loaded.config.data.score.clone(),
            groups: groups.columns.clone(),
            filter: loaded.config.data.filter.clone(),
            ..Default::default()
        };
        let n_rows = Reader::count(&source, &selection)?;
        if n_rows == 0 {
            let hint = if selection.filter.is_some() { " that pass [data] filter" } else { "" };
            return Err(crate::dataset::DataError::Empty { path: source.path.clone(), hint }.into());
        }
        privacy::check(&loaded, &source, n_rows)?;
        let threshold = loaded.config.model.threshold.unwrap_or(0.5);
        let own = own::read(&loaded)?;
        let Some(path) = loaded.config.model.path.clone() else {
            return Ok(Self { own, ..Self::recorded(loaded, threads, batch_rows, source, selection, n_rows, groups)? });
        };
        let model = Model::open(&loaded.resolve(&path))?;
        let feeding = feeding::bind(&loaded, &source, &model.signature, n_rows)?;
        selection.features = feeding.features;
        let first = first_rows(&source, &selection)?;
        let decided = reading::decide(&loaded, &model, &model.probe(&feeding.feed, &first)?)?;
        let (task, labels) = (decided.task, decided.labels);
        let (outputs, classes) = names(&loaded, task, &labels)?;
        let gates = gating::resolve(&loaded, task, &groups, &outputs, &selection.features)?;
        selection.label = label(&loaded, &source, task, &labels, &classes);
        check_values(&source, &selection, n_rows)?;
        let structure = recognise_output(&model.graph, &decided.reading.score.name);
        let native = Native::new(structure, &feeding.feed, &first, decided.reading.shape);
        curves::check(&loaded, &source, &selection.features, native.as_ref().ok())?;
        let players = explanations::players(&loaded, &selection)?;
        let shuffling = shuffling::resolve(&loaded, &selection.features)?;
        reasons::check(&loaded, &players)?;
        let mut reading = decided.reading;
        let explained = explanations::decide(
            &loaded,
            &explaining::Facts {
                task,
                outputs: &outputs,
                native: &native,
                source: &source,
                selection: &selection,
                reading: &reading,
                features: &first,
                n_rows,
            },
        )?;
        let native = native.ok();
        reading.inner = native.as_ref().and_then(|native| native.inner().cloned());
        let wanted = differentiating::Wanted {
            model: &model,
            feed: &feeding.feed,
            reading: &reading,
            features: &first,
            task,
            threads,
        };
        let mut differentiators = differentiating::open(&loaded, &explained, &wanted)?;
        let robustness = robustness::decide(&loaded, &source, &selection, &wanted)?;
        if let Some(robustness) = &robustness {
            robustness::open(&loaded, robustness, &mut differentiators, &wanted)?;
        }
        let inside = layers::Inside { model: &model, feed: &feeding.feed, features: &first, n_rows, threads };
        let layers = layers::resolve(&loaded, &inside)?;
        let scorer = model.scorer(feeding.feed, reading, threads)?;
        let explanations::Explanations { main: explain, unexplained, also } = explained;
        let model = PlannedModel {
            model,
            scorer,
            native,
            differentiators,
            players,
            shuffling,
            explain,
            also,
            unexplained,
            layers,
            robustness,
        };
        let batch_rows = batch_rows.min(rows_within(MOST_NUMBERS, &first));
        Ok(Self {
            loaded,
            threads,
            batch_rows,
            source,
            selection,
            n_rows,
            task,
            outputs,
            classes,
            threshold,
            model: Some(model),
            groups,
            gates,
            own,
        })
    }

    /// Decisions recorded elsewhere: scores come from a column.
    fn recorded(
        loaded: Loaded,
        threads: usize,
        batch_rows: usize,
        source: Source,
        mut selection: Selection,
        n_rows: u64,
        groups: GroupPlan,
    ) -> Result<Self, PlanError> {
        layers::without_model(&loaded)?;
        robustness::refuse_without_model(&loaded)?;
        let task = loaded.config.model.task.unwrap_or(Task::Binary);
        if task == Task::Multiclass {
            let found = conflict(
                "model.task",
                "one column of recorded scores cannot hold several classes",
                "audit one class at a time as a binary task",
            );
            return Err(PlanError::Config(Box::new(loaded.errors([found]))));
        }
        let (outputs, classes) = names(&loaded, task, &[])?;
        let gates = gating::resolve(&loaded, task, &groups, &outputs, &selection.features)?;
        curves::check(&loaded, &source, &selection.features, None)?;
        selection.label = label(&loaded, &source, task, &[], &classes);
        check_values(&source, &selection, n_rows)?;
        let threshold = loaded.config.model.threshold.unwrap_or(0.5);
        Ok(Self {
            loaded,
            threads,
            batch_rows,
            source,
            selection,
            n_rows,
            task,
            outputs,
            classes,
            threshold,
            model: None,
            groups,
            gates,
            own: Own::default(),
        })
    }

    pub fn config(&self) -> &Config {
        &self.loaded.config
    }

    /// Whether a column's numbers, if it has any, are codes without an order.
    pub fn is_category(&self, feature: &FeatureSpec) -> bool {
        curves::is_category(self.config(), &self.source, feature)
    }

    /// [`Plan::is_category`] of every column of the model.
    pub fn are_categories(&self) -> Vec<bool> {
        self.selection.features.iter().map(|feature| self.is_category(feature)).collect()
    }

    /// The points that `[importance] grid` gives for a column.
    pub fn given_grid(&self, feature: &FeatureSpec) -> Option<dependence::Grid> {
        let Some(Grid::Given(given)) = &self.config().importance.grid else { return None };
        curves::given_grid(self.config(), &self.source, feature, given.get(&feature.column)?).ok()
    }

    /// Names of an encoded column's categories by code; none for other columns.
    pub fn categories(&self, feature: &FeatureSpec) -> Vec<String> {
        self.config().data.categories(&feature.column)
    }

    /// The output that decisions are about, "" where there are several: no class in particular.
    pub fn decided_output(&self) -> String {
        match self.task {
            Task::Multiclass => String::new(),
            _ => self.outputs.first().cloned().unwrap_or_default(),
        }
    }

    /// Rows that a sample may hold in memory: of large pictures few.
    pub fn rows_held(&self) -> usize {
        (MOST_NUMBERS / self.selection.n_numbers().max(1)).max(1)
    }

    /// Whether a small tree is to be fitted to the scores: by name, or because a gate asks how well it follows them.
    pub fn fits_surrogate(&self) -> bool {
        let named =
            self.config().importance.methods.iter().flatten().any(|method| *method == ImportanceMethod::Surrogate);
        self.model.is_some() && (named || self.gates.iter().any(|gate| is_of_surrogate(&gate.metric)))
    }

    pub fn explain(&self) -> Option<&ExplainPlan> {
        self.model.as_ref()?.explain.as_ref()
    }
}

/// Columns that `[data]` names and the data must have; all missing ones at once.
fn check_columns(loaded: &Loaded, source: &Source) -> Result<(), PlanError> {
    let data = &loaded.config.data;
    let single = [("id", &data.id), ("label", &data.label), ("weight", &data.weight), ("score", &data.score)];
    let named = single.into_iter().filter_map(|(key, column)| Some((format!("data.{key}"), column.clone()?)));
    let lists = data.categorical.iter().map(|column| ("data.categorical".to_owned(), column.clone()));
    let image = data.image.iter().map(|image| ("data.image.column".to_owned(), image.column.clone()));
    let missing: Vec<_> =
        named.chain(lists).chain(image).filter_map(|(key, column)| missing(source, &key, &column)).collect();
    match missing.is_empty() {
        true => Ok(()),
        false => Err(PlanError::Config(Box::new(loaded.errors(missing)))),
    }
}

/// A column without a single value says that something broke upstream: whatever it would be measured as is wrong.
fn check_values(source: &Source, selection: &Selection, n_rows: u64) -> Result<(), PlanError> {
    let empty = Reader::empty_columns(source, selection)?;
    match empty.is_empty() {
        true => Ok(()),
        false => {
            Err(crate::dataset::DataError::NoValues { path: source.path.clone(), columns: empty.join("`, `"), n_rows }
                .into())
        }
    }
}

/// A conflict where the data lacks a column.
fn missing(source: &Source, key: &str, column: &str) -> Option<crate::config::Conflict> {
    if source.field(column).is_some() {
        return None;
    }
    let names: Vec<&str> = source.fields.iter().map(|field| field.name.as_str()).collect();
    let near = error::did_you_mean(column, names.iter().copied());
    let help = format!("{} has: {}", source.path.display(), names.join(", "));
    Some(conflict(key, format!("the data has no column `{column}`{near}"), help))
}

/// Numbers of a batch: of large pictures it holds fewer rows.
const MOST_NUMBERS: usize = 1 << 25;

/// Rows that hold so many numbers.
fn rows_within(most: usize, features: &Features) -> usize {
    let width: usize = features.columns.iter().map(Column::width).sum();
    (most / width.max(1)).max(1)
}

fn first_rows(source: &Source, selection: &Selection) -> Result<Features, PlanError> {
    let only = Selection {
        features: selection.features.clone(),
        id: selection.id.clone(),
        filter: selection.filter.clone(),
        ..Default::default()
    };
    match Reader::start(source, &only, 1)?.next() {
        Some(batch) => Ok(batch?.features),
        None => Err(crate::dataset::DataError::Empty { path: source.path.clone(), hint: "" }.into()),
    }
}

/// Output names in model order, and class names behind label indices.
fn names(loaded: &Loaded, task: Task, labels: &[String]) -> Result<(Vec<String>, Vec<String>), PlanError> {
    let Config { model, data, .. } = &loaded.config;
    let wanted = match task {
        Task::Regression => return Ok((vec!["value".to_owned()], Vec::new())),
        Task::Binary => 2,
        Task::Multiclass => labels.len(),
    };
    if let Some(classes) = model.classes.as_ref().filter(|classes| classes.len() != wanted) {
        let message = format!("{} class names are given, the model has {wanted} classes", classes.len());
        let found = conflict("model.classes", message, "name every class once, in the model's order");
        return Err(PlanError::Config(Box::new(loaded.errors([found]))));
    }
    if task == Task::Multiclass {
        let names = model.classes.clone().unwrap_or_else(|| labels.to_vec());
        return Ok((names.clone(), names));
    }
    let positive = data.positive.as_ref().map(ToString::to_string);
    let positive = positive.or_else(|| labels.get(1).cloned()).unwrap_or_else(|| "1".to_owned());
    let negative = match (positive.as_str(), labels.first()) {
        ("1", _) => "0".to_owned(),
        ("true", _) => "false".to_owned(),
        (positive, Some(label)) if label.parse::<f64>().is_err() && label != positive => label.clone(),
        (positive, _) => format!("not {positive}"),
    };
    let classes = model.classes.clone().unwrap_or_else(|| vec![negative, positive]);
    Ok((vec![classes[1].clone()], classes))
}

fn label(loaded: &Loaded, source: &Source, task: Task, labels: &[String], classes: &[String]) -> Option<LabelSpec> {
    let data = &loaded.config.data;
    let column = data.label.clone()?;
    Some(match task {
        Task::Regression => LabelSpec::Value { column },
        Task::Multiclass => LabelSpec::Multiclass { column, classes: labels.to_vec(), names: classes.to_vec() },
        Task::Binary => {
            let text = source.field(&column).is_some_and(|field| field.kind == crate::dataset::Kind::Text);
            let from_model = labels.get(1).filter(|_| text).cloned();
            let positive = data.positive.as_ref().map(ToString::to_string).or(from_model);
            LabelSpec::Binary { column, positive: positive.unwrap_or_else(|| "1".to_owned()) }
        }
    })
}
