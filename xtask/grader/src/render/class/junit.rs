//! `junit.xml`: what GitLab and Jenkins show beside a pipeline. A suite is one answer, a case one test of it.
//!
//! GitLab groups by `classname`, takes the first of two cases of one name, and refuses files of 30 MB.

use std::time::Duration;

use pipeline::error::{Error, Result};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use verdict::{Assignment, Graded, SubjectVerdict, TestVerdict, Verdict};

use crate::class::gradebook::{Cell, Gradebook, Row};
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
        xml = without_skipped(&xml);
        if xml.len() <= most {
            break;
        }
    }
    Ok(xml)
}

/// The document whose root says nothing of skipped tests: the schemas of Jenkins and GitLab know that of one suite only.
fn without_skipped(xml: &str) -> String {
    let root = xml.find("<testsuites ").unwrap_or(0);
    let end = xml[root..].find('>').map_or(xml.len(), |end| root + end);
    // A name that looks like the attribute has its quotes escaped.
    let Some(begin) = xml[root..end].find(" skipped=\"").map(|begin| root + begin) else { return xml.to_string() };
    let rest = xml[begin..].splitn(3, '"').last().unwrap_or_default();
    format!("{}{rest}", &xml[..begin])
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
    report.set_time(report.test_suites.iter().filter_map(|suite| suite.time).sum::<Duration>());
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
        case.set_time(Duration::from_secs_f64(test.map_or(0.0, |test| test.seconds.max(0.0))));
        if let Some(test) = test.filter(|test| !test.output.is_empty() && room > 0) {
            case.set_system_out(text::junit(&text::cut(&test.output, room)));
        }
        suite.add_test_case(case);
    }
    suite.set_time(suite.test_cases.iter().filter_map(|case| case.time).sum::<Duration>());
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
