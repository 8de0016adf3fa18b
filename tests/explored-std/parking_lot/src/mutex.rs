//! `Mutex`.

use std::fmt;
use std::mem::ManuallyDrop;
use std::raw::{Deadline, Protected, Sharing};
use std::time::{Duration, Instant};

use crate::guard::guard;

/// The model of `parking_lot::Mutex`.
pub struct Mutex<T: ?Sized> {
    pub(crate) protected: Protected<T>,
}

// SAFETY: the data is reached by one thread at a time, which may be any.
unsafe impl<T: ?Sized + Send> Send for Mutex<T> {}
// SAFETY: the same.
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}

impl<T> Mutex<T> {
    /// A free mutex.
    #[track_caller]
    pub const fn new(value: T) -> Mutex<T> {
        Mutex { protected: Protected::new("Mutex", value) }
    }

    /// Takes the data out.
    pub fn into_inner(self) -> T {
        self.protected.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Takes the mutex, waiting while somebody has it.
    #[track_caller]
    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.take(Deadline::NEVER, "lock").expect("a lock without a deadline is taken in the end")
    }

    /// Takes the mutex if it is free.
    #[track_caller]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        self.protected.try_acquire(Sharing::Alone, "try_lock").then(|| MutexGuard::of(self))
    }

    /// Takes the mutex, waiting for at most this much virtual time.
    #[track_caller]
    pub fn try_lock_for(&self, timeout: Duration) -> Option<MutexGuard<'_, T>> {
        self.take(Deadline::after(timeout), "try_lock_for")
    }

    /// Takes the mutex, waiting until this moment at most.
    #[track_caller]
    pub fn try_lock_until(&self, timeout: Instant) -> Option<MutexGuard<'_, T>> {
        self.take(Deadline::at(timeout), "try_lock_until")
    }

    /// Whether somebody has the mutex.
    #[track_caller]
    pub fn is_locked(&self) -> bool {
        self.protected.is_held("is_locked")
    }

    /// A pointer to the data, which one may follow only while one holds the lock.
    pub fn data_ptr(&self) -> *mut T {
        self.protected.value()
    }

    /// The data, which nobody else can reach.
    pub fn get_mut(&mut self) -> &mut T {
        self.protected.get_mut()
    }

    #[track_caller]
    fn take(&self, deadline: Deadline, name: &'static str) -> Option<MutexGuard<'_, T>> {
        self.protected.acquire(Sharing::Alone, name, deadline).then(|| MutexGuard::of(self))
    }
}

impl<T: Default> Default for Mutex<T> {
    #[track_caller]
    fn default() -> Mutex<T> {
        Mutex::new(T::default())
    }
}

impl<T> From<T> for Mutex<T> {
    #[track_caller]
    fn from(value: T) -> Mutex<T> {
        Mutex::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.try_lock() {
            Some(guard) => f.debug_struct("Mutex").field("data", &&*guard).finish(),
            None => f.debug_struct("Mutex").field("data", &format_args!("<locked>")).finish(),
        }
    }
}

guard! {
    /// A held [`Mutex`].
    #[must_use = "if unused the Mutex will immediately unlock"]
    whole MutexGuard of Mutex by mutex, Alone -> MappedMutexGuard [mut]
}

guard! {
    /// A part of what a held [`Mutex`] protects.
    #[must_use = "if unused the Mutex will immediately unlock"]
    mapped MappedMutexGuard, Alone [mut]
}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    /// Keeps the lock for ever.
    pub fn leak(s: MutexGuard<'a, T>) -> &'a mut T {
        let mut s = ManuallyDrop::new(s);
        // SAFETY: the lock is held alone, and never given back.
        unsafe { &mut *s.data }
    }
}
