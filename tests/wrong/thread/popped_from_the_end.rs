//! rejected: assertion
//!
//! A list is easily emptied from its end. So the plates of the last cooks come first.

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

pub fn wait_for_all<T>(mut cooks: Vec<JoinHandle<T>>) -> thread::Result<Vec<T>> {
    let mut ended = Vec::new();
    while let Some(cook) = cooks.pop() {
        ended.push(cook.join());
    }
    ended.into_iter().collect()
}

pub fn cook_all<T: Send>(dishes: &[&str], cook: impl Fn(&str) -> T + Sync) -> Vec<thread::Result<T>> {
    let cook = &cook;
    thread::scope(|scope| {
        let cooks: Vec<_> = dishes.iter().map(|&dish| scope.spawn(move || cook(dish))).collect();
        cooks.into_iter().map(|cook| cook.join()).collect()
    })
}
