//! A model of `tokio` for explored runs: a task is a modelled thread that polls a future, and a runtime is a number of workers, of which
//! a thread needs one to poll. So which ready task is polled next, whether two are polled at once, where an aborted task ends and
//! when a timer fires are decisions of the same search that decides who takes a lock.
//!
//! What needs nothing but wakers is tokio's own code: semaphores, channels, barriers. Each poll of theirs is one step. What is
//! missing here does not compile in an explored run: `fs`, `net`, `process`, `signal`, what of `io` the system is behind or two tasks
//! share, `runtime::Builder`'s hooks, and most of a runtime's metrics.

pub mod io;
pub mod macros;
pub mod runtime;
pub mod sync;
pub mod task;
pub mod time;

#[doc(hidden)]
pub mod model;

mod context;
mod metrics;
mod one_thread;
mod steps;

pub use real::{join, pin, try_join};
pub use task::spawn;
pub use tokio_macros::{main, test};
