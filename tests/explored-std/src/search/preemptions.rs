//! Fewest preemptions first: all schedules without a preemption, then all with one, and so on, each exactly once. Of those with as
//! many preemptions, those come first that have fewer of them at atomics.
//!
//! A schedule is a *prefix* of choices and, from there on, the default: the thread that runs goes on as long as it can. Each
//! run finds the other choices that it could have made, and they are the prefixes of later runs.

use std::collections::BTreeMap;

use super::signature;
use crate::engine::operation::{Choice, How};
use crate::engine::run::Ending;
use crate::engine::state::State;
use crate::engine::strategy::Strategy;

/// How many decisions of a run that ended in a livelock are looked at.
const LIVELOCK_DEPTH: usize = 500;

/// The way to a schedule that was not run yet.
#[derive(Clone, Debug, Default)]
struct Prefix {
    choices: Vec<u32>,
    /// What the scheduler saw on the way, up to the last choice; nothing if it was not gone so far.
    seen: Option<u64>,
}

/// A choice that was not made, after so many choices, and what the scheduler saw by then.
#[derive(Clone, Copy, Debug)]
struct Alternative {
    depth: usize,
    choice: Choice,
    costs: Cost,
    seen: u64,
}

/// How many preemptions, and how many of them where a thread was about to use an atomic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Cost {
    preemptions: u32,
    at_atomics: u32,
}

/// The search.
#[derive(Debug, Default)]
pub(crate) struct Preemptions {
    /// Prefixes that cost as much as the level.
    now: Vec<Prefix>,
    /// Prefixes that cost more.
    later: BTreeMap<Cost, Vec<Prefix>>,
    level: Cost,
    /// Whether prefixes were dropped because the budget would not reach them, or values could have been read that were not kept.
    truncated: bool,
    /// How many schedules may still be run after the current one.
    room: usize,
    prefix: Prefix,
    taken: Vec<Choice>,
    seen: u64,
    alternatives: Vec<Alternative>,
}

impl Preemptions {
    /// For one run, in which only the default is chosen.
    pub(crate) fn new() -> Preemptions {
        Preemptions::from(&[])
    }

    /// All schedules that begin with these choices. The preemptions among them are not counted.
    pub(crate) fn from(beginning: &[Choice]) -> Preemptions {
        let choices = beginning.iter().map(|choice| choice.pack()).collect();
        Preemptions { now: vec![Prefix { choices, seen: None }], ..Preemptions::default() }
    }

    /// Prepares the next run, after which no more than `room` schedules will still be run. Returns the number of preemptions that it
    /// has, or nothing when all is done.
    pub(crate) fn next(&mut self, room: u64) -> Option<u32> {
        if self.now.is_empty() {
            let (level, mut prefixes) = self.later.pop_first()?;
            prefixes.reverse();
            self.now = prefixes;
            self.level = level;
        }
        self.prefix = self.now.pop()?;
        self.room = usize::try_from(room).unwrap_or(usize::MAX);
        self.taken.clear();
        self.alternatives.clear();
        self.seen = 0;
        Some(self.level.preemptions)
    }

    /// Takes in what the run has found. One that was `endless` went on and on: what it could have done late is of no interest.
    pub(crate) fn finish_run(&mut self, endless: bool) {
        if endless {
            self.truncated = true;
            self.alternatives.retain(|alternative| alternative.depth < LIVELOCK_DEPTH);
        }
        for alternative in self.alternatives.drain(..).rev() {
            let Cost { preemptions, at_atomics } = alternative.costs;
            let cost = Cost {
                preemptions: self.level.preemptions + preemptions,
                at_atomics: self.level.at_atomics + at_atomics,
            };
            let waiting = if cost == self.level { Some(&self.now) } else { self.later.get(&cost) };
            if waiting.map_or(0, Vec::len) >= self.room {
                self.truncated = true;
                continue;
            }
            let mut choices = Vec::with_capacity(alternative.depth + 1);
            choices.extend(self.taken[..alternative.depth].iter().map(|choice| choice.pack()));
            choices.push(alternative.choice.pack());
            let queue = if cost == self.level { &mut self.now } else { self.later.entry(cost).or_default() };
            queue.push(Prefix { choices, seen: Some(alternative.seen) });
        }
    }

    /// Whether every schedule with so few preemptions was run.
    pub(crate) fn is_level_done(&self) -> bool {
        self.now.is_empty() && self.later.keys().all(|cost| cost.preemptions > self.level.preemptions)
    }

    /// How many schedules are known that were not run: at least so many are left.
    pub(crate) fn known(&self) -> usize {
        self.now.len() + self.later.values().map(Vec::len).sum::<usize>()
    }

    /// Whether every schedule was run.
    pub(crate) fn is_complete(&self) -> bool {
        self.now.is_empty() && self.later.is_empty() && !self.truncated
    }

    /// The choices of the last run.
    pub(crate) fn taken(&self) -> &[Choice] {
        &self.taken
    }
}

/// The choice that is made where nothing else is asked for: the thread that runs goes on; else the first other one.
pub(crate) fn default_choice(state: &State, choices: &[Choice]) -> usize {
    let continuing = state.continuing(choices);
    let plain = |how| matches!(how, How::Step | How::Timeout);
    let another = || choices.iter().position(|choice| plain(choice.how) && choice.thread != state.current);
    continuing.or_else(another).unwrap_or(0)
}

/// What choices cost that are not the default. One is a deviation that counts if it stops a thread that could go on, reads an old
/// value, or is an accident that nobody waits for.
fn costs<'a>(state: &'a State, choices: &[Choice]) -> impl Fn(Choice) -> Cost + use<'a> {
    let continues = state.continuing(choices).is_some();
    let somebody_steps = choices.iter().any(|choice| choice.how == How::Step);
    move |choice| {
        let is_early = || state.threads[choice.thread].pending.deadline > state.now;
        let (counts, at_atomic) = match choice.how {
            How::Spurious => (true, false),
            How::Timeout if is_early() => (somebody_steps, false),
            How::Old(_) if choice.thread == state.current => (false, false),
            _ => (continues, state.is_at_atomic(state.current)),
        };
        let old = u32::from(matches!(choice.how, How::Old(_)));
        Cost { preemptions: u32::from(counts) + old, at_atomics: u32::from(counts && at_atomic) + old }
    }
}

impl Strategy for Preemptions {
    fn takes_as_given(&mut self) {
        self.alternatives.clear();
    }

    fn pick(&mut self, state: &State, choices: &[Choice]) -> Result<usize, Ending> {
        let depth = self.taken.len();
        self.seen = signature(self.seen, state, choices);
        let index = if depth < self.prefix.choices.len() {
            let wanted = Choice::unpack(self.prefix.choices[depth]);
            let found = choices.iter().position(|choice| *choice == wanted);
            let last = depth + 1 == self.prefix.choices.len();
            match found {
                Some(index) if !last || self.prefix.seen.is_none_or(|seen| seen == self.seen) => index,
                _ => return Err(super::nondeterministic(state, wanted.thread)),
            }
        } else {
            let default = default_choice(state, choices);
            let Choice { thread, .. } = choices[default];
            self.truncated |= state.memory.has_forgotten(thread, &state.threads[thread].pending, |_, _| true);
            if self.room > 0 {
                let costs = costs(state, choices);
                let others = choices.iter().enumerate().filter(|(index, _)| *index != default);
                self.alternatives.extend(others.map(|(_, &choice)| {
                    let costs = costs(choice);
                    Alternative { depth, choice, costs, seen: self.seen }
                }));
            } else {
                // A crowd has hundreds of others at each decision: nobody would come to take them up.
                self.truncated |= choices.len() > 1;
            }
            default
        };
        self.taken.push(choices[index]);
        Ok(index)
    }
}
