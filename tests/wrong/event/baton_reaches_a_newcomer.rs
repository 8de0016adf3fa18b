//! rejected: lost-wakeup
//! by: a_pulse_is_for_everybody_who_waits_and_nobody_who_comes_later
//!
//! Breaks "`pulse` lets everybody go on who waits": A and B wait; pulse() wakes A; before A runs, C calls wait(). A goes on and passes the
//! wakeup on, to C, who has to sleep on and keeps it. B sleeps for ever. To wake no crowd at once, the event wakes one, and each who goes
//! on wakes the next. A newcomer sleeps at the same place.

use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

#[derive(Debug, Default)]
struct State {
    set: bool,
    generation: u64,
}

/// Something that threads wait for: it is set or clear. They share it by reference.
#[derive(Debug)]
pub struct Event {
    state: Mutex<State>,
    next: Condvar,
}

impl Event {
    /// An event that is clear.
    pub fn cleared() -> Event {
        Event { state: Mutex::new(State::default()), next: Condvar::new() }
    }

    /// Sets the event, until it is cleared. Everybody who waits goes on, whatever comes next.
    pub fn set(&self) {
        let mut state = self.state.lock().unwrap();
        state.set = true;
        state.generation += 1;
        self.next.notify_one();
    }

    /// Clears the event. Whoever was let go on before still goes on.
    pub fn clear(&self) {
        self.state.lock().unwrap().set = false;
    }

    /// Whether the event is set.
    pub fn is_set(&self) -> bool {
        self.state.lock().unwrap().set
    }

    /// Lets everybody go on who waits now, and nobody who comes later. The event stays set or clear, as it was.
    pub fn pulse(&self) {
        let mut state = self.state.lock().unwrap();
        state.generation += 1;
        self.next.notify_one();
    }

    /// Waits until the event is set or pulsed. Does not wait if it is set already.
    pub fn wait(&self) {
        let mut state = self.state.lock().unwrap();
        let began = state.generation;
        while !state.set && state.generation == began {
            state = self.next.wait(state).unwrap();
        }
        self.next.notify_one();
    }

    /// Like [`wait`](Event::wait), but waits for `limit` at most. Says whether the event let it go on; with `Duration::MAX`, it
    /// waits until that is so.
    pub fn wait_timeout(&self, limit: Duration) -> bool {
        let Some(deadline) = Instant::now().checked_add(limit) else {
            self.wait();
            return true;
        };
        let mut state = self.state.lock().unwrap();
        let began = state.generation;
        while !state.set && state.generation == began {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                // It may have been woken for somebody else.
                self.next.notify_one();
                return false;
            }
            state = self.next.wait_timeout(state, left).unwrap().0;
        }
        self.next.notify_one();
        true
    }
}
