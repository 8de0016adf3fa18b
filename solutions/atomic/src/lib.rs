//! Five small things that threads share without a lock, each with the weakest orderings that are right.
//!
//! An atomic alone never loses a change, whatever its ordering. Orderings are about the *others*: what else does a thread know
//! when it has read this value? So each ordering here stands where one thread has to know what another one did before.

use std::hint;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Gives numbers. Threads share it by reference.
///
/// `Relaxed` is enough, since nothing but the number is passed on: nobody concludes from it what happened elsewhere.
#[derive(Debug)]
pub struct Counter {
    given: AtomicU64,
}

impl Counter {
    /// A counter that has given no number yet.
    pub fn zero() -> Counter {
        Counter { given: AtomicU64::new(0) }
    }

    /// Gives the next number: 1, 2, 3, … Nobody else gets the same one.
    pub fn next(&self) -> u64 {
        // One step: it reads the newest number, whatever the ordering, and nobody comes between.
        self.given.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Gives the next number if it is `limit` at most.
    pub fn next_up_to(&self, limit: u64) -> Option<u64> {
        let mut given = self.given.load(Ordering::Relaxed);
        while given < limit {
            // Fails if somebody else was faster. Then it says what is there now, and we look at the limit again.
            match self.given.compare_exchange_weak(given, given + 1, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Some(given + 1),
                Err(now) => given = now,
            }
        }
        // What we read may be old, but the numbers only grow: the limit is reached all the more.
        None
    }

    /// How many numbers were given, as far as this thread knows.
    pub fn given(&self) -> u64 {
        self.given.load(Ordering::Relaxed)
    }
}

/// Two numbers that belong together and are set once. Threads share it by reference.
#[derive(Debug)]
pub struct SetOnce {
    /// Somebody sets the numbers, or has.
    claimed: AtomicBool,
    /// The numbers are there.
    there: AtomicBool,
    numbers: [AtomicU64; 2],
}

impl SetOnce {
    /// Nothing is set yet.
    pub fn empty() -> SetOnce {
        SetOnce { claimed: AtomicBool::new(false), there: AtomicBool::new(false), numbers: Default::default() }
    }

    /// Sets the two numbers, unless somebody else has, or is about to. Says whether it did.
    pub fn set(&self, numbers: [u64; 2]) -> bool {
        // Only one thread finds `false`. It learns nothing else from it, so `Relaxed` is enough.
        if self.claimed.swap(true, Ordering::Relaxed) {
            return false;
        }
        for (place, number) in self.numbers.iter().zip(numbers) {
            place.store(number, Ordering::Relaxed);
        }
        // Last, and with `Release`: who sees this flag sees all that was stored before it.
        self.there.store(true, Ordering::Release);
        true
    }

    /// The two numbers, if they are there, as far as this thread knows.
    pub fn get(&self) -> Option<[u64; 2]> {
        // The other half of the promise: `Acquire` is who sees it.
        let there = self.there.load(Ordering::Acquire);
        there.then(|| self.numbers.each_ref().map(|number| number.load(Ordering::Relaxed)))
    }
}

/// A lock that waits by looking again and again. Threads share it by reference.
///
/// Under it, they get a shared reference. So what they change there are atomics, too, but with `Relaxed`: the lock keeps
/// order among them.
#[derive(Debug)]
pub struct SpinLock<T> {
    value: T,
    taken: AtomicBool,
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
        SpinLock { value, taken: AtomicBool::new(false) }
    }

    /// Takes the lock. Looks again and again while somebody else has it.
    pub fn lock(&self) -> SpinGuard<'_, T> {
        loop {
            if let Some(guard) = self.try_lock() {
                return guard;
            }
            // Tells the processor that we only wait.
            hint::spin_loop();
        }
    }

    /// Takes the lock if nobody has it. Does not wait.
    pub fn try_lock(&self) -> Option<SpinGuard<'_, T>> {
        // Who finds the lock free reads what the last holder has stored with `Release`, and so sees all that was done under
        // the lock.
        let was_taken = self.taken.swap(true, Ordering::Acquire);
        (!was_taken).then(|| SpinGuard { lock: self })
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
        self.lock.taken.store(false, Ordering::Release);
    }
}

/// How many values there were, and their sum. Threads share it by reference. What fits here is a *seqlock*: whoever reads
/// it stores nothing.
#[derive(Debug)]
pub struct Statistics {
    /// Odd while somebody changes the numbers, and another one after each change.
    version: AtomicU64,
    count: AtomicU64,
    sum: AtomicU64,
}

impl Statistics {
    /// There was no value yet.
    pub fn empty() -> Statistics {
        Statistics { version: AtomicU64::new(0), count: AtomicU64::new(0), sum: AtomicU64::new(0) }
    }

    /// Counts one more value, and adds it to the sum, which starts over at 0 after `u64::MAX`.
    pub fn record(&self, value: u64) {
        let version = self.begin();
        // Nobody else writes now, and we have acquired what the last one wrote: these loads are of the newest numbers.
        let count = self.count.load(Ordering::Relaxed);
        let sum = self.sum.load(Ordering::Relaxed);
        // Each with `Release`: whoever sees one of the new numbers sees the odd version before it, too.
        self.count.store(count + 1, Ordering::Release);
        self.sum.store(sum.wrapping_add(value), Ordering::Release);
        // Whoever sees the next even version sees both numbers.
        self.version.store(version + 2, Ordering::Release);
    }

    /// Makes the version odd, for one thread at a time, and says which it was.
    fn begin(&self) -> u64 {
        loop {
            let version = self.version.load(Ordering::Relaxed);
            let is_mine = || {
                self.version.compare_exchange_weak(version, version + 1, Ordering::Acquire, Ordering::Relaxed).is_ok()
            };
            if version.is_multiple_of(2) && is_mine() {
                return version;
            }
            hint::spin_loop();
        }
    }

    /// The count and the sum, both of one moment: now, as far as this thread knows.
    pub fn snapshot(&self) -> (u64, u64) {
        loop {
            // `Acquire`: neither number is older than this version.
            let before = self.version.load(Ordering::Acquire);
            // `Acquire`: if one of them is newer, the version below is newer, too.
            let snapshot = (self.count.load(Ordering::Acquire), self.sum.load(Ordering::Acquire));
            let after = self.version.load(Ordering::Relaxed);
            if before.is_multiple_of(2) && before == after {
                return snapshot;
            }
            hint::spin_loop();
        }
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
    west: AtomicBool,
    east: AtomicBool,
}

impl Bridge {
    /// Nobody is on the bridge.
    pub fn empty() -> Bridge {
        Bridge { west: AtomicBool::new(false), east: AtomicBool::new(false) }
    }

    /// Enters the bridge, unless the other side is on it, or is trying too. Says whether it did. Does not wait.
    pub fn try_enter(&self, side: Side) -> bool {
        let [mine, other] = self.flags(side);
        // All four, the store and the load of either side, are in one order. So the side whose store comes second sees the other's.
        // With `Release` and `Acquire` nothing orders my store and my load of another atomic: both sides may read `false`.
        mine.store(true, Ordering::SeqCst);
        if other.load(Ordering::SeqCst) {
            self.leave(side);
            return false;
        }
        true
    }

    /// Leaves the bridge, which this side has entered.
    pub fn leave(&self, side: Side) {
        let [mine, _] = self.flags(side);
        // Who sees that this side is not there sees what it has done on the bridge.
        mine.store(false, Ordering::Release);
    }

    /// The flag of this side, and the other one.
    fn flags(&self, side: Side) -> [&AtomicBool; 2] {
        match side {
            Side::West => [&self.west, &self.east],
            Side::East => [&self.east, &self.west],
        }
    }
}
