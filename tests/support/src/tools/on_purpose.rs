//! A panic that the test wants.

/// Panics with this message: what a test's closure does to see what becomes of a panic. If somebody hangs then, the test fails for
/// that, and not for the panic, which is no mistake.
///
/// # Panics
/// Always.
#[track_caller]
pub fn panic_on_purpose(message: &'static str) -> ! {
    #[cfg(feature = "explore")]
    std::explored::panics_on_purpose();
    std::panic::panic_any(message)
}
