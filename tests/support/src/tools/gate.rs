//! Fixes an order.

use std::panic::Location;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::locked;
use super::waiting::waiting_at;

/// Closed until the test opens it; who comes earlier waits. Once open it stays open. Clones are the same gate.
///
/// ```
/// use kata::Gate;
/// use std::thread;
///
/// let gate = Gate::closed();
/// let thread = thread::spawn({
///     let gate = gate.clone();
///     move || gate.pass()
/// });
/// gate.open();
/// thread.join().unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Gate(Arc<Inside>);

#[derive(Debug)]
struct Inside {
    made_at: &'static Location<'static>,
    open: Mutex<bool>,
    changed: Condvar,
}

/// Opens its gate when it is dropped.
#[derive(Debug)]
#[must_use = "dropping it at once opens the gate at once"]
pub struct GateGuard(Gate);

impl Gate {
    /// A closed gate.
    #[track_caller]
    pub fn closed() -> Gate {
        Gate(Arc::new(Inside { made_at: Location::caller(), open: Mutex::new(false), changed: Condvar::new() }))
    }

    /// Lets everybody pass, now and later.
    #[track_caller]
    pub fn open(&self) {
        *locked(&self.0.open) = true;
        self.0.changed.notify_all();
    }

    /// Opens the gate when the guard is dropped: at the latest when the test panics. Without it, a scope would wait for
    /// ever for the thread at the gate, and the panic would never be seen.
    pub fn open_when_dropped(&self) -> GateGuard {
        GateGuard(self.clone())
    }

    /// Waits until the gate is open.
    #[track_caller]
    pub fn pass(&self) {
        let mut open = locked(&self.0.open);
        if *open {
            return;
        }
        let made_at = self.0.made_at;
        waiting_at(
            None,
            move || note(made_at),
            || {
                while !*open {
                    open = self.0.changed.wait(open).unwrap_or_else(PoisonError::into_inner);
                }
            },
        );
    }

    /// Whether the gate is open.
    #[track_caller]
    pub fn is_open(&self) -> bool {
        *locked(&self.0.open)
    }
}

impl Drop for GateGuard {
    fn drop(&mut self) {
        self.0.open();
    }
}

fn note(made_at: &Location<'_>) -> String {
    let file = made_at.file().rsplit(['/', '\\']).next().unwrap_or_default();
    format!("the closed gate of {file}:{}", made_at.line())
}
