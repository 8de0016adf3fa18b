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
    if let Some(control) = text.chars().find(|c| c.is_control() && !['\n', '\t'].contains(c)) {
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
