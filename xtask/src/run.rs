//! Running: each test in a process of its own, with limits.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use verdict::{Mode, Outcome, Record};

use crate::build::Built;
use crate::cancel::Cancel;
use crate::console::Console;
use crate::error::{Error, Result};
use crate::process::{self, Finished, Limits};

/// How tests are run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    /// The seed of sampled schedules, if not the default.
    pub(crate) seed: Option<u64>,
    /// How many schedules a test may explore, if not the default.
    pub(crate) schedules: Option<u64>,
    /// The one schedule to run.
    pub(crate) replay: Option<String>,
}

/// What one test did in one mode.
#[derive(Debug)]
pub(crate) struct TestRun {
    /// The test.
    pub(crate) test: String,
    /// How it was run.
    pub(crate) mode: Mode,
    /// How its process ended.
    pub(crate) finished: Finished,
    /// What the test said about itself, if it got that far.
    pub(crate) record: Option<Record>,
}

/// Bytes of a test's output that are kept.
const OUTPUT: usize = 64 * 1024;

/// The place of the subject among the given ones, the subject, and one test of it.
type Job<'a> = (usize, &'a Built, &'a str);

/// Runs the tests of every subject that compiled: all of them, or only `test`. All cores are kept busy.
///
/// # Errors
/// A process can't be started, or `cancel` was raised.
pub(crate) fn run(
    subjects: &[&Built],
    test: Option<&str>,
    settings: &Settings,
    console: &Console,
    cancel: &Cancel,
) -> Result<Vec<Vec<TestRun>>> {
    let jobs: Vec<Job<'_>> = subjects
        .iter()
        .enumerate()
        .flat_map(|(index, built)| {
            built.staged.subject.kata.tests.iter().map(move |test| (index, *built, test.as_str()))
        })
        .filter(|(_, _, name)| test.is_none_or(|only| only == *name))
        .collect();
    let scratch = tempfile::Builder::new()
        .prefix("interleave-")
        .tempdir()
        .map_err(Error::io("create a temporary folder in", &std::env::temp_dir()))?;
    let next = AtomicUsize::new(0);
    // More workers than cores: tests of sockets and processes mostly wait.
    let workers = (4 * thread::available_parallelism().map_or(2, usize::from)).min(jobs.len());
    let (sender, done) = mpsc::channel();
    let results = thread::scope(|scope| {
        for _ in 0..workers {
            let (sender, next, jobs, scratch) = (sender.clone(), &next, &jobs, scratch.path());
            scope.spawn(move || {
                while let Some((number, (_, built, test))) = take(next, jobs) {
                    let folder = scratch.join(number.to_string());
                    let runs = run_in_modes(built, test, &folder, settings, cancel);
                    if sender.send((number, runs)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let results = collect(&done, &jobs, console);
        // After an error nobody needs the tests that are not begun.
        next.store(jobs.len(), Ordering::SeqCst);
        results
    })?;

    let mut runs: Vec<Vec<TestRun>> = subjects.iter().map(|_| Vec::new()).collect();
    for (number, some) in results {
        runs[jobs[number].0].extend(some);
    }
    Ok(runs)
}

/// The next job that nobody has begun.
fn take<'a, Job>(next: &AtomicUsize, jobs: &'a [Job]) -> Option<(usize, &'a Job)> {
    let number = next.fetch_add(1, Ordering::SeqCst);
    jobs.get(number).map(|job| (number, job))
}

/// Results by job number, so that their order does not depend on who was faster.
fn collect(
    done: &Receiver<(usize, Result<Vec<TestRun>>)>,
    jobs: &[Job<'_>],
    console: &Console,
) -> Result<BTreeMap<usize, Vec<TestRun>>> {
    let mut results = BTreeMap::new();
    loop {
        match done.recv_timeout(Duration::from_millis(50)) {
            Ok((number, runs)) => {
                results.insert(number, runs?);
                console.progress(&format!("running: {} of {} tests, {}", results.len(), jobs.len(), jobs[number].2));
            }
            Err(RecvTimeoutError::Timeout) => console.tick(),
            Err(RecvTimeoutError::Disconnected) => return Ok(results),
        }
    }
}

/// Runs a test in its modes until one fails: what a schedule shows, threads could only confirm by luck.
fn run_in_modes(
    built: &Built,
    test: &str,
    folder: &Path,
    settings: &Settings,
    cancel: &Cancel,
) -> Result<Vec<TestRun>> {
    let mut runs = Vec::new();
    for mode in built.staged.modes() {
        let run = run_test(built, test, *mode, folder, settings, cancel)?;
        let failed = !matches!(&run.record, Some(Record { outcome: Outcome::Passed | Outcome::Skipped, .. }));
        runs.push(run);
        if failed {
            break;
        }
    }
    Ok(runs)
}

fn run_test(
    built: &Built,
    test: &str,
    mode: Mode,
    folder: &Path,
    settings: &Settings,
    cancel: &Cancel,
) -> Result<TestRun> {
    // The test's working folder: what a submission writes here is gone with it.
    let work = folder.join("work");
    fs::create_dir_all(&work).map_err(Error::io("create", &work))?;
    let record = folder.join("record.json");
    let mut command = Command::new(&built.binaries[&mode]);
    command
        .args(["--exact", test, "--nocapture", "--quiet", "--test-threads=1", "--color=never"])
        .current_dir(&work)
        .env(verdict::RECORD_FILE, &record)
        .env("RUST_BACKTRACE", "0");
    // Mock servers are on this machine; a proxy would not find them.
    for name in ["http_proxy", "https_proxy", "all_proxy"] {
        command.env_remove(name).env_remove(name.to_uppercase());
    }
    let given = [
        (verdict::SEED, settings.seed.map(|seed| seed.to_string())),
        (verdict::SCHEDULES, settings.schedules.map(|schedules| schedules.to_string())),
        (verdict::REPLAY, settings.replay.clone()),
    ];
    for (name, value) in given {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let wall = Duration::from_secs(built.staged.subject.kata.about.deadline_seconds);
    let finished = process::run(command, Limits { wall, output: OUTPUT }, cancel)?;
    let text = fs::read(&record).unwrap_or_default();
    fs::remove_dir_all(folder).map_err(Error::io("remove", folder))?;
    Ok(TestRun { test: test.to_string(), mode, finished, record: serde_json::from_slice(&text).ok() })
}
