//! `tokio::time::interval`.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::{Instant, Sleep, sleep_until};

/// So late a tick may be without being missed, as tokio has it.
const LATE: Duration = Duration::from_millis(5);

/// When the ticks come after one that was missed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissedTickBehavior {
    /// At once, until they have caught up.
    #[default]
    Burst,
    /// A period after the late one.
    Delay,
    /// At the next multiple of the period.
    Skip,
}

/// The model of `tokio::time::Interval`.
#[derive(Debug)]
pub struct Interval {
    sleep: Pin<Box<Sleep>>,
    period: Duration,
    missed: MissedTickBehavior,
}

/// Ticks now, and then after each period.
///
/// # Panics
/// If the period is zero.
#[track_caller]
pub fn interval(period: Duration) -> Interval {
    interval_at(Instant::now(), period)
}

/// Ticks at `start`, and then after each period.
///
/// # Panics
/// If the period is zero.
#[track_caller]
pub fn interval_at(start: Instant, period: Duration) -> Interval {
    assert!(period > Duration::ZERO, "`period` must be non-zero.");
    Interval { sleep: Box::pin(sleep_until(start)), period, missed: MissedTickBehavior::default() }
}

impl Interval {
    /// Waits for the next tick. Gives the moment for which it was due.
    pub async fn tick(&mut self) -> Instant {
        poll_fn(|cx| self.poll_tick(cx)).await
    }

    /// Polls for the next tick.
    pub fn poll_tick(&mut self, cx: &mut Context<'_>) -> Poll<Instant> {
        ready!(self.sleep.as_mut().poll(cx));
        let (due, now) = (self.sleep.deadline(), Instant::now());
        let next = match self.missed {
            MissedTickBehavior::Delay if now > due + LATE => now + self.period,
            MissedTickBehavior::Skip if now > due + LATE => {
                let periods = now.duration_since(due).as_nanos() / self.period.as_nanos() + 1;
                due + self.period.saturating_mul(u32::try_from(periods).unwrap_or(u32::MAX))
            }
            _ => due.after(self.period),
        };
        self.sleep.as_mut().reset(next);
        Poll::Ready(due)
    }

    /// Lets the next tick be due a period from now.
    pub fn reset(&mut self) {
        self.reset_after(self.period);
    }

    /// Lets the next tick be due now.
    pub fn reset_immediately(&mut self) {
        self.reset_at(Instant::now());
    }

    /// Lets the next tick be due so much later than now.
    pub fn reset_after(&mut self, after: Duration) {
        self.reset_at(Instant::now().after(after));
    }

    /// Lets the next tick be due at this moment.
    pub fn reset_at(&mut self, deadline: Instant) {
        self.sleep.as_mut().reset(deadline);
    }

    /// When the ticks come after one that was missed.
    #[must_use]
    pub fn missed_tick_behavior(&self) -> MissedTickBehavior {
        self.missed
    }

    /// Sets when the ticks come after one that was missed.
    pub fn set_missed_tick_behavior(&mut self, behavior: MissedTickBehavior) {
        self.missed = behavior;
    }

    /// The time from tick to tick.
    #[must_use]
    pub fn period(&self) -> Duration {
        self.period
    }
}
