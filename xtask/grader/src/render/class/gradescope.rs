//! `learners/NAME/results.json`: one learner's results as Gradescope's autograder reads them.
//!
//! Scores are shares of 100, weighted as the course weighs its katas: give the assignment 100 points there. The score of the
//! whole is after what lateness takes off. Where the grader failed there is no score at all: Gradescope then reports that the
//! autograder did not finish, and sets no zero.

use pipeline::error::{Error, Result};
use serde::Serialize;
use verdict::{Assignment, SubjectVerdict, TestVerdict, Verdict};

use crate::class::gradebook::{Cell, Gradebook, Row};
use crate::render::class::{learner, objections, rounded, text};

#[derive(Serialize)]
struct Document {
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
    output: String,
    output_format: &'static str,
    visibility: &'static str,
    /// What the grader prints is the instructor's.
    stdout_visibility: &'static str,
    tests: Vec<Test>,
}

/// A kata with its points, or a test, which explains and has none of its own.
#[derive(Serialize)]
pub(super) struct Test {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) score: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_score: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<&'static str>,
    pub(super) name: String,
    name_format: &'static str,
    pub(super) output: String,
    output_format: &'static str,
    visibility: &'static str,
}

/// Renders it.
///
/// # Errors
/// The data is not JSON; a mistake of ours.
pub(crate) fn render(gradebook: &Gradebook, row: &Row) -> Result<String> {
    let score = gradebook.percent(row).map(rounded);
    let tests = tests(gradebook, row);
    let output = text::clean(&learner::opening(gradebook, row));
    let document =
        Document { score, output, output_format: "text", visibility: "visible", stdout_visibility: "hidden", tests };
    let text = serde_json::to_string_pretty(&document).map_err(|error| Error::new(error.to_string(), ""))?;
    Ok(text + "\n")
}

/// One learner's katas and tests. What the katas' points add up to is the score of the whole, before what lateness takes off.
pub(super) fn tests(gradebook: &Gradebook, row: &Row) -> Vec<Test> {
    let score = gradebook.percent(row);
    let weighed = gradebook.inputs.assignments.iter().filter(|assignment| assignment.max_score > 0);
    let weights: f64 = weighed.map(|assignment| assignment.weight).sum();
    let mut tests = Vec::new();
    for (assignment, cell) in gradebook.inputs.assignments.iter().zip(&row.cells) {
        if cell.graded.is_some() {
            // With a score that is missing, those that are there would be added up to a total that is too low.
            let share = score.filter(|_| weights > 0.0).map(|_| assignment.weight / weights * 100.0);
            tests.push(whole(assignment, cell, share));
            if cell.verdict() != Some(SubjectVerdict::GraderError) {
                tests.extend(cell.tests().into_iter().map(|test| single(assignment, test)));
            }
        }
    }
    tests
}

/// The entry with a kata's points.
fn whole(assignment: &Assignment, cell: &Cell, share: Option<f64>) -> Test {
    let share = share.filter(|_| assignment.max_score > 0);
    let reached = cell.score().map(|score| f64::from(score) / f64::from(assignment.max_score.max(1)));
    let verdict = cell.verdict();
    let output = match (verdict, &cell.graded) {
        (Some(SubjectVerdict::GraderError), _) => learner::GRADER_ERROR.to_string(),
        (_, Some(graded)) => text::for_learners(&objections(&graded.verdict.diagnostics)),
        (_, None) => String::new(),
    };
    let status = match verdict {
        Some(SubjectVerdict::Passed) => Some("passed"),
        Some(SubjectVerdict::GraderError) | None => None,
        Some(_) => Some("failed"),
    };
    let verdict = verdict.map_or("", SubjectVerdict::name);
    entry(
        status,
        (share.zip(reached).map(|(share, reached)| rounded(share * reached)), share.map(rounded)),
        format!("{} · {}: {verdict}", assignment.kata, assignment.title),
        output,
    )
}

/// The entry of one test, which explains and gives no points of its own.
fn single(assignment: &Assignment, test: &TestVerdict) -> Test {
    let passed = test.verdict == Verdict::Passed;
    let kind = test.kind.map_or_else(String::new, |kind| format!("{kind}: "));
    let mut output = format!("{kind}{}", text::cut(&test.message, 8192));
    if !passed && !test.output.is_empty() {
        output += &format!("\n\nIt printed:\n{}", text::cut(&test.output, 8192));
    }
    let name = format!("{}: {}", assignment.kata, test.name);
    entry(Some(if passed { "passed" } else { "failed" }), (None, None), name, text::for_learners(&output))
}

fn entry(status: Option<&'static str>, points: (Option<f64>, Option<f64>), name: String, output: String) -> Test {
    let (score, max_score) = points;
    Test {
        score,
        max_score,
        status,
        name: text::line(&name),
        name_format: "text",
        output: text::clean(&output),
        output_format: "text",
        visibility: "visible",
    }
}
