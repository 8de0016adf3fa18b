//! A barrier that can be used again and again, and that breaks rather than let anybody wait for ever. The lesson is in
//! `README.md`.

use std::num::NonZeroUsize;
use std::time::Duration;

/// A place where a fixed number of parties wait for each other. Threads share it by reference.
#[derive(Debug)]
pub struct Barrier {
    // The fields are yours to choose. How does somebody who wakes up late know what became of the round?
}

/// One party: whoever has it takes part, also if another thread has made it. Each thread that takes part has its own. If it
/// is dropped by a panic, the barrier breaks.
#[derive(Debug)]
pub struct Party<'barrier> {
    // Yours to choose, too. This one only lets the stub compile.
    _barrier: &'barrier Barrier,
}

/// This wait is in vain: somebody gave up or panicked, or has reset the barrier while this one waited. The barrier itself is
/// not broken any more once it is reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken;

impl Barrier {
    /// A barrier for so many parties, however many.
    pub fn new(parties: NonZeroUsize) -> Barrier {
        todo!()
    }

    /// One party. Nobody counts how many of them there are: it is those that wait who count.
    pub fn party(&self) -> Party<'_> {
        todo!()
    }

    /// Whether the barrier is broken.
    pub fn is_broken(&self) -> bool {
        todo!()
    }

    /// Mends the barrier: a new round begins. For whoever waits now, the barrier has broken.
    pub fn reset(&self) {
        todo!()
    }
}

impl Party<'_> {
    /// Waits until all parties are here, and then all go on. Says "true" to exactly one of them, the leader of this round.
    ///
    /// # Errors
    /// [`Broken`] if the barrier is broken, or if it breaks or is reset while this one waits.
    pub fn wait(&self) -> Result<bool, Broken> {
        todo!()
    }

    /// Like [`wait`](Party::wait), but waits for `limit` at most. Then it gives up, and that breaks the barrier for all.
    /// `Duration::MAX`, or whatever else is too long for the clock, is no limit.
    ///
    /// # Errors
    /// As `wait`, and [`Broken`] if the time is up.
    pub fn wait_timeout(&self, limit: Duration) -> Result<bool, Broken> {
        todo!()
    }
}
