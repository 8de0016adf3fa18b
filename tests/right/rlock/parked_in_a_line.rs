//! accepted
//!
//! Whoever has to wait stands in a line and is parked. The last guard hands the lock over to the first in the line, so nobody is
//! overtaken, and it is never free while somebody waits.

use std::collections::VecDeque;
use std::marker::PhantomData;
use std::sync::{Mutex, MutexGuard};
use std::thread::{self, Thread, ThreadId};
use std::time::{Duration, Instant};

#[derive(Debug)]
pub struct RLock<T> {
    desk: Mutex<Desk>,
    value: Mutex<T>,
}

#[derive(Debug, Default)]
struct Desk {
    /// One entry for each guard.
    taken: Vec<ThreadId>,
    line: VecDeque<Thread>,
}

impl Desk {
    fn is_for(&self, thread: ThreadId) -> bool {
        self.taken.first().is_none_or(|owner| *owner == thread)
    }
}

#[derive(Debug)]
#[must_use = "the guard gives the lock back when it is dropped"]
pub struct Guard<'lock, T> {
    lock: &'lock RLock<T>,
    here: PhantomData<*mut T>,
}

impl<T> RLock<T> {
    pub fn new(value: T) -> RLock<T> {
        RLock { desk: Mutex::default(), value: Mutex::new(value) }
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap()
    }

    pub fn lock(&self) -> Guard<'_, T> {
        loop {
            if let Some(guard) = self.lock_timeout(Duration::MAX) {
                return guard;
            }
        }
    }

    pub fn try_lock(&self) -> Option<Guard<'_, T>> {
        let (mut desk, me) = (self.desk(), thread::current().id());
        desk.is_for(me).then(|| desk.taken.push(me))?;
        Some(Guard { lock: self, here: PhantomData })
    }

    pub fn lock_timeout(&self, limit: Duration) -> Option<Guard<'_, T>> {
        let end = Instant::now().checked_add(limit);
        let me = thread::current();
        let mut desk = self.desk();
        if desk.is_for(me.id()) {
            desk.taken.push(me.id());
        } else {
            desk.line.push_back(me.clone());
            // Handed over: the entry is there already.
            while desk.taken.first() != Some(&me.id()) {
                drop(desk);
                match end.map(|end| end.saturating_duration_since(Instant::now())) {
                    None => thread::park(),
                    Some(left) if left > Duration::ZERO => thread::park_timeout(left),
                    Some(_) => {
                        let mut desk = self.desk();
                        if desk.taken.first() == Some(&me.id()) {
                            break;
                        }
                        desk.line.retain(|other| other.id() != me.id());
                        return None;
                    }
                }
                desk = self.desk();
            }
        }
        Some(Guard { lock: self, here: PhantomData })
    }

    pub fn depth(&self) -> usize {
        let me = thread::current().id();
        self.desk().taken.iter().filter(|owner| **owner == me).count()
    }
}

impl<T: Copy> Guard<'_, T> {
    pub fn get(&self) -> T {
        *self.lock.value.lock().unwrap()
    }

    pub fn set(&self, value: T) {
        *self.lock.value.lock().unwrap() = value;
    }
}

impl<T> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        let mut desk = self.lock.desk();
        desk.taken.pop();
        if desk.taken.is_empty()
            && let Some(next) = desk.line.pop_front()
        {
            desk.taken.push(next.id());
            next.unpark();
        }
    }
}
