//! Logo and sections of the house, as they are kept with the run.

use crate::audit::{Logo, Media, Octets, OwnSection};
use crate::plan::{self, LogoKind, Own};

pub fn logo(own: &Own) -> Option<Logo> {
    let logo = own.logo.as_ref()?;
    let media = match logo.picture {
        LogoKind::Png => Media::Png,
        LogoKind::Jpeg => Media::Jpeg,
        LogoKind::Svg => Media::Svg,
    };
    Some(Logo { media, base64: Octets(logo.bytes.clone()).text(), alt: logo.alt.clone() })
}

pub fn sections(own: &Own) -> Vec<OwnSection> {
    let kept = |section: &plan::OwnSection| OwnSection {
        title: section.title.clone(),
        markdown: section.markdown.clone(),
        place: section.place.name().to_owned(),
    };
    own.sections.iter().map(kept).collect()
}

#[cfg(test)]
mod tests {
    use crate::config::SectionPlace;
    use crate::report::view::{ANNEXES, SECTIONS};

    fn placeable() -> Vec<&'static str> {
        SECTIONS.iter().copied().filter(|name| !ANNEXES.contains(name)).collect()
    }

    /// A place after a section that no report has would put everything at the end.
    #[test]
    fn every_section_of_the_report_is_a_place_for_sections_of_the_house_and_no_other_name_is() {
        let places = SectionPlace::ALL.iter().map(|place| place.name());
        let after: Vec<&str> = places.filter(|name| !["start", "end"].contains(name)).collect();
        assert_eq!(after, placeable());
    }

    #[test]
    fn the_documentation_names_every_section_as_a_place_and_for_a_document() {
        let page = include_str!("../../docs/templates.md");
        let between = |from: &str, to: &str| {
            let (_, rest) = page.split_once(from).unwrap();
            let names = rest.split_once(to).unwrap().0.split('`').skip(1).step_by(2);
            names.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(between("(default), or one of ", ":"), placeable());
        assert_eq!(between("\n  Sections: ", ", and"), SECTIONS);
    }
}
