//! accepted
//!
//! A book of rounds behind one lock, and all of `std::sync` imported: `Barrier` is its own all the same.

use std::{collections::HashSet, num::*, sync::*, thread, time::*};

#[derive(Debug, Default)]
struct Book {
    round: u128,
    here: usize,
    broken: bool,
    failed: HashSet<u128>,
}

#[derive(Debug)]
pub struct Barrier {
    parties: NonZeroUsize,
    pair: (Mutex<Book>, Condvar),
}

#[derive(Debug)]
pub struct Party<'barrier> {
    barrier: &'barrier Barrier,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken;

trait Sleep {
    /// The book, and whether the time is up.
    fn sleep<'a>(self, bell: &Condvar, book: MutexGuard<'a, Book>, mine: u128) -> (MutexGuard<'a, Book>, bool);
}

struct Endless;

impl Sleep for Endless {
    fn sleep<'a>(self, bell: &Condvar, book: MutexGuard<'a, Book>, mine: u128) -> (MutexGuard<'a, Book>, bool) {
        (bell.wait_while(book, |book| book.round == mine).unwrap(), false)
    }
}

impl Sleep for Duration {
    fn sleep<'a>(self, bell: &Condvar, book: MutexGuard<'a, Book>, mine: u128) -> (MutexGuard<'a, Book>, bool) {
        let (book, up) = bell.wait_timeout_while(book, self, |book| book.round == mine).unwrap();
        (book, up.timed_out())
    }
}

impl Barrier {
    pub fn new(parties: NonZeroUsize) -> Barrier {
        Barrier { parties, pair: Default::default() }
    }

    pub fn party(&self) -> Party<'_> {
        Party { barrier: self }
    }

    pub fn is_broken(&self) -> bool {
        self.pair.0.lock().unwrap().broken
    }

    pub fn reset(&self) {
        self.fail(self.pair.0.lock().unwrap(), false);
    }

    fn fail(&self, mut book: MutexGuard<'_, Book>, broken: bool) {
        let round = book.round;
        book.failed.insert(round);
        book.round += 1;
        book.here = 0;
        book.broken = broken;
        drop(book);
        self.pair.1.notify_all();
    }

    fn meet(&self, limit: impl Sleep) -> Result<bool, Broken> {
        let mut book = self.pair.0.lock().unwrap();
        if book.broken {
            return Err(Broken);
        }
        let mine = book.round;
        book.here += 1;
        if book.here == self.parties.get() {
            book.here = 0;
            book.round += 1;
            drop(book);
            self.pair.1.notify_all();
            return Ok(true);
        }
        let (book, up) = limit.sleep(&self.pair.1, book, mine);
        if up && book.round == mine {
            self.fail(book, true);
            return Err(Broken);
        }
        if book.failed.contains(&mine) { Err(Broken) } else { Ok(false) }
    }
}

impl Party<'_> {
    pub fn wait(&self) -> Result<bool, Broken> {
        self.barrier.meet(Endless)
    }

    pub fn wait_timeout(&self, limit: Duration) -> Result<bool, Broken> {
        if limit == Duration::MAX { self.wait() } else { self.barrier.meet(limit) }
    }
}

impl Drop for Party<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            let book = self.barrier.pair.0.lock().unwrap_or_else(|poison| poison.into_inner());
            self.barrier.fail(book, true);
        }
    }
}
