//! Statements over small histories.

use super::*;
use crate::store::tests::{Place, audit, commit, run_id, write_rows};

fn csv(store: &Store, sql: &str) -> String {
    let result = query(store, sql, &QueryLimits::default()).unwrap_or_else(|error| panic!("{sql}: {error}"));
    written(&result, QueryFormat::Csv)
}

fn written(result: &QueryResult, format: QueryFormat) -> String {
    let mut text = Vec::new();
    result.write(format, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

fn refused(store: &Store, sql: &str) -> String {
    let error = query(store, sql, &QueryLimits::default()).expect_err(sql);
    assert_eq!(error.exit_code(), 2, "{sql}: {error}");
    error.to_string()
}

/// Two nights of one pipeline and one of another, five rows each.
fn history() -> (Place, Store) {
    let place = Place::new();
    let store = place.open();
    commit(&store, "adult", "2026-11-21", 1);
    commit(&store, "adult", "2026-11-22", 2);
    commit(&store, "german", "2026-11-22", 3);
    (place, store)
}

#[test]
fn catalogue_and_row_level_tables_are_answered_together() {
    let (_place, store) = history();
    let sql = "SELECT r.pipeline, r.as_of, count(*) AS n, sum(CASE WHEN p.predicted THEN 1 ELSE 0 END) AS selected
        FROM runs r JOIN predictions p ON p.run_id = r.run_id GROUP BY 1, 2 ORDER BY 1, 2";
    let expected = "pipeline,as_of,n,selected\nadult,2026-11-21,10,5\nadult,2026-11-22,10,5\ngerman,2026-11-22,10,5\n";
    assert_eq!(csv(&store, sql), expected);
}

#[test]
fn one_persons_history_is_found_by_row_id() {
    let (_place, store) = history();
    let sql = "SELECT run_date, feature, feature_value FROM explanations
        WHERE pipeline = 'adult' AND row_id = 102 AND output = 'yes' ORDER BY run_date, feature";
    let expected = "run_date,feature,feature_value\n2026-11-21,age,2.5\n2026-11-21,job,j2\n2026-11-22,age,2.5\n2026-11-22,job,j2\n";
    assert_eq!(csv(&store, sql), expected);
}

#[test]
fn filters_on_runs_choose_files_before_any_is_opened() {
    let (_place, store) = history();
    let files = |condition: &str| {
        let plan = csv(&store, &format!("EXPLAIN FORMAT INDENT SELECT score FROM predictions WHERE {condition}"));
        plan.matches(".parquet").count()
    };
    assert_eq!(files("score >= 0"), 3);
    assert_eq!(files("pipeline = 'adult'"), 2);
    assert_eq!(files("pipeline = 'adult' AND run_date > '2026-11-21'"), 1);
    assert_eq!(files(&format!("run_id IN ('{}', 'x')", run_id(3))), 1);
    assert_eq!(files("run_date LIKE '2027%'"), 0);
}

#[test]
fn a_join_keeps_its_smaller_side_in_memory() {
    let (_place, store) = history();
    let kept = |from: &str| {
        let plan = csv(&store, &format!("EXPLAIN FORMAT INDENT SELECT e.attribution FROM {from}"));
        let physical = plan[plan.find("physical_plan").unwrap()..].to_owned();
        let first = physical.split("HashJoinExec").nth(1).expect("a join").find("DataSourceExec").unwrap();
        let first = &physical.split("HashJoinExec").nth(1).unwrap()[first..];
        first.split("projection=[").nth(1).unwrap().split(']').next().unwrap().contains("score")
    };
    // Ten predictions a run, twenty explanations.
    for from in ["explanations e JOIN predictions p", "predictions p JOIN explanations e"] {
        let sql = format!("{from} ON p.run_id = e.run_id AND p.row_id = e.row_id AND p.score <> e.attribution");
        assert!(kept(&sql), "{sql}");
    }
}

#[test]
fn keys_of_runs_choose_files_and_those_of_people_stay_with_their_join() {
    let (_place, store) = history();
    let handed_on =
        |from: &str| csv(&store, &format!("EXPLAIN SELECT e.attribution FROM {from}")).contains("DynamicFilter");
    assert!(handed_on("explanations e JOIN runs r ON r.run_id = e.run_id WHERE r.as_of LIKE '2026%'"));
    assert!(!handed_on("explanations e JOIN predictions p ON p.run_id = e.run_id AND p.row_id = e.row_id"));
}

#[test]
fn only_recorded_runs_are_seen() {
    let (_place, store) = history();
    let lock = store.lock("adult").unwrap();
    let mut writer = store.begin(&lock, &run_id(9), "2026-11-23").unwrap();
    write_rows(&mut writer, 0, 5);
    let count = "SELECT count(*) AS n, count(DISTINCT run_id) AS runs FROM explanations";
    assert_eq!(csv(&store, count), "n,runs\n60,3\n");
    writer.commit(&mut audit(&run_id(9), "adult", "2026-11-23"), &[], None).unwrap();
    assert_eq!(csv(&store, count), "n,runs\n80,4\n");
    let prune = "UPDATE runs SET status = 'pruned' WHERE pipeline = 'german'";
    store.catalogue.transaction("prune", async |c| sqlx::query(prune).execute(c).await).unwrap();
    assert_eq!(csv(&store, count), "n,runs\n60,3\n");
}

#[test]
fn tables_that_no_run_has_written_are_empty_but_there() {
    let place = Place::new();
    let store = place.open();
    for table in ["predictions", "explanations", "interactions", "local_fits", "attribution_maps", "runs", "layers"] {
        assert_eq!(csv(&store, &format!("SELECT count(*) AS n FROM {table}")), "n\n0\n", "{table}");
    }
    assert!(csv(&store, "SELECT * FROM explanations").starts_with("row_id,output,method,feature,feature_value,term,"));
}

#[test]
fn pipelines_with_other_kinds_of_ids_are_read_together() {
    use crate::dataset::batch::RowIds;
    use crate::store::{LabelColumn, PredictionBatch};
    let (_place, store) = history();
    let lock = store.lock("people").unwrap();
    let mut writer = store.begin(&lock, &run_id(7), "2026-11-22").unwrap();
    let score = ndarray::Array2::from_elem((1, 1), 0.5);
    let batch = PredictionBatch {
        ids: &RowIds::Text(vec!["ann".into()]),
        outputs: &["value".into()],
        score: score.view(),
        margin: None,
        predicted: None,
        label: LabelColumn::Value(&[2.5]),
        weight: None,
        additivity_gap: None,
    };
    writer.predictions(&batch).unwrap();
    writer.commit(&mut audit(&run_id(7), "people", "2026-11-22"), &[], None).unwrap();
    let sql = "SELECT DISTINCT row_id, label FROM predictions WHERE row_id IN ('ann', '100') ORDER BY row_id";
    assert_eq!(csv(&store, sql), "row_id,label\n100,no\nann,2.5\n");
}

#[test]
fn catalogue_rows_are_filtered_and_paged() {
    let (_place, store) = history();
    let insert = "WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 20000)
        INSERT INTO curves SELECT run_id, 'roc', '', '', '1', n, 0.5, n, NULL, NULL FROM i, (SELECT run_id FROM runs LIMIT 1)";
    store.catalogue.transaction("fill", async |c| sqlx::query(insert).execute(c).await).unwrap();
    assert_eq!(csv(&store, "SELECT count(*) AS n, sum(n) AS s FROM curves"), "n,s\n20000,200010000\n");
    assert_eq!(csv(&store, "SELECT x FROM curves WHERE n > 8190 AND n <= 8194 ORDER BY x DESC LIMIT 1"), "x\n8194.0\n");
    assert_eq!(csv(&store, "SELECT count(*) AS n FROM curves WHERE ci_low IS NOT NULL OR kind <> 'roc'"), "n\n0\n");
}

#[test]
fn nothing_can_be_changed() {
    let (place, store) = history();
    let outside = std::env::temp_dir().join("probity-query-must-not-write.csv");
    for sql in [
        "DELETE FROM runs".to_string(),
        "UPDATE runs SET status = 'failed'".into(),
        "INSERT INTO runs SELECT * FROM runs".into(),
        "DROP TABLE runs".into(),
        "CREATE TABLE t AS SELECT 1".into(),
        "CREATE VIEW v AS SELECT 1".into(),
        format!("COPY runs TO '{}'", outside.display()),
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'".into(),
        "SET datafusion.execution.batch_size = 1".into(),
        "EXPLAIN ANALYZE DELETE FROM runs".into(),
    ] {
        refused(&store, &sql);
    }
    refused(&store, "SELECT * FROM '/etc/passwd'");
    refused(&store, "SELECT 1; DROP TABLE runs");
    assert!(!outside.exists());
    assert_eq!(csv(&place.open(), "SELECT count(*) AS n FROM runs WHERE status = 'succeeded'"), "n\n3\n");
}

#[test]
fn a_misspelt_name_is_put_right() {
    let (_place, store) = history();
    let message = refused(&store, "SELECT shap FROM explanations");
    assert!(message.contains("no column `shap`; did you mean `attribution`?"), "{message}");
    let message = refused(&store, "SELECT featur_value FROM explanations");
    assert!(message.contains("did you mean `feature_value`?"), "{message}");
    let message = refused(&store, "SELECT * FROM explanation");
    assert!(message.contains("no table `explanation`; did you mean `explanations`?"), "{message}");
    let message = refused(&store, "SELECT gate FROM gates WHERE value > 1 LIMIT limit");
    assert!(message.contains("no column `value`"), "{message}");
    assert!(csv(&store, "SELECT \"limit\" FROM gates").starts_with("limit\n0.2\n"));
    let message = refused(&store, "DELETE FROM runs");
    assert!(message.contains("read-only"), "{message}");
}

#[test]
fn the_history_describes_itself() {
    let (_place, store) = history();
    let tables = csv(&store, "SHOW TABLES");
    for table in ["runs", "metrics", "explanations", "artifacts", "attribution_maps"] {
        assert!(tables.contains(&format!(",{table},")), "{table}: {tables}");
    }
    assert!(csv(&store, "DESCRIBE predictions").contains("run_date,Utf8"));
    assert!(csv(&store, "SHOW COLUMNS FROM metrics").contains("undefined_reason"));
    assert!(csv(&store, "EXPLAIN SELECT * FROM runs").contains("plan"));
}

#[test]
fn a_statement_that_no_row_can_answer_is_the_askers_error() {
    let (_place, store) = history();
    assert!(refused(&store, "SELECT cast(pipeline AS INT) FROM runs").contains("cannot be answered"));
}

#[test]
fn a_missing_file_is_not_passed_over() {
    let (_place, store) = history();
    let run = store.run("german@latest").unwrap();
    let artifact = store.artifacts(&run).unwrap().remove(0);
    std::fs::remove_file(store.artifact_path(&run, &artifact)).unwrap();
    let error = query(&store, "SELECT count(score) FROM predictions", &QueryLimits::default()).unwrap_err();
    assert!(matches!(error, StoreError::Query(QueryError::MissingFile { .. })), "{error}");
    assert_eq!(csv(&store, "SELECT count(*) AS n FROM predictions WHERE pipeline = 'adult'"), "n\n20\n");
}

#[test]
fn numbers_of_sql_are_at_hand() {
    let (_place, store) = history();
    let sql = "SELECT round(abs(-1.25), 1) AS a, sqrt(4.0) AS b, date_trunc('month', DATE '2026-11-21') AS c,
        substr('2026-11-21', 1, 7) AS d, median(x) AS e FROM (VALUES (1.0), (2.0), (9.0)) AS t(x)";
    assert_eq!(csv(&store, sql), "a,b,c,d,e\n1.3,2.0,2026-11-01T00:00:00,2026-11,2.0\n");
}

#[test]
fn results_are_written_in_every_format() {
    let (_place, store) = history();
    let sql = "SELECT run_date, margin, score FROM predictions WHERE pipeline = 'german' ORDER BY score LIMIT 2";
    let result = query(&store, sql, &QueryLimits::default()).unwrap();
    assert_eq!(result.column_names(), ["run_date", "margin", "score"]);
    assert_eq!(written(&result, QueryFormat::Csv), "run_date,margin,score\n2026-11-22,,0.0\n2026-11-22,,0.125\n");
    let json = r#"[{"run_date":"2026-11-22","margin":null,"score":0.0},{"run_date":"2026-11-22","margin":null,"score":0.125}]"#;
    assert_eq!(written(&result, QueryFormat::Json), format!("{json}\n"));
    let table = written(&result, QueryFormat::Table);
    assert!(table.contains("| 2026-11-22 |        | 0.125 |"), "{table}");
    let mut parquet = Vec::new();
    result.write(QueryFormat::Parquet, &mut parquet).unwrap();
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReader::try_new(bytes(parquet), 10).unwrap();
    assert_eq!(reader.map(|batch| batch.unwrap().num_rows()).sum::<usize>(), 2);
}

fn bytes(content: Vec<u8>) -> std::fs::File {
    use std::io::{Seek, Write};
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&content).unwrap();
    file.rewind().unwrap();
    file
}

#[test]
fn an_empty_result_keeps_its_columns() {
    let (_place, store) = history();
    let result =
        query(&store, "SELECT run_id, score FROM predictions WHERE score > 99", &QueryLimits::default()).unwrap();
    assert_eq!(result.n_rows(), 0);
    assert_eq!(written(&result, QueryFormat::Csv), "run_id,score\n");
    assert_eq!(written(&result, QueryFormat::Json), "[]\n");
    assert!(written(&result, QueryFormat::Table).contains("| run_id | score |"));
}

#[test]
fn a_limit_says_that_there_is_more() {
    let (_place, store) = history();
    let limits = |max_rows| QueryLimits { max_rows: Some(max_rows), ..QueryLimits::default() };
    let rows = |sql: &str, max_rows| {
        let result = query(&store, sql, &limits(max_rows)).unwrap();
        (result.n_rows(), result.truncated)
    };
    assert_eq!(rows("SELECT * FROM explanations", 7), (7, true));
    assert_eq!(rows("SELECT * FROM runs", 3), (3, false));
    assert_eq!(rows("SELECT * FROM runs", 0), (0, true));
    assert!(rows("EXPLAIN SELECT * FROM runs", 1).0 > 0);
}

#[test]
fn more_memory_than_allowed_is_said_clearly() {
    let (_place, store) = history();
    let limits = QueryLimits { memory_bytes: 1 << 10, ..QueryLimits::default() };
    let sql = "SELECT a.attribution, count(*) FROM explanations a, explanations b GROUP BY 1 ORDER BY 2";
    let error = query(&store, sql, &limits).unwrap_err();
    assert!(matches!(error, StoreError::Query(QueryError::OutOfMemory { .. })), "{error}");
    assert_eq!(error.exit_code(), 2);
}

#[test]
fn what_does_not_fit_into_memory_is_sorted_and_grouped_on_disk() {
    let (_place, store) = history();
    let insert = "WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 600000)
        INSERT INTO curves SELECT run_id, 'roc', 'a longer name that takes its place', '', '1', (n * 7919) % 600011, 0.5, n, NULL, NULL
        FROM i, (SELECT run_id FROM runs LIMIT 1)";
    store.catalogue.transaction("fill", async |c| sqlx::query(insert).execute(c).await).unwrap();
    let limits = QueryLimits { memory_bytes: 32 << 20, threads: 2, ..QueryLimits::default() };
    let sql = "SELECT x, feature, n FROM curves ORDER BY x";
    let mut sorted = Vec::new();
    let written = query_into(&store, sql, &limits, QueryFormat::Csv, &mut sorted).unwrap();
    assert_eq!(written, Written { n_rows: 600_000, truncated: false });
    let x = |line: &str| line.split(',').next().unwrap().parse::<f64>().unwrap();
    let sorted = String::from_utf8(sorted).unwrap();
    assert!(sorted.lines().skip(1).map(x).is_sorted());
    let plan = query(&store, format!("EXPLAIN ANALYZE {sql}").as_str(), &limits).unwrap();
    let plan = written_as_csv(&plan);
    let spilled = plan.split("spill_count=").skip(1).any(|rest| !rest.starts_with('0'));
    assert!(spilled, "the test is about too little to spill: {plan}");
}

fn written_as_csv(result: &QueryResult) -> String {
    written(result, QueryFormat::Csv)
}

#[test]
fn a_row_id_chooses_row_groups_and_pages_by_their_statistics() {
    use crate::dataset::batch::RowIds;
    use crate::store::{LabelColumn, PredictionBatch};
    let (_place, store) = history();
    let lock = store.lock("many").unwrap();
    let mut writer = store.begin(&lock, &run_id(7), "2026-11-22").unwrap();
    const ROWS: usize = 1 << 16;
    for block in 0..24 {
        let score = ndarray::Array2::from_elem((ROWS, 1), 0.5);
        let first = (block * ROWS) as i64;
        let batch = PredictionBatch {
            ids: &RowIds::Int((first..first + ROWS as i64).collect()),
            outputs: &["value".into()],
            score: score.view(),
            margin: None,
            predicted: None,
            label: LabelColumn::Absent,
            weight: None,
            additivity_gap: None,
        };
        writer.predictions(&batch).unwrap();
    }
    writer.commit(&mut audit(&run_id(7), "many", "2026-11-22"), &[], None).unwrap();
    let plan = csv(&store, "EXPLAIN ANALYZE SELECT score FROM predictions WHERE pipeline = 'many' AND row_id = 70000");
    let pruned = |what: &str| {
        let rest = plan.split(&format!("{what}=")).nth(1).unwrap_or_else(|| panic!("{what} in {plan}"));
        rest.split([',', ']']).next().unwrap().to_string()
    };
    assert_eq!(plan.matches(".parquet").count(), 1, "one file of four: {plan}");
    for what in ["row_groups_pruned_statistics", "page_index_rows_pruned"] {
        let counts: Vec<String> = pruned(what).split_whitespace().map(str::to_owned).collect();
        assert!(counts.len() >= 3 && counts[0] != counts[2] && counts[2] != "0", "{what} is {counts:?}: {plan}");
    }
}

#[test]
fn names_of_tables_and_columns_are_at_hand_for_completion() {
    let (_place, store) = history();
    let names = names(&store).unwrap();
    let runs = names.iter().find(|names| names.table == "runs").unwrap();
    assert!(runs.columns.contains(&"as_of".to_string()));
    let rows = names.iter().find(|names| names.table == "explanations").unwrap();
    assert!(rows.columns.ends_with(&["run_id".to_string(), "pipeline".into(), "run_date".into()]));
}

#[test]
fn functions_and_other_schemas_that_do_not_exist_are_named() {
    let (_place, store) = history();
    let message = refused(&store, "SELECT avgg(n_rows) FROM runs");
    assert!(message.contains("Invalid function 'avgg'") && message.contains("Did you mean 'avg'?"), "{message}");
    let message = refused(&store, "SELECT * FROM other.runs");
    assert!(message.contains("other.runs`; did you mean `runs`?"), "{message}");
    assert!(refused(&store, " ; ").contains("there is no statement"));
}

#[test]
fn hostile_values_are_only_values() {
    let (_place, store) = history();
    let sql = "SELECT group_value FROM metrics WHERE group_value = '''; DROP TABLE runs; --' LIMIT 1";
    assert_eq!(csv(&store, sql), "group_value\n'; DROP TABLE runs; --\n");
    assert_eq!(csv(&store, "SELECT count(*) AS n FROM runs"), "n\n3\n");
}

fn asked(store: &Store, sql: &str, given: &[(&str, &str)]) -> Result<String, StoreError> {
    let parameters: Vec<_> = given.iter().map(|(name, value)| Parameter::new(*name, *value)).collect();
    let statement = Statement { sql, parameters: &parameters, pipeline: None };
    query(store, statement, &QueryLimits::default()).map(|result| written(&result, QueryFormat::Csv))
}

#[test]
fn parameters_take_the_type_of_what_they_are_compared_with() {
    let (_place, store) = history();
    let sql = "SELECT count(*) AS n FROM predictions WHERE row_id = $row AND pipeline = $pipeline AND score < $most";
    let given = [("row", "102"), ("pipeline", "adult"), ("most", "2.1")];
    assert_eq!(asked(&store, sql, &given).unwrap(), "n\n2\n");
    let error = asked(&store, sql, &[("row", "ann"), ("pipeline", "adult"), ("most", "1")]).unwrap_err();
    assert!(error.to_string().contains("`row`: `ann` is compared with a number"), "{error}");
    let error = asked(&store, sql, &given[..2]).unwrap_err();
    assert!(error.to_string().contains("--param most=…"), "{error}");
    let error = asked(&store, "SELECT 1 AS x", &[("y", "1")]).unwrap_err();
    assert!(error.to_string().contains("`y`: the statement has no such place"), "{error}");
}

#[test]
fn a_hostile_parameter_is_only_a_value() {
    let (_place, store) = history();
    let hostile = "' OR 1 = 1; DROP TABLE runs; --";
    let sql = "SELECT count(*) AS n FROM runs WHERE pipeline = $p";
    assert_eq!(asked(&store, sql, &[("p", hostile)]).unwrap(), "n\n0\n");
}

#[test]
fn views_and_named_queries_are_answered() {
    let (_place, store) = history();
    let tables = csv(&store, "SHOW TABLES");
    for view in ["latest_runs", "importance_over_time", "gate_timeline", "group_gaps", "reasons"] {
        assert!(tables.contains(&format!(",{view},VIEW")), "{view}: {tables}");
    }
    assert_eq!(
        csv(&store, "SELECT pipeline, as_of FROM latest_runs ORDER BY 1"),
        "pipeline,as_of\nadult,2026-11-22\ngerman,2026-11-22\n"
    );
    let values = [("pipeline", "adult"), ("feature", "age"), ("attribute", "sex"), ("row", "102")];
    let days = [("before", "2026-11-21"), ("after", "2026-11-22")];
    for query in named_queries() {
        let given = values.into_iter().chain(days);
        let given: Vec<_> = given.filter(|(name, _)| query.places.iter().any(|place| place.name == *name)).collect();
        let given: Vec<_> = given.iter().map(|(name, value)| Parameter::new(*name, *value)).collect();
        let parameters = query.parameters(&given);
        let statement = Statement { sql: query.sql, parameters: &parameters, pipeline: Some("adult") };
        let answer = super::query(&store, statement, &QueryLimits::default());
        let answer = answer.unwrap_or_else(|error| panic!("{}: {error}", query.name));
        let expected = match query.name {
            "top-features" => 1,
            "importance-over-time" | "gate-timeline" => 2,
            "reasons-over-time" => 8,
            _ => 0,
        };
        assert_eq!(answer.n_rows(), expected, "{}", query.name);
    }
}

#[test]
fn views_keep_what_a_statement_needs_small() {
    let (_place, store) = history();
    let sql = "EXPLAIN FORMAT INDENT SELECT feature FROM reasons WHERE pipeline = 'adult' AND run_date = '2026-11-22'
        AND row_id = 102 AND place = 1";
    let plan = csv(&store, sql);
    assert_eq!(plan.matches(".parquet").count(), 1, "{plan}");
    assert!(plan.contains("row_id_min"), "pages are chosen by their statistics: {plan}");
}
