//! Feature values as people read them: `39`, `0.5`, `Private`; missing ones are null.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use arrow::array::StringArray;

use super::columns::names;
use crate::dataset::batch::Column;

/// Raw values of one feature or player, one a row.
#[derive(Debug, Clone, Copy)]
pub enum FeatureValues<'a> {
    /// NaN = missing.
    Numbers(&'a [f64]),
    /// `None` = missing.
    Texts(&'a [Option<Arc<str>>]),
    /// Codes of named levels: `codes[row]` counts into `levels`, NaN = missing; a code without a name shows as number.
    Levels { codes: &'a [f64], levels: &'a [String] },
    /// Values that have no short text (images, vectors); null in every row.
    Unreadable { n_rows: usize },
}

impl<'a> From<&'a Column> for FeatureValues<'a> {
    fn from(column: &'a Column) -> Self {
        match column {
            Column::Number(values) => Self::Numbers(values),
            Column::Text(values) => Self::Texts(values),
            Column::Tensor { width, values } => Self::Unreadable { n_rows: values.len() / (*width).max(1) },
        }
    }
}

impl FeatureValues<'_> {
    pub(super) fn n_rows(&self) -> usize {
        match self {
            Self::Numbers(values) => values.len(),
            Self::Texts(values) => values.len(),
            Self::Levels { codes, .. } => codes.len(),
            Self::Unreadable { n_rows } => *n_rows,
        }
    }
}

/// The shortest text that reads back as the same number. Fractions that are exactly a single-precision number are
/// shown as that: 0.1 stored in a float32 column is "0.1", not "0.10000000149011612".
pub fn number_text(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        "0".to_string()
    } else if !(1e-5..1e16).contains(&size) {
        format!("{value:e}")
    } else if value.fract() != 0.0 && f64::from(value as f32) == value {
        (value as f32).to_string()
    } else {
        value.to_string()
    }
}

/// Texts of a chunk's feature values, each formatted once. Keys count from 0 in order of appearance.
#[derive(Debug, Default)]
pub(super) struct ValueTexts {
    texts: Vec<String>,
    numbers: Vec<HashMap<u64, i32, BuildHasherDefault<BitsHasher>>>,
    words: HashMap<Arc<str>, i32>,
}

/// Key of a missing value.
pub(super) const MISSING: i32 = -1;

impl ValueTexts {
    /// The key of `values[row]` of a feature.
    pub(super) fn key(&mut self, feature: usize, values: &FeatureValues<'_>, row: usize) -> i32 {
        match values {
            FeatureValues::Numbers(numbers) => self.number(feature, numbers[row], number_text),
            FeatureValues::Levels { codes, levels } => {
                self.number(feature, codes[row], |code| level_text(code, levels))
            }
            FeatureValues::Texts(texts) => texts[row].as_ref().map_or(MISSING, |text| self.word(text)),
            FeatureValues::Unreadable { .. } => MISSING,
        }
    }

    fn number(&mut self, feature: usize, value: f64, text: impl FnOnce(f64) -> String) -> i32 {
        if value.is_nan() {
            return MISSING;
        }
        if self.numbers.len() <= feature {
            self.numbers.resize_with(feature + 1, HashMap::default);
        }
        let next = self.texts.len() as i32;
        let key = *self.numbers[feature].entry(value.to_bits()).or_insert(next);
        if key == next {
            self.texts.push(text(value));
        }
        key
    }

    fn word(&mut self, text: &Arc<str>) -> i32 {
        if let Some(key) = self.words.get(text) {
            return *key;
        }
        let key = self.texts.len() as i32;
        self.words.insert(text.clone(), key);
        self.texts.push(text.to_string());
        key
    }

    /// The dictionary so far; a new one begins.
    pub(super) fn take(&mut self) -> Arc<StringArray> {
        self.numbers.iter_mut().for_each(HashMap::clear);
        self.words.clear();
        names(&std::mem::take(&mut self.texts))
    }
}

fn level_text(code: f64, levels: &[String]) -> String {
    let whole = code.fract() == 0.0 && code >= 0.0;
    whole.then(|| levels.get(code as usize).cloned()).flatten().unwrap_or_else(|| number_text(code))
}

/// Mixes the bits of a double by one multiplication (Fibonacci hashing); the maps hold trusted, small key sets.
#[derive(Debug, Default)]
struct BitsHasher(u64);

impl Hasher for BitsHasher {
    fn write_u64(&mut self, bits: u64) {
        let mixed = (bits ^ (bits >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 29);
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(self.0 ^ u64::from(*byte));
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_shown_in_their_shortest_form() {
        for (value, text) in [
            (39.0, "39"),
            (0.5, "0.5"),
            (-0.0, "0"),
            (-1.25, "-1.25"),
            (f64::from(0.1f32), "0.1"),
            (0.1, "0.1"),
            (1.0 / 3.0, "0.3333333333333333"),
            (123_456_789_012.0, "123456789012"),
            (16_777_217.0, "16777217"),
            (1e300, "1e300"),
            (2.5e-7, "2.5e-7"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(number_text(value), text);
        }
    }

    #[test]
    fn a_number_text_reads_back_as_the_same_number() {
        for value in [0.1 + 0.2, 1e16, 99_999.999_99, 5e-324, f64::MAX, -7.0 / 9.0] {
            assert_eq!(number_text(value).parse::<f64>().unwrap(), value);
        }
    }

    #[test]
    fn codes_are_shown_as_their_names() {
        let levels = ["Private".to_string(), "State-gov".to_string()];
        let values = FeatureValues::Levels { codes: &[1.0, f64::NAN, 0.0, 7.0, 1.0], levels: &levels };
        let mut texts = ValueTexts::default();
        let keys: Vec<i32> = (0..5).map(|row| texts.key(0, &values, row)).collect();
        assert_eq!(keys, [0, MISSING, 1, 2, 0]);
        assert_eq!(texts.take().iter().flatten().collect::<Vec<_>>(), ["State-gov", "Private", "7"]);
    }

    #[test]
    fn features_do_not_share_codes() {
        let (a, b) = (["x".to_string()], ["y".to_string()]);
        let mut texts = ValueTexts::default();
        let codes = [0.0];
        assert_eq!(texts.key(0, &FeatureValues::Levels { codes: &codes, levels: &a }, 0), 0);
        assert_eq!(texts.key(1, &FeatureValues::Levels { codes: &codes, levels: &b }, 0), 1);
    }
}
