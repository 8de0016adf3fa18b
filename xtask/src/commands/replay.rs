//! `replay`: one schedule of one test, step by step.

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
    if !kata.tests.contains(&args.test) {
        let next = match catalog::nearest(&args.test, kata.tests.iter().map(String::as_str)) {
            Some(near) => format!("Did you mean `{near}`?"),
            None => format!("Its tests are: {}.", kata.tests.join(", ")),
        };
        return Err(Error::new(format!("the kata `{}` has no test `{}`", args.kata, args.test), next));
    }
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
    let settings = Settings { replay: Some(schedule.clone()), test: Some(args.test.clone()), ..Settings::default() };
    let prepared = pipeline::prepare(repository, &label, vec![subject], &settings, &console, &cancel)?;
    let verdicts = pipeline::examine(repository, &prepared, &settings, &console, &cancel)?;
    console.clear();
    let verdict = &verdicts[0];
    let audience = report::Audience { whose: args.whose.shown(), sources: repository };
    render::print(&report::replayed(verdict, &kata, &schedule, &audience));
    if let (Some(trace_file), Some(test)) = (trace_file, verdict.tests.first()) {
        trace_file.write(repository, &kata.name, test)?;
    }
    Ok(verdict.tests.iter().all(|test| test.verdict == verdict::Verdict::Passed) && !verdict.tests.is_empty())
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
