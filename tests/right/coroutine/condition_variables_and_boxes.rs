//! accepted
//!
//! Generators as chains and options, and one condition variable wherever somebody waits. A task is in the queue once at most.

use std::any::Any;
use std::collections::VecDeque;
use std::future::Future;
use std::iter::FusedIterator;
use std::panic::{self, AssertUnwindSafe};
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Wake, Waker};

pub fn up_and_down(top: u32) -> UpAndDown {
    UpAndDown { numbers: Box::new((1..top).chain((1..=top).rev())) }
}

pub struct UpAndDown {
    numbers: Box<dyn FusedIterator<Item = u32> + Send>,
}

impl std::fmt::Debug for UpAndDown {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("UpAndDown")
    }
}

impl Iterator for UpAndDown {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        self.numbers.next()
    }
}

pub fn cashier() -> Cashier {
    Cashier { started: false, finished: false, total: 0, price: None }
}

#[derive(Debug)]
pub struct Cashier {
    started: bool,
    finished: bool,
    total: u64,
    price: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Yielded(Question),
    Complete(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    Price,
    Count,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misuse {
    NotStarted,
    AlreadyStarted,
    Finished,
}

impl Cashier {
    pub fn start(&mut self) -> Result<Step, Misuse> {
        if self.finished {
            return Err(Misuse::Finished);
        }
        if self.started {
            return Err(Misuse::AlreadyStarted);
        }
        self.started = true;
        Ok(Step::Yielded(Question::Price))
    }

    pub fn send(&mut self, number: u32) -> Result<Step, Misuse> {
        if !self.started {
            return Err(Misuse::NotStarted);
        }
        if self.finished {
            return Err(Misuse::Finished);
        }
        if let Some(price) = self.price.take() {
            self.total += u64::from(price) * u64::from(number);
            return Ok(Step::Yielded(Question::Price));
        }
        if number == 0 {
            self.finished = true;
            return Ok(Step::Complete(self.total));
        }
        self.price = Some(number);
        Ok(Step::Yielded(Question::Count))
    }
}

struct Shared<T> {
    value: Option<T>,
    sender_is_there: bool,
    waker: Option<Waker>,
}

pub fn oneshot<T>() -> (Sender<T>, Receiver<T>) {
    let shared = Arc::new(Mutex::new(Shared { value: None, sender_is_there: true, waker: None }));
    (Sender { shared: shared.clone() }, Receiver { shared, done: false })
}

pub struct Sender<T> {
    shared: Arc<Mutex<Shared<T>>>,
}

impl<T> Sender<T> {
    /// The drop at the end of this method wakes the receiver.
    pub fn send(self, value: T) {
        self.shared.lock().unwrap().value = Some(value);
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let mut shared = self.shared.lock().unwrap();
        shared.sender_is_there = false;
        if let Some(waker) = shared.waker.take() {
            waker.wake();
        }
    }
}

pub struct Receiver<T> {
    shared: Arc<Mutex<Shared<T>>>,
    done: bool,
}

impl<T> Future for Receiver<T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        assert!(!self.done, "it was ready before");
        let mut shared = self.shared.lock().unwrap();
        let value = shared.value.take();
        if value.is_none() && shared.sender_is_there {
            match &mut shared.waker {
                Some(waker) => waker.clone_from(context.waker()),
                waker => *waker = Some(context.waker().clone()),
            }
            return Poll::Pending;
        }
        drop(shared);
        self.done = true;
        Poll::Ready(value)
    }
}

#[derive(Default)]
struct Bell {
    rang: Mutex<bool>,
    ringing: Condvar,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        *self.rang.lock().unwrap() = true;
        self.ringing.notify_one();
    }
}

pub fn block_on<F: Future>(future: F) -> F::Output {
    let bell = Arc::new(Bell::default());
    let waker = bell.clone().into();
    let mut context = Context::from_waker(&waker);
    let mut future = Box::pin(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => break output,
            Poll::Pending => {
                let rang = bell.rang.lock().unwrap();
                *bell.ringing.wait_while(rang, |rang| !*rang).unwrap() = false;
            }
        }
    }
}

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

#[derive(Default)]
struct Kitchen {
    state: Mutex<Orders>,
    changed: Condvar,
}

#[derive(Default)]
struct Orders {
    ready: VecDeque<Arc<Task>>,
    unfinished: usize,
}

struct Task {
    kitchen: Arc<Kitchen>,
    state: Mutex<TaskState>,
}

struct TaskState {
    queued: bool,
    ended: bool,
    work: Option<Work>,
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        let mut state = self.state.lock().unwrap();
        if !state.queued && !state.ended {
            state.queued = true;
            self.kitchen.state.lock().unwrap().ready.push_back(self.clone());
            self.kitchen.changed.notify_all();
        }
    }
}

pub fn executor() -> (Executor, Spawner) {
    let kitchen = Arc::new(Kitchen::default());
    (Executor { kitchen: kitchen.clone() }, Spawner { kitchen })
}

pub struct Executor {
    kitchen: Arc<Kitchen>,
}

#[derive(Clone)]
pub struct Spawner {
    kitchen: Arc<Kitchen>,
}

impl Executor {
    pub fn run(&mut self) {
        while let Some(task) = self.next() {
            let work = {
                let mut state = task.state.lock().unwrap();
                state.queued = false;
                state.work.take()
            };
            let mut work = work.expect("only this thread polls");
            let waker = task.clone().into();
            let poll = panic::catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(&mut Context::from_waker(&waker))));
            let mut state = task.state.lock().unwrap();
            match poll {
                Ok(Poll::Pending) => state.work = Some(work),
                Ok(Poll::Ready(())) | Err(_) => {
                    state.ended = true;
                    let queued = state.queued;
                    drop(state);
                    let _: Result<(), Box<dyn Any + Send>> = panic::catch_unwind(AssertUnwindSafe(|| drop(work)));
                    let mut orders = self.kitchen.state.lock().unwrap();
                    orders.unfinished -= 1;
                    if queued {
                        orders.ready.retain(|other| !Arc::ptr_eq(other, &task));
                    }
                }
            }
        }
    }

    fn next(&self) -> Option<Arc<Task>> {
        let orders = self.kitchen.state.lock().unwrap();
        let idle = |orders: &mut Orders| orders.ready.is_empty() && orders.unfinished > 0;
        self.kitchen.changed.wait_while(orders, idle).unwrap().ready.pop_front()
    }
}

impl Spawner {
    pub fn spawn<T: Send + 'static>(&self, future: impl Future<Output = T> + Send + 'static) -> Receiver<T> {
        let (sender, receiver) = oneshot();
        let work: Work = Box::pin(async move {
            let value = future.await;
            sender.send(value);
        });
        let state = Mutex::new(TaskState { queued: true, ended: false, work: Some(work) });
        let task = Arc::new(Task { kitchen: self.kitchen.clone(), state });
        let mut orders = self.kitchen.state.lock().unwrap();
        orders.unfinished += 1;
        orders.ready.push_back(task);
        drop(orders);
        self.kitchen.changed.notify_all();
        receiver
    }
}
