//! rejected: lost-wakeup
//! by: a_task_does_nothing_until_the_executor_runs
//!
//! Breaks "can be called again, also on another thread" together with "Without a task it returns at once": the early return without a task
//! skips the cleanup, and the executor goes on believing that the first thread runs it. Shows if `run` is called without a task on one
//! thread, then a task is spawned that has to wait, and `run` is called on another thread: the wake unparks the first thread, and the
//! second one sleeps for ever. Otherwise: tasks behind `Arc`, one queue, and a runner that parks.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::panic::{self, AssertUnwindSafe};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

// ---------------------------------------------------------------------------------------------------- generators

/// Yields 1, 2, … up to `top`, and then down again to 1. With 0 it yields nothing.
pub fn up_and_down(top: u32) -> UpAndDown {
    UpAndDown { next: (top > 0).then_some(1), up: true, top }
}

/// The generator of [`up_and_down`].
#[derive(Debug)]
pub struct UpAndDown {
    next: Option<u32>,
    up: bool,
    top: u32,
}

impl Iterator for UpAndDown {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let number = self.next?;
        if number == self.top {
            self.up = false;
        }
        self.next = if self.up {
            Some(number + 1)
        } else if number > 1 {
            Some(number - 1)
        } else {
            None
        };
        Some(number)
    }
}

/// A cashier who has not started.
pub fn cashier() -> Cashier {
    Cashier { total: 0, price: 0, question: None, returned: false }
}

/// The generator of [`cashier`].
#[derive(Debug)]
pub struct Cashier {
    total: u64,
    price: u32,
    /// At which it stands.
    question: Option<Question>,
    returned: bool,
}

/// What a generator that is sent values does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It yields a question, and stands there until it is sent the answer.
    Yielded(Question),
    /// It has returned, with what all costs together.
    Complete(u64),
}

/// What a cashier asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// What does the next thing cost? 0: there is none.
    Price,
    /// How many of it?
    Count,
}

/// Why a generator can't do what it is told. It stands where it stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misuse {
    /// It was sent a value before it was started: nobody has asked yet.
    NotStarted,
    /// It was started a second time, and has not returned yet.
    AlreadyStarted,
    /// It has returned already.
    Finished,
}

impl Cashier {
    fn ask(&mut self, question: Question) -> Result<Step, Misuse> {
        self.question = Some(question);
        Ok(Step::Yielded(question))
    }

    /// Goes on from the beginning up to the first yield.
    pub fn start(&mut self) -> Result<Step, Misuse> {
        if self.returned {
            Err(Misuse::Finished)
        } else if self.question.is_some() {
            Err(Misuse::AlreadyStarted)
        } else {
            self.ask(Question::Price)
        }
    }

    /// Answers the question at which it stands, and goes on up to the next yield, or to the end.
    pub fn send(&mut self, number: u32) -> Result<Step, Misuse> {
        if self.returned {
            return Err(Misuse::Finished);
        }
        match self.question {
            None => Err(Misuse::NotStarted),
            Some(Question::Price) if number == 0 => {
                self.returned = true;
                Ok(Step::Complete(self.total))
            }
            Some(Question::Price) => {
                self.price = number;
                self.ask(Question::Count)
            }
            Some(Question::Count) => {
                self.total += u64::from(self.price) * u64::from(number);
                self.ask(Question::Price)
            }
        }
    }
}

// ------------------------------------------------------------------------------------------------------ a future

struct Inner<T> {
    /// Nothing as long as the value can come.
    result: Option<Option<T>>,
    waker: Option<Waker>,
}

/// A sender and a receiver of one value. They may be on two threads.
pub fn oneshot<T>() -> (Sender<T>, Receiver<T>) {
    let inner = Arc::new(Mutex::new(Inner { result: None, waker: None }));
    (Sender { inner: Some(inner.clone()) }, Receiver { inner: Some(inner) })
}

/// Sends one value to its [`Receiver`]. If it is dropped instead, the receiver learns that nothing comes.
pub struct Sender<T> {
    inner: Option<Arc<Mutex<Inner<T>>>>,
}

impl<T> Sender<T> {
    /// Sends the value. If the receiver is gone, the value is dropped.
    pub fn send(mut self, value: T) {
        self.finish(Some(value));
    }

    fn finish(&mut self, result: Option<T>) {
        let Some(inner) = self.inner.take() else {
            return;
        };
        let waker = {
            let mut inner = inner.lock().unwrap();
            inner.result = Some(result);
            inner.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.finish(None);
    }
}

/// A future: the value that its [`Sender`] sends, or `None` if the sender was dropped without.
pub struct Receiver<T> {
    /// Nothing after it was ready.
    inner: Option<Arc<Mutex<Inner<T>>>>,
}

impl<T> Future for Receiver<T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let inner = self.inner.clone().expect("the receiver was ready before");
        let waker = context.waker().clone();
        let mut guard = inner.lock().unwrap();
        if let Some(result) = guard.result.take() {
            drop(guard);
            self.inner = None;
            return Poll::Ready(result);
        }
        let old = guard.waker.replace(waker);
        drop(guard);
        drop(old);
        Poll::Pending
    }
}

// --------------------------------------------------------------------------------------------------------- block_on

struct Unparker {
    woken: AtomicBool,
    thread: Thread,
}

impl Wake for Unparker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // A swap, so that what an earlier wake has published is not lost.
        self.woken.swap(true, Ordering::AcqRel);
        self.thread.unpark();
    }
}

/// Polls the future on this thread until it is ready. While it is pending, the thread sleeps.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let unparker = Arc::new(Unparker { woken: AtomicBool::new(false), thread: thread::current() });
    let waker = Waker::from(unparker.clone());
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        while !unparker.woken.swap(false, Ordering::AcqRel) {
            thread::park();
        }
    }
}

// -------------------------------------------------------------------------------------------------------- executor

type TaskFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

struct Task {
    id: u64,
    shared: Weak<Shared>,
    /// Is it in the queue?
    queued: AtomicBool,
    /// Nothing while it is polled, and when it has ended.
    future: Mutex<Option<TaskFuture>>,
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        if let Some(shared) = self.shared.upgrade() {
            if !self.queued.swap(true, Ordering::AcqRel) {
                shared.push(self);
            }
        }
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.clone().wake();
    }
}

#[derive(Default)]
struct Lists {
    last_id: u64,
    /// All that have not ended.
    all: BTreeMap<u64, Arc<Task>>,
    queue: VecDeque<Arc<Task>>,
    /// Who runs them, and sleeps when the queue is empty.
    runner: Option<Thread>,
}

#[derive(Default)]
struct Shared {
    lists: Mutex<Lists>,
}

impl Shared {
    fn push(&self, task: Arc<Task>) {
        let runner = {
            let mut lists = self.lists.lock().unwrap();
            lists.queue.push_back(task);
            lists.runner.clone()
        };
        if let Some(runner) = runner {
            runner.unpark();
        }
    }
}

/// An executor without a task, and a spawner for it.
pub fn executor() -> (Executor, Spawner) {
    let shared = Arc::new(Shared::default());
    (Executor { shared: shared.clone() }, Spawner { shared })
}

/// Runs tasks, all on one thread: the one that calls [`run`](Executor::run). It can be moved to another thread.
pub struct Executor {
    shared: Arc<Shared>,
}

/// Gives tasks to its [`Executor`]. Threads can share it, and so can tasks.
#[derive(Clone)]
pub struct Spawner {
    shared: Arc<Shared>,
}

impl Executor {
    fn step(&self, task: &Arc<Task>) {
        task.queued.swap(false, Ordering::AcqRel);
        let Some(mut future) = task.future.lock().unwrap().take() else {
            return; // It has ended.
        };
        let waker = Waker::from(task.clone());
        let mut context = Context::from_waker(&waker);
        match panic::catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(&mut context))) {
            Ok(Poll::Pending) => *task.future.lock().unwrap() = Some(future),
            Ok(Poll::Ready(())) | Err(_) => {
                drop(future);
                self.shared.lists.lock().unwrap().all.remove(&task.id);
            }
        }
    }

    /// Runs the tasks until each has ended, also those that are spawned meanwhile. While no task can go on, the thread sleeps.
    pub fn run(&mut self) {
        {
            let mut lists = self.shared.lists.lock().unwrap();
            if lists.runner.is_none() {
                lists.runner = Some(thread::current());
            }
            if lists.all.is_empty() {
                return;
            }
        }
        loop {
            let next = {
                let mut lists = self.shared.lists.lock().unwrap();
                let next = lists.queue.pop_front();
                if next.is_none() && lists.all.is_empty() {
                    lists.runner = None;
                    return;
                }
                next
            };
            match next {
                Some(task) => self.step(&task),
                None => thread::park(),
            }
        }
    }
}

impl Spawner {
    /// Makes the future a task, and returns at once. The task does nothing until the executor runs.
    pub fn spawn<T: Send + 'static>(&self, future: impl Future<Output = T> + Send + 'static) -> Receiver<T> {
        let (sender, receiver) = oneshot();
        let future: TaskFuture = Box::pin(async move {
            let value = future.await;
            sender.send(value);
        });
        let runner = {
            let mut lists = self.shared.lists.lock().unwrap();
            lists.last_id += 1;
            let task = Arc::new(Task {
                id: lists.last_id,
                shared: Arc::downgrade(&self.shared),
                queued: AtomicBool::new(true),
                future: Mutex::new(Some(future)),
            });
            lists.all.insert(task.id, task.clone());
            lists.queue.push_back(task);
            lists.runner.clone()
        };
        if let Some(runner) = runner {
            runner.unpark();
        }
        receiver
    }
}
