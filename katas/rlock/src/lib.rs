//! A lock that the thread which has it may take again. The lesson is in `README.md`.

use std::time::Duration;

/// A value that one thread at a time has. The thread that has it may take it again. Threads share it by reference.
#[derive(Debug)]
pub struct RLock<T> {
    // The fields are yours to choose. What must the lock know of the thread that has it? This one only lets the stub compile.
    _value: T,
}

/// One taking of the lock. The lock is free again when its thread has dropped all its guards, in whatever order, in a panic
/// too. It stays on its thread: neither the guard nor a reference to it can go to another one.
#[derive(Debug)]
#[must_use = "the guard gives the lock back when it is dropped"]
pub struct Guard<'lock, T> {
    // Yours to choose, too. This one only lets the stub compile, and it could go to another thread.
    _lock: &'lock RLock<T>,
}

impl<T> RLock<T> {
    /// A lock that nobody has, around this value.
    pub fn new(value: T) -> RLock<T> {
        todo!()
    }

    /// Takes the lock, at once if it is free or this thread has it. Waits while another thread has it.
    pub fn lock(&self) -> Guard<'_, T> {
        todo!()
    }

    /// Takes the lock if it is free or this thread has it. Never waits for another thread to give it back.
    pub fn try_lock(&self) -> Option<Guard<'_, T>> {
        todo!()
    }

    /// Like [`lock`](RLock::lock), but waits for `limit` at most, and then gives up.
    pub fn lock_timeout(&self, limit: Duration) -> Option<Guard<'_, T>> {
        todo!()
    }

    /// How many guards of this lock the calling thread has. 0 if it has none, whoever else may have some.
    pub fn depth(&self) -> usize {
        todo!()
    }
}

impl<T: Copy> Guard<'_, T> {
    /// A copy of the value.
    pub fn get(&self) -> T {
        todo!()
    }

    /// Puts this value in the place of the old one. All guards of the lock see it.
    pub fn set(&self, value: T) {
        todo!()
    }
}
