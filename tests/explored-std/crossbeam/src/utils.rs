//! `crossbeam::utils`.

use std::cell::Cell;
use std::fmt;
use std::ops::{Deref, DerefMut};

/// Keeps a value on a cache line of its own. In an explored run there is one processor, so this is the value alone.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
#[repr(align(128))]
pub struct CachePadded<T> {
    value: T,
}

impl<T> CachePadded<T> {
    /// Pads the value.
    pub const fn new(t: T) -> CachePadded<T> {
        CachePadded { value: t }
    }

    /// Takes the value out.
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T> Deref for CachePadded<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for CachePadded<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T> From<T> for CachePadded<T> {
    fn from(t: T) -> CachePadded<T> {
        CachePadded::new(t)
    }
}

impl<T: fmt::Debug> fmt::Debug for CachePadded<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachePadded").field("value", &self.value).finish()
    }
}

impl<T: fmt::Display> fmt::Display for CachePadded<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.value, f)
    }
}

/// Backs off in a spin loop: here every step of it lets others go first.
#[derive(Debug, Default)]
pub struct Backoff {
    rounds: Cell<u32>,
}

/// After so many rounds the real one says that blocking would be better.
const PATIENCE: u32 = 10;

impl Backoff {
    /// One that has not backed off yet.
    #[must_use]
    pub fn new() -> Backoff {
        Backoff::default()
    }

    /// Begins anew.
    pub fn reset(&self) {
        self.rounds.set(0);
    }

    /// Backs off in a loop that tries again at once.
    #[track_caller]
    pub fn spin(&self) {
        self.snooze();
    }

    /// Backs off in a loop that waits for another thread.
    #[track_caller]
    pub fn snooze(&self) {
        self.rounds.set(self.rounds.get().saturating_add(1));
        std::thread::yield_now();
    }

    /// Whether it has taken so long that blocking would be better.
    #[must_use]
    pub fn is_completed(&self) -> bool {
        self.rounds.get() > PATIENCE
    }
}
