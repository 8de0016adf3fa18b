//! Two generators, a future, `block_on` and an executor, by hand.
//!
//! All of it is one idea. A function that can stop in the middle is a value that knows where it stopped, and what it
//! needs to go on. Then somebody else decides when it goes on: a loop, a thread that sleeps until it is woken, or an
//! executor that has many of them.

use std::future::Future;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

/// Yields 1, 2, … up to `top`, and then down again to 1. With 0 it yields nothing.
pub fn up_and_down(top: u32) -> UpAndDown {
    UpAndDown { top, at: Loop::Up(1) }
}

/// The generator of [`up_and_down`].
#[derive(Debug)]
pub struct UpAndDown {
    top: u32,
    at: Loop,
}

/// In which loop it stands, and the number that this one yields next.
#[derive(Debug)]
enum Loop {
    Up(u32),
    Down(u32),
}

impl Iterator for UpAndDown {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        match self.at {
            Loop::Up(number) if number < self.top => {
                self.at = Loop::Up(number + 1);
                Some(number)
            }
            Loop::Up(_) => {
                self.at = Loop::Down(self.top);
                self.next()
            }
            // The end of the function. Here it stays.
            Loop::Down(0) => None,
            Loop::Down(number) => {
                self.at = Loop::Down(number - 1);
                Some(number)
            }
        }
    }
}

/// A cashier who has not started. It asks for a price, then for how many pieces, then for the next price, and so on. A
/// price of 0 ends it: it returns what all costs together.
pub fn cashier() -> Cashier {
    Cashier { at: At::Start }
}

/// The generator of [`cashier`].
#[derive(Debug)]
pub struct Cashier {
    at: At,
}

/// Where it stands, and the variables that are alive there.
#[derive(Clone, Copy, Debug)]
enum At {
    Start,
    AsksPrice { total: u64 },
    AsksCount { total: u64, price: u32 },
    End,
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
        match self.at {
            At::Start => Ok(self.ask_price(0)),
            At::AsksPrice { .. } | At::AsksCount { .. } => Err(Misuse::AlreadyStarted),
            At::End => Err(Misuse::Finished),
        }
    }

    /// Answers the question at which it stands, and goes on up to the next yield, or to the end.
    pub fn send(&mut self, number: u32) -> Result<Step, Misuse> {
        match self.at {
            At::Start => Err(Misuse::NotStarted),
            At::AsksPrice { total } if number == 0 => {
                self.at = At::End;
                Ok(Step::Complete(total))
            }
            At::AsksPrice { total } => {
                self.at = At::AsksCount { total, price: number };
                Ok(Step::Yielded(Question::Count))
            }
            At::AsksCount { total, price } => Ok(self.ask_price(total + u64::from(price) * u64::from(number))),
            At::End => Err(Misuse::Finished),
        }
    }

    fn ask_price(&mut self, total: u64) -> Step {
        self.at = At::AsksPrice { total };
        Step::Yielded(Question::Price)
    }
}

/// A sender and a receiver of one value. They may be on two threads.
pub fn oneshot<T>() -> (Sender<T>, Receiver<T>) {
    let slot = Arc::new(Mutex::new(Slot::Empty(None)));
    (Sender(Arc::clone(&slot)), Receiver(slot))
}

/// What the two share. Looking for the value and leaving a waker is one step under the lock: else the value could come
/// between the two, and find nobody to wake.
enum Slot<T> {
    /// Nothing has come yet. Whoever polled last waits for it.
    Empty(Option<Waker>),
    Full(T),
    /// Nothing comes any more.
    Lost,
    /// The receiver was ready, and is done.
    Taken,
}

/// Sends one value to its [`Receiver`]. If it is dropped instead, the receiver learns that nothing comes.
pub struct Sender<T>(Arc<Mutex<Slot<T>>>);

impl<T> Sender<T> {
    /// Sends the value. If the receiver is gone, the value is dropped.
    pub fn send(self, value: T) {
        self.end(Slot::Full(value));
    }

    fn end(&self, end: Slot<T>) {
        let mut slot = locked(&self.0);
        if let Slot::Empty(waker) = &mut *slot {
            let waker = waker.take();
            *slot = end;
            // A waker is somebody else's code. It may do anything, so it runs without our lock.
            drop(slot);
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        // After `send` the slot is not empty, and this does nothing.
        self.end(Slot::Lost);
    }
}

/// A future: the value that its [`Sender`] sends, or `None` if the sender was dropped without.
pub struct Receiver<T>(Arc<Mutex<Slot<T>>>);

impl<T> Future for Receiver<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let mut slot = locked(&self.0);
        match mem::replace(&mut *slot, Slot::Taken) {
            Slot::Empty(_) => {
                // The new waker in the place of the old one: the future may have moved to another task.
                *slot = Slot::Empty(Some(context.waker().clone()));
                Poll::Pending
            }
            Slot::Full(value) => Poll::Ready(Some(value)),
            Slot::Lost => Poll::Ready(None),
            Slot::Taken => {
                drop(slot);
                panic!("polled after it was ready")
            }
        }
    }
}

/// Polls the future on this thread until it is ready. While it is pending, the thread sleeps.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let alarm = Arc::new(Alarm { rang: AtomicBool::new(false), thread: thread::current() });
    let waker = Waker::from(Arc::clone(&alarm));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(answer) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return answer;
        }
        // `park` alone is not enough. It may end for nothing. And a thread has one token for all that parks on it: another
        // `block_on` within this poll may have used up the token that was for us. The flag is ours alone.
        while !alarm.rang.swap(false, Ordering::Acquire) {
            thread::park();
        }
    }
}

/// What a waker of [`block_on`] is.
struct Alarm {
    rang: AtomicBool,
    thread: Thread,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        // First the flag: who is unparked looks at it. With `store`, the last of two wakes would replace the first, and the poll
        // might not see what was done before that one. `swap` passes on what it replaces.
        self.rang.swap(true, Ordering::Release);
        self.thread.unpark();
    }
}

/// An executor without a task, and a spawner for it.
pub fn executor() -> (Executor, Spawner) {
    let (queue, ready) = mpsc::channel();
    let spawner = Spawner { queue, unfinished: Arc::new(AtomicUsize::new(0)) };
    (Executor { ready, spawner: spawner.clone() }, spawner)
}

/// Runs tasks, all on one thread: the one that calls [`run`](Executor::run). It can be moved to another thread.
pub struct Executor {
    /// The tasks that can go on, the oldest first.
    ready: mpsc::Receiver<Arc<Task>>,
    spawner: Spawner,
}

/// Gives tasks to its [`Executor`]. Threads can share it, and so can tasks.
#[derive(Clone)]
pub struct Spawner {
    queue: mpsc::Sender<Arc<Task>>,
    /// How many tasks have not ended.
    unfinished: Arc<AtomicUsize>,
}

/// A task is its own waker: to wake it is to put it into the queue.
struct Task {
    /// None when it has ended: a future that was ready must not be polled again.
    future: Mutex<Option<Pin<Box<dyn Future<Output = ()> + Send>>>>,
    queue: mpsc::Sender<Arc<Task>>,
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        // If the executor is gone, nobody needs to be woken.
        let _ = self.queue.send(Arc::clone(&self));
    }
}

impl Executor {
    /// Runs the tasks until each has ended, also those that are spawned meanwhile. While no task can go on, the thread
    /// sleeps.
    pub fn run(&mut self) {
        while self.spawner.unfinished.load(Ordering::Relaxed) > 0 {
            let task = self.ready.recv().expect("the executor's own spawner has a sender");
            let mut future = locked(&task.future);
            // It was woken again after its end.
            let Some(polled) = &mut *future else { continue };
            let waker = Waker::from(Arc::clone(&task));
            let poll = || polled.as_mut().poll(&mut Context::from_waker(&waker));
            // A panic is the end of this task, and of no other.
            if !matches!(catch_unwind(AssertUnwindSafe(poll)), Ok(Poll::Pending)) {
                *future = None;
                self.spawner.unfinished.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }
}

impl Spawner {
    /// Makes the future a task, and returns at once. The task does nothing until the executor runs.
    pub fn spawn<T: Send + 'static>(&self, future: impl Future<Output = T> + Send + 'static) -> Receiver<T> {
        let (sender, receiver) = oneshot();
        // If the future panics, the sender is dropped with it, and so the receiver learns that nothing comes.
        let future = async move { sender.send(future.await) };
        // First counted: else `run` could end while this one is in the queue.
        self.unfinished.fetch_add(1, Ordering::Relaxed);
        let task = Task { future: Mutex::new(Some(Box::pin(future))), queue: self.queue.clone() };
        Arc::new(task).wake();
        receiver
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nothing panics while it holds the lock")
}
