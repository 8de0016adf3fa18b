//! accepted
//!
//! One condition variable a thing, and every change wakes everybody. Each of them looks whether it concerns him. The
//! limit is a moment that is fixed once; one without an end has no moment.

use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Something that changes, and that one can wait for.
#[derive(Debug)]
struct Watched<T> {
    value: Mutex<T>,
    changed: Condvar,
}

impl<T> Watched<T> {
    fn new(value: T) -> Self {
        Watched { value: Mutex::new(value), changed: Condvar::new() }
    }

    fn change<R>(&self, how: impl FnOnce(&mut T) -> R) -> R {
        let answer = how(&mut self.value.lock().unwrap());
        self.changed.notify_all();
        answer
    }

    /// The value when this holds, or when the time is up.
    fn when(&self, holds: impl Fn(&T) -> bool, end: Option<Instant>) -> MutexGuard<'_, T> {
        let mut value = self.value.lock().unwrap();
        loop {
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            if holds(&value) || left == Some(Duration::ZERO) {
                return value;
            }
            value = match left {
                Some(left) => self.changed.wait_timeout(value, left).unwrap().0,
                None => self.changed.wait(value).unwrap(),
            };
        }
    }
}

#[derive(Debug)]
pub struct WaitingRoom(Watched<Tickets>);

#[derive(Debug)]
struct Tickets {
    open: bool,
    next: u64,
    next_call: u64,
}

impl WaitingRoom {
    pub fn closed() -> WaitingRoom {
        WaitingRoom(Watched::new(Tickets { open: false, next: 1, next_call: 1 }))
    }

    pub fn open(&self) {
        self.0.change(|tickets| tickets.open = true);
    }

    pub fn take_ticket(&self) -> u64 {
        let mut tickets = self.0.when(|tickets| tickets.open, None);
        tickets.next += 1;
        self.0.changed.notify_all();
        tickets.next - 1
    }

    pub fn call_next(&self) -> u64 {
        let mut tickets = self.0.when(|tickets| tickets.next_call < tickets.next, None);
        let ticket = tickets.next_call;
        tickets.next_call += 1;
        drop(tickets);
        self.0.changed.notify_all();
        ticket
    }

    pub fn wait_for_call(&self, ticket: u64) {
        drop(self.0.when(|tickets| ticket < tickets.next_call, None));
    }

    pub fn wait_for_call_within(&self, ticket: u64, limit: Duration) -> bool {
        let tickets = self.0.when(|tickets| ticket < tickets.next_call, Instant::now().checked_add(limit));
        ticket < tickets.next_call
    }
}

#[derive(Debug)]
pub struct Newspaper(Watched<Vec<String>>);

impl Newspaper {
    pub fn new(text: &str) -> Newspaper {
        Newspaper(Watched::new(vec![text.to_owned()]))
    }

    pub fn publish(&self, text: &str) -> u64 {
        self.0.change(|editions| {
            editions.push(text.to_owned());
            editions.len() as u64
        })
    }

    pub fn next_after(&self, read: u64) -> (u64, String) {
        let editions = self.0.when(|editions| read < editions.len() as u64, None);
        (editions.len() as u64, editions[editions.len() - 1].clone())
    }
}
