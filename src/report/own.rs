//! What the house adds: its logo at the head, its sections between ours.

use super::label::{self, Label};
use super::prose::Prose;
use super::view::{Part, Section};
use crate::audit::{Documents, Media};
use serde::Serialize;

/// A picture that the page holds whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Logo {
    pub media: Media,
    pub base64: String,
    pub alt: String,
}

pub fn logo(documents: &Documents) -> Option<Logo> {
    let logo = documents.logo.as_ref()?;
    // What is no Base64 never becomes part of an address.
    let sound = logo.base64.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '='));
    sound.then(|| Logo { media: logo.media, base64: logo.base64.clone(), alt: label::shorten(&logo.alt, 200) })
}

/// How anchors of sections of the house begin.
const OWN: &str = "own-";

pub fn is_own(section: &Section) -> bool {
    section.id.starts_with(OWN)
}

/// Sections of the house, each with the place that it asks for.
pub fn sections(documents: &Documents) -> Vec<(String, Section)> {
    let section = |(at, own): (usize, &crate::audit::OwnSection)| {
        let part = Part { prose: Some(Prose::of(&own.markdown)), ..Part::default() };
        let title = Label::fit(&own.title, 200).text;
        Some((own.place.clone(), Section::of(format!("{OWN}{}", at + 1), title, vec![part])?))
    };
    documents.sections.iter().enumerate().filter_map(section).collect()
}

/// Puts sections of the house between ours. Those of one place keep their order.
pub fn place(ours: Vec<Section>, mut own: Vec<(String, Section)>) -> Vec<Section> {
    let mut at = |wanted: &str| -> Vec<Section> {
        own.extract_if(.., |(place, _)| place == wanted).map(|(_, section)| section).collect()
    };
    let mut all = at("start");
    for section in ours {
        let after = at(&section.id);
        all.push(section);
        all.extend(after);
    }
    all.extend(own.into_iter().map(|(_, section)| section));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{OwnSection, Scope};
    use crate::report::{example, json, markdown, render, view::View};

    fn own(place: &str, markdown: &str) -> OwnSection {
        OwnSection { title: format!("Ours at {place}"), markdown: markdown.into(), place: place.into() }
    }

    fn audit() -> crate::audit::Audit {
        let mut audit = example::binary();
        let Scope { documents, .. } = &mut audit.scope;
        documents.sections = vec![own("end", "x"), own("gates", "<b>y</b>"), own("start", "z"), own("gates", "w")];
        documents.sections.push(own("reasons", "not in this report"));
        documents.logo =
            Some(crate::audit::Logo { media: Media::Svg, base64: "PHN2Zy8+".into(), alt: "\"><script>".into() });
        audit
    }

    #[test]
    fn sections_of_the_house_stand_where_they_ask_to_stand() {
        let ids: Vec<String> = View::of(&audit()).sections.iter().map(|section| section.id.to_string()).collect();
        assert_eq!(ids[..4], ["own-3", "gates", "own-2", "own-4"]);
        assert_eq!(ids[ids.len() - 2..], ["own-1", "own-5"]);
    }

    #[test]
    fn every_form_shows_them_and_none_runs_them() {
        let html = render(&audit(), "audit", None).unwrap();
        assert!(html.contains("&lt;b&gt;y&lt;&#x2f;b&gt;") && !html.contains("<b>y</b>"));
        assert!(html.contains("<h2 id=\"own-2\"><bdi>Ours at gates</bdi></h2>"));
        assert!(html.contains("src=\"data:image&#x2f;svg+xml;base64,PHN2Zy8+\" alt=\"&quot;&gt;&lt;script&gt;\""));
        let md = markdown(&audit(), "audit", None).unwrap();
        assert!(md.contains("## Ours at gates\n\n\\<b\\>y\\<\\/b\\>"), "{md}");
        let json: serde_json::Value = serde_json::from_str(&json(&audit(), "audit", None).unwrap()).unwrap();
        assert_eq!(json.pointer("/sections/2/parts/0/prose").unwrap(), "\\<b\\>y\\<\\/b\\>");
    }

    #[test]
    fn a_logo_that_was_altered_into_something_else_is_not_shown() {
        let mut audit = audit();
        audit.scope.documents.logo.as_mut().unwrap().base64 = "x\" onload=\"".into();
        assert!(!render(&audit, "audit", None).unwrap().contains("onload"));
    }
}
