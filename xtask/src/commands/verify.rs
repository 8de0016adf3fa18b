//! `verify`: the suite is itself tested. Stubs are unsolved, solutions pass, wrong submissions are rejected for their own
//! reason and right ones accepted: in every run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::Arc;

use pipeline::cancel::Cancel;
use pipeline::console::{Console, Event};
use pipeline::error::Result;
use pipeline::judging::settings::{GRADED, Settings};
use pipeline::judging::{self, Session};
use pipeline::repository::Repository;
use pipeline::subject::catalog::{self, Kata};
use pipeline::subject::{self, Declared, Rejection, Subject};
use verdict::{KataVerdict, Kind, SubjectVerdict, Verdict};

use crate::cli::VerifyArgs;
use crate::render::{self, verification};
use crate::unfinished;

/// How many steps the scenarios of what must pass may have together: twice what a learner waits for.
const STEPS: u64 = 2_000_000;

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
    // What must fail has to fail in a class, too, where less is tried than for a learner.
    let settings = Settings { lean: true, steps: (args.repeat == 1).then_some(GRADED), ..Settings::default() };
    let session = Session { repository, settings: &settings, console: &console, cancel: &cancel };
    let order: Vec<String> = subjects.iter().map(|subject| subject.name.clone()).collect();
    let mut rows: BTreeMap<String, verification::Row> = BTreeMap::new();
    let mut note = |verdict: &KataVerdict| {
        let expected = &expected[&verdict.subject];
        let row = rows.entry(verdict.subject.clone()).or_default();
        row.note(verdict, &in_words(expected), complaint(expected, verdict));
    };
    // What fails on schedules as declared does so every time. What luck on threads adds to it is no news.
    let is_wrong = |subject: &Subject| matches!(expected[&subject.name], Expected::As(Declared::Rejected(_)));
    let (early, mut left) = subjects.into_iter().partition(is_wrong);
    let as_declared = |verdict: &KataVerdict| complaint(&expected[&verdict.subject], verdict).is_none();
    let (decided, more) = session.by_schedules(&label, early, args.repeat, as_declared)?;
    decided.iter().for_each(&mut note);
    left.extend(more);
    let prepared = session.prepare(&label, left)?;
    for round in 1..=args.repeat {
        session.examine(&prepared)?.iter().for_each(&mut note);
        if args.repeat > 1 {
            console.happened(Event::Doing(&format!("round {round} of {} is done", args.repeat)));
        }
    }
    let rows: Vec<verification::Row> = order.iter().filter_map(|name| rows.remove(name)).collect();
    console.clear();
    let mut lacks: Vec<String> = katas.iter().filter_map(|kata| unlike_its_stub(repository, kata)).collect();
    lacks.extend(katas.iter().flat_map(|kata| unfinished::lacks(repository.root(), &kata.name)));
    lacks.extend(judging::only_alone(&prepared).map(|subject| {
        format!("{}: the tests can't be compiled beside those of other answers; a class takes longer", subject.name)
    }));
    render::print(&verification::table(&rows, args.repeat, &lacks));
    Ok(rows.iter().all(|row| row.complaints.is_empty()) && lacks.is_empty())
}

/// The budget of scenarios for what must pass. Whoever repeats looks for verdicts that change, and needs no more than a learner.
fn steps(args: &VerifyArgs) -> Option<u64> {
    match (args.deep, args.repeat) {
        (true, _) => Some(u64::MAX),
        (false, 1) => Some(STEPS),
        (false, _) => None,
    }
}

fn subjects_of(repository: &Repository, kata: &Arc<Kata>, args: &VerifyArgs) -> Result<Vec<(Subject, Expected)>> {
    let (steps, deep) = (steps(args), args.deep);
    let mut subjects = vec![
        (subject::stub(repository, kata), Expected::Unsolved),
        (Subject { steps, ..subject::solution(repository, kata) }, Expected::Solved),
    ];
    for (subject, declared) in subject::declared(repository, kata)? {
        let steps = steps.filter(|_| declared == Declared::Accepted);
        let tests = if deep { Vec::new() } else { subject.tests };
        subjects.push((Subject { steps, tests, ..subject }, Expected::As(declared)));
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
