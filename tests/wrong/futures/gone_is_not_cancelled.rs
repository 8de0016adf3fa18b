//! rejected: race
//!
//! A worker begins with every job that is not complete. When a cancelled future's result has been collected it is not complete any more,
//! but gone, and its job runs.

use std::any::Any;
use std::mem;
use std::num::NonZeroUsize;
use std::panic::{self, AssertUnwindSafe};
use std::slice;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

pub struct Executor {
    jobs: Option<Sender<Job>>,
    workers: Vec<JoinHandle<()>>,
}

type Job = Box<dyn FnOnce() + Send>;

pub struct Future<T> {
    shared: Arc<Shared<T>>,
}

struct Shared<T> {
    state: Mutex<State<T>>,
}

struct State<T> {
    stage: Stage<T>,
    watcher: Option<Watcher>,
}

enum Stage<T> {
    Waiting,
    Running,
    Complete(Result<T, Failure>),
    Collected,
}

struct Watcher {
    position: usize,
    completions: Sender<usize>,
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
    futures: Vec<Option<Future<T>>>,
    completions: Receiver<usize>,
}

impl Executor {
    pub fn new(workers: NonZeroUsize) -> Executor {
        let (jobs, queue) = mpsc::channel();
        let queue = Arc::new(Mutex::new(queue));
        let start = |number| {
            let queue = Arc::clone(&queue);
            let thread = thread::Builder::new().name(format!("worker {number}"));
            thread.spawn(move || work(&queue)).unwrap()
        };
        Executor { jobs: Some(jobs), workers: (1..=workers.get()).map(start).collect() }
    }

    pub fn submit<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Future<T> {
        let state = State { stage: Stage::Waiting, watcher: None };
        let shared = Arc::new(Shared { state: Mutex::new(state) });
        let future = Future { shared: Arc::clone(&shared) };
        let job = move || {
            if !shared.start() {
                return;
            }
            let result = panic::catch_unwind(AssertUnwindSafe(job));
            shared.complete(result.map_err(Failure::Panicked));
        };
        let jobs = self.jobs.as_ref().unwrap();
        jobs.send(Box::new(job)).unwrap();
        future
    }
}

fn work(queue: &Mutex<Receiver<Job>>) {
    loop {
        let job = queue.lock().unwrap().recv();
        match job {
            Ok(job) => job(),
            Err(_) => return,
        }
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        drop(self.jobs.take());
        for worker in self.workers.drain(..) {
            let _ = worker.join();
        }
    }
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap()
    }

    fn start(&self) -> bool {
        let mut state = self.lock();
        if state.is_complete() {
            return false;
        }
        state.stage = Stage::Running;
        true
    }

    fn complete(&self, result: Result<T, Failure>) {
        self.lock().complete(result);
    }
}

impl<T> State<T> {
    fn is_complete(&self) -> bool {
        matches!(self.stage, Stage::Complete(_))
    }

    fn complete(&mut self, result: Result<T, Failure>) {
        self.stage = Stage::Complete(result);
        if let Some(watcher) = self.watcher.take() {
            watcher.report();
        }
    }
}

impl Watcher {
    fn report(self) {
        let _ = self.completions.send(self.position);
    }
}

impl<T> Future<T> {
    pub fn is_done(&self) -> bool {
        self.shared.lock().is_complete()
    }

    pub fn cancel(&self) -> bool {
        let mut state = self.shared.lock();
        match state.stage {
            Stage::Waiting => {
                state.complete(Err(Failure::Cancelled));
                true
            }
            Stage::Complete(Err(Failure::Cancelled)) => true,
            _ => false,
        }
    }

    pub fn result(self) -> Result<T, Failure> {
        let completions = watch(slice::from_ref(&self));
        completions.recv().unwrap();
        self.collect()
    }

    pub fn result_within(self, limit: Duration) -> Within<T> {
        let completions = watch(slice::from_ref(&self));
        match completions.recv_timeout(limit) {
            Ok(_) => Within::Complete(self.collect()),
            Err(_) => Within::TimeIsUp(self),
        }
    }

    fn collect(self) -> Result<T, Failure> {
        match mem::replace(&mut self.shared.lock().stage, Stage::Collected) {
            Stage::Complete(result) => result,
            Stage::Waiting | Stage::Running | Stage::Collected => unreachable!("only complete futures report"),
        }
    }

    fn has_panicked(&self) -> bool {
        matches!(self.shared.lock().stage, Stage::Complete(Err(Failure::Panicked(_))))
    }

    fn report_to(&self, completions: Sender<usize>, position: usize) {
        let watcher = Watcher { position, completions };
        let mut state = self.shared.lock();
        if state.is_complete() {
            watcher.report();
        } else {
            state.watcher = Some(watcher);
        }
    }
}

fn watch<'a, T: 'a>(futures: impl IntoIterator<Item = &'a Future<T>>) -> Receiver<usize> {
    let (sender, completions) = mpsc::channel();
    for (position, future) in futures.into_iter().enumerate() {
        future.report_to(sender.clone(), position);
    }
    completions
}

pub fn wait<T>(futures: Vec<Future<T>>, until: Until, limit: Option<Duration>) -> Waited<T> {
    let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
    let completions = watch(&futures);
    while let Some(position) = next_until(deadline, &completions) {
        let enough = match until {
            Until::FirstCompleted => true,
            Until::FirstFailure => futures[position].has_panicked(),
            Until::AllCompleted => false,
        };
        if enough {
            break;
        }
    }
    let (done, not_done) = futures.into_iter().partition(Future::is_done);
    Waited { done, not_done }
}

fn next_until(deadline: Option<Instant>, completions: &Receiver<usize>) -> Option<usize> {
    match deadline {
        Some(deadline) => completions.recv_timeout(deadline.saturating_duration_since(Instant::now())).ok(),
        None => completions.recv().ok(),
    }
}

pub fn as_completed<T>(futures: Vec<Future<T>>) -> AsCompleted<T> {
    let completions = watch(&futures);
    AsCompleted { futures: futures.into_iter().map(Some).collect(), completions }
}

impl<T> Iterator for AsCompleted<T> {
    type Item = Future<T>;

    fn next(&mut self) -> Option<Future<T>> {
        let position = self.completions.recv().ok()?;
        self.futures[position].take()
    }
}
