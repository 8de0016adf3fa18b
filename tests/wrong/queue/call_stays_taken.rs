//! rejected: lost-wakeup
//! by: get_timeout_gives_up_when_its_time_is_up
//!
//! Breaks "An item that comes at that moment is for it, or for another who waits": who gives up after it was called stays in the list of
//! the called. Shows if `get_timeout` is called for an item just when its limit ends, a `try_get` of a third thread has the item before it,
//! and it gives up: the next item calls nobody, since one seems to be on its way, and a `get` that waits sleeps on beside it. No condition
//! variables: who waits has a ticket in a line, and parks. After every change, as many are called (unparked) as can go on.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use crossbeam::channel;

/// A queue for many producers and many consumers, first in, first out. Threads share it by reference.
///
/// It has room for a fixed number of items.
#[derive(Debug)]
pub struct Queue<T> {
    hall: Mutex<Hall<T>>,
}

#[derive(Debug)]
struct Hall<T> {
    items: VecDeque<T>,
    capacity: usize,
    closed: bool,
    unfinished: usize,
    next_ticket: u64,
    takers: Line,
    putters: Line,
    joiners: Line,
}

/// Threads that wait for the same thing.
#[derive(Debug, Default)]
struct Line {
    sleeping: BTreeMap<u64, Thread>,
    /// Were woken, and have not looked yet.
    called: BTreeSet<u64>,
}

impl Line {
    /// Sees to it that so many have been called, or all.
    fn call(&mut self, wanted: usize) {
        while self.called.len() < wanted {
            let Some((ticket, thread)) = self.sleeping.pop_first() else { break };
            self.called.insert(ticket);
            thread.unpark();
        }
    }

    fn enter(&mut self, ticket: u64) {
        self.called.remove(&ticket);
        self.sleeping.insert(ticket, thread::current());
    }

    fn leave(&mut self, ticket: u64) {
        self.called.remove(&ticket);
        self.sleeping.remove(&ticket);
    }
}

impl<T> Hall<T> {
    fn put(&mut self, item: T) -> Result<(), PutError<T>> {
        if self.closed {
            return Err(PutError::Closed(item));
        }
        if self.items.len() == self.capacity {
            return Err(PutError::Full(item));
        }
        self.items.push_back(item);
        self.unfinished += 1;
        Ok(())
    }

    fn get(&mut self) -> Result<T, GetError> {
        match self.items.pop_front() {
            Some(item) => Ok(item),
            None if self.closed => Err(GetError::Closed),
            None => Err(GetError::Empty),
        }
    }

    /// After every change: as many are called as can go on now.
    fn settle(&mut self) {
        let room = self.capacity - self.items.len();
        self.takers.call(if self.closed { usize::MAX } else { self.items.len() });
        self.putters.call(if self.closed { usize::MAX } else { room });
        self.joiners.call(if self.unfinished == 0 { usize::MAX } else { 0 });
    }
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
            hall: Mutex::new(Hall {
                items: VecDeque::new(),
                capacity: capacity.get(),
                closed: false,
                unfinished: 0,
                next_ticket: 0,
                takers: Line::default(),
                putters: Line::default(),
                joiners: Line::default(),
            }),
        }
    }

    /// Puts an item in. Waits for room as long as it takes, unless the queue is closed.
    pub fn put(&self, item: T) -> Result<(), PutError<T>> {
        let mut item = Some(item);
        let answer = self.wait_for(
            |hall| &mut hall.putters,
            None,
            |hall| match hall.put(item.take().expect("it came back")) {
                Err(PutError::Full(back)) => {
                    item = Some(back);
                    None
                }
                answer => Some(answer),
            },
        );
        answer.expect("without a deadline it waits as long as it takes")
    }

    /// Puts an item in if there is room now.
    pub fn try_put(&self, item: T) -> Result<(), PutError<T>> {
        let mut hall = self.hall();
        let answer = hall.put(item);
        hall.settle();
        answer
    }

    /// Takes the oldest item out. Waits for one as long as it takes, unless the queue is closed.
    pub fn get(&self) -> Result<T, GetError> {
        self.get_until(None)
    }

    /// Takes the oldest item out if there is one now.
    pub fn try_get(&self) -> Result<T, GetError> {
        let mut hall = self.hall();
        let answer = hall.get();
        hall.settle();
        answer
    }

    /// Like [`get`](Queue::get), but waits for `limit` at most.
    pub fn get_timeout(&self, limit: Duration) -> Result<T, GetError> {
        self.get_until(Instant::now().checked_add(limit))
    }

    /// Closes the queue: nothing goes in any more, what is left still comes out. Who waits for either is woken.
    pub fn close(&self) {
        let mut hall = self.hall();
        hall.closed = true;
        hall.settle();
    }

    /// Says that the work on one item is done.
    ///
    /// # Panics
    /// If it was called for every item already. The queue can still be used.
    pub fn task_done(&self) {
        let mut hall = self.hall();
        if hall.unfinished == 0 {
            drop(hall);
            panic!("task_done was called more often than there were items");
        }
        hall.unfinished -= 1;
        hall.settle();
    }

    /// Waits until `task_done` was called for every item that was put in.
    pub fn join(&self) {
        self.wait_for(|hall| &mut hall.joiners, None, |hall| (hall.unfinished == 0).then_some(()));
    }

    fn get_until(&self, deadline: Option<Instant>) -> Result<T, GetError> {
        let answer = self.wait_for(
            |hall| &mut hall.takers,
            deadline,
            |hall| match hall.get() {
                Err(GetError::Empty) => None,
                answer => Some(answer),
            },
        );
        answer.unwrap_or(Err(GetError::Empty))
    }

    /// Attempts it again and again, whenever it is called, until there is an answer or the time is up.
    fn wait_for<A>(
        &self,
        line: fn(&mut Hall<T>) -> &mut Line,
        deadline: Option<Instant>,
        mut attempt: impl FnMut(&mut Hall<T>) -> Option<A>,
    ) -> Option<A> {
        let mut hall = self.hall();
        let ticket = hall.next_ticket;
        hall.next_ticket += 1;
        loop {
            if let Some(answer) = attempt(&mut *hall) {
                line(&mut *hall).leave(ticket);
                hall.settle();
                return Some(answer);
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                // It is not waiting any more.
                line(&mut *hall).sleeping.remove(&ticket);
                hall.settle();
                return None;
            }
            line(&mut *hall).enter(ticket);
            drop(hall);
            match left {
                None => thread::park(),
                Some(left) => thread::park_timeout(left),
            }
            hall = self.hall();
        }
    }

    fn hall(&self) -> MutexGuard<'_, Hall<T>> {
        self.hall.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes items from `source`, lets `workers` threads `work` on them, and hands each result to `collect`, in no special order.
///
/// The source is read on a thread of its own, the results are collected on the caller's. Between source and workers, and
/// between workers and collector, is a channel with room for `capacity` items. Ends when all results are collected, or early,
/// when `collect` breaks: then the source is read no further.
pub fn pipeline<T: Send, R: Send>(
    source: impl Iterator<Item = T> + Send,
    workers: NonZeroUsize,
    capacity: NonZeroUsize,
    work: impl Fn(T) -> R + Sync,
    mut collect: impl FnMut(R) -> ControlFlow<()>,
) {
    let work = &work;
    thread::scope(|scope| {
        let (task_sender, tasks) = channel::bounded(capacity.get());
        let (result_sender, results) = channel::bounded(capacity.get());
        scope.spawn(move || {
            for item in source {
                if task_sender.send(item).is_err() {
                    break;
                }
            }
        });
        for _ in 0..workers.get() {
            let (tasks, result_sender) = (tasks.clone(), result_sender.clone());
            scope.spawn(move || {
                for item in tasks {
                    if result_sender.send(work(item)).is_err() {
                        break;
                    }
                }
            });
        }
        drop((tasks, result_sender));
        for result in results {
            if collect(result).is_break() {
                break;
            }
        }
    });
}
