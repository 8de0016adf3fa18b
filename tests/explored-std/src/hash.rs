//! `std::hash`, with a [`RandomState`] whose keys are the same whenever a schedule is run: a map's order is no chance.

use std::fmt;

use crate::engine::run::try_with;

#[allow(deprecated)]
pub use ::std::hash::SipHasher;
pub use ::std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash, Hasher};

/// The model of [`std::hash::RandomState`](::std::hash::RandomState). Maps differ in their order, as std's do, but the third
/// map of a thread has the same order in every schedule, whatever other threads did before.
#[derive(Clone)]
pub struct RandomState {
    key: (usize, u64),
}

impl RandomState {
    /// The next of this thread's keys.
    #[must_use]
    pub fn new() -> RandomState {
        let key = try_with(|state| {
            let thread = state.current;
            let made = state.threads.get_mut(thread).map(|thread| {
                thread.hash_keys += 1;
                thread.hash_keys
            });
            (thread, made.unwrap_or(0))
        });
        RandomState { key: key.unwrap_or((0, 0)) }
    }
}

impl Default for RandomState {
    fn default() -> RandomState {
        RandomState::new()
    }
}

impl BuildHasher for RandomState {
    type Hasher = DefaultHasher;

    fn build_hasher(&self) -> DefaultHasher {
        let mut hasher = DefaultHasher::new();
        self.key.hash(&mut hasher);
        hasher
    }
}

impl fmt::Debug for RandomState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RandomState").finish_non_exhaustive()
    }
}
