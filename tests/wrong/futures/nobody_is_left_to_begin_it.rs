//! rejected: assertion
//! by: no_job_is_lost_with_its_future_or_its_executor
//!
//! Breaks: if `cancel` says true, the job never runs; if it ran, `cancel` says false. If the executor has gone, `cancel` takes the job for
//! cancelled, since nobody is left who could begin it. Shows: a job returned (or panicked), the executor was dropped, and only then
//! `cancel` is called: it says true, and `result` gives what the job returned.

mod log {
    use std::collections::VecDeque;
    use std::sync::{Mutex, PoisonError};
    use std::thread::{self, Thread};
    use std::time::Instant;

    #[derive(Default)]
    struct Entries {
        reports: VecDeque<(usize, bool)>,
        sleeper: Option<Thread>,
    }

    /// Which of some futures are complete, and whether they panicked, in the order of completion.
    #[derive(Default)]
    pub struct Log {
        entries: Mutex<Entries>,
    }

    impl Log {
        pub fn report(&self, index: usize, panicked: bool) {
            let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
            entries.reports.push_back((index, panicked));
            if let Some(sleeper) = entries.sleeper.take() {
                sleeper.unpark();
            }
        }

        /// The next report. Nothing if the time is up.
        pub fn next(&self, deadline: Option<Instant>) -> Option<(usize, bool)> {
            loop {
                let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
                entries.sleeper = None;
                if let Some(report) = entries.reports.pop_front() {
                    return Some(report);
                }
                let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
                if left.is_some_and(|left| left.is_zero()) {
                    return None;
                }
                entries.sleeper = Some(thread::current());
                drop(entries);
                match left {
                    Some(left) => thread::park_timeout(left),
                    None => thread::park(),
                }
            }
        }
    }
}

mod yard {
    use std::collections::VecDeque;
    use std::panic::{self, AssertUnwindSafe};
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
    use std::thread::{self, Thread};

    pub type Task = Box<dyn FnOnce() + Send>;

    /// Wakes the thread that made it, once.
    struct Bell {
        sleeper: Thread,
        rung: AtomicBool,
    }

    impl Bell {
        fn new() -> Arc<Bell> {
            Arc::new(Bell { sleeper: thread::current(), rung: AtomicBool::new(false) })
        }

        fn ring(&self) {
            self.rung.store(true, Ordering::SeqCst);
            self.sleeper.unpark();
        }

        fn sleep(&self) {
            while !self.rung.load(Ordering::SeqCst) {
                thread::park();
            }
        }
    }

    struct State {
        open: bool,
        number: u64,
        tasks: VecDeque<(u64, Task)>,
        idle: VecDeque<Arc<Bell>>,
    }

    /// Where tasks wait for workers, and workers for tasks.
    pub struct Yard {
        state: Mutex<State>,
    }

    impl Yard {
        pub fn new() -> Yard {
            let state = State { open: true, number: 0, tasks: VecDeque::new(), idle: VecDeque::new() };
            Yard { state: Mutex::new(state) }
        }

        fn lock(&self) -> MutexGuard<'_, State> {
            self.state.lock().unwrap_or_else(PoisonError::into_inner)
        }

        /// Gives the number of the task.
        pub fn put(&self, task: Task) -> u64 {
            let mut state = self.lock();
            state.number += 1;
            let number = state.number;
            state.tasks.push_back((number, task));
            if let Some(bell) = state.idle.pop_front() {
                bell.ring();
            }
            number
        }

        /// Takes the task out if it is there still. Calls `struck` before anybody else can look.
        pub fn strike(&self, number: u64, struck: impl FnOnce()) -> Option<Task> {
            let mut state = self.lock();
            // The numbers only rise.
            let place = state.tasks.binary_search_by_key(&number, |(number, _)| *number).ok()?;
            let (_, task) = state.tasks.remove(place)?;
            struck();
            Some(task)
        }

        pub fn close(&self) {
            let mut state = self.lock();
            state.open = false;
            for bell in state.idle.drain(..) {
                bell.ring();
            }
        }

        fn next(&self) -> Option<Task> {
            loop {
                let bell = {
                    let mut state = self.lock();
                    if let Some((_, task)) = state.tasks.pop_front() {
                        return Some(task);
                    }
                    if !state.open {
                        return None;
                    }
                    let bell = Bell::new();
                    state.idle.push_back(Arc::clone(&bell));
                    bell
                };
                bell.sleep();
            }
        }

        pub fn work(&self) {
            while let Some(task) = self.next() {
                let _ = panic::catch_unwind(AssertUnwindSafe(task));
            }
        }
    }
}

use std::any::Any;
use std::num::NonZeroUsize;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use log::Log;
use yard::Yard;

struct Content<T> {
    /// Nothing until it is complete.
    result: Option<Result<T, Failure>>,
    log: Option<(usize, Arc<Log>)>,
}

struct Slot<T> {
    content: Mutex<Content<T>>,
}

impl<T> Slot<T> {
    fn lock(&self) -> MutexGuard<'_, Content<T>> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn complete(&self, result: Result<T, Failure>) {
        let mut content = self.lock();
        let panicked = matches!(result, Err(Failure::Panicked(_)));
        content.result = Some(result);
        if let Some((index, log)) = content.log.take() {
            log.report(index, panicked);
        }
    }

    fn is_cancelled(&self) -> bool {
        matches!(self.lock().result, Some(Err(Failure::Cancelled)))
    }

    /// From now on completion is reported to this log.
    fn subscribe(&self, index: usize, log: &Arc<Log>) {
        let mut content = self.lock();
        match &content.result {
            Some(result) => log.report(index, matches!(result, Err(Failure::Panicked(_)))),
            None => content.log = Some((index, Arc::clone(log))),
        }
    }

    fn unsubscribe(&self) {
        self.lock().log = None;
    }
}

/// A fixed number of worker threads that run jobs, the oldest first. Threads can share it.
///
/// Dropping it waits until every job that was submitted is complete, and until its threads have ended.
pub struct Executor {
    yard: Arc<Yard>,
    workers: Vec<JoinHandle<()>>,
}

/// Stands for the result of a job, which may not be there yet. It is complete when the job has returned, has panicked or
/// was cancelled. It can be sent to another thread.
///
/// Dropping it changes nothing for the job.
pub struct Future<T> {
    slot: Arc<Slot<T>>,
    /// Where its job waits, as long as there is such a place.
    yard: Weak<Yard>,
    number: u64,
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
    log: Arc<Log>,
    given: usize,
}

impl Executor {
    /// Starts so many worker threads.
    ///
    /// # Panics
    /// If the system has no room for them.
    pub fn new(workers: NonZeroUsize) -> Executor {
        let mut executor = Executor { yard: Arc::new(Yard::new()), workers: Vec::new() };
        for _ in 0..workers.get() {
            let yard = Arc::clone(&executor.yard);
            let worker = thread::Builder::new().spawn(move || yard.work()).expect("no room for another worker");
            executor.workers.push(worker);
        }
        executor
    }

    /// Hands the job to the workers and returns at once.
    pub fn submit<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Future<T> {
        let slot = Arc::new(Slot { content: Mutex::new(Content { result: None, log: None }) });
        let place = Arc::clone(&slot);
        let number = self.yard.put(Box::new(move || {
            let result = panic::catch_unwind(AssertUnwindSafe(job));
            place.complete(result.map_err(Failure::Panicked));
        }));
        Future { slot, yard: Arc::downgrade(&self.yard), number }
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        self.yard.close();
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
        self.slot.lock().result.is_some()
    }

    /// Cancels the future if its job has not begun: then the job never runs, and the future is complete now.
    ///
    /// Says whether the future is cancelled. `false` means that the job runs, or did.
    pub fn cancel(&self) -> bool {
        let Some(yard) = self.yard.upgrade() else {
            // Nobody is left who could begin it.
            return true;
        };
        let task = yard.strike(self.number, || self.slot.complete(Err(Failure::Cancelled)));
        // Dropped here, where nothing is locked.
        drop(task);
        self.slot.is_cancelled()
    }

    /// Waits until the future is complete. Gives what the job returned.
    ///
    /// # Errors
    /// If the job panicked or was cancelled.
    pub fn result(self) -> Result<T, Failure> {
        match self.result_before(None) {
            Within::Complete(result) => result,
            Within::TimeIsUp(_) => unreachable!("there was no limit"),
        }
    }

    /// Like [`result`](Future::result), but waits for `limit` at most. Then it gives the future back.
    pub fn result_within(self, limit: Duration) -> Within<T> {
        self.result_before(Instant::now().checked_add(limit))
    }

    fn result_before(self, deadline: Option<Instant>) -> Within<T> {
        let log = Arc::new(Log::default());
        self.slot.subscribe(0, &log);
        log.next(deadline);
        let result = {
            let mut content = self.slot.lock();
            content.log = None;
            content.result.take()
        };
        match result {
            Some(result) => Within::Complete(result),
            None => Within::TimeIsUp(self),
        }
    }
}

/// Waits until enough of the futures are complete, for `limit` at most, or for ever. Gives all of them back: those that are
/// complete now, and the others.
///
/// The futures may come from several executors. If there are none, there is nothing to wait for.
pub fn wait<T>(futures: Vec<Future<T>>, until: Until, limit: Option<Duration>) -> Waited<T> {
    let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
    let log = Arc::new(Log::default());
    for (index, future) in futures.iter().enumerate() {
        future.slot.subscribe(index, &log);
    }
    for _ in 0..futures.len() {
        let Some((_, panicked)) = log.next(deadline) else {
            break;
        };
        let enough = match until {
            Until::FirstCompleted => true,
            Until::FirstFailure => panicked,
            Until::AllCompleted => false,
        };
        if enough {
            break;
        }
    }
    let (done, not_done): (Vec<_>, Vec<_>) = futures.into_iter().partition(Future::is_done);
    for future in &not_done {
        future.slot.unsubscribe();
    }
    Waited { done, not_done }
}

/// Gives the futures one by one in the order in which they complete, each as soon as it is complete. Those that are complete
/// already come first.
///
/// The futures may come from several executors.
pub fn as_completed<T>(futures: Vec<Future<T>>) -> AsCompleted<T> {
    let log = Arc::new(Log::default());
    for (index, future) in futures.iter().enumerate() {
        future.slot.subscribe(index, &log);
    }
    AsCompleted { futures: futures.into_iter().map(Some).collect(), log, given: 0 }
}

impl<T> Iterator for AsCompleted<T> {
    type Item = Future<T>;

    /// Waits for the next future that completes. Nothing if all of them have come.
    fn next(&mut self) -> Option<Future<T>> {
        if self.given == self.futures.len() {
            return None;
        }
        let (index, _) = self.log.next(None)?;
        self.given += 1;
        self.futures[index].take()
    }
}
