//! The reports: whatever learners write, they stay what they are, and nothing in them is live.

use std::fs;
use std::path::Path;

use pulldown_cmark::{Event, Options, Parser, Tag};

use crate::arena::Graded;
use crate::files::all;

/// What must never stand in a page: it would be markup, and not text.
const LIVE_MARKUP: [&str; 4] = ["<script>alert", "<img src=x", "\" onmouseover=", "href=\"javascript:"];
/// What CI systems that show the grader's output take for commands, where a line begins with it.
const COMMANDS: [&str; 3] = ["::error", "::stop-commands", "##vso["];

/// Line breaks by another name, and what makes text run backwards.
const LINES_AND_DIRECTIONS: [char; 14] = [
    '\u{2028}', '\u{2029}', '\u{61c}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}',
    '\u{202e}', '\u{2066}', '\u{2067}', '\u{2068}', '\u{2069}',
];
/// Bytes of a text in the record: those that the README states, and a word on the rest.
const LONGEST_TEXT: usize = 16 * 1024 + 100;

/// What is wrong with the reports.
pub(crate) fn check(graded: &Graded) -> Vec<String> {
    let mut wrong = Vec::new();
    for file in all(&graded.out) {
        let name = file.strip_prefix(&graded.out).unwrap_or(&file).display().to_string();
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-%~".contains(&byte))
            || name.split('/').any(|part| part == "..")
        {
            wrong.push(format!("{name:?} is no safe name"));
        }
        match fs::read_to_string(&file) {
            Ok(text) => wrong.extend(check_file(&file, &text).into_iter().map(|what| format!("{name}: {what}"))),
            Err(error) => wrong.push(format!("{name}: {error}")),
        }
    }
    for expected in ["grades.csv", "report.html", "summary.md", "junit.xml", "ctrf.json"] {
        if !graded.out.join(expected).is_file() {
            wrong.push(format!("{expected} is missing"));
        }
    }
    wrong.extend(live_text(&graded.printed).into_iter().map(|what| format!("the grader prints {what}")));
    wrong
}

fn check_file(file: &Path, text: &str) -> Vec<String> {
    let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let mut wrong = live_text(text);
    match ending {
        "json" => {
            wrong.extend(serde_json::from_str::<serde_json::Value>(text).err().map(|error| error.to_string()));
        }
        "jsonl" => {
            let documents = text.lines().filter_map(|line| serde_json::from_str(line).ok());
            let longest = documents.map(|document| longest(&document)).max().unwrap_or(0);
            wrong.extend((longest > LONGEST_TEXT).then(|| format!("a text of {longest} bytes")));
        }
        "csv" => wrong.extend(check_table(text)),
        "xml" => wrong.extend(quick_junit::Report::deserialize_from_str(text).err().map(|error| error.to_string())),
        "md" => wrong.extend(live_markdown(text)),
        "html" | "svg" => {
            let live = LIVE_MARKUP.iter().filter(|markup| text.contains(*markup));
            wrong.extend(live.map(|markup| format!("{markup} is live")));
        }
        _ => {}
    }
    wrong
}

/// Bytes of the longest text in a document.
fn longest(document: &serde_json::Value) -> usize {
    use serde_json::Value;
    match document {
        Value::String(text) => text.len(),
        Value::Array(values) => values.iter().map(longest).max().unwrap_or(0),
        Value::Object(fields) => fields.values().map(longest).max().unwrap_or(0),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

/// Markup and links of strangers in Markdown. What stands in code is text.
fn live_markdown(text: &str) -> Vec<String> {
    Parser::new_ext(text, Options::ENABLE_TABLES)
        .filter_map(|event| match event {
            Event::Html(html) | Event::InlineHtml(html) if html.contains("alert") => Some(format!("{html} is live")),
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) if dest_url.contains("alert") => {
                Some(format!("a link to {dest_url} is live"))
            }
            _ => None,
        })
        .collect()
}

/// Terminal commands and commands to CI systems.
fn live_text(text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let steers = |c: char| c.is_control() && !['\n', '\t'].contains(&c) || LINES_AND_DIRECTIONS.contains(&c);
    if let Some(control) = text.chars().find(|c| steers(*c)) {
        wrong.push(format!("the control character {control:?}"));
    }
    for line in text.lines() {
        let line = line.trim_start();
        if COMMANDS.iter().any(|command| line.starts_with(command)) {
            wrong.push(format!("the command {line:.60?}"));
        }
    }
    wrong
}

/// A table whose rows are of one length, and whose cells are no formulas.
fn check_table(text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut table =
        csv::ReaderBuilder::new().has_headers(false).from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    for row in table.records() {
        match row {
            Ok(row) => {
                let formula = row.iter().find(|cell| cell.starts_with(['=', '+', '-', '@', '\t', '\r']));
                wrong.extend(formula.map(|cell| format!("the formula {cell:?}")));
            }
            Err(error) => wrong.push(error.to_string()),
        }
    }
    wrong
}
