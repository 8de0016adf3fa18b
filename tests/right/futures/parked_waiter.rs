//! accepted
//!
//! No channel and no condition variable for futures: whoever waits is parked, and each of its futures wakes it by `unpark` and writes
//! down that it has completed. A wakeup for nothing does no harm, since the list says what is true.

use std::any::Any;
use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

pub struct Executor {
    queue: Arc<(Mutex<Queue>, Condvar)>,
    workers: Vec<JoinHandle<()>>,
}

struct Queue {
    jobs: VecDeque<Box<dyn FnOnce() + Send>>,
    open: bool,
}

pub struct Future<T> {
    shared: Arc<Mutex<Shared<T>>>,
    /// The result comes this way. It is sent before the stage says `Complete`.
    result: mpsc::Receiver<Result<T, Failure>>,
}

struct Shared<T> {
    stage: Stage,
    waiter: Option<(usize, Arc<Waiter>)>,
    answer: mpsc::Sender<Result<T, Failure>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Waiting,
    Running,
    Returned,
    Panicked,
    Cancelled,
}

/// Somebody waits for several futures.
struct Waiter(Mutex<Waiting>);

struct Waiting {
    /// Whom to wake: the thread that asked last.
    thread: Thread,
    /// Those that have completed, and were not asked for yet.
    completed: VecDeque<usize>,
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
    left: usize,
    waiter: Arc<Waiter>,
}

impl Executor {
    pub fn new(workers: NonZeroUsize) -> Executor {
        let queue = Arc::new((Mutex::new(Queue { jobs: VecDeque::new(), open: true }), Condvar::new()));
        let mut threads = Vec::new();
        for _ in 0..workers.get() {
            let queue = Arc::clone(&queue);
            threads.push(thread::spawn(move || {
                while let Some(job) = next_job(&queue) {
                    job();
                }
            }));
        }
        Executor { queue, workers: threads }
    }

    pub fn submit<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Future<T> {
        let (answer, result) = mpsc::channel();
        let shared = Arc::new(Mutex::new(Shared { stage: Stage::Waiting, waiter: None, answer }));
        let future = Future { shared: Arc::clone(&shared), result };
        let (queue, changed) = &*self.queue;
        queue.lock().unwrap().jobs.push_back(Box::new(move || run(&shared, job)));
        changed.notify_one();
        future
    }
}

fn next_job(queue: &(Mutex<Queue>, Condvar)) -> Option<Box<dyn FnOnce() + Send>> {
    let (queue, changed) = queue;
    let mut queue = queue.lock().unwrap();
    loop {
        if let Some(job) = queue.jobs.pop_front() {
            return Some(job);
        }
        if !queue.open {
            return None;
        }
        queue = changed.wait(queue).unwrap();
    }
}

fn run<T>(shared: &Mutex<Shared<T>>, job: impl FnOnce() -> T) {
    let mut state = shared.lock().unwrap();
    if state.stage != Stage::Waiting {
        return;
    }
    state.stage = Stage::Running;
    drop(state);
    match panic::catch_unwind(AssertUnwindSafe(job)) {
        Ok(value) => shared.lock().unwrap().complete(Stage::Returned, Ok(value)),
        Err(payload) => shared.lock().unwrap().complete(Stage::Panicked, Err(Failure::Panicked(payload))),
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        self.queue.0.lock().unwrap().open = false;
        self.queue.1.notify_all();
        while let Some(worker) = self.workers.pop() {
            let _ = worker.join();
        }
    }
}

impl Stage {
    fn is_complete(self) -> bool {
        !matches!(self, Stage::Waiting | Stage::Running)
    }
}

impl<T> Shared<T> {
    fn complete(&mut self, stage: Stage, result: Result<T, Failure>) {
        // The future may have been dropped. Then nobody wants the result.
        let _ = self.answer.send(result);
        self.stage = stage;
        if let Some((position, waiter)) = self.waiter.take() {
            waiter.note(position);
        }
    }
}

impl Waiter {
    /// The calling thread waits for these futures.
    fn of<T>(futures: &[Future<T>]) -> Arc<Waiter> {
        let waiting = Waiting { thread: thread::current(), completed: VecDeque::new() };
        let waiter = Arc::new(Waiter(Mutex::new(waiting)));
        for (position, future) in futures.iter().enumerate() {
            let mut shared = future.shared.lock().unwrap();
            match shared.stage.is_complete() {
                true => waiter.note(position),
                false => shared.waiter = Some((position, Arc::clone(&waiter))),
            }
        }
        waiter
    }

    fn note(&self, position: usize) {
        let mut waiting = self.0.lock().unwrap();
        waiting.completed.push_back(position);
        waiting.thread.unpark();
    }

    /// The next that completes. Nothing if the time is up.
    fn next(&self, deadline: Option<Instant>) -> Option<usize> {
        loop {
            let mut waiting = self.0.lock().unwrap();
            if let Some(position) = waiting.completed.pop_front() {
                return Some(position);
            }
            waiting.thread = thread::current();
            drop(waiting);
            let Some(deadline) = deadline else {
                thread::park();
                continue;
            };
            match deadline.checked_duration_since(Instant::now()) {
                Some(left) if !left.is_zero() => thread::park_timeout(left),
                _ => return None,
            }
        }
    }
}

impl<T> Future<T> {
    fn stage(&self) -> Stage {
        self.shared.lock().unwrap().stage
    }

    pub fn is_done(&self) -> bool {
        self.stage().is_complete()
    }

    pub fn cancel(&self) -> bool {
        let mut shared = self.shared.lock().unwrap();
        if shared.stage == Stage::Waiting {
            shared.complete(Stage::Cancelled, Err(Failure::Cancelled));
        }
        shared.stage == Stage::Cancelled
    }

    // For one future there is a channel of its own.
    pub fn result(self) -> Result<T, Failure> {
        self.result.recv().unwrap()
    }

    pub fn result_within(self, limit: Duration) -> Within<T> {
        match self.result.recv_timeout(limit) {
            Ok(result) => Within::Complete(result),
            Err(_) => Within::TimeIsUp(self),
        }
    }
}

pub fn wait<T>(futures: Vec<Future<T>>, until: Until, limit: Option<Duration>) -> Waited<T> {
    let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
    let waiter = Waiter::of(&futures);
    for _ in 0..futures.len() {
        let Some(position) = waiter.next(deadline) else { break };
        let failed = futures[position].stage() == Stage::Panicked;
        if until == Until::FirstCompleted || (until == Until::FirstFailure && failed) {
            break;
        }
    }
    let mut waited = Waited { done: Vec::new(), not_done: Vec::new() };
    for future in futures {
        let part = if future.is_done() { &mut waited.done } else { &mut waited.not_done };
        part.push(future);
    }
    waited
}

pub fn as_completed<T>(futures: Vec<Future<T>>) -> AsCompleted<T> {
    let waiter = Waiter::of(&futures);
    AsCompleted { left: futures.len(), futures: futures.into_iter().map(Some).collect(), waiter }
}

impl<T> Iterator for AsCompleted<T> {
    type Item = Future<T>;

    fn next(&mut self) -> Option<Future<T>> {
        self.left = self.left.checked_sub(1)?;
        let position = self.waiter.next(None)?;
        self.futures[position].take()
    }
}
