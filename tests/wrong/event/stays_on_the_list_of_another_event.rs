//! rejected: assertion
//! by: wait_waits_while_the_event_is_clear
//!
//! Each thread has one parker for all events, and stays on the list of an event at which it gave up. Shows if it waits at another event when
//! the first one is set: it goes on. With one event nobody can tell.

use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

#[derive(Debug)]
struct Parker {
    go: Mutex<bool>,
    wakeup: Condvar,
}

thread_local! {
    /// A thread waits at one place at a time, so one will do.
    static PARKER: Arc<Parker> = Arc::new(Parker { go: Mutex::new(false), wakeup: Condvar::new() });
}

#[derive(Debug)]
struct State {
    set: bool,
    waiting: Vec<Arc<Parker>>,
}

#[derive(Debug)]
pub struct Event {
    state: Mutex<State>,
}

impl State {
    fn release(&mut self) {
        for parker in self.waiting.drain(..) {
            *parker.go.lock().unwrap() = true;
            parker.wakeup.notify_one();
        }
    }
}

impl Event {
    pub fn cleared() -> Event {
        Event { state: Mutex::new(State { set: false, waiting: Vec::new() }) }
    }

    pub fn set(&self) {
        let mut state = self.state.lock().unwrap();
        state.set = true;
        state.release();
    }

    pub fn clear(&self) {
        self.state.lock().unwrap().set = false;
    }

    pub fn is_set(&self) -> bool {
        self.state.lock().unwrap().set
    }

    pub fn pulse(&self) {
        self.state.lock().unwrap().release();
    }

    pub fn wait(&self) {
        self.wait_until(None);
    }

    pub fn wait_timeout(&self, limit: Duration) -> bool {
        self.wait_until(Instant::now().checked_add(limit))
    }

    fn wait_until(&self, deadline: Option<Instant>) -> bool {
        let parker = PARKER.with(Arc::clone);
        let mut state = self.state.lock().unwrap();
        if state.set {
            return true;
        }
        *parker.go.lock().unwrap() = false;
        if !state.waiting.iter().any(|other| Arc::ptr_eq(other, &parker)) {
            state.waiting.push(parker.clone());
        }
        drop(state);

        let mut go = parker.go.lock().unwrap();
        while !*go {
            let (again, time_is_up) = sleep(&parker.wakeup, go, deadline);
            go = again;
            if time_is_up {
                return *go;
            }
        }
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
