//! Files that are either not there or complete: written under a temporary name, hashed on the way, synced, renamed.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::error::StoreError;

/// Beginning of the temporary names of a run.
pub(super) fn temporary_prefix(run_id: &str) -> String {
    format!(".tmp-{run_id}-")
}

/// An open file under its temporary name. Dropped before [`PendingFile::publish`], it removes itself.
#[derive(Debug)]
pub(super) struct PendingFile {
    file: File,
    hasher: Sha256,
    bytes: u64,
    temporary: Temporary,
    target: PathBuf,
}

/// A finished, synced file that still has its temporary name.
#[derive(Debug)]
pub(super) struct SyncedFile {
    temporary: Temporary,
    target: PathBuf,
    pub(super) sha256: String,
    pub(super) bytes: u64,
}

/// Removes the file when dropped, unless it has moved.
#[derive(Debug)]
struct Temporary {
    path: PathBuf,
    moved: bool,
}

impl PendingFile {
    /// Makes the folder of `target` where it is missing, and the temporary file in it.
    pub(super) fn create(target: &Path, run_id: &str) -> Result<Self, StoreError> {
        let (folder, name) = split(target);
        fs::create_dir_all(folder).map_err(|e| StoreError::io("make the folder", folder, e))?;
        let path = folder.join(format!("{}{name}", temporary_prefix(run_id)));
        let file = File::create(&path).map_err(|e| StoreError::io("write", &path, e))?;
        let temporary = Temporary { path, moved: false };
        Ok(Self { file, hasher: Sha256::new(), bytes: 0, temporary, target: target.to_path_buf() })
    }

    pub(super) fn sync(self) -> Result<SyncedFile, StoreError> {
        self.file.sync_all().map_err(|e| StoreError::io("write", &self.target, e))?;
        let sha256 = hex(&self.hasher.finalize());
        Ok(SyncedFile { temporary: self.temporary, target: self.target, sha256, bytes: self.bytes })
    }
}

impl Write for PendingFile {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.file.write(buffer)?;
        self.hasher.update(&buffer[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl SyncedFile {
    /// Gives the file its name. Lasting only once its folder is synced, see [`sync_folders`].
    pub(super) fn publish(mut self) -> Result<PathBuf, StoreError> {
        fs::rename(&self.temporary.path, &self.target).map_err(|e| StoreError::io("write", &self.target, e))?;
        self.temporary.moved = true;
        Ok(self.target.clone())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.moved {
            // A file that cannot be removed now is a leftover, which the next run cleans.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Writes a whole small file.
pub(super) fn write(target: &Path, run_id: &str, content: &[u8]) -> Result<SyncedFile, StoreError> {
    let mut file = PendingFile::create(target, run_id)?;
    file.write_all(content).map_err(|e| StoreError::io("write", target, e))?;
    file.sync()
}

/// Makes names in the folders of `files` lasting, and those of the folders above them up to `root`'s own entry.
pub(super) fn sync_folders<'a>(root: &Path, files: impl IntoIterator<Item = &'a Path>) -> Result<(), StoreError> {
    let mut folders = std::collections::BTreeSet::new();
    for file in files {
        folders.extend(file.ancestors().skip(1).take_while(|folder| folder.starts_with(root)));
    }
    folders.extend(root.parent());
    // Deepest first: a folder's entry must not last longer than what it names.
    for folder in folders.into_iter().rev() {
        sync_folder(folder)?;
    }
    Ok(())
}

fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    // Only Unix lets a folder be opened and synced; elsewhere renames are ordered by the file system.
    if cfg!(unix) {
        let synced = File::open(folder).and_then(|handle| handle.sync_all());
        synced.map_err(|e| StoreError::io("sync the folder", folder, e))?;
    }
    Ok(())
}

/// Lower-case hexadecimal digits of a hash.
pub(super) fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn split(target: &Path) -> (&Path, std::borrow::Cow<'_, str>) {
    let folder = target.parent().unwrap_or(Path::new(""));
    (folder, target.file_name().unwrap_or_default().to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_its_name_only_after_publishing() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a/b/out.bin");
        let synced = write(&target, "run", b"abc").unwrap();
        assert!(!target.exists());
        assert_eq!(synced.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(synced.bytes, 3);
        let sha256 = synced.sha256.clone();
        synced.publish().unwrap();
        sync_folders(folder.path(), [target.as_path()]).unwrap();
        assert_eq!(hex(&Sha256::digest(fs::read(&target).unwrap())), sha256);
        assert_eq!(fs::read_dir(target.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_dropped_file_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out.bin");
        drop(write(&target, "run", b"abc").unwrap());
        let mut pending = PendingFile::create(&target, "run").unwrap();
        pending.write_all(b"abc").unwrap();
        drop(pending);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_in_the_place_of_a_folder_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let blocked = folder.path().join("results");
        fs::write(&blocked, "").unwrap();
        let error = PendingFile::create(&blocked.join("x/out.bin"), "run").unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("results"), "{error}");
    }
}
