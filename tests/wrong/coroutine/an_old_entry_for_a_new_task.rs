//! rejected: assertion
//! by: a_waker_may_be_woken_when_its_task_has_ended
//!
//! Tasks have places that are used again. A waker knows its task, but an entry in the line knows the place only. A task wakes itself
//! and ends, and its entry is left. A task that comes now gets the place, and is polled at that entry and at its own.

use std::collections::VecDeque;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Wake, Waker};

/// Yields 1, 2, … up to `top`, and then down again to 1. With 0 it yields nothing.
pub fn up_and_down(top: u32) -> UpAndDown {
    UpAndDown { top, at: if top == 0 { Stand::Over } else { Stand::Up(1) } }
}

/// The generator of [`up_and_down`].
#[derive(Debug)]
pub struct UpAndDown {
    top: u32,
    at: Stand,
}

#[derive(Clone, Copy, Debug)]
enum Stand {
    Up(u32),
    Down(u32),
    Over,
}

impl Iterator for UpAndDown {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        match self.at {
            Stand::Up(n) if n < self.top => {
                self.at = Stand::Up(n + 1);
                Some(n)
            }
            Stand::Up(n) | Stand::Down(n) => {
                self.at = if n > 1 { Stand::Down(n - 1) } else { Stand::Over };
                Some(n)
            }
            Stand::Over => None,
        }
    }
}

/// A cashier who has not started.
pub fn cashier() -> Cashier {
    Cashier { state: Till::Fresh }
}

/// The generator of [`cashier`].
#[derive(Debug)]
pub struct Cashier {
    state: Till,
}

#[derive(Clone, Copy, Debug)]
enum Till {
    Fresh,
    Price(u64),
    Count(u64, u32),
    Over,
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
        match self.state {
            Till::Fresh => {
                self.state = Till::Price(0);
                Ok(Step::Yielded(Question::Price))
            }
            Till::Price(_) | Till::Count(..) => Err(Misuse::AlreadyStarted),
            Till::Over => Err(Misuse::Finished),
        }
    }

    /// Answers the question at which it stands, and goes on up to the next yield, or to the end.
    pub fn send(&mut self, number: u32) -> Result<Step, Misuse> {
        match self.state {
            Till::Fresh => Err(Misuse::NotStarted),
            Till::Price(total) if number == 0 => {
                self.state = Till::Over;
                Ok(Step::Complete(total))
            }
            Till::Price(total) => {
                self.state = Till::Count(total, number);
                Ok(Step::Yielded(Question::Count))
            }
            Till::Count(total, price) => {
                self.state = Till::Price(total + u64::from(price) * u64::from(number));
                Ok(Step::Yielded(Question::Price))
            }
            Till::Over => Err(Misuse::Finished),
        }
    }
}

/// A sender and a receiver of one value. They may be on two threads.
pub fn oneshot<T>() -> (Sender<T>, Receiver<T>) {
    let slot = Arc::new(Mutex::new(Slot { value: None, closed: false, taken: false, waker: None }));
    (Sender { slot: slot.clone() }, Receiver { slot })
}

struct Slot<T> {
    value: Option<T>,
    closed: bool,
    taken: bool,
    waker: Option<Waker>,
}

/// Sends one value to its [`Receiver`].
pub struct Sender<T> {
    slot: Arc<Mutex<Slot<T>>>,
}

impl<T> Sender<T> {
    /// Sends the value. If the receiver is gone, the value is dropped.
    pub fn send(self, value: T) {
        // The drop of `self` closes, and wakes.
        self.slot.lock().unwrap().value = Some(value);
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let waker = {
            let mut slot = self.slot.lock().unwrap();
            slot.closed = true;
            slot.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// A future: the value that its [`Sender`] sends, or `None` if the sender was dropped without.
pub struct Receiver<T> {
    slot: Arc<Mutex<Slot<T>>>,
}

impl<T> Future for Receiver<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let mut slot = self.slot.lock().unwrap();
        if slot.taken {
            drop(slot);
            panic!("the receiver was ready before");
        }
        if slot.closed {
            slot.taken = true;
            return Poll::Ready(slot.value.take());
        }
        let old = slot.waker.replace(context.waker().clone());
        drop(slot);
        drop(old);
        Poll::Pending
    }
}

/// Polls the future on this thread until it is ready. While it is pending, the thread sleeps.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let bell = Arc::new(Bell { rung: Mutex::new(false), changed: Condvar::new() });
    let waker = Waker::from(bell.clone());
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        bell.wait();
    }
}

struct Bell {
    rung: Mutex<bool>,
    changed: Condvar,
}

impl Bell {
    fn wait(&self) {
        let mut rung = self.rung.lock().unwrap();
        while !*rung {
            rung = self.changed.wait(rung).unwrap();
        }
        *rung = false;
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        *self.rung.lock().unwrap() = true;
        self.changed.notify_one();
    }
}

/// An executor without a task, and a spawner for it.
pub fn executor() -> (Executor, Spawner) {
    let line = Line { ready: VecDeque::new(), places: Vec::new(), free: Vec::new(), alive: 0, turns: 0 };
    let shared = Arc::new(Shared { line: Mutex::new(line), changed: Condvar::new() });
    (Executor { shared: shared.clone() }, Spawner { shared })
}

struct Shared {
    line: Mutex<Line>,
    changed: Condvar,
}

struct Line {
    /// The numbers of the places whose tasks can go on.
    ready: VecDeque<usize>,
    places: Vec<Place>,
    /// The numbers of the places without a task.
    free: Vec<usize>,
    /// So many tasks have not ended.
    alive: usize,
    /// So many tasks there were. A number for each.
    turns: u64,
}

struct Place {
    /// Which task it is, so that the waker of an earlier one wakes nobody.
    task: u64,
    queued: bool,
    work: Option<Work>,
}

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

struct Bound {
    place: usize,
    task: u64,
    shared: Arc<Shared>,
}

impl Wake for Bound {
    fn wake(self: Arc<Self>) {
        let mut line = self.shared.line.lock().unwrap();
        let place = &mut line.places[self.place];
        if place.task == self.task && !place.queued {
            place.queued = true;
            line.ready.push_back(self.place);
            self.shared.changed.notify_one();
        }
    }
}

/// Runs tasks, all on one thread.
pub struct Executor {
    shared: Arc<Shared>,
}

/// Gives tasks to its [`Executor`]. Threads can share it, and so can tasks.
#[derive(Clone)]
pub struct Spawner {
    shared: Arc<Shared>,
}

impl Executor {
    /// The next task: its place, its number, and its future.
    fn next(&self) -> Option<(usize, u64, Work)> {
        let mut line = self.shared.line.lock().unwrap();
        loop {
            if line.alive == 0 {
                return None;
            }
            if let Some(number) = line.ready.pop_front() {
                let place = &mut line.places[number];
                place.queued = false;
                if let Some(work) = place.work.take() {
                    return Some((number, place.task, work));
                }
                // It has ended meanwhile.
                continue;
            }
            line = self.shared.changed.wait(line).unwrap();
        }
    }

    /// Runs the tasks until each has ended, also those that are spawned meanwhile.
    pub fn run(&mut self) {
        while let Some((number, task, mut work)) = self.next() {
            let waker = Waker::from(Arc::new(Bound { place: number, task, shared: self.shared.clone() }));
            let mut context = Context::from_waker(&waker);
            let pending = matches!(catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(&mut context))), Ok(Poll::Pending));
            if pending {
                self.shared.line.lock().unwrap().places[number].work = Some(work);
            } else {
                drop(work);
                let mut line = self.shared.line.lock().unwrap();
                line.alive -= 1;
                line.places[number].task = 0;
                line.free.push(number);
            }
        }
    }
}

impl Spawner {
    /// Makes the future a task, and returns at once. The task does nothing until the executor runs.
    pub fn spawn<T: Send + 'static>(&self, future: impl Future<Output = T> + Send + 'static) -> Receiver<T> {
        let (sender, receiver) = oneshot();
        let work: Work = Box::pin(async move {
            let output = future.await;
            sender.send(output);
        });
        let mut line = self.shared.line.lock().unwrap();
        line.alive += 1;
        line.turns += 1;
        let place = Place { task: line.turns, queued: true, work: Some(work) };
        let number = match line.free.pop() {
            Some(number) => {
                line.places[number] = place;
                number
            }
            None => {
                line.places.push(place);
                line.places.len() - 1
            }
        };
        line.ready.push_back(number);
        self.shared.changed.notify_one();
        receiver
    }
}
