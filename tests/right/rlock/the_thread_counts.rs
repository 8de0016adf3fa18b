//! accepted
//!
//! The lock does not know who has it. Each thread knows how many guards it has of which lock, in a map of its own, and comes to
//! the lock only with its first guard and its last.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

thread_local!(static MINE: RefCell<BTreeMap<usize, usize>> = const { RefCell::new(BTreeMap::new()) });

#[derive(Debug)]
pub struct RLock<T> {
    /// Not its address: a lock may be moved, and another one may come where one was.
    number: usize,
    inside: Mutex<(bool, T)>,
    bell: Condvar,
}

#[derive(Debug)]
#[must_use = "the guard gives the lock back when it is dropped"]
pub struct Guard<'lock, T>(&'lock RLock<T>, std::marker::PhantomData<Rc<()>>);

fn count<R>(lock: usize, change: impl FnOnce(&mut usize) -> R) -> R {
    MINE.with_borrow_mut(|mine| {
        let count = mine.entry(lock).or_default();
        let answer = change(count);
        if *count == 0 {
            mine.remove(&lock);
        }
        answer
    })
}

impl<T> RLock<T> {
    pub fn new(value: T) -> Self {
        static LOCKS: AtomicUsize = AtomicUsize::new(0);
        let number = LOCKS.fetch_add(1, Ordering::Relaxed);
        Self { number, inside: Mutex::new((false, value)), bell: Condvar::new() }
    }

    fn enter(&self, wait: impl FnOnce() -> bool) -> Option<Guard<'_, T>> {
        if self.depth() == 0 && !wait() {
            return None;
        }
        count(self.number, |count| *count += 1);
        Some(Guard(self, std::marker::PhantomData))
    }

    pub fn lock(&self) -> Guard<'_, T> {
        self.lock_timeout(Duration::MAX).unwrap()
    }

    pub fn try_lock(&self) -> Option<Guard<'_, T>> {
        self.enter(|| {
            let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
            !std::mem::replace(&mut inside.0, true)
        })
    }

    pub fn lock_timeout(&self, limit: Duration) -> Option<Guard<'_, T>> {
        self.enter(|| {
            let inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
            let (mut inside, _) = self.bell.wait_timeout_while(inside, limit, |(taken, _)| *taken).unwrap();
            !std::mem::replace(&mut inside.0, true)
        })
    }

    pub fn depth(&self) -> usize {
        count(self.number, |count| *count)
    }
}

impl<T: Copy> Guard<'_, T> {
    pub fn get(&self) -> T {
        self.0.inside.lock().unwrap().1
    }

    pub fn set(&self, value: T) {
        self.0.inside.lock().unwrap().1 = value;
    }
}

impl<T> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        let is_last = count(self.0.number, |count| {
            *count -= 1;
            *count == 0
        });
        if is_last {
            self.0.inside.lock().unwrap().0 = false;
            self.0.bell.notify_all();
        }
    }
}
