//! rejected: timeout
//! by: each_lock_has_an_owner_and_a_depth_of_its_own
//!
//! All locks stand in eight tables, each with one condition variable. `notify_one` may wake somebody who waits for another lock of the
//! same table, and who sleeps again. It takes nine locks.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

/// A value that one thread at a time has. The thread that has it may take it again. Threads share it by reference.
#[derive(Debug)]
pub struct RLock<T> {
    number: usize,
    value: Mutex<T>,
}

/// Which locks are taken, by whom, and how often: by the number of the lock.
type Taken = HashMap<usize, (ThreadId, usize)>;

/// The table is in eight parts, so that threads with different locks are not in each other's way. A lock itself is only a number.
struct Part {
    taken: Mutex<Taken>,
    free: Condvar,
}

const PARTS: usize = 8;
static TABLE: [LazyLock<Part>; PARTS] =
    [const { LazyLock::new(|| Part { taken: Mutex::new(Taken::new()), free: Condvar::new() }) }; PARTS];
static NEXT: AtomicUsize = AtomicUsize::new(0);

/// One taking of the lock.
#[derive(Debug)]
#[must_use = "the guard gives the lock back when it is dropped"]
pub struct Guard<'lock, T> {
    lock: &'lock RLock<T>,
    stays: PhantomData<*const ()>,
}

/// Takes the lock for this thread, if it is free or its own.
fn take(taken: &mut Taken, number: usize, me: ThreadId) -> bool {
    let (owner, depth) = taken.entry(number).or_insert((me, 0));
    let mine = *owner == me;
    if mine {
        *depth += 1;
    }
    mine
}

impl<T> RLock<T> {
    /// A lock that nobody has, around this value.
    pub fn new(value: T) -> RLock<T> {
        RLock { number: NEXT.fetch_add(1, Relaxed), value: Mutex::new(value) }
    }

    fn part(&self) -> &'static Part {
        &TABLE[self.number % PARTS]
    }

    fn state(&self) -> MutexGuard<'static, Taken> {
        self.part().taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn guard(&self) -> Guard<'_, T> {
        Guard { lock: self, stays: PhantomData }
    }

    /// Takes the lock, at once if it is free or this thread has it. Waits while another thread has it.
    pub fn lock(&self) -> Guard<'_, T> {
        let me = thread::current().id();
        let mut state = self.state();
        while !take(&mut state, self.number, me) {
            state = self.part().free.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        self.guard()
    }

    /// Takes the lock if it is free or this thread has it. Never waits for another thread to give it back.
    pub fn try_lock(&self) -> Option<Guard<'_, T>> {
        let me = thread::current().id();
        take(&mut self.state(), self.number, me).then(|| self.guard())
    }

    /// Like [`lock`](RLock::lock), but waits for `limit` at most, and then gives up.
    pub fn lock_timeout(&self, limit: Duration) -> Option<Guard<'_, T>> {
        let me = thread::current().id();
        let Some(end) = Instant::now().checked_add(limit) else {
            return Some(self.lock());
        };
        let mut state = self.state();
        while !take(&mut state, self.number, me) {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            state = self.part().free.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        Some(self.guard())
    }

    /// How many guards of this lock the calling thread has. 0 if it has none, whoever else may have some.
    pub fn depth(&self) -> usize {
        let me = thread::current().id();
        let state = self.state();
        state.get(&self.number).filter(|(owner, _)| *owner == me).map_or(0, |(_, depth)| *depth)
    }
}

impl<T: Copy> Guard<'_, T> {
    /// A copy of the value.
    pub fn get(&self) -> T {
        *self.lock.value.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts this value in the place of the old one. All guards of the lock see it.
    pub fn set(&self, value: T) {
        *self.lock.value.lock().unwrap_or_else(PoisonError::into_inner) = value;
    }
}

impl<T> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        let mut state = self.lock.state();
        let Some((_, depth)) = state.get_mut(&self.lock.number) else { return };
        *depth -= 1;
        if *depth == 0 {
            state.remove(&self.lock.number);
            self.lock.part().free.notify_one();
        }
    }
}
