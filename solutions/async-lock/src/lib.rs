//! A fair semaphore and a lock for tasks, by hand, and a cache on a lock of tokio's.
//!
//! A thread that waits is somewhere in the middle of a function, and stays there until it goes on. A task that waits is a
//! future that lies around, and its owner may drop it at any moment: also in the short time in which it was given what it waited
//! for, and has not been polled yet. So whoever stands in a line here can be asked what it has, and its `Drop` gives that to the next.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

/// A fixed number of permits that tasks take and give back. They share it by reference.
///
/// A permit that comes back goes to the first who waits, and is free only if nobody does. So nobody is overtaken.
pub struct Semaphore {
    /// A lock of `std`: it is held for a few lines, and never across an await.
    state: Mutex<State>,
}

struct State {
    /// While somebody waits, none is.
    free: usize,
    /// Those who wait, the first in front. Who is given a permit is taken out.
    line: VecDeque<Waiter>,
    next_ticket: u64,
}

struct Waiter {
    ticket: u64,
    /// That of the last poll.
    waker: Waker,
}

impl Semaphore {
    /// A semaphore with so many permits, all of them free. With none at all, whoever waits for one waits for ever.
    pub fn new(permits: usize) -> Semaphore {
        Semaphore { state: Mutex::new(State { free: permits, line: VecDeque::new(), next_ticket: 0 }) }
    }

    /// How many permits are free now. One that was given to somebody who waits is free no more, also before that one is polled.
    pub fn available(&self) -> usize {
        locked(&self.state).free
    }

    /// Takes a permit if one is free now.
    pub fn try_acquire(&self) -> Option<Permit<'_>> {
        let mut state = locked(&self.state);
        state.free = state.free.checked_sub(1)?;
        Some(Permit { semaphore: self })
    }

    /// A future that takes a permit, and waits for it if it has to.
    pub fn acquire(&self) -> Acquire<'_> {
        Acquire { semaphore: self, stage: Stage::New }
    }
}

/// The future of [`Semaphore::acquire`]. Until it is polled, it does nothing.
///
/// When it is dropped, it leaves the line. If a permit was given to it already, that goes on to the next.
#[must_use = "a future does nothing until it is polled"]
pub struct Acquire<'semaphore> {
    semaphore: &'semaphore Semaphore,
    stage: Stage,
}

#[derive(Clone, Copy)]
enum Stage {
    New,
    /// It has this ticket. If that is not in the line any more, a permit was given to it.
    Waiting(u64),
    Done,
}

impl<'semaphore> Future for Acquire<'semaphore> {
    type Output = Permit<'semaphore>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Permit<'semaphore>> {
        let semaphore = self.semaphore;
        // To look and to stand in the line is one step. A permit that came back between the two would find nobody to wake.
        let mut state = locked(&semaphore.state);
        match self.stage {
            Stage::New => {
                if state.free == 0 {
                    let ticket = state.next_ticket;
                    state.next_ticket += 1;
                    state.line.push_back(Waiter { ticket, waker: context.waker().clone() });
                    self.stage = Stage::Waiting(ticket);
                    return Poll::Pending;
                }
                state.free -= 1;
            }
            Stage::Waiting(ticket) => {
                if let Some(waiter) = state.line.iter_mut().find(|waiter| waiter.ticket == ticket) {
                    // The future may have moved to another task meanwhile.
                    waiter.waker.clone_from(context.waker());
                    return Poll::Pending;
                }
            }
            Stage::Done => {
                // A panic under the lock would poison it, for everybody.
                drop(state);
                panic!("polled after it was ready");
            }
        }
        self.stage = Stage::Done;
        Poll::Ready(Permit { semaphore })
    }
}

impl Drop for Acquire<'_> {
    fn drop(&mut self) {
        let Stage::Waiting(ticket) = self.stage else { return };
        let mut state = locked(&self.semaphore.state);
        let place = state.line.iter().position(|waiter| waiter.ticket == ticket);
        if let Some(place) = place {
            state.line.remove(place);
        } else {
            // It was given a permit, and nobody will ever poll it. Where others forget this, the permit is lost.
            drop(state);
            drop(Permit { semaphore: self.semaphore });
        }
    }
}

/// A permit. It goes back when this is dropped, in a panic too.
#[must_use = "the permit goes back when this is dropped"]
pub struct Permit<'semaphore> {
    semaphore: &'semaphore Semaphore,
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut state = locked(&self.semaphore.state);
        match state.line.pop_front() {
            // It is never free in between, so nobody can come first.
            Some(next) => {
                // A waker is somebody else's code. It may do anything, so it runs without our lock.
                drop(state);
                next.waker.wake();
            }
            None => state.free += 1,
        }
    }
}

/// A value that one task at a time may use, also across an await. As fair as a [`Semaphore`].
pub struct Lock<T> {
    /// Who may use the value. It has one permit.
    turn: Semaphore,
    /// Where the value lies while nobody uses it.
    value: Mutex<Option<T>>,
}

impl<T> Lock<T> {
    /// A lock with this value inside, which nobody holds.
    pub fn new(value: T) -> Lock<T> {
        Lock { turn: Semaphore::new(1), value: Mutex::new(Some(value)) }
    }

    /// Takes the lock, and waits for it if it has to: like [`Semaphore::acquire`] with a single permit, in all that it says about
    /// polls, wakers and drops.
    pub async fn lock(&self) -> LockGuard<'_, T> {
        self.guard(self.turn.acquire().await)
    }

    /// Takes the lock if it is free now.
    pub fn try_lock(&self) -> Option<LockGuard<'_, T>> {
        self.turn.try_acquire().map(|turn| self.guard(turn))
    }

    /// Takes the value out. A guard of `std` would not do: it may not go to another thread, and a task may, at each await.
    fn guard<'lock>(&'lock self, turn: Permit<'lock>) -> LockGuard<'lock, T> {
        LockGuard { value: locked(&self.value).take(), lock: self, _turn: turn }
    }
}

/// The value of a [`Lock`], for one task. It can be sent to another thread, so that it may be held across an await. When this is
/// dropped, in a panic too, the lock goes to the next, with the value as it is then.
#[must_use = "the lock is free when this is dropped"]
pub struct LockGuard<'lock, T> {
    lock: &'lock Lock<T>,
    /// Always there, until it is dropped.
    value: Option<T>,
    /// Fields are dropped after `drop` has put the value back.
    _turn: Permit<'lock>,
}

impl<T> Drop for LockGuard<'_, T> {
    fn drop(&mut self) {
        *locked(&self.lock.value) = self.value.take();
    }
}

impl<T> Deref for LockGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_ref().expect(HELD)
    }
}

impl<T> DerefMut for LockGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().expect(HELD)
    }
}

const HELD: &str = "whoever has the turn has the value";

/// Values that are fetched once and kept, each under a key. Tasks share it by reference.
pub struct Cache<V> {
    /// A lock of `std` for all: for a few lines, and never across an await.
    entries: Mutex<HashMap<String, Entry<V>>>,
}

struct Entry<V> {
    value: Option<V>,
    /// A lock of tokio's for each key: held across the fetch, while others do not stop their threads, but wait as tasks.
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl<V: Clone> Cache<V> {
    /// A cache with nothing in it.
    pub fn empty() -> Cache<V> {
        Cache { entries: Mutex::new(HashMap::new()) }
    }

    /// The value of this key, if it is there. Never waits, also if somebody is fetching it.
    pub fn known(&self, key: &str) -> Option<V> {
        locked(&self.entries).get(key)?.value.clone()
    }

    /// The value of this key. If it is not there, `fetch` brings it, and it is kept. If it is there, `fetch` is never polled.
    ///
    /// While one fetches, others who want the same key wait, and then take the value. Those who want another key do not wait. If the
    /// one has not brought a value, since its fetch has failed, panicked or was dropped half way, then the next of them fetches.
    ///
    /// # Errors
    /// What this `fetch` has failed with. It is not kept.
    pub async fn get<E>(&self, key: &str, fetch: impl Future<Output = Result<V, E>>) -> Result<V, E> {
        let turn = self.change(key, |entry| Arc::clone(&entry.turn));
        let _turn = turn.lock().await;
        // Somebody may have fetched it while this one has waited.
        if let Some(value) = self.known(key) {
            return Ok(value);
        }
        // An error, a panic and a drop end the turn as well, and the next one finds nothing here.
        let value = fetch.await?;
        self.change(key, |entry| entry.value = Some(value.clone()));
        Ok(value)
    }

    /// Does something with the entry of this key, under the lock for all.
    fn change<R>(&self, key: &str, act: impl FnOnce(&mut Entry<V>) -> R) -> R {
        let mut entries = locked(&self.entries);
        act(entries.entry(key.to_owned()).or_insert_with(|| Entry { value: None, turn: Arc::default() }))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nothing panics while it holds the lock")
}
