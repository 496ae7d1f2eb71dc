//! Logo and sections of the house, as they are kept with the run.

use crate::audit::{Logo, Media, OwnSection};
use crate::plan::{self, LogoKind, Own};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

pub fn logo(own: &Own) -> Option<Logo> {
    let logo = own.logo.as_ref()?;
    let media = match logo.picture {
        LogoKind::Png => Media::Png,
        LogoKind::Jpeg => Media::Jpeg,
        LogoKind::Svg => Media::Svg,
    };
    Some(Logo { media, base64: STANDARD.encode(&logo.bytes), alt: logo.alt.clone() })
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
    use crate::report::view::SECTIONS;

    /// A place after a section that no report has would put everything at the end.
    #[test]
    fn every_place_for_sections_of_the_house_is_a_section_of_the_report() {
        let places = SectionPlace::ALL.iter().map(|place| place.name());
        let sections = places.filter(|name| !["start", "end"].contains(name));
        let strange: Vec<&str> = sections.filter(|name| !SECTIONS.contains(name)).collect();
        assert!(strange.is_empty(), "{strange:?}");
    }
}
