//! `tokio::sync::OnceCell`.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::panic::Location;

use super::TryAcquireError;
use super::fair::Fair;
use crate::steps::{Site, change, look};

/// The model of `tokio::sync::OnceCell`.
pub struct OnceCell<T> {
    /// Its semaphore has a permit until there is a value, and is closed when one is put in.
    fair: Fair<Option<T>>,
}

// SAFETY: a shared cell gives out shared references, and takes a value from any thread.
unsafe impl<T: Sync + Send> Sync for OnceCell<T> {}

/// Why a value was not put in.
#[derive(Debug, PartialEq, Eq)]
pub enum SetError<T> {
    /// There is one.
    AlreadyInitializedError(T),
    /// Somebody is making one.
    InitializingError(T),
}

impl<T> SetError<T> {
    /// Whether there is a value.
    pub fn is_already_init_err(&self) -> bool {
        matches!(self, SetError::AlreadyInitializedError(_))
    }

    /// Whether somebody is making one.
    pub fn is_initializing_err(&self) -> bool {
        matches!(self, SetError::InitializingError(_))
    }
}

impl<T> fmt::Display for SetError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_already_init_err() { "AlreadyInitializedError" } else { "InitializingError" })
    }
}

impl<T: fmt::Debug> Error for SetError<T> {}

impl<T> OnceCell<T> {
    /// An empty cell.
    #[must_use]
    #[track_caller]
    pub fn new() -> OnceCell<T> {
        OnceCell::const_new()
    }

    /// An empty cell, for statics.
    #[must_use]
    #[track_caller]
    pub const fn const_new() -> OnceCell<T> {
        OnceCell { fair: Fair::new("OnceCell", 1, None) }
    }

    /// A cell with this value, if there is one.
    #[must_use]
    #[track_caller]
    pub fn new_with(value: Option<T>) -> OnceCell<T> {
        OnceCell { fair: Fair::new("OnceCell", usize::from(value.is_none()), value) }
    }

    /// A cell with this value, for statics.
    #[must_use]
    #[track_caller]
    pub const fn const_new_with(value: T) -> OnceCell<T> {
        OnceCell { fair: Fair::new("OnceCell", 0, Some(value)) }
    }

    fn value(&self) -> Option<&T> {
        // SAFETY: a value is put in once, while the semaphore is held, and never changed.
        unsafe { &*self.fair.data() }.as_ref()
    }

    /// Whether there is a value.
    #[track_caller]
    pub fn initialized(&self) -> bool {
        self.look(Location::caller()).is_some()
    }

    /// The value, if there is one.
    #[track_caller]
    pub fn get(&self) -> Option<&T> {
        self.look(Location::caller())
    }

    fn look(&self, at: Site) -> Option<&T> {
        look(self.fair.raw(), "get", at, || self.value())
    }

    /// The value, which nobody else can reach.
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.fair.data_mut().as_mut()
    }

    /// Puts a value in.
    ///
    /// # Errors
    /// The value, if there is one or somebody is making one.
    #[track_caller]
    pub fn set(&self, value: T) -> Result<(), SetError<T>> {
        let at = Location::caller();
        match self.fair.try_acquire(1, true, "set", at) {
            Ok(()) => {
                self.put(value, at);
                Ok(())
            }
            Err(TryAcquireError::NoPermits) if self.value().is_none() => Err(SetError::InitializingError(value)),
            Err(_) => Err(SetError::AlreadyInitializedError(value)),
        }
    }

    /// Puts a value in, for the holder of the semaphore.
    fn put(&self, value: T, at: Site) {
        change(self.fair.raw(), "put", at, || {
            // SAFETY: the semaphore is held, and there is no value yet, so nobody refers to it.
            unsafe { *self.fair.data() = Some(value) };
            self.fair.raw().let_go(true);
            self.fair.semaphore().close();
        });
    }

    /// The value; the first to come makes it, and the others wait for that.
    #[track_caller]
    pub fn get_or_init<F, Fut>(&self, f: F) -> impl Future<Output = &T>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = T>,
    {
        let at = Location::caller();
        async move {
            let made = self.make(at, || async { Ok::<T, Infallible>(f().await) }).await;
            made.unwrap_or_else(|never| match never {})
        }
    }

    /// The value; the first to come makes it, or the next, if that fails.
    ///
    /// # Errors
    /// That of the function.
    #[track_caller]
    pub fn get_or_try_init<E, F, Fut>(&self, f: F) -> impl Future<Output = Result<&T, E>>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        self.make(Location::caller(), f)
    }

    async fn make<E, F, Fut>(&self, at: Site, f: F) -> Result<&T, E>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        if self.look(at).is_none() && self.fair.acquire(1, true, "get_or_init", at).await.is_ok() {
            // Whoever is cancelled here, or fails, lets the next one try.
            let making = Making { cell: self, at };
            let value = f().await?;
            std::mem::forget(making);
            self.put(value, at);
        }
        Ok(self.look(at).expect("the semaphore is closed when there is a value"))
    }

    /// Takes the value out.
    pub fn into_inner(self) -> Option<T> {
        self.fair.into_data()
    }

    /// Takes the value out and leaves an empty cell.
    #[track_caller]
    pub fn take(&mut self) -> Option<T> {
        std::mem::take(self).into_inner()
    }
}

/// Somebody makes the value.
struct Making<'a, T> {
    cell: &'a OnceCell<T>,
    at: Site,
}

impl<T> Drop for Making<'_, T> {
    fn drop(&mut self) {
        self.cell.fair.release(1, true, "give up", self.at);
    }
}

impl<T> Default for OnceCell<T> {
    #[track_caller]
    fn default() -> OnceCell<T> {
        OnceCell::new()
    }
}

impl<T> From<T> for OnceCell<T> {
    #[track_caller]
    fn from(value: T) -> OnceCell<T> {
        OnceCell::new_with(Some(value))
    }
}

impl<T: Clone> Clone for OnceCell<T> {
    #[track_caller]
    fn clone(&self) -> OnceCell<T> {
        OnceCell::new_with(self.get().cloned())
    }
}

impl<T: PartialEq> PartialEq for OnceCell<T> {
    fn eq(&self, other: &OnceCell<T>) -> bool {
        self.get() == other.get()
    }
}

impl<T: Eq> Eq for OnceCell<T> {}

impl<T: fmt::Debug> fmt::Debug for OnceCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnceCell").field("value", &self.get()).finish()
    }
}
