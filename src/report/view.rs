//! What the templates print: sections of already formatted words, tables and drawn charts.

use super::charts::Figure;
use super::charts::overlay::Image;
use super::document::Document;
use super::label::{self, Label};
use super::lookup::Lookup;
use super::own::{self, Logo};
use super::prose::Prose;
use super::sections;
use super::table::Table;
use super::words;
use crate::audit::Audit;
use crate::privacy;
use crate::report::text::say;
use serde::Serialize;
use std::borrow::Cow;

/// Names of all sections, in the order of the report, then the [`ANNEXES`].
pub const SECTIONS: &[&str] = &[
    "gates",
    "scope",
    "performance",
    "fairness",
    "drivers",
    "effects",
    "simplicity",
    "gaps",
    "cases",
    "pictures",
    "opinions",
    "robustness",
    "structure",
    "layers",
    "withheld",
    "history",
    "provenance",
    "impact-ratios",
    "reasons",
];
/// Those that only some documents have.
pub const ANNEXES: &[&str] = &["impact-ratios", "reasons"];

/// The whole report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct View {
    pub lang: String,
    pub title: Label,
    pub logo: Option<Logo>,
    /// "Model audit · adult-income · 21 November 2026".
    pub eyebrow: String,
    pub pipeline: String,
    /// "21 November 2026".
    pub as_of: String,
    pub description: Option<String>,
    pub verdict: Verdict,
    pub sections: Vec<Section>,
    /// Sections that only some documents have.
    pub annexes: Vec<Section>,
    /// What a declared document prints instead of all sections.
    pub document: Option<Document>,
    /// "Run 0190… · probity 0.1.0 · …" at the foot.
    pub colophon: String,
}

/// What stands at the top.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    pub class: &'static str,
    pub icon: &'static str,
    pub word: String,
    pub sentence: String,
    /// Gates that were breached or not decided, each with its numbers.
    pub findings: Vec<Finding>,
}

/// One gate that did not pass.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    pub class: &'static str,
    pub icon: &'static str,
    pub word: String,
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Section {
    /// Anchor and name of the section.
    pub id: Cow<'static, str>,
    pub title: String,
    pub lede: Option<String>,
    pub parts: Vec<Part>,
}

/// One stretch of a section; what is empty is not printed.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Part {
    pub title: Option<Label>,
    /// `None`: always to be seen.
    pub fold: Option<Fold>,
    pub sentences: Vec<String>,
    pub key_figures: Vec<KeyFigure>,
    pub facts: Vec<Fact>,
    pub notes: Vec<Note>,
    pub figures: Vec<Figure>,
    pub galleries: Vec<Gallery>,
    pub tables: Vec<Table>,
    /// A text of the house.
    pub prose: Option<Prose>,
    /// Tables that are opened on demand (and in print).
    pub folded: Vec<Table>,
}

/// A stretch that is opened and closed by its title; on paper it is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Fold {
    Open,
    Closed,
}

/// One number set large.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KeyFigure {
    pub name: String,
    pub value: String,
    pub interval: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fact {
    pub name: String,
    pub value: Label,
    /// Set in a fixed-width face: hashes, paths.
    pub code: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Note {
    pub about: String,
    pub text: String,
}

/// Pictures in one scale of colours, and their numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Gallery {
    /// Unique in the document.
    pub id: String,
    pub title: String,
    pub note: Option<String>,
    /// Opened on demand; its pictures are larger.
    pub folded: bool,
    /// The colours, and what they mean at their ends.
    pub legend: Image,
    pub legend_ends: [String; 2],
    pub pictures: Vec<Hanging>,
    pub table: Table,
}

/// One picture with what stands below it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hanging {
    pub image: Image,
    /// What is to be seen, for those who do not see it.
    pub alt: String,
    pub head: Label,
    pub lines: Vec<String>,
}

impl Part {
    pub fn titled(title: impl AsRef<str>) -> Self {
        Self { title: Some(Label::fit(title.as_ref(), 80)), ..Self::default() }
    }

    /// The same under a title that opens and closes it.
    pub fn folded(self, title: impl AsRef<str>, fold: Fold) -> Self {
        Self { title: Some(Label::fit(title.as_ref(), 80)), fold: Some(fold), ..self }
    }

    pub fn is_empty(&self) -> bool {
        let Self { title: _, fold: _, sentences, key_figures, facts, notes, figures, galleries, tables, prose, folded } =
            self;
        sentences.is_empty()
            && key_figures.is_empty()
            && facts.is_empty()
            && notes.is_empty()
            && figures.is_empty()
            && galleries.is_empty()
            && tables.is_empty()
            && prose.is_none()
            && folded.is_empty()
    }
}

impl Section {
    /// A section of the parts that say something; `None` where no part does.
    pub fn of(id: impl Into<Cow<'static, str>>, title: impl Into<String>, parts: Vec<Part>) -> Option<Self> {
        let parts: Vec<Part> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        (!parts.is_empty()).then(|| Self { id: id.into(), title: title.into(), lede: None, parts })
    }

    pub fn with_lede(self, lede: impl Into<String>) -> Self {
        Self { lede: Some(lede.into()), ..self }
    }
}

impl View {
    /// Of what may be published: no section sees anything else.
    pub fn of(audit: &Audit) -> Self {
        let published = privacy::published(audit);
        let audit = &published.audit;
        let lookup = Lookup::new(audit);
        let run = &audit.run;
        let title = if audit.scope.title.is_empty() { &run.pipeline } else { &audit.scope.title };
        let all = [
            sections::verdict::section(&lookup),
            sections::scope::section(&lookup),
            sections::performance::section(&lookup),
            sections::fairness::section(&lookup),
            sections::drivers::section(&lookup),
            sections::effects::section(&lookup),
            sections::simplicity::section(&lookup),
            sections::gaps::section(&lookup),
            sections::cases::section(&lookup),
            sections::pictures::section(&lookup),
            sections::opinions::section(&lookup),
            sections::robustness::section(&lookup),
            sections::structure::section(&lookup),
            sections::layers::section(&lookup),
            sections::withheld::section(&published),
            sections::history::section(&lookup),
            sections::provenance::section(&lookup),
        ];
        let annexes = [sections::impact::section(&lookup, &published), sections::reasons::section(&lookup)];
        Self {
            lang: say!("language"),
            title: Label::whole(title, 120),
            logo: own::logo(&audit.scope.documents),
            pipeline: label::shorten(&run.pipeline, 60),
            as_of: words::date(&run.as_of),
            eyebrow: say!(
                "masthead.eyebrow",
                pipeline = label::shorten(&run.pipeline, 60),
                date = words::date(&run.as_of)
            ),
            description: audit.scope.description.clone(),
            verdict: sections::verdict::headline(audit),
            sections: own::place(all.into_iter().flatten().collect(), own::sections(&audit.scope.documents)),
            annexes: annexes.into_iter().flatten().collect(),
            document: None,
            colophon: say!("masthead.colophon", run = &run.run_id, version = &run.tool_version),
        }
    }
}
