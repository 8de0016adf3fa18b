//! Time that costs nothing.

/// Hours pass before this returns, and everybody who waits for a limit has given up. On schedules, that is: time is virtual there.
/// On threads it returns at once.
#[track_caller]
pub fn hours_pass() {
    #[cfg(feature = "explore")]
    std::thread::sleep(std::time::Duration::from_secs(10 * 3600));
}
