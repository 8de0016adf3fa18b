//! accepted
//!
//! Nothing is handed over. Permits that come back are counted, and who stands so near to the front that there is one for it may take
//! it. The lock has no semaphore: it has a line of its own, and lends its value out in a box. The cache has a cell for each key.

use std::collections::{BTreeMap, HashMap};
use std::future::{Future, poll_fn};
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::sync::OnceCell;

/// Permits that nobody holds, and those who want one, by their tickets.
struct Line {
    permits: usize,
    waiting: BTreeMap<u128, Waker>,
    tickets: u128,
}

impl Line {
    fn new(permits: usize) -> Line {
        Line { permits, waiting: BTreeMap::new(), tickets: 0 }
    }

    fn available(&self) -> usize {
        self.permits.saturating_sub(self.waiting.len())
    }

    fn poll(&mut self, ticket: &mut Option<u128>, waker: &Waker) -> bool {
        let mine = *ticket.get_or_insert_with(|| {
            self.tickets += 1;
            self.tickets
        });
        let before = self.waiting.range(..mine).count();
        if before < self.permits {
            self.waiting.remove(&mine);
            self.permits -= 1;
            return true;
        }
        self.waiting.insert(mine, waker.clone());
        false
    }

    /// Somebody leaves without a permit. If it could have taken one, the one can that was the first without.
    fn leave(&mut self, ticket: u128) -> Option<Waker> {
        let before = self.waiting.range(..ticket).count();
        self.waiting.remove(&ticket)?;
        if before < self.permits { self.last_with_a_permit() } else { None }
    }

    fn comes_back(&mut self) -> Option<Waker> {
        self.permits += 1;
        self.last_with_a_permit()
    }

    fn last_with_a_permit(&self) -> Option<Waker> {
        self.waiting.values().nth(self.permits - 1).cloned()
    }
}

pub struct Semaphore(Mutex<Line>);

impl Semaphore {
    pub fn new(permits: usize) -> Semaphore {
        Semaphore(Mutex::new(Line::new(permits)))
    }

    pub fn available(&self) -> usize {
        open(&self.0).available()
    }

    pub fn try_acquire(&self) -> Option<Permit<'_>> {
        let mut line = open(&self.0);
        if line.available() == 0 {
            return None;
        }
        line.permits -= 1;
        Some(Permit(self))
    }

    pub fn acquire(&self) -> Acquire<'_> {
        Acquire { semaphore: self, ticket: None, was_ready: false }
    }
}

pub struct Acquire<'semaphore> {
    semaphore: &'semaphore Semaphore,
    ticket: Option<u128>,
    was_ready: bool,
}

impl<'semaphore> Future for Acquire<'semaphore> {
    type Output = Permit<'semaphore>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Permit<'semaphore>> {
        let this = self.get_mut();
        assert!(!this.was_ready, "polled after it was ready");
        this.was_ready = open(&this.semaphore.0).poll(&mut this.ticket, context.waker());
        if this.was_ready { Poll::Ready(Permit(this.semaphore)) } else { Poll::Pending }
    }
}

impl Drop for Acquire<'_> {
    fn drop(&mut self) {
        let waker = self.ticket.filter(|_| !self.was_ready).and_then(|ticket| open(&self.semaphore.0).leave(ticket));
        waker.into_iter().for_each(Waker::wake);
    }
}

pub struct Permit<'semaphore>(&'semaphore Semaphore);

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let waker = open(&self.0.0).comes_back();
        waker.into_iter().for_each(Waker::wake);
    }
}

pub struct Lock<T>(Mutex<(Line, Option<Box<T>>)>);

impl<T> Lock<T> {
    pub fn new(value: T) -> Lock<T> {
        Lock(Mutex::new((Line::new(1), Some(Box::new(value)))))
    }

    pub async fn lock(&self) -> LockGuard<'_, T> {
        let mut place = Place { lock: self, ticket: None };
        poll_fn(|context| {
            let mut inside = open(&self.0);
            if !inside.0.poll(&mut place.ticket, context.waker()) {
                return Poll::Pending;
            }
            // It has left the line.
            place.ticket = None;
            Poll::Ready(LockGuard { lock: self, value: inside.1.take() })
        })
        .await
    }

    pub fn try_lock(&self) -> Option<LockGuard<'_, T>> {
        let mut inside = open(&self.0);
        if inside.0.available() == 0 {
            return None;
        }
        inside.0.permits = 0;
        Some(LockGuard { lock: self, value: inside.1.take() })
    }
}

struct Place<'lock, T> {
    lock: &'lock Lock<T>,
    ticket: Option<u128>,
}

impl<T> Drop for Place<'_, T> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            let waker = open(&self.lock.0).0.leave(ticket);
            waker.into_iter().for_each(Waker::wake);
        }
    }
}

pub struct LockGuard<'lock, T> {
    lock: &'lock Lock<T>,
    value: Option<Box<T>>,
}

impl<T> Drop for LockGuard<'_, T> {
    fn drop(&mut self) {
        let mut inside = open(&self.lock.0);
        inside.1 = self.value.take();
        let waker = inside.0.comes_back();
        drop(inside);
        waker.into_iter().for_each(Waker::wake);
    }
}

impl<T> Deref for LockGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_deref().unwrap()
    }
}

impl<T> DerefMut for LockGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_deref_mut().unwrap()
    }
}

pub struct Cache<V>(Mutex<HashMap<String, Arc<OnceCell<V>>>>);

impl<V: Clone> Cache<V> {
    pub fn empty() -> Cache<V> {
        Cache(Mutex::default())
    }

    pub fn known(&self, key: &str) -> Option<V> {
        let cell = open(&self.0).get(key).cloned();
        cell?.get().cloned()
    }

    pub async fn get<E>(&self, key: &str, fetch: impl Future<Output = Result<V, E>>) -> Result<V, E> {
        let cell = Arc::clone(open(&self.0).entry(key.to_owned()).or_default());
        cell.get_or_try_init(|| fetch).await.cloned()
    }
}

fn open<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
