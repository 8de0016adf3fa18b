//! rejected: deadlock
//! by: what_a_job_drops_may_use_its_executor
//!
//! Breaks: what a job drops may use its executor; `submit` returns at once. A worker keeps its last task until it takes the next one, under
//! the lock of the queue, and the task holds the result if the future was dropped. (What a cancelled job has captured goes before.) Shows:
//! the future of a job is dropped, its result's destructor submits a job, and the same worker takes another job.

use std::any::Any;
use std::collections::VecDeque;
use std::mem;
use std::num::NonZeroUsize;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

trait Task: Send {
    fn run(&mut self);
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Is told when a future is complete.
trait Observer: Send + Sync {
    fn completed(&self, index: usize, panicked: bool);
}

#[derive(Default)]
struct Counts {
    complete: usize,
    panicked: usize,
}

/// Counts what is complete.
#[derive(Default)]
struct Tally {
    counts: Mutex<Counts>,
    changed: Condvar,
}

impl Tally {
    /// Waits until the counts are high enough. Says whether they are.
    fn wait(&self, deadline: Option<Instant>, enough: impl Fn(&Counts) -> bool) -> bool {
        let mut counts = lock(&self.counts);
        loop {
            if enough(&counts) {
                return true;
            }
            counts = match deadline {
                None => self.changed.wait(counts).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return false;
                    }
                    self.changed.wait_timeout(counts, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}

impl Observer for Tally {
    fn completed(&self, _index: usize, panicked: bool) {
        let mut counts = lock(&self.counts);
        counts.complete += 1;
        counts.panicked += usize::from(panicked);
        self.changed.notify_all();
    }
}

/// Keeps the order of completion.
#[derive(Default)]
struct Line {
    ready: Mutex<VecDeque<usize>>,
    changed: Condvar,
}

impl Line {
    fn next(&self) -> usize {
        let mut ready = lock(&self.ready);
        loop {
            if let Some(index) = ready.pop_front() {
                return index;
            }
            ready = self.changed.wait(ready).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Observer for Line {
    fn completed(&self, index: usize, _panicked: bool) {
        lock(&self.ready).push_back(index);
        self.changed.notify_all();
    }
}

enum Stage<T> {
    Waiting,
    Running,
    Complete(Result<T, Failure>),
    Taken,
}

struct State<T> {
    stage: Stage<T>,
    /// The future has one owner, so one at most waits for it.
    observer: Option<(usize, Weak<dyn Observer>)>,
}

impl<T> State<T> {
    fn complete(&mut self, result: Result<T, Failure>) {
        let panicked = matches!(result, Err(Failure::Panicked(_)));
        self.stage = Stage::Complete(result);
        if let Some((index, observer)) = self.observer.take() {
            if let Some(observer) = observer.upgrade() {
                observer.completed(index, panicked);
            }
        }
    }
}

/// What a future and its job share.
struct Core<T> {
    state: Mutex<State<T>>,
}

impl<T> Core<T> {
    /// Whether the job is to run.
    fn begin(&self) -> bool {
        let mut state = lock(&self.state);
        if matches!(state.stage, Stage::Waiting) {
            state.stage = Stage::Running;
            return true;
        }
        false
    }

    fn complete(&self, result: Result<T, Failure>) {
        lock(&self.state).complete(result);
    }

    fn cancel(&self) -> bool {
        let mut state = lock(&self.state);
        match state.stage {
            Stage::Waiting => {
                state.complete(Err(Failure::Cancelled));
                true
            }
            Stage::Complete(Err(Failure::Cancelled)) => true,
            _ => false,
        }
    }

    fn is_complete(&self) -> bool {
        matches!(lock(&self.state).stage, Stage::Complete(_))
    }

    /// The observer is told now if it is complete, or as soon as it is.
    fn observe(&self, index: usize, observer: &Arc<dyn Observer>) {
        let mut state = lock(&self.state);
        match &state.stage {
            Stage::Complete(result) => observer.completed(index, matches!(result, Err(Failure::Panicked(_)))),
            _ => state.observer = Some((index, Arc::downgrade(observer))),
        }
    }

    fn take(&self) -> Result<T, Failure> {
        match mem::replace(&mut lock(&self.state).stage, Stage::Taken) {
            Stage::Complete(result) => result,
            _ => unreachable!("only a future that is complete is asked for its result"),
        }
    }
}

/// A job, and where its result goes.
struct Assignment<T, F> {
    core: Arc<Core<T>>,
    job: Option<F>,
}

impl<T: Send, F: FnOnce() -> T + Send> Task for Assignment<T, F> {
    fn run(&mut self) {
        let Some(job) = self.job.take() else {
            return;
        };
        if self.core.begin() {
            let result = panic::catch_unwind(AssertUnwindSafe(job));
            self.core.complete(result.map_err(Failure::Panicked));
        }
    }
}

struct Jobs {
    open: bool,
    tasks: VecDeque<Box<dyn Task>>,
}

struct Queue {
    jobs: Mutex<Jobs>,
    changed: Condvar,
}

impl Queue {
    /// Replaces the task by the next one. Says whether there is one.
    fn next(&self, current: &mut Option<Box<dyn Task>>) -> bool {
        let mut jobs = lock(&self.jobs);
        loop {
            if let Some(task) = jobs.tasks.pop_front() {
                *current = Some(task);
                return true;
            }
            if !jobs.open {
                return false;
            }
            jobs = self.changed.wait(jobs).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn work(&self) {
        let mut current = None;
        while self.next(&mut current) {
            if let Some(task) = &mut current {
                // A job's own panic doesn't come here, but what is dropped with it may panic.
                let _ = panic::catch_unwind(AssertUnwindSafe(|| task.run()));
            }
        }
    }
}

/// A fixed number of worker threads that run jobs, the oldest first. Threads can share it.
///
/// Dropping it waits until every job that was submitted is complete, and until its threads have ended.
pub struct Executor {
    queue: Arc<Queue>,
    workers: Vec<JoinHandle<()>>,
}

/// Stands for the result of a job, which may not be there yet. It is complete when the job has returned, has panicked or
/// was cancelled. It can be sent to another thread.
///
/// Dropping it changes nothing for the job.
pub struct Future<T> {
    core: Arc<Core<T>>,
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
    futures: Vec<Option<Future<T>>>,
    line: Arc<Line>,
    left: usize,
}

impl Executor {
    /// Starts so many worker threads.
    ///
    /// # Panics
    /// If the system has no room for them.
    pub fn new(workers: NonZeroUsize) -> Executor {
        let jobs = Mutex::new(Jobs { open: true, tasks: VecDeque::new() });
        let queue = Arc::new(Queue { jobs, changed: Condvar::new() });
        let mut executor = Executor { queue, workers: Vec::new() };
        for _ in 0..workers.get() {
            let queue = Arc::clone(&executor.queue);
            let worker = thread::Builder::new().spawn(move || queue.work()).expect("no room for another worker");
            executor.workers.push(worker);
        }
        executor
    }

    /// Hands the job to the workers and returns at once.
    pub fn submit<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Future<T> {
        let state = State { stage: Stage::Waiting, observer: None };
        let core = Arc::new(Core { state: Mutex::new(state) });
        let future = Future { core: Arc::clone(&core) };
        let task = Box::new(Assignment { core, job: Some(job) });
        lock(&self.queue.jobs).tasks.push_back(task);
        self.queue.changed.notify_one();
        future
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        lock(&self.queue.jobs).open = false;
        self.queue.changed.notify_all();
        let me = thread::current().id();
        for worker in self.workers.drain(..) {
            if worker.thread().id() != me {
                let _ = worker.join();
            }
        }
    }
}

impl<T> Future<T> {
    /// Whether it is complete. Then [`result`](Future::result) returns at once.
    pub fn is_done(&self) -> bool {
        self.core.is_complete()
    }

    /// Cancels the future if its job has not begun: then the job never runs, and the future is complete now.
    ///
    /// Says whether the future is cancelled. `false` means that the job runs, or did.
    pub fn cancel(&self) -> bool {
        self.core.cancel()
    }

    /// Waits until the future is complete. Gives what the job returned.
    ///
    /// # Errors
    /// If the job panicked or was cancelled.
    pub fn result(self) -> Result<T, Failure> {
        self.wait_until(None);
        self.core.take()
    }

    /// Like [`result`](Future::result), but waits for `limit` at most. Then it gives the future back.
    pub fn result_within(self, limit: Duration) -> Within<T> {
        // A moment that no clock can show never comes.
        let deadline = Instant::now().checked_add(limit);
        if self.wait_until(deadline) { Within::Complete(self.core.take()) } else { Within::TimeIsUp(self) }
    }

    fn wait_until(&self, deadline: Option<Instant>) -> bool {
        let tally = Arc::new(Tally::default());
        let observer: Arc<dyn Observer> = Arc::clone(&tally) as Arc<dyn Observer>;
        self.core.observe(0, &observer);
        tally.wait(deadline, |counts| counts.complete > 0)
    }
}

/// Waits until enough of the futures are complete, for `limit` at most, or for ever. Gives all of them back: those that are
/// complete now, and the others.
///
/// The futures may come from several executors. If there are none, there is nothing to wait for.
pub fn wait<T>(futures: Vec<Future<T>>, until: Until, limit: Option<Duration>) -> Waited<T> {
    let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
    let tally = Arc::new(Tally::default());
    let observer: Arc<dyn Observer> = Arc::clone(&tally) as Arc<dyn Observer>;
    for (index, future) in futures.iter().enumerate() {
        future.core.observe(index, &observer);
    }
    let all = futures.len();
    tally.wait(deadline, |counts| {
        counts.complete == all
            || match until {
                Until::FirstCompleted => counts.complete > 0,
                Until::FirstFailure => counts.panicked > 0,
                Until::AllCompleted => false,
            }
    });
    let (done, not_done) = futures.into_iter().partition(Future::is_done);
    Waited { done, not_done }
}

/// Gives the futures one by one in the order in which they complete, each as soon as it is complete. Those that are complete
/// already come first.
///
/// The futures may come from several executors.
pub fn as_completed<T>(futures: Vec<Future<T>>) -> AsCompleted<T> {
    let line = Arc::new(Line::default());
    let observer: Arc<dyn Observer> = Arc::clone(&line) as Arc<dyn Observer>;
    for (index, future) in futures.iter().enumerate() {
        future.core.observe(index, &observer);
    }
    let left = futures.len();
    AsCompleted { futures: futures.into_iter().map(Some).collect(), line, left }
}

impl<T> Iterator for AsCompleted<T> {
    type Item = Future<T>;

    /// Waits for the next future that completes. Nothing if all of them have come.
    fn next(&mut self) -> Option<Future<T>> {
        if self.left == 0 {
            return None;
        }
        let index = self.line.next();
        self.left -= 1;
        self.futures[index].take()
    }
}
