//! `tokio::sync::oneshot`.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::raw::{Awaited, RawLock, whole};
use std::sync::Arc;
use std::task::{Context, Poll};

use real::sync::oneshot;

pub use real::sync::oneshot::error;

use crate::context;
use crate::steps::{Site, change, look, once};

/// Sends one value.
pub struct Sender<T> {
    raw: Arc<RawLock>,
    at: Site,
    /// Gone when it has sent.
    real: Option<oneshot::Sender<T>>,
}

/// A future of the value.
pub struct Receiver<T> {
    raw: Arc<RawLock>,
    at: Site,
    /// Gone in the drop only.
    real: Option<oneshot::Receiver<T>>,
}

/// A channel for one value.
#[must_use]
#[track_caller]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let (raw, at) = (Arc::new(RawLock::new::<T>("oneshot")), Location::caller());
    let (sender, receiver) = oneshot::channel();
    (Sender { raw: Arc::clone(&raw), at, real: Some(sender) }, Receiver { raw, at, real: Some(receiver) })
}

impl<T> Sender<T> {
    fn real(&mut self) -> &mut oneshot::Sender<T> {
        self.real.as_mut().expect("it has not sent yet")
    }

    /// Sends the value.
    ///
    /// # Errors
    /// The value, if the receiver is gone or closed.
    #[track_caller]
    pub fn send(mut self, t: T) -> Result<(), T> {
        let real = self.real.take().expect("it sends once");
        once(&self.raw, "send", Location::caller(), Result::is_ok, || real.send(t))
    }

    /// Waits until the receiver is gone or closed.
    #[track_caller]
    pub fn closed(&mut self) -> impl Future<Output = ()> {
        let at = Location::caller();
        std::future::poll_fn(move |cx| self.poll_closed_at(cx, at))
    }

    /// Whether the receiver is gone or closed.
    #[must_use]
    #[track_caller]
    pub fn is_closed(&self) -> bool {
        look(&self.raw, "is_closed", Location::caller(), || self.real.as_ref().is_none_or(oneshot::Sender::is_closed))
    }

    /// Polls whether the receiver is gone or closed.
    #[track_caller]
    pub fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.poll_closed_at(cx, Location::caller())
    }

    fn poll_closed_at(&mut self, cx: &mut Context<'_>, at: Site) -> Poll<()> {
        self.raw.touch("closed", at);
        let polled = whole(|| self.real().poll_closed(cx));
        if polled.is_pending() {
            context::awaits(Awaited::object(&self.raw, at));
        }
        polled
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        if let Some(real) = self.real.take() {
            change(&self.raw, "close", self.at, || drop(real));
        }
    }
}

impl<T> Receiver<T> {
    fn real(&mut self) -> &mut oneshot::Receiver<T> {
        self.real.as_mut().expect("it is here until it is dropped")
    }

    /// Lets the sender send no more. What was sent can still be received.
    #[track_caller]
    pub fn close(&mut self) {
        change(&Arc::clone(&self.raw), "close", Location::caller(), || self.real().close());
    }

    /// Whether it has given its value or error.
    #[must_use]
    pub fn is_terminated(&self) -> bool {
        self.real.as_ref().is_none_or(oneshot::Receiver::is_terminated)
    }

    /// Whether no value is here.
    #[must_use]
    #[track_caller]
    pub fn is_empty(&self) -> bool {
        look(&self.raw, "is_empty", Location::caller(), || self.real.as_ref().is_none_or(oneshot::Receiver::is_empty))
    }

    /// The value, if it is here.
    ///
    /// # Errors
    /// If it is not.
    #[track_caller]
    pub fn try_recv(&mut self) -> Result<T, error::TryRecvError> {
        once(&Arc::clone(&self.raw), "try_recv", Location::caller(), Result::is_ok, || self.real().try_recv())
    }

    /// The value, blocking this thread until it is here.
    ///
    /// # Errors
    /// If the sender is gone.
    ///
    /// # Panics
    /// If this thread polls a future.
    #[track_caller]
    pub fn blocking_recv(self) -> Result<T, error::RecvError> {
        super::block_on(self)
    }
}

impl<T> Future for Receiver<T> {
    type Output = Result<T, error::RecvError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if !context::spend() {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let (at, raw) = (self.at, Arc::clone(&self.raw));
        raw.touch("recv", at);
        let polled = whole(|| Pin::new(self.real()).poll(cx));
        match &polled {
            Poll::Ready(_) => raw.has_changed(),
            Poll::Pending => context::awaits(Awaited::object(&raw, at)),
        }
        polled
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        if let Some(mut real) = self.real.take().filter(|real| !real.is_terminated()) {
            // Its destructor makes steps of its own.
            let lost = change(&self.raw, "close", self.at, || {
                real.close();
                real.try_recv()
            });
            drop(lost);
        }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").finish_non_exhaustive()
    }
}
