//! A bounded blocking queue by hand, and a pipeline on channels. The lesson is in `README.md`.

use std::marker::PhantomData;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::time::Duration;

/// A queue for many producers and many consumers, first in, first out. Threads share it by reference.
///
/// It has room for a fixed number of items. The type of the capacity rules out a queue without any room.
#[derive(Debug)]
pub struct Queue<T> {
    // The fields are yours to choose: which data, behind which lock, and who waits at which condition variable?
    // This one only lets the stub compile.
    _items: PhantomData<fn() -> T>,
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
        todo!()
    }

    /// Puts an item in. Waits for room as long as it takes, unless the queue is closed.
    ///
    /// # Errors
    /// [`PutError::Closed`] if the queue is closed before there was room. Never [`PutError::Full`].
    pub fn put(&self, item: T) -> Result<(), PutError<T>> {
        todo!()
    }

    /// Puts an item in if there is room now.
    ///
    /// # Errors
    /// [`PutError::Closed`] if the queue is closed, else [`PutError::Full`] if there is no room.
    pub fn try_put(&self, item: T) -> Result<(), PutError<T>> {
        todo!()
    }

    /// Takes the oldest item out. Waits for one as long as it takes, unless the queue is closed.
    ///
    /// # Errors
    /// [`GetError::Closed`] if the queue is closed and nothing is left in it. Never [`GetError::Empty`].
    pub fn get(&self) -> Result<T, GetError> {
        todo!()
    }

    /// Takes the oldest item out if there is one now.
    ///
    /// # Errors
    /// [`GetError::Empty`] if there is none; [`GetError::Closed`] if there never will be one.
    pub fn try_get(&self) -> Result<T, GetError> {
        todo!()
    }

    /// Like [`get`](Queue::get), but waits for `limit` at most.
    ///
    /// # Errors
    /// [`GetError::Empty`] if the time is up; [`GetError::Closed`] as for `get`.
    pub fn get_timeout(&self, limit: Duration) -> Result<T, GetError> {
        todo!()
    }

    /// Closes the queue: nothing goes in any more, what is left still comes out. Who waits for room, or for an item that
    /// never comes, is woken.
    pub fn close(&self) {
        todo!()
    }

    /// Says that the work on one item is done. Who takes an item out calls it once, afterwards.
    ///
    /// # Panics
    /// If it was called for every item already. The queue can still be used.
    pub fn task_done(&self) {
        todo!()
    }

    /// Waits until `task_done` was called for every item that was put in. If there was none, it returns at once.
    pub fn join(&self) {
        todo!()
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
    collect: impl FnMut(R) -> ControlFlow<()>,
) {
    todo!()
}
