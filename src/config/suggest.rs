//! "Did you mean": the nearest of the names that would have been right.

use strsim::damerau_levenshtein;

/// The candidate nearest to `typed`, if it is near enough to be meant: at most a third of its letters differ,
/// or one begins with the other. Case and `-`/`_` do not count.
pub fn nearest<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = folded(typed);
    candidates
        .into_iter()
        .map(|candidate| (distance(&typed, &folded(candidate)), candidate))
        .filter(|(distance, candidate)| *distance <= tolerance(candidate))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The `most` candidates nearest to `typed`, however far.
pub fn closest<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>, most: usize) -> Vec<&'a str> {
    let typed = folded(typed);
    let mut ranked: Vec<(usize, &str)> =
        candidates.into_iter().map(|candidate| (distance(&typed, &folded(candidate)), candidate)).collect();
    ranked.sort_by_key(|(distance, _)| *distance);
    ranked.into_iter().take(most).map(|(_, candidate)| candidate).collect()
}

fn folded(name: &str) -> String {
    name.to_lowercase().replace('-', "_")
}

fn distance(typed: &str, candidate: &str) -> usize {
    let is_beginning =
        typed.len() >= 3 && candidate.len() >= 3 && (candidate.starts_with(typed) || typed.starts_with(candidate));
    if is_beginning { 1 } else { damerau_levenshtein(typed, candidate) }
}

fn tolerance(candidate: &str) -> usize {
    (candidate.chars().count() / 3).max(1)
}

/// Names in backticks, joined by commas and a last "or".
pub fn one_of<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    words(&names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>())
}

/// "a, b or c".
pub(super) fn words(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [only] => only.clone(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_suggested_and_a_far_one_is_not() {
        assert_eq!(nearest("treshold", ["task", "threshold"]), Some("threshold"));
        assert_eq!(nearest("favorable", ["favourable", "label"]), Some("favourable"));
        assert_eq!(nearest("zzz", ["task", "threshold"]), None);
    }

    #[test]
    fn case_hyphens_and_beginnings_do_not_hide_a_name() {
        assert_eq!(nearest("Min-Group-Rows", ["min_group_rows"]), Some("min_group_rows"));
        assert_eq!(nearest("desc", ["owner", "description"]), Some("description"));
        assert_eq!(nearest("gate", ["data", "gates"]), Some("gates"));
    }

    #[test]
    fn the_closest_names_come_first_however_far_they_are() {
        assert_eq!(closest("conv1/Relu", ["dense/Relu", "x", "conv2/Relu"], 2), ["conv2/Relu", "dense/Relu"]);
        assert_eq!(closest("zzz", ["a"], 3), ["a"]);
    }

    #[test]
    fn lists_read_like_a_sentence() {
        assert_eq!(one_of(["a"]), "`a`");
        assert_eq!(one_of(["a", "b", "c"]), "`a`, `b` or `c`");
    }
}
