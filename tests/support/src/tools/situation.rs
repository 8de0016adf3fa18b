//! Says which of many situations a test is trying.

/// The test tries this situation from now on. If it fails, however it fails, its message says so: in words for the learner.
///
/// For bodies that go through a table, on threads: a schedule tells for itself what happens in it, so explored builds ignore it.
///
/// ```
/// for bytes in [0, 1, 70_000] {
///     kata::situation(format!("the child writes {bytes} bytes"));
///     // …
/// }
/// ```
pub fn situation(text: impl Into<String>) {
    #[cfg(feature = "explore")]
    drop(text.into());
    #[cfg(not(feature = "explore"))]
    on_threads::set(Some(text.into()));
}

#[cfg(not(feature = "explore"))]
pub(crate) mod on_threads {
    use std::sync::{Mutex, PoisonError};

    static CURRENT: Mutex<Option<String>> = Mutex::new(None);

    pub(crate) fn set(text: Option<String>) {
        *CURRENT.lock().unwrap_or_else(PoisonError::into_inner) = text;
    }

    /// What the test tries now.
    pub(crate) fn get() -> Option<String> {
        CURRENT.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
