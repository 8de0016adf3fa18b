//! `std::time`: [`Instant`] and [`SystemTime`] tell virtual time in an exploration.

use std::fmt;
use std::ops::{Add, AddAssign, Sub, SubAssign};
use std::panic::Location;

pub use ::std::time::{Duration, SystemTimeError, TryFromFloatSecsError};

use crate::engine::run::try_with;
use crate::engine::state::State;
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

/// Looks at the clock, as a step where that matters. Nothing outside an exploration.
#[track_caller]
fn look() -> Option<()> {
    let at = Location::caller();
    if let Some(kind) = try_with(State::looks_at_clock)? {
        step_alone(kind, "now", at, Deadline::NEVER);
    }
    Some(())
}

/// The time between the schedule's start and the step that was made last.
fn in_this_step() -> Duration {
    Duration::from_nanos(try_with(|state| state.reads_clock()).unwrap_or(0))
}

/// A hundred years.
const CENTURY: Duration = Duration::from_secs(100 * 365 * 86_400);

impl Instant {
    /// This moment.
    #[must_use]
    #[track_caller]
    pub fn now() -> Instant {
        match look() {
            Some(_) => Instant::in_this_step(),
            None => Instant(Moment::Real(::std::time::Instant::now())),
        }
    }

    /// The moment of the step that was made last.
    pub(crate) fn in_this_step() -> Instant {
        Instant(Moment::Virtual(CENTURY + in_this_step()))
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

/// The model of [`std::time::SystemTime`](::std::time::SystemTime): a clock on the wall that nobody sets. Each schedule begins at
/// the same moment.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SystemTime(::std::time::SystemTime);

/// The model of [`std::time::UNIX_EPOCH`](::std::time::UNIX_EPOCH).
pub const UNIX_EPOCH: SystemTime = SystemTime::UNIX_EPOCH;

/// When every schedule begins: in the first second of 2026.
const BEGIN: Duration = Duration::from_secs(1_767_225_600);

impl SystemTime {
    /// The moment that numbers are counted from.
    pub const UNIX_EPOCH: SystemTime = SystemTime(::std::time::UNIX_EPOCH);

    /// This moment.
    #[must_use]
    #[track_caller]
    pub fn now() -> SystemTime {
        SystemTime(match look() {
            Some(()) => ::std::time::UNIX_EPOCH + BEGIN + in_this_step(),
            None => ::std::time::SystemTime::now(),
        })
    }

    /// The time from `earlier` until this moment.
    ///
    /// # Errors
    /// That is later.
    pub fn duration_since(&self, earlier: SystemTime) -> Result<Duration, SystemTimeError> {
        self.0.duration_since(earlier.0)
    }

    /// The time since this moment.
    ///
    /// # Errors
    /// It has not come.
    #[track_caller]
    pub fn elapsed(&self) -> Result<Duration, SystemTimeError> {
        SystemTime::now().duration_since(*self)
    }

    /// A later moment.
    #[must_use]
    pub fn checked_add(&self, duration: Duration) -> Option<SystemTime> {
        self.0.checked_add(duration).map(SystemTime)
    }

    /// An earlier moment.
    #[must_use]
    pub fn checked_sub(&self, duration: Duration) -> Option<SystemTime> {
        self.0.checked_sub(duration).map(SystemTime)
    }
}

impl fmt::Debug for SystemTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Add<Duration> for SystemTime {
    type Output = SystemTime;

    fn add(self, other: Duration) -> SystemTime {
        SystemTime(self.0 + other)
    }
}

impl AddAssign<Duration> for SystemTime {
    fn add_assign(&mut self, other: Duration) {
        self.0 += other;
    }
}

impl Sub<Duration> for SystemTime {
    type Output = SystemTime;

    fn sub(self, other: Duration) -> SystemTime {
        SystemTime(self.0 - other)
    }
}

impl SubAssign<Duration> for SystemTime {
    fn sub_assign(&mut self, other: Duration) {
        self.0 -= other;
    }
}
