//! `check`: the verdict on one answer, or on several.

use std::path::Path;
use std::sync::Arc;

use pipeline::cancel::Cancel;
use pipeline::console::Console;
use pipeline::error::{Error, Result};
use pipeline::judging::settings::Settings;
use pipeline::judging::{self, Session};
use pipeline::repository::Repository;
use pipeline::subject::catalog::{self, Kata};
use pipeline::subject::{self, Subject};
use verdict::{KataVerdict, SubjectVerdict};

use crate::cli::CheckArgs;
use crate::progress::Progress;
use crate::render::file::TraceFile;
use crate::render::{self, report};
use crate::saves;

/// Checks the katas and prints what came of it.
pub(crate) fn run(repository: &Repository, args: CheckArgs) -> Result<bool> {
    let cancel = Cancel::by_ctrl_c();
    let console = Console::new(args.json);
    let trace = args.trace.clone().map(TraceFile::new).transpose()?;
    let (katas, test) = wanted(repository, &args)?;
    let whose = args.whose.shown();
    let own = whose.is_empty();
    let subject = |kata| {
        let subject = subject::of(repository, kata, args.whose.solution, args.whose.submission.as_deref())?;
        Ok(Subject { tests: test.iter().cloned().collect(), ..subject })
    };
    let subjects = katas.iter().map(subject).collect::<Result<Vec<Subject>>>()?;
    let label = judging::workspace(&subjects);
    let settings = Settings { seed: args.seed, schedules: args.schedules, ..Settings::default() };
    let session = Session { repository, settings: &settings, console: &console, cancel: &cancel };
    let verdicts = session.examine(&session.prepare(&label, subjects)?)?;
    console.clear();

    match (args.json, &verdicts[..]) {
        (true, [one]) => render::json(one)?,
        (true, several) => render::json(several)?,
        (false, several) => {
            let audience = report::Audience { whose, sources: repository, all: args.all, test: test.as_deref() };
            several
                .iter()
                .zip(&katas)
                .for_each(|(verdict, kata)| render::print(&report::verdict(verdict, kata, &audience)));
            if several.len() > 1 {
                render::print(&report::summary(several));
            }
        }
    }
    if let Some(trace_file) = trace {
        let traced = |verdict: &KataVerdict| {
            verdict.tests.iter().find(|test| test.trace.is_some()).cloned().map(|test| (verdict.kata.clone(), test))
        };
        match verdicts.iter().find_map(traced) {
            Some((kata, test)) => {
                trace_file.write(repository, &kata, &test)?;
                render::written(trace_file.path(), args.json);
            }
            None => render::warning("no schedule failed, so no trace was written"),
        }
    }
    // One test says nothing about the kata.
    if own && test.is_none() {
        let mut progress = Progress::read(repository);
        verdicts.iter().for_each(|verdict| progress.note(verdict));
        // The verdict is out already. A map that can't be saved is worth a word, not another exit code.
        if let Err(error) = progress.write(repository) {
            render::warning(&format!("the course map was not updated: {error}"));
        }
    }
    Ok(verdicts.iter().all(|verdict| verdict.verdict == SubjectVerdict::Passed))
}

/// The katas that are to be checked, and the one test, if it is one.
fn wanted(repository: &Repository, args: &CheckArgs) -> Result<(Vec<Arc<Kata>>, Option<String>)> {
    let katas = match (&args.whose.submission, &args.names[..]) {
        (Some(folder), []) => submitted(repository, folder)?,
        (None, []) if args.course => catalog::all(repository)?,
        (None, []) => vec![saves::named_or_at_hand(repository, None)?],
        (None, [test]) if catalog::one(repository, test).is_err() => {
            let at_hand = saves::named_or_at_hand(repository, None)?;
            // What it is instead, the error about a kata says better.
            at_hand.has_test(test).or_else(|_| catalog::one(repository, test).map(drop))?;
            return Ok((vec![at_hand], Some(test.clone())));
        }
        (_, [kata, test]) if catalog::one(repository, test).is_err() => {
            let kata = catalog::one(repository, kata)?;
            kata.has_test(test)?;
            return Ok((vec![kata], Some(test.clone())));
        }
        (_, names) => catalog::some(repository, names)?,
    };
    Ok((katas, None))
}

/// The katas that a submitted checkout has.
fn submitted(repository: &Repository, folder: &Path) -> Result<Vec<Arc<Kata>>> {
    let mut katas = catalog::all(repository)?;
    katas.retain(|kata| folder.join("katas").join(&kata.name).join("src").is_dir());
    if katas.is_empty() {
        return Err(Error::new(
            format!("{} does not say which kata it answers", folder.display()),
            "Name the kata: `cargo xtask check KATA --submission DIR`.",
        ));
    }
    Ok(katas)
}
