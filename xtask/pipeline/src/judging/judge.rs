//! Judging: what happened → a verdict, as data. Nothing is run or printed here.

mod names;
mod stub;

use std::collections::{BTreeMap, BTreeSet};

use verdict::{
    Coverage, Diagnostic, Failure, KataVerdict, Kind, Outcome, Record, SubjectVerdict, TestVerdict, Verdict,
};

use crate::judging::build::Built;
use crate::judging::run::Ran;
use crate::process::{Ending, Exceeded, Finished};
use crate::subject::Subject;

/// The verdict on a subject that breaks rules: it is not even built.
pub fn rejected(kata: &crate::subject::catalog::Kata, subject: &str, objections: Vec<Diagnostic>) -> KataVerdict {
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

/// The verdict on a subject that the grader itself could not judge: it costs no point.
pub fn grader_error(kata: &crate::subject::catalog::Kata, subject: &str, why: String) -> KataVerdict {
    KataVerdict { verdict: SubjectVerdict::GraderError, ..rejected(kata, subject, vec![fault(why)]) }
}

/// What the grader itself failed at.
fn fault(why: String) -> Diagnostic {
    Diagnostic { level: "grader".to_string(), rendered: format!("{why}\n"), message: why, file: None, line: None }
}

/// The verdict on a subject that can't be taken as a submission at all: a symbolic link, a broken archive.
pub fn refused(kata: &crate::subject::catalog::Kata, subject: &str, why: &str) -> KataVerdict {
    let (level, message) = ("rule".to_string(), why.to_string());
    let diagnostic = Diagnostic { level, rendered: format!("{why}\n"), message, file: None, line: None };
    rejected(kata, subject, vec![diagnostic])
}

/// The verdict on a subject of which there is nothing.
pub fn missing(kata: &crate::subject::catalog::Kata, subject: &str) -> KataVerdict {
    KataVerdict { verdict: SubjectVerdict::Missing, ..rejected(kata, subject, Vec::new()) }
}

/// The verdict on a subject that was built, with those on its tests if it compiled: on all of them that were wanted.
pub fn judge(built: &Built, mut tests: Vec<TestVerdict>, seconds: f64) -> KataVerdict {
    let subject = &built.loaded.subject;
    let kata = &subject.kata;
    let objected = built.diagnostics.iter().any(|diagnostic| diagnostic.level.starts_with("error"));
    let verdict = match built.compiled() {
        // What was wanted needs schedules: what the models lack is in its way.
        true if built.is_not_modelled() && tests.is_empty() => SubjectVerdict::CompileError,
        true if built.is_not_modelled() => {
            // A pass on threads alone is luck: it is marked as one that was not proven. What only schedules can judge is not judged.
            let passed = tests.iter_mut().filter(|test| test.verdict == Verdict::Passed);
            passed.for_each(|test| test.coverage = Some(Coverage::default()));
            of_tests(judged(&tests), &tests)
        }
        // In one mode, tests of the other are not judged. Where there are no others, nothing is wrong in this mode.
        true if built.loaded.purpose.is_one_of_two() && tests.is_empty() => SubjectVerdict::Passed,
        true if built.loaded.purpose.is_one_of_two() => of_tests(judged(&tests), &tests),
        true => of_tests(subject.wanted().count(), &tests),
        false if objected => SubjectVerdict::CompileError,
        // The compiler gave up without a word: it was killed, say.
        false => SubjectVerdict::GraderError,
    };
    let score = award_points(kata, &mut tests);
    let broken = tests.iter().filter(|test| is_broken(test));
    let faults = broken.map(|test| fault(format!("the test `{}` is broken: {}", test.name, test.message)));
    let diagnostics = built.diagnostics.iter().cloned().chain(faults).collect();
    KataVerdict {
        kata: kata.name.clone(),
        subject: subject.name.clone(),
        verdict,
        score,
        max_score: subject.wanted().map(|test| kata.points(test)).sum(),
        seconds,
        tests,
        diagnostics,
    }
}

/// The verdict on a subject that compiles, and was judged in one mode after the other: what both have found.
pub fn joined(subject: &Subject, schedules: KataVerdict, threads: KataVerdict) -> KataVerdict {
    if !has_run(&threads) {
        return threads;
    }
    // A schedule that fails is enough. Threads have to confirm what passed.
    let failed: BTreeSet<String> = failing(&schedules.tests).map(|test| test.name.clone()).collect();
    let confirmed = threads.tests.into_iter().filter(|test| !failed.contains(&test.name));
    let mut tests: Vec<TestVerdict> = schedules.tests.into_iter().chain(confirmed).collect();
    let score = award_points(&subject.kata, &mut tests);
    let seconds = schedules.seconds + threads.seconds;
    let verdict = of_tests(subject.wanted().count(), &tests);
    KataVerdict {
        kata: threads.kata,
        subject: threads.subject,
        diagnostics: threads.diagnostics,
        max_score: threads.max_score,
        verdict,
        score,
        seconds,
        tests,
    }
}

/// Whether tests of that subject have been run, or could have been.
pub fn has_run(verdict: &KataVerdict) -> bool {
    matches!(verdict.verdict, SubjectVerdict::Passed | SubjectVerdict::Failed | SubjectVerdict::Unsolved)
}

/// Points to be had.
pub fn max_score(kata: &crate::subject::catalog::Kata) -> u32 {
    kata.tests.iter().map(|test| kata.points(test)).sum()
}

fn of_tests(expected: usize, tests: &[TestVerdict]) -> SubjectVerdict {
    let mut failed = failing(tests).peekable();
    if tests.iter().any(is_broken) {
        return SubjectVerdict::GraderError;
    }
    if failed.peek().is_some() {
        let unsolved = failed.all(|test| test.kind == Some(Kind::Unsolved));
        return if unsolved { SubjectVerdict::Unsolved } else { SubjectVerdict::Failed };
    }
    // A kata whose tests all skip both modes, or that has none, proves nothing.
    if judged(tests) == expected && expected > 0 { SubjectVerdict::Passed } else { SubjectVerdict::GraderError }
}

fn failing(tests: &[TestVerdict]) -> impl Iterator<Item = &TestVerdict> {
    tests.iter().filter(|test| test.verdict == Verdict::Failed)
}

/// How many tests these verdicts are on.
fn judged(tests: &[TestVerdict]) -> usize {
    tests.iter().map(|test| &test.name).collect::<BTreeSet<_>>().len()
}

/// Whether the test itself is no good. A learner's mistake has a kind.
fn is_broken(test: &TestVerdict) -> bool {
    test.verdict == Verdict::Failed && test.kind.is_none()
}

/// A test's points go to its last entry, if all its entries passed. The sum is the score.
fn award_points(kata: &crate::subject::catalog::Kata, tests: &mut [TestVerdict]) -> u32 {
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

/// The verdict on one test of that subject in one mode; nothing if it does not run in this mode. Its points are awarded with all the
/// others'.
pub fn test(built: &Built, run: Ran) -> Option<TestVerdict> {
    let mut test = judge_test(run)?;
    names::name_objects(&mut test, &built.loaded.files);
    if test.kind == Some(Kind::Unsolved) && !stub::is_of_a_todo(&built.loaded.files, &test.message) {
        test.kind = Some(Kind::Panic);
    }
    Some(test)
}

fn judge_test(run: Ran) -> Option<TestVerdict> {
    let Ran { test, mode, finished, record, hurried } = run;
    let output = learners_output(&finished);
    let (coverage, trace) = record.as_ref().map_or((None, None), |record| (record.coverage, record.trace.clone()));
    let outcome = match (finished.ending, record) {
        // Whatever the test said of itself, it did not keep within its limits.
        (Ending::Exceeded(what), _) => exceeded(what, &finished, hurried),
        (_, Some(record)) if record.mode != mode => {
            failure(Kind::Tampered, "The record of this test is for another way of running.".to_string())
        }
        (_, Some(Record { outcome: Outcome::Passed, .. })) if finished.left_behind > 0 => left_behind(&finished),
        // What comes after the record may fail, too: all that the test said is that it had not failed by then.
        (ending, Some(Record { outcome: Outcome::Passed, .. })) if ending != Ending::Exited(0) => {
            ended_badly(&finished, &output)
        }
        (_, Some(record)) => record.outcome,
        (_, None) => ended_badly(&finished, &output),
    };
    let (verdict, kind, message) = match outcome {
        Outcome::Skipped => return None,
        // No kind of a learner's mistake: the subject's verdict is the grader's error.
        Outcome::Broken(message) | Outcome::Misfit(message) => (Verdict::Failed, None, message),
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

/// A process that ended without saying how its test went, since an exit code of 0 is no verdict; or one that said that it passed, and
/// ended otherwise.
fn ended_badly(finished: &Finished, output: &str) -> Outcome {
    let tail = output.lines().rev().take(6).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\n");
    let after = if tail.is_empty() { String::new() } else { format!(" Its last words:\n{tail}") };
    match finished.ending {
        Ending::Exceeded(what) => exceeded(what, finished, false),
        Ending::Exited(0) => {
            failure(Kind::Tampered, format!("The process ended with success, but its test never finished.{after}"))
        }
        Ending::Exited(101) => failure(Kind::Panic, format!("The test panicked outside of its own check.{after}")),
        Ending::Exited(code) => {
            failure(Kind::Crash, format!("The process ended with exit code {code} in the middle of the test.{after}"))
        }
        Ending::Signalled(signal) => {
            let signal =
                || format!("The process was ended by a signal (number {signal}) in the middle of the test.{after}");
            failure(Kind::Crash, stack_overflow(output).unwrap_or_else(signal))
        }
    }
}

/// What to say of a thread that used up its stack. Std and its model tell that with the same words.
fn stack_overflow(output: &str) -> Option<String> {
    let told = output.lines().rev().find_map(|line| line.strip_suffix(" has overflowed its stack"))?;
    let name = told.split('\'').nth(1)?;
    Some(format!("Stack overflow: `{name}` has used up its stack."))
}

/// A test that passed, though processes that it no longer knew of were still there.
fn left_behind(finished: &Finished) -> Outcome {
    let who = match finished.left_behind {
        1 => "A process of the test was".to_string(),
        many => format!("{many} processes of the test were"),
    };
    failure(Kind::Leak, format!("{who} still running after it ended."))
}

/// A process that was ended because it used too much.
fn exceeded(what: Exceeded, finished: &Finished, hurried: bool) -> Outcome {
    let seconds = finished.took.as_secs_f64();
    let (kind, message) = match what {
        Exceeded::Wall => (Kind::Timeout, format!("The test was not done after {seconds:.0} seconds and was ended.")),
        Exceeded::Cpu => (Kind::Timeout, "The test kept the processor busy for too long and was ended.".to_string()),
        Exceeded::Memory => (Kind::OutOfMemory, "The test used more memory than it may and was ended.".to_string()),
        Exceeded::Output => (Kind::OutputLimit, "The test printed more than it may and was ended.".to_string()),
        Exceeded::Tasks => {
            (Kind::Crash, "The test started more processes and threads than it may and was ended.".to_string())
        }
        Exceeded::Disk => (Kind::Crash, "The test wrote more to the disk than it may and was ended.".to_string()),
    };
    let why = if hurried && kind == Kind::Timeout { HURRIED } else { "" };
    failure(kind, message + why)
}

/// Why a test had less time than usual.
const HURRIED: &str = " It had less time than usual: three tests of this answer had used up theirs.";

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
    use std::path::Path;
    use std::time::Duration;

    use verdict::Mode;

    use super::*;
    use crate::repository::Repository;

    fn finished(ending: Ending, stdout: &str, stderr: &str) -> Finished {
        Finished { ending, stdout: stdout.into(), stderr: stderr.into(), took: Duration::from_secs(3), left_behind: 0 }
    }

    fn kind(outcome: &Outcome) -> Option<Kind> {
        match outcome {
            Outcome::Failed(failure) => Some(failure.kind),
            Outcome::Passed | Outcome::Skipped | Outcome::Broken(_) | Outcome::Misfit(_) => None,
        }
    }

    #[test]
    fn a_process_without_a_record_never_passes() {
        let ended = |ending| kind(&ended_badly(&finished(ending, "", ""), ""));
        assert_eq!(ended(Ending::Exited(0)), Some(Kind::Tampered), "success is no verdict");
        assert_eq!(ended(Ending::Exited(101)), Some(Kind::Panic));
        assert_eq!(ended(Ending::Exited(7)), Some(Kind::Crash));
        assert_eq!(ended(Ending::Signalled(6)), Some(Kind::Crash));
        assert_eq!(ended(Ending::Exceeded(Exceeded::Wall)), Some(Kind::Timeout));
    }

    #[test]
    fn a_pass_is_none_if_the_process_does_not_end_well() {
        let judged = |ending| {
            let (record, finished) = (Record::new(Mode::Threads, Outcome::Passed), finished(ending, "", ""));
            let run =
                Ran { test: "a_test".to_string(), mode: Mode::Threads, finished, record: Some(record), hurried: false };
            judge_test(run).and_then(|test| test.kind)
        };
        assert_eq!(judged(Ending::Exited(0)), None);
        assert_eq!(judged(Ending::Exited(101)), Some(Kind::Panic), "the body goes on after its check, and panics");
        assert_eq!(judged(Ending::Signalled(6)), Some(Kind::Crash));
    }

    #[test]
    fn a_stack_that_is_used_up_is_told_with_its_thread() {
        let told = "thread 'cook' (4711) has overflowed its stack\nfatal runtime error: stack overflow, aborting";
        let outcome = ended_badly(&finished(Ending::Signalled(6), "", told), told);
        let Outcome::Failed(failure) = &outcome else { panic!("{outcome:?}") };
        assert_eq!(failure.message, "Stack overflow: `cook` has used up its stack.");
        assert_eq!(stack_overflow("thread 'main' panicked"), None);
    }

    #[test]
    fn who_exceeds_a_limit_fails_whatever_was_recorded() {
        let passed = Record::new(Mode::Threads, Outcome::Passed);
        let run = |what| Ran {
            test: "a_test".to_string(),
            mode: Mode::Threads,
            finished: finished(Ending::Exceeded(what), "", ""),
            record: Some(passed.clone()),
            hurried: false,
        };
        for (what, kind) in [
            (Exceeded::Wall, Kind::Timeout),
            (Exceeded::Cpu, Kind::Timeout),
            (Exceeded::Memory, Kind::OutOfMemory),
            (Exceeded::Output, Kind::OutputLimit),
            (Exceeded::Tasks, Kind::Crash),
            (Exceeded::Disk, Kind::Crash),
        ] {
            let message = |hurried| {
                let test = judge_test(Ran { hurried, ..run(what) }).unwrap();
                assert_eq!(test.kind, Some(kind));
                test.message
            };
            assert_eq!(message(true).contains("less time than usual"), kind == Kind::Timeout);
            assert!(!message(false).contains("less time than usual"));
        }
    }

    #[test]
    fn what_lives_on_unseen_is_a_leak() {
        let run = |outcome| Ran {
            test: "a_test".to_string(),
            mode: Mode::Threads,
            finished: Finished { left_behind: 2, ..finished(Ending::Exited(0), "", "") },
            record: Some(Record::new(Mode::Threads, outcome)),
            hurried: false,
        };
        let leaked = judge_test(run(Outcome::Passed)).expect("it ran");
        assert_eq!(
            (leaked.kind, leaked.message.as_str()),
            (Some(Kind::Leak), "2 processes of the test were still running after it ended.")
        );
        let failed = judge_test(run(failure(Kind::Race, String::new())));
        assert_eq!(failed.and_then(|test| test.kind), Some(Kind::Race), "what the test found comes first");
    }

    #[test]
    fn a_record_for_the_other_way_of_running_is_ended_badly() {
        let record = Record::new(Mode::Threads, Outcome::Passed);
        let run = |mode| Ran {
            test: "a_test".to_string(),
            mode,
            finished: finished(Ending::Exited(0), "", ""),
            record: Some(record.clone()),
            hurried: false,
        };
        assert_eq!(judge_test(run(Mode::Schedules)).and_then(|test| test.kind), Some(Kind::Tampered));
        assert_eq!(judge_test(run(Mode::Threads)).map(|test| test.verdict), Some(Verdict::Passed));
    }

    #[test]
    fn the_learners_output_is_what_the_harness_did_not_print() {
        let passed = "\nrunning 1 test\nhello\n.\n\ntest result: ok. 1 passed; 0 failed\n";
        assert_eq!(learners_output(&finished(Ending::Exited(0), passed, "")), "hello");
        let failed =
            "\nrunning 1 test\nhello\na_test --- FAILED\n\nfailures:\n\nfailures:\n    a_test\n\ntest result: FAILED\n";
        assert_eq!(
            learners_output(&finished(Ending::Exited(101), failed, "on standard error\n")),
            "hello\non standard error"
        );
        assert_eq!(learners_output(&finished(Ending::Exited(0), "\nrunning 1 test\n.\n\ntest result: ok\n", "")), "");
    }

    fn told(name: &str, mode: Mode, kind: Option<Kind>) -> TestVerdict {
        TestVerdict {
            name: name.to_string(),
            mode,
            verdict: if kind.is_some() { Verdict::Failed } else { Verdict::Passed },
            kind,
            message: String::new(),
            schedules: None,
            coverage: None,
            seconds: 0.0,
            points: 0,
            output: String::new(),
            trace: None,
        }
    }

    #[test]
    fn what_both_modes_say_is_one_verdict() {
        let repository = Repository::find(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
        let katas = crate::subject::catalog::all(&repository).unwrap();
        let subject = crate::subject::solution(&repository, &katas[0]);
        let (first, others) = katas[0].tests.split_first().unwrap();
        let said = |verdict, tests| KataVerdict { verdict, tests, ..missing(&katas[0], "a") };
        let of = |mode, names: &[String], kind| -> KataVerdict {
            said(SubjectVerdict::Passed, names.iter().map(|name| told(name, mode, kind)).collect())
        };
        let both = |schedules, threads| joined(&subject, schedules, threads).verdict;
        let schedules = |kind| of(Mode::Schedules, std::slice::from_ref(first), kind);
        assert_eq!(both(schedules(None), of(Mode::Threads, others, None)), SubjectVerdict::Passed);
        assert_eq!(both(schedules(Some(Kind::Race)), of(Mode::Threads, others, None)), SubjectVerdict::Failed);
        assert_eq!(both(schedules(None), of(Mode::Threads, others, Some(Kind::Leak))), SubjectVerdict::Failed);
        let again =
            joined(&subject, schedules(Some(Kind::Deadlock)), of(Mode::Threads, &katas[0].tests, Some(Kind::Timeout)));
        let kinds = |name: &String| {
            again.tests.iter().filter(|test| test.name == *name).filter_map(|test| test.kind).collect::<Vec<_>>()
        };
        assert_eq!(kinds(first), [Kind::Deadlock], "what schedules have shown needs no threads");
        assert_eq!(kinds(&others[0]), [Kind::Timeout]);
        let one_is_missing = both(schedules(None), of(Mode::Threads, &others[1..], None));
        assert_eq!(one_is_missing, SubjectVerdict::GraderError, "a test that nobody judged");
        let not_compiled = said(SubjectVerdict::CompileError, Vec::new());
        assert_eq!(both(schedules(None), not_compiled), SubjectVerdict::CompileError);
        let points = joined(&subject, schedules(None), of(Mode::Threads, others, None)).score;
        assert_eq!(points, max_score(&katas[0]), "each test's points once");
    }

    #[test]
    fn a_subject_is_unsolved_only_while_nothing_is_wrong() {
        let test = |kind: Option<Kind>| told(&format!("{kind:?}"), Mode::Threads, kind);
        assert_eq!(of_tests(1, &[test(None)]), SubjectVerdict::Passed);
        assert_eq!(of_tests(2, &[test(None), test(Some(Kind::Unsolved))]), SubjectVerdict::Unsolved);
        let mixed = [test(Some(Kind::Unsolved)), test(Some(Kind::Race))];
        assert_eq!(of_tests(2, &mixed), SubjectVerdict::Failed);
        assert_eq!(of_tests(2, &[test(None)]), SubjectVerdict::GraderError, "a test that nobody judged");
        assert_eq!(of_tests(0, &[]), SubjectVerdict::GraderError, "no test proves nothing");
        let broken = TestVerdict { verdict: Verdict::Failed, ..test(None) };
        let failed = test(Some(Kind::Race));
        assert_eq!(of_tests(2, &[failed, broken]), SubjectVerdict::GraderError, "a broken test is nobody's mistake");
    }
}
