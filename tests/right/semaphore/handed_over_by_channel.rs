//! accepted
//!
//! Whoever waits leaves the sending end of a channel in the line. Permits are sent to the first one for as long as
//! there are enough. If the receiver has gone meanwhile, they come back with the error. Closing drops all sending ends.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    NotFree,
    Closed,
}

#[derive(Debug)]
pub struct Semaphore {
    permits: usize,
    counter: Mutex<Counter>,
}

#[derive(Debug)]
struct Counter {
    free: usize,
    closed: bool,
    line: VecDeque<Waiting>,
    next: usize,
}

#[derive(Debug)]
struct Waiting {
    number: usize,
    many: usize,
    door: Sender<()>,
}

impl Counter {
    fn serve(&mut self) {
        while let Some(first) = self.line.front()
            && first.many <= self.free
        {
            self.free -= first.many;
            first.door.send(()).expect("it leaves the line before it goes");
            self.line.pop_front();
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
        let mut counter = self.semaphore.counter();
        counter.free += self.many;
        counter.serve();
    }
}

impl Semaphore {
    pub fn new(permits: usize) -> Semaphore {
        let counter = Counter { free: permits, closed: false, line: VecDeque::new(), next: 0 };
        Semaphore { permits, counter: Mutex::new(counter) }
    }

    fn counter(&self) -> MutexGuard<'_, Counter> {
        self.counter.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn free(&self) -> usize {
        self.counter().free
    }

    pub fn acquire(&self, many: usize) -> Result<Permits<'_>, Refused> {
        match self.line_up(many)?.1.recv() {
            Ok(()) => Ok(Permits { semaphore: self, many }),
            Err(_) => Err(Refused::Closed),
        }
    }

    pub fn try_acquire(&self, many: usize) -> Result<Permits<'_>, Refused> {
        assert!(many <= self.permits);
        let mut counter = self.counter();
        match *counter {
            Counter { closed: true, .. } => Err(Refused::Closed),
            Counter { free, ref line, .. } if free < many || !line.is_empty() => Err(Refused::NotFree),
            _ => {
                counter.free -= many;
                Ok(Permits { semaphore: self, many })
            }
        }
    }

    pub fn acquire_timeout(&self, many: usize, limit: Duration) -> Result<Permits<'_>, Refused> {
        if limit == Duration::MAX {
            return self.acquire(many);
        }
        let (number, door) = self.line_up(many)?;
        match door.recv_timeout(limit) {
            Ok(()) => return Ok(Permits { semaphore: self, many }),
            Err(RecvTimeoutError::Disconnected) => return Err(Refused::Closed),
            Err(RecvTimeoutError::Timeout) => {}
        }
        let mut counter = self.counter();
        // In the last moment something may have come.
        match door.try_recv() {
            Ok(()) => {
                drop(counter);
                Ok(Permits { semaphore: self, many })
            }
            Err(TryRecvError::Disconnected) => Err(Refused::Closed),
            Err(TryRecvError::Empty) => {
                counter.line.retain(|waiting| waiting.number != number);
                counter.serve();
                Err(Refused::NotFree)
            }
        }
    }

    fn line_up(&self, many: usize) -> Result<(usize, Receiver<()>), Refused> {
        assert!(many <= self.permits, "no more than {} permits", self.permits);
        let mut counter = self.counter();
        if counter.closed {
            return Err(Refused::Closed);
        }
        let (sender, receiver) = channel();
        let number = counter.next;
        counter.next += 1;
        counter.line.push_back(Waiting { number, many, door: sender });
        counter.serve();
        Ok((number, receiver))
    }

    pub fn close(&self) {
        let mut counter = self.counter();
        counter.closed = true;
        counter.line.clear();
    }
}
