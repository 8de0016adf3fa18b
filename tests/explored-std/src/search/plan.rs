//! The plan of an exploration: what is run in which order, and what is said of it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use verdict::{Coverage, Failure, Kind, Outcome};

use super::Body;
use super::notation;
use super::preemptions::Preemptions;
use super::reduction::Reduction;
use super::replay::Replay;
use super::runner::{Ran, Runner};
use super::sample::{Numbers, Sample};
use crate::engine::operation::Choice;
use crate::engine::state::Settings;
use crate::explored::{Config, Exploration, Timeouts};

/// How many schedules are run after the first that failed, for the count and for one that is shorter.
const AFTER_FAILURE: u64 = 500;
/// How many steps these may have together.
const STEPS_AFTER_FAILURE: u64 = 100_000;
/// How many steps each part of the plan may have, for each schedule of the budget: what a schedule has that a test is about.
/// Tests whose schedules are longer get fewer of them, so that they do not take minutes.
const STEPS_PER_SCHEDULE: u64 = 300;
/// If not everything can be run: the share of the budget for schedules at random, one in so many.
const SAMPLED_SHARE: u64 = 2;

/// Explores the body on this OS thread.
pub(crate) fn explore(config: &Config, body: Body, unwind: bool) -> Exploration {
    let mut runner = new_runner(config, body, unwind);
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

fn new_runner(config: &Config, body: Body, unwind: bool) -> Runner {
    let settings = Settings {
        hostile: config.timeouts == Timeouts::Hostile,
        spurious: config.spurious,
        steps: config.steps,
        daemons: config.daemons,
        observed: false,
        unwind,
    };
    Runner::new(body, config.kind_of_panic, settings)
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
        if ran.failure.is_some() && self.worst.as_ref().is_none_or(|worst| ran.steps < worst.steps) {
            self.worst = Some(Failing { choices: choices.to_vec(), steps: ran.steps });
        }
    }
}

/// What is left of a part of the plan.
struct Budget {
    schedules: u64,
    steps: u64,
}

impl Budget {
    fn new(schedules: u64) -> Budget {
        Budget { schedules, steps: schedules.saturating_mul(STEPS_PER_SCHEDULE).max(1_000_000) }
    }

    /// Counts a run.
    fn spend(&mut self, ran: &Ran) {
        self.schedules = self.schedules.saturating_sub(1);
        self.steps = self.steps.saturating_sub(ran.steps.into());
    }

    /// After a failure, only so much is spent on the count and on a shorter one.
    fn cut(&mut self) {
        self.schedules = self.schedules.min(AFTER_FAILURE);
        self.steps = self.steps.min(STEPS_AFTER_FAILURE);
    }

    fn is_left(&self) -> bool {
        self.schedules > 0 && self.steps > 0
    }
}

fn search(runner: &mut Runner, config: &Config) -> Result<Found, Looked> {
    let everything = search_everything(runner, config.schedules)?;
    if everything.coverage.complete && everything.worst.is_none() {
        return Ok(everything);
    }
    let schedules = config.schedules - config.schedules / SAMPLED_SHARE;
    let mut shortest = search_shortest(runner, schedules)?;
    if everything.worst.is_some() {
        // The one with the fewest preemptions is told, if it is within reach, with the count of the reduced search.
        return Ok(Found { coverage: everything.coverage, worst: shortest.worst.or(everything.worst) });
    }
    if shortest.worst.is_none() && !shortest.coverage.complete {
        sample(runner, config, &mut shortest)?;
    }
    Ok(shortest)
}

/// Runs every schedule, one of those that differ in the order of independent steps only.
fn search_everything(runner: &mut Runner, schedules: u64) -> Result<Found, Looked> {
    let mut found = Found::default();
    let mut budget = Budget::new(schedules.max(1));
    let strategy = Rc::new(RefCell::new(Reduction::default()));
    loop {
        if !strategy.borrow_mut().next() {
            found.coverage.complete = strategy.borrow().is_sound();
            return Ok(found);
        }
        if !budget.is_left() {
            return Ok(found);
        }
        let ran = runner.run_reduced(&strategy);
        if ran.looked {
            return Err(Looked);
        }
        budget.spend(&ran);
        let search = strategy.borrow();
        if search.is_redundant() {
            continue;
        }
        if ran.failure.is_some() && found.worst.is_none() {
            budget.cut();
        }
        found.add(&ran);
        found.keep(&ran, search.taken());
        if ran.failure.is_some_and(|failure| failure.kind == Kind::Nondeterministic) {
            return Ok(found);
        }
    }
}

/// Runs schedules with few preemptions first, up to the first level that has a failure.
fn search_shortest(runner: &mut Runner, schedules: u64) -> Result<Found, Looked> {
    let mut found = Found::default();
    let mut budget = Budget::new(schedules.max(1));
    let strategy = Rc::new(RefCell::new(Preemptions::new()));
    let mut failed_at = None;
    while budget.is_left() {
        let Some(level) = ({ strategy.borrow_mut().next() }) else { break };
        if failed_at.is_some_and(|failed| level > failed) {
            break;
        }
        let ran = runner.run(&strategy);
        if ran.looked {
            return Err(Looked);
        }
        budget.spend(&ran);
        if ran.failure.is_some() && failed_at.is_none() {
            failed_at = Some(level);
            budget.cut();
        }
        let mut search = strategy.borrow_mut();
        search.finish_run(budget.schedules);
        found.add(&ran);
        found.keep(&ran, search.taken());
        if search.is_level_done() {
            found.coverage.preemptions = Some(level);
        }
    }
    found.coverage.complete = strategy.borrow().is_complete();
    if found.coverage.complete {
        found.coverage.preemptions = None;
    }
    Ok(found)
}

/// Spends what is left of the budget on random schedules.
fn sample(runner: &mut Runner, config: &Config, found: &mut Found) -> Result<(), Looked> {
    let mut longest = 16;
    let mut budget = Budget::new(config.schedules.saturating_sub(found.coverage.schedules));
    while budget.is_left() && found.worst.is_none() {
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
        budget.spend(&ran);
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
        let message =
            "this code does different things under one and the same schedule: one that failed does not fail again";
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

/// Runs every schedule, failing or not, and counts how they end. Nothing if there are more than the budget allows.
pub(crate) fn every_outcome(
    config: &Config,
    body: Body,
    unwind: bool,
    reduced: bool,
    log: &dyn Fn() -> String,
) -> Option<BTreeMap<String, u64>> {
    let mut runner = new_runner(config, body, unwind);
    for observed in [false, true] {
        runner.set_observed(observed);
        let count = |ran: &Ran, outcomes: &mut BTreeMap<String, u64>| {
            let end = ran.failure.as_ref().map_or("passed".to_string(), |failure| failure.message.clone());
            *outcomes.entry(format!("{} {end}", log())).or_default() += 1;
        };
        let found = if reduced {
            every_reduced(&mut runner, config.schedules, count)
        } else {
            every_plain(&mut runner, config.schedules, count)
        };
        if let Ok(outcomes) = found {
            return outcomes;
        }
    }
    unreachable!("a program can't begin to look twice")
}

type Outcomes = BTreeMap<String, u64>;

fn every_reduced(
    runner: &mut Runner,
    schedules: u64,
    count: impl Fn(&Ran, &mut Outcomes),
) -> Result<Option<Outcomes>, Looked> {
    let mut outcomes = BTreeMap::new();
    let strategy = Rc::new(RefCell::new(Reduction::default()));
    for _ in 0..schedules {
        if !strategy.borrow_mut().next() {
            return Ok(Some(outcomes));
        }
        let ran = runner.run_reduced(&strategy);
        if ran.looked {
            return Err(Looked);
        }
        let mut nothing = BTreeMap::new();
        count(&ran, if strategy.borrow().is_redundant() { &mut nothing } else { &mut outcomes });
    }
    Ok(None)
}

fn every_plain(
    runner: &mut Runner,
    schedules: u64,
    count: impl Fn(&Ran, &mut Outcomes),
) -> Result<Option<Outcomes>, Looked> {
    let mut outcomes = BTreeMap::new();
    let strategy = Rc::new(RefCell::new(Preemptions::new()));
    for _ in 0..schedules {
        if ({ strategy.borrow_mut().next() }).is_none() {
            return Ok(Some(outcomes));
        }
        let ran = runner.run(&strategy);
        if ran.looked {
            return Err(Looked);
        }
        count(&ran, &mut outcomes);
        strategy.borrow_mut().finish_run(u64::MAX);
    }
    Ok(None)
}
