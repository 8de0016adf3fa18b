//! Judging: what happened → a verdict, as data. Nothing is run or printed here.

use std::collections::BTreeMap;

use verdict::{Diagnostic, Failure, KataVerdict, Kind, Outcome, SubjectVerdict, TestVerdict, Verdict};

use crate::build::Built;
use crate::process::Finished;
use crate::run::TestRun;

/// The verdict on a subject that breaks rules: it is not even built.
pub(crate) fn rejected(kata: &crate::catalog::Kata, subject: &str, objections: Vec<Diagnostic>) -> KataVerdict {
    KataVerdict {
        kata: kata.name.clone(),
        subject: subject.to_string(),
        verdict: SubjectVerdict::Rejected,
        score: 0,
        max_score: max_score(kata),
        seconds: 0.0,
        tests: Vec::new(),
        diagnostics: objections,
    }
}

/// The verdict on a subject that was built, and run if it compiled.
pub(crate) fn judge(built: &Built, runs: Vec<TestRun>, seconds: f64) -> KataVerdict {
    let kata = &built.staged.subject.kata;
    let mut tests: Vec<TestVerdict> = runs.into_iter().filter_map(judge_test).collect();
    let objected = built.diagnostics.iter().any(|diagnostic| diagnostic.level.starts_with("error"));
    let verdict = match built.compiled() {
        true => of_tests(kata.tests.len(), &tests),
        false if objected => SubjectVerdict::CompileError,
        // The compiler gave up without a word: it was killed, say.
        false => SubjectVerdict::GraderError,
    };
    let score = award_points(kata, &mut tests);
    KataVerdict {
        kata: kata.name.clone(),
        subject: built.staged.subject.name.clone(),
        verdict,
        score,
        max_score: max_score(kata),
        seconds,
        tests,
        diagnostics: built.diagnostics.clone(),
    }
}

/// Points to be had.
fn max_score(kata: &crate::catalog::Kata) -> u32 {
    kata.tests.iter().map(|test| kata.points(test)).sum()
}

fn of_tests(expected: usize, tests: &[TestVerdict]) -> SubjectVerdict {
    let mut failed = tests.iter().filter(|test| test.verdict == Verdict::Failed).peekable();
    if failed.peek().is_some() {
        let unsolved = failed.all(|test| test.kind == Some(Kind::Unsolved));
        return if unsolved { SubjectVerdict::Unsolved } else { SubjectVerdict::Failed };
    }
    // A kata whose tests all skip both modes, or that has none, proves nothing.
    let judged = tests.iter().map(|test| &test.name).collect::<std::collections::BTreeSet<_>>().len();
    if judged == expected && expected > 0 { SubjectVerdict::Passed } else { SubjectVerdict::GraderError }
}

/// A test's points go to its last entry, if all its entries passed. The sum is the score.
fn award_points(kata: &crate::catalog::Kata, tests: &mut [TestVerdict]) -> u32 {
    let mut last: BTreeMap<String, (usize, bool)> = BTreeMap::new();
    for (index, test) in tests.iter().enumerate() {
        let entry = last.entry(test.name.clone()).or_insert((index, true));
        *entry = (index, entry.1 && test.verdict == Verdict::Passed);
    }
    let mut score = 0;
    for (name, (index, passed)) in last {
        if passed {
            tests[index].points = kata.points(&name);
            score += tests[index].points;
        }
    }
    score
}

/// The verdict on one test in one mode; nothing if it does not run in this mode.
fn judge_test(run: TestRun) -> Option<TestVerdict> {
    let TestRun { test, mode, finished, record } = run;
    let output = learners_output(&finished);
    let (coverage, trace) = record.as_ref().map_or((None, None), |record| (record.coverage, record.trace.clone()));
    let outcome = match record {
        Some(record) if record.mode != mode => {
            failure(Kind::Tampered, "The record of this test is for another way of running.".to_string())
        }
        Some(record) => record.outcome,
        None => no_record(&finished, &output),
    };
    let (verdict, kind, message) = match outcome {
        Outcome::Skipped => return None,
        Outcome::Passed => (Verdict::Passed, None, String::new()),
        Outcome::Failed(Failure { kind, message }) => (Verdict::Failed, Some(kind), message),
    };
    Some(TestVerdict {
        name: test,
        mode,
        verdict,
        kind,
        message,
        schedules: coverage.map(|coverage| coverage.schedules),
        coverage,
        seconds: finished.took.as_secs_f64(),
        points: 0,
        output,
        trace,
    })
}

/// A process that ended without saying how its test went: an exit code is no verdict.
fn no_record(finished: &Finished, output: &str) -> Outcome {
    let Some(status) = finished.status else {
        return failure(
            Kind::Timeout,
            format!("The test was not done after {:.0} seconds and was ended.", finished.took.as_secs_f64()),
        );
    };
    let tail = output.lines().rev().take(6).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\n");
    let after = if tail.is_empty() { String::new() } else { format!(" Its last words:\n{tail}") };
    match status.code() {
        Some(0) => {
            failure(Kind::Tampered, format!("The process ended with success, but its test never finished.{after}"))
        }
        Some(101) => failure(Kind::Panic, format!("The test panicked outside of its own check.{after}")),
        Some(code) => {
            failure(Kind::Crash, format!("The process ended with exit code {code} in the middle of the test.{after}"))
        }
        None => failure(
            Kind::Crash,
            format!("The process was ended by a signal ({status}) in the middle of the test.{after}"),
        ),
    }
}

fn failure(kind: Kind, message: String) -> Outcome {
    Outcome::Failed(Failure { kind, message })
}

/// What the learner's code printed: standard output without the lines of the test harness, then standard error.
fn learners_output(finished: &Finished) -> String {
    let stdout = String::from_utf8_lossy(&finished.stdout);
    let text = stdout.strip_prefix("\nrunning 1 test\n").unwrap_or(&stdout);
    // After a test the harness prints a dot, or its name and FAILED, and then what it counted.
    let end = ["\nfailures:\n", "\ntest result: "].iter().filter_map(|mark| text.find(mark)).min();
    let text = text[..end.unwrap_or(text.len())].trim_end();
    let text = match text.rsplit_once('\n') {
        Some((before, last)) if last.ends_with("--- FAILED") => before,
        None if text.ends_with("--- FAILED") => "",
        _ => text.strip_suffix('.').unwrap_or(text),
    };
    let stderr = String::from_utf8_lossy(&finished.stderr);
    [text.trim_matches('\n'), stderr.trim_matches('\n')]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("\n")
}
