//! Jobs that run on worker threads, and futures that stand for their results. The lesson is in `README.md`.

use std::any::Any;
use std::marker::PhantomData;
use std::num::NonZeroUsize;
use std::time::Duration;

/// A fixed number of worker threads that run jobs, the oldest first. Threads can share it.
///
/// Dropping it waits until every job that was submitted is complete, and until its threads have ended.
pub struct Executor {
    // The fields are yours to choose. How do jobs reach the workers? How do the workers learn that no more will come?
}

/// Stands for the result of a job, which may not be there yet. It is complete when the job has returned, has panicked or
/// was cancelled. It can be sent to another thread.
///
/// Dropping it changes nothing for the job.
pub struct Future<T> {
    // The fields are yours to choose: what do the future and its job share? Who waits for it, and how are they told?
    // This one only lets the stub compile.
    _result: PhantomData<T>,
}

/// Why a future is complete without a result.
#[derive(Debug)]
pub enum Failure {
    /// It was cancelled, and its job never began.
    Cancelled,
    /// Its job panicked, with this payload.
    Panicked(Box<dyn Any + Send>),
}

/// What came of waiting for a result for a while.
pub enum Within<T> {
    /// The future is complete, well or not.
    Complete(Result<T, Failure>),
    /// The time was up first. Here is the future, for another try.
    TimeIsUp(Future<T>),
}

/// What [`wait`] waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// One of the futures is complete, whichever it is.
    FirstCompleted,
    /// A job has panicked, or all futures are complete. A cancelled future is not a failure.
    FirstFailure,
    /// All futures are complete.
    AllCompleted,
}

/// What [`wait`] gives back: all its futures, those of each part in the order in which they were given.
pub struct Waited<T> {
    /// The futures that are complete.
    pub done: Vec<Future<T>>,
    /// The others.
    pub not_done: Vec<Future<T>>,
}

/// The iterator of [`as_completed`].
pub struct AsCompleted<T> {
    // The fields are yours to choose. This one only lets the stub compile.
    _futures: PhantomData<T>,
}

impl Executor {
    /// Starts so many worker threads.
    ///
    /// # Panics
    /// If the system has no room for them.
    pub fn new(workers: NonZeroUsize) -> Executor {
        todo!()
    }

    /// Hands the job to the workers and returns at once.
    pub fn submit<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Future<T> {
        todo!()
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        todo!()
    }
}

impl<T> Future<T> {
    /// Whether it is complete. Then [`result`](Future::result) returns at once.
    pub fn is_done(&self) -> bool {
        todo!()
    }

    /// Cancels the future if its job has not begun: then the job never runs, and the future is complete now.
    ///
    /// Says whether the future is cancelled. `false` means that the job runs, or did.
    pub fn cancel(&self) -> bool {
        todo!()
    }

    /// Waits until the future is complete. Gives what the job returned.
    ///
    /// # Errors
    /// If the job panicked or was cancelled.
    pub fn result(self) -> Result<T, Failure> {
        todo!()
    }

    /// Like [`result`](Future::result), but waits for `limit` at most. Then it gives the future back.
    pub fn result_within(self, limit: Duration) -> Within<T> {
        todo!()
    }
}

/// Waits until enough of the futures are complete, for `limit` at most, or for ever. Gives all of them back: those that are
/// complete now, and the others.
///
/// The futures may come from several executors. If there are none, there is nothing to wait for.
pub fn wait<T>(futures: Vec<Future<T>>, until: Until, limit: Option<Duration>) -> Waited<T> {
    todo!()
}

/// Gives the futures one by one in the order in which they complete, each as soon as it is complete. Those that are complete
/// already come first.
///
/// The futures may come from several executors.
pub fn as_completed<T>(futures: Vec<Future<T>>) -> AsCompleted<T> {
    todo!()
}

impl<T> Iterator for AsCompleted<T> {
    type Item = Future<T>;

    /// Waits for the next future that completes. Nothing if all of them have come.
    fn next(&mut self) -> Option<Future<T>> {
        todo!()
    }
}
