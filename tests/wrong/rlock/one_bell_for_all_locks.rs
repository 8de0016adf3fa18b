//! rejected: lost-wakeup
//! by: each_lock_has_an_owner_and_a_depth_of_its_own
//!
//! All locks stand in one table with one condition variable. `notify_one` may wake somebody who waits for another lock, and who sleeps
//! again.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

#[derive(Default)]
struct Table {
    next: u64,
    taken: BTreeMap<u64, (ThreadId, usize)>,
}

static TABLE: Mutex<Table> = Mutex::new(Table { next: 0, taken: BTreeMap::new() });
static BELL: Condvar = Condvar::new();

fn table() -> MutexGuard<'static, Table> {
    TABLE.lock().unwrap_or_else(|e| e.into_inner())
}

/// Its number is given back when the lock goes.
#[derive(Debug)]
struct Number(u64);

impl Drop for Number {
    fn drop(&mut self) {
        table().taken.remove(&self.0);
    }
}

#[derive(Debug)]
pub struct RLock<T> {
    number: Number,
    value: Mutex<T>,
}

#[derive(Debug)]
#[must_use = "the guard gives the lock back when it is dropped"]
pub struct Guard<'lock, T> {
    lock: &'lock RLock<T>,
    _stays: PhantomData<*const ()>,
}

impl Table {
    fn enter(&mut self, number: u64) -> bool {
        let me = thread::current().id();
        let entry = self.taken.entry(number).or_insert((me, 0));
        if entry.0 == me {
            entry.1 += 1;
        }
        entry.0 == me
    }

    fn leave(&mut self, number: u64) -> bool {
        let Some(entry) = self.taken.get_mut(&number) else { return false };
        entry.1 -= 1;
        let last = entry.1 == 0;
        if last {
            self.taken.remove(&number);
        }
        last
    }
}

impl<T> RLock<T> {
    pub fn new(value: T) -> RLock<T> {
        let mut table = table();
        table.next += 1;
        RLock { number: Number(table.next), value: Mutex::new(value) }
    }

    fn guard(&self) -> Guard<'_, T> {
        Guard { lock: self, _stays: PhantomData }
    }

    pub fn lock(&self) -> Guard<'_, T> {
        let mut table = table();
        while !table.enter(self.number.0) {
            table = BELL.wait(table).unwrap_or_else(|e| e.into_inner());
        }
        self.guard()
    }

    pub fn try_lock(&self) -> Option<Guard<'_, T>> {
        table().enter(self.number.0).then(|| self.guard())
    }

    pub fn lock_timeout(&self, limit: Duration) -> Option<Guard<'_, T>> {
        let Some(end) = Instant::now().checked_add(limit) else { return Some(self.lock()) };
        let mut table = table();
        while !table.enter(self.number.0) {
            let now = Instant::now();
            if now >= end {
                return None;
            }
            table = BELL.wait_timeout(table, end - now).unwrap_or_else(|e| e.into_inner()).0;
        }
        Some(self.guard())
    }

    pub fn depth(&self) -> usize {
        let me = thread::current().id();
        table().taken.get(&self.number.0).filter(|entry| entry.0 == me).map_or(0, |entry| entry.1)
    }
}

impl<T: Copy> Guard<'_, T> {
    pub fn get(&self) -> T {
        *self.lock.value.lock().unwrap_or_else(|e| e.into_inner())
    }

    pub fn set(&self, value: T) {
        *self.lock.value.lock().unwrap_or_else(|e| e.into_inner()) = value;
    }
}

impl<T> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        if table().leave(self.lock.number.0) {
            BELL.notify_one();
        }
    }
}
