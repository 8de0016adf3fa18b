//! `junit.xml`: what GitLab and Jenkins show beside a pipeline. A suite is one answer, a case one test of it.
//!
//! GitLab groups by `classname`, takes the first of two cases of one name, and refuses files of 30 MB. No durations: they would
//! make two gradings of the same answers differ.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use verdict::{Assignment, Graded, SubjectVerdict, TestVerdict, Verdict};

use crate::error::{Error, Result};
use crate::gradebook::{Cell, Gradebook, Row};
use crate::render::class::{objections, text};

/// GitLab takes 30 MB.
const MOST: usize = 28_000_000;

/// Renders it. Of long messages and outputs as much is kept as fits.
///
/// # Errors
/// The text is not XML; a mistake of ours.
pub(crate) fn render(gradebook: &Gradebook) -> Result<String> {
    render_within(gradebook, MOST)
}

/// Renders it in no more than so many bytes, if that can be without leaving out a test.
///
/// # Errors
/// See [`render`].
pub(crate) fn render_within(gradebook: &Gradebook, most: usize) -> Result<String> {
    let mut xml = String::new();
    for room in [4096, 1024, 256, 0] {
        xml = report(gradebook, room).to_string().map_err(|error| Error::new(error.to_string(), ""))?;
        if xml.len() <= most {
            break;
        }
    }
    Ok(xml)
}

fn report(gradebook: &Gradebook, room: usize) -> Report {
    let mut report = Report::new(text::junit(&gradebook.inputs.title));
    for row in &gradebook.rows {
        for (assignment, cell) in gradebook.inputs.assignments.iter().zip(&row.cells) {
            if let Some(graded) = &cell.graded {
                report.add_test_suite(suite(row, assignment, cell, graded, room));
            }
        }
    }
    report
}

fn suite(row: &Row, assignment: &Assignment, cell: &Cell, graded: &Graded, room: usize) -> TestSuite {
    let class = text::junit(&text::line(&format!("{}.{}", assignment.kata, row.learner.name)));
    let mut suite = TestSuite::new(class.clone());
    let tests = cell.tests();
    for name in &assignment.tests {
        let test = tests.iter().find(|test| test.name == *name);
        let mut case = TestCase::new(text::junit(name), status(graded, test.copied(), room));
        case.set_classname(class.clone());
        if let Some(test) = test.filter(|test| !test.output.is_empty() && room > 0) {
            case.set_system_out(text::junit(&text::cut(&test.output, room)));
        }
        suite.add_test_case(case);
    }
    suite
}

/// A test that was not judged says why not: the grader failed, nothing was handed in, or it could not be built.
fn status(graded: &Graded, test: Option<&TestVerdict>, room: usize) -> TestCaseStatus {
    let verdict = &graded.verdict;
    let (kind, name, message) = match (verdict.verdict, test) {
        (SubjectVerdict::GraderError, _) => {
            (Some(NonSuccessKind::Error), verdict.verdict.name(), objections(&verdict.diagnostics))
        }
        (_, Some(test)) if test.verdict == Verdict::Passed => return TestCaseStatus::success(),
        (_, Some(test)) => {
            (Some(NonSuccessKind::Failure), test.kind.map_or("failed", verdict::Kind::name), test.message.clone())
        }
        // Nothing handed in is no failure of a test, or a pipeline counts hundreds on the first day.
        (SubjectVerdict::Missing, None) => (None, "missing", "There is no answer to this kata.".to_string()),
        (other, None) => (Some(NonSuccessKind::Failure), other.name(), objections(&verdict.diagnostics)),
    };
    let mut status = kind.map_or_else(TestCaseStatus::skipped, TestCaseStatus::non_success);
    let first = message.lines().next().unwrap_or(name);
    status.set_type(name).set_message(text::junit(&text::cut(first, 200)));
    // GitLab shows the content and nothing of the attributes.
    status.set_description(text::junit(&format!("{name}: {}", text::cut(&message, room))));
    status
}
