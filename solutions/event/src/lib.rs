//! An event: something that happens, and that any number of threads wait for.
//!
//! A flag alone is not enough. Who waits is asleep when the event is set, and looks only after the wakeup, when it has
//! the lock again. By then the flag may have been cleared: the thread was let go on, and would not know it. So each
//! release also gets a number. Who waits remembers the number at which the wait began, and goes on when it is another
//! one. Nothing can take that back.

use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Duration;

/// Something that threads wait for: it is set or clear. They share it by reference.
#[derive(Debug)]
pub struct Event {
    state: Mutex<State>,
    released: Condvar,
}

/// Both under one lock, for a wait looks at both at one moment.
#[derive(Debug)]
struct State {
    set: bool,
    /// How often everybody who waited was let go on.
    releases: u64,
}

impl Event {
    /// An event that is clear.
    pub fn cleared() -> Event {
        Event { state: Mutex::new(State { set: false, releases: 0 }), released: Condvar::new() }
    }

    /// Sets the event, until it is cleared. Everybody who waits goes on, whatever comes next.
    pub fn set(&self) {
        let mut state = self.lock();
        state.set = true;
        self.release(&mut state);
    }

    /// Clears the event. Whoever was let go on before still goes on.
    pub fn clear(&self) {
        // Nobody waits for this, so nobody is woken.
        self.lock().set = false;
    }

    /// Whether the event is set.
    pub fn is_set(&self) -> bool {
        self.lock().set
    }

    /// Lets everybody go on who waits now, and nobody who comes later. The event stays set or clear, as it was.
    pub fn pulse(&self) {
        // Not `set` and then `clear`: between the two, others would see a set event and pass.
        self.release(&mut self.lock());
    }

    /// Waits until the event is set or pulsed. Does not wait if it is set already.
    pub fn wait(&self) {
        self.wait_timeout(Duration::MAX);
    }

    /// Like [`wait`](Event::wait), but waits for `limit` at most. Says whether the event let it go on; with
    /// `Duration::MAX`, it waits until that is so.
    pub fn wait_timeout(&self, limit: Duration) -> bool {
        let state = self.lock();
        let before = state.releases;
        // Both questions are needed: `set` for who comes to a set event, `releases` for who was asleep when it was set.
        let stays = |state: &mut State| !state.set && state.releases == before;
        let (state, timeout) = self.released.wait_timeout_while(state, limit, stays).expect(UNBROKEN);
        drop(state);
        // This is true only if `stays` still holds at the end: a release in the last moment counts.
        !timeout.timed_out()
    }

    /// Everybody who waits was there before this number.
    fn release(&self, state: &mut State) {
        state.releases += 1;
        self.released.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect(UNBROKEN)
    }
}

/// A lock is poisoned when a thread panics while it holds it. No code here panics under the lock.
const UNBROKEN: &str = "nothing panics while it holds the lock";
