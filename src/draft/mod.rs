//! A first pipeline for a model and its data: a commented TOML to be read, corrected and kept.
//!
//! `roles` tells ids, labels and weights from features, `inputs` matches columns to what the model takes, `sensitive`
//! proposes attributes, `written` writes it all down with the reasons. What model and data say themselves (task, classes,
//! explanation) is asked of the plan of a draft without it. Whoever reads the draft knows more than it does, so every
//! guess is marked as one.

mod inputs;
mod roles;
mod sensitive;
mod written;

use crate::config::{self, Task};
use crate::dataset::{DataError, Profile, Source, profile};
use crate::model::{Model, ModelError};
use crate::plan::{Plan, PlanError, task_name};
use std::path::{Component, Path, PathBuf};

/// What is known at the start.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    pub model: &'a Path,
    pub data: &'a Path,
    pub label: Option<&'a str>,
    /// Where the TOML will stand: paths in it are relative to its folder, which must be there.
    pub out: &'a Path,
}

/// A drafted pipeline.
#[derive(Debug)]
pub struct Draft {
    pub text: String,
    /// Guesses that the reader should look at.
    pub doubts: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    #[error(transparent)]
    Data(#[from] DataError),
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error("{}: {source}", path.display())]
    Folder { path: PathBuf, source: std::io::Error },
}

/// What the plan of a draft says about the model.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    task: Option<Task>,
    /// In the model's order.
    classes: Vec<String>,
    /// "tree (…)", with the reason.
    explained_by: Option<String>,
    /// Why nothing is known.
    obstacle: Option<String>,
}

/// Drafts a pipeline; `env` looks up environment variables for project defaults.
///
/// # Errors
/// Data or model cannot be opened, or the data has no such label. What the draft cannot settle is no error: it is
/// marked in the text and among the doubts.
pub fn draft(request: Request<'_>, env: &dyn Fn(&str) -> Option<String>) -> Result<Draft, DraftError> {
    let source = Source::open(request.data)?;
    if let Some(label) = request.label {
        source.require(label, "--label")?;
    }
    let model = Model::open(request.model)?;
    let profiles = profile(&source)?;
    let roles = roles::Roles::of(&profiles, request.label, &model.signature);
    let bound = inputs::bind(&model.signature, &profiles, &roles);
    let paths = Paths::of(&request)?;
    let mut as_written = written::Written {
        paths: &paths,
        profiles: &profiles,
        roles: &roles,
        inputs: &bound,
        attributes: &[],
        facts: &Facts::default(),
    };
    let skeleton = written::skeleton(&as_written);
    let facts = facts(request.out, &skeleton, env);
    let attributes = sensitive::attributes(&profiles, &roles);
    (as_written.facts, as_written.attributes) = (&facts, &attributes);
    let mut doubts = bound.doubts.clone();
    doubts.extend(roles.doubts.iter().cloned());
    if !bound.encode.is_empty() {
        let columns: Vec<&str> = bound.encode.keys().map(String::as_str).collect();
        doubts.push(format!(
            "the codes of {} are guessed: categories of this data in alphabetical order",
            columns.join(", ")
        ));
    }
    doubts.extend(facts.obstacle.iter().cloned());
    Ok(Draft { text: written::text(&as_written), doubts })
}

/// What a plan finds out, as far as one can be made.
fn facts(out: &Path, skeleton: &str, env: &dyn Fn(&str) -> Option<String>) -> Facts {
    let obstacle = |text: String| Facts { obstacle: Some(text), ..Facts::default() };
    let loaded = match config::load_text(out, skeleton, &[], &|name| env(name)) {
        Ok(loaded) => loaded,
        Err(errors) => return obstacle(errors.errors.first().map(ToString::to_string).unwrap_or_default()),
    };
    match Plan::resolve(loaded, 1, crate::dataset::BLOCK_ROWS) {
        Ok(plan) => Facts {
            task: Some(plan.task),
            classes: plan.classes.clone(),
            explained_by: plan.explain().map(|explain| format!("{} ({})", explain.method.name(), explain.reason)),
            obstacle: None,
        },
        Err(PlanError::Config(errors)) => obstacle(errors.errors.first().map(ToString::to_string).unwrap_or_default()),
        Err(error) => obstacle(error.to_string()),
    }
}

impl Facts {
    /// The word of the TOML.
    fn task_name(&self) -> Option<&'static str> {
        self.task.map(task_name)
    }
}

/// Paths as they stand in the TOML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Paths {
    /// Made from the model's file name: `[a-z0-9-]+`.
    name: String,
    model: String,
    data: String,
}

impl Paths {
    fn of(request: &Request<'_>) -> Result<Self, DraftError> {
        let folder = request.out.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
        let absolute =
            |path: &Path| path.canonicalize().map_err(|source| DraftError::Folder { path: path.to_path_buf(), source });
        let (folder, here) = (absolute(folder)?, absolute(Path::new("."))?);
        let stem = request.model.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let seen = |path: &Path| relative(&folder, &plain(&here.join(path)), path.is_absolute());
        Ok(Self { name: pipeline_name(&stem), model: seen(request.model), data: seen(request.data) })
    }
}

/// Without `.` and `..`; the file need not be there, it may be a glob.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(plain.pop()),
            part => plain.push(part),
        }
    }
    plain
}

/// `path` seen from `folder`, with `/`; absolute where it was typed so and lies on another tree.
fn relative(folder: &Path, path: &Path, typed_absolute: bool) -> String {
    let shared = folder.components().zip(path.components()).take_while(|(a, b)| a == b).count();
    if typed_absolute && shared < folder.components().count() {
        return path.to_string_lossy().into_owned();
    }
    let up = folder.components().skip(shared).map(|_| "..".to_owned());
    let down = path.components().skip(shared).map(|part| part.as_os_str().to_string_lossy().into_owned());
    up.chain(down).collect::<Vec<_>>().join("/")
}

/// "My Model_v2" is "my-model-v2".
pub fn pipeline_name(stem: &str) -> String {
    let mut name = String::new();
    for c in stem.to_lowercase().chars() {
        match c {
            'a'..='z' | '0'..='9' => name.push(c),
            _ if !name.is_empty() && !name.ends_with('-') => name.push('-'),
            _ => {}
        }
    }
    let name = name.trim_end_matches('-');
    if name.is_empty() { "audit".to_owned() } else { name.to_owned() }
}

/// The profile of a column that is there.
fn column<'p>(profiles: &'p [Profile], name: &str) -> Option<&'p Profile> {
    profiles.iter().find(|profile| profile.name() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_name_becomes_a_pipelines() {
        assert_eq!(pipeline_name("My Model_v2"), "my-model-v2");
        assert_eq!(pipeline_name("_é_"), "audit");
    }

    #[test]
    fn paths_start_at_the_tomls_folder() {
        let seen = |path: &str, absolute| relative(Path::new("/a/pipelines"), Path::new(path), absolute);
        assert_eq!(seen("/a/data/x.parquet", false), "../data/x.parquet");
        assert_eq!(seen("/a/pipelines/x.onnx", true), "x.onnx");
        assert_eq!(seen("/srv/x.onnx", true), "/srv/x.onnx");
        assert_eq!(plain(Path::new("/a/./b/../c/*.csv")), Path::new("/a/c/*.csv"));
    }
}
