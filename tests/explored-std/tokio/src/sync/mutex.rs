//! `tokio::sync::Mutex`.

use std::fmt;
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::Arc;

use super::TryLockError;
use super::fair::Fair;
use crate::steps::Site;

/// The model of `tokio::sync::Mutex`: whoever came first gets it first.
pub struct Mutex<T: ?Sized> {
    fair: Fair<T>,
}

impl<T> Mutex<T> {
    /// A free mutex.
    #[track_caller]
    pub fn new(t: T) -> Mutex<T> {
        Mutex::const_new(t)
    }

    /// A free mutex, for statics.
    #[track_caller]
    pub const fn const_new(t: T) -> Mutex<T> {
        Mutex { fair: Fair::new("Mutex", 1, t) }
    }

    /// Takes the data out.
    pub fn into_inner(self) -> T {
        self.fair.into_data()
    }
}

impl<T: ?Sized> Mutex<T> {
    fn take(&self, at: Site) -> impl Future<Output = ()> + '_ {
        let acquired = self.fair.acquire(1, true, "lock", at);
        async move { acquired.await.expect("nobody closes the semaphore of a mutex") }
    }

    /// Takes the mutex, waiting while somebody has it.
    #[track_caller]
    pub fn lock(&self) -> impl Future<Output = MutexGuard<'_, T>> {
        let at = Location::caller();
        let taken = self.take(at);
        async move {
            taken.await;
            MutexGuard { mutex: self, at }
        }
    }

    /// The same, with a guard that keeps the mutex alive.
    #[track_caller]
    pub fn lock_owned(self: Arc<Self>) -> impl Future<Output = OwnedMutexGuard<T>> {
        let at = Location::caller();
        async move {
            self.take(at).await;
            OwnedMutexGuard { mutex: self, at }
        }
    }

    /// Takes the mutex, blocking this thread while somebody has it.
    ///
    /// # Panics
    /// If this thread polls a future.
    #[track_caller]
    pub fn blocking_lock(&self) -> MutexGuard<'_, T> {
        super::block_on(self.lock())
    }

    /// The same, with a guard that keeps the mutex alive.
    ///
    /// # Panics
    /// If this thread polls a future.
    #[track_caller]
    pub fn blocking_lock_owned(self: Arc<Self>) -> OwnedMutexGuard<T> {
        super::block_on(self.lock_owned())
    }

    /// Takes the mutex if it is free.
    ///
    /// # Errors
    /// If it is not.
    #[track_caller]
    pub fn try_lock(&self) -> Result<MutexGuard<'_, T>, TryLockError> {
        let at = Location::caller();
        self.fair.try_acquire(1, true, "try_lock", at).map_err(|_| locked())?;
        Ok(MutexGuard { mutex: self, at })
    }

    /// The same, with a guard that keeps the mutex alive.
    ///
    /// # Errors
    /// If it is not free.
    #[track_caller]
    pub fn try_lock_owned(self: Arc<Self>) -> Result<OwnedMutexGuard<T>, TryLockError> {
        let at = Location::caller();
        self.fair.try_acquire(1, true, "try_lock", at).map_err(|_| locked())?;
        Ok(OwnedMutexGuard { mutex: self, at })
    }

    /// The data, which nobody else can reach.
    pub fn get_mut(&mut self) -> &mut T {
        self.fair.data_mut()
    }

    fn unlock(&self, at: Site) {
        self.fair.release(1, true, "unlock", at);
    }
}

/// tokio's own error for a lock that is not free, which only tokio can make.
pub(super) fn locked() -> TryLockError {
    let mutex = real::sync::Mutex::const_new(());
    let _held = mutex.try_lock();
    mutex.try_lock().expect_err("it is held")
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
            Ok(guard) => f.debug_struct("Mutex").field("data", &&*guard).finish(),
            Err(_) => f.debug_struct("Mutex").field("data", &format_args!("<locked>")).finish(),
        }
    }
}

/// A held [`Mutex`]; dropping it gives it back.
#[must_use = "if unused the Mutex will immediately unlock"]
pub struct MutexGuard<'a, T: ?Sized> {
    mutex: &'a Mutex<T>,
    at: Site,
}

/// A held [`Mutex`], and the mutex with it.
#[must_use = "if unused the Mutex will immediately unlock"]
pub struct OwnedMutexGuard<T: ?Sized> {
    mutex: Arc<Mutex<T>>,
    at: Site,
}

/// A part of what a held [`Mutex`] protects.
#[must_use = "if unused the Mutex will immediately unlock"]
pub struct MappedMutexGuard<'a, T: ?Sized> {
    data: *mut T,
    whole: Box<dyn Whole + 'a>,
}

/// A part of what a held [`Mutex`] protects, and the mutex with it.
#[must_use = "if unused the Mutex will immediately unlock"]
pub struct OwnedMappedMutexGuard<T: ?Sized, U: ?Sized = T> {
    data: *mut U,
    whole: OwnedMutexGuard<T>,
}

/// The guard of the whole, whose drop unlocks.
trait Whole {}
impl<T: ?Sized> Whole for MutexGuard<'_, T> {}

// SAFETY: a guard reaches the data as a `&mut T` does.
unsafe impl<T: ?Sized + Send> Send for MappedMutexGuard<'_, T> {}
// SAFETY: the same, shared.
unsafe impl<T: ?Sized + Send + Sync> Sync for MappedMutexGuard<'_, T> {}
// SAFETY: a guard reaches the data as a `&mut T` does.
unsafe impl<T: ?Sized + Send, U: ?Sized + Send> Send for OwnedMappedMutexGuard<T, U> {}
// SAFETY: the same, shared.
unsafe impl<T: ?Sized + Send + Sync, U: ?Sized + Send + Sync> Sync for OwnedMappedMutexGuard<T, U> {}
// SAFETY: a shared guard gives out shared references only.
unsafe impl<T: ?Sized + Send + Sync> Sync for MutexGuard<'_, T> {}
// SAFETY: the same.
unsafe impl<T: ?Sized + Send + Sync> Sync for OwnedMutexGuard<T> {}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    /// The mutex.
    #[must_use]
    pub fn mutex(this: &MutexGuard<'a, T>) -> &'a Mutex<T> {
        this.mutex
    }

    /// A guard of a part of the data.
    pub fn map<U: ?Sized, F: FnOnce(&mut T) -> &mut U>(mut this: Self, f: F) -> MappedMutexGuard<'a, U> {
        let data = f(&mut this);
        MappedMutexGuard { data, whole: Box::new(this) }
    }

    /// A guard of a part of the data, if `f` gives one.
    ///
    /// # Errors
    /// The guard, if not.
    pub fn try_map<U: ?Sized, F>(mut this: Self, f: F) -> Result<MappedMutexGuard<'a, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        match f(&mut this).map(std::ptr::from_mut) {
            Some(data) => Ok(MappedMutexGuard { data, whole: Box::new(this) }),
            None => Err(this),
        }
    }
}

impl<'a, T: ?Sized> MappedMutexGuard<'a, T> {
    /// A guard of a part of the part.
    pub fn map<U: ?Sized, F: FnOnce(&mut T) -> &mut U>(mut this: Self, f: F) -> MappedMutexGuard<'a, U> {
        let data = f(&mut this);
        MappedMutexGuard { data, whole: this.whole }
    }

    /// A guard of a part of the part, if `f` gives one.
    ///
    /// # Errors
    /// The guard, if not.
    pub fn try_map<U: ?Sized, F>(mut this: Self, f: F) -> Result<MappedMutexGuard<'a, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        match f(&mut this).map(std::ptr::from_mut) {
            Some(data) => Ok(MappedMutexGuard { data, whole: this.whole }),
            None => Err(this),
        }
    }
}

impl<T: ?Sized> OwnedMutexGuard<T> {
    /// The mutex.
    #[must_use]
    pub fn mutex(this: &OwnedMutexGuard<T>) -> &Arc<Mutex<T>> {
        &this.mutex
    }

    /// A guard of a part of the data.
    pub fn map<U: ?Sized, F: FnOnce(&mut T) -> &mut U>(mut this: Self, f: F) -> OwnedMappedMutexGuard<T, U> {
        let data = f(&mut this);
        OwnedMappedMutexGuard { data, whole: this }
    }

    /// A guard of a part of the data, if `f` gives one.
    ///
    /// # Errors
    /// The guard, if not.
    pub fn try_map<U: ?Sized, F>(mut this: Self, f: F) -> Result<OwnedMappedMutexGuard<T, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        match f(&mut this).map(std::ptr::from_mut) {
            Some(data) => Ok(OwnedMappedMutexGuard { data, whole: this }),
            None => Err(this),
        }
    }
}

impl<T: ?Sized, U: ?Sized> OwnedMappedMutexGuard<T, U> {
    /// A guard of a part of the part.
    pub fn map<V: ?Sized, F: FnOnce(&mut U) -> &mut V>(mut this: Self, f: F) -> OwnedMappedMutexGuard<T, V> {
        let data = f(&mut this);
        OwnedMappedMutexGuard { data, whole: this.whole }
    }

    /// A guard of a part of the part, if `f` gives one.
    ///
    /// # Errors
    /// The guard, if not.
    pub fn try_map<V: ?Sized, F>(mut this: Self, f: F) -> Result<OwnedMappedMutexGuard<T, V>, Self>
    where
        F: FnOnce(&mut U) -> Option<&mut V>,
    {
        match f(&mut this).map(std::ptr::from_mut) {
            Some(data) => Ok(OwnedMappedMutexGuard { data, whole: this.whole }),
            None => Err(this),
        }
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        self.mutex.unlock(self.at);
    }
}

impl<T: ?Sized> Drop for OwnedMutexGuard<T> {
    fn drop(&mut self) {
        self.mutex.unlock(self.at);
    }
}

macro_rules! guard {
    ([$($generics:tt)*] $name:ty, $data:ident, |$this:ident| $pointer:expr) => {
        impl<$($generics)*> Deref for $name {
            type Target = $data;

            fn deref(&self) -> &$data {
                let $this = self;
                // SAFETY: the guard holds the mutex.
                unsafe { &*$pointer }
            }
        }

        impl<$($generics)*> DerefMut for $name {
            fn deref_mut(&mut self) -> &mut $data {
                let $this = self;
                // SAFETY: the guard holds the mutex, and is borrowed mutably itself.
                unsafe { &mut *$pointer }
            }
        }

        impl<$($generics)*> fmt::Debug for $name
        where
            $data: fmt::Debug,
        {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&**self, f)
            }
        }

        impl<$($generics)*> fmt::Display for $name
        where
            $data: fmt::Display,
        {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&**self, f)
            }
        }
    };
}

guard!([T: ?Sized] MutexGuard<'_, T>, T, |this| this.mutex.fair.data());
guard!([T: ?Sized] OwnedMutexGuard<T>, T, |this| this.mutex.fair.data());
guard!([T: ?Sized] MappedMutexGuard<'_, T>, T, |this| this.data);
guard!([T: ?Sized, U: ?Sized] OwnedMappedMutexGuard<T, U>, U, |this| this.data);
