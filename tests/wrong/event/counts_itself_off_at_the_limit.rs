//! rejected: lost-wakeup
//! by: whoever_comes_while_others_go_on_is_let_go_on_next
//!
//! A release lets nobody go on if the number of those who wait is zero. It counts off all whom it lets go on, and whoever is at its limit
//! counts itself off. Shows if a pulse comes at the limit of A, B begins to wait, and then A counts itself off a second time: the next
//! release misses B.

use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

#[derive(Debug, Default)]
struct State {
    set: bool,
    generation: u64,
    waiting: usize,
}

#[derive(Debug)]
pub struct Event {
    state: Mutex<State>,
    changed: Condvar,
}

impl Event {
    pub fn cleared() -> Event {
        Event { state: Mutex::default(), changed: Condvar::new() }
    }

    fn release(&self, state: &mut State) {
        if state.waiting == 0 {
            return;
        }
        state.waiting = 0;
        state.generation += 1;
        self.changed.notify_all();
    }

    pub fn set(&self) {
        let mut state = self.state.lock().unwrap();
        state.set = true;
        self.release(&mut state);
    }

    pub fn clear(&self) {
        self.state.lock().unwrap().set = false;
    }

    pub fn is_set(&self) -> bool {
        self.state.lock().unwrap().set
    }

    pub fn pulse(&self) {
        self.release(&mut self.state.lock().unwrap());
    }

    pub fn wait(&self) {
        let mut state = self.state.lock().unwrap();
        if state.set {
            return;
        }
        state.waiting += 1;
        let mine = state.generation;
        while state.generation == mine {
            state = self.changed.wait(state).unwrap();
        }
    }

    pub fn wait_timeout(&self, limit: Duration) -> bool {
        let Some(deadline) = Instant::now().checked_add(limit) else {
            self.wait();
            return true;
        };
        let mut state = self.state.lock().unwrap();
        if state.set || limit.is_zero() {
            return state.set;
        }
        state.waiting += 1;
        let mine = state.generation;
        while state.generation == mine {
            let left = deadline.saturating_duration_since(Instant::now());
            let (again, result) = self.changed.wait_timeout(state, left).unwrap();
            state = again;
            if result.timed_out() {
                state.waiting = state.waiting.saturating_sub(1);
                return state.generation != mine;
            }
        }
        true
    }
}
