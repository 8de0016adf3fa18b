//! `Mutex`.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::{LockResult, PoisonError, TryLockError, TryLockResult};

use crate::engine::panics::panicking;
use crate::raw::{Deadline, Protected, Sharing};

/// The model of [`std::sync::Mutex`](::std::sync::Mutex).
pub struct Mutex<T: ?Sized> {
    pub(crate) protected: Protected<T>,
}

// SAFETY: as for std's: the data is reached by one thread at a time, which may be any.
unsafe impl<T: ?Sized + Send> Send for Mutex<T> {}
// SAFETY: the same.
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}
impl<T: ?Sized> std::panic::UnwindSafe for Mutex<T> {}
impl<T: ?Sized> std::panic::RefUnwindSafe for Mutex<T> {}

impl<T> Mutex<T> {
    /// A free mutex.
    #[track_caller]
    pub const fn new(value: T) -> Mutex<T> {
        Mutex { protected: Protected::new("Mutex", value) }
    }

    /// Takes the data out.
    ///
    /// # Errors
    /// If the mutex is poisoned.
    pub fn into_inner(self) -> LockResult<T> {
        let poisoned = self.protected.lock.is_poisoned();
        result(poisoned, self.protected.into_inner())
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Takes the mutex, waiting while another thread has it. A thread that has it already waits for ever.
    ///
    /// # Errors
    /// If the mutex is poisoned.
    #[track_caller]
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        self.protected.acquire(Sharing::Alone, "lock", Deadline::NEVER);
        MutexGuard::new(self)
    }

    /// Takes the mutex if it is free.
    ///
    /// # Errors
    /// If it is held, or poisoned.
    #[track_caller]
    pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
        if !self.protected.try_acquire(Sharing::Alone, "try_lock") {
            return Err(TryLockError::WouldBlock);
        }
        Ok(MutexGuard::new(self)?)
    }

    /// Whether a thread panicked while it had the mutex.
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
    /// If the mutex is poisoned.
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        let poisoned = self.protected.lock.is_poisoned();
        result(poisoned, self.protected.get_mut())
    }
}

pub(super) fn result<T>(poisoned: bool, value: T) -> LockResult<T> {
    if poisoned { Err(PoisonError::new(value)) } else { Ok(value) }
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
        let mut text = f.debug_struct("Mutex");
        match self.try_lock() {
            Ok(guard) => text.field("data", &&*guard),
            Err(TryLockError::Poisoned(guard)) => text.field("data", &&**guard.get_ref()),
            Err(TryLockError::WouldBlock) => text.field("data", &format_args!("<locked>")),
        };
        text.field("poisoned", &self.is_poisoned()).finish_non_exhaustive()
    }
}

/// A held [`Mutex`]; dropping it gives it back.
#[must_use = "if unused the Mutex will immediately unlock"]
pub struct MutexGuard<'a, T: ?Sized + 'a> {
    mutex: &'a Mutex<T>,
    /// Whether the thread was unwinding already when it took the mutex: that panic does not poison.
    unwound: bool,
    written: bool,
    /// Not `Send`.
    stays: PhantomData<*const ()>,
}

// SAFETY: a shared guard gives out shared references to the data only.
unsafe impl<T: ?Sized + Sync> Sync for MutexGuard<'_, T> {}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    pub(super) fn new(mutex: &'a Mutex<T>) -> LockResult<MutexGuard<'a, T>> {
        let guard = MutexGuard { mutex, unwound: panicking(), written: false, stays: PhantomData };
        result(mutex.protected.lock.is_poisoned(), guard)
    }

    pub(super) fn mutex(&self) -> &'a Mutex<T> {
        self.mutex
    }

    /// The data, for code that by all custom only looks at it: not counted as a write.
    pub(super) fn look(&mut self) -> &mut T {
        // SAFETY: as in `deref_mut`.
        unsafe { &mut *self.mutex.protected.value() }
    }

    /// Whether the data may have changed since it was taken; forgets it.
    pub(super) fn take_written(&mut self) -> bool {
        std::mem::take(&mut self.written)
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the guard holds the lock, so nobody writes.
        unsafe { &*self.mutex.protected.value() }
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.written = true;
        // SAFETY: the guard holds the lock, and is borrowed mutably itself.
        unsafe { &mut *self.mutex.protected.value() }
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        if !self.unwound && panicking() {
            self.mutex.protected.lock.poison();
        }
        self.mutex.protected.lock.release(Sharing::Alone, self.written);
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}
