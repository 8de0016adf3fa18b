//! One pipeline for every kind of subject: stage, inspect, build, run, judge. `check`, `watch` and `verify` are made of it.

use std::fs::File;
use std::time::Instant;

use verdict::{Diagnostic, KataVerdict};

use crate::build::{self, Built};
use crate::cancel::Cancel;
use crate::console::Console;
use crate::error::{Error, Result};
use crate::inspect;
use crate::judge;
use crate::repository::Repository;
use crate::run::{self, Settings};
use crate::stage::{self, StagedSubject};
use crate::subject::Subject;

/// Subjects that are ready to run, and those that broke a rule. Holds the workshop's lock: two commands at once would
/// build over each other.
#[derive(Debug)]
pub(crate) struct Prepared {
    entries: Vec<Entry>,
    started: Instant,
    _lock: File,
}

#[derive(Debug)]
enum Entry {
    Rejected(StagedSubject, Vec<Diagnostic>),
    Built(Built),
}

/// Stages, inspects and builds subjects in the workspace `label`.
///
/// # Errors
/// See the steps.
pub(crate) fn prepare(
    repository: &Repository,
    label: &str,
    subjects: Vec<Subject>,
    console: &Console,
    cancel: &Cancel,
) -> Result<Prepared> {
    let started = Instant::now();
    let lock = lock_workshop(repository, console, cancel)?;
    console.progress("building");
    let order: Vec<String> = subjects.iter().map(|subject| subject.id.clone()).collect();
    let (mut entries, mut sound) = (Vec::new(), Vec::new());
    for staged in stage::read(subjects)? {
        match inspect::inspect(&staged) {
            objections if objections.is_empty() => sound.push(staged),
            objections => entries.push(Entry::Rejected(staged, objections)),
        }
    }
    if !sound.is_empty() {
        let staged = stage::stage(repository, label, sound)?;
        entries.extend(build::build(repository, staged, console, cancel)?.into_iter().map(Entry::Built));
    }
    entries.sort_by_key(|entry| order.iter().position(|id| *id == entry.staged().subject.id));
    Ok(Prepared { entries, started, _lock: lock })
}

/// Runs and judges what was prepared, in the order in which it was given. Can be done again and again.
///
/// # Errors
/// See the steps.
pub(crate) fn examine(
    repository: &Repository,
    prepared: &Prepared,
    test: Option<&str>,
    settings: &Settings,
    console: &Console,
    cancel: &Cancel,
) -> Result<Vec<KataVerdict>> {
    let compiled: Vec<&Built> = prepared
        .entries
        .iter()
        .filter_map(|entry| match entry {
            Entry::Built(built) if built.compiled() => Some(built),
            _ => None,
        })
        .collect();
    let mut runs = run::run(&compiled, test, settings, console, cancel)?.into_iter();
    let seconds = prepared.started.elapsed().as_secs_f64();
    let mut verdicts = Vec::new();
    for entry in &prepared.entries {
        let mut verdict = match entry {
            Entry::Rejected(staged, found) => {
                judge::rejected(&staged.subject.kata, &staged.subject.name, found.clone())
            }
            Entry::Built(built) if built.compiled() => judge::judge(built, runs.next().unwrap_or_default(), seconds),
            Entry::Built(built) => judge::judge(built, Vec::new(), seconds),
        };
        for test in &mut verdict.tests {
            let own = |text: &str| build::with_own_paths(repository, entry.staged(), text);
            test.message = own(&test.message);
            test.output = own(&test.output);
            if let Some(trace) = &mut test.trace {
                trace.for_each_file(own);
            }
        }
        verdicts.push(verdict);
    }
    Ok(verdicts)
}

impl Entry {
    fn staged(&self) -> &StagedSubject {
        match self {
            Entry::Rejected(staged, _) => staged,
            Entry::Built(built) => &built.staged,
        }
    }
}

fn lock_workshop(repository: &Repository, console: &Console, cancel: &Cancel) -> Result<File> {
    let folder = repository.workshop();
    std::fs::create_dir_all(&folder).map_err(Error::io("create", &folder))?;
    let path = folder.join("lock");
    let file = File::create(&path).map_err(Error::io("create", &path))?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(std::fs::TryLockError::WouldBlock) => {
                console.progress("waiting for another check to finish");
                if cancel.is_raised() {
                    return Err(Error::Interrupted);
                }
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            Err(std::fs::TryLockError::Error(error)) => return Err(Error::io("lock", &path)(error)),
        }
    }
}
