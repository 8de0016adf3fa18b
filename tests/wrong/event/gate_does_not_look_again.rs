//! rejected: lost-wakeup
//! by: whoever_comes_while_others_go_on_is_let_go_on_next
//!
//! Breaks "whoever begins to wait right after a pulse … goes on with the next `set`": A waits, `pulse`, N comes while A is still on its way
//! out and stands at the gate, `set`, A leaves, N passes the gate and sleeps although the event is set. Whoever comes while others go out
//! waits at a gate until they are out. The flag is looked at before the gate, not after.

use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

#[derive(Debug, Default)]
struct Hall {
    set: bool,
    generation: u64,
    waiting: usize,
    leaving: usize,
}

/// Something that threads wait for: it is set or clear. They share it by reference.
#[derive(Debug)]
pub struct Event {
    hall: Mutex<Hall>,
    gate: Condvar,
    bell: Condvar,
}

/// Sleeps once. With the time up, the guard comes back as an error.
fn sleep<'hall>(
    place: &Condvar,
    hall: MutexGuard<'hall, Hall>,
    deadline: Option<Instant>,
) -> Result<MutexGuard<'hall, Hall>, MutexGuard<'hall, Hall>> {
    let Some(at) = deadline else {
        return Ok(place.wait(hall).unwrap());
    };
    let left = at.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(hall) } else { Ok(place.wait_timeout(hall, left).unwrap().0) }
}

impl Event {
    /// An event that is clear.
    pub fn cleared() -> Event {
        Event { hall: Mutex::default(), gate: Condvar::new(), bell: Condvar::new() }
    }

    fn ring(&self, mut hall: MutexGuard<'_, Hall>) {
        hall.generation += 1;
        hall.leaving += hall.waiting;
        hall.waiting = 0;
        drop(hall);
        self.bell.notify_all();
        self.gate.notify_all();
    }

    /// Sets the event, until it is cleared. Everybody who waits goes on, whatever comes next.
    pub fn set(&self) {
        let mut hall = self.hall.lock().unwrap();
        hall.set = true;
        self.ring(hall);
    }

    /// Clears the event. Whoever was let go on before still goes on.
    pub fn clear(&self) {
        self.hall.lock().unwrap().set = false;
    }

    /// Whether the event is set.
    pub fn is_set(&self) -> bool {
        self.hall.lock().unwrap().set
    }

    /// Lets everybody go on who waits now, and nobody who comes later. The event stays set or clear, as it was.
    pub fn pulse(&self) {
        self.ring(self.hall.lock().unwrap());
    }

    /// Waits until the event is set or pulsed. Does not wait if it is set already.
    pub fn wait(&self) {
        self.wait_until(None);
    }

    /// Like [`wait`](Event::wait), but waits for `limit` at most. Says whether the event let it go on; with `Duration::MAX`, it
    /// waits until that is so.
    pub fn wait_timeout(&self, limit: Duration) -> bool {
        self.wait_until(Instant::now().checked_add(limit))
    }

    fn wait_until(&self, deadline: Option<Instant>) -> bool {
        let mut hall = self.hall.lock().unwrap();
        if hall.set {
            return true;
        }
        while hall.leaving > 0 {
            hall = match sleep(&self.gate, hall, deadline) {
                Ok(hall) => hall,
                Err(hall) => return hall.set,
            };
        }
        hall.waiting += 1;
        let mine = hall.generation;
        while hall.generation == mine {
            hall = match sleep(&self.bell, hall, deadline) {
                Ok(hall) => hall,
                Err(mut hall) => {
                    hall.waiting -= 1;
                    return false;
                }
            };
        }
        hall.leaving -= 1;
        if hall.leaving == 0 {
            drop(hall);
            self.gate.notify_all();
        }
        true
    }
}
