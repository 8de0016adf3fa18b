//! One learner's answer to one kata in a page: a cell of the table, and what it opens.

use verdict::{Kind, SubjectVerdict, TestVerdict, Verdict};

use crate::class::gradebook::Cell;
use crate::render::class::failure::{self, Reader};
use crate::render::class::text::html;
use crate::render::class::{learner, objections, text};

/// Bytes of the compiler's message.
const OBJECTIONS: usize = 8192;

/// The sign of a verdict, which only repeats the word beside it.
pub(crate) fn mark(verdict: Option<SubjectVerdict>) -> &'static str {
    match verdict {
        Some(SubjectVerdict::Passed) => "✔",
        Some(SubjectVerdict::GraderError) => "!",
        Some(SubjectVerdict::Unsolved | SubjectVerdict::Missing) => "·",
        Some(_) => "✗",
        None => "–",
    }
}

/// The style of a verdict.
pub(crate) fn class(verdict: Option<SubjectVerdict>) -> &'static str {
    match verdict {
        Some(SubjectVerdict::Passed) => "good",
        Some(SubjectVerdict::GraderError) => "fault",
        Some(SubjectVerdict::Unsolved | SubjectVerdict::Missing) | None => "open",
        Some(_) => "bad",
    }
}

/// What went wrong, in a word or two: the kinds of the failing tests, or the verdict itself.
pub(crate) fn reason(cell: &Cell) -> String {
    match cell.verdict() {
        None => "not graded".to_string(),
        Some(SubjectVerdict::Failed) => {
            let mut kinds: Vec<Kind> = cell.failures().filter_map(|test| test.kind).collect();
            kinds.sort();
            kinds.dedup();
            // What is merely unsolved says less than what is wrong.
            if kinds.len() > 1 {
                kinds.retain(|kind| *kind != Kind::Unsolved);
            }
            kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ")
        }
        Some(verdict) => verdict.to_string(),
    }
}

/// `7/10`; nothing where there is no score.
pub(crate) fn points(cell: &Cell) -> String {
    match (cell.score(), &cell.graded) {
        (Some(score), Some(graded)) => format!("{score}/{}", graded.verdict.max_score),
        _ => String::new(),
    }
}

/// What the compiler or a rule says; what went wrong in the grader is only the instructor's.
pub(crate) fn complaints(cell: &Cell, reader: Reader) -> String {
    let Some(graded) = &cell.graded else { return String::new() };
    if graded.verdict.verdict == SubjectVerdict::GraderError && reader == Reader::Learner {
        return format!("<p>{}</p>\n", html(learner::GRADER_ERROR));
    }
    let text = objections(&graded.verdict.diagnostics);
    if text.is_empty() {
        return String::new();
    }
    format!("<pre class=\"complaint\" tabindex=\"0\">{}</pre>\n", reader.html(&text::cut(&text, OBJECTIONS)))
}

/// The tests that passed, in one paragraph.
pub(crate) fn passed(cell: &Cell) -> String {
    let tests = cell.tests();
    let passed: Vec<&&TestVerdict> = tests.iter().filter(|test| test.verdict == Verdict::Passed).collect();
    if passed.is_empty() {
        return String::new();
    }
    let item = |test: &&&TestVerdict| {
        let covered = test.coverage.map_or_else(|| test.mode.to_string(), |coverage| coverage.to_string());
        format!("<li>✔ <code>{}</code> <small>{}</small></li>\n", html(&text::line(&test.name)), html(&covered))
    };
    let items: String = passed.iter().map(item).collect();
    format!(
        "<details class=\"passed\"><summary>{} of {} tests pass</summary><ul>\n{items}</ul></details>\n",
        passed.len(),
        tests.len()
    )
}

/// The heading of a failed test, and what happened in words.
pub(crate) fn failed(test: &TestVerdict, reader: Reader) -> String {
    let kind = test.kind.map_or("failed", Kind::name);
    let head =
        format!("<h4>✗ <code>{}</code> {kind} <small>on {}</small></h4>\n", html(&text::line(&test.name)), test.mode);
    head + &failure::words(test, reader)
}
