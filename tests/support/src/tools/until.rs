//! Looking again and again.

use std::thread;

/// Waits until this is so, for what nobody tells a waiter: it looks every millisecond. On schedules it lets others go first, and looks
/// again.
pub fn until(mut is_so: impl FnMut() -> bool) {
    while !is_so() {
        // Who only makes way keeps a processor busy, and a test that gets stuck here does so to its deadline.
        #[cfg(not(feature = "explore"))]
        thread::sleep(std::time::Duration::from_millis(1));
        #[cfg(feature = "explore")]
        thread::yield_now();
    }
}
