//! rejected: race
//! by: dropping_the_pool_waits_for_its_jobs
//!
//! Breaks: a pool that is dropped waits for its jobs, also if a job has shut it down. `shutdown_now` notes that the end has come although a
//! job that called it did not wait. Shows: a job calls `shutdown_now` of its own pool (with `shutdown` all is well), runs on, and the owner
//! drops the pool meanwhile: the drop returns at once, and the worker outlives it.

use std::any::Any;
use std::cell::Cell;
use std::num::NonZeroUsize;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use rayon::ThreadPoolBuilder;
use rayon::prelude::*;

type Job = Box<dyn FnOnce() + Send>;

thread_local! {
    /// The address of the site that this thread works for, or 0.
    static HOME: Cell<usize> = const { Cell::new(0) };
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs a job of somebody else. Whatever happens there ends there.
fn run(job: Job) {
    let _ = panic::catch_unwind(AssertUnwindSafe(job));
}

fn attempt<T, R>(work: &impl Fn(T) -> R, item: T) -> Result<R, Lost> {
    panic::catch_unwind(AssertUnwindSafe(|| work(item))).map_err(Lost::Panicked)
}

/// What came of the try to enter.
enum Entry {
    In,
    Full(Job),
    Closed(Job),
}

struct Door {
    /// Places in the backlog that nobody has.
    free: usize,
    /// Nothing as soon as the door is closed.
    inlet: Option<Sender<Job>>,
}

struct Site {
    door: Mutex<Door>,
    freed: Condvar,
    outlet: Mutex<Receiver<Job>>,
}

impl Site {
    /// Puts the job into the channel. Who is patient waits for room.
    fn enter(&self, job: Job, patient: bool) -> Entry {
        let mut door = lock(&self.door);
        loop {
            let Some(inlet) = &door.inlet else {
                return Entry::Closed(job);
            };
            if door.free > 0 {
                if let Err(back) = inlet.send(job) {
                    return Entry::Closed(back.0);
                }
                door.free -= 1;
                return Entry::In;
            }
            if !patient {
                return Entry::Full(job);
            }
            door = self.freed.wait(door).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The oldest job. Nothing if the door is closed and none is left.
    fn take(&self) -> Option<Job> {
        let job = lock(&self.outlet).recv().ok()?;
        lock(&self.door).free += 1;
        self.freed.notify_one();
        Some(job)
    }

    fn close(&self) {
        let inlet = lock(&self.door).inlet.take();
        drop(inlet);
        self.freed.notify_all();
    }

    fn address(self: &Arc<Self>) -> usize {
        Arc::as_ptr(self).addr()
    }
}

/// A fixed number of threads, the workers, that run the jobs of everybody who has some. Threads share the pool by reference.
///
/// Jobs that wait for a worker are the backlog. It has room for a fixed number of them. The types of both numbers rule out a
/// pool that could never run anything.
///
/// A worker never waits for its own pool: neither for room, nor for a result, nor for the end.
pub struct Pool {
    site: Arc<Site>,
    /// Whoever waits for the end holds this lock, and whoever comes later waits for the lock.
    handles: Mutex<Vec<JoinHandle<()>>>,
    /// All workers have ended, so the destructor has nothing to do.
    ended: AtomicBool,
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
        let (inlet, outlet) = mpsc::channel();
        let site = Arc::new(Site {
            door: Mutex::new(Door { free: backlog.get(), inlet: Some(inlet) }),
            freed: Condvar::new(),
            outlet: Mutex::new(outlet),
        });
        let pool = Pool { site, handles: Mutex::new(Vec::new()), ended: AtomicBool::new(false) };
        for _ in 0..workers.get() {
            let site = Arc::clone(&pool.site);
            let worker = move || {
                HOME.with(|home| home.set(site.address()));
                while let Some(job) = site.take() {
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
        match self.site.enter(Box::new(job), !self.is_mine()) {
            Entry::In => Ok(()),
            Entry::Full(job) => {
                run(job);
                Ok(())
            }
            Entry::Closed(job) => {
                drop(job);
                Err(ShutDown)
            }
        }
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
        if self.is_mine() {
            return items.into_iter().map(|item| attempt(&work, item)).collect();
        }
        let work = Arc::new(work);
        let (sender, receiver) = mpsc::channel();
        let mut results = Vec::new();
        for item in items {
            let index = results.len();
            results.push(Err(Lost::Dropped));
            let work = Arc::clone(&work);
            let sender = sender.clone();
            let _ = self.submit(move || {
                let result = attempt(&*work, item);
                let _ = sender.send((index, result));
            });
        }
        // Each job has a sender. When the last job has run or was dropped, the channel ends.
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
        self.site.close();
        if !self.is_mine() {
            self.join();
            self.ended.store(true, Ordering::SeqCst);
        }
    }

    /// Like [`shutdown`](Pool::shutdown), but drops the jobs in the backlog first, and returns how many these were. The jobs that
    /// have begun run to their end.
    pub fn shutdown_now(&self) -> usize {
        self.site.close();
        let jobs: Vec<Job> = lock(&self.site.outlet).try_iter().collect();
        let dropped = jobs.len();
        for job in jobs {
            let _ = panic::catch_unwind(AssertUnwindSafe(move || drop(job)));
        }
        if !self.is_mine() {
            self.join();
        }
        self.ended.store(true, Ordering::SeqCst);
        dropped
    }

    /// Whether this thread is one of the pool's workers.
    fn is_mine(&self) -> bool {
        HOME.with(Cell::get) == self.site.address()
    }

    fn join(&self) {
        let mut handles = lock(&self.handles);
        for handle in handles.drain(..) {
            let _ = handle.join();
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        if !self.ended.load(Ordering::SeqCst) {
            self.shutdown();
        }
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
    // A worker of another rayon pool that calls `install` would steal its own pool's work meanwhile. A plain thread waits.
    thread::scope(|scope| scope.spawn(call).join()).unwrap_or_else(|payload| panic::resume_unwind(payload))
}
