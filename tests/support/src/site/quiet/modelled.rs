//! When nobody is on the way any more: in virtual time, which passes only when nobody can go on.

use std::thread;
use std::time::Duration;

/// The names of the threads that wait for it.
pub(super) const LOOKERS: [&str; 2] = ["site-quiet", "site-meeting"];
/// Shorter than any limit.
const MOMENT: Duration = Duration::from_nanos(1);

/// Returns once no thread can go on.
pub(super) async fn quiet() {
    tokio::time::sleep(MOMENT).await;
}

/// Blocks until no other thread can go on.
pub(super) fn block_until_quiet() {
    thread::sleep(MOMENT);
}
