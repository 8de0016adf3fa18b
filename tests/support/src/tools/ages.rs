//! Times that are longer than somebody thought of who counts them in too few bits. On schedules they cost nothing.

use std::time::Duration;

/// About 300 years, to the nanosecond: more seconds than 32 bits count, more nanoseconds than 63 bits and than an `f64` tells apart.
pub const AGES: Duration = Duration::new(300 * 365 * 24 * 60 * 60, 246);

/// About 584 years: one nanosecond more than 64 bits count.
pub const AEONS: Duration = Duration::new(18_446_744_073, 709_551_616);

/// Limits whose end no clock can tell. Who knows the longest one by its name alone comes to grief with the other one.
pub const ENDLESS: [Duration; 2] = [Duration::MAX, Duration::MAX.saturating_sub(Duration::from_nanos(1))];
