//! rejected: assertion
//! by: a_task_that_panics_takes_no_other_with_it
//!
//! Breaks "A task that panics ...: The others go on, and its receiver gets `None`. What a task owns is dropped at its end": what is left of
//! a panicked one is dropped when nobody stands in the queue. Situation: a task panics; another one, which always wakes itself, looks at
//! each poll whether the receiver of the first is ready (or whether what it owned is gone), and ends then: the queue is never empty, and
//! `run` goes round for ever.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::mpsc::{self, TryRecvError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker, ready};
use std::thread::{self, Thread};

// ---------------------------------------------------------------------------------------------------- generators

/// Yields 1, 2, … up to `top`, and then down again to 1. With 0 it yields nothing.
pub fn up_and_down(top: u32) -> UpAndDown {
    UpAndDown { top, stands: if top == 0 { Stands::AtTheEnd } else { Stands::Up(1) } }
}

#[derive(Debug)]
enum Stands {
    /// This is yielded next, on the way up.
    Up(u32),
    Down(u32),
    AtTheEnd,
}

/// The generator of [`up_and_down`].
#[derive(Debug)]
pub struct UpAndDown {
    top: u32,
    stands: Stands,
}

impl Iterator for UpAndDown {
    type Item = u32;

    /// Goes on up to the next yield. After the end, there is nothing more, however often it is asked.
    fn next(&mut self) -> Option<u32> {
        let (number, next) = match self.stands {
            Stands::Up(number) if number < self.top => (number, Stands::Up(number + 1)),
            Stands::Up(number) | Stands::Down(number) if number > 1 => (number, Stands::Down(number - 1)),
            Stands::Up(number) | Stands::Down(number) => (number, Stands::AtTheEnd),
            Stands::AtTheEnd => return None,
        };
        self.stands = next;
        Some(number)
    }
}

/// A cashier who has not started. It asks for a price, then for how many pieces, then for the next price, and so on. A
/// price of 0 ends it: it returns what all costs together.
pub fn cashier() -> Cashier {
    Cashier { line: Line::First, total: 0 }
}

/// Where the cashier stands.
#[derive(Debug)]
enum Line {
    First,
    AsksPrice,
    AsksCount { price: u32 },
    Last,
}

/// The generator of [`cashier`].
#[derive(Debug)]
pub struct Cashier {
    line: Line,
    total: u64,
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
    /// Goes on from the beginning up to the first yield.
    pub fn start(&mut self) -> Result<Step, Misuse> {
        match self.line {
            Line::First => {
                self.line = Line::AsksPrice;
                Ok(Step::Yielded(Question::Price))
            }
            Line::AsksPrice | Line::AsksCount { .. } => Err(Misuse::AlreadyStarted),
            Line::Last => Err(Misuse::Finished),
        }
    }

    /// Answers the question at which it stands, and goes on up to the next yield, or to the end.
    pub fn send(&mut self, number: u32) -> Result<Step, Misuse> {
        match self.line {
            Line::First => Err(Misuse::NotStarted),
            Line::AsksPrice if number == 0 => {
                self.line = Line::Last;
                Ok(Step::Complete(self.total))
            }
            Line::AsksPrice => {
                self.line = Line::AsksCount { price: number };
                Ok(Step::Yielded(Question::Count))
            }
            Line::AsksCount { price } => {
                self.total += u64::from(price) * u64::from(number);
                self.line = Line::AsksPrice;
                Ok(Step::Yielded(Question::Price))
            }
            Line::Last => Err(Misuse::Finished),
        }
    }
}

// ------------------------------------------------------------------------------------------------------ a future

enum Slot<T> {
    Open(Option<Waker>),
    Sent(T),
    Closed,
    Received,
}

struct Letterbox<T>(Mutex<Slot<T>>);

impl<T> Letterbox<T> {
    fn open(&self) -> MutexGuard<'_, Slot<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the waiting, if it has not ended.
    fn settle(&self, end: Slot<T>) {
        let waker = {
            let mut slot = self.open();
            match &mut *slot {
                Slot::Open(waker) => {
                    let waker = waker.take();
                    *slot = end;
                    waker
                }
                _ => None,
            }
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// A sender and a receiver of one value. They may be on two threads.
pub fn oneshot<T>() -> (Sender<T>, Receiver<T>) {
    let letterbox = Arc::new(Letterbox(Mutex::new(Slot::Open(None))));
    (Sender { letterbox: Arc::clone(&letterbox) }, Receiver { letterbox })
}

/// Sends one value to its [`Receiver`]. If it is dropped instead, the receiver learns that nothing comes.
pub struct Sender<T> {
    letterbox: Arc<Letterbox<T>>,
}

impl<T> Sender<T> {
    /// Sends the value. If the receiver is gone, the value is dropped.
    pub fn send(self, value: T) {
        self.letterbox.settle(Slot::Sent(value));
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.letterbox.settle(Slot::Closed);
    }
}

/// A future: the value that its [`Sender`] sends, or `None` if the sender was dropped without.
pub struct Receiver<T> {
    letterbox: Arc<Letterbox<T>>,
}

impl<T> Future for Receiver<T> {
    type Output = Option<T>;

    /// Ready when the value is there or can't come any more. Until then it is pending, never waits, and remembers the waker of
    /// this poll in the place of earlier ones. That one is woken when the value has come, or can't come any more.
    ///
    /// # Panics
    /// If it was ready before.
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let mut slot = self.letterbox.open();
        if let Slot::Open(waker) = &mut *slot {
            let earlier = waker.replace(context.waker().clone());
            drop(slot);
            drop(earlier);
            return Poll::Pending;
        }
        let end = std::mem::replace(&mut *slot, Slot::Received);
        drop(slot);
        match end {
            Slot::Sent(value) => Poll::Ready(Some(value)),
            Slot::Closed => Poll::Ready(None),
            Slot::Open(_) | Slot::Received => panic!("the receiver was ready before"),
        }
    }
}

// --------------------------------------------------------------------------------------------------------- block_on

/// The waker of one `block_on`.
struct Bell {
    woken: AtomicBool,
    sleeper: Thread,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.swap(true, AcqRel);
        self.sleeper.unpark();
    }
}

/// Polls the future on this thread until it is ready. While it is pending, the thread sleeps.
///
/// It polls once, and again only after its waker was woken, at most once for each time. No wake is lost: not one that comes
/// during the poll, nor while the future is in another `block_on`. The poll after a wake sees all that was done before the wake.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let bell = Arc::new(Bell { woken: AtomicBool::new(false), sleeper: thread::current() });
    let waker = Waker::from(Arc::clone(&bell));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        while !bell.woken.swap(false, AcqRel) {
            thread::park();
        }
    }
}

// -------------------------------------------------------------------------------------------------------- executor

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The future of a task, and who is sent what it gives.
struct Job<F: Future> {
    future: Pin<Box<F>>,
    sender: Option<Sender<F::Output>>,
}

impl<F: Future> Future for Job<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let output = ready!(self.future.as_mut().poll(context));
        if let Some(sender) = self.sender.take() {
            sender.send(output);
        }
        Poll::Ready(())
    }
}

struct Task {
    work: Mutex<Option<Work>>,
    /// It stands in the queue.
    queued: AtomicBool,
    queue: mpsc::Sender<Arc<Task>>,
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.queued.swap(true, AcqRel) {
            // Without an executor there is nothing to do.
            let _ = self.queue.send(Arc::clone(self));
        }
    }
}

impl Task {
    fn take(&self) -> Option<Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn put_back(&self, work: Work) {
        *self.work.lock().unwrap_or_else(PoisonError::into_inner) = Some(work);
    }
}

/// An executor without a task, and a spawner for it.
pub fn executor() -> (Executor, Spawner) {
    let (queue, ready) = mpsc::channel();
    let live = Arc::new(AtomicUsize::new(0));
    (Executor { ready, live: Arc::clone(&live), _queue: queue.clone() }, Spawner { queue, live })
}

/// Runs tasks, all on one thread: the one that calls [`run`](Executor::run). It can be moved to another thread.
pub struct Executor {
    ready: mpsc::Receiver<Arc<Task>>,
    live: Arc<AtomicUsize>,
    /// So the channel is never closed on the other side.
    _queue: mpsc::Sender<Arc<Task>>,
}

/// Gives tasks to its [`Executor`]. Threads can share it, and so can tasks.
#[derive(Clone)]
pub struct Spawner {
    queue: mpsc::Sender<Arc<Task>>,
    live: Arc<AtomicUsize>,
}

impl Executor {
    /// The next task that can go on. `None`: all have ended.
    fn next(&self, fallen: &mut Vec<Work>) -> Option<Arc<Task>> {
        let mut task = self.ready.try_recv();
        if task.is_err() && !fallen.is_empty() {
            // There is time now. What they own may spawn and wake.
            let count = fallen.len();
            fallen.clear();
            self.live.fetch_sub(count, AcqRel);
            task = self.ready.try_recv();
        }
        match task {
            Ok(task) => Some(task),
            Err(TryRecvError::Empty) if self.live.load(Acquire) > 0 => self.ready.recv().ok(),
            Err(_) => None,
        }
    }

    /// Runs the tasks until each has ended, also those that are spawned meanwhile. While no task can go on, the thread sleeps.
    ///
    /// A task is polled once, and again only after it was woken, at most once for each time, and no wake is lost. Of several, the
    /// one is polled next that has waited longest since it was spawned or woken. The poll after a wake sees all that was done before
    /// the wake.
    ///
    /// A task ends when its future is ready, or panics: then its future is dropped, and the others go on. Its waker may still be
    /// woken, and nothing happens.
    ///
    /// It can be called again, for the tasks that came later.
    pub fn run(&mut self) {
        let mut fallen = Vec::new();
        while let Some(task) = self.next(&mut fallen) {
            let Some(mut work) = task.take() else { continue };
            task.queued.swap(false, AcqRel);
            let waker = Waker::from(Arc::clone(&task));
            let mut context = Context::from_waker(&waker);
            match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(&mut context))) {
                Ok(Poll::Pending) => task.put_back(work),
                Ok(Poll::Ready(())) => {
                    drop(work);
                    self.live.fetch_sub(1, AcqRel);
                }
                // It must not be polled any more.
                Err(_) => fallen.push(work),
            }
        }
    }
}

impl Spawner {
    /// Makes the future a task, and returns at once. The task does nothing until the executor runs.
    ///
    /// The receiver gets what the future gives, or `None` if it panics. Whether anybody receives it changes nothing for the task.
    pub fn spawn<T: Send + 'static>(&self, future: impl Future<Output = T> + Send + 'static) -> Receiver<T> {
        let (sender, receiver) = oneshot();
        let work: Work = Box::pin(Job { future: Box::pin(future), sender: Some(sender) });
        self.live.fetch_add(1, Relaxed);
        let task = Task { work: Mutex::new(Some(work)), queued: AtomicBool::new(true), queue: self.queue.clone() };
        // If there is no executor any more, the task is dropped, and its receiver gets nothing.
        let _ = self.queue.send(Arc::new(task));
        receiver
    }
}
