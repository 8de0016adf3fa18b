//! accepted
//!
//! Each who waits has a desk of its own, on which its waker lies, and then its permit. Who leaves says so on its desk, and is passed over
//! when its turn comes. In the cache, whoever fetches holds up a flag, which falls when it is dropped.

use std::collections::{HashMap, HashSet, VecDeque};
use std::future::Future;
use std::mem;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use tokio::sync::watch;

enum Desk {
    Waits(Waker),
    HasAPermit,
    Left,
}

type Shared = Arc<Mutex<Desk>>;

pub struct Semaphore {
    free_and_line: Mutex<(usize, VecDeque<Shared>)>,
}

impl Semaphore {
    pub fn new(permits: usize) -> Semaphore {
        Semaphore { free_and_line: Mutex::new((permits, VecDeque::new())) }
    }

    pub fn available(&self) -> usize {
        self.free_and_line.lock().unwrap().0
    }

    pub fn try_acquire(&self) -> Option<Permit<'_>> {
        let mut inside = self.free_and_line.lock().unwrap();
        if inside.0 == 0 {
            return None;
        }
        inside.0 -= 1;
        Some(Permit { of: self })
    }

    pub fn acquire(&self) -> Acquire<'_> {
        Acquire { semaphore: self, stage: Stage::New }
    }

    fn comes_back(&self) {
        let waker = loop {
            let mut inside = self.free_and_line.lock().unwrap();
            let Some(desk) = inside.1.pop_front() else {
                inside.0 += 1;
                return;
            };
            // While nobody else can look at the line: who leaves now has had the permit, or has not.
            if let Desk::Waits(waker) = mem::replace(&mut *desk.lock().unwrap(), Desk::HasAPermit) {
                break waker;
            }
        };
        waker.wake();
    }
}

pub struct Acquire<'semaphore> {
    semaphore: &'semaphore Semaphore,
    stage: Stage,
}

enum Stage {
    New,
    At(Shared),
    Over,
}

impl<'semaphore> Future for Acquire<'semaphore> {
    type Output = Permit<'semaphore>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Permit<'semaphore>> {
        let of = self.semaphore;
        match &self.stage {
            Stage::New => {
                let mut inside = of.free_and_line.lock().unwrap();
                if inside.0 == 0 {
                    let desk = Arc::new(Mutex::new(Desk::Waits(context.waker().clone())));
                    inside.1.push_back(Arc::clone(&desk));
                    drop(inside);
                    self.stage = Stage::At(desk);
                    return Poll::Pending;
                }
                inside.0 -= 1;
            }
            Stage::At(desk) => {
                let mut desk = desk.lock().unwrap();
                if matches!(*desk, Desk::Waits(_)) {
                    *desk = Desk::Waits(context.waker().clone());
                    return Poll::Pending;
                }
                *desk = Desk::Left;
            }
            Stage::Over => panic!("it is over"),
        }
        self.stage = Stage::Over;
        Poll::Ready(Permit { of })
    }
}

impl Drop for Acquire<'_> {
    fn drop(&mut self) {
        if let Stage::At(desk) = &self.stage {
            let was = mem::replace(&mut *desk.lock().unwrap(), Desk::Left);
            if matches!(was, Desk::HasAPermit) {
                self.semaphore.comes_back();
            }
        }
    }
}

pub struct Permit<'semaphore> {
    of: &'semaphore Semaphore,
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.of.comes_back();
    }
}

pub struct Lock<T> {
    one: Semaphore,
    value: Mutex<VecDeque<T>>,
}

impl<T> Lock<T> {
    pub fn new(value: T) -> Lock<T> {
        Lock { one: Semaphore::new(1), value: Mutex::new(VecDeque::from([value])) }
    }

    pub async fn lock(&self) -> LockGuard<'_, T> {
        let permit = self.one.acquire().await;
        LockGuard { value: self.value.lock().unwrap().pop_back(), back: &self.value, permit: Some(permit) }
    }

    pub fn try_lock(&self) -> Option<LockGuard<'_, T>> {
        let permit = self.one.try_acquire()?;
        Some(LockGuard { value: self.value.lock().unwrap().pop_back(), back: &self.value, permit: Some(permit) })
    }
}

pub struct LockGuard<'lock, T> {
    value: Option<T>,
    back: &'lock Mutex<VecDeque<T>>,
    permit: Option<Permit<'lock>>,
}

impl<T> Drop for LockGuard<'_, T> {
    fn drop(&mut self) {
        self.back.lock().unwrap().extend(self.value.take());
        self.permit = None;
    }
}

impl<T> Deref for LockGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_ref().unwrap()
    }
}

impl<T> DerefMut for LockGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().unwrap()
    }
}

pub struct Cache<V> {
    values: Mutex<HashMap<String, V>>,
    fetched_now: Mutex<HashSet<String>>,
    news: watch::Sender<()>,
}

impl<V: Clone> Cache<V> {
    pub fn empty() -> Cache<V> {
        Cache { values: Mutex::default(), fetched_now: Mutex::default(), news: watch::channel(()).0 }
    }

    pub fn known(&self, key: &str) -> Option<V> {
        self.values.lock().unwrap().get(key).cloned()
    }

    pub async fn get<E>(&self, key: &str, fetch: impl Future<Output = Result<V, E>>) -> Result<V, E> {
        let mut hears = self.news.subscribe();
        let _flag = loop {
            hears.mark_unchanged();
            if self.fetched_now.lock().unwrap().insert(key.to_owned()) {
                break Flag { key, fetched_now: &self.fetched_now, news: &self.news };
            }
            hears.changed().await.expect("the cache is there");
        };
        if let Some(value) = self.known(key) {
            return Ok(value);
        }
        let value = fetch.await?;
        self.values.lock().unwrap().insert(key.to_owned(), value.clone());
        Ok(value)
    }
}

struct Flag<'cache> {
    key: &'cache str,
    fetched_now: &'cache Mutex<HashSet<String>>,
    news: &'cache watch::Sender<()>,
}

impl Drop for Flag<'_> {
    fn drop(&mut self) {
        self.fetched_now.lock().unwrap().remove(self.key);
        self.news.send_replace(());
    }
}
