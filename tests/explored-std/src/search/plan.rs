//! The plan of an exploration: what is run in which order, and what is said of it.

use std::cell::RefCell;
use std::rc::Rc;

use verdict::schedule::{Manner, Schedule};
use verdict::{Coverage, Failure, Kind, Outcome, Trace};

use super::Body;
use super::budget::Budget;
use super::config::{Config, Effort, Exploration, Glance, Timeouts};
use super::position;
use super::preemptions::Preemptions;
use super::replay::Replay;
use super::runner::{Again, Ran, Runner};
use super::sample::{Numbers, Sample};
use crate::engine::grain::Grain;
use crate::engine::operation::Choice;
use crate::engine::state::Settings;

/// If not everything can be run: the share of the budget for schedules at random, one in so many.
const SAMPLED_SHARE: u64 = 2;

/// If not everything can be run at every step: the share of the budget for coarse schedules, one in so many.
const COARSE_SHARE: u64 = 4;
/// How many steps that others could have come between a first run passes at most.
const SCOUTED: u64 = 200_000;

/// Explores the body on this OS thread.
pub(crate) fn explore(config: &Config, body: Body) -> Exploration {
    explore_with(&mut new_runner(config, body), config)
}

/// Explores the body of a runner.
pub(crate) fn explore_with(runner: &mut Runner, config: &Config) -> Exploration {
    match (&config.replay, config.ask) {
        (Some(schedule), Some(ask)) => position::answer(runner, config, schedule, ask),
        (Some(schedule), None) => with_schedule(schedule, |schedule| replay(runner, schedule)),
        (None, ask) => {
            let found = until_settled(runner, |runner, repeats| search(runner, config, repeats));
            let manner = runner.manner();
            let explored = tell(runner, found, how_many);
            match explored.outcome {
                // Where nothing fails, what is asked for is the beginning of any schedule.
                Outcome::Passed if ask.is_some() => {
                    let Exploration { trace, position, .. } =
                        position::stand(runner, Schedule { choices: Vec::new(), manner }, 0);
                    Exploration { trace, position, ..explored }
                }
                _ => explored,
            }
        }
    }
}

/// A schedule that does not fit, and why.
pub(super) fn misfit(why: String) -> Exploration {
    Exploration { outcome: Outcome::Misfit(why), coverage: Coverage::default(), trace: None, position: None }
}

pub(super) fn with_schedule(text: &str, work: impl FnOnce(Schedule) -> Exploration) -> Exploration {
    text.parse().map_or_else(misfit, work)
}

/// Runs schedules of a runner's body until one fails or the effort is made.
pub(crate) fn glance(runner: &mut Runner, effort: Effort) -> Glance {
    let Found { coverage, steps, spared_accidents, worst, .. } = until_settled(runner, |runner, _| {
        let (schedules, most) = match effort {
            Effort::Reduced { schedules } if runner.is_reducible() => {
                return search_everything(runner, Budget::up_to_a_failure(schedules), &[]);
            }
            Effort::Reduced { schedules } => (schedules, None),
            Effort::Preemptions { most, schedules } => (schedules, Some(most)),
        };
        search_shortest(runner, Budget::up_to_a_failure(schedules), false, most, &[])
    });
    let manner = runner.manner();
    let failing = worst.map(|worst| Schedule { choices: worst.choices, manner }.to_string());
    Glance { coverage, steps, spared_accidents, failing }
}

/// Searches until it is settled in which way. A first run by itself shows whether there is so much repetition that no search
/// could decide at each step; then all is coarse.
fn until_settled(runner: &mut Runner, mut search: impl FnMut(&mut Runner, bool) -> Result<Found, Again>) -> Found {
    let mut manner = Manner { grain: Grain::Coarse, ..Manner::default() };
    let (strategy, scout) = loop {
        runner.set(manner);
        let strategy = Rc::new(RefCell::new(Preemptions::new()));
        let scout = runner.try_out(&strategy, SCOUTED);
        if scout.again != Some(Again::Weaker) {
            break (strategy, scout);
        }
        manner.weak = true;
    };
    if scout.is_endless && scout.is_hopeless && scout.again.is_none() {
        // The coarse search would come upon it first, and it has no preemption. To look at others for as long takes long.
        return Found::endless(&scout, strategy.borrow().taken());
    }
    manner.observed = scout.again == Some(Again::Looked);
    manner.detailed = scout.again == Some(Again::Closer);
    manner = if scout.is_hopeless { coarse(manner) } else { Manner { grain: Grain::Fine, ..manner } };
    loop {
        runner.set(manner);
        match search(runner, scout.passed.all > 0) {
            Ok(found) => return found,
            Err(Again::Looked) => manner.observed = true,
            Err(Again::Closer) => manner.detailed = true,
            Err(Again::Weaker) => manner.weak = true,
            // The runner keeps that in mind.
            Err(Again::Crowded) => {}
            Err(Again::TooLong) => manner = coarse(manner),
            Err(Again::Hidden) => runner.reduce_no_more(),
        }
    }
}

/// The coarse way of running. Releases are steps: whether a repeated step is passed tells whether what it would wait for was released.
pub(super) fn coarse(manner: Manner) -> Manner {
    Manner { grain: Grain::Coarse, observed: true, ..manner }
}

/// A runner for the configuration.
pub(crate) fn new_runner(config: &Config, body: Body) -> Runner {
    let settings = Settings {
        hostile: config.timeouts == Timeouts::Hostile,
        spurious: config.spurious,
        steps: config.steps,
        daemons: config.daemons,
        callers: config.callers,
        observed: false,
        weak: false,
        detailed: false,
        crowded: false,
        grain: Grain::Fine,
        most_passed_over: u64::MAX,
    };
    Runner::new(body, config.kind_of_panic, settings)
}

/// What a part of the search has found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) coverage: Coverage,
    /// The failing schedule with the fewest preemptions, and among these the fewest steps.
    worst: Option<Failing>,
    /// The program is not deterministic: nothing else can be said of it.
    odd: Option<Failure>,
    /// Whether every failure so far is an assertion's.
    asserts: bool,
    /// How many steps all runs had together.
    steps: u64,
    /// Whether something could have happened by accident in one of them, and no accident was allowed.
    spared_accidents: bool,
    /// Whether nothing is left to run.
    exhausted: bool,
}

#[derive(Debug)]
struct Failing {
    choices: Vec<Choice>,
    steps: u32,
}

impl Found {
    fn new() -> Found {
        Found { asserts: true, ..Found::default() }
    }

    /// Counts a run, and keeps it if it fails in fewer steps than the one that is kept.
    fn add(&mut self, ran: &Ran, choices: &[Choice]) {
        self.coverage.schedules += 1;
        self.coverage.coarse |= ran.passed.over > 0;
        let Some(failure) = &ran.failure else { return };
        self.coverage.failing += 1;
        self.asserts &= failure.kind == Kind::Assertion;
        if failure.kind == Kind::Nondeterministic {
            self.odd = Some(failure.clone());
        }
        if self.worst.as_ref().is_none_or(|worst| ran.steps < worst.steps) {
            self.worst = Some(Failing { choices: choices.to_vec(), steps: ran.steps });
        }
    }

    /// A schedule that had no end, whose failure is still to be judged.
    fn endless(ran: &Ran, choices: &[Choice]) -> Found {
        let coverage = Coverage { schedules: 1, failing: 1, coarse: ran.passed.over > 0, ..Coverage::default() };
        let worst = Some(Failing { choices: choices.to_vec(), steps: ran.steps });
        Found { coverage, worst, steps: ran.length(), ..Found::default() }
    }

    fn fails(&self) -> bool {
        self.worst.is_some() || self.odd.is_some()
    }

    /// Whether something may be found where nothing was so far: of the schedules that this search tells apart, some were not
    /// run, or could not be reached.
    fn is_open(&self) -> bool {
        let is_done = self.coverage.complete || self.exhausted && self.coverage.coarse;
        !self.fails() && !is_done
    }

    /// Whether all that were run have failed, by an assertion: one that passes would make it a race.
    fn has_only_failing_assertions(&self) -> bool {
        self.asserts && self.coverage.failing == self.coverage.schedules
    }
}

/// Searches as the budget allows. `repeats` says whether there are repeated steps that a coarse search would pass.
fn search(runner: &mut Runner, config: &Config, repeats: bool) -> Result<Found, Again> {
    if !runner.is_reducible() {
        return conclude(runner, config, Found::new(), &[]);
    }
    let budget = Budget::new(config.schedules).for_a_search_that_ends();
    let everything = search_everything(runner, budget, &[])?;
    let manner = runner.manner();
    if !everything.is_open() || manner.grain == Grain::Coarse || !repeats {
        return conclude(runner, config, everything, &[]);
    }
    runner.set(coarse(manner));
    let budget = Budget::new(config.schedules / COARSE_SHARE).for_a_search_that_ends();
    let coarsely = search_everything(runner, budget, &[])?;
    if coarsely.fails() {
        return conclude(runner, config, coarsely, &[]);
    }
    runner.set(manner);
    conclude(runner, config, everything, &[])
}

/// After the search through everything that begins so: finds the failing schedule that is easiest to read, or spends what is left
/// of the budget. Schedules at random are of the whole test only.
pub(super) fn conclude(
    runner: &mut Runner,
    config: &Config,
    mut everything: Found,
    beginning: &[Choice],
) -> Result<Found, Again> {
    if everything.odd.is_some() || !everything.fails() && !everything.is_open() {
        return Ok(everything);
    }
    let schedules = config.schedules - config.schedules / SAMPLED_SHARE;
    let in_doubt = everything.has_only_failing_assertions() && !everything.coverage.complete;
    let mut shortest = search_shortest(runner, Budget::new(schedules), in_doubt, None, beginning)?;
    if everything.worst.is_some() {
        // The one with the fewest preemptions is told, if it is within reach, with the count of the reduced search.
        everything.worst = shortest.worst.or(everything.worst);
        if in_doubt && !(shortest.asserts && shortest.coverage.failing == shortest.coverage.schedules) {
            everything.coverage = shortest.coverage;
        }
        return Ok(everything);
    }
    if shortest.worst.is_none() && !shortest.coverage.complete && beginning.is_empty() {
        sample(runner, config, &mut shortest)?;
    }
    Ok(shortest)
}

/// Runs every schedule that begins with these choices, one of those that differ in the order of independent steps only.
pub(super) fn search_everything(runner: &mut Runner, mut budget: Budget, beginning: &[Choice]) -> Result<Found, Again> {
    let mut found = Found::new();
    let mut forced = false;
    let strategy = runner.reduction();
    strategy.borrow_mut().begin(beginning);
    loop {
        if !strategy.borrow_mut().next() {
            found.exhausted = true;
            found.coverage.complete = strategy.borrow().is_sound() && !forced && !found.coverage.coarse;
            return Ok(found);
        }
        if !budget.is_left() || found.odd.is_some() {
            return Ok(found);
        }
        let ran = runner.run_reduced(&strategy);
        if let Some(again) = ran.again {
            return Err(again);
        }
        if let Some(marks) = &ran.disputed
            && runner.is_reducible()
            && is_refuted(runner, strategy.borrow().taken(), marks)
        {
            return Err(Again::Hidden);
        }
        forced |= ran.forced;
        let search = strategy.borrow();
        budget.spend(&ran, search.work());
        let is_hopeless = budget.is_hopeless(|| search.share_done());
        found.steps += ran.length();
        found.spared_accidents |= ran.spared_accidents;
        if !search.is_redundant() {
            if ran.failure.is_some() && found.worst.is_none() {
                budget.cut(&ran);
            }
            found.add(&ran, search.taken());
        }
        if is_hopeless && !found.fails() {
            return Ok(found);
        }
    }
}

/// The choices of a schedule in an order that brings the marks before which this happened one after the other, and is the same to
/// every thread; and how many of them it takes to the last of these marks.
fn in_order(choices: &[Choice], marks: &[Box<[u32]>]) -> (Vec<Choice>, usize) {
    let mut is_made = vec![false; choices.len()];
    let mut ordered = Vec::with_capacity(choices.len());
    for past in marks {
        for (step, choice) in choices.iter().enumerate() {
            let happened_before = past.get(choice.thread).is_some_and(|&steps| step < steps as usize);
            if happened_before && !std::mem::replace(&mut is_made[step], true) {
                ordered.push(*choice);
            }
        }
    }
    let to_the_marks = ordered.len();
    ordered.extend(choices.iter().zip(is_made).filter(|(_, is_made)| !is_made).map(|(choice, _)| *choice));
    (ordered, to_the_marks)
}

/// Whether a schedule that should fail, in that order of its marks, does not: it fits the program up to the last of them, and all is well.
/// Then its steps are not what the search takes them for.
fn is_refuted(runner: &mut Runner, choices: &[Choice], marks: &[Box<[u32]>]) -> bool {
    let (choices, to_the_marks) = in_order(choices, marks);
    let strategy = Rc::new(RefCell::new(Replay::as_it_comes(choices)));
    let ran = runner.run(&strategy);
    let fits = strategy.borrow().fitted() >= to_the_marks;
    fits && ran.failure.is_none() && ran.again.is_none()
}

/// Runs schedules that begin with these choices, those with few preemptions first, up to the first level that has a failure; further,
/// if it is `in_doubt` whether any schedule passes, until one does. Not beyond `most` preemptions.
fn search_shortest(
    runner: &mut Runner,
    mut budget: Budget,
    in_doubt: bool,
    most: Option<u32>,
    beginning: &[Choice],
) -> Result<Found, Again> {
    let mut found = Found::new();
    let strategy = Rc::new(RefCell::new(Preemptions::from(beginning)));
    let (mut failed_at, mut forced) = (None, false);
    while budget.is_left() && found.odd.is_none() {
        let Some(level) = ({ strategy.borrow_mut().next(budget.schedules() - 1) }) else { break };
        let level_is_new = failed_at.is_some_and(|failed| level > failed);
        if level_is_new && !(in_doubt && found.has_only_failing_assertions()) || most.is_some_and(|most| level > most) {
            break;
        }
        let ran = runner.run(&strategy);
        if let Some(again) = ran.again {
            return Err(again);
        }
        forced |= ran.forced;
        budget.spend(&ran, 0);
        found.steps += ran.length();
        found.spared_accidents |= ran.spared_accidents;
        if ran.failure.is_some() && failed_at.is_none() {
            failed_at = Some(level);
            budget.cut(&ran);
        }
        let mut search = strategy.borrow_mut();
        let endless = |failure: &Failure| matches!(failure.kind, Kind::Livelock | Kind::Timeout);
        search.finish_run(ran.failure.as_ref().is_some_and(endless));
        if !level_is_new || ran.failure.is_none() {
            found.add(&ran, search.taken());
        }
        if search.is_level_done() {
            found.coverage.preemptions = Some(level);
        }
    }
    found.coverage.complete = strategy.borrow().is_complete() && !forced && !found.coverage.coarse;
    if found.coverage.complete {
        found.coverage.preemptions = None;
    }
    Ok(found)
}

/// Spends what is left of the budget on random schedules.
fn sample(runner: &mut Runner, config: &Config, found: &mut Found) -> Result<(), Again> {
    let left = config.schedules.saturating_sub(found.coverage.schedules);
    if left == 0 {
        return Ok(());
    }
    let mut longest = 16;
    let mut budget = Budget::new(left);
    while budget.is_left() && found.worst.is_none() {
        let n = found.coverage.sampled;
        let numbers = Numbers::new(config.seed, n);
        let sample = match n % 4 {
            0 => Sample::uniform(numbers),
            kind => Sample::pct(numbers, longest, kind as usize + 1),
        };
        let strategy = Rc::new(RefCell::new(sample));
        let ran = runner.run(&strategy);
        if let Some(again) = ran.again {
            return Err(again);
        }
        budget.spend(&ran, 0);
        longest = longest.max(ran.steps as usize);
        found.coverage.sampled += 1;
        found.add(&ran, strategy.borrow().taken());
    }
    Ok(())
}

/// Records the failing schedule and says what was found. `how_many` is the second line of the failure's message.
pub(super) fn tell(
    runner: &mut Runner,
    found: Found,
    how_many: impl FnOnce(&Coverage, &Trace) -> String,
) -> Exploration {
    let Found { coverage, worst, odd, .. } = found;
    let failed = |failure, trace| Exploration { outcome: Outcome::Failed(failure), coverage, trace, position: None };
    if let Some(odd) = odd {
        return failed(odd, None);
    }
    let Some(worst) = worst else {
        return Exploration { outcome: Outcome::Passed, coverage, trace: None, position: None };
    };
    let strategy = Rc::new(RefCell::new(Replay::own(worst.choices)));
    let (ran, trace) = runner.record(&strategy);
    let Some(mut failure) = ran.failure else {
        let message = format!("{}: a schedule that failed does not fail again", super::DIFFERENT);
        return failed(Failure { kind: Kind::Nondeterministic, message }, Some(trace));
    };
    if failure.kind == Kind::Assertion && coverage.failing < coverage.schedules {
        failure.kind = Kind::Race;
    }
    failure.message += &how_many(&coverage, &trace);
    failed(failure, Some(trace))
}

/// The second line of a failure: `3 of 41 schedules fail; the shortest has 1 preemption`.
fn how_many(coverage: &Coverage, trace: &Trace) -> String {
    let Coverage { failing, schedules, complete, .. } = coverage;
    let fail = if *failing == 1 { "fails" } else { "fail" };
    let mut times = match trace.preemptions {
        0 => "no preemption".to_string(),
        1 => "1 preemption".to_string(),
        n => format!("{n} preemptions"),
    };
    times += &match trace.old_reads {
        0 => String::new(),
        1 => " and reads 1 old value".to_string(),
        n => format!(" and reads {n} old values"),
    };
    match schedules {
        1 if *complete => format!("\nthe only schedule fails; it has {times}"),
        1 => format!("\nthe first schedule that was tried fails; it has {times}"),
        _ => format!("\n{failing} of {schedules} schedules {fail}; the shortest has {times}"),
    }
}

/// Runs one given schedule to its end and records it.
fn replay(runner: &mut Runner, schedule: Schedule) -> Exploration {
    follow(runner, schedule.manner, Replay::given(schedule.choices), false)
}

/// Runs one given schedule, or the beginning of one, and records it. `stops` says whether a position is wanted.
pub(super) fn follow(runner: &mut Runner, manner: Manner, way: Replay, stops: bool) -> Exploration {
    runner.set(manner);
    let strategy = Rc::new(RefCell::new(way));
    let (ran, trace) = runner.record(&strategy);
    let failing = u64::from(ran.failure.is_some());
    let coverage = Coverage { schedules: 1, failing, ..Coverage::default() };
    let misfit = strategy.borrow().misfit(ran.failure.is_some());
    let outcome = match (misfit, ran.failure) {
        (Some(message), _) => Outcome::Misfit(message),
        (None, Some(failure)) => Outcome::Failed(failure),
        (None, None) => Outcome::Passed,
    };
    let position = stops.then(|| strategy.borrow().position().clone());
    Exploration { outcome, coverage, trace: Some(trace), position }
}
