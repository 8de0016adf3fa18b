//! Five small things that threads share without a lock. The lesson is in `README.md`.

use std::ops::Deref;

/// Gives numbers. Threads share it by reference.
#[derive(Debug)]
pub struct Counter {
    // The fields are yours to choose, here and below. Each is an atomic, or made of atomics.
}

impl Counter {
    /// A counter that has given no number yet.
    pub fn zero() -> Counter {
        todo!()
    }

    /// Gives the next number: 1, 2, 3, … Nobody else gets the same one.
    pub fn next(&self) -> u64 {
        todo!()
    }

    /// Gives the next number if it is `limit` at most.
    pub fn next_up_to(&self, limit: u64) -> Option<u64> {
        todo!()
    }

    /// How many numbers were given, as far as this thread knows.
    pub fn given(&self) -> u64 {
        todo!()
    }
}

/// Two numbers that belong together and are set once. Threads share it by reference.
#[derive(Debug)]
pub struct SetOnce {
    // How does a reader know that both are there?
}

impl SetOnce {
    /// Nothing is set yet.
    pub fn empty() -> SetOnce {
        todo!()
    }

    /// Sets the two numbers, unless somebody else has, or is about to. Says whether it did.
    pub fn set(&self, numbers: [u64; 2]) -> bool {
        todo!()
    }

    /// The two numbers, if they are there, as far as this thread knows.
    pub fn get(&self) -> Option<[u64; 2]> {
        todo!()
    }
}

/// A lock that waits by looking again and again. Threads share it by reference.
///
/// Under it, they get a shared reference. So what they change there are atomics, too, but with `Relaxed`: the lock keeps
/// order among them.
#[derive(Debug)]
pub struct SpinLock<T> {
    value: T,
    // What else does a lock have to know?
}

/// Has the lock, and gives it back when it is dropped.
#[derive(Debug)]
#[must_use = "the lock is given back at once"]
pub struct SpinGuard<'a, T> {
    lock: &'a SpinLock<T>,
}

impl<T> SpinLock<T> {
    /// A lock that nobody has.
    pub fn new(value: T) -> SpinLock<T> {
        todo!()
    }

    /// Takes the lock. Looks again and again while somebody else has it.
    pub fn lock(&self) -> SpinGuard<'_, T> {
        todo!()
    }

    /// Takes the lock if nobody has it. Does not wait.
    pub fn try_lock(&self) -> Option<SpinGuard<'_, T>> {
        todo!()
    }
}

impl<T> Deref for SpinGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.lock.value
    }
}

impl<T> Drop for SpinGuard<'_, T> {
    fn drop(&mut self) {
        todo!()
    }
}

/// How many values there were, and their sum. Threads share it by reference. What fits here is a *seqlock*: whoever reads
/// it stores nothing.
#[derive(Debug)]
pub struct Statistics {
    // Both numbers change. How does a reader know that they belong together?
}

impl Statistics {
    /// There was no value yet.
    pub fn empty() -> Statistics {
        todo!()
    }

    /// Counts one more value, and adds it to the sum, which starts over at 0 after `u64::MAX`.
    pub fn record(&self, value: u64) {
        todo!()
    }

    /// The count and the sum, both of one moment: now, as far as this thread knows.
    pub fn snapshot(&self) -> (u64, u64) {
        todo!()
    }
}

/// The two ends of a bridge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Comes from the west.
    West,
    /// Comes from the east.
    East,
}

/// A bridge with room for one. Two threads share it by reference, one on each side, and nobody tells who goes first.
#[derive(Debug)]
pub struct Bridge {
    // Begin with a flag for each side, which that side alone changes.
}

impl Bridge {
    /// Nobody is on the bridge.
    pub fn empty() -> Bridge {
        todo!()
    }

    /// Enters the bridge, unless the other side is on it, or is trying too. Says whether it did. Does not wait.
    pub fn try_enter(&self, side: Side) -> bool {
        todo!()
    }

    /// Leaves the bridge, which this side has entered.
    pub fn leave(&self, side: Side) {
        todo!()
    }
}
