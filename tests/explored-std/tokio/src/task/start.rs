//! Starting tasks: each is a modelled thread.

use std::future::Future;
use std::pin::Pin;
use std::raw::{self, RawLock, RawWorkers, whole};
use std::sync::Arc;
use std::task::Waker;
use std::thread::Thread;

use super::join::{Id, Join, JoinError, JoinHandle};
use super::{Gate, Poller, drive};
use crate::context;
use crate::one_thread::{Carried, OneThread};
use crate::runtime::{self, Handle};
use crate::steps::Site;

/// What the handles of a task share, whatever its result is.
pub(crate) struct Task {
    pub(crate) id: Id,
    /// Where its end is seen.
    pub(crate) raw: RawLock,
    pub(crate) at: Site,
    pub(crate) inside: OneThread<Inside>,
    gate: Option<Arc<Gate>>,
    /// Whether it is a closure, which ends by itself once it has begun.
    blocking: bool,
}

#[derive(Default)]
pub(crate) struct Inside {
    /// Once it was started.
    pub(crate) thread: Option<Thread>,
    /// Whether it is to be polled no more.
    cancelled: bool,
    /// Whether its result is there.
    pub(crate) finished: bool,
    /// Whether its thread does nothing more.
    ended: bool,
    /// Who waits for its result.
    pub(crate) joiner: Option<Waker>,
}

impl Task {
    fn new(at: Site, gate: Option<Arc<Gate>>, blocking: bool) -> Arc<Task> {
        let raw = RawLock::made_at::<()>("task", at);
        Arc::new(Task { id: Id::next(), raw, at, inside: OneThread::default(), gate, blocking })
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.inside.with(|inside| inside.ended)
    }

    /// Whether it is a closure.
    pub(crate) fn is_blocking(&self) -> bool {
        self.blocking
    }

    fn is_cancelled(&self) -> bool {
        self.inside.with(|inside| inside.cancelled)
    }

    fn thread(&self) -> Option<Thread> {
        self.inside.with(|inside| inside.thread.clone())
    }

    /// Lets the task be polled no more: its future is dropped where it would be polled next. That is one step with its waking. Of a
    /// closure, the caller makes it one, at `raw`, where it begins.
    pub(crate) fn cancel(&self) {
        match (self.thread().filter(|_| !self.blocking), &self.gate) {
            (Some(thread), Some(gate)) => gate.wake(&thread),
            (Some(thread), None) => raw::wake(&thread),
            (None, _) => {}
        }
        self.inside.with(|inside| inside.cancelled = true);
    }

    /// Lets a task that is cancelled drop its future, whatever its runtime's workers do, and waits for that; but not for the end of
    /// a poll that is under way, or of a closure.
    pub(crate) fn end_if_idle(&self) {
        let thread = self.thread().filter(|_| !self.blocking && !self.has_ended());
        if let Some(thread) = thread.filter(raw::free_from_workers) {
            raw::wake(&thread);
            raw::wait_for_end(&thread);
        }
    }

    /// The same, and waits for its end in any case.
    pub(crate) fn let_end(&self) {
        self.end_if_idle();
        if let Some(thread) = self.thread() {
            raw::wait_for_end(&thread);
        }
    }

    /// Its result is there.
    fn finish(&self, keep: impl FnOnce()) {
        self.raw.touch("finish", self.at);
        whole(|| {
            keep();
            let joiner = self.inside.with(|inside| {
                inside.finished = true;
                inside.joiner.take()
            });
            if let Some(joiner) = joiner {
                joiner.wake();
            }
        });
        self.raw.has_changed();
    }
}

/// Where a task is polled.
pub(crate) enum Place {
    /// By a worker of this runtime.
    Runtime(Handle),
    /// Where its local set is.
    Local(Arc<Gate>),
}

/// Whose worker a thread has while it polls, and the runtime that it is in meanwhile.
#[derive(Clone)]
pub(crate) struct Home {
    pub(crate) workers: Arc<RawWorkers>,
    pub(crate) handle: Option<Handle>,
}

/// A future of any type, in a box: what is done with it is compiled once for each output, and not once for each future of a program.
pub(crate) type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Starts a task.
pub(crate) fn start<T: 'static>(place: Place, future: Boxed<'static, T>, at: Site) -> JoinHandle<T> {
    let gate = match &place {
        Place::Runtime(_) => None,
        Place::Local(gate) => Some(Arc::clone(gate)),
    };
    let task = Task::new(at, gate, false);
    let name = format!("task {}", task.id);
    let join = Arc::new(Join::new(Arc::clone(&task)));
    let kept = Arc::clone(&join);
    let run = move |home: Home| run(&home, &kept, future);
    match place {
        Place::Runtime(handle) => {
            handle.shared.begin_to_start(at);
            // A runtime that is shut down has nobody who comes to its tasks. This one is cancelled, and needs somebody to drop its future.
            let workers = match handle.shared.is_down() {
                true => Arc::new(RawWorkers::new(1, at)),
                false => Arc::clone(&handle.shared.workers),
            };
            let home = Home { workers, handle: Some(handle.clone()) };
            start_thread(Some(&handle), &task, name, move || run(home));
        }
        Place::Local(gate) => {
            let started = Arc::clone(&task);
            gate.add(task, move |home| start_thread(None, &started, name, move || run(home)));
        }
    }
    JoinHandle::new(join)
}

/// What the thread of a task does.
fn run<T>(home: &Home, join: &Join<T>, future: Boxed<'static, T>) {
    let task = &join.task;
    let _inside = home.handle.as_ref().map(Handle::enter);
    context::with(|context| {
        context.task = Some(task.id);
        context.gate.clone_from(&task.gate);
    });
    let waker = Waker::from(Arc::new(Poller::new(std::thread::current(), task.gate.clone())));
    let mut future = Some(future);
    let polled = raw::contain(|| {
        let pinned = future.as_mut().expect("it was not dropped yet").as_mut();
        drive(pinned, &home.workers, &waker, || task.is_cancelled(), task.at)
    });
    // The future is gone before anybody sees the result.
    let dropped = raw::contain(|| drop(future.take()));
    let result = match (polled, dropped) {
        // A task whose future panics when it is dropped has no output, even if the future has given one.
        (Err(payload), _) | (Ok(_), Err(payload)) => Err(JoinError::panicked(task.id, payload)),
        (Ok(Some(output)), Ok(())) => Ok(output),
        (Ok(None), Ok(())) => Err(JoinError::cancelled(task.id)),
    };
    task.finish(|| join.keep(result));
    if let Some(gate) = &task.gate {
        gate.one_ended();
    }
    context::end();
    raw::end_poll(Some(&home.workers));
}

/// Starts a closure on a thread for blocking work.
pub(crate) fn start_blocking<F, R>(handle: &Handle, f: F, at: Site) -> JoinHandle<R>
where
    F: FnOnce() -> R + 'static,
    R: 'static,
{
    handle.shared.begin_to_start(at);
    let task = Task::new(at, None, true);
    let join = Arc::new(Join::new(Arc::clone(&task)));
    let (kept, inside) = (Arc::clone(&join), handle.clone());
    let run = move || {
        let (task, pool) = (&kept.task, &inside.shared.blocking);
        let _inside = inside.enter();
        context::with(|context| context.task = Some(task.id));
        raw::wake_me();
        raw::begin_poll(Some(pool), raw::Awaited::nothing(at));
        // From here on it is too late to cancel it.
        task.raw.touch("begin", at);
        let result = if task.is_cancelled() {
            drop(f);
            Err(JoinError::cancelled(task.id))
        } else {
            raw::contain(f).map_err(|payload| JoinError::panicked(task.id, payload))
        };
        task.finish(|| kept.keep(result));
        raw::end_poll(Some(pool));
    };
    start_thread(Some(handle), &task, format!("blocking {}", task.id), run);
    JoinHandle::new(join)
}

/// Starts the thread of a task. A runtime that is given knows of it, and waits for its end.
fn start_thread(runtime: Option<&Handle>, task: &Arc<Task>, name: String, run: impl FnOnce() + 'static) {
    let shared = runtime.map(|handle| Arc::clone(&handle.shared));
    let is_down = shared.as_ref().is_some_and(|shared| shared.is_down());
    if is_down {
        task.cancel();
    }
    let (run, known, ending) = (Carried(run), shared.clone(), Arc::clone(task));
    let all = move || {
        run.unpack()();
        ending.inside.with(|inside| inside.ended = true);
        if let Some(shared) = known {
            runtime::one_ended(&shared);
        }
    };
    let thread = raw::start_thread(name, task.at, all);
    task.inside.with(|inside| inside.thread = Some(thread));
    if let Some(shared) = shared {
        runtime::one_more(&shared, task);
    }
    if is_down {
        // Nobody else waits for it any more: who starts it drops its future.
        task.let_end();
    }
}
