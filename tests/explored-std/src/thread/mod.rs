//! `std::thread`, modelled: threads are coroutines that the scheduler switches, sleeping costs no real time.

mod builder;
mod handle;
pub(crate) mod local;
pub(crate) mod scoped;

use std::io;
use std::num::NonZero;
use std::panic::Location;
use std::time::Duration;

pub use ::std::thread::Result;

pub(crate) use builder::start;
pub use builder::{Builder, JoinHandle};
pub use handle::{Thread, ThreadId};
pub use local::{AccessError, LocalKey};
pub use scoped::{Scope, ScopedJoinHandle, scope};

use crate::engine::kind::Kind;
use crate::engine::operation::{How, NOTHING, Operation, Site};
use crate::engine::run::{step, try_with, with};
use crate::raw::{Deadline, step_alone};

/// Starts a thread. It begins at the starter's next operation.
///
/// # Panics
/// If used outside an explored test.
#[track_caller]
pub fn spawn<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    Builder::new().spawn(f).expect("a modelled thread can always start")
}

/// The thread that calls.
#[must_use]
pub fn current() -> Thread {
    with(|state| Thread::of(state, state.current))
}

/// Lets other threads go first.
#[track_caller]
pub fn yield_now() {
    pause("yield_now", Location::caller());
}

/// A step that lets others go first; outside an exploration the real thing.
pub(crate) fn pause(name: &'static str, at: Site) {
    match try_with(|_| ()) {
        Some(()) => step_alone(Kind::Yield, name, at, Deadline::NEVER),
        None => ::std::thread::yield_now(),
    }
}

/// Sleeps in virtual time: it passes only when nobody else can go on (or at any time, where the test asks for hostile
/// timeouts).
#[track_caller]
pub fn sleep(dur: Duration) {
    let at = Location::caller();
    match try_with(|_| ()) {
        Some(()) => step_alone(Kind::Sleep, "sleep", at, Deadline::after(dur)),
        None => ::std::thread::sleep(dur),
    }
}

/// Sleeps in virtual time.
#[deprecated(since = "1.6.0", note = "replaced by `std::thread::sleep`")]
#[track_caller]
pub fn sleep_ms(ms: u32) {
    sleep(Duration::from_millis(ms.into()));
}

/// Waits for this thread's token and takes it. May return without it.
#[track_caller]
pub fn park() {
    park_until("park", Deadline::NEVER, Location::caller());
}

/// The same, or until this much virtual time has passed.
#[track_caller]
pub fn park_timeout(dur: Duration) {
    park_until("park_timeout", Deadline::after(dur), Location::caller());
}

/// The same, in milliseconds.
#[deprecated(since = "1.6.0", note = "replaced by `std::thread::park_timeout`")]
#[track_caller]
pub fn park_timeout_ms(ms: u32) {
    park_until("park_timeout", Deadline::after(Duration::from_millis(ms.into())), Location::caller());
}

fn park_until(name: &'static str, deadline: Deadline, at: Site) {
    let me = with(|state| state.current);
    let operation = Operation { other: me, ..Operation::new(Kind::Park, name, NOTHING, at) };
    if step(operation.until(deadline.0)) == How::Step {
        with(|state| state.me().token = false);
    }
}

/// Whether the thread that calls is unwinding.
#[must_use]
pub fn panicking() -> bool {
    crate::engine::panics::panicking()
}

/// How many threads can run at the same time: always 4 in an exploration, so that the answer does not depend on the machine.
///
/// # Errors
/// As std's, outside an exploration.
pub fn available_parallelism() -> io::Result<NonZero<usize>> {
    match try_with(|_| ()) {
        Some(()) => Ok(const { NonZero::new(4).unwrap() }),
        None => ::std::thread::available_parallelism(),
    }
}
