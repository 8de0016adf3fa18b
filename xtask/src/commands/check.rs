//! `check`: the verdict on one answer, or on several.

use std::path::Path;
use std::sync::Arc;

use verdict::{KataVerdict, SubjectVerdict};

use crate::cancel::Cancel;
use crate::catalog::{self, Kata};
use crate::cli::CheckArgs;
use crate::console::Console;
use crate::error::{Error, Result};
use crate::pipeline;
use crate::progress::Progress;
use crate::render::file::TraceFile;
use crate::render::{self, report};
use crate::repository::Repository;
use crate::settings::Settings;
use crate::subject::{self, Subject};

/// Checks the katas and prints what came of it.
pub(crate) fn run(repository: &Repository, args: CheckArgs) -> Result<bool> {
    let cancel = Cancel::by_ctrl_c();
    let console = Console::new(args.json);
    let trace = args.trace.map(TraceFile::new).transpose()?;
    let katas = match &args.whose.submission {
        Some(folder) if args.katas.is_empty() => submitted(repository, folder)?,
        _ => catalog::some(repository, &args.katas)?,
    };
    let whose = args.whose.shown();
    let own = whose.is_empty();
    let subjects = katas
        .iter()
        .map(|kata| subject::of(repository, kata, args.whose.solution, args.whose.submission.as_deref()))
        .collect::<Result<Vec<Subject>>>()?;
    let label = workspace(&subjects);
    let settings = Settings { seed: args.seed, schedules: args.schedules, ..Settings::default() };
    let prepared = pipeline::prepare(repository, &label, subjects, &settings, &console, &cancel)?;
    let verdicts = pipeline::examine(repository, &prepared, &settings, &console, &cancel)?;
    console.clear();

    match (args.json, &verdicts[..]) {
        (true, [one]) => render::json(one)?,
        (true, several) => render::json(several)?,
        (false, several) => {
            let audience = report::Audience { whose, sources: repository };
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
            Some((kata, test)) => trace_file.write(repository, &kata, &test)?,
            None => render::warning("no schedule failed, so no trace was written"),
        }
    }
    if own {
        let mut progress = Progress::read(repository);
        verdicts.iter().for_each(|verdict| progress.note(verdict));
        // The verdict is out already. A map that can't be saved is worth a word, not another exit code.
        if let Err(error) = progress.write(repository) {
            render::warning(&format!("the course map was not updated: {error}"));
        }
    }
    Ok(verdicts.iter().all(|verdict| verdict.verdict == SubjectVerdict::Passed))
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

/// Each kind of check has a workspace of its own, so that one does not undo what the other has built.
fn workspace(subjects: &[Subject]) -> String {
    match subjects {
        [one] => format!("check-{}", one.id),
        _ => "check-several".to_string(),
    }
}
