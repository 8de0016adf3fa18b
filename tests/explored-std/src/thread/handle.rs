//! Handles to threads.

use std::fmt;
use std::num::NonZero;
use std::panic::Location;
use std::sync::Arc;

use crate::engine::kind::Kind;
use crate::engine::operation::{Operation, ThreadIndex};
use crate::engine::run::{step, try_with, with};
use crate::engine::state::{Phase, State};

/// The model of [`std::thread::Thread`](::std::thread::Thread).
#[derive(Clone)]
pub struct Thread {
    pub(crate) index: ThreadIndex,
    epoch: u64,
    name: Option<Arc<str>>,
}

/// The model of [`std::thread::ThreadId`](::std::thread::ThreadId): counted from 1 in every schedule.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ThreadId(NonZero<u64>);

impl fmt::Debug for ThreadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ThreadId({})", self.0)
    }
}

impl Thread {
    pub(crate) fn of(state: &State, index: ThreadIndex) -> Thread {
        Thread { index, epoch: state.epoch, name: state.threads[index].name.clone() }
    }

    /// The name it was given; `main` for the first.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match &self.name {
            Some(name) => Some(name),
            None if self.index == 0 => Some("main"),
            None => None,
        }
    }

    /// What tells it from the others.
    #[must_use]
    pub fn id(&self) -> ThreadId {
        ThreadId(NonZero::<u64>::MIN.saturating_add(self.index as u64))
    }

    /// Whether it belongs to the schedule that runs.
    pub(crate) fn is_of_this_schedule(&self) -> bool {
        try_with(|state| state.epoch == self.epoch && state.phase == Phase::Running).unwrap_or(false)
    }

    /// Gives the thread its token: its next `park`, or the one it is in, returns.
    #[track_caller]
    pub fn unpark(&self) {
        if with(|state| state.epoch != self.epoch) {
            return;
        }
        step(Operation::on_thread(Kind::Unpark, "unpark", self.index, Location::caller()));
        with(|state| {
            if let Some(thread) = state.threads.get_mut(self.index) {
                thread.token = true;
            }
        });
    }
}

impl fmt::Debug for Thread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Thread").field("id", &self.id()).field("name", &self.name()).finish_non_exhaustive()
    }
}
