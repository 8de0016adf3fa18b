//! rejected: lost-wakeup
//! by: whoever_gives_up_leaves_the_line
//!
//! Whoever gives up behind others is only marked, and is thrown away at the front, once there are enough permits for it. If it wanted more
//! than is free, those behind it sleep on.

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
}

#[derive(Debug)]
struct Waiting {
    ticket: u64,
    many: usize,
    /// Its time was up.
    gone: bool,
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
            state: Mutex::new(State { free: permits, closed: false, next: 0, line: VecDeque::new() }),
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
        state.line.push_back(Waiting { ticket, many, gone: false });
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
                        state.leave(ticket);
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
    /// Gives the permits that are free to those who are next.
    fn serve(&mut self) {
        while !self.closed && self.line.front().is_some_and(|first| first.many <= self.free) {
            let first = self.line.pop_front().unwrap();
            if !first.gone {
                self.free -= first.many;
            }
        }
    }

    /// Has this one got its permits? Nobody else is taken out of the line before it is awake.
    fn is_served(&self, ticket: u64) -> bool {
        self.line.iter().all(|waiting| waiting.ticket != ticket)
    }

    /// Its time is up.
    fn leave(&mut self, ticket: u64) {
        if let Some(waiting) = self.line.iter_mut().find(|waiting| waiting.ticket == ticket) {
            waiting.gone = true;
        }
        while self.line.front().is_some_and(|first| first.gone) {
            self.line.pop_front();
        }
        self.serve();
    }
}

impl Drop for Permits<'_> {
    fn drop(&mut self) {
        let mut state = self.semaphore.lock();
        state.free += self.many;
        state.serve();
        drop(state);
        self.semaphore.news.notify_all();
    }
}
