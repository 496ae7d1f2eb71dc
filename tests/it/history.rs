//! What is kept of runs: one run per question, nothing overwritten, nothing half-done, readable without data and model.

use crate::project::{AUDIT, DAY, Project, Ran, SLOW_RUN, people};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

fn statuses(project: &Project) -> Vec<String> {
    let rows = project.query("SELECT status FROM runs ORDER BY run_id");
    rows.iter().map(|row| row["status"].as_str().unwrap().to_owned()).collect()
}

// The same question again

#[test]
fn the_same_inputs_are_not_computed_again() {
    let project = Project::new();
    let first = project.run(&["--format", "json"]).expect(0).json();
    let (files, catalogue) = (project.files(), fs::read(project.path("var/catalogue.db")).unwrap());
    let again = project.run(&[]);
    assert!(again.expect(0).stdout.contains("already audited"), "{}", again.stdout);
    assert!(again.stdout.contains(first["run_id"].as_str().unwrap()), "{}", again.stdout);
    let as_json = project.run(&["--format", "json"]).expect(0).json();
    for key in ["run_id", "pipeline", "as_of", "status", "verdict", "exit_code", "gates", "n_rows"] {
        assert_eq!(as_json[key], first[key], "{key}");
    }
    assert_eq!(project.files(), files);
    assert!(fs::read(project.path("var/catalogue.db")).unwrap() == catalogue, "the catalogue was altered");
}

#[test]
fn a_repeated_run_exits_with_the_stored_verdicts_code() {
    let failing = Project::new();
    failing.edit("min = 0.1", "min = 0.999").ran(1).ran(1);
    assert_eq!(statuses(&failing), ["succeeded"]);
    let undecided = Project::new();
    undecided.append(UNDECIDED).ran(4).ran(4);
    assert_eq!(statuses(&undecided), ["succeeded"]);
}

#[test]
fn other_data_another_model_config_or_day_is_another_question() {
    let project = Project::new();
    project.ran(0).write("people.csv", people(59)).ran(0);
    project.model("lgbm_binary").ran(0).edit("seed = 7", "seed = 8").ran(0);
    project.probity(&["run", "audit.toml", "--as-of", "2026-11-22"]).expect(0);
    project.run(&["--set", "model.threshold=0.6"]).expect(0);
    assert_eq!(statuses(&project).len(), 6);
    let differing = project.value("SELECT count(DISTINCT chain_sha256) AS n FROM runs");
    assert_eq!(differing, 6);
    assert_eq!(project.value("SELECT count(DISTINCT data_sha256) AS n FROM runs"), 2);
    assert_eq!(project.value("SELECT count(DISTINCT model_sha256) AS n FROM runs"), 2);
}

#[test]
fn a_comment_in_the_pipeline_file_is_no_other_question() {
    let project = Project::new();
    project.ran(0).append("# looked at on Monday");
    let again = project.run(&[]);
    assert!(again.expect(0).stdout.contains("already audited"), "{}", again.stdout);
}

#[test]
fn a_forced_run_supersedes_and_overwrites_nothing() {
    let project = Project::new();
    project.ran(0);
    let before: Vec<_> =
        project.results().into_iter().map(|file| (fs::read(project.path(&file)).unwrap(), file)).collect();
    let first = project.value("SELECT run_id FROM runs");
    project.run(&["--force"]).expect(0);
    assert_eq!(statuses(&project), ["superseded", "succeeded"]);
    for (bytes, file) in &before {
        assert!(fs::read(project.path(file)).unwrap() == *bytes, "{file} was altered");
    }
    assert_eq!(project.results().len(), 2 * before.len());
    assert_eq!(project.value("SELECT prev_run_id FROM runs WHERE status = 'succeeded'"), first);
    let latest = project.value("SELECT run_id FROM runs WHERE status = 'succeeded'");
    let again = project.run(&["--format", "json"]).expect(0).json();
    assert_eq!(again["run_id"], latest, "the superseding run answers from now on");
}

// Codes

/// A gate that too few rows decide.
const UNDECIDED: &str = "[[gates]]\nmetric = \"demographic_parity_ratio\"\nattribute = \"sex\"\nmin = 0.0\n";

#[test]
fn gates_decide_the_code() {
    Project::new().ran(0);
    Project::new().edit("min = 0.1", "min = 0.999").ran(1);
    Project::new().edit("min = 0.1", "min = 0.999\nseverity = \"warn\"").ran(0);
    Project::new().append(UNDECIDED).ran(4);
    Project::new().append(UNDECIDED).append("severity = \"warn\"").ran(0);
    Project::new().append(UNDECIDED).edit("min = 0.1", "min = 0.999").ran(1);
    Project::new().append(UNDECIDED).edit("bootstrap = 100", "bootstrap = 100\nmin_group_rows = 5").ran(0);
}

#[test]
fn of_several_pipelines_the_worst_decides_the_code() {
    let project = Project::new();
    project.write("failing.toml", AUDIT.replace("\"credit\"", "\"failing\"").replace("min = 0.1", "min = 0.999"));
    project.write("undecided.toml", AUDIT.replace("\"credit\"", "\"undecided\"") + UNDECIDED);
    project.probity(&["run", "undecided.toml", "audit.toml"]).expect(4);
    let ran = project.probity(&["run", "audit.toml", "undecided.toml", "failing.toml", "--format", "json", "--force"]);
    let lines: Vec<Value> = ran.expect(1).stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let codes: Vec<_> =
        lines.iter().map(|line| (line["pipeline"].as_str().unwrap(), line["exit_code"].as_u64().unwrap())).collect();
    assert_eq!(codes, [("credit", 0), ("undecided", 4), ("failing", 1)]);
    assert_eq!(statuses(&project).len(), 5);
}

// What a run says

#[test]
fn a_run_as_json_has_the_keys_that_schedulers_read() {
    let project = Project::new();
    let ran = project.run(&["--format", "json"]);
    let run = ran.expect(0).json();
    for key in [
        "run_id",
        "pipeline",
        "as_of",
        "status",
        "verdict",
        "exit_code",
        "gates",
        "report",
        "artifacts",
        "timings",
        "n_rows",
    ] {
        assert!(run.get(key).is_some(), "{key} is missing in {run}");
    }
    assert_eq!((&run["pipeline"], &run["as_of"]), (&"credit".into(), &DAY.into()));
    assert_eq!((&run["status"], &run["verdict"]), (&"succeeded".into(), &"pass".into()));
    assert_eq!((&run["exit_code"], &run["n_rows"]), (&0.into(), &60.into()));
    for table in ["predictions", "explanations"] {
        assert!(project.folder().join(run["artifacts"][table].as_str().unwrap()).is_file(), "{table}");
    }
    assert!(project.folder().join(run["report"].as_str().unwrap()).is_file());
    assert!(run["timings"]["total"].as_f64().unwrap() > 0.0);
    assert_eq!(run["gates"][0]["metric"], "accuracy");
    assert_eq!(ran.stdout.lines().count(), 1, "one object a line");
}

#[test]
fn without_a_report_there_is_none() {
    let project = Project::new();
    let run = project.run(&["--format", "json", "--no-report"]).expect(0).json();
    assert_eq!(run["report"], Value::Null);
    assert!(!project.results().iter().any(|file| file.ends_with(".html")));
}

#[test]
fn stored_files_lie_where_the_contract_says() {
    let project = Project::new();
    project.ran(0);
    let run_id = project.value("SELECT run_id FROM runs").as_str().unwrap().to_owned();
    let rows = |table: &str| format!("var/results/{table}/pipeline=credit/run_date={DAY}/{run_id}.parquet");
    let report = |name: &str| format!("var/results/reports/pipeline=credit/{run_id}/{name}");
    let mut expected = vec![
        rows("distributions"),
        rows("explanations"),
        rows("predictions"),
        report("audit.html"),
        report("run.json"),
    ];
    expected.sort();
    assert_eq!(project.results(), expected);
}

#[test]
fn the_catalogue_names_every_file_with_its_size() {
    let project = Project::new();
    project.ran(0);
    assert_artifacts_are_whole(&project);
    let n_files = project.value("SELECT count(*) AS n FROM artifacts").as_u64().unwrap();
    assert_eq!(n_files as usize, project.results().len());
}

/// Every file of every run that the catalogue names is there, and as long as recorded.
fn assert_artifacts_are_whole(project: &Project) {
    for artifact in project.query("SELECT path, bytes FROM artifacts") {
        let path = Path::new("var/results").join(artifact["path"].as_str().unwrap());
        let length = fs::metadata(project.folder().join(&path))
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
            .len();
        assert_eq!(Some(length), artifact["bytes"].as_u64(), "{}", path.display());
    }
}

#[test]
fn check_prints_the_plan_and_writes_nothing() {
    let project = Project::new();
    let before = project.files();
    let checked = project.probity(&["check", "audit.toml"]);
    for part in ["credit", "60 rows", "tree on the margin scale", "sex", "float32", "income"] {
        assert!(checked.expect(0).stdout.contains(part), "{part} in {}", checked.stdout);
    }
    assert_eq!(project.files(), before);
}

#[test]
fn check_refuses_what_run_refuses() {
    let project = Project::new();
    project.edit("\"debt\"", "\"depth\"");
    project.probity(&["check", "audit.toml"]).expect(2).says(&["audit.toml", "`depth`"]);
}

// Reading history

fn reading(project: &Project, arguments: &[&str]) -> Ran {
    project.probity(&[arguments, &["--catalogue", "var/catalogue.db"]].concat())
}

#[test]
fn runs_are_listed_the_latest_first() {
    let project = Project::new();
    project.ran(0);
    project.probity(&["run", "audit.toml", "--as-of", "2026-11-22"]).expect(0);
    let listed = reading(&project, &["runs"]);
    let (later, earlier) = (listed.expect(0).stdout.find("2026-11-22").unwrap(), listed.stdout.find(DAY).unwrap());
    assert!(later < earlier, "{}", listed.stdout);
    let as_json = reading(&project, &["runs", "--format", "json", "--limit", "1"]).expect(0).json();
    assert_eq!(as_json.as_array().unwrap().len(), 1);
    assert_eq!(as_json[0]["as_of"], "2026-11-22");
    assert_eq!(reading(&project, &["runs", "--pipeline", "other"]).expect(0).stdout, "no runs yet\n");
}

#[test]
fn a_run_is_meant_by_its_id_a_beginning_the_latest_or_a_day() {
    let project = Project::new();
    project.ran(0);
    let run_id = project.value("SELECT run_id FROM runs").as_str().unwrap().to_owned();
    for selector in [run_id.as_str(), &run_id[..20], "credit@latest", &format!("credit@{DAY}")] {
        let shown = reading(&project, &["show", selector]);
        for part in ["credit", "PASSED", DAY, "accuracy ≥ 0.1", run_id.as_str()] {
            assert!(shown.expect(0).stdout.contains(part), "{part} in {}", shown.stdout);
        }
    }
    reading(&project, &["show", "credit@2020-01-01"]).expect(2).says(&["credit@2020-01-01"]);
    reading(&project, &["show", "nobody@latest"]).expect(2).says(&["nobody@latest"]);
    let audit = reading(&project, &["show", "credit@latest", "--format", "json"]).expect(0).json();
    assert_eq!(audit["run"]["run_id"], run_id);
}

#[test]
fn rows_of_runs_are_asked_in_sql_with_the_run_they_are_of() {
    let project = Project::new();
    project.ran(0);
    let sql = "SELECT p.pipeline, p.run_date, count(*) AS n, max(abs(s.total + s.base - p.margin)) AS gap
        FROM predictions p JOIN (SELECT run_id, row_id, sum(attribution) AS total, min(base_value) AS base
            FROM explanations GROUP BY run_id, row_id) s ON s.run_id = p.run_id AND s.row_id = p.row_id
        GROUP BY p.pipeline, p.run_date";
    let rows = project.query(sql);
    assert_eq!(rows.len(), 1);
    assert_eq!((&rows[0]["pipeline"], &rows[0]["n"]), (&"credit".into(), &60.into()));
    assert!(rows[0]["run_date"].as_str().unwrap().starts_with(DAY));
    assert!(rows[0]["gap"].as_f64().unwrap() < 1e-9, "attributions and base add up to the margin");
    let csv = reading(&project, &["query", "SELECT metric, decision FROM gates", "--format", "csv"]);
    assert_eq!(csv.expect(0).stdout, "metric,decision\naccuracy,pass\n");
    project.write("q.sql", "SELECT count(*) AS n FROM runs");
    let from_file = reading(&project, &["query", "--file", "q.sql", "--format", "json"]);
    assert_eq!(from_file.expect(0).json(), serde_json::json!([{"n": 1}]));
}

#[test]
fn history_is_read_only_in_sql() {
    let project = Project::new();
    project.ran(0);
    for sql in
        ["DELETE FROM runs", "INSERT INTO runs SELECT * FROM runs", "DROP TABLE runs", "CREATE TABLE x AS SELECT 1"]
    {
        assert_eq!(reading(&project, &["query", sql]).code, 2, "{sql}");
    }
    reading(&project, &["query", "SELECT shap FROM explanations"]).expect(2).says(&["shap"]);
    assert_eq!(statuses(&project), ["succeeded"]);
}

#[test]
fn a_report_is_rendered_again_without_data_and_model_to_the_same_bytes() {
    let project = Project::new();
    project.ran(0);
    let stored = fs::read(project.stored(&["audit.html"])).unwrap();
    for gone in ["people.csv", "model.onnx", "audit.toml"] {
        fs::remove_file(project.path(gone)).unwrap();
    }
    fs::remove_file(project.stored(&["/predictions/"])).unwrap();
    fs::remove_file(project.stored(&["/explanations/"])).unwrap();
    reading(&project, &["report", "credit@latest", "--out", "again"]).expect(0);
    assert!(fs::read(project.path("again/audit.html")).unwrap() == stored, "another report");
}

#[test]
fn a_record_that_was_altered_is_not_rendered() {
    let project = Project::new();
    project.ran(0);
    let path = project.stored(&["run.json"]);
    let altered = fs::read_to_string(&path).unwrap().replacen("\"pass\"", "\"fail\"", 1);
    fs::write(&path, altered).unwrap();
    let ran = reading(&project, &["report", "credit@latest", "--out", "again"]);
    ran.expect(3).says(&["run.json", "altered"]);
    assert!(!project.path("again").exists());
}

#[test]
fn the_catalogue_is_named_by_option_environment_or_project() {
    let project = Project::new();
    project.run(&["--catalogue", "here.db"]).expect(0);
    assert!(project.path("here.db").is_file() && !project.path("var/catalogue.db").exists());
    let mut command = project.command(&["run", "audit.toml", "--as-of", DAY]);
    Ran::of(command.env("PROBITY_CATALOGUE", "sqlite:there.db").output().unwrap()).expect(0);
    assert!(project.path("there.db").is_file() && !project.path("var/catalogue.db").exists());
    project.edit("catalogue = \"sqlite:var/catalogue.db\"", "");
    project.write("probity.toml", "[store]\ncatalogue = \"sqlite:everywhere.db\"\n").ran(0);
    assert!(project.path("everywhere.db").is_file());
    let listed = project.probity(&["runs"]);
    assert!(listed.expect(0).stdout.contains("credit"), "the project's catalogue is read too: {}", listed.stdout);
}

// Two at once, and killed ones

fn start(project: &Project) -> Child {
    let mut command = project.command(&SLOW_RUN);
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap()
}

/// Waits until the run writes its rows.
fn until_writing(project: &Project, run: &mut Child) {
    let started = Instant::now();
    while project.results().is_empty() {
        assert!(run.try_wait().unwrap().is_none(), "the run ended before it wrote rows");
        assert!(started.elapsed() < Duration::from_secs(60), "nothing is written");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_second_run_of_a_pipeline_is_turned_away_and_after_a_kill_the_next_succeeds() {
    let project = Project::slow();
    let mut first = start(&project);
    until_writing(&project, &mut first);
    project.run(&[]).expect(75).says(&["`credit`", &format!("process {}", first.id()), "wait"]);
    project.write("other.toml", AUDIT.replace("\"credit\"", "\"other\"").replace(", \"age\"]", "]"));
    project.probity(&["run", "other.toml", "--set", "data.filter=id < 500"]).expect(0);
    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!(
        project.query("SELECT * FROM runs WHERE pipeline = 'credit'"),
        Vec::<Value>::new(),
        "nothing is committed"
    );
    assert_eq!(project.value("SELECT count(*) AS n FROM predictions WHERE pipeline = 'credit'"), 0);
    project.run(&["--set", "explain.method=none", "--set", "importance.methods=[]"]).expect(0);
    let sql = "SELECT status FROM runs WHERE pipeline = 'credit' ORDER BY run_id";
    let statuses: Vec<_> = project.query(sql).iter().map(|row| row["status"].as_str().unwrap().to_owned()).collect();
    assert_eq!(statuses, ["aborted", "succeeded"]);
    assert_artifacts_are_whole(&project);
    let n_artifacts = project.value("SELECT count(*) AS n FROM artifacts").as_u64().unwrap() as usize;
    assert_eq!(project.results().len(), n_artifacts, "leftovers of the killed run: {:?}", project.results());
}

#[test]
fn a_run_killed_at_any_moment_leaves_whole_runs_only() {
    kill_at_moments(20);
}

#[test]
#[ignore = "takes minutes: the same at ten times as many moments"]
fn a_run_killed_at_any_of_many_moments_leaves_whole_runs_only() {
    kill_at_moments(200);
}

/// Kills runs at moments spread over the time that a whole one takes; after each the history verifies.
fn kill_at_moments(n_kills: u32) {
    let project = Project::new();
    project.write("people.csv", people(3_000));
    let whole = Instant::now();
    project.run(&["--set", "pipeline.seed=1000"]).expect(0);
    let whole = whole.elapsed();
    for kill in 0..n_kills {
        let day = format!("2025-{:02}-{:02}", 1 + kill / 28, 1 + kill % 28);
        let mut command = project.command(&["run", "audit.toml", "--as-of", &day]);
        let mut run = command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
        std::thread::sleep(whole * kill / (n_kills - 2));
        run.kill().unwrap();
        run.wait().unwrap();
        reading(&project, &["verify"]).expect(0);
        let succeeded = project.query("SELECT run_id FROM runs WHERE status = 'succeeded'").len();
        let with_rows = project.value("SELECT count(DISTINCT run_id) AS n FROM predictions");
        assert_eq!(with_rows.as_u64(), Some(succeeded as u64), "rows of runs that the catalogue does not name");
    }
    project.ran(0);
    let verified = reading(&project, &["verify", "--format", "json"]).expect(0).json();
    assert_eq!(verified["notes"], serde_json::json!([]), "nothing is left to clean");
    let n_artifacts = project.value("SELECT count(*) AS n FROM artifacts").as_u64().unwrap() as usize;
    assert_eq!(project.results().len(), n_artifacts, "leftovers: {:?}", project.results());
}

#[test]
fn two_pipelines_share_a_catalogue_at_the_same_time() {
    let project = Project::new();
    let names: Vec<String> = (0..4).map(|at| format!("p{at}")).collect();
    for name in &names {
        project.write(&format!("{name}.toml"), AUDIT.replace("\"credit\"", &format!("{name:?}")));
    }
    let runs: Vec<Child> = names
        .iter()
        .map(|name| {
            project
                .command(&["run", &format!("{name}.toml"), "--as-of", DAY])
                .stdout(std::process::Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    for mut run in runs {
        assert_eq!(run.wait().unwrap().code(), Some(0));
    }
    assert_eq!(statuses(&project), ["succeeded"; 4]);
    assert_artifacts_are_whole(&project);
}
