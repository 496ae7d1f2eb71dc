//! `${NAME}` and `${NAME:-default}` in text values; `$${` stands for a plain `${`.

use super::error::{Findings, Problem};
use super::source::Sources;
use super::tree::Node;

/// Looks up an environment variable.
pub type Environment<'e> = dyn Fn(&str) -> Option<String> + 'e;

/// Replaces every variable of the tree's texts; those that are not set are noted.
pub(super) fn variables(root: &mut Node, env: &Environment<'_>, sources: &Sources, findings: &mut Findings) {
    root.each_text("", &mut |key, place, text| match expand(text, env) {
        Ok(expanded) => *text = expanded,
        Err(Fault::Unset(name)) => {
            let help = format!("set `{name}`, or write ${{{name}:-default}}; a plain `${{` is written `$${{`");
            let at = sources.narrow(place, &format!("${{{name}}}"));
            findings.add(at, Problem::UnsetVariable { name, key: key.to_owned() }, "not set", Some(help));
        }
        Err(Fault::Malformed) => {
            let help = "a plain `${` is written `$${`".to_owned();
            let at = sources.narrow(place, "${");
            findings.add(at, Problem::BadVariable { key: key.to_owned() }, "starts here", Some(help));
        }
    });
}

#[derive(Debug, PartialEq, Eq)]
enum Fault {
    Unset(String),
    Malformed,
}

/// As in a shell, a default also stands in for a variable that is set to nothing. What a variable holds is not
/// expanded again.
fn expand(text: &str, env: &Environment<'_>) -> Result<String, Fault> {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        if rest[..at].ends_with('$') {
            expanded.push_str(&rest[..at - 1]);
            expanded.push_str("${");
            rest = &rest[at + 2..];
            continue;
        }
        expanded.push_str(&rest[..at]);
        let (variable, after) = rest[at + 2..].split_once('}').ok_or(Fault::Malformed)?;
        expanded.push_str(&value(variable, env)?);
        rest = after;
    }
    expanded.push_str(rest);
    Ok(expanded)
}

fn value(variable: &str, env: &Environment<'_>) -> Result<String, Fault> {
    let (name, default) = match variable.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (variable, None),
    };
    if !is_variable_name(name) {
        return Err(Fault::Malformed);
    }
    match (env(name), default) {
        (Some(value), None) => Ok(value),
        (Some(value), Some(_)) if !value.is_empty() => Ok(value),
        (_, Some(default)) => Ok(default.to_owned()),
        (None, None) => Err(Fault::Unset(name.to_owned())),
    }
}

fn is_variable_name(name: &str) -> bool {
    let starts_right = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    starts_right && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(name: &str) -> Option<String> {
        match name {
            "HOME" => Some("/home/ada".to_owned()),
            "EMPTY" => Some(String::new()),
            "NESTED" => Some("${HOME}".to_owned()),
            _ => None,
        }
    }

    #[test]
    fn set_variables_are_replaced_wherever_they_stand() {
        assert_eq!(expand("${HOME}/a:${HOME}", &env).unwrap(), "/home/ada/a:/home/ada");
        assert_eq!(expand("no variable, $HOME, $ {x}", &env).unwrap(), "no variable, $HOME, $ {x}");
    }

    #[test]
    fn a_default_stands_in_for_unset_and_for_empty() {
        assert_eq!(expand("${NOPE:-a:-b}", &env).unwrap(), "a:-b");
        assert_eq!(expand("${EMPTY:-x}", &env).unwrap(), "x");
        assert_eq!(expand("${HOME:-x}", &env).unwrap(), "/home/ada");
        assert_eq!(expand("[${NOPE:-}][${EMPTY}]", &env).unwrap(), "[][]");
    }

    #[test]
    fn two_dollars_are_an_escape_and_values_are_not_expanded_again() {
        assert_eq!(expand("$${HOME} ${HOME}", &env).unwrap(), "${HOME} /home/ada");
        assert_eq!(expand("${NESTED}", &env).unwrap(), "${HOME}");
    }

    #[test]
    fn unset_and_malformed_variables_are_faults() {
        assert_eq!(expand("a ${NOPE}", &env), Err(Fault::Unset("NOPE".to_owned())));
        for text in ["${", "${HOME", "${}", "${1A}", "${A B}", "${HOME-x}"] {
            assert_eq!(expand(text, &env), Err(Fault::Malformed), "{text}");
        }
    }
}
