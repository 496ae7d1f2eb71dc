//! Logo and sections of the house: read, and refused where they are not what they should be.
//!
//! They are read with the plan, before the first row, and kept with the run, so that a report can be drawn again when the
//! files are gone. What a picture is, its first bytes say, not its name.

use super::error::{PlanError, conflict};
use crate::config::{Conflict, Loaded, SectionPlace};
use std::path::Path;

/// Every run of the history holds its logo: a nightly one of 3,000 nights comes to half a gigabyte at most.
const MOST_LOGO_BYTES: u64 = 128 * 1024;
const MOST_TEXT_BYTES: u64 = 64 * 1024;

/// What the house adds to its reports.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Own {
    pub logo: Option<Logo>,
    pub sections: Vec<Section>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logo {
    pub picture: Picture,
    pub bytes: Vec<u8>,
    pub alt: String,
}

/// Kinds of pictures that every browser shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Picture {
    Png,
    Jpeg,
    Svg,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    pub title: String,
    pub markdown: String,
    pub place: SectionPlace,
}

impl Own {
    /// Every byte that decides what a report shows, beside the TOML: part of what makes two runs the same. Each file
    /// stands behind its length, so that the same bytes split otherwise are another fingerprint.
    pub fn fingerprint(&self) -> Vec<u8> {
        let logo = self.logo.iter().map(|logo| logo.bytes.as_slice());
        let files = logo.chain(self.sections.iter().map(|section| section.markdown.as_bytes()));
        files.flat_map(|file| (file.len() as u64).to_le_bytes().into_iter().chain(file.iter().copied())).collect()
    }
}

/// Reads what `[report]` names.
///
/// # Errors
/// Every file that cannot be read, is too large or is not of its kind, each with its key.
pub fn read(loaded: &Loaded) -> Result<Own, PlanError> {
    let report = &loaded.config.report;
    let mut conflicts = Vec::new();
    let mut own = Own::default();
    if let Some(typed) = &report.logo {
        let alt = report.logo_alt.clone().or_else(|| loaded.config.pipeline.owner.clone());
        match logo(loaded, typed) {
            Ok((picture, bytes)) => own.logo = Some(Logo { picture, bytes, alt: alt.unwrap_or_else(|| "Logo".into()) }),
            Err(found) => conflicts.push(found),
        }
    }
    for (at, section) in report.sections.iter().enumerate() {
        let read = match (&section.file, &section.text) {
            (Some(typed), _) => markdown(loaded, typed, format!("report.sections.{at}.file")),
            (None, text) => Ok(text.clone().unwrap_or_default()),
        };
        match read {
            Ok(markdown) => own.sections.push(Section { title: section.title.clone(), markdown, place: section.place }),
            Err(found) => conflicts.push(found),
        }
    }
    match conflicts.is_empty() {
        true => Ok(own),
        false => Err(PlanError::Config(Box::new(loaded.errors(conflicts)))),
    }
}

fn logo(loaded: &Loaded, typed: &str) -> Result<(Picture, Vec<u8>), Conflict> {
    let key = "report.logo".to_owned();
    let path = loaded.resolve(typed);
    let bytes = content(&path, MOST_LOGO_BYTES, &key, "a smaller picture, or none")?;
    match recognise(&bytes) {
        Ok(picture) => Ok((picture, bytes)),
        Err(what) => {
            let message = format!("the logo {} {what}", path.display());
            Err(conflict(key, message, "give a PNG, JPEG or SVG file; an SVG without scripts and entities"))
        }
    }
}

fn markdown(loaded: &Loaded, typed: &str, key: String) -> Result<String, Conflict> {
    let path = loaded.resolve(typed);
    let bytes = content(&path, MOST_TEXT_BYTES, &key, "a shorter text, or several sections")?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let message = format!("{} is no UTF-8 text: byte {at} is not", path.display());
        conflict(key, message, "give a Markdown file in UTF-8")
    })
}

/// All bytes of a file of at most `most`.
fn content(path: &Path, most: u64, key: &str, instead: &str) -> Result<Vec<u8>, Conflict> {
    let unreadable = |error: std::io::Error| {
        let message = format!("{} cannot be read: {error}", path.display());
        conflict(key, message, "give the path of a readable file; it starts at the folder of the pipeline file")
    };
    let size = std::fs::metadata(path).map_err(unreadable)?;
    if !size.is_file() {
        return Err(conflict(key, format!("{} is not a file", path.display()), "give the path of a file"));
    }
    if size.len() > most {
        let message = format!("{} has {} bytes; at most {most} are taken", path.display(), size.len());
        return Err(conflict(key, message, format!("every report and every run holds it: give {instead}")));
    }
    std::fs::read(path).map_err(unreadable)
}

/// What kind of picture the bytes are, else why they are none that is taken.
fn recognise(bytes: &[u8]) -> Result<Picture, &'static str> {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        let whole = bytes.windows(4).rev().take(64).any(|chunk| chunk == b"IEND");
        return if whole { Ok(Picture::Png) } else { Err("is a PNG file that was cut off") };
    }
    if bytes.starts_with(b"\xff\xd8\xff") {
        let whole = bytes.windows(2).any(|marker| marker == b"\xff\xd9");
        return if whole { Ok(Picture::Jpeg) } else { Err("is a JPEG file that was cut off") };
    }
    let text = std::str::from_utf8(bytes).map_err(|_| "is neither PNG, JPEG nor SVG")?;
    if !begins_with_svg(text) {
        return Err("is neither PNG, JPEG nor SVG");
    }
    let lower = text.to_ascii_lowercase();
    // As a picture it can run nothing; saved and opened by itself it could.
    match ["<script", "javascript:", "<!entity"].iter().any(|active| lower.contains(active)) {
        true => Err("is an SVG file with scripts or entities"),
        false => Ok(Picture::Svg),
    }
}

/// Whether the first element is `svg`, after a declaration, comments and a document type.
fn begins_with_svg(text: &str) -> bool {
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    while let Some((opening, closing)) =
        [("<?", "?>"), ("<!--", "-->"), ("<!", ">")].into_iter().find(|(opening, _)| rest.starts_with(opening))
    {
        let Some(end) = rest[opening.len()..].find(closing) else { return false };
        rest = rest[opening.len() + end + closing.len()..].trim_start();
    }
    let name = rest.strip_prefix('<').and_then(|rest| rest.split([' ', '\t', '\n', '\r', '>', '/']).next());
    name.is_some_and(|name| name == "svg" || name.ends_with(":svg"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_known_by_their_bytes() {
        let png = [b"\x89PNG\r\n\x1a\n".as_slice(), &[0; 20], b"IEND\xaeB`\x82"].concat();
        assert_eq!(recognise(&png), Ok(Picture::Png));
        assert_eq!(recognise(&png[..20]), Err("is a PNG file that was cut off"));
        assert_eq!(recognise(b"\xff\xd8\xff\xe0....\xff\xd9"), Ok(Picture::Jpeg));
        assert!(recognise(b"\xff\xd8\xff\xe0").is_err());
        for svg in [
            "<svg/>",
            "\u{feff}<?xml version=\"1.0\"?>\n<!-- a <b> --><!DOCTYPE svg PUBLIC \"x\" \"y\">\n<svg:svg xmlns:svg=\"z\">",
            "<svg\nwidth='1'></svg>",
        ] {
            assert_eq!(recognise(svg.as_bytes()), Ok(Picture::Svg), "{svg}");
        }
    }

    #[test]
    fn the_same_bytes_split_otherwise_are_another_fingerprint() {
        let section = |markdown: &str| Section {
            title: "Context".to_owned(),
            markdown: markdown.to_owned(),
            place: SectionPlace::End,
        };
        let own = |texts: &[&str]| Own { logo: None, sections: texts.iter().map(|text| section(text)).collect() };
        let fingerprints =
            [&["ab", "c"][..], &["a", "bc"], &["abc"], &["abc", ""], &[]].map(|of| own(of).fingerprint());
        for (at, one) in fingerprints.iter().enumerate() {
            assert!(fingerprints[..at].iter().all(|other| other != one), "{at}");
        }
        assert!(own(&[]).fingerprint().is_empty());
    }

    #[test]
    fn what_is_no_picture_or_an_active_one_is_refused() {
        let none = ["", "<", "<!--", "<html><svg/></html>", "GIF89a", "<svgx/>", "hello", "<?xml?>"];
        assert!(none.iter().all(|text| recognise(text.as_bytes()) == Err("is neither PNG, JPEG nor SVG")));
        assert_eq!(recognise(&[0xff, 0xfe, 0x00]), Err("is neither PNG, JPEG nor SVG"));
        for active in [
            "<svg><SCRIPT>1</SCRIPT></svg>",
            "<!DOCTYPE svg><!ENTITY a 'b'><svg/>",
            "<svg><a href='JavaScript:1'/></svg>",
        ] {
            assert_eq!(recognise(active.as_bytes()), Err("is an SVG file with scripts or entities"), "{active}");
        }
    }
}
