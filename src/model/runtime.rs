//! ONNX Runtime's library: where it is found, loading it, one environment per process.
//!
//! Looked for in this order: `ORT_DYLIB_PATH`; beside the binary's folders (`onnxruntime/` in the build folder,
//! `lib/probity/` next to an installed `bin/`); the system's loader is not asked, so that numbers come from a known version.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

#[cfg(target_os = "macos")]
const LIBRARY: &str = "libonnxruntime.dylib";
#[cfg(target_os = "windows")]
const LIBRARY: &str = "onnxruntime.dll";
#[cfg(not(any(target_os = "macos", target_os = "windows")))]
const LIBRARY: &str = "libonnxruntime.so";

#[derive(Debug, Clone, thiserror::Error)]
pub enum RuntimeError {
    #[error(
        "ONNX Runtime's library ({LIBRARY}) was not found; run `make onnxruntime` in the checkout, \
         or set ORT_DYLIB_PATH to the library of ONNX Runtime {minimum} or later (looked in: {looked})",
        minimum = minimum()
    )]
    NotFound { looked: String },
    #[error("ORT_DYLIB_PATH names `{path}`, but there is no such file; mend or unset it", path = path.display())]
    NoSuchFile { path: PathBuf },
    #[error(
        "{path}: cannot be used as ONNX Runtime's library: {reason}; run `make onnxruntime` in the checkout, \
         or set ORT_DYLIB_PATH to the library of ONNX Runtime {minimum} or later",
        path = path.display(), minimum = minimum()
    )]
    Unusable { path: PathBuf, reason: String },
}

fn minimum() -> String {
    format!("1.{}", ort::MINOR_VERSION)
}

/// The process's environment; the library is loaded at the first call.
pub fn environment() -> Result<&'static ort::environment::Environment, RuntimeError> {
    static LOADED: OnceLock<Result<ort::environment::Environment, RuntimeError>> = OnceLock::new();
    LOADED.get_or_init(load).as_ref().map_err(Clone::clone)
}

fn load() -> Result<ort::environment::Environment, RuntimeError> {
    let path = locate()?;
    let unusable = |reason: String| RuntimeError::Unusable { path: path.clone(), reason };
    let builder = ort::init_from(&path).map_err(|error| unusable(error.to_string()))?;
    builder.with_name("probity").with_telemetry(false).build().map_err(|error| unusable(error.to_string()))
}

fn locate() -> Result<PathBuf, RuntimeError> {
    if let Some(path) = std::env::var_os("ORT_DYLIB_PATH").filter(|path| !path.is_empty()).map(PathBuf::from) {
        return if path.is_file() { Ok(path) } else { Err(RuntimeError::NoSuchFile { path }) };
    }
    let folders = candidate_folders(std::env::current_exe().ok().as_deref());
    let found = folders.iter().map(|folder| folder.join(LIBRARY)).find(|path| path.is_file());
    found.ok_or_else(|| RuntimeError::NotFound {
        looked: folders.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(", "),
    })
}

/// For an executable in `target/release/deps/`: `onnxruntime/` in each folder above; for `bin/`: `../lib/probity/`.
fn candidate_folders(executable: Option<&Path>) -> Vec<PathBuf> {
    let resolved = executable.map(|path| path.canonicalize().unwrap_or_else(|_| path.to_owned()));
    let above = resolved.iter().flat_map(|path| path.ancestors().skip(1).take(4));
    let mut folders: Vec<_> =
        above.flat_map(|folder| [folder.join("onnxruntime"), folder.join("lib/probity")]).collect();
    folders.extend(option_env!("PROBITY_ORT_FOLDER").map(PathBuf::from));
    folders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_built_and_an_installed_binary_both_find_the_library() {
        let built = candidate_folders(Some(Path::new("/checkout/target/release/deps/probity-1234")));
        assert!(built.contains(&PathBuf::from("/checkout/target/onnxruntime")));
        let installed = candidate_folders(Some(Path::new("/usr/local/bin/probity")));
        assert!(installed.contains(&PathBuf::from("/usr/local/lib/probity")));
    }
}
