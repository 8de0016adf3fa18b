//! `RwLock`.

use std::fmt;
use std::mem::ManuallyDrop;
use std::raw::{Deadline, Protected, Sharing};
use std::time::{Duration, Instant};

use crate::guard::guard;

/// The model of `parking_lot::RwLock`. A waiting writer holds up every new reader, as the real one's does.
pub struct RwLock<T: ?Sized> {
    protected: Protected<T>,
}

// SAFETY: one thread writes, or many read.
unsafe impl<T: ?Sized + Send> Send for RwLock<T> {}
// SAFETY: the same.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLock<T> {}

impl<T> RwLock<T> {
    /// A free lock.
    #[track_caller]
    pub const fn new(value: T) -> RwLock<T> {
        RwLock { protected: Protected::new("RwLock", value) }
    }

    /// Takes the data out.
    pub fn into_inner(self) -> T {
        self.protected.into_inner()
    }
}

impl<T: ?Sized> RwLock<T> {
    /// Takes the lock together with other readers.
    #[track_caller]
    pub fn read(&self) -> RwLockReadGuard<'_, T> {
        self.take_read(Deadline::NEVER, "read").expect("a lock without a deadline is taken in the end")
    }

    /// Takes the lock together with other readers, if nobody writes.
    #[track_caller]
    pub fn try_read(&self) -> Option<RwLockReadGuard<'_, T>> {
        self.protected.try_acquire(Sharing::Shared, "try_read").then(|| RwLockReadGuard::of(self))
    }

    /// Takes the lock together with other readers, waiting for at most this much virtual time.
    #[track_caller]
    pub fn try_read_for(&self, timeout: Duration) -> Option<RwLockReadGuard<'_, T>> {
        self.take_read(Deadline::after(timeout), "try_read_for")
    }

    /// The same, until this moment at most.
    #[track_caller]
    pub fn try_read_until(&self, timeout: Instant) -> Option<RwLockReadGuard<'_, T>> {
        self.take_read(Deadline::at(timeout), "try_read_until")
    }

    /// Takes the lock alone.
    #[track_caller]
    pub fn write(&self) -> RwLockWriteGuard<'_, T> {
        self.take_write(Deadline::NEVER, "write").expect("a lock without a deadline is taken in the end")
    }

    /// Takes the lock alone, if it is free.
    #[track_caller]
    pub fn try_write(&self) -> Option<RwLockWriteGuard<'_, T>> {
        self.protected.try_acquire(Sharing::Alone, "try_write").then(|| RwLockWriteGuard::of(self))
    }

    /// Takes the lock alone, waiting for at most this much virtual time.
    #[track_caller]
    pub fn try_write_for(&self, timeout: Duration) -> Option<RwLockWriteGuard<'_, T>> {
        self.take_write(Deadline::after(timeout), "try_write_for")
    }

    /// The same, until this moment at most.
    #[track_caller]
    pub fn try_write_until(&self, timeout: Instant) -> Option<RwLockWriteGuard<'_, T>> {
        self.take_write(Deadline::at(timeout), "try_write_until")
    }

    /// Whether somebody has the lock.
    #[track_caller]
    pub fn is_locked(&self) -> bool {
        self.protected.is_held("is_locked")
    }

    /// Whether somebody has the lock alone.
    #[track_caller]
    pub fn is_locked_exclusive(&self) -> bool {
        self.protected.is_held_alone("is_locked_exclusive")
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
    fn take_read(&self, deadline: Deadline, name: &'static str) -> Option<RwLockReadGuard<'_, T>> {
        self.protected.acquire(Sharing::Shared, name, deadline).then(|| RwLockReadGuard::of(self))
    }

    #[track_caller]
    fn take_write(&self, deadline: Deadline, name: &'static str) -> Option<RwLockWriteGuard<'_, T>> {
        self.protected.acquire(Sharing::Alone, name, deadline).then(|| RwLockWriteGuard::of(self))
    }
}

impl<T: Default> Default for RwLock<T> {
    #[track_caller]
    fn default() -> RwLock<T> {
        RwLock::new(T::default())
    }
}

impl<T> From<T> for RwLock<T> {
    #[track_caller]
    fn from(value: T) -> RwLock<T> {
        RwLock::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.try_read() {
            Some(guard) => f.debug_struct("RwLock").field("data", &&*guard).finish(),
            None => f.debug_struct("RwLock").field("data", &format_args!("<locked>")).finish(),
        }
    }
}

guard! {
    /// An [`RwLock`] held for reading.
    #[must_use = "if unused the RwLock will immediately unlock"]
    whole RwLockReadGuard of RwLock by rwlock, Shared -> MappedRwLockReadGuard []
}

guard! {
    /// A part of what an [`RwLock`] held for reading protects.
    #[must_use = "if unused the RwLock will immediately unlock"]
    mapped MappedRwLockReadGuard, Shared []
}

guard! {
    /// An [`RwLock`] held for writing.
    #[must_use = "if unused the RwLock will immediately unlock"]
    whole RwLockWriteGuard of RwLock by rwlock, Alone -> MappedRwLockWriteGuard [mut]
}

guard! {
    /// A part of what an [`RwLock`] held for writing protects.
    #[must_use = "if unused the RwLock will immediately unlock"]
    mapped MappedRwLockWriteGuard, Alone [mut]
}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    /// Goes on as a reader, without letting another writer in between.
    pub fn downgrade(s: RwLockWriteGuard<'a, T>) -> RwLockReadGuard<'a, T> {
        let s = ManuallyDrop::new(s);
        s.raw.downgrade();
        RwLockReadGuard::of(s.lock)
    }
}
