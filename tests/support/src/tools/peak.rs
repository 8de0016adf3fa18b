//! Counts who is inside.

use std::sync::{Arc, Mutex};

use super::locked;

/// Counts how many threads or tasks are inside at once: proof that a limit is kept, and reached. Clones are the same
/// count.
///
/// ```
/// use kata::Peak;
///
/// let peak = Peak::new();
/// let first = peak.enter();
/// let second = peak.enter();
/// drop(first);
/// assert_eq!((peak.now(), peak.highest()), (1, 2));
/// # drop(second);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Peak(Arc<Mutex<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    now: usize,
    highest: usize,
}

/// While it lives, one more is inside.
#[derive(Debug)]
#[must_use = "dropping it at once leaves at once"]
pub struct PeakGuard(Peak);

impl Peak {
    /// Nobody is inside yet.
    pub fn new() -> Peak {
        Peak::default()
    }

    /// Goes in, until the guard is dropped.
    #[track_caller]
    pub fn enter(&self) -> PeakGuard {
        let mut counts = locked(&self.0);
        counts.now += 1;
        counts.highest = counts.highest.max(counts.now);
        drop(counts);
        PeakGuard(self.clone())
    }

    /// How many are inside now.
    #[track_caller]
    pub fn now(&self) -> usize {
        locked(&self.0).now
    }

    /// The most that ever were inside at once.
    #[track_caller]
    pub fn highest(&self) -> usize {
        locked(&self.0).highest
    }
}

impl Drop for PeakGuard {
    fn drop(&mut self) {
        locked(&self.0.0).now -= 1;
    }
}
