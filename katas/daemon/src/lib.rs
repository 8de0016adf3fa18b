//! A worker in the background: tell it to stop, wait for it for ever or for a while, or forget it. The lesson is in
//! `README.md`.

use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A thread in the background, in the hands of the thread that started it.
///
/// Dropping it changes nothing for the thread: that goes on until its work is done or the program ends.
#[derive(Debug)]
pub struct Worker<T> {
    handle: JoinHandle<T>,
    // The rest is yours to choose. How does the thread learn that it shall stop, and its owner that it has ended?
}

/// How a worker learns that it shall stop. Its work gets a reference.
#[derive(Debug)]
pub struct StopSignal {
    // Yours to choose.
}

/// What came of waiting for a worker for a while.
#[derive(Debug)]
pub enum Joined<T> {
    /// It has ended, with a result or in a panic: exactly what `join` would have given.
    Ended(thread::Result<T>),
    /// The time was up first. Here is the worker, for another try.
    StillRunning(Worker<T>),
}

impl<T: Send + 'static> Worker<T> {
    /// Starts `work` in a thread of that name, and goes on at once.
    pub fn start(name: &str, work: impl FnOnce(&StopSignal) -> T + Send + 'static) -> Worker<T> {
        todo!()
    }

    /// Tells the worker to stop, and goes on at once. The worker decides when it does: see [`StopSignal`].
    pub fn stop(&self) {
        todo!()
    }

    /// Whether the thread has not ended yet, well or in a panic.
    pub fn is_alive(&self) -> bool {
        todo!()
    }

    /// Waits until the worker has ended. Gives what its work returned, or what it panicked with.
    pub fn join(self) -> thread::Result<T> {
        todo!()
    }

    /// Waits until the worker has ended, but for `limit` at most.
    pub fn join_timeout(self, limit: Duration) -> Joined<T> {
        todo!()
    }
}

impl StopSignal {
    /// Whether the worker has been told to stop.
    pub fn is_set(&self) -> bool {
        todo!()
    }

    /// Sleeps for `pause`, and wakes earlier only if the worker is told to stop. Does not sleep at all if it was told before.
    ///
    /// Says whether the worker has been told to stop, so that work that repeats reads `while !stop.sleep(pause) { … }`.
    pub fn sleep(&self, pause: Duration) -> bool {
        todo!()
    }
}
