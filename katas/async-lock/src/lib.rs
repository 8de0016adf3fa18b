//! A fair semaphore and a lock for tasks, by hand, and a cache on a lock of tokio's. The lesson is in `README.md`.

use std::future::Future;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::task::{Context, Poll};

// --------------------------------------------------------------------------------------------------------- semaphore

/// A fixed number of permits that tasks take and give back. They share it by reference.
///
/// A permit that comes back goes to the first who waits, and is free only if nobody does. So nobody is overtaken.
pub struct Semaphore {
    // The fields are yours to choose: what is counted, and who is the next?
}

impl Semaphore {
    /// A semaphore with so many permits, all of them free. With none at all, whoever waits for one waits for ever.
    pub fn new(permits: usize) -> Semaphore {
        todo!()
    }

    /// How many permits are free now. One that was given to somebody who waits is free no more, also before that one is polled.
    pub fn available(&self) -> usize {
        todo!()
    }

    /// Takes a permit if one is free now.
    pub fn try_acquire(&self) -> Option<Permit<'_>> {
        todo!()
    }

    /// A future that takes a permit, and waits for it if it has to.
    pub fn acquire(&self) -> Acquire<'_> {
        todo!()
    }
}

/// The future of [`Semaphore::acquire`]. Until it is polled, it does nothing.
///
/// When it is dropped, it leaves the line. If a permit was given to it already, that goes on to the next.
#[must_use = "a future does nothing until it is polled"]
pub struct Acquire<'semaphore> {
    // Yours to choose, too: how far has it come? This one only lets the stub compile.
    _semaphore: &'semaphore Semaphore,
}

impl<'semaphore> Future for Acquire<'semaphore> {
    type Output = Permit<'semaphore>;

    /// The first poll takes a permit if one is free. Else the future stands at the end of the line from then on, and is pending
    /// until it is given a permit.
    ///
    /// At the moment at which it is given one, the waker of its last poll is woken, and no other one. A waker may use the semaphore
    /// itself while it is woken.
    ///
    /// # Panics
    /// If it was ready before. The semaphore can still be used.
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Permit<'semaphore>> {
        todo!()
    }
}

/// A permit. It goes back when this is dropped, in a panic too.
#[must_use = "the permit goes back when this is dropped"]
pub struct Permit<'semaphore> {
    // Yours to choose: how does it go back?
    _semaphore: &'semaphore Semaphore,
}

// -------------------------------------------------------------------------------------------------------------- lock

/// A value that one task at a time may use, also across an await. As fair as a [`Semaphore`].
pub struct Lock<T> {
    // Yours to choose. Who may use the value is one question, and where it lies is another.
    _value: PhantomData<T>,
}

impl<T> Lock<T> {
    /// A lock with this value inside, which nobody holds.
    pub fn new(value: T) -> Lock<T> {
        todo!()
    }

    /// Takes the lock, and waits for it if it has to: like [`Semaphore::acquire`] with a single permit, in all that it says about
    /// polls, wakers and drops.
    pub async fn lock(&self) -> LockGuard<'_, T> {
        todo!()
    }

    /// Takes the lock if it is free now.
    pub fn try_lock(&self) -> Option<LockGuard<'_, T>> {
        todo!()
    }
}

/// The value of a [`Lock`], for one task. It can be sent to another thread, so that it may be held across an await. When this is
/// dropped, in a panic too, the lock goes to the next, with the value as it is then.
#[must_use = "the lock is free when this is dropped"]
pub struct LockGuard<'lock, T> {
    // Yours to choose.
    _lock: &'lock Lock<T>,
}

impl<T> Deref for LockGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        todo!()
    }
}

impl<T> DerefMut for LockGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        todo!()
    }
}

// ------------------------------------------------------------------------------------------------------------- cache

/// Values that are fetched once and kept, each under a key. Tasks share it by reference.
pub struct Cache<V> {
    // Yours to choose. Which lock is held across an await, and which never?
    _values: PhantomData<V>,
}

impl<V: Clone> Cache<V> {
    /// A cache with nothing in it.
    pub fn empty() -> Cache<V> {
        todo!()
    }

    /// The value of this key, if it is there. Never waits, also if somebody is fetching it.
    pub fn known(&self, key: &str) -> Option<V> {
        todo!()
    }

    /// The value of this key. If it is not there, `fetch` brings it, and it is kept. If it is there, `fetch` is never polled.
    ///
    /// While one fetches, others who want the same key wait, and then take the value. Those who want another key do not wait. If the
    /// one has not brought a value, since its fetch has failed, panicked or was dropped half way, then the next of them fetches.
    ///
    /// # Errors
    /// What this `fetch` has failed with. It is not kept.
    pub async fn get<E>(&self, key: &str, fetch: impl Future<Output = Result<V, E>>) -> Result<V, E> {
        todo!()
    }
}
