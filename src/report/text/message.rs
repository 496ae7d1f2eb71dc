//! One message: words with named places for values, in one form or in one for each number.

use crate::report::number;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// The value whose number chooses between the forms of a message.
const CHOOSES: &str = "n";

/// A message as read. `{name}` is a place for a value; a brace that is meant as one is doubled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    Plain(Sentence),
    /// Chosen by `n`.
    Counted {
        one: Sentence,
        other: Sentence,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Words(String),
    Place(String),
}

/// A value for a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Text(String),
    /// Printed with separated thousands.
    Count(u64),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    #[error("a `{{` or `}}` stands alone; a place for a value is `{{name}}`, a brace is written twice")]
    Brace,
    #[error("`{{{0}}}` is no place for a value: use letters, digits and `_`")]
    Name(String),
}

impl Piece {
    fn place(&self) -> Option<&str> {
        match self {
            Self::Place(name) => Some(name),
            Self::Words(_) => None,
        }
    }
}

impl Message {
    pub fn fill(&self, values: &[(&str, Value)]) -> String {
        match self {
            Self::Plain(sentence) => sentence.fill(values),
            Self::Counted { one, other } => {
                let is_one = values.contains(&(CHOOSES, Value::Count(1)));
                if is_one { one.fill(values) } else { other.fill(values) }
            }
        }
    }

    /// Names of all places, and `n` where it chooses the form.
    pub fn places(&self) -> BTreeSet<&str> {
        match self {
            Self::Plain(sentence) => sentence.places(),
            Self::Counted { one, other } => one.places().union(&other.places()).copied().chain([CHOOSES]).collect(),
        }
    }

    /// Names of the places that no translation may leave out; where forms are chosen by `n`, one may say it in words.
    pub fn needed(&self) -> BTreeSet<&str> {
        let mut needed = self.places();
        if matches!(self, Self::Counted { .. }) {
            needed.remove(CHOOSES);
        }
        needed
    }

    /// Its one sentence, or both.
    pub fn forms(&self) -> Vec<&Sentence> {
        match self {
            Self::Plain(sentence) => vec![sentence],
            Self::Counted { one, other } => vec![one, other],
        }
    }
}

impl Sentence {
    pub fn parse(text: &str) -> Result<Self, Broken> {
        let mut pieces = Vec::new();
        let mut words = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            words += &rest[..at];
            let (brace, after) = rest[at..].split_at(1);
            if let Some(after) = after.strip_prefix(brace) {
                words += brace;
                rest = after;
                continue;
            }
            let (name, after) = after.split_once('}').filter(|_| brace == "{").ok_or(Broken::Brace)?;
            let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            if !is_name {
                return Err(Broken::Name(name.to_owned()));
            }
            pieces.extend([Piece::Words(std::mem::take(&mut words)), Piece::Place(name.to_owned())]);
            rest = after;
        }
        pieces.push(Piece::Words(words + rest));
        Ok(Self(pieces))
    }

    pub fn places(&self) -> BTreeSet<&str> {
        self.0.iter().filter_map(Piece::place).collect()
    }

    /// A place without a value keeps its name, which shows where one is missing.
    fn fill(&self, values: &[(&str, Value)]) -> String {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Words(words) => text += words,
                Piece::Place(name) => match values.iter().find(|(known, _)| known == name) {
                    Some((_, Value::Text(value))) => text += value,
                    Some((_, Value::Count(n))) => text += &number::count(*n),
                    None => text.extend(["{", name, "}"]),
                },
            }
        }
        text
    }
}

macro_rules! from {
    ($($text:ty),* => text; $($integer:ty),* => count) => {
        $(impl From<$text> for Value {
            fn from(text: $text) -> Self {
                Self::Text(text.into())
            }
        })*
        $(impl From<$integer> for Value {
            fn from(n: $integer) -> Self {
                Self::Count(n as u64)
            }
        })*
    };
}
from!(&str, &String, String, Cow<'_, str> => text; u8, u32, u64, usize => count);

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Message {
        Message::Plain(Sentence::parse(text).unwrap())
    }

    #[test]
    fn values_stand_in_their_places_whatever_their_order() {
        let message = plain("{b} before {a}, {{not}} {b}");
        assert_eq!(message.fill(&[("a", "A".into()), ("b", 1_200u64.into())]), "1,200 before A, {not} 1,200");
        assert_eq!(message.places(), ["a", "b"].into());
    }

    #[test]
    fn a_value_that_looks_like_a_place_is_text() {
        assert_eq!(plain("{a}{b}").fill(&[("a", "{b}".into()), ("b", "2".into())]), "{b}2");
    }

    #[test]
    fn the_form_is_chosen_by_the_number_alone() {
        let (one, other) = (Sentence::parse("a row").unwrap(), Sentence::parse("{n} rows").unwrap());
        let message = Message::Counted { one, other };
        let of = |n: u64| message.fill(&[("n", n.into())]);
        assert_eq!([of(0), of(1), of(2_000)], ["0 rows", "a row", "2,000 rows"]);
        assert_eq!(message.places(), ["n"].into());
    }

    #[test]
    fn what_is_no_place_is_refused() {
        assert_eq!(Sentence::parse("{n of them"), Err(Broken::Brace));
        assert_eq!(Sentence::parse("n} of them"), Err(Broken::Brace));
        assert_eq!(Sentence::parse("{n m}"), Err(Broken::Name("n m".into())));
        assert_eq!(Sentence::parse("{}"), Err(Broken::Name(String::new())));
    }
}
