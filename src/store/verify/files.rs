//! Stored files against the hashes and facts that the catalogue keeps of them.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::snapshot::StoredRun;
use super::{Problem, ProblemKind, Verification};
use crate::audit::{Artifact, SCHEMA_VERSION};
use crate::store::file::hex;
use crate::store::layout;
use crate::store::rows::{ROWS_SCHEMA_VERSION, metadata_key};

pub(super) fn check(run: &StoredRun, found: &mut Verification) {
    for artifact in &run.artifacts {
        let path = run.results.join(&artifact.path);
        match run.status == "pruned" {
            true if path.exists() => found.notes.push(format!(
                "{} belongs to the pruned run {}: the pipeline's next run removes it",
                path.display(),
                run.row.run_id
            )),
            true => {}
            false => {
                found.n_files += 1;
                found.n_bytes += artifact.bytes;
                found.problems.extend(check_one(run, artifact, &path));
            }
        }
    }
}

fn check_one(run: &StoredRun, artifact: &Artifact, path: &Path) -> Vec<Problem> {
    let problem = |kind, message: String| Problem {
        kind,
        run_id: Some(run.row.run_id.clone()),
        pipeline: Some(run.row.pipeline.clone()),
        table: None,
        path: Some(path.to_path_buf()),
        message,
    };
    let (sha256, bytes) = match hash(path) {
        Ok(hashed) => hashed,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return vec![problem(ProblemKind::MissingFile, "the file is missing".to_string())];
        }
        Err(error) => return vec![problem(ProblemKind::UnreadableFile, format!("the file cannot be read: {error}"))],
    };
    if sha256 != artifact.sha256 {
        let size = if bytes == artifact.bytes {
            String::new()
        } else {
            format!(", {bytes} bytes, stored with {}", artifact.bytes)
        };
        let other = other_run(path, &run.row.run_id).map_or(String::new(), |other| format!("; it is of run {other}"));
        let message = format!("the file was altered: SHA-256 {sha256}, stored with {}{size}{other}", artifact.sha256);
        return vec![problem(ProblemKind::AlteredFile, message)];
    }
    let checked = if path.extension().is_some_and(|extension| extension == "parquet") {
        check_parquet(run, artifact, path)
    } else if path.file_name().is_some_and(|name| name == layout::AUDIT_FILE) {
        check_audit(path)
    } else {
        None
    };
    checked.map(|(kind, message)| problem(kind, message)).into_iter().collect()
}

/// SHA-256 and length, read in pieces.
fn hash(path: &Path) -> io::Result<(String, u64)> {
    let (mut file, mut hasher, mut bytes) = (File::open(path)?, Sha256::new(), 0);
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok((hex(&hasher.finalize()), bytes)),
            n => {
                hasher.update(&buffer[..n]);
                bytes += n as u64;
            }
        }
    }
}

fn metadata(path: &Path) -> Result<ParquetMetaData, String> {
    let file = File::open(path).map_err(|e| e.to_string())?;
    ParquetMetaDataReader::new().parse_and_finish(&file).map_err(|e| e.to_string())
}

fn entry<'a>(metadata: &'a ParquetMetaData, key: &str) -> Option<&'a str> {
    let key = metadata_key(key);
    let entries = metadata.file_metadata().key_value_metadata()?;
    entries.iter().find(|entry| entry.key == key)?.value.as_deref()
}

/// The run that an altered Parquet file says it is of, where that is another.
fn other_run(path: &Path, run_id: &str) -> Option<String> {
    let metadata = metadata(path).ok()?;
    entry(&metadata, "run_id").filter(|other| *other != run_id).map(str::to_string)
}

fn check_parquet(run: &StoredRun, artifact: &Artifact, path: &Path) -> Option<(ProblemKind, String)> {
    let metadata = match metadata(path) {
        Ok(metadata) => metadata,
        Err(error) => return Some((ProblemKind::UnreadableFile, format!("the file is no readable Parquet: {error}"))),
    };
    let version = entry(&metadata, "schema_version").and_then(|version| version.parse::<u32>().ok());
    if version.is_some_and(|version| version > ROWS_SCHEMA_VERSION) {
        return Some(newer(version.unwrap_or_default().into(), ROWS_SCHEMA_VERSION));
    }
    let expected = [
        ("run_id", run.row.run_id.clone(), entry(&metadata, "run_id")),
        ("pipeline", run.row.pipeline.clone(), entry(&metadata, "pipeline")),
        ("tool_version", run.row.tool_version.clone(), entry(&metadata, "tool_version")),
    ];
    for (key, expected, found) in expected {
        if found != Some(expected.as_str()) {
            let found = found.unwrap_or("nothing");
            let message = format!("the file's metadata says {key} = {found}, the catalogue {expected}");
            return Some((ProblemKind::WrongMetadata, message));
        }
    }
    let n_rows = metadata.file_metadata().num_rows().unsigned_abs();
    (artifact.n_rows != Some(n_rows)).then(|| {
        let expected = artifact.n_rows.map_or("none".to_string(), |n| n.to_string());
        (ProblemKind::WrongMetadata, format!("the file has {n_rows} rows, the catalogue says {expected}"))
    })
}

fn check_audit(path: &Path) -> Option<(ProblemKind, String)> {
    #[derive(Deserialize)]
    struct Version {
        schema_version: u64,
    }
    let read = File::open(path).map(io::BufReader::new);
    let version = read.map_err(|e| e.to_string());
    match version.and_then(|file| serde_json::from_reader::<_, Version>(file).map_err(|e| e.to_string())) {
        Ok(Version { schema_version }) if schema_version > SCHEMA_VERSION.into() => {
            Some(newer(schema_version, SCHEMA_VERSION))
        }
        Ok(_) => None,
        Err(error) => Some((ProblemKind::UnreadableFile, format!("the file is no readable audit: {error}"))),
    }
}

fn newer(found: u64, known: u32) -> (ProblemKind, String) {
    let message = format!("the file has schema version {found}, this probity knows {known}: verify with a newer one");
    (ProblemKind::NewerVersion, message)
}

/// Where a run's own files lie beside its rows.
pub(super) fn reports_folder(run: &StoredRun) -> PathBuf {
    run.results.join(layout::reports_folder(&run.row.pipeline, &run.row.run_id))
}
