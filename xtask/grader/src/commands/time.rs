//! `time`: how fast each approach of a kata is, beside the reference solution and beside what is possible at all.

use pipeline::cancel::Cancel;
use pipeline::console::Console;
use pipeline::error::{Error, Result};
use pipeline::judging::settings::Settings;
use pipeline::judging::{self, Session};
use pipeline::repository::Repository;
use pipeline::subject::catalog::{self, Kata, Workload};
use pipeline::subject::{self, Subject};
use verdict::{KataVerdict, SubjectVerdict};

use crate::cli::TimeArgs;
use crate::render;
use crate::render::timing::file::ChartFile;
use crate::render::timing::{chart, table};
use crate::timing::machine::Machine;
use crate::timing::plan::{self, Plan};
use crate::timing::session::Watch;
use crate::timing::{Refused, load};

/// Times the kata and prints what came of it.
pub(crate) fn run(repository: &Repository, args: TimeArgs) -> Result<bool> {
    let cancel = Cancel::by_ctrl_c();
    let console = Console::new(args.json);
    let watch = Watch { console: &console, cancel: &cancel };
    let kata = catalog::one(repository, &args.kata)?;
    let workload = workload_of(repository, &kata)?;
    let load = load::load(&kata, workload, &args.load)?;
    let chart_file = args.plot.as_deref().map(ChartFile::reserve).transpose()?;
    let subject = subject::of(repository, &kata, args.solution, args.submission.as_deref())?;
    let plan = Plan {
        kata: &kata,
        workload,
        subject: &subject,
        machine: Machine::now(),
        load,
        sweep: args.sweep,
        approaches: args.approaches,
        rounds: args.rounds,
    };

    let outcome = match check(repository, &subject, watch)? {
        Err(refused) => Err(refused),
        Ok(()) => plan::carry_out(repository, &plan, watch)?,
    };
    console.clear();
    match outcome {
        Ok(timed) => {
            if args.json {
                render::json(&timed)?;
            } else {
                render::print(&table::report(&timed));
            }
            chart_file.map_or(Ok(()), |file| file.write(&chart::chart(&timed)?))?;
            Ok(timed.speed.iter().all(|one| one.points == one.of))
        }
        Err(refused) => {
            if args.json {
                render::json(&refused)?;
            } else {
                render::print(&table::refused(&refused));
            }
            Ok(false)
        }
    }
}

/// The kata's workload.
fn workload_of<'a>(repository: &Repository, kata: &'a Kata) -> Result<&'a Workload> {
    if let Some(workload) = &kata.about.time {
        return Ok(workload);
    }
    let mut katas = catalog::all(repository)?;
    katas.retain(|kata| kata.about.time.is_some());
    let names: Vec<&str> = katas.iter().map(|kata| kata.name.as_str()).collect();
    Err(Error::new(
        format!("there is nothing to time in `{}`", kata.name),
        format!("These katas have something: {}.", names.join(", ")),
    ))
}

/// Only right answers are timed: a wrong one is fast for free.
fn check(repository: &Repository, subject: &Subject, watch: Watch<'_>) -> Result<std::result::Result<(), Refused>> {
    let label = judging::workspace(std::slice::from_ref(subject));
    let settings = Settings::default();
    let session = Session { repository, settings: &settings, console: watch.console, cancel: watch.cancel };
    let verdicts = session.examine(&session.prepare(&label, vec![subject.clone()])?)?;
    let verdict = verdicts.first().map_or(SubjectVerdict::Missing, |KataVerdict { verdict, .. }| *verdict);
    if verdict == SubjectVerdict::Passed {
        return Ok(Ok(()));
    }
    Ok(Err(Refused::because(subject, verdict, "Only a right answer is timed.")))
}
