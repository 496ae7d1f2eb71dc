//! One line being typed: a pure state machine from keys to text, so that it can be tested without a terminal.

use console::Key;

/// The text and where the cursor stands in it, in characters.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Line {
    text: Vec<char>,
    cursor: usize,
}

/// What a key meant beyond the line itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// Nothing: the line may have changed.
    Edit,
    Done,
    Complete,
    Earlier,
    Later,
    /// Give the statement up.
    Cancel,
    /// The end of the input.
    Leave,
}

/// Keys that have no name of their own.
const CTRL_D: char = '\u{4}';
const CTRL_K: char = '\u{b}';
const CTRL_U: char = '\u{15}';
const CTRL_W: char = '\u{17}';

impl Line {
    pub fn of(text: &str) -> Self {
        let text: Vec<char> = text.chars().collect();
        Self { cursor: text.len(), text }
    }

    pub fn text(&self) -> String {
        self.text.iter().collect()
    }

    pub fn press(&mut self, key: &Key) -> Asked {
        match key {
            Key::Enter => return Asked::Done,
            Key::Tab => return Asked::Complete,
            Key::ArrowUp => return Asked::Earlier,
            Key::ArrowDown => return Asked::Later,
            Key::CtrlC => return Asked::Cancel,
            Key::Char(CTRL_D) if self.text.is_empty() => return Asked::Leave,
            Key::ArrowLeft => self.cursor = self.cursor.saturating_sub(1),
            Key::ArrowRight => self.cursor = (self.cursor + 1).min(self.text.len()),
            Key::Home => self.cursor = 0,
            Key::End => self.cursor = self.text.len(),
            Key::Backspace if self.cursor > 0 => self.remove(self.cursor - 1..self.cursor),
            Key::Del | Key::Char(CTRL_D) if self.cursor < self.text.len() => self.remove(self.cursor..self.cursor + 1),
            Key::Char(CTRL_U) => self.remove(0..self.cursor),
            Key::Char(CTRL_K) => self.remove(self.cursor..self.text.len()),
            Key::Char(CTRL_W) => self.remove(self.word_before()..self.cursor),
            Key::Char(c) if !c.is_control() => self.insert(&c.to_string()),
            _ => {}
        }
        Asked::Edit
    }

    fn remove(&mut self, range: std::ops::Range<usize>) {
        self.cursor = range.start;
        self.text.drain(range);
    }

    fn insert(&mut self, text: &str) {
        let at = self.cursor;
        self.text.splice(at..at, text.chars());
        self.cursor += text.chars().count();
    }

    /// Where the word that ends at the cursor, and the space behind it, begin.
    fn word_before(&self) -> usize {
        let before = &self.text[..self.cursor];
        let end = before.iter().rposition(|c| !c.is_whitespace()).map_or(0, |at| at + 1);
        before[..end].iter().rposition(|c| c.is_whitespace()).map_or(0, |at| at + 1)
    }

    /// The name being typed at the cursor.
    pub fn name_at_cursor(&self) -> String {
        let before = &self.text[..self.cursor];
        let start = before.iter().rposition(|c| !is_part_of_name(*c)).map_or(0, |at| at + 1);
        before[start..].iter().collect()
    }

    /// Puts `name` in the place of what [`Line::name_at_cursor`] says.
    pub fn replace_name(&mut self, name: &str) {
        let length = self.name_at_cursor().chars().count();
        self.remove(self.cursor - length..self.cursor);
        self.insert(name);
    }

    /// The part of the line that fits into `width` columns around the cursor, and the cursor's place in it. Wide
    /// characters take more than one column, so the place is counted in columns.
    pub fn window(&self, width: usize) -> (String, usize) {
        let columns = |from: usize, to: usize| -> usize {
            self.text[from..to].iter().map(|c| console::measure_text_width(&c.to_string())).sum()
        };
        let mut start = 0;
        while start < self.cursor && columns(start, self.cursor) >= width {
            start += 1;
        }
        let mut end = self.text.len();
        while end > self.cursor && columns(start, end) > width {
            end -= 1;
        }
        (self.text[start..end].iter().collect(), columns(start, self.cursor))
    }
}

fn is_part_of_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '\\'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(line: &mut Line, text: &str) {
        for c in text.chars() {
            line.press(&Key::Char(c));
        }
    }

    #[test]
    fn keys_edit_where_the_cursor_stands() {
        let mut line = Line::of("SELECT a");
        line.press(&Key::ArrowLeft);
        typed(&mut line, "é, ");
        assert_eq!(line.text(), "SELECT é, a");
        line.press(&Key::Home);
        line.press(&Key::Del);
        line.press(&Key::End);
        line.press(&Key::Backspace);
        line.press(&Key::ArrowRight);
        typed(&mut line, "b");
        assert_eq!(line.text(), "ELECT é, b");
        line.press(&Key::Char(CTRL_W));
        assert_eq!(line.text(), "ELECT é, ");
        line.press(&Key::Char(CTRL_W));
        assert_eq!(line.text(), "ELECT ");
        line.press(&Key::Home);
        line.press(&Key::Backspace);
        line.press(&Key::ArrowLeft);
        assert_eq!(line.press(&Key::Char(CTRL_K)), Asked::Edit);
        assert_eq!(line.text(), "");
        assert_eq!(line.press(&Key::Char(CTRL_D)), Asked::Leave);
    }

    #[test]
    fn a_name_is_completed_in_its_place() {
        let mut line = Line::of("SELECT max(attr) FROM runs");
        for _ in 0.." FROM runs)".len() {
            line.press(&Key::ArrowLeft);
        }
        assert_eq!(line.name_at_cursor(), "attr");
        line.replace_name("attribution");
        assert_eq!(line.text(), "SELECT max(attribution) FROM runs");
        assert_eq!(Line::of("\\d ru").name_at_cursor(), "ru");
    }

    #[test]
    fn a_line_longer_than_the_terminal_is_shown_around_the_cursor() {
        let mut line = Line::of("abcdefgh");
        assert_eq!(line.window(20), ("abcdefgh".to_owned(), 8));
        assert_eq!(line.window(5), ("efgh".to_owned(), 4));
        line.press(&Key::Home);
        assert_eq!(line.window(5), ("abcde".to_owned(), 0));
    }
}
