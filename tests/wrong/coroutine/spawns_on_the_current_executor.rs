//! rejected: assertion
//! by: a_task_does_nothing_until_the_executor_runs
//!
//! Breaks "Another executor has tasks of its own, also while this one runs": a task of executor A spawns with the spawner of executor B:
//! the new task becomes one of A, is run by A's `run`, and B has none. Within a task, `spawn` takes the executor that runs on this thread,
//! without asking whose spawner it is.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::pin::{Pin, pin};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Wake, Waker};

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

// ---------------------------------------------------------------------------------------------------- generators

/// Yields 1, 2, … up to `top`, and then down again to 1. With 0 it yields nothing.
pub fn up_and_down(top: u32) -> UpAndDown {
    UpAndDown { place: if top == 0 { Place::End } else { Place::Up { number: 1, top } } }
}

/// The generator of [`up_and_down`].
#[derive(Debug)]
pub struct UpAndDown {
    place: Place,
}

/// Where it stands: what it yields next.
#[derive(Clone, Copy, Debug)]
enum Place {
    Up { number: u32, top: u32 },
    Down { number: u32 },
    End,
}

impl Iterator for UpAndDown {
    type Item = u32;

    /// Goes on up to the next yield. After the end, there is nothing more, however often it is asked.
    fn next(&mut self) -> Option<u32> {
        let (number, then) = match self.place {
            Place::Up { number, top } if number < top => (number, Place::Up { number: number + 1, top }),
            Place::Up { number, .. } | Place::Down { number } if number > 1 => {
                (number, Place::Down { number: number - 1 })
            }
            Place::Up { number, .. } | Place::Down { number } => (number, Place::End),
            Place::End => return None,
        };
        self.place = then;
        Some(number)
    }
}

/// A cashier who has not started. It asks for a price, then for how many pieces, then for the next price, and so on. A
/// price of 0 ends it: it returns what all costs together.
pub fn cashier() -> Cashier {
    Cashier { bill: Bill::default(), goes_on: stands_before }
}

/// The generator of [`cashier`].
#[derive(Debug)]
pub struct Cashier {
    bill: Bill,
    /// What happens next: the rest of the generator is a function.
    goes_on: fn(&mut Bill, Told) -> Result<(Step, Rest), Misuse>,
}

#[derive(Debug, Default)]
struct Bill {
    price: u32,
    total: u64,
}

enum Told {
    Start,
    Answer(u32),
}

/// Where the generator goes on after a step.
enum Rest {
    Price,
    Count,
    End,
}

fn stands_before(_: &mut Bill, told: Told) -> Result<(Step, Rest), Misuse> {
    match told {
        Told::Start => Ok((Step::Yielded(Question::Price), Rest::Price)),
        Told::Answer(_) => Err(Misuse::NotStarted),
    }
}

fn asks_price(bill: &mut Bill, told: Told) -> Result<(Step, Rest), Misuse> {
    match told {
        Told::Start => Err(Misuse::AlreadyStarted),
        Told::Answer(0) => Ok((Step::Complete(bill.total), Rest::End)),
        Told::Answer(price) => {
            bill.price = price;
            Ok((Step::Yielded(Question::Count), Rest::Count))
        }
    }
}

fn asks_count(bill: &mut Bill, told: Told) -> Result<(Step, Rest), Misuse> {
    match told {
        Told::Start => Err(Misuse::AlreadyStarted),
        Told::Answer(count) => {
            bill.total = bill.total.wrapping_add(u64::from(bill.price) * u64::from(count));
            Ok((Step::Yielded(Question::Price), Rest::Price))
        }
    }
}

fn stands_at_end(_: &mut Bill, _: Told) -> Result<(Step, Rest), Misuse> {
    Err(Misuse::Finished)
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
        self.tell(Told::Start)
    }

    /// Answers the question at which it stands, and goes on up to the next yield, or to the end.
    pub fn send(&mut self, number: u32) -> Result<Step, Misuse> {
        self.tell(Told::Answer(number))
    }

    fn tell(&mut self, told: Told) -> Result<Step, Misuse> {
        let (step, rest) = (self.goes_on)(&mut self.bill, told)?;
        self.goes_on = match rest {
            Rest::Price => asks_price,
            Rest::Count => asks_count,
            Rest::End => stands_at_end,
        };
        Ok(step)
    }
}

// ------------------------------------------------------------------------------------------------------ a future

/// The place where the value comes to lie.
struct Drawer<T> {
    content: Content<T>,
    /// Who asked last.
    bell: Option<Waker>,
}

enum Content<T> {
    Nothing,
    Value(T),
    Gone,
    Taken,
}

/// A sender and a receiver of one value. They may be on two threads.
pub fn oneshot<T>() -> (Sender<T>, Receiver<T>) {
    let drawer = Arc::new(Mutex::new(Drawer { content: Content::Nothing, bell: None }));
    (Sender { drawer: Arc::downgrade(&drawer) }, Receiver { drawer })
}

/// Sends one value to its [`Receiver`]. If it is dropped instead, the receiver learns that nothing comes.
pub struct Sender<T> {
    drawer: Weak<Mutex<Drawer<T>>>,
}

impl<T> Sender<T> {
    /// Sends the value. If the receiver is gone, the value is dropped.
    pub fn send(self, value: T) {
        self.settle(Content::Value(value));
    }

    /// Only the first news count.
    fn settle(&self, news: Content<T>) {
        let Some(shared) = self.drawer.upgrade() else { return };
        let mut drawer = lock(&shared);
        if !matches!(drawer.content, Content::Nothing) {
            return;
        }
        drawer.content = news;
        let bell = drawer.bell.take();
        drop(drawer);
        if let Some(bell) = bell {
            bell.wake();
        }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.settle(Content::Gone);
    }
}

/// A future: the value that its [`Sender`] sends, or `None` if the sender was dropped without.
pub struct Receiver<T> {
    drawer: Arc<Mutex<Drawer<T>>>,
}

impl<T> Future for Receiver<T> {
    type Output = Option<T>;

    /// Ready when the value is there or can't come any more. Until then it is pending, never waits, and remembers the waker of
    /// this poll in the place of earlier ones. That one is woken when the value has come, or can't come any more.
    ///
    /// # Panics
    /// If it was ready before.
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let waker = context.waker().clone();
        let mut drawer = lock(&self.drawer);
        match mem::replace(&mut drawer.content, Content::Taken) {
            Content::Nothing => {
                drawer.content = Content::Nothing;
                let earlier = drawer.bell.replace(waker);
                drop(drawer);
                drop(earlier);
                Poll::Pending
            }
            Content::Value(value) => Poll::Ready(Some(value)),
            Content::Gone => Poll::Ready(None),
            Content::Taken => {
                drop(drawer);
                panic!("this receiver was ready already");
            }
        }
    }
}

// --------------------------------------------------------------------------------------------------------- block_on

/// Has somebody rung, and where to wait for it.
#[derive(Default)]
struct Gong {
    rung: Mutex<bool>,
    sound: Condvar,
}

impl Gong {
    fn wait(&self) {
        let mut rung = lock(&self.rung);
        while !*rung {
            rung = self.sound.wait(rung).unwrap_or_else(PoisonError::into_inner);
        }
        *rung = false;
    }
}

impl Wake for Gong {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        *lock(&self.rung) = true;
        self.sound.notify_one();
    }
}

/// Polls the future on this thread until it is ready. While it is pending, the thread sleeps.
///
/// It polls once, and again only after its waker was woken, at most once for each time. No wake is lost: not one that comes
/// during the poll, nor while the future is in another `block_on`. The poll after a wake sees all that was done before the wake.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let gong = Arc::new(Gong::default());
    let waker = Waker::from(Arc::clone(&gong));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => gong.wait(),
        }
    }
}

// -------------------------------------------------------------------------------------------------------- executor

type Job = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A task's place, and which of the tasks that have been there it is.
#[derive(Clone, Copy)]
struct Key {
    index: usize,
    generation: u64,
}

struct Slot {
    generation: u64,
    queued: bool,
    /// Not there while it is polled, and when nobody lives here.
    job: Option<Job>,
}

#[derive(Default)]
struct Board {
    slots: Vec<Slot>,
    free: Vec<usize>,
    ready: VecDeque<Key>,
    alive: usize,
}

impl Board {
    fn enqueue(&mut self, key: Key) {
        let slot = &mut self.slots[key.index];
        if slot.generation == key.generation && !slot.queued {
            slot.queued = true;
            self.ready.push_back(key);
        }
    }

    fn settle_in(&mut self, job: Job) {
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot { generation: 0, queued: false, job: None });
            self.slots.len() - 1
        });
        self.alive += 1;
        self.slots[index].job = Some(job);
        let generation = self.slots[index].generation;
        self.enqueue(Key { index, generation });
    }

    fn move_out(&mut self, key: Key) {
        let slot = &mut self.slots[key.index];
        slot.generation += 1;
        slot.queued = false;
        self.free.push(key.index);
        self.alive -= 1;
    }
}

#[derive(Default)]
struct Kitchen {
    board: Mutex<Board>,
    news: Condvar,
}

impl Kitchen {
    /// Whose turn it is. `None` if nobody lives here any more.
    fn next(&self) -> Option<(Key, Job)> {
        let mut board = lock(&self.board);
        loop {
            while let Some(key) = board.ready.pop_front() {
                let slot = &mut board.slots[key.index];
                if slot.generation != key.generation {
                    continue;
                }
                slot.queued = false;
                if let Some(job) = slot.job.take() {
                    return Some((key, job));
                }
            }
            if board.alive == 0 {
                return None;
            }
            board = self.news.wait(board).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// The waker of a task.
struct Bell {
    kitchen: Arc<Kitchen>,
    key: Key,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        lock(&self.kitchen.board).enqueue(self.key);
        self.kitchen.news.notify_one();
    }
}

thread_local! {
    /// The kitchen whose tasks run on this thread just now.
    static CURRENT: RefCell<Option<Arc<Kitchen>>> = const { RefCell::new(None) };
}

/// Puts back what was current before.
struct Entered {
    before: Option<Arc<Kitchen>>,
}

impl Entered {
    fn new(kitchen: &Arc<Kitchen>) -> Entered {
        Entered { before: CURRENT.with(|current| current.borrow_mut().replace(Arc::clone(kitchen))) }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        let before = self.before.take();
        let _ours = CURRENT.with(|current| mem::replace(&mut *current.borrow_mut(), before));
    }
}

/// An executor without a task, and a spawner for it.
pub fn executor() -> (Executor, Spawner) {
    let kitchen = Arc::new(Kitchen::default());
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
        let _entered = Entered::new(&self.kitchen);
        while let Some((key, mut job)) = self.kitchen.next() {
            let waker = Waker::from(Arc::new(Bell { kitchen: Arc::clone(&self.kitchen), key }));
            let polled = panic::catch_unwind(AssertUnwindSafe(|| job.as_mut().poll(&mut Context::from_waker(&waker))));
            if matches!(polled, Ok(Poll::Pending)) {
                lock(&self.kitchen.board).slots[key.index].job = Some(job);
                continue;
            }
            // What it owns goes first, and may still spawn and wake.
            drop(job);
            drop(polled);
            lock(&self.kitchen.board).move_out(key);
        }
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        // Nobody will cook these any more. They may know wakers that know the kitchen, so they are thrown away here.
        let jobs: Vec<Option<Job>> = {
            let mut board = lock(&self.kitchen.board);
            board.slots.iter_mut().map(|slot| slot.job.take()).collect()
        };
        drop(jobs);
    }
}

impl Spawner {
    /// Makes the future a task, and returns at once. The task does nothing until the executor runs.
    ///
    /// The receiver gets what the future gives, or `None` if it panics. Whether anybody receives it changes nothing for the task.
    pub fn spawn<T: Send + 'static>(&self, future: impl Future<Output = T> + Send + 'static) -> Receiver<T> {
        let (sender, receiver) = oneshot();
        let job: Job = Box::pin(async move { sender.send(future.await) });
        match CURRENT.with(|current| current.borrow().clone()) {
            // We are in a task: its thread is awake, and need not be told.
            Some(kitchen) => lock(&kitchen.board).settle_in(job),
            None => {
                lock(&self.kitchen.board).settle_in(job);
                self.kitchen.news.notify_one();
            }
        }
        receiver
    }
}
