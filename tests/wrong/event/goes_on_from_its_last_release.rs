//! rejected: assertion
//! by: wait_waits_while_the_event_is_clear
//!
//! Breaks "`wait` waits for the next `set` or pulse, whatever was before": a thread remembers which release let it go on, and its next wait
//! ends with any later one. Shows if a pulse comes between two waits of one thread, and something let it go on from the first one.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

#[derive(Debug)]
struct State {
    set: bool,
    edition: u64,
    /// Which edition a reader has read last.
    read: HashMap<ThreadId, u64>,
}

#[derive(Debug)]
pub struct Event {
    state: Mutex<State>,
    published: Condvar,
}

impl Event {
    pub fn cleared() -> Event {
        Event { state: Mutex::new(State { set: false, edition: 0, read: HashMap::new() }), published: Condvar::new() }
    }

    pub fn set(&self) {
        let mut state = self.state.lock().unwrap();
        state.set = true;
        state.edition += 1;
        self.published.notify_all();
    }

    pub fn clear(&self) {
        self.state.lock().unwrap().set = false;
    }

    pub fn is_set(&self) -> bool {
        self.state.lock().unwrap().set
    }

    pub fn pulse(&self) {
        self.state.lock().unwrap().edition += 1;
        self.published.notify_all();
    }

    pub fn wait(&self) {
        self.wait_until(None);
    }

    pub fn wait_timeout(&self, limit: Duration) -> bool {
        self.wait_until(Instant::now().checked_add(limit))
    }

    fn wait_until(&self, deadline: Option<Instant>) -> bool {
        let me = thread::current().id();
        let mut state = self.state.lock().unwrap();
        if state.set {
            return true;
        }
        let newest = state.edition;
        let last = *state.read.entry(me).or_insert(newest);
        while state.edition == last {
            let (again, time_is_up) = sleep(&self.published, state, deadline);
            state = again;
            if time_is_up && state.edition == last {
                state.read.remove(&me);
                return false;
            }
        }
        let newest = state.edition;
        state.read.insert(me, newest);
        true
    }
}

/// Sleeps until woken or until the deadline; says whether the deadline is over.
fn sleep<'a, S>(wakeup: &Condvar, state: MutexGuard<'a, S>, deadline: Option<Instant>) -> (MutexGuard<'a, S>, bool) {
    let Some(deadline) = deadline else {
        return (wakeup.wait(state).unwrap(), false);
    };
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return (state, true);
    }
    (wakeup.wait_timeout(state, left).unwrap().0, false)
}
