//! rejected: lost-wakeup
//! by: every_small_program_of_calls_keeps_the_contract
//!
//! As many permits as come back are enough for as many threads. But whoever wants 0 permits needs none, and sleeps on behind the one who
//! got the last.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// A fixed number of permits that threads take and give back.
#[derive(Debug)]
pub struct Semaphore {
    total: usize,
    state: Mutex<State>,
    news: Condvar,
}

#[derive(Debug)]
struct State {
    free: usize,
    closed: bool,
    /// The ticket of the next one who comes.
    next: u64,
    line: VecDeque<Waiting>,
    /// Who has got its permits, and does not know it yet.
    served: Vec<u64>,
}

#[derive(Debug)]
struct Waiting {
    ticket: u64,
    many: usize,
}

/// Some permits. They go back when this is dropped.
#[derive(Debug)]
#[must_use = "the permits go back when this is dropped"]
pub struct Permits<'semaphore> {
    semaphore: &'semaphore Semaphore,
    many: usize,
}

/// Why there are no permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// They are not free, or somebody else comes first.
    NotFree,
    /// The semaphore is closed.
    Closed,
}

impl Semaphore {
    /// A semaphore with so many permits, all of them free.
    pub fn new(permits: usize) -> Semaphore {
        Semaphore {
            total: permits,
            state: Mutex::new(State {
                free: permits,
                closed: false,
                next: 0,
                line: VecDeque::new(),
                served: Vec::new(),
            }),
            news: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// How many permits are free now.
    pub fn free(&self) -> usize {
        self.lock().free
    }

    /// Takes so many permits, all at once. Waits for them, in line.
    pub fn acquire(&self, many: usize) -> Result<Permits<'_>, Refused> {
        self.take(many, None)
    }

    /// Takes so many permits if they are free now and nobody waits.
    pub fn try_acquire(&self, many: usize) -> Result<Permits<'_>, Refused> {
        self.take(many, Some(Duration::ZERO))
    }

    /// Like [`acquire`](Semaphore::acquire), but waits for `limit` at most.
    pub fn acquire_timeout(&self, many: usize, limit: Duration) -> Result<Permits<'_>, Refused> {
        self.take(many, Some(limit))
    }

    fn take(&self, many: usize, limit: Option<Duration>) -> Result<Permits<'_>, Refused> {
        assert!(many <= self.total, "there are only {} permits", self.total);
        let mut state = self.lock();
        if state.closed {
            return Err(Refused::Closed);
        }
        if state.line.is_empty() && state.free >= many {
            state.free -= many;
            return Ok(Permits { semaphore: self, many });
        }
        if limit == Some(Duration::ZERO) {
            return Err(Refused::NotFree);
        }
        let end = limit.and_then(|limit| Instant::now().checked_add(limit));
        let ticket = state.next;
        state.next += 1;
        state.line.push_back(Waiting { ticket, many });
        loop {
            if state.is_served(ticket) {
                return Ok(Permits { semaphore: self, many });
            }
            if state.closed {
                state.line.retain(|waiting| waiting.ticket != ticket);
                return Err(Refused::Closed);
            }
            match end {
                None => state = self.news.wait(state).unwrap(),
                Some(end) => {
                    let rest = end.saturating_duration_since(Instant::now());
                    if rest.is_zero() {
                        state.line.retain(|waiting| waiting.ticket != ticket);
                        let everybody = state.line.len();
                        state.serve(everybody);
                        self.news.notify_all();
                        return Err(Refused::NotFree);
                    }
                    state = self.news.wait_timeout(state, rest).unwrap().0;
                }
            }
        }
    }

    /// Closes the semaphore, for good.
    pub fn close(&self) {
        self.lock().closed = true;
        self.news.notify_all();
    }
}

impl State {
    /// Gives the permits that are free to those who are next, to so many at most.
    fn serve(&mut self, at_most: usize) {
        for _ in 0..at_most {
            if self.closed || self.line.front().is_none_or(|first| first.many > self.free) {
                break;
            }
            let first = self.line.pop_front().unwrap();
            self.free -= first.many;
            self.served.push(first.ticket);
        }
    }

    /// Has this one got its permits?
    fn is_served(&mut self, ticket: u64) -> bool {
        match self.served.iter().position(|&served| served == ticket) {
            Some(place) => {
                self.served.swap_remove(place);
                true
            }
            None => false,
        }
    }
}

impl Drop for Permits<'_> {
    fn drop(&mut self) {
        let mut state = self.semaphore.lock();
        state.free += self.many;
        // So many permits are enough for so many threads.
        state.serve(self.many);
        drop(state);
        self.semaphore.news.notify_all();
    }
}
