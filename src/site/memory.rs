//! What earlier builds knew: what each page was made of, and what may be published of each run.

use super::SiteError;
use crate::audit::Gate;
use crate::whole_file;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// Version of this file and of what pages are made of; another one draws everything again.
const VERSION: u32 = 1;

const FILE: &str = "site.json";

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Memory {
    version: u32,
    /// Hash of the templates.
    pub style: String,
    /// Hash of what a page is made of, by its path.
    pub pages: BTreeMap<String, String>,
    /// Gates by run, without what is withheld.
    pub gates: BTreeMap<String, Vec<Gate>>,
}

impl Default for Memory {
    fn default() -> Self {
        Self { version: VERSION, style: String::new(), pages: BTreeMap::new(), gates: BTreeMap::new() }
    }
}

impl Memory {
    pub fn of(style: &str) -> Self {
        Self { style: style.to_owned(), ..Self::default() }
    }

    /// What the site in `out` remembers; nothing in an empty folder. With another style all pages are drawn again. A
    /// folder of something else is left alone.
    pub fn read(out: &Path, style: String) -> Result<Self, SiteError> {
        let Ok(text) = std::fs::read(out.join(FILE)) else {
            return begun(out).map(|()| Self::of(&style));
        };
        let known = serde_json::from_slice::<Self>(&text).ok().filter(|known| known.version == VERSION);
        let mut known = known.unwrap_or_default();
        if known.style != style {
            known.pages.clear();
        }
        Ok(Self { style, ..known })
    }

    pub fn write(&self, out: &Path) -> Result<(), SiteError> {
        let path = out.join(FILE);
        let written = serde_json::to_vec(self).map_err(std::io::Error::other);
        let written = written.and_then(|text| whole_file::write(&path, &text));
        written.map_err(|source| SiteError::Unwritable { path, source })
    }
}

/// Whether the folder may become a site: it is empty, or a build that was stopped before its end began with the style.
fn begun(out: &Path) -> Result<(), SiteError> {
    let unwritable = |source| SiteError::Unwritable { path: out.to_path_buf(), source };
    let is_empty = std::fs::read_dir(out).map_err(unwritable)?.next().is_none();
    match is_empty || out.join("site.css").is_file() {
        true => Ok(()),
        false => Err(SiteError::Foreign { path: out.to_path_buf() }),
    }
}
