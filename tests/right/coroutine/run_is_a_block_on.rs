//! accepted
//!
//! The executor is itself a future, for `block_on`: pending until each of its tasks has ended. Tasks have numbers, and wakers note
//! the number. A generator is a position in what it yields.

use std::collections::{BTreeMap, VecDeque};
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

pub fn up_and_down(top: u32) -> UpAndDown {
    UpAndDown { top: u64::from(top), position: 0 }
}

#[derive(Debug)]
pub struct UpAndDown {
    top: u64,
    position: u64,
}

impl Iterator for UpAndDown {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let position = self.position + 1;
        if position >= 2 * self.top {
            return None;
        }
        self.position = position;
        u32::try_from(position.min(2 * self.top - position)).ok()
    }
}

pub fn cashier() -> Cashier {
    Cashier { history: None, over: false }
}

/// All that it was told, price after count after price.
#[derive(Debug)]
pub struct Cashier {
    history: Option<Vec<u64>>,
    over: bool,
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
        match self {
            Cashier { over: true, .. } => Err(Misuse::Finished),
            Cashier { history: Some(_), .. } => Err(Misuse::AlreadyStarted),
            Cashier { history, .. } => {
                *history = Some(Vec::new());
                Ok(Step::Yielded(Question::Price))
            }
        }
    }

    pub fn send(&mut self, number: u32) -> Result<Step, Misuse> {
        if self.over {
            return Err(Misuse::Finished);
        }
        let history = self.history.as_mut().ok_or(Misuse::NotStarted)?;
        if history.len() % 2 == 0 && number == 0 {
            self.over = true;
            return Ok(Step::Complete(history.chunks(2).map(|pair| pair.iter().product::<u64>()).sum()));
        }
        history.push(number.into());
        Ok(Step::Yielded(if history.len() % 2 == 0 { Question::Price } else { Question::Count }))
    }
}

/// The state is an atomic, and the waker has a lock of its own: so whoever leaves a waker looks once more.
struct Letterbox<T> {
    state: AtomicU8,
    value: Mutex<Option<T>>,
    waker: Mutex<Option<Waker>>,
}

const OPEN: u8 = 0;
const CLOSED: u8 = 1;
const EMPTIED: u8 = 2;

pub fn oneshot<T>() -> (Sender<T>, Receiver<T>) {
    let letterbox = Letterbox { state: AtomicU8::new(OPEN), value: Mutex::new(None), waker: Mutex::new(None) };
    let letterbox = Arc::new(letterbox);
    (Sender(Some(Arc::clone(&letterbox))), Receiver(letterbox))
}

pub struct Sender<T>(Option<Arc<Letterbox<T>>>);

impl<T> Sender<T> {
    pub fn send(mut self, value: T) {
        if let Some(letterbox) = self.0.take() {
            *held(&letterbox.value) = Some(value);
            letterbox.close();
        }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        if let Some(letterbox) = self.0.take() {
            letterbox.close();
        }
    }
}

impl<T> Letterbox<T> {
    fn close(&self) {
        self.state.store(CLOSED, SeqCst);
        let waker = held(&self.waker).take();
        waker.into_iter().for_each(Waker::wake);
    }
}

pub struct Receiver<T>(Arc<Letterbox<T>>);

impl<T> Future for Receiver<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        if self.0.state.load(SeqCst) == OPEN {
            *held(&self.0.waker) = Some(context.waker().clone());
        }
        match self.0.state.load(SeqCst) {
            OPEN => Poll::Pending,
            CLOSED => {
                self.0.state.store(EMPTIED, SeqCst);
                Poll::Ready(held(&self.0.value).take())
            }
            _ => unreachable!("nobody polls it again"),
        }
    }
}

struct Sleeper {
    woken: Mutex<bool>,
    thread: thread::Thread,
}

impl Wake for Sleeper {
    fn wake(self: Arc<Self>) {
        *held(&self.woken) = true;
        self.thread.unpark();
    }
}

pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let sleeper = Arc::new(Sleeper { woken: Mutex::new(true), thread: thread::current() });
    let waker = Waker::from(sleeper.clone());
    loop {
        if std::mem::take(&mut *held(&sleeper.woken)) {
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return output;
            }
        } else {
            thread::park();
        }
    }
}

type Job = Pin<Box<dyn Future<Output = ()> + Send>>;

#[derive(Default)]
struct Board {
    next: usize,
    /// Numbers of tasks that can go on.
    ready: VecDeque<usize>,
    spawned: BTreeMap<usize, Job>,
    executor: Option<Waker>,
}

struct Number(usize, Arc<Mutex<Board>>);

impl Wake for Number {
    fn wake(self: Arc<Self>) {
        note(&self.1, self.0);
    }
}

fn note(board: &Mutex<Board>, number: usize) {
    let mut board = held(board);
    if !board.ready.contains(&number) {
        board.ready.push_back(number);
    }
    if let Some(waker) = board.executor.take() {
        drop(board);
        waker.wake();
    }
}

pub fn executor() -> (Executor, Spawner) {
    let board = Arc::default();
    (Executor { board: Arc::clone(&board), tasks: BTreeMap::new() }, Spawner { board })
}

pub struct Executor {
    board: Arc<Mutex<Board>>,
    tasks: BTreeMap<usize, Job>,
}

#[derive(Clone)]
pub struct Spawner {
    board: Arc<Mutex<Board>>,
}

impl Executor {
    pub fn run(&mut self) {
        block_on(poll_fn(|context| self.poll(context)));
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            let mut board = held(&self.board);
            self.tasks.append(&mut board.spawned);
            let Some(number) = board.ready.pop_front() else {
                if self.tasks.is_empty() {
                    return Poll::Ready(());
                }
                board.executor = Some(context.waker().clone());
                return Poll::Pending;
            };
            drop(board);
            if let Some(task) = self.tasks.get_mut(&number) {
                let waker = Waker::from(Arc::new(Number(number, self.board.clone())));
                let mut context = Context::from_waker(&waker);
                let poll = catch_unwind(AssertUnwindSafe(|| task.as_mut().poll(&mut context)));
                if poll.is_err() || poll.is_ok_and(|poll| poll.is_ready()) {
                    self.tasks.remove(&number);
                }
            }
        }
    }
}

impl Spawner {
    pub fn spawn<T: Send + 'static>(&self, future: impl Future<Output = T> + Send + 'static) -> Receiver<T> {
        let (sender, receiver) = oneshot();
        let number = {
            let mut board = held(&self.board);
            board.next += 1;
            let number = board.next;
            board.spawned.insert(number, Box::pin(async { sender.send(future.await) }));
            number
        };
        note(&self.board, number);
        receiver
    }
}

fn held<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
