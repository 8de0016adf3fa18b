//! accepted
//!
//! The cook of `start` works in a thread of its own, and the one that is joined only waits for it. In `cook_all` no thread has a dish at
//! first: each takes the next.

use std::panic;
use std::sync::Mutex;
use std::thread::{self, JoinHandle};

#[allow(unused_variables)]
pub fn start<T: Send + 'static>(dish: String, cook: impl FnOnce(&str) -> T + Send + 'static) -> JoinHandle<T> {
    let inner = thread::spawn(move || cook(&dish));
    thread::spawn(move || inner.join().unwrap_or_else(|e| panic::resume_unwind(e)))
}

#[allow(unused_variables)]
pub fn start_named<T: Send + 'static>(
    name: &str,
    dish: String,
    cook: impl FnOnce(&str) -> T + Send + 'static,
) -> JoinHandle<T> {
    thread::Builder::new().name(name.to_owned()).spawn(move || cook(&dish)).expect("a thread")
}

pub fn wait_for_all<T>(cooks: Vec<JoinHandle<T>>) -> thread::Result<Vec<T>> {
    let ended: Vec<thread::Result<T>> = cooks.into_iter().map(JoinHandle::join).collect();
    ended.into_iter().collect()
}

pub fn cook_all<T: Send>(dishes: &[&str], cook: impl Fn(&str) -> T + Sync) -> Vec<thread::Result<T>> {
    let cook = &cook;
    let next = &Mutex::new(dishes.iter().enumerate());
    thread::scope(|s| {
        let cooks: Vec<_> = (0..dishes.len())
            .map(|_| {
                s.spawn(move || {
                    // Each takes the next dish.
                    let (i, dish) = next.lock().unwrap().next().unwrap();
                    (i, panic::catch_unwind(panic::AssertUnwindSafe(|| cook(dish))))
                })
            })
            .collect();
        let mut plates: Vec<_> = cooks.into_iter().map(|c| c.join().unwrap()).collect();
        plates.sort_by_key(|p| p.0);
        plates.into_iter().map(|p| p.1).collect()
    })
}
