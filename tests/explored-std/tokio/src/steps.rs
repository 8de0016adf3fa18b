//! Futures of tokio's own, each of whose polls is one step.

use std::future::Future;
use std::ops::Deref;
use std::panic::Location;
use std::pin::Pin;
use std::raw::{self, Awaited, RawLock, whole};
use std::task::{Context, Poll};

use crate::context;

/// A place in the learner's source.
pub type Site = &'static Location<'static>;

/// Does something with a primitive of tokio's as one step. `changes` says of the result whether it has changed the primitive.
pub(crate) fn once<R>(
    raw: &RawLock,
    name: &'static str,
    at: Site,
    changes: impl Fn(&R) -> bool,
    f: impl FnOnce() -> R,
) -> R {
    raw.touch(name, at);
    let result = whole(f);
    if changes(&result) {
        raw.has_changed()
    } else {
        raw.was_refused()
    }
    result
}

/// The same with what always changes something.
pub(crate) fn change<R>(raw: &RawLock, name: &'static str, at: Site, f: impl FnOnce() -> R) -> R {
    once(raw, name, at, |_| true, f)
}

/// The same with what only looks.
pub(crate) fn look<R>(raw: &RawLock, name: &'static str, at: Site, f: impl FnOnce() -> R) -> R {
    raw.touch(name, at);
    whole(f)
}

/// A look at what is mostly counted silently, since nobody looks.
pub(crate) fn count<R>(raw: &RawLock, at: Site, f: impl FnOnce() -> R) -> R {
    raw::look_closely();
    look(raw, "count", at, f)
}

/// Changes what is counted silently, unless somebody looks.
pub(crate) fn counted<R>(raw: &RawLock, name: &'static str, at: Site, f: impl FnOnce() -> R) -> R {
    raw.touch_closely(name, at);
    whole(f)
}

/// A future of tokio's own, at a primitive.
pub(crate) struct Steps<R: Deref<Target = RawLock>, F> {
    raw: R,
    name: &'static str,
    at: Site,
    /// Gone when it was ready.
    future: Option<Pin<Box<F>>>,
    /// Whether its drop can be seen: it was polled, or owns what others see.
    waits: bool,
}

impl<R: Deref<Target = RawLock>, F: Future> Steps<R, F> {
    pub(crate) fn new(raw: R, name: &'static str, at: Site, future: F) -> Steps<R, F> {
        Steps { raw, name, at, future: Some(Box::pin(future)), waits: false }
    }

    /// The future, until it was ready.
    pub(crate) fn future(&mut self) -> Option<Pin<&mut F>> {
        self.future.as_mut().map(Pin::as_mut)
    }

    /// A step at the primitive.
    pub(crate) fn touch(&self, name: &'static str, at: Site) {
        self.raw.touch(name, at);
    }

    /// Notes that the drop of the future can be seen.
    pub(crate) fn note_waiting(&mut self) {
        self.waits = true;
    }
}

impl<R: Deref<Target = RawLock>, F> Unpin for Steps<R, F> {}

impl<R: Deref<Target = RawLock>, F: Future> Future for Steps<R, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        if !context::spend() {
            cx.waker().wake_by_ref();
            context::awaits(Awaited::others(this.at));
            return Poll::Pending;
        }
        let future = this.future.as_mut().expect("a future is not polled after it was ready");
        this.raw.touch(this.name, this.at);
        match whole(|| future.as_mut().poll(cx)) {
            Poll::Ready(output) => {
                whole(|| this.future = None);
                this.raw.has_changed();
                Poll::Ready(output)
            }
            Poll::Pending => {
                this.waits = true;
                context::awaits(Awaited::object(&this.raw, this.at));
                Poll::Pending
            }
        }
    }
}

impl<R: Deref<Target = RawLock>, F> Drop for Steps<R, F> {
    fn drop(&mut self) {
        if self.waits && self.future.is_some() {
            self.raw.touch("cancel", self.at);
            whole(|| self.future = None);
            self.raw.has_changed();
        }
    }
}
