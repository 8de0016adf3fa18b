//! accepted
//!
//! No condition variable. Who waits writes himself into a list under the lock, and parks. Every change wakes the whole
//! list. A thread that is unparked before it parks does not sleep, so nothing is missed in between.

use std::mem;
use std::sync::{Mutex, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

#[derive(Debug)]
struct Monitor<T>(Mutex<(T, Vec<Thread>)>);

impl<T> Monitor<T> {
    fn new(value: T) -> Self {
        Monitor(Mutex::new((value, Vec::new())))
    }

    /// Tries until something comes of it. What was tried may have changed the value.
    fn until<R>(&self, limit: Duration, mut attempt: impl FnMut(&mut T) -> Option<R>) -> Option<R> {
        let start = Instant::now();
        loop {
            let mut inside = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(found) = attempt(&mut inside.0) {
                for sleeper in mem::take(&mut inside.1) {
                    sleeper.unpark();
                }
                return Some(found);
            }
            let left = limit.saturating_sub(start.elapsed());
            if left.is_zero() {
                return None;
            }
            inside.1.push(thread::current());
            drop(inside);
            if limit == Duration::MAX { thread::park() } else { thread::park_timeout(left) }
        }
    }

    fn wait_until<R>(&self, attempt: impl FnMut(&mut T) -> Option<R>) -> R {
        self.until(Duration::MAX, attempt).expect("it waits for ever")
    }
}

#[derive(Debug)]
pub struct WaitingRoom {
    tickets: Monitor<(Option<u64>, u64)>,
}

impl WaitingRoom {
    pub fn closed() -> WaitingRoom {
        WaitingRoom { tickets: Monitor::new((None, 0)) }
    }

    pub fn open(&self) {
        self.tickets.wait_until(|(taken, _)| Some(*taken.get_or_insert(0)));
    }

    pub fn take_ticket(&self) -> u64 {
        self.tickets.wait_until(|(taken, _)| {
            *taken.as_mut()? += 1;
            *taken
        })
    }

    pub fn call_next(&self) -> u64 {
        self.tickets.wait_until(|(taken, called)| {
            (*called < taken.unwrap_or(0)).then(|| {
                *called += 1;
                *called
            })
        })
    }

    pub fn wait_for_call(&self, ticket: u64) {
        self.wait_for_call_within(ticket, Duration::MAX);
    }

    pub fn wait_for_call_within(&self, ticket: u64, limit: Duration) -> bool {
        self.tickets.until(limit, |(_, called)| (*called >= ticket).then_some(())).is_some()
    }
}

#[derive(Debug)]
pub struct Newspaper {
    newest: Monitor<(u64, String)>,
}

impl Newspaper {
    pub fn new(text: &str) -> Newspaper {
        Newspaper { newest: Monitor::new((1, String::from(text))) }
    }

    pub fn publish(&self, text: &str) -> u64 {
        self.newest.wait_until(|(number, newest)| {
            *number += 1;
            newest.replace_range(.., text);
            Some(*number)
        })
    }

    pub fn next_after(&self, read: u64) -> (u64, String) {
        self.newest.wait_until(|newest| (newest.0 > read).then(|| newest.clone()))
    }
}
