//! `Once`.

use std::fmt;

/// The model of `parking_lot::Once`.
pub struct Once(std::sync::Once);

/// How far a [`Once`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnceState {
    /// It was not called, or is being called.
    New,
    /// It was called and has returned.
    Done,
}

impl OnceState {
    /// Whether it was called and has returned.
    #[must_use]
    pub fn done(self) -> bool {
        self == OnceState::Done
    }
}

impl Once {
    /// One that was not called yet.
    #[track_caller]
    pub const fn new() -> Once {
        Once(std::sync::Once::new())
    }

    /// How far it is.
    #[track_caller]
    pub fn state(&self) -> OnceState {
        if self.0.is_completed() { OnceState::Done } else { OnceState::New }
    }

    /// Calls the closure, unless that was done; waits while another thread does it.
    ///
    /// # Panics
    /// If an earlier call panicked.
    #[track_caller]
    pub fn call_once<F: FnOnce()>(&self, f: F) {
        self.0.call_once(f);
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
