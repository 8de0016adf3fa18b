//! rejected: assertion
//! by: each_lock_has_an_owner_and_a_depth_of_its_own
//!
//! Each thread knows which locks it has, in a table with eight places. With the ninth lock it forgets the first.

use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

static NEXT: AtomicU64 = AtomicU64::new(0);

thread_local! {
    // Never dropped: a guard may be dropped by the destructor of another thread-local value.
    static MINE: RefCell<ManuallyDrop<Vec<(u64, usize)>>> = const { RefCell::new(ManuallyDrop::new(Vec::new())) };
}

fn mine(lock: u64) -> usize {
    MINE.with_borrow(|mine| mine.iter().find(|(id, _)| *id == lock).map_or(0, |(_, depth)| *depth))
}

fn set_mine(lock: u64, depth: usize) {
    MINE.with_borrow_mut(|mine| {
        mine.retain(|(id, _)| *id != lock);
        if depth > 0 {
            if mine.len() == 8 {
                mine.remove(0);
            }
            mine.push((lock, depth));
        } else if mine.is_empty() {
            mine.shrink_to_fit();
        }
    })
}

#[derive(Debug)]
pub struct RLock<T> {
    id: u64,
    taken: Mutex<bool>,
    free: Condvar,
    value: Mutex<T>,
}

#[derive(Debug)]
#[must_use = "the guard gives the lock back when it is dropped"]
pub struct Guard<'lock, T> {
    lock: &'lock RLock<T>,
    _stays: Option<Rc<()>>,
}

fn open<X>(mutex: &Mutex<X>) -> MutexGuard<'_, X> {
    mutex.lock().unwrap_or_else(|e| e.into_inner())
}

impl<T> RLock<T> {
    pub fn new(value: T) -> RLock<T> {
        RLock {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            taken: Mutex::new(false),
            free: Condvar::new(),
            value: Mutex::new(value),
        }
    }

    fn enter(&self) -> Guard<'_, T> {
        set_mine(self.id, mine(self.id) + 1);
        Guard { lock: self, _stays: None }
    }

    pub fn lock(&self) -> Guard<'_, T> {
        if mine(self.id) == 0 {
            let mut taken = open(&self.taken);
            while *taken {
                taken = self.free.wait(taken).unwrap_or_else(|e| e.into_inner());
            }
            *taken = true;
        }
        self.enter()
    }

    pub fn try_lock(&self) -> Option<Guard<'_, T>> {
        if mine(self.id) == 0 && std::mem::replace(&mut *open(&self.taken), true) {
            return None;
        }
        Some(self.enter())
    }

    pub fn lock_timeout(&self, limit: Duration) -> Option<Guard<'_, T>> {
        let start = Instant::now();
        if mine(self.id) == 0 {
            let mut taken = open(&self.taken);
            while *taken {
                let left = limit.saturating_sub(start.elapsed());
                if left == Duration::ZERO {
                    return None;
                }
                taken = self.free.wait_timeout(taken, left).unwrap_or_else(|e| e.into_inner()).0;
            }
            *taken = true;
        }
        Some(self.enter())
    }

    pub fn depth(&self) -> usize {
        mine(self.id)
    }
}

impl<T: Copy> Guard<'_, T> {
    pub fn get(&self) -> T {
        *open(&self.lock.value)
    }

    pub fn set(&self, value: T) {
        *open(&self.lock.value) = value;
    }
}

impl<T> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        let depth = mine(self.lock.id).saturating_sub(1);
        set_mine(self.lock.id, depth);
        if depth == 0 {
            *open(&self.lock.taken) = false;
            self.lock.free.notify_one();
        }
    }
}
