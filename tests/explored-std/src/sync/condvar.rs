//! `Condvar`.

use std::sync::{LockResult, PoisonError};
use std::time::Duration;

use super::MutexGuard;
use super::mutex::result;
use crate::raw::{Deadline, RawCondvar, Woken};

/// The model of [`std::sync::Condvar`](::std::sync::Condvar): with spurious wakeups, and timeouts in virtual time.
#[derive(Default)]
pub struct Condvar {
    raw: RawCondvar,
}

impl std::panic::UnwindSafe for Condvar {}
impl std::panic::RefUnwindSafe for Condvar {}

/// Whether a wait with a timeout ended because the time was up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// Whether the time was up.
    #[must_use]
    pub fn timed_out(&self) -> bool {
        self.0
    }
}

impl Condvar {
    /// A condition variable that nobody waits for.
    #[track_caller]
    pub const fn new() -> Condvar {
        Condvar { raw: RawCondvar::new() }
    }

    /// Gives the mutex back, waits for a notification, takes the mutex again. May return although nobody called.
    ///
    /// # Errors
    /// If the mutex is poisoned.
    #[track_caller]
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        self.wait_until(guard, Deadline::NEVER).0
    }

    /// Waits as long as the condition holds.
    ///
    /// # Errors
    /// If the mutex is poisoned.
    #[track_caller]
    pub fn wait_while<'a, T, F>(&self, mut guard: MutexGuard<'a, T>, mut condition: F) -> LockResult<MutexGuard<'a, T>>
    where
        F: FnMut(&mut T) -> bool,
    {
        while condition(look(&mut guard)) {
            guard = self.wait(guard)?;
        }
        Ok(guard)
    }

    /// Waits for a notification, or until this much virtual time has passed.
    ///
    /// # Errors
    /// If the mutex is poisoned.
    #[track_caller]
    pub fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        time: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        let (guard, woken) = self.wait_until(guard, Deadline::after(time));
        let timed_out = WaitTimeoutResult(woken == Woken::TimedOut);
        match guard {
            Ok(guard) => Ok((guard, timed_out)),
            Err(poisoned) => Err(PoisonError::new((poisoned.into_inner(), timed_out))),
        }
    }

    /// The same, in milliseconds; true if it was not the time that was up.
    ///
    /// # Errors
    /// If the mutex is poisoned.
    #[deprecated(since = "1.6.0", note = "replaced by `std::sync::Condvar::wait_timeout`")]
    #[track_caller]
    pub fn wait_timeout_ms<'a, T>(&self, guard: MutexGuard<'a, T>, ms: u32) -> LockResult<(MutexGuard<'a, T>, bool)> {
        let waited = self.wait_timeout(guard, Duration::from_millis(ms.into()));
        match waited {
            Ok((guard, result)) => Ok((guard, !result.timed_out())),
            Err(poisoned) => {
                let (guard, result) = poisoned.into_inner();
                Err(PoisonError::new((guard, !result.timed_out())))
            }
        }
    }

    /// Waits as long as the condition holds, or until this much virtual time has passed.
    ///
    /// # Errors
    /// If the mutex is poisoned.
    #[track_caller]
    pub fn wait_timeout_while<'a, T, F>(
        &self,
        mut guard: MutexGuard<'a, T>,
        time: Duration,
        mut condition: F,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)>
    where
        F: FnMut(&mut T) -> bool,
    {
        let deadline = Deadline::after(time);
        let mut timed_out = false;
        loop {
            if !condition(look(&mut guard)) {
                return Ok((guard, WaitTimeoutResult(false)));
            }
            if timed_out {
                return Ok((guard, WaitTimeoutResult(true)));
            }
            let (result, woken) = self.wait_until(guard, deadline);
            timed_out = woken == Woken::TimedOut;
            guard = match result {
                Ok(guard) => guard,
                Err(poisoned) => return Err(PoisonError::new((poisoned.into_inner(), WaitTimeoutResult(timed_out)))),
            };
        }
    }

    /// Calls one of those that wait: the one that has waited longest, or by accident the one that came last.
    #[track_caller]
    pub fn notify_one(&self) {
        self.raw.notify("notify_one", 1);
    }

    /// Calls all that wait now.
    #[track_caller]
    pub fn notify_all(&self) {
        self.raw.notify("notify_all", usize::MAX);
    }

    #[track_caller]
    fn wait_until<'a, T>(
        &self,
        mut guard: MutexGuard<'a, T>,
        deadline: Deadline,
    ) -> (LockResult<MutexGuard<'a, T>>, Woken) {
        let mutex = guard.mutex();
        let written = guard.take_written();
        let woken = self.raw.wait(&mutex.protected.lock, written, deadline);
        (result(mutex.protected.lock.is_poisoned(), guard), woken)
    }
}

/// The data for a condition, which by all custom only looks at it: not counted as a write.
fn look<'a, T>(guard: &'a mut MutexGuard<'_, T>) -> &'a mut T {
    guard.look()
}

impl std::fmt::Debug for Condvar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Condvar").finish_non_exhaustive()
    }
}
