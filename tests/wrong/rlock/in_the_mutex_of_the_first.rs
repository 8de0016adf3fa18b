//! rejected: assertion, panic
//! by: whoever_panics_leaves_the_lock_free_and_the_value_as_it_is, every_small_program_of_calls_keeps_the_contract
//!
//! The first guard has the guard of a `std` mutex, and those after it have nothing but a number. When its owner panics the mutex is
//! poisoned, and nobody ever gets it again.

use std::marker::PhantomData;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::thread::{self, ThreadId};
use std::time::Duration;

#[derive(Debug)]
pub struct RLock<T> {
    owner: Mutex<Option<(ThreadId, usize)>>,
    freed: Condvar,
    value: Mutex<T>,
    entrance: Mutex<()>,
}

#[derive(Debug)]
pub struct Guard<'lock, T> {
    lock: &'lock RLock<T>,
    _entrance: Option<MutexGuard<'lock, ()>>,
    _here: PhantomData<*const ()>,
}

impl<T> RLock<T> {
    pub fn new(value: T) -> RLock<T> {
        RLock {
            owner: Mutex::new(None),
            freed: Condvar::new(),
            value: Mutex::new(value),
            entrance: Mutex::new(()),
        }
    }

    pub fn lock(&self) -> Guard<'_, T> {
        self.lock_timeout(Duration::MAX).unwrap()
    }

    pub fn try_lock(&self) -> Option<Guard<'_, T>> {
        self.lock_timeout(Duration::ZERO)
    }

    pub fn lock_timeout(&self, limit: Duration) -> Option<Guard<'_, T>> {
        let me = thread::current().id();
        let owner = self.owner.lock().unwrap();
        let (mut owner, timeout) =
            self.freed.wait_timeout_while(owner, limit, |owner| owner.is_some_and(|(id, _)| id != me)).unwrap();
        if timeout.timed_out() {
            return None;
        }
        let depth = owner.map_or(0, |(_, depth)| depth);
        *owner = Some((me, depth + 1));
        drop(owner);
        let entrance = (depth == 0).then(|| self.entrance.lock().unwrap());
        Some(Guard { lock: self, _entrance: entrance, _here: PhantomData })
    }

    pub fn depth(&self) -> usize {
        let me = thread::current().id();
        self.owner.lock().unwrap().filter(|(id, _)| *id == me).map_or(0, |(_, depth)| depth)
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
        let mut owner = self.lock.owner.lock().unwrap();
        let (id, depth) = owner.unwrap();
        *owner = (depth > 1).then_some((id, depth - 1));
        if depth == 1 {
            self.lock.freed.notify_one();
        }
    }
}
