//! rejected: assertion
//! by: large_numbers_are_nothing_special
//!
//! Breaks "whoever goes on late is told what became of its own round, even if hundreds of rounds have ended since": A waits, B resets (A's
//! round fails), B resets 64 times more, and only then A wakes up: its round is not in the chronicle any more, and A is told that it was
//! complete. Rounds have numbers, and a chronicle says how the last 64 of them ended.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// So many rounds back, everybody has surely gone on.
const KEPT: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Complete,
    Failed,
}

#[derive(Debug, Default)]
struct Chronicle {
    /// The number of the round that comes after the last entry.
    now: u64,
    ends: VecDeque<End>,
}

impl Chronicle {
    fn write(&mut self, end: End) {
        self.now += 1;
        self.ends.push_back(end);
        if self.ends.len() > KEPT {
            self.ends.pop_front();
        }
    }

    fn look_up(&self, round: u64) -> Option<End> {
        let ago = usize::try_from(self.now - round).ok()?;
        let place = self.ends.len().checked_sub(ago)?;
        self.ends.get(place).copied()
    }
}

#[derive(Debug, Default)]
struct Inside {
    broken: bool,
    here: usize,
    chronicle: Chronicle,
}

impl Inside {
    fn end(&mut self, end: End) {
        self.here = 0;
        self.chronicle.write(end);
    }
}

/// A place where a fixed number of parties wait for each other. Threads share it by reference.
#[derive(Debug)]
pub struct Barrier {
    parties: NonZeroUsize,
    inside: Mutex<Inside>,
    news: Condvar,
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
        Barrier { parties, inside: Mutex::default(), news: Condvar::new() }
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One party. Nobody counts how many of them there are: it is those that wait who count.
    pub fn party(&self) -> Party<'_> {
        Party { barrier: self }
    }

    /// Whether the barrier is broken.
    pub fn is_broken(&self) -> bool {
        self.inside().broken
    }

    fn fail(&self, inside: &mut Inside, broken: bool) {
        inside.end(End::Failed);
        inside.broken = broken;
        self.news.notify_all();
    }

    /// Mends the barrier: a new round begins. For whoever waits now, the barrier has broken.
    pub fn reset(&self) {
        self.fail(&mut self.inside(), false);
    }

    fn wait_until(&self, deadline: Option<Instant>) -> Result<bool, Broken> {
        let mut inside = self.inside();
        if inside.broken {
            return Err(Broken);
        }
        inside.here += 1;
        if inside.here == self.parties.get() {
            inside.end(End::Complete);
            self.news.notify_all();
            return Ok(true);
        }
        let round = inside.chronicle.now;
        while inside.chronicle.now == round {
            let Some(at) = deadline else {
                inside = self.news.wait(inside).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = at.saturating_duration_since(Instant::now());
            if left.is_zero() {
                self.fail(&mut inside, true);
            } else {
                inside = self.news.wait_timeout(inside, left).unwrap_or_else(PoisonError::into_inner).0;
            }
        }
        match inside.chronicle.look_up(round) {
            Some(End::Failed) => Err(Broken),
            Some(End::Complete) | None => Ok(false),
        }
    }
}

impl Party<'_> {
    /// Waits until all parties are here, and then all go on. Says "true" to exactly one of them, the leader of this round.
    ///
    /// # Errors
    /// [`Broken`] if the barrier is broken, or if it breaks or is reset while this one waits.
    pub fn wait(&self) -> Result<bool, Broken> {
        self.barrier.wait_until(None)
    }

    /// Like [`wait`](Party::wait), but waits for `limit` at most. Then it gives up, and that breaks the barrier for all.
    /// `Duration::MAX`, or whatever else is too long for the clock, is no limit.
    ///
    /// # Errors
    /// As `wait`, and [`Broken`] if the time is up.
    pub fn wait_timeout(&self, limit: Duration) -> Result<bool, Broken> {
        self.barrier.wait_until(Instant::now().checked_add(limit))
    }
}

impl Drop for Party<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.barrier.fail(&mut self.barrier.inside(), true);
        }
    }
}
