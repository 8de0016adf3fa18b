//! accepted
//!
//! Each one who waits has a condition variable of his own. Whoever brings permits, or leaves the line, serves those in
//! front: takes the permits for them, and rings.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    NotFree,
    Closed,
}

#[derive(Debug)]
pub struct Semaphore {
    total: usize,
    desk: Mutex<Desk>,
}

#[derive(Debug)]
struct Desk {
    free: usize,
    open: bool,
    line: VecDeque<Arc<Waiter>>,
}

#[derive(Debug)]
struct Waiter {
    many: usize,
    served: AtomicBool,
    bell: Condvar,
}

impl Desk {
    fn serve(&mut self) {
        while let Some(waiter) = self.line.pop_front_if(|waiter| !self.open || waiter.many <= self.free) {
            if self.open {
                self.free -= waiter.many;
                waiter.served.store(true, Ordering::SeqCst);
            }
            waiter.bell.notify_one();
        }
    }

    fn place_of(&self, waiter: &Arc<Waiter>) -> Option<usize> {
        self.line.iter().position(|other| Arc::ptr_eq(other, waiter))
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
        let mut desk = self.semaphore.desk.lock().unwrap();
        desk.free += self.many;
        desk.serve();
    }
}

impl Semaphore {
    pub fn new(permits: usize) -> Semaphore {
        Semaphore { total: permits, desk: Mutex::new(Desk { free: permits, open: true, line: VecDeque::new() }) }
    }

    pub fn free(&self) -> usize {
        self.desk.lock().unwrap().free
    }

    pub fn acquire(&self, many: usize) -> Result<Permits<'_>, Refused> {
        self.get(many, true, None)
    }

    pub fn try_acquire(&self, many: usize) -> Result<Permits<'_>, Refused> {
        self.get(many, false, None)
    }

    pub fn acquire_timeout(&self, many: usize, limit: Duration) -> Result<Permits<'_>, Refused> {
        self.get(many, true, Instant::now().checked_add(limit))
    }

    fn get(&self, many: usize, waits: bool, end: Option<Instant>) -> Result<Permits<'_>, Refused> {
        if many > self.total {
            panic!("there are only {} permits", self.total);
        }
        let mut desk = self.desk.lock().unwrap();
        if !desk.open {
            return Err(Refused::Closed);
        }
        if desk.line.is_empty() && many <= desk.free {
            desk.free -= many;
            return Ok(Permits { semaphore: self, many });
        }
        if !waits {
            return Err(Refused::NotFree);
        }
        let own = Arc::new(Waiter { many, served: AtomicBool::new(false), bell: Condvar::new() });
        desk.line.push_back(Arc::clone(&own));
        while let Some(place) = desk.place_of(&own) {
            desk = match end.map(|end| end.saturating_duration_since(Instant::now())) {
                None => own.bell.wait(desk).unwrap(),
                Some(Duration::ZERO) => {
                    desk.line.remove(place);
                    desk.serve();
                    return Err(Refused::NotFree);
                }
                Some(left) => own.bell.wait_timeout(desk, left).unwrap().0,
            };
        }
        // Out of the line, with permits or without. Whoever was served before the end keeps what he has.
        if own.served.load(Ordering::SeqCst) { Ok(Permits { semaphore: self, many }) } else { Err(Refused::Closed) }
    }

    pub fn close(&self) {
        let mut desk = self.desk.lock().unwrap();
        desk.open = false;
        desk.serve();
    }
}
