//! `grades.csv`: what goes into the instructor's spreadsheet or learning platform.

use crate::class::gradebook::{Gradebook, Row};
use crate::render::class::{count, late, shown, text};

/// Excel reads UTF-8 as such only after this mark; every other program knows to skip it.
const MARK: &str = "\u{feff}";

/// Renders it: learner, the points of each kata, the percentage after lateness, lateness, notes. What the grader failed at is
/// blank, as is what depends on it.
pub(crate) fn render(gradebook: &Gradebook) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let katas = gradebook.inputs.assignments.iter().map(|assignment| text::spreadsheet(&assignment.kata));
    let heads = std::iter::once("learner".to_string()).chain(katas);
    let mut records = vec![heads.chain(["percent", "late", "notes"].map(str::to_string)).collect::<Vec<_>>()];
    records.extend(gradebook.rows.iter().map(|row| record(gradebook, row)));
    for record in records {
        writer.write_record(&record).expect("a record is as long as the heads, and memory takes any");
    }
    let bytes = writer.into_inner().expect("memory takes any record");
    MARK.to_string() + &String::from_utf8(bytes).expect("it was written from text")
}

fn record(gradebook: &Gradebook, row: &Row) -> Vec<String> {
    let scores = row.cells.iter().map(|cell| cell.score().map_or_else(String::new, |score| score.to_string()));
    let percent = gradebook.percent(row).map_or_else(String::new, shown);
    let late = row.learner.late.map_or_else(String::new, late);
    let notes = gradebook.inputs.assignments.iter().zip(&row.cells).filter_map(|(assignment, cell)| {
        let word = match cell.verdict() {
            None => "not graded".to_string(),
            Some(verdict::SubjectVerdict::Passed) if cell.in_doubt() > 0 => {
                format!("passed, {} not proven", count(cell.in_doubt(), "test"))
            }
            Some(verdict::SubjectVerdict::Passed | verdict::SubjectVerdict::Failed) => return None,
            Some(verdict) => verdict.to_string(),
        };
        Some(format!("{}: {word}", assignment.kata))
    });
    let notes = text::spreadsheet(&notes.collect::<Vec<_>>().join("; "));
    std::iter::once(text::spreadsheet(&row.learner.name)).chain(scores).chain([percent, late, notes]).collect()
}
