//! What modelled threads share without steps.

use std::cell::RefCell;

/// A value of the model's own. Whoever uses it makes a step first where others could see the difference.
#[derive(Default)]
pub struct OneThread<T>(RefCell<T>);

// SAFETY: all modelled threads run on one OS thread, and nobody switches while the value is borrowed: `with` calls closures of models
// only, which make no steps.
unsafe impl<T> Send for OneThread<T> {}
// SAFETY: the same.
unsafe impl<T> Sync for OneThread<T> {}

// A panic leaves nothing half done here.
impl<T> std::panic::UnwindSafe for OneThread<T> {}
impl<T> std::panic::RefUnwindSafe for OneThread<T> {}

impl<T> OneThread<T> {
    /// For one value.
    pub const fn new(value: T) -> OneThread<T> {
        OneThread(RefCell::new(value))
    }

    /// Uses the value. `f` must make no step.
    pub fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        f(&mut self.0.borrow_mut())
    }
}

/// Takes something that stays on one OS thread to another modelled thread.
pub(crate) struct Carried<T>(pub(crate) T);

// SAFETY: all modelled threads run on one OS thread.
unsafe impl<T> Send for Carried<T> {}

impl<T> Carried<T> {
    /// The value. By a method, so that a closure captures the whole.
    pub(crate) fn unpack(self) -> T {
        self.0
    }
}
