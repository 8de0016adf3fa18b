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
        RwLock::const_with_max_readers(value, max_reads)
    }

    /// The same, for statics.
    ///
    /// # Panics
    /// If that is more than `u32::MAX >> 3`.
    #[track_caller]
    pub const fn const_with_max_readers(value: T, max_reads: u32) -> RwLock<T> {
        assert!(max_reads <= MOST_READERS, "a RwLock may not be created with more than u32::MAX >> 3 readers");
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
            RwLockReadGuard { data: self.fair.data(), held: Held::new(self, false, at) }
        }
    }

    /// Takes the lock alone.
    #[track_caller]
    pub fn write(&self) -> impl Future<Output = RwLockWriteGuard<'_, T>> {
        let at = Location::caller();
        let taken = self.take(true, at);
        async move {
            taken.await;
            RwLockWriteGuard { data: self.fair.data(), held: Held::new(self, true, at) }
        }
    }

    /// Takes the lock together with other readers, and keeps it alive.
    #[track_caller]
    pub fn read_owned(self: Arc<Self>) -> impl Future<Output = OwnedRwLockReadGuard<T>> {
        let at = Location::caller();
        async move {
            self.take(false, at).await;
            OwnedRwLockReadGuard { data: self.fair.data(), held: OwnedHeld { lock: self, write: false, at } }
        }
    }

    /// Takes the lock alone, and keeps it alive.
    #[track_caller]
    pub fn write_owned(self: Arc<Self>) -> impl Future<Output = OwnedRwLockWriteGuard<T>> {
        let at = Location::caller();
        async move {
            self.take(true, at).await;
            OwnedRwLockWriteGuard { data: self.fair.data(), held: OwnedHeld { lock: self, write: true, at } }
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
        Ok(RwLockWriteGuard { data: self.fair.data(), held: Held::new(self, true, at) })
    }

    /// The same as `try_read`, and keeps the lock alive.
    ///
    /// # Errors
    /// If it is not possible at once.
    #[track_caller]
    pub fn try_read_owned(self: Arc<Self>) -> Result<OwnedRwLockReadGuard<T>, TryLockError> {
        let at = Location::caller();
        self.try_take(false, at)?;
        Ok(OwnedRwLockReadGuard { data: self.fair.data(), held: OwnedHeld { lock: self, write: false, at } })
    }

    /// The same as `try_write`, and keeps the lock alive.
    ///
    /// # Errors
    /// If it is not possible at once.
    #[track_caller]
    pub fn try_write_owned(self: Arc<Self>) -> Result<OwnedRwLockWriteGuard<T>, TryLockError> {
        let at = Location::caller();
        self.try_take(true, at)?;
        Ok(OwnedRwLockWriteGuard { data: self.fair.data(), held: OwnedHeld { lock: self, write: true, at } })
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
        self.fair.raw().hold(false, at);
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

/// What unlocks a lock, whatever it protects.
trait Unlock {
    fn unlock_from(&self, write: bool, at: Site);
    fn downgrade_from(&self, at: Site);
}

/// A lock that is held; its drop unlocks.
struct Held<'a> {
    lock: Box<dyn Unlock + 'a>,
    write: bool,
    at: Site,
}

impl<T: ?Sized> Unlock for &RwLock<T> {
    fn unlock_from(&self, write: bool, at: Site) {
        self.unlock(write, at);
    }

    fn downgrade_from(&self, at: Site) {
        self.downgrade(at);
    }
}

impl<'a> Held<'a> {
    fn new<T: ?Sized>(lock: &'a RwLock<T>, write: bool, at: Site) -> Held<'a> {
        Held { lock: Box::new(lock), write, at }
    }

    /// From now on it is held together with other readers.
    fn downgraded(mut self) -> Held<'a> {
        self.write = false;
        self.lock.downgrade_from(self.at);
        self
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.lock.unlock_from(self.write, self.at);
    }
}

/// The same, and keeps the lock alive.
struct OwnedHeld<T: ?Sized> {
    lock: Arc<RwLock<T>>,
    write: bool,
    at: Site,
}

impl<T: ?Sized> OwnedHeld<T> {
    fn downgraded(mut self) -> OwnedHeld<T> {
        self.write = false;
        self.lock.downgrade(self.at);
        self
    }
}

impl<T: ?Sized> Drop for OwnedHeld<T> {
    fn drop(&mut self) {
        self.lock.unlock(self.write, self.at);
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
    data: *mut T,
    held: Held<'a>,
}

/// A part of what a [`RwLock`] protects that is held alone.
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct RwLockMappedWriteGuard<'a, T: ?Sized> {
    data: *mut T,
    held: Held<'a>,
}

/// A [`RwLock`] that is held together with other readers, or a part of what it protects, and the lock with it.
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct OwnedRwLockReadGuard<T: ?Sized, U: ?Sized = T> {
    data: *const U,
    held: OwnedHeld<T>,
}

/// A [`RwLock`] that is held alone, and the lock with it.
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct OwnedRwLockWriteGuard<T: ?Sized> {
    data: *mut T,
    held: OwnedHeld<T>,
}

/// A part of what a [`RwLock`] protects that is held alone, and the lock with it.
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct OwnedRwLockMappedWriteGuard<T: ?Sized, U: ?Sized = T> {
    data: *mut U,
    held: OwnedHeld<T>,
}

/// Guards of parts of what a guard gives.
macro_rules! map {
    ([$($generics:tt)*] $from:ty, $data:ty, $reference:ident;
     $($doc:literal $map:ident, $try_map:ident => $to:ident<$($argument:tt),*>, $into:ident;)*) => {
        impl<$($generics)*> $from {
            $(
                #[doc = $doc]
                pub fn $map<F, V: ?Sized>(this: Self, f: F) -> $to<$($argument),*>
                where
                    F: FnOnce(map!(type $reference $data)) -> map!(type $reference V),
                {
                    let data = f(map!(borrow $reference this.data));
                    $to { data, held: map!($into this.held) }
                }

                #[doc = $doc]
                /// Only if `f` gives one.
                ///
                /// # Errors
                /// The guard, if not.
                pub fn $try_map<F, V: ?Sized>(this: Self, f: F) -> Result<$to<$($argument),*>, Self>
                where
                    F: FnOnce(map!(type $reference $data)) -> Option<map!(type $reference V)>,
                {
                    match f(map!(borrow $reference this.data)) {
                        Some(data) => Ok($to { data, held: map!($into this.held) }),
                        None => Err(this),
                    }
                }
            )*
        }
    };
    (type shared $type:ty) => { &$type };
    (type alone $type:ty) => { &mut $type };
    (borrow shared $data:expr) => {{
        // SAFETY: the guard holds the lock.
        unsafe { &*$data }
    }};
    (borrow alone $data:expr) => {{
        // SAFETY: the guard holds the lock alone.
        unsafe { &mut *$data }
    }};
    (same $held:expr) => { $held };
    (downgraded $held:expr) => { $held.downgraded() };
}

map! { ['a, T: ?Sized] RwLockReadGuard<'a, T>, T, shared;
    "A guard of a part of the data." map, try_map => RwLockReadGuard<'a, V>, same;
}
map! { ['a, T: ?Sized] RwLockMappedWriteGuard<'a, T>, T, alone;
    "A guard of a part of the part." map, try_map => RwLockMappedWriteGuard<'a, V>, same;
}
map! { ['a, T: ?Sized] RwLockWriteGuard<'a, T>, T, alone;
    "A guard of a part of the data." map, try_map => RwLockMappedWriteGuard<'a, V>, same;
}
map! { ['a, T: ?Sized] RwLockWriteGuard<'a, T>, T, shared;
    "A reader's guard of a part of the data." downgrade_map, try_downgrade_map => RwLockReadGuard<'a, V>, downgraded;
}
map! { [T: ?Sized, U: ?Sized] OwnedRwLockReadGuard<T, U>, U, shared;
    "A guard of a part of the data." map, try_map => OwnedRwLockReadGuard<T, V>, same;
}
map! { [T: ?Sized, U: ?Sized] OwnedRwLockMappedWriteGuard<T, U>, U, alone;
    "A guard of a part of the part." map, try_map => OwnedRwLockMappedWriteGuard<T, V>, same;
}
map! { [T: ?Sized] OwnedRwLockWriteGuard<T>, T, alone;
    "A guard of a part of the data." map, try_map => OwnedRwLockMappedWriteGuard<T, V>, same;
}
map! { [T: ?Sized] OwnedRwLockWriteGuard<T>, T, shared;
    "A reader's guard of a part of the data." downgrade_map, try_downgrade_map => OwnedRwLockReadGuard<T, V>, downgraded;
}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    /// A guard that has forgotten the lock's type.
    pub fn into_mapped(this: Self) -> RwLockMappedWriteGuard<'a, T> {
        RwLockMappedWriteGuard { data: this.data, held: this.held }
    }

    /// Turns it into a reader's: nobody else can have written in between.
    pub fn downgrade(self) -> RwLockReadGuard<'a, T> {
        RwLockReadGuard { data: self.data, held: self.held.downgraded() }
    }
}

impl<T: ?Sized> OwnedRwLockWriteGuard<T> {
    /// A guard of all of the data as a part.
    pub fn into_mapped(this: Self) -> OwnedRwLockMappedWriteGuard<T> {
        OwnedRwLockMappedWriteGuard { data: this.data, held: this.held }
    }

    /// Turns it into a reader's: nobody else can have written in between.
    pub fn downgrade(self) -> OwnedRwLockReadGuard<T> {
        OwnedRwLockReadGuard { data: self.data, held: self.held.downgraded() }
    }

    /// The lock.
    pub fn rwlock(this: &Self) -> &Arc<RwLock<T>> {
        &this.held.lock
    }
}

impl<T: ?Sized, U: ?Sized> OwnedRwLockReadGuard<T, U> {
    /// The lock.
    pub fn rwlock(this: &Self) -> &Arc<RwLock<T>> {
        &this.held.lock
    }
}

impl<T: ?Sized, U: ?Sized> OwnedRwLockMappedWriteGuard<T, U> {
    /// The lock.
    pub fn rwlock(this: &Self) -> &Arc<RwLock<T>> {
        &this.held.lock
    }
}

macro_rules! guard {
    (read [$($generics:tt)*] $name:ty, $data:ident: $($bound:tt)*) => {
        // SAFETY: a guard reaches the data as a reference does, and the lock as an `Arc` does.
        unsafe impl<$($generics)*> Send for $name where $($bound)* {}
        // SAFETY: the same.
        unsafe impl<$($generics)*> Sync for $name where $($bound)* {}

        impl<$($generics)*> Deref for $name {
            type Target = $data;

            fn deref(&self) -> &$data {
                // SAFETY: the guard holds the lock.
                unsafe { &*self.data }
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
    (write [$($generics:tt)*] $name:ty, $data:ident: $($bound:tt)*) => {
        guard!(read [$($generics)*] $name, $data: $($bound)*);

        impl<$($generics)*> DerefMut for $name {
            fn deref_mut(&mut self) -> &mut $data {
                // SAFETY: the guard holds the lock alone, and is borrowed mutably itself.
                unsafe { &mut *self.data }
            }
        }
    };
}

guard!(read [T: ?Sized] RwLockReadGuard<'_, T>, T: T: Sync);
guard!(write [T: ?Sized] RwLockWriteGuard<'_, T>, T: T: Send + Sync);
guard!(write [T: ?Sized] RwLockMappedWriteGuard<'_, T>, T: T: Send + Sync);
guard!(read [T: ?Sized, U: ?Sized] OwnedRwLockReadGuard<T, U>, U: T: Send + Sync, U: Sync);
guard!(write [T: ?Sized] OwnedRwLockWriteGuard<T>, T: T: Send + Sync);
guard!(write [T: ?Sized, U: ?Sized] OwnedRwLockMappedWriteGuard<T, U>, U: T: Send + Sync, U: Send + Sync);
