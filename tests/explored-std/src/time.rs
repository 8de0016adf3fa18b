//! `std::time`: [`Instant`] tells virtual time in an exploration. `SystemTime` is the real one.

use std::ops::{Add, AddAssign, Sub, SubAssign};
use std::panic::Location;

pub use ::std::time::{Duration, SystemTime, SystemTimeError, TryFromFloatSecsError, UNIX_EPOCH};

use crate::engine::kind::Kind;
use crate::engine::run::try_with;
use crate::raw::{Deadline, step_alone};

/// The model of [`std::time::Instant`](::std::time::Instant).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(Moment);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Moment {
    /// Since the schedule's start, plus a century so that one can go back.
    Virtual(Duration),
    /// Outside an exploration.
    Real(::std::time::Instant),
}

/// A hundred years.
const CENTURY: Duration = Duration::from_secs(100 * 365 * 86_400);

impl Instant {
    /// This moment.
    #[must_use]
    #[track_caller]
    pub fn now() -> Instant {
        let at = Location::caller();
        match try_with(|state| state.settings.hostile) {
            None => return Instant(Moment::Real(::std::time::Instant::now())),
            // Time moves while others run, so the moment of looking matters.
            Some(true) => step_alone(Kind::Clock, "now", at, Deadline::NEVER),
            Some(false) => {}
        }
        Instant::in_this_step()
    }

    /// The moment of the step that was made last.
    pub(crate) fn in_this_step() -> Instant {
        let now = try_with(|state| state.reads_clock());
        Instant(Moment::Virtual(CENTURY + Duration::from_nanos(now.unwrap_or(0))))
    }

    pub(crate) fn virtual_nanos(self) -> Option<u64> {
        match self.0 {
            Moment::Virtual(since) => u64::try_from(since.saturating_sub(CENTURY).as_nanos()).ok(),
            Moment::Real(_) => None,
        }
    }

    /// The time from `earlier` until this moment; zero if that is later.
    #[must_use]
    pub fn duration_since(&self, earlier: Instant) -> Duration {
        self.saturating_duration_since(earlier)
    }

    /// The time from `earlier` until this moment.
    #[must_use]
    pub fn checked_duration_since(&self, earlier: Instant) -> Option<Duration> {
        match (self.0, earlier.0) {
            (Moment::Virtual(to), Moment::Virtual(from)) => to.checked_sub(from),
            (Moment::Real(to), Moment::Real(from)) => to.checked_duration_since(from),
            _ => None,
        }
    }

    /// The time from `earlier` until this moment; zero if that is later.
    #[must_use]
    pub fn saturating_duration_since(&self, earlier: Instant) -> Duration {
        self.checked_duration_since(earlier).unwrap_or_default()
    }

    /// The time since this moment.
    #[must_use]
    #[track_caller]
    pub fn elapsed(&self) -> Duration {
        Instant::now().saturating_duration_since(*self)
    }

    /// A later moment.
    #[must_use]
    pub fn checked_add(&self, duration: Duration) -> Option<Instant> {
        Some(Instant(match self.0 {
            Moment::Virtual(since) => Moment::Virtual(since.checked_add(duration)?),
            Moment::Real(real) => Moment::Real(real.checked_add(duration)?),
        }))
    }

    /// An earlier moment.
    #[must_use]
    pub fn checked_sub(&self, duration: Duration) -> Option<Instant> {
        Some(Instant(match self.0 {
            Moment::Virtual(since) => Moment::Virtual(since.checked_sub(duration)?),
            Moment::Real(real) => Moment::Real(real.checked_sub(duration)?),
        }))
    }
}

impl Add<Duration> for Instant {
    type Output = Instant;

    fn add(self, other: Duration) -> Instant {
        self.checked_add(other).expect("overflow when adding duration to instant")
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, other: Duration) {
        *self = *self + other;
    }
}

impl Sub<Duration> for Instant {
    type Output = Instant;

    fn sub(self, other: Duration) -> Instant {
        self.checked_sub(other).expect("overflow when subtracting duration from instant")
    }
}

impl SubAssign<Duration> for Instant {
    fn sub_assign(&mut self, other: Duration) {
        *self = *self - other;
    }
}

impl Sub<Instant> for Instant {
    type Output = Duration;

    fn sub(self, other: Instant) -> Duration {
        self.duration_since(other)
    }
}
