//! A counting semaphore whose permits are guards. The lesson is in `README.md`.

use std::time::Duration;

/// A fixed number of permits that threads take and give back. They share it by reference.
#[derive(Debug)]
pub struct Semaphore {
    // The fields are yours to choose: what is counted, and who is the next?
}

/// Some permits. They go back when this is dropped, in a panic too, and on whichever thread.
#[derive(Debug)]
#[must_use = "the permits go back when this is dropped"]
pub struct Permits<'semaphore> {
    // Yours to choose, too: how do they go back? This one only lets the stub compile.
    _semaphore: &'semaphore Semaphore,
}

/// Why there are no permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// They are not free, or somebody else comes first.
    NotFree,
    /// The semaphore is closed.
    Closed,
}

impl Semaphore {
    /// A semaphore with so many permits, all of them free.
    pub fn new(permits: usize) -> Semaphore {
        todo!()
    }

    /// How many permits are free now.
    pub fn free(&self) -> usize {
        todo!()
    }

    /// Takes so many permits, all at once. Waits until they are free and everybody who waited before has got theirs or has given
    /// up.
    ///
    /// # Errors
    /// [`Refused::Closed`] if the semaphore is closed before that. Never [`Refused::NotFree`].
    ///
    /// # Panics
    /// If there are not so many permits at all. The semaphore can still be used.
    pub fn acquire(&self, many: usize) -> Result<Permits<'_>, Refused> {
        todo!()
    }

    /// Takes so many permits if they are free now and nobody waits.
    ///
    /// # Errors
    /// [`Refused::Closed`] if the semaphore is closed, else [`Refused::NotFree`].
    ///
    /// # Panics
    /// As [`acquire`](Semaphore::acquire).
    pub fn try_acquire(&self, many: usize) -> Result<Permits<'_>, Refused> {
        todo!()
    }

    /// Like [`acquire`](Semaphore::acquire), but waits for `limit` at most.
    ///
    /// # Errors
    /// [`Refused::NotFree`] if the time is up; [`Refused::Closed`] as for `acquire`.
    ///
    /// # Panics
    /// As [`acquire`](Semaphore::acquire).
    pub fn acquire_timeout(&self, many: usize, limit: Duration) -> Result<Permits<'_>, Refused> {
        todo!()
    }

    /// Closes the semaphore, for good. Nobody gets a permit any more, and whoever waits is refused. Permits that are out still go
    /// back.
    pub fn close(&self) {
        todo!()
    }
}
