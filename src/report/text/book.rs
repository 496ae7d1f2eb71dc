//! All messages of one language, read from its file.

use super::message::{Broken, Message, Sentence};
use std::collections::BTreeMap;
use toml::{Table, Value};

/// Messages by key: `gates.lede`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Book(BTreeMap<String, Message>);

/// What is wrong with a file of messages, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BookError {
    #[error("{0}")]
    Toml(String),
    #[error("`{key}`: {broken}")]
    Message { key: String, broken: Broken },
    #[error("`{key}` is neither a text nor a pair of texts `one` and `other`")]
    NoText { key: String },
    #[error("`{key}` is no message of this version")]
    Unknown { key: String },
    #[error("`{key}` has no value `{{{place}}}`; it has {known}")]
    UnknownPlace { key: String, place: String, known: String },
    #[error("`{key}` leaves out `{{{place}}}`, which the sentence must not lose")]
    LostPlace { key: String, place: String },
}

impl Book {
    /// # Errors
    /// The text is no TOML, or holds something else than messages.
    pub fn parse(text: &str) -> Result<Self, BookError> {
        let table: Table = text.parse().map_err(|error: toml::de::Error| BookError::Toml(error.to_string()))?;
        let mut book = Self::default();
        book.take(String::new(), &table)?;
        Ok(book)
    }

    pub fn get(&self, key: &str) -> Option<&Message> {
        self.0.get(key)
    }

    pub fn messages(&self) -> impl Iterator<Item = (&str, &Message)> {
        self.0.iter().map(|(key, message)| (key.as_str(), message))
    }

    /// Whether every message is one of `original`, and has the same places: a translation may not lose a number.
    ///
    /// # Errors
    /// The first key that is unknown, or has another place or one less.
    pub fn check_against(&self, original: &Self) -> Result<(), BookError> {
        for (key, message) in self.messages() {
            let known = original.get(key).ok_or_else(|| BookError::Unknown { key: key.to_owned() })?;
            check(key, message, known)?;
        }
        Ok(())
    }

    fn take(&mut self, prefix: String, table: &Table) -> Result<(), BookError> {
        for (name, value) in table {
            let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
            match value {
                Value::Table(inner) if !is_counted(inner) => self.take(key, inner)?,
                value => {
                    let message = message(&key, value)?;
                    self.0.insert(key, message);
                }
            }
        }
        Ok(())
    }
}

fn check(key: &str, message: &Message, original: &Message) -> Result<(), BookError> {
    let (key, known) = (|| key.to_owned(), original.places());
    for form in message.forms() {
        let places = form.places();
        if let Some(place) = places.iter().find(|place| !known.contains(*place)) {
            let known = known.iter().map(|place| format!("{{{place}}}")).collect::<Vec<_>>().join(", ");
            let known = if known.is_empty() { "none".to_owned() } else { known };
            return Err(BookError::UnknownPlace { key: key(), place: (*place).to_owned(), known });
        }
        if let Some(place) = original.needed().into_iter().find(|place| !places.contains(place)) {
            return Err(BookError::LostPlace { key: key(), place: place.to_owned() });
        }
    }
    Ok(())
}

fn is_counted(table: &Table) -> bool {
    table.len() == 2 && table.get("one").is_some_and(Value::is_str) && table.get("other").is_some_and(Value::is_str)
}

fn message(key: &str, value: &Value) -> Result<Message, BookError> {
    let sentence = |value: Option<&Value>| {
        let text = value.and_then(Value::as_str).ok_or_else(|| BookError::NoText { key: key.to_owned() })?;
        Sentence::parse(text).map_err(|broken| BookError::Message { key: key.to_owned(), broken })
    };
    match value {
        Value::Table(forms) => {
            Ok(Message::Counted { one: sentence(forms.get("one"))?, other: sentence(forms.get("other"))? })
        }
        text => Ok(Message::Plain(sentence(Some(text))?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGINAL: &str = "[gates]\nlede = \"Words.\"\npassed = \"{passed} of {all}\"\nrows = { one = \"{n} row\", other = \"{n} rows\" }\n";

    fn translated(text: &str) -> Result<(), String> {
        let book = Book::parse(text).map_err(|error| error.to_string())?;
        book.check_against(&Book::parse(ORIGINAL).unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn keys_are_the_names_of_tables_joined() {
        let book = Book::parse(ORIGINAL).unwrap();
        assert_eq!(
            book.messages().map(|(key, _)| key).collect::<Vec<_>>(),
            ["gates.lede", "gates.passed", "gates.rows"]
        );
    }

    #[test]
    fn a_translation_may_turn_words_round_and_leave_out_messages() {
        assert_eq!(translated("[gates]\npassed = \"{all}, davon {passed}\"\n"), Ok(()));
        assert_eq!(translated("gates.rows = \"{n}行\"\n"), Ok(()));
        assert_eq!(translated("gates.rows = { one = \"eine Zeile\", other = \"{n} Zeilen\" }\n"), Ok(()));
    }

    #[test]
    fn a_translation_that_loses_or_invents_a_value_is_refused_with_its_key() {
        let lost = translated("gates.passed = \"alle {all}\"\n").unwrap_err();
        assert!(lost.contains("`gates.passed` leaves out `{passed}`"), "{lost}");
        let invented = translated("gates.lede = \"{n} Worte.\"\n").unwrap_err();
        assert!(invented.contains("`gates.lede` has no value `{n}`; it has none"), "{invented}");
        let unknown = translated("gates.leed = \"Worte.\"\n").unwrap_err();
        assert!(unknown.contains("`gates.leed` is no message"), "{unknown}");
    }

    #[test]
    fn what_is_no_message_is_refused_with_its_place() {
        assert!(translated("gates.lede = \"{\"\n").unwrap_err().contains("`gates.lede`: a `{`"));
        assert!(translated("gates.lede = 7\n").unwrap_err().contains("`gates.lede` is neither"));
        assert!(translated("[gates\n").unwrap_err().contains("line 1"));
    }
}
