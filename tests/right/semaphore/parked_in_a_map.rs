//! accepted
//!
//! The line is a map from tickets to parked threads, whose first entry is the next one. Every change wakes the first
//! one only; who leaves wakes the one behind. Closing wakes all.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

pub use error::Refused;

mod error {
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Refused {
        NotFree,
        Closed,
    }
}

#[derive(Debug)]
pub struct Semaphore(usize, Mutex<Inside>);

#[derive(Debug, Default)]
struct Inside {
    taken: usize,
    closed: bool,
    line: BTreeMap<u128, Thread>,
    last: u128,
}

impl Inside {
    fn wake_the_first(&self) {
        if let Some(first) = self.line.values().next() {
            first.unpark();
        }
    }
}

#[derive(Debug)]
#[must_use = "the permits go back when this is dropped"]
pub struct Permits<'semaphore> {
    semaphore: &'semaphore Semaphore,
    many: usize,
}

impl Drop for Permits<'_> {
    fn drop(&mut self) {
        let mut inside = self.semaphore.1.lock().unwrap();
        inside.taken -= self.many;
        inside.wake_the_first();
    }
}

impl Semaphore {
    pub fn new(permits: usize) -> Semaphore {
        Semaphore(permits, Mutex::default())
    }

    pub fn free(&self) -> usize {
        self.0 - self.1.lock().unwrap().taken
    }

    pub fn acquire(&self, many: usize) -> Result<Permits<'_>, Refused> {
        self.acquire_until(many, || false, true)
    }

    pub fn try_acquire(&self, many: usize) -> Result<Permits<'_>, Refused> {
        assert!(many <= self.0, "{many} of {}", self.0);
        let mut inside = self.1.lock().unwrap();
        if inside.closed {
            Err(Refused::Closed)
        } else if inside.line.is_empty() && many <= self.0 - inside.taken {
            inside.taken += many;
            drop(inside);
            Ok(Permits { semaphore: self, many })
        } else {
            Err(Refused::NotFree)
        }
    }

    pub fn acquire_timeout(&self, many: usize, limit: Duration) -> Result<Permits<'_>, Refused> {
        let start = Instant::now();
        if limit == Duration::MAX {
            return self.acquire(many);
        }
        let over = || {
            let left = limit.saturating_sub(start.elapsed());
            if !left.is_zero() {
                thread::park_timeout(left);
            }
            left.is_zero()
        };
        self.acquire_until(many, over, false)
    }

    /// `over` says whether it is time to give up, and sleeps if it is not.
    fn acquire_until(&self, many: usize, over: impl Fn() -> bool, for_ever: bool) -> Result<Permits<'_>, Refused> {
        assert!(many <= self.0, "{many} of {}", self.0);
        let mut inside = self.1.lock().unwrap();
        inside.last += 1;
        let ticket = inside.last;
        inside.line.insert(ticket, thread::current());
        let refused = loop {
            if inside.closed {
                break Some(Refused::Closed);
            }
            if inside.line.keys().next() == Some(&ticket) && many <= self.0 - inside.taken {
                inside.taken += many;
                break None;
            }
            drop(inside);
            let give_up = if for_ever {
                thread::park();
                false
            } else {
                over()
            };
            inside = self.1.lock().unwrap();
            if give_up && !(inside.line.keys().next() == Some(&ticket) && many <= self.0 - inside.taken) {
                break Some(if inside.closed { Refused::Closed } else { Refused::NotFree });
            }
        };
        inside.line.remove(&ticket);
        inside.wake_the_first();
        drop(inside);
        match refused {
            None => Ok(Permits { semaphore: self, many }),
            Some(refused) => Err(refused),
        }
    }

    pub fn close(&self) {
        let mut inside = self.1.lock().unwrap();
        inside.closed = true;
        inside.line.values().for_each(Thread::unpark);
    }
}
