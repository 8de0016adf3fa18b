//! A lock that the thread which has it may take again.
//!
//! A plain lock knows only *whether* it is taken, so a thread that takes it twice waits for itself. This one knows *by
//! whom*, and how many times: whoever has it goes straight on, and it is free when it was given back as often as it was
//! taken.

use std::marker::PhantomData;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::thread::{self, ThreadId};
use std::time::Duration;

/// A value that one thread at a time has. The thread that has it may take it again. Threads share it by reference.
#[derive(Debug)]
pub struct RLock<T> {
    /// This lock is held for a moment only: to look, to count, to copy. So it is no harm that it is a plain one.
    state: Mutex<State<T>>,
    freed: Condvar,
}

#[derive(Debug)]
struct State<T> {
    value: T,
    /// A thread's number, which no other thread ever gets. Names would not do: two threads may have the same.
    owner: Option<ThreadId>,
    /// How many guards the owner has.
    depth: usize,
}

/// One taking of the lock. The lock is free again when its thread has dropped all its guards, in whatever order, in a
/// panic too. It stays on its thread: neither the guard nor a reference to it can go to another one.
#[derive(Debug)]
#[must_use = "the guard gives the lock back when it is dropped"]
pub struct Guard<'lock, T> {
    lock: &'lock RLock<T>,
    /// A raw pointer is neither `Send` nor `Sync`, and what contains one isn't either. On another thread, `drop` would give
    /// back what that thread does not have, and `set` would change the value while its owner uses it.
    _stays_here: PhantomData<*const ()>,
}

impl<T> RLock<T> {
    /// A lock that nobody has, around this value.
    pub fn new(value: T) -> RLock<T> {
        RLock { state: Mutex::new(State { value, owner: None, depth: 0 }), freed: Condvar::new() }
    }

    /// Takes the lock, at once if it is free or this thread has it. Waits while another thread has it.
    pub fn lock(&self) -> Guard<'_, T> {
        self.lock_timeout(Duration::MAX).expect("a wait without an end ends with the lock")
    }

    /// Takes the lock if it is free or this thread has it. Never waits for another thread to give it back.
    pub fn try_lock(&self) -> Option<Guard<'_, T>> {
        self.lock_timeout(Duration::ZERO)
    }

    /// Like [`lock`](RLock::lock), but waits for `limit` at most, and then gives up.
    pub fn lock_timeout(&self, limit: Duration) -> Option<Guard<'_, T>> {
        let this_thread = thread::current().id();
        let another_has_it = |state: &mut State<T>| state.owner.is_some_and(|owner| owner != this_thread);
        let waiting = self.freed.wait_timeout_while(self.state(), limit, another_has_it);
        let (mut state, timeout) = waiting.expect(UNBROKEN);
        if timeout.timed_out() {
            return None;
        }
        state.owner = Some(this_thread);
        state.depth += 1;
        Some(Guard { lock: self, _stays_here: PhantomData })
    }

    /// How many guards of this lock the calling thread has. 0 if it has none, whoever else may have some.
    pub fn depth(&self) -> usize {
        let state = self.state();
        if state.owner == Some(thread::current().id()) { state.depth } else { 0 }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().expect(UNBROKEN)
    }
}

impl<T: Copy> Guard<'_, T> {
    /// A copy of the value.
    pub fn get(&self) -> T {
        self.lock.state().value
    }

    /// Puts this value in the place of the old one. All guards of the lock see it.
    pub fn set(&self, value: T) {
        // No `&mut T` leaves this method. A second guard of the same thread would have a second one, to the same value.
        self.lock.state().value = value;
    }
}

impl<T> Drop for Guard<'_, T> {
    /// Which of the guards this is does not matter: the last one to go frees the lock.
    fn drop(&mut self) {
        let mut state = self.lock.state();
        state.depth -= 1;
        if state.depth == 0 {
            state.owner = None;
            // Only one of those who wait can have it, and any of them will do.
            self.lock.freed.notify_one();
        }
    }
}

/// A lock is poisoned when a thread panics while it holds it. No code here panics under the lock.
const UNBROKEN: &str = "nothing panics while it holds the lock";
