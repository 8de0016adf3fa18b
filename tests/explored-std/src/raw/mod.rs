//! The parts that modelled types are made of, most without the data that they protect: for `sync`, and for the models of
//! `parking_lot` and `crossbeam` beside this crate. Not for katas.

mod channel;
mod condvar;
mod lock;
mod once;
mod protected;
mod select;
mod task;

pub use channel::{RawChannel, Refusal};
pub use condvar::{RawCondvar, Woken};
pub use lock::{RawLock, Sharing};
pub use once::{Entered, Left, Progress, RawOnce};
pub use protected::Protected;
pub use select::{Arm, Selection, select};
pub use task::{
    Awaited, RawWorkers, begin_poll, choose, contain, end_poll, free_from_workers, next_number, saw_end, serve,
    set_alarm, start_thread, unwake, wait_for_alarm, wait_for_end, wake, wake_me, was_seen_to_end, whole,
};

use std::time::Duration;

use crate::engine::kind::Kind;
use crate::engine::operation::{NEVER, NOTHING, Operation, Site};
use crate::engine::run::{self, with};
use crate::engine::state::{Phase, State};

/// When to give up waiting, in virtual time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(pub(crate) u64);

impl Deadline {
    /// Never.
    pub const NEVER: Deadline = Deadline(NEVER);

    /// When this much virtual time has passed; never, where that is beyond the clock.
    pub fn after(time: Duration) -> Deadline {
        let time = u64::try_from(time.as_nanos()).unwrap_or(NEVER);
        Deadline(with(|state| state.now.saturating_add(time)))
    }

    /// At this moment.
    pub fn at(moment: crate::time::Instant) -> Deadline {
        Deadline(moment.virtual_nanos().unwrap_or(0))
    }
}

/// The moment of the step that was made last: looking at it is none.
pub fn now() -> crate::time::Instant {
    crate::time::Instant::in_this_step()
}

impl State {
    /// Notes that somebody can see whether a lock is held or a thread runs: from now on releases are decisions too.
    pub(crate) fn observe(&mut self) {
        self.settings.observed = true;
    }

    /// Notes that somebody may see details that hardly any program sees: from now on they are steps.
    pub(crate) fn look_closely(&mut self) {
        self.settings.detailed = true;
    }

    /// Writes down what was done without a decision.
    pub(crate) fn record_passively(&mut self, operation: &Operation) {
        let me = self.current;
        if let Some(recorder) = &mut self.recorder {
            recorder.passively(me, operation);
        }
    }

    /// Says what the last step read or wrote.
    pub(crate) fn record_value(&mut self, value: impl FnOnce() -> String) {
        if let Some(recorder) = &mut self.recorder {
            recorder.value(value());
        }
    }

    /// Says that the last step read an older value of an atomic, though this one is the newest.
    pub(crate) fn record_missed(&mut self, operation: &Operation, newest: impl FnOnce() -> String) {
        let by = self.memory.missed(operation.object, 1).map(|store| store.by);
        if let (Some(recorder), Some(by), Some(reads)) = (&mut self.recorder, by, operation.reads) {
            recorder.missed(by, &newest(), format!("{:?}", reads.ordering));
        }
    }

    /// Says that the last step was refused.
    pub(crate) fn record_refusal(&mut self) {
        if let Some(recorder) = &mut self.recorder {
            recorder.refused();
        }
    }
}

/// Somebody may see details that hardly any program sees: they are steps from now on.
pub fn look_closely() {
    with(State::look_closely);
}

/// Whether details are steps that hardly any program sees.
pub fn looks_closely() -> bool {
    run::try_with(|state| state.settings.detailed && state.phase == Phase::Running).unwrap_or(false)
}

/// Whether a release has to be announced: only where somebody could see the difference.
pub(crate) fn release_is_a_step(state: &State) -> bool {
    state.settings.observed && state.phase == Phase::Running
}

/// Announces an operation where somebody could see when it comes, and makes its step.
pub(crate) fn step_if_seen(operation: impl FnOnce(&mut State) -> Operation) {
    let announced = run::try_with(|state| {
        let operation = operation(state);
        release_is_a_step(state).then_some(operation)
    });
    if let Some(Some(operation)) = announced {
        run::step(operation);
    }
}

/// An operation without an object, such as a yield.
pub(crate) fn step_alone(kind: Kind, name: &'static str, at: Site, deadline: Deadline) {
    run::step(Operation::new(kind, name, NOTHING, at).until(deadline.0));
}
