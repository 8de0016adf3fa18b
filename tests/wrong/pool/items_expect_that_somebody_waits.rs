//! rejected: panic
//! by: a_panic_ends_its_job_and_no_worker
//!
//! Breaks: whatever a job does, its worker goes on. Each task catches the panics of the code it was given, but an item of a `map` expects
//! that its result can be sent. Shows: an iterator panics in `next` after earlier items were handed over; `map` unwinds, its receiver is
//! gone, and the worker that then finishes such an item ends. With one worker no later job runs.

use std::any::Any;
use std::num::NonZeroUsize;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use crossbeam::channel;
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;

use desk::Desk;
use task::{Item, Plain, attempt};

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

mod bell {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread::{self, Thread};

    /// Wakes one thread, once.
    pub struct Bell {
        sleeper: Thread,
        rung: AtomicBool,
    }

    impl Bell {
        pub fn new() -> Arc<Bell> {
            Arc::new(Bell { sleeper: thread::current(), rung: AtomicBool::new(false) })
        }

        pub fn ring(&self) {
            self.rung.store(true, Ordering::SeqCst);
            self.sleeper.unpark();
        }

        /// Only for the thread that made the bell.
        pub fn sleep(&self) {
            while !self.rung.load(Ordering::SeqCst) {
                thread::park();
            }
        }
    }
}

mod task {
    use super::Lost;
    use crossbeam::channel::Sender;
    use std::panic::{self, AssertUnwindSafe};
    use std::sync::Arc;

    pub trait Task: Send {
        fn run(self: Box<Self>);
    }

    /// What somebody submitted.
    pub struct Plain<F>(pub F);

    impl<F: FnOnce() + Send> Task for Plain<F> {
        fn run(self: Box<Self>) {
            let job = self.0;
            let _ = panic::catch_unwind(AssertUnwindSafe(job));
        }
    }

    /// One item of a `map`. The fields are dropped in this order, the sender at last.
    pub struct Item<T, R, W> {
        pub item: T,
        pub work: Arc<W>,
        pub index: usize,
        pub sender: Sender<(usize, Result<R, Lost>)>,
    }

    impl<T, R, W> Task for Item<T, R, W>
    where
        T: Send,
        R: Send,
        W: Fn(T) -> R + Send + Sync,
    {
        fn run(self: Box<Self>) {
            let Item { item, work, index, sender } = *self;
            let result = attempt(&*work, item);
            sender.send((index, result)).expect("the map waits for its results");
        }
    }

    pub fn attempt<T, R>(work: &impl Fn(T) -> R, item: T) -> Result<R, Lost> {
        panic::catch_unwind(AssertUnwindSafe(|| work(item))).map_err(Lost::Panicked)
    }
}

mod desk {
    use super::bell::Bell;
    use super::task::Task;
    use super::{ShutDown, lock};
    use std::collections::{HashSet, VecDeque};
    use std::mem;
    use std::sync::{Arc, Mutex};
    use std::thread::{self, ThreadId};

    type Boxed = Box<dyn Task>;

    struct State {
        open: bool,
        tasks: VecDeque<Boxed>,
        crew: HashSet<ThreadId>,
        idle: VecDeque<Arc<Bell>>,
        outside: VecDeque<Arc<Bell>>,
    }

    /// What whoever has a task is to do next.
    enum Next {
        Done,
        Refused(Boxed),
        Help(Boxed),
        Sleep(Boxed, Arc<Bell>),
    }

    pub struct Desk {
        state: Mutex<State>,
        room: usize,
    }

    impl Desk {
        pub fn new(room: usize) -> Desk {
            let state = State {
                open: true,
                tasks: VecDeque::new(),
                crew: HashSet::new(),
                idle: VecDeque::new(),
                outside: VecDeque::new(),
            };
            Desk { state: Mutex::new(state), room }
        }

        /// What a worker does all its life.
        pub fn work(&self) {
            lock(&self.state).crew.insert(thread::current().id());
            while let Some(task) = self.next() {
                task.run();
            }
        }

        pub fn is_worker(&self) -> bool {
            lock(&self.state).crew.contains(&thread::current().id())
        }

        pub fn submit(&self, mut task: Boxed) -> Result<(), ShutDown> {
            loop {
                match self.try_submit(task) {
                    Next::Done => return Ok(()),
                    Next::Refused(task) => {
                        drop(task);
                        return Err(ShutDown);
                    }
                    Next::Help(oldest) => {
                        oldest.run();
                        return Ok(());
                    }
                    Next::Sleep(back, bell) => {
                        bell.sleep();
                        task = back;
                    }
                }
            }
        }

        fn try_submit(&self, task: Boxed) -> Next {
            let mut state = lock(&self.state);
            if !state.open {
                return Next::Refused(task);
            }
            if state.tasks.len() < self.room {
                state.tasks.push_back(task);
                if let Some(bell) = state.idle.pop_front() {
                    bell.ring();
                }
                return Next::Done;
            }
            if state.crew.contains(&thread::current().id()) {
                state.tasks.push_back(task);
                return match state.tasks.pop_front() {
                    Some(oldest) => Next::Help(oldest),
                    None => Next::Done,
                };
            }
            let bell = Bell::new();
            state.outside.push_back(Arc::clone(&bell));
            Next::Sleep(task, bell)
        }

        /// The oldest task. Nothing if no more will come.
        fn next(&self) -> Option<Boxed> {
            loop {
                let bell = {
                    let mut state = lock(&self.state);
                    if let Some(task) = state.tasks.pop_front() {
                        if let Some(bell) = state.outside.pop_front() {
                            bell.ring();
                        }
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

        pub fn close(&self) {
            let mut state = lock(&self.state);
            state.open = false;
            let State { idle, outside, .. } = &mut *state;
            for bell in idle.drain(..).chain(outside.drain(..)) {
                bell.ring();
            }
        }

        pub fn close_and_clear(&self) -> VecDeque<Boxed> {
            self.close();
            mem::take(&mut lock(&self.state).tasks)
        }
    }
}

/// A fixed number of threads, the workers, that run the jobs of everybody who has some. Threads share the pool by reference.
///
/// Jobs that wait for a worker are the backlog. It has room for a fixed number of them. The types of both numbers rule out a
/// pool that could never run anything.
///
/// A worker never waits for its own pool: neither for room, nor for a result, nor for the end.
pub struct Pool {
    desk: Arc<Desk>,
    /// Locked by whoever waits for the end, until it has come.
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
        let pool = Pool { desk: Arc::new(Desk::new(backlog.get())), handles: Mutex::new(Vec::new()) };
        for _ in 0..workers.get() {
            let desk = Arc::clone(&pool.desk);
            let handle = thread::Builder::new().spawn(move || desk.work()).expect("no room for another worker");
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
        self.desk.submit(Box::new(Plain(job)))
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
        if self.desk.is_worker() {
            return items.into_iter().map(|item| attempt(&work, item)).collect();
        }
        let work = Arc::new(work);
        let (sender, receiver) = channel::unbounded();
        let mut count = 0;
        for item in items {
            let task = Item { item, work: Arc::clone(&work), index: count, sender: sender.clone() };
            let _ = self.desk.submit(Box::new(task));
            count += 1;
        }
        drop(sender);
        let mut results: Vec<Result<R, Lost>> = (0..count).map(|_| Err(Lost::Dropped)).collect();
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
        self.desk.close();
        self.join();
    }

    /// Like [`shutdown`](Pool::shutdown), but drops the jobs in the backlog first, and returns how many these were. The jobs that
    /// have begun run to their end.
    pub fn shutdown_now(&self) -> usize {
        let tasks = self.desk.close_and_clear();
        let dropped = tasks.len();
        for task in tasks {
            let _ = panic::catch_unwind(AssertUnwindSafe(move || drop(task)));
        }
        self.join();
        dropped
    }

    fn join(&self) {
        if self.desk.is_worker() {
            return;
        }
        let mut handles = lock(&self.handles);
        while let Some(handle) = handles.pop() {
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
    let mut results: Vec<Result<R, Lost>> = items.iter().map(|_| Err(Lost::Dropped)).collect();
    let work = &work;
    let jobs: Vec<_> = items.into_iter().zip(results.iter_mut()).collect();
    let call = || {
        // One task of rayon for each item, each with the place of its result.
        pool.scope(|scope| {
            for (item, place) in jobs {
                scope.spawn(move |_| *place = attempt(work, item));
            }
        });
    };
    // A worker of another rayon pool would steal its own pool's work meanwhile. A plain thread waits.
    thread::scope(|scope| scope.spawn(call).join()).unwrap_or_else(|payload| panic::resume_unwind(payload));
    results
}
