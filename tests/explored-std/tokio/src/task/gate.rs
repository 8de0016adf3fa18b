//! `LocalSet`: tasks that are polled only where, and while, their set is.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::Location;
use std::pin::Pin;
use std::raw::{self, Awaited, RawLock, RawWorkers, whole};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread::Thread;

use super::{Home, JoinHandle, Place, Task, start};
use crate::context;
use crate::one_thread::OneThread;
use crate::runtime::Runtime;
use crate::steps::{Site, look};

/// What keeps the tasks of a local set from being polled while the set is not.
pub(crate) struct Gate {
    raw: RawLock,
    at: Site,
    inside: OneThread<Inside>,
}

type Start = Box<dyn FnOnce(Home)>;

#[derive(Default)]
struct Inside {
    open: bool,
    /// Whoever polls the set.
    home: Option<Home>,
    /// Tasks that are started when the set is first polled.
    new: Vec<Start>,
    /// Those that were woken while the set was not polled.
    woken: Vec<Thread>,
    tasks: Vec<Arc<Task>>,
    /// How many tasks have not ended.
    live: usize,
    /// Who waits for all tasks.
    waker: Option<Waker>,
}

impl Gate {
    /// One more task.
    pub(super) fn add(&self, task: Arc<Task>, start: impl FnOnce(Home) + 'static) {
        let home = self.inside.with(|inside| {
            inside.live += 1;
            inside.tasks.retain(|task| !task.has_ended());
            inside.tasks.push(task);
            inside.home.clone()
        });
        match home {
            Some(home) => start(home),
            None => self.inside.with(|inside| inside.new.push(Box::new(start))),
        }
    }

    /// Wakes a task, now or when the set is polled.
    pub(crate) fn wake(&self, thread: &Thread) {
        let open = self.inside.with(|inside| {
            if !inside.open {
                inside.woken.push(thread.clone());
            }
            inside.open
        });
        if open {
            raw::wake(thread);
        }
    }

    /// The set is polled, by a thread that has one of the workers.
    fn open(&self) {
        let home = context::with(|context| Home {
            workers: context.workers.clone().expect("a local set is polled inside a runtime"),
            handle: context.handles.last().cloned(),
        });
        let (new, woken) = self.inside.with(|inside| {
            inside.open = true;
            inside.home.get_or_insert_with(|| home.clone());
            (std::mem::take(&mut inside.new), std::mem::take(&mut inside.woken))
        });
        new.into_iter().for_each(|start| start(home.clone()));
        woken.iter().for_each(raw::wake);
    }

    /// The set is polled no more.
    fn close(&self) {
        self.inside.with(|inside| {
            inside.open = false;
            let live = inside.tasks.iter().filter(|task| !task.has_ended());
            let threads = live.filter_map(|task| task.inside.with(|task| task.thread.clone()));
            inside.woken.extend(threads.filter(raw::unwake));
        });
    }

    pub(super) fn one_ended(&self) {
        self.raw.touch("end", self.at);
        let waker = self.inside.with(|inside| {
            inside.live -= 1;
            if inside.live == 0 { inside.waker.take() } else { None }
        });
        if let Some(waker) = waker {
            whole(|| waker.wake());
        }
    }
}

/// The model of `tokio::task::LocalSet`.
pub struct LocalSet {
    gate: Arc<Gate>,
    /// Not `Send`.
    stays: PhantomData<Rc<Cell<()>>>,
}

impl LocalSet {
    /// A set without tasks.
    #[must_use]
    #[track_caller]
    pub fn new() -> LocalSet {
        let gate = Gate {
            raw: RawLock::made_at::<()>("LocalSet", Location::caller()),
            at: Location::caller(),
            inside: OneThread::default(),
        };
        LocalSet { gate: Arc::new(gate), stays: PhantomData }
    }

    /// Lets [`spawn_local`] add to this set until the guard is dropped.
    pub fn enter(&self) -> LocalEnterGuard {
        let gate = Some(Arc::clone(&self.gate));
        LocalEnterGuard {
            before: context::with(|context| std::mem::replace(&mut context.gate, gate)),
            stays: PhantomData,
        }
    }

    /// Adds a task, which begins when the set is polled.
    #[track_caller]
    pub fn spawn_local<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        start(Place::Local(Arc::clone(&self.gate)), Box::pin(future), Location::caller())
    }

    /// Polls a future on this thread, and the set's tasks meanwhile.
    #[track_caller]
    pub fn block_on<F: Future>(&self, rt: &Runtime, future: F) -> F::Output {
        rt.block_on(self.run_until(future))
    }

    /// Polls a future, and the set's tasks meanwhile.
    pub fn run_until<F: Future>(&self, future: F) -> impl Future<Output = F::Output> {
        RunUntil { gate: Opened { gate: Arc::clone(&self.gate), open: false }, future, stays: PhantomData }
    }
}

/// Adds a task to the local set that this thread polls.
///
/// # Panics
/// If it polls none.
#[track_caller]
pub fn spawn_local<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    let gate = context::with(|context| context.gate.clone());
    let gate = gate.expect("`spawn_local` called from outside of a `task::LocalSet` or `runtime::LocalRuntime`");
    start(Place::Local(gate), Box::pin(future), Location::caller())
}

/// [`spawn_local`] adds to a set as long as there is this.
pub struct LocalEnterGuard {
    before: Option<Arc<Gate>>,
    stays: PhantomData<Rc<()>>,
}

impl Drop for LocalEnterGuard {
    fn drop(&mut self) {
        let before = self.before.take();
        context::with(|context| context.gate = before);
    }
}

impl fmt::Debug for LocalEnterGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalEnterGuard").finish()
    }
}

/// A set that is polled, from the first poll on.
struct Opened {
    gate: Arc<Gate>,
    open: bool,
}

impl Opened {
    fn open(&mut self) {
        if !std::mem::replace(&mut self.open, true) {
            self.gate.open();
        }
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        if self.open {
            self.gate.close();
        }
    }
}

pin_project_lite::pin_project! {
    struct RunUntil<'a, F> {
        gate: Opened,
        #[pin]
        future: F,
        stays: PhantomData<&'a LocalSet>,
    }
}

impl<F: Future> Future for RunUntil<'_, F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        this.gate.open();
        let gate = Some(Arc::clone(&this.gate.gate));
        let _entered = LocalEnterGuard {
            before: context::with(|context| std::mem::replace(&mut context.gate, gate)),
            stays: PhantomData,
        };
        this.future.poll(cx)
    }
}

impl Future for LocalSet {
    type Output = ();

    /// Ready when all tasks have ended.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let gate = &self.gate;
        if !gate.inside.with(|inside| inside.open) {
            gate.open();
        }
        let live = look(&gate.raw, "await", gate.at, || {
            gate.inside.with(|inside| {
                inside.waker = Some(cx.waker().clone());
                inside.live
            })
        });
        if live == 0 {
            gate.close();
            return Poll::Ready(());
        }
        context::awaits(Awaited::object(&gate.raw, gate.at));
        Poll::Pending
    }
}

impl Default for LocalSet {
    #[track_caller]
    fn default() -> LocalSet {
        LocalSet::new()
    }
}

impl Drop for LocalSet {
    /// Cancels the tasks: their futures are dropped before this returns.
    fn drop(&mut self) {
        if !std::explored::exploring() {
            return;
        }
        let (new, tasks) = self.gate.inside.with(|inside| {
            inside.open = true;
            (std::mem::take(&mut inside.new), std::mem::take(&mut inside.tasks))
        });
        tasks.iter().for_each(|task| task.cancel());
        for start in new {
            start(Home { workers: Arc::new(RawWorkers::new(1, self.gate.at)), handle: None });
        }
        tasks.iter().for_each(|task| task.let_end());
    }
}

impl fmt::Debug for LocalSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalSet").finish_non_exhaustive()
    }
}
