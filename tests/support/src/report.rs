//! Tells the grader and the test harness how a test ended.

#[cfg(target_os = "linux")]
mod arguments;
#[cfg(unix)]
mod channel;

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::{env, fs, panic};

use verdict::{Outcome, RECORD_FILE, Record};

/// Who wants to know how the test ends.
#[derive(Debug)]
pub(crate) enum Grader {
    /// Nobody but the person who runs the test.
    Nobody,
    /// A grader that trusts the submission: the record goes to this file.
    File(PathBuf),
    /// A grader that doesn't: the record goes where only this value can write to.
    Channel(File),
}

impl Grader {
    /// Whoever the environment names. Called before the submission's code begins, so that it never sees an open channel, nor which
    /// test it is that a grader runs.
    ///
    /// # Panics
    /// If the environment names a channel that isn't there.
    pub(crate) fn of_environment() -> Grader {
        let Some(name) = env::var_os(RECORD_FILE) else { return Grader::Nobody };
        #[cfg(target_os = "linux")]
        arguments::forget();
        #[cfg(unix)]
        if let Some(number) = name.to_str().and_then(|name| name.strip_prefix("fd:")) {
            return match channel::take(number) {
                Ok(channel) => Grader::Channel(channel),
                Err(error) => panic!("the grader's channel {number} can't be used: {error}"),
            };
        }
        Grader::File(PathBuf::from(name))
    }

    /// Hands the record over. A channel takes one record, and is closed after it.
    fn tell(self, record: &Record) -> io::Result<()> {
        let json = serde_json::to_vec(record).expect("a record has no keys or values that JSON lacks");
        match self {
            Grader::Nobody => Ok(()),
            Grader::File(file) => fs::write(file, json),
            Grader::Channel(mut channel) => channel.write_all(&json),
        }
    }
}

/// Why a test that is checked a second time is no good: a channel would have taken the first record, and no other.
const TWICE: &str =
    "it is checked twice, and a grader hears only how the first check ended; `Check::each` checks several bodies";

/// Tells the grader, if there is one, how the test ended, then fails the test if it failed.
///
/// # Panics
/// If the test failed, or the record can't be written.
pub(crate) fn report(record: &Record, grader: Grader) {
    let second;
    let record = match &grader {
        Grader::File(file) if file.exists() => {
            second = Record::new(record.mode, Outcome::Broken(TWICE.to_string()));
            &second
        }
        Grader::Nobody | Grader::File(_) | Grader::Channel(_) => record,
    };
    let by_hand = matches!(grader, Grader::Nobody);
    if let Err(error) = grader.tell(record) {
        panic!("cannot write the test's record: {error}");
    }
    if let Some(text) = failure_text(record) {
        // A grader has it all in the record, and shows what else was printed as the learner's output.
        if by_hand {
            eprintln!("{text}");
        }
        // Not `panic!`: the text says everything, a second "thread panicked at" would only point into this crate.
        panic::resume_unwind(Box::new(text));
    }
}

/// What a person reads who runs the tests by hand. Nothing if the test did not fail.
pub(crate) fn failure_text(record: &Record) -> Option<String> {
    let failure = match &record.outcome {
        Outcome::Passed | Outcome::Skipped => return None,
        Outcome::Misfit(why) => return Some(why.clone()),
        Outcome::Broken(why) => return Some(format!("the test itself is broken, which is not your fault: {why}")),
        Outcome::Failed(failure) => failure,
    };
    let mut text = format!("{}: {}", failure.kind, failure.message);
    if let Some(coverage) = &record.coverage {
        let _ = write!(text, "\n  explored: {coverage}");
    }
    if let Some(trace) = record.trace.as_ref().filter(|trace| !trace.schedule.is_empty()) {
        let _ = write!(text, "\n  schedule: {}", trace.schedule);
    }
    Some(text)
}
