//! `std::hint`, with a `spin_loop` that the scheduler sees.

use std::panic::Location;

pub use ::std::hint::{assert_unchecked, black_box, cold_path, select_unpredictable, unreachable_unchecked};

/// Says that this thread spins: others go first.
#[track_caller]
pub fn spin_loop() {
    crate::thread::pause("spin_loop", Location::caller());
}
