//! Results folders and catalogues that cannot be written.

use super::refused_late;
use crate::project::{BINARY, DAY, Project, Ran, skipped};
use std::fs;

#[test]
fn a_results_folder_that_cannot_be_made_is_named_with_its_key() {
    let project = Project::new();
    project.edit("var/results", "people.csv/results");
    refused_late(&project, &["people.csv/results", "[store]"]);
}

#[test]
fn a_catalogue_that_is_no_database_is_left_alone() {
    let project = Project::new();
    project.write("var/catalogue.db", "not a database, but somebody's notes. ".repeat(200));
    let before = fs::read(project.path("var/catalogue.db")).unwrap();
    let ran = project.run(&[]);
    ran.expect(2).says(&["catalogue.db", "not a probity catalogue"]);
    assert_eq!(fs::read(project.path("var/catalogue.db")).unwrap(), before);
    assert!(project.results().is_empty());
}

#[test]
fn a_catalogue_of_a_newer_version_is_left_alone() {
    let project = Project::new();
    project.ran(0);
    let path = project.path("var/catalogue.db");
    // SQLite's user version stands at byte 60 (https://sqlite.org/fileformat.html#the_database_header).
    let mut bytes = fs::read(&path).unwrap();
    bytes[60..64].copy_from_slice(&99_u32.to_be_bytes());
    fs::write(&path, &bytes).unwrap();
    let before = project.files();
    let ran = project.run(&["--force"]);
    ran.expect(2).says(&["catalogue.db", "schema version 99", "newer"]);
    assert_eq!(fs::read(&path).unwrap(), bytes);
    assert_eq!(project.files(), before);
    for verb in [vec!["runs"], vec!["show", "credit@latest"], vec!["query", "SELECT 1"]] {
        let arguments = [verb.as_slice(), &["--catalogue", "var/catalogue.db"]].concat();
        project.probity(&arguments).expect(2).says(&["schema version 99"]);
    }
}

#[test]
fn a_catalogue_that_is_not_there_is_named_to_those_who_only_read() {
    let project = Project::empty();
    let ran = project.probity(&["runs", "--catalogue", "nowhere.db"]);
    ran.expect(2).says(&["no catalogue at nowhere.db", "probity run"]);
    assert!(project.files().is_empty());
}

#[cfg(unix)]
mod permissions {
    use super::*;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
    use std::os::unix::process::CommandExt;
    use std::path::{Path, PathBuf};

    const NOBODY: u32 = 65_534;

    fn chmod(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn owned_by_nobody(folder: &Path) {
        chown(folder, Some(NOBODY), Some(NOBODY)).unwrap();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { owned_by_nobody(&path) } else { chown(&path, Some(NOBODY), Some(NOBODY)).unwrap() }
        }
    }

    /// The binary and ONNX Runtime where everybody may read them: the build folder may lie in somebody's home.
    fn reachable_binary(folder: &Path) -> PathBuf {
        let library = Path::new(BINARY).ancestors().map(|above| above.join("onnxruntime/libonnxruntime.so"));
        let library = library.filter_map(|path| path.canonicalize().ok()).next().unwrap();
        let binary = folder.join("bin/probity");
        for (from, to) in [(Path::new(BINARY), &binary), (&library, &folder.join("onnxruntime/libonnxruntime.so"))] {
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::hard_link(from, to).or_else(|_| fs::copy(from, to).map(drop)).unwrap();
        }
        chmod(folder, 0o755);
        binary
    }

    /// Permissions do not bind the superuser, so for them the binary runs as nobody. `None` where it cannot.
    fn run_as_bound_by_permissions(project: &Project, test: &str, more: &[&str]) -> Option<Ran> {
        let arguments = [&["run", "audit.toml", "--as-of", DAY], more].concat();
        let superuser = fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
        let folder = tempfile::tempdir().unwrap();
        let mut command = match superuser {
            true => project.command_of(&reachable_binary(folder.path()), &arguments),
            false => project.command(&arguments),
        };
        if superuser {
            command.uid(NOBODY).gid(NOBODY);
        }
        match command.output() {
            Ok(output) => Some(Ran::of(output)),
            Err(error) => {
                skipped(test, &format!("the binary cannot be run as another user: {error}"));
                None
            }
        }
    }

    fn bound_project() -> Project {
        let project = Project::new();
        if fs::metadata(project.folder()).unwrap().uid() == 0 {
            owned_by_nobody(project.folder());
        }
        project
    }

    #[test]
    fn a_results_folder_that_cannot_be_written_is_named_with_its_key() {
        let project = bound_project();
        fs::create_dir_all(project.path("var/results")).unwrap();
        if fs::metadata(project.folder()).unwrap().uid() == NOBODY {
            owned_by_nobody(project.folder());
        }
        chmod(&project.path("var/results"), 0o555);
        let ran = run_as_bound_by_permissions(&project, "an unwritable results folder", &[]);
        chmod(&project.path("var/results"), 0o755);
        let Some(ran) = ran else { return };
        ran.expect(2).says(&["var/results", "make the folder writable", "[store]"]);
        assert!(project.results().is_empty());
        assert!(!project.path("var/catalogue.db").exists() || project.query("SELECT * FROM runs").is_empty());
    }

    #[test]
    fn a_read_only_catalogue_is_refused_and_left_as_it_was() {
        let project = bound_project();
        let Some(first) = run_as_bound_by_permissions(&project, "a read-only catalogue", &[]) else { return };
        first.expect(0);
        let path = project.path("var/catalogue.db");
        let (before, results) = (fs::read(&path).unwrap(), project.results());
        chmod(&path, 0o444);
        let again = run_as_bound_by_permissions(&project, "a read-only catalogue", &["--force"]).unwrap();
        again.expect(2).says(&["catalogue.db", "read-only"]);
        assert!(fs::read(&path).unwrap() == before, "the catalogue was altered");
        assert_eq!(project.results(), results);
    }

    #[test]
    fn a_read_only_catalogue_folder_is_refused() {
        let project = bound_project();
        let Some(first) = run_as_bound_by_permissions(&project, "a read-only catalogue folder", &[]) else { return };
        first.expect(0);
        let results = project.results();
        chmod(&project.path("var/catalogue.db"), 0o444);
        chmod(&project.path("var"), 0o555);
        let again = run_as_bound_by_permissions(&project, "a read-only catalogue folder", &["--force"]);
        chmod(&project.path("var"), 0o755);
        again.unwrap().expect(2).says(&["var/catalogue.db"]);
        assert_eq!(project.results(), results);
    }
}

/// A small file system that is full before the run is stored.
#[cfg(target_os = "linux")]
mod full_disk {
    use super::*;
    use std::path::PathBuf;
    use std::process::Command;

    struct Mounted(PathBuf);

    impl Mounted {
        fn tmpfs(at: PathBuf, bytes: usize) -> Result<Self, String> {
            fs::create_dir_all(&at).unwrap();
            let size = format!("size={bytes}");
            let done = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&at).output();
            match done {
                Ok(output) if output.status.success() => Ok(Self(at)),
                Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
                Err(error) => Err(error.to_string()),
            }
        }
    }

    impl Drop for Mounted {
        fn drop(&mut self) {
            Command::new("umount").arg("-l").arg(&self.0).status().ok();
        }
    }

    #[test]
    fn a_full_results_disk_is_named_and_nothing_remains_on_it() {
        let project = Project::new();
        let mounted = match Mounted::tmpfs(project.path("var/results"), 16 * 1024) {
            Ok(mounted) => mounted,
            Err(why) => return skipped("a full disk", &format!("no small file system can be mounted here: {why}")),
        };
        project.run(&[]).expect(2).says(&["full", "free some space"]);
        assert_eq!(project.results(), Vec::<String>::new());
        let succeeded = project.query("SELECT * FROM runs WHERE status = 'succeeded'");
        assert!(succeeded.is_empty(), "{succeeded:?}");
        drop(mounted);
        project.ran(0);
    }
}
