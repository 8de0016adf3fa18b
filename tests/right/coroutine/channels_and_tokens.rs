//! accepted
//!
//! A wake is a message: `block_on` waits at a channel of its own, and the value travels through a channel, too. The executor parks,
//! and looks at flags that its tasks' wakers set, and at a list of tickets.

#![deny(warnings)]

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, TryRecvError};
use std::sync::{Arc, Mutex};
use std::task::Wake;
use std::thread::{self, Thread};

/// Where the generator goes on.
type Rest = fn(&mut UpAndDown) -> Option<u32>;

pub fn up_and_down(top: u32) -> UpAndDown {
    UpAndDown { number: 0, top, rest: UpAndDown::up }
}

#[derive(Debug)]
pub struct UpAndDown {
    number: u32,
    top: u32,
    rest: Rest,
}

impl UpAndDown {
    fn up(&mut self) -> Option<u32> {
        if self.number == self.top {
            return self.down();
        }
        self.number += 1;
        Some(self.number)
    }

    fn down(&mut self) -> Option<u32> {
        self.rest = UpAndDown::down;
        self.number = self.number.checked_sub(1)?;
        (self.number > 0).then_some(self.number)
    }
}

impl Iterator for UpAndDown {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        (self.rest)(self)
    }
}

#[derive(Debug)]
enum Stage {
    Fresh,
    Price(u64),
    Count(u64, u32),
    Over,
}

pub fn cashier() -> Cashier {
    Cashier(Stage::Fresh)
}

#[derive(Debug)]
pub struct Cashier(Stage);

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
        match self.0 {
            Stage::Fresh => {
                self.0 = Stage::Price(0);
                Ok(Step::Yielded(Question::Price))
            }
            Stage::Over => Err(Misuse::Finished),
            Stage::Price(_) | Stage::Count(..) => Err(Misuse::AlreadyStarted),
        }
    }

    pub fn send(&mut self, number: u32) -> Result<Step, Misuse> {
        let (stage, step) = match (&self.0, number) {
            (Stage::Fresh, _) => return Err(Misuse::NotStarted),
            (Stage::Over, _) => return Err(Misuse::Finished),
            (Stage::Price(total), 0) => (Stage::Over, Step::Complete(*total)),
            (Stage::Price(total), price) => (Stage::Count(*total, price), Step::Yielded(Question::Count)),
            (Stage::Count(total, price), count) => {
                (Stage::Price(total + u64::from(*price) * u64::from(count)), Step::Yielded(Question::Price))
            }
        };
        self.0 = stage;
        Ok(step)
    }
}

type LeftWaker = Arc<Mutex<Option<Waker>>>;

pub fn oneshot<T>() -> (Sender<T>, Receiver<T>) {
    let (sender, values) = mpsc::channel();
    let waker = LeftWaker::default();
    (Sender { values: Some(sender), waker: waker.clone() }, Receiver { values: Some(values), waker })
}

pub struct Sender<T> {
    values: Option<mpsc::Sender<T>>,
    waker: LeftWaker,
}

impl<T> Sender<T> {
    pub fn send(self, value: T) {
        let _ = self.values.as_ref().unwrap().send(value);
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        // The channel is closed first: so who leaves a waker later sees that.
        self.values = None;
        let waker = self.waker.lock().unwrap().take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

pub struct Receiver<T> {
    values: Option<mpsc::Receiver<T>>,
    waker: LeftWaker,
}

impl<T> Future for Receiver<T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        // First the waker, then the look: whatever comes in between wakes it.
        *self.waker.lock().unwrap() = Some(context.waker().clone());
        let answer = match self.values.as_ref().expect("polled after the end").try_recv() {
            Ok(value) => Some(value),
            Err(TryRecvError::Disconnected) => None,
            Err(TryRecvError::Empty) => return Poll::Pending,
        };
        self.values = None;
        *self.waker.lock().unwrap() = None;
        Poll::Ready(answer)
    }
}

struct Message(mpsc::SyncSender<()>);

impl Wake for Message {
    fn wake(self: Arc<Self>) {
        // If there is no room, a wake is on its way already. If nobody is there, it is over.
        let _ = self.0.try_send(());
    }
}

pub fn block_on<F: Future>(future: F) -> F::Output {
    let (sender, wakes) = mpsc::sync_channel(1);
    let waker: Waker = Arc::new(Message(sender)).into();
    let mut future = std::pin::pin!(future);
    loop {
        let poll = future.as_mut().poll(&mut Context::from_waker(&waker));
        if let Poll::Ready(output) = poll {
            return output;
        }
        wakes.recv().unwrap();
    }
}

type Boxed = Pin<Box<dyn Future<Output = ()> + Send>>;

#[derive(Default)]
struct Office {
    /// Who parks in `run`.
    runner: Option<Thread>,
    /// For each task that has not ended: the time at which it became ready, if it is.
    tickets: Vec<(u64, Option<u64>)>,
    new: Vec<(u64, Boxed)>,
    clock: u64,
}

impl Office {
    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    fn call(&self) {
        self.runner.iter().for_each(Thread::unpark);
    }
}

struct Ticket(u64, Arc<Mutex<Office>>);

impl Wake for Ticket {
    fn wake(self: Arc<Self>) {
        let mut office = self.1.lock().unwrap();
        let now = office.tick();
        if let Some((_, since)) = office.tickets.iter_mut().find(|(id, _)| *id == self.0) {
            since.get_or_insert(now);
            office.call();
        }
    }
}

pub fn executor() -> (Executor, Spawner) {
    let office = Arc::new(Mutex::new(Office::default()));
    (Executor { office: office.clone(), tasks: Vec::new() }, Spawner { office })
}

pub struct Executor {
    office: Arc<Mutex<Office>>,
    tasks: Vec<(u64, Boxed)>,
}

#[derive(Clone)]
pub struct Spawner {
    office: Arc<Mutex<Office>>,
}

impl Executor {
    pub fn run(&mut self) {
        self.office.lock().unwrap().runner = Some(thread::current());
        loop {
            let mut office = self.office.lock().unwrap();
            self.tasks.append(&mut office.new);
            if office.tickets.is_empty() {
                office.runner = None;
                return;
            }
            let oldest = office.tickets.iter_mut().filter(|(_, since)| since.is_some()).min_by_key(|(_, since)| *since);
            let Some((id, since)) = oldest else {
                drop(office);
                thread::park();
                continue;
            };
            *since = None;
            let id = *id;
            drop(office);
            let waker = Arc::new(Ticket(id, self.office.clone())).into();
            let place = self.tasks.iter().position(|(other, _)| *other == id).unwrap();
            let task = &mut self.tasks[place].1;
            let poll = catch_unwind(AssertUnwindSafe(|| task.as_mut().poll(&mut Context::from_waker(&waker))));
            if !matches!(poll, Ok(Poll::Pending)) {
                drop(self.tasks.swap_remove(place));
                self.office.lock().unwrap().tickets.retain(|(other, _)| *other != id);
            }
        }
    }
}

impl Spawner {
    pub fn spawn<T: Send + 'static>(&self, future: impl Future<Output = T> + Send + 'static) -> Receiver<T> {
        let (sender, receiver) = oneshot();
        let boxed: Boxed = Box::pin(async move {
            let value = future.await;
            sender.send(value);
        });
        let mut office = self.office.lock().unwrap();
        let id = office.tick();
        office.tickets.push((id, Some(id)));
        office.new.push((id, boxed));
        office.call();
        receiver
    }
}
