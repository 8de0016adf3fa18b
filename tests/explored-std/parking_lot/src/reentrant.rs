//! `ReentrantMutex`.

use std::fmt;
use std::raw::{Deadline, Protected, Sharing};
use std::time::{Duration, Instant};

use crate::guard::guard;

/// The model of `parking_lot::ReentrantMutex`: the thread that has it may take it again.
pub struct ReentrantMutex<T: ?Sized> {
    protected: Protected<T>,
}

// SAFETY: the data is reached by one thread at a time, which may be any; guards give out shared references only.
unsafe impl<T: ?Sized + Send> Send for ReentrantMutex<T> {}
// SAFETY: the same.
unsafe impl<T: ?Sized + Send> Sync for ReentrantMutex<T> {}

impl<T> ReentrantMutex<T> {
    /// A free mutex.
    #[track_caller]
    pub const fn new(value: T) -> ReentrantMutex<T> {
        ReentrantMutex { protected: Protected::new("ReentrantMutex", value) }
    }

    /// Takes the data out.
    pub fn into_inner(self) -> T {
        self.protected.into_inner()
    }
}

impl<T: ?Sized> ReentrantMutex<T> {
    /// Takes the mutex, waiting while another thread has it.
    #[track_caller]
    pub fn lock(&self) -> ReentrantMutexGuard<'_, T> {
        self.take(Deadline::NEVER, "lock").expect("a lock without a deadline is taken in the end")
    }

    /// Takes the mutex if no other thread has it.
    #[track_caller]
    pub fn try_lock(&self) -> Option<ReentrantMutexGuard<'_, T>> {
        self.protected.try_acquire(Sharing::Again, "try_lock").then(|| ReentrantMutexGuard::of(self))
    }

    /// Takes the mutex, waiting for at most this much virtual time.
    #[track_caller]
    pub fn try_lock_for(&self, timeout: Duration) -> Option<ReentrantMutexGuard<'_, T>> {
        self.take(Deadline::after(timeout), "try_lock_for")
    }

    /// Takes the mutex, waiting until this moment at most.
    #[track_caller]
    pub fn try_lock_until(&self, timeout: Instant) -> Option<ReentrantMutexGuard<'_, T>> {
        self.take(Deadline::at(timeout), "try_lock_until")
    }

    /// Whether somebody has the mutex.
    #[track_caller]
    pub fn is_locked(&self) -> bool {
        self.protected.is_held("is_locked")
    }

    /// Whether the thread that calls has the mutex.
    pub fn is_owned_by_current_thread(&self) -> bool {
        self.protected.is_mine()
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
    fn take(&self, deadline: Deadline, name: &'static str) -> Option<ReentrantMutexGuard<'_, T>> {
        self.protected.acquire(Sharing::Again, name, deadline).then(|| ReentrantMutexGuard::of(self))
    }
}

impl<T: Default> Default for ReentrantMutex<T> {
    #[track_caller]
    fn default() -> ReentrantMutex<T> {
        ReentrantMutex::new(T::default())
    }
}

impl<T> From<T> for ReentrantMutex<T> {
    #[track_caller]
    fn from(value: T) -> ReentrantMutex<T> {
        ReentrantMutex::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for ReentrantMutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.try_lock() {
            Some(guard) => f.debug_struct("ReentrantMutex").field("data", &&*guard).finish(),
            None => f.debug_struct("ReentrantMutex").field("data", &format_args!("<locked>")).finish(),
        }
    }
}

guard! {
    /// A held [`ReentrantMutex`].
    #[must_use = "if unused the ReentrantMutex will immediately unlock"]
    whole ReentrantMutexGuard of ReentrantMutex by remutex, Again -> MappedReentrantMutexGuard []
}

guard! {
    /// A part of what a held [`ReentrantMutex`] protects.
    #[must_use = "if unused the ReentrantMutex will immediately unlock"]
    mapped MappedReentrantMutexGuard, Again []
}
