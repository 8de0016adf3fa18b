//! rejected: assertion
//! by: a_waker_may_be_woken_when_its_task_has_ended
//!
//! Breaks "A value that nobody receives is dropped" for what a task gives: the task keeps its own handle to the slot of its receiver when
//! it has ended. Shows if the receiver of a `spawn` is dropped (before or after the end of the task, without having been polled ready), the
//! task gives a value, and its waker is kept: the value is not dropped as long as the waker is there. With a `oneshot`, or if no waker is
//! kept, all is right. Otherwise: a task knows the type of its future, and puts the value into the slot itself; the queue knows it as a
//! trait object.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::panic::{self, AssertUnwindSafe};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Wake, Waker};

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

// ---------------------------------------------------------------------------------------------------- generators

/// Yields 1, 2, … up to `top`, and then down again to 1. With 0 it yields nothing.
pub fn up_and_down(top: u32) -> UpAndDown {
    UpAndDown { number: 0, top, going: Going::Up }
}

/// The generator of [`up_and_down`].
#[derive(Debug)]
pub struct UpAndDown {
    number: u32,
    top: u32,
    going: Going,
}

#[derive(Debug)]
enum Going {
    Up,
    Down,
}

impl Iterator for UpAndDown {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        match self.going {
            Going::Up => self.number = if self.top == 0 { 0 } else { self.number + 1 },
            Going::Down => self.number = self.number.saturating_sub(1),
        }
        if self.number == self.top {
            self.going = Going::Down;
        }
        (self.number > 0).then_some(self.number)
    }
}

/// A cashier who has not started.
pub fn cashier() -> Cashier {
    Cashier(Life::Before)
}

/// The generator of [`cashier`].
#[derive(Debug)]
pub struct Cashier(Life);

#[derive(Clone, Copy, Debug)]
enum Life {
    Before,
    AtPrice(u64),
    AtCount(u64, u64),
    After,
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

impl Life {
    fn started(self) -> Result<(Life, Step), Misuse> {
        match self {
            Life::Before => Ok((Life::AtPrice(0), Step::Yielded(Question::Price))),
            Life::AtPrice(_) | Life::AtCount(..) => Err(Misuse::AlreadyStarted),
            Life::After => Err(Misuse::Finished),
        }
    }

    fn sent(self, number: u32) -> Result<(Life, Step), Misuse> {
        let number = u64::from(number);
        match self {
            Life::Before => Err(Misuse::NotStarted),
            Life::AtPrice(total) if number == 0 => Ok((Life::After, Step::Complete(total))),
            Life::AtPrice(total) => Ok((Life::AtCount(total, number), Step::Yielded(Question::Count))),
            Life::AtCount(total, price) => Ok((Life::AtPrice(total + price * number), Step::Yielded(Question::Price))),
            Life::After => Err(Misuse::Finished),
        }
    }
}

impl Cashier {
    /// Goes on from the beginning up to the first yield.
    pub fn start(&mut self) -> Result<Step, Misuse> {
        let (life, step) = self.0.started()?;
        self.0 = life;
        Ok(step)
    }

    /// Answers the question at which it stands, and goes on up to the next yield, or to the end.
    pub fn send(&mut self, number: u32) -> Result<Step, Misuse> {
        let (life, step) = self.0.sent(number)?;
        self.0 = life;
        Ok(step)
    }
}

// ------------------------------------------------------------------------------------------------------ a future

struct Slot<T> {
    content: Mutex<Content<T>>,
}

struct Content<T> {
    outcome: Option<Option<T>>,
    waker: Option<Waker>,
}

impl<T> Slot<T> {
    fn new() -> Arc<Self> {
        Arc::new(Slot { content: Mutex::new(Content { outcome: None, waker: None }) })
    }

    fn fill(&self, outcome: Option<T>) {
        let waker = {
            let mut content = lock(&self.content);
            content.outcome = Some(outcome);
            content.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// A sender and a receiver of one value. They may be on two threads.
pub fn oneshot<T>() -> (Sender<T>, Receiver<T>) {
    let slot = Slot::new();
    (Sender { slot: Some(slot.clone()) }, Receiver { slot: Some(slot) })
}

/// Sends one value to its [`Receiver`]. If it is dropped instead, the receiver learns that nothing comes.
pub struct Sender<T> {
    /// Nothing if it has sent.
    slot: Option<Arc<Slot<T>>>,
}

impl<T> Sender<T> {
    /// Sends the value. If the receiver is gone, the value is dropped.
    pub fn send(mut self, value: T) {
        if let Some(slot) = self.slot.take() {
            slot.fill(Some(value));
        }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        if let Some(slot) = self.slot.take() {
            slot.fill(None);
        }
    }
}

/// A future: the value that its [`Sender`] sends, or `None` if the sender was dropped without.
pub struct Receiver<T> {
    /// Nothing if it was ready.
    slot: Option<Arc<Slot<T>>>,
}

impl<T> Future for Receiver<T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let Some(slot) = self.slot.clone() else {
            panic!("the receiver was ready before");
        };
        let waker = context.waker().clone();
        let mut content = lock(&slot.content);
        let Some(outcome) = content.outcome.take() else {
            let old = content.waker.replace(waker);
            drop(content);
            drop(old);
            return Poll::Pending;
        };
        drop(content);
        self.slot = None;
        Poll::Ready(outcome)
    }
}

// --------------------------------------------------------------------------------------------------------- block_on

struct Pillow {
    woken: Mutex<bool>,
    noise: Condvar,
}

impl Wake for Pillow {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        *lock(&self.woken) = true;
        self.noise.notify_all();
    }
}

/// Polls the future on this thread until it is ready. While it is pending, the thread sleeps.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let pillow = Arc::new(Pillow { woken: Mutex::new(false), noise: Condvar::new() });
    let waker = Waker::from(pillow.clone());
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        let mut woken = lock(&pillow.woken);
        while !std::mem::replace(&mut *woken, false) {
            woken = pillow.noise.wait(woken).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

// -------------------------------------------------------------------------------------------------------- executor

/// A task, whatever it gives.
trait Run: Send + Sync {
    fn id(&self) -> u64;

    /// Polls it, if it has not ended. Has it ended now?
    fn run(self: Arc<Self>) -> bool;
}

struct Task<F: Future> {
    id: u64,
    shared: Weak<Shared>,
    /// Is it in the queue?
    queued: AtomicBool,
    /// Nothing while it is polled, and when it has ended.
    future: Mutex<Option<Pin<Box<F>>>>,
    /// Where its receiver looks.
    slot: Arc<Slot<F::Output>>,
}

impl<F> Run for Task<F>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn id(&self) -> u64 {
        self.id
    }

    fn run(self: Arc<Self>) -> bool {
        self.queued.swap(false, Ordering::AcqRel);
        let future = lock(&self.future).take();
        let Some(mut future) = future else {
            return false;
        };
        let waker = Waker::from(self.clone());
        let mut context = Context::from_waker(&waker);
        let value = match panic::catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(&mut context))) {
            Ok(Poll::Pending) => {
                *lock(&self.future) = Some(future);
                return false;
            }
            Ok(Poll::Ready(value)) => Some(value),
            Err(_) => None,
        };
        drop(future);
        self.slot.fill(value);
        true
    }
}

impl<F> Wake for Task<F>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn wake(self: Arc<Self>) {
        let Some(shared) = self.shared.upgrade() else {
            return;
        };
        if !self.queued.swap(true, Ordering::AcqRel) {
            lock(&shared.lists).queue.push_back(self);
            shared.changed.notify_one();
        }
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.clone().wake();
    }
}

#[derive(Default)]
struct Lists {
    last_id: u64,
    queue: VecDeque<Arc<dyn Run>>,
    /// All that have not ended.
    living: BTreeMap<u64, Arc<dyn Run>>,
}

#[derive(Default)]
struct Shared {
    lists: Mutex<Lists>,
    changed: Condvar,
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
    fn next(&self) -> Option<Arc<dyn Run>> {
        let mut lists = lock(&self.shared.lists);
        loop {
            if let Some(task) = lists.queue.pop_front() {
                return Some(task);
            }
            if lists.living.is_empty() {
                return None;
            }
            lists = self.shared.changed.wait(lists).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Runs the tasks until each has ended, also those that are spawned meanwhile. While no task can go on, the thread sleeps.
    pub fn run(&mut self) {
        while let Some(task) = self.next() {
            let id = task.id();
            if task.run() {
                let task = lock(&self.shared.lists).living.remove(&id);
                drop(task);
            }
        }
    }
}

impl Spawner {
    /// Makes the future a task, and returns at once. The task does nothing until the executor runs.
    pub fn spawn<T: Send + 'static>(&self, future: impl Future<Output = T> + Send + 'static) -> Receiver<T> {
        let slot = Slot::new();
        let receiver = Receiver { slot: Some(slot.clone()) };
        let future = Mutex::new(Some(Box::pin(future)));
        let mut lists = lock(&self.shared.lists);
        lists.last_id += 1;
        let id = lists.last_id;
        let shared = Arc::downgrade(&self.shared);
        let task: Arc<dyn Run> = Arc::new(Task { id, shared, queued: AtomicBool::new(true), future, slot });
        lists.living.insert(id, task.clone());
        lists.queue.push_back(task);
        drop(lists);
        self.shared.changed.notify_one();
        receiver
    }
}
