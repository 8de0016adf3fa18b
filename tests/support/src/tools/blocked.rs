//! A fact that only a scheduler knows.

use std::thread::Thread;

/// Waits until that thread is blocked or has finished. Then what it waits for can be proven to be what lets it go on.
///
/// For bodies of [`on_schedules`](crate::on_schedules).
///
/// # Panics
/// On threads, where nobody can know this without guessing at times.
#[track_caller]
pub fn until_blocked(thread: &Thread) {
    #[cfg(feature = "explore")]
    std::explored::until_blocked(thread);
    #[cfg(not(feature = "explore"))]
    panic!("until_blocked({thread:?}) needs the scheduler: run this body with `on_schedules`");
}
