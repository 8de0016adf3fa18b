//! `Condvar`.

use std::fmt;
use std::raw::{Deadline, RawCondvar, Woken};
use std::time::{Duration, Instant};

use crate::MutexGuard;

/// The model of `parking_lot::Condvar`. As the real one it has no spurious wakeups by contract, but the model makes them
/// nevertheless: code that relies on none does not port to `std`.
#[derive(Default)]
pub struct Condvar {
    raw: RawCondvar,
}

/// Whether a wait with a timeout ended because the time was up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// Whether the time was up.
    #[must_use]
    pub fn timed_out(self) -> bool {
        self.0
    }
}

impl Condvar {
    /// A condition variable that nobody waits for.
    #[track_caller]
    pub const fn new() -> Condvar {
        Condvar { raw: RawCondvar::new() }
    }

    /// Calls the one that has waited longest. Returns whether there was one.
    #[track_caller]
    pub fn notify_one(&self) -> bool {
        self.raw.notify("notify_one", 1) > 0
    }

    /// Calls all that wait now. Returns how many these were.
    #[track_caller]
    pub fn notify_all(&self) -> usize {
        self.raw.notify("notify_all", usize::MAX)
    }

    /// Gives the mutex back, waits for a notification, takes the mutex again.
    #[track_caller]
    pub fn wait<T: ?Sized>(&self, mutex_guard: &mut MutexGuard<'_, T>) {
        self.wait_to(mutex_guard, Deadline::NEVER);
    }

    /// The same, until this moment at most.
    #[track_caller]
    pub fn wait_until<T: ?Sized>(&self, mutex_guard: &mut MutexGuard<'_, T>, timeout: Instant) -> WaitTimeoutResult {
        self.wait_to(mutex_guard, Deadline::at(timeout))
    }

    /// The same, for at most this much virtual time.
    #[track_caller]
    pub fn wait_for<T: ?Sized>(&self, mutex_guard: &mut MutexGuard<'_, T>, timeout: Duration) -> WaitTimeoutResult {
        self.wait_to(mutex_guard, Deadline::after(timeout))
    }

    /// Waits as long as the condition holds.
    #[track_caller]
    pub fn wait_while<T, F>(&self, mutex_guard: &mut MutexGuard<'_, T>, condition: F)
    where
        T: ?Sized,
        F: FnMut(&mut T) -> bool,
    {
        self.wait_while_to(mutex_guard, condition, Deadline::NEVER);
    }

    /// The same, until this moment at most.
    #[track_caller]
    pub fn wait_while_until<T, F>(
        &self,
        mutex_guard: &mut MutexGuard<'_, T>,
        condition: F,
        timeout: Instant,
    ) -> WaitTimeoutResult
    where
        T: ?Sized,
        F: FnMut(&mut T) -> bool,
    {
        self.wait_while_to(mutex_guard, condition, Deadline::at(timeout))
    }

    /// The same, for at most this much virtual time.
    #[track_caller]
    pub fn wait_while_for<T, F>(
        &self,
        mutex_guard: &mut MutexGuard<'_, T>,
        condition: F,
        timeout: Duration,
    ) -> WaitTimeoutResult
    where
        T: ?Sized,
        F: FnMut(&mut T) -> bool,
    {
        self.wait_while_to(mutex_guard, condition, Deadline::after(timeout))
    }

    #[track_caller]
    fn wait_while_to<T, F>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        mut condition: F,
        deadline: Deadline,
    ) -> WaitTimeoutResult
    where
        T: ?Sized,
        F: FnMut(&mut T) -> bool,
    {
        let mut timed_out = false;
        while condition(guard) {
            if timed_out {
                return WaitTimeoutResult(true);
            }
            timed_out = self.wait_to(guard, deadline).timed_out();
        }
        WaitTimeoutResult(false)
    }

    #[track_caller]
    fn wait_to<T: ?Sized>(&self, guard: &mut MutexGuard<'_, T>, deadline: Deadline) -> WaitTimeoutResult {
        let written = std::mem::take(&mut guard.written);
        WaitTimeoutResult(self.raw.wait(guard.raw, written, deadline) == Woken::TimedOut)
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("Condvar { .. }")
    }
}
