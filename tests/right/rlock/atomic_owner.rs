//! accepted
//!
//! The owner's number is an atomic beside a plain lock. A thread that finds its own number there has the lock, since nobody else
//! writes that number and it takes it away itself. So `Relaxed` is enough, and to take it again costs no lock at all.

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

static THREADS: AtomicU64 = AtomicU64::new(1);

thread_local! {
    static NUMBER: u64 = THREADS.fetch_add(1, Relaxed);
}

const NOBODY: u64 = 0;

#[derive(Debug)]
pub struct RLock<T> {
    owner: AtomicU64,
    /// Written by the owner only.
    depth: AtomicUsize,
    taken: Mutex<bool>,
    freed: Condvar,
    value: Mutex<T>,
}

#[derive(Debug)]
#[must_use = "the guard gives the lock back when it is dropped"]
pub struct Guard<'lock, T> {
    lock: &'lock RLock<T>,
    // `Cell` is not `Sync`, so a reference to one is not `Send`, and neither of them is both.
    _neither: PhantomData<(Cell<()>, &'lock Cell<()>)>,
}

impl<T> RLock<T> {
    pub fn new(value: T) -> RLock<T> {
        RLock {
            owner: AtomicU64::new(NOBODY),
            depth: AtomicUsize::new(0),
            taken: Mutex::new(false),
            freed: Condvar::new(),
            value: Mutex::new(value),
        }
    }

    fn is_mine(&self) -> bool {
        self.owner.load(Relaxed) == NUMBER.with(|number| *number)
    }

    fn guard(&self) -> Guard<'_, T> {
        self.depth.store(self.depth.load(Relaxed) + 1, Relaxed);
        Guard { lock: self, _neither: PhantomData }
    }

    fn take(&self, mut taken: impl std::ops::DerefMut<Target = bool>) -> Guard<'_, T> {
        *taken = true;
        self.owner.store(NUMBER.with(|number| *number), Relaxed);
        self.guard()
    }

    pub fn lock(&self) -> Guard<'_, T> {
        if self.is_mine() {
            return self.guard();
        }
        let mut taken = self.taken.lock().unwrap();
        while *taken {
            taken = self.freed.wait(taken).unwrap();
        }
        self.take(taken)
    }

    pub fn try_lock(&self) -> Option<Guard<'_, T>> {
        if self.is_mine() {
            return Some(self.guard());
        }
        let taken = self.taken.lock().unwrap();
        (!*taken).then(|| self.take(taken))
    }

    pub fn lock_timeout(&self, limit: Duration) -> Option<Guard<'_, T>> {
        let Some(end) = Instant::now().checked_add(limit) else { return Some(self.lock()) };
        if self.is_mine() {
            return Some(self.guard());
        }
        let mut taken = self.taken.lock().unwrap();
        while *taken {
            let left = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
            taken = self.freed.wait_timeout(taken, left).unwrap().0;
        }
        Some(self.take(taken))
    }

    pub fn depth(&self) -> usize {
        if self.is_mine() { self.depth.load(Relaxed) } else { 0 }
    }
}

impl<T: Copy> Guard<'_, T> {
    pub fn get(&self) -> T {
        *self.lock.value.lock().unwrap()
    }

    pub fn set(&self, value: T) {
        *self.lock.value.lock().unwrap() = value;
    }
}

impl<T> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        let left = self.lock.depth.load(Relaxed) - 1;
        self.lock.depth.store(left, Relaxed);
        if left > 0 {
            return;
        }
        // Before it is free: afterwards it may be another one's number that is taken away.
        self.lock.owner.store(NOBODY, Relaxed);
        *self.lock.taken.lock().unwrap() = false;
        self.lock.freed.notify_one();
    }
}
