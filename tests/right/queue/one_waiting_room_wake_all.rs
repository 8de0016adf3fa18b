//! accepted
//!
//! One condition variable for everything, and every change wakes everybody. Each of them looks whether it concerns him. More
//! wakeups than needed, but none too few. In the pipeline, threads are spawned in another order and nothing is cloned twice.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam::channel::{self, Receiver, Sender};

pub struct Queue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    items: VecDeque<T>,
    capacity: usize,
    put: u64,
    done: u64,
    open: bool,
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
        let capacity = capacity.get();
        let state = State { items: VecDeque::with_capacity(capacity), capacity, put: 0, done: 0, open: true };
        Queue { state: Mutex::new(state), changed: Condvar::new() }
    }

    pub fn put(&self, item: T) -> Result<(), PutError<T>> {
        let mut item = item;
        let mut state = self.state.lock().unwrap();
        loop {
            match state.put(item) {
                Err(PutError::Full(back)) => item = back,
                outcome => return self.tell(state, outcome),
            }
            state = self.changed.wait(state).unwrap();
        }
    }

    pub fn try_put(&self, item: T) -> Result<(), PutError<T>> {
        let mut state = self.state.lock().unwrap();
        let outcome = state.put(item);
        self.tell(state, outcome)
    }

    pub fn get(&self) -> Result<T, GetError> {
        let mut state = self.state.lock().unwrap();
        loop {
            match state.get() {
                Err(GetError::Empty) => state = self.changed.wait(state).unwrap(),
                outcome => return self.tell(state, outcome),
            }
        }
    }

    pub fn try_get(&self) -> Result<T, GetError> {
        let mut state = self.state.lock().unwrap();
        let outcome = state.get();
        self.tell(state, outcome)
    }

    pub fn get_timeout(&self, limit: Duration) -> Result<T, GetError> {
        let start = Instant::now();
        let mut state = self.state.lock().unwrap();
        loop {
            let outcome = state.get();
            let left = limit.saturating_sub(start.elapsed());
            if !matches!(outcome, Err(GetError::Empty)) || left.is_zero() {
                return self.tell(state, outcome);
            }
            state = self.changed.wait_timeout(state, left).unwrap().0;
        }
    }

    pub fn close(&self) {
        let mut state = self.state.lock().unwrap();
        state.open = false;
        self.tell(state, ())
    }

    pub fn task_done(&self) {
        let mut state = self.state.lock().unwrap();
        let too_many = state.done == state.put;
        if !too_many {
            state.done += 1;
        }
        self.tell(state, ());
        assert!(!too_many, "every item is done already");
    }

    pub fn join(&self) {
        let mut state = self.state.lock().unwrap();
        while state.done < state.put {
            state = self.changed.wait(state).unwrap();
        }
    }

    /// Unlocks first, then wakes everybody.
    fn tell<R>(&self, state: MutexGuard<'_, State<T>>, outcome: R) -> R {
        drop(state);
        self.changed.notify_all();
        outcome
    }
}

impl<T> State<T> {
    fn put(&mut self, item: T) -> Result<(), PutError<T>> {
        if !self.open {
            return Err(PutError::Closed(item));
        }
        if self.items.len() >= self.capacity {
            return Err(PutError::Full(item));
        }
        self.items.push_back(item);
        self.put += 1;
        Ok(())
    }

    fn get(&mut self) -> Result<T, GetError> {
        self.items.pop_front().ok_or(if self.open { GetError::Empty } else { GetError::Closed })
    }
}

pub fn pipeline<T: Send, R: Send>(
    source: impl Iterator<Item = T> + Send,
    workers: NonZeroUsize,
    capacity: NonZeroUsize,
    work: impl Fn(T) -> R + Sync,
    mut collect: impl FnMut(R) -> ControlFlow<()>,
) {
    let work = &work;
    thread::scope(|scope| {
        let results = {
            let (result_sender, results) = channel::bounded(capacity.get());
            let (task_sender, tasks) = channel::bounded(capacity.get());
            for _ in 1..workers.get() {
                let (tasks, result_sender) = (tasks.clone(), result_sender.clone());
                scope.spawn(move || work_on(tasks, result_sender, work));
            }
            // The last worker gets the originals.
            scope.spawn(move || work_on(tasks, result_sender, work));
            scope.spawn(move || {
                let mut source = source;
                source.try_for_each(|item| task_sender.send(item)).ok();
            });
            results
        };
        let _ = results.iter().try_for_each(&mut collect);
        drop(results);
    });
}

fn work_on<T, R>(tasks: Receiver<T>, results: Sender<R>, work: &impl Fn(T) -> R) {
    while let Ok(item) = tasks.recv() {
        if results.send(work(item)).is_err() {
            break;
        }
    }
}
