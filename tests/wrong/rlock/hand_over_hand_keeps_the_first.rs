//! rejected: assertion
//! by: each_lock_has_an_owner_and_a_depth_of_its_own
//!
//! Each thread knows the lock that it took last. Who frees a lock restores the one before, which may be free by now. Hand over hand,
//! the thread gives back the first lock and then the second, and believes that it still has the first.

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

/// A value that one thread at a time has. The thread that has it may take it again. Threads share it by reference.
#[derive(Debug)]
pub struct RLock<T> {
    state: Mutex<State<T>>,
    free: Condvar,
}

#[derive(Debug)]
struct State<T> {
    owner: Option<ThreadId>,
    depth: usize,
    /// The lock that the owner took last before this one: the address, or 0.
    before: usize,
    value: T,
}

/// One taking of the lock.
#[derive(Debug)]
#[must_use = "the guard gives the lock back when it is dropped"]
pub struct Guard<'lock, T> {
    lock: &'lock RLock<T>,
    stays: PhantomData<*const ()>,
}

thread_local! {
    /// The address of the lock that this thread took last and still has, or 0. Mostly it is the one that is taken again.
    static LAST: Cell<usize> = const { Cell::new(0) };
}

impl<T> State<T> {
    /// Takes the lock for this thread, if it is free or its own.
    fn take(&mut self, lock: usize) -> bool {
        if LAST.get() == lock {
            self.depth += 1;
            return true;
        }
        let me = thread::current().id();
        if self.owner.is_none() {
            self.before = LAST.replace(lock);
        }
        let mine = self.owner.is_none() || self.owner == Some(me);
        if mine {
            self.owner = Some(me);
            self.depth += 1;
        }
        mine
    }
}

impl<T> RLock<T> {
    /// A lock that nobody has, around this value.
    pub fn new(value: T) -> RLock<T> {
        RLock { state: Mutex::new(State { owner: None, depth: 0, before: 0, value }), free: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    fn guard(&self) -> Guard<'_, T> {
        Guard { lock: self, stays: PhantomData }
    }

    /// Takes the lock, at once if it is free or this thread has it. Waits while another thread has it.
    pub fn lock(&self) -> Guard<'_, T> {
        let mut state = self.state();
        while !state.take(self.address()) {
            state = self.free.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        self.guard()
    }

    /// Takes the lock if it is free or this thread has it. Never waits for another thread to give it back.
    pub fn try_lock(&self) -> Option<Guard<'_, T>> {
        self.state().take(self.address()).then(|| self.guard())
    }

    /// Like [`lock`](RLock::lock), but waits for `limit` at most, and then gives up.
    pub fn lock_timeout(&self, limit: Duration) -> Option<Guard<'_, T>> {
        let Some(end) = Instant::now().checked_add(limit) else {
            return Some(self.lock());
        };
        let mut state = self.state();
        while !state.take(self.address()) {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            state = self.free.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        Some(self.guard())
    }

    /// How many guards of this lock the calling thread has. 0 if it has none, whoever else may have some.
    pub fn depth(&self) -> usize {
        let me = thread::current().id();
        let state = self.state();
        if LAST.get() == self.address() {
            return state.depth;
        }
        if state.owner == Some(me) { state.depth } else { 0 }
    }
}

impl<T: Copy> Guard<'_, T> {
    /// A copy of the value.
    pub fn get(&self) -> T {
        self.lock.state().value
    }

    /// Puts this value in the place of the old one. All guards of the lock see it.
    pub fn set(&self, value: T) {
        self.lock.state().value = value;
    }
}

impl<T> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        let mut state = self.lock.state();
        state.depth -= 1;
        if state.depth == 0 {
            state.owner = None;
            LAST.set(state.before);
            self.lock.free.notify_one();
        }
    }
}
