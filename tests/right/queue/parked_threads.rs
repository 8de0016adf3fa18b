//! accepted
//!
//! No condition variable at all: who waits writes himself into a list under the lock and parks. Every change wakes the whole list.
//! A thread that is unparked before it parks does not sleep, so nothing can be missed between the two.

use std::collections::VecDeque;
use std::mem;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use crossbeam::channel::bounded;

pub struct Queue<T> {
    state: Mutex<State<T>>,
}

struct State<T> {
    items: VecDeque<T>,
    free: usize,
    unfinished: usize,
    closed: bool,
    sleepers: Vec<Thread>,
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
            state: Mutex::new(State {
                items: VecDeque::new(),
                free: capacity.get(),
                unfinished: 0,
                closed: false,
                sleepers: Vec::new(),
            }),
        }
    }

    pub fn put(&self, item: T) -> Result<(), PutError<T>> {
        let mut item = Some(item);
        self.until(None, |state| match state.put(item.take()?) {
            Err(PutError::Full(back)) => {
                item = Some(back);
                None
            }
            outcome => Some(outcome),
        })
        .expect("without a limit there is no giving up")
    }

    pub fn try_put(&self, item: T) -> Result<(), PutError<T>> {
        self.change(|state| state.put(item))
    }

    pub fn get(&self) -> Result<T, GetError> {
        self.until(None, State::get_or_wait).expect("without a limit there is no giving up")
    }

    pub fn try_get(&self) -> Result<T, GetError> {
        self.change(State::get)
    }

    pub fn get_timeout(&self, limit: Duration) -> Result<T, GetError> {
        self.until(Some(Instant::now() + limit), State::get_or_wait).unwrap_or(Err(GetError::Empty))
    }

    pub fn close(&self) {
        self.change(|state| state.closed = true);
    }

    pub fn task_done(&self) {
        let done = self.change(|state| state.unfinished.checked_sub(1).map(|left| state.unfinished = left));
        done.expect("every item is done already");
    }

    pub fn join(&self) {
        self.until(None, |state| (state.unfinished == 0).then_some(()));
    }

    /// Changes the state and wakes everybody who waits for a change.
    fn change<R>(&self, change: impl FnOnce(&mut State<T>) -> R) -> R {
        let mut state = self.state.lock().unwrap();
        let result = change(&mut state);
        let sleepers = mem::take(&mut state.sleepers);
        drop(state);
        sleepers.iter().for_each(Thread::unpark);
        result
    }

    /// Tries until it gives something, or until the end of time if there is one.
    fn until<R>(&self, end: Option<Instant>, mut attempt: impl FnMut(&mut State<T>) -> Option<R>) -> Option<R> {
        loop {
            let mut state = self.state.lock().unwrap();
            if let Some(result) = attempt(&mut state) {
                let sleepers = mem::take(&mut state.sleepers);
                drop(state);
                sleepers.iter().for_each(Thread::unpark);
                return Some(result);
            }
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return None;
            }
            state.sleepers.push(thread::current());
            drop(state);
            match left {
                Some(left) => thread::park_timeout(left),
                None => thread::park(),
            }
        }
    }
}

impl<T> State<T> {
    fn put(&mut self, item: T) -> Result<(), PutError<T>> {
        match (self.closed, self.free) {
            (true, _) => Err(PutError::Closed(item)),
            (false, 0) => Err(PutError::Full(item)),
            (false, _) => {
                self.free -= 1;
                self.unfinished += 1;
                self.items.push_back(item);
                Ok(())
            }
        }
    }

    fn get(&mut self) -> Result<T, GetError> {
        let Some(item) = self.items.pop_front() else {
            return Err(if self.closed { GetError::Closed } else { GetError::Empty });
        };
        self.free += 1;
        Ok(item)
    }

    fn get_or_wait(&mut self) -> Option<Result<T, GetError>> {
        Some(self.get()).filter(|outcome| !matches!(outcome, Err(GetError::Empty)))
    }
}

pub fn pipeline<T: Send, R: Send>(
    source: impl Iterator<Item = T> + Send,
    workers: NonZeroUsize,
    capacity: NonZeroUsize,
    work: impl Fn(T) -> R + Sync,
    collect: impl FnMut(R) -> ControlFlow<()>,
) {
    let (tasks_in, tasks_out) = bounded::<T>(capacity.get());
    let (results_in, results_out) = bounded::<R>(capacity.get());
    let work = &work;
    thread::scope(|scope| {
        // As many pairs as workers. The original is among them, so none is left over.
        for (tasks, results) in vec![(tasks_out, results_in); workers.get()] {
            scope.spawn(move || tasks.iter().map(work).try_for_each(|result| results.send(result)));
        }
        scope.spawn(move || source.map(|item| tasks_in.send(item)).find(Result::is_err));
        let _ = results_out.into_iter().try_for_each(collect);
    });
}
