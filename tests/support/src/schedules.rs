//! Runs a body on every schedule that the explorer finds.

use std::env;
use std::explored::{self, Config, Timeouts};

use verdict::{Mode, Outcome, REPLAY, Record, SCHEDULES, SEED};

use crate::check::{Builds, Check};
use crate::kind::kind_of_panic;

/// Explores the body and judges it.
pub(crate) fn run(check: &Check, body: impl Fn() + Send + Sync + 'static) -> Record {
    if check.builds == Builds::Threads {
        return Record { mode: Mode::Schedules, outcome: Outcome::Skipped, coverage: None, trace: None };
    }
    let exploration = explored::explore(&config(check), body);
    Record {
        mode: Mode::Schedules,
        outcome: exploration.outcome,
        coverage: Some(exploration.coverage),
        trace: exploration.trace,
    }
}

/// What the environment asks for, then what the test asks for, then the explorer's defaults.
fn config(check: &Check) -> Config {
    let defaults = Config::default();
    Config {
        schedules: number(SCHEDULES).or(check.schedules).unwrap_or(defaults.schedules),
        seed: number(SEED).unwrap_or(defaults.seed),
        timeouts: if check.hostile_timeouts { Timeouts::Hostile } else { Timeouts::Patient },
        daemons: check.may_outlive.threads,
        replay: env::var(REPLAY).ok(),
        kind_of_panic,
        ..defaults
    }
}

/// The number in this environment variable, if it is set.
pub(crate) fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    match text.parse() {
        Ok(number) => Some(number),
        Err(_) => panic!("{variable} must be a whole number, not {text:?}"),
    }
}
