//! A comment as a forge sees it: parsed by a CommonMark parser with GitHub's extensions, and every one of them on that could
//! make something of a value. What such a parser does not do, a forge does afterwards in the text outside of code:
//! mentions, references, commits, bare links. So that text is held to an alphabet in which none of these can be written.

use arcflux::model::{Marker, is_hidden};
use comrak::nodes::{ListType, NodeValue};
use comrak::{Arena, Options, parse_document};

/// What a comment is made of.
pub(crate) struct Comment {
    pub(crate) marker: Option<Marker>,
    /// The blocks in order, without what is in them.
    pub(crate) blocks: Vec<String>,
    /// The headings, as text.
    pub(crate) headings: Vec<String>,
    /// Where links lead.
    pub(crate) links: Vec<String>,
    /// What is in code spans and blocks.
    pub(crate) code: Vec<String>,
    /// The text outside of code.
    pub(crate) text: String,
}

fn options() -> Options<'static> {
    let mut options = Options::default();
    options.extension.strikethrough = true;
    options.extension.table = true;
    options.extension.autolink = true;
    options.extension.tasklist = true;
    options.extension.footnotes = true;
    options.extension.inline_footnotes = true;
    options.extension.multiline_block_quotes = true;
    options.extension.description_lists = true;
    options.extension.superscript = true;
    options.extension.alerts = true;
    options.extension.math_dollars = true;
    options.extension.math_code = true;
    options.extension.wikilinks_title_after_pipe = true;
    options.extension.spoiler = true;
    options.parse.relaxed_autolinks = true;
    options.parse.relaxed_tasklist_matching = true;
    options
}

/// Reads a comment, and fails when it has anything in it that no comment has.
pub(crate) fn read(text: &str) -> Comment {
    for character in text.chars() {
        assert!(character == '\n' || !is_hidden(character), "hidden: {character:?}\n{text}");
    }
    for line in text.lines() {
        assert!(!line.starts_with('/'), "a line that a forge or a bot may read as a command: {line}");
    }
    let marker = Marker::of_comment(text);
    let arena = Arena::new();
    let root = parse_document(&arena, text, &options());
    let mut comment = Comment {
        marker,
        blocks: Vec::new(),
        headings: Vec::new(),
        links: Vec::new(),
        code: Vec::new(),
        text: String::new(),
    };
    for node in root.descendants() {
        let data = node.data();
        let block = match &data.value {
            NodeValue::Document => continue,
            NodeValue::Paragraph => "paragraph".to_owned(),
            NodeValue::ThematicBreak => "rule".to_owned(),
            NodeValue::Heading(heading) => {
                assert!(!heading.setext, "a heading by underline");
                let inner: String = node
                    .descendants()
                    .map(|inner| match &inner.data().value {
                        NodeValue::Text(text) => text.to_string(),
                        NodeValue::Code(code) => format!("`{}`", code.literal),
                        _ => String::new(),
                    })
                    .collect();
                comment.headings.push(inner);
                format!("heading {}", heading.level)
            }
            NodeValue::Alert(alert) => {
                assert_eq!(alert.title, None, "an alert with a title");
                format!("alert {:?}", alert.alert_type)
            }
            NodeValue::List(list) => {
                assert_eq!(list.list_type, ListType::Bullet, "a numbered list");
                assert!(!list.is_task_list, "a list of tasks");
                "list".to_owned()
            }
            NodeValue::Item(_) => "item".to_owned(),
            NodeValue::Table(_) => "table".to_owned(),
            NodeValue::TableRow(_) => {
                assert_eq!(node.children().count(), 3, "a row with another number of cells");
                "row".to_owned()
            }
            NodeValue::TableCell => "cell".to_owned(),
            NodeValue::CodeBlock(code) => {
                assert!(
                    code.fenced && code.closed && code.fence_offset == 0,
                    "a block that is not fenced, or not closed"
                );
                assert!(["diff", "mermaid", "shell", "text"].contains(&code.info.as_str()), "language {}", code.info);
                if code.info == "diff" {
                    for line in code.literal.lines() {
                        assert!(line.is_empty() || line.starts_with(['+', '-', '!', ' ']), "no sign: {line}");
                    }
                }
                comment.code.push(code.literal.clone());
                format!("code {}", code.info)
            }
            NodeValue::HtmlBlock(html) => template_html(&html.literal),
            NodeValue::Text(text) => {
                comment.text.push_str(text);
                continue;
            }
            NodeValue::SoftBreak => {
                comment.text.push(' ');
                continue;
            }
            NodeValue::Code(code) => {
                comment.code.push(code.literal.clone());
                // A gap that no word can bridge.
                comment.text.push('\u{1}');
                continue;
            }
            NodeValue::Link(link) => {
                comment.links.push(link.url.clone());
                continue;
            }
            NodeValue::Strong => continue,
            other => panic!("a value became {other:?} in\n{text}"),
        };
        comment.blocks.push(block);
        comment.text.push(' ');
    }
    let mut depth = 0_usize;
    for block in &comment.blocks {
        match block.as_str() {
            "fold" => depth += 1,
            "close" => depth = depth.checked_sub(1).expect("what ends was begun"),
            _ => {}
        }
        assert!(depth <= 3, "folded in what is folded");
    }
    assert_eq!(depth, 0, "what begins ends");
    for word in comment.text.split([' ', '\u{1}']) {
        assert!(is_plain(word), "a forge may read something into `{word}` in\n{text}");
    }
    comment
}

/// A block of HTML, where it is one of those that a comment has: the marker, and what folds. Only `<code>` in it is not the
/// template's own.
fn template_html(html: &str) -> String {
    let line = html.trim_end();
    if Marker::parse(line).is_some() {
        return "marker".to_owned();
    }
    if line == "</details>" {
        return "close".to_owned();
    }
    let summary = line
        .strip_prefix("<details><summary>")
        .or_else(|| line.strip_prefix("<details open><summary>"))
        .and_then(|rest| rest.strip_suffix("</summary>"));
    let Some(summary) = summary else { panic!("HTML that is not the template's: {html}") };
    let mut rest = summary;
    while let Some((before, code)) = rest.split_once("<code>") {
        let (inner, after) = code.split_once("</code>").unwrap();
        assert!(is_plain_sentence(before) && !inner.contains(['<', '>', '"', '\'', '\n']), "{html}");
        rest = after;
    }
    assert!(is_plain_sentence(rest), "{html}");
    "fold".to_owned()
}

fn is_plain_sentence(text: &str) -> bool {
    text.split(' ').all(is_plain)
}

/// Whether a word holds nothing but letters and the marks of a sentence, or is a short number: no mention, no reference,
/// no commit, no address, no shortcode, no formula.
fn is_plain(word: &str) -> bool {
    const MARKS: &str = ".,;:()!?\"'’–—…·×%*-";
    let core = word.trim_matches(|mark| MARKS.contains(mark));
    let letters = core.chars().all(|letter| letter.is_alphabetic() || MARKS.contains(letter));
    let number = core.chars().all(|digit| digit.is_ascii_digit()) && core.len() <= 6;
    let is_commit = core.len() >= 7 && core.chars().all(|digit| digit.is_ascii_hexdigit());
    let leads_somewhere = core.contains(['.', ':', '*']);
    (letters || number) && !is_commit && !leads_somewhere
}
