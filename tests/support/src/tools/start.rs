//! Threads with names.

use std::thread::{self, Scope, ScopedJoinHandle};

/// Starts a thread of a scope, with a name that the table of a failing schedule shows.
///
/// # Panics
/// If the system has no room for one more thread.
#[track_caller]
pub fn start<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: &str,
    work: impl FnOnce() -> T + Send + 'scope,
) -> ScopedJoinHandle<'scope, T> {
    start_boxed(scope, name, Box::new(work))
}

/// Compiled once for each result, and not once for each closure of a test.
#[track_caller]
fn start_boxed<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: &str,
    work: Box<dyn FnOnce() -> T + Send + 'scope>,
) -> ScopedJoinHandle<'scope, T> {
    let thread = thread::Builder::new().name(name.to_owned());
    thread.spawn_scoped(scope, work).expect("the system has room for a thread")
}
