//! rejected: assertion, serialised
//!
//! No threads at all: one cook makes all the dishes. The dish that fails takes all others with it.

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
    let ended: Vec<thread::Result<T>> = cooks.into_iter().map(JoinHandle::join).collect();
    ended.into_iter().collect()
}

pub fn cook_all<T: Send>(dishes: &[&str], cook: impl Fn(&str) -> T + Sync) -> Vec<thread::Result<T>> {
    dishes.iter().map(|dish| Ok(cook(dish))).collect()
}
