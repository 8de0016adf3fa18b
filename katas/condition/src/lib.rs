//! A doctor's waiting room, and a newspaper whose readers wait for the next edition. The lesson is in `README.md`.

use std::time::Duration;

/// A waiting room with a door, tickets, and doctors who call the next ticket. Threads share it by reference.
#[derive(Debug)]
pub struct WaitingRoom {
    // The fields are yours to choose: which data, behind which lock, and who waits at which condition variable?
}

impl WaitingRoom {
    /// A room whose door is closed. Nobody has a ticket.
    pub fn closed() -> WaitingRoom {
        todo!()
    }

    /// Opens the door. It stays open, and whoever waits before it goes in.
    pub fn open(&self) {
        todo!()
    }

    /// Goes in and takes the next ticket: 1, 2, 3, … Waits while the door is closed.
    pub fn take_ticket(&self) -> u64 {
        todo!()
    }

    /// Calls the next ticket, which is the lowest that was not called yet, and says which it is. Waits while there is none.
    pub fn call_next(&self) -> u64 {
        todo!()
    }

    /// Waits until this ticket has been called. Whose ticket was called before does not wait.
    pub fn wait_for_call(&self, ticket: u64) {
        todo!()
    }

    /// Like [`wait_for_call`](WaitingRoom::wait_for_call), but waits for `limit` at most. Says whether the ticket has
    /// been called.
    pub fn wait_for_call_within(&self, ticket: u64, limit: Duration) -> bool {
        todo!()
    }
}

/// A newspaper whose readers wait for the next edition. Threads share it by reference.
#[derive(Debug)]
pub struct Newspaper {
    // Yours to choose, too. What tells a reader that an edition is a new one?
}

impl Newspaper {
    /// A newspaper whose first edition, number 1, has this text.
    pub fn new(text: &str) -> Newspaper {
        todo!()
    }

    /// Brings out the next edition, and says its number.
    pub fn publish(&self, text: &str) -> u64 {
        todo!()
    }

    /// The newest edition, as its number and its text, for a reader who has read up to edition `read`. Waits while
    /// there is none that is newer. A reader who has read nothing says 0.
    pub fn next_after(&self, read: u64) -> (u64, String) {
        todo!()
    }
}
