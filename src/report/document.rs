//! Documents as data: what each of them asks for and in which order it shows what, declared in `templates/documents.json`.

use super::templates::{self, ReportError};
use super::view::{SECTIONS, Section};
use super::{label, own};
use crate::audit::Scope;
use crate::report::text::say;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// Stands for all sections of the house.
const OWN: &str = "own";
const FILE: &str = "documents.json";

/// A document with its fields answered and its sections in place.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Document {
    pub kind: String,
    pub notice: String,
    pub informs: String,
    pub outline: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Part {
    Asked(Asked),
    Measured(Section),
}

/// Fields under one heading.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Asked {
    pub id: String,
    pub title: String,
    pub lede: Option<String>,
    pub fields: Vec<Field>,
}

/// One field as a document prints it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Field {
    pub key: String,
    pub name: String,
    /// `None`: not provided.
    pub value: Option<String>,
    /// Where it is provided: "[report.fields] intended_use".
    pub toml: String,
}

/// One document as declared.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Declared {
    kind: String,
    notice: String,
    outline: Vec<Item>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Item {
    Measured {
        section: String,
    },
    Asked {
        id: String,
        title: String,
        #[serde(default)]
        lede: Option<String>,
        fields: Vec<Question>,
    },
}

impl Item {
    fn unknown_section(&self) -> Option<&str> {
        match self {
            Item::Measured { section } if section != OWN && !SECTIONS.contains(&section.as_str()) => Some(section),
            _ => None,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    key: String,
    name: String,
}

/// The document of that name, from the user's folder or ours; `None` where neither declares it.
///
/// # Errors
/// The file of the folder `overrides` cannot be read or is not made like ours.
pub fn of(
    name: &str,
    scope: &Scope,
    sections: &[&Section],
    overrides: Option<&Path>,
) -> Result<Option<Document>, ReportError> {
    let mut declared = declared(&templates::content(FILE, overrides)?, overrides)?;
    if overrides.is_some() && !declared.contains_key(name) {
        declared = self::declared(&templates::content(FILE, None)?, None)?;
    }
    let Some(Declared { kind, notice, outline }) = declared.remove(name) else { return Ok(None) };
    if let Some(unknown) = outline.iter().find_map(Item::unknown_section) {
        let detail = format!("`{name}` has no section `{unknown}`; there are {}, {OWN}", SECTIONS.join(", "));
        return Err(templates::broken(FILE, overrides, 1, detail));
    }
    let outline = outline.into_iter().flat_map(|item| parts(item, scope, sections)).collect();
    Ok(Some(Document { kind, notice, informs: say!("document.informs"), outline }))
}

/// Names of the documents that this binary declares itself.
pub fn names() -> Vec<String> {
    let ours = templates::content(FILE, None).and_then(|text| declared(&text, None));
    ours.map(|documents| documents.into_keys().collect()).unwrap_or_default()
}

fn declared(text: &str, overrides: Option<&Path>) -> Result<BTreeMap<String, Declared>, ReportError> {
    serde_json::from_str(text).map_err(|error| templates::broken(FILE, overrides, error.line(), error.to_string()))
}

/// A section that the audit has nothing for is left out.
fn parts(item: Item, scope: &Scope, sections: &[&Section]) -> Vec<Part> {
    match item {
        Item::Measured { section } => {
            let wanted = |known: &&&Section| known.id == section || section == OWN && own::is_own(known);
            sections.iter().filter(wanted).map(|section| Part::Measured((*section).clone())).collect()
        }
        Item::Asked { id, title, lede, fields } => {
            let fields = fields.into_iter().map(|question| answer(scope, question)).collect();
            vec![Part::Asked(Asked { id, title, lede, fields })]
        }
    }
}

fn answer(scope: &Scope, Question { key, name }: Question) -> Field {
    let (table, value) = match key.as_str() {
        "owner" => ("pipeline", scope.owner.as_ref()),
        "version" => ("pipeline", scope.version.as_ref()),
        key => ("report.fields", scope.documents.fields.get(key)),
    };
    Field { toml: format!("[{table}] {key}"), value: value.map(|text| label::shorten(text, 4_000)), key, name }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    fn document(name: &str, overrides: Option<&Path>) -> Option<Document> {
        let mut audit = example::binary();
        audit.scope.documents.fields = [("intended_use".to_owned(), "Offers".to_owned())].into();
        audit.scope.owner = Some("Ada".into());
        of(name, &audit.scope, &[], overrides).unwrap()
    }

    fn fields(document: &Document) -> Vec<&Field> {
        let asked = |part: &'_ Part| matches!(part, Part::Asked(_));
        let parts = document.outline.iter().filter(|part| asked(part));
        parts.flat_map(|part| if let Part::Asked(asked) = part { asked.fields.iter() } else { [].iter() }).collect()
    }

    #[test]
    fn fields_are_answered_or_name_the_key_that_answers_them() {
        let card = document("model-card", None).unwrap();
        let of = |key: &str| fields(&card).into_iter().find(|field| field.key == key).unwrap().clone();
        assert_eq!(of("intended_use").value.as_deref(), Some("Offers"));
        assert_eq!(of("owner").value.as_deref(), Some("Ada"));
        assert_eq!((of("limitations").value, of("limitations").toml), (None, "[report.fields] limitations".into()));
        assert_eq!(of("version").toml, "[pipeline] version");
    }

    #[test]
    fn every_declared_document_is_made() {
        assert_eq!(names(), ["adverse-action", "eu-ai-act", "model-card", "model-risk", "nyc-ll144"]);
        assert!(names().iter().all(|name| document(name, None).is_some()));
        assert!(document("audit", None).is_none());
    }

    #[test]
    fn a_folder_declares_documents_of_its_own_beside_ours() {
        let folder = tempfile::tempdir().unwrap();
        let text = r#"{"mine": {"kind": "Mine", "notice": "Ours.", "outline": [{"section": "scope"},
            {"id": "a", "title": "A", "fields": [{"key": "users", "name": "Who"}]}]}}"#;
        std::fs::write(folder.path().join(FILE), text).unwrap();
        assert_eq!(fields(&document("mine", Some(folder.path())).unwrap())[0].name, "Who");
        assert!(document("model-card", Some(folder.path())).is_some());
        std::fs::write(folder.path().join(FILE), text.replace("scope", "scoop")).unwrap();
        let error = of("mine", &example::binary().scope, &[], Some(folder.path())).unwrap_err();
        assert!(error.to_string().contains("no section `scoop`"), "{error}");
        std::fs::write(folder.path().join(FILE), "{\n\"mine\": {\"kind\": 1}}").unwrap();
        let error = of("mine", &example::binary().scope, &[], Some(folder.path())).unwrap_err();
        assert!(error.to_string().contains("documents.json is broken at line 2"), "{error}");
    }
}
