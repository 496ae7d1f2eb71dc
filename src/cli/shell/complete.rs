//! What a half-typed name may become: tables, columns and words of SQL.

use crate::store::query::TableNames;

const WORDS: &[&str] = &[
    "ANALYZE",
    "AND",
    "AS",
    "ASC",
    "AVG",
    "BETWEEN",
    "BY",
    "CASE",
    "COUNT",
    "DESC",
    "DESCRIBE",
    "DISTINCT",
    "ELSE",
    "END",
    "EXPLAIN",
    "FROM",
    "GROUP",
    "HAVING",
    "IN",
    "IS",
    "JOIN",
    "LEFT",
    "LIKE",
    "LIMIT",
    "MAX",
    "MEDIAN",
    "MIN",
    "NOT",
    "NULL",
    "ON",
    "OR",
    "ORDER",
    "OVER",
    "PARTITION",
    "SELECT",
    "SHOW",
    "SUM",
    "TABLES",
    "THEN",
    "UNION",
    "USING",
    "WHEN",
    "WHERE",
    "WITH",
];

/// Names that begin with `typed`, in order, each once. Columns of tables that the statement names come alone, where
/// there are any.
pub(super) fn candidates<'n>(typed: &str, statement: &str, names: &'n [TableNames]) -> Vec<&'n str> {
    if typed.is_empty() {
        return Vec::new();
    }
    let begins = |name: &&str| {
        name.len() >= typed.len()
            && name.is_char_boundary(typed.len())
            && name[..typed.len()].eq_ignore_ascii_case(typed)
    };
    let words = statement.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    let mentioned: Vec<&str> = words.collect();
    let (named, others): (Vec<_>, Vec<_>) = names.iter().partition(|table| mentioned.contains(&table.table.as_str()));
    let tables = names.iter().map(|table| table.table.as_str());
    let columns =
        |tables: Vec<&'n TableNames>| tables.into_iter().flat_map(|table| table.columns.iter().map(String::as_str));
    let mut found: Vec<&str> = columns(named).chain(tables).chain(WORDS.iter().copied()).filter(begins).collect();
    if found.is_empty() {
        found = columns(others).filter(begins).collect();
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// The longest beginning that all candidates share, ignoring case.
pub(super) fn common_beginning(candidates: &[&str]) -> String {
    let Some(first) = candidates.first() else { return String::new() };
    let shared = |other: &&str| first.chars().zip(other.chars()).take_while(|(a, b)| a.eq_ignore_ascii_case(b)).count();
    let length = candidates.iter().map(shared).min().unwrap_or(0);
    first.chars().take(length).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Vec<TableNames> {
        let table = |table: &str, columns: &[&str]| TableNames {
            table: table.to_owned(),
            columns: columns.iter().map(|name| (*name).to_owned()).collect(),
        };
        vec![table("gates", &["gate", "observed"]), table("runs", &["run_id", "as_of"])]
    }

    #[test]
    fn tables_columns_and_words_complete_a_beginning() {
        let names = names();
        assert_eq!(candidates("ga", "SELECT * FROM ga", &names), ["gates"]);
        assert_eq!(candidates("ga", "SELECT ga FROM gates", &names), ["gate", "gates"]);
        assert_eq!(candidates("run_", "SELECT run_", &names), ["run_id"], "columns of any table where none is named");
        assert_eq!(candidates("SEL", "SEL", &names), ["SELECT"]);
        assert_eq!(candidates("sel", "sel", &names), ["SELECT"]);
        assert_eq!(candidates("", "SELECT ", &names), Vec::<&str>::new());
        assert_eq!(candidates("é", "é", &names), Vec::<&str>::new());
    }

    #[test]
    fn candidates_share_a_beginning() {
        assert_eq!(common_beginning(&["gate", "gates"]), "gate");
        assert_eq!(common_beginning(&["runs"]), "runs");
        assert_eq!(common_beginning(&["a", "b"]), "");
        assert_eq!(common_beginning(&[]), "");
    }
}
