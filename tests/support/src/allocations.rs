//! How much memory a call asks for.

/// What the call gives, and the bytes that its thread allocated while it ran, also those that it gave back. The count is a thread's own:
/// what other threads do meanwhile does not disturb it.
///
/// ```
/// let (text, bytes) = kata::allocated(|| "tea".repeat(100));
/// assert_eq!((text.len(), bytes), (300, 300));
/// ```
///
/// # Panics
/// On schedules, always: a test program has room for one allocator, and there it is the model's, which does not count. Whoever calls this
/// there has forgotten `threads_only`.
#[cfg(not(feature = "explore"))]
pub fn allocated<T>(call: impl FnOnce() -> T) -> (T, u64) {
    let mut given = None;
    let counted = allocation_counter::measure(|| given = Some(call()));
    (given.expect("the call has returned"), counted.bytes_total)
}

/// As on threads, but that it only panics.
#[cfg(feature = "explore")]
pub fn allocated<T>(_call: impl FnOnce() -> T) -> (T, u64) {
    panic!("bytes are counted on threads only: this test lacks `threads_only`")
}
