//! rejected: assertion
//! by: each_lock_has_an_owner_and_a_depth_of_its_own
//!
//! Breaks `each_lock_has_an_owner_and_a_depth_of_its_own` for a lock that stands where another one stood: each thread keeps its depths in a
//! `thread_local`, by the address of the lock, and nobody removes an entry whose guards were forgotten. One variable: `let mut lock =
//! RLock::new(0); mem::forget(lock.lock()); lock = RLock::new(1);`. The new lock has the same address: its `depth` is 1 although nobody has
//! it, and after `drop(lock.lock())` it never becomes free for another thread.

use std::cell::RefCell;
use std::collections::HashMap;
use std::marker::PhantomData;
use std::ptr;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

thread_local! {
    /// How many guards this thread has, of which lock.
    static DEPTHS: RefCell<HashMap<usize, usize>> = RefCell::new(HashMap::new());
}

#[derive(Debug)]
struct State<T> {
    owner: Option<ThreadId>,
    value: T,
}

/// A value that one thread at a time has. The thread that has it may take it again. Threads share it by reference.
#[derive(Debug)]
pub struct RLock<T> {
    state: Mutex<State<T>>,
    freed: Condvar,
}

/// One taking of the lock. The lock is free again when its thread has dropped all its guards, in whatever order, in a panic
/// too. It stays on its thread: neither the guard nor a reference to it can go to another one.
#[derive(Debug)]
#[must_use = "the guard gives the lock back when it is dropped"]
pub struct Guard<'lock, T> {
    lock: &'lock RLock<T>,
    _stays: PhantomData<*const ()>,
}

impl<T> RLock<T> {
    /// A lock that nobody has, around this value.
    pub fn new(value: T) -> RLock<T> {
        RLock { state: Mutex::new(State { owner: None, value }), freed: Condvar::new() }
    }

    /// Takes the lock, at once if it is free or this thread has it. Waits while another thread has it.
    pub fn lock(&self) -> Guard<'_, T> {
        let me = thread::current().id();
        let mut state = self.state();
        while state.owner.is_some_and(|owner| owner != me) {
            state = self.freed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.owner = Some(me);
        self.guard()
    }

    /// Takes the lock if it is free or this thread has it. Never waits for another thread to give it back.
    pub fn try_lock(&self) -> Option<Guard<'_, T>> {
        let me = thread::current().id();
        let mut state = self.state();
        if state.owner.is_some_and(|owner| owner != me) {
            return None;
        }
        state.owner = Some(me);
        Some(self.guard())
    }

    /// Like [`lock`](RLock::lock), but waits for `limit` at most, and then gives up.
    pub fn lock_timeout(&self, limit: Duration) -> Option<Guard<'_, T>> {
        let Some(end) = Instant::now().checked_add(limit) else {
            return Some(self.lock());
        };
        let me = thread::current().id();
        let mut state = self.state();
        while state.owner.is_some_and(|owner| owner != me) {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            state = self.freed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.owner = Some(me);
        Some(self.guard())
    }

    /// How many guards of this lock the calling thread has. 0 if it has none, whoever else may have some.
    pub fn depth(&self) -> usize {
        DEPTHS.with_borrow(|depths| depths.get(&self.address()).copied().unwrap_or(0))
    }

    fn address(&self) -> usize {
        ptr::from_ref(self).addr()
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn guard(&self) -> Guard<'_, T> {
        DEPTHS.with_borrow_mut(|depths| *depths.entry(self.address()).or_insert(0) += 1);
        Guard { lock: self, _stays: PhantomData }
    }

    /// One guard less. Says whether that was the last one.
    fn count_down(&self) -> bool {
        let address = self.address();
        DEPTHS.with_borrow_mut(|depths| match depths.get_mut(&address) {
            Some(depth) if *depth > 1 => {
                *depth -= 1;
                false
            }
            _ => {
                depths.remove(&address);
                true
            }
        })
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
        if self.lock.count_down() {
            self.lock.state().owner = None;
            self.lock.freed.notify_one();
        }
    }
}
