//! What a night needs: being stopped, waiting for each other, running side by side.

use crate::project::{AUDIT, DAY, Project, Ran, SLOW_RUN, people};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

fn start(project: &Project, arguments: &[&str]) -> Child {
    let mut command = project.command(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn until(what: &str, mut there: impl FnMut() -> bool) {
    let started = Instant::now();
    while !there() {
        assert!(started.elapsed() < Duration::from_secs(120), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn signal(name: &str, process: &Child) {
    let sent = Command::new("kill").args(["-s", name, &process.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

fn ended(process: Child) -> Ran {
    Ran::of(process.wait_with_output().unwrap())
}

// Being stopped

#[test]
fn a_run_that_is_told_to_stop_is_recorded_as_aborted_and_leaves_no_rows() {
    for (name, code) in [("TERM", 143), ("INT", 130)] {
        let project = Project::slow();
        let run = start(&project, &SLOW_RUN);
        until("nothing is written", || !project.results().is_empty());
        signal(name, &run);
        let stopped = ended(run);
        stopped.expect(code).says(&[&format!("stopped by SIG{name}"), "recorded as aborted"]);
        let runs = project.query("SELECT status, verdict, error, finished_at FROM runs");
        assert_eq!(runs.len(), 1, "{runs:?}");
        assert_eq!(runs[0]["status"], "aborted");
        assert_eq!(runs[0]["verdict"], serde_json::Value::Null);
        assert_eq!(runs[0]["error"], format!("stopped by SIG{name}"));
        assert!(runs[0]["finished_at"].as_str().unwrap() > "2026");
        let files = project.results();
        assert!(files.len() == 1 && files[0].ends_with("run.json"), "only the record of the failure: {files:?}");
        assert!(project.files().iter().all(|file| !file.ends_with(".run")), "a mark is left: {:?}", project.files());
        project.run(&["--set", "explain.method=none", "--set", "importance.methods=[]"]).expect(0);
        let statuses = project.query("SELECT status FROM runs ORDER BY sequence");
        assert_eq!(
            statuses.iter().map(|row| row["status"].as_str().unwrap()).collect::<Vec<_>>(),
            ["aborted", "succeeded"]
        );
    }
}

#[test]
fn a_run_stopped_at_any_moment_is_whole_or_aborted() {
    let project = Project::new();
    project.write("people.csv", people(3_000));
    let whole = Instant::now();
    project.run(&["--set", "pipeline.seed=1000"]).expect(0);
    let whole = whole.elapsed();
    for stop in 0..10 {
        let run = start(&project, &["run", "audit.toml", "--as-of", &format!("2026-10-{:02}", stop + 1)]);
        std::thread::sleep(whole * stop / 9);
        signal("TERM", &run);
        // One that comes before the handler is there kills the process: no code.
        let code = ended(run).code;
        assert!([143, 0, -1].contains(&code), "{code}");
        let succeeded = project.query("SELECT run_id FROM runs WHERE status = 'succeeded'").len();
        let with_rows = project.value("SELECT count(DISTINCT run_id) AS n FROM predictions");
        assert_eq!(with_rows.as_u64(), Some(succeeded as u64));
        let unfinished = project.query("SELECT status FROM runs WHERE status NOT IN ('succeeded', 'aborted')");
        assert!(unfinished.is_empty(), "{unfinished:?}");
        let n_artifacts = project.value("SELECT count(*) AS n FROM artifacts").as_u64().unwrap() as usize;
        assert_eq!(project.results().len(), n_artifacts, "leftovers: {:?}", project.results());
    }
    project.ran(0);
}

// Waiting for each other

#[test]
fn who_waits_gets_the_lock_and_who_does_not_is_told_who_holds_it() {
    let project = Project::slow();
    let first = start(&project, &SLOW_RUN);
    until("nothing is written", || !project.results().is_empty());
    let id = format!("process {}", first.id());
    project.run(&[]).expect(75).says(&["`credit`", &id, " since 2", "last sign of life", "--wait"]);
    project.run(&["--wait", "1"]).expect(75).says(&["waiting up to 1 s", &id]);
    let second = start(
        &project,
        &[
            "run",
            "audit.toml",
            "--as-of",
            DAY,
            "--wait",
            "120",
            "--set",
            "explain.method=none",
            "--set",
            "importance.methods=[]",
        ],
    );
    std::thread::sleep(Duration::from_millis(300));
    signal("TERM", &first);
    ended(first).expect(143);
    ended(second).expect(0);
}

// Side by side

/// Runs `nights` of ten pipelines from two processes at once; every run must be recorded, in whole chains.
fn two_schedulers(nights: usize) {
    let project = Project::new();
    let names: Vec<String> = (0..10).map(|at| format!("p{at}")).collect();
    for name in &names {
        let text = AUDIT.replace("\"credit\"", &format!("{name:?}")).replace("bootstrap = 100", "bootstrap = 10");
        project.write(&format!("{name}.toml"), text.replace("[importance]", "[importance]\nmethods = []"));
    }
    let files: Vec<String> = names.iter().map(|name| format!("{name}.toml")).collect();
    let scheduler = |half: usize| {
        for night in 0..nights {
            // Both take all ten in turn, each its own days, so that they meet at the locks as well.
            let day = format!("2026-{:02}-{:02}", half + 1, night + 1);
            let mut arguments = vec!["run", "--as-of", &day, "--no-report", "--wait", "60"];
            arguments.extend(files.iter().map(String::as_str));
            let ran = project.probity(&arguments);
            ran.expect(0);
            assert!(!ran.stderr.contains("database is locked"), "{}", ran.stderr);
        }
    };
    std::thread::scope(|scope| {
        (0..2).map(|half| scope.spawn(move || scheduler(half))).for_each(drop);
    });
    let expected = (2 * nights * names.len()) as u64;
    assert_eq!(project.value("SELECT count(*) AS n FROM runs WHERE status = 'succeeded'"), expected);
    assert_eq!(project.value("SELECT count(DISTINCT run_id) AS n FROM predictions"), expected);
    assert_eq!(project.value("SELECT count(*) AS n FROM runs WHERE prev_run_id IS NULL"), names.len());
    let linked = "SELECT count(*) AS n FROM runs a JOIN runs b ON a.prev_run_id = b.run_id AND a.pipeline = b.pipeline";
    assert_eq!(project.value(linked), expected - names.len() as u64);
    assert_eq!(project.value("SELECT count(DISTINCT prev_run_id) AS n FROM runs"), expected - names.len() as u64);
}

#[test]
fn two_processes_and_ten_pipelines_lose_no_run() {
    two_schedulers(2);
}

#[test]
#[ignore = "minutes: 200 runs"]
fn two_processes_and_ten_pipelines_lose_none_of_two_hundred_runs() {
    two_schedulers(10);
}

// Asking by other ways than an argument

#[test]
fn a_query_may_be_piped_in_and_its_result_written_to_a_file() {
    use std::io::Write;
    let project = Project::new();
    project.ran(0);
    let mut query = project.command(&["query", "--format", "csv", "--catalogue", "var/catalogue.db"]);
    let mut query = query.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    query.stdin.take().unwrap().write_all(b"SELECT count(*) AS n FROM runs;").unwrap();
    assert_eq!(ended(query).expect(0).stdout, "n\n1\n");
    let ask = |sql: &str, file: &str| {
        project.probity(&["query", sql, "--format", "csv", "--output", file, "--catalogue", "var/catalogue.db"])
    };
    ask("SELECT pipeline FROM runs", "out.csv").expect(0);
    let text = |name: &str| std::fs::read_to_string(project.path(name)).unwrap();
    assert_eq!(text("out.csv"), "pipeline\ncredit\n");
    ask("SELECT 1 / (n_rows - n_rows) FROM runs", "out.csv").expect(2);
    assert_eq!(text("out.csv"), "pipeline\ncredit\n", "a result that could not be had replaces nothing");
    assert!(project.files().iter().all(|file| !file.ends_with(".tmp")), "{:?}", project.files());
    project.probity(&["query", "--catalogue", "var/catalogue.db"]).expect(2).says(&["give a query"]);
    project.probity(&["query", "SELECT 1", "--memory-limit", "much"]).expect(2).says(&["512MB"]);
}

#[test]
fn a_terminal_gets_a_shell() {
    if !Path::new("/usr/bin/script").exists() {
        return crate::project::skipped("a_terminal_gets_a_shell", "there is no `script` to make a terminal");
    }
    let project = Project::new();
    project.ran(0);
    let mut shell = Command::new("/usr/bin/script");
    let line = format!("{} query --catalogue var/catalogue.db", crate::project::BINARY);
    shell.args(["-qec", &line, "/dev/null"]).current_dir(project.folder()).env("XDG_STATE_HOME", project.path("state"));
    let mut shell =
        shell.env("TERM", "xterm").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut input = shell.stdin.take().unwrap();
    use std::io::Write;
    std::thread::sleep(Duration::from_millis(1500));
    for keys in ["SELECT count(*) + 41 AS n\r", "FROM runs WHERE pipeli\t = 'credit';\r", "\\q\r"] {
        input.write_all(keys.as_bytes()).unwrap();
        std::thread::sleep(Duration::from_millis(1500));
    }
    drop(input);
    let said = ended(shell);
    assert!(said.stdout.contains("| 42 |"), "{}", said.stdout);
    let history = std::fs::read_to_string(project.path("state/probity/history")).unwrap();
    assert_eq!(history, "SELECT count(*) + 41 AS n FROM runs WHERE pipeline = 'credit';\n");
}
