//! Time that costs nothing.

/// Two seconds pass before this returns, and whoever waits for a shorter time has given up. On schedules, that is: time is virtual
/// there. On threads it returns at once.
///
/// It is no longer, because somebody who looks every millisecond whether there is news takes steps all the time, and a schedule
/// has an end. Longer limits are found by [`hostile_timeouts`](crate::Check::hostile_timeouts).
#[track_caller]
pub fn a_while_passes() {
    #[cfg(feature = "explore")]
    std::thread::sleep(std::time::Duration::from_secs(2));
}
