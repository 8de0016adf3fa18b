//! accepted
//!
//! The spin lock gives tickets, so that nobody is passed over. The statistics are under such a lock, for readers, too. The
//! bridge is one atomic that says who is on it: an exchange of one atomic reads the newest value if it succeeds, so that
//! `Acquire` and `Release` are enough.

use std::hint::spin_loop;
use std::ops::Deref;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize};

#[derive(Debug, Default)]
pub struct Counter {
    given: AtomicUsize,
}

impl Counter {
    pub fn zero() -> Counter {
        Counter::default()
    }

    pub fn next(&self) -> u64 {
        1 + self.given.fetch_add(1, AcqRel) as u64
    }

    pub fn next_up_to(&self, limit: u64) -> Option<u64> {
        let next = |given: usize| ((given as u64) < limit).then_some(given + 1);
        self.given.fetch_update(Relaxed, Relaxed, next).ok().and_then(next).map(|number| number as u64)
    }

    pub fn given(&self) -> u64 {
        self.given.load(Relaxed) as u64
    }
}

/// The numbers, and how many of three steps are done: claimed, first stored, second stored.
#[derive(Debug, Default)]
pub struct SetOnce {
    steps: AtomicU8,
    numbers: [AtomicU64; 2],
}

impl SetOnce {
    pub fn empty() -> SetOnce {
        SetOnce::default()
    }

    pub fn set(&self, numbers: [u64; 2]) -> bool {
        if self.steps.compare_exchange(0, 1, Relaxed, Relaxed).is_err() {
            return false;
        }
        for (place, number) in self.numbers.iter().zip(numbers) {
            place.store(number, Relaxed);
            self.steps.fetch_add(1, Release);
        }
        true
    }

    pub fn get(&self) -> Option<[u64; 2]> {
        if self.steps.load(Acquire) < 3 {
            return None;
        }
        Some(self.numbers.each_ref().map(|number| number.load(Relaxed)))
    }
}

#[derive(Debug)]
pub struct SpinLock<T> {
    value: T,
    tickets: AtomicUsize,
    serving: AtomicUsize,
}

#[derive(Debug)]
#[must_use = "the lock is given back at once"]
pub struct SpinGuard<'a, T> {
    lock: &'a SpinLock<T>,
    ticket: usize,
}

impl<T> SpinLock<T> {
    pub fn new(value: T) -> SpinLock<T> {
        SpinLock { value, tickets: AtomicUsize::new(0), serving: AtomicUsize::new(0) }
    }

    pub fn lock(&self) -> SpinGuard<'_, T> {
        let ticket = self.tickets.fetch_add(1, Relaxed);
        while self.serving.load(Acquire) != ticket {
            spin_loop();
        }
        SpinGuard { lock: self, ticket }
    }

    /// Takes a ticket only if it is served at once.
    pub fn try_lock(&self) -> Option<SpinGuard<'_, T>> {
        let ticket = self.serving.load(Acquire);
        let is_mine = self.tickets.compare_exchange(ticket, ticket + 1, Relaxed, Relaxed).is_ok();
        is_mine.then(|| SpinGuard { lock: self, ticket })
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
        self.lock.serving.store(self.ticket + 1, Release);
    }
}

#[derive(Debug)]
pub struct Statistics {
    numbers: SpinLock<[AtomicU64; 2]>,
}

impl Statistics {
    pub fn empty() -> Statistics {
        Statistics { numbers: SpinLock::new(Default::default()) }
    }

    pub fn record(&self, value: u64) {
        let numbers = self.numbers.lock();
        for (number, more) in numbers.iter().zip([1, value]) {
            number.store(number.load(Relaxed).wrapping_add(more), Relaxed);
        }
    }

    pub fn snapshot(&self) -> (u64, u64) {
        let numbers = self.numbers.lock();
        (numbers[0].load(Relaxed), numbers[1].load(Relaxed))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    West,
    East,
}

#[derive(Debug, Default)]
pub struct Bridge {
    /// 0 for nobody, 1 for the west, 2 for the east.
    there: AtomicU8,
}

impl Bridge {
    pub fn empty() -> Bridge {
        Bridge::default()
    }

    pub fn try_enter(&self, side: Side) -> bool {
        self.there.compare_exchange(0, 1 + side as u8, Acquire, Relaxed).is_ok()
    }

    pub fn leave(&self, _side: Side) {
        self.there.store(0, Release);
    }
}
