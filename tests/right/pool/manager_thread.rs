//! accepted
//!
//! One more thread, the manager, owns the backlog and knows who waits. Workers and callers send letters and wait for an answer.
//! Who shuts the pool down gets the jobs that are to be dropped, and drops them itself.

use std::any::Any;
use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle, ThreadId};

use rayon::prelude::*;

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

enum Letter {
    /// A job, and where the answer goes.
    Submit(Job, bool, Sender<Reply>),
    /// This worker has nothing to do.
    Ready(Sender<Job>),
    Close,
    /// Closes too, and takes what waits.
    CloseNow(Sender<Vec<Job>>),
}

enum Reply {
    Taken,
    Refused(Job),
    DoItYourself(Job),
}

struct Manager {
    letters: Receiver<Letter>,
    backlog: VecDeque<Job>,
    waiting: VecDeque<(Job, Sender<Reply>)>,
    ready: VecDeque<Sender<Job>>,
    room: usize,
    workers: usize,
    closed: bool,
}

impl Manager {
    fn run(mut self) {
        while self.workers > 0 {
            match self.letters.recv().expect("every worker has a sender") {
                Letter::Submit(job, worker, reply) => {
                    let answer = if self.closed {
                        Reply::Refused(job)
                    } else if self.backlog.len() < self.room {
                        self.backlog.push_back(job);
                        Reply::Taken
                    } else if worker {
                        Reply::DoItYourself(job)
                    } else {
                        self.waiting.push_back((job, reply));
                        continue;
                    };
                    let _ = reply.send(answer);
                }
                Letter::Ready(worker) => self.ready.push_back(worker),
                Letter::Close => self.close(),
                Letter::CloseNow(reply) => {
                    self.close();
                    let _ = reply.send(self.backlog.drain(..).collect());
                }
            }
            self.give_out();
        }
        // Nobody runs anything any more: whoever still asks is refused, since the receiver is gone.
    }

    fn close(&mut self) {
        self.closed = true;
        for (job, reply) in self.waiting.drain(..) {
            let _ = reply.send(Reply::Refused(job));
        }
    }

    fn give_out(&mut self) {
        while !self.ready.is_empty() && !self.backlog.is_empty() {
            let (worker, job) = (self.ready.pop_front().unwrap(), self.backlog.pop_front().unwrap());
            let _ = worker.send(job);
            if let Some((job, reply)) = self.waiting.pop_front() {
                self.backlog.push_back(job);
                let _ = reply.send(Reply::Taken);
            }
        }
        if self.closed && self.backlog.is_empty() {
            self.workers -= self.ready.len();
            self.ready.clear();
        }
    }
}

pub struct Pool {
    letters: Sender<Letter>,
    workers: Arc<Vec<ThreadId>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

fn perform(job: Job) {
    let _ = panic::catch_unwind(AssertUnwindSafe(job));
}

impl Pool {
    pub fn new(workers: NonZeroUsize, backlog: NonZeroUsize) -> Pool {
        let (letters, inbox) = channel();
        let manager = Manager {
            letters: inbox,
            backlog: VecDeque::new(),
            waiting: VecDeque::new(),
            ready: VecDeque::new(),
            room: backlog.get(),
            workers: workers.get(),
            closed: false,
        };
        let mut threads = Vec::new();
        for _ in 0..workers.get() {
            let letters = letters.clone();
            threads.push(thread::spawn(move || {
                loop {
                    let (job, jobs) = channel();
                    if letters.send(Letter::Ready(job)).is_err() {
                        return;
                    }
                    match jobs.recv() {
                        Ok(job) => perform(job),
                        Err(_) => return,
                    }
                }
            }));
        }
        let workers = Arc::new(threads.iter().map(|thread| thread.thread().id()).collect());
        threads.push(thread::spawn(move || manager.run()));
        Pool { letters, workers, threads: Mutex::new(threads) }
    }

    fn works_here(&self) -> bool {
        let me = thread::current().id();
        self.workers.iter().any(|worker| *worker == me)
    }

    pub fn submit(&self, job: impl FnOnce() + Send + 'static) -> Result<(), ShutDown> {
        let (reply, answer) = channel();
        self.letters.send(Letter::Submit(Box::new(job), self.works_here(), reply)).map_err(|_| ShutDown)?;
        match answer.recv() {
            Ok(Reply::Taken) => Ok(()),
            Ok(Reply::DoItYourself(job)) => {
                perform(job);
                Ok(())
            }
            Ok(Reply::Refused(job)) => {
                drop(job);
                Err(ShutDown)
            }
            Err(_) => Err(ShutDown),
        }
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
        let (sender, receiver) = channel();
        let here = self.works_here();
        let mut results: Vec<Result<R, Lost>> = vec![];
        for item in items {
            let (place, work, sender) = (results.len(), work.clone(), sender.clone());
            results.push(Err(Lost::Dropped));
            let job = move || {
                let result = panic::catch_unwind(AssertUnwindSafe(|| work(item)));
                let _ = sender.send((place, result));
            };
            if here { job() } else { self.submit(job).unwrap_or(()) }
        }
        drop(sender);
        while let Ok((place, result)) = receiver.recv() {
            results[place] = result.map_err(Lost::Panicked);
        }
        results
    }

    fn end(&self) {
        if !self.works_here() {
            for thread in self.threads.lock().unwrap().drain(..) {
                let _ = thread.join();
            }
        }
    }

    pub fn shutdown(&self) {
        let _ = self.letters.send(Letter::Close);
        self.end();
    }

    pub fn shutdown_now(&self) -> usize {
        let (reply, jobs) = channel();
        let _ = self.letters.send(Letter::CloseNow(reply));
        let jobs = jobs.recv().unwrap_or_default();
        let many = jobs.len();
        drop(jobs);
        self.end();
        many
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
    pool.install(|| {
        items
            .into_par_iter()
            .map(|item| panic::catch_unwind(AssertUnwindSafe(|| work(item))).map_err(Lost::Panicked))
            .collect()
    })
}
