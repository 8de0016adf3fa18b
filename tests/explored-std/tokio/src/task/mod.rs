//! `tokio::task`: tasks, what starts them and what waits for them.

mod gate;
mod join;
pub mod join_set;
mod local_key;
mod poller;
mod start;

pub mod coop;

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::raw::{self, Awaited};
use std::task::{Context, Poll};

pub use coop::{Unconstrained, consume_budget, unconstrained};
pub use gate::{LocalEnterGuard, LocalSet, spawn_local};
pub use join::{AbortHandle, Id, JoinError, JoinHandle, id, try_id};
pub use join_set::JoinSet;
pub use local_key::LocalKey;

pub(crate) use gate::Gate;
pub(crate) use join::is_finished;
pub(crate) use poller::{EndPoll, Poller, drive};
pub(crate) use start::{Boxed, Home, Place, Task, start, start_blocking};

use crate::context;
use crate::runtime::{Handle, RuntimeFlavor};
use crate::steps::Site;

/// Futures that are named.
pub mod futures {
    pub use super::local_key::TaskLocalFuture;
}

/// Starts a task on the runtime that this thread is in.
///
/// # Panics
/// If it is in none.
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    Handle::current().spawn(future)
}

/// Runs a closure on a thread for blocking work.
///
/// # Panics
/// If this thread is in no runtime.
#[track_caller]
pub fn spawn_blocking<F, R>(f: F) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    Handle::current().spawn_blocking(f)
}

/// Runs a closure that may block: its worker is free for others meanwhile.
///
/// # Panics
/// If this thread polls a task of a current-thread runtime.
#[track_caller]
pub fn block_in_place<F, R>(f: F) -> R
where
    F: FnOnce() -> R,
{
    let polls = context::with(|context| context.polls);
    if !polls {
        return f();
    }
    let may_block = Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread
        && context::with(|context| context.gate.is_none());
    assert!(may_block, "can call blocking only when running on the multi-threaded runtime");
    let workers = context::with(|context| {
        context.polls = false;
        context.workers.clone()
    });
    raw::end_poll(workers.as_deref());
    let result = f();
    context::with(|context| context.polls = true);
    result
}

/// Lets other tasks go first.
#[track_caller]
pub fn yield_now() -> impl Future<Output = ()> {
    YieldNow { yielded: false, at: Location::caller() }
}

struct YieldNow {
    yielded: bool,
    at: Site,
}

impl Future for YieldNow {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.yielded, true) {
            return Poll::Ready(());
        }
        context::awaits(Awaited::others(self.at));
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
