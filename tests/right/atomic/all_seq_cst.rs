//! accepted
//!
//! `SeqCst` everywhere: stronger than needed, and never wrong. Steps that change something are loops around an exchange.

use std::ops::Deref;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64};
use std::thread;

#[derive(Debug)]
pub struct Counter(AtomicU64);

impl Counter {
    pub fn zero() -> Counter {
        Counter(AtomicU64::new(0))
    }

    pub fn next(&self) -> u64 {
        self.next_up_to(u64::MAX).unwrap()
    }

    pub fn next_up_to(&self, limit: u64) -> Option<u64> {
        self.0.fetch_update(SeqCst, SeqCst, |given| (given < limit).then_some(given + 1)).ok().map(|given| given + 1)
    }

    pub fn given(&self) -> u64 {
        self.0.load(SeqCst)
    }
}

#[derive(Debug)]
pub struct SetOnce {
    state: AtomicU8,
    first: AtomicU64,
    second: AtomicU64,
}

const EMPTY: u8 = 0;
const BUSY: u8 = 1;
const SET: u8 = 2;

impl SetOnce {
    pub fn empty() -> SetOnce {
        SetOnce { state: AtomicU8::new(EMPTY), first: AtomicU64::new(0), second: AtomicU64::new(0) }
    }

    pub fn set(&self, numbers: [u64; 2]) -> bool {
        if self.state.compare_exchange(EMPTY, BUSY, SeqCst, SeqCst).is_err() {
            return false;
        }
        self.first.store(numbers[0], SeqCst);
        self.second.store(numbers[1], SeqCst);
        self.state.store(SET, SeqCst);
        true
    }

    pub fn get(&self) -> Option<[u64; 2]> {
        match self.state.load(SeqCst) {
            SET => Some([self.first.load(SeqCst), self.second.load(SeqCst)]),
            _ => None,
        }
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
        while self.taken.compare_exchange_weak(false, true, SeqCst, SeqCst).is_err() {
            // Only looks, until it is worth another try.
            while self.taken.load(SeqCst) {
                thread::yield_now();
            }
        }
        SpinGuard { lock: self }
    }

    pub fn try_lock(&self) -> Option<SpinGuard<'_, T>> {
        match self.taken.compare_exchange(false, true, SeqCst, SeqCst) {
            Ok(_) => Some(SpinGuard { lock: self }),
            Err(_) => None,
        }
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
        self.lock.taken.swap(false, SeqCst);
    }
}

#[derive(Debug)]
pub struct Statistics {
    writing: AtomicBool,
    begun: AtomicU64,
    ended: AtomicU64,
    numbers: [AtomicU64; 2],
}

impl Statistics {
    pub fn empty() -> Statistics {
        Statistics {
            writing: AtomicBool::new(false),
            begun: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            numbers: Default::default(),
        }
    }

    /// Two counts in the place of one that is odd or even.
    pub fn record(&self, value: u64) {
        while self.writing.swap(true, SeqCst) {
            thread::yield_now();
        }
        self.begun.fetch_add(1, SeqCst);
        self.numbers[0].fetch_add(1, SeqCst);
        self.numbers[1].fetch_add(value, SeqCst);
        self.ended.fetch_add(1, SeqCst);
        self.writing.store(false, SeqCst);
    }

    pub fn snapshot(&self) -> (u64, u64) {
        loop {
            let ended = self.ended.load(SeqCst);
            let [count, sum] = [self.numbers[0].load(SeqCst), self.numbers[1].load(SeqCst)];
            if self.begun.load(SeqCst) == ended {
                return (count, sum);
            }
            thread::yield_now();
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    West,
    East,
}

#[derive(Debug)]
pub struct Bridge {
    there: [AtomicBool; 2],
}

impl Bridge {
    pub fn empty() -> Bridge {
        Bridge { there: Default::default() }
    }

    pub fn try_enter(&self, side: Side) -> bool {
        self.there[side as usize].swap(true, SeqCst);
        let enters = !self.there[1 - side as usize].load(SeqCst);
        if !enters {
            self.leave(side);
        }
        enters
    }

    pub fn leave(&self, side: Side) {
        self.there[side as usize].store(false, SeqCst);
    }
}
