//! Views and named queries: SQL files beside this one, compiled in.
//!
//! A file begins with a line that says what it answers. A named query's further comment lines are its parameters,
//! `-- name: meaning`, or `-- name = default: meaning`; their values are bound to its `$name` places.

use datafusion::prelude::SessionContext;

use super::{Parameter, QueryError};

/// A question that is asked often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedQuery {
    pub name: &'static str,
    /// What it answers.
    pub about: &'static str,
    pub sql: &'static str,
    pub places: Vec<Place>,
}

/// A parameter of a named query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub name: &'static str,
    /// `None` where a value must be given.
    pub default: Option<&'static str>,
    pub meaning: &'static str,
}

const NAMED: &[(&str, &str)] = &[
    ("changed-reasons", include_str!("named/changed-reasons.sql")),
    ("gate-timeline", include_str!("named/gate-timeline.sql")),
    ("group-gap", include_str!("named/group-gap.sql")),
    ("importance-over-time", include_str!("named/importance-over-time.sql")),
    ("reasons-over-time", include_str!("named/reasons-over-time.sql")),
    ("top-features", include_str!("named/top-features.sql")),
];

/// In order: a view may use those before it.
const VIEWS: &[(&str, &str)] = &[
    ("latest_runs", include_str!("views/latest_runs.sql")),
    ("importance_over_time", include_str!("views/importance_over_time.sql")),
    ("gate_timeline", include_str!("views/gate_timeline.sql")),
    ("group_gaps", include_str!("views/group_gaps.sql")),
    ("reasons", include_str!("views/reasons.sql")),
];

/// All named queries, in order of their names.
pub fn named_queries() -> Vec<NamedQuery> {
    NAMED.iter().map(|(name, sql)| NamedQuery::read(name, sql)).collect()
}

/// The named query of that name.
pub fn named_query(name: &str) -> Result<NamedQuery, QueryError> {
    let known = named_queries();
    match known.iter().find(|query| query.name == name) {
        Some(query) => Ok(query.clone()),
        None => {
            let names: Vec<&str> = known.iter().map(|query| query.name).collect();
            Err(QueryError::UnknownNamed { name: name.to_string(), known: names.join(", ") })
        }
    }
}

impl NamedQuery {
    fn read(name: &'static str, sql: &'static str) -> Self {
        let mut comments = sql.lines().map_while(|line| line.strip_prefix("-- "));
        let about = comments.next().unwrap_or_default();
        let place = |line: &'static str| {
            let (left, meaning) = line.split_once(": ")?;
            let (name, default) = match left.split_once(" = ") {
                Some((name, default)) => (name, Some(default)),
                None => (left, None),
            };
            Some(Place { name, default, meaning })
        };
        Self { name, about, sql, places: comments.filter_map(place).collect() }
    }

    /// Values for all places: those given, else the defaults.
    pub fn parameters(&self, given: &[Parameter]) -> Vec<Parameter> {
        let defaults = self.places.iter().filter(|place| given.iter().all(|parameter| parameter.name != place.name));
        let defaults = defaults.filter_map(|place| Some(Parameter::new(place.name, place.default?)));
        given.iter().cloned().chain(defaults).collect()
    }
}

pub(super) fn view_names() -> impl Iterator<Item = &'static str> {
    VIEWS.iter().map(|(name, _)| *name)
}

/// Makes the views known by their names.
pub(super) async fn register_views(context: &SessionContext) -> Result<(), QueryError> {
    for (name, sql) in VIEWS {
        let view = context.sql(sql).await.map_err(QueryError::Failed)?.into_view();
        context.register_table(*name, view).map_err(QueryError::Failed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_place_is_described_and_every_description_has_its_place() {
        for query in named_queries() {
            let body: Vec<&str> = query.sql.lines().filter(|line| !line.starts_with("--")).collect();
            let body = body.join("\n");
            let word =
                |rest: &str| rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap().to_string();
            let used: BTreeSet<String> = body.split('$').skip(1).map(word).collect();
            let described: BTreeSet<String> = query.places.iter().map(|place| place.name.to_string()).collect();
            assert_eq!(used, described, "{}", query.name);
            assert!(query.about.ends_with('.'), "{}", query.name);
        }
    }

    #[test]
    fn defaults_stand_in_for_what_is_not_given() {
        let query = named_query("top-features").unwrap();
        let given = [Parameter::new("pipeline", "adult"), Parameter::new("n", "3")];
        let names: Vec<_> = query.parameters(&given).into_iter().map(|p| format!("{}={}", p.name, p.value)).collect();
        assert_eq!(names, ["pipeline=adult", "n=3", "method=attribution"]);
    }
}
