//! accepted
//!
//! The executor owns its tasks. Queue, wakers and tasks know each other by weak references only. A receiver looks into a channel, and
//! `send` wakes when it closes that. A generator is a number of steps.

use std::collections::VecDeque;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

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
/// 올라갔다가 내려온다.
pub fn up_and_down(top: u32) -> UpAndDown {
    UpAndDown { 끝: top, 걸음: 0 }
}
#[derive(Debug)]
pub struct UpAndDown {
    끝: u32,
    걸음: u64,
}
impl Iterator for UpAndDown {
    type Item = u32;
    fn next(&mut self) -> Option<u32> {
        let 꼭대기 = u64::from(self.끝);
        self.걸음 += 1;
        let 수 = if self.걸음 <= 꼭대기 { self.걸음 } else { (2 * 꼭대기).saturating_sub(self.걸음) };
        if 수 == 0 {
            self.걸음 = 2 * 꼭대기;
        }
        (수 > 0).then_some(수 as u32)
    }
    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, usize::try_from(2 * u64::from(self.끝)).ok())
    }
}
#[derive(Debug, Clone, Copy)]
#[allow(non_camel_case_types)]
enum 자리 {
    처음,
    값(u64),
    개수(u64, u32),
    끝,
}
use 자리::{값, 개수, 끝, 처음};
#[derive(Debug)]
pub struct Cashier(자리);
pub fn cashier() -> Cashier {
    Cashier(처음)
}
impl Cashier {
    fn go(&mut self, told: Option<u32>) -> Result<Step, Misuse> {
        let (next, step) = match (self.0, told) {
            (끝, _) => return Err(Misuse::Finished),
            (처음, Some(_)) => return Err(Misuse::NotStarted),
            (값(_) | 개수(..), None) => return Err(Misuse::AlreadyStarted),
            (처음, None) => (값(0), Step::Yielded(Question::Price)),
            (값(all), Some(0)) => (끝, Step::Complete(all)),
            (값(all), Some(price)) => (개수(all, price), Step::Yielded(Question::Count)),
            (개수(all, price), Some(count)) => {
                (값(all + price as u64 * count as u64), Step::Yielded(Question::Price))
            }
        };
        self.0 = next;
        Ok(step)
    }
    pub fn start(&mut self) -> Result<Step, Misuse> {
        self.go(None)
    }
    pub fn send(&mut self, number: u32) -> Result<Step, Misuse> {
        self.go(number.into())
    }
}
pub fn oneshot<T>() -> (Sender<T>, Receiver<T>) {
    let (sender, values) = mpsc::channel();
    let waker = Arc::new(Mutex::new(None));
    (Sender { sender: Some(sender), waker: waker.clone() }, Receiver { values: Some(values), waker })
}
pub struct Sender<T> {
    sender: Option<mpsc::Sender<T>>,
    waker: Arc<Mutex<Option<Waker>>>,
}
impl<T> Sender<T> {
    pub fn send(self, value: T) {
        let _ = self.sender.as_ref().map(|sender| sender.send(value));
    }
}
impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        // First it is closed, then it rings.
        self.sender = None;
        let waker = self.waker.lock().unwrap_or_else(PoisonError::into_inner).take();
        waker.map_or((), Waker::wake)
    }
}
pub struct Receiver<T> {
    values: Option<mpsc::Receiver<T>>,
    waker: Arc<Mutex<Option<Waker>>>,
}
impl<T> Future for Receiver<T> {
    type Output = Option<T>;
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        *self.waker.lock().unwrap() = Some(context.waker().clone());
        let ready = match self.values.as_ref().expect("it was ready before").try_recv() {
            Ok(value) => Some(value),
            Err(mpsc::TryRecvError::Disconnected) => None,
            Err(mpsc::TryRecvError::Empty) => return Poll::Pending,
        };
        self.values = None;
        Poll::Ready(ready)
    }
}
struct Bell {
    rung: AtomicBool,
    thread: Thread,
}
impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        Wake::wake_by_ref(&self);
    }
    fn wake_by_ref(self: &Arc<Self>) {
        if !self.rung.swap(true, Ordering::AcqRel) {
            self.thread.unpark();
        }
    }
}
impl Bell {
    fn new() -> Arc<Bell> {
        Arc::new(Bell { rung: AtomicBool::new(false), thread: thread::current() })
    }
    fn sleep(&self) {
        while !self.rung.swap(false, Ordering::AcqRel) {
            thread::park();
        }
    }
}
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let bell = Bell::new();
    let waker = Waker::from(Arc::clone(&bell));
    loop {
        if let Poll::Ready(value) = Future::poll(future.as_mut(), &mut Context::from_waker(&waker)) {
            return value;
        }
        bell.sleep();
    }
}
type Job = Pin<Box<dyn Future<Output = ()> + Send>>;
struct Task {
    job: Mutex<Option<Job>>,
    awake: AtomicBool,
    ready: Weak<Ready>,
}
#[derive(Default)]
struct Ready {
    tasks: Mutex<VecDeque<Weak<Task>>>,
    bell: Mutex<Option<Arc<Bell>>>,
}
impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref()
    }
    fn wake_by_ref(self: &Arc<Self>) {
        if self.awake.swap(true, Ordering::SeqCst) {
            return;
        }
        if let Some(ready) = self.ready.upgrade() {
            ready.add(Arc::downgrade(self));
        }
    }
}
impl Ready {
    fn add(&self, task: Weak<Task>) {
        self.tasks.lock().unwrap().push_back(task);
        self.bell.lock().unwrap().iter().for_each(|bell| bell.wake_by_ref());
    }
}
/// It owns its tasks; queue and spawners know them by weak references only.
pub struct Executor {
    ready: Arc<Ready>,
    all: Arc<Mutex<Vec<Option<Arc<Task>>>>>,
}
#[derive(Clone)]
pub struct Spawner {
    ready: Arc<Ready>,
    all: Arc<Mutex<Vec<Option<Arc<Task>>>>>,
}
pub fn executor() -> (Executor, Spawner) {
    let (ready, all) = (Arc::<Ready>::default(), Arc::default());
    (Executor { ready: ready.clone(), all: Arc::clone(&all) }, Spawner { ready, all })
}
struct Reset<'a>(&'a Ready);
impl Drop for Reset<'_> {
    fn drop(&mut self) {
        *self.0.bell.lock().unwrap() = None;
    }
}
impl Executor {
    pub fn run(&mut self) {
        let bell = Bell::new();
        *self.ready.bell.lock().unwrap() = Some(bell.clone());
        let _reset = Reset(&self.ready);
        while !self.all.lock().unwrap().is_empty() {
            let next = self.ready.tasks.lock().unwrap().pop_front();
            match next.map(|task| task.upgrade()) {
                Some(Some(task)) => self.step(task),
                Some(None) => {}
                None => bell.sleep(),
            }
        }
    }
    fn step(&self, task: Arc<Task>) {
        let waker = task.clone().into();
        let mut job = task.job.lock().unwrap().take();
        task.awake.swap(false, Ordering::SeqCst);
        let polled = match &mut job {
            Some(job) => catch_unwind(AssertUnwindSafe(|| job.as_mut().poll(&mut Context::from_waker(&waker)))),
            None => return,
        };
        if polled.is_ok_and(|polled| polled.is_pending()) {
            *task.job.lock().unwrap() = job;
            return;
        }
        let _ = catch_unwind(AssertUnwindSafe(|| drop(job)));
        let mut all = self.all.lock().unwrap();
        if let Some(index) = all.iter().position(|other| other.as_ref().is_some_and(|other| Arc::ptr_eq(other, &task)))
        {
            all.swap_remove(index);
        }
    }
}
impl Spawner {
    pub fn spawn<T: Send + 'static>(&self, future: impl Future<Output = T> + Send + 'static) -> Receiver<T> {
        let (sender, receiver) = oneshot();
        let job: Job = Box::pin(async move { sender.send(future.await) });
        let task = Arc::new(Task {
            job: Mutex::new(Some(job)),
            awake: AtomicBool::new(true),
            ready: Arc::downgrade(&self.ready),
        });
        let weak = Arc::downgrade(&task);
        self.all.lock().unwrap().push(Some(task));
        self.ready.add(weak);
        receiver
    }
}
