//! `replay`: one schedule of one test, step by step.

use crate::cancel::Cancel;
use crate::catalog;
use crate::cli::ReplayArgs;
use crate::console::Console;
use crate::error::{Error, Result};
use crate::pipeline;
use crate::render::file::Picture;
use crate::render::{self, report};
use crate::repository::Repository;
use crate::run::Settings;
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
    let picture = args.trace.map(Picture::new).transpose()?;
    let cancel = Cancel::by_ctrl_c();
    let console = Console::new(false);
    let subject = subject::of(repository, &kata, args.whose.solution, args.whose.submission.as_deref())?;
    let label = format!("check-{}", subject.id);
    let prepared = pipeline::prepare(repository, &label, vec![subject], &console, &cancel)?;
    let settings = Settings { replay: Some(args.schedule.clone()), ..Settings::default() };
    let verdicts = pipeline::examine(repository, &prepared, Some(&args.test), &settings, &console, &cancel)?;
    console.clear();
    let verdict = &verdicts[0];
    let hand = report::Hand { own: !args.whose.solution && args.whose.submission.is_none(), sources: repository };
    render::print(&report::replayed(verdict, &kata, &args.schedule, &hand));
    if let (Some(picture), Some(test)) = (picture, verdict.tests.first()) {
        picture.write(repository, &kata.name, test)?;
    }
    Ok(verdict.tests.iter().all(|test| test.verdict == verdict::Verdict::Passed) && !verdict.tests.is_empty())
}
