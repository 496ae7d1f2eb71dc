//! Laws over every key: all are known, and whatever stands at one is read or refused at its place.

use super::*;

/// Every key that there is, each on its own line.
const FULL: &str = r#"
[pipeline]
name = "adult-income"
description = "d"
owner = "o"
version = "1"
tags = ["t"]
seed = 7
[data]
path = "adult.parquet"
id = "row_id"
label = "income"
positive = ">50K"
favourable = ">50K"
weight = "w"
score = "p"
filter = "age >= 18"
categorical = ["education_code"]
[data.encode]
workclass = ["Federal-gov", "Local-gov"]
[data.image]
column = "image"
scale = 0.5
mean = 0.5
std = [1, 2]
patch = [7, 7]
[model]
path = "adult.onnx"
task = "binary"
threshold = 0.5
classes = ["<=50K", ">50K"]
output = "probability"
margin_output = "logit"
[model.inputs]
input = ["age", "workclass", "education_num"]
[background]
path = "background.parquet"
rows = 1000
[explain]
method = "auto"
scale = "margin"
outputs = "positive"
rows = "all"
interactions = false
cover = "background"
budget = 2048
top_k = 0
baseline = "background"
[[explain.players]]
name = "address"
columns = ["zip", "city"]
[[explain.players]]
name = "work"
columns = ["job", "hours"]
split = true
[[explain.also]]
method = "lime"
[importance]
methods = ["attribution", "permutation"]
metrics = ["roc_auc"]
repeats = 10
grid = 20
pairs = [["age", "hours"]]
[layers]
tensors = "all"
rows = 200
maps = 4
[robustness]
epsilon = [0.1, 0.2]
gate_epsilon = 0.1
attack = "pgd"
steps = 20
step_size = 0.125
restarts = 1
rows = 1000
columns = ["age"]
range = { age = [17, 90] }
[fairness]
attributes = ["sex", "race", ["sex", "race"], { column = "age", bins = [25, 45, 65] }]
reference = { sex = "Male" }
metrics = "all"
bootstrap = 1000
confidence = 0.95
min_group_rows = 30
strata = ["education_num"]
[privacy]
suppress_below = 0
pseudonymise = "env:PROBITY_KEY"
drop = ["name"]
[[gates]]
metric = "demographic_parity_ratio"
attribute = "sex"
min = 0.8
max = 2
max_change = 0.1
max_relative_change = 0.1
baseline = "previous"
decide_on = "point"
severity = "fail"
[report]
templates = ["audit"]
reasons_version = "1"
reasons_per_decision = 4
least_share = 0.02
title = "t"
[store]
results = "../var/results"
catalogue = "sqlite:../var/catalogue.db"
[notify]
textfile = "x.prom"
webhook = "env:AUDIT_WEBHOOK"
on = "failure"
"#;

fn errors_of(text: &str) -> Vec<ConfigError> {
    load_with(text, &[]).map_or_else(|errors| errors.errors, |_| Vec::new())
}

/// Lines of the full file with what they ask for that is not available, taken out until only what runs is left.
fn available_part() -> String {
    let mut lines: Vec<_> = FULL.lines().collect();
    let unavailable = |error: &ConfigError| matches!(error.problem, Problem::NotAvailable(_));
    while let Some(error) = errors_of(&lines.join("\n")).first() {
        assert!(unavailable(error), "{error}");
        let at = error.location().unwrap().1 - 1;
        let is_header = lines[at].starts_with('[');
        let more = lines[at + 1..].iter().take_while(|line| is_header && !line.starts_with('[')).count();
        lines.drain(at..=at + more);
    }
    lines.join("\n")
}

#[test]
fn every_key_is_known_and_at_most_not_available_yet() {
    let errors = errors_of(FULL);
    assert!(errors.iter().all(|error| matches!(error.problem, Problem::NotAvailable(_))), "{errors:?}");
    let left = available_part();
    assert!(left.contains("method = \"auto\"") && left.contains("severity = \"fail\""), "{left}");
}

#[test]
fn whatever_a_value_is_replaced_with_is_read_or_refused_at_its_place() {
    let values = [
        "0",
        "-1",
        "7",
        "0.5",
        "nan",
        "\"x\"",
        "\"\"",
        "\"all\"",
        "true",
        "[]",
        "[1]",
        "[\"a\"]",
        "[[\"a\"]]",
        "[{}]",
        "{}",
        "{ a = 1 }",
        "{ a = [1, 2] }",
        "1979-05-27",
        "9007199254740993",
        "99999999999",
    ];
    let text = available_part();
    let (mut read, mut refused) = (0, 0);
    for (number, line) in text.lines().enumerate() {
        let Some((key, _)) = line.split_once(" = ").filter(|_| !line.starts_with('[')) else {
            continue;
        };
        for value in values {
            let changed = format!("{key} = {value}");
            let lines = text.lines().enumerate().map(|(at, old)| if at == number { changed.as_str() } else { old });
            let errors = errors_of(&lines.collect::<Vec<_>>().join("\n"));
            assert!(errors.iter().all(|error| error.location().is_some()), "{changed}: {errors:?}");
            if errors.is_empty() { read += 1 } else { refused += 1 }
        }
    }
    assert!(read > 50 && refused > 500, "{read} read, {refused} refused");
}
