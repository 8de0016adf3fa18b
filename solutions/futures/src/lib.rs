//! Jobs that run on worker threads, and futures that stand for their results.
//!
//! Three ideas carry all of it:
//!
//! - A future and its job share one **stage** behind one lock: waiting, running, complete. Whoever moves it on from
//!   "waiting", a worker or `cancel`, has won, and the other sees it.
//! - Waiting for many things at once means waiting at **one place** to which all of them report. Here that is a channel:
//!   each future that completes sends its position through it. `result`, `wait` and `as_completed` read from such a channel.
//! - To look whether a future is complete, and to leave word where it shall report, is **one step** under the future's lock.
//!   A job that completed between the two would report to nobody.

use std::any::Any;
use std::mem;
use std::num::NonZeroUsize;
use std::panic::{self, AssertUnwindSafe};
use std::slice;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// A fixed number of worker threads that run jobs, the oldest first. Threads can share it.
///
/// Dropping it waits until every job that was submitted is complete, and until its threads have ended.
pub struct Executor {
    /// The way to the workers. It is taken away when the executor is dropped, and never before.
    jobs: Option<Sender<Job>>,
    workers: Vec<JoinHandle<()>>,
}

/// What a worker runs. Jobs return values of all types, but by the time that a worker sees them, their results go elsewhere,
/// and they all look the same.
type Job = Box<dyn FnOnce() + Send>;

/// Stands for the result of a job, which may not be there yet. It is complete when the job has returned, has panicked or
/// was cancelled. It can be sent to another thread.
///
/// Dropping it changes nothing for the job.
// Not `Clone`: there is one future for each job, so a result can be moved out of it, nobody can ask twice, and no list has the
// same future twice.
pub struct Future<T> {
    shared: Arc<Shared<T>>,
}

/// What a future and its job both hold. The last of them frees it.
struct Shared<T> {
    state: Mutex<State<T>>,
}

struct State<T> {
    stage: Stage<T>,
    /// Who wants to know when the future is complete. One place is enough: it belongs to the future's only owner.
    watcher: Option<Watcher>,
}

enum Stage<T> {
    /// In the queue. From here it goes one of two ways: a worker starts it, or it is cancelled.
    Waiting,
    Running,
    Complete(Result<T, Failure>),
    /// The result has been moved out, and the future is gone.
    Collected,
}

/// Where a future reports that it is complete, and how it calls itself there.
struct Watcher {
    position: usize,
    completions: Sender<usize>,
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
    /// By position. What has come out has left a gap, so that the others keep their positions.
    futures: Vec<Option<Future<T>>>,
    completions: Receiver<usize>,
}

impl Executor {
    /// Starts so many worker threads.
    ///
    /// # Panics
    /// If the system has no room for them.
    pub fn new(workers: NonZeroUsize) -> Executor {
        let (jobs, queue) = mpsc::channel();
        // The receiver of an `mpsc` channel can't be cloned: *single consumer*. So the workers take turns at it.
        let queue = Arc::new(Mutex::new(queue));
        let start = |number| {
            let queue = Arc::clone(&queue);
            let thread = thread::Builder::new().name(format!("worker {number}"));
            thread.spawn(move || work(&queue)).expect("the system has room for one more thread")
        };
        Executor { jobs: Some(jobs), workers: (1..=workers.get()).map(start).collect() }
    }

    /// Hands the job to the workers and returns at once.
    pub fn submit<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Future<T> {
        let state = State { stage: Stage::Waiting, watcher: None };
        let shared = Arc::new(Shared { state: Mutex::new(state) });
        let future = Future { shared: Arc::clone(&shared) };
        let job = move || {
            if !shared.start() {
                return;
            }
            // A panic ends here: else it would take the worker with it, and whoever waits for this future would wait for ever.
            // `AssertUnwindSafe` says that nobody sees what the job left half done. The job owned it, and it is gone.
            let result = panic::catch_unwind(AssertUnwindSafe(job));
            shared.complete(result.map_err(Failure::Panicked));
        };
        let jobs = self.jobs.as_ref().expect("only a dropped executor has no way to its workers");
        jobs.send(Box::new(job)).expect("workers listen until the executor is dropped");
        future
    }
}

/// What a worker does until no job is left and none will come.
fn work(queue: &Mutex<Receiver<Job>>) {
    loop {
        // The guard is a temporary: it lives to the end of this statement, so it is gone when the job runs. In
        // `while let Ok(job) = queue.lock()…recv()` it would live to the end of the loop's body, and the jobs would run one
        // after the other, whatever the number of workers.
        let job = queue.lock().expect(NO_PANIC).recv();
        match job {
            Ok(job) => job(),
            Err(_) => return,
        }
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        // Without a sender the channel is closed, but it still gives what is in it. So no job is lost, and no future is left
        // without an answer.
        drop(self.jobs.take());
        for worker in self.workers.drain(..) {
            // Jobs that panic are caught, so there is nothing to learn from it. And a `drop` that panics while its thread
            // unwinds ends the whole program.
            let _ = worker.join();
        }
    }
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().expect(NO_PANIC)
    }

    /// A worker wants to begin. Says whether it may.
    fn start(&self) -> bool {
        let mut state = self.lock();
        let waiting = matches!(state.stage, Stage::Waiting);
        if waiting {
            state.stage = Stage::Running;
        }
        waiting
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
        // An error says that nobody listens any more: the time was up, or the future was dropped. That is no failure.
        let _ = self.completions.send(self.position);
    }
}

impl<T> Future<T> {
    /// Whether it is complete. Then [`result`](Future::result) returns at once.
    pub fn is_done(&self) -> bool {
        self.shared.lock().is_complete()
    }

    /// Cancels the future if its job has not begun: then the job never runs, and the future is complete now.
    ///
    /// Says whether the future is cancelled. `false` means that the job runs, or did.
    pub fn cancel(&self) -> bool {
        // To look and to act is one step, under one guard. A worker's `start` comes before it or after it.
        let mut state = self.shared.lock();
        match state.stage {
            Stage::Waiting => {
                // The job stays in the queue. The worker that comes to it finds that it may not start.
                state.complete(Err(Failure::Cancelled));
                true
            }
            Stage::Complete(Err(Failure::Cancelled)) => true,
            _ => false,
        }
    }

    /// Waits until the future is complete. Gives what the job returned.
    ///
    /// # Errors
    /// If the job panicked or was cancelled.
    pub fn result(self) -> Result<T, Failure> {
        let completions = watch(slice::from_ref(&self));
        completions.recv().expect(REPORTS);
        self.collect()
    }

    /// Like [`result`](Future::result), but waits for `limit` at most. Then it gives the future back.
    pub fn result_within(self, limit: Duration) -> Within<T> {
        let completions = watch(slice::from_ref(&self));
        match completions.recv_timeout(limit) {
            Ok(_) => Within::Complete(self.collect()),
            Err(_) => Within::TimeIsUp(self),
        }
    }

    /// The result of a future that is complete.
    fn collect(self) -> Result<T, Failure> {
        match mem::replace(&mut self.shared.lock().stage, Stage::Collected) {
            Stage::Complete(result) => result,
            Stage::Waiting | Stage::Running | Stage::Collected => unreachable!("only complete futures report"),
        }
    }

    fn has_panicked(&self) -> bool {
        matches!(self.shared.lock().stage, Stage::Complete(Err(Failure::Panicked(_))))
    }

    /// Lets the future report to `completions` when it is complete; now, if it is already.
    fn report_to(&self, completions: Sender<usize>, position: usize) {
        let watcher = Watcher { position, completions };
        // From the look to the note, the lock is held. The job can complete before it, and is seen, or after it, and reports.
        let mut state = self.shared.lock();
        if state.is_complete() {
            watcher.report();
        } else {
            state.watcher = Some(watcher);
        }
    }
}

/// The positions of these futures, each when it is complete. The channel ends with the last of them.
fn watch<'a, T: 'a>(futures: impl IntoIterator<Item = &'a Future<T>>) -> Receiver<usize> {
    let (sender, completions) = mpsc::channel();
    for (position, future) in futures.into_iter().enumerate() {
        future.report_to(sender.clone(), position);
    }
    // Our own sender goes here. Each of the others goes with its report. So `recv` gives an error when there is nobody left to
    // wait for, and with an empty list that is at once.
    completions
}

/// Waits until enough of the futures are complete, for `limit` at most, or for ever. Gives all of them back: those that are
/// complete now, and the others.
///
/// The futures may come from several executors. If there are none, there is nothing to wait for.
pub fn wait<T>(futures: Vec<Future<T>>, until: Until, limit: Option<Duration>) -> Waited<T> {
    // A moment, not a duration: `limit` for each completion would begin anew each time. A moment that is too far away for the
    // clock is the same as none.
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
    // Not what was reported, but what is complete now: another one may have completed meanwhile.
    let (done, not_done) = futures.into_iter().partition(Future::is_done);
    Waited { done, not_done }
}

/// The next completion. Nothing when all have come, or when the time is up.
fn next_until(deadline: Option<Instant>, completions: &Receiver<usize>) -> Option<usize> {
    match deadline {
        Some(deadline) => completions.recv_timeout(deadline.saturating_duration_since(Instant::now())).ok(),
        None => completions.recv().ok(),
    }
}

/// Gives the futures one by one in the order in which they complete, each as soon as it is complete. Those that are complete
/// already come first.
///
/// The futures may come from several executors.
pub fn as_completed<T>(futures: Vec<Future<T>>) -> AsCompleted<T> {
    let completions = watch(&futures);
    AsCompleted { futures: futures.into_iter().map(Some).collect(), completions }
}

impl<T> Iterator for AsCompleted<T> {
    type Item = Future<T>;

    /// Waits for the next future that completes. Nothing if all of them have come.
    fn next(&mut self) -> Option<Future<T>> {
        // The channel keeps the order of completion, also while nobody calls `next`.
        let position = self.completions.recv().ok()?;
        self.futures[position].take()
    }
}

/// Why no lock is ever poisoned.
const NO_PANIC: &str = "nothing panics while it holds a lock";
/// Why there is always a report to wait for.
const REPORTS: &str = "every job that is submitted completes its future";
