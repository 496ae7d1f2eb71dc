//! Files that are either not there or complete: written beside their place, then renamed into it. For what is made
//! from the history and can be made again; the history's own files are synced and hashed as well (`store`).

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// A file on its way. Dropped before [`WholeFile::finish`], it removes itself and leaves what stood in its place.
#[derive(Debug)]
pub struct WholeFile {
    file: BufWriter<File>,
    temporary: PathBuf,
    target: PathBuf,
    finished: bool,
}

impl WholeFile {
    /// Begins the file; its folder must be there.
    pub fn create(target: &Path) -> io::Result<Self> {
        let name = target.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
        let temporary = target.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
        let file = BufWriter::new(File::create(&temporary)?);
        Ok(Self { file, temporary, target: target.to_path_buf(), finished: false })
    }

    /// Gives the file its name, in place of what had it.
    pub fn finish(mut self) -> io::Result<()> {
        self.file.flush()?;
        fs::rename(&self.temporary, &self.target)?;
        self.finished = true;
        Ok(())
    }
}

/// Writes a whole file into a folder that is there.
pub fn write(target: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = WholeFile::create(target)?;
    file.write_all(content)?;
    file.finish()
}

impl Write for WholeFile {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.file.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        if !self.finished {
            // Nothing more can be done about a file that cannot even be removed.
            fs::remove_file(&self.temporary).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_finished_leaves_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out.txt");
        write(&target, b"old").unwrap();
        let mut half = WholeFile::create(&target).unwrap();
        half.write_all(b"ne").unwrap();
        drop(half);
        assert_eq!(fs::read(&target).unwrap(), b"old");
        write(&target, b"new").unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
