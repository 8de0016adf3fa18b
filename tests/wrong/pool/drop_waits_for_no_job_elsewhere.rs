//! rejected: assertion
//! by: every_small_program_of_calls_keeps_the_contract
//!
//! Breaks "a pool that is dropped runs what is left, and no thread outlives it" and "a job waits for other pools like everybody": the
//! `Drop` waits for nothing on any worker's thread. Shows if a job of pool A drops pool B, whose job still runs; `shutdown` itself is
//! right.

use rayon::ThreadPoolBuilder;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use std::any::Any;
use std::cell::Cell;
use std::collections::VecDeque;
use std::mem;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

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

type Job = Box<dyn FnOnce() + Send>;

fn run(job: Job) {
    let _ = catch_unwind(AssertUnwindSafe(job));
}

thread_local! {
    /// The address of what the workers of this thread's pool share, or 0.
    static WORKS_FOR: Cell<usize> = const { Cell::new(0) };
}

struct State {
    backlog: VecDeque<Job>,
    closed: bool,
}

struct Shared {
    state: Mutex<State>,
    room: usize,
    /// There is a job, or there will be none.
    work: Condvar,
    /// There is room, or there will be none.
    space: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn address(&self) -> usize {
        self as *const Shared as usize
    }

    fn serve(&self) {
        WORKS_FOR.set(self.address());
        let mut state = self.lock();
        loop {
            if let Some(job) = state.backlog.pop_front() {
                drop(state);
                self.space.notify_one();
                run(job);
                state = self.lock();
            } else if state.closed {
                return;
            } else {
                state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    fn close(&self) {
        self.lock().closed = true;
        self.work.notify_all();
        self.space.notify_all();
    }
}

/// A fixed number of threads that run the jobs of everybody.
pub struct Pool {
    shared: Arc<Shared>,
    workers: Mutex<Vec<JoinHandle<()>>>,
}

/// What comes of a map.
struct Results<R> {
    slots: Mutex<Slots<R>>,
    complete: Condvar,
}

struct Slots<R> {
    results: Vec<Option<Result<R, Lost>>>,
    missing: usize,
}

impl<R> Results<R> {
    fn lock(&self) -> MutexGuard<'_, Slots<R>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers for one item when it is dropped, whatever has become of the item.
struct Ticket<R> {
    results: Arc<Results<R>>,
    index: usize,
    outcome: Option<Result<R, Lost>>,
}

impl<R> Ticket<R> {
    fn new(results: &Arc<Results<R>>) -> Ticket<R> {
        let mut slots = results.lock();
        let index = slots.results.len();
        slots.results.push(None);
        slots.missing += 1;
        Ticket { results: Arc::clone(results), index, outcome: None }
    }
}

impl<R> Drop for Ticket<R> {
    fn drop(&mut self) {
        let outcome = self.outcome.take().unwrap_or(Err(Lost::Dropped));
        let mut slots = self.results.lock();
        slots.results[self.index] = Some(outcome);
        slots.missing -= 1;
        if slots.missing == 0 {
            self.results.complete.notify_all();
        }
    }
}

impl Pool {
    pub fn new(workers: NonZeroUsize, backlog: NonZeroUsize) -> Pool {
        let shared = Arc::new(Shared {
            state: Mutex::new(State { backlog: VecDeque::new(), closed: false }),
            room: backlog.get(),
            work: Condvar::new(),
            space: Condvar::new(),
        });
        let pool = Pool { shared, workers: Mutex::new(Vec::new()) };
        for _ in 0..workers.get() {
            let shared = Arc::clone(&pool.shared);
            let worker = thread::spawn(move || shared.serve());
            pool.handles().push(worker);
        }
        pool
    }

    fn handles(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this thread is one of the workers.
    fn inside(&self) -> bool {
        WORKS_FOR.get() == self.shared.address()
    }

    pub fn submit(&self, job: impl FnOnce() + Send + 'static) -> Result<(), ShutDown> {
        let job: Job = Box::new(job);
        let mut state = self.shared.lock();
        loop {
            if state.closed {
                drop(state);
                drop(job);
                return Err(ShutDown);
            }
            if state.backlog.len() < self.shared.room {
                state.backlog.push_back(job);
                drop(state);
                self.shared.work.notify_one();
                return Ok(());
            }
            if self.inside() {
                drop(state);
                run(job);
                return Ok(());
            }
            state = self.shared.space.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Lets the workers `work` on all items. A worker does it all itself.
    pub fn map<T, R>(
        &self,
        items: impl IntoIterator<Item = T>,
        work: impl Fn(T) -> R + Send + Sync + 'static,
    ) -> Vec<Result<R, Lost>>
    where
        T: Send + 'static,
        R: Send + 'static,
    {
        if self.inside() {
            return items
                .into_iter()
                .map(|item| catch_unwind(AssertUnwindSafe(|| work(item))).map_err(Lost::Panicked))
                .collect();
        }
        let work = Arc::new(work);
        let results = Arc::new(Results {
            slots: Mutex::new(Slots { results: Vec::new(), missing: 0 }),
            complete: Condvar::new(),
        });
        for item in items {
            let ticket = Ticket::new(&results);
            let work = Arc::clone(&work);
            let _ = self.submit(move || {
                let mut ticket = ticket;
                ticket.outcome = Some(catch_unwind(AssertUnwindSafe(|| work(item))).map_err(Lost::Panicked));
            });
        }
        let mut slots = results.lock();
        while slots.missing > 0 {
            slots = results.complete.wait(slots).unwrap_or_else(PoisonError::into_inner);
        }
        let all = mem::take(&mut slots.results);
        drop(slots);
        all.into_iter().map(|result| result.unwrap_or(Err(Lost::Dropped))).collect()
    }

    /// Waits until all workers have ended. Who comes second waits for who came first.
    fn wait(&self) {
        if self.inside() {
            return;
        }
        let mut handles = self.handles();
        for worker in handles.drain(..) {
            let _ = worker.join();
        }
    }

    /// Takes no more jobs, runs those in the backlog, and waits until all workers have ended.
    pub fn shutdown(&self) {
        self.shared.close();
        self.wait();
    }

    /// Like [`shutdown`](Pool::shutdown), but drops the jobs in the backlog first, and returns how many these were.
    pub fn shutdown_now(&self) -> usize {
        let mut state = self.shared.lock();
        state.closed = true;
        let dropped = mem::take(&mut state.backlog);
        drop(state);
        self.shared.work.notify_all();
        self.shared.space.notify_all();
        let count = dropped.len();
        drop(dropped);
        self.wait();
        count
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        if WORKS_FOR.get() != 0 {
            // The last handle has gone in a job, and a worker never waits.
            self.shared.close();
        } else {
            self.shutdown();
        }
    }
}

/// Like [`Pool::map`], on `workers` threads of rayon.
pub fn map_with_rayon<T: Send, R: Send>(
    workers: NonZeroUsize,
    items: Vec<T>,
    work: impl Fn(T) -> R + Sync,
) -> Vec<Result<R, Lost>> {
    let pool = ThreadPoolBuilder::new().num_threads(workers.get()).build().expect("room for the threads");
    // A thread of another pool of rayon's would help there while it waits. So a thread of nobody's waits.
    thread::scope(|scope| {
        scope
            .spawn(|| {
                pool.install(|| {
                    items
                        .into_par_iter()
                        .map(|item| catch_unwind(AssertUnwindSafe(|| work(item))).map_err(Lost::Panicked))
                        .collect()
                })
            })
            .join()
            .expect("panics are contained")
    })
}
