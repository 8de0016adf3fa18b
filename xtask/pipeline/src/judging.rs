//! One pipeline for every kind of subject, step by step:
//!
//! ```text
//! Subject ── stage::load ──▶ Loaded ── inspect, stage ──▶ Staged ── build ──▶ Built ── run ──▶ Ran ── judge ──▶ verdict
//! ```
//!
//! `check`, `watch`, `verify` and `grade` are made of it.

pub mod build;
mod group;
mod inspect;
pub mod judge;
pub mod nesting;
pub mod run;
pub mod sandbox;
pub mod settings;
pub mod stage;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::time::Instant;

use verdict::{Diagnostic, KataVerdict, Mode, TestVerdict};

use crate::cancel::Cancel;
use crate::console::{Console, Event};
use crate::error::{Error, Result};
use crate::judging::build::Built;
use crate::judging::inspect::Inspected;
use crate::judging::run::Ran;
use crate::judging::settings::{Purpose, Settings};
use crate::judging::stage::Loaded;
use crate::repository::Repository;
use crate::subject::Subject;

/// What goes along through all steps.
#[derive(Clone, Copy)]
pub struct Session<'a> {
    /// The checkout.
    pub repository: &'a Repository,
    /// How subjects are built and run.
    pub settings: &'a Settings,
    /// Who is told what goes on.
    pub console: &'a Console,
    /// Whether to stop.
    pub cancel: &'a Cancel,
}

/// Subjects that are ready to run, and those that broke a rule. Holds its workspace's lock: two commands at once would
/// build over each other.
#[derive(Debug)]
pub struct Prepared {
    entries: Vec<Entry>,
    started: Instant,
    _lock: File,
}

#[derive(Debug)]
enum Entry {
    Rejected(Loaded, Vec<Diagnostic>),
    Failed(Loaded, String),
    Built(Built),
}

/// The workspace for checking these subjects. Each kind of check has one of its own, so that one does not undo what the other has built.
pub fn workspace(subjects: &[Subject]) -> String {
    match subjects {
        [one] => format!("check-{}", one.id),
        _ => "check-several".to_string(),
    }
}

impl Session<'_> {
    /// Stages, inspects and builds subjects in the workspace `label`.
    ///
    /// # Errors
    /// See the steps.
    pub fn prepare(self, label: &str, subjects: Vec<Subject>) -> Result<Prepared> {
        let Session { repository, settings, console, .. } = self;
        let started = Instant::now();
        let lock = self.lock(label)?;
        console.happened(Event::Building);
        let order: Vec<String> = subjects.iter().map(|subject| subject.id.clone()).collect();
        let (mut entries, mut sound) = (Vec::new(), Vec::new());
        for mut loaded in stage::load(subjects, settings.purpose)? {
            let found =
                if settings.inspection { inspect::inspect(repository, &loaded) } else { Ok(Inspected::default()) };
            match found {
                Ok(Inspected { objections, unread }) if objections.is_empty() => {
                    loaded.unread = unread;
                    sound.push(loaded);
                }
                Ok(Inspected { objections, unread }) => {
                    entries.push(Entry::Rejected(loaded, [objections, unread].concat()));
                }
                Err(error) if self.is_of_strangers() => entries.push(Entry::Failed(loaded, error.to_string())),
                Err(error) => return Err(error),
            }
        }
        if !sound.is_empty() {
            let staged = stage::stage(repository, label, sound)?;
            entries.extend(build::build(self, staged)?.into_iter().map(Entry::of));
        }
        let place: BTreeMap<&String, usize> = order.iter().enumerate().map(|(place, id)| (id, place)).collect();
        entries.sort_by_key(|entry| place.get(&entry.loaded().subject.id).copied());
        Ok(Prepared { entries, started, _lock: lock })
    }

    /// Judges subjects so many times in one mode after the other: on schedules those that `has_schedules` names, then on threads those of
    /// which the first verdict does not say enough. Returns all verdicts. What schedules decide they decide every time, and half of the
    /// building is spared.
    ///
    /// # Errors
    /// See the steps.
    pub fn mode_by_mode(
        self,
        label: &str,
        subjects: Vec<Subject>,
        rounds: u32,
        has_schedules: impl Fn(&Subject) -> bool,
        is_enough: impl Fn(&KataVerdict) -> bool,
    ) -> Result<Vec<KataVerdict>> {
        let in_mode = |purpose, subjects: &[Subject]| -> Result<Vec<Vec<KataVerdict>>> {
            let settings = Settings { purpose, ..self.settings.clone() };
            let session = Session { settings: &settings, ..self };
            let prepared = session.prepare(label, subjects.to_vec())?;
            (0..rounds).map(|_| session.examine(&prepared)).collect()
        };
        let (on_schedules, on_threads): (Vec<Subject>, Vec<Subject>) =
            subjects.into_iter().partition(|subject| subject.kata.about.schedules && has_schedules(subject));
        let (mut decided, mut unclear) = (Vec::new(), Vec::new());
        // With what schedules have said of each.
        let mut left: Vec<(Subject, Vec<KataVerdict>)> =
            on_threads.into_iter().map(|subject| (subject, Vec::new())).collect();
        let said = transposed(in_mode(Purpose::Schedules, &on_schedules)?);
        for (subject, said) in on_schedules.into_iter().zip(said) {
            if said.first().is_some_and(&is_enough) {
                decided.extend(said);
            } else if said.iter().all(judge::has_run) {
                left.push((subject, said));
            } else {
                unclear.push(subject);
            }
        }
        let on_threads: Vec<Subject> = left.iter().map(|(subject, _)| subject.clone()).collect();
        let said = transposed(in_mode(Purpose::Threads, &on_threads)?);
        for ((subject, before), said) in left.into_iter().zip(said) {
            match before[..] {
                [] => decided.extend(said),
                _ => {
                    decided.extend(before.into_iter().zip(said).map(|(one, other)| judge::joined(&subject, one, other)))
                }
            }
        }
        // Whether the models lack something is seen where both are built.
        decided.extend(in_mode(Purpose::Tests, &unclear)?.into_iter().flatten());
        Ok(decided)
    }

    /// Runs and judges what was prepared. Each verdict is handed to `each` with its subject's place, as soon as it stands. Can be
    /// done again and again.
    ///
    /// # Errors
    /// `cancel` was raised or `each` failed; without isolation, also when the tests of one subject could not be run. With it,
    /// that subject's verdict is `grader-error`, and the others go on.
    pub fn examine_each(
        self,
        prepared: &Prepared,
        mut each: impl FnMut(usize, KataVerdict) -> Result<()>,
    ) -> Result<()> {
        let seconds = prepared.started.elapsed().as_secs_f64();
        let (mut compiled, mut places) = (Vec::new(), Vec::new());
        for (place, entry) in prepared.entries.iter().enumerate() {
            let subject = &entry.loaded().subject;
            match entry {
                Entry::Built(built) if built.compiled() => {
                    compiled.push(built);
                    places.push(place);
                }
                Entry::Built(built) => each(place, judge::judge(built, Vec::new(), seconds))?,
                Entry::Failed(_, why) => each(place, judge::grader_error(&subject.kata, &subject.name, why.clone()))?,
                Entry::Rejected(_, found) => each(place, judge::rejected(&subject.kata, &subject.name, found.clone()))?,
            }
        }
        let judge_test = |number: usize, run| {
            let test = judged(self.repository, compiled[number], run)?;
            self.console.happened(Event::Judged(&test));
            Some(test)
        };
        run::run(self, &compiled, judge_test, |number, tests| {
            let subject = &compiled[number].loaded.subject;
            let verdict = match tests {
                Ok(tests) => judge::judge(compiled[number], tests, seconds),
                Err(error) if self.is_of_strangers() => {
                    judge::grader_error(&subject.kata, &subject.name, error.to_string())
                }
                Err(error) => return Err(error),
            };
            each(places[number], verdict)
        })
    }

    /// Runs and judges what was prepared: the verdicts in the order of the subjects. Can be done again and again.
    ///
    /// # Errors
    /// See [`examine_each`].
    pub fn examine(self, prepared: &Prepared) -> Result<Vec<KataVerdict>> {
        let mut verdicts = BTreeMap::new();
        self.examine_each(prepared, |place, verdict| {
            verdicts.insert(place, verdict);
            Ok(())
        })?;
        Ok(verdicts.into_values().collect())
    }

    /// Waits until nobody else uses the workspace `label`. Commands with different ones run at the same time: what they build together,
    /// cargo keeps apart.
    fn lock(self, label: &str) -> Result<File> {
        let folder = self.repository.workshop();
        std::fs::create_dir_all(&folder).map_err(Error::io("create", &folder))?;
        let path = folder.join(format!("{label}.lock"));
        let file = File::create(&path).map_err(Error::io("create", &path))?;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(std::fs::TryLockError::WouldBlock) => {
                    self.console.happened(Event::Waiting);
                    if self.cancel.is_raised() {
                        return Err(Error::Interrupted);
                    }
                    std::thread::sleep(std::time::Duration::from_millis(20));
                }
                Err(std::fs::TryLockError::Error(error)) => return Err(Error::io("lock", &path)(error)),
            }
        }
    }

    /// Whether the code is not one's own. Then what goes wrong with one subject is that subject's, and the others go on.
    fn is_of_strangers(self) -> bool {
        self.settings.trust.sandbox().is_some()
    }
}

/// The verdict on one test of one subject in one mode, with the subject's own paths; nothing if it does not run in this mode.
pub fn judged(repository: &Repository, built: &Built, run: Ran) -> Option<TestVerdict> {
    let mode = run.mode;
    let mut test = judge::test(built, run)?;
    let own = |text: &str| built.with_own_paths(repository, mode, text);
    test.message = own(&test.message);
    test.output = own(&test.output);
    if let Some(trace) = &mut test.trace {
        trace.for_each_file(own);
    }
    Some(test)
}

/// The subjects whose tests could be built alone, and not in one program with those of others: where nothing is wrong with them, the
/// test files are such that they can't be there twice.
pub fn only_alone(prepared: &Prepared) -> impl Iterator<Item = &Subject> {
    prepared.entries.iter().filter_map(|entry| match entry {
        Entry::Built(built) if built.only_alone => Some(&built.loaded.subject),
        Entry::Built(_) | Entry::Rejected(..) | Entry::Failed(..) => None,
    })
}

/// The workloads of what was prepared for timing, in the order of the subjects; where there is none, what the rules or the
/// compiler object to.
pub fn workloads(prepared: &Prepared) -> Vec<std::result::Result<&Path, &[Diagnostic]>> {
    prepared.entries.iter().map(Entry::workload).collect()
}

/// The verdicts of each round, as those on each subject.
fn transposed(rounds: Vec<Vec<KataVerdict>>) -> Vec<Vec<KataVerdict>> {
    let mut of_each: Vec<Vec<KataVerdict>> = Vec::new();
    for round in rounds {
        of_each.resize_with(round.len(), Vec::new);
        of_each.iter_mut().zip(round).for_each(|(verdicts, verdict)| verdicts.push(verdict));
    }
    of_each
}

impl Prepared {
    /// What was built, and leaves the workshop to others. What broke a rule, or did not compile for schedules, stays.
    ///
    /// # Errors
    /// Nothing was built that has schedules: here it is again.
    pub fn into_explored(mut self) -> std::result::Result<Built, Prepared> {
        match self.entries.pop() {
            Some(Entry::Built(built)) if built.programs.contains_key(&Mode::Schedules) => Ok(built),
            entry => {
                self.entries.extend(entry);
                Err(self)
            }
        }
    }
}

impl Entry {
    /// What was built; but what the compiler could read and the inspection could not is rejected, and never run. Where the compiler
    /// could not be watched, there is no verdict, unless it has objected elsewhere.
    fn of(mut built: Built) -> Entry {
        let objected = built.diagnostics.iter().any(|diagnostic| diagnostic.level == "error");
        if let Some(why) = built.trouble.take_if(|_| !objected) {
            return Entry::Failed(built.loaded, why);
        }
        if built.loaded.unread.is_empty() || built.programs.is_empty() {
            return Entry::Built(built);
        }
        let unread = std::mem::take(&mut built.loaded.unread);
        Entry::Rejected(built.loaded, unread)
    }

    fn workload(&self) -> std::result::Result<&Path, &[Diagnostic]> {
        match self {
            Entry::Rejected(_, objections) => Err(objections),
            Entry::Failed(..) => Err(&[]),
            Entry::Built(built) => {
                built.programs.values().next().map(|program| &*program.path).ok_or(&built.diagnostics[..])
            }
        }
    }

    fn loaded(&self) -> &Loaded {
        match self {
            Entry::Rejected(loaded, _) | Entry::Failed(loaded, _) => loaded,
            Entry::Built(built) => &built.loaded,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judging::group::Program;
    use crate::subject::{self, catalog};

    #[test]
    fn what_compiles_although_it_was_not_read_is_rejected() {
        let repository = Repository::find(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
        let kata = catalog::all(&repository).unwrap().into_iter().next().unwrap();
        let unread = Diagnostic {
            level: "rule".to_string(),
            message: "`old.rs` can't be read".to_string(),
            file: Some("old.rs".to_string()),
            line: Some(1),
            rendered: String::new(),
        };
        let entry = |unread: &[Diagnostic], modes: &[Mode]| {
            let subjects = vec![subject::solution(&repository, &kata)];
            let mut loaded = stage::load(subjects, Purpose::Tests).unwrap().remove(0);
            loaded.unread = unread.to_vec();
            let program = |mode: &Mode| (*mode, Program { path: "program".into(), part: None });
            let programs = modes.iter().map(program).collect();
            Entry::of(Built { loaded, programs, diagnostics: Vec::new(), only_alone: false, trouble: None })
        };
        assert!(matches!(entry(&[], &[Mode::Schedules, Mode::Threads]), Entry::Built(_)));
        assert!(matches!(entry(std::slice::from_ref(&unread), &[]), Entry::Built(_)), "the compiler says it better");
        for modes in [&[Mode::Schedules, Mode::Threads][..], &[Mode::Threads], &[Mode::Schedules]] {
            let rejected = entry(std::slice::from_ref(&unread), modes);
            assert!(matches!(rejected, Entry::Rejected(_, objections) if objections == [unread.clone()]));
        }
    }
}
