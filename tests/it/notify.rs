//! Who is told about outcomes, and what schedulers are given.

use crate::project::{AUDIT, BINARY, Project, Ran, repository, skipped};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// A listener that answers every request with a status and hands its body on.
fn sink(status: u16) -> (String, Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/hook?token=hush", listener.local_addr().unwrap());
    let (send, receive) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let request = read(&mut stream);
            write!(stream, "HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
            let body = request.split_once("\r\n\r\n").unwrap().1;
            if send.send(serde_json::from_str(body).unwrap()).is_err() {
                return;
            }
        }
    });
    (address, receive)
}

fn read(stream: &mut impl Read) -> String {
    let (mut text, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let n = stream.read(&mut buffer).unwrap();
        text.extend_from_slice(&buffer[..n]);
        let so_far = String::from_utf8_lossy(&text).into_owned();
        let length = so_far.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next()?.parse().ok());
        let body = so_far.split_once("\r\n\r\n").map(|(_, body)| body.len());
        if n == 0 || (length.is_some() && body >= length) {
            return so_far;
        }
    }
}

fn run(project: &Project, hook: &str, more: &[&str]) -> Ran {
    let arguments: Vec<&str> = ["run", "audit.toml", "--no-report"].into_iter().chain(more.iter().copied()).collect();
    let mut command = project.command(&arguments);
    for proxy in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        command.env_remove(proxy);
    }
    Ran::of(command.env("HOOK", hook).output().unwrap())
}

fn notified(on: &str) -> Project {
    let project = Project::new();
    project.append(&format!("[notify]\ntextfile = \"var/state.prom\"\nwebhook = \"env:HOOK\"\non = {on:?}\n"));
    project
}

fn next(told: &Receiver<Value>) -> Value {
    told.recv_timeout(Duration::from_secs(20)).expect("the webhook is told")
}

#[test]
fn a_webhook_is_told_what_changed() {
    let (hook, told) = sink(200);
    let project = notified("change");
    run(&project, &hook, &["--as-of", "2026-11-01"]).expect(0);
    let first = next(&told);
    assert_eq!(
        (&first["version"], &first["pipeline"], &first["as_of"]),
        (&1.into(), &"credit".into(), &"2026-11-01".into())
    );
    assert_eq!((&first["outcome"], &first["previous"], &first["exit_code"]), (&"pass".into(), &Value::Null, &0.into()));
    assert_eq!(first["gates"][0]["metric"], "accuracy");
    assert_eq!(first["run_id"], project.value("SELECT run_id FROM runs"));
    run(&project, &hook, &["--as-of", "2026-11-02"]).expect(0);
    run(&project, &hook, &["--as-of", "2026-11-03", "--set", "gates.0.min=0.999"]).expect(1);
    let failed = next(&told);
    assert_eq!(
        (&failed["as_of"], &failed["outcome"], &failed["previous"]),
        (&"2026-11-03".into(), &"fail".into(), &"pass".into())
    );
    assert!(failed["text"].as_str().unwrap().contains("FAILED: accuracy ≥ 0.999 observed 0."), "{failed}");
    run(&project, &hook, &["--as-of", "2026-11-03", "--set", "gates.0.min=0.999"]).expect(1);
    run(&project, &hook, &["--as-of", "2026-11-04", "--set", "model.path=nowhere.onnx"]).expect(2);
    let refused = next(&told);
    assert_eq!(
        (&refused["outcome"], &refused["run_id"], &refused["exit_code"]),
        (&"refused".into(), &Value::Null, &2.into())
    );
    assert!(refused["error"].as_str().unwrap().contains("nowhere.onnx"), "{refused}");
    assert!(told.try_recv().is_err(), "nothing else was said");
}

#[test]
fn a_sink_that_fails_changes_neither_verdict_nor_code() {
    let (hook, told) = sink(403);
    let project = notified("always");
    project.write("var/state.prom/in-the-way", "");
    let ran = run(&project, &hook, &["--as-of", "2026-11-01"]);
    ran.expect(0).says(&["WARN", "127.0.0.1", "it answered 403", "state.prom"]);
    assert!(!ran.stderr.contains("hush"), "{}", ran.stderr);
    assert!(ran.stdout.contains("PASSED"));
    next(&told);
    let unset = run(&project, "", &["--as-of", "2026-11-02", "--set", "gates.0.min=0.999"]);
    unset.expect(1).says(&["environment variable HOOK is not set"]);
    assert_eq!(project.value("SELECT count(*) AS n FROM runs WHERE status = 'succeeded'"), 2);
}

#[test]
fn the_textfile_is_the_present_state_of_all_pipelines_that_share_it() {
    let project = Project::new();
    project.write("probity.toml", "[notify]\ntextfile = \"var/state.prom\"\n");
    project.write(
        "below/other.toml",
        AUDIT
            .replace("\"credit\"", "\"other\"")
            .replace("people.csv", "../people.csv")
            .replace("model.onnx", "../model.onnx")
            .replace("min = 0.1", "min = 0.999")
            .replace("var/", "../var/"),
    );
    project.run(&[]).expect(0);
    project.probity(&["run", "below/other.toml"]).expect(1);
    let text = std::fs::read_to_string(project.path("var/state.prom")).unwrap();
    for line in [
        "probity_verdict{pipeline=\"credit\",verdict=\"pass\"} 1",
        "probity_verdict{pipeline=\"other\",verdict=\"fail\"} 1",
        "probity_rows{pipeline=\"other\"} 60",
        "probity_gate_decision{pipeline=\"other\",number=\"1\",gate=\"accuracy ≥ 0.999\",metric=\"accuracy\",attribute=\"\",severity=\"fail\",decision=\"fail\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    project.run(&["--set", "data.path=nowhere.csv"]).expect(2);
    let after = std::fs::read_to_string(project.path("var/state.prom")).unwrap();
    assert!(after.contains("probity_verdict{pipeline=\"credit\",verdict=\"refused\"} 1"), "{after}");
    let success = |text: &str| {
        let line =
            text.lines().find(|line| line.starts_with("probity_last_success_timestamp_seconds{pipeline=\"credit\"}"));
        line.unwrap_or_else(|| panic!("{text}")).to_owned()
    };
    assert_eq!(success(&after), success(&text));
    assert!(project.files().iter().all(|file| !file.ends_with(".tmp")), "{:?}", project.files());
}

// Schedulers

fn deployed(file: &str) -> String {
    std::fs::read_to_string(repository().join("deploy").join(file)).unwrap()
}

/// The codes that asking again does not change stand in every scheduler's file.
#[test]
fn schedulers_do_not_ask_again_where_it_changes_nothing() {
    assert!(deployed("probity@.service").contains("\nRestartPreventExitStatus=1 2 4\n"));
    assert!(deployed("probity@.service").contains("\nSuccessExitStatus=143\n"));
    assert!(deployed("cronjob.yaml").contains("values: [1, 2, 4]"));
    assert!(deployed("airflow_dag.py").contains("FOR_GOOD = {1: "));
    for file in ["probity@.service", "probity.cron", "cronjob.yaml", "airflow_dag.py"] {
        assert!(deployed(file).contains("--wait"), "{file}");
    }
}

#[test]
fn systemd_accepts_the_units() {
    let Ok(version) = Command::new("systemd-analyze").arg("--version").output() else {
        return skipped("systemd_accepts_the_units", "there is no systemd-analyze");
    };
    assert!(version.status.success());
    let folder = tempfile::tempdir().unwrap();
    let units: Vec<_> = ["service", "timer"]
        .iter()
        .map(|kind| {
            let path = folder.path().join(format!("probity@adult-income.{kind}"));
            let text = deployed(&format!("probity@.{kind}")).replace("/usr/local/bin/probity", BINARY);
            std::fs::write(&path, text).unwrap();
            path
        })
        .collect();
    let verified = Command::new("systemd-analyze").arg("verify").arg("--man=no").args(&units).output().unwrap();
    let said = String::from_utf8_lossy(&verified.stderr).into_owned();
    let ours: Vec<&str> = said.lines().filter(|line| line.contains("probity@")).collect();
    assert!(verified.status.success() && ours.is_empty(), "{said}");
}

/// The line of the crontab, with another `probity` in its path.
#[test]
fn cron_says_something_only_when_somebody_is_needed() {
    let line = deployed("probity.cron").lines().find(|line| line.starts_with("15 2 ")).unwrap().to_owned();
    let command = line.splitn(7, ' ').nth(6).unwrap().to_owned();
    let folder = tempfile::tempdir().unwrap();
    let command = command.replace("/var/lib/probity", &folder.path().display().to_string());
    let said = |code: i32| {
        let stub = folder.path().join("probity");
        std::fs::write(&stub, format!("#!/bin/sh\necho the log\nexit {code}\n")).unwrap();
        Command::new("chmod").arg("+x").arg(&stub).status().unwrap();
        let path = format!("{}:/usr/bin:/bin", folder.path().display());
        let ran = Command::new("sh").args(["-c", &command]).env("PATH", path).stdin(Stdio::null()).output().unwrap();
        String::from_utf8(ran.stdout).unwrap()
    };
    assert_eq!((said(0), said(75)), (String::new(), String::new()));
    assert_eq!(said(1), "probity left with 1\nthe log\n");
    assert_eq!(said(3), "probity left with 3\nthe log\n");
}

#[test]
fn python_reads_the_dag() {
    let dag = repository().join("deploy/airflow_dag.py");
    let check = "import ast, sys; ast.parse(open(sys.argv[1]).read())";
    match Command::new("python3").args(["-c", check]).arg(&dag).output() {
        Ok(parsed) => assert!(parsed.status.success(), "{}", String::from_utf8_lossy(&parsed.stderr)),
        Err(_) => skipped("python_reads_the_dag", "there is no python3"),
    }
}
