//! rejected: assertion
//! by: a_wait_with_a_limit_ends_with_the_event_or_with_the_limit
//!
//! Breaks "`pulse` … is not kept for anybody who comes later": a thread calls wait_timeout(5 ms), which says false; then somebody calls
//! pulse(); then the same thread calls wait(), which does not wait. Who waits is kept in a map from threads to "was let go on". Whoever
//! gives up leaves its entry there, and the next pulse marks it.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex};
use std::thread::{self, ThreadId};
use std::time::Duration;

#[derive(Debug, Default)]
struct State {
    set: bool,
    let_go: HashMap<ThreadId, bool>,
}

impl State {
    fn mark_all(&mut self) {
        for let_go in self.let_go.values_mut() {
            *let_go = true;
        }
    }
}

/// Something that threads wait for: it is set or clear. They share it by reference.
#[derive(Debug)]
pub struct Event {
    state: Mutex<State>,
    marked: Condvar,
}

impl Event {
    /// An event that is clear.
    pub fn cleared() -> Event {
        Event { state: Mutex::new(State::default()), marked: Condvar::new() }
    }

    /// Sets the event, until it is cleared. Everybody who waits goes on, whatever comes next.
    pub fn set(&self) {
        let mut state = self.state.lock().unwrap();
        state.set = true;
        state.mark_all();
        self.marked.notify_all();
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
        state.mark_all();
        self.marked.notify_all();
    }

    /// Waits until the event is set or pulsed. Does not wait if it is set already.
    pub fn wait(&self) {
        let me = thread::current().id();
        let mut state = self.state.lock().unwrap();
        if state.set {
            return;
        }
        state.let_go.entry(me).or_insert(false);
        let mut state = self.marked.wait_while(state, |state| !state.let_go[&me]).unwrap();
        state.let_go.remove(&me);
    }

    /// Like [`wait`](Event::wait), but waits for `limit` at most. Says whether the event let it go on; with `Duration::MAX`, it
    /// waits until that is so.
    pub fn wait_timeout(&self, limit: Duration) -> bool {
        if limit.is_zero() {
            return self.is_set();
        }
        if limit == Duration::MAX {
            self.wait();
            return true;
        }
        let me = thread::current().id();
        let mut state = self.state.lock().unwrap();
        if state.set {
            return true;
        }
        state.let_go.entry(me).or_insert(false);
        let (mut state, result) = self.marked.wait_timeout_while(state, limit, |state| !state.let_go[&me]).unwrap();
        if result.timed_out() {
            return false;
        }
        state.let_go.remove(&me);
        true
    }
}
