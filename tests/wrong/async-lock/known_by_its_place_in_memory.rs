//! rejected: assertion
//! by: every_sequence_of_polls_and_drops_keeps_the_contract
//!
//! Breaks "A future that is dropped while it waits leaves the line" (and "stands in the line from then on"), if it is moved between two
//! polls, or between its poll and its drop: it is known by its address, but it is `Unpin`, and may be moved. Poll it, move it into a `Vec`,
//! drop it: it stands in the line for ever.

use std::collections::{HashMap, HashSet, VecDeque};
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// A fixed number of permits that tasks take and give back. They share it by reference.
///
/// A permit that comes back goes to the first who waits, and is free only if nobody does. So nobody is overtaken.
pub struct Semaphore {
    line: Mutex<Line>,
}

struct Line {
    free: usize,
    /// Who waits. A future is known by its place in memory, which no other one has.
    waiting: VecDeque<(usize, Waker)>,
    given: HashSet<usize>,
}

impl Line {
    /// Stands in the line with this waker, at the end if it did not stand there before.
    fn stand(&mut self, who: usize, waker: &Waker) {
        match self.waiting.iter_mut().find(|(other, _)| *other == who) {
            Some((_, old)) => old.clone_from(waker),
            None => self.waiting.push_back((who, waker.clone())),
        }
    }
}

impl Semaphore {
    /// A semaphore with so many permits, all of them free.
    pub fn new(permits: usize) -> Semaphore {
        Semaphore { line: Mutex::new(Line { free: permits, waiting: VecDeque::new(), given: HashSet::new() }) }
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn give_back(&self) {
        let mut line = self.line();
        match line.waiting.pop_front() {
            Some((who, waker)) => {
                line.given.insert(who);
                drop(line);
                waker.wake();
            }
            None => line.free += 1,
        }
    }

    /// How many permits are free now.
    pub fn available(&self) -> usize {
        self.line().free
    }

    /// Takes a permit if one is free now.
    pub fn try_acquire(&self) -> Option<Permit<'_>> {
        let mut line = self.line();
        if line.free == 0 {
            return None;
        }
        line.free -= 1;
        Some(Permit { semaphore: self })
    }

    /// A future that takes a permit, and waits for it if it has to.
    pub fn acquire(&self) -> Acquire<'_> {
        Acquire { semaphore: self, stage: Stage::Fresh }
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
    Fresh,
    InLine,
    Over,
}

impl Acquire<'_> {
    fn who(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }
}

impl<'semaphore> Future for Acquire<'semaphore> {
    type Output = Permit<'semaphore>;

    /// The first poll takes a permit if one is free. Else the future stands at the end of the line.
    ///
    /// # Panics
    /// If it was ready before. The semaphore can still be used.
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Permit<'semaphore>> {
        let this = self.get_mut();
        let who = this.who();
        let semaphore = this.semaphore;
        match this.stage {
            Stage::Over => panic!("this future was ready before"),
            Stage::Fresh => {
                let mut line = semaphore.line();
                if line.free == 0 {
                    line.stand(who, context.waker());
                    this.stage = Stage::InLine;
                    return Poll::Pending;
                }
                line.free -= 1;
            }
            Stage::InLine => {
                let mut line = semaphore.line();
                if !line.given.remove(&who) {
                    line.stand(who, context.waker());
                    return Poll::Pending;
                }
            }
        }
        this.stage = Stage::Over;
        Poll::Ready(Permit { semaphore })
    }
}

impl Drop for Acquire<'_> {
    fn drop(&mut self) {
        if let Stage::InLine = self.stage {
            let who = self.who();
            let mut line = self.semaphore.line();
            if line.given.remove(&who) {
                drop(line);
                self.semaphore.give_back();
            } else {
                line.waiting.retain(|(other, _)| *other != who);
            }
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
        self.semaphore.give_back();
    }
}

/// A value that one task at a time may use, also across an await. As fair as a [`Semaphore`].
pub struct Lock<T> {
    turn: Semaphore,
    /// Empty while somebody has it.
    place: Mutex<Option<T>>,
}

impl<T> Lock<T> {
    /// A lock with this value inside, which nobody holds.
    pub fn new(value: T) -> Lock<T> {
        Lock { turn: Semaphore::new(1), place: Mutex::new(Some(value)) }
    }

    fn place(&self) -> MutexGuard<'_, Option<T>> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn guard<'lock>(&'lock self, permit: Permit<'lock>) -> LockGuard<'lock, T> {
        let value = self.place().take();
        LockGuard { value, lock: self, _permit: permit }
    }

    /// Takes the lock, and waits for it if it has to.
    pub async fn lock(&self) -> LockGuard<'_, T> {
        let permit = self.turn.acquire().await;
        self.guard(permit)
    }

    /// Takes the lock if it is free now.
    pub fn try_lock(&self) -> Option<LockGuard<'_, T>> {
        let permit = self.turn.try_acquire()?;
        Some(self.guard(permit))
    }
}

/// The value of a [`Lock`], for one task. It can be sent to another thread, so that it may be held across an await. When this is
/// dropped, in a panic too, the lock goes to the next, with the value as it is then.
#[must_use = "the lock is free when this is dropped"]
pub struct LockGuard<'lock, T> {
    value: Option<T>,
    lock: &'lock Lock<T>,
    /// Goes back after `drop` has put back the value.
    _permit: Permit<'lock>,
}

impl<T> Deref for LockGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_ref().expect("it is here until the guard is dropped")
    }
}

impl<T> DerefMut for LockGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().expect("it is here until the guard is dropped")
    }
}

impl<T> Drop for LockGuard<'_, T> {
    fn drop(&mut self) {
        let value = self.value.take();
        *self.lock.place() = value;
    }
}

/// Values that are fetched once and kept, each under a key. Tasks share it by reference.
pub struct Cache<V> {
    slots: Mutex<HashMap<String, Slot<V>>>,
}

enum Slot<V> {
    Known(V),
    /// Whoever has this may fetch.
    Wanted(Arc<tokio::sync::Mutex<()>>),
}

impl<V: Clone> Cache<V> {
    /// A cache with nothing in it.
    pub fn empty() -> Cache<V> {
        Cache { slots: Mutex::new(HashMap::new()) }
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<String, Slot<V>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The value of this key, if it is there. Never waits, also if somebody is fetching it.
    pub fn known(&self, key: &str) -> Option<V> {
        let slots = self.slots();
        match slots.get(key) {
            Some(Slot::Known(value)) => Some(value.clone()),
            _ => None,
        }
    }

    /// The value, or else whose turn it is.
    fn look(&self, key: &str) -> Result<V, Arc<tokio::sync::Mutex<()>>> {
        let mut slots = self.slots();
        let slot = slots.entry(key.to_owned()).or_insert_with(|| Slot::Wanted(Arc::default()));
        match slot {
            Slot::Known(value) => Ok(value.clone()),
            Slot::Wanted(turn) => Err(Arc::clone(turn)),
        }
    }

    /// The value of this key. If it is not there, `fetch` brings it, and it is kept. If it is there, `fetch` is never polled.
    ///
    /// # Errors
    /// What this `fetch` has failed with. It is not kept.
    pub async fn get<E>(&self, key: &str, fetch: impl Future<Output = Result<V, E>>) -> Result<V, E> {
        let turn = match self.look(key) {
            Ok(value) => return Ok(value),
            Err(turn) => turn,
        };
        let _mine = turn.lock().await;
        if let Some(value) = self.known(key) {
            return Ok(value);
        }
        let value = fetch.await?;
        self.slots().insert(key.to_owned(), Slot::Known(value.clone()));
        Ok(value)
    }
}
