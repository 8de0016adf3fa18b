//! `tokio::task::coop`: how long a task may go on in one poll.

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
