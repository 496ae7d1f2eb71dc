//! Project defaults: the nearest `probity.toml` at or above a pipeline's folder.

use super::check::against_schema;
use super::error::{ConfigErrors, Findings, Problem};
use super::expand::{self, Environment};
use super::paths;
use super::schema::{Schema, project_schema};
use super::source::{Place, Sources};
use super::tree::{self, Node, Table, Value};
use std::path::{Path, PathBuf};

const FILE_NAME: &str = "probity.toml";

/// Keys whose paths start at the folder of the file that they stand in.
const PATHS: [(&str, &str); 3] = [("store", "results"), ("store", "catalogue"), ("notify", "textfile")];

/// A `probity.toml` as found and parsed.
pub(super) struct ProjectFile {
    /// Folder of the file, seen from the pipeline's folder: "", "..", "../..".
    folder: PathBuf,
    source: usize,
    tree: Table,
}

/// Finds and checks the nearest file; `None` if there is none, or if what is wrong with it is among the findings.
pub(super) fn find(folder: &Path, sources: &mut Sources, findings: &mut Findings) -> Option<ProjectFile> {
    let folder = std::fs::canonicalize(folder).ok()?;
    let (steps, found) =
        folder.ancestors().map(|above| above.join(FILE_NAME)).enumerate().find(|(_, file)| file.is_file())?;
    let mut wrong = Findings::default();
    let parsed = parse(&found, sources, &mut wrong);
    let sound = wrong.is_empty();
    findings.append(wrong);
    let (source, tree) = parsed.filter(|_| sound)?;
    Some(ProjectFile { folder: std::iter::repeat_n("..", steps).collect(), source, tree })
}

fn parse(file: &Path, sources: &mut Sources, findings: &mut Findings) -> Option<(usize, Table)> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => {
            findings.add_without_place(Problem::read(file, &error), None);
            return None;
        }
    };
    let source = sources.add(&shown(file), &text);
    let tree = tree::parse(&text, source, findings);
    let root = Node { value: Value::Table(tree.clone()), place: Place::new(source, 0..0) };
    against_schema(&root, Schema::new(&project_schema()), findings);
    Some((source, tree))
}

/// The path as the user would type it: relative to the working folder where it lies below.
fn shown(file: &Path) -> String {
    let here = std::env::current_dir().and_then(std::fs::canonicalize).unwrap_or_default();
    file.strip_prefix(here).unwrap_or(file).display().to_string()
}

impl ProjectFile {
    /// Adds the keys that the pipeline does not set itself.
    pub fn fill_in(&self, pipeline: &mut Table) {
        for (name, section) in &self.tree {
            let own = pipeline.entry(name.clone()).or_insert_with(|| section.clone());
            if let (Value::Table(own), Some(defaults)) = (&mut own.node.value, section.node.table()) {
                for (key, entry) in defaults {
                    own.entry(key.clone()).or_insert_with(|| entry.clone());
                }
            }
        }
    }

    /// Rewrites the paths that came from this file, so that they start at the pipeline's folder as all others do.
    pub fn rebase(&self, pipeline: &mut Table) {
        for (section, key) in PATHS {
            let Some(Value::Table(entries)) = pipeline.get_mut(section).map(|entry| &mut entry.node.value) else {
                continue;
            };
            let Some(node) = entries.get_mut(key).map(|entry| &mut entry.node) else {
                continue;
            };
            if let Value::Text(path) = &mut node.value
                && node.place.is_in(self.source)
            {
                *path = paths::located(&self.folder, path);
            }
        }
    }
}

/// The catalogue that the nearest `probity.toml` at or above `folder` names, with its path resolved.
///
/// `None` if there is no such file or it names none.
///
/// # Errors
/// The file cannot be read, is not TOML, has unknown keys, or needs a variable that is not set.
pub fn nearest_catalogue(folder: &Path, env: &Environment<'_>) -> Result<Option<String>, ConfigErrors> {
    let mut sources = Sources::default();
    let mut findings = Findings::default();
    let found = find(folder, &mut sources, &mut findings);
    let mut catalogue = found.as_ref().and_then(|file| file.tree.get("store")?.node.get("catalogue").cloned());
    if let Some(node) = &mut catalogue {
        expand::variables(node, env, &sources, &mut findings);
    }
    if !findings.is_empty() {
        return Err(findings.into_errors(&folder.join(FILE_NAME), &sources));
    }
    let typed = catalogue.as_ref().and_then(Node::text);
    Ok(found.zip(typed).map(|(file, typed)| paths::located(&folder.join(file.folder), typed)))
}
