//! The data of modelled objects that last longer than a schedule: a static's has to be made fresh.

use std::cell::UnsafeCell;

use crate::engine::run::{Ending, end, with};
use crate::engine::state::Phase;

/// Makes the data of a lock fresh that is left from an earlier schedule, or says that this is impossible.
pub(crate) fn make_fresh<T: ?Sized>(_data: &UnsafeCell<T>, what: &'static str) {
    refuse(what, "what it protects can't be made fresh");
}

/// Ends the exploration: an object outlives its schedule, and can't be made fresh.
pub(crate) fn refuse(what: &str, why: &str) -> ! {
    let message = format!("a {what} outlives one schedule and {why}: make it inside the test");
    end(Ending::Nondeterministic(message))
}

/// Drops a value that an earlier schedule has left, without steps.
pub(crate) fn drop_quietly<T>(value: T) {
    let phase = with(|state| std::mem::replace(&mut state.phase, Phase::Observing));
    drop(value);
    with(|state| state.phase = phase);
}
