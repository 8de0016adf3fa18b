//! `replay`: one schedule of one test, step by step.

use pipeline::cancel::Cancel;
use pipeline::console::Console;
use pipeline::error::{Error, Result};
use pipeline::judging::settings::Settings;
use pipeline::judging::{self, Session};
use pipeline::repository::Repository;
use pipeline::subject::{self, Subject, catalog};
use verdict::{Kind, TestVerdict, Verdict};

use crate::cli::ReplayArgs;
use crate::render::file::TraceFile;
use crate::render::{self, report};

/// Runs exactly that schedule and shows it.
pub(crate) fn run(repository: &Repository, args: ReplayArgs) -> Result<bool> {
    let kata = catalog::one(repository, &args.kata)?;
    kata.has_test(&args.test)?;
    if !kata.about.schedules {
        return Err(Error::new(
            format!("the tests of `{}` run on threads only", args.kata),
            "There is no schedule to replay; `cargo xtask check` runs them.",
        ));
    }
    let schedule = args.schedule.unwrap_or_default();
    let trace_file = args.trace.map(TraceFile::new).transpose()?;
    let cancel = Cancel::by_ctrl_c();
    let console = Console::new(false);
    let subject = subject::of(repository, &kata, args.whose.solution, args.whose.submission.as_deref())?;
    let subject = Subject { tests: vec![args.test.clone()], ..subject };
    let label = judging::workspace(std::slice::from_ref(&subject));
    let (checks, replays) = (Settings::default(), Settings { replay: Some(schedule), ..Settings::default() });
    let session = Session { repository, settings: &replays, console: &console, cancel: &cancel };
    let prepared = session.prepare(&label, vec![subject])?;
    let mut verdict = session.examine(&prepared)?.remove(0);
    if let Some(misfit) = verdict.tests.iter().find(|test| test.verdict == Verdict::Failed && test.kind.is_none()) {
        let next = "Copy the schedule from a failed check of this test; it fits only the code that was checked.";
        return Err(Error::new(misfit.message.clone(), next));
    }
    if let Some(test) = verdict.tests.iter_mut().find(|test| test.verdict == Verdict::Failed) {
        // One schedule can't know whether others fail, which makes an assertion a race, nor how many.
        let checked = Session { settings: &checks, ..session }.examine(&prepared)?.remove(0);
        checked.tests.iter().for_each(|checked| as_checked(test, checked));
    }
    console.clear();
    let verdict = &verdict;
    let audience =
        report::Audience { whose: args.whose.shown(), sources: repository, all: false, test: Some(&args.test) };
    render::print(&report::replayed(verdict, &kata, &audience));
    if let (Some(trace_file), Some(test)) = (trace_file, verdict.tests.first()) {
        trace_file.write(repository, &kata.name, test)?;
        render::written(trace_file.path(), false);
    }
    Ok(verdict.tests.iter().all(|test| test.verdict == Verdict::Passed) && !verdict.tests.is_empty())
}

/// Tells a failure as the check of the whole test does.
fn as_checked(replayed: &mut TestVerdict, checked: &TestVerdict) {
    let schedule = |test: &TestVerdict| test.trace.as_ref().map(|trace| trace.schedule.clone());
    if checked.verdict == Verdict::Failed && schedule(checked) == schedule(replayed) {
        replayed.kind = checked.kind;
        replayed.message.clone_from(&checked.message);
        replayed.coverage = checked.coverage;
        return;
    }
    // Of how many schedules it is one, is not known.
    replayed.coverage = replayed.coverage.filter(|coverage| coverage.scenarios.is_some());
    if replayed.kind == Some(Kind::Assertion) && checked.kind != Some(Kind::Assertion) {
        replayed.kind = Some(Kind::Race);
    }
}
