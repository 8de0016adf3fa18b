//! rejected: assertion
//! by: large_numbers_are_nothing_special
//!
//! Breaks `large_numbers_are_nothing_special` ("told what became of its own round, even if hundreds of rounds have ended since"): outcomes
//! are bits of one word, the round modulo 64. A sleeps in round 0, which was complete; others go through 63 more rounds, and round 64
//! breaks. A wakes up only now, reads the bit of round 64, and gets `Broken`.

use std::num::NonZeroUsize;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

#[derive(Debug, Default)]
struct State {
    round: u64,
    here: usize,
    broken: bool,
    /// One bit for each ended round: whether it was spoilt.
    spoilt: u64,
}

impl State {
    fn end_round(&mut self, spoilt: bool) {
        let bit = 1 << (self.round % 64);
        if spoilt {
            self.spoilt |= bit;
        } else {
            self.spoilt &= !bit;
        }
        self.round += 1;
        self.here = 0;
    }

    fn outcome(&self, round: u64) -> Option<Result<bool, Broken>> {
        if self.round == round {
            None
        } else if self.spoilt & (1 << (round % 64)) != 0 {
            Some(Err(Broken))
        } else {
            Some(Ok(false))
        }
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
        if state.here > 0 {
            state.end_round(true);
        }
        state.broken = false;
        self.bell.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn break_down(&self, state: &mut State) {
        if !state.broken {
            state.end_round(true);
            state.broken = true;
            self.bell.notify_all();
        }
    }

    fn meet(&self, deadline: Option<Instant>) -> Result<bool, Broken> {
        let mut state = self.state();
        if state.broken {
            return Err(Broken);
        }
        state.here += 1;
        if state.here == self.parties.get() {
            state.end_round(false);
            self.bell.notify_all();
            return Ok(true);
        }
        let mine = state.round;
        loop {
            if let Some(outcome) = state.outcome(mine) {
                return outcome;
            }
            let Some(end) = deadline else {
                state = self.bell.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                self.break_down(&mut state);
                return Err(Broken);
            }
            state = self.bell.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
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
