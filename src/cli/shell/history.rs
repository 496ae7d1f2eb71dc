//! Statements of earlier sessions, one a line, in the user's state folder.

use std::io::Write;
use std::path::PathBuf;

/// Statements kept; the file holds at most twice as many.
const MOST: usize = 1000;

#[derive(Debug, Default)]
pub(super) struct History {
    statements: Vec<String>,
    /// `None` where there is no place for it: then it lasts as long as the session.
    file: Option<PathBuf>,
}

/// `$XDG_STATE_HOME/probity/history`, else `~/.local/state/probity/history`.
pub(super) fn default_file(env: impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let set = |name: &str| env(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let state = set("XDG_STATE_HOME").or_else(|| Some(set("HOME")?.join(".local/state")))?;
    Some(state.join("probity/history"))
}

impl History {
    /// What the file holds; nothing where it cannot be read.
    pub fn open(file: Option<PathBuf>) -> Self {
        let text = file.as_ref().and_then(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
        let mut statements: Vec<String> = text.lines().map(str::to_owned).collect();
        if statements.len() > 2 * MOST {
            statements.drain(..statements.len() - MOST);
            let shorter = statements.join("\n") + "\n";
            // History is a convenience: where it cannot be kept, the session goes on.
            file.as_ref().map(|file| std::fs::write(file, shorter));
        }
        Self { statements, file }
    }

    /// Adds a statement, as one line, unless it is the one before again.
    pub fn add(&mut self, statement: &str) {
        let line = statement.split_whitespace().collect::<Vec<_>>().join(" ");
        if line.is_empty() || self.statements.last() == Some(&line) {
            return;
        }
        if let Some(file) = &self.file {
            append(file, &line).ok();
        }
        self.statements.push(line);
    }

    pub fn len(&self) -> usize {
        self.statements.len()
    }

    /// The statement at `at`, the oldest first; nothing behind the last.
    pub fn get(&self, at: usize) -> &str {
        self.statements.get(at).map_or("", String::as_str)
    }
}

fn append(file: &std::path::Path, line: &str) -> std::io::Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(file)?;
    writeln!(file, "{line}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_outlast_the_session() {
        let folder = tempfile::tempdir().unwrap();
        let file = Some(folder.path().join("a/history"));
        let mut first = History::open(file.clone());
        first.add("SELECT 1;");
        first.add("SELECT\n  2;");
        first.add("SELECT 2;");
        let second = History::open(file);
        assert_eq!((second.len(), second.get(0), second.get(1), second.get(2)), (2, "SELECT 1;", "SELECT 2;", ""));
    }

    #[test]
    fn the_state_folder_is_the_users_own() {
        let env = |set: &'static [(&str, &str)]| {
            default_file(|name| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
        };
        assert_eq!(env(&[("XDG_STATE_HOME", "/s"), ("HOME", "/h")]), Some("/s/probity/history".into()));
        assert_eq!(env(&[("XDG_STATE_HOME", ""), ("HOME", "/h")]), Some("/h/.local/state/probity/history".into()));
        assert_eq!(env(&[]), None);
    }
}
