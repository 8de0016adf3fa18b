//! accepted
//!
//! The backlog is a channel of crossbeam, and every worker has a clone of its receiver: no condition variable, no loop around
//! a wait. Dropping the only sender closes it. A worker knows its pool from a thread-local value, and runs whatever it submits
//! at once, full backlog or not.

use std::any::Any;
use std::cell::Cell;
use std::num::NonZeroUsize;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex, RwLock};
use std::thread::{self, JoinHandle};

use crossbeam::channel::{self, Receiver, Sender};
use rayon::prelude::*;

thread_local! {
    /// Whose jobs this thread runs: the address of the pool's sender, or 0 for nobody's.
    static WORKS_FOR: Cell<usize> = const { Cell::new(0) };
}

type Job = Box<dyn FnOnce() + Send>;

pub struct Pool {
    // In a box, so that its address stays the same when the pool is moved.
    sender: Box<RwLock<Option<Sender<Job>>>>,
    receiver: Receiver<Job>,
    workers: Mutex<Vec<JoinHandle<()>>>,
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
        let (sender, receiver) = channel::bounded::<Job>(backlog.get());
        let pool = Pool { sender: Box::new(RwLock::new(Some(sender))), receiver, workers: Mutex::default() };
        for _ in 0..workers.get() {
            let (receiver, me) = (pool.receiver.clone(), pool.address());
            let worker = thread::spawn(move || {
                WORKS_FOR.set(me);
                for job in receiver {
                    drop(panic::catch_unwind(AssertUnwindSafe(job)));
                }
            });
            pool.workers.lock().unwrap().push(worker);
        }
        pool
    }

    pub fn submit(&self, job: impl FnOnce() + Send + 'static) -> Result<(), ShutDown> {
        // A clone of its own: who waits for room holds no lock, and a shutdown need not wait for him.
        let sender = self.sender.read().unwrap().clone().ok_or(ShutDown)?;
        if WORKS_FOR.get() == self.address() {
            drop(panic::catch_unwind(AssertUnwindSafe(job)));
            return Ok(());
        }
        sender.send(Box::new(job)).map_err(|_| ShutDown)
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
        // A channel for each item: taking the results in the items' order is all there is to do.
        let hand_over = |item| {
            let (sender, receiver) = channel::bounded(1);
            let work = Arc::clone(&work);
            let job = move || sender.send(panic::catch_unwind(AssertUnwindSafe(|| work(item)))).unwrap_or_default();
            let _ = self.submit(job);
            receiver
        };
        let receivers: Vec<_> = items.into_iter().map(hand_over).collect();
        let take = |receiver: Receiver<thread::Result<R>>| match receiver.recv() {
            Ok(result) => result.map_err(Lost::Panicked),
            Err(_) => Err(Lost::Dropped),
        };
        receivers.into_iter().map(take).collect()
    }

    pub fn shutdown(&self) {
        drop(self.sender.write().unwrap().take());
        self.join();
    }

    pub fn shutdown_now(&self) -> usize {
        drop(self.sender.write().unwrap().take());
        // Every job goes to one of the receivers. Those that come to this one are not run.
        let dropped = self.receiver.try_iter().count();
        self.join();
        dropped
    }

    fn join(&self) {
        if WORKS_FOR.get() != self.address() {
            let mut workers = self.workers.lock().unwrap();
            workers.drain(..).for_each(|worker| worker.join().unwrap());
        }
    }

    fn address(&self) -> usize {
        (&raw const *self.sender).addr()
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shutdown();
    }
}

pub fn map_with_rayon<T: Send, R: Send>(
    workers: NonZeroUsize,
    items: Vec<T>,
    work: impl Fn(T) -> R + Sync,
) -> Vec<Result<R, Lost>> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(workers.get()).build().unwrap();
    let work = |item| panic::catch_unwind(AssertUnwindSafe(|| work(item))).map_err(Lost::Panicked);
    pool.install(|| items.into_par_iter().map(work).collect())
}
