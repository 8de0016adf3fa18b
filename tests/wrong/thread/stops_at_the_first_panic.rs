//! rejected: race
//!
//! Collecting into a `Result` stops at the first `Err`. The handles behind it are dropped, and nobody waits for their
//! threads any more.

use std::thread::{self, JoinHandle};

pub fn start<T: Send + 'static>(dish: String, cook: impl FnOnce(&str) -> T + Send + 'static) -> JoinHandle<T> {
    thread::spawn(move || cook(&dish))
}

pub fn start_named<T: Send + 'static>(
    name: &str,
    dish: String,
    cook: impl FnOnce(&str) -> T + Send + 'static,
) -> JoinHandle<T> {
    thread::Builder::new().name(name.to_owned()).spawn(move || cook(&dish)).unwrap()
}

pub fn wait_for_all<T>(cooks: Vec<JoinHandle<T>>) -> thread::Result<Vec<T>> {
    cooks.into_iter().map(|cook| cook.join()).collect()
}

pub fn cook_all<T: Send>(dishes: &[&str], cook: impl Fn(&str) -> T + Sync) -> Vec<thread::Result<T>> {
    let cook = &cook;
    thread::scope(|scope| {
        let cooks: Vec<_> = dishes.iter().map(|&dish| scope.spawn(move || cook(dish))).collect();
        cooks.into_iter().map(|cook| cook.join()).collect()
    })
}
