//! A panic that the test wants.

use std::any::Any;

/// Panics with this payload, a message mostly: what a test's closure does to see what becomes of a panic. It is no mistake: nobody has to
/// look at it, and if somebody hangs then, the test fails for that.
///
/// # Panics
/// Always.
#[track_caller]
pub fn panic_on_purpose<P: Any + Send>(payload: P) -> ! {
    #[cfg(feature = "explore")]
    std::explored::panics_on_purpose();
    std::panic::panic_any(payload)
}
