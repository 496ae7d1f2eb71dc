//! A page of ours as PDF, printed by an installed Chromium.
//!
//! The browser gets a file, a profile folder that is gone afterwards, and no network: names resolve to nothing. Pages of
//! ours ask for nothing anyway. A PDF is another rendering of a stored run, not a stored file: Chromium writes the time of
//! printing into it, so two of them differ by a few bytes.

use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Variables that name the browser, the first that is set wins.
const VARIABLES: [&str; 2] = ["PROBITY_CHROMIUM", "CHROMIUM"];
/// What it is called where it is installed.
const NAMES: [&str; 5] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
/// A report of two megabytes takes a few seconds; a browser that hangs does not end by itself.
const LONGEST: Duration = Duration::from_secs(120);
const FLAGS: &[&str] = &[
    "--headless=new",
    "--disable-gpu",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--no-pdf-header-footer",
];

#[derive(Debug, thiserror::Error)]
pub enum PdfError {
    #[error(
        "no Chromium was found to print the PDF: install it (Debian, Ubuntu: `apt-get install chromium`; Chrome does as well), or name its program in PROBITY_CHROMIUM; `--format html` needs none"
    )]
    NoBrowser,
    #[error("{variable} names {}, which is not a program that can be run", .path.display())]
    BadVariable { variable: &'static str, path: PathBuf },
    #[error("{} could not be started: {source}", .browser.display())]
    Start { browser: PathBuf, source: std::io::Error },
    #[error("{} did not print the page within {} seconds and was stopped", .browser.display(), .after.as_secs())]
    TimedOut { browser: PathBuf, after: Duration },
    #[error("{} printed no PDF ({status}){}", .browser.display(), last_words(.said))]
    NoPdf { browser: PathBuf, status: ExitStatus, said: String },
    #[error("a folder for the browser's profile could not be used: {0}")]
    Scratch(#[from] std::io::Error),
}

fn last_words(said: &str) -> String {
    let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(3)..].iter().map(|line| format!("\n  {line}")).collect()
}

/// Where the browser is, by the environment's variables and its search path.
///
/// # Errors
/// There is none, or a variable names what cannot be run.
pub fn browser(env: impl Fn(&str) -> Option<OsString>) -> Result<PathBuf, PdfError> {
    let folders: Vec<PathBuf> = env("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default();
    let on_path = |name: &Path| folders.iter().map(|folder| folder.join(name)).find(|path| is_program(path));
    for variable in VARIABLES {
        let Some(path) = env(variable).filter(|value| !value.is_empty()).map(PathBuf::from) else { continue };
        let found = if path.components().count() == 1 { on_path(&path) } else { Some(path.clone()) };
        return found.filter(|path| is_program(path)).ok_or(PdfError::BadVariable { variable, path });
    }
    NAMES.iter().find_map(|name| on_path(Path::new(name))).ok_or(PdfError::NoBrowser)
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

/// Prints a page: the bytes of its PDF.
///
/// # Errors
/// The browser cannot be started, does not end, or leaves no PDF; with its last words.
pub fn print(html: &str, browser: &Path) -> Result<Vec<u8>, PdfError> {
    print_within(html, browser, LONGEST)
}

fn print_within(html: &str, browser: &Path, longest: Duration) -> Result<Vec<u8>, PdfError> {
    // Removed when it goes out of scope, whatever happens.
    let scratch = tempfile::Builder::new().prefix("probity-pdf-").tempdir()?;
    let (page, pdf) = (scratch.path().join("report.html"), scratch.path().join("report.pdf"));
    let errors = scratch.path().join("stderr");
    std::fs::write(&page, html)?;
    let mut command = Command::new(browser);
    command.args(FLAGS).arg(option("--user-data-dir=", &scratch.path().join("profile")));
    if owner_is_root(scratch.path()) {
        // Chromium's sandbox refuses to work for root.
        command.arg("--no-sandbox");
    }
    command.arg(option("--print-to-pdf=", &pdf)).arg(&page);
    // A file and no pipe: nobody has to read while the browser works.
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(std::fs::File::create(&errors)?);
    let started = command.spawn();
    let child = started.map_err(|source| PdfError::Start { browser: browser.to_owned(), source })?;
    let Some(status) = ended(child, longest)? else {
        return Err(PdfError::TimedOut { browser: browser.to_owned(), after: longest });
    };
    match std::fs::read(&pdf) {
        Ok(bytes) if status.success() && bytes.starts_with(b"%PDF-") => Ok(bytes),
        _ => Err(PdfError::NoPdf { browser: browser.to_owned(), status, said: beginning(&errors) }),
    }
}

fn option(name: &str, path: &Path) -> OsString {
    let mut option = OsString::from(name);
    option.push(path);
    option
}

/// What a program said, within reason.
fn beginning(path: &Path) -> String {
    let mut said = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(64 * 1024).read_to_end(&mut said));
    read.map(|_| String::from_utf8_lossy(&said).into_owned()).unwrap_or_default()
}

/// How a child ended; `None` where it had to be stopped.
fn ended(mut child: Child, longest: Duration) -> Result<Option<ExitStatus>, std::io::Error> {
    let started = Instant::now();
    while started.elapsed() < longest {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill()?;
    child.wait()?;
    Ok(None)
}

/// Whose the folder is that this process has just made.
#[cfg(unix)]
fn owner_is_root(made: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    made.metadata().is_ok_and(|folder| folder.uid() == 0)
}

#[cfg(not(unix))]
fn owner_is_root(_made: &Path) -> bool {
    false
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// A program that does `script`, in a folder of its own.
    fn program(name: &str, script: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        (folder, path)
    }

    #[test]
    fn the_variable_wins_over_the_search_path_and_must_name_a_program() {
        let (folder, path) = program("google-chrome", "");
        let env = |set: Option<(&'static str, PathBuf)>| {
            let folder = folder.path().as_os_str().to_owned();
            move |name: &str| match (&set, name) {
                (Some((variable, path)), name) if name == *variable => Some(path.clone().into_os_string()),
                (_, "PATH") => Some(folder.clone()),
                _ => None,
            }
        };
        assert_eq!(browser(env(None)).unwrap(), path);
        assert_eq!(browser(env(Some(("CHROMIUM", "google-chrome".into())))).unwrap(), path);
        let missing = browser(env(Some(("PROBITY_CHROMIUM", "/no/such/program".into()))));
        assert!(matches!(missing, Err(PdfError::BadVariable { variable: "PROBITY_CHROMIUM", .. })));
        assert!(matches!(browser(|_| None), Err(PdfError::NoBrowser)));
    }

    #[test]
    fn a_browser_that_prints_nothing_is_an_error_with_its_last_words() {
        let (_folder, path) = program("chromium", "echo 'no usable display' >&2; exit 3");
        let error = print("<p>x</p>", &path).unwrap_err().to_string();
        assert!(error.contains("exit status: 3") && error.ends_with("\n  no usable display"), "{error}");
        let (_folder, path) =
            program("chromium", "for a; do case $a in --print-to-pdf=*) echo text > ${a#*=};; esac; done");
        assert!(matches!(print("", &path), Err(PdfError::NoPdf { .. })));
    }

    #[test]
    fn a_browser_that_does_not_end_is_stopped() {
        let (_folder, path) = program("chromium", "exec sleep 60");
        let started = Instant::now();
        let error = print_within("", &path, Duration::from_millis(300)).unwrap_err();
        assert!(matches!(error, PdfError::TimedOut { .. }), "{error}");
        assert!(started.elapsed() < Duration::from_secs(20));
    }

    /// The page is handed over as a file, and nothing is left behind.
    #[test]
    fn the_profile_folder_is_gone_afterwards() {
        let script = "for a; do case $a in --print-to-pdf=*) out=${a#*=};; *.html) page=$a;; esac; done; \
                      echo $out > \"$(dirname $0)/where\"; printf '%%PDF-' > $out; cat $page >> $out";
        let (folder, path) = program("chromium", script);
        assert_eq!(print("<p>x</p>", &path).unwrap(), b"%PDF-<p>x</p>");
        let there = std::fs::read_to_string(folder.path().join("where")).unwrap();
        assert!(!Path::new(there.trim()).parent().unwrap().exists());
    }
}
