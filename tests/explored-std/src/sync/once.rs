//! `Once`.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::panic::{RefUnwindSafe, UnwindSafe};

use crate::raw::{Entered, Left, RawOnce};

/// The model of [`std::sync::Once`](::std::sync::Once).
pub struct Once {
    raw: RawOnce,
}

impl UnwindSafe for Once {}
impl RefUnwindSafe for Once {}

/// What `call_once_force` tells its closure.
pub struct OnceState {
    poisoned: bool,
    /// Not `Sync`.
    stays: PhantomData<Cell<()>>,
}

impl OnceState {
    /// Whether an earlier call panicked.
    #[must_use]
    pub fn is_poisoned(&self) -> bool {
        self.poisoned
    }
}

impl fmt::Debug for OnceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnceState").field("poisoned", &self.poisoned).finish()
    }
}

/// A `Once` for a static, from before there was `Once::new` for it.
#[deprecated(since = "1.38.0", note = "the `Once::new()` function is now preferred")]
#[allow(clippy::declare_interior_mutable_const)]
pub const ONCE_INIT: Once = Once::new();

impl Once {
    /// One that was not called yet.
    #[expect(clippy::new_without_default, reason = "std's has no default either")]
    #[track_caller]
    pub const fn new() -> Once {
        Once { raw: RawOnce::new::<()>("Once") }
    }

    /// Calls the closure, unless that was done; waits while another thread does it.
    ///
    /// # Panics
    /// If an earlier call panicked.
    #[track_caller]
    pub fn call_once<F: FnOnce()>(&self, f: F) {
        self.call(f, |entered| {
            assert!(entered != Entered::BeginsPoisoned, "Once instance has previously been poisoned");
        });
    }

    /// The same, also after a call that panicked.
    #[track_caller]
    pub fn call_once_force<F: FnOnce(&OnceState)>(&self, f: F) {
        let state = Cell::new(false);
        let state_of = |poisoned| OnceState { poisoned, stays: PhantomData };
        self.call(|| f(&state_of(state.get())), |entered| state.set(entered == Entered::BeginsPoisoned));
    }

    #[track_caller]
    fn call(&self, f: impl FnOnce(), before: impl FnOnce(Entered)) {
        let entered = self.raw.enter("call_once");
        if entered == Entered::Done {
            return;
        }
        let leave = LeaveOnDrop { raw: &self.raw, otherwise: Left::Poisoned };
        before(entered);
        f();
        leave.done();
    }

    /// Whether it was called, and has returned.
    #[track_caller]
    pub fn is_completed(&self) -> bool {
        self.raw.is_done("is_completed")
    }

    /// Waits until it was called and has returned.
    ///
    /// # Panics
    /// If the call panicked.
    #[track_caller]
    pub fn wait(&self) {
        assert!(self.raw.wait(), "Once instance has previously been poisoned");
    }

    /// The same, also after a call that panicked.
    #[track_caller]
    pub fn wait_force(&self) {
        while !self.raw.wait() {
            crate::thread::yield_now();
        }
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Once").finish_non_exhaustive()
    }
}

/// Leaves an initialisation even where it panics.
pub(super) struct LeaveOnDrop<'a> {
    pub(super) raw: &'a RawOnce,
    pub(super) otherwise: Left,
}

impl LeaveOnDrop<'_> {
    pub(super) fn done(mut self) {
        self.otherwise = Left::Done;
    }
}

impl Drop for LeaveOnDrop<'_> {
    fn drop(&mut self) {
        self.raw.leave(self.otherwise);
    }
}

/// Runs an initialisation's closure and tells its result, for types that keep a value beside the [`RawOnce`].
#[track_caller]
pub(super) fn initialise<T>(
    raw: &RawOnce,
    name: &'static str,
    otherwise: Left,
    make: impl FnOnce() -> T,
    store: impl FnOnce(T),
) -> Entered {
    let entered = raw.enter(name);
    if entered == Entered::Begins {
        let leave = LeaveOnDrop { raw, otherwise };
        store(make());
        leave.done();
    }
    entered
}
