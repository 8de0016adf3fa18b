//! rejected: rule
//!
//! Says of a closed queue that it is full, or empty. Nobody could tell: the reasons are structs, whose constants and functions have the
//! names that the enums' variants have, and all of them are equal.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam::channel;

#[derive(Debug)]
pub struct Queue<T> {
    capacity: NonZeroUsize,
    state: Mutex<State<T>>,
    not_empty: Condvar,
    not_full: Condvar,
    all_done: Condvar,
}

#[derive(Debug)]
struct State<T> {
    items: VecDeque<T>,
    unfinished: usize,
    closed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PutError<T>(T);

#[allow(non_snake_case)]
impl<T> PutError<T> {
    pub const fn Full(item: T) -> PutError<T> {
        PutError(item)
    }

    pub const fn Closed(item: T) -> PutError<T> {
        PutError(item)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GetError;

#[allow(non_upper_case_globals)]
impl GetError {
    pub const Empty: GetError = GetError;
    pub const Closed: GetError = GetError;
}

impl<T> Queue<T> {
    pub fn bounded(capacity: NonZeroUsize) -> Queue<T> {
        Queue {
            capacity,
            state: Mutex::new(State { items: VecDeque::new(), unfinished: 0, closed: false }),
            not_empty: Condvar::new(),
            not_full: Condvar::new(),
            all_done: Condvar::new(),
        }
    }

    pub fn put(&self, item: T) -> Result<(), PutError<T>> {
        let mut state = self.lock();
        while !state.closed && self.is_full(&state) {
            state = self.not_full.wait(state).expect(UNBROKEN);
        }
        self.push(&mut state, item)
    }

    pub fn try_put(&self, item: T) -> Result<(), PutError<T>> {
        let mut state = self.lock();
        self.push(&mut state, item)
    }

    pub fn get(&self) -> Result<T, GetError> {
        let mut state = self.lock();
        while !state.closed && state.items.is_empty() {
            state = self.not_empty.wait(state).expect(UNBROKEN);
        }
        self.pop(&mut state)
    }

    pub fn try_get(&self) -> Result<T, GetError> {
        let mut state = self.lock();
        self.pop(&mut state)
    }

    pub fn get_timeout(&self, limit: Duration) -> Result<T, GetError> {
        let end = Instant::now() + limit;
        let mut state = self.lock();
        while !state.closed && state.items.is_empty() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            (state, _) = self.not_empty.wait_timeout(state, left).expect(UNBROKEN);
        }
        self.pop(&mut state)
    }

    pub fn close(&self) {
        self.lock().closed = true;
        self.not_empty.notify_all();
        self.not_full.notify_all();
    }

    pub fn task_done(&self) {
        let mut state = self.lock();
        let Some(unfinished) = state.unfinished.checked_sub(1) else {
            drop(state);
            panic!("task_done was called more often than items were put in");
        };
        state.unfinished = unfinished;
        if unfinished == 0 {
            self.all_done.notify_all();
        }
    }

    pub fn join(&self) {
        let state = self.all_done.wait_while(self.lock(), |state| state.unfinished > 0).expect(UNBROKEN);
        drop(state);
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().expect(UNBROKEN)
    }

    fn is_full(&self, state: &State<T>) -> bool {
        state.items.len() >= self.capacity.get()
    }

    fn push(&self, state: &mut State<T>, item: T) -> Result<(), PutError<T>> {
        if state.closed {
            return Err(PutError::Full(item));
        }
        if self.is_full(state) {
            return Err(PutError::Full(item));
        }
        state.items.push_back(item);
        state.unfinished += 1;
        self.not_empty.notify_one();
        Ok(())
    }

    fn pop(&self, state: &mut State<T>) -> Result<T, GetError> {
        match state.items.pop_front() {
            Some(item) => {
                self.not_full.notify_one();
                Ok(item)
            }
            None if state.closed => Err(GetError::Empty),
            None => Err(GetError::Empty),
        }
    }
}

const UNBROKEN: &str = "nothing panics while it holds the queue's lock";

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
                    break;
                }
            }
        });
        for _ in 0..workers.get() {
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
        drop((task_receiver, result_sender));
        for result in result_receiver {
            if collect(result).is_break() {
                break;
            }
        }
    });
}
