//! A thread that polls a future until it is ready.

use std::future::Future;
use std::pin::Pin;
use std::raw::{self, Awaited, RawWorkers};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use super::Gate;
use crate::context;
use crate::steps::Site;

/// Wakes a thread that polls a future.
pub(crate) struct Poller {
    thread: Thread,
    /// The local set that it belongs to: it is polled only while that is.
    gate: Option<Arc<Gate>>,
}

impl Poller {
    pub(crate) fn new(thread: Thread, gate: Option<Arc<Gate>>) -> Poller {
        Poller { thread, gate }
    }
}

impl Wake for Poller {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        match &self.gate {
            Some(gate) => gate.wake(&self.thread),
            None => raw::wake(&self.thread),
        }
    }
}

/// Polls the future with one of the workers until it is ready, or `stopped` says so before a poll: then there is no output. The
/// thread keeps the worker, for what comes after.
pub(crate) fn drive<T>(
    mut future: Pin<&mut dyn Future<Output = T>>,
    workers: &Arc<RawWorkers>,
    waker: &Waker,
    stopped: impl Fn() -> bool,
    at: Site,
) -> Option<T> {
    raw::wake_me();
    let mut awaited = Awaited::nothing(at);
    loop {
        raw::begin_poll(Some(workers), awaited);
        context::begin(workers);
        if stopped() {
            return None;
        }
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(waker)) {
            return Some(output);
        }
        awaited = context::end().unwrap_or_else(|| Awaited::nothing(at));
        raw::end_poll(Some(workers));
    }
}

/// Ends a poll, also where the future panics.
pub(crate) struct EndPoll<'a>(pub(crate) &'a RawWorkers);

impl Drop for EndPoll<'_> {
    fn drop(&mut self) {
        context::end();
        raw::end_poll(Some(self.0));
    }
}
