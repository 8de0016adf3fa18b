//! rejected: deadlock
//! by: what_a_call_asks_or_drops_may_use_the_pool
//!
//! Breaks: what a job has captured may use the pool when the job is refused. A job that is refused at once is dropped without the lock, but
//! one that is refused after its submitter has waited for room is dropped while the lock is held. Shows: backlog full, a thread waits in
//! `submit` with a job that has captured something whose destructor calls `submit`; another thread shuts down.

use std::any::Any;
use std::cell::Cell;
use std::collections::VecDeque;
use std::mem;
use std::num::NonZeroUsize;
use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use rayon::ThreadPoolBuilder;
use rayon::prelude::*;

type Job = Box<dyn FnOnce() + Send>;

thread_local! {
    /// The address of what this worker shares with its pool, or 0.
    static HOME: Cell<usize> = const { Cell::new(0) };
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn run(job: Job) {
    let _ = panic::catch_unwind(AssertUnwindSafe(job));
}

fn attempt<T, R>(work: &impl Fn(T) -> R, item: T) -> Result<R, Lost> {
    panic::catch_unwind(AssertUnwindSafe(|| work(item))).map_err(Lost::Panicked)
}

struct State {
    open: bool,
    jobs: VecDeque<Job>,
}

struct Shared {
    state: Mutex<State>,
    /// There is a job, or none will come.
    work: Condvar,
    /// There is room, or the pool is shut down.
    room: Condvar,
    limit: usize,
}

impl Shared {
    fn take(&self) -> Option<Job> {
        let mut state = lock(&self.state);
        loop {
            if let Some(job) = state.jobs.pop_front() {
                drop(state);
                self.room.notify_one();
                return Some(job);
            }
            if !state.open {
                return None;
            }
            state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn close(&self, clear: bool) -> VecDeque<Job> {
        let mut state = lock(&self.state);
        state.open = false;
        let jobs = if clear { mem::take(&mut state.jobs) } else { VecDeque::new() };
        drop(state);
        self.work.notify_all();
        self.room.notify_all();
        jobs
    }
}

/// A fixed number of threads, the workers, that run the jobs of everybody who has some. Threads share the pool by reference.
///
/// Jobs that wait for a worker are the backlog. It has room for a fixed number of them. The types of both numbers rule out a
/// pool that could never run anything.
///
/// A worker never waits for its own pool: neither for room, nor for a result, nor for the end.
pub struct Pool {
    shared: Arc<Shared>,
    handles: Mutex<Vec<JoinHandle<()>>>,
}

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
        let shared = Arc::new(Shared {
            state: Mutex::new(State { open: true, jobs: VecDeque::new() }),
            work: Condvar::new(),
            room: Condvar::new(),
            limit: backlog.get(),
        });
        let pool = Pool { shared, handles: Mutex::new(Vec::new()) };
        for _ in 0..workers.get() {
            let shared = Arc::clone(&pool.shared);
            let worker = move || {
                HOME.with(|home| home.set(Arc::as_ptr(&shared).addr()));
                while let Some(job) = shared.take() {
                    run(job);
                }
            };
            let handle = thread::Builder::new().spawn(worker).expect("no room for another worker");
            lock(&pool.handles).push(handle);
        }
        pool
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
        let shared = &self.shared;
        let mut state = lock(&shared.state);
        if !state.open {
            drop(state);
            return Err(ShutDown);
        }
        while state.jobs.len() >= shared.limit {
            if self.is_worker() {
                drop(state);
                run(Box::new(job));
                return Ok(());
            }
            state = shared.room.wait(state).unwrap_or_else(PoisonError::into_inner);
            if !state.open {
                drop(job);
                return Err(ShutDown);
            }
        }
        state.jobs.push_back(Box::new(job));
        drop(state);
        shared.work.notify_one();
        Ok(())
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
        let inside = self.is_worker();
        let work = Arc::new(work);
        let (sender, receiver) = mpsc::channel();
        let mut results = Vec::new();
        for item in items {
            if inside {
                results.push(attempt(&*work, item));
                continue;
            }
            let index = results.len();
            results.push(Err(Lost::Dropped));
            let work = Arc::clone(&work);
            let sender = sender.clone();
            let _ = self.submit(move || {
                let result = attempt(&*work, item);
                let _ = sender.send((index, result));
            });
        }
        drop(sender);
        for (index, result) in receiver {
            results[index] = result;
        }
        results
    }

    /// Takes no more jobs, runs those in the backlog, and waits until all workers have ended. If it was shut down already, it
    /// only waits.
    ///
    /// Whoever waits for room is answered. A job may shut its own pool down: then this does not wait.
    pub fn shutdown(&self) {
        self.shared.close(false);
        self.join();
    }

    /// Like [`shutdown`](Pool::shutdown), but drops the jobs in the backlog first, and returns how many these were. The jobs that
    /// have begun run to their end.
    pub fn shutdown_now(&self) -> usize {
        let jobs = self.shared.close(true);
        let dropped = jobs.len();
        drop(jobs);
        self.join();
        dropped
    }

    fn is_worker(&self) -> bool {
        HOME.with(Cell::get) == Arc::as_ptr(&self.shared).addr()
    }

    fn join(&self) {
        if self.is_worker() {
            return;
        }
        let mut handles = lock(&self.handles);
        for handle in handles.drain(..) {
            let _ = handle.join();
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shutdown();
    }
}

/// Like [`Pool::map`], on `workers` threads of rayon. The work may borrow.
///
/// # Panics
/// If the system has no room for so many threads.
pub fn map_with_rayon<T: Send, R: Send>(
    workers: NonZeroUsize,
    items: Vec<T>,
    work: impl Fn(T) -> R + Sync,
) -> Vec<Result<R, Lost>> {
    let pool = ThreadPoolBuilder::new().num_threads(workers.get()).build().expect("no room for so many threads");
    let call = || pool.install(|| items.into_par_iter().with_max_len(1).map(|item| attempt(&work, item)).collect());
    thread::scope(|scope| scope.spawn(call).join()).unwrap_or_else(|payload| panic::resume_unwind(payload))
}
