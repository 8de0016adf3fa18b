//! rejected: lost-wakeup
//! by: get_timeout_gives_up_when_its_time_is_up
//!
//! A put wakes somebody only if some are counted as asleep, and counts one off. Whoever is at its limit counts itself off. Shows if an item comes
//! at the limit of A and a third one takes it out, B begins to wait, and then A counts itself off a second time: B sleeps beside the next
//! item.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam::channel::bounded;

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

#[derive(Debug)]
struct State<T> {
    items: VecDeque<T>,
    closed: bool,
    unfinished: usize,
    /// How many getters sleep and nobody has woken yet.
    hungry: usize,
}

#[derive(Debug)]
pub struct Queue<T> {
    state: Mutex<State<T>>,
    capacity: usize,
    item: Condvar,
    room: Condvar,
    all_done: Condvar,
}

impl<T> Queue<T> {
    pub fn bounded(capacity: NonZeroUsize) -> Queue<T> {
        Queue {
            state: Mutex::new(State { items: VecDeque::new(), closed: false, unfinished: 0, hungry: 0 }),
            capacity: capacity.get(),
            item: Condvar::new(),
            room: Condvar::new(),
            all_done: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, state: &mut State<T>) -> Option<T> {
        let item = state.items.pop_front()?;
        self.room.notify_one();
        Some(item)
    }

    fn feed_one(&self, state: &mut State<T>) {
        if state.hungry > 0 {
            state.hungry -= 1;
            self.item.notify_one();
        }
    }

    pub fn put(&self, item: T) -> Result<(), PutError<T>> {
        let mut state = self.lock();
        while state.items.len() >= self.capacity && !state.closed {
            state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.closed {
            return Err(PutError::Closed(item));
        }
        state.items.push_back(item);
        state.unfinished += 1;
        self.feed_one(&mut state);
        Ok(())
    }

    pub fn try_put(&self, item: T) -> Result<(), PutError<T>> {
        let mut state = self.lock();
        if state.closed {
            return Err(PutError::Closed(item));
        }
        if state.items.len() >= self.capacity {
            return Err(PutError::Full(item));
        }
        state.items.push_back(item);
        state.unfinished += 1;
        self.feed_one(&mut state);
        Ok(())
    }

    pub fn get(&self) -> Result<T, GetError> {
        let mut state = self.lock();
        loop {
            if let Some(item) = self.take(&mut state) {
                return Ok(item);
            }
            if state.closed {
                return Err(GetError::Closed);
            }
            state.hungry += 1;
            state = self.item.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub fn try_get(&self) -> Result<T, GetError> {
        let mut state = self.lock();
        let closed = state.closed;
        self.take(&mut state).ok_or(if closed { GetError::Closed } else { GetError::Empty })
    }

    pub fn get_timeout(&self, limit: Duration) -> Result<T, GetError> {
        let deadline = Instant::now().checked_add(limit);
        let mut state = self.lock();
        loop {
            if let Some(item) = self.take(&mut state) {
                return Ok(item);
            }
            if state.closed {
                return Err(GetError::Closed);
            }
            let left = match deadline {
                None => Duration::MAX,
                Some(deadline) => deadline.saturating_duration_since(Instant::now()),
            };
            if left.is_zero() {
                return Err(GetError::Empty);
            }
            state.hungry += 1;
            let (again, result) = self.item.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner);
            state = again;
            if result.timed_out() {
                // Nobody has woken this one, it did so itself.
                state.hungry = state.hungry.saturating_sub(1);
            }
        }
    }

    pub fn close(&self) {
        self.lock().closed = true;
        self.item.notify_all();
        self.room.notify_all();
    }

    pub fn task_done(&self) {
        let mut state = self.lock();
        if state.unfinished == 0 {
            drop(state);
            panic!("task_done was called for every item already");
        }
        state.unfinished -= 1;
        if state.unfinished == 0 {
            self.all_done.notify_all();
        }
    }

    pub fn join(&self) {
        let mut state = self.lock();
        while state.unfinished > 0 {
            state = self.all_done.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

pub fn pipeline<T: Send, R: Send>(
    source: impl Iterator<Item = T> + Send,
    workers: NonZeroUsize,
    capacity: NonZeroUsize,
    work: impl Fn(T) -> R + Sync,
    mut collect: impl FnMut(R) -> ControlFlow<()>,
) {
    let (task_in, task_out) = bounded::<T>(capacity.get());
    let (result_in, result_out) = bounded::<R>(capacity.get());
    let work = &work;
    let crew = workers.get();
    thread::scope(|scope| {
        scope.spawn(move || {
            for task in source {
                if task_in.send(task).is_err() {
                    break;
                }
            }
        });
        for _ in 0..crew {
            let (tasks, results) = (task_out.clone(), result_in.clone());
            scope.spawn(move || {
                for task in tasks {
                    if results.send(work(task)).is_err() {
                        break;
                    }
                }
            });
        }
        drop((task_out, result_in));
        for result in result_out {
            if collect(result).is_break() {
                break;
            }
        }
    });
}
