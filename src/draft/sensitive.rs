//! Columns whose names speak of what people are treated differently for.

use super::roles::Roles;
use crate::dataset::{Kind, Profile};

/// A column proposed as an attribute.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Proposed {
    pub column: String,
    pub how: How,
    pub why: String,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum How {
    Groups,
    /// Cut at these values.
    Bins(Vec<f64>),
    /// Only pointed out: too many groups, or a stand-in for something else.
    PointedOut,
}

/// More groups than this are too small to compare.
const MOST_GROUPS: usize = 20;

const AGE_BINS: [f64; 3] = [25.0, 45.0, 65.0];

/// Words of a name, what they speak of, and whether the column itself is the attribute.
const WORDS: &[(&[&str], &str, bool)] = &[
    (&["sex", "gender"], "sex", true),
    (&["race", "ethnicity", "ethnic", "ethnie"], "race or ethnicity", true),
    (&["age", "agegroup"], "age", true),
    (&["religion", "faith"], "religion", true),
    (&["disability", "disabled", "handicap"], "disability", true),
    (&["orientation"], "sexual orientation", true),
    (&["nationality", "citizenship", "citizen", "foreign", "foreigner"], "nationality", true),
    (&["country", "birthplace"], "origin", false),
    (&["marital", "pregnant", "pregnancy", "children", "relationship"], "family", false),
    (&["language"], "language, which may stand for origin", false),
    (
        &["zip", "zipcode", "postcode", "postal", "neighborhood", "neighbourhood"],
        "where people live, which may stand for origin",
        false,
    ),
    (&["birth", "dob", "birthdate", "birthday"], "age", false),
];

/// What the columns' names propose, in the data's order.
pub(super) fn attributes(profiles: &[Profile], roles: &Roles) -> Vec<Proposed> {
    let free = profiles.iter().filter(|profile| !roles.taken(profile.name()));
    free.filter_map(proposed).collect()
}

fn proposed(profile: &Profile) -> Option<Proposed> {
    let words = words(profile.name());
    let (_, about, is_it) = WORDS.iter().find(|(names, ..)| words.iter().any(|word| names.contains(&word.as_str())))?;
    let n = profile.n_values();
    let is_number = matches!(profile.field.kind, Kind::Integer | Kind::Float);
    let how = match (n, profile.range) {
        (Some(0 | 1), _) => return None,
        _ if !is_it => How::PointedOut,
        (Some(2..=MOST_GROUPS), _) => How::Groups,
        (_, Some((least, greatest))) if is_number && *about == "age" => bins(least, greatest)?,
        _ => How::PointedOut,
    };
    let groups = n.map_or_else(|| "many values".to_owned(), |n| format!("{n} values"));
    let why = match how {
        How::PointedOut => format!("speaks of {about}; {groups}"),
        _ => format!("speaks of {about}"),
    };
    Some(Proposed { column: profile.name().to_owned(), how, why })
}

/// The usual cuts that lie inside the data; ages that were scaled have none.
fn bins(least: f64, greatest: f64) -> Option<How> {
    let inside: Vec<f64> = AGE_BINS.into_iter().filter(|cut| *cut > least && *cut <= greatest).collect();
    (!inside.is_empty()).then_some(How::Bins(inside))
}

/// "personalAge_group" is "personal", "age", "group".
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in name.chars() {
        let begins = !c.is_alphabetic() || (c.is_uppercase() && before.is_lowercase());
        if begins {
            words.push(String::new());
        }
        if c.is_alphabetic()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Field;

    fn profile(name: &str, kind: Kind, n_values: Option<usize>, range: Option<(f64, f64)>) -> Profile {
        let field = Field { name: name.to_owned(), kind, dtype: String::new() };
        let values = n_values.map(|n| (0..n).map(|value| value.to_string()).collect());
        Profile { field, values, is_unique: false, range }
    }

    fn how(name: &str, kind: Kind, n_values: Option<usize>, range: Option<(f64, f64)>) -> Option<How> {
        proposed(&profile(name, kind, n_values, range)).map(|proposed| proposed.how)
    }

    #[test]
    fn names_that_speak_of_people_are_proposed() {
        assert_eq!(how("Sex", Kind::Text, Some(2), None), Some(How::Groups));
        assert_eq!(how("applicantGender", Kind::Integer, Some(3), Some((0.0, 2.0))), Some(How::Groups));
        assert_eq!(how("age", Kind::Integer, Some(70), Some((17.0, 90.0))), Some(How::Bins(vec![25.0, 45.0, 65.0])));
        assert_eq!(how("age", Kind::Float, None, Some((30.0, 60.0))), Some(How::Bins(vec![45.0])));
        assert_eq!(how("native_country", Kind::Text, Some(41), None), Some(How::PointedOut));
        assert_eq!(how("zip-code", Kind::Text, None, None), Some(How::PointedOut));
    }

    #[test]
    fn parts_of_other_words_and_constants_are_not() {
        assert_eq!(how("average", Kind::Float, None, Some((0.0, 1.0))), None);
        assert_eq!(how("mileage", Kind::Float, None, Some((0.0, 1.0))), None);
        assert_eq!(how("sex", Kind::Text, Some(1), None), None);
        assert_eq!(how("age", Kind::Float, None, Some((-2.0, 2.0))), None, "a scaled age has no years");
    }
}
