//! rejected: lost-wakeup
//! by: reset_mends_the_barrier_and_whoever_waits_is_told_that_it_broke
//!
//! Breaks "a `Party` that is dropped by a panic breaks the barrier" for a party from before a `reset`: each party remembers the era in
//! which it was made or last waited, and its `Drop` breaks the barrier only if that era still goes on. A and B have a party each, somebody
//! calls `reset`, A waits, B panics without having waited since: the barrier is not broken, and A sleeps for ever.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

const WAITING: u8 = 0;
const COMPLETE: u8 = 1;
const BROKEN: u8 = 2;

#[derive(Debug)]
struct Bed {
    sleeper: Thread,
    outcome: AtomicU8,
}

#[derive(Debug, Default)]
struct Hut {
    beds: Vec<Arc<Bed>>,
    broken: bool,
    /// Counts the resets.
    era: u64,
}

impl Hut {
    fn wake_all(&mut self, outcome: u8) {
        for bed in std::mem::take(&mut self.beds) {
            bed.outcome.store(outcome, Ordering::Release);
            bed.sleeper.unpark();
        }
    }

    fn break_down(&mut self) {
        self.broken = true;
        self.wake_all(BROKEN);
    }
}

/// A place where a fixed number of parties wait for each other. Threads share it by reference.
#[derive(Debug)]
pub struct Barrier {
    parties: NonZeroUsize,
    hut: Mutex<Hut>,
}

/// One party: whoever has it takes part, also if another thread has made it. Each thread that takes part has its own. If it
/// is dropped by a panic, the barrier breaks.
#[derive(Debug)]
pub struct Party<'barrier> {
    barrier: &'barrier Barrier,
    /// What happened in an era that was reset is forgiven.
    era: AtomicU64,
}

/// This wait is in vain: somebody gave up or panicked, or has reset the barrier while this one waited. The barrier itself is
/// not broken any more once it is reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken;

impl Barrier {
    /// A barrier for so many parties, however many.
    pub fn new(parties: NonZeroUsize) -> Barrier {
        Barrier { parties, hut: Mutex::new(Hut::default()) }
    }

    /// One party. Nobody counts how many of them there are: it is those that wait who count.
    pub fn party(&self) -> Party<'_> {
        let era = self.hut().era;
        Party { barrier: self, era: AtomicU64::new(era) }
    }

    /// Whether the barrier is broken.
    pub fn is_broken(&self) -> bool {
        self.hut().broken
    }

    /// Mends the barrier: a new round begins. For whoever waits now, the barrier has broken.
    pub fn reset(&self) {
        let mut hut = self.hut();
        hut.wake_all(BROKEN);
        hut.broken = false;
        hut.era += 1;
    }

    fn hut(&self) -> MutexGuard<'_, Hut> {
        self.hut.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Party<'_> {
    /// Waits until all parties are here, and then all go on. Says "true" to exactly one of them, the leader of this round.
    ///
    /// # Errors
    /// [`Broken`] if the barrier is broken, or if it breaks or is reset while this one waits.
    pub fn wait(&self) -> Result<bool, Broken> {
        self.sleep_until(None)
    }

    /// Like [`wait`](Party::wait), but waits for `limit` at most. Then it gives up, and that breaks the barrier for all.
    /// `Duration::MAX`, or whatever else is too long for the clock, is no limit.
    ///
    /// # Errors
    /// As `wait`, and [`Broken`] if the time is up.
    pub fn wait_timeout(&self, limit: Duration) -> Result<bool, Broken> {
        self.sleep_until(Instant::now().checked_add(limit))
    }

    fn sleep_until(&self, deadline: Option<Instant>) -> Result<bool, Broken> {
        let bed = {
            let mut hut = self.barrier.hut();
            self.era.store(hut.era, Ordering::Relaxed);
            if hut.broken {
                return Err(Broken);
            }
            if hut.beds.len() + 1 == self.barrier.parties.get() {
                hut.wake_all(COMPLETE);
                return Ok(true);
            }
            let bed = Arc::new(Bed { sleeper: thread::current(), outcome: AtomicU8::new(WAITING) });
            hut.beds.push(Arc::clone(&bed));
            bed
        };
        loop {
            match bed.outcome.load(Ordering::Acquire) {
                COMPLETE => return Ok(false),
                BROKEN => return Err(Broken),
                _ => {}
            }
            let Some(end) = deadline else {
                thread::park();
                continue;
            };
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let mut hut = self.barrier.hut();
                // Somebody may have been faster. The next look tells.
                if bed.outcome.load(Ordering::Acquire) == WAITING {
                    hut.break_down();
                }
            } else {
                thread::park_timeout(left);
            }
        }
    }
}

impl Drop for Party<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            let mut hut = self.barrier.hut();
            if hut.era == self.era.load(Ordering::Relaxed) {
                hut.break_down();
            }
        }
    }
}
