//! rejected: lost-wakeup
//! by: get_timeout_gives_up_when_its_time_is_up
//!
//! Breaks "every item lets one of those go on who wait for it": A waits in get, behind it B and C in get_timeout, behind them D in get. B
//! and C give up. Two items are put: A takes the first, D never the second, since the turn is stuck at C's ticket. Later gets hang as well.
//! Those who wait for an item have tickets and take turns. Tickets of those who gave up are skipped, but not two of them in a row.

use std::collections::{BTreeSet, VecDeque};
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam::channel;

/// A queue for many producers and many consumers, first in, first out. Threads share it by reference.
///
/// It has room for a fixed number of items. The type of the capacity rules out a queue without any room.
#[derive(Debug)]
pub struct Queue<T> {
    capacity: usize,
    hall: Mutex<Hall<T>>,
    turn_or_item: Condvar,
    room: Condvar,
    done: Condvar,
}

#[derive(Debug)]
struct Hall<T> {
    items: VecDeque<T>,
    closed: bool,
    unfinished: usize,
    /// The next ticket that is given out.
    next: u64,
    /// Whose turn it is, or the next ticket if nobody waits.
    turn: u64,
    /// Tickets after the turn whose holders have left.
    gone: BTreeSet<u64>,
}

impl<T> Hall<T> {
    fn draw_ticket(&mut self) -> u64 {
        let ticket = self.next;
        self.next += 1;
        ticket
    }

    fn nobody_waits(&self) -> bool {
        self.turn == self.next
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
            capacity: capacity.get(),
            hall: Mutex::new(Hall {
                items: VecDeque::new(),
                closed: false,
                unfinished: 0,
                next: 0,
                turn: 0,
                gone: BTreeSet::new(),
            }),
            turn_or_item: Condvar::new(),
            room: Condvar::new(),
            done: Condvar::new(),
        }
    }

    fn push(&self, hall: &mut Hall<T>, item: T) {
        hall.items.push_back(item);
        hall.unfinished += 1;
        self.turn_or_item.notify_all();
    }

    fn pop(&self, hall: &mut Hall<T>) -> Result<T, GetError> {
        match hall.items.pop_front() {
            Some(item) => {
                self.room.notify_one();
                Ok(item)
            }
            None if hall.closed => Err(GetError::Closed),
            None => Err(GetError::Empty),
        }
    }

    /// The holder of a ticket leaves, with an item or without.
    fn leave(&self, hall: &mut Hall<T>, ticket: u64) {
        if ticket != hall.turn {
            hall.gone.insert(ticket);
            return;
        }
        hall.turn += 1;
        if hall.gone.remove(&hall.turn) {
            hall.turn += 1;
        }
        self.turn_or_item.notify_all();
    }

    /// Puts an item in. Waits for room as long as it takes, unless the queue is closed.
    ///
    /// # Errors
    /// [`PutError::Closed`] if the queue is closed before there was room. Never [`PutError::Full`].
    pub fn put(&self, item: T) -> Result<(), PutError<T>> {
        let mut hall = self.hall.lock().unwrap();
        while hall.items.len() == self.capacity && !hall.closed {
            hall = self.room.wait(hall).unwrap();
        }
        if hall.closed {
            return Err(PutError::Closed(item));
        }
        self.push(&mut hall, item);
        Ok(())
    }

    /// Puts an item in if there is room now.
    ///
    /// # Errors
    /// [`PutError::Closed`] if the queue is closed, else [`PutError::Full`] if there is no room.
    pub fn try_put(&self, item: T) -> Result<(), PutError<T>> {
        let mut hall = self.hall.lock().unwrap();
        if hall.closed {
            return Err(PutError::Closed(item));
        }
        if hall.items.len() == self.capacity {
            return Err(PutError::Full(item));
        }
        self.push(&mut hall, item);
        Ok(())
    }

    /// Takes the oldest item out. Waits for one as long as it takes, unless the queue is closed.
    ///
    /// # Errors
    /// [`GetError::Closed`] if the queue is closed and nothing is left in it. Never [`GetError::Empty`].
    pub fn get(&self) -> Result<T, GetError> {
        self.get_by(None)
    }

    /// Takes the oldest item out if there is one now.
    ///
    /// # Errors
    /// [`GetError::Empty`] if there is none; [`GetError::Closed`] if there never will be one.
    pub fn try_get(&self) -> Result<T, GetError> {
        let mut hall = self.hall.lock().unwrap();
        self.pop(&mut hall)
    }

    /// Like [`get`](Queue::get), but waits for `limit` at most.
    ///
    /// # Errors
    /// [`GetError::Empty`] if the time is up; [`GetError::Closed`] as for `get`.
    pub fn get_timeout(&self, limit: Duration) -> Result<T, GetError> {
        self.get_by(Instant::now().checked_add(limit))
    }

    fn get_by(&self, deadline: Option<Instant>) -> Result<T, GetError> {
        let mut hall = self.hall.lock().unwrap();
        if hall.closed || (hall.nobody_waits() && !hall.items.is_empty()) {
            return self.pop(&mut hall);
        }
        let ticket = hall.draw_ticket();
        loop {
            let my_turn = hall.turn == ticket && !hall.items.is_empty();
            // Who has no time left takes what is there, out of turn. So does everybody when the queue is closed.
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if my_turn || hall.closed || left == Some(Duration::ZERO) {
                self.leave(&mut hall, ticket);
                return self.pop(&mut hall);
            }
            hall = match left {
                None => self.turn_or_item.wait(hall).unwrap(),
                Some(left) => self.turn_or_item.wait_timeout(hall, left).unwrap().0,
            };
        }
    }

    /// Closes the queue: nothing goes in any more, what is left still comes out. Who waits for room, or for an item that
    /// never comes, is woken.
    pub fn close(&self) {
        let mut hall = self.hall.lock().unwrap();
        hall.closed = true;
        self.turn_or_item.notify_all();
        self.room.notify_all();
    }

    /// Says that the work on one item is done. Who takes an item out calls it once, afterwards.
    ///
    /// # Panics
    /// If it was called for every item already. The queue can still be used.
    pub fn task_done(&self) {
        let mut hall = self.hall.lock().unwrap();
        if hall.unfinished == 0 {
            drop(hall);
            panic!("task_done was called for every item already");
        }
        hall.unfinished -= 1;
        if hall.unfinished == 0 {
            self.done.notify_all();
        }
    }

    /// Waits until `task_done` was called for every item that was put in. If there was none, it returns at once.
    pub fn join(&self) {
        let mut hall = self.hall.lock().unwrap();
        while hall.unfinished != 0 {
            hall = self.done.wait(hall).unwrap();
        }
    }
}

/// Takes items from `source`, lets `workers` threads `work` on them, and hands each result to `collect`, in no special order.
///
/// The source is read on a thread of its own, the results are collected on the caller's. Between source and workers, and
/// between workers and collector, is a channel with room for `capacity` items, so that a slow stage holds back those before
/// it. Ends when all results are collected, or early, when `collect` breaks: then the source is read no further.
pub fn pipeline<T: Send, R: Send>(
    source: impl Iterator<Item = T> + Send,
    workers: NonZeroUsize,
    capacity: NonZeroUsize,
    work: impl Fn(T) -> R + Sync,
    mut collect: impl FnMut(R) -> ControlFlow<()>,
) {
    let work = &work;
    thread::scope(|scope| {
        let (task_sender, task_receiver) = channel::bounded(capacity.get());
        let (result_sender, result_receiver) = channel::bounded(capacity.get());
        scope.spawn(move || {
            for item in source {
                if task_sender.send(item).is_err() {
                    break;
                }
            }
        });
        for _ in 0..workers.get() {
            let task_receiver = task_receiver.clone();
            let result_sender = result_sender.clone();
            scope.spawn(move || {
                while let Ok(item) = task_receiver.recv() {
                    let result = work(item);
                    if result_sender.send(result).is_err() {
                        break;
                    }
                }
            });
        }
        drop((task_receiver, result_sender));
        for result in result_receiver {
            if let ControlFlow::Break(()) = collect(result) {
                break;
            }
        }
    });
}
