//! accepted
//!
//! The pool of the Rust book, completed: the channel of `std`, its one receiver behind a mutex. A worker holds the lock while it
//! waits for a job, but not while it runs one. An immediate shutdown empties the channel under that same lock.

use std::any::Any;
use std::num::NonZeroUsize;
use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex};
use std::thread;

use rayon::iter::{IntoParallelIterator, ParallelIterator};

type Job = Box<dyn FnOnce() + Send>;

pub struct Pool {
    // Clones of the sender wait for room, this one is only there to be cloned.
    sender: Mutex<Option<SyncSender<Job>>>,
    receiver: Arc<Mutex<Receiver<Job>>>,
    ids: Vec<thread::ThreadId>,
    threads: Mutex<Vec<thread::JoinHandle<()>>>,
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
        let (sender, receiver) = mpsc::sync_channel(backlog.get());
        let receiver = Arc::new(Mutex::new(receiver));
        let mut threads = Vec::new();
        for _ in 0..workers.get() {
            let receiver = Arc::clone(&receiver);
            threads.push(thread::spawn(move || work(&receiver)));
        }
        let ids = threads.iter().map(|thread| thread.thread().id()).collect();
        Pool { sender: Mutex::new(Some(sender)), receiver, ids, threads: Mutex::new(threads) }
    }

    pub fn submit(&self, job: impl FnOnce() + Send + 'static) -> Result<(), ShutDown> {
        let sender = self.sender.lock().unwrap().clone().ok_or(ShutDown)?;
        if self.in_a_job() {
            let _ = panic::catch_unwind(AssertUnwindSafe(job));
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
        let (work, (sender, receiver)) = (Arc::new(work), mpsc::channel());
        let mut number = 0;
        for item in items {
            let (work, sender, place) = (Arc::clone(&work), sender.clone(), number);
            number += 1;
            let job = move || {
                let result = panic::catch_unwind(AssertUnwindSafe(|| work(item)));
                sender.send((place, result.map_err(Lost::Panicked))).unwrap();
            };
            let _ = self.submit(job);
        }
        drop(sender);
        let mut results: Vec<_> = (0..number).map(|_| Err(Lost::Dropped)).collect();
        receiver.into_iter().for_each(|(place, result)| results[place] = result);
        results
    }

    pub fn shutdown(&self) {
        self.sender.lock().unwrap().take();
        if !self.in_a_job() {
            self.threads.lock().unwrap().drain(..).for_each(|thread| thread.join().unwrap());
        }
    }

    pub fn shutdown_now(&self) -> usize {
        self.sender.lock().unwrap().take();
        // An idle worker waits in there with the lock, but not for long: without a sender nothing more comes.
        let waiting: Vec<Job> = self.receiver.lock().unwrap().try_iter().collect();
        let dropped = waiting.len();
        drop(waiting);
        self.shutdown();
        dropped
    }

    fn in_a_job(&self) -> bool {
        self.ids.contains(&thread::current().id())
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shutdown();
    }
}

fn work(receiver: &Mutex<Receiver<Job>>) {
    loop {
        // The guard lives to the end of this statement only.
        let job = receiver.lock().unwrap().recv();
        let Ok(job) = job else { return };
        let _ = panic::catch_unwind(AssertUnwindSafe(job));
    }
}

pub fn map_with_rayon<T: Send, R: Send>(
    workers: NonZeroUsize,
    items: Vec<T>,
    work: impl Fn(T) -> R + Sync,
) -> Vec<Result<R, Lost>> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(workers.get()).build().unwrap();
    let work = |item| panic::catch_unwind(AssertUnwindSafe(|| work(item)));
    let results: Vec<thread::Result<R>> = pool.install(|| items.into_par_iter().map(work).collect());
    results.into_iter().map(|result| result.map_err(Lost::Panicked)).collect()
}
