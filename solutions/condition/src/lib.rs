//! A doctor's waiting room, and a newspaper whose readers wait for the next edition.
//!
//! Everything here waits in one way. Under the lock, look whether what one waits for is true. If not, sleep at the
//! condition variable, which gives the lock back meanwhile. After each wakeup, look again. And whoever makes it true
//! does so under the same lock, and then wakes those who wait for it.

use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Duration;

/// A waiting room with a door, tickets, and doctors who call the next ticket. Threads share it by reference.
#[derive(Debug)]
pub struct WaitingRoom {
    state: Mutex<State>,
    // A condition variable for each thing that somebody waits for. So a wakeup never goes to somebody who waits for
    // something else.
    /// Where people wait before the door.
    door_opened: Condvar,
    /// Where doctors wait for somebody who has a ticket.
    ticket_taken: Condvar,
    /// Where those wait who have a ticket.
    ticket_called: Condvar,
}

/// All that changes is under one lock. A door beside it could be opened between somebody's look at it and the falling
/// asleep: the wakeup would come too early, and no other one comes.
#[derive(Debug)]
struct State {
    open: bool,
    /// The highest ticket that was taken, 0 if none.
    taken: u64,
    /// The highest ticket that was called, 0 if none.
    called: u64,
}

impl WaitingRoom {
    /// A room whose door is closed. Nobody has a ticket.
    pub fn closed() -> WaitingRoom {
        WaitingRoom {
            state: Mutex::new(State { open: false, taken: 0, called: 0 }),
            door_opened: Condvar::new(),
            ticket_taken: Condvar::new(),
            ticket_called: Condvar::new(),
        }
    }

    /// Opens the door. It stays open, and whoever waits before it goes in.
    pub fn open(&self) {
        self.lock().open = true;
        // An open door is for all of them: one wakeup would leave the others asleep.
        self.door_opened.notify_all();
    }

    /// Goes in and takes the next ticket: 1, 2, 3, … Waits while the door is closed.
    pub fn take_ticket(&self) -> u64 {
        let mut state = self.lock();
        // `while`, not `if`: a wait may end although nobody has called. `wait` needs the guard, since it unlocks and
        // falls asleep in one step. Nobody can open the door between the look and the sleep.
        while !state.open {
            state = self.door_opened.wait(state).expect(UNBROKEN);
        }
        state.taken += 1;
        // One more ticket is work for one doctor, and only doctors wait here. So one wakeup is enough.
        self.ticket_taken.notify_one();
        state.taken
    }

    /// Calls the next ticket, which is the lowest that was not called yet, and says which it is. Waits while there is none.
    pub fn call_next(&self) -> u64 {
        // The loop of `take_ticket` as a method. Here it matters even more: another doctor may have called the ticket
        // between the wakeup and the moment at which this doctor has the lock again.
        let waiting = self.ticket_taken.wait_while(self.lock(), |state| state.called == state.taken);
        let mut state = waiting.expect(UNBROKEN);
        state.called += 1;
        // Everybody waits for another number. One wakeup could go to somebody whose turn it is not.
        self.ticket_called.notify_all();
        state.called
    }

    /// Waits until this ticket has been called. Whose ticket was called before does not wait.
    pub fn wait_for_call(&self, ticket: u64) {
        drop(self.ticket_called.wait_while(self.lock(), |state| state.called < ticket).expect(UNBROKEN));
    }

    /// Like [`wait_for_call`](WaitingRoom::wait_for_call), but waits for `limit` at most. Says whether the ticket has
    /// been called.
    pub fn wait_for_call_within(&self, ticket: u64, limit: Duration) -> bool {
        // Each call wakes everybody, so this is mostly several waits. `wait_timeout_while` sleeps after each for what
        // is left of the limit, not for the whole limit again.
        let waiting = self.ticket_called.wait_timeout_while(self.lock(), limit, |state| state.called < ticket);
        let (state, _) = waiting.expect(UNBROKEN);
        // A call in the last moment is a call. So the state is the answer, and not whether the time is up.
        ticket <= state.called
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect(UNBROKEN)
    }
}

/// A newspaper whose readers wait for the next edition. Threads share it by reference.
#[derive(Debug)]
pub struct Newspaper {
    newest: Mutex<Edition>,
    published: Condvar,
}

/// "There is news" would be too little to keep: the first reader would have to take it down for all the others. A
/// number that only grows is news to everybody who has seen a lower one.
#[derive(Debug)]
struct Edition {
    number: u64,
    text: String,
}

impl Newspaper {
    /// A newspaper whose first edition, number 1, has this text.
    pub fn new(text: &str) -> Newspaper {
        Newspaper { newest: Mutex::new(Edition { number: 1, text: text.to_owned() }), published: Condvar::new() }
    }

    /// Brings out the next edition, and says its number.
    pub fn publish(&self, text: &str) -> u64 {
        let mut newest = self.newest.lock().expect(UNBROKEN);
        *newest = Edition { number: newest.number + 1, text: text.to_owned() };
        self.published.notify_all();
        newest.number
    }

    /// The newest edition, as its number and its text, for a reader who has read up to edition `read`. Waits while
    /// there is none that is newer. A reader who has read nothing says 0.
    pub fn next_after(&self, read: u64) -> (u64, String) {
        let newest = self.newest.lock().expect(UNBROKEN);
        let newest = self.published.wait_while(newest, |newest| newest.number <= read).expect(UNBROKEN);
        (newest.number, newest.text.clone())
    }
}

/// A lock is poisoned when a thread panics while it holds it. No code here panics under the lock.
const UNBROKEN: &str = "nothing panics while it holds the lock";
