//! Names that come from data or config: made printable and cut to the room they have.

use serde::Serialize;

/// Longest tooltip beside the place that shows a name in full.
const MAX_TITLE: usize = 300;

/// A name as shown, and the longer text of its tooltip where it had to be cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Label {
    pub text: String,
    pub title: Option<String>,
}

impl Label {
    /// At most `max_chars` characters; the tooltip holds up to 300 more.
    pub fn fit(name: &str, max_chars: usize) -> Self {
        let title = || shorten(name, MAX_TITLE);
        Self { text: shorten(name, max_chars), title: is_longer(name, max_chars).then(title) }
    }

    /// Like [`Label::fit`], with the whole name in the tooltip however long it is.
    pub fn whole(name: &str, max_chars: usize) -> Self {
        Self { title: is_longer(name, max_chars).then(|| clean(name)), ..Self::fit(name, max_chars) }
    }
}

impl Label {
    /// As much of a name as fits into `room` user units at `size`.
    pub fn within(name: &str, room: f64, size: f64) -> Self {
        let name = shorten(name, MAX_TITLE);
        if width(&name, size) <= room {
            return Self { text: name, title: None };
        }
        let mut kept = String::new();
        for c in name.chars() {
            if width(&kept, size) + width("…", size) + em(c) * size > room {
                break;
            }
            kept.push(c);
        }
        Self { text: format!("{}…", kept.trim_end()), title: Some(name) }
    }
}

/// The text with what cannot be printed or would reorder its surroundings replaced by U+FFFD.
pub fn clean(text: &str) -> String {
    text.chars().map(|c| if is_printable(c) { c } else { '\u{FFFD}' }).collect()
}

/// At most `max_chars` characters; what was cut is shown as an ellipsis.
pub fn shorten(text: &str, max_chars: usize) -> String {
    let text = clean(text);
    if !is_longer(&text, max_chars) {
        return text;
    }
    let kept: String = text.chars().take(max_chars.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// A rough width in pixels of text set at `size` pixels in a sans-serif face: enough to decide where a label goes.
pub fn width(text: &str, size: f64) -> f64 {
    text.chars().map(em).sum::<f64>() * size
}

/// Width of a letter as a share of the size, a little generous: faces differ.
fn em(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | 't' | 'f' | 'r' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | '(' | ')' | '[' | ']'
        | ' ' => 0.36,
        'm' | 'M' | 'w' | '@' | '%' | '…' | '—' => 0.92,
        'W' => 1.02,
        'A'..='Z' => 0.75,
        '\u{2000}'..='\u{22FF}' => 0.6,
        c if (c as u32) >= 0x1100 => 1.1,
        _ => 0.6,
    }
}

/// A group as the reader knows it: "Female,Black" of "sex,race" is "Female × Black".
pub fn group(attribute: &str, group_value: &str) -> String {
    let n_columns = attribute.split(',').count();
    let parts: Vec<&str> = group_value.split(',').collect();
    if n_columns > 1 && parts.len() == n_columns { parts.join(" × ") } else { group_value.to_owned() }
}

/// An attribute as the reader knows it, for headings: "sex,race" is "sex × race".
pub fn attribute(name: &str) -> String {
    shorten(&product(name), 60)
}

/// Like [`attribute`], whole.
pub fn product(name: &str) -> String {
    name.split(',').collect::<Vec<_>>().join(" × ")
}

fn is_longer(text: &str, max_chars: usize) -> bool {
    text.chars().nth(max_chars).is_some()
}

fn is_printable(c: char) -> bool {
    let reorders = matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    let noncharacter = matches!(c as u32 & 0xFFFF, 0xFFFE | 0xFFFF) || ('\u{FDD0}'..='\u{FDEF}').contains(&c);
    let control = c.is_control() && !matches!(c, '\n' | '\t');
    !(control || reorders || noncharacter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_name_stays_and_needs_no_tooltip() {
        assert_eq!(Label::fit("age", 10), Label { text: "age".into(), title: None });
    }

    #[test]
    fn a_long_name_is_cut_visibly_and_whole_in_the_tooltip() {
        let name = "x".repeat(10_000);
        let label = Label::whole(&name, 24);
        assert_eq!(label.text.chars().count(), 24);
        assert!(label.text.ends_with('…'));
        assert_eq!(label.title, Some(name));
    }

    #[test]
    fn a_label_fills_its_room_and_no_more() {
        for name in ["W".repeat(50), "i".repeat(50), "特".repeat(50), "capital_gain, a long one to be sure".into()] {
            let label = Label::within(&name, 120.0, 12.0);
            assert!(label.text.ends_with('…') && width(&label.text, 12.0) <= 120.0, "{}", label.text);
            assert!(width(&label.text, 12.0) > 95.0, "{}", label.text);
            assert_eq!(label.title.as_deref(), Some(name.as_str()));
        }
        assert_eq!(Label::within("age", 120.0, 12.0), Label { text: "age".into(), title: None });
    }

    #[test]
    fn a_tooltip_beside_the_full_place_is_bounded() {
        let label = Label::fit(&"é".repeat(10_000), 24);
        assert_eq!(label.title.map(|title| title.chars().count()), Some(MAX_TITLE));
    }

    #[test]
    fn control_and_reordering_characters_are_replaced_and_letters_of_every_script_kept() {
        assert_eq!(clean("a\0b\u{1b}\u{85}\u{202e}c"), "a\u{FFFD}b\u{FFFD}\u{FFFD}\u{FFFD}c");
        assert_eq!(clean("שלום 👩🏽‍⚕️ 中文\n"), "שלום 👩🏽‍⚕️ 中文\n");
    }

    #[test]
    fn an_intersection_is_split_only_where_the_parts_match_the_columns() {
        assert_eq!(group("sex,race", "Female,Black"), "Female × Black");
        assert_eq!(group("sex,race", "(others)"), "(others)");
        assert_eq!(group("sex", "Smith, John"), "Smith, John");
    }
}
