//! What a test uses instead of sleeping. All of it is plain `std`, so explored builds explore it too.

mod blocked;
mod gate;
mod log;
mod peak;
mod rendezvous;
pub(crate) mod waiting;

pub use blocked::until_blocked;
pub use gate::{Gate, GateGuard};
pub use log::Log;
pub use peak::{Peak, PeakGuard};
pub use rendezvous::Rendezvous;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks a tool's own state. A test that panics elsewhere must not make the tool panic too.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
