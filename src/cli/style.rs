//! Logging, and writing to stdout so that a closed pipe ends us quietly.

use super::args::{Cli, LogFormat};
use std::io::Write;
use tracing_subscriber::filter::LevelFilter;

pub(super) fn start_logging(cli: &Cli) {
    // Whoever collects JSON lines wants to see runs begin and end.
    let level = match cli.verbose + u8::from(cli.log_format == LogFormat::Json) {
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    // Other crates' chatter is of no use to whoever reads an audit's log.
    let ours = tracing_subscriber::filter::Targets::new().with_target("probity", level);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(colours());
    use tracing_subscriber::prelude::*;
    let registry = tracing_subscriber::registry();
    let set = match cli.log_format {
        LogFormat::Json => registry.with(lines.json().with_filter(ours)).try_init(),
        LogFormat::Text => registry.with(lines.with_target(false).without_time().with_filter(ours)).try_init(),
    };
    // A second start in one process (tests) keeps the first.
    set.ok();
    let theme = match colours() {
        true => miette::GraphicalTheme::unicode(),
        false => miette::GraphicalTheme::unicode_nocolor(),
    };
    miette::set_hook(Box::new(move |_| {
        Box::new(miette::MietteHandlerOpts::new().graphical_theme(theme.clone()).width(100).build())
    }))
    .ok();
}

/// Colours only on a terminal that wants them.
pub(super) fn colours() -> bool {
    use std::io::IsTerminal;
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) && std::io::stderr().is_terminal()
}

/// Writes data to stdout. Whoever closed the pipe has seen enough.
pub(super) fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).ok();
}

/// Stdout for what is written piece by piece; remembers when whoever read it has gone.
pub(super) struct Stdout {
    out: std::io::BufWriter<std::io::Stdout>,
    pub closed: bool,
}

impl Stdout {
    pub fn new() -> Self {
        Self { out: std::io::BufWriter::new(std::io::stdout()), closed: false }
    }

    fn noticed<T>(&mut self, done: std::io::Result<T>) -> std::io::Result<T> {
        self.closed |= done.as_ref().is_err_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe);
        done
    }
}

impl Write for Stdout {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        let written = self.out.write(buffer);
        self.noticed(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        let flushed = self.out.flush();
        self.noticed(flushed)
    }
}

/// Columns aligned with two spaces between; numbers to the right where `right` says so.
pub(super) fn table(header: &[&str], rows: &[Vec<String>], right: &[bool]) -> String {
    let width = |text: &str| text.chars().count();
    let mut widths: Vec<usize> = header.iter().map(|name| width(name)).collect();
    for row in rows {
        widths.iter_mut().zip(row).for_each(|(widest, cell)| *widest = (*widest).max(width(cell)));
    }
    let line = |cells: Vec<&str>| {
        let padded = cells.iter().enumerate().map(|(at, cell)| {
            let pad = " ".repeat(widths[at] - width(cell));
            if right.get(at).copied().unwrap_or(false) { format!("{pad}{cell}") } else { format!("{cell}{pad}") }
        });
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    let mut out = line(header.to_vec());
    out +=
        &line(widths.iter().map(|width| "─".repeat(*width)).collect::<Vec<_>>().iter().map(String::as_str).collect());
    rows.iter().for_each(|row| out += &line(row.iter().map(String::as_str).collect()));
    out
}

/// "1,234,567".
pub(super) fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap_or("")).collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        assert_eq!([0, 999, 1_000, 48_842, 1_234_567].map(thousands), ["0", "999", "1,000", "48,842", "1,234,567"]);
    }

    #[test]
    fn tables_align() {
        let text =
            table(&["name", "n"], &[vec!["é".into(), "10".into()], vec!["long".into(), "5".into()]], &[false, true]);
        assert_eq!(text, "name   n\n────  ──\né     10\nlong   5\n");
    }
}
