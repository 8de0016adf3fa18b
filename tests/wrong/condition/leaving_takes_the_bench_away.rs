//! rejected: lost-wakeup
//! by: whoever_gives_up_changes_nothing_for_the_others
//!
//! Breaks "`wait_for_call` returns when its ticket has been called": two threads wait for the same ticket, one of them with a limit. When
//! that one gives up, it takes the bench of both away, and the call finds no bench: the other sleeps on.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

#[derive(Debug, Default)]
struct State {
    open: bool,
    taken: u64,
    called: u64,
    /// Where those sit who wait for a ticket, a bench for each ticket.
    benches: BTreeMap<u64, Arc<Condvar>>,
}

/// A waiting room with a door, tickets, and doctors who call the next ticket. Threads share it by reference.
#[derive(Debug)]
pub struct WaitingRoom {
    state: Mutex<State>,
    opened: Condvar,
    taken: Condvar,
}

impl WaitingRoom {
    /// A room whose door is closed. Nobody has a ticket.
    pub fn closed() -> WaitingRoom {
        WaitingRoom { state: Mutex::new(State::default()), opened: Condvar::new(), taken: Condvar::new() }
    }

    /// Opens the door. It stays open, and whoever waits before it goes in.
    pub fn open(&self) {
        self.state.lock().unwrap().open = true;
        self.opened.notify_all();
    }

    /// Goes in and takes the next ticket: 1, 2, 3, … Waits while the door is closed.
    pub fn take_ticket(&self) -> u64 {
        let mut state = self.state.lock().unwrap();
        while !state.open {
            state = self.opened.wait(state).unwrap();
        }
        state.taken += 1;
        self.taken.notify_one();
        state.taken
    }

    /// Calls the next ticket, which is the lowest that was not called yet, and says which it is. Waits while there is none.
    pub fn call_next(&self) -> u64 {
        let mut state = self.state.lock().unwrap();
        while state.called == state.taken {
            state = self.taken.wait(state).unwrap();
        }
        state.called += 1;
        let ticket = state.called;
        if let Some(bench) = state.benches.remove(&ticket) {
            bench.notify_all();
        }
        ticket
    }

    /// Waits until this ticket has been called. Whose ticket was called before does not wait.
    pub fn wait_for_call(&self, ticket: u64) {
        let mut state = self.state.lock().unwrap();
        if state.called < ticket {
            let bench = Arc::clone(state.benches.entry(ticket).or_default());
            while state.called < ticket {
                state = bench.wait(state).unwrap();
            }
        }
    }

    /// Like [`wait_for_call`](WaitingRoom::wait_for_call), but waits for `limit` at most. Says whether the ticket has
    /// been called.
    pub fn wait_for_call_within(&self, ticket: u64, limit: Duration) -> bool {
        let Some(end) = Instant::now().checked_add(limit) else {
            self.wait_for_call(ticket);
            return true;
        };
        let mut state = self.state.lock().unwrap();
        if state.called >= ticket {
            return true;
        }
        if limit.is_zero() {
            return false;
        }
        let bench = Arc::clone(state.benches.entry(ticket).or_default());
        while state.called < ticket {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                // Nothing stays behind for a ticket that may never be called.
                state.benches.remove(&ticket);
                return false;
            }
            state = bench.wait_timeout(state, left).unwrap().0;
        }
        true
    }
}

/// A newspaper whose readers wait for the next edition. Threads share it by reference.
#[derive(Debug)]
pub struct Newspaper {
    newest: Mutex<(u64, Arc<str>)>,
    news: Condvar,
}

impl Newspaper {
    /// A newspaper whose first edition, number 1, has this text.
    pub fn new(text: &str) -> Newspaper {
        Newspaper { newest: Mutex::new((1, Arc::from(text))), news: Condvar::new() }
    }

    /// Brings out the next edition, and says its number.
    pub fn publish(&self, text: &str) -> u64 {
        let text: Arc<str> = Arc::from(text);
        let mut newest = self.newest.lock().unwrap();
        let number = newest.0 + 1;
        *newest = (number, text);
        drop(newest);
        self.news.notify_all();
        number
    }

    /// The newest edition, as its number and its text, for a reader who has read up to edition `read`. Waits while
    /// there is none that is newer. A reader who has read nothing says 0.
    pub fn next_after(&self, read: u64) -> (u64, String) {
        let mut newest = self.newest.lock().unwrap();
        while newest.0 <= read {
            newest = self.news.wait(newest).unwrap();
        }
        let (number, text) = (newest.0, Arc::clone(&newest.1));
        drop(newest);
        (number, text.to_string())
    }
}
