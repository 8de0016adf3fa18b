//! rejected: deadlock
//! by: whoever_gives_up_changes_nothing_for_the_others
//!
//! Breaks "After `set`, everybody goes on who waits" after somebody gave up: each waiter is kept under the number of those who wait. A and
//! B wait, A gives up, C comes and gets B's number: it takes B's place in the map, and B is never woken.

use std::collections::BTreeMap;
use std::mem;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

#[derive(Debug, Default)]
struct Inside {
    set: bool,
    waiting: BTreeMap<usize, Sender<()>>,
}

/// Something that threads wait for: it is set or clear. They share it by reference.
#[derive(Debug)]
pub struct Event {
    inside: Mutex<Inside>,
}

impl Event {
    /// An event that is clear.
    pub fn cleared() -> Event {
        Event { inside: Mutex::new(Inside::default()) }
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap()
    }

    /// Sets the event, until it is cleared. Everybody who waits goes on, whatever comes next.
    pub fn set(&self) {
        let mut inside = self.lock();
        inside.set = true;
        for (_, waiting) in mem::take(&mut inside.waiting) {
            let _ = waiting.send(());
        }
    }

    /// Clears the event. Whoever was let go on before still goes on.
    pub fn clear(&self) {
        self.lock().set = false;
    }

    /// Whether the event is set.
    pub fn is_set(&self) -> bool {
        self.lock().set
    }

    /// Lets everybody go on who waits now, and nobody who comes later. The event stays set or clear, as it was.
    pub fn pulse(&self) {
        for (_, waiting) in mem::take(&mut self.lock().waiting) {
            let _ = waiting.send(());
        }
    }

    /// Joins those who wait; nothing if the event is set. The second value holds the sender, so that it is never cut off.
    fn join(&self) -> Option<(usize, Sender<()>, Receiver<()>)> {
        let mut inside = self.lock();
        if inside.set {
            return None;
        }
        let (sender, receiver) = mpsc::channel();
        let key = inside.waiting.len();
        inside.waiting.insert(key, sender.clone());
        Some((key, sender, receiver))
    }

    /// Waits until the event is set or pulsed. Does not wait if it is set already.
    pub fn wait(&self) {
        if let Some((_, _sender, receiver)) = self.join() {
            let _ = receiver.recv();
        }
    }

    /// Like [`wait`](Event::wait), but waits for `limit` at most. Says whether the event let it go on; with `Duration::MAX`, it
    /// waits until that is so.
    pub fn wait_timeout(&self, limit: Duration) -> bool {
        if limit.is_zero() {
            return self.is_set();
        }
        if Instant::now().checked_add(limit).is_none() {
            self.wait();
            return true;
        }
        let Some((key, _sender, receiver)) = self.join() else {
            return true;
        };
        if receiver.recv_timeout(limit) != Err(RecvTimeoutError::Timeout) {
            return true;
        }
        let mut inside = self.lock();
        if receiver.try_recv().is_ok() {
            return true;
        }
        inside.waiting.remove(&key);
        false
    }
}
