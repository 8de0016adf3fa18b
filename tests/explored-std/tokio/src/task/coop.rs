//! `tokio::task::coop`: how long a task may go on in one poll.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::panic::Location;
use std::pin::Pin;
use std::raw::Awaited;
use std::task::{Context, Poll};

use crate::context;

pin_project_lite::pin_project! {
    /// A future without a budget.
    #[derive(Debug)]
    #[must_use = "Unconstrained does nothing unless polled"]
    pub struct Unconstrained<F> {
        #[pin]
        future: F,
    }
}

/// Polls a future without a budget: it may go on as long as it is ready.
pub fn unconstrained<F>(inner: F) -> Unconstrained<F> {
    Unconstrained { future: inner }
}

impl<F: Future> Future for Unconstrained<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        context::unlimited(|| self.project().future.poll(cx))
    }
}

/// Whether something is left of the budget of this poll.
#[must_use]
pub fn has_budget_remaining() -> bool {
    !context::is_spent()
}

/// Gives back what [`poll_proceed`] took, unless there was progress.
#[derive(Debug)]
#[must_use]
pub struct RestoreOnPending {
    made_progress: Cell<bool>,
}

impl RestoreOnPending {
    /// There was progress: what was taken is spent.
    pub fn made_progress(&self) {
        self.made_progress.set(true);
    }
}

impl Drop for RestoreOnPending {
    fn drop(&mut self) {
        if !self.made_progress.get() {
            context::restore();
        }
    }
}

/// Takes one from the budget of this poll; others go first if nothing was left.
pub fn poll_proceed(cx: &mut Context<'_>) -> Poll<RestoreOnPending> {
    if context::spend() {
        return Poll::Ready(RestoreOnPending { made_progress: Cell::new(false) });
    }
    cx.waker().wake_by_ref();
    Poll::Pending
}

/// Takes one from the budget of this poll, and lets others go first if nothing was left.
#[track_caller]
pub fn consume_budget() -> impl Future<Output = ()> {
    let at = Location::caller();
    poll_fn(move |cx| {
        if context::spend() {
            return Poll::Ready(());
        }
        context::awaits(Awaited::others(at));
        cx.waker().wake_by_ref();
        Poll::Pending
    })
}
