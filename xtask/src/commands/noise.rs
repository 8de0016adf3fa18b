//! `verify --noise`: steps that mean nothing hide no mistake and break no right answer. Each answer of the repository is judged
//! on schedules, as it is and with noise: what fails must fail, and what passes must pass. Of which kind a failure is may change:
//! where all wait for each other, a loop of noise can run on.

use pipeline::cancel::Cancel;
use pipeline::console::Console;
use pipeline::error::Result;
use pipeline::judging::Session;
use pipeline::judging::settings::{Purpose, Settings};
use pipeline::repository::Repository;
use pipeline::subject::catalog;
use pipeline::subject::{self, Declared, Subject};
use verdict::{KataVerdict, SubjectVerdict};

use crate::cli::VerifyArgs;
use crate::noise;
use crate::render::{self, verification};

/// Judges the katas' solutions and declared submissions with each kind of noise.
pub(crate) fn run(repository: &Repository, args: &VerifyArgs) -> Result<bool> {
    let cancel = Cancel::by_ctrl_c();
    let console = Console::new(false);
    let mut subjects: Vec<Subject> = Vec::new();
    for kata in catalog::some(repository, &args.katas)?.iter().filter(|kata| kata.about.schedules) {
        let declared = subject::declared(repository, kata)?;
        let run = declared.into_iter().filter(|(_, declared)| runs(declared));
        // With noise another test may be the one that notices.
        let run = run.map(|(subject, _)| Subject { tests: Vec::new(), ..subject });
        for subject in [subject::solution(repository, kata)].into_iter().chain(run) {
            let noisy = noise::with_each(&subject)?;
            subjects.push(subject);
            subjects.extend(noisy);
        }
    }
    let settings = Settings { inspection: false, purpose: Purpose::Schedules, lean: true, ..Settings::default() };
    let label = [&["noise".to_string()], &args.katas[..]].concat().join("-");
    let session = Session { repository, settings: &settings, console: &console, cancel: &cancel };
    let verdicts = session.examine(&session.prepare(&label, subjects)?)?;
    console.clear();
    let rows: Vec<verification::Row> = verdicts.chunks(1 + noise::KINDS).flat_map(rows).collect();
    render::print(&verification::table(&rows, 1, &[]));
    Ok(rows.iter().all(|row| row.complaints.is_empty()))
}

/// Whether there is something to run.
fn runs(declared: &Declared) -> bool {
    match declared {
        Declared::Accepted => true,
        Declared::Rejected(rejection) => !rejection.kinds.iter().any(|kind| kind == "rule" || kind == "compile-error"),
    }
}

/// A row for each noisy answer, which is compared with the first one, that has no noise.
fn rows(verdicts: &[KataVerdict]) -> Vec<verification::Row> {
    let (plain, noisy) = verdicts.split_first().expect("chunks are not empty");
    let rows = noisy.iter().map(|verdict| {
        let mut row = verification::Row::default();
        let was_run = matches!(verdict.verdict, SubjectVerdict::Passed | SubjectVerdict::Failed);
        let alike = was_run && verdict.verdict == plain.verdict;
        let complaint = (!alike).then(|| verification::found(verdict));
        row.note(verdict, &plain.verdict.to_string(), complaint);
        row
    });
    rows.collect()
}
