//! `learners/NAME/`: what one learner gets to read. Nothing of others, of the machine, or of how the class is graded.

use verdict::{SubjectVerdict, Verdict};

use crate::class::gradebook::{Cell, Gradebook, Row};
use crate::render::class::failure::{Reader, pictures};
use crate::render::class::text::{html, markdown, markdown_block, markdown_code};
use crate::render::class::{answer, frame, late, objections, shown, text};

/// What learners hear of a fault of the grader's.
pub(crate) const GRADER_ERROR: &str =
    "The grader could not judge this answer. It is not your fault and costs no points; your instructor has been told.";

/// The first sentence of every report to a learner.
pub(crate) fn opening(gradebook: &Gradebook, row: &Row) -> String {
    let katas = row.cells.len();
    let passed = format!("{} of {katas} {} solved.", row.passed(), if katas == 1 { "kata is" } else { "katas are" });
    let grade = match (gradebook.percent(row), row.learner.late) {
        (Some(percent), Some(lateness)) => format!(" {}% of the course ({}).", shown(percent), late(lateness)),
        (Some(percent), None) => format!(" {}% of the course.", shown(percent)),
        (None, _) => " There is no grade yet, since not every answer has been judged.".to_string(),
    };
    passed + &grade
}

/// The page.
pub(crate) fn page(gradebook: &Gradebook, row: &Row) -> String {
    let name = html(&text::line(&row.learner.name));
    let course = html(&text::line(&gradebook.inputs.title));
    let mut body =
        format!("<header><h1>{name}</h1>\n<p>{course}. {}</p></header>\n<main>\n", html(&opening(gradebook, row)));
    for (assignment, cell) in gradebook.inputs.assignments.iter().zip(&row.cells) {
        body += &format!(
            "<section><h2 class=\"{}\">{} {} · {} <small>{} {}</small></h2>\n",
            answer::class(cell.verdict()),
            answer::mark(cell.verdict()),
            html(&assignment.kata),
            html(&assignment.title),
            answer::points(cell),
            html(&answer::reason(cell)),
        );
        body += &answer::complaints(cell, Reader::Learner);
        if let Some(graded) = cell.graded.as_ref().filter(|_| cell.score().is_some()) {
            for test in cell.failures() {
                body += &answer::failed(test, Reader::Learner);
                body += &pictures(&assignment.kata, test, &graded.lines);
            }
            body += &answer::passed(cell);
        }
        body += "</section>\n";
    }
    body += "</main>\n";
    frame::page(&text::line(&format!("{} · {}", row.learner.name, gradebook.inputs.title)), &body)
}

/// The same in words, for the summary of a CI step.
pub(crate) fn summary(gradebook: &Gradebook, row: &Row) -> String {
    let mut page = format!("# {}\n\n", markdown(&row.learner.name));
    page += &format!("{}\n\n{}\n\n", markdown(&gradebook.inputs.title), opening(gradebook, row));
    page += "| kata | points | verdict |\n|---|---|---|\n";
    for (assignment, cell) in gradebook.inputs.assignments.iter().zip(&row.cells) {
        let (mark, points, reason) = (answer::mark(cell.verdict()), answer::points(cell), answer::reason(cell));
        page += &format!("| {} | {points} | {mark} {} |\n", markdown(&assignment.kata), markdown(&reason));
    }
    for (assignment, cell) in gradebook.inputs.assignments.iter().zip(&row.cells) {
        page += &details(&assignment.kata, cell);
    }
    super::summary::within_limit(page)
}

fn details(kata: &str, cell: &Cell) -> String {
    let Some(graded) = cell.graded.as_ref().filter(|graded| graded.verdict.verdict != SubjectVerdict::Passed) else {
        return String::new();
    };
    let mut page = format!("\n## {}\n\n", markdown(kata));
    if graded.verdict.verdict == SubjectVerdict::GraderError {
        return page + GRADER_ERROR + "\n";
    }
    let complaints = objections(&graded.verdict.diagnostics);
    if !complaints.is_empty() {
        page += &markdown_block(&text::cut(&text::for_learners(&complaints), 8192));
    }
    for test in cell.tests() {
        if test.verdict == Verdict::Passed {
            page += &format!("- ✔ {}\n", markdown_code(&test.name));
            continue;
        }
        let kind = test.kind.map_or("failed", verdict::Kind::name);
        page += &format!("- ✗ {}: {kind}\n\n", markdown_code(&test.name));
        let block = markdown_block(&text::cut(&text::for_learners(&test.message), 4096));
        page += &block.lines().map(|line| format!("  {line}\n")).collect::<String>();
        page.push('\n');
    }
    page
}
