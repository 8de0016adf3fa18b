//! `tokio::sync::Semaphore`.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::sync::Arc;

use super::fair::Fair;
use super::{AcquireError, TryAcquireError};
use crate::steps::{Site, change, look};

/// The model of `tokio::sync::Semaphore`: whoever came first gets permits first.
pub struct Semaphore {
    fair: Fair<()>,
}

impl Semaphore {
    /// How many permits there can be.
    pub const MAX_PERMITS: usize = real::sync::Semaphore::MAX_PERMITS;

    /// A semaphore with so many permits.
    #[must_use]
    #[track_caller]
    pub fn new(permits: usize) -> Semaphore {
        Semaphore::const_new(permits)
    }

    /// The same, for statics.
    #[must_use]
    #[track_caller]
    pub const fn const_new(permits: usize) -> Semaphore {
        Semaphore { fair: Fair::new("Semaphore", permits, ()) }
    }

    /// How many permits nobody has.
    #[must_use]
    #[track_caller]
    pub fn available_permits(&self) -> usize {
        look(self.fair.raw(), "available_permits", Location::caller(), || self.fair.semaphore().available_permits())
    }

    /// Adds permits.
    #[track_caller]
    pub fn add_permits(&self, n: usize) {
        change(self.fair.raw(), "add_permits", Location::caller(), || self.fair.semaphore().add_permits(n));
    }

    /// Takes permits away for ever, as far as there are so many. Gives how many.
    #[track_caller]
    pub fn forget_permits(&self, n: usize) -> usize {
        change(self.fair.raw(), "forget_permits", Location::caller(), || self.fair.semaphore().forget_permits(n))
    }

    /// Lets nobody have a permit any more.
    #[track_caller]
    pub fn close(&self) {
        change(self.fair.raw(), "close", Location::caller(), || self.fair.semaphore().close());
    }

    /// Whether it was closed.
    #[must_use]
    #[track_caller]
    pub fn is_closed(&self) -> bool {
        look(self.fair.raw(), "is_closed", Location::caller(), || self.fair.semaphore().is_closed())
    }

    fn take(&self, n: u32, at: Site) -> impl Future<Output = Result<(), AcquireError>> + '_ {
        self.fair.acquire(n, false, "acquire", at)
    }

    fn try_take(&self, n: u32, at: Site) -> Result<(), TryAcquireError> {
        self.fair.try_acquire(n, false, "try_acquire", at)
    }

    /// Waits for a permit.
    #[track_caller]
    pub fn acquire(&self) -> impl Future<Output = Result<SemaphorePermit<'_>, AcquireError>> {
        self.acquire_many(1)
    }

    /// Waits for permits.
    #[track_caller]
    pub fn acquire_many(&self, n: u32) -> impl Future<Output = Result<SemaphorePermit<'_>, AcquireError>> {
        let at = Location::caller();
        let taken = self.take(n, at);
        async move {
            taken.await?;
            Ok(SemaphorePermit { sem: self, permits: n, at })
        }
    }

    /// Waits for a permit that keeps the semaphore alive.
    #[track_caller]
    pub fn acquire_owned(self: Arc<Self>) -> impl Future<Output = Result<OwnedSemaphorePermit, AcquireError>> {
        self.acquire_many_owned(1)
    }

    /// Waits for permits that keep the semaphore alive.
    #[track_caller]
    pub fn acquire_many_owned(
        self: Arc<Self>,
        n: u32,
    ) -> impl Future<Output = Result<OwnedSemaphorePermit, AcquireError>> {
        let at = Location::caller();
        async move {
            self.take(n, at).await?;
            Ok(OwnedSemaphorePermit { sem: self, permits: n, at })
        }
    }

    /// Waits for a permit, blocking this thread.
    ///
    /// # Errors
    /// If the semaphore is closed.
    ///
    /// # Panics
    /// If this thread polls a future.
    #[track_caller]
    pub fn blocking_acquire(&self) -> Result<SemaphorePermit<'_>, AcquireError> {
        super::block_on(self.acquire())
    }

    /// Waits for permits, blocking this thread.
    ///
    /// # Errors
    /// If the semaphore is closed.
    ///
    /// # Panics
    /// If this thread polls a future.
    #[track_caller]
    pub fn blocking_acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, AcquireError> {
        super::block_on(self.acquire_many(n))
    }

    /// Waits for a permit that keeps the semaphore alive, blocking this thread.
    ///
    /// # Errors
    /// If the semaphore is closed.
    ///
    /// # Panics
    /// If this thread polls a future.
    #[track_caller]
    pub fn blocking_acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, AcquireError> {
        super::block_on(self.acquire_owned())
    }

    /// Waits for permits that keep the semaphore alive, blocking this thread.
    ///
    /// # Errors
    /// If the semaphore is closed.
    ///
    /// # Panics
    /// If this thread polls a future.
    #[track_caller]
    pub fn blocking_acquire_many_owned(self: Arc<Self>, n: u32) -> Result<OwnedSemaphorePermit, AcquireError> {
        super::block_on(self.acquire_many_owned(n))
    }

    /// Takes a permit if there is one.
    ///
    /// # Errors
    /// If there is none, or the semaphore is closed.
    #[track_caller]
    pub fn try_acquire(&self) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        self.try_acquire_many(1)
    }

    /// Takes permits if there are so many.
    ///
    /// # Errors
    /// If there are not, or the semaphore is closed.
    #[track_caller]
    pub fn try_acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        let at = Location::caller();
        self.try_take(n, at)?;
        Ok(SemaphorePermit { sem: self, permits: n, at })
    }

    /// Takes a permit that keeps the semaphore alive, if there is one.
    ///
    /// # Errors
    /// If there is none, or the semaphore is closed.
    #[track_caller]
    pub fn try_acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        self.try_acquire_many_owned(1)
    }

    /// Takes permits that keep the semaphore alive, if there are so many.
    ///
    /// # Errors
    /// If there are not, or the semaphore is closed.
    #[track_caller]
    pub fn try_acquire_many_owned(self: Arc<Self>, n: u32) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        let at = Location::caller();
        self.try_take(n, at)?;
        Ok(OwnedSemaphorePermit { sem: self, permits: n, at })
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore").field("permits", &self.available_permits()).finish_non_exhaustive()
    }
}

/// Permits; dropping them gives them back.
#[must_use]
#[clippy::has_significant_drop]
pub struct SemaphorePermit<'a> {
    sem: &'a Semaphore,
    permits: u32,
    at: Site,
}

/// Permits, and the semaphore with them.
#[must_use]
#[clippy::has_significant_drop]
pub struct OwnedSemaphorePermit {
    sem: Arc<Semaphore>,
    permits: u32,
    at: Site,
}

impl<'a> SemaphorePermit<'a> {
    /// The semaphore.
    #[must_use]
    pub fn semaphore(&self) -> &'a Semaphore {
        self.sem
    }
}

impl OwnedSemaphorePermit {
    /// The semaphore.
    #[must_use]
    pub fn semaphore(&self) -> &Arc<Semaphore> {
        &self.sem
    }
}

macro_rules! permit {
    ($name:ty, $same:expr, $sem:expr) => {
        impl $name {
            /// Never gives them back.
            pub fn forget(mut self) {
                self.permits = 0;
            }

            /// Takes the permits of another one of the same semaphore.
            ///
            /// # Panics
            /// If it is of another semaphore.
            #[track_caller]
            pub fn merge(&mut self, mut other: Self) {
                assert!(($same)(self, &other), "merging permits from different semaphore instances");
                self.permits += std::mem::take(&mut other.permits);
            }

            /// Takes so many permits out, if there are so many.
            pub fn split(&mut self, n: usize) -> Option<Self> {
                let n = u32::try_from(n).ok()?;
                self.permits = self.permits.checked_sub(n)?;
                Some(Self { sem: ($sem)(self), permits: n, at: self.at })
            }

            /// How many permits it is.
            #[must_use]
            pub fn num_permits(&self) -> usize {
                self.permits as usize
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                if self.permits > 0 {
                    self.sem.fair.release(self.permits as usize, false, "release", self.at);
                }
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).field("permits", &self.permits).finish_non_exhaustive()
            }
        }
    };
}

permit!(SemaphorePermit<'_>, |a: &Self, b: &Self| std::ptr::eq(a.sem, b.sem), |a: &Self| a.sem);
permit!(OwnedSemaphorePermit, |a: &Self, b: &Self| Arc::ptr_eq(&a.sem, &b.sem), |a: &Self| Arc::clone(&a.sem));
