//! What a test uses instead of sleeping. All of it is plain `std`, so explored builds explore it too.

mod ages;
mod blocked;
mod boxed;
mod crowd;
mod gate;
mod limit;
mod log;
pub mod moving;
mod on_purpose;
mod peak;
mod rendezvous;
pub(crate) mod situation;
mod start;
mod steps;
mod still;
mod until;
pub(crate) mod waiting;
mod when_dropped;
mod while_passes;

pub use ages::{AEONS, AGES, ENDLESS};
pub use blocked::until_blocked;
pub use boxed::boxed;
pub use crowd::Crowd;
pub use gate::{Gate, GateGuard};
pub use limit::{is_done_at_once, keeps_to_limit};
pub use log::Log;
pub use on_purpose::panic_on_purpose;
pub use peak::{Peak, PeakGuard};
pub use rendezvous::Rendezvous;
pub use situation::situation;
pub use start::start;
pub use steps::Steps;
pub use still::until_still;
pub use until::until;
pub use when_dropped::{WhenDropped, when_dropped};
pub use while_passes::a_while_passes;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks a tool's own state. A test that panics elsewhere must not make the tool panic too.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
