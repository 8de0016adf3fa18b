//! accepted
//!
//! A permit is a token that goes back by its own `Drop`, wherever it lies: in a `Permit`, or in the hand of somebody who waits and
//! is dropped. The line has only `Weak` hands: who is gone is skipped. Cache: a `tokio::sync::RwLock` for each key.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use desk::{Desk, Hand, Held, Token};

fn open<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

mod desk {
    use super::open;
    use std::collections::VecDeque;
    use std::mem;
    use std::sync::{Arc, Mutex, Weak};
    use std::task::Waker;

    /// What somebody who waits has in hand.
    pub(super) enum Held {
        Nothing(Waker),
        Token(Token),
        Gone,
    }

    pub(super) struct Hand(pub(super) Mutex<Held>);

    pub(super) struct State {
        pub(super) free: usize,
        pub(super) line: VecDeque<Weak<Hand>>,
        pub(super) tidy_at: usize,
    }

    pub(super) struct Desk(pub(super) Mutex<State>);

    /// One permit. Whoever drops it gives it back.
    pub(super) struct Token(pub(super) Arc<Desk>);

    impl Desk {
        pub(super) fn take(self: &Arc<Desk>, state: &mut State) -> Option<Token> {
            state.free = state.free.checked_sub(1)?;
            Some(Token(Arc::clone(self)))
        }

        pub(super) fn join_line(state: &mut State, waker: Waker) -> Arc<Hand> {
            if state.line.len() >= state.tidy_at {
                state.line.retain(|hand| hand.strong_count() > 0);
                state.tidy_at = 2 * state.line.len() + 16;
            }
            let hand = Arc::new(Hand(Mutex::new(Held::Nothing(waker))));
            state.line.push_back(Arc::downgrade(&hand));
            hand
        }
    }

    impl Drop for Token {
        fn drop(&mut self) {
            let mut woken = None;
            let mut state = open(&self.0.0);
            while let Some(next) = state.line.pop_front() {
                let Some(hand) = next.upgrade() else { continue };
                let mut held = open(&hand.0);
                match mem::replace(&mut *held, Held::Gone) {
                    Held::Nothing(waker) => {
                        *held = Held::Token(Token(Arc::clone(&self.0)));
                        woken = Some(waker);
                        break;
                    }
                    Held::Token(_) => unreachable!("who has a token does not stand in the line"),
                    Held::Gone => {}
                }
            }
            if woken.is_none() {
                state.free += 1;
            }
            drop(state);
            if let Some(waker) = woken {
                waker.wake();
            }
        }
    }
}

/// A fixed number of permits that tasks take and give back. They share it by reference.
pub struct Semaphore {
    desk: Arc<Desk>,
}

impl Semaphore {
    /// A semaphore with so many permits, all of them free.
    pub fn new(permits: usize) -> Semaphore {
        let state = desk::State { free: permits, line: VecDeque::new(), tidy_at: 16 };
        Semaphore { desk: Arc::new(Desk(Mutex::new(state))) }
    }

    /// How many permits are free now.
    pub fn available(&self) -> usize {
        open(&self.desk.0).free
    }

    /// Takes a permit if one is free now.
    pub fn try_acquire(&self) -> Option<Permit<'_>> {
        let token = self.desk.take(&mut open(&self.desk.0))?;
        Some(Permit { _token: token, _semaphore: PhantomData })
    }

    /// A future that takes a permit, and waits for it if it has to.
    pub fn acquire(&self) -> Acquire<'_> {
        Acquire { semaphore: self, hand: None, over: false }
    }
}

/// The future of [`Semaphore::acquire`]. Until it is polled, it does nothing.
#[must_use = "a future does nothing until it is polled"]
pub struct Acquire<'semaphore> {
    semaphore: &'semaphore Semaphore,
    hand: Option<Arc<Hand>>,
    over: bool,
}

impl<'semaphore> Future for Acquire<'semaphore> {
    type Output = Permit<'semaphore>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Permit<'semaphore>> {
        assert!(!self.over, "it was ready before");
        let this = &mut *self;
        let token = match &this.hand {
            None => {
                let desk = &this.semaphore.desk;
                let mut state = open(&desk.0);
                let token = desk.take(&mut state);
                if token.is_none() {
                    this.hand = Some(Desk::join_line(&mut state, context.waker().clone()));
                }
                token
            }
            Some(hand) => {
                let mut held = open(&hand.0);
                match std::mem::replace(&mut *held, Held::Gone) {
                    Held::Token(token) => Some(token),
                    Held::Nothing(_) | Held::Gone => {
                        *held = Held::Nothing(context.waker().clone());
                        None
                    }
                }
            }
        };
        match token {
            Some(token) => {
                this.over = true;
                this.hand = None;
                Poll::Ready(Permit { _token: token, _semaphore: PhantomData })
            }
            None => Poll::Pending,
        }
    }
}

impl Drop for Acquire<'_> {
    fn drop(&mut self) {
        if let Some(hand) = self.hand.take() {
            let held = std::mem::replace(&mut *open(&hand.0), Held::Gone);
            // A token in it goes back here, where nothing is locked.
            drop(held);
        }
    }
}

/// A permit. It goes back when this is dropped, in a panic too.
#[must_use = "the permit goes back when this is dropped"]
pub struct Permit<'semaphore> {
    _token: Token,
    _semaphore: PhantomData<&'semaphore Semaphore>,
}

/// A value that one task at a time may use, also across an await.
pub struct Lock<T> {
    turn: Semaphore,
    value: Mutex<Option<Box<T>>>,
}

impl<T> Lock<T> {
    /// A lock with this value inside, which nobody holds.
    pub fn new(value: T) -> Lock<T> {
        Lock { turn: Semaphore::new(1), value: Mutex::new(Some(Box::new(value))) }
    }

    /// Takes the lock, and waits for it if it has to.
    pub async fn lock(&self) -> LockGuard<'_, T> {
        let permit = self.turn.acquire().await;
        LockGuard { lock: self, value: open(&self.value).take(), _permit: permit }
    }

    /// Takes the lock if it is free now.
    pub fn try_lock(&self) -> Option<LockGuard<'_, T>> {
        let permit = self.turn.try_acquire()?;
        Some(LockGuard { lock: self, value: open(&self.value).take(), _permit: permit })
    }
}

/// The value of a [`Lock`], for one task.
#[must_use = "the lock is free when this is dropped"]
pub struct LockGuard<'lock, T> {
    lock: &'lock Lock<T>,
    value: Option<Box<T>>,
    _permit: Permit<'lock>,
}

impl<T> Deref for LockGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_deref().expect("it is here until the drop")
    }
}

impl<T> DerefMut for LockGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_deref_mut().expect("it is here until the drop")
    }
}

impl<T> Drop for LockGuard<'_, T> {
    fn drop(&mut self) {
        let value = self.value.take();
        *open(&self.lock.value) = value;
    }
}

struct Key<V> {
    value: Option<V>,
    turn: Arc<tokio::sync::RwLock<()>>,
}

/// Values that are fetched once and kept, each under a key. Tasks share it by reference.
pub struct Cache<V> {
    keys: Mutex<BTreeMap<String, Key<V>>>,
}

impl<V: Clone> Cache<V> {
    /// A cache with nothing in it.
    pub fn empty() -> Cache<V> {
        Cache { keys: Mutex::new(BTreeMap::new()) }
    }

    /// The value of this key, if it is there. Never waits, also if somebody is fetching it.
    pub fn known(&self, key: &str) -> Option<V> {
        open(&self.keys).get(key)?.value.clone()
    }

    fn with<R>(&self, key: &str, action: impl FnOnce(&mut Key<V>) -> R) -> R {
        let mut keys = open(&self.keys);
        let new = || Key { value: None, turn: Arc::new(tokio::sync::RwLock::new(())) };
        action(keys.entry(key.to_owned()).or_insert_with(new))
    }

    /// The value of this key. If it is not there, `fetch` brings it, and it is kept. If it is there, `fetch` is never polled.
    ///
    /// # Errors
    /// What this `fetch` has failed with. It is not kept.
    pub async fn get<E>(&self, key: &str, fetch: impl Future<Output = Result<V, E>>) -> Result<V, E> {
        let (known, turn) = self.with(key, |entry| (entry.value.clone(), Arc::clone(&entry.turn)));
        if let Some(value) = known {
            return Ok(value);
        }
        let _writing = turn.write().await;
        match self.known(key) {
            Some(value) => Ok(value),
            None => {
                let value = fetch.await?;
                let kept = value.clone();
                self.with(key, |entry| entry.value = Some(kept));
                Ok(value)
            }
        }
    }
}
