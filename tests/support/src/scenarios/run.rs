//! Tries the programs of a contract, each on its schedules, until the budget is spent or one fails.
//!
//! Breadth first: every program gets a little before any gets much, since nearly every mistake shows on few schedules of
//! some small program. The budget is counted in steps of all schedules together, never in time.

use std::env;
use std::explored::{self, Config, Effort, Exploration, Glance, Session, Timeouts};
use std::sync::Arc;

use verdict::schedule::{Case, Timing};
use verdict::{Coverage, Mode, Outcome, REPLAY, Record, Scenarios};

use super::erased::{Subject, caught};
use super::memo::{self, Shared};
use super::order::{self, Group, Order};
use super::program::Program;
use super::scenario::{Scenario, begins};
use super::tell::with_program;
use crate::kind::kind_of_panic;
use crate::schedules::{asked, has_lines, number};

/// How many steps all schedules of a test may have together: about half a second of processor time.
const STEPS: u64 = 600_000;

/// What is tried of which programs. A round takes up what an earlier one has left open.
struct Round {
    /// Which programs.
    group: Group,
    /// How many schedules each program gets.
    schedules: u64,
    /// How many spurious wakeups a schedule has.
    spurious: u32,
    /// How time passes.
    timing: Timing,
}

/// From the widest to the deepest.
const ROUNDS: [Round; 17] = [
    Round { group: Group::First, schedules: 20, spurious: 0, timing: Timing::Exact },
    Round { group: Group::Telling, schedules: 50, spurious: 0, timing: Timing::Exact },
    Round { group: Group::First, schedules: 500, spurious: 1, timing: Timing::Exact },
    Round { group: Group::First, schedules: 200, spurious: 0, timing: Timing::Hostile },
    Round { group: Group::First, schedules: 200, spurious: 0, timing: Timing::Late },
    Round { group: Group::First, schedules: 200, spurious: 1, timing: Timing::Midway },
    Round { group: Group::Telling, schedules: 50, spurious: 0, timing: Timing::Late },
    Round { group: Group::Telling, schedules: 50, spurious: 0, timing: Timing::Midway },
    Round { group: Group::Rest, schedules: 50, spurious: 0, timing: Timing::Exact },
    Round { group: Group::Telling, schedules: 500, spurious: 1, timing: Timing::Exact },
    Round { group: Group::Rest, schedules: 500, spurious: 1, timing: Timing::Exact },
    Round { group: Group::First, schedules: 20_000, spurious: 1, timing: Timing::Exact },
    Round { group: Group::Telling, schedules: 20_000, spurious: 1, timing: Timing::Exact },
    Round { group: Group::Rest, schedules: 20_000, spurious: 1, timing: Timing::Exact },
    Round { group: Group::All, schedules: 20_000, spurious: 1, timing: Timing::Late },
    Round { group: Group::All, schedules: 20_000, spurious: 1, timing: Timing::Midway },
    Round { group: Group::All, schedules: 20_000, spurious: 1, timing: Timing::Hostile },
];
/// A program with more schedules than a round gives it is also tried with so many preemptions.
const PREEMPTIONS: u32 = 1;

/// What a run of all programs has found.
enum Found {
    /// Nothing is wrong, as far as it was tried.
    Nothing(Coverage),
    /// A program fails, or what was asked for was found.
    Record(Box<Record>),
    /// The contract itself is no good.
    Broken(String),
}

/// Runs a contract's scenarios.
pub(super) fn run(subject: Arc<dyn Subject>) -> Record {
    let replay = env::var(REPLAY).ok();
    let steps = number(verdict::STEPS).unwrap_or(STEPS);
    let found = explored::session(|session| {
        let specifications = memo::of_all_setups(&*subject);
        let order = order::order(&*subject, &specifications);
        let scenarios = Scenarios {
            planned: order.programs.len() as u64,
            first: order.group(Group::First).len() as u64,
            ..Scenarios::default()
        };
        let most_schedules = number(verdict::SCHEDULES).unwrap_or(u64::MAX);
        let coverage = Coverage::default();
        let mut runs =
            Runs { session, order: &order, steps, most_schedules, coverage, scenarios, subject, specifications };
        match replay {
            Some(replay) => runs.replay(&replay),
            None => match runs.all() {
                Found::Nothing(coverage) if asked().is_some() => runs.begin(coverage),
                found => found,
            },
        }
    });
    match found {
        Found::Nothing(coverage) => {
            Record { coverage: Some(coverage), ..Record::new(Mode::Schedules, Outcome::Passed) }
        }
        Found::Record(record) => *record,
        Found::Broken(why) => Record::new(Mode::Schedules, Outcome::Broken(why)),
    }
}

struct Runs<'a> {
    session: &'a mut Session,
    subject: Arc<dyn Subject>,
    specifications: Vec<Shared>,
    order: &'a Order,
    /// How many steps are left.
    steps: u64,
    /// How many schedules the command line allows for, in all.
    most_schedules: u64,
    coverage: Coverage,
    scenarios: Scenarios,
}

impl Runs<'_> {
    fn all(&mut self) -> Found {
        let mut tried = vec![false; self.order.programs.len()];
        // How each program may still fail: it is proven when nothing is left.
        let mut open: Vec<Vec<Timing>> = (0..tried.len()).map(|index| self.timings(index)).collect();
        for round in &ROUNDS {
            for index in self.order.group(round.group) {
                if !open[index].contains(&round.timing) {
                    continue;
                }
                if self.steps == 0 || self.coverage.schedules >= self.most_schedules {
                    return self.passed();
                }
                self.scenarios.tried += u64::from(!std::mem::replace(&mut tried[index], true));
                match self.try_program(index, round) {
                    Ok(true) => open[index].retain(|timing| *timing != round.timing),
                    Ok(false) => {}
                    Err(found) => return found,
                }
                self.scenarios.proven += u64::from(open[index].is_empty());
            }
        }
        self.passed()
    }

    fn passed(&mut self) -> Found {
        self.coverage.complete = self.scenarios.proven == self.scenarios.planned;
        self.coverage.scenarios = Some(self.scenarios);
        Found::Nothing(self.coverage)
    }

    /// The ways in which time can pass in a program.
    fn timings(&self, index: usize) -> Vec<Timing> {
        let program = &self.order.programs[index];
        let has_limit = program.threads.iter().flatten().any(|&call| self.subject.limit(call).is_some());
        let waits = |timing| begins(&*self.subject, program, timing).iter().any(|begins| !begins.is_zero());
        let mut timings = vec![Timing::Exact];
        timings.extend(has_limit.then_some(Timing::Hostile));
        timings.extend([Timing::Late, Timing::Midway].into_iter().filter(|timing| waits(*timing)));
        timings
    }

    /// Whether the program passes on all its schedules, with accidents too, and not only on some.
    fn try_program(&mut self, index: usize, round: &Round) -> Result<bool, Found> {
        let schedules = round.schedules;
        let program = &self.order.programs[index];
        let glance = self.glance(program, round, Effort::Reduced { schedules })?;
        if glance.coverage.complete {
            // Where nothing could happen by accident, that is all there is.
            return Ok(!glance.spared_accidents);
        }
        if self.coverage.schedules < self.most_schedules {
            self.glance(program, round, Effort::Preemptions { most: PREEMPTIONS, schedules })?;
        }
        Ok(false)
    }

    fn glance(&mut self, program: &Program, round: &Round, effort: Effort) -> Result<Glance, Found> {
        let effort = effort.at_most(self.most_schedules.saturating_sub(self.coverage.schedules));
        let glance = self.look(program, round.timing, round.spurious, effort)?;
        self.steps = self.steps.saturating_sub(glance.steps);
        self.coverage.schedules += glance.coverage.schedules;
        self.coverage.coarse |= glance.coverage.coarse;
        match glance.failing {
            Some(failing) => Err(self.failure(program, round, failing)?),
            None => Ok(glance),
        }
    }

    /// Runs schedules of a program until one fails, if the contract is any good.
    fn look(&mut self, program: &Program, timing: Timing, spurious: u32, effort: Effort) -> Result<Glance, Found> {
        let scenario = Scenario::new(&self.subject, &self.specifications, program, timing);
        let config = config(timing, spurious);
        let glanced = caught(|| self.session.glance(&config, effort, &scenario.historian(), scenario.body()));
        let glance = glanced.map_err(|panic| self.broken(program, &panic))?;
        match scenario.broken() {
            Some(why) => Err(self.broken(program, &why)),
            None => Ok(glance),
        }
    }

    fn broken(&self, program: &Program, why: &str) -> Found {
        let calls: Vec<String> = self.program_names(program).iter().map(|calls| calls.join(" ")).collect();
        let setup = self.subject.setups()[program.setup];
        Found::Broken(format!("the specification is broken in the scenario \"{setup}: {}\": {why}", calls.join(" | ")))
    }

    fn program_names(&self, program: &Program) -> Vec<Vec<String>> {
        let mut names = vec![Vec::new(); program.threads.len()];
        for placed in program.calls() {
            names[placed.thread].push(self.subject.name(placed.call, placed.id));
        }
        names
    }

    /// Tells how the program fails in this schedule, or a smaller program that fails too.
    fn failure(&mut self, program: &Program, round: &Round, failing: String) -> Result<Found, Found> {
        let (program, failing) = self.smaller(program, round)?.unwrap_or_else(|| (program.clone(), failing));
        let scenario = Scenario::new(&self.subject, &self.specifications, &program, round.timing);
        let mut explore = |replay| {
            let config = Config { replay, ..config(round.timing, 1) };
            self.session.explore(&config, &scenario.historian(), scenario.body())
        };
        let mut exploration = explore(None);
        if !matches!(exploration.outcome, Outcome::Failed(_)) {
            // What was found is not lost where this search does not come as far.
            exploration = explore(Some(failing));
        }
        if let Outcome::Failed(failure) = &mut exploration.outcome {
            failure.message = with_program(
                &*self.subject,
                &program,
                &begins(&*self.subject, &program, round.timing),
                &failure.message,
            );
        }
        let place = self.order.programs.iter().position(|other| *other == program).unwrap_or_default();
        Ok(self.record(exploration, Case { number: place + 1, timing: round.timing }))
    }

    fn record(&self, exploration: Exploration, case: Case) -> Found {
        let Exploration { outcome, mut coverage, mut trace, mut position } = exploration;
        coverage.scenarios = Some(self.scenarios);
        if let Some(trace) = &mut trace {
            trace.schedule = case.before(&trace.schedule);
        }
        if let Some(position) = &mut position {
            position.is_of(case);
        }
        let coverage = Some(coverage);
        Found::Record(Box::new(Record { mode: Mode::Schedules, outcome, coverage, trace, position }))
    }

    /// The same program without some of its calls, if it still fails, and the schedule in which it does.
    fn smaller(&mut self, program: &Program, round: &Round) -> Result<Option<(Program, String)>, Found> {
        let mut smallest = None;
        let mut current = program.clone();
        'shorter: loop {
            for (thread, calls) in current.threads.clone().iter().enumerate() {
                for index in 0..calls.len() {
                    let shorter = current.without(thread, index, self.subject.parts(current.setup));
                    if !self.order.programs.contains(&shorter) {
                        continue;
                    }
                    let effort = Effort::Reduced { schedules: round.schedules };
                    if let Some(failing) = self.look(&shorter, round.timing, 1, effort)?.failing {
                        smallest = Some((shorter.clone(), failing));
                        current = shorter;
                        continue 'shorter;
                    }
                }
            }
            return Ok(smallest);
        }
    }

    /// Where nothing fails, the beginning of a program in which a call waits and another one lets it go on.
    fn begin(&mut self, coverage: Coverage) -> Found {
        let telling = self.order.group(Group::Telling).chain(0..1);
        let Some((place, program)) = telling.filter_map(|place| Some((place, self.order.programs.get(place)?))).next()
        else {
            return Found::Nothing(coverage);
        };
        let scenario = Scenario::new(&self.subject, &self.specifications, program, Timing::Exact);
        let config = Config { ask: asked(), ..config(Timing::Exact, 1) };
        let exploration = self.session.explore(&config, &scenario.historian(), scenario.body());
        self.record(Exploration { coverage, ..exploration }, Case { number: place + 1, timing: Timing::Exact })
    }

    /// Runs one schedule of one program again.
    fn replay(&mut self, replay: &str) -> Found {
        let read = || {
            let (case, schedule) = Case::of(replay).ok()?;
            let case = case?;
            Some((self.order.programs.get(case.number.checked_sub(1)?)?, case, schedule))
        };
        let Some((program, case, schedule)) = read() else {
            let why =
                format!("the schedule does not fit this test: {replay:?} is of no scenario (they are like i12.0x2.1)");
            return Found::Record(Box::new(Record::new(Mode::Schedules, Outcome::Misfit(why))));
        };
        let scenario = Scenario::new(&self.subject, &self.specifications, program, case.timing);
        let config = Config { replay: Some(schedule.to_owned()), ask: asked(), ..config(case.timing, 1) };
        let exploration = self.session.explore(&config, &scenario.historian(), scenario.body());
        self.record(exploration, case)
    }
}

fn config(timing: Timing, spurious: u32) -> Config {
    let timeouts = if timing == Timing::Hostile { Timeouts::Hostile } else { Timeouts::Patient };
    Config { timeouts, spurious, daemons: true, callers: has_lines(), kind_of_panic, ..Config::default() }
}
