//! rejected: lost-wakeup
//! by: a_wait_with_a_limit_ends_with_the_lock_or_with_the_limit
//!
//! Waiters park in a line. Whoever frees the lock wakes the first of them, and leaves the lock free. If the time of that one is just
//! up, it goes without the lock, and wakes nobody: the next one in the line sleeps on at a free lock.

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{Thread, current, park, park_timeout};
use std::time::{Duration, Instant};

#[derive(Debug, Default)]
struct Door {
    owner: Option<(Thread, usize)>,
    waiting: VecDeque<Thread>,
}

impl Door {
    fn enter(&mut self) -> bool {
        match &mut self.owner {
            Some((owner, depth)) if owner.id() == current().id() => {
                *depth += 1;
                true
            }
            Some(_) => false,
            free @ None => {
                *free = Some((current(), 1));
                true
            }
        }
    }

    fn wake_next(&mut self) {
        if self.owner.is_none()
            && let Some(next) = self.waiting.front()
        {
            next.unpark();
        }
    }
}

/// A re-entrant lock.
#[derive(Debug)]
pub struct RLock<T> {
    door: Mutex<Door>,
    value: Mutex<T>,
}

/// One taking of the lock.
#[derive(Debug)]
#[must_use = "the guard gives the lock back when it is dropped"]
pub struct Guard<'lock, T> {
    lock: &'lock RLock<T>,
    // Neither `Send` nor `Sync`.
    _here: Option<Rc<()>>,
}

fn of<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        let mut door = of(&self.lock.door);
        if let Some((_, depth)) = &mut door.owner {
            *depth -= 1;
            if *depth == 0 {
                door.owner = None;
                door.wake_next();
            }
        }
    }
}

impl<T> RLock<T> {
    /// A lock that nobody has.
    pub fn new(value: T) -> RLock<T> {
        RLock { door: Mutex::default(), value: Mutex::new(value) }
    }

    fn enter(&self, until: Option<Option<Instant>>) -> Option<Guard<'_, T>> {
        let mut door = of(&self.door);
        if !door.enter() {
            let until = until?;
            let me = current();
            door.waiting.push_back(me.clone());
            let mut late = false;
            let entered = loop {
                if late {
                    break false;
                }
                if door.enter() {
                    break true;
                }
                drop(door);
                match until {
                    None => park(),
                    Some(until) => {
                        park_timeout(until.saturating_duration_since(Instant::now()));
                        late = until <= Instant::now();
                    }
                }
                door = of(&self.door);
            };
            door.waiting.retain(|thread| thread.id() != me.id());
            if !entered {
                return None;
            }
        }
        Some(Guard { lock: self, _here: None })
    }

    /// Waits.
    pub fn lock(&self) -> Guard<'_, T> {
        self.enter(Some(None)).expect("without a limit")
    }

    /// Does not wait.
    pub fn try_lock(&self) -> Option<Guard<'_, T>> {
        self.enter(None)
    }

    /// Waits for `limit` at most.
    pub fn lock_timeout(&self, limit: Duration) -> Option<Guard<'_, T>> {
        self.enter(Some(Instant::now().checked_add(limit)))
    }

    /// The guards of this thread.
    pub fn depth(&self) -> usize {
        of(&self.door).owner.as_ref().filter(|(owner, _)| owner.id() == current().id()).map_or(0, |(_, depth)| *depth)
    }
}

impl<T: Copy> Guard<'_, T> {
    /// A copy.
    pub fn get(&self) -> T {
        *of(&self.lock.value)
    }

    /// Another value.
    pub fn set(&self, value: T) {
        *of(&self.lock.value) = value;
    }
}
