//! The static site: all pipelines, their nights and trends, as files that link to each other and to the reports.
//!
//! `pages` says what stands on a page, `calendar` and `trend` are its charts as geometry, templates print them. What
//! may be published of a run's gates is read from its stored audit once; `memory` keeps it, and what each page was made
//! of, in a `site.json` beside the pages. So [`build`] draws and writes what changed and nothing else: a new night costs
//! the same after ten runs and after ten thousand.

mod calendar;
mod links;
mod memory;
mod pages;
mod trend;

use crate::privacy::published;
use crate::report::{Language, ReportError, page_sources, print_page};
use crate::store::{self, RunFilter, RunSummary, Store, StoreError};
use crate::whole_file;
use memory::Memory;
use pages::{Night, Pipeline};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    pub index: PathBuf,
    pub n_pipelines: usize,
    pub n_runs: usize,
    /// Files that were written, because they were new or would have been different.
    pub n_written: usize,
}

#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Report(#[from] ReportError),
    #[error("{}: {source}; name another folder with --out", path.display())]
    Unwritable { path: PathBuf, source: std::io::Error },
    #[error("{} is no site of probity's, and not empty: name another folder with --out", path.display())]
    Foreign { path: PathBuf },
}

/// Writes the site of everything in the store to `out`; templates in `overrides` come before the built-in ones.
pub fn build(store: &Store, out: &Path, overrides: Option<&Path>) -> Result<Built, SiteError> {
    Language::of(overrides)?.speaking(|| draw(store, out, overrides))
}

fn draw(store: &Store, out: &Path, overrides: Option<&Path>) -> Result<Built, SiteError> {
    let mut by_pipeline: BTreeMap<String, Vec<RunSummary>> = BTreeMap::new();
    let runs = store.runs(RunFilter::default())?;
    let n_runs = runs.len();
    for run in runs {
        by_pipeline.entry(run.pipeline.clone()).or_default().push(run);
    }
    let mut site = Site::open(out, overrides)?;
    let mut cards = Vec::new();
    for (name, mut runs) in by_pipeline {
        runs.sort_by(|a, b| (&a.as_of, &a.started_at, &a.run_id).cmp(&(&b.as_of, &b.started_at, &b.run_id)));
        cards.push(site.pipeline(store, name, runs)?);
    }
    let n_pipelines = cards.len();
    site.page("index.html", "site-index", &pages::index(cards, n_runs))?;
    site.finish(n_pipelines, n_runs)
}

struct Site<'a> {
    out: PathBuf,
    overrides: Option<&'a Path>,
    before: Memory,
    now: Memory,
    n_written: usize,
}

impl<'a> Site<'a> {
    fn open(out: &Path, overrides: Option<&'a Path>) -> Result<Self, SiteError> {
        let unwritable = |source| SiteError::Unwritable { path: out.to_path_buf(), source };
        std::fs::create_dir_all(out).map_err(unwritable)?;
        let out = out.canonicalize().map_err(unwritable)?;
        let style = print_page("site.css", &(), overrides)?;
        let before = Memory::read(&out, store::sha256_of(page_sources(overrides)?.as_bytes()))?;
        let now = Memory::of(&before.style);
        let mut site = Self { out, overrides, before, now, n_written: 0 };
        site.write("site.css", style.as_bytes())?;
        Ok(site)
    }

    /// The pages of one pipeline; returns its place on the index.
    fn pipeline(&mut self, store: &Store, name: String, runs: Vec<RunSummary>) -> Result<pages::Card, SiteError> {
        self.learn(store, &runs);
        let mut reports = store.reports_of(&name)?;
        let folder = self.out.join(&name);
        std::fs::create_dir_all(&folder).map_err(|source| SiteError::Unwritable { path: folder.clone(), source })?;
        let (none, gates) = (Vec::new(), self.now.gates.clone());
        let nights: Vec<Night<'_>> = runs
            .iter()
            .map(|run| {
                let files = reports.remove(&run.run_id).unwrap_or_default();
                let link = |artifact| links::between(&folder, &store.artifact_path(run, artifact));
                let reports = files.iter().map(|file| (pages::template_of(file), link(file))).collect();
                Night { run, gates: gates.get(&run.run_id).unwrap_or(&none), reports }
            })
            .collect();
        let pipeline = Pipeline { name: &name, nights };
        for at in 0..pipeline.nights.len() {
            let path = format!("{name}/{}.html", pipeline.nights[at].run.run_id);
            let made_of = pipeline.made_of(at);
            if self.is_new(&path, &made_of) {
                self.page(&path, "site-run", &pages::run(&pipeline, at))?;
            }
        }
        let path = format!("{name}/index.html");
        let all: String = (0..pipeline.nights.len()).map(|at| pipeline.made_of(at)).collect();
        if self.is_new(&path, &all) {
            self.page(&path, "site-pipeline", &pages::pipeline(&pipeline))?;
        }
        Ok(pages::card(&pipeline))
    }

    /// Takes from the stored audits what may be published of their gates, where it is not known yet. A run without an
    /// audit, or with one that is lost or altered, has a page without gates; `verify` says what is wrong with it.
    fn learn(&mut self, store: &Store, runs: &[RunSummary]) {
        for run in runs.iter().filter(|run| run.verdict.is_some()) {
            let known = self.before.gates.remove(&run.run_id);
            let gates = known.or_else(|| store.audit(run).ok().map(|audit| published(&audit).audit.gates));
            self.now.gates.extend(gates.map(|gates| (run.run_id.clone(), gates)));
        }
    }

    /// Whether the page has to be drawn; remembers what it is made of.
    fn is_new(&mut self, path: &str, made_of: &str) -> bool {
        let hash = store::sha256_of(made_of.as_bytes());
        let known = self.before.pages.get(path) == Some(&hash) && self.out.join(path).is_file();
        self.now.pages.insert(path.to_owned(), hash);
        !known
    }

    fn page(&mut self, path: &str, template: &str, view: &impl Serialize) -> Result<(), SiteError> {
        let text = print_page(&format!("{template}.html"), view, self.overrides)?;
        self.write(path, text.as_bytes())
    }

    /// Writes a file unless it stands there already, byte for byte.
    fn write(&mut self, path: &str, content: &[u8]) -> Result<(), SiteError> {
        let path = self.out.join(path);
        if std::fs::read(&path).is_ok_and(|old| old == content) {
            return Ok(());
        }
        whole_file::write(&path, content).map_err(|source| SiteError::Unwritable { path, source })?;
        self.n_written += 1;
        Ok(())
    }

    fn finish(self, n_pipelines: usize, n_runs: usize) -> Result<Built, SiteError> {
        // Runs are never taken out of a catalogue, so pages of others come from another one.
        for path in self.before.pages.keys().filter(|path| !self.now.pages.contains_key(*path)) {
            std::fs::remove_file(self.out.join(path)).ok();
        }
        self.now.write(&self.out)?;
        Ok(Built { index: self.out.join("index.html"), n_pipelines, n_runs, n_written: self.n_written })
    }
}
