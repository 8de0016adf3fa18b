//! The plan of an exploration: what is run in which order, and what is said of it.

use std::cell::RefCell;
use std::rc::Rc;

use verdict::{Coverage, Failure, Kind, Outcome};

use super::notation;
use super::preemptions::Preemptions;
use super::replay::Replay;
use super::runner::{Ran, Runner};
use super::sample::{Numbers, Sample};
use super::Body;
use crate::engine::operation::Choice;
use crate::engine::state::Settings;
use crate::explored::{Config, Exploration, Timeouts};

/// How many schedules are run after the first that failed, for one with fewer steps and for the count.
const AFTER_FAILURE: u64 = 500;
/// How many steps these may have together.
const STEPS_AFTER_FAILURE: u64 = 200_000;
/// The share of the budget that is kept for sampling: one in so many.
const SAMPLED_SHARE: u64 = 4;

/// Explores the body on this OS thread.
pub(crate) fn explore(config: &Config, body: Body, unwind: bool) -> Exploration {
    let settings = Settings {
        hostile: config.timeouts == Timeouts::Hostile,
        spurious: config.spurious,
        steps: config.steps,
        daemons: config.daemons,
        observed: false,
        unwind,
    };
    let mut runner = Runner::new(body, config.kind_of_panic, settings);
    if let Some(schedule) = &config.replay {
        return replay(&mut runner, schedule);
    }
    for observed in [false, true] {
        runner.set_observed(observed);
        if let Ok(found) = search(&mut runner, config) {
            return tell(&mut runner, found);
        }
    }
    unreachable!("a program can't begin to look twice")
}

/// The program looks whether locks are held, so the search has to begin again with unlocks as steps.
struct Looked;

/// What the search has found.
#[derive(Debug, Default)]
struct Found {
    coverage: Coverage,
    /// The failing schedule with the fewest preemptions, and among these the fewest steps.
    worst: Option<Failing>,
}

#[derive(Debug)]
struct Failing {
    choices: Vec<Choice>,
    steps: u32,
}

impl Found {
    /// Counts a run.
    fn add(&mut self, ran: &Ran) {
        self.coverage.schedules += 1;
        self.coverage.failing += u64::from(ran.failure.is_some());
    }

    /// Keeps a failing run if it is shorter than the one that is kept.
    fn keep(&mut self, ran: &Ran, choices: &[Choice]) {
        if ran.failure.is_some() && self.worst.as_ref().is_none_or(|worst| ran.steps < worst.steps)
        {
            self.worst = Some(Failing { choices: choices.to_vec(), steps: ran.steps });
        }
    }
}

fn search(runner: &mut Runner, config: &Config) -> Result<Found, Looked> {
    let mut found = Found::default();
    let systematic = config.schedules - config.schedules / SAMPLED_SHARE;
    let strategy = Rc::new(RefCell::new(Preemptions::new()));
    let mut failed_at = None;
    let (mut after, mut steps_after) = (0, 0);
    while found.coverage.schedules < systematic.max(1) {
        let Some(level) = ({ strategy.borrow_mut().next() }) else { break };
        if failed_at.is_some_and(|failed| level > failed) || after > AFTER_FAILURE || steps_after > STEPS_AFTER_FAILURE {
            break;
        }
        let ran = runner.run(&strategy);
        if ran.looked {
            return Err(Looked);
        }
        found.add(&ran);
        if ran.failure.is_some() {
            failed_at.get_or_insert(level);
        }
        if failed_at.is_some() {
            after += 1;
            steps_after += u64::from(ran.steps);
        }
        let mut search = strategy.borrow_mut();
        search.finish_run(systematic - found.coverage.schedules);
        found.keep(&ran, search.taken());
        if search.is_level_done() {
            found.coverage.preemptions = Some(level);
        }
    }
    found.coverage.complete = strategy.borrow().is_complete();
    if found.coverage.complete {
        found.coverage.preemptions = None;
    }
    if found.worst.is_none() && !found.coverage.complete {
        sample(runner, config, &mut found)?;
    }
    Ok(found)
}

/// Spends what is left of the budget on random schedules.
fn sample(runner: &mut Runner, config: &Config, found: &mut Found) -> Result<(), Looked> {
    let mut longest = 16;
    while found.coverage.schedules < config.schedules && found.worst.is_none() {
        let n = found.coverage.sampled;
        let numbers = Numbers::new(config.seed, n);
        let sample = match n % 4 {
            0 => Sample::uniform(numbers),
            kind => Sample::pct(numbers, longest, kind as usize + 1),
        };
        let strategy = Rc::new(RefCell::new(sample));
        let ran = runner.run(&strategy);
        if ran.looked {
            return Err(Looked);
        }
        longest = longest.max(ran.steps as usize);
        found.add(&ran);
        found.coverage.sampled += 1;
        found.keep(&ran, strategy.borrow().taken());
    }
    Ok(())
}

/// Records the failing schedule and says what was found.
fn tell(runner: &mut Runner, found: Found) -> Exploration {
    let Found { coverage, worst } = found;
    let Some(worst) = worst else { return Exploration { outcome: Outcome::Passed, coverage, trace: None } };
    let strategy = Rc::new(RefCell::new(Replay::own(worst.choices)));
    let (ran, trace) = runner.record(&strategy);
    let Some(mut failure) = ran.failure else {
        let message = "this code does different things under one and the same schedule: one that failed does not fail again";
        let failure = Failure { kind: Kind::Nondeterministic, message: message.to_string() };
        return Exploration { outcome: Outcome::Failed(failure), coverage, trace: Some(trace) };
    };
    if failure.kind == Kind::Assertion && coverage.failing < coverage.schedules {
        failure.kind = Kind::Race;
    }
    failure.message += &how_many(&coverage, trace.preemptions);
    Exploration { outcome: Outcome::Failed(failure), coverage, trace: Some(trace) }
}

/// The second line of a failure: `3 of 41 schedules end like this; the shortest has 1 preemption`.
fn how_many(coverage: &Coverage, preemptions: u32) -> String {
    let schedules = if coverage.schedules == 1 { "schedule" } else { "schedules" };
    let times = match preemptions {
        0 => "no preemption".to_string(),
        1 => "1 preemption".to_string(),
        n => format!("{n} preemptions"),
    };
    format!("\n{} of {} {schedules} fail; the shortest has {times}", coverage.failing, coverage.schedules)
}

/// Runs one given schedule and records it.
fn replay(runner: &mut Runner, schedule: &str) -> Exploration {
    let schedule = match notation::read(schedule) {
        Ok(schedule) => schedule,
        Err(message) => {
            let failure = Failure { kind: Kind::Nondeterministic, message };
            return Exploration { outcome: Outcome::Failed(failure), coverage: Coverage::default(), trace: None };
        }
    };
    runner.set_observed(schedule.observed);
    let strategy = Rc::new(RefCell::new(Replay::given(schedule.choices)));
    let (ran, trace) = runner.record(&strategy);
    let failing = u64::from(ran.failure.is_some());
    let coverage = Coverage { schedules: 1, failing, ..Coverage::default() };
    let outcome = match ran.failure {
        Some(failure) => Outcome::Failed(failure),
        None if strategy.borrow().rest() > 0 => Outcome::Failed(Failure {
            kind: Kind::Nondeterministic,
            message: "the schedule does not fit this program: it is longer than the program runs".to_string(),
        }),
        None => Outcome::Passed,
    };
    Exploration { outcome, coverage, trace: Some(trace) }
}
