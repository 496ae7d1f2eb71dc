//! A temporary folder with a pipeline, its data and its model, and the binary run in it.

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The day that audits in tests speak of.
pub const DAY: &str = "2026-11-21";
/// A run to be stopped while it computes: small batches, so that the first is soon written.
pub const SLOW_RUN: [&str; 6] = ["run", "audit.toml", "--as-of", DAY, "--batch-rows", "1000"];

/// A tree ensemble over [`people`], audited by sex, with a gate that passes.
pub const AUDIT: &str = r#"
[pipeline]
name = "credit"
seed = 7

[data]
path = "people.csv"
id = "id"
label = "repaid"
positive = "yes"

[model]
path = "model.onnx"

[model.inputs]
input = ["income", "children", "debt", "owner", "age"]

[importance]
repeats = 2

[fairness]
attributes = ["sex"]
reference = { sex = "Male" }
bootstrap = 100

[[gates]]
metric = "accuracy"
min = 0.1

[store]
results = "var/results"
catalogue = "sqlite:var/catalogue.db"
"#;

pub const BINARY: &str = env!("CARGO_BIN_EXE_probity");

pub const N_PEOPLE: usize = 60;

/// Rows of the invented data: every column of the model, a group, a label and a weight.
pub fn person(row: usize) -> String {
    let income = (row * 37 % 41) as f64 / 8.0 - 2.5;
    let debt = (row * 13 % 64) as f64 / 8.0;
    let age = (row * 29 % 33) as f64 / 8.0 - 2.0;
    let sex = if row.is_multiple_of(3) { "Female" } else { "Male" };
    let repaid = if (row * 5 + row / 7) % 2 == 1 { "yes" } else { "no" };
    let weight = 1.0 + (row % 4) as f64 / 2.0;
    format!("{row},{income},{},{debt},{},{age},{sex},{repaid},{weight}", row * 7 % 5, row * 3 % 2)
}

pub const HEADER: &str = "id,income,children,debt,owner,age,sex,repaid,weight";

/// The invented data as CSV.
pub fn people(n_rows: usize) -> String {
    let rows: String = (0..n_rows).map(|row| person(row) + "\n").collect();
    format!("{HEADER}\n{rows}")
}

/// The invented data with one column's values replaced.
pub fn people_with(column: &str, value: impl Fn(usize, &str) -> String) -> String {
    let at = HEADER.split(',').position(|name| name == column).unwrap();
    let row = |row: usize| {
        let whole = person(row);
        let mut cells: Vec<String> = whole.split(',').map(str::to_owned).collect();
        cells[at] = value(row, &cells[at]);
        cells.join(",") + "\n"
    };
    format!("{HEADER}\n{}", (0..N_PEOPLE).map(row).collect::<String>())
}

pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The path of a known model.
pub fn golden(file: &str) -> PathBuf {
    repository().join("tests/golden").join(file)
}

pub struct Project {
    folder: tempfile::TempDir,
}

/// What a process did.
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Project {
    pub fn empty() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// [`AUDIT`] as `audit.toml`, ready to run.
    pub fn new() -> Self {
        let project = Self::empty();
        project.model("xgb_binary").write("people.csv", people(N_PEOPLE)).write("audit.toml", AUDIT);
        project
    }

    /// As [`Project::new`], for [`SLOW_RUN`]: many rows, every coalition against thousands of background rows. It takes
    /// minutes if nobody stops it, and writes rows within a second or so.
    pub fn slow() -> Self {
        let project = Self::new();
        project.model("mlp").write("people.csv", people(40_000)).edit(", \"age\"]", "]");
        project.append("[explain]\nmethod = \"exact\"\n[background]\nrows = 5000\n");
        project
    }

    /// A known model as `model.onnx`.
    pub fn model(&self, name: &str) -> &Self {
        self.write("model.onnx", std::fs::read(golden(&format!("{name}.onnx"))).unwrap())
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        self
    }

    /// Replaces a part of `audit.toml` that must be there.
    pub fn edit(&self, from: &str, to: &str) -> &Self {
        let text = std::fs::read_to_string(self.path("audit.toml")).unwrap();
        assert!(text.contains(from), "audit.toml has {from:?}");
        self.write("audit.toml", text.replacen(from, to, 1))
    }

    /// Adds lines to `audit.toml`.
    pub fn append(&self, lines: &str) -> &Self {
        let text = std::fs::read_to_string(self.path("audit.toml")).unwrap();
        self.write("audit.toml", text + "\n" + lines)
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The binary in this folder, unaware of this machine's own history.
    pub fn command(&self, arguments: &[&str]) -> Command {
        self.command_of(Path::new(BINARY), arguments)
    }

    /// A binary in this folder, which may be a copy of the one under test.
    pub fn command_of(&self, binary: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary);
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        command.env_remove("PROBITY_CATALOGUE").env_remove("PROBITY_RUN_ID").env("NO_COLOR", "1");
        command
    }

    pub fn probity(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().unwrap())
    }

    /// Runs `audit.toml` for [`DAY`] with further arguments.
    pub fn run(&self, more: &[&str]) -> Ran {
        let arguments: Vec<&str> =
            ["run", "audit.toml", "--as-of", DAY].into_iter().chain(more.iter().copied()).collect();
        self.probity(&arguments)
    }

    /// Runs `audit.toml`, which must end with this code.
    pub fn ran(&self, code: i32) -> &Self {
        self.run(&[]).expect(code);
        self
    }

    /// Rows of a query over the project's history.
    pub fn query(&self, sql: &str) -> Vec<Value> {
        let ran = self.probity(&["query", sql, "--format", "json", "--catalogue", "var/catalogue.db"]);
        let text = &ran.expect(0).stdout;
        let rows: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        rows.as_array().unwrap().clone()
    }

    /// One value of a query.
    pub fn value(&self, sql: &str) -> Value {
        let rows = self.query(sql);
        assert_eq!(rows.len(), 1, "{sql}");
        rows[0].as_object().unwrap().values().next().unwrap().clone()
    }

    /// Every file below the folder, with `/` between names.
    pub fn files(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(self.folder.path()).unwrap();
                    found.insert(name.to_string_lossy().replace('\\', "/"));
                }
            }
        }
        found
    }

    /// Files under the results folder.
    pub fn results(&self) -> Vec<String> {
        self.files().into_iter().filter(|file| file.starts_with("var/results/")).collect()
    }

    /// The one stored file whose name contains all of these.
    pub fn stored(&self, parts: &[&str]) -> PathBuf {
        let results = self.results();
        let found: Vec<_> = results.iter().filter(|file| parts.iter().all(|part| file.contains(part))).collect();
        assert_eq!(found.len(), 1, "{parts:?} among {results:?}");
        self.path(found[0])
    }
}

impl Ran {
    pub fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let code = output.status.code().unwrap_or(-1);
        Self { code, stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    pub fn expect(&self, code: i32) -> &Self {
        assert_eq!(self.code, code, "\nstdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// The one JSON object on stdout.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", self.stdout, self.stderr))
    }

    /// What stderr says, on one line and without the frame around it.
    pub fn message(&self) -> String {
        let bare: String = self.stderr.chars().map(|c| if "│╭╰─·×├┬".contains(c) { ' ' } else { c }).collect();
        bare.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The message holds every part.
    pub fn says(&self, parts: &[&str]) -> &Self {
        let message = self.message();
        for part in parts {
            assert!(message.contains(part), "{part:?} is missing in: {message}");
        }
        self
    }
}

/// A line that the test harness does not swallow: what could not be tested here, and why.
pub fn skipped(test: &str, why: &str) {
    use std::io::Write;
    // Not `eprintln!`: the harness swallows that.
    let line = format!("SKIPPED {test}: {why}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}
