//! accepted
//!
//! All loads and stores are `Relaxed`, and fences stand between them, as in the Linux kernel. The seqlock is the classic one.

use std::hint::spin_loop;
use std::ops::Deref;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, fence};

#[derive(Debug, Default)]
pub struct Counter {
    given: AtomicU64,
}

impl Counter {
    pub fn zero() -> Counter {
        Counter::default()
    }

    pub fn next(&self) -> u64 {
        loop {
            let given = self.given.load(Relaxed);
            if self.given.compare_exchange(given, given + 1, Relaxed, Relaxed).is_ok() {
                return given + 1;
            }
        }
    }

    pub fn next_up_to(&self, limit: u64) -> Option<u64> {
        loop {
            let given = self.given.load(Relaxed);
            if given >= limit {
                return None;
            }
            if self.given.compare_exchange(given, given + 1, Relaxed, Relaxed).is_ok() {
                return Some(given + 1);
            }
        }
    }

    pub fn given(&self) -> u64 {
        self.given.load(Relaxed)
    }
}

#[derive(Debug, Default)]
pub struct SetOnce {
    setters: AtomicUsize,
    there: AtomicBool,
    numbers: [AtomicU64; 2],
}

impl SetOnce {
    pub fn empty() -> SetOnce {
        SetOnce::default()
    }

    pub fn set(&self, [first, second]: [u64; 2]) -> bool {
        let is_first = self.setters.fetch_add(1, Relaxed) == 0;
        if is_first {
            self.numbers[0].store(first, Relaxed);
            self.numbers[1].store(second, Relaxed);
            fence(Release);
            self.there.store(true, Relaxed);
        }
        is_first
    }

    pub fn get(&self) -> Option<[u64; 2]> {
        if !self.there.load(Relaxed) {
            return None;
        }
        fence(Acquire);
        Some([self.numbers[0].load(Relaxed), self.numbers[1].load(Relaxed)])
    }
}

#[derive(Debug)]
pub struct SpinLock<T> {
    value: T,
    taken: AtomicBool,
}

#[derive(Debug)]
#[must_use = "the lock is given back at once"]
pub struct SpinGuard<'a, T> {
    lock: &'a SpinLock<T>,
}

impl<T> SpinLock<T> {
    pub fn new(value: T) -> SpinLock<T> {
        SpinLock { value, taken: AtomicBool::new(false) }
    }

    pub fn lock(&self) -> SpinGuard<'_, T> {
        while self.taken.swap(true, Relaxed) {
            spin_loop();
        }
        fence(Acquire);
        SpinGuard { lock: self }
    }

    pub fn try_lock(&self) -> Option<SpinGuard<'_, T>> {
        if self.taken.swap(true, Relaxed) {
            return None;
        }
        fence(Acquire);
        Some(SpinGuard { lock: self })
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
        fence(Release);
        self.lock.taken.store(false, Relaxed);
    }
}

#[derive(Debug, Default)]
pub struct Statistics {
    version: AtomicU64,
    count: AtomicU64,
    sum: AtomicU64,
}

impl Statistics {
    pub fn empty() -> Statistics {
        Statistics::default()
    }

    pub fn record(&self, value: u64) {
        let mut version = self.version.load(Relaxed);
        loop {
            if version & 1 == 1 {
                spin_loop();
                version = self.version.load(Relaxed);
                continue;
            }
            match self.version.compare_exchange_weak(version, version + 1, Relaxed, Relaxed) {
                Ok(_) => break,
                Err(now) => version = now,
            }
        }
        // It acquires what the last writer did, and keeps the numbers behind the odd version.
        fence(AcqRel);
        self.count.store(self.count.load(Relaxed) + 1, Relaxed);
        self.sum.store(self.sum.load(Relaxed).wrapping_add(value), Relaxed);
        fence(Release);
        self.version.store(version + 2, Relaxed);
    }

    pub fn snapshot(&self) -> (u64, u64) {
        loop {
            let version = self.version.load(Relaxed);
            fence(Acquire);
            let (count, sum) = (self.count.load(Relaxed), self.sum.load(Relaxed));
            fence(Acquire);
            if version & 1 == 0 && self.version.load(Relaxed) == version {
                return (count, sum);
            }
            spin_loop();
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    West,
    East,
}

#[derive(Debug, Default)]
pub struct Bridge {
    flags: [AtomicBool; 2],
}

impl Bridge {
    pub fn empty() -> Bridge {
        Bridge::default()
    }

    pub fn try_enter(&self, side: Side) -> bool {
        let (mine, other) = match side {
            Side::West => (&self.flags[0], &self.flags[1]),
            Side::East => (&self.flags[1], &self.flags[0]),
        };
        mine.store(true, Relaxed);
        fence(SeqCst);
        if other.load(Relaxed) {
            fence(Release);
            mine.store(false, Relaxed);
            return false;
        }
        fence(Acquire);
        true
    }

    pub fn leave(&self, side: Side) {
        fence(Release);
        self.flags[usize::from(side == Side::East)].store(false, Relaxed);
    }
}
