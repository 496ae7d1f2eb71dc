//! The pipeline TOML: read, completed, checked, typed.
//!
//! ```text
//! text → tree (every key and value knows its place)
//!      ← project: defaults of the nearest probity.toml     ← set: --set key=value     ← expand: ${VAR:-default}
//!      → check (against the JSON Schema) + availability + rules → all errors of the file at once
//!      → Config (typed)
//! ```
//! The doc comments and bounds of [`typed`](Config) make the JSON Schema; the schema is what [`json_schema`] publishes
//! and what files are checked against, so that no key, bound or default stands in two places.

mod availability;
mod check;
mod error;
mod expand;
mod paths;
mod project;
mod rules;
mod schema;
mod secret;
mod set;
mod source;
mod suggest;
mod tree;
mod typed;
mod wording;

#[cfg(test)]
mod tests;

pub use error::{ConfigError, ConfigErrors, Problem};
pub use expand::Environment;
pub use project::nearest_catalogue;
pub use schema::json_schema;
pub use secret::Secret;
pub use suggest::{closest, nearest, one_of};
pub use typed::{
    Around, AttackMethod, Attribute, Background, Baseline, Binned, ChangeBaseline, Config, Cover, Data, DecideOn,
    Discretiser, Epsilon, Explain, Fairness, FeatureSelection, Fields, Gate, Grid, HideColor, Image, Importance,
    ImportanceMethod, InputColumns, Layers, Lime, Method, MetricsChoice, Model, Notify, NotifyOn, Outputs, OwnSection,
    PerChannel, Pipeline, Place as SectionPlace, Players, PointBins, Privacy, Project, Report, Robustness, Rows,
    Sampling, Scalar, Scale, Severity, Store, SurrogateFeatures, Task, Template, Tensors,
};

use error::Findings;
use miette::NamedSource;
use schema::Schema;
use source::{Place, Sources};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tree::{Node, Value};

/// A pipeline file that is right in itself; whether it fits the data and the model is the plan's to say.
#[derive(Debug, Clone)]
pub struct Loaded {
    pub config: Config,
    /// The file as given.
    pub path: PathBuf,
    /// Folder of the file, where relative paths start.
    pub folder: PathBuf,
    /// The whole configuration as canonical TOML, keys sorted, after `--set`, project defaults and `${VAR}`:
    /// what the config's hash is taken of.
    pub sha256_input: String,
    /// The pipeline file's own text.
    pub source: NamedSource<Arc<str>>,
    /// The key behind `[privacy] pseudonymise`.
    pub pseudonym_key: Option<Secret>,
    root: Node,
    sources: Sources,
}

/// What the plan found out about a key once data and model were open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// Dotted, list entries by number from 0: `data.label`, `gates.1.metric`.
    pub key: String,
    pub message: String,
    pub help: Option<String>,
}

/// Reads a pipeline file. `sets` are overrides `key.path=value`, `env` looks up environment variables.
///
/// # Errors
/// Everything that is wrong with the file, the overrides and the project's defaults, at once.
pub fn load(path: &Path, sets: &[String], env: &Environment<'_>) -> Result<Loaded, ConfigErrors> {
    match std::fs::read_to_string(path) {
        Ok(text) => load_text(path, &text, sets, env),
        Err(error) => {
            let mut findings = Findings::default();
            let help = "give the path of a pipeline file".to_owned();
            findings.add_without_place(Problem::read(path, &error), Some(help));
            Err(findings.into_errors(path, &Sources::default()))
        }
    }
}

/// As [`load`], with the text that stands, or will stand, at `path`.
///
/// # Errors
/// As [`load`].
pub fn load_text(path: &Path, text: &str, sets: &[String], env: &Environment<'_>) -> Result<Loaded, ConfigErrors> {
    let mut sources = Sources::default();
    let mut findings = Findings::default();
    let folder = folder_of(path);
    let mut pseudonym_key = None;
    let mut root = parse(path, text, &mut sources, &mut findings);
    // What is not TOML hides all other mistakes.
    if findings.is_empty() {
        complete(&mut root, &folder, sets, env, &mut sources, &mut findings);
        check(&root, &mut findings);
        pseudonym_key = secret::pseudonym_key(&root, env, &mut findings);
    }
    match typed(&root, &mut findings) {
        Some(config) => {
            let sha256_input = canonical(&root);
            let source = NamedSource::new(path.display().to_string(), Arc::from(text));
            Ok(Loaded { config, path: path.to_path_buf(), folder, sha256_input, source, pseudonym_key, root, sources })
        }
        None => Err(findings.into_errors(path, &sources)),
    }
}

fn parse(path: &Path, text: &str, sources: &mut Sources, findings: &mut Findings) -> Node {
    let source = sources.add(&path.display().to_string(), text);
    let entries = tree::parse(text, source, findings);
    Node { value: Value::Table(entries), place: Place::new(source, 0..0) }
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

/// Brings in what does not stand in the file itself. Overrides come after the project's defaults and win over all;
/// variables last, so that a default that was overridden needs none.
fn complete(
    root: &mut Node,
    folder: &Path,
    sets: &[String],
    env: &Environment<'_>,
    sources: &mut Sources,
    findings: &mut Findings,
) {
    let project = project::find(folder, sources, findings);
    if let (Some(project), Value::Table(entries)) = (&project, &mut root.value) {
        project.fill_in(entries);
    }
    set::apply(sets, root, sources, findings);
    expand::variables(root, env, sources, findings);
    if let (Some(project), Value::Table(entries)) = (&project, &mut root.value) {
        project.rebase(entries);
    }
}

fn check(root: &Node, findings: &mut Findings) {
    let schema = Schema::new(&schema::PIPELINE);
    check::against_schema(root, schema, findings);
    availability::refuse_unavailable(root, findings);
    rules::conflicts(root, findings);
}

/// `None` if there are findings. What the schema lets pass, serde reads; should it ever not, that is a finding too.
fn typed(root: &Node, findings: &mut Findings) -> Option<Config> {
    if !findings.is_empty() {
        return None;
    }
    match root.to_toml().try_into() {
        Ok(config) => Some(config),
        Err(error) => {
            findings.add_without_place(Problem::Conflict(error.message().to_owned()), None);
            None
        }
    }
}

/// One text for one meaning: no comments, keys sorted, numbers and quotes written in one way.
fn canonical(root: &Node) -> String {
    match root.to_toml() {
        toml::Value::Table(entries) => entries.to_string(),
        other => other.to_string(),
    }
}

impl Loaded {
    /// A path of the file, seen from the working folder.
    pub fn resolve(&self, typed: &str) -> PathBuf {
        PathBuf::from(paths::located(&self.folder, typed))
    }

    /// `[store] catalogue` with its path seen from the working folder; `None` if none is named.
    pub fn catalogue(&self) -> Option<String> {
        self.config.store.catalogue.as_ref().map(|typed| paths::located(&self.folder, typed))
    }

    /// `[store] results` seen from the working folder; `None` if none is named.
    pub fn results(&self) -> Option<PathBuf> {
        self.config.store.results.as_ref().map(|typed| self.resolve(typed))
    }

    /// What the plan found, each pointing at its key, or at the nearest table above where the key was not typed.
    pub fn errors(&self, conflicts: impl IntoIterator<Item = Conflict>) -> ConfigErrors {
        let mut findings = Findings::default();
        for Conflict { key, message, help } in conflicts {
            match self.place(&key) {
                Some(place) => findings.add(place, Problem::Conflict(message), "", help),
                None => findings.add_without_place(Problem::Conflict(message), help),
            }
        }
        findings.into_errors(&self.path, &self.sources)
    }

    /// Whether a key comes from the project's defaults rather than from the pipeline's own file.
    pub fn is_default(&self, key: &str) -> bool {
        self.place(key).is_some_and(|place| !place.is_in(0))
    }

    /// Where the longest known beginning of a dotted key stands.
    fn place(&self, key: &str) -> Option<Place> {
        let mut node = &self.root;
        let mut place = None;
        for name in key.split('.') {
            let below = match node.list() {
                Some(items) => name.parse::<usize>().ok().and_then(|index| items.get(index)),
                None => node.get(name),
            };
            let Some(below) = below else { break };
            node = below;
            place = Some(node.place);
        }
        place
    }
}
