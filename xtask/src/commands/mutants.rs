//! `verify --mutants`: each solution with one mistake, and another one, …; the kata's tests must notice every one of them.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use pipeline::cancel::Cancel;
use pipeline::console::Console;
use pipeline::error::{Error, Result};
use pipeline::judging::Session;
use pipeline::judging::settings::Settings;
use pipeline::repository::Repository;
use pipeline::subject::catalog::{self, Kata};
use pipeline::subject::{self, Source, Subject};
use pipeline::whole;
use verdict::{KataVerdict, SubjectVerdict};

use crate::cli::VerifyArgs;
use crate::mutants::figures::{self, Fate, Figures};
use crate::mutants::{self, Mutant, equivalent};
use crate::render::{self, mutation, verification};

/// Mutants that are built at once. The next ones take their places, and their room on the disk.
const BATCH: usize = 32;

/// Seconds after which a mutant's test is ended: many of them hang. The solution must pass under the same limit, beside them.
const SECONDS: u64 = 20;

/// What there is to do for a kata.
struct Plan {
    kata: Arc<Kata>,
    solution: String,
    mutants: Vec<Mutant>,
    /// Names of equivalent ones, with the reasons.
    equivalent: BTreeMap<String, String>,
}

/// Judges the mutants of the katas' solutions. Says whether all are rejected or equivalent.
pub(crate) fn run(repository: &Repository, args: VerifyArgs) -> Result<bool> {
    let (cancel, console) = (Cancel::by_ctrl_c(), Console::new(false));
    let wanted = args.mutants.unwrap_or_default();
    if args.readme && !wanted.is_empty() {
        let what = "the figures of some mutants are not those of a kata";
        return Err(Error::new(what, "Leave out `--readme`, or the text behind `--mutants`."));
    }
    // All plans first: what is wrong with a list should not come out after half an hour.
    let katas = catalog::some(repository, &args.katas)?;
    let plans = katas.iter().map(|kata| plan(repository, kata, &wanted)).collect::<Result<Vec<Plan>>>()?;
    let mut all: Vec<(String, Figures)> = Vec::new();
    let mut good = true;
    for plan in &plans {
        let fates = judge(repository, plan, &console, &cancel)?;
        console.clear();
        render::print(&mutation::listing(&plan.kata.name, &plan.solution, &plan.mutants, &fates));
        good &= !fates.iter().any(|fate| matches!(fate, Fate::Survives | Fate::Misjudged(_)));
        all.push((plan.kata.name.clone(), Figures::of(&fates)));
    }
    render::print(&mutation::table(&all));
    if args.readme {
        write_readme(repository, &all)?;
    }
    Ok(good)
}

fn plan(repository: &Repository, kata: &Arc<Kata>, wanted: &str) -> Result<Plan> {
    let (lib, stub) = (repository.solution(&kata.name).join("src/lib.rs"), repository.stub(&kata.name));
    let solution = fs::read_to_string(&lib).map_err(Error::io("read", &lib))?;
    let given = fs::read_to_string(&stub).map_err(Error::io("read", &stub))?;
    let mut mutants = mutants::of(&solution, &given, kata.about.schedules).map_err(|error| {
        let line = error.span().start().line;
        let what = format!("{} or its stub can't be read: line {line}: {error}", repository.relative(&lib));
        Error::new(what, "Fix it: `cargo xtask verify` says whether they compile.")
    })?;
    let equivalent = equivalent::list(repository, &kata.name, &mutants)?;
    mutants.retain(|mutant| mutant.name.contains(wanted));
    Ok(Plan { kata: Arc::clone(kata), solution, mutants, equivalent })
}

/// The fates of a kata's mutants, in their order. Their base is judged in the same run, and must pass.
fn judge(repository: &Repository, plan: &Plan, console: &Console, cancel: &Cancel) -> Result<Vec<Fate>> {
    let settings = Settings { first_failure: true, seconds: Some(SECONDS), lean: true, ..Settings::default() };
    let session = Session { repository, settings: &settings, console, cancel };
    let mut fates = Vec::new();
    for batch in plan.mutants.chunks(BATCH) {
        let Plan { kata, mutants, .. } = plan;
        console.headline(&format!("{}, {} of {} mutants: ", kata.name, fates.len(), mutants.len()));
        let subject = |(slot, mutant): (usize, &Mutant)| {
            let id = format!("{}-mutant-{slot}", kata.name);
            Subject::new(kata, id, mutant.name.clone(), Source::Made(mutant.text.clone()))
        };
        let base = subject::solution(repository, kata);
        let base_name = base.name.clone();
        let subjects = [base].into_iter().chain(batch.iter().enumerate().map(subject)).collect();
        // What the models lack, only threads can judge.
        let fails = |verdict: &KataVerdict| verdict.verdict == SubjectVerdict::Failed;
        let verdicts = session.mode_by_mode("mutants", subjects, 1, |_| true, fails)?;
        let verdicts: BTreeMap<&str, &KataVerdict> =
            verdicts.iter().map(|verdict| (&*verdict.subject, verdict)).collect();
        let base = verdicts[&*base_name];
        if base.verdict != SubjectVerdict::Passed {
            let found = verification::found(base);
            let what = format!("the solution of `{}`: {found}; its mutants would prove nothing", kata.name);
            return Err(Error::new(what, format!("`cargo xtask check {} --solution` says why.", kata.name)));
        }
        let fate = |mutant: &Mutant| figures::fate(verdicts[&*mutant.name], plan.equivalent.get(&mutant.name));
        fates.extend(batch.iter().map(fate));
    }
    Ok(fates)
}

fn write_readme(repository: &Repository, new: &[(String, Figures)]) -> Result<()> {
    let path = repository.root().join("README.md");
    let readme = fs::read_to_string(&path).map_err(Error::io("read", &path))?;
    let katas: Vec<String> = catalog::all(repository)?.iter().map(|kata| kata.name.clone()).collect();
    let written = figures::in_readme(&readme, &katas, new).ok_or_else(|| {
        let next = "Put the lines `<!-- mutants -->` and `<!-- /mutants -->` where the figures shall be.";
        Error::new("README.md has no place for the figures of mutants", next)
    })?;
    whole::write(&path, written)
}
