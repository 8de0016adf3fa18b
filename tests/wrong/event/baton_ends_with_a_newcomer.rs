//! rejected: race
//! by: every_small_program_of_calls_keeps_the_contract
//!
//! Breaks "everybody goes on who waits" while somebody comes: each that goes on wakes the next one. A and B wait, a pulse wakes A, N comes,
//! A's wakeup reaches N instead of B. N has come later, sleeps again, and wakes nobody: B, who was let go on, sleeps on.

use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

#[derive(Debug)]
struct State {
    set: bool,
    /// Grows whenever those who wait are let go on.
    generation: u64,
}

/// Something that threads wait for: it is set or clear. They share it by reference.
#[derive(Debug)]
pub struct Event {
    state: Mutex<State>,
    baton: Condvar,
}

impl Event {
    /// An event that is clear.
    pub fn cleared() -> Event {
        Event { state: Mutex::new(State { set: false, generation: 0 }), baton: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Lets everybody go on: one is woken, and each wakes the next, so that they do not all want the lock at once.
    fn let_go(&self, mut state: MutexGuard<'_, State>) {
        state.generation += 1;
        drop(state);
        self.baton.notify_one();
    }

    /// Sets the event, until it is cleared. Everybody who waits goes on, whatever comes next.
    pub fn set(&self) {
        let mut state = self.lock();
        state.set = true;
        self.let_go(state);
    }

    /// Clears the event. Whoever was let go on before still goes on.
    pub fn clear(&self) {
        self.lock().set = false;
    }

    /// Whether the event is set.
    pub fn is_set(&self) -> bool {
        self.lock().set
    }

    /// Lets everybody go on who waits now, and nobody who comes later. The event stays set or clear, as it was.
    pub fn pulse(&self) {
        self.let_go(self.lock());
    }

    fn wait_until(&self, end: Option<Instant>) -> bool {
        let mut state = self.lock();
        if state.set {
            return true;
        }
        let generation = state.generation;
        let mut let_go = true;
        while state.generation == generation {
            state = match end.map(|end| end.saturating_duration_since(Instant::now())) {
                None => self.baton.wait(state).unwrap(),
                Some(left) if left.is_zero() => {
                    let_go = false;
                    break;
                }
                Some(left) => self.baton.wait_timeout(state, left).unwrap().0,
            };
        }
        drop(state);
        // Also if the time is up: the baton may have been given to this one.
        self.baton.notify_one();
        let_go
    }

    /// Waits until the event is set or pulsed. Does not wait if it is set already.
    pub fn wait(&self) {
        self.wait_until(None);
    }

    /// Like [`wait`](Event::wait), but waits for `limit` at most. Says whether the event let it go on; with `Duration::MAX`, it
    /// waits until that is so.
    pub fn wait_timeout(&self, limit: Duration) -> bool {
        self.wait_until(Instant::now().checked_add(limit))
    }
}
