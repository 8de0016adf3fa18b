//! `replay`: one schedule of one test, step by step.

use verdict::{Kind, TestVerdict, Verdict};

use crate::cancel::Cancel;
use crate::catalog;
use crate::cli::ReplayArgs;
use crate::console::Console;
use crate::error::{Error, Result};
use crate::pipeline;
use crate::render::file::TraceFile;
use crate::render::{self, report};
use crate::repository::Repository;
use crate::settings::Settings;
use crate::subject;

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
    if let Some(part) = args.schedule.iter().flat_map(|schedule| schedule.split('.')).find(|part| !is_part(part)) {
        return Err(Error::new(
            format!("`{part}` is no part of a schedule"),
            "Parts are like 1, 0x3, 1t or 2s, with dots between; copy the schedule from a failed \
             check.",
        ));
    }
    let schedule = args.schedule.unwrap_or_default();
    let trace_file = args.trace.map(TraceFile::new).transpose()?;
    let cancel = Cancel::by_ctrl_c();
    let console = Console::new(false);
    let subject = subject::of(repository, &kata, args.whose.solution, args.whose.submission.as_deref())?;
    let label = format!("check-{}", subject.id);
    let checks = Settings { test: Some(args.test.clone()), ..Settings::default() };
    let replays = Settings { replay: Some(schedule), ..checks.clone() };
    let prepared = pipeline::prepare(repository, &label, vec![subject], &replays, &console, &cancel)?;
    let mut verdict = pipeline::examine(repository, &prepared, &replays, &console, &cancel)?.remove(0);
    if let Some(misfit) = verdict.tests.iter().find(|test| test.verdict == Verdict::Failed && test.kind.is_none()) {
        let next = "Copy the schedule from a failed check of this test; it fits only the code that was checked.";
        return Err(Error::new(misfit.message.clone(), next));
    }
    if let Some(test) = verdict.tests.iter_mut().find(|test| test.verdict == Verdict::Failed) {
        // One schedule can't know whether others fail, which makes an assertion a race, nor how many.
        let checked = pipeline::examine(repository, &prepared, &checks, &console, &cancel)?.remove(0);
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

/// Whether this can stand between two dots: a thread, `t` or `s`, how many times; or the `i4`, `h`, `u` and `c` at the beginning.
/// Whether it fits the program, only the program can tell.
fn is_part(part: &str) -> bool {
    let (what, times) = part.split_once('x').unwrap_or((part, "1"));
    let thread = what.strip_suffix(['t', 's']).unwrap_or(what);
    let is_number = |text: &str| text.parse::<u32>().is_ok();
    ["u", "h", "c"].contains(&part)
        || part.strip_prefix('i').is_some_and(is_number)
        || is_number(thread) && is_number(times)
}

#[cfg(test)]
mod tests {
    use super::is_part;

    #[test]
    fn a_schedule_is_made_of_such_parts() {
        assert!(["u", "h", "c", "i4", "0", "12", "0x3", "1t", "2s", "1tx4"].into_iter().all(is_part));
        assert!(!["", "i", "ix3", "x3", "0x", "zz", "1y", "t", "-1"].into_iter().any(is_part));
    }
}
