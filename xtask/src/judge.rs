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

#[cfg(test)]
mod tests {
    use std::process::ExitStatus;
    use std::time::Duration;

    use verdict::Mode;

    use super::*;

    fn finished(status: Option<ExitStatus>, stdout: &str, stderr: &str) -> Finished {
        Finished { status, stdout: stdout.into(), stderr: stderr.into(), took: Duration::from_secs(3) }
    }

    fn kind(outcome: &Outcome) -> Option<Kind> {
        match outcome {
            Outcome::Failed(failure) => Some(failure.kind),
            Outcome::Passed | Outcome::Skipped => None,
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_process_without_a_record_never_passes() {
        use std::os::unix::process::ExitStatusExt;

        // As `wait` reports it: the exit code in the second byte, a signal's number in the first.
        let ended = |raw| no_record(&finished(Some(ExitStatus::from_raw(raw)), "", ""), "");
        assert_eq!(kind(&ended(0)), Some(Kind::Tampered), "success is no verdict");
        assert_eq!(kind(&ended(101 << 8)), Some(Kind::Panic));
        assert_eq!(kind(&ended(7 << 8)), Some(Kind::Crash));
        assert_eq!(kind(&ended(6)), Some(Kind::Crash), "a signal");
        assert_eq!(kind(&no_record(&finished(None, "", ""), "")), Some(Kind::Timeout));
    }

    #[test]
    fn a_record_for_the_other_way_of_running_is_no_record() {
        let record = verdict::Record { mode: Mode::Threads, outcome: Outcome::Passed, coverage: None, trace: None };
        let run = |mode| TestRun {
            test: "a_test".to_string(),
            mode,
            finished: finished(None, "", ""),
            record: Some(record.clone()),
        };
        assert_eq!(judge_test(run(Mode::Schedules)).and_then(|test| test.kind), Some(Kind::Tampered));
        assert_eq!(judge_test(run(Mode::Threads)).map(|test| test.verdict), Some(Verdict::Passed));
    }

    #[test]
    fn the_learners_output_is_what_the_harness_did_not_print() {
        let passed = "\nrunning 1 test\nhello\n.\n\ntest result: ok. 1 passed; 0 failed\n";
        assert_eq!(learners_output(&finished(None, passed, "")), "hello");
        let failed =
            "\nrunning 1 test\nhello\na_test --- FAILED\n\nfailures:\n\nfailures:\n    a_test\n\ntest result: FAILED\n";
        assert_eq!(learners_output(&finished(None, failed, "on standard error\n")), "hello\non standard error");
        assert_eq!(learners_output(&finished(None, "\nrunning 1 test\n.\n\ntest result: ok\n", "")), "");
    }

    #[test]
    fn a_subject_is_unsolved_only_while_nothing_is_wrong() {
        let test = |kind: Option<Kind>| TestVerdict {
            name: format!("{kind:?}"),
            mode: Mode::Threads,
            verdict: if kind.is_some() { Verdict::Failed } else { Verdict::Passed },
            kind,
            message: String::new(),
            schedules: None,
            coverage: None,
            seconds: 0.0,
            points: 0,
            output: String::new(),
            trace: None,
        };
        assert_eq!(of_tests(1, &[test(None)]), SubjectVerdict::Passed);
        assert_eq!(of_tests(2, &[test(None), test(Some(Kind::Unsolved))]), SubjectVerdict::Unsolved);
        let mixed = [test(Some(Kind::Unsolved)), test(Some(Kind::Race))];
        assert_eq!(of_tests(2, &mixed), SubjectVerdict::Failed);
        assert_eq!(of_tests(2, &[test(None)]), SubjectVerdict::GraderError, "a test that nobody judged");
        assert_eq!(of_tests(0, &[]), SubjectVerdict::GraderError, "no test proves nothing");
    }
}
