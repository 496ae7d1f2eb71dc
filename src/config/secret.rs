//! Keys that stand in the environment, never in a file.

use super::error::{Findings, Problem};
use super::expand::Environment;
use super::tree::Node;

/// A key that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Beginning of a text that names a variable of the environment.
const ENV: &str = "env:";

pub(super) fn is_address(text: &str) -> bool {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    let rest = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.strip_prefix(ENV).is_some_and(|name| name.starts_with(first) && name.chars().all(rest))
}

/// The key that `[privacy] pseudonymise` names; a variable that is not set, or set to nothing, is noted.
pub(super) fn pseudonym_key(root: &Node, env: &Environment<'_>, findings: &mut Findings) -> Option<Secret> {
    let node = root.get("privacy")?.get("pseudonymise")?;
    let name = node.text()?.strip_prefix(ENV)?;
    match env(name).filter(|value| !value.is_empty()) {
        Some(value) => Some(Secret::new(value.into_bytes())),
        None => {
            let problem = Problem::UnsetVariable { name: name.to_owned(), key: "privacy.pseudonymise".to_owned() };
            let help = format!("set `{name}` to the key of the pseudonyms; the same key gives the same pseudonyms");
            findings.add(node.place, problem, "not set", Some(help));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_one_variable() {
        assert!(["env:KEY", "env:_a1"].iter().all(|text| is_address(text)));
        assert!(["KEY", "env:", "env:1", "env:A B", "env:A-B"].iter().all(|text| !is_address(text)));
    }

    #[test]
    fn a_secret_does_not_print_itself() {
        assert_eq!(format!("{:?}", Secret::new(b"hush".into())), "Secret(…)");
    }
}
