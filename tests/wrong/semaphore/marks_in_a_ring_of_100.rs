//! rejected: assertion
//! by: many_wait_like_a_few
//!
//! Whoever gives up behind others is marked, in a ring of 100 places. If more than 100 wait, two of them have the same place, and one who
//! still waits is skipped.

use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// So many can be in the line.
const PLACES: usize = 100;

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
    /// The number of the next one who comes.
    next: usize,
    /// The number of the first one in the line, or `next` if nobody waits.
    first: usize,
    /// Who of them has gone.
    gone: [bool; PLACES],
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
            state: Mutex::new(State { free: permits, closed: false, next: 0, first: 0, gone: [false; PLACES] }),
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
        if state.first == state.next && state.free >= many {
            state.free -= many;
            return Ok(Permits { semaphore: self, many });
        }
        if limit == Some(Duration::ZERO) {
            return Err(Refused::NotFree);
        }
        let end = limit.and_then(|limit| Instant::now().checked_add(limit));
        let number = state.next;
        state.next += 1;
        loop {
            if state.closed {
                return Err(Refused::Closed);
            }
            if state.first == number && state.free >= many {
                state.next_first();
                state.free -= many;
                self.news.notify_all();
                return Ok(Permits { semaphore: self, many });
            }
            match end {
                None => state = self.news.wait(state).unwrap(),
                Some(end) => {
                    let rest = end.saturating_duration_since(Instant::now());
                    if rest.is_zero() {
                        if state.first == number {
                            state.next_first();
                        } else {
                            state.gone[number % PLACES] = true;
                        }
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
    /// The first one has got its permits or has gone: whose turn is it?
    fn next_first(&mut self) {
        self.first += 1;
        while self.first < self.next && self.gone[self.first % PLACES] {
            self.gone[self.first % PLACES] = false;
            self.first += 1;
        }
    }
}

impl Drop for Permits<'_> {
    fn drop(&mut self) {
        self.semaphore.lock().free += self.many;
        self.semaphore.news.notify_all();
    }
}
