//! `RwLock`.

use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::sync::{LockResult, TryLockError, TryLockResult};

use super::mutex::result;
use crate::engine::panics::panicking;
use crate::raw::{Deadline, Protected, RawLock, Sharing};

/// The model of [`std::sync::RwLock`](::std::sync::RwLock). A waiting writer holds up every new reader, as on
/// Linux.
pub struct RwLock<T: ?Sized> {
    protected: Protected<T>,
}

// SAFETY: as for std's: one thread writes, or many read.
unsafe impl<T: ?Sized + Send> Send for RwLock<T> {}
// SAFETY: the same.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLock<T> {}
impl<T: ?Sized> std::panic::UnwindSafe for RwLock<T> {}
impl<T: ?Sized> std::panic::RefUnwindSafe for RwLock<T> {}

impl<T> RwLock<T> {
    /// A free lock.
    #[track_caller]
    pub const fn new(value: T) -> RwLock<T> {
        RwLock { protected: Protected::new("RwLock", value) }
    }

    /// Takes the data out.
    ///
    /// # Errors
    /// If the lock is poisoned.
    pub fn into_inner(self) -> LockResult<T> {
        let poisoned = self.protected.lock.is_poisoned();
        result(poisoned, self.protected.into_inner())
    }
}

impl<T: ?Sized> RwLock<T> {
    /// Takes the lock together with other readers.
    ///
    /// # Errors
    /// If the lock is poisoned.
    #[track_caller]
    pub fn read(&self) -> LockResult<RwLockReadGuard<'_, T>> {
        self.protected.acquire(Sharing::Shared, "read", Deadline::NEVER);
        RwLockReadGuard::new(self)
    }

    /// Takes the lock together with other readers, if nobody writes or waits to write.
    ///
    /// # Errors
    /// If somebody does, or the lock is poisoned.
    #[track_caller]
    pub fn try_read(&self) -> TryLockResult<RwLockReadGuard<'_, T>> {
        if !self.protected.try_acquire(Sharing::Shared, "try_read") {
            return Err(TryLockError::WouldBlock);
        }
        Ok(RwLockReadGuard::new(self)?)
    }

    /// Takes the lock alone.
    ///
    /// # Errors
    /// If the lock is poisoned.
    #[track_caller]
    pub fn write(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
        self.protected.acquire(Sharing::Alone, "write", Deadline::NEVER);
        RwLockWriteGuard::new(self)
    }

    /// Takes the lock alone, if it is free.
    ///
    /// # Errors
    /// If it is held, or poisoned.
    #[track_caller]
    pub fn try_write(&self) -> TryLockResult<RwLockWriteGuard<'_, T>> {
        if !self.protected.try_acquire(Sharing::Alone, "try_write") {
            return Err(TryLockError::WouldBlock);
        }
        Ok(RwLockWriteGuard::new(self)?)
    }

    /// Whether a writer panicked.
    #[track_caller]
    pub fn is_poisoned(&self) -> bool {
        self.protected.look_for_poison()
    }

    /// Forgets the poison.
    #[track_caller]
    pub fn clear_poison(&self) {
        self.protected.clear_poison();
    }

    /// The data, which nobody else can reach.
    ///
    /// # Errors
    /// If the lock is poisoned.
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        let poisoned = self.protected.lock.is_poisoned();
        result(poisoned, self.protected.get_mut())
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
        let mut text = f.debug_struct("RwLock");
        match self.try_read() {
            Ok(guard) => text.field("data", &&*guard),
            Err(TryLockError::Poisoned(guard)) => text.field("data", &&**guard.get_ref()),
            Err(TryLockError::WouldBlock) => text.field("data", &format_args!("<locked>")),
        };
        text.field("poisoned", &self.is_poisoned()).finish_non_exhaustive()
    }
}

/// An [`RwLock`] held for reading.
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct RwLockReadGuard<'a, T: ?Sized + 'a> {
    raw: &'a RawLock,
    /// Not a reference to the lock: a reader of long-lived data is a reader of short-lived data. Nor is it `Send`.
    data: NonNull<T>,
}

// SAFETY: a shared guard gives out shared references to the data only.
unsafe impl<T: ?Sized + Sync> Sync for RwLockReadGuard<'_, T> {}

impl<'a, T: ?Sized> RwLockReadGuard<'a, T> {
    fn new(lock: &'a RwLock<T>) -> LockResult<RwLockReadGuard<'a, T>> {
        result(lock.protected.lock.is_poisoned(), RwLockReadGuard::of(lock))
    }

    fn of(lock: &'a RwLock<T>) -> RwLockReadGuard<'a, T> {
        // SAFETY: an address inside the lock is never null.
        RwLockReadGuard { raw: &lock.protected.lock, data: unsafe { NonNull::new_unchecked(lock.protected.value()) } }
    }
}

impl<T: ?Sized> Deref for RwLockReadGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the guard holds the lock for reading, so nobody writes.
        unsafe { self.data.as_ref() }
    }
}

impl<T: ?Sized> Drop for RwLockReadGuard<'_, T> {
    fn drop(&mut self) {
        self.raw.release(Sharing::Shared, false);
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

/// An [`RwLock`] held for writing.
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct RwLockWriteGuard<'a, T: ?Sized + 'a> {
    lock: &'a RwLock<T>,
    unwound: bool,
    written: bool,
    /// Not `Send`.
    stays: PhantomData<*const ()>,
}

// SAFETY: a shared guard gives out shared references to the data only.
unsafe impl<T: ?Sized + Sync> Sync for RwLockWriteGuard<'_, T> {}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    fn new(lock: &'a RwLock<T>) -> LockResult<RwLockWriteGuard<'a, T>> {
        let guard = RwLockWriteGuard { lock, unwound: panicking(), written: false, stays: PhantomData };
        result(lock.protected.lock.is_poisoned(), guard)
    }

    /// Goes on as a reader, without letting another writer in between.
    pub fn downgrade(guard: RwLockWriteGuard<'a, T>) -> RwLockReadGuard<'a, T> {
        let guard = ManuallyDrop::new(guard);
        guard.lock.protected.lock.downgrade();
        RwLockReadGuard::of(guard.lock)
    }
}

impl<T: ?Sized> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the guard holds the lock alone.
        unsafe { &*self.lock.protected.value() }
    }
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.written = true;
        // SAFETY: the guard holds the lock alone, and is borrowed mutably itself.
        unsafe { &mut *self.lock.protected.value() }
    }
}

impl<T: ?Sized> Drop for RwLockWriteGuard<'_, T> {
    fn drop(&mut self) {
        if !self.unwound && panicking() {
            self.lock.protected.lock.poison();
        }
        self.lock.protected.lock.release(Sharing::Alone, self.written);
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}
