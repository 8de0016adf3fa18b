//! rejected: lost-wakeup
//! by: no_room_knows_of_another_one
//!
//! Breaks "What happens in one room changes nothing for those who wait in another one": in room X somebody waits for ticket 1; ticket 1 is
//! called in room Y, which takes the sleeper out of the list and wakes it for nothing; then ticket 1 is called in X, and wakes nobody. The
//! list of those who sleep until a ticket is called is one for the whole program.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// Who is parked until this ticket is called. Is locked only under the lock of a desk.
static SLEEPERS: Mutex<BTreeMap<u64, Vec<Thread>>> = Mutex::new(BTreeMap::new());

#[derive(Debug, Default)]
struct Desk {
    open: bool,
    taken: u64,
    called: u64,
}

/// A waiting room with a door, tickets, and doctors who call the next ticket. Threads share it by reference.
#[derive(Debug)]
pub struct WaitingRoom {
    desk: Mutex<Desk>,
    opened: Condvar,
    taken: Condvar,
}

impl WaitingRoom {
    /// A room whose door is closed. Nobody has a ticket.
    pub fn closed() -> WaitingRoom {
        WaitingRoom { desk: Mutex::new(Desk::default()), opened: Condvar::new(), taken: Condvar::new() }
    }

    /// Opens the door. It stays open, and whoever waits before it goes in.
    pub fn open(&self) {
        self.desk.lock().unwrap().open = true;
        self.opened.notify_all();
    }

    /// Goes in and takes the next ticket: 1, 2, 3, … Waits while the door is closed.
    pub fn take_ticket(&self) -> u64 {
        let desk = self.desk.lock().unwrap();
        let mut desk = self.opened.wait_while(desk, |desk| !desk.open).unwrap();
        desk.taken += 1;
        self.taken.notify_one();
        desk.taken
    }

    /// Calls the next ticket, which is the lowest that was not called yet, and says which it is. Waits while there is none.
    pub fn call_next(&self) -> u64 {
        let desk = self.desk.lock().unwrap();
        let mut desk = self.taken.wait_while(desk, |desk| desk.called == desk.taken).unwrap();
        desk.called += 1;
        let sleepers = SLEEPERS.lock().unwrap().remove(&desk.called).unwrap_or_default();
        for sleeper in sleepers {
            sleeper.unpark();
        }
        desk.called
    }

    fn is_called(&self, ticket: u64) -> bool {
        ticket <= self.desk.lock().unwrap().called
    }

    /// Whether the ticket was called before. If not, this thread is a sleeper now.
    fn is_called_or_sleeper(&self, ticket: u64) -> bool {
        let desk = self.desk.lock().unwrap();
        if ticket <= desk.called {
            return true;
        }
        SLEEPERS.lock().unwrap().entry(ticket).or_default().push(thread::current());
        false
    }

    /// Waits until this ticket has been called. Whose ticket was called before does not wait.
    pub fn wait_for_call(&self, ticket: u64) {
        self.wait_for_call_within(ticket, Duration::MAX);
    }

    /// Like [`wait_for_call`](WaitingRoom::wait_for_call), but waits for `limit` at most. Says whether the ticket has
    /// been called.
    pub fn wait_for_call_within(&self, ticket: u64, limit: Duration) -> bool {
        if limit.is_zero() {
            return self.is_called(ticket);
        }
        let deadline = Instant::now().checked_add(limit);
        if self.is_called_or_sleeper(ticket) {
            return true;
        }
        loop {
            match deadline {
                None => thread::park(),
                Some(deadline) => thread::park_timeout(deadline.saturating_duration_since(Instant::now())),
            }
            let desk = self.desk.lock().unwrap();
            if ticket <= desk.called {
                return true;
            }
            if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                let me = thread::current().id();
                let mut sleepers = SLEEPERS.lock().unwrap();
                if let Some(same) = sleepers.get_mut(&ticket) {
                    same.retain(|sleeper| sleeper.id() != me);
                }
                return false;
            }
        }
    }
}

#[derive(Debug)]
struct Edition {
    number: u64,
    text: String,
}

/// A newspaper whose readers wait for the next edition. Threads share it by reference.
#[derive(Debug)]
pub struct Newspaper {
    newest: Mutex<Edition>,
    published: Condvar,
}

impl Newspaper {
    /// A newspaper whose first edition, number 1, has this text.
    pub fn new(text: &str) -> Newspaper {
        Newspaper { newest: Mutex::new(Edition { number: 1, text: text.to_string() }), published: Condvar::new() }
    }

    /// Brings out the next edition, and says its number.
    pub fn publish(&self, text: &str) -> u64 {
        let mut newest = self.newest.lock().unwrap();
        newest.number += 1;
        newest.text = text.to_string();
        self.published.notify_all();
        newest.number
    }

    /// The newest edition, as its number and its text, for a reader who has read up to edition `read`. Waits while
    /// there is none that is newer. A reader who has read nothing says 0.
    pub fn next_after(&self, read: u64) -> (u64, String) {
        let newest = self.newest.lock().unwrap();
        let newest = self.published.wait_while(newest, |newest| newest.number <= read).unwrap();
        (newest.number, newest.text.clone())
    }
}
