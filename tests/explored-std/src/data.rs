//! The data of a modelled object that lasts longer than a schedule: a static's has to be made fresh.

use std::cell::UnsafeCell;

/// What a lock protects.
///
/// A static is used again in the next schedule, so its first value is kept as bytes.
pub(crate) struct Data<T: ?Sized>(UnsafeCell<T>);

impl<T> Data<T> {
    pub(crate) const fn new(value: T) -> Data<T> {
        Data(UnsafeCell::new(value))
    }

    pub(crate) fn into_inner(self) -> T {
        self.0.into_inner()
    }
}

impl<T: ?Sized> Data<T> {
    /// The data. Whoever reads or writes through it holds the lock.
    pub(crate) fn get(&self) -> *mut T {
        self.0.get()
    }

    pub(crate) fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }
}

/// Makes the data of a lock fresh that is left from an earlier schedule, or says that this is impossible.
pub(crate) fn refuse_stale<T: ?Sized>(_data: &Data<T>, what: &'static str) {
    refuse(what, "what it protects can't be made fresh");
}

/// Ends the exploration: an object outlives its schedule, and can't be made fresh.
pub(crate) fn refuse(what: &str, why: &str) -> ! {
    let message = format!("a {what} outlives one schedule and {why}: make it inside the test");
    crate::engine::run::end(crate::engine::run::Ending::Nondeterministic(message))
}

/// Drops a value that an earlier schedule has left, without steps.
pub(crate) fn drop_quietly<T>(value: T) {
    use crate::engine::run::with;
    use crate::engine::state::Phase;
    let phase = with(|state| std::mem::replace(&mut state.phase, Phase::Observing));
    drop(value);
    with(|state| state.phase = phase);
}
