//! rejected: lost-wakeup
//! by: every_round_has_one_leader_and_the_next_may_begin_at_once
//!
//! Breaks `every_round_has_one_leader_and_the_next_may_begin_at_once`: a complete round wakes its parties in a chain, each one that leaves
//! rings once for the next. Three parties: A and B wait, C completes and rings once. A wakes up; C is back already and sleeps at the same
//! bell, for round 2. A rings once, and it is C who hears it, sees that its round is not over, and sleeps on without passing it on. B never
//! wakes up, though its round is complete.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

#[derive(Debug)]
struct Ended {
    complete: bool,
    still_here: usize,
}

#[derive(Debug, Default)]
struct State {
    round: u64,
    waiting: usize,
    broken: bool,
    ended: BTreeMap<u64, Ended>,
}

impl State {
    fn end_round(&mut self, complete: bool) {
        if self.waiting > 0 {
            let ended = Ended { complete, still_here: self.waiting };
            self.ended.insert(self.round, ended);
        }
        self.round += 1;
        self.waiting = 0;
    }
}

/// A place where a fixed number of parties wait for each other. Threads share it by reference.
#[derive(Debug)]
pub struct Barrier {
    parties: NonZeroUsize,
    state: Mutex<State>,
    bell: Condvar,
}

/// One party: whoever has it takes part, also if another thread has made it. Each thread that takes part has its own. If it
/// is dropped by a panic, the barrier breaks.
#[derive(Debug)]
pub struct Party<'barrier> {
    barrier: &'barrier Barrier,
}

/// This wait is in vain: somebody gave up or panicked, or has reset the barrier while this one waited. The barrier itself is
/// not broken any more once it is reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken;

impl Barrier {
    /// A barrier for so many parties, however many.
    pub fn new(parties: NonZeroUsize) -> Barrier {
        Barrier { parties, state: Mutex::new(State::default()), bell: Condvar::new() }
    }

    /// One party. Nobody counts how many of them there are: it is those that wait who count.
    pub fn party(&self) -> Party<'_> {
        Party { barrier: self }
    }

    /// Whether the barrier is broken.
    pub fn is_broken(&self) -> bool {
        self.state().broken
    }

    /// Mends the barrier: a new round begins. For whoever waits now, the barrier has broken.
    pub fn reset(&self) {
        let mut state = self.state();
        state.end_round(false);
        state.broken = false;
        self.bell.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn break_down(&self, state: &mut State) {
        state.end_round(false);
        state.broken = true;
        self.bell.notify_all();
    }

    /// If this round is over, one more leaves it, and lets the next one out.
    fn leave(&self, state: &mut State, round: u64) -> Option<bool> {
        let ended = state.ended.get_mut(&round)?;
        let complete = ended.complete;
        ended.still_here -= 1;
        if ended.still_here == 0 {
            state.ended.remove(&round);
        } else if complete {
            self.bell.notify_one();
        }
        Some(complete)
    }

    fn meet(&self, deadline: Option<Instant>) -> Result<bool, Broken> {
        let mut state = self.state();
        if state.broken {
            return Err(Broken);
        }
        if state.waiting + 1 == self.parties.get() {
            state.end_round(true);
            self.bell.notify_one();
            return Ok(true);
        }
        state.waiting += 1;
        let mine = state.round;
        loop {
            match self.leave(&mut state, mine) {
                Some(true) => return Ok(false),
                Some(false) => return Err(Broken),
                None => {}
            }
            state = match deadline {
                None => self.bell.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(end) => {
                    let left = end.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        self.break_down(&mut state);
                        state
                    } else {
                        self.bell.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                    }
                }
            };
        }
    }
}

impl Party<'_> {
    /// Waits until all parties are here, and then all go on. Says "true" to exactly one of them, the leader of this round.
    ///
    /// # Errors
    /// [`Broken`] if the barrier is broken, or if it breaks or is reset while this one waits.
    pub fn wait(&self) -> Result<bool, Broken> {
        self.barrier.meet(None)
    }

    /// Like [`wait`](Party::wait), but waits for `limit` at most. Then it gives up, and that breaks the barrier for all.
    /// `Duration::MAX`, or whatever else is too long for the clock, is no limit.
    ///
    /// # Errors
    /// As `wait`, and [`Broken`] if the time is up.
    pub fn wait_timeout(&self, limit: Duration) -> Result<bool, Broken> {
        self.barrier.meet(Instant::now().checked_add(limit))
    }
}

impl Drop for Party<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            let mut state = self.barrier.state();
            self.barrier.break_down(&mut state);
        }
    }
}
