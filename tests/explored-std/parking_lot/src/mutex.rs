//! `Mutex`.

use std::cell::UnsafeCell;
use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::raw::{Deadline, RawLock, Sharing};
use std::time::{Duration, Instant};

use crate::guard::guard;

/// The model of `parking_lot::Mutex`.
pub struct Mutex<T: ?Sized> {
    pub(crate) raw: RawLock,
    data: UnsafeCell<T>,
}

// SAFETY: the data is reached by one thread at a time, which may be any.
unsafe impl<T: ?Sized + Send> Send for Mutex<T> {}
// SAFETY: the same.
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}

impl<T> Mutex<T> {
    /// A free mutex.
    #[track_caller]
    pub const fn new(value: T) -> Mutex<T> {
        Mutex { raw: RawLock::new::<T>("Mutex"), data: UnsafeCell::new(value) }
    }

    /// Takes the data out.
    pub fn into_inner(self) -> T {
        self.data.into_inner()
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
        self.raw.refresh(&self.data);
        self.raw.try_acquire(Sharing::Alone, "try_lock").then(|| self.guard())
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
        self.raw.is_held("is_locked")
    }

    /// The data, which nobody else can reach.
    pub fn get_mut(&mut self) -> &mut T {
        self.data.get_mut()
    }

    #[track_caller]
    fn take(&self, deadline: Deadline, name: &'static str) -> Option<MutexGuard<'_, T>> {
        self.raw.refresh(&self.data);
        self.raw.acquire(Sharing::Alone, name, deadline).then(|| self.guard())
    }

    fn guard(&self) -> MutexGuard<'_, T> {
        MutexGuard { raw: &self.raw, data: self.data.get(), written: false, stays: PhantomData }
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

/// A held [`Mutex`].
#[must_use = "if unused the Mutex will immediately unlock"]
pub struct MutexGuard<'a, T: ?Sized> {
    pub(crate) raw: &'a RawLock,
    data: *mut T,
    pub(crate) written: bool,
    stays: PhantomData<&'a T>,
}

/// A part of what a held [`Mutex`] protects.
#[must_use = "if unused the Mutex will immediately unlock"]
pub struct MappedMutexGuard<'a, T: ?Sized> {
    raw: &'a RawLock,
    data: *mut T,
    written: bool,
    stays: PhantomData<&'a T>,
}

guard!(MutexGuard, written);
guard!(MappedMutexGuard, written);

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    /// A guard of a part of the data.
    pub fn map<U: ?Sized, F: FnOnce(&mut T) -> &mut U>(s: MutexGuard<'a, T>, f: F) -> MappedMutexGuard<'a, U> {
        let mut s = ManuallyDrop::new(s);
        // SAFETY: the guard holds the lock alone, and hands that over.
        let data = f(unsafe { &mut *s.data });
        MappedMutexGuard { raw: s.raw, data, written: true, stays: PhantomData }
    }

    /// Gives the lock back; who waits is chosen by the scheduler, as always.
    pub fn unlock_fair(s: MutexGuard<'a, T>) {
        drop(s);
    }

    /// Gives the lock back while `f` runs, then takes it again.
    #[track_caller]
    pub fn unlocked<F: FnOnce() -> U, U>(s: &mut MutexGuard<'a, T>, f: F) -> U {
        s.raw.release(Sharing::Alone, std::mem::take(&mut s.written));
        let result = f();
        s.raw.acquire(Sharing::Alone, "lock", Deadline::NEVER);
        result
    }

    /// Gives the lock to somebody who waits, and takes it again.
    #[track_caller]
    pub fn bump(s: &mut MutexGuard<'a, T>) {
        MutexGuard::unlocked(s, || ());
    }
}

impl<'a, T: ?Sized> MappedMutexGuard<'a, T> {
    /// A guard of a part of the part.
    pub fn map<U: ?Sized, F: FnOnce(&mut T) -> &mut U>(s: MappedMutexGuard<'a, T>, f: F) -> MappedMutexGuard<'a, U> {
        let mut s = ManuallyDrop::new(s);
        // SAFETY: the guard holds the lock alone, and hands that over.
        let data = f(unsafe { &mut *s.data });
        MappedMutexGuard { raw: s.raw, data, written: true, stays: PhantomData }
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        self.raw.release(Sharing::Alone, self.written);
    }
}

impl<T: ?Sized> Drop for MappedMutexGuard<'_, T> {
    fn drop(&mut self) {
        self.raw.release(Sharing::Alone, self.written);
    }
}
