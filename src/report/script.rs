//! The optional script of a page, and the policy that lets this script run and nothing else.
//!
//! The page names the script's SHA-256 in its Content-Security-Policy, so a script that came in by any other way does
//! not run, not even one that looks like this. A page without a script names none.

use super::templates::{self, ReportError};
use crate::audit::Octets;
use sha2::{Digest, Sha256};
use std::path::Path;

const FILE: &str = "report.js";
/// What would end the script's element early, or hide its end.
const ENDS: [&str; 2] = ["</script", "<!--"];

/// A script as it stands in the page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Script {
    /// Empty: the page has none.
    pub text: String,
}

impl Script {
    /// `report.js` of the user's folder, else ours; an empty file stands for none.
    ///
    /// # Errors
    /// The file cannot be read, or holds what would end its element.
    pub fn of(overrides: Option<&Path>) -> Result<Self, ReportError> {
        // As browsers read it before they take the hash.
        let text = templates::content(FILE, overrides)?.replace("\r\n", "\n").replace('\r', "\n");
        let lower = text.to_ascii_lowercase();
        if let Some((at, end)) = ENDS.iter().find_map(|end| Some((lower.find(end)?, end))) {
            let line = text[..at].matches('\n').count() + 1;
            return Err(templates::broken(
                FILE,
                overrides,
                line,
                format!("`{end}` would end the script: write it otherwise"),
            ));
        }
        Ok(Self { text: if text.trim().is_empty() { String::new() } else { text } })
    }

    /// What the policy says of scripts: "; script-src 'sha256-…'" (CSP 3, 2.3.1), or nothing.
    pub fn policy(&self) -> String {
        match self.text.as_str() {
            "" => String::new(),
            text => format!("; script-src 'sha256-{}'", Octets(Sha256::digest(text.as_bytes()).to_vec()).text()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_is_small_and_its_hash_the_one_that_browsers_take() {
        let script = Script::of(None).unwrap();
        assert!((1..=5 * 1024).contains(&script.text.len()), "{} bytes", script.text.len());
        // printf "alert('Hello, world.');" | openssl sha256 -binary | openssl base64
        let known = Script { text: "alert('Hello, world.');".into() };
        assert_eq!(known.policy(), "; script-src 'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='");
    }

    #[test]
    fn a_script_of_the_users_comes_first_and_an_empty_one_leaves_it_out() {
        let folder = tempfile::tempdir().unwrap();
        let with = |text: &str| {
            std::fs::write(folder.path().join(FILE), text).unwrap();
            Script::of(Some(folder.path()))
        };
        assert_eq!(with("one();\r\ntwo();\r").unwrap().text, "one();\ntwo();\n");
        assert_eq!((with("\n").unwrap().text, with(" ").unwrap().policy()), (String::new(), String::new()));
        let error = with("fine();\nlet x = '</SCRIPT>';").unwrap_err().to_string();
        assert!(error.contains("report.js is broken at line 2"), "{error}");
    }
}
