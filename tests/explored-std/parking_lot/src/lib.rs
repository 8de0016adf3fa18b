//! A model of `parking_lot` for explored runs: no poison, timeouts in virtual time, and the same scheduler as `std`'s model.
//!
//! What is missing here does not compile in an explored run: `lock_api`, `RawMutex`, `arc_lock`, `upgradable_read`,
//! `FairMutex`. Use what is here, or run the test on threads only.

mod condvar;
mod guard;
mod mutex;
mod once;
mod reentrant;
mod rwlock;

pub use condvar::{Condvar, WaitTimeoutResult};
pub use mutex::{MappedMutexGuard, Mutex, MutexGuard};
pub use once::{Once, OnceState};
pub use reentrant::{MappedReentrantMutexGuard, ReentrantMutex, ReentrantMutexGuard};
pub use rwlock::{MappedRwLockReadGuard, MappedRwLockWriteGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// A mutex without data around it, made in a constant.
pub const fn const_mutex<T>(value: T) -> Mutex<T> {
    Mutex::new(value)
}

/// A reader-writer lock, made in a constant.
pub const fn const_rwlock<T>(value: T) -> RwLock<T> {
    RwLock::new(value)
}

/// A re-entrant mutex, made in a constant.
pub const fn const_reentrant_mutex<T>(value: T) -> ReentrantMutex<T> {
    ReentrantMutex::new(value)
}
