//! `tokio::sync::SetOnce`.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::raw::RawLock;
use std::real::cell::UnsafeCell;

pub use real::sync::SetOnceError;

use crate::steps::{Steps, look, once};

/// The model of `tokio::sync::SetOnce`.
pub struct SetOnce<T> {
    raw: RawLock,
    real: UnsafeCell<real::sync::SetOnce<T>>,
}

// SAFETY: tokio's own is; it is made fresh between schedules only.
unsafe impl<T: Sync + Send> Sync for SetOnce<T> {}

impl<T> SetOnce<T> {
    /// Without a value.
    #[must_use]
    #[track_caller]
    pub fn new() -> SetOnce<T> {
        SetOnce::const_new()
    }

    /// The same, for statics.
    #[must_use]
    #[track_caller]
    pub const fn const_new() -> SetOnce<T> {
        SetOnce { raw: RawLock::new::<T>("SetOnce"), real: UnsafeCell::new(real::sync::SetOnce::const_new()) }
    }

    /// With this value, if there is one.
    #[must_use]
    #[track_caller]
    pub fn new_with(value: Option<T>) -> SetOnce<T> {
        SetOnce { raw: RawLock::new::<T>("SetOnce"), real: UnsafeCell::new(real::sync::SetOnce::new_with(value)) }
    }

    /// With this value, for statics.
    #[must_use]
    #[track_caller]
    pub const fn const_new_with(value: T) -> SetOnce<T> {
        let real = real::sync::SetOnce::const_new_with(value);
        SetOnce { raw: RawLock::new::<T>("SetOnce"), real: UnsafeCell::new(real) }
    }

    /// For steps. A static is made fresh before the first one.
    fn raw(&self) -> &RawLock {
        self.real();
        &self.raw
    }

    fn real(&self) -> &real::sync::SetOnce<T> {
        if std::explored::exploring() {
            self.raw.refresh(&self.real);
        }
        // SAFETY: nobody refers to it mutably.
        unsafe { &*self.real.get() }
    }

    /// Whether there is a value.
    #[track_caller]
    pub fn initialized(&self) -> bool {
        self.get_here("initialized").is_some()
    }

    /// The value, if there is one.
    #[track_caller]
    pub fn get(&self) -> Option<&T> {
        self.get_here("get")
    }

    #[track_caller]
    fn get_here(&self, name: &'static str) -> Option<&T> {
        look(self.raw(), name, Location::caller(), || self.real().get())
    }

    /// Puts a value in.
    ///
    /// # Errors
    /// The value, if there is one.
    #[track_caller]
    pub fn set(&self, value: T) -> Result<(), SetOnceError<T>> {
        once(self.raw(), "set", Location::caller(), Result::is_ok, || self.real().set(value))
    }

    /// Waits for the value.
    #[track_caller]
    pub fn wait(&self) -> impl Future<Output = &T> {
        Steps::new(self.raw(), "wait", Location::caller(), self.real().wait())
    }

    /// Takes the value out.
    pub fn into_inner(self) -> Option<T> {
        self.real.into_inner().into_inner()
    }
}

impl<T> Default for SetOnce<T> {
    #[track_caller]
    fn default() -> SetOnce<T> {
        SetOnce::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for SetOnce<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetOnce").field("value", &self.get()).finish()
    }
}
