//! Whole runs through the store: what is there afterwards, and what is not.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use ndarray::{Array2, Array3};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tempfile::TempDir;

use super::*;
use crate::audit::*;
use crate::dataset::batch::RowIds;
use crate::explain::Attributions;

/// A history in a folder of its own.
pub(super) struct Place {
    folder: TempDir,
}

impl Place {
    pub(super) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn catalogue(&self) -> String {
        format!("sqlite:{}", self.folder.path().join("catalogue.db").display())
    }

    pub(super) fn results(&self) -> PathBuf {
        self.folder.path().join("results")
    }

    pub(super) fn open(&self) -> Store {
        Store::open(&self.catalogue(), &self.results()).unwrap()
    }

    /// Every file under the results, relative, sorted.
    pub(super) fn files(&self) -> Vec<String> {
        fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
            for entry in fs::read_dir(folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() { walk(&path, found) } else { found.push(path) }
            }
        }
        let (root, mut found) = (self.results(), Vec::new());
        walk(&root, &mut found);
        let mut names: Vec<_> =
            found.iter().map(|path| path.strip_prefix(&root).unwrap().display().to_string()).collect();
        names.sort();
        names
    }
}

/// A valid run id that ends in `n`.
pub(super) fn run_id(n: u32) -> String {
    format!("01900000-0000-7000-8000-{n:012}")
}

pub(super) fn audit(run_id: &str, pipeline: &str, as_of: &str) -> Audit {
    Audit {
        schema_version: SCHEMA_VERSION,
        run: Run {
            run_id: run_id.into(),
            pipeline: pipeline.into(),
            as_of: as_of.into(),
            started_at: "2026-11-21T02:00:00Z".into(),
            finished_at: "2026-11-21T02:01:00Z".into(),
            status: Status::Succeeded,
            verdict: Decision::Pass,
            tool_version: TOOL_VERSION.into(),
            config_sha256: "c".into(),
            model_sha256: "m".into(),
            data_sha256: "d".into(),
            prev_run_id: None,
            seed: 7,
            n_rows: 5,
            explain_method: "tree".into(),
            explain_scale: "margin".into(),
        },
        scope: Scope {
            model: Some(ModelFacts {
                path: "m.onnx".into(),
                producer: "test".into(),
                opset: 17,
                structure: "linear".into(),
                parameters: 3,
                n_inputs: 2,
                operators: Default::default(),
            }),
            ..Scope::default()
        },
        proof: Proof::default(),
        metrics: vec![
            Metric { metric: "accuracy".into(), value: Some(0.1 + 0.2), n: 5, ..Metric::default() },
            Metric {
                metric: "recall".into(),
                attribute: "sex".into(),
                group_value: "'; DROP TABLE runs; --".into(),
                undefined_reason: Some("no positives".into()),
                pair: Some(("a".into(), "b".into())),
                ..Metric::default()
            },
        ],
        group_counts: vec![GroupCount { attribute: "sex".into(), fn_: Some(2.0), weight: 5.0, ..Default::default() }],
        importance: vec![Importance {
            method: "attribution".into(),
            metric: "mean_abs_attribution".into(),
            feature: "age".into(),
            output: "1".into(),
            value: 0.25,
            std_err: None,
            ci_low: Some(0.2),
            ci_high: Some(0.3),
            rank: 1,
        }],
        group_attributions: vec![],
        attribution_gaps: vec![],
        proxies: vec![],
        layers: vec![],
        feature_maps: vec![],
        layer_probes: vec![],
        gates: vec![Gate {
            gate: "accuracy ≥ 0.2".into(),
            metric: "accuracy".into(),
            attribute: String::new(),
            observed: Some(0.3),
            ci_low: None,
            ci_high: None,
            limit: 0.2,
            baseline_value: None,
            limit_on: Default::default(),
            change: None,
            change_low: None,
            change_high: None,
            breaches: 0,
            decision: Decision::Pass,
            severity: "fail".into(),
            reason: String::new(),
            n: 5,
        }],
        drift: vec![],
        baseline: None,
        history: vec![],
        curves: vec![],
        sample: Sample::default(),
        cases: vec![],
        also: vec![],
        surrogate: None,
        adverse: None,
        structure: None,
        confusion: Vec::new(),
        confusion_by_group: Vec::new(),
        pictures: None,
        notes: vec![],
        timings: [("total".to_string(), 1.5)].into(),
    }
}

fn outputs() -> Vec<String> {
    vec!["no".into(), "yes".into()]
}

/// Predictions and explanations of rows `from..to`, values made from the row's number.
pub(super) fn write_rows(writer: &mut RunWriter<'_>, from: usize, to: usize) {
    let n = to - from;
    let ids = RowIds::Int((from..to).map(|row| 100 + row as i64).collect());
    let score = Array2::from_shape_fn((n, 2), |(row, output)| (from + row) as f64 + output as f64 / 8.0);
    let predicted = score.mapv(|score| score > 2.0);
    let index: Vec<Option<u32>> = (from..to).map(|row| (row % 3 < 2).then_some((row % 3) as u32)).collect();
    let batch = PredictionBatch {
        ids: &ids,
        outputs: &outputs(),
        score: score.view(),
        margin: None,
        predicted: Some(predicted.view()),
        label: LabelColumn::Class { index: &index, names: &outputs() },
        weight: None,
        additivity_gap: None,
    };
    writer.predictions(&batch).unwrap();

    let age: Vec<f64> = (from..to).map(|row| if row % 4 == 3 { f64::NAN } else { (row % 50) as f64 + 0.5 }).collect();
    let job: Vec<Option<Arc<str>>> =
        (from..to).map(|row| (row % 5 > 0).then(|| format!("j{}", row % 7).into())).collect();
    let attributions = Attributions {
        phi: Array3::from_shape_fn((n, 2, 2), |(row, output, feature)| phi(from + row, output, feature)),
        base: Array2::from_shape_fn((n, 2), |(_, output)| output as f64 - 0.25),
        std_err: None,
    };
    let batch = ExplanationBatch {
        ids: &ids,
        outputs: ExplainedOutputs::Same(&outputs()),
        method: "tree",
        features: &["age".into(), "job".into()],
        values: &[FeatureValues::Numbers(&age), FeatureValues::Texts(&job)],
        attributions: &attributions,
        top_k: 0,
        terms: None,
    };
    writer.explanations(&batch).unwrap();
}

fn phi(row: usize, output: usize, feature: usize) -> f64 {
    ((row * 4 + output * 2 + feature) as f64).sin() / 3.0
}

/// Writes and commits a run of 5 rows.
pub(super) fn commit(store: &Store, pipeline: &str, as_of: &str, n: u32) -> Committed {
    let lock = store.lock(pipeline).unwrap();
    let mut writer = store.begin(&lock, &run_id(n), as_of).unwrap();
    write_rows(&mut writer, 0, 5);
    let reports = [Report { template: "audit", html: b"<html>" }];
    writer.commit(&mut audit(&run_id(n), pipeline, as_of), &reports, None).unwrap()
}

fn read(path: &Path) -> RecordBatch {
    let reader = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(path).unwrap()).unwrap();
    let reader = reader.with_batch_size(1 << 20).build().unwrap();
    let batches: Vec<_> = reader.map(Result::unwrap).collect();
    arrow::compute::concat_batches(&batches[0].schema(), &batches).unwrap()
}

fn texts(batch: &RecordBatch, column: &str) -> Vec<Option<String>> {
    let column = batch.column_by_name(column).unwrap();
    column.as_string::<i32>().iter().map(|text| text.map(str::to_string)).collect()
}

#[test]
fn a_committed_run_is_found_with_everything_it_stored() {
    let place = Place::new();
    let committed = commit(&place.open(), "adult", "2026-11-21", 1);
    let store = Store::open_read_only(&place.catalogue()).unwrap();
    let run = store.run("adult@latest").unwrap();
    assert_eq!(run.run_id, run_id(1));
    assert_eq!((run.status, run.verdict), (Status::Succeeded, Some(Decision::Pass)));
    assert_eq!(store.audit(&run).unwrap(), audit(&run_id(1), "adult", "2026-11-21"));
    assert_eq!(store.artifacts(&run).unwrap(), committed.artifacts);
    let id = run_id(1);
    assert_eq!(
        place.files(),
        [
            format!("explanations/pipeline=adult/run_date=2026-11-21/{id}.parquet"),
            format!("predictions/pipeline=adult/run_date=2026-11-21/{id}.parquet"),
            format!("reports/pipeline=adult/{id}/audit.html"),
            format!("reports/pipeline=adult/{id}/run.json"),
        ]
    );
    for artifact in &committed.artifacts {
        let path = store.artifact_path(&run, artifact);
        assert_eq!(fs::metadata(&path).unwrap().len(), artifact.bytes, "{}", artifact.path);
        store.read_checked(&run, artifact).unwrap();
    }
}

#[test]
fn summaries_stand_in_the_catalogue_at_full_precision() {
    let place = Place::new();
    commit(&place.open(), "adult", "2026-11-21", 1);
    let store = place.open();
    let value = |sql: &'static str| {
        store.catalogue.with("read", async |c| sqlx::query_scalar::<_, f64>(sql).fetch_one(c).await).unwrap()
    };
    assert_eq!(value("SELECT value FROM metrics WHERE metric = 'accuracy'"), 0.1 + 0.2);
    assert_eq!(value("SELECT fn FROM group_counts"), 2.0);
    assert_eq!(value("SELECT \"limit\" FROM gates"), 0.2);
    assert_eq!(value("SELECT value FROM importance WHERE rank = 1"), 0.25);
    assert_eq!(
        value("SELECT cast(count(*) AS REAL) FROM metrics WHERE value IS NULL AND undefined_reason = 'no positives'"),
        1.0
    );
    assert_eq!(value("SELECT json_extract(timings, '$.total') FROM runs"), 1.5);
    assert_eq!(value("SELECT cast(count(*) AS REAL) FROM models JOIN datasets USING (run_id)"), 1.0);
}

#[test]
fn a_stored_audit_keeps_every_digit() {
    let place = Place::new();
    let store = place.open();
    let lock = store.lock("adult").unwrap();
    let writer = store.begin(&lock, &run_id(1), "2026-11-21").unwrap();
    let mut given = audit(&run_id(1), "adult", "2026-11-21");
    let digits = |i: u64| f64::from_bits(0x3fd0_0000_0000_0000 + i.wrapping_mul(0x9e37_79b9_7f4a_7c15) % (1 << 52));
    given.metrics = (0..5000).map(|i| Metric { value: Some(digits(i)), ..Metric::default() }).collect();
    writer.commit(&mut given, &[], None).unwrap();
    assert!(store.audit(&store.run("adult@latest").unwrap()).unwrap() == given);
}

#[test]
fn a_run_killed_while_making_its_mark_leaves_none() {
    let place = Place::new();
    let store = place.open();
    let lock = store.lock("adult").unwrap();
    let (mine, other) = (format!(".tmp-{0}-adult.{0}.run", run_id(1)), format!(".tmp-{0}-german.{0}.run", run_id(2)));
    for name in [&mine, &other] {
        fs::write(store.catalogue.locks_folder().join(name), "{").unwrap();
    }
    drop(store.begin(&lock, &run_id(3), "2026-11-21").unwrap());
    assert!(!store.catalogue.locks_folder().join(mine).exists());
    assert!(store.catalogue.locks_folder().join(other).exists());
}

#[test]
fn rows_come_back_as_they_were_given() {
    let place = Place::new();
    let committed = commit(&place.open(), "adult", "2026-11-21", 1);
    let predictions = read(&committed.results.join(&committed.artifacts[0].path));
    let names: Vec<_> = predictions.schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(names, ["row_id", "output", "score", "margin", "predicted", "label", "weight", "additivity_gap"]);
    let ids = predictions["row_id"].as_primitive::<Int64Type>();
    assert_eq!(ids.values(), &[100, 100, 101, 101, 102, 102, 103, 103, 104, 104]);
    assert_eq!(predictions["score"].as_primitive::<Float64Type>().values()[..4], [0.0, 0.125, 1.0, 1.125]);
    assert_eq!(predictions["margin"].null_count(), 10);
    assert_eq!(predictions["predicted"].as_boolean().true_count(), 5);
    let labels = ["no", "yes"].map(|label| Some(label.to_string()));
    let [no, yes] = labels;
    let by_row = [no.clone(), yes.clone(), None, no, yes];
    let expected: Vec<_> = by_row.iter().flat_map(|label| [label.clone(), label.clone()]).collect();
    assert_eq!(texts(&predictions, "label"), expected);

    let explanations = read(&committed.results.join(&committed.artifacts[1].path));
    let names: Vec<_> = explanations.schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(
        names,
        ["row_id", "output", "method", "feature", "feature_value", "term", "attribution", "base_value", "std_err"]
    );
    assert_eq!(explanations.num_rows(), 20);
    assert_eq!(explanations["output"].data_type(), &DataType::Utf8);
    let values = texts(&explanations, "feature_value");
    assert_eq!(values[..4], [Some("0.5".to_string()), None, Some("0.5".to_string()), None]);
    assert_eq!(values[12..14], [None, Some("j3".to_string())]);
    assert_eq!(explanations["term"].null_count(), 20);
    assert_eq!(explanations["std_err"].null_count(), 20);
    let stored = explanations["attribution"].as_primitive::<Float64Type>();
    for (i, value) in stored.values().iter().enumerate() {
        let given = phi(i / 4, i / 2 % 2, i % 2);
        assert!((value - given).abs() <= given.abs() * 2f64.powi(-37), "{value} for {given}");
    }
    assert_eq!(explanations["base_value"].as_primitive::<Float64Type>().values()[..4], [-0.25, -0.25, 0.75, 0.75]);
}

#[test]
fn the_size_of_batches_never_shows_in_a_file() {
    let hashes = |batch: usize| {
        let place = Place::new();
        let store = place.open();
        let lock = store.lock("adult").unwrap();
        let mut writer = store.begin(&lock, &run_id(1), "2026-11-21").unwrap();
        let n_rows = 300_000;
        for from in (0..n_rows).step_by(batch) {
            write_rows(&mut writer, from, (from + batch).min(n_rows));
        }
        let committed = writer.commit(&mut audit(&run_id(1), "adult", "2026-11-21"), &[], None).unwrap();
        committed.artifacts.into_iter().map(|artifact| (artifact.path, artifact.sha256)).collect::<Vec<_>>()
    };
    let reference = hashes(1_000);
    assert_eq!(hashes(50_000), reference);
    assert_eq!(hashes(32_769), reference);
}

#[test]
fn text_ids_stay_text() {
    let place = Place::new();
    let store = place.open();
    let lock = store.lock("adult").unwrap();
    let mut writer = store.begin(&lock, &run_id(1), "2026-11-21").unwrap();
    let hostile = ["", "a\0b", "<script>", "\u{202e}rtl", "'; --", "007"].map(String::from);
    let ids = RowIds::Text(hostile.to_vec());
    let score = Array2::zeros((6, 1));
    let gap = Array2::from_shape_fn((6, 1), |(row, _)| if row == 2 { f64::NAN } else { row as f64 });
    let batch = PredictionBatch {
        ids: &ids,
        outputs: &["value".into()],
        score: score.view(),
        margin: None,
        predicted: None,
        label: LabelColumn::Value(&[1.0, f64::NAN, 0.0, 0.0, 0.0, 0.0]),
        weight: Some(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
        additivity_gap: Some(gap.view()),
    };
    writer.predictions(&batch).unwrap();
    let numbers = PredictionBatch { ids: &RowIds::Int(vec![1; 6]), ..batch };
    assert!(matches!(writer.predictions(&numbers).unwrap_err(), StoreError::Batch { .. }));
    let committed = writer.commit(&mut audit(&run_id(1), "adult", "2026-11-21"), &[], None).unwrap();
    let stored = read(&committed.results.join(&committed.artifacts[0].path));
    assert_eq!(texts(&stored, "row_id").into_iter().flatten().collect::<Vec<_>>(), hostile);
    assert_eq!(stored["label"].as_primitive::<Float64Type>().null_count(), 1);
    assert_eq!(stored["weight"].as_primitive::<Float64Type>().values()[5], 6.0);
    let gap = stored["additivity_gap"].as_primitive::<Float64Type>();
    assert_eq!((gap.null_count(), gap.value(5)), (1, 5.0));
}

#[test]
fn each_row_may_have_its_own_explained_output() {
    let place = Place::new();
    let store = place.open();
    let lock = store.lock("adult").unwrap();
    let mut writer = store.begin(&lock, &run_id(1), "2026-11-21").unwrap();
    let attributions = Attributions {
        phi: Array3::from_elem((3, 1, 1), 0.5),
        base: Array2::zeros((3, 1)),
        std_err: Some(Array3::from_elem((3, 1, 1), 0.01)),
    };
    let batch = ExplanationBatch {
        ids: &RowIds::Int(vec![1, 2, 3]),
        outputs: ExplainedOutputs::PerRow { names: &outputs(), index: &[1, 0, 1] },
        method: "kernel",
        features: &["pixels".into()],
        values: &[FeatureValues::Unreadable { n_rows: 3 }],
        attributions: &attributions,
        top_k: 0,
        terms: None,
    };
    writer.explanations(&batch).unwrap();
    let beyond =
        ExplanationBatch { outputs: ExplainedOutputs::PerRow { names: &outputs(), index: &[0, 1, 2] }, ..batch };
    assert!(writer.explanations(&beyond).is_err());
    let second = ExplanationBatch { method: "exact", ..batch };
    writer.explanations(&second).unwrap();
    let committed = writer.commit(&mut audit(&run_id(1), "adult", "2026-11-21"), &[], None).unwrap();
    let stored = read(&committed.results.join(&committed.artifacts[0].path));
    let outputs: Vec<_> = texts(&stored, "output").into_iter().flatten().collect();
    assert_eq!(outputs, ["yes", "no", "yes", "yes", "no", "yes"]);
    assert_eq!(texts(&stored, "method")[2..4], [Some("kernel".to_string()), Some("exact".to_string())]);
    assert_eq!(stored["feature_value"].null_count(), 6);
    assert!((stored["std_err"].as_primitive::<Float64Type>().value(0) - 0.01).abs() < 1e-12);
}

#[test]
fn the_largest_attributions_are_kept_and_the_rest_is_their_sum() {
    let place = Place::new();
    let store = place.open();
    let lock = store.lock("adult").unwrap();
    let mut writer = store.begin(&lock, &run_id(1), "2026-11-21").unwrap();
    let phi = ndarray::array![[[1.0, -0.25, 3.0, 0.5]], [[0.0, -4.0, 0.5, 2.0]]];
    let attributions =
        Attributions { std_err: Some(phi.mapv(|phi: f64| phi.abs() / 8.0)), phi, base: Array2::zeros((2, 1)) };
    let numbers = [1.0, 2.0];
    let batch = ExplanationBatch {
        ids: &RowIds::Int(vec![1, 2]),
        outputs: ExplainedOutputs::Same(&["yes".into()]),
        method: "kernel",
        features: &["a", "b", "c", "d"].map(String::from),
        values: &[FeatureValues::Numbers(&numbers); 4],
        attributions: &attributions,
        top_k: 2,
        terms: None,
    };
    writer.explanations(&batch).unwrap();
    writer.explanations(&ExplanationBatch { top_k: 4, ..batch }).unwrap();
    let committed = writer.commit(&mut audit(&run_id(1), "adult", "2026-11-21"), &[], None).unwrap();
    let stored = read(&committed.results.join(&committed.artifacts[0].path));
    let features: Vec<_> = texts(&stored, "feature").into_iter().flatten().collect();
    assert_eq!(features.join(" "), "a c (other) b d (other) a b c d a b c d");
    let values = |name: &str| stored[name].as_primitive::<Float64Type>().values()[..6].to_vec();
    assert_eq!(values("attribution"), [1.0, 3.0, 0.25, -4.0, 2.0, 0.5]);
    assert_eq!(values("std_err"), [0.125, 0.375, 0.75 / 8.0, 0.5, 0.25, 0.0625]);
    assert_eq!(texts(&stored, "feature_value")[2], None);
    assert_eq!(stored.num_rows(), 14);
}

#[test]
fn the_same_computation_is_found_again_and_no_other() {
    let place = Place::new();
    let store = place.open();
    commit(&store, "adult", "2026-11-21", 1);
    let same = Inputs {
        pipeline: "adult",
        as_of: "2026-11-21",
        config_sha256: "c",
        model_sha256: "m",
        data_sha256: "d",
        tool_version: TOOL_VERSION,
    };
    assert_eq!(store.find_same(same).unwrap().unwrap().run_id, run_id(1));
    for other in [
        Inputs { pipeline: "german", ..same },
        Inputs { as_of: "2026-11-22", ..same },
        Inputs { config_sha256: "x", ..same },
        Inputs { model_sha256: "x", ..same },
        Inputs { data_sha256: "x", ..same },
        Inputs { tool_version: "0", ..same },
    ] {
        assert_eq!(store.find_same(other).unwrap(), None);
    }
}

#[test]
fn a_forced_run_supersedes_without_overwriting() {
    let place = Place::new();
    let store = place.open();
    commit(&store, "adult", "2026-11-21", 1);
    let lock = store.lock("adult").unwrap();
    let mut writer = store.begin(&lock, &run_id(2), "2026-11-21").unwrap();
    assert_eq!(writer.previous().unwrap().run_id, run_id(1));
    write_rows(&mut writer, 0, 5);
    writer.commit(&mut audit(&run_id(2), "adult", "2026-11-21"), &[], Some(&run_id(1))).unwrap();
    let (old, new) = (store.run(&run_id(1)).unwrap(), store.run("adult@2026-11-21").unwrap());
    assert_eq!((old.status, old.superseded_by.as_deref()), (Status::Superseded, Some(new.run_id.as_str())));
    assert_eq!((new.run_id.clone(), new.supersedes.as_deref()), (run_id(2), Some(old.run_id.as_str())));
    assert!(store.audit(&old).is_ok() && store.audit(&new).is_ok());
}

#[test]
fn runs_of_a_pipeline_follow_each_other() {
    let place = Place::new();
    let store = place.open();
    commit(&store, "adult", "2026-11-21", 1);
    commit(&store, "german", "2026-11-21", 2);
    let third = commit(&store, "adult", "2026-11-22", 3);
    let run = store.run(&run_id(3)).unwrap();
    assert_eq!(run.prev_run_id.as_deref(), Some(run_id(1).as_str()));
    assert_eq!(run.chain_sha256, third.chain_sha256);
    assert_eq!(store.run(&run_id(2)).unwrap().prev_run_id, None);
}

#[test]
fn a_run_that_gives_up_leaves_nothing() {
    let place = Place::new();
    let store = place.open();
    let lock = store.lock("adult").unwrap();
    let mut writer = store.begin(&lock, &run_id(1), "2026-11-21").unwrap();
    write_rows(&mut writer, 0, 5);
    drop(writer);
    assert_eq!(place.files(), [""; 0]);
    assert_eq!(store.runs(RunFilter::default()).unwrap(), []);
    assert_eq!(leftovers::marks(&store.catalogue.locks_folder(), "adult").unwrap(), []);
}

#[test]
fn a_failed_run_is_recorded_without_results() {
    let place = Place::new();
    let store = place.open();
    let lock = store.lock("adult").unwrap();
    let mut writer = store.begin(&lock, &run_id(1), "2026-11-21").unwrap();
    write_rows(&mut writer, 0, 5);
    writer.fail(&audit(&run_id(1), "adult", "2026-11-21").run, "the model broke").unwrap();
    let run = store.run(&run_id(1)).unwrap();
    assert_eq!((run.status, run.verdict, run.error.as_deref()), (Status::Failed, None, Some("the model broke")));
    assert_eq!(place.files(), [format!("reports/pipeline=adult/{}/run.json", run_id(1))]);
    let error = store.audit(&run).unwrap_err();
    assert!(error.to_string().contains("the model broke"), "{error}");
    assert_eq!(store.before("adult", "2026-11-30", None).unwrap(), None);
    drop(lock);
    assert_eq!(commit(&store, "adult", "2026-11-22", 2).run_id, run_id(2));
    assert_eq!(store.run(&run_id(2)).unwrap().prev_run_id, Some(run_id(1)));
}

/// What a killed process leaves: nothing is dropped, the lock is gone.
fn kill(writer: RunWriter<'_>) {
    std::mem::forget(writer);
}

#[test]
fn leftovers_of_killed_runs_are_cleaned_by_the_next_run_of_the_pipeline_only() {
    let place = Place::new();
    let store = place.open();
    commit(&store, "adult", "2026-11-20", 1);
    let whole = place.files();
    {
        let lock = store.lock("adult").unwrap();
        let mut writer = store.begin(&lock, &run_id(2), "2026-11-21").unwrap();
        write_rows(&mut writer, 0, 5);
        kill(writer);
    }
    assert!(place.files().len() > whole.len());
    commit(&store, "german", "2026-11-21", 3);
    assert!(place.files().iter().any(|name| name.contains(".tmp-")), "another pipeline's run must not clean");
    let lock = store.lock("adult").unwrap();
    let writer = store.begin(&lock, &run_id(4), "2026-11-22").unwrap();
    assert_eq!(writer.recovered().len(), 1);
    assert_eq!(writer.recovered()[0].removed.len(), 2);
    drop(writer);
    assert!(place.files().iter().all(|name| !name.contains(&run_id(2))), "{:?}", place.files());
    assert!(whole.iter().all(|name| place.files().contains(name)));
    let killed = store.run(&run_id(2)).unwrap();
    assert_eq!((killed.status, killed.as_of.as_str(), killed.finished_at), (Status::Aborted, "2026-11-21", None));
}

#[test]
fn files_that_had_their_names_but_no_transaction_are_cleaned() {
    let place = Place::new();
    let store = place.open();
    {
        let lock = store.lock("adult").unwrap();
        let mut writer = store.begin(&lock, &run_id(1), "2026-11-21").unwrap();
        write_rows(&mut writer, 0, 5);
        let staged = writer.stage(&audit(&run_id(1), "adult", "2026-11-21"), &[]).unwrap();
        run_writer::publish(&place.results(), staged).unwrap();
        kill(writer);
    }
    assert_eq!(place.files().len(), 3);
    let lock = store.lock("adult").unwrap();
    drop(store.begin(&lock, &run_id(2), "2026-11-21").unwrap());
    assert_eq!(place.files(), [""; 0]);
}

#[test]
fn a_run_killed_after_its_transaction_is_whole() {
    let place = Place::new();
    let store = place.open();
    let committed = commit(&store, "adult", "2026-11-21", 1);
    let mark = leftovers::Mark {
        run_id: run_id(1),
        pipeline: "adult".into(),
        as_of: "2026-11-21".into(),
        started_at: now(),
        tool_version: TOOL_VERSION.into(),
        results: committed.results.clone(),
    };
    mark.set(&store.catalogue.locks_folder()).unwrap();
    let whole = place.files();
    let lock = store.lock("adult").unwrap();
    assert_eq!(store.begin(&lock, &run_id(2), "2026-11-21").unwrap().recovered(), []);
    assert_eq!(place.files(), whole);
    assert_eq!(store.run(&run_id(1)).unwrap().status, Status::Succeeded);
}

#[test]
fn a_commit_that_the_catalogue_refuses_leaves_nothing() {
    let place = Place::new();
    let store = place.open();
    let lock = store.lock("adult").unwrap();
    let mut writer = store.begin(&lock, &run_id(1), "2026-11-21").unwrap();
    write_rows(&mut writer, 0, 5);
    let mut broken = audit(&run_id(1), "adult", "2026-11-21");
    // Neither a value nor a reason: the table's own rule refuses it, after all files have their names.
    broken.metrics[0].value = None;
    writer.commit(&mut broken, &[], None).unwrap_err();
    assert_eq!(place.files(), [""; 0]);
    assert_eq!(store.runs(RunFilter::default()).unwrap(), []);
}

#[test]
fn an_audit_that_could_not_be_read_again_is_not_stored() {
    let place = Place::new();
    let store = place.open();
    let lock = store.lock("adult").unwrap();
    let writer = store.begin(&lock, &run_id(1), "2026-11-21").unwrap();
    let mut broken = audit(&run_id(1), "adult", "2026-11-21");
    broken.importance[0].value = f64::NAN;
    let error = writer.commit(&mut broken, &[], None).unwrap_err();
    assert!(matches!(&error, StoreError::NotStorable(reason) if reason.contains("mean_abs_attribution")), "{error}");
    assert_eq!(place.files(), [""; 0]);
}

#[test]
fn an_altered_or_missing_file_is_noticed_on_reading() {
    let place = Place::new();
    let store = place.open();
    commit(&store, "adult", "2026-11-21", 1);
    let run = store.run("adult@latest").unwrap();
    let path = store.reports_folder(&run).join("run.json");
    let content = fs::read_to_string(&path).unwrap();
    fs::write(&path, content.replacen("pass", "fail", 1)).unwrap();
    assert!(matches!(store.audit(&run).unwrap_err(), StoreError::AlteredFile { .. }));
    fs::remove_file(&path).unwrap();
    assert!(matches!(store.audit(&run).unwrap_err(), StoreError::MissingFile { .. }));
}

#[test]
fn a_newer_audit_is_refused() {
    let newer = br#"{"schema_version":99,"something":"else"}"#;
    let error = read_audit(Path::new("run.json"), newer).unwrap_err();
    assert!(matches!(error, StoreError::NewerAudit { found: 99, .. }), "{error}");
}

#[test]
fn runs_are_selected_by_id_prefix_latest_and_date() {
    let place = Place::new();
    let store = place.open();
    commit(&store, "adult", "2026-11-21", 1);
    commit(&store, "adult", "2026-11-19", 2);
    commit(&store, "adult-x", "2026-11-22", 13);
    let chosen = |selector: &str| store.run(selector).unwrap().run_id;
    assert_eq!(chosen("adult@latest"), run_id(1));
    assert_eq!(chosen("adult@2026-11-19"), run_id(2));
    assert_eq!(chosen(&run_id(13)), run_id(13));
    assert_eq!(chosen(&run_id(13).to_uppercase()[..35]), run_id(13));
    assert!(
        matches!(store.run("0190").unwrap_err(), StoreError::AmbiguousRun { candidates, .. } if candidates.len() == 3)
    );
    let error = store.run("adlut@latest").unwrap_err();
    assert!(error.to_string().contains("did you mean `adult@latest`"), "{error}");
    for unknown in ["", "zzz", "adult@2020-01-01", "%", "adult@"] {
        assert_eq!(store.run(unknown).unwrap_err().exit_code(), 2, "{unknown:?}");
    }
}

#[test]
fn runs_are_listed_newest_first_and_filtered() {
    let place = Place::new();
    let store = place.open();
    commit(&store, "adult", "2026-11-21", 1);
    commit(&store, "german", "2026-11-21", 2);
    commit(&store, "adult", "2026-11-22", 3);
    let listed = |filter: RunFilter<'_>| -> Vec<String> {
        store.runs(filter).unwrap().into_iter().map(|run| run.run_id).collect()
    };
    assert_eq!(listed(RunFilter::default()), [run_id(3), run_id(2), run_id(1)]);
    assert_eq!(listed(RunFilter { pipeline: Some("adult"), ..Default::default() }), [run_id(3), run_id(1)]);
    assert_eq!(listed(RunFilter { limit: Some(1), ..Default::default() }), [run_id(3)]);
    assert_eq!(listed(RunFilter { status: Some(Status::Failed), ..Default::default() }), [""; 0]);
}

#[test]
fn hostile_names_are_refused_before_anything_is_written() {
    let place = Place::new();
    let store = place.open();
    for pipeline in ["../adult", "", "a/b", "A"] {
        assert_eq!(store.lock(pipeline).unwrap_err().exit_code(), 2);
    }
    let lock = store.lock("adult").unwrap();
    assert!(store.begin(&lock, "../../etc", "2026-11-21").is_err());
    assert!(store.begin(&lock, &run_id(1), "../..").is_err());
    let writer = store.begin(&lock, &run_id(1), "2026-11-21").unwrap();
    let report = Report { template: "../../evil", html: b"" };
    assert!(writer.commit(&mut audit(&run_id(1), "adult", "2026-11-21"), &[report], None).is_err());
    assert_eq!(place.files(), [""; 0]);
}

#[test]
fn a_whole_tree_can_be_moved() {
    let place = Place::new();
    commit(&place.open(), "adult", "2026-11-21", 1);
    let elsewhere = tempfile::tempdir().unwrap();
    let moved = elsewhere.path().join("moved");
    fs::rename(place.folder.path(), &moved).unwrap();
    let store = Store::open_read_only(&format!("sqlite:{}", moved.join("catalogue.db").display())).unwrap();
    assert!(store.audit(&store.run("adult@latest").unwrap()).is_ok());
}

#[test]
fn a_store_opened_for_reading_starts_no_run() {
    let place = Place::new();
    drop(place.open());
    let store = Store::open_read_only(&place.catalogue()).unwrap();
    assert!(matches!(store.lock("adult").unwrap_err(), StoreError::ReadOnlyCatalogue { .. }));
}

#[test]
fn parallel_pipelines_share_one_catalogue() {
    let place = Place::new();
    std::thread::scope(|scope| {
        for pipeline in 0..6 {
            let place = &place;
            scope.spawn(move || {
                let store = place.open();
                for night in 1..=5 {
                    let name = format!("p{pipeline}");
                    commit(&store, &name, &format!("2026-11-0{night}"), pipeline * 100 + night);
                }
            });
        }
    });
    assert_eq!(place.open().runs(RunFilter::default()).unwrap().len(), 30);
}

#[test]
#[cfg(unix)]
fn a_full_disk_is_named() {
    use std::io::{Error, ErrorKind};
    let error = StoreError::io("write", Path::new("results"), Error::from(ErrorKind::StorageFull));
    assert!(matches!(error, StoreError::DiskFull { .. }));
    let inside = parquet::errors::ParquetError::External(Box::new(Error::from(ErrorKind::StorageFull)));
    assert!(matches!(StoreError::parquet(Path::new("x.parquet"), inside), StoreError::DiskFull { .. }));
}
