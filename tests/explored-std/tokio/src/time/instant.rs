//! `tokio::time::Instant`: std's, which is virtual.

use std::fmt;
use std::ops::{Add, AddAssign, Sub, SubAssign};
use std::time::Duration;

/// The model of `tokio::time::Instant`.
#[derive(Clone, Copy, Eq, PartialEq, PartialOrd, Ord, Hash)]
pub struct Instant(std::time::Instant);

/// As far as virtual time goes: what is set for later is never over. (The real one takes thirty years for that.)
const FAR: Duration = Duration::from_nanos(u64::MAX);

impl Instant {
    /// This moment.
    #[must_use]
    #[track_caller]
    pub fn now() -> Instant {
        Instant(std::time::Instant::now())
    }

    /// From std's.
    #[must_use]
    pub fn from_std(std: std::time::Instant) -> Instant {
        Instant(std)
    }

    /// As std's.
    #[must_use]
    pub fn into_std(self) -> std::time::Instant {
        self.0
    }

    /// So much later; in thirty years, if that is beyond the clock.
    pub(super) fn after(self, duration: Duration) -> Instant {
        self.checked_add(duration.min(FAR)).unwrap_or(self)
    }

    /// The time from `earlier` until this moment; zero if that is later.
    #[must_use]
    pub fn duration_since(&self, earlier: Instant) -> Duration {
        self.0.duration_since(earlier.0)
    }

    /// The time from `earlier` until this moment.
    #[must_use]
    pub fn checked_duration_since(&self, earlier: Instant) -> Option<Duration> {
        self.0.checked_duration_since(earlier.0)
    }

    /// The time from `earlier` until this moment; zero if that is later.
    #[must_use]
    pub fn saturating_duration_since(&self, earlier: Instant) -> Duration {
        self.0.saturating_duration_since(earlier.0)
    }

    /// The time since this moment.
    #[must_use]
    #[track_caller]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    /// A later moment.
    #[must_use]
    pub fn checked_add(&self, duration: Duration) -> Option<Instant> {
        self.0.checked_add(duration).map(Instant)
    }

    /// An earlier moment.
    #[must_use]
    pub fn checked_sub(&self, duration: Duration) -> Option<Instant> {
        self.0.checked_sub(duration).map(Instant)
    }
}

impl From<std::time::Instant> for Instant {
    fn from(time: std::time::Instant) -> Instant {
        Instant(time)
    }
}

impl From<Instant> for std::time::Instant {
    fn from(time: Instant) -> std::time::Instant {
        time.0
    }
}

impl Add<Duration> for Instant {
    type Output = Instant;

    fn add(self, other: Duration) -> Instant {
        Instant(self.0 + other)
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, rhs: Duration) {
        self.0 += rhs;
    }
}

impl Sub for Instant {
    type Output = Duration;

    fn sub(self, rhs: Instant) -> Duration {
        self.0.saturating_duration_since(rhs.0)
    }
}

impl Sub<Duration> for Instant {
    type Output = Instant;

    fn sub(self, rhs: Duration) -> Instant {
        Instant(self.0 - rhs)
    }
}

impl SubAssign<Duration> for Instant {
    fn sub_assign(&mut self, rhs: Duration) {
        self.0 -= rhs;
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
