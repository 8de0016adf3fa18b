//! accepted
//!
//! A ring of slots made once, with `wait_while` for every wait, and locks that shrug off poison. The pipeline uses the learner's
//! own queue as its channel: guards close it when the last thread of a stage has ended, whichever way.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

pub struct Queue<T> {
    ring: Mutex<Ring<T>>,
    room: Condvar,
    filled: Condvar,
    finished: Condvar,
}

struct Ring<T> {
    slots: Box<[Option<T>]>,
    /// Items that ever came in, that ever came out, and whose work was ever done.
    came: usize,
    went: usize,
    done: usize,
    closed: bool,
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

impl<T> Ring<T> {
    fn has_to_wait_for_room(&mut self) -> bool {
        !self.closed && self.came - self.went == self.slots.len()
    }

    fn has_to_wait_for_items(&mut self) -> bool {
        !self.closed && self.came == self.went
    }
}

impl<T> Queue<T> {
    pub fn bounded(capacity: NonZeroUsize) -> Queue<T> {
        let slots = (0..capacity.get()).map(|_| None).collect();
        let ring = Mutex::new(Ring { slots, came: 0, went: 0, done: 0, closed: false });
        Queue { ring, room: Condvar::new(), filled: Condvar::new(), finished: Condvar::new() }
    }

    pub fn put(&self, item: T) -> Result<(), PutError<T>> {
        let ring = self.room.wait_while(self.lock(), Ring::has_to_wait_for_room);
        self.put_into(ring.unwrap_or_else(PoisonError::into_inner), item)
    }

    pub fn try_put(&self, item: T) -> Result<(), PutError<T>> {
        self.put_into(self.lock(), item)
    }

    fn put_into(&self, mut ring: MutexGuard<'_, Ring<T>>, item: T) -> Result<(), PutError<T>> {
        if ring.closed {
            return Err(PutError::Closed(item));
        }
        let slot = ring.came % ring.slots.len();
        if ring.slots[slot].is_some() {
            return Err(PutError::Full(item));
        }
        ring.slots[slot] = Some(item);
        ring.came += 1;
        self.filled.notify_one();
        Ok(())
    }

    pub fn get(&self) -> Result<T, GetError> {
        let ring = self.filled.wait_while(self.lock(), Ring::has_to_wait_for_items);
        self.get_from(ring.unwrap_or_else(PoisonError::into_inner))
    }

    pub fn try_get(&self) -> Result<T, GetError> {
        self.get_from(self.lock())
    }

    pub fn get_timeout(&self, limit: Duration) -> Result<T, GetError> {
        let waited = self.filled.wait_timeout_while(self.lock(), limit, Ring::has_to_wait_for_items);
        self.get_from(waited.unwrap_or_else(PoisonError::into_inner).0)
    }

    fn get_from(&self, mut ring: MutexGuard<'_, Ring<T>>) -> Result<T, GetError> {
        let slot = ring.went % ring.slots.len();
        match ring.slots[slot].take() {
            Some(item) => {
                ring.went += 1;
                self.room.notify_one();
                Ok(item)
            }
            None if ring.closed => Err(GetError::Closed),
            None => Err(GetError::Empty),
        }
    }

    pub fn close(&self) {
        let mut ring = self.lock();
        ring.closed = true;
        self.room.notify_all();
        self.filled.notify_all();
    }

    pub fn task_done(&self) {
        let mut ring = self.lock();
        if ring.done == ring.came {
            // Not while the lock is held: a poisoned one would end every later wait early.
            drop(ring);
            panic!("every item is done already");
        }
        ring.done += 1;
        if ring.done == ring.came {
            self.finished.notify_all();
        }
    }

    pub fn join(&self) {
        drop(self.finished.wait_while(self.lock(), |ring| ring.done < ring.came));
    }

    fn lock(&self) -> MutexGuard<'_, Ring<T>> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes the queues of a stage when the last of its threads drops its share.
struct Share<'a, F: Fn()> {
    others: &'a AtomicUsize,
    close: F,
}

impl<F: Fn()> Drop for Share<'_, F> {
    fn drop(&mut self) {
        if self.others.fetch_sub(1, Ordering::AcqRel) == 1 {
            (self.close)();
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
    let (tasks, results) = (Queue::bounded(capacity), Queue::bounded(capacity));
    let (tasks, results, work) = (&tasks, &results, &work);
    let (producers, busy, collectors) = (AtomicUsize::new(1), AtomicUsize::new(workers.get()), AtomicUsize::new(1));
    thread::scope(|scope| {
        let share = Share { others: &producers, close: || tasks.close() };
        scope.spawn(move || {
            let _share = share;
            for item in source {
                if tasks.put(item).is_err() {
                    break;
                }
            }
        });
        for _ in 0..workers.get() {
            // No worker is left: nobody takes tasks, and no results come.
            let share = Share {
                others: &busy,
                close: || {
                    tasks.close();
                    results.close();
                },
            };
            scope.spawn(move || {
                let _share = share;
                while let Ok(item) = tasks.get() {
                    if results.put(work(item)).is_err() {
                        break;
                    }
                }
            });
        }
        let _share = Share { others: &collectors, close: || results.close() };
        while let Ok(result) = results.get() {
            if collect(result).is_break() {
                break;
            }
        }
    });
}
