//! Paths as typed, and where they lead.

use std::path::Path;

/// `typed` seen from `folder`: joined if it is a relative path, also behind `sqlite:`; addresses (`s3://…`),
/// absolute paths and `sqlite::memory:` stay as they are.
pub(super) fn located(folder: &Path, typed: &str) -> String {
    let (scheme, path) = split_scheme(typed);
    let is_address = scheme.is_empty() && path.contains("://");
    if is_address || path == ":memory:" || Path::new(path).is_absolute() || folder == Path::new(".") {
        return typed.to_owned();
    }
    format!("{scheme}{}", folder.join(path).display())
}

/// `sqlite:` (or `sqlite://`) and the path behind it; an empty scheme for everything else.
pub(super) fn split_scheme(typed: &str) -> (&str, &str) {
    let length =
        ["sqlite://", "sqlite:"].iter().find(|scheme| typed.starts_with(**scheme)).map_or(0, |scheme| scheme.len());
    typed.split_at(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths_start_at_the_folder_and_addresses_stay() {
        let at = |typed: &str| located(Path::new("pipelines"), typed);
        assert_eq!(at("../data/a.parquet"), "pipelines/../data/a.parquet");
        assert_eq!(at("sqlite:../var/c.db"), "sqlite:pipelines/../var/c.db");
        assert_eq!(at("sqlite:///var/c.db"), "sqlite:///var/c.db");
        assert_eq!(at("sqlite::memory:"), "sqlite::memory:");
        assert_eq!(at("/var/c.db"), "/var/c.db");
        assert_eq!(at("s3://bucket/x"), "s3://bucket/x");
        assert_eq!(located(Path::new("."), "a/b"), "a/b");
        assert_eq!(located(Path::new(""), "a/b"), "a/b");
    }
}
