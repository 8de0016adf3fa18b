//! rejected: race
//! by: every_small_program_of_calls_keeps_the_contract
//!
//! Whoever waits has a seat, and a list says which seat waits for which ticket. Who gives up leaves the seat to others, but it stays on
//! the list. If the next one who sits there waits for another ticket, it goes on with the call of the first.

use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// A waiting room with a door, tickets, and doctors who call the next ticket. Threads share it by reference.
#[derive(Debug)]
pub struct WaitingRoom {
    state: Mutex<State>,
    door_opened: Condvar,
    ticket_taken: Condvar,
}

#[derive(Debug, Default)]
struct State {
    open: bool,
    taken: u64,
    called: u64,
    seats: Vec<Seat>,
    free: Vec<usize>,
    /// Who waits for which ticket: the ticket and the seat.
    waiting: Vec<(u64, usize)>,
}

#[derive(Debug, Default)]
struct Seat {
    called: bool,
    bell: Arc<Condvar>,
}

impl State {
    fn sit_down(&mut self, ticket: u64) -> usize {
        let seat = self.free.pop().unwrap_or_else(|| {
            self.seats.push(Seat::default());
            self.seats.len() - 1
        });
        self.seats[seat].called = false;
        self.waiting.push((ticket, seat));
        seat
    }
}

impl WaitingRoom {
    /// A room whose door is closed. Nobody has a ticket.
    pub fn closed() -> WaitingRoom {
        WaitingRoom { state: Mutex::new(State::default()), door_opened: Condvar::new(), ticket_taken: Condvar::new() }
    }

    /// Opens the door. It stays open, and whoever waits before it goes in.
    pub fn open(&self) {
        self.state.lock().unwrap().open = true;
        self.door_opened.notify_all();
    }

    /// Goes in and takes the next ticket: 1, 2, 3, … Waits while the door is closed.
    pub fn take_ticket(&self) -> u64 {
        let state = self.state.lock().unwrap();
        let mut state = self.door_opened.wait_while(state, |state| !state.open).unwrap();
        state.taken += 1;
        self.ticket_taken.notify_one();
        state.taken
    }

    /// Calls the next ticket, which is the lowest that was not called yet, and says which it is. Waits while there is none.
    pub fn call_next(&self) -> u64 {
        let state = self.state.lock().unwrap();
        let mut state = self.ticket_taken.wait_while(state, |state| state.called == state.taken).unwrap();
        state.called += 1;
        let State { called, seats, waiting, .. } = &mut *state;
        waiting.retain(|&(ticket, seat)| {
            if ticket == *called {
                seats[seat].called = true;
                seats[seat].bell.notify_all();
            }
            ticket != *called
        });
        state.called
    }

    /// Waits until this ticket has been called. Whose ticket was called before does not wait.
    pub fn wait_for_call(&self, ticket: u64) {
        self.wait_until(ticket, None);
    }

    /// Like [`wait_for_call`](WaitingRoom::wait_for_call), but waits for `limit` at most.
    pub fn wait_for_call_within(&self, ticket: u64, limit: Duration) -> bool {
        if limit.is_zero() {
            return self.state.lock().unwrap().called >= ticket;
        }
        self.wait_until(ticket, Instant::now().checked_add(limit))
    }

    fn wait_until(&self, ticket: u64, deadline: Option<Instant>) -> bool {
        let mut state = self.state.lock().unwrap();
        if state.called >= ticket {
            return true;
        }
        let seat = state.sit_down(ticket);
        let bell = Arc::clone(&state.seats[seat].bell);
        while !state.seats[seat].called {
            state = match deadline {
                None => bell.wait(state).unwrap(),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        break;
                    }
                    bell.wait_timeout(state, left).unwrap().0
                }
            };
        }
        state.free.push(seat);
        state.seats[seat].called
    }
}

/// A newspaper whose readers wait for the next edition. Threads share it by reference.
#[derive(Debug)]
pub struct Newspaper {
    newest: Mutex<Edition>,
    published: Condvar,
}

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
        let mut newest = self.newest.lock().unwrap();
        newest.number += 1;
        newest.text = text.to_owned();
        self.published.notify_all();
        newest.number
    }

    /// The newest edition, as its number and its text, for a reader who has read up to edition `read`.
    pub fn next_after(&self, read: u64) -> (u64, String) {
        let newest = self.newest.lock().unwrap();
        let newest = self.published.wait_while(newest, |newest| newest.number <= read).unwrap();
        (newest.number, newest.text.clone())
    }
}
