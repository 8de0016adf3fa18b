//! rejected: deadlock
//! by: every_item_reaches_one_of_several_consumers
//!
//! The flag has a lock of its own, and who waits keeps it: `wait` gives back only the lock that it was given. Nobody who could
//! wake the sleeper gets past the other lock.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam::channel;

pub struct Queue<T> {
    capacity: NonZeroUsize,
    state: Mutex<State<T>>,
    closed: Mutex<bool>,
    not_empty: Condvar,
    not_full: Condvar,
    all_done: Condvar,
}

struct State<T> {
    items: VecDeque<T>,
    unfinished: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutError<T> {
    Full(T),
    Closed(T),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GetError {
    Empty,
    Closed,
}

impl<T> Queue<T> {
    pub fn bounded(capacity: NonZeroUsize) -> Queue<T> {
        Queue {
            capacity,
            state: Mutex::new(State { items: VecDeque::new(), unfinished: 0 }),
            closed: Mutex::new(false),
            not_empty: Condvar::new(),
            not_full: Condvar::new(),
            all_done: Condvar::new(),
        }
    }

    pub fn put(&self, item: T) -> Result<(), PutError<T>> {
        let closed = self.closed.lock().unwrap();
        let mut state = self.lock();
        while !*closed && state.items.len() == self.capacity.get() {
            state = self.not_full.wait(state).unwrap();
        }
        self.push(state, *closed, item)
    }

    pub fn try_put(&self, item: T) -> Result<(), PutError<T>> {
        let closed = self.closed.lock().unwrap();
        let state = self.lock();
        if !*closed && state.items.len() == self.capacity.get() {
            return Err(PutError::Full(item));
        }
        self.push(state, *closed, item)
    }

    fn push(&self, mut state: MutexGuard<'_, State<T>>, closed: bool, item: T) -> Result<(), PutError<T>> {
        if closed {
            return Err(PutError::Closed(item));
        }
        state.items.push_back(item);
        state.unfinished += 1;
        self.not_empty.notify_one();
        Ok(())
    }

    pub fn get(&self) -> Result<T, GetError> {
        let closed = self.closed.lock().unwrap();
        let mut state = self.lock();
        while !*closed && state.items.is_empty() {
            state = self.not_empty.wait(state).unwrap();
        }
        self.pop(state, *closed)
    }

    pub fn try_get(&self) -> Result<T, GetError> {
        let closed = self.closed.lock().unwrap();
        self.pop(self.lock(), *closed)
    }

    pub fn get_timeout(&self, limit: Duration) -> Result<T, GetError> {
        let end = Instant::now() + limit;
        let closed = self.closed.lock().unwrap();
        let mut state = self.lock();
        while !*closed && state.items.is_empty() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(GetError::Empty);
            }
            state = self.not_empty.wait_timeout(state, left).unwrap().0;
        }
        self.pop(state, *closed)
    }

    fn pop(&self, mut state: MutexGuard<'_, State<T>>, closed: bool) -> Result<T, GetError> {
        match state.items.pop_front() {
            Some(item) => {
                self.not_full.notify_one();
                Ok(item)
            }
            None if closed => Err(GetError::Closed),
            None => Err(GetError::Empty),
        }
    }

    pub fn close(&self) {
        *self.closed.lock().unwrap() = true;
        self.not_empty.notify_all();
        self.not_full.notify_all();
    }

    pub fn task_done(&self) {
        let mut state = self.lock();
        if state.unfinished == 0 {
            drop(state);
            panic!("more tasks done than items put in");
        }
        state.unfinished -= 1;
        if state.unfinished == 0 {
            self.all_done.notify_all();
        }
    }

    pub fn join(&self) {
        let mut state = self.lock();
        while state.unfinished > 0 {
            state = self.all_done.wait(state).unwrap();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap()
    }
}

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
        scope.spawn(move || {
            for item in source {
                if task_sender.send(item).is_err() {
                    return;
                }
            }
        });
        for _ in 0..workers.get() {
            let (task_receiver, result_sender, work) = (task_receiver.clone(), result_sender.clone(), &work);
            scope.spawn(move || {
                for item in task_receiver {
                    if result_sender.send(work(item)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(task_receiver);
        drop(result_sender);
        for result in result_receiver {
            if collect(result).is_break() {
                return;
            }
        }
    });
}
