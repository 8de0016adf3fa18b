//! The reports on a class: every one a picture of the same gradebook, so they can't disagree. No clock and no hash order: the
//! same record gives the same bytes.
//!
//! [`CLASS`] lists those that are the instructor's, [`LEARNER`] those for one learner, below `learners/NAME/`: nothing of others,
//! of the machine or of how submissions are isolated. Files, help and README follow from the two.

mod answer;
mod ctrf;
mod failure;
mod frame;
mod grades;
mod gradescope;
mod junit;
mod learner;
mod page;
mod prairielearn;
mod summary;
pub(crate) mod text;

#[cfg(test)]
mod hostile;
#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::thread;

use pipeline::error::Result;
use pipeline::whole;
use verdict::{Diagnostic, Late};

use crate::class::claim::Claim;
use crate::class::gradebook::{Gradebook, Row};
use crate::class::{LEARNERS, safe_name};

/// A report: its file, what it is for, and how it is made.
struct Report<Render> {
    file: &'static str,
    purpose: &'static str,
    render: Render,
}

type OfClass = fn(&Gradebook) -> Result<String>;
type OfLearner = fn(&Gradebook, &Row) -> Result<String>;

/// The reports on a class.
const CLASS: [Report<OfClass>; 5] = [
    Report {
        file: "report.html",
        purpose: "learners by katas; a cell opens the tests",
        render: |gradebook| Ok(page::render(gradebook)),
    },
    Report { file: "grades.csv", purpose: "for a spreadsheet", render: |gradebook| Ok(grades::render(gradebook)) },
    Report { file: "summary.md", purpose: "for a CI step summary", render: |gradebook| Ok(summary::render(gradebook)) },
    Report { file: "junit.xml", purpose: "for GitLab and Jenkins", render: junit::render },
    Report { file: "ctrf.json", purpose: "for the Common Test Report Format", render: ctrf::render },
];

/// The reports for one learner.
const LEARNER: [Report<OfLearner>; 4] = [
    Report {
        file: "report.html",
        purpose: "what that learner may see",
        render: |gradebook, row| Ok(learner::page(gradebook, row)),
    },
    Report {
        file: "summary.md",
        purpose: "the same as text",
        render: |gradebook, row| Ok(learner::summary(gradebook, row)),
    },
    Report { file: "results.json", purpose: "for Gradescope", render: gradescope::render },
    Report {
        file: "prairielearn.json",
        purpose: "for PrairieLearn, as its `results.json`",
        render: prairielearn::render,
    },
];

/// The reports as the help and the README list them, one per line.
pub(crate) fn list() -> String {
    let of_class = CLASS.iter().map(|report| (report.file.to_string(), report.purpose));
    let of_learner = LEARNER.iter().map(|report| (format!("{LEARNERS}/NAME/{}", report.file), report.purpose));
    of_class.chain(of_learner).map(|(file, purpose)| format!("{file:<32} {purpose}\n")).collect()
}

/// Writes every report into a folder that is ours. Each file is whole or not there at all.
///
/// # Errors
/// A file can't be written.
pub(crate) fn write(gradebook: &Gradebook, claim: &Claim) -> Result<()> {
    let out = claim.folder();
    CLASS.iter().try_for_each(|report| whole::write(&out.join(report.file), (report.render)(gradebook)?))?;
    // A class has hundreds of learners, and each one's reports stand alone.
    let rows: Vec<&Row> = gradebook.rows.iter().filter(|row| row.is_here()).collect();
    let workers = thread::available_parallelism().map_or(2, usize::from);
    let part = rows.len().div_ceil(workers).max(1);
    thread::scope(|scope| {
        let write = |some: &[&Row]| some.iter().try_for_each(|row| write_learner(gradebook, row, out));
        let parts: Vec<_> = rows.chunks(part).map(|some| scope.spawn(move || write(some))).collect();
        parts.into_iter().try_for_each(|part| part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

/// Writes what one learner gets to read.
fn write_learner(gradebook: &Gradebook, row: &Row, out: &Path) -> Result<()> {
    let folder = out.join(LEARNERS).join(safe_name(&row.learner.name));
    LEARNER.iter().try_for_each(|report| whole::write(&folder.join(report.file), (report.render)(gradebook, row)?))
}

/// Two decimals: what a person reads and a spreadsheet adds up.
fn rounded(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

/// A percentage or points without needless zeros: `87.5`, `100`.
fn shown(number: f64) -> String {
    rounded(number).to_string()
}

/// `2 h 5 min late, 10% off`.
fn late(late: Late) -> String {
    let (days, hours, minutes) = (late.seconds / 86_400, late.seconds / 3600 % 24, late.seconds / 60 % 60);
    let parts = [(days, "d"), (hours, "h"), (minutes, "min")];
    let time: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n} {unit}")).collect();
    let time = if time.is_empty() { format!("{} s", late.seconds) } else { time.join(" ") };
    format!("{time} late, {}% off", shown(late.percent_off))
}

/// `1 learner`, `2 learners`.
fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// What the compiler, a rule or the grader says, errors only if there are any.
fn objections(diagnostics: &[Diagnostic]) -> String {
    let is_error = |one: &&Diagnostic| one.level != "warning";
    let errors = diagnostics.iter().filter(is_error);
    let rendered = errors.map(|one| if one.rendered.trim().is_empty() { &one.message } else { &one.rendered });
    rendered.map(|text| text.trim_end()).collect::<Vec<_>>().join("\n\n")
}
