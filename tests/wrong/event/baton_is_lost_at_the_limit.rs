//! rejected: lost-wakeup
//! by: every_small_program_of_calls_keeps_the_contract
//!
//! Breaks "whoever gives up changes nothing for the others": A (limit 5) and B wait, C pulses at exactly 5 and wakes A, A looks at the
//! clock first and gives up, which it may, but does not wake B, who sleeps for ever. A chain: the event wakes one, and each wakes the
//! next. The time is looked at before the crowd.

use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

#[derive(Debug, Default)]
struct State {
    set: bool,
    /// Where those sleep who wait now. Whoever comes after the next `set` or pulse sleeps at another place.
    place: Arc<Condvar>,
}

impl State {
    fn next_place(&mut self) -> Arc<Condvar> {
        std::mem::take(&mut self.place)
    }
}

/// Something that threads wait for: it is set or clear. They share it by reference.
#[derive(Debug)]
pub struct Event {
    state: Mutex<State>,
}

impl Event {
    /// An event that is clear.
    pub fn cleared() -> Event {
        Event { state: Mutex::default() }
    }

    /// Sets the event, until it is cleared. Everybody who waits goes on, whatever comes next.
    pub fn set(&self) {
        let mut state = self.state.lock().unwrap();
        state.set = true;
        let place = state.next_place();
        drop(state);
        place.notify_one();
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
        let place = self.state.lock().unwrap().next_place();
        place.notify_one();
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

    fn wait_until(&self, deadline: Option<Instant>) -> bool {
        let mut state = self.state.lock().unwrap();
        if state.set {
            return true;
        }
        let mine = Arc::clone(&state.place);
        loop {
            let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return false;
            }
            if !Arc::ptr_eq(&mine, &state.place) {
                drop(state);
                mine.notify_one();
                return true;
            }
            state = match left {
                None => mine.wait(state).unwrap(),
                Some(left) => mine.wait_timeout(state, left).unwrap().0,
            };
        }
    }
}
