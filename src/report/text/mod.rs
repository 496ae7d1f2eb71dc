//! What the report says: every sentence and word of it stands in one file for each language, `templates/text/en.toml`.
//!
//! Code and templates name a message by its key and give the values for its places: `say!("gates.passed", n = 3)`
//! here, `{{ say("gates.passed", n=3) }}` there. [`message`] is one of them, [`book`] a file of them. A folder of
//! templates may hold a language of its own; what that leaves out is said in English.
//!
//! The language is that of the document being drawn, for as long as it is drawn: [`Language::speaking`]. Words are
//! needed in the smallest corners of a chart, and none of these should have to carry a book around.

pub mod book;
pub mod message;
#[cfg(test)]
mod uses;

use super::templates::ReportError;
use book::Book;
use message::Value;
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::LazyLock;

/// The language that every other falls back to.
pub const ENGLISH: &str = include_str!("../../../templates/text/en.toml");

static BOOK: LazyLock<Book> = LazyLock::new(|| Book::parse(ENGLISH).unwrap_or_default());

thread_local! {
    static SPOKEN: RefCell<Option<Rc<Book>>> = const { RefCell::new(None) };
}

/// The language of one document.
#[derive(Debug, Clone, Default)]
pub struct Language {
    own: Option<Rc<Book>>,
    source: String,
}

impl Language {
    /// That of the folder's one file `text/NAME.toml`; English where there is none.
    ///
    /// # Errors
    /// The folder holds several languages, or one that cannot be read, or a message that is broken.
    pub fn of(folder: Option<&Path>) -> Result<Self, ReportError> {
        let Some(path) = folder.map(own_file).transpose()?.flatten() else { return Ok(Self::default()) };
        let source =
            std::fs::read_to_string(&path).map_err(|source| ReportError::Folder { path: path.clone(), source })?;
        let book = Book::parse(&source).and_then(|book| book.check_against(&BOOK).map(|()| book));
        let book = book.map_err(|source| ReportError::Text { path, source })?;
        Ok(Self { own: Some(Rc::new(book)), source })
    }

    /// The text of the folder's file, to know when it has changed.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Runs `draw` in this language, and goes back to the one before.
    pub fn speaking<T>(&self, draw: impl FnOnce() -> T) -> T {
        /// Restores what was spoken, whatever happens to the drawing.
        struct Before(Option<Rc<Book>>);
        impl Drop for Before {
            fn drop(&mut self) {
                SPOKEN.set(self.0.take());
            }
        }
        let _before = Before(SPOKEN.replace(self.own.clone()));
        draw()
    }
}

/// The folder's own language file.
fn own_file(folder: &Path) -> Result<Option<PathBuf>, ReportError> {
    let folder = folder.join("text");
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(ReportError::Folder { path: folder, source }),
    };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut files: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
    files.sort();
    match files.as_slice() {
        [] => Ok(None),
        [_] => Ok(files.pop()),
        [first, second, ..] => {
            let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            Err(ReportError::Languages { folder, first: name(first), second: name(second) })
        }
    }
}

/// The message in the language spoken, with its values. `say!` writes this shorter.
pub fn said(key: &str, values: &[(&str, Value)]) -> String {
    find(key, values).unwrap_or_else(|| key.to_owned())
}

/// Like [`said`], where there may be no such message: what data and configuration name.
pub fn find(key: &str, values: &[(&str, Value)]) -> Option<String> {
    SPOKEN.with_borrow(|own| {
        let message = own.as_ref().and_then(|book| book.get(key)).or_else(|| BOOK.get(key))?;
        Some(message.fill(values))
    })
}

/// Heads of columns by their keys under `column`, a blank between two; one that ends in "|" keeps it.
pub fn heads_of(keys: &str) -> Vec<String> {
    let head = |key: &str| match key.strip_suffix('|') {
        Some(key) => said(&format!("column.{key}"), &[]) + "|",
        None => said(&format!("column.{key}"), &[]),
    };
    keys.split_whitespace().map(head).collect()
}

/// A message by its key, with the values of its places: `say!("gates.passed", n = 3)`.
macro_rules! say {
    ($key:literal $(, $place:ident = $value:expr)* $(,)?) => {
        $crate::report::text::said($key, &[$((stringify!($place), $crate::report::text::message::Value::from($value))),*])
    };
}
/// Heads of columns by their keys: `heads!("group n reason|")`.
macro_rules! heads {
    ($keys:literal) => {
        $crate::report::text::heads_of($keys)
    };
}
pub(crate) use {heads, say};

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("text")).unwrap();
        files.iter().for_each(|(name, text)| std::fs::write(folder.path().join("text").join(name), text).unwrap());
        folder
    }

    #[test]
    fn english_is_whole() {
        assert!(Book::parse(ENGLISH).unwrap().messages().count() > 100);
    }

    #[test]
    fn a_folders_language_is_spoken_while_a_document_is_drawn_and_english_where_it_is_silent() {
        let folder = folder(&[("de.toml", "language = \"de\"\ngates.title = \"Schranken\"\n")]);
        let language = Language::of(Some(folder.path())).unwrap();
        let drawn = language.speaking(|| (say!("language"), say!("gates.title"), say!("scope.title")));
        assert_eq!(drawn, ("de".into(), "Schranken".into(), "Scope".into()));
        assert_eq!(say!("gates.title"), "Gates");
    }

    #[test]
    fn a_broken_message_names_file_and_key() {
        let folder = folder(&[("de.toml", "gates.title = \"Schranken {n}\"\n")]);
        let error = Language::of(Some(folder.path())).unwrap_err().to_string();
        assert!(error.contains("de.toml") && error.contains("`gates.title` has no value `{n}`"), "{error}");
    }

    #[test]
    fn two_languages_in_one_folder_are_one_too_many() {
        let folder = folder(&[("de.toml", ""), ("zh.toml", "")]);
        let error = Language::of(Some(folder.path())).unwrap_err().to_string();
        assert!(error.contains("de.toml") && error.contains("zh.toml"), "{error}");
    }

    #[test]
    fn a_folder_without_texts_speaks_english() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Language::of(Some(folder.path())).unwrap().speaking(|| say!("gates.title")), "Gates");
    }
}
