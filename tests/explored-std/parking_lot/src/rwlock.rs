//! `RwLock`.

use std::cell::UnsafeCell;
use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::raw::{Deadline, RawLock, Sharing};
use std::time::{Duration, Instant};

use crate::guard::guard;

/// The model of `parking_lot::RwLock`. Readers pass a waiting writer, except those that read already.
pub struct RwLock<T: ?Sized> {
    raw: RawLock,
    data: UnsafeCell<T>,
}

// SAFETY: one thread writes, or many read.
unsafe impl<T: ?Sized + Send> Send for RwLock<T> {}
// SAFETY: the same.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLock<T> {}

impl<T> RwLock<T> {
    /// A free lock.
    #[track_caller]
    pub const fn new(value: T) -> RwLock<T> {
        RwLock { raw: RawLock::new::<T>("RwLock"), data: UnsafeCell::new(value) }
    }

    /// Takes the data out.
    pub fn into_inner(self) -> T {
        self.data.into_inner()
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
        self.raw.refresh(&self.data);
        self.raw.try_acquire(Sharing::Shared, "try_read").then(|| self.read_guard())
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
        self.raw.refresh(&self.data);
        self.raw.try_acquire(Sharing::Alone, "try_write").then(|| self.write_guard())
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
        self.raw.is_held("is_locked")
    }

    /// The data, which nobody else can reach.
    pub fn get_mut(&mut self) -> &mut T {
        self.data.get_mut()
    }

    #[track_caller]
    fn take_read(&self, deadline: Deadline, name: &'static str) -> Option<RwLockReadGuard<'_, T>> {
        self.raw.refresh(&self.data);
        self.raw.acquire(Sharing::Shared, name, deadline).then(|| self.read_guard())
    }

    #[track_caller]
    fn take_write(&self, deadline: Deadline, name: &'static str) -> Option<RwLockWriteGuard<'_, T>> {
        self.raw.refresh(&self.data);
        self.raw.acquire(Sharing::Alone, name, deadline).then(|| self.write_guard())
    }

    fn read_guard(&self) -> RwLockReadGuard<'_, T> {
        RwLockReadGuard { raw: &self.raw, data: self.data.get(), stays: PhantomData }
    }

    fn write_guard(&self) -> RwLockWriteGuard<'_, T> {
        RwLockWriteGuard { raw: &self.raw, data: self.data.get(), written: false, stays: PhantomData }
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

/// An [`RwLock`] held for reading.
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct RwLockReadGuard<'a, T: ?Sized> {
    raw: &'a RawLock,
    data: *const T,
    stays: PhantomData<&'a T>,
}

/// A part of what an [`RwLock`] held for reading protects.
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct MappedRwLockReadGuard<'a, T: ?Sized> {
    raw: &'a RawLock,
    data: *const T,
    stays: PhantomData<&'a T>,
}

/// An [`RwLock`] held for writing.
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    raw: &'a RawLock,
    data: *mut T,
    written: bool,
    stays: PhantomData<&'a T>,
}

/// A part of what an [`RwLock`] held for writing protects.
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct MappedRwLockWriteGuard<'a, T: ?Sized> {
    raw: &'a RawLock,
    data: *mut T,
    written: bool,
    stays: PhantomData<&'a T>,
}

guard!(RwLockReadGuard);
guard!(MappedRwLockReadGuard);
guard!(RwLockWriteGuard, written);
guard!(MappedRwLockWriteGuard, written);

impl<'a, T: ?Sized> RwLockReadGuard<'a, T> {
    /// A guard of a part of the data.
    pub fn map<U: ?Sized, F: FnOnce(&T) -> &U>(s: RwLockReadGuard<'a, T>, f: F) -> MappedRwLockReadGuard<'a, U> {
        let s = ManuallyDrop::new(s);
        // SAFETY: the guard holds the lock for reading, and hands that over.
        let data = f(unsafe { &*s.data });
        MappedRwLockReadGuard { raw: s.raw, data, stays: PhantomData }
    }
}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    /// A guard of a part of the data.
    pub fn map<U: ?Sized, F: FnOnce(&mut T) -> &mut U>(
        s: RwLockWriteGuard<'a, T>,
        f: F,
    ) -> MappedRwLockWriteGuard<'a, U> {
        let mut s = ManuallyDrop::new(s);
        // SAFETY: the guard holds the lock alone, and hands that over.
        let data = f(unsafe { &mut *s.data });
        MappedRwLockWriteGuard { raw: s.raw, data, written: true, stays: PhantomData }
    }

    /// Goes on as a reader, without letting another writer in between.
    pub fn downgrade(s: RwLockWriteGuard<'a, T>) -> RwLockReadGuard<'a, T> {
        let s = ManuallyDrop::new(s);
        s.raw.downgrade();
        RwLockReadGuard { raw: s.raw, data: s.data, stays: PhantomData }
    }
}

macro_rules! drop_guard {
    ($($guard:ident $sharing:ident $(, $written:ident)?;)*) => {
        $(
            impl<T: ?Sized> Drop for $guard<'_, T> {
                fn drop(&mut self) {
                    self.raw.release(Sharing::$sharing, false $(|| self.$written)?);
                }
            }
        )*
    };
}

drop_guard! {
    RwLockReadGuard Shared;
    MappedRwLockReadGuard Shared;
    RwLockWriteGuard Alone, written;
    MappedRwLockWriteGuard Alone, written;
}
