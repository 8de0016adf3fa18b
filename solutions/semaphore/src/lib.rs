//! A counting semaphore whose permits are guards, and whose line nobody jumps.
//!
//! A number of free permits and a condition variable are nearly all of it. What makes it fair is the line: whoever has
//! to wait stands in it, and only the first one takes permits. So somebody who wants many gets them in the end, however
//! many others want one.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Duration;

/// A fixed number of permits that threads take and give back. They share it by reference.
#[derive(Debug)]
pub struct Semaphore {
    /// Never changes, so it needs no lock.
    permits: usize,
    state: Mutex<State>,
    /// Where the whole line waits.
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    free: usize,
    closed: bool,
    /// The tickets of those who wait, the first in front.
    line: VecDeque<u64>,
    next_ticket: u64,
}

/// Some permits. They go back when this is dropped, in a panic too, and on whichever thread.
#[derive(Debug)]
#[must_use = "the permits go back when this is dropped"]
pub struct Permits<'semaphore> {
    semaphore: &'semaphore Semaphore,
    many: usize,
}

/// Why there are no permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// They are not free, or somebody else comes first.
    NotFree,
    /// The semaphore is closed.
    Closed,
}

impl Semaphore {
    /// A semaphore with so many permits, all of them free.
    pub fn new(permits: usize) -> Semaphore {
        let state = State { free: permits, closed: false, line: VecDeque::new(), next_ticket: 0 };
        Semaphore { permits, state: Mutex::new(state), changed: Condvar::new() }
    }

    /// How many permits are free now.
    pub fn free(&self) -> usize {
        self.lock().free
    }

    /// Takes so many permits, all at once. Waits until they are free and everybody who waited before has got theirs or
    /// has given up.
    ///
    /// # Errors
    /// [`Refused::Closed`] if the semaphore is closed before that. Never [`Refused::NotFree`].
    ///
    /// # Panics
    /// If there are not so many permits at all. The semaphore can still be used.
    pub fn acquire(&self, many: usize) -> Result<Permits<'_>, Refused> {
        self.acquire_timeout(many, Duration::MAX)
    }

    /// Takes so many permits if they are free now and nobody waits.
    ///
    /// # Errors
    /// [`Refused::Closed`] if the semaphore is closed, else [`Refused::NotFree`].
    ///
    /// # Panics
    /// As [`acquire`](Semaphore::acquire).
    pub fn try_acquire(&self, many: usize) -> Result<Permits<'_>, Refused> {
        self.check(many);
        let mut state = self.lock();
        let first = state.line.is_empty();
        self.take(&mut state, first, many)
    }

    /// Like [`acquire`](Semaphore::acquire), but waits for `limit` at most.
    ///
    /// # Errors
    /// [`Refused::NotFree`] if the time is up; [`Refused::Closed`] as for `acquire`.
    ///
    /// # Panics
    /// As [`acquire`](Semaphore::acquire).
    pub fn acquire_timeout(&self, many: usize, limit: Duration) -> Result<Permits<'_>, Refused> {
        self.check(many);
        let mut state = self.lock();
        let ticket = state.next_ticket;
        state.next_ticket += 1;
        state.line.push_back(ticket);
        let stays = |state: &mut State| !(state.closed || state.is_first(ticket) && many <= state.free);
        let (mut state, _) = self.changed.wait_timeout_while(state, limit, stays).expect(UNBROKEN);
        let first = state.is_first(ticket);
        state.line.retain(|other| *other != ticket);
        // With or without permits, somebody leaves the line, so another one may be the first now, and there may be
        // enough for both. Everybody looks, since one wakeup could go to somebody further back.
        self.changed.notify_all();
        self.take(&mut state, first, many)
    }

    /// Closes the semaphore, for good. Nobody gets a permit any more, and whoever waits is refused. Permits that are
    /// out still go back.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// What all ways to acquire have in common at their end.
    fn take(&self, state: &mut State, first: bool, many: usize) -> Result<Permits<'_>, Refused> {
        if state.closed {
            return Err(Refused::Closed);
        }
        // All or nothing. Two who collect permits one by one could each have half of them, and wait for the other half
        // for ever.
        if !first || state.free < many {
            return Err(Refused::NotFree);
        }
        state.free -= many;
        Ok(Permits { semaphore: self, many })
    }

    /// Whoever wants more than there is would stand first in the line for ever. Before the lock is taken, since a panic
    /// under it poisons it.
    fn check(&self, many: usize) {
        assert!(many <= self.permits, "{many} permits are wanted, and there are {}", self.permits);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect(UNBROKEN)
    }
}

impl State {
    fn is_first(&self, ticket: u64) -> bool {
        self.line.front() == Some(&ticket)
    }
}

impl Drop for Permits<'_> {
    /// A guard is dropped at the end of its scope, however that is left: by `return`, by `?`, by a panic.
    fn drop(&mut self) {
        self.semaphore.lock().free += self.many;
        self.semaphore.changed.notify_all();
    }
}

/// A lock is poisoned when a thread panics while it holds it. No code here panics under the lock.
const UNBROKEN: &str = "nothing panics while it holds the lock";
