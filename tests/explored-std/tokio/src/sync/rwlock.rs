//! `tokio::sync::RwLock`.

use std::fmt;
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::Arc;

use super::TryLockError;
use super::fair::Fair;
use super::mutex::locked;
use crate::steps::Site;

/// How many may read at the same time, as tokio has it.
const MOST_READERS: u32 = u32::MAX >> 3;

/// The model of `tokio::sync::RwLock`: whoever came first gets it first, and so a writer that waits holds up the readers behind it.
pub struct RwLock<T: ?Sized> {
    most: u32,
    fair: Fair<T>,
}

impl<T> RwLock<T> {
    /// A free lock.
    #[track_caller]
    pub fn new(value: T) -> RwLock<T> {
        RwLock::const_new(value)
    }

    /// A free lock, for statics.
    #[track_caller]
    pub const fn const_new(value: T) -> RwLock<T> {
        RwLock { most: MOST_READERS, fair: Fair::new("RwLock", MOST_READERS as usize, value) }
    }

    /// A free lock that so many may read at the same time.
    ///
    /// # Panics
    /// If that is more than `u32::MAX >> 3`.
    #[track_caller]
    pub fn with_max_readers(value: T, max_reads: u32) -> RwLock<T> {
        assert!(max_reads <= MOST_READERS, "a RwLock may not be created with more than {MOST_READERS} readers");
        RwLock { most: max_reads, fair: Fair::new("RwLock", max_reads as usize, value) }
    }

    /// Takes the data out.
    pub fn into_inner(self) -> T {
        self.fair.into_data()
    }
}

impl<T: ?Sized> RwLock<T> {
    fn take(&self, write: bool, at: Site) -> impl Future<Output = ()> + '_ {
        let (permits, name) = if write { (self.most, "write") } else { (1, "read") };
        let acquired = self.fair.acquire(permits, write, name, at);
        async move { acquired.await.expect("nobody closes the semaphore of a lock") }
    }

    fn try_take(&self, write: bool, at: Site) -> Result<(), TryLockError> {
        let (permits, name) = if write { (self.most, "try_write") } else { (1, "try_read") };
        self.fair.try_acquire(permits, write, name, at).map_err(|_| locked())
    }

    /// Takes the lock together with other readers.
    #[track_caller]
    pub fn read(&self) -> impl Future<Output = RwLockReadGuard<'_, T>> {
        let at = Location::caller();
        let taken = self.take(false, at);
        async move {
            taken.await;
            let data: *const T = self.fair.data();
            RwLockReadGuard { data, held: Held::new(self, false, at) }
        }
    }

    /// Takes the lock alone.
    #[track_caller]
    pub fn write(&self) -> impl Future<Output = RwLockWriteGuard<'_, T>> {
        let at = Location::caller();
        let taken = self.take(true, at);
        async move {
            taken.await;
            RwLockWriteGuard { lock: self, at, held: Held::new(self, true, at) }
        }
    }

    /// Takes the lock together with other readers, and keeps it alive.
    #[track_caller]
    pub fn read_owned(self: Arc<Self>) -> impl Future<Output = OwnedRwLockReadGuard<T>>
    where
        T: Sized,
    {
        let at = Location::caller();
        async move {
            self.take(false, at).await;
            OwnedRwLockReadGuard { lock: self, at }
        }
    }

    /// Takes the lock alone, and keeps it alive.
    #[track_caller]
    pub fn write_owned(self: Arc<Self>) -> impl Future<Output = OwnedRwLockWriteGuard<T>>
    where
        T: Sized,
    {
        let at = Location::caller();
        async move {
            self.take(true, at).await;
            OwnedRwLockWriteGuard { lock: self, at }
        }
    }

    /// Takes the lock together with other readers, if that is possible at once.
    ///
    /// # Errors
    /// If it is not.
    #[track_caller]
    pub fn try_read(&self) -> Result<RwLockReadGuard<'_, T>, TryLockError> {
        let at = Location::caller();
        self.try_take(false, at)?;
        Ok(RwLockReadGuard { data: self.fair.data(), held: Held::new(self, false, at) })
    }

    /// Takes the lock alone, if that is possible at once.
    ///
    /// # Errors
    /// If it is not.
    #[track_caller]
    pub fn try_write(&self) -> Result<RwLockWriteGuard<'_, T>, TryLockError> {
        let at = Location::caller();
        self.try_take(true, at)?;
        Ok(RwLockWriteGuard { lock: self, at, held: Held::new(self, true, at) })
    }

    /// The same as `try_read`, and keeps the lock alive.
    ///
    /// # Errors
    /// If it is not possible at once.
    #[track_caller]
    pub fn try_read_owned(self: Arc<Self>) -> Result<OwnedRwLockReadGuard<T>, TryLockError>
    where
        T: Sized,
    {
        let at = Location::caller();
        self.try_take(false, at)?;
        Ok(OwnedRwLockReadGuard { lock: self, at })
    }

    /// The same as `try_write`, and keeps the lock alive.
    ///
    /// # Errors
    /// If it is not possible at once.
    #[track_caller]
    pub fn try_write_owned(self: Arc<Self>) -> Result<OwnedRwLockWriteGuard<T>, TryLockError>
    where
        T: Sized,
    {
        let at = Location::caller();
        self.try_take(true, at)?;
        Ok(OwnedRwLockWriteGuard { lock: self, at })
    }

    /// Takes the lock together with other readers, blocking this thread.
    ///
    /// # Panics
    /// If this thread polls a future.
    #[track_caller]
    pub fn blocking_read(&self) -> RwLockReadGuard<'_, T> {
        super::block_on(self.read())
    }

    /// Takes the lock alone, blocking this thread.
    ///
    /// # Panics
    /// If this thread polls a future.
    #[track_caller]
    pub fn blocking_write(&self) -> RwLockWriteGuard<'_, T> {
        super::block_on(self.write())
    }

    /// The data, which nobody else can reach.
    pub fn get_mut(&mut self) -> &mut T {
        self.fair.data_mut()
    }

    fn unlock(&self, write: bool, at: Site) {
        self.fair.release(if write { self.most as usize } else { 1 }, write, "unlock", at);
    }

    /// Lets readers in beside the one that has it alone.
    fn downgrade(&self, at: Site) {
        self.fair.release(self.most as usize - 1, true, "downgrade", at);
        self.fair.raw.hold(false, at);
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
            Ok(guard) => f.debug_struct("RwLock").field("data", &&*guard).finish(),
            Err(_) => f.debug_struct("RwLock").field("data", &format_args!("<locked>")).finish(),
        }
    }
}

/// Unlocks a lock, whatever it protects.
struct Held<'a> {
    unlock: Option<Box<dyn Fn() + 'a>>,
}

impl<'a> Held<'a> {
    fn new<T: ?Sized>(lock: &'a RwLock<T>, write: bool, at: Site) -> Held<'a> {
        Held { unlock: Some(Box::new(move || lock.unlock(write, at))) }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if let Some(unlock) = self.unlock.take() {
            unlock();
        }
    }
}

/// A [`RwLock`] that is held together with other readers, or a part of what it protects.
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct RwLockReadGuard<'a, T: ?Sized> {
    data: *const T,
    held: Held<'a>,
}

/// A [`RwLock`] that is held alone.
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
    at: Site,
    held: Held<'a>,
}

/// A part of what a [`RwLock`] protects that is held alone.
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct RwLockMappedWriteGuard<'a, T: ?Sized> {
    data: *mut T,
    #[expect(dead_code, reason = "its drop unlocks")]
    held: Held<'a>,
}

/// A [`RwLock`] that is held together with other readers, and the lock with it.
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct OwnedRwLockReadGuard<T> {
    lock: Arc<RwLock<T>>,
    at: Site,
}

/// A [`RwLock`] that is held alone, and the lock with it.
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct OwnedRwLockWriteGuard<T> {
    lock: Arc<RwLock<T>>,
    at: Site,
}

// SAFETY: a reader's guard gives out shared references only.
unsafe impl<T: ?Sized + Sync> Send for RwLockReadGuard<'_, T> {}
// SAFETY: the same.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLockReadGuard<'_, T> {}
// SAFETY: a writer's guard reaches the data as a `&mut T` does.
unsafe impl<T: ?Sized + Send + Sync> Send for RwLockWriteGuard<'_, T> {}
// SAFETY: the same, shared.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLockWriteGuard<'_, T> {}
// SAFETY: a writer's guard reaches the data as a `&mut T` does.
unsafe impl<T: ?Sized + Send + Sync> Send for RwLockMappedWriteGuard<'_, T> {}
// SAFETY: the same, shared.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLockMappedWriteGuard<'_, T> {}

impl<'a, T: ?Sized> RwLockReadGuard<'a, T> {
    /// A guard of a part of the data.
    pub fn map<F: FnOnce(&T) -> &U, U: ?Sized>(this: Self, f: F) -> RwLockReadGuard<'a, U> {
        // SAFETY: the guard holds the lock, and hands that over.
        let data: *const U = f(unsafe { &*this.data });
        RwLockReadGuard { data, held: this.held }
    }

    /// A guard of a part of the data, if `f` gives one.
    ///
    /// # Errors
    /// The guard, if not.
    pub fn try_map<F: FnOnce(&T) -> Option<&U>, U: ?Sized>(this: Self, f: F) -> Result<RwLockReadGuard<'a, U>, Self> {
        // SAFETY: the guard holds the lock, and hands that over.
        match f(unsafe { &*this.data }) {
            Some(data) => Ok(RwLockReadGuard { data: std::ptr::from_ref(data), held: this.held }),
            None => Err(this),
        }
    }
}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    /// A guard of a part of the data.
    pub fn map<F: FnOnce(&mut T) -> &mut U, U: ?Sized>(this: Self, f: F) -> RwLockMappedWriteGuard<'a, U> {
        // SAFETY: the guard holds the lock alone, and hands that over.
        let data: *mut U = f(unsafe { &mut *this.lock.fair.data() });
        RwLockMappedWriteGuard { data, held: this.held }
    }

    /// A guard of all of the data that has forgotten the lock's type.
    pub fn into_mapped(this: Self) -> RwLockMappedWriteGuard<'a, T> {
        RwLockMappedWriteGuard { data: this.lock.fair.data(), held: this.held }
    }

    /// Turns it into a reader's: nobody else can have written in between.
    pub fn downgrade(mut self) -> RwLockReadGuard<'a, T> {
        self.held.unlock = None;
        self.lock.downgrade(self.at);
        RwLockReadGuard { data: self.lock.fair.data(), held: Held::new(self.lock, false, self.at) }
    }
}

impl<T> OwnedRwLockWriteGuard<T> {
    /// Turns it into a reader's: nobody else can have written in between.
    pub fn downgrade(self) -> OwnedRwLockReadGuard<T> {
        let (lock, at) = (Arc::clone(&self.lock), self.at);
        // Its drop would unlock; the other handle to the lock must go.
        let gone = std::mem::ManuallyDrop::new(self);
        // SAFETY: the guard is not used any more, and not dropped.
        drop(unsafe { std::ptr::read(&gone.lock) });
        lock.downgrade(at);
        OwnedRwLockReadGuard { lock, at }
    }

    /// The lock.
    pub fn rwlock(this: &Self) -> &Arc<RwLock<T>> {
        &this.lock
    }
}

impl<T> OwnedRwLockReadGuard<T> {
    /// The lock.
    pub fn rwlock(this: &Self) -> &Arc<RwLock<T>> {
        &this.lock
    }
}

impl<T> Drop for OwnedRwLockReadGuard<T> {
    fn drop(&mut self) {
        self.lock.unlock(false, self.at);
    }
}

impl<T> Drop for OwnedRwLockWriteGuard<T> {
    fn drop(&mut self) {
        self.lock.unlock(true, self.at);
    }
}

macro_rules! guard {
    (read $name:ty, [$($bound:tt)*], |$this:ident| $data:expr) => {
        impl<T: $($bound)*> Deref for $name {
            type Target = T;

            fn deref(&self) -> &T {
                let $this = self;
                // SAFETY: the guard holds the lock.
                unsafe { &*$data }
            }
        }

        impl<T: $($bound)* + fmt::Debug> fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&**self, f)
            }
        }

        impl<T: $($bound)* + fmt::Display> fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&**self, f)
            }
        }
    };
    (write $name:ty, [$($bound:tt)*], |$this:ident| $data:expr) => {
        guard!(read $name, [$($bound)*], |$this| $data);

        impl<T: $($bound)*> DerefMut for $name {
            fn deref_mut(&mut self) -> &mut T {
                let $this = self;
                // SAFETY: the guard holds the lock alone, and is borrowed mutably itself.
                unsafe { &mut *$data }
            }
        }
    };
}

guard!(read RwLockReadGuard<'_, T>, [?Sized], |this| this.data);
guard!(write RwLockWriteGuard<'_, T>, [?Sized], |this| this.lock.fair.data());
guard!(write RwLockMappedWriteGuard<'_, T>, [?Sized], |this| this.data);
guard!(read OwnedRwLockReadGuard<T>, [Sized], |this| this.lock.fair.data());
guard!(write OwnedRwLockWriteGuard<T>, [Sized], |this| this.lock.fair.data());
