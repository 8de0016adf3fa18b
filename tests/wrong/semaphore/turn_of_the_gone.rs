//! rejected: lost-wakeup
//! by: whoever_gives_up_leaves_the_line
//!
//! Turns are numbers. Whoever gives up in the middle of the line is noted as gone, and its turn is skipped when it comes. But only one is skipped: of two
//! neighbours who gave up, the second keeps its turn for ever, and all behind it sleep on.

use std::collections::HashSet;
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

#[derive(Debug, Default)]
struct State {
    free: usize,
    closed: bool,
    next: u64,
    turn: u64,
    gone: HashSet<u64>,
}

impl State {
    fn advance(&mut self) {
        self.turn += 1;
        if self.gone.remove(&self.turn) {
            self.turn += 1;
        }
    }

    fn nobody_waits(&self) -> bool {
        self.turn == self.next
    }
}

#[derive(Debug)]
pub struct Semaphore {
    total: usize,
    state: Mutex<State>,
    change: Condvar,
}

#[derive(Debug)]
#[must_use = "the permits go back when this is dropped"]
pub struct Permits<'semaphore> {
    semaphore: &'semaphore Semaphore,
    many: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    NotFree,
    Closed,
}

impl Semaphore {
    pub fn new(permits: usize) -> Semaphore {
        let state = State { free: permits, ..State::default() };
        Semaphore { total: permits, state: Mutex::new(state), change: Condvar::new() }
    }

    pub fn free(&self) -> usize {
        self.state.lock().unwrap().free
    }

    fn until(&self, many: usize, end: Option<Instant>, stay: bool) -> Result<Permits<'_>, Refused> {
        assert!(many <= self.total, "too many");
        let mut state = self.state.lock().unwrap();
        if state.closed {
            return Err(Refused::Closed);
        }
        if state.nobody_waits() && state.free >= many {
            state.free -= many;
            return Ok(Permits { semaphore: self, many });
        }
        if !stay {
            return Err(Refused::NotFree);
        }
        let mine = state.next;
        state.next += 1;
        loop {
            if state.closed {
                return Err(Refused::Closed);
            }
            if state.turn == mine && state.free >= many {
                state.free -= many;
                state.advance();
                self.change.notify_all();
                return Ok(Permits { semaphore: self, many });
            }
            match end {
                None => state = self.change.wait(state).unwrap(),
                Some(end) => {
                    let left = end.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        if state.turn == mine {
                            state.advance();
                            self.change.notify_all();
                        } else {
                            state.gone.insert(mine);
                        }
                        return Err(Refused::NotFree);
                    }
                    state = self.change.wait_timeout(state, left).unwrap().0;
                }
            }
        }
    }

    pub fn acquire(&self, many: usize) -> Result<Permits<'_>, Refused> {
        self.until(many, None, true)
    }

    pub fn try_acquire(&self, many: usize) -> Result<Permits<'_>, Refused> {
        self.until(many, None, false)
    }

    pub fn acquire_timeout(&self, many: usize, limit: Duration) -> Result<Permits<'_>, Refused> {
        self.until(many, Instant::now().checked_add(limit), !limit.is_zero())
    }

    pub fn close(&self) {
        self.state.lock().unwrap().closed = true;
        self.change.notify_all();
    }
}

impl Drop for Permits<'_> {
    fn drop(&mut self) {
        self.semaphore.state.lock().unwrap().free += self.many;
        self.semaphore.change.notify_all();
    }
}
