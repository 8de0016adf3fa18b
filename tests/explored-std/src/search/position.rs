//! Answers questions about a position: where a schedule stands after its first choices.

use verdict::schedule::{Manner, Schedule};
use verdict::{Ask, Coverage, Outcome, Question};

use super::budget::Budget;
use super::config::{Config, Exploration};
use super::plan::{self, Found};
use super::replay::Replay;
use super::runner::{Again, Runner};

/// The share of the budget that each look for the decision that mattered has, one in so many.
const TURN_SHARE: u64 = 5;

/// Answers a question about a position of a schedule.
pub(super) fn answer(
    runner: &mut Runner,
    config: &Config,
    schedule: &str,
    Ask { question, after }: Ask,
) -> Exploration {
    plan::with_schedule(schedule, |schedule| match question {
        Question::Next => stand(runner, schedule, after),
        Question::Future => future(runner, config, &schedule, after),
        Question::Turn => turn(runner, config, schedule),
    })
}

/// Goes to a position and looks what may come next.
pub(super) fn stand(runner: &mut Runner, schedule: Schedule, after: usize) -> Exploration {
    plan::follow(runner, schedule.manner, Replay::up_to(schedule.choices, after), true)
}

/// How the schedules end that go on from a position.
fn future(runner: &mut Runner, config: &Config, schedule: &Schedule, after: usize) -> Exploration {
    let beginning = &schedule.choices[..after.min(schedule.choices.len())];
    let found = from_here(runner, schedule.manner, |runner| {
        let everything = plan::search_everything(runner, Budget::new(config.schedules), beginning)?;
        plan::conclude(runner, config, everything, beginning)
    });
    found.map_or_else(plan::misfit, |found| plan::tell(runner, found, |_, _| String::new()))
}

/// The last position of a schedule from where it could still go either way, found by halves: what can still go either way later could
/// do so before.
fn turn(runner: &mut Runner, config: &Config, schedule: Schedule) -> Exploration {
    let mut look = |after: usize| {
        from_here(runner, schedule.manner, |runner| {
            let budget = Budget::new(config.schedules / TURN_SHARE);
            plan::search_everything(runner, budget, &schedule.choices[..after])
        })
    };
    let is_open = |found: &Found| (1..found.coverage.schedules).contains(&found.coverage.failing);
    let (mut open, mut decided) = (None, schedule.choices.len() + 1);
    let mut coverage = Coverage::default();
    loop {
        let after = match open {
            None => 0,
            Some(open) if decided - open == 1 => break,
            Some(open) => open + (decided - open) / 2,
        };
        match look(after) {
            Err(why) => return plan::misfit(why),
            Ok(found) if is_open(&found) => open = Some(after),
            Ok(found) => {
                (decided, coverage) = (after, found.coverage);
                if after == 0 {
                    break;
                }
            }
        }
    }
    match open {
        Some(open) => Exploration { coverage, ..stand(runner, schedule, open) },
        None => Exploration { outcome: Outcome::Passed, coverage, trace: None, position: None },
    }
}

/// Searches from a position in the way in which its schedule is run: another one would have other choices.
fn from_here(
    runner: &mut Runner,
    manner: Manner,
    mut search: impl FnMut(&mut Runner) -> Result<Found, Again>,
) -> Result<Found, String> {
    loop {
        runner.set(manner);
        let mark = match search(runner) {
            Ok(found) => return Ok(found),
            // The runner keeps that in mind.
            Err(Again::Crowded) => continue,
            Err(Again::Hidden) => {
                runner.reduce_no_more();
                continue;
            }
            Err(Again::Looked) => "u",
            Err(Again::Weaker) => "w",
            Err(Again::Closer) => "d",
            Err(Again::TooLong) => "c",
        };
        return Err(format!(
            "the schedule does not fit this test: one of those that go on from it needs `{mark}.` at its head"
        ));
    }
}
