//! Every small program of calls, each on all its schedules, judged by the contract itself.
//!
//! A test that a person thought of tries one situation. Here the contract is written as a program, a [`Contract`]: *what
//! may this call do now?* Nothing, where it has to wait; one answer, mostly; several, where the contract leaves it open. A
//! *scenario* is a small program: a few threads with a few calls each, on an object that a [`Setup`] describes. All of
//! them up to a bound are tried, and each schedule's *history* (which call began and returned when, with which answer) must
//! be one that the contract allows: there is an order of the calls, one after another, that respects who had returned before
//! whom began, explains every answer, and explains why whoever still waits has to wait. That is linearizability (Herlihy and
//! Wing 1990) with calls that block (Scherer and Scott 2004).
//!
//! ```text
//! enumerate   programs, smallest first, none twice (program.rs); those that can tell most come first (order.rs)
//! ask         what the contract allows, everything once (memo.rs)
//! run         each on its schedules, under one budget for all (run.rs)
//! judge       the history against the specification (history.rs, table.rs)
//! tell        the smallest program that fails, as a table (tell.rs)
//! ```

use std::fmt::Debug;
use std::hash::Hash;
use std::time::Duration;

#[cfg(feature = "explore")]
mod erased;
#[cfg(feature = "explore")]
mod history;
#[cfg(feature = "explore")]
mod memo;
#[cfg(feature = "explore")]
mod numbered;
#[cfg(feature = "explore")]
mod order;
#[cfg(feature = "explore")]
mod program;
#[cfg(feature = "explore")]
mod quick;
#[cfg(feature = "explore")]
mod run;
#[cfg(feature = "explore")]
mod scenario;
mod scene;
#[cfg(feature = "explore")]
mod table;
#[cfg(feature = "explore")]
mod tell;

pub use scene::Scene;

/// The contract of a kata whose answer is a type with methods, as a program.
pub trait Contract: Send + Sync + 'static {
    /// What one thread of a scenario has in its hands: a shared reference, futures of its own.
    type Hand: Send + 'static;
    /// A call that a thread can make.
    type Call: Copy + Debug + PartialEq + Send + Sync + 'static;
    /// The object, as the contract sees it.
    type State: Clone + Eq + Hash + Send + 'static;

    /// When the gate opens, in virtual time since the scenario's start: late enough that everything else has come to rest, and
    /// every limit is over.
    const OPENING: Duration = Duration::from_secs(3600);
    /// How long a thread may be late because it looks now and then instead of waiting. Zero where it has to wait.
    const PAUSE: Duration = Duration::ZERO;
    /// Up to how many calls all programs are tried.
    const CALLS: usize = 3;
    /// Up to how many calls those programs are tried in which a call waits and another one lets it go on.
    const TELLING: usize = 4;
    /// How many threads a scenario has at most.
    const THREADS: usize = 3;

    /// The objects that scenarios begin with.
    fn setups(&self) -> Vec<Setup<Self::State>>;

    /// The calls that threads make.
    fn calls(&self) -> Vec<Self::Call>;

    /// Whether threads make this call in the programs of this setup.
    fn is_for(&self, _call: Self::Call, _setup: usize) -> bool {
        true
    }

    /// How the call is written: `put(11)`. `id` is another number for each call of a scenario.
    fn name(&self, call: Self::Call, id: usize) -> String;

    /// Whether a program is worth trying. The calls of each thread are given.
    fn makes_sense(&self, _setup: usize, _program: &[Vec<Self::Call>]) -> bool {
        true
    }

    /// For how long the call waits at most, if it has such a limit.
    fn limit(&self, _call: Self::Call) -> Option<Duration> {
        None
    }

    /// Makes the object of a setup, and what each of the threads gets of it.
    fn hands(&self, setup: usize, threads: usize, scene: &Scene) -> Vec<Self::Hand>;

    /// How many of the first threads have a part of their own in a setup: an owner, one who waits. The others are alike: programs in
    /// which they only change places are the same.
    fn parts(&self, _setup: usize) -> usize {
        0
    }

    /// Moves things between the hands, now that it is known who makes which calls: for what only one thread can have.
    fn deal(&self, _hands: &mut [Self::Hand], _program: &[Vec<Self::Call>]) {}

    /// What a thread does before its first call, for what has to be done on the thread itself.
    fn arrive(&self, _hand: &mut Self::Hand, _scene: &Scene) {}

    /// Makes the call, and says what it answered. A call that panics has the answer [`PANICS`], and [`PANICS_ON_PURPOSE`] where it is the
    /// contract that wants it.
    fn perform(&self, hand: &mut Self::Hand, call: Self::Call, id: usize, scene: &Scene) -> String;

    /// What becomes of a thread's hand when its calls are done. Where the end of the last hand would be a call of its own, it is
    /// kept for ever (`std::mem::forget`), and dropping it is one of the calls.
    fn leave(&self, hand: Self::Hand) {
        drop(hand);
    }

    /// What the call may do now. Nothing is added to `moves` where it has to wait.
    fn may(&self, state: &Self::State, call: Self::Call, turn: &Turn, moves: &mut Moves<Self::State>);

    /// What may happen without a call: a worker takes a job.
    fn by_itself(&self, _state: &Self::State, _clock: &Clock, _moves: &mut Moves<Self::State>) {}

    /// What becomes of the state when this is noted ([`Scene::note`]); nothing if it must not happen now.
    fn hears(&self, state: &Self::State, _what: &str, _id: usize, _clock: &Clock) -> Option<Self::State> {
        Some(state.clone())
    }
}

/// The answer of a call that panics by itself.
pub const PANICS: &str = "panics";

/// The answer of a call that passes a panic on that the contract has made, with [`panic_on_purpose`](crate::panic_on_purpose).
pub const PANICS_ON_PURPOSE: &str = "panics, as it shall";

/// An object that scenarios begin with.
#[derive(Clone, Debug)]
pub struct Setup<State> {
    /// What it is: `room for 1, full`.
    pub name: &'static str,
    /// How the contract sees it.
    pub state: State,
}

/// What time it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Clock {
    /// Virtual time since the scenario's start.
    pub now: Duration,
    /// Whether the gate is open.
    pub gate_is_open: bool,
    /// Whether any limit may be over at any time.
    pub hostile: bool,
}

/// A call, about to do its next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Turn {
    /// The call's number, another one for each call of a scenario.
    pub id: usize,
    /// The thread that makes the call, from 0.
    pub thread: usize,
    /// How far the call has come: 0, or what [`Moves::go_on`] said.
    pub phase: usize,
    /// When it began.
    pub since: Duration,
    /// Whether no other call has begun and not returned.
    pub alone: bool,
    /// What time it is.
    pub clock: Clock,
}

impl Turn {
    /// Whether the call may give up because it has lasted for as long as this.
    pub fn is_over(&self, limit: Duration) -> bool {
        self.clock.hostile || self.has_lasted(limit)
    }

    /// Whether the clock says that the call has lasted for as long as this.
    pub fn has_lasted(&self, limit: Duration) -> bool {
        self.clock.now >= self.since.saturating_add(limit)
    }
}

/// What may happen next, each entry one step at one moment, and whether all may stand still instead.
#[derive(Debug)]
pub struct Moves<State> {
    pub(crate) steps: Vec<(State, Next)>,
    /// What has to be noted first.
    pub(crate) expected: Vec<(&'static str, usize)>,
    pub(crate) rest: Rest,
}

/// Whether standing still is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    /// If there is nothing else to do.
    WithoutSteps,
    /// In any case.
    Always,
    /// In no case, for this reason.
    Never(&'static str),
}

/// What comes after a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// The call goes on in this phase.
    Phase(usize),
    /// The call's answer is found.
    Answer(String),
    /// It was no call's step.
    Nothing,
}

impl<State> Default for Moves<State> {
    fn default() -> Moves<State> {
        Moves { steps: Vec::new(), expected: Vec::new(), rest: Rest::WithoutSteps }
    }
}

impl<State> Moves<State> {
    /// The call may find this answer, and leave this state behind.
    pub fn answer(&mut self, state: State, answer: impl Into<String>) {
        self.steps.push((state, Next::Answer(answer.into())));
    }

    /// The call may do something, and goes on in another phase.
    pub fn go_on(&mut self, state: State, phase: usize) {
        self.steps.push((state, Next::Phase(phase)));
    }

    /// Something may happen that no call does.
    pub fn change(&mut self, state: State) {
        self.steps.push((state, Next::Nothing));
    }

    /// Whatever else it may do, the call may wait: the contract leaves open whether it goes on.
    pub fn may_wait(&mut self) {
        self.rest = Rest::Always;
    }

    /// Something has to happen, although it is no step of those above: what the contract
    /// [hears](Contract::hears) of. `why` follows "waits, though".
    pub fn must_go_on(&mut self, why: &'static str) {
        self.rest = Rest::Never(why);
    }

    /// It has to be noted that this happens to whatever has this number ([`Contract::hears`]), sooner or later: until then,
    /// nothing stands still.
    pub fn expects(&mut self, what: &'static str, id: usize) {
        self.expected.push((what, id));
    }
}

/// Tries every small program of calls. In threads builds the test is skipped: it needs the scheduler.
///
/// # Panics
/// If a program breaks the contract, or the contract contradicts itself.
#[track_caller]
pub fn every_small_program(contract: impl Contract) {
    let grader = crate::report::Grader::of_environment();
    crate::kind::remember_test_file(std::panic::Location::caller().file());
    #[cfg(feature = "explore")]
    let record = run::run(std::sync::Arc::new(erased::Erased::new(contract)));
    #[cfg(not(feature = "explore"))]
    let record = {
        drop(contract);
        verdict::Record::new(verdict::Mode::Threads, verdict::Outcome::Skipped)
    };
    crate::report::report(&record, grader);
}
