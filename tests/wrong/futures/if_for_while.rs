//! rejected: assertion, panic, race
//!
//! Waits once and takes for granted that it was woken for its own sake. But a wakeup may come without a cause, or for a future of
//! somebody else.

use std::any::Any;
use std::collections::VecDeque;
use std::mem;
use std::num::NonZeroUsize;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How many futures have completed so far. Whatever a future's stage is, it changes under this lock.
static COMPLETIONS: Mutex<u64> = Mutex::new(0);
static COMPLETED: Condvar = Condvar::new();

pub struct Executor {
    queue: Arc<Queue>,
    workers: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Queue {
    jobs: Mutex<Jobs>,
    changed: Condvar,
}

#[derive(Default)]
struct Jobs {
    waiting: VecDeque<Box<dyn FnOnce() + Send>>,
    closed: bool,
}

pub struct Future<T> {
    shared: Arc<Mutex<Shared<T>>>,
}

struct Shared<T> {
    /// Whether its job may not begin any more: a worker has begun with it, or it was cancelled.
    taken: bool,
    /// The number of its completion, and what came of it.
    result: Option<(u64, Result<T, Failure>)>,
}

#[derive(Debug)]
pub enum Failure {
    Cancelled,
    Panicked(Box<dyn Any + Send>),
}

pub enum Within<T> {
    Complete(Result<T, Failure>),
    TimeIsUp(Future<T>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    FirstCompleted,
    FirstFailure,
    AllCompleted,
}

pub struct Waited<T> {
    pub done: Vec<Future<T>>,
    pub not_done: Vec<Future<T>>,
}

pub struct AsCompleted<T> {
    futures: Vec<Future<T>>,
}

impl Executor {
    pub fn new(workers: NonZeroUsize) -> Executor {
        let queue = Arc::new(Queue::default());
        let workers = (0..workers.get()).map(|_| {
            let queue = Arc::clone(&queue);
            thread::spawn(move || queue.work())
        });
        Executor { workers: workers.collect(), queue }
    }

    pub fn submit<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Future<T> {
        let shared = Arc::new(Mutex::new(Shared { taken: false, result: None }));
        let future = Future { shared: Arc::clone(&shared) };
        let job = move || {
            if !mem::replace(&mut shared.lock().unwrap().taken, true) {
                let result = panic::catch_unwind(AssertUnwindSafe(job)).map_err(Failure::Panicked);
                complete(&shared, result);
            }
        };
        self.queue.jobs.lock().unwrap().waiting.push_back(Box::new(job));
        self.queue.changed.notify_one();
        future
    }
}

impl Queue {
    fn work(&self) {
        loop {
            let jobs = self.jobs.lock().unwrap();
            let mut jobs = self.changed.wait_while(jobs, |jobs| jobs.waiting.is_empty() && !jobs.closed).unwrap();
            let Some(job) = jobs.waiting.pop_front() else { return };
            drop(jobs);
            job();
        }
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        self.queue.jobs.lock().unwrap().closed = true;
        self.queue.changed.notify_all();
        for worker in self.workers.drain(..) {
            let _ = worker.join();
        }
    }
}

/// Whoever has taken the job completes its future.
fn complete<T>(shared: &Mutex<Shared<T>>, result: Result<T, Failure>) {
    let mut completions = COMPLETIONS.lock().unwrap();
    *completions += 1;
    shared.lock().unwrap().result = Some((*completions, result));
    COMPLETED.notify_all();
}

/// Waits until something comes of `look`, which is asked anew after each completion. Nothing if the time is up.
fn wait_until<R>(deadline: Option<Instant>, mut look: impl FnMut() -> Option<R>) -> Option<R> {
    let mut completions: MutexGuard<'_, u64> = COMPLETIONS.lock().unwrap();
    if let Some(found) = look() {
        return Some(found);
    }
    completions = match deadline {
        None => COMPLETED.wait(completions).unwrap(),
        Some(deadline) => {
            let left = deadline.saturating_duration_since(Instant::now());
            COMPLETED.wait_timeout(completions, left).unwrap().0
        }
    };
    let found = look();
    drop(completions);
    found
}

impl<T> Future<T> {
    pub fn is_done(&self) -> bool {
        self.shared.lock().unwrap().result.is_some()
    }

    pub fn cancel(&self) -> bool {
        if !mem::replace(&mut self.shared.lock().unwrap().taken, true) {
            complete(&self.shared, Err(Failure::Cancelled));
        }
        matches!(self.shared.lock().unwrap().result, Some((_, Err(Failure::Cancelled))))
    }

    pub fn result(self) -> Result<T, Failure> {
        wait_until(None, || self.take()).unwrap()
    }

    pub fn result_within(self, limit: Duration) -> Within<T> {
        match wait_until(Instant::now().checked_add(limit), || self.take()) {
            Some(result) => Within::Complete(result),
            None => Within::TimeIsUp(self),
        }
    }

    fn take(&self) -> Option<Result<T, Failure>> {
        self.shared.lock().unwrap().result.take().map(|(_, result)| result)
    }

    /// The number of its completion.
    fn number(&self) -> Option<u64> {
        self.shared.lock().unwrap().result.as_ref().map(|(number, _)| *number)
    }

    fn has_panicked(&self) -> bool {
        matches!(self.shared.lock().unwrap().result, Some((_, Err(Failure::Panicked(_)))))
    }
}

pub fn wait<T>(futures: Vec<Future<T>>, until: Until, limit: Option<Duration>) -> Waited<T> {
    let enough = || {
        let done = futures.iter().filter_map(Future::number).count();
        let enough = match until {
            Until::FirstCompleted => done > 0,
            Until::FirstFailure => futures.iter().any(Future::has_panicked),
            Until::AllCompleted => false,
        };
        (enough || done == futures.len()).then_some(())
    };
    // `None` says that the time is up, and then the futures are parted just the same.
    let _ = wait_until(limit.and_then(|limit| Instant::now().checked_add(limit)), enough);
    let (done, not_done) = futures.into_iter().partition(Future::is_done);
    Waited { done, not_done }
}

pub fn as_completed<T>(futures: Vec<Future<T>>) -> AsCompleted<T> {
    AsCompleted { futures }
}

impl<T> Iterator for AsCompleted<T> {
    type Item = Future<T>;

    fn next(&mut self) -> Option<Future<T>> {
        if self.futures.is_empty() {
            return None;
        }
        let first = wait_until(None, || {
            let complete =
                self.futures.iter().enumerate().filter_map(|(index, future)| Some((future.number()?, index)));
            complete.min().map(|(_, index)| index)
        });
        first.map(|index| self.futures.remove(index))
    }
}
