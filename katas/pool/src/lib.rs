//! A thread pool by hand, and the same with rayon. The lesson is in `README.md`.

use std::any::Any;
use std::num::NonZeroUsize;

/// A fixed number of threads, the workers, that run the jobs of everybody who has some. Threads share the pool by reference.
///
/// Jobs that wait for a worker are the backlog. It has room for a fixed number of them. The types of both numbers rule out a
/// pool that could never run anything.
///
/// A worker never waits for its own pool: neither for room, nor for a result, nor for the end.
pub struct Pool {
    // The fields are yours to choose: what do the workers share, and what does only the owner need?
}

// Dropping the pool is like `shutdown`. That takes an `impl Drop for Pool`: write it when `shutdown` works.

/// The pool was shut down, so it takes no more jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShutDown;

/// Why an item has no result.
#[derive(Debug)]
pub enum Lost {
    /// The work on it panicked. This is what it panicked with.
    Panicked(Box<dyn Any + Send>),
    /// The work on it never began, because the pool was shut down.
    Dropped,
}

impl Pool {
    /// Starts `workers` threads. Up to `backlog` jobs can wait for them.
    ///
    /// # Panics
    /// If the system has no room for so many threads.
    pub fn new(workers: NonZeroUsize, backlog: NonZeroUsize) -> Pool {
        todo!()
    }

    /// Hands over a job, to be run by a worker. Jobs begin in the order in which they came into the backlog. Waits while it is full.
    ///
    /// A job may submit jobs to its own pool. If the backlog is full then, its worker runs the new job itself, here and now.
    ///
    /// A job that panics ends, its worker goes on.
    ///
    /// # Errors
    /// If the pool was shut down before there was room. The job is dropped.
    pub fn submit(&self, job: impl FnOnce() + Send + 'static) -> Result<(), ShutDown> {
        todo!()
    }

    /// Lets the workers `work` on all items, waits for the slowest, and returns one result for each item, in the items' order.
    ///
    /// Waits like [`submit`](Pool::submit) while the backlog is full, and meanwhile asks for no further item. A job may map on
    /// its own pool.
    pub fn map<T, R>(
        &self,
        items: impl IntoIterator<Item = T>,
        work: impl Fn(T) -> R + Send + Sync + 'static,
    ) -> Vec<Result<R, Lost>>
    where
        T: Send + 'static,
        R: Send + 'static,
    {
        todo!()
    }

    /// Takes no more jobs, runs those in the backlog, and waits until all workers have ended. If it was shut down already, it
    /// only waits.
    ///
    /// Whoever waits for room is answered. A job may shut its own pool down: then this does not wait.
    pub fn shutdown(&self) {
        todo!()
    }

    /// Like [`shutdown`](Pool::shutdown), but drops the jobs in the backlog first, and returns how many these were. The jobs that
    /// have begun run to their end.
    pub fn shutdown_now(&self) -> usize {
        todo!()
    }
}

/// Like [`Pool::map`], on `workers` threads of rayon, however few items there are. The work may borrow.
///
/// # Panics
/// If the system has no room for so many threads.
pub fn map_with_rayon<T: Send, R: Send>(
    workers: NonZeroUsize,
    items: Vec<T>,
    work: impl Fn(T) -> R + Sync,
) -> Vec<Result<R, Lost>> {
    todo!()
}
