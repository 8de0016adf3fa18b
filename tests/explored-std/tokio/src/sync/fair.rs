//! What locks are made of: a semaphore of tokio's own, which is fair, and what it protects.

use std::future::Future;
use std::raw::RawLock;
use std::real::cell::UnsafeCell;

use real::sync::{AcquireError, Semaphore, TryAcquireError};

use crate::steps::{Site, Steps, change, once};

/// A semaphore, and what it protects.
pub(super) struct Fair<T: ?Sized> {
    raw: RawLock,
    inside: UnsafeCell<Inside<T>>,
}

struct Inside<T: ?Sized> {
    semaphore: Semaphore,
    data: UnsafeCell<T>,
}

// SAFETY: the data is reached by those who have permits only, as the locks that are made of this see to.
unsafe impl<T: ?Sized + Send> Send for Fair<T> {}
// SAFETY: the same; those with permits to read have it together only where `T` is `Sync`, as the locks' own bounds say.
unsafe impl<T: ?Sized + Send> Sync for Fair<T> {}

impl<T> Fair<T> {
    #[track_caller]
    pub(super) const fn new(what: &'static str, permits: usize, data: T) -> Fair<T> {
        let inside = Inside { semaphore: Semaphore::const_new(permits), data: UnsafeCell::new(data) };
        Fair { raw: RawLock::new::<T>(what), inside: UnsafeCell::new(inside) }
    }

    pub(super) fn into_data(self) -> T {
        self.inside.into_inner().data.into_inner()
    }
}

impl<T: ?Sized> Fair<T> {
    fn inside(&self) -> &Inside<T> {
        if std::explored::exploring() {
            self.raw.refresh(&self.inside);
        }
        // SAFETY: nobody refers to it mutably but by `&mut self`; the semaphore and the data are shared by their own rules.
        unsafe { &*self.inside.get() }
    }

    /// For steps. A static's lock is made fresh before the first one.
    pub(super) fn raw(&self) -> &RawLock {
        self.inside();
        &self.raw
    }

    pub(super) fn semaphore(&self) -> &Semaphore {
        &self.inside().semaphore
    }

    /// Where the data is. Whoever uses it has the permits for that.
    pub(super) fn data(&self) -> *mut T {
        self.inside().data.get()
    }

    pub(super) fn data_mut(&mut self) -> &mut T {
        self.inside();
        self.inside.get_mut().data.get_mut()
    }

    /// Waits for so many permits, which the caller gives back. `alone` says whether nobody else can have one then.
    pub(super) fn acquire(
        &self,
        permits: u32,
        alone: bool,
        name: &'static str,
        at: Site,
    ) -> impl Future<Output = Result<(), AcquireError>> + '_ {
        let steps = Steps::new(self.raw(), name, at, self.semaphore().acquire_many(permits));
        async move {
            steps.await?.forget();
            self.raw().hold(alone, at);
            Ok(())
        }
    }

    /// Takes so many permits if they are there.
    pub(super) fn try_acquire(
        &self,
        permits: u32,
        alone: bool,
        name: &'static str,
        at: Site,
    ) -> Result<(), TryAcquireError> {
        let taken = once(self.raw(), name, at, Result::is_ok, || {
            self.semaphore().try_acquire_many(permits).map(|permit| permit.forget())
        });
        if taken.is_ok() {
            self.raw().hold(alone, at);
        }
        taken
    }

    /// Gives permits back.
    pub(super) fn release(&self, permits: usize, alone: bool, name: &'static str, at: Site) {
        if !std::explored::exploring() {
            self.semaphore().add_permits(permits);
            return;
        }
        change(self.raw(), name, at, || {
            self.raw().let_go(alone);
            self.semaphore().add_permits(permits);
        });
    }
}
