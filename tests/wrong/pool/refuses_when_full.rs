//! rejected: assertion
//!
//! A full backlog refuses the job, as if the pool were shut down. Nobody is slowed down, and jobs get lost.

use std::any::Any;
use std::collections::VecDeque;
use std::mem;
use std::num::NonZeroUsize;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, mpsc};
use std::thread::{self, JoinHandle, ThreadId};

use rayon::ThreadPoolBuilder;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

pub struct Pool {
    shared: Arc<Shared>,
    workers: Vec<ThreadId>,
    handles: Mutex<Vec<JoinHandle<()>>>,
}

struct Shared {
    capacity: usize,
    backlog: Mutex<Backlog>,
    job_came: Condvar,
}

struct Backlog {
    jobs: VecDeque<Job>,
    open: bool,
}

type Job = Box<dyn FnOnce() + Send>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShutDown;

#[derive(Debug)]
pub enum Lost {
    Panicked(Box<dyn Any + Send>),
    Dropped,
}

impl Pool {
    pub fn new(workers: NonZeroUsize, backlog: NonZeroUsize) -> Pool {
        let shared = Arc::new(Shared {
            capacity: backlog.get(),
            backlog: Mutex::new(Backlog { jobs: VecDeque::new(), open: true }),
            job_came: Condvar::new(),
        });
        let start = |_| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.work())
        };
        let handles: Vec<JoinHandle<()>> = (0..workers.get()).map(start).collect();
        let workers = handles.iter().map(|handle| handle.thread().id()).collect();
        Pool { shared, workers, handles: Mutex::new(handles) }
    }

    pub fn submit(&self, job: impl FnOnce() + Send + 'static) -> Result<(), ShutDown> {
        let mut backlog = self.shared.backlog.lock().unwrap();
        if self.is_worker() && backlog.jobs.len() >= self.shared.capacity {
            drop(backlog);
            let _ = contained(job);
            return Ok(());
        }
        if backlog.jobs.len() >= self.shared.capacity {
            return Err(ShutDown);
        }
        if !backlog.open {
            return Err(ShutDown);
        }
        backlog.jobs.push_back(Box::new(job));
        self.shared.job_came.notify_one();
        Ok(())
    }

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
        let (sender, receiver) = mpsc::channel();
        let mut results = Vec::new();
        for (place, item) in items.into_iter().enumerate() {
            results.push(Err(Lost::Dropped));
            let (work, sender) = (Arc::clone(&work), sender.clone());
            let job = move || {
                let _ = sender.send((place, contained(|| work(item))));
            };
            if self.is_worker() {
                job();
            } else {
                let _ = self.submit(job);
            }
        }
        drop(sender);
        for (place, result) in receiver {
            results[place] = result;
        }
        results
    }

    pub fn shutdown(&self) {
        drop(self.close());
        self.wait_for_workers();
    }

    pub fn shutdown_now(&self) -> usize {
        let dropped = mem::take(&mut self.close().jobs);
        let number = dropped.len();
        drop(dropped);
        self.wait_for_workers();
        number
    }

    fn close(&self) -> MutexGuard<'_, Backlog> {
        let mut backlog = self.shared.backlog.lock().unwrap();
        backlog.open = false;
        self.shared.job_came.notify_all();
        backlog
    }

    fn wait_for_workers(&self) {
        if self.is_worker() {
            return;
        }
        for handle in self.handles.lock().unwrap().drain(..) {
            handle.join().unwrap();
        }
    }

    fn is_worker(&self) -> bool {
        self.workers.contains(&thread::current().id())
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shutdown();
    }
}

impl Shared {
    fn work(&self) {
        while let Some(job) = self.next_job() {
            let _ = contained(job);
        }
    }

    fn next_job(&self) -> Option<Job> {
        let mut backlog = self.backlog.lock().unwrap();
        while backlog.open && backlog.jobs.is_empty() {
            backlog = self.job_came.wait(backlog).unwrap();
        }
        let job = backlog.jobs.pop_front()?;
        Some(job)
    }
}

fn contained<R>(code: impl FnOnce() -> R) -> Result<R, Lost> {
    panic::catch_unwind(AssertUnwindSafe(code)).map_err(Lost::Panicked)
}

pub fn map_with_rayon<T: Send, R: Send>(
    workers: NonZeroUsize,
    items: Vec<T>,
    work: impl Fn(T) -> R + Sync,
) -> Vec<Result<R, Lost>> {
    let pool = ThreadPoolBuilder::new().num_threads(workers.get()).build().unwrap();
    pool.install(|| items.into_par_iter().map(|item| contained(|| work(item))).collect())
}
