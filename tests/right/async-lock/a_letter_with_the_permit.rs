//! accepted
//!
//! Who waits has a mailbox, and the permit comes as a letter. A letter that nobody opens is dropped, and what is in it goes back by
//! itself. So there is no case for those who are dropped at the wrong moment.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};

use tokio::sync::oneshot::{Sender, channel};

struct Office {
    free: usize,
    /// The addresses of those who wait.
    line: VecDeque<Sender<Letter>>,
}

/// A permit that knows where it belongs.
struct Letter(Arc<Mutex<Office>>);

impl Drop for Letter {
    fn drop(&mut self) {
        let next = {
            let mut office = lock(&self.0);
            let next = office.line.pop_front();
            if next.is_none() {
                office.free += 1;
            }
            next
        };
        if let Some(next) = next {
            // If nobody lives there any more, the letter is dropped, and goes to the next.
            drop(next.send(Letter(Arc::clone(&self.0))));
        }
    }
}

pub struct Semaphore {
    office: Arc<Mutex<Office>>,
}

impl Semaphore {
    pub fn new(permits: usize) -> Semaphore {
        Semaphore { office: Arc::new(Mutex::new(Office { free: permits, line: VecDeque::new() })) }
    }

    pub fn available(&self) -> usize {
        lock(&self.office).free
    }

    pub fn try_acquire(&self) -> Option<Permit<'_>> {
        let letter = self.take(&mut lock(&self.office))?;
        Some(Permit { _letter: letter, _semaphore: self })
    }

    pub fn acquire(&self) -> Acquire<'_> {
        Acquire { semaphore: self, inner: Box::pin(self.wait()) }
    }

    fn take(&self, office: &mut Office) -> Option<Letter> {
        office.free = office.free.checked_sub(1)?;
        Some(Letter(Arc::clone(&self.office)))
    }

    async fn wait(&self) -> Letter {
        let mailbox = {
            let mut office = lock(&self.office);
            if let Some(letter) = self.take(&mut office) {
                return letter;
            }
            let (sender, receiver) = channel();
            office.line.push_back(sender);
            receiver
        };
        mailbox.await.expect("the office does not close")
    }
}

pub struct Acquire<'semaphore> {
    semaphore: &'semaphore Semaphore,
    inner: Pin<Box<dyn Future<Output = Letter> + Send + 'semaphore>>,
}

impl<'semaphore> Future for Acquire<'semaphore> {
    type Output = Permit<'semaphore>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Permit<'semaphore>> {
        let semaphore = self.semaphore;
        self.inner.as_mut().poll(context).map(|letter| Permit { _letter: letter, _semaphore: semaphore })
    }
}

pub struct Permit<'semaphore> {
    _letter: Letter,
    _semaphore: &'semaphore Semaphore,
}

pub struct Lock<T> {
    semaphore: Semaphore,
    value: Arc<Mutex<Option<T>>>,
}

impl<T> Lock<T> {
    pub fn new(value: T) -> Lock<T> {
        Lock { semaphore: Semaphore::new(1), value: Arc::new(Mutex::new(Some(value))) }
    }

    pub async fn lock(&self) -> LockGuard<'_, T> {
        let permit = self.semaphore.acquire().await;
        let value = lock(&self.value).take().expect("it is back");
        LockGuard { loan: Loan { value: Some(value), home: Arc::clone(&self.value) }, _permit: permit }
    }

    pub fn try_lock(&self) -> Option<LockGuard<'_, T>> {
        let permit = self.semaphore.try_acquire()?;
        let value = lock(&self.value).take().expect("it is back");
        Some(LockGuard { loan: Loan { value: Some(value), home: Arc::clone(&self.value) }, _permit: permit })
    }
}

/// A value that goes home when this is dropped.
struct Loan<T> {
    value: Option<T>,
    home: Arc<Mutex<Option<T>>>,
}

impl<T> Drop for Loan<T> {
    fn drop(&mut self) {
        *lock(&self.home) = self.value.take();
    }
}

/// The fields are dropped in this order.
pub struct LockGuard<'lock, T> {
    loan: Loan<T>,
    _permit: Permit<'lock>,
}

impl<T> Deref for LockGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.loan.value.as_ref().unwrap()
    }
}

impl<T> DerefMut for LockGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.loan.value.as_mut().unwrap()
    }
}

/// A lock of this file's own for each key, with the value inside; and beside it what is known, for those who never wait.
pub struct Cache<V> {
    shelves: Mutex<HashMap<String, Arc<Lock<()>>>>,
    known: Mutex<HashMap<String, V>>,
}

impl<V: Clone> Cache<V> {
    pub fn empty() -> Cache<V> {
        Cache { shelves: Mutex::new(HashMap::new()), known: Mutex::new(HashMap::new()) }
    }

    pub fn known(&self, key: &str) -> Option<V> {
        lock(&self.known).get(key).cloned()
    }

    pub async fn get<E>(&self, key: &str, fetch: impl Future<Output = Result<V, E>>) -> Result<V, E> {
        let known = self.known(key);
        if let Some(value) = known {
            return Ok(value);
        }
        let shelf = Arc::clone(lock(&self.shelves).entry(key.to_owned()).or_insert_with(|| Arc::new(Lock::new(()))));
        let _held = shelf.lock().await;
        match self.known(key) {
            Some(value) => Ok(value),
            None => {
                let fetched = fetch.await;
                if let Ok(value) = &fetched {
                    lock(&self.known).insert(key.to_owned(), value.clone());
                }
                fetched
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap()
}
