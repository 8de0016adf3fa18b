//! A thread pool by hand, and the same with rayon.
//!
//! A pool is a bounded queue of jobs and a fixed number of threads that take jobs out of it. The queue is a monitor, as in the
//! kata `queue`: one lock, and a condition variable for each thing to wait for. What is new comes from the jobs. They are
//! code of other people, who may panic in it, and who may use the very pool that runs them. Two rules answer that:
//!
//! - **No job runs under a lock, and no panic leaves a job.**
//! - **A worker never waits for its own pool.** If all workers waited for what only a worker can do, nobody would be left to do
//!   it.

use std::any::Any;
use std::collections::VecDeque;
use std::mem;
use std::num::NonZeroUsize;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, mpsc};
use std::thread::{self, JoinHandle, ThreadId};

use rayon::ThreadPoolBuilder;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

/// A fixed number of threads, the workers, that run the jobs of everybody who has some. Threads share the pool by reference.
///
/// Jobs that wait for a worker are the backlog. It has room for a fixed number of them. The types of both numbers rule out a
/// pool that could never run anything.
///
/// A worker never waits for its own pool: neither for room, nor for a result, nor for the end.
pub struct Pool {
    shared: Arc<Shared>,
    /// Who the workers are. It never changes, so a worker can find itself in it without a lock.
    workers: Vec<ThreadId>,
    /// What it takes to wait for the workers. Emptied by the first who does.
    handles: Mutex<Vec<JoinHandle<()>>>,
}

/// What the pool's owner shares with the workers. The workers don't hold the pool itself: it would live as long as they do,
/// they wait until it is shut down, and nobody would ever drop it.
struct Shared {
    /// Never changes, so it needs no lock.
    capacity: NonZeroUsize,
    backlog: Mutex<Backlog>,
    /// Where workers wait: a job came, or the pool was shut down.
    job_came: Condvar,
    /// Where others wait who want to submit: a job left, or the pool was shut down.
    room_came: Condvar,
}

/// All that changes, under one lock: who has just seen an open pool must not fall asleep *after* the wakeups of the shutdown.
struct Backlog {
    jobs: VecDeque<Job>,
    open: bool,
}

/// Each closure has a type and a size of its own. Boxes of them fit into one queue. `Send`, since it goes to another thread,
/// and, by default, `'static`: it may wait in the backlog long after its submitter has returned, so it can't borrow from it.
type Job = Box<dyn FnOnce() + Send>;

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
            capacity: backlog,
            backlog: Mutex::new(Backlog { jobs: VecDeque::new(), open: true }),
            job_came: Condvar::new(),
            room_came: Condvar::new(),
        });
        // The pool comes first, its threads one by one: if the system refuses one of them, the panic drops the pool, and that
        // ends those which have started.
        let mut pool = Pool { shared, workers: Vec::new(), handles: Mutex::default() };
        for number in 1..=workers.get() {
            let shared = Arc::clone(&pool.shared);
            let thread = thread::Builder::new().name(format!("worker {number}"));
            let handle = thread.spawn(move || shared.work()).expect("the system has room for the pool's threads");
            pool.workers.push(handle.thread().id());
            pool.handles.get_mut().expect(UNBROKEN).push(handle);
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
        let mut backlog = self.shared.lock();
        // `while`, not `if`: a wakeup is only a hint, another submitter may have been faster.
        while backlog.open && backlog.jobs.len() >= self.shared.capacity.get() {
            if self.is_worker() {
                // Room comes when a worker takes a job out. If every worker waited for it here, none would come. To run the
                // job costs nothing: this thread could do nothing better but wait. And it is backpressure too, since a worker
                // that runs a job submits no further ones.
                drop(backlog);
                let _ = contained(job);
                return Ok(());
            }
            backlog = self.shared.room_came.wait(backlog).expect(UNBROKEN);
        }
        if !backlog.open {
            return Err(ShutDown);
        }
        backlog.jobs.push_back(Box::new(job));
        // One job is for one worker, and only workers wait here.
        self.shared.job_came.notify_one();
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
        let work = Arc::new(work);
        // Without a bound, or workers would wait for this thread to take results, while it waits for room in the backlog. It
        // holds no more than the vector of all results will hold anyway.
        let (sender, receiver) = mpsc::channel();
        let mut results = Vec::new();
        for (place, item) in items.into_iter().enumerate() {
            // Whatever does not come back keeps this.
            results.push(Err(Lost::Dropped));
            let (work, sender) = (Arc::clone(&work), sender.clone());
            let job = move || {
                // The results arrive in any order, so each brings its place along. The receiver is there for as long as `map`
                // waits, which is as long as there are senders.
                let _ = sender.send((place, contained(|| work(item))));
            };
            if self.is_worker() {
                // It would wait below for results that perhaps nobody but itself could work out. A shutdown doesn't matter here:
                // these items are part of a job that has begun.
                job();
            } else {
                // A job that is refused leaves its place as it is.
                let _ = self.submit(job);
            }
        }
        // The loop below ends when the last sender is gone, and this is one of them.
        drop(sender);
        // A job that is dropped drops its sender, just as one that has run. So there is nothing to count, and a shutdown in
        // between can't leave this thread waiting.
        for (place, result) in receiver {
            results[place] = result;
        }
        results
    }

    /// Takes no more jobs, runs those in the backlog, and waits until all workers have ended. If it was shut down already, it
    /// only waits.
    ///
    /// Whoever waits for room is answered. A job may shut its own pool down: then this does not wait.
    pub fn shutdown(&self) {
        drop(self.close());
        self.wait_for_workers();
    }

    /// Like [`shutdown`](Pool::shutdown), but drops the jobs in the backlog first, and returns how many these were. The jobs that
    /// have begun run to their end.
    pub fn shutdown_now(&self) -> usize {
        // Taken out under the lock, dropped without it: a job owns whatever its closure has captured, and destructors are code
        // of other people as well. And dropped before waiting: a job that still runs may wait for one of these.
        let dropped = mem::take(&mut self.close().jobs);
        let number = dropped.len();
        drop(dropped);
        // Rust can't stop a thread from outside, and for a reason: it would never release its locks, nor finish what it has
        // half changed. A job that shall end early has to look now and then whether it should.
        self.wait_for_workers();
        number
    }

    fn close(&self) -> MutexGuard<'_, Backlog> {
        let mut backlog = self.shared.lock();
        backlog.open = false;
        // All of them: every worker must learn of it, and everybody who waits for room.
        self.shared.job_came.notify_all();
        self.shared.room_came.notify_all();
        backlog
    }

    fn wait_for_workers(&self) {
        if self.is_worker() {
            return;
        }
        // The lock is held until all have ended, so a second caller waits here just as long. A worker never comes here.
        for handle in self.handles.lock().expect(UNBROKEN).drain(..) {
            handle.join().expect("no panic leaves a job");
        }
    }

    /// Whether the caller is one of this pool's workers, which means: inside a job.
    fn is_worker(&self) -> bool {
        self.workers.contains(&thread::current().id())
    }
}

impl Drop for Pool {
    /// As Python's `with` block does: a pool that goes out of scope leaves no work undone, and no thread behind.
    ///
    /// A job may own the last reference to its pool. Then this runs on a worker, and does not wait for it.
    fn drop(&mut self) {
        self.shutdown();
    }
}

impl Shared {
    /// What a worker does from its first moment to its last. To start the thread was the expensive part. It is done once.
    fn work(&self) {
        while let Some(job) = self.next_job() {
            // Nothing is lost in silence: the panic hook has already printed the message.
            let _ = contained(job);
        }
    }

    /// The oldest job. Waits for one; nothing if there won't be any.
    ///
    /// A function of its own, so that the guard is gone when the job runs. Written out in the condition of the `while let`
    /// above, it would live until the end of the loop's body, and the workers would take turns.
    fn next_job(&self) -> Option<Job> {
        let mut backlog = self.lock();
        while backlog.open && backlog.jobs.is_empty() {
            backlog = self.job_came.wait(backlog).expect(UNBROKEN);
        }
        // First what is left, and only then the end.
        let job = backlog.jobs.pop_front()?;
        self.room_came.notify_one();
        Some(job)
    }

    fn lock(&self) -> MutexGuard<'_, Backlog> {
        self.backlog.lock().expect(UNBROKEN)
    }
}

/// Runs foreign code. If it panics, the panic ends here.
///
/// `AssertUnwindSafe` promises that nobody sees what the code has left half changed. It owns what it works on, and what it
/// shares with others is behind their locks, which a panic poisons.
fn contained<R>(code: impl FnOnce() -> R) -> Result<R, Lost> {
    panic::catch_unwind(AssertUnwindSafe(code)).map_err(Lost::Panicked)
}

/// A lock is poisoned when a thread panics while it holds it. No code here panics under a lock.
const UNBROKEN: &str = "nothing panics while it holds a lock of the pool";

/// Like [`Pool::map`], on `workers` threads of rayon, however few items there are. The work may borrow.
///
/// A pool for each call only shows how one is made: a program makes one and keeps it, or uses rayon's global pool, which has
/// a thread for each core, by calling `into_par_iter` without any `install`.
///
/// # Panics
/// If the system has no room for so many threads.
pub fn map_with_rayon<T: Send, R: Send>(
    workers: NonZeroUsize,
    items: Vec<T>,
    work: impl Fn(T) -> R + Sync,
) -> Vec<Result<R, Lost>> {
    let pool = ThreadPoolBuilder::new().num_threads(workers.get()).build();
    let pool = pool.expect("the system has room for the pool's threads");
    // `install` runs the closure on one of the pool's threads, and a parallel iterator uses the pool that it is run on.
    // It returns when all is done: that is why the closures may borrow here.
    pool.install(|| {
        // Rayon contains panics as well, but it passes the first one on to the caller, who then gets no result at all. Caught
        // for each item, they cost no more than that item's result.
        items.into_par_iter().map(|item| contained(|| work(item))).collect()
    })
}
