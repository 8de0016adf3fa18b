//! A bounded blocking queue by hand, and a pipeline on channels.
//!
//! The queue is a monitor: one lock around all of its state, and a condition variable for each thing that somebody may wait
//! for. Everything else follows from two rules. Who waits checks again when woken, for a wakeup is only a hint. Who changes
//! the state wakes those who can use the change, and no fewer.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam::channel;

/// A queue for many producers and many consumers, first in, first out. Threads share it by reference.
///
/// It has room for a fixed number of items. The type of the capacity rules out a queue without any room.
#[derive(Debug)]
pub struct Queue<T> {
    /// Never changes, so it needs no lock.
    capacity: NonZeroUsize,
    state: Mutex<State<T>>,
    // Three conditions, three waiting rooms. In a common room, `notify_one` could wake a producer where a consumer was
    // needed, and the one wakeup would be spent on somebody who goes back to sleep.
    /// Where consumers wait: an item came, or the queue was closed.
    not_empty: Condvar,
    /// Where producers wait: an item left, or the queue was closed.
    not_full: Condvar,
    /// Where `join` waits: the last unfinished item is done.
    all_done: Condvar,
}

/// All that changes, together under one lock: `closed` beside the items, for example, because a thread that has just seen an
/// open queue must not fall asleep *after* the wakeups of `close`.
#[derive(Debug)]
struct State<T> {
    items: VecDeque<T>,
    /// Items that were put in and whose work is not done: those in the queue, and those in the hands of consumers.
    unfinished: usize,
    closed: bool,
}

/// Why an item was not put into the queue. The item comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutError<T> {
    /// There is no room.
    Full(T),
    /// The queue is closed.
    Closed(T),
}

/// Why no item came out of the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GetError {
    /// There is no item.
    Empty,
    /// The queue is closed, and nothing is left in it.
    Closed,
}

impl<T> Queue<T> {
    /// An empty queue with room for `capacity` items.
    pub fn bounded(capacity: NonZeroUsize) -> Queue<T> {
        Queue {
            capacity,
            state: Mutex::new(State { items: VecDeque::new(), unfinished: 0, closed: false }),
            not_empty: Condvar::new(),
            not_full: Condvar::new(),
            all_done: Condvar::new(),
        }
    }

    /// Puts an item in. Waits for room as long as it takes, unless the queue is closed.
    ///
    /// # Errors
    /// [`PutError::Closed`] if the queue is closed before there was room. Never [`PutError::Full`].
    pub fn put(&self, item: T) -> Result<(), PutError<T>> {
        let mut state = self.lock();
        // `while`, not `if`: between the wakeup and this thread's turn at the lock, another producer may have taken the room.
        // Besides, a wait may end without any wakeup.
        while !state.closed && self.is_full(&state) {
            state = self.not_full.wait(state).expect(UNBROKEN);
        }
        self.push(&mut state, item)
    }

    /// Puts an item in if there is room now.
    ///
    /// # Errors
    /// [`PutError::Closed`] if the queue is closed, else [`PutError::Full`] if there is no room.
    pub fn try_put(&self, item: T) -> Result<(), PutError<T>> {
        let mut state = self.lock();
        self.push(&mut state, item)
    }

    /// Takes the oldest item out. Waits for one as long as it takes, unless the queue is closed.
    ///
    /// # Errors
    /// [`GetError::Closed`] if the queue is closed and nothing is left in it. Never [`GetError::Empty`].
    pub fn get(&self) -> Result<T, GetError> {
        let mut state = self.lock();
        while !state.closed && state.items.is_empty() {
            state = self.not_empty.wait(state).expect(UNBROKEN);
        }
        self.pop(&mut state)
    }

    /// Takes the oldest item out if there is one now.
    ///
    /// # Errors
    /// [`GetError::Empty`] if there is none; [`GetError::Closed`] if there never will be one.
    pub fn try_get(&self) -> Result<T, GetError> {
        let mut state = self.lock();
        self.pop(&mut state)
    }

    /// Like [`get`](Queue::get), but waits for `limit` at most.
    ///
    /// # Errors
    /// [`GetError::Empty`] if the time is up; [`GetError::Closed`] as for `get`.
    pub fn get_timeout(&self, limit: Duration) -> Result<T, GetError> {
        // The end is fixed once. A wait of `limit` in each round would start anew with every wakeup that brings nothing.
        let end = Instant::now() + limit;
        let mut state = self.lock();
        while !state.closed && state.items.is_empty() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            // Whether this timed out does not matter: an item that came in the last moment is still an item.
            (state, _) = self.not_empty.wait_timeout(state, left).expect(UNBROKEN);
        }
        self.pop(&mut state)
    }

    /// Closes the queue: nothing goes in any more, what is left still comes out. Who waits for room, or for an item that
    /// never comes, is woken.
    pub fn close(&self) {
        self.lock().closed = true;
        // Everybody must learn of it, so one wakeup is not enough. `join` does not care: items that are left still count.
        self.not_empty.notify_all();
        self.not_full.notify_all();
    }

    /// Says that the work on one item is done. Who takes an item out calls it once, afterwards.
    ///
    /// # Panics
    /// If it was called for every item already. The queue can still be used.
    pub fn task_done(&self) {
        let mut state = self.lock();
        let Some(unfinished) = state.unfinished.checked_sub(1) else {
            // A panic under the lock would poison it, and every other thread with it.
            drop(state);
            panic!("task_done was called more often than items were put in");
        };
        state.unfinished = unfinished;
        if unfinished == 0 {
            self.all_done.notify_all();
        }
    }

    /// Waits until `task_done` was called for every item that was put in. If there was none, it returns at once.
    pub fn join(&self) {
        // The same loop as in `put`, as a method of the condition variable: wait *while* this holds.
        let state = self.all_done.wait_while(self.lock(), |state| state.unfinished > 0).expect(UNBROKEN);
        drop(state);
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().expect(UNBROKEN)
    }

    fn is_full(&self, state: &State<T>) -> bool {
        state.items.len() >= self.capacity.get()
    }

    /// The part of `put` and `try_put` that does not wait.
    fn push(&self, state: &mut State<T>, item: T) -> Result<(), PutError<T>> {
        if state.closed {
            return Err(PutError::Closed(item));
        }
        if self.is_full(state) {
            return Err(PutError::Full(item));
        }
        state.items.push_back(item);
        // Counted here and not when it is taken out: else `join` could return while the item is still in the queue.
        state.unfinished += 1;
        // One item feeds one consumer, and only consumers wait here, so one wakeup is enough.
        self.not_empty.notify_one();
        Ok(())
    }

    /// The part of the three ways to get that does not wait.
    fn pop(&self, state: &mut State<T>) -> Result<T, GetError> {
        match state.items.pop_front() {
            Some(item) => {
                self.not_full.notify_one();
                Ok(item)
            }
            // Only now does `closed` count: what is left still comes out.
            None if state.closed => Err(GetError::Closed),
            None => Err(GetError::Empty),
        }
    }
}

/// A lock is poisoned when a thread panics while it holds it. No code here panics under the lock.
const UNBROKEN: &str = "nothing panics while it holds the queue's lock";

/// Takes items from `source`, lets `workers` threads `work` on them, and hands each result to `collect`, in no special order.
///
/// The source is read on a thread of its own, the results are collected on the caller's. Between source and workers, and
/// between workers and collector, is a channel with room for `capacity` items, so that a slow stage holds back those before
/// it. Ends when all results are collected, or early, when `collect` breaks: then the source is read no further.
///
/// Nothing here closes a channel or counts its users. A channel ends by itself when one of its sides is gone, so all that
/// matters is who owns which end, and until when.
pub fn pipeline<T: Send, R: Send>(
    source: impl Iterator<Item = T> + Send,
    workers: NonZeroUsize,
    capacity: NonZeroUsize,
    work: impl Fn(T) -> R + Sync,
    mut collect: impl FnMut(R) -> ControlFlow<()>,
) {
    let (task_sender, task_receiver) = channel::bounded(capacity.get());
    let (result_sender, result_receiver) = channel::bounded(capacity.get());
    thread::scope(|scope| {
        // `move`: the producer owns the only sender of tasks. When it is done, the workers' loops end.
        scope.spawn(move || {
            for item in source {
                // An error says that no worker is left. That is no failure: nobody wants more items.
                if task_sender.send(item).is_err() {
                    break;
                }
            }
        });
        for _ in 0..workers.get() {
            // Each worker owns a clone of both ends. This is what `std::sync::mpsc` can't do: its receiver has no clone.
            let (task_receiver, result_sender) = (task_receiver.clone(), result_sender.clone());
            let work = &work;
            scope.spawn(move || {
                for item in task_receiver {
                    if result_sender.send(work(item)).is_err() {
                        break;
                    }
                }
            });
        }
        // The clones are handed out. If these two stayed alive, the loop below would wait for results from this very thread,
        // and a producer whose workers have gone would wait for room in a channel that nobody reads.
        drop((task_receiver, result_sender));
        // Ends when the last worker has dropped its sender. The loop owns the receiver: after a `break` it is gone, the
        // workers' next send fails, they end, and so does the producer.
        for result in result_receiver {
            if collect(result).is_break() {
                break;
            }
        }
    });
}
