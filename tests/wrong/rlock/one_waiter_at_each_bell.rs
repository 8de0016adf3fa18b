//! rejected: timeout
//! by: whoever_waits_gets_it_when_it_is_free
//!
//! Each waiter takes the next of 16 condition variables, and a mask says which of them are in use. Who frees the lock wakes one waiter
//! at each and clears the mask. It takes 17 waiters: where two sleep, one of them is forgotten.

use std::marker::PhantomData;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

/// A value that one thread at a time has. The thread that has it may take it again. Threads share it by reference.
#[derive(Debug)]
pub struct RLock<T> {
    state: Mutex<State<T>>,
    bells: [Condvar; BELLS],
}

#[derive(Debug)]
struct State<T> {
    owner: Option<ThreadId>,
    depth: usize,
    /// Which bells somebody sleeps at.
    asleep: u16,
    /// Where the next one sleeps.
    next: usize,
    value: T,
}

/// One taking of the lock.
#[derive(Debug)]
#[must_use = "the guard gives the lock back when it is dropped"]
pub struct Guard<'lock, T> {
    lock: &'lock RLock<T>,
    stays: PhantomData<*const ()>,
}

/// Whoever waits has a bell of its own, and no other one is disturbed by it.
const BELLS: usize = 16;

impl<T> State<T> {
    /// A bell for somebody who goes to sleep.
    fn bell(&mut self) -> usize {
        let bell = self.next;
        self.next = (bell + 1) % BELLS;
        self.asleep |= 1 << bell;
        bell
    }

    /// Takes the lock for this thread, if it is free or its own.
    fn take(&mut self, me: ThreadId) -> bool {
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
        RLock { state: Mutex::new(State { owner: None, depth: 0, asleep: 0, next: 0, value }), bells: [const { Condvar::new() }; BELLS] }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn guard(&self) -> Guard<'_, T> {
        Guard { lock: self, stays: PhantomData }
    }

    /// Takes the lock, at once if it is free or this thread has it. Waits while another thread has it.
    pub fn lock(&self) -> Guard<'_, T> {
        let me = thread::current().id();
        let mut state = self.state();
        while !state.take(me) {
            let bell = state.bell();
            state = self.bells[bell].wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        self.guard()
    }

    /// Takes the lock if it is free or this thread has it. Never waits for another thread to give it back.
    pub fn try_lock(&self) -> Option<Guard<'_, T>> {
        let me = thread::current().id();
        self.state().take(me).then(|| self.guard())
    }

    /// Like [`lock`](RLock::lock), but waits for `limit` at most, and then gives up.
    pub fn lock_timeout(&self, limit: Duration) -> Option<Guard<'_, T>> {
        let me = thread::current().id();
        let Some(end) = Instant::now().checked_add(limit) else {
            return Some(self.lock());
        };
        let mut state = self.state();
        while !state.take(me) {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            let bell = state.bell();
            state = self.bells[bell].wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        Some(self.guard())
    }

    /// How many guards of this lock the calling thread has. 0 if it has none, whoever else may have some.
    pub fn depth(&self) -> usize {
        let me = thread::current().id();
        let state = self.state();
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
            let asleep = std::mem::take(&mut state.asleep);
            for bell in (0..BELLS).filter(|bell| asleep & (1 << bell) != 0) {
                self.lock.bells[bell].notify_one();
            }
        }
    }
}
