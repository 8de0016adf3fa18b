//! `tokio::sync::Barrier`.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::raw::RawLock;

use super::BarrierWaitResult;
use crate::steps::Steps;

/// The model of `tokio::sync::Barrier`.
pub struct Barrier {
    raw: RawLock,
    real: real::sync::Barrier,
}

impl Barrier {
    /// A barrier that opens when so many wait.
    #[must_use]
    #[track_caller]
    pub fn new(n: usize) -> Barrier {
        Barrier { raw: RawLock::new::<()>("Barrier"), real: real::sync::Barrier::new(n) }
    }

    /// Waits for the others.
    #[track_caller]
    pub fn wait(&self) -> impl Future<Output = BarrierWaitResult> {
        Steps::new(&self.raw, "wait", Location::caller(), self.real.wait())
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barrier").finish_non_exhaustive()
    }
}
