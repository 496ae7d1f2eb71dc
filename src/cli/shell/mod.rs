//! `probity query` without SQL on a terminal: statements typed, answered, remembered.
//!
//! `line` is the text being typed, `complete` what a half-typed name may become, `history` what was typed before. A
//! statement ends with `;` and may take several lines; lines that begin with `\` are for the shell itself.

mod complete;
mod history;
mod line;

use super::opening;
use crate::store::Store;
use crate::store::query::{QueryFormat, QueryLimits, TableNames, names, query_into};
use console::Term;
use history::History;
use line::{Asked, Line};
use std::io::Write;

const HELP: &str = r"\d          the tables
\d TABLE    the columns of a table
\q          leave (or Ctrl-D)
Statements end with `;`. Tab completes names, the arrow keys recall statements, Ctrl-C gives a statement up.
";

/// Reads statements until the user leaves.
pub(super) fn run(store: &Store, limits: &QueryLimits, format: QueryFormat) -> Result<(), super::Problem> {
    let mut shell = Shell {
        store,
        limits,
        format,
        names: names(store)?,
        history: History::open(history::default_file(opening::env)),
        term: Term::stdout(),
    };
    eprintln!("SQL over the history, read-only. \\d lists the tables, \\? helps, \\q leaves.");
    // A terminal that is gone is the end of the session.
    shell.converse().ok();
    Ok(())
}

struct Shell<'s> {
    store: &'s Store,
    limits: &'s QueryLimits,
    format: QueryFormat,
    names: Vec<TableNames>,
    history: History,
    term: Term,
}

/// What a line of input means.
#[derive(Debug, PartialEq, Eq)]
enum Input<'t> {
    Empty,
    Leave,
    Help,
    Tables,
    Columns(&'t str),
    UnknownCommand(&'t str),
    Statement(&'t str),
    /// No `;` yet.
    Unfinished,
}

fn meaning(text: &str) -> Input<'_> {
    let text = text.trim();
    match text {
        "" => return Input::Empty,
        "exit" | "quit" | "exit;" | "quit;" => return Input::Leave,
        _ => {}
    }
    let Some(command) = text.strip_prefix('\\') else {
        return if ends(text) { Input::Statement(text) } else { Input::Unfinished };
    };
    let command = command.trim_end_matches(';').trim();
    match command.split_once(char::is_whitespace).map_or((command, ""), |(name, rest)| (name, rest.trim())) {
        ("q", _) => Input::Leave,
        ("?" | "h" | "help", _) => Input::Help,
        ("d" | "dt", "") => Input::Tables,
        ("d", table) => Input::Columns(table),
        _ => Input::UnknownCommand(command),
    }
}

/// Whether a statement ends: a `;` at its end that stands in no quotes.
fn ends(text: &str) -> bool {
    let mut quote = None;
    for c in text.chars() {
        match quote {
            None if c == '\'' || c == '"' => quote = Some(c),
            Some(open) if open == c => quote = None,
            _ => {}
        }
    }
    quote.is_none() && text.ends_with(';')
}

impl Shell<'_> {
    fn converse(&mut self) -> std::io::Result<()> {
        let mut statement = String::new();
        loop {
            let prompt = if statement.is_empty() { "probity> " } else { "    ...> " };
            match self.read_line(prompt, &statement)? {
                (Asked::Leave, _) => return Ok(()),
                (Asked::Cancel, _) => statement.clear(),
                (_, line) => {
                    statement = if statement.is_empty() { line } else { format!("{statement}\n{line}") };
                    match meaning(&statement) {
                        Input::Unfinished => continue,
                        Input::Leave => return Ok(()),
                        input => self.answer(input),
                    }
                    self.history.add(&statement);
                    statement.clear();
                }
            }
        }
    }

    fn answer(&self, input: Input<'_>) {
        match input {
            Input::Help => super::style::print(HELP),
            Input::Tables => self.names.iter().for_each(|table| super::style::print(&format!("{}\n", table.table))),
            Input::Columns(table) => self.ask(&format!("DESCRIBE {table}")),
            Input::UnknownCommand(command) => eprintln!("no command \\{command}; \\? lists them"),
            Input::Statement(sql) => self.ask(sql),
            Input::Empty | Input::Leave | Input::Unfinished => {}
        }
    }

    fn ask(&self, sql: &str) {
        match query_into(self.store, sql, self.limits, self.format, &mut std::io::stdout()) {
            Ok(written) if written.truncated => eprintln!("only the first {} rows are shown", written.n_rows),
            Ok(written) => eprintln!("{} row{}", written.n_rows, if written.n_rows == 1 { "" } else { "s" }),
            Err(error) => eprintln!("{error}"),
        }
    }

    /// One line from the terminal. `before` is what of the statement was typed on earlier lines.
    fn read_line(&mut self, prompt: &str, before: &str) -> std::io::Result<(Asked, String)> {
        let mut line = Line::default();
        let mut place = self.history.len();
        loop {
            self.draw(prompt, &line)?;
            let key = match self.term.read_key_raw() {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => console::Key::CtrlC,
                key => key?,
            };
            let asked = line.press(&key);
            match asked {
                Asked::Edit => {}
                Asked::Earlier => self.recall(&mut line, &mut place, -1),
                Asked::Later => self.recall(&mut line, &mut place, 1),
                Asked::Complete => self.complete(&mut line, before)?,
                Asked::Done | Asked::Cancel | Asked::Leave => {
                    writeln!(self.term)?;
                    return Ok((asked, line.text()));
                }
            }
        }
    }

    fn recall(&self, line: &mut Line, place: &mut usize, step: isize) {
        let next = place.saturating_add_signed(step).min(self.history.len());
        if next != *place {
            *place = next;
            *line = Line::of(self.history.get(next));
        }
    }

    fn complete(&mut self, line: &mut Line, before: &str) -> std::io::Result<()> {
        let typed = line.name_at_cursor();
        let statement = format!("{before} {}", line.text());
        let found = complete::candidates(&typed, &statement, &self.names);
        let common = complete::common_beginning(&found);
        if common.chars().count() > typed.chars().count() || found.len() == 1 {
            line.replace_name(&common);
        } else if found.len() > 1 {
            write!(self.term, "\r\n{}\r\n", found.join("  "))?;
        }
        Ok(())
    }

    fn draw(&mut self, prompt: &str, line: &Line) -> std::io::Result<()> {
        let width = usize::from(self.term.size().1).saturating_sub(prompt.len() + 1).max(8);
        let (shown, cursor) = line.window(width);
        self.term.clear_line()?;
        write!(self.term, "{prompt}{shown}\r")?;
        self.term.move_cursor_right(prompt.len() + cursor)?;
        self.term.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_ends_with_a_semicolon_outside_quotes() {
        assert_eq!(meaning("SELECT 1"), Input::Unfinished);
        assert_eq!(meaning(" SELECT 1; "), Input::Statement("SELECT 1;"));
        assert_eq!(meaning("SELECT ';"), Input::Unfinished);
        assert_eq!(meaning("SELECT\n';';"), Input::Statement("SELECT\n';';"));
    }

    #[test]
    fn lines_with_a_backslash_are_for_the_shell() {
        assert_eq!(meaning("\\d"), Input::Tables);
        assert_eq!(meaning("\\d runs;"), Input::Columns("runs"));
        assert_eq!(meaning("\\q"), Input::Leave);
        assert_eq!(meaning("\\x y"), Input::UnknownCommand("x y"));
        assert_eq!(meaning("  "), Input::Empty);
    }
}
