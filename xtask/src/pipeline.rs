//! One pipeline for every kind of subject: stage, inspect, build, run, judge. `check`, `watch`, `verify` and `grade` are made
//! of it.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Instant;

use verdict::{Diagnostic, KataVerdict, Mode, TestVerdict};

use crate::build::{self, Built};
use crate::cancel::Cancel;
use crate::console::Console;
use crate::error::{Error, Result};
use crate::inspect;
use crate::judge;
use crate::repository::Repository;
use crate::run::{self, TestRun};
use crate::settings::Settings;
use crate::stage::{self, StagedSubject};
use crate::subject::Subject;

/// Subjects that are ready to run, and those that broke a rule. Holds its workspace's lock: two commands at once would
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
    Failed(StagedSubject, String),
    Built(Built),
}

/// The workspace for checking these subjects. Each kind of check has one of its own, so that one does not undo what the other has built.
pub(crate) fn workspace(subjects: &[Subject]) -> String {
    match subjects {
        [one] => format!("check-{}", one.id),
        _ => "check-several".to_string(),
    }
}

/// Stages, inspects and builds subjects in the workspace `label`.
///
/// # Errors
/// See the steps.
pub(crate) fn prepare(
    repository: &Repository,
    label: &str,
    subjects: Vec<Subject>,
    settings: &Settings,
    console: &Console,
    cancel: &Cancel,
) -> Result<Prepared> {
    let started = Instant::now();
    let lock = lock(repository, label, console, cancel)?;
    console.progress("building");
    let order: Vec<String> = subjects.iter().map(|subject| subject.id.clone()).collect();
    let (mut entries, mut sound) = (Vec::new(), Vec::new());
    for staged in stage::read(subjects, settings.purpose)? {
        let objections = if settings.inspection { inspect::inspect(repository, &staged) } else { Ok(Vec::new()) };
        match objections {
            Ok(objections) if objections.is_empty() => sound.push(staged),
            Ok(objections) => entries.push(Entry::Rejected(staged, objections)),
            Err(error) if settings.guard.is_some() => entries.push(Entry::Failed(staged, error.to_string())),
            Err(error) => return Err(error),
        }
    }
    if !sound.is_empty() {
        let staged = stage::stage(repository, label, sound)?;
        entries.extend(build::build(repository, staged, settings, console, cancel)?.into_iter().map(Entry::Built));
    }
    let place: BTreeMap<&String, usize> = order.iter().enumerate().map(|(place, id)| (id, place)).collect();
    entries.sort_by_key(|entry| place.get(&entry.staged().subject.id).copied());
    Ok(Prepared { entries, started, _lock: lock })
}

/// Runs and judges what was prepared. Each verdict is handed to `each` with its subject's place, as soon as it stands. Can be
/// done again and again.
///
/// # Errors
/// `cancel` was raised or `each` failed; without isolation, also when the tests of one subject could not be run. With it,
/// that subject's verdict is `grader-error`, and the others go on.
pub(crate) fn examine_each(
    repository: &Repository,
    prepared: &Prepared,
    settings: &Settings,
    console: &Console,
    cancel: &Cancel,
    mut each: impl FnMut(usize, KataVerdict) -> Result<()>,
) -> Result<()> {
    let seconds = prepared.started.elapsed().as_secs_f64();
    let only = settings.test.as_deref();
    let (mut compiled, mut places) = (Vec::new(), Vec::new());
    for (place, entry) in prepared.entries.iter().enumerate() {
        let subject = &entry.staged().subject;
        match entry {
            Entry::Built(built) if built.compiled() => {
                compiled.push(built);
                places.push(place);
            }
            Entry::Built(built) => each(place, judge::judge(built, only, Vec::new(), seconds))?,
            Entry::Failed(_, why) => each(place, judge::grader_error(&subject.kata, &subject.name, why.clone()))?,
            Entry::Rejected(_, found) => each(place, judge::rejected(&subject.kata, &subject.name, found.clone()))?,
        }
    }
    let judge_test = |number: usize, run| {
        let test = judged(repository, compiled[number], run)?;
        console.judged(&test);
        Some(test)
    };
    run::run(&compiled, settings, console, cancel, judge_test, |number, tests| {
        let subject = &compiled[number].staged.subject;
        let verdict = match tests {
            Ok(tests) => judge::judge(compiled[number], only, tests, seconds),
            Err(error) if settings.guard.is_some() => {
                judge::grader_error(&subject.kata, &subject.name, error.to_string())
            }
            Err(error) => return Err(error),
        };
        each(places[number], verdict)
    })
}

/// The verdict on one test of one subject in one mode, with the subject's own paths; nothing if it does not run in this mode.
pub(crate) fn judged(repository: &Repository, built: &Built, run: TestRun) -> Option<TestVerdict> {
    let mut test = judge::test(built, run)?;
    let own = |text: &str| build::with_own_paths(repository, &built.staged, text);
    test.message = own(&test.message);
    test.output = own(&test.output);
    if let Some(trace) = &mut test.trace {
        trace.for_each_file(own);
    }
    Some(test)
}

/// Runs and judges what was prepared: the verdicts in the order of the subjects. Can be done again and again.
///
/// # Errors
/// See [`examine_each`].
pub(crate) fn examine(
    repository: &Repository,
    prepared: &Prepared,
    settings: &Settings,
    console: &Console,
    cancel: &Cancel,
) -> Result<Vec<KataVerdict>> {
    let mut verdicts = BTreeMap::new();
    examine_each(repository, prepared, settings, console, cancel, |place, verdict| {
        verdicts.insert(place, verdict);
        Ok(())
    })?;
    Ok(verdicts.into_values().collect())
}

/// The workloads of what was prepared for timing, in the order of the subjects; where there is none, what the rules or the
/// compiler object to.
pub(crate) fn workloads(prepared: &Prepared) -> Vec<std::result::Result<&Path, &[Diagnostic]>> {
    prepared.entries.iter().map(Entry::workload).collect()
}

impl Prepared {
    /// What was built, and leaves the workshop to others. What broke a rule, or did not compile for schedules, stays.
    ///
    /// # Errors
    /// Nothing was built that has schedules: here it is again.
    pub(crate) fn into_explored(mut self) -> std::result::Result<Built, Prepared> {
        match self.entries.pop() {
            Some(Entry::Built(built)) if built.binaries.contains_key(&Mode::Schedules) => Ok(built),
            entry => {
                self.entries.extend(entry);
                Err(self)
            }
        }
    }
}

impl Entry {
    fn workload(&self) -> std::result::Result<&Path, &[Diagnostic]> {
        match self {
            Entry::Rejected(_, objections) => Err(objections),
            Entry::Failed(..) => Err(&[]),
            Entry::Built(built) => built.binaries.values().next().map(PathBuf::as_path).ok_or(&built.diagnostics[..]),
        }
    }

    fn staged(&self) -> &StagedSubject {
        match self {
            Entry::Rejected(staged, _) | Entry::Failed(staged, _) => staged,
            Entry::Built(built) => &built.staged,
        }
    }
}

/// Waits until nobody else uses the workspace `label`. Commands with different ones run at the same time: what they build together,
/// cargo keeps apart.
fn lock(repository: &Repository, label: &str, console: &Console, cancel: &Cancel) -> Result<File> {
    let folder = repository.workshop();
    std::fs::create_dir_all(&folder).map_err(Error::io("create", &folder))?;
    let path = folder.join(format!("{label}.lock"));
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
