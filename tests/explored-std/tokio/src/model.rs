//! For models of crates that run on tokio. Not for katas.

pub use crate::context::awaits;
pub use crate::one_thread::OneThread;
pub use crate::steps::Site as Place;

/// Whether this thread polls a future, so that it must not block.
#[must_use]
pub fn polls() -> bool {
    crate::context::with(|context| context.polls)
}
