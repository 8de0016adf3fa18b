//! Runs a body on every schedule that the explorer finds.

use std::env;
use std::explored::{self, Config, Exploration, Timeouts};
use std::sync::Arc;

use verdict::schedule::{Case, Timing};
use verdict::{ASK, Ask, Coverage, Failure, Mode, Outcome, REPLAY, Record, SCHEDULES, SEED, WITHOUT_LINES};

use crate::check::{Builds, Cases, Check, for_input};
use crate::kind::kind_of_panic;

/// Explores the body, with one input after the other, and judges it.
pub(crate) fn run(check: &Check, cases: &Cases) -> Record {
    if check.builds == Builds::Threads {
        return Record::new(Mode::Schedules, Outcome::Skipped);
    }
    let config = config(check);
    let exploration = match &config.replay {
        Some(schedule) => replay(&config, cases, schedule),
        None => explore_all(&config, cases),
    };
    Record {
        mode: Mode::Schedules,
        outcome: exploration.outcome,
        coverage: Some(exploration.coverage),
        trace: exploration.trace,
        position: exploration.position,
    }
}

/// Explores with one input after the other, up to the first that fails. What is left of the budget is shared equally by the
/// inputs that are left.
fn explore_all(config: &Config, cases: &Cases) -> Exploration {
    let count = cases.given.len();
    let mut seen = Coverage { complete: true, ..Coverage::default() };
    let (mut trace, mut position) = (None, None);
    for number in 0..count {
        let left = config.schedules.saturating_sub(seen.schedules);
        if left == 0 && number > 0 {
            seen.complete = false;
            break;
        }
        let share = left.div_ceil((count - number) as u64);
        let one = explore(&Config { schedules: share, ..config.clone() }, cases, number);
        if one.outcome != Outcome::Passed {
            return one;
        }
        seen = together(seen, one.coverage);
        if number == 0 {
            (trace, position) = (one.trace, one.position);
        }
    }
    Exploration { outcome: Outcome::Passed, coverage: seen, trace, position }
}

/// Explores with the input of this number.
fn explore(config: &Config, cases: &Cases, number: usize) -> Exploration {
    let body = Arc::clone(&cases.body);
    let mut exploration = explored::explore(config, move || body(number));
    let Some(given) = &cases.given[number] else { return exploration };
    if let Outcome::Failed(Failure { message, .. }) = &mut exploration.outcome {
        *message = for_input(Some(given), message);
    }
    let case = Case { number: number + 1, timing: Timing::Exact };
    if let Some(trace) = &mut exploration.trace {
        trace.given = Some(given.clone());
        trace.schedule = case.before(&trace.schedule);
    }
    if let Some(position) = &mut exploration.position {
        position.is_of(case);
    }
    exploration
}

/// What both have covered.
fn together(one: Coverage, other: Coverage) -> Coverage {
    Coverage {
        schedules: one.schedules + other.schedules,
        failing: one.failing + other.failing,
        complete: one.complete && other.complete,
        coarse: one.coarse || other.coarse,
        // Where everything was run, no bound is known, and none is needed.
        preemptions: [one.preemptions, other.preemptions].into_iter().flatten().min(),
        sampled: one.sampled + other.sampled,
        scenarios: None,
    }
}

/// Runs a schedule with the input that it names: `i2.0x3.1` is one of the second. One that names none is of the first.
fn replay(config: &Config, cases: &Cases, schedule: &str) -> Exploration {
    let count = cases.given.len();
    let first = schedule.split('.').next().unwrap_or_default();
    let read = Case::of(schedule).ok().and_then(|(case, own)| {
        let index = case.map_or(1, |case| case.number).checked_sub(1).filter(|index| *index < count)?;
        Some((index, own))
    });
    let Some((index, schedule)) = read else {
        let why = format!("the schedule does not fit this test: it is for an input {first}, and there are {count}");
        let outcome = Outcome::Misfit(why);
        return Exploration { outcome, coverage: Coverage::default(), trace: None, position: None };
    };
    explore(&Config { replay: Some(schedule.to_owned()), ..config.clone() }, cases, index)
}

/// What the environment asks for, then what the test asks for, then the explorer's defaults.
fn config(check: &Check) -> Config {
    let defaults = Config::default();
    Config {
        schedules: number(SCHEDULES).or(check.schedules).unwrap_or(defaults.schedules),
        seed: number(SEED).unwrap_or(defaults.seed),
        timeouts: if check.hostile_timeouts { Timeouts::Hostile } else { Timeouts::Patient },
        daemons: check.may_outlive.threads,
        spurious: check.spurious_wakeups.unwrap_or(defaults.spurious),
        replay: env::var(REPLAY).ok(),
        ask: asked(),
        callers: has_lines(),
        kind_of_panic,
        ..defaults
    }
}

/// Whether the test's program has line tables.
pub(crate) fn has_lines() -> bool {
    env::var_os(WITHOUT_LINES).is_none()
}

/// What the environment asks about a position.
///
/// # Panics
/// If it is no question.
pub(crate) fn asked() -> Option<Ask> {
    let text = env::var(ASK).ok()?;
    Some(text.parse().unwrap_or_else(|why| panic!("{ASK}: {why}")))
}

/// The number in this environment variable, if it is set.
pub(crate) fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    match text.parse() {
        Ok(number) => Some(number),
        Err(_) => panic!("{variable} must be a whole number, not {text:?}"),
    }
}
