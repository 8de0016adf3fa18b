//! `ctrf.json`: the Common Test Report Format, <https://ctrf.io>, version 1.0.0.

use pipeline::error::{Error, Result};
use serde::Serialize;
use verdict::{Assignment, Graded, SubjectVerdict, TestVerdict, Verdict};

use crate::class::gradebook::{Cell, Gradebook, Row};
use crate::render::class::{objections, text};

/// The document.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    report_format: &'static str,
    spec_version: &'static str,
    generated_by: &'static str,
    results: Results,
}

#[derive(Serialize)]
struct Results {
    tool: Tool,
    summary: Summary,
    tests: Vec<Test>,
    environment: Environment,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

/// Counts, and times in milliseconds since 1970, as the record has them: from the first answer's beginning to the last verdict.
#[derive(Default, Serialize)]
struct Summary {
    tests: usize,
    passed: usize,
    failed: usize,
    skipped: usize,
    pending: usize,
    other: usize,
    suites: usize,
    start: u64,
    stop: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Test {
    name: String,
    status: &'static str,
    /// Milliseconds.
    duration: u64,
    suite: Vec<String>,
    raw_status: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    message: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Environment {
    report_name: String,
}

/// Renders it.
///
/// # Errors
/// The data is not JSON; a mistake of ours.
pub(crate) fn render(gradebook: &Gradebook) -> Result<String> {
    let (mut tests, mut suites) = (Vec::new(), 0);
    for row in &gradebook.rows {
        for (assignment, cell) in gradebook.inputs.assignments.iter().zip(&row.cells) {
            if let Some(graded) = &cell.graded {
                suites += 1;
                tests.extend(assignment.tests.iter().map(|name| test(row, assignment, cell, graded, name)));
            }
        }
    }
    let mut summary = Summary { tests: tests.len(), suites, ..Summary::default() };
    for test in &tests {
        match test.status {
            "passed" => summary.passed += 1,
            "failed" => summary.failed += 1,
            "skipped" => summary.skipped += 1,
            _ => summary.other += 1,
        }
    }
    let graded = || gradebook.rows.iter().flat_map(|row| &row.cells).filter_map(|cell| cell.graded.as_ref());
    let span = |graded: &Graded| Some((graded.at?.saturating_sub(milliseconds(graded.verdict.seconds)), graded.at?));
    summary.start = graded().filter_map(span).map(|(start, _)| start).min().unwrap_or_default();
    summary.stop = graded().filter_map(span).map(|(_, stop)| stop).max().unwrap_or_default();
    let tool = Tool { name: "interleave", version: env!("CARGO_PKG_VERSION") };
    let environment = Environment { report_name: text::line(&gradebook.inputs.title) };
    let document = Document {
        report_format: "CTRF",
        spec_version: "1.0.0",
        generated_by: "cargo xtask grade",
        results: Results { tool, summary, tests, environment },
    };
    let text = serde_json::to_string_pretty(&document).map_err(|error| Error::new(error.to_string(), ""))?;
    Ok(text + "\n")
}

fn milliseconds(seconds: f64) -> u64 {
    (seconds * 1000.0).round().max(0.0) as u64
}

fn test(row: &Row, assignment: &Assignment, cell: &Cell, graded: &Graded, name: &str) -> Test {
    let tests = cell.tests();
    let judged = tests.iter().find(|test| test.name == name).copied();
    let whole = graded.verdict.verdict;
    let (status, raw, message) = match (whole, judged) {
        // Neither passed nor failed: the grader has nothing to say about it.
        (SubjectVerdict::GraderError, _) => ("other", whole.name(), objections(&graded.verdict.diagnostics)),
        (_, Some(TestVerdict { verdict: Verdict::Passed, .. })) => ("passed", "passed", String::new()),
        (_, Some(test)) => ("failed", test.kind.map_or("failed", verdict::Kind::name), test.message.clone()),
        (SubjectVerdict::Missing, None) => ("skipped", whole.name(), "There is no answer to this kata.".to_string()),
        (_, None) => ("failed", whole.name(), objections(&graded.verdict.diagnostics)),
    };
    Test {
        name: text::line(name),
        status,
        duration: judged.map_or(0, |test| milliseconds(test.seconds)),
        suite: vec![text::line(&assignment.kata), text::line(&row.learner.name)],
        raw_status: raw.to_string(),
        message: text::clean(&text::cut(&message, 4096)),
    }
}
