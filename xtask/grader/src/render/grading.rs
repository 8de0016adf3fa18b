//! What `grade` and `merge` say on the terminal and in a log.

use std::path::Path;
use std::time::Duration;

use verdict::{Isolation, KataVerdict, SubjectVerdict, Tier};

use crate::class::gradebook::Gradebook;
use crate::render::class::text;
use crate::render::{BAD, STRONG, paragraph, styled, width};

/// How far a class is: `34 of 200 graded, 5.2 a second, 32 s left: `. Without a speed, nobody knows how long it takes.
pub(crate) fn pace(done: usize, total: usize, to_run: usize, speed: Option<f64>) -> String {
    let speed = speed.map(|speed| format!(", {speed:.1} a second, {:.0} s left", to_run as f64 / speed));
    format!("{done} of {total} graded{}: ", speed.unwrap_or_default())
}

/// How many answers are run in a second, if enough were to say so.
pub(crate) fn speed(answers: usize, took: Duration) -> Option<f64> {
    const ENOUGH: (usize, Duration) = (4, Duration::from_secs(1));
    (answers >= ENOUGH.0 && took >= ENOUGH.1).then(|| answers as f64 / took.as_secs_f64())
}

/// One line a result. It begins with a number, so that no learner's name is at the beginning of a line.
pub(crate) fn line(place: usize, total: usize, learner: &str, verdict: &KataVerdict) -> String {
    let score = match verdict.verdict {
        SubjectVerdict::GraderError => "no points taken".to_string(),
        _ => format!("{} of {}", verdict.score, verdict.max_score),
    };
    format!("{place}/{total} {}, {}: {}, {score}", text::line(learner), verdict.kata, verdict.verdict)
}

/// How far submissions are kept from the machine, and what is lacking.
pub(crate) fn isolation(isolation: &Isolation) -> String {
    let tier = tier(isolation.tier);
    match &isolation.lacks[..] {
        [] => tier.to_string(),
        lacks => format!("{tier}; not available here: {}", lacks.join("; ")),
    }
}

/// A tier, as `--require-isolation` spells it.
pub(crate) fn tier(tier: Tier) -> &'static str {
    match tier {
        Tier::None => "none",
        Tier::Limits => "limits",
        Tier::Confined => "confined",
        Tier::Isolated => "isolated",
    }
}

/// What a run that was stopped leaves.
pub(crate) fn unfinished(gradebook: &Gradebook, total: usize) -> String {
    let graded = gradebook.rows.iter().flat_map(|row| &row.cells).filter(|cell| cell.graded.is_some()).count();
    format!("stopped with {graded} of {total} graded; the same command goes on from there")
}

/// What came of it, and where it is.
pub(crate) fn summary(gradebook: &Gradebook, out: &Path, passed_over: &[String]) -> String {
    let inputs = &gradebook.inputs;
    let here = gradebook.rows.iter().filter(|row| row.is_here()).count();
    let learners = if here == 1 { "learner" } else { "learners" };
    let part = inputs.shard.map_or(String::new(), |shard| format!(", part {} of {}", shard.number, shard.of));
    let mut text = styled(STRONG, &format!("{}: {here} {learners}{part}", text::line(&inputs.title))) + "\n";
    for (column, assignment) in inputs.assignments.iter().enumerate() {
        let statistics = gradebook.statistics(column);
        let verdicts = statistics.verdicts.iter().map(|(verdict, count)| format!("{count} {verdict}"));
        text += &format!("  {:<12} {}\n", assignment.kata, verdicts.collect::<Vec<_>>().join(", "));
    }
    text += &paragraph(&format!("isolation: {}", isolation(&inputs.isolation)), 0, width());
    if !passed_over.is_empty() {
        let names: Vec<String> = passed_over.iter().map(|name| text::line(name)).collect();
        text += &paragraph(&format!("no submissions, so skipped: {}", names.join(", ")), 0, width());
    }
    let errors = grader_errors(gradebook);
    if errors > 0 {
        let what =
            format!("{errors} could not be graded; that is not the learner's fault, and no points are deducted. ");
        text += &styled(BAD, &what);
        text += "Run the same command again to try those once more.\n";
    }
    let whole = if inputs.shard.is_some() { "results.jsonl for `cargo xtask merge`, and for this part " } else { "" };
    let reports = format!("{whole}report.html, grades.csv, summary.md, junit.xml, ctrf.json, learners/");
    text + &paragraph(&format!("in {}: {reports}", out.display()), 0, width())
}

/// How many answers the grader failed to judge.
pub(crate) fn grader_errors(gradebook: &Gradebook) -> usize {
    let cells = gradebook.rows.iter().flat_map(|row| &row.cells);
    cells.filter(|cell| cell.verdict() == Some(SubjectVerdict::GraderError)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_estimated_by_what_was_run() {
        assert_eq!(pace(150, 200, 50, speed(0, Duration::ZERO)), "150 of 200 graded: ");
        assert_eq!(pace(152, 200, 48, speed(2, Duration::from_secs(10))), "152 of 200 graded: ", "too few to say");
        assert_eq!(pace(160, 200, 40, speed(10, Duration::from_millis(4))), "160 of 200 graded: ", "too short");
        let some = speed(10, Duration::from_secs(5));
        assert_eq!(pace(160, 200, 40, some), "160 of 200 graded, 2.0 a second, 20 s left: ");
    }
}
