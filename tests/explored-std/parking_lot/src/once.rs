//! `Once`.

use std::fmt;
use std::raw::{Entered, Left, Progress, RawOnce};

/// The model of `parking_lot::Once`.
pub struct Once(RawOnce);

/// How far a [`Once`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnceState {
    /// It was not called.
    New,
    /// An earlier call panicked.
    Poisoned,
    /// A thread is calling it.
    InProgress,
    /// It was called and has returned.
    Done,
}

impl OnceState {
    /// Whether an earlier call panicked.
    #[must_use]
    pub const fn is_poisoned(self) -> bool {
        matches!(self, OnceState::Poisoned)
    }

    /// The same.
    #[must_use]
    pub const fn poisoned(self) -> bool {
        self.is_poisoned()
    }

    /// Whether it was called and has returned.
    #[must_use]
    pub const fn is_completed(self) -> bool {
        matches!(self, OnceState::Done)
    }

    /// The same.
    #[must_use]
    pub const fn done(self) -> bool {
        self.is_completed()
    }
}

impl Once {
    /// One that was not called yet.
    #[track_caller]
    pub const fn new() -> Once {
        Once(RawOnce::new::<()>("Once"))
    }

    /// How far it is.
    #[track_caller]
    pub fn state(&self) -> OnceState {
        match self.0.progress("state") {
            Progress::Fresh => OnceState::New,
            Progress::Poisoned => OnceState::Poisoned,
            Progress::Running => OnceState::InProgress,
            Progress::Done => OnceState::Done,
        }
    }

    /// Whether it was called and has returned.
    #[track_caller]
    pub fn is_completed(&self) -> bool {
        self.0.is_done("is_completed")
    }

    /// Waits until it was called and has returned.
    ///
    /// # Panics
    /// If a call panicked.
    #[track_caller]
    pub fn wait(&self) {
        assert!(self.0.wait(), "{POISONED}");
    }

    /// The same, also after a call that panicked.
    #[track_caller]
    pub fn wait_force(&self) {
        while !self.0.wait() {
            std::thread::yield_now();
        }
    }

    /// Calls the closure, unless that was done; waits while another thread does it.
    ///
    /// # Panics
    /// If an earlier call panicked.
    #[track_caller]
    pub fn call_once<F: FnOnce()>(&self, f: F) {
        self.call("call_once", |state| {
            assert!(!state.is_poisoned(), "{POISONED}");
            f();
        });
    }

    /// The same, also after a call that panicked.
    #[track_caller]
    pub fn call_once_force<F: FnOnce(OnceState)>(&self, f: F) {
        self.call("call_once_force", f);
    }

    #[track_caller]
    fn call(&self, name: &'static str, f: impl FnOnce(OnceState)) {
        let state = match self.0.enter(name) {
            Entered::Done => return,
            Entered::Begins => OnceState::New,
            Entered::BeginsPoisoned => OnceState::Poisoned,
        };
        let mut leave = LeaveOnDrop { raw: &self.0, otherwise: Left::Poisoned };
        f(state);
        leave.otherwise = Left::Done;
    }
}

/// What the panic says of who comes after one that panicked.
const POISONED: &str = "Once instance has previously been poisoned";

/// Leaves an initialisation even where it panics.
struct LeaveOnDrop<'a> {
    raw: &'a RawOnce,
    otherwise: Left,
}

impl Drop for LeaveOnDrop<'_> {
    fn drop(&mut self) {
        self.raw.leave(self.otherwise);
    }
}

impl Default for Once {
    #[track_caller]
    fn default() -> Once {
        Once::new()
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Once").field("state", &self.state()).finish()
    }
}
