//! Tells the grader and the test harness how a test ended.

use std::fmt::Write as _;
use std::{env, fs, panic};

use verdict::{Outcome, RECORD_FILE, Record};

/// Writes the record to the file that the grader asked for, if it did, then fails the test if it failed.
///
/// # Panics
/// If the test failed, or the record can't be written.
pub(crate) fn report(record: &Record) {
    let grader = env::var_os(RECORD_FILE);
    if let Some(file) = &grader {
        let json = serde_json::to_vec(record).expect("a record has no keys or values that JSON lacks");
        if let Err(error) = fs::write(file, json) {
            panic!("cannot write the test's record to {}: {error}", file.display());
        }
    }
    if let Some(text) = failure_text(record) {
        // A grader has it all in the record, and shows what else was printed as the learner's output.
        if grader.is_none() {
            eprintln!("{text}");
        }
        // Not `panic!`: the text says everything, a second "thread panicked at" would only point into this crate.
        panic::resume_unwind(Box::new(text));
    }
}

/// What a person reads who runs the tests by hand. Nothing if the test did not fail.
pub(crate) fn failure_text(record: &Record) -> Option<String> {
    let Outcome::Failed(failure) = &record.outcome else { return None };
    let mut text = format!("{}: {}", failure.kind, failure.message);
    if let Some(coverage) = &record.coverage {
        let _ = write!(text, "\n  explored: {coverage}");
    }
    if let Some(trace) = &record.trace {
        let _ = write!(text, "\n  schedule: {}", trace.schedule);
    }
    Some(text)
}
