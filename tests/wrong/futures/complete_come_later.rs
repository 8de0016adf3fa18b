//! rejected: assertion
//! by: as_completed_gives_each_future_as_soon_as_it_is_complete
//!
//! Breaks "those that are complete already come first": the iterator looks at its channel before it looks at those that were complete when
//! it began. Shows if one future is complete before `as_completed`, and another completes after it and before the first `next`.

use std::any::Any;
use std::collections::VecDeque;
use std::mem;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

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

/// The moment at which the time is up. None if it never is.
fn end_of(limit: Duration) -> Option<Instant> {
    Instant::now().checked_add(limit)
}

type Job = Box<dyn FnOnce() + Send>;

struct Queue {
    jobs: VecDeque<Job>,
    closed: bool,
}

struct Shared {
    queue: Mutex<Queue>,
    work: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self) {
        let mut queue = self.lock();
        loop {
            if let Some(job) = queue.jobs.pop_front() {
                drop(queue);
                job();
                queue = self.lock();
            } else if queue.closed {
                return;
            } else {
                queue = self.work.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}

/// A fixed number of worker threads that run jobs, the oldest first.
pub struct Executor {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
}

impl Executor {
    pub fn new(workers: NonZeroUsize) -> Executor {
        let shared = Arc::new(Shared {
            queue: Mutex::new(Queue { jobs: VecDeque::new(), closed: false }),
            work: Condvar::new(),
        });
        let mut executor = Executor { shared, workers: Vec::new() };
        for _ in 0..workers.get() {
            let shared = Arc::clone(&executor.shared);
            executor.workers.push(thread::spawn(move || shared.serve()));
        }
        executor
    }

    pub fn submit<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Future<T> {
        let inner = Arc::new(Inner::new());
        let future = Future { inner: Arc::clone(&inner) };
        let job: Job = Box::new(move || {
            if inner.begin() {
                inner.complete(catch_unwind(AssertUnwindSafe(job)).map_err(Failure::Panicked));
            }
        });
        self.shared.lock().jobs.push_back(job);
        self.shared.work.notify_one();
        future
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.work.notify_all();
        let me = thread::current().id();
        for worker in self.workers.drain(..) {
            if worker.thread().id() != me {
                let _ = worker.join();
            }
        }
    }
}

enum Stage<T> {
    Waiting,
    Running,
    Complete(Result<T, Failure>),
}

/// A future by its place in the list, and whether it has panicked.
type Report = (usize, bool);

struct State<T> {
    stage: Stage<T>,
    listeners: Vec<(Sender<Report>, usize)>,
}

/// What a future and its job share.
struct Inner<T> {
    state: Mutex<State<T>>,
}

impl<T> Inner<T> {
    fn new() -> Inner<T> {
        Inner { state: Mutex::new(State { stage: Stage::Waiting, listeners: Vec::new() }) }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the job is to run.
    fn begin(&self) -> bool {
        let mut state = self.lock();
        let waiting = matches!(state.stage, Stage::Waiting);
        if waiting {
            state.stage = Stage::Running;
        }
        waiting
    }

    fn complete(&self, outcome: Result<T, Failure>) {
        let panicked = matches!(outcome, Err(Failure::Panicked(_)));
        let mut state = self.lock();
        state.stage = Stage::Complete(outcome);
        for (listener, index) in mem::take(&mut state.listeners) {
            // Whoever has given up does not hear it.
            let _ = listener.send((index, panicked));
        }
    }

    /// If it is complete, whether it has panicked. Otherwise the listener will be told.
    fn listen(&self, listener: &Sender<Report>, index: usize) -> Option<bool> {
        let mut state = self.lock();
        if let Stage::Complete(outcome) = &state.stage {
            return Some(matches!(outcome, Err(Failure::Panicked(_))));
        }
        state.listeners.push((listener.clone(), index));
        None
    }

    fn take(&self) -> Option<Result<T, Failure>> {
        let mut state = self.lock();
        match mem::replace(&mut state.stage, Stage::Running) {
            Stage::Complete(outcome) => Some(outcome),
            other => {
                state.stage = other;
                None
            }
        }
    }
}

/// The next report. None if the time is up.
fn next_report(reports: &Receiver<Report>, end: Option<Instant>) -> Option<Report> {
    let Some(end) = end else {
        return reports.recv().ok();
    };
    let left = end.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return reports.try_recv().ok();
    }
    match reports.recv_timeout(left) {
        Ok(report) => Some(report),
        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => None,
    }
}

/// Stands for the result of a job.
pub struct Future<T> {
    inner: Arc<Inner<T>>,
}

impl<T> Future<T> {
    pub fn is_done(&self) -> bool {
        matches!(self.inner.lock().stage, Stage::Complete(_))
    }

    pub fn cancel(&self) -> bool {
        let mut state = self.inner.lock();
        if matches!(state.stage, Stage::Waiting) {
            state.stage = Stage::Complete(Err(Failure::Cancelled));
        }
        matches!(state.stage, Stage::Complete(Err(Failure::Cancelled)))
    }

    /// Waits. None if the time is up.
    fn outcome(&self, end: Option<Instant>) -> Option<Result<T, Failure>> {
        let (listener, reports) = mpsc::channel();
        if self.inner.listen(&listener, 0).is_none() {
            next_report(&reports, end)?;
        }
        self.inner.take()
    }

    pub fn result(self) -> Result<T, Failure> {
        self.outcome(None).expect("it is complete")
    }

    pub fn result_within(self, limit: Duration) -> Within<T> {
        match self.outcome(end_of(limit)) {
            Some(outcome) => Within::Complete(outcome),
            None => Within::TimeIsUp(self),
        }
    }
}

/// Waits until enough of the futures are complete.
pub fn wait<T>(futures: Vec<Future<T>>, until: Until, limit: Option<Duration>) -> Waited<T> {
    let end = limit.and_then(end_of);
    let (listener, reports) = mpsc::channel();
    let mut complete = 0;
    let mut panicked = false;
    for (index, future) in futures.iter().enumerate() {
        if let Some(failed) = future.inner.listen(&listener, index) {
            complete += 1;
            panicked |= failed;
        }
    }
    loop {
        let enough = complete == futures.len()
            || match until {
                Until::FirstCompleted => complete > 0,
                Until::FirstFailure => panicked,
                Until::AllCompleted => false,
            };
        if enough {
            break;
        }
        let Some((_, failed)) = next_report(&reports, end) else {
            break;
        };
        complete += 1;
        panicked |= failed;
    }
    let (done, not_done) = futures.into_iter().partition(Future::is_done);
    Waited { done, not_done }
}

/// The iterator of [`as_completed`].
pub struct AsCompleted<T> {
    futures: Vec<Option<Future<T>>>,
    /// Those that were complete at the beginning.
    ready: VecDeque<usize>,
    reports: Receiver<Report>,
}

/// Gives the futures one by one in the order in which they complete.
pub fn as_completed<T>(futures: Vec<Future<T>>) -> AsCompleted<T> {
    // Only futures that will still report have a sender. So after the last report the channel is at its end.
    let (listener, reports) = mpsc::channel();
    let mut ready = VecDeque::new();
    for (index, future) in futures.iter().enumerate() {
        if future.inner.listen(&listener, index).is_some() {
            ready.push_back(index);
        }
    }
    AsCompleted { futures: futures.into_iter().map(Some).collect(), ready, reports }
}

impl<T> Iterator for AsCompleted<T> {
    type Item = Future<T>;

    fn next(&mut self) -> Option<Future<T>> {
        // News first. Those that are ready don't run away.
        let index = match self.reports.try_recv() {
            Ok((index, _)) => index,
            Err(_) => match self.ready.pop_front() {
                Some(index) => index,
                None => self.reports.recv().ok()?.0,
            },
        };
        self.futures[index].take()
    }
}
