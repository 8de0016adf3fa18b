//! An event: something that happens, and that any number of threads wait for. The lesson is in `README.md`.

use std::time::Duration;

/// Something that threads wait for: it is set or clear. They share it by reference.
#[derive(Debug)]
pub struct Event {
    // The fields are yours to choose. What does a thread have to remember while it sleeps?
}

impl Event {
    /// An event that is clear.
    pub fn cleared() -> Event {
        todo!()
    }

    /// Sets the event, until it is cleared. Everybody who waits goes on, whatever comes next.
    pub fn set(&self) {
        todo!()
    }

    /// Clears the event. Whoever was let go on before still goes on.
    pub fn clear(&self) {
        todo!()
    }

    /// Whether the event is set.
    pub fn is_set(&self) -> bool {
        todo!()
    }

    /// Lets everybody go on who waits now, and nobody who comes later. The event stays set or clear, as it was.
    pub fn pulse(&self) {
        todo!()
    }

    /// Waits until the event is set or pulsed. Does not wait if it is set already.
    pub fn wait(&self) {
        todo!()
    }

    /// Like [`wait`](Event::wait), but waits for `limit` at most. Says whether the event let it go on; with `Duration::MAX`, it
    /// waits until that is so.
    pub fn wait_timeout(&self, limit: Duration) -> bool {
        todo!()
    }
}
