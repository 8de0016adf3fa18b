//! accepted
//!
//! One condition variable for everything, and every change wakes everybody. A worker that waits in `map` helps: it runs jobs
//! from the backlog until its own results are there. The results are in a map under a lock, and each job hands its result in
//! by a destructor, so one that is dropped does too.

use std::any::Any;
use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroUsize;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

type Job = Box<dyn FnOnce() + Send>;

pub struct Pool {
    shared: Arc<Shared>,
    workers: Vec<thread::ThreadId>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    backlog: VecDeque<Job>,
    room: usize,
    open: bool,
    /// Workers that have not ended.
    alive: usize,
    threads: Vec<thread::JoinHandle<()>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShutDown;

#[derive(Debug)]
pub enum Lost {
    Panicked(Box<dyn Any + Send>),
    Dropped,
}

impl Pool {
    pub fn new(workers: NonZeroUsize, backlog: NonZeroUsize) -> Pool {
        let state = State {
            backlog: VecDeque::new(),
            room: backlog.get(),
            open: true,
            alive: workers.get(),
            threads: Vec::new(),
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let threads: Vec<_> = (0..workers.get())
            .map(|_| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || shared.work())
            })
            .collect();
        let workers = threads.iter().map(|worker| worker.thread().id()).collect();
        shared.state.lock().unwrap().threads = threads;
        Pool { shared, workers }
    }

    pub fn submit(&self, job: impl FnOnce() + Send + 'static) -> Result<(), ShutDown> {
        let Shared { state, changed } = &*self.shared;
        let helps = self.workers.contains(&thread::current().id());
        let wait = |state: &mut State| state.open && state.backlog.len() == state.room && !helps;
        let mut state = changed.wait_while(state.lock().unwrap(), wait).unwrap();
        if !state.open {
            return Err(ShutDown);
        }
        state.backlog.push_back(Box::new(job));
        // A worker may have put one too many into the backlog. It takes the oldest one out again.
        let too_many = if state.backlog.len() > state.room { state.backlog.pop_front() } else { None };
        drop(state);
        changed.notify_all();
        if let Some(oldest) = too_many {
            let _ = panic::catch_unwind(AssertUnwindSafe(oldest));
        }
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
        let (work, results) = (Arc::new(work), Arc::new(Mutex::new(BTreeMap::new())));
        let mut number = 0;
        for item in items {
            let (work, shared) = (Arc::clone(&work), Arc::clone(&self.shared));
            let mut slot = Slot { results: Arc::clone(&results), place: number, result: Err(Lost::Dropped), shared };
            number += 1;
            let _ = self.submit(move || {
                slot.result = panic::catch_unwind(AssertUnwindSafe(|| work(item))).map_err(Lost::Panicked);
            });
        }
        let helps = self.workers.contains(&thread::current().id());
        let mut state = self.shared.state.lock().unwrap();
        while results.lock().unwrap().len() < number {
            match if helps { state.backlog.pop_front() } else { None } {
                Some(job) => {
                    drop(state);
                    self.shared.changed.notify_all();
                    let _ = panic::catch_unwind(AssertUnwindSafe(job));
                    state = self.shared.state.lock().unwrap();
                }
                None => state = self.shared.changed.wait(state).unwrap(),
            }
        }
        drop(state);
        std::mem::take(&mut *results.lock().unwrap()).into_values().collect()
    }

    pub fn shutdown(&self) {
        self.end(VecDeque::new());
    }

    pub fn shutdown_now(&self) -> usize {
        let mut state = self.shared.state.lock().unwrap();
        state.open = false;
        let dropped = std::mem::take(&mut state.backlog);
        drop(state);
        self.end(dropped)
    }

    fn end(&self, dropped: VecDeque<Job>) -> usize {
        let number = dropped.len();
        drop(dropped);
        let mut state = self.shared.state.lock().unwrap();
        state.open = false;
        self.shared.changed.notify_all();
        if !self.workers.contains(&thread::current().id()) {
            state = self.shared.changed.wait_while(state, |state| state.alive > 0).unwrap();
            let threads = std::mem::take(&mut state.threads);
            drop(state);
            threads.into_iter().for_each(|worker| worker.join().unwrap());
        }
        number
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shutdown();
    }
}

impl Shared {
    fn work(&self) {
        loop {
            let idle = |state: &mut State| state.open && state.backlog.is_empty();
            let mut state = self.changed.wait_while(self.state.lock().unwrap(), idle).unwrap();
            let job = state.backlog.pop_front();
            state.alive -= usize::from(job.is_none());
            drop(state);
            self.changed.notify_all();
            match job {
                Some(job) => drop(panic::catch_unwind(AssertUnwindSafe(job))),
                None => return,
            }
        }
    }
}

/// What a job of `map` owns. It hands its result in when it is dropped, be it after the work or without any.
struct Slot<R> {
    results: Arc<Mutex<BTreeMap<usize, Result<R, Lost>>>>,
    place: usize,
    result: Result<R, Lost>,
    shared: Arc<Shared>,
}

impl<R> Drop for Slot<R> {
    fn drop(&mut self) {
        let result = std::mem::replace(&mut self.result, Err(Lost::Dropped));
        // Under the pool's lock, or who waits could look just before and fall asleep just after.
        let state = self.shared.state.lock().unwrap();
        self.results.lock().unwrap().insert(self.place, result);
        drop(state);
        self.shared.changed.notify_all();
    }
}

pub fn map_with_rayon<T: Send, R: Send>(
    workers: NonZeroUsize,
    items: Vec<T>,
    work: impl Fn(T) -> R + Sync,
) -> Vec<Result<R, Lost>> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(workers.get()).build().unwrap();
    let mut results: Vec<Result<R, Lost>> = items.iter().map(|_| Err(Lost::Dropped)).collect();
    let work = &work;
    pool.scope(|scope| {
        for (item, result) in items.into_iter().zip(&mut results) {
            scope.spawn(move |_| {
                *result = panic::catch_unwind(AssertUnwindSafe(|| work(item))).map_err(Lost::Panicked);
            });
        }
    });
    results
}
