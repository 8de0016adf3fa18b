//! `tokio::sync::Notify`.

use std::fmt;
use std::future::Future;
use std::mem::ManuallyDrop;
use std::panic::Location;
use std::pin::Pin;
use std::raw::{RawLock, whole};
use std::real::cell::UnsafeCell;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::steps::{Steps, change};

/// The model of `tokio::sync::Notify`.
pub struct Notify {
    raw: RawLock,
    real: UnsafeCell<real::sync::Notify>,
}

// SAFETY: tokio's own is; it is made fresh between schedules only.
unsafe impl Sync for Notify {}

impl Notify {
    /// Without a permit.
    #[must_use]
    #[track_caller]
    pub fn new() -> Notify {
        Notify::const_new()
    }

    /// The same, for statics.
    #[must_use]
    #[track_caller]
    pub const fn const_new() -> Notify {
        Notify { raw: RawLock::new::<()>("Notify"), real: UnsafeCell::new(real::sync::Notify::const_new()) }
    }

    /// For steps. A static is made fresh before the first one.
    fn raw(&self) -> &RawLock {
        self.real();
        &self.raw
    }

    fn real(&self) -> &real::sync::Notify {
        if std::explored::exploring() {
            self.raw.refresh(&self.real);
        }
        // SAFETY: nobody refers to it mutably.
        unsafe { &*self.real.get() }
    }

    /// Waits to be notified.
    #[track_caller]
    pub fn notified(&self) -> Notified<'_> {
        let at = Location::caller();
        // Who is notified by `notify_waiters` depends on when this was called.
        let real = change(self.raw(), "notified", at, || self.real().notified());
        Notified { steps: Steps::new(self.raw(), "await", at, real) }
    }

    /// The same, and keeps it alive.
    #[track_caller]
    pub fn notified_owned(self: Arc<Self>) -> OwnedNotified {
        // SAFETY: the future is dropped before the handle that keeps it alive, and `Notify` does not move in its `Arc`.
        let notified = unsafe { std::mem::transmute::<Notified<'_>, Notified<'static>>(self.notified()) };
        OwnedNotified { notified: ManuallyDrop::new(notified), notify: self }
    }

    /// Notifies the one that waits longest, or the next to come.
    #[track_caller]
    pub fn notify_one(&self) {
        change(self.raw(), "notify_one", Location::caller(), || self.real().notify_one());
    }

    /// Notifies the one that came last, or the next to come.
    #[track_caller]
    pub fn notify_last(&self) {
        change(self.raw(), "notify_last", Location::caller(), || self.real().notify_last());
    }

    /// Notifies all that wait now.
    #[track_caller]
    pub fn notify_waiters(&self) {
        change(self.raw(), "notify_waiters", Location::caller(), || self.real().notify_waiters());
    }
}

impl Default for Notify {
    #[track_caller]
    fn default() -> Notify {
        Notify::new()
    }
}

impl fmt::Debug for Notify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notify").finish_non_exhaustive()
    }
}

/// Waits to be notified.
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Notified<'a> {
    steps: Steps<&'a RawLock, real::sync::futures::Notified<'a>>,
}

impl Notified<'_> {
    /// Begins to wait without being polled. Says whether it is notified already.
    #[track_caller]
    pub fn enable(mut self: Pin<&mut Self>) -> bool {
        let at = Location::caller();
        let steps = &mut self.steps;
        steps.note_waiting();
        steps.touch("enable", at);
        steps.future().is_none_or(|future| whole(|| future.enable()))
    }
}

impl Future for Notified<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.steps).poll(cx)
    }
}

impl fmt::Debug for Notified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notified").finish_non_exhaustive()
    }
}

/// Waits to be notified, and keeps the [`Notify`] alive.
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct OwnedNotified {
    notified: ManuallyDrop<Notified<'static>>,
    #[expect(dead_code, reason = "the future refers to it")]
    notify: Arc<Notify>,
}

impl OwnedNotified {
    /// Begins to wait without being polled. Says whether it is notified already.
    #[track_caller]
    pub fn enable(mut self: Pin<&mut Self>) -> bool {
        Pin::new(&mut *self.notified).enable()
    }
}

impl Future for OwnedNotified {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut *self.notified).poll(cx)
    }
}

impl Drop for OwnedNotified {
    fn drop(&mut self) {
        // SAFETY: it is dropped once, and before what it refers to.
        unsafe { ManuallyDrop::drop(&mut self.notified) };
    }
}

impl fmt::Debug for OwnedNotified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedNotified").finish_non_exhaustive()
    }
}
