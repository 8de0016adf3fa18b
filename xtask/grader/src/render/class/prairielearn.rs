//! `learners/NAME/prairielearn.json`: one learner's results as PrairieLearn's external grader reads them, from `results.json`.
//!
//! The score is a share of 1, after what lateness takes off. Where the grader failed the submission is not gradable: PrairieLearn
//! then counts no attempt, and sets no zero.

use pipeline::error::{Error, Result};
use serde::Serialize;

use crate::class::gradebook::{Gradebook, Row};
use crate::render::class::{gradescope, learner, text};

#[derive(Serialize)]
struct Document {
    gradable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
    message: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    format_errors: Vec<&'static str>,
    tests: Vec<Test>,
}

#[derive(Serialize)]
struct Test {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    points: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_points: Option<f64>,
    message: &'static str,
    output: String,
}

/// Renders it.
///
/// # Errors
/// The data is not JSON; a mistake of ours.
pub(super) fn render(gradebook: &Gradebook, row: &Row) -> Result<String> {
    let score = gradebook.percent(row).map(|percent| (percent * 100.0).round() / 10_000.0);
    let tests = gradescope::tests(gradebook, row).into_iter().map(|test| Test {
        name: test.name,
        points: test.score,
        max_points: test.max_score,
        message: test.status.unwrap_or_default(),
        output: test.output,
    });
    let document = Document {
        gradable: score.is_some(),
        score,
        message: text::clean(&learner::opening(gradebook, row)),
        format_errors: if score.is_some() { Vec::new() } else { vec![learner::GRADER_ERROR] },
        tests: tests.collect(),
    };
    let text = serde_json::to_string_pretty(&document).map_err(|error| Error::new(error.to_string(), ""))?;
    Ok(text + "\n")
}
