//! Channels to which the clock sends.

use std::panic::RefUnwindSafe;
use std::raw::{self, Deadline, RawChannel};
use std::real::cell::Cell;
use std::sync::Arc;
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use super::{Receiver, RecvTimeoutError, Shared};

/// When the clock sends, and what.
pub(super) struct Timer<T> {
    /// None once nothing more is sent.
    pub(super) next: Cell<Option<Instant>>,
    every: Option<Duration>,
    message: fn(Instant) -> T,
    /// Who has used it last.
    user: Cell<Option<ThreadId>>,
}

// SAFETY: the cells are touched only by the OS thread that explores, one modelled thread at a time, and never across a switch.
unsafe impl<T> Send for Timer<T> {}
// SAFETY: the same.
unsafe impl<T> Sync for Timer<T> {}

// A panic leaves nothing half done here.
impl<T> RefUnwindSafe for Timer<T> {}

impl<T> Timer<T> {
    /// The running thread uses it. Who comes first matters only where another one does, too.
    pub(super) fn note_user(&self) {
        let me = thread::current().id();
        if self.user.get().is_some_and(|user| user != me) {
            raw::look_closely();
        }
        self.user.set(Some(me));
    }

    /// The same as a step, where others could see it.
    #[track_caller]
    pub(super) fn meet(&self, raw: &RawChannel, name: &'static str) {
        self.note_user();
        raw.touch_closely(name);
    }

    /// Whether there is a message.
    pub(super) fn is_due(&self) -> bool {
        self.next.get().is_some_and(|due| due <= raw::now())
    }

    /// The message, if its time has come.
    pub(super) fn take_due(&self) -> Option<T> {
        let now = raw::now();
        let due = self.next.get().filter(|due| *due <= now)?;
        // Who comes late has the next one later, too: messages do not pile up.
        self.next.set(self.every.and_then(|every| now.checked_add(every)));
        Some((self.message)(due))
    }

    /// Waits for the message.
    #[track_caller]
    pub(super) fn wait(&self, raw: &RawChannel, name: &'static str, deadline: Deadline) -> Result<T, RecvTimeoutError> {
        self.meet(raw, name);
        loop {
            if let Some(message) = self.take_due() {
                return Ok(message);
            }
            let due = self.next.get().map_or(Deadline::NEVER, Deadline::at);
            // Nobody ever sends to it otherwise.
            let _ = raw.receive(name, due.min(deadline));
            if due > deadline {
                return Err(RecvTimeoutError::Timeout);
            }
        }
    }
}

#[track_caller]
fn receiver(next: Option<Instant>, every: Option<Duration>) -> Receiver<Instant> {
    let timer = Timer { next: Cell::new(next), every, message: |at| at, user: Cell::default() };
    // The one sender that a new channel has is never dropped, so receivers wait.
    Receiver { shared: Shared::new(Some(1)), timer: Some(Arc::new(timer)) }
}

/// Gets one message after this much virtual time.
#[track_caller]
#[must_use]
pub fn after(duration: Duration) -> Receiver<Instant> {
    receiver(Instant::now().checked_add(duration), None)
}

/// Gets one message at this moment.
#[track_caller]
#[must_use]
pub fn at(when: Instant) -> Receiver<Instant> {
    receiver(Some(when), None)
}

/// Gets a message each time when so much virtual time has passed.
#[track_caller]
#[must_use]
pub fn tick(duration: Duration) -> Receiver<Instant> {
    receiver(Instant::now().checked_add(duration), Some(duration))
}

/// Never gets a message.
#[track_caller]
#[must_use]
pub fn never<T>() -> Receiver<T> {
    Receiver { shared: Shared::new(Some(0)), timer: None }
}
