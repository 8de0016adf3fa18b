//! rejected: race
//! by: a_waker_may_be_woken_when_its_task_has_ended
//!
//! Breaks "`run` runs all tasks to their end" (a task "may ... wake its own task" at its end): those who wait are counted, and a wake
//! counts one out. A task that is woken during its last poll, or by what it owns when that is dropped, has been counted out by this wake,
//! and is so again at its end. Situation: such a task, and another one that waits for another thread: `run` returns without the other one.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Wake, Waker};

// ---------------------------------------------------------------------------------------------------- generators

/// Yields 1, 2, … up to `top`, and then down again to 1. With 0 it yields nothing.
pub fn up_and_down(top: u32) -> UpAndDown {
    UpAndDown { up: 1..top, down: top }
}

/// The generator of [`up_and_down`].
#[derive(Debug)]
pub struct UpAndDown {
    up: std::ops::Range<u32>,
    /// The next on the way down. 0: the end.
    down: u32,
}

impl Iterator for UpAndDown {
    type Item = u32;

    /// Goes on up to the next yield. After the end, there is nothing more, however often it is asked.
    fn next(&mut self) -> Option<u32> {
        if let Some(number) = self.up.next() {
            return Some(number);
        }
        let number = self.down;
        self.down = number.checked_sub(1)?;
        Some(number)
    }
}

/// A cashier who has not started. It asks for a price, then for how many pieces, then for the next price, and so on. A
/// price of 0 ends it: it returns what all costs together.
pub fn cashier() -> Cashier {
    Cashier { total: 0, place: Place::Start }
}

#[derive(Clone, Copy, Debug)]
enum Place {
    Start,
    Price,
    Count(u32),
    End,
}

/// The generator of [`cashier`].
#[derive(Debug)]
pub struct Cashier {
    total: u64,
    place: Place,
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
        match self.place {
            Place::Start => Ok(self.ask(Place::Price, Question::Price)),
            Place::End => Err(Misuse::Finished),
            _ => Err(Misuse::AlreadyStarted),
        }
    }

    /// Answers the question at which it stands, and goes on up to the next yield, or to the end.
    pub fn send(&mut self, number: u32) -> Result<Step, Misuse> {
        match (self.place, number) {
            (Place::Start, _) => Err(Misuse::NotStarted),
            (Place::Price, 0) => {
                self.place = Place::End;
                Ok(Step::Complete(self.total))
            }
            (Place::Price, price) => Ok(self.ask(Place::Count(price), Question::Count)),
            (Place::Count(price), count) => {
                self.total += u64::from(price) * u64::from(count);
                Ok(self.ask(Place::Price, Question::Price))
            }
            (Place::End, _) => Err(Misuse::Finished),
        }
    }

    fn ask(&mut self, place: Place, question: Question) -> Step {
        self.place = place;
        Step::Yielded(question)
    }
}

// ------------------------------------------------------------------------------------------------------ a future

/// What both ends share.
struct Oven<T> {
    dish: Option<T>,
    /// It is known what comes.
    done: bool,
    received: bool,
    waker: Option<Waker>,
}

/// A sender and a receiver of one value. They may be on two threads.
pub fn oneshot<T>() -> (Sender<T>, Receiver<T>) {
    let oven = Arc::new(Mutex::new(Oven { dish: None, done: false, received: false, waker: None }));
    (Sender { oven: Arc::clone(&oven) }, Receiver { oven })
}

/// Sends one value to its [`Receiver`]. If it is dropped instead, the receiver learns that nothing comes.
pub struct Sender<T> {
    oven: Arc<Mutex<Oven<T>>>,
}

impl<T> Sender<T> {
    /// Sends the value. If the receiver is gone, the value is dropped.
    pub fn send(self, value: T) {
        // The rest is done by the drop.
        lock(&self.oven).dish = Some(value);
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let waker = {
            let mut oven = lock(&self.oven);
            oven.done = true;
            oven.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// A future: the value that its [`Sender`] sends, or `None` if the sender was dropped without.
pub struct Receiver<T> {
    oven: Arc<Mutex<Oven<T>>>,
}

impl<T> Future for Receiver<T> {
    type Output = Option<T>;

    /// Ready when the value is there or can't come any more. Until then it is pending, never waits, and remembers the waker of
    /// this poll in the place of earlier ones. That one is woken when the value has come, or can't come any more.
    ///
    /// # Panics
    /// If it was ready before.
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let mut oven = lock(&self.oven);
        if !oven.done {
            let earlier = oven.waker.replace(context.waker().clone());
            drop(oven);
            drop(earlier);
            return Poll::Pending;
        }
        let again = std::mem::replace(&mut oven.received, true);
        let dish = oven.dish.take();
        drop(oven);
        assert!(!again, "it was ready before");
        Poll::Ready(dish)
    }
}

/// Nobody panics while it has one of these locks, as long as no clone of a waker does.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

// --------------------------------------------------------------------------------------------------------- block_on

/// The bell of one `block_on`.
struct Bell {
    rung: Mutex<bool>,
    heard: Condvar,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        *lock(&self.rung) = true;
        self.heard.notify_one();
    }
}

/// Polls the future on this thread until it is ready. While it is pending, the thread sleeps.
///
/// It polls once, and again only after its waker was woken, at most once for each time. No wake is lost: not one that comes
/// during the poll, nor while the future is in another `block_on`. The poll after a wake sees all that was done before the wake.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let bell = Arc::new(Bell { rung: Mutex::new(false), heard: Condvar::new() });
    let waker = Waker::from(Arc::clone(&bell));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => {
                let mut rung = lock(&bell.rung);
                while !*rung {
                    rung = bell.heard.wait(rung).unwrap_or_else(PoisonError::into_inner);
                }
                *rung = false;
            }
        }
    }
}

// -------------------------------------------------------------------------------------------------------- executor

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What spawners, wakers and the executor share.
struct Kitchen {
    line: Mutex<Line>,
    bell: Condvar,
}

struct Line {
    ready: VecDeque<Arc<Task>>,
    /// So many wait for a wake, or are polled.
    waiting: isize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// It stands in the line.
    Ready,
    /// It is polled, or waits for a wake.
    Waiting,
    Ended,
}

struct Task {
    kitchen: Weak<Kitchen>,
    /// Changed only while the line is locked.
    state: Mutex<State>,
    work: Mutex<Option<Work>>,
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let Some(kitchen) = self.kitchen.upgrade() else { return };
        let mut line = lock(&kitchen.line);
        let mut state = lock(&self.state);
        if *state == State::Waiting {
            *state = State::Ready;
            line.waiting -= 1;
            line.ready.push_back(Arc::clone(self));
            kitchen.bell.notify_one();
        }
    }
}

/// An executor without a task, and a spawner for it.
pub fn executor() -> (Executor, Spawner) {
    let line = Line { ready: VecDeque::new(), waiting: 0 };
    let kitchen = Arc::new(Kitchen { line: Mutex::new(line), bell: Condvar::new() });
    (Executor { kitchen: Arc::clone(&kitchen) }, Spawner { kitchen })
}

/// Runs tasks, all on one thread: the one that calls [`run`](Executor::run). It can be moved to another thread.
pub struct Executor {
    kitchen: Arc<Kitchen>,
}

/// Gives tasks to its [`Executor`]. Threads can share it, and so can tasks.
#[derive(Clone)]
pub struct Spawner {
    kitchen: Arc<Kitchen>,
}

impl Executor {
    /// The next task. `None`: all have ended.
    fn next(&self) -> Option<Arc<Task>> {
        let mut line = lock(&self.kitchen.line);
        loop {
            if let Some(task) = line.ready.pop_front() {
                *lock(&task.state) = State::Waiting;
                line.waiting += 1;
                return Some(task);
            }
            if line.waiting <= 0 {
                return None;
            }
            line = self.kitchen.bell.wait(line).unwrap_or_else(PoisonError::into_inner);
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
        while let Some(task) = self.next() {
            let Some(mut work) = lock(&task.work).take() else { continue };
            let waker = Waker::from(Arc::clone(&task));
            let mut context = Context::from_waker(&waker);
            let end = catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(&mut context)));
            if matches!(end, Ok(Poll::Pending)) {
                *lock(&task.work) = Some(work);
                continue;
            }
            // What it owns may spawn and wake when it is dropped.
            drop(work);
            let mut line = lock(&self.kitchen.line);
            line.waiting -= 1;
            let state = std::mem::replace(&mut *lock(&task.state), State::Ended);
            if state == State::Ready {
                line.ready.retain(|other| !Arc::ptr_eq(other, &task));
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
        let work: Work = Box::pin(async move {
            let output = future.await;
            sender.send(output);
        });
        let task = Arc::new(Task {
            kitchen: Arc::downgrade(&self.kitchen),
            state: Mutex::new(State::Ready),
            work: Mutex::new(Some(work)),
        });
        let mut line = lock(&self.kitchen.line);
        line.ready.push_back(task);
        self.kitchen.bell.notify_one();
        receiver
    }
}
