//! `summary.md`: the class in the summary of a CI step. What needs a person comes first, the long table last.

use verdict::{Kind, SubjectVerdict};

use crate::class::gradebook::Gradebook;
use crate::render::class::text::{markdown, markdown_code};
use crate::render::class::{answer, count, shown};

/// GitHub takes 1 MiB, and refuses the whole if it is more.
const MOST: usize = 1024 * 1024;
/// What is said where something had to go.
const CUT: &str =
    "\n\n**This summary is cut: it may not be longer. `report.html` and `grades.csv` have everything.**\n";
/// Mistakes that are listed.
const MISTAKES: usize = 10;

/// Renders it.
pub(crate) fn render(gradebook: &Gradebook) -> String {
    let mut page = format!("# {}\n\n", markdown(&gradebook.inputs.title));
    page += &totals(gradebook);
    page += &faults(gradebook);
    page += &katas(gradebook);
    page += &mistakes(gradebook);
    page += &learners(gradebook);
    within_limit(page)
}

/// No more than GitHub takes: cut at a line's end, and said so.
pub(crate) fn within_limit(page: String) -> String {
    if page.len() <= MOST {
        return page;
    }
    let end = page.floor_char_boundary(MOST - CUT.len());
    let end = page[..end].rfind('\n').unwrap_or(end);
    // An open fence would swallow the sentence.
    let fences = page[..end].lines().filter(|line| line.trim_start().starts_with("```")).count();
    let close = if fences % 2 == 1 { "\n```" } else { "" };
    format!("{}{close}{CUT}", &page[..end - close.len().min(end)])
}

fn totals(gradebook: &Gradebook) -> String {
    let here: Vec<_> = gradebook.rows.iter().filter(|row| row.is_here()).collect();
    let katas = gradebook.inputs.assignments.len();
    let all = here.iter().filter(|row| row.passed() == katas).count();
    let mut text = format!("{} on {}. ", count(here.len(), "learner"), count(katas, "kata"));
    text += &format!("{all} solved everything.");
    if let Some(shard) = gradebook.inputs.shard {
        let elsewhere = gradebook.rows.len() - here.len();
        text += &format!(
            " This is part {} of {}; {} of the class are graded elsewhere.",
            shard.number, shard.of, elsewhere
        );
    }
    text + "\n\n"
}

fn faults(gradebook: &Gradebook) -> String {
    let mut items = String::new();
    for row in &gradebook.rows {
        for (assignment, cell) in gradebook.inputs.assignments.iter().zip(&row.cells) {
            let (name, kata) = (markdown(&row.learner.name), markdown(&assignment.kata));
            if cell.verdict() == Some(SubjectVerdict::GraderError) {
                items += &format!("- {name}, {kata}: the grader failed; no score. Grade this one again.\n");
            }
            if cell.failures().any(|test| test.kind == Some(Kind::Tampered)) {
                items += &format!("- {name}, {kata}: tampered. Look at this one yourself.\n");
            }
        }
    }
    if items.is_empty() { items } else { format!("## Needs you\n\n{items}\n") }
}

fn katas(gradebook: &Gradebook) -> String {
    let mut text = "## Katas\n\n| kata | passed | not passed | most common failures |\n|---|--:|--:|---|\n".to_string();
    for (column, assignment) in gradebook.inputs.assignments.iter().enumerate() {
        let statistics = gradebook.statistics(column);
        let passed = statistics.verdicts.get(&SubjectVerdict::Passed).copied().unwrap_or(0);
        let graded: usize = statistics.verdicts.values().sum();
        let kinds: Vec<String> =
            statistics.kinds.iter().take(3).map(|(kind, count)| format!("{kind} ({count})")).collect();
        let name = markdown(&assignment.kata);
        text += &format!("| {name} | {passed} | {} | {} |\n", graded - passed, kinds.join(", "));
    }
    text + "\n"
}

fn mistakes(gradebook: &Gradebook) -> String {
    let mistakes = gradebook.shared_mistakes();
    if mistakes.is_empty() {
        return String::new();
    }
    let mut text = "## Mistakes in common\n\n".to_string();
    for mistake in mistakes.iter().take(MISTAKES) {
        let kata = markdown(&gradebook.inputs.assignments[mistake.column].kata);
        let learners = count(mistake.rows.len(), "learner");
        text += &format!("- {kata}, {}: {} ({learners})\n", markdown_code(&mistake.test), mistake.kind);
    }
    text + "\n"
}

fn learners(gradebook: &Gradebook) -> String {
    let heads: Vec<String> = gradebook.inputs.assignments.iter().map(|assignment| markdown(&assignment.kata)).collect();
    let mut text = format!(
        "## Learners\n\n| learner | {} | percent |\n|---|{}--:|\n",
        heads.join(" | "),
        "---|".repeat(heads.len())
    );
    for row in gradebook.rows.iter().filter(|row| row.is_here()) {
        let cells = row.cells.iter().map(|cell| {
            let shown =
                if cell.verdict() == Some(SubjectVerdict::Passed) { String::new() } else { answer::reason(cell) };
            let parts = [answer::mark(cell.verdict()), &answer::points(cell), &markdown(&shown)];
            parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
        });
        let percent = gradebook.percent(row).map_or_else(String::new, shown);
        text +=
            &format!("| {} | {} | {percent} |\n", markdown(&row.learner.name), cells.collect::<Vec<_>>().join(" | "));
    }
    text
}
