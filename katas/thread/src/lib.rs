//! A kitchen with a cook for each dish: every cook is a thread. The lesson is in `README.md`.

use std::thread::{self, JoinHandle};

/// Starts a thread that calls `cook` with the dish, and goes on at once. `join` gives what `cook` returned or panicked with.
pub fn start<T: Send + 'static>(dish: String, cook: impl FnOnce(&str) -> T + Send + 'static) -> JoinHandle<T> {
    todo!()
}

/// Like [`start`], but the thread has a name.
pub fn start_named<T: Send + 'static>(
    name: &str,
    dish: String,
    cook: impl FnOnce(&str) -> T + Send + 'static,
) -> JoinHandle<T> {
    todo!()
}

/// Waits until every one of these cooks has ended, even if some of them panic.
///
/// Then gives all plates, in the order of the cooks. If some cooks have panicked, gives what one of them panicked with.
pub fn wait_for_all<T>(cooks: Vec<JoinHandle<T>>) -> thread::Result<Vec<T>> {
    todo!()
}

/// Calls `cook` once for every dish, each in a thread of its own, all at the same time. Returns when all have ended.
///
/// Gives for each dish what `join` gives, in the order of the dishes: the plate, or what its cook panicked with.
pub fn cook_all<T: Send>(dishes: &[&str], cook: impl Fn(&str) -> T + Sync) -> Vec<thread::Result<T>> {
    todo!()
}
