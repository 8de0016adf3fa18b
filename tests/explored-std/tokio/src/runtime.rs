//! `tokio::runtime`: a runtime is so many workers, and the tasks that are polled with them.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io;
use std::marker::PhantomData;
use std::panic::Location;
use std::raw::{self, RawLock, RawWorkers};
use std::sync::Arc;
use std::task::Waker;
use std::thread::{self, Thread, ThreadId};
use std::time::{Duration, Instant};

use crate::context;
pub use crate::metrics::RuntimeMetrics;
use crate::one_thread::OneThread;
use crate::steps::Site;
use crate::task::{self, Boxed, EndPoll, JoinHandle, Place, Poller, Task};
use crate::time::Timers;

/// How many threads for blocking work there are, unless the builder says otherwise.
const BLOCKING_THREADS: usize = 512;

/// The model of `tokio::runtime::RuntimeFlavor`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RuntimeFlavor {
    /// One worker: the thread that is in `block_on`.
    CurrentThread,
    /// Workers of its own.
    MultiThread,
}

/// What handles of a runtime share.
pub(crate) struct Shared {
    flavor: RuntimeFlavor,
    /// How many workers of its own it has.
    pub(crate) count: usize,
    pub(crate) workers: Arc<RawWorkers>,
    /// For `spawn_blocking`.
    pub(crate) blocking: RawWorkers,
    /// None if the builder has not enabled time.
    pub(crate) timers: Option<Timers>,
    pub(crate) inside: OneThread<Inside>,
    /// Where those who start tasks and those who shut it down meet, where anybody could see who is first.
    pub(crate) life: RawLock,
    at: Site,
    id: u64,
    name: Option<String>,
}

#[derive(Default)]
pub(crate) struct Inside {
    /// How many threads drive it by `block_on`.
    driving: usize,
    /// Who has driven it.
    drivers: Vec<Thread>,
    /// Who has shut it down.
    shut_down_by: Option<ThreadId>,
    /// Who has started tasks.
    starters: Vec<Thread>,
    /// How many of its threads have not ended.
    pub(crate) live: usize,
    /// Who waits for their end.
    pub(crate) waiter: Option<Thread>,
    /// Those that have not ended when they were last looked through.
    pub(crate) tasks: Vec<Arc<Task>>,
}

/// The model of `tokio::runtime::Builder`. What only tunes a runtime is taken and has no effect.
#[derive(Debug)]
pub struct Builder {
    flavor: RuntimeFlavor,
    workers: Option<usize>,
    blocking: usize,
    time: bool,
    name: Option<String>,
}

impl Builder {
    /// A runtime whose tasks run on the thread that is in `block_on`.
    #[must_use]
    pub fn new_current_thread() -> Builder {
        Builder {
            flavor: RuntimeFlavor::CurrentThread,
            workers: None,
            blocking: BLOCKING_THREADS,
            time: false,
            name: None,
        }
    }

    /// A runtime with threads of its own: four, unless `worker_threads` says otherwise.
    #[must_use]
    pub fn new_multi_thread() -> Builder {
        Builder { flavor: RuntimeFlavor::MultiThread, ..Builder::new_current_thread() }
    }

    /// Enables all that is modelled: time.
    pub fn enable_all(&mut self) -> &mut Builder {
        self.enable_time()
    }

    /// Enables `tokio::time`.
    pub fn enable_time(&mut self) -> &mut Builder {
        self.time = true;
        self
    }

    /// No input or output is modelled: no effect.
    pub fn enable_io(&mut self) -> &mut Builder {
        self
    }

    /// Time is always virtual: no effect.
    pub fn start_paused(&mut self, _start_paused: bool) -> &mut Builder {
        self
    }

    /// How many workers a multi-thread runtime has.
    ///
    /// # Panics
    /// If it is 0.
    #[track_caller]
    pub fn worker_threads(&mut self, val: usize) -> &mut Builder {
        assert!(val > 0, "Worker threads cannot be set to 0");
        self.workers = Some(val);
        self
    }

    /// How many closures of `spawn_blocking` run at a time.
    ///
    /// # Panics
    /// If it is 0.
    #[track_caller]
    pub fn max_blocking_threads(&mut self, val: usize) -> &mut Builder {
        assert!(val > 0, "Max blocking threads cannot be set to 0");
        self.blocking = val;
        self
    }

    /// Names the runtime.
    pub fn name(&mut self, val: impl Into<String>) -> &mut Builder {
        self.name = Some(val.into());
        self
    }

    /// Tasks are named by their numbers: no effect.
    pub fn thread_name(&mut self, _val: impl Into<String>) -> &mut Builder {
        self
    }

    /// Tasks are named by their numbers: no effect.
    pub fn thread_name_fn<F>(&mut self, _f: F) -> &mut Builder
    where
        F: Fn() -> String + Send + Sync + 'static,
    {
        self
    }

    /// No effect.
    pub fn thread_stack_size(&mut self, _val: usize) -> &mut Builder {
        self
    }

    /// No effect.
    pub fn thread_keep_alive(&mut self, _duration: Duration) -> &mut Builder {
        self
    }

    /// Which task is polled next is the scheduler's choice: no effect.
    pub fn global_queue_interval(&mut self, _val: u32) -> &mut Builder {
        self
    }

    /// No effect.
    pub fn event_interval(&mut self, _val: u32) -> &mut Builder {
        self
    }

    /// The runtime.
    ///
    /// # Errors
    /// Never here.
    #[track_caller]
    pub fn build(&mut self) -> io::Result<Runtime> {
        let at = Location::caller();
        let workers = match self.flavor {
            RuntimeFlavor::CurrentThread => 0,
            RuntimeFlavor::MultiThread => {
                self.workers.map_or_else(|| thread::available_parallelism().map(Into::into), Ok)?
            }
        };
        let shared = Shared {
            flavor: self.flavor,
            count: workers,
            workers: Arc::new(RawWorkers::new(workers, at)),
            blocking: RawWorkers::new(self.blocking, at),
            timers: self.time.then(Timers::default),
            inside: OneThread::default(),
            life: RawLock::made_at::<()>("runtime", at),
            at,
            id: std::raw::next_number(),
            name: self.name.clone(),
        };
        Ok(Runtime { handle: Handle { shared: Arc::new(shared) }, is_down: false })
    }
}

/// The model of `tokio::runtime::Runtime`.
pub struct Runtime {
    handle: Handle,
    /// Whether it was shut down by a method, so that its drop does nothing.
    is_down: bool,
}

impl Runtime {
    /// A multi-thread runtime with time.
    ///
    /// # Errors
    /// Never here.
    #[track_caller]
    pub fn new() -> io::Result<Runtime> {
        Builder::new_multi_thread().enable_all().build()
    }

    /// A handle to it.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Starts a task.
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.handle.spawn(future)
    }

    /// Runs a closure on a thread for blocking work.
    #[track_caller]
    pub fn spawn_blocking<F, R>(&self, func: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        self.handle.spawn_blocking(func)
    }

    /// Polls a future on this thread until it is ready. The tasks of a current-thread runtime run meanwhile.
    ///
    /// # Panics
    /// If the future does, or if this thread polls another one.
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let drives = self.handle.shared.flavor == RuntimeFlavor::CurrentThread;
        self.handle.block(Box::pin(future), drives, Location::caller())
    }

    /// Makes it this thread's runtime until the guard is dropped.
    pub fn enter(&self) -> EnterGuard<'_> {
        self.handle.enter()
    }

    /// What the runtime counts.
    #[must_use]
    pub fn metrics(&self) -> RuntimeMetrics {
        self.handle.metrics()
    }

    /// Cancels the tasks, and waits for at most this much virtual time until all of them, and the closures of
    /// `spawn_blocking`, have ended.
    ///
    /// # Panics
    /// If this thread polls a future, and the time is not zero.
    #[track_caller]
    pub fn shutdown_timeout(mut self, duration: Duration) {
        self.is_down = true;
        assert!(duration.is_zero() || !context::with(|context| context.polls), "{DROPPED_INSIDE}");
        self.handle.shut_down();
        let shared = &self.handle.shared;
        let tasks = shared.inside.with(|inside| std::mem::take(&mut inside.tasks));
        tasks.iter().for_each(|task| task.end_if_idle());
        let end = Instant::now().checked_add(duration);
        while !duration.is_zero() {
            let live = shared.inside.with(|inside| {
                inside.waiter = Some(thread::current());
                inside.live
            });
            match end.map(|end| end.saturating_duration_since(Instant::now())) {
                _ if live == 0 => break,
                Some(Duration::ZERO) => break,
                Some(left) => thread::park_timeout(left),
                None => thread::park(),
            }
        }
        tasks.iter().filter(|task| task.has_ended()).for_each(|task| task.let_end());
    }

    /// Cancels the tasks and waits for nobody.
    pub fn shutdown_background(self) {
        self.shutdown_timeout(Duration::ZERO);
    }
}

impl Drop for Runtime {
    /// Cancels the tasks, and waits until all of them, and the closures of `spawn_blocking`, have ended.
    fn drop(&mut self) {
        if self.is_down || !std::explored::exploring() {
            return;
        }
        if context::with(|context| context.polls) && !thread::panicking() {
            panic!("{DROPPED_INSIDE}");
        }
        self.handle.shut_down();
        self.handle.wait_for_tasks();
    }
}

const DROPPED_INSIDE: &str = "Cannot drop a runtime in a context where blocking is not allowed. This happens when a runtime is \
                              dropped from within an asynchronous context.";

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime").finish_non_exhaustive()
    }
}

/// The model of `tokio::runtime::Handle`.
#[derive(Clone)]
pub struct Handle {
    pub(crate) shared: Arc<Shared>,
}

impl std::panic::UnwindSafe for Handle {}
impl std::panic::RefUnwindSafe for Handle {}
impl std::panic::UnwindSafe for Runtime {}
impl std::panic::RefUnwindSafe for Runtime {}

impl Handle {
    /// The runtime that this thread is in.
    ///
    /// # Panics
    /// If it is in none.
    #[must_use]
    #[track_caller]
    pub fn current() -> Handle {
        match Handle::try_current() {
            Ok(handle) => handle,
            Err(error) => panic!("{error}"),
        }
    }

    /// The runtime that this thread is in.
    ///
    /// # Errors
    /// If it is in none.
    pub fn try_current() -> Result<Handle, TryCurrentError> {
        context::with(|context| context.handles.last().cloned()).ok_or(TryCurrentError(()))
    }

    /// Makes it this thread's runtime until the guard is dropped.
    pub fn enter(&self) -> EnterGuard<'_> {
        let depth = context::with(|context| {
            context.handles.push(self.clone());
            context.handles.len()
        });
        EnterGuard { depth, stays: PhantomData }
    }

    /// Starts a task.
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        task::start(Place::Runtime(self.clone()), Box::pin(future), Location::caller())
    }

    /// Runs a closure on a thread for blocking work.
    #[track_caller]
    pub fn spawn_blocking<F, R>(&self, func: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        task::start_blocking(self, func, Location::caller())
    }

    /// Polls a future on this thread until it is ready.
    ///
    /// # Panics
    /// If the future does, or if this thread polls another one.
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.block(Box::pin(future), false, Location::caller())
    }

    /// Which kind of runtime it is.
    #[must_use]
    pub fn runtime_flavor(&self) -> RuntimeFlavor {
        self.shared.flavor
    }

    /// What the runtime counts.
    #[must_use]
    pub fn metrics(&self) -> RuntimeMetrics {
        RuntimeMetrics { shared: Arc::clone(&self.shared) }
    }

    /// The runtime's name, if it has one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.shared.name.as_deref()
    }

    /// What tells the runtime from others.
    #[must_use]
    pub fn id(&self) -> Id {
        Id(self.shared.id)
    }

    #[track_caller]
    fn block<T>(&self, future: Boxed<'_, T>, drives: bool, at: Site) -> T {
        if context::with(|context| context.polls) {
            panic!("{BLOCKED_INSIDE}");
        }
        let _inside = self.enter();
        if drives {
            self.shared.begin_to_drive(at);
        }
        let first = drives && self.shared.inside.with(|inside| inside.driving == 0);
        let workers = if first { Arc::clone(&self.shared.workers) } else { own_worker(at) };
        let _driving = drives.then(|| Driving::begin(&self.shared));
        block_with(future, &workers, at)
    }

    /// Cancels the tasks. Those that are being polled end with that poll.
    fn shut_down(&self) {
        let shared = &self.shared;
        if shared.inside.with(|inside| others_go_on(&inside.starters)) {
            raw::look_closely();
        }
        shared.life.touch_closely("shut down", shared.at);
        let tasks = shared.inside.with(|inside| {
            inside.shut_down_by = Some(thread::current().id());
            inside.tasks.clone()
        });
        for task in &tasks {
            if task.is_blocking() {
                task.raw.touch("cancel", task.at);
            }
            task.cancel();
        }
        if let Some(timers) = &self.shared.timers {
            timers.shut_down();
        }
    }

    /// Lets the tasks end that were cancelled, one after the other, and waits for them.
    fn wait_for_tasks(&self) {
        let next = || self.shared.inside.with(|inside| (!inside.tasks.is_empty()).then(|| inside.tasks.remove(0)));
        while let Some(task) = next() {
            task.let_end();
        }
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").finish_non_exhaustive()
    }
}

const BLOCKED_INSIDE: &str = "Cannot start a runtime from within a runtime. This happens because a function (like `block_on`) \
                              attempted to block the current thread while the thread is being used to drive asynchronous tasks.";

/// Polls a future on this thread until it is ready, in no runtime, or the one that the thread is in.
#[track_caller]
pub(crate) fn block_without_runtime<F: Future>(future: F) -> F::Output {
    block_with(Box::pin(future), &own_worker(Location::caller()), Location::caller())
}

fn block_with<T>(future: Boxed<'_, T>, workers: &Arc<RawWorkers>, at: Site) -> T {
    let waker = Waker::from(Arc::new(Poller::new(thread::current(), None)));
    let _end = EndPoll(workers);
    // To be dropped before its last poll has ended.
    let mut future = future;
    task::drive(future.as_mut(), workers, &waker, || false, at).expect("nobody stops what is blocked on")
}

/// The worker that this thread is for itself.
fn own_worker(at: Site) -> Arc<RawWorkers> {
    context::with(|context| Arc::clone(context.own_worker.get_or_insert_with(|| Arc::new(RawWorkers::new(1, at)))))
}

/// A thread lends itself to a current-thread runtime.
struct Driving<'a>(&'a Shared);

impl Driving<'_> {
    fn begin(shared: &Shared) -> Driving<'_> {
        let before = shared.inside.with(|inside| {
            inside.driving += 1;
            inside.driving - 1
        });
        if before == 0 {
            shared.workers.set(1);
        }
        Driving(shared)
    }
}

impl Drop for Driving<'_> {
    fn drop(&mut self) {
        self.0.life.touch_closely("stop driving", self.0.at);
        let left = self.0.inside.with(|inside| {
            inside.driving -= 1;
            inside.driving
        });
        if left == 0 {
            self.0.workers.set(0);
        }
    }
}

/// The model of `tokio::runtime::Id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Id(u64);

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// This thread is in a runtime as long as it has this.
#[derive(Debug)]
#[must_use = "Creating and dropping a guard does nothing"]
pub struct EnterGuard<'a> {
    depth: usize,
    stays: PhantomData<(&'a Handle, *const ())>,
}

impl Drop for EnterGuard<'_> {
    fn drop(&mut self) {
        let left = context::with(|context| {
            let depth = context.handles.len();
            context.handles.pop();
            depth
        });
        if left != self.depth && !thread::panicking() {
            panic!(
                "`EnterGuard` values dropped out of order. Guards returned by `tokio::runtime::Handle::enter()` must be dropped in the \
                 reverse order as they were acquired."
            );
        }
    }
}

/// This thread is in no runtime.
#[derive(Debug)]
pub struct TryCurrentError(());

impl TryCurrentError {
    /// Always true here.
    #[must_use]
    pub fn is_missing_context(&self) -> bool {
        true
    }

    /// Never true here.
    #[must_use]
    pub fn is_thread_local_destroyed(&self) -> bool {
        false
    }
}

impl fmt::Display for TryCurrentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is no reactor running, must be called from the context of a Tokio 1.x runtime")
    }
}

impl Error for TryCurrentError {}

impl Shared {
    /// The running thread is about to start a task. Whether that comes before the end of the runtime, mostly nobody could see.
    pub(crate) fn begin_to_start(&self, at: Site) {
        let me = thread::current();
        let is_late = self.inside.with(|inside| match inside.shut_down_by {
            Some(by) => by != me.id(),
            None => {
                note(&mut inside.starters, me);
                false
            }
        });
        if is_late {
            raw::look_closely();
        }
        self.life.look_closely("start", at);
    }

    /// The running thread is about to drive the runtime, if it is the first. Mostly nobody else does.
    fn begin_to_drive(&self, at: Site) {
        let another_may = self.inside.with(|inside| {
            note(&mut inside.drivers, thread::current());
            others_go_on(&inside.drivers)
        });
        if another_may {
            raw::look_closely();
        }
        self.life.touch_closely("drive", at);
    }

    /// Whether it was shut down: what is started on it is cancelled.
    pub(crate) fn is_down(&self) -> bool {
        self.inside.with(|inside| inside.shut_down_by.is_some())
    }
}

/// Notes that a thread has done something.
fn note(threads: &mut Vec<Thread>, thread: Thread) {
    if threads.iter().all(|known| known.id() != thread.id()) {
        threads.push(thread);
    }
}

/// Whether what the others of these threads did may as well come later: nobody has seen their end.
fn others_go_on(threads: &[Thread]) -> bool {
    let me = thread::current().id();
    threads.iter().any(|thread| thread.id() != me && !raw::was_seen_to_end(thread))
}

/// A thread of the runtime has ended.
pub(crate) fn one_ended(shared: &Shared) {
    let waiter = shared.inside.with(|inside| {
        inside.live -= 1;
        inside.waiter.clone().filter(|_| inside.live == 0)
    });
    if let Some(waiter) = waiter {
        waiter.unpark();
    }
}

/// One more thread of the runtime.
pub(crate) fn one_more(shared: &Shared, task: &Arc<Task>) {
    shared.inside.with(|inside| {
        inside.live += 1;
        inside.tasks.retain(|task| !task.has_ended());
        inside.tasks.push(Arc::clone(task));
    });
}
