//! Where things lie: the catalogue's address, the results folder, and the names of files in it.
//!
//! `<results>/<table>/pipeline=<name>/run_date=<YYYY-MM-DD>/<run_id>.parquet` and
//! `<results>/reports/pipeline=<name>/<run_id>/<template>.html`, with `run.json` beside the reports. Every name that
//! becomes part of a path is checked here, so that no configured text can point outside the results folder.

use std::path::{Component, Path, PathBuf};

use super::error::StoreError;

/// File name of the stored audit inside a run's report folder.
pub(super) const AUDIT_FILE: &str = "run.json";
/// Folder of all runs' reports, relative to the results.
pub(super) const REPORTS: &str = "reports";
/// Kind of the stored audit in `artifacts`.
pub(super) const AUDIT_KIND: &str = "audit";

/// The file that `sqlite:PATH`, `sqlite://PATH` or a plain `PATH` names.
pub(super) fn catalogue_path(address: &str) -> Result<PathBuf, StoreError> {
    let refuse = |reason| Err(StoreError::Address { address: address.to_string(), reason });
    let path = match address.split_once(':') {
        Some(("sqlite", rest)) => rest.strip_prefix("//").unwrap_or(rest),
        Some(("postgres" | "postgresql", _)) => return refuse("PostgreSQL is not available yet"),
        Some((scheme, rest)) if rest.starts_with("//") && scheme.len() > 1 => {
            return refuse("unknown kind of database");
        }
        _ => address,
    };
    match path {
        "" => refuse("the path is empty"),
        ":memory:" => refuse("history must outlive the process"),
        path => Ok(PathBuf::from(path)),
    }
}

/// `[a-z0-9-]+`: pipelines name folders.
pub(super) fn check_pipeline(name: &str) -> Result<(), StoreError> {
    let rule = "use lower-case letters, digits and `-`, at most 100 of them";
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    check_name("pipeline name", name, rule, !name.is_empty() && name.len() <= 100 && name.chars().all(allowed))
}

pub(super) fn check_run_id(run_id: &str) -> Result<(), StoreError> {
    check_name("run id", run_id, "it is a UUID", uuid::Uuid::try_parse(run_id).is_ok() && run_id.len() == 36)
}

pub(super) fn check_date(date: &str) -> Result<(), StoreError> {
    // jiff also reads other spellings; the folder's name must be the canonical one.
    let canonical = date.parse::<jiff::civil::Date>().is_ok_and(|parsed| parsed.to_string() == date);
    check_name("date", date, "write it as YYYY-MM-DD", canonical)
}

/// Templates name files beside `run.json`.
pub(super) fn check_template(name: &str) -> Result<(), StoreError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let safe = !name.is_empty() && name.len() <= 100 && !name.starts_with('.') && name.chars().all(allowed);
    check_name("template name", name, "use letters, digits, `-` and `_`", safe && name != AUDIT_FILE)
}

fn check_name(what: &'static str, found: &str, rule: &'static str, allowed: bool) -> Result<(), StoreError> {
    if allowed { Ok(()) } else { Err(StoreError::Name { what, found: found.to_string(), rule }) }
}

/// Folder of one night's rows, relative to a table's folder.
pub(super) fn night_folder(pipeline: &str, as_of: &str) -> String {
    format!("pipeline={pipeline}/run_date={as_of}")
}

/// File of one run's rows of a table, relative to the results.
pub(super) fn rows_file(table: &str, pipeline: &str, as_of: &str, run_id: &str) -> String {
    format!("{table}/{}/{run_id}.parquet", night_folder(pipeline, as_of))
}

/// Folder of a run's reports, relative to the results.
pub(super) fn reports_folder(pipeline: &str, run_id: &str) -> String {
    format!("{REPORTS}/pipeline={pipeline}/{run_id}")
}

/// `target` as seen from the folder `base` (both absolute), so that a tree can move as a whole; absolute where the
/// two share nothing but the root.
pub(super) fn relative_to(base: &Path, target: &Path) -> PathBuf {
    let (base, goal): (Vec<_>, Vec<_>) = (base.components().collect(), target.components().collect());
    let shared = base.iter().zip(&goal).take_while(|(a, b)| a == b).count();
    let named = goal[..shared].iter().any(|part| matches!(part, Component::Normal(_)));
    if !named {
        return target.to_path_buf();
    }
    let up = base[shared..].iter().map(|_| Component::ParentDir);
    let path: PathBuf = up.chain(goal[shared..].iter().copied()).collect();
    if path.as_os_str().is_empty() { PathBuf::from(".") } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_catalogue_address_is_a_sqlite_path() {
        for address in ["sqlite:var/c.db", "sqlite://var/c.db", "var/c.db"] {
            assert_eq!(catalogue_path(address).unwrap(), Path::new("var/c.db"));
        }
        assert_eq!(catalogue_path("sqlite:///abs/c.db").unwrap(), Path::new("/abs/c.db"));
    }

    #[test]
    fn other_databases_are_refused_by_name() {
        for address in ["postgres://host/db", "mysql://host/db", "sqlite:", "sqlite::memory:"] {
            assert_eq!(catalogue_path(address).unwrap_err().exit_code(), 2, "{address}");
        }
    }

    #[test]
    fn hostile_names_never_become_paths() {
        for name in ["", ".", "..", "a/b", "../x", "A", "a b", "pipeline=x", "a\0b", "é", "a\\b"] {
            assert!(check_pipeline(name).is_err(), "{name:?}");
            assert!(check_run_id(name).is_err(), "{name:?}");
            assert!(check_date(name).is_err(), "{name:?}");
        }
        for template in ["", ".", "..", "../audit", ".audit", "run.json", "a/b"] {
            assert!(check_template(template).is_err(), "{template:?}");
        }
        assert!(check_pipeline("adult-income-2").is_ok());
        assert!(check_template("nyc-ll144").is_ok());
    }

    #[test]
    fn a_date_is_written_one_way_only() {
        assert!(check_date("2026-11-21").is_ok());
        for date in ["2026-02-30", "20261121", "2026-11-21T00:00", "+002026-11-21"] {
            assert!(check_date(date).is_err(), "{date}");
        }
    }

    #[test]
    fn results_are_remembered_relative_to_the_catalogue() {
        let seen = |base: &str, target: &str| relative_to(Path::new(base), Path::new(target));
        assert_eq!(seen("/p/var", "/p/var/results"), Path::new("results"));
        assert_eq!(seen("/p/var", "/p/out/results"), Path::new("../out/results"));
        assert_eq!(seen("/p/var", "/p/var"), Path::new("."));
        assert_eq!(seen("/p/var", "/mnt/results"), Path::new("/mnt/results"));
    }
}
