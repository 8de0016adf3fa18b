//! Two generators, a future, `block_on` and an executor, by hand. The lesson is in `README.md`.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

// ---------------------------------------------------------------------------------------------------- generators

/// Yields 1, 2, … up to `top`, and then down again to 1. With 0 it yields nothing.
pub fn up_and_down(top: u32) -> UpAndDown {
    todo!()
}

/// The generator of [`up_and_down`].
#[derive(Debug)]
pub struct UpAndDown {
    // The fields are yours to choose. Where does it stand, and what does it need to go on?
}

impl Iterator for UpAndDown {
    type Item = u32;

    /// Goes on up to the next yield. After the end, there is nothing more, however often it is asked.
    fn next(&mut self) -> Option<u32> {
        todo!()
    }
}

/// A cashier who has not started. It asks for a price, then for how many pieces, then for the next price, and so on. A
/// price of 0 ends it: it returns what all costs together.
pub fn cashier() -> Cashier {
    todo!()
}

/// The generator of [`cashier`].
#[derive(Debug)]
pub struct Cashier {
    // The fields are yours to choose.
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
        todo!()
    }

    /// Answers the question at which it stands, and goes on up to the next yield, or to the end.
    pub fn send(&mut self, number: u32) -> Result<Step, Misuse> {
        todo!()
    }
}

// ------------------------------------------------------------------------------------------------------ a future

/// A sender and a receiver of one value. They may be on two threads.
pub fn oneshot<T>() -> (Sender<T>, Receiver<T>) {
    todo!()
}

/// Sends one value to its [`Receiver`]. If it is dropped instead, the receiver learns that nothing comes.
pub struct Sender<T> {
    // The fields are yours to choose, here and below. This one only lets the stub compile.
    _value: PhantomData<T>,
}

impl<T> Sender<T> {
    /// Sends the value. If the receiver is gone, the value is dropped.
    pub fn send(self, value: T) {
        todo!()
    }
}

/// A future: the value that its [`Sender`] sends, or `None` if the sender was dropped without.
pub struct Receiver<T> {
    // Who waits for the value, and how is it told?
    _value: PhantomData<T>,
}

impl<T> Future for Receiver<T> {
    type Output = Option<T>;

    /// Ready when the value is there or can't come any more. Until then it is pending, never waits, and remembers the waker of
    /// this poll in the place of earlier ones. That one is woken when the value has come, or can't come any more.
    ///
    /// # Panics
    /// If it was ready before.
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        todo!()
    }
}

// --------------------------------------------------------------------------------------------------------- block_on

/// Polls the future on this thread until it is ready. While it is pending, the thread sleeps.
///
/// It polls once, and again only after its waker was woken, at most once for each time. No wake is lost: not one that comes
/// during the poll, nor while the future is in another `block_on`. The poll after a wake sees all that was done before the wake.
pub fn block_on<F: Future>(future: F) -> F::Output {
    todo!()
}

// -------------------------------------------------------------------------------------------------------- executor

/// An executor without a task, and a spawner for it.
pub fn executor() -> (Executor, Spawner) {
    todo!()
}

/// Runs tasks, all on one thread: the one that calls [`run`](Executor::run). It can be moved to another thread.
pub struct Executor {
    // The fields are yours to choose, here and below.
}

/// Gives tasks to its [`Executor`]. Threads can share it, and so can tasks.
#[derive(Clone)]
pub struct Spawner {
    // What do a spawner, the wakers and the executor share?
}

impl Executor {
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
        todo!()
    }
}

impl Spawner {
    /// Makes the future a task, and returns at once. The task does nothing until the executor runs.
    ///
    /// The receiver gets what the future gives, or `None` if it panics. Whether anybody receives it changes nothing for the task.
    pub fn spawn<T: Send + 'static>(&self, future: impl Future<Output = T> + Send + 'static) -> Receiver<T> {
        todo!()
    }
}
