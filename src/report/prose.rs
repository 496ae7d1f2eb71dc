//! Markdown of the house, as typed marks for the templates and as Markdown that shows nothing but text.
//!
//! Raw HTML is text, pictures are their description and address, and links lead to the web, to mail or into the
//! document: nothing that is written here can fetch or run anything.

use super::label;
use pulldown_cmark::{Alignment, Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd};
use serde::Serialize;
use std::ops::Range;

/// Deeper nesting is drawn flat: browsers stop at a depth too.
const MOST_DEPTH: usize = 24;
/// Headings below that of the section.
const FIRST_LEVEL: usize = 3;

/// A text of the house.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Prose {
    pub marks: Vec<Mark>,
    /// As safe as `marks`, for documents in Markdown.
    pub markdown: String,
}

/// One step of a walk through the text. Tags are among those that `tag` names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Mark {
    Open { tag: &'static str, class: &'static str, start: Option<u64> },
    Link { href: String },
    Close { tag: &'static str },
    Text { text: String },
    Void { tag: &'static str },
}

impl Prose {
    pub fn of(source: &str) -> Self {
        Self { marks: Walk::over(source), markdown: defused(source) }
    }
}

fn parser(source: &str) -> Parser<'_> {
    Parser::new_ext(source, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH)
}

/// Where a link may lead: to the web, to mail, into the document.
fn leads_out(address: &str) -> bool {
    let lower = address.to_ascii_lowercase();
    let known = ["https://", "http://", "mailto:"].iter().any(|scheme| lower.starts_with(scheme));
    (known || lower.starts_with('#')) && !address.chars().any(|c| c.is_control() || c.is_whitespace())
}

/// The element that a tag of Markdown becomes; `None` for what is drawn as its content alone.
fn tag(tag: &Tag, depth_of_heading: usize) -> Option<&'static str> {
    Some(match tag {
        Tag::Paragraph | Tag::HtmlBlock => "p",
        Tag::Heading { .. } => ["h3", "h4", "h5", "h6"][(depth_of_heading - FIRST_LEVEL).min(3)],
        Tag::BlockQuote(_) => "blockquote",
        Tag::CodeBlock(_) => "pre",
        Tag::List(None) => "ul",
        Tag::List(Some(_)) => "ol",
        Tag::Item => "li",
        Tag::Table(_) => "table",
        Tag::TableHead => "thead",
        Tag::TableRow => "tr",
        Tag::Emphasis => "em",
        Tag::Strong => "strong",
        Tag::Strikethrough => "s",
        _ => return None,
    })
}

/// What stands open, with what is still to be said when it closes.
struct Opened {
    tag: Option<&'static str>,
    after: Option<String>,
    /// Marks before it, to know what is empty.
    at: usize,
}

struct Walk {
    marks: Vec<Mark>,
    open: Vec<Opened>,
    /// The shallowest heading of the text, which becomes the first level.
    shallowest: usize,
    /// Level of the last heading: none is skipped on the way down.
    level: usize,
    columns: Vec<Alignment>,
    column: usize,
    in_head: bool,
}

impl Walk {
    fn over(source: &str) -> Vec<Mark> {
        let levels = parser(source).filter_map(|event| match event {
            Event::Start(Tag::Heading { level, .. }) => Some(level as usize),
            _ => None,
        });
        let mut walk = Walk {
            marks: Vec::new(),
            open: Vec::new(),
            shallowest: levels.min().unwrap_or(1),
            level: FIRST_LEVEL - 1,
            columns: Vec::new(),
            column: 0,
            in_head: false,
        };
        parser(source).for_each(|event| walk.step(event));
        walk.marks
    }

    fn step(&mut self, event: Event) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(end) => self.end(end),
            Event::Code(text) => {
                self.marks.push(Mark::Open { tag: "code", class: "", start: None });
                self.text(&text);
                self.marks.push(Mark::Close { tag: "code" });
            }
            Event::SoftBreak => self.text("\n"),
            Event::HardBreak => self.marks.push(Mark::Void { tag: "br" }),
            Event::Rule => self.marks.push(Mark::Void { tag: "hr" }),
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => self.text(&text),
            // Extensions that are not switched on.
            Event::InlineMath(text) | Event::DisplayMath(text) | Event::FootnoteReference(text) => self.text(&text),
            Event::TaskListMarker(_) => {}
        }
    }

    fn text(&mut self, text: &str) {
        self.marks.push(Mark::Text { text: text.to_owned() });
    }

    fn start(&mut self, tag: Tag) {
        let at = self.marks.len();
        let (name, after) = match &tag {
            Tag::Link { dest_url, link_type, .. } => return self.link(dest_url, *link_type, at),
            Tag::Image { dest_url, .. } => (None, address(dest_url)),
            Tag::TableCell => (Some(if self.in_head { "th" } else { "td" }), None),
            Tag::Heading { level, .. } => (self.heading(*level), None),
            tag => (self::tag(tag, FIRST_LEVEL), None),
        };
        let name = name.filter(|_| self.open.len() < MOST_DEPTH);
        let class = match &tag {
            Tag::TableCell => self.cell_class(),
            _ => "",
        };
        let first = match tag {
            Tag::List(Some(first)) if first != 1 => Some(first),
            _ => None,
        };
        if let Some(tag) = name {
            self.marks.push(Mark::Open { tag, class, start: first });
        }
        self.open.push(Opened { tag: name, after, at });
        self.enter(tag);
    }

    /// A table's head is a row of its own, its body has no tag in Markdown.
    fn enter(&mut self, tag: Tag) {
        match tag {
            Tag::Table(columns) => self.columns = columns,
            Tag::TableHead => {
                self.in_head = true;
                self.column = 0;
                self.marks.push(Mark::Open { tag: "tr", class: "", start: None });
            }
            Tag::TableRow => self.column = 0,
            _ => {}
        }
    }

    fn link(&mut self, address: &str, link_type: LinkType, at: usize) {
        let address = match link_type {
            LinkType::Email => format!("mailto:{address}"),
            _ => address.to_owned(),
        };
        if leads_out(&address) && self.open.len() < MOST_DEPTH {
            self.marks.push(Mark::Link { href: address });
            self.open.push(Opened { tag: Some("a"), after: None, at });
        } else {
            self.open.push(Opened { tag: None, after: self::address(&address), at });
        }
    }

    fn heading(&mut self, level: HeadingLevel) -> Option<&'static str> {
        let wanted = level as usize - self.shallowest + FIRST_LEVEL;
        self.level = wanted.min(self.level + 1).min(6);
        tag(&Tag::Heading { level, id: None, classes: Vec::new(), attrs: Vec::new() }, self.level)
    }

    fn cell_class(&mut self) -> &'static str {
        let aligned = self.columns.get(self.column).copied();
        self.column += 1;
        if aligned == Some(Alignment::Right) { "n" } else { "" }
    }

    fn end(&mut self, end: TagEnd) {
        if matches!(end, TagEnd::TableHead) {
            self.in_head = false;
            self.marks.push(Mark::Close { tag: "tr" });
        }
        if matches!(end, TagEnd::Table) {
            self.marks.push(Mark::Close { tag: "tbody" });
        }
        self.close();
        if matches!(end, TagEnd::TableHead) {
            self.marks.push(Mark::Open { tag: "tbody", class: "", start: None });
        }
    }

    fn close(&mut self) {
        let Some(Opened { tag, after, at }) = self.open.pop() else { return };
        if let Some(after) = after {
            self.text(&after);
        }
        let Some(tag) = tag else { return };
        // A heading, a header cell or a link without a word says nothing to those who hear the page.
        if at + 1 == self.marks.len() {
            match self.marks[at].clone() {
                Mark::Link { href } => self.text(&href),
                Mark::Open { tag: "h3" | "h4" | "h5" | "h6" | "p", .. } => return self.marks.truncate(at),
                Mark::Open { tag: "th", class, start } => {
                    self.marks[at] = Mark::Open { tag: "td", class, start };
                    return self.marks.push(Mark::Close { tag: "td" });
                }
                _ => {}
            }
        }
        self.marks.push(Mark::Close { tag });
    }
}

/// The address of what is not shown or not led to, as text.
fn address(url: &str) -> Option<String> {
    (!url.is_empty()).then(|| format!(" ({url})"))
}

/// The source with everything that could do something replaced by text, its headings below that of the section.
fn defused(source: &str) -> String {
    let cleaned = label::clean(source);
    let edited = edited(&cleaned);
    match is_harmless(&edited) {
        true => edited,
        false => cleaned.lines().map(|line| escaped(line) + "\n\n").collect(),
    }
}

/// Whether Markdown holds no HTML, no picture, no link of another kind and no heading above the section's own.
fn is_harmless(markdown: &str) -> bool {
    parser(markdown).all(|event| match event {
        Event::Html(_) | Event::InlineHtml(_) | Event::Start(Tag::Image { .. }) => false,
        Event::Start(Tag::Heading { level, .. }) => level as usize >= FIRST_LEVEL,
        Event::Start(Tag::Link { dest_url, link_type, .. }) => link_type == LinkType::Email || leads_out(&dest_url),
        _ => true,
    })
}

fn edited(source: &str) -> String {
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    let mut replaced_to = 0;
    for (event, range) in parser(source).into_offset_iter() {
        if range.start < replaced_to {
            continue;
        }
        let replacement = match &event {
            Event::Html(text) | Event::InlineHtml(text) => Some(escaped(text)),
            Event::Start(Tag::Image { dest_url, .. }) => Some(described(source, &range, dest_url)),
            Event::Start(Tag::Link { dest_url, link_type, .. })
                if *link_type != LinkType::Email && !leads_out(dest_url) =>
            {
                Some(described(source, &range, dest_url))
            }
            Event::Start(Tag::Heading { level, .. }) => {
                edits.extend(below_the_section(source, &range, *level));
                None
            }
            _ => None,
        };
        if let Some(text) = replacement {
            replaced_to = range.end;
            edits.push((range, text));
        }
    }
    edits.sort_by_key(|(range, _)| range.start);
    let mut text = String::with_capacity(source.len());
    let mut at = 0;
    for (range, replacement) in edits {
        if range.start >= at {
            text.push_str(&source[at..range.start]);
            text.push_str(&replacement);
            at = range.end;
        }
    }
    text + &source[at..]
}

/// `## Title` two levels down; `Title` over a line of `=` or `-` as such a heading.
fn below_the_section(source: &str, range: &Range<usize>, level: HeadingLevel) -> Vec<(Range<usize>, String)> {
    let marks = "#".repeat((level as usize + FIRST_LEVEL - 1).min(6));
    let whole = &source[range.clone()];
    if whole.starts_with('#') {
        let typed = whole.len() - whole.trim_start_matches('#').len();
        return vec![(range.start..range.start + typed, marks)];
    }
    let line = whole.trim_end().rfind('\n').unwrap_or(whole.len());
    vec![(range.start..range.start, format!("{marks} ")), (range.start + line..range.end, "\n".into())]
}

/// What a picture or link says, and where it led.
fn described(source: &str, range: &Range<usize>, url: &str) -> String {
    let said = parser(&source[range.clone()]).filter_map(|event| match event {
        Event::Text(text) | Event::Code(text) => Some(text.into_string()),
        _ => None,
    });
    escaped(&format!("{}{}", said.collect::<String>(), address(url).unwrap_or_default()))
}

/// Text that means nothing but itself in Markdown; line ends stay.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_punctuation() {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The marks as a browser would be given them.
    fn html(source: &str) -> String {
        let mark = |mark: Mark| match mark {
            Mark::Open { tag, class: "", start: None } => format!("<{tag}>"),
            Mark::Open { tag, class, start } => format!("<{tag} {class}{}>", start.unwrap_or_default()),
            Mark::Link { href } => format!("<a {href}>"),
            Mark::Close { tag } => format!("</{tag}>"),
            Mark::Text { text } => text.replace('<', "&lt;"),
            Mark::Void { tag } => format!("<{tag}>"),
        };
        Prose::of(source).marks.into_iter().map(mark).collect()
    }

    const NASTY: &[&str] = &[
        "<script>alert(1)</script>",
        "a <img src=x onerror=alert(1)> b",
        "<div>\n\n*x*\n\n</div>",
        "![alt *x*](https://example.org/a.png \"t\") and ![](data:image/png;base64,AA)",
        "![ref]\n\n[ref]: http://example.org/b.png",
        "[a](javascript:alert(1)) [b](JaVaScRiPt:1) [c](data:text/html,x) [d](/etc/passwd) [e](vbscript:x)",
        "[a]\n\n[a]: javascript:alert(1)",
        "<javascript:alert(1)>",
        "[![x](y)](https://example.org)",
        "[x [y](javascript:1) z](https://example.org)",
        "\\<b> \\\\<b> `<b>` \\![a](b)",
        "> # A\n> <b>x</b>\n> Title\n> ===\n",
        "Title\nmore\n===\n\nx\n---\n",
        "# A\n###### B <i>",
        "- <b>\n  - # x\n    <!-- -->\n",
        "| <b>a</b> | ![](x) |\n|---|--:|\n| [l](javascript:1) | 2 |\n",
        "<![CDATA[ x ]]>\n\n<?php ?>\n\n<!DOCTYPE html>",
        "```html\n<script>\n```\n\n    <b>\n",
        "{{ 7*7 }} {% raw %}",
        "a\u{202e}b\u{0}c",
        "&lt;script&gt; &#106;avascript:",
        "[a](&#106;avascript:alert(1))",
        "[a](java\nscript:alert(1))",
    ];

    #[test]
    fn what_is_usual_becomes_what_it_means() {
        assert_eq!(html("a *b* **c** ~~d~~ `e`"), "<p>a <em>b</em> <strong>c</strong> <s>d</s> <code>e</code></p>");
        assert_eq!(html("- a\n- b\n\n3. c\n"), "<ul><li>a</li><li>b</li></ul><ol 3><li>c</li></ol>");
        assert_eq!(
            html("| a | b |\n|---|--:|\n| c | 1 |\n"),
            "<table><thead><tr><th>a</th><th n0>b</th></tr></thead><tbody><tr><td>c</td><td n0>1</td></tr></tbody></table>"
        );
        assert_eq!(
            html("[a](https://example.org) <b@c.de>"),
            "<p><a https://example.org>a</a> <a mailto:b@c.de>b@c.de</a></p>"
        );
        assert_eq!(html("[gates](#gates)"), "<p><a #gates>gates</a></p>");
        assert_eq!(html("> a\n\n---\n\n```\nb\n```"), "<blockquote><p>a</p></blockquote><hr><pre>b\n</pre>");
    }

    #[test]
    fn headings_stand_below_the_section_and_skip_no_level() {
        assert_eq!(html("## A\n#### B\n## C\n# D\n"), "<h3>A</h3><h4>B</h4><h4>C</h4><h3>D</h3>");
        assert_eq!(html("#\n\nx"), "<p>x</p>");
        assert_eq!(Prose::of("# A\n\nB\n---\n").markdown, "### A\n\n#### B\n");
    }

    #[test]
    fn html_is_text_and_pictures_are_their_description() {
        assert_eq!(html("<b>x</b>"), "<p>&lt;b>x&lt;/b></p>");
        assert_eq!(html("![a *b*](c.png)"), "<p>a <em>b</em> (c.png)</p>");
        assert_eq!(html("[x](javascript:alert(1))"), "<p>x (javascript:alert(1))</p>");
    }

    #[test]
    fn nothing_nasty_survives_in_either_form() {
        for source in NASTY {
            let Prose { marks, markdown } = Prose::of(source);
            assert!(is_harmless(&markdown), "{source:?} as {markdown:?}");
            for mark in &marks {
                if let Mark::Link { href } = mark {
                    assert!(leads_out(href), "{source:?}: {href}");
                }
            }
        }
    }

    /// Every tag that is opened is closed, in order, however deep the text goes.
    #[test]
    fn tags_are_balanced_at_any_depth() {
        let deep = [">".repeat(5_000) + "x", "- ".repeat(500) + "x", "[".repeat(2_000), "*a **b ".repeat(300)];
        for source in NASTY.iter().map(|text| (*text).to_owned()).chain(deep) {
            let mut open = Vec::new();
            for mark in Prose::of(&source).marks {
                match mark {
                    Mark::Open { tag, .. } => open.push(tag),
                    Mark::Link { .. } => open.push("a"),
                    Mark::Close { tag } => assert_eq!(open.pop(), Some(tag), "{source:?}"),
                    _ => {}
                }
                assert!(open.len() <= MOST_DEPTH + 3);
            }
            assert!(open.is_empty(), "{source:?}");
        }
    }

    /// What is harmless keeps its words in Markdown.
    #[test]
    fn plain_markdown_stays_as_it_is_written() {
        let text = "Read *this*, then [that](https://example.org/a).\n\n1. one\n2. two\n\n| a |\n|---|\n| b |\n";
        assert_eq!(Prose::of(text).markdown, text);
    }
}
