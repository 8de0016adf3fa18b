//! `verify`: the suite is itself tested. Stubs are unsolved, solutions pass, wrong submissions are rejected for their own
//! reason and right ones accepted: in every run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::Arc;

use pipeline::cancel::Cancel;
use pipeline::console::{Console, Event};
use pipeline::error::Result;
use pipeline::judging::settings::Settings;
use pipeline::judging::{self, Session};
use pipeline::repository::Repository;
use pipeline::subject::catalog::{self, Kata};
use pipeline::subject::{self, Declared, Rejection, Subject};
use verdict::{KataVerdict, Kind, Mode, SubjectVerdict, Verdict};

use crate::cli::VerifyArgs;
use crate::render::{self, verification};
use crate::unfinished;

/// What must become of a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Expected {
    /// Every test is unsolved, and the compiler has nothing to say.
    Unsolved,
    /// It passes, and the compiler has nothing to say.
    Solved,
    /// It does what its first lines declare.
    As(Declared),
}

/// What has become of the subjects.
struct Findings<'a> {
    expected: &'a BTreeMap<String, Expected>,
    rows: BTreeMap<String, verification::Row>,
    /// The modes in which each test of a kata judges its solution.
    modes: BTreeMap<(String, String), BTreeSet<Mode>>,
}

impl Findings<'_> {
    fn note(&mut self, verdict: &KataVerdict) {
        let expected = &self.expected[&verdict.subject];
        let row = self.rows.entry(verdict.subject.clone()).or_default();
        row.note(verdict, &in_words(expected), complaint(expected, verdict));
        if *expected == Expected::Solved {
            for test in &verdict.tests {
                self.modes.entry((verdict.kata.clone(), test.name.clone())).or_default().insert(test.mode);
            }
        }
    }

    /// Whether this subject is rejected by tests that run on threads alone. Then nothing of it need be built for schedules.
    fn is_of_threads(&self, subject: &Subject) -> bool {
        let of_threads = |test: &String| {
            let modes = self.modes.get(&(subject.kata.name.clone(), test.clone()));
            modes.is_some_and(|modes| modes.iter().eq([&Mode::Threads]))
        };
        match &self.expected[&subject.name] {
            Expected::As(Declared::Rejected(Rejection { by, .. })) => !by.is_empty() && by.iter().all(of_threads),
            _ => false,
        }
    }
}

/// Judges everything in the repository against what is expected of it.
pub(crate) fn run(repository: &Repository, args: VerifyArgs) -> Result<bool> {
    let cancel = Cancel::by_ctrl_c();
    let console = Console::new(false);
    let katas = catalog::some(repository, &args.katas)?;
    let mut expected: BTreeMap<String, Expected> = BTreeMap::new();
    let mut subjects: Vec<Subject> = Vec::new();
    for kata in &katas {
        for (subject, what) in subjects_of(repository, kata, &args)? {
            expected.insert(subject.name.clone(), what);
            subjects.push(subject);
        }
    }
    let label = if args.katas.is_empty() { "verify".to_string() } else { format!("verify-{}", args.katas.join("-")) };
    let settings = Settings { lean: true, ..Settings::default() };
    let session = Session { repository, settings: &settings, console: &console, cancel: &cancel };
    let order: Vec<String> = subjects.iter().map(|subject| subject.name.clone()).collect();
    let mut findings = Findings { expected: &expected, rows: BTreeMap::new(), modes: BTreeMap::new() };
    let is_wrong = |subject: &Subject| matches!(expected[&subject.name], Expected::As(Declared::Rejected(_)));
    let (wrong, mut others): (Vec<Subject>, Vec<Subject>) = subjects.into_iter().partition(is_wrong);
    // One of each kata in turn: while the tests of some mostly wait, those of others compute.
    let mut of_kata: BTreeMap<String, usize> = BTreeMap::new();
    others.sort_by_cached_key(|subject| {
        let before = of_kata.entry(subject.kata.name.clone()).or_default();
        *before += 1;
        *before
    });
    let prepared = session.prepare(&label, others)?;
    for round in 1..=args.repeat {
        session.examine(&prepared)?.iter().for_each(|verdict| findings.note(verdict));
        if args.repeat > 1 {
            console.happened(Event::Doing(&format!("round {round} of {} is done", args.repeat)));
        }
    }
    let alone: Vec<String> = judging::only_alone(&prepared).map(|subject| subject.name.clone()).collect();
    // The workspace is free for the next ones.
    drop(prepared);
    // What fails on schedules as declared does so every time. What luck on threads adds to it is no news.
    let as_declared = |verdict: &KataVerdict| complaint(&expected[&verdict.subject], verdict).is_none();
    let has_schedules = |subject: &Subject| !findings.is_of_threads(subject);
    let verdicts = session.mode_by_mode(&label, wrong, args.repeat, has_schedules, as_declared)?;
    verdicts.iter().for_each(|verdict| findings.note(verdict));
    let mut rows = findings.rows;
    let rows: Vec<verification::Row> = order.iter().filter_map(|name| rows.remove(name)).collect();
    console.clear();
    let mut lacks: Vec<String> = katas.iter().filter_map(|kata| unlike_its_stub(repository, kata)).collect();
    lacks.extend(katas.iter().flat_map(|kata| unfinished::lacks(repository.root(), &kata.name)));
    lacks.extend(alone.iter().map(|name| {
        format!("{name}: the tests can't be compiled beside those of other answers; a class takes longer")
    }));
    render::print(&verification::table(&rows, args.repeat, &lacks));
    Ok(rows.iter().all(|row| row.complaints.is_empty()) && lacks.is_empty())
}

fn subjects_of(repository: &Repository, kata: &Arc<Kata>, args: &VerifyArgs) -> Result<Vec<(Subject, Expected)>> {
    let deep = args.deep;
    let mut subjects = vec![
        (subject::stub(repository, kata), Expected::Unsolved),
        (Subject { deep, ..subject::solution(repository, kata) }, Expected::Solved),
    ];
    for (subject, declared) in subject::declared(repository, kata)? {
        let tests = if deep { Vec::new() } else { subject.tests };
        let deep = deep && declared == Declared::Accepted;
        subjects.push((Subject { deep, tests, ..subject }, Expected::As(declared)));
    }
    Ok(subjects)
}

fn in_words(expected: &Expected) -> String {
    match expected {
        Expected::Unsolved => "unsolved".to_string(),
        Expected::Solved | Expected::As(Declared::Accepted) => "passed".to_string(),
        Expected::As(Declared::Rejected(rejection)) => rejection.kinds.join(", "),
    }
}

/// What is wrong with this verdict, if anything.
fn complaint(expected: &Expected, verdict: &KataVerdict) -> Option<String> {
    let warned = verdict.diagnostics.iter().any(|diagnostic| diagnostic.level == "warning");
    match expected {
        Expected::Unsolved => {
            let all = verdict.tests.iter().all(|test| test.kind == Some(Kind::Unsolved));
            if verdict.verdict != SubjectVerdict::Unsolved || !all {
                return Some(verification::found(verdict));
            }
            warned.then(|| "compiles with warnings".to_string())
        }
        Expected::Solved if verdict.verdict == SubjectVerdict::Passed && warned => {
            Some("compiles with warnings".to_string())
        }
        Expected::Solved | Expected::As(Declared::Accepted) => {
            (verdict.verdict != SubjectVerdict::Passed).then(|| verification::found(verdict))
        }
        Expected::As(Declared::Rejected(rejection)) => {
            (!is_as_declared(verdict, rejection)).then(|| verification::found(verdict))
        }
    }
}

/// Whether all tests fail that are named, of just these kinds. Where none is named, all count.
fn is_as_declared(verdict: &KataVerdict, declared: &Rejection) -> bool {
    let reasons: BTreeSet<&str> = match verdict.verdict {
        SubjectVerdict::Rejected => ["rule"].into(),
        SubjectVerdict::CompileError => ["compile-error"].into(),
        _ => {
            let failed = || verdict.tests.iter().filter(|test| test.verdict == Verdict::Failed);
            if !declared.by.iter().all(|name| failed().any(|test| test.name == *name)) {
                return false;
            }
            let counted = failed().filter(|test| declared.by.is_empty() || declared.by.contains(&test.name));
            counted.filter_map(|test| test.kind).map(Kind::name).collect()
        }
    };
    reasons.into_iter().eq(&declared.kinds)
}

/// What a learner gets must be the stub that `reset` restores and that was judged above.
fn unlike_its_stub(repository: &Repository, kata: &Kata) -> Option<String> {
    let delivered = kata.folder.join("src/lib.rs");
    let same = fs::read(repository.stub(&kata.name)).ok()? == fs::read(&delivered).ok()?;
    let file = repository.relative(&delivered);
    (!same).then(|| format!("{file} is not the stub in tests/stubs: copy the one that is right over the other"))
}
