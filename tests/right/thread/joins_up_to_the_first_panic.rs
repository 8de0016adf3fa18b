//! accepted
//!
//! It sees that all have ended, and joins them up to the first that has panicked: nobody looks at the others then.

use std::thread::{self, JoinHandle};

pub fn start<T: Send + 'static>(dish: String, cook: impl FnOnce(&str) -> T + Send + 'static) -> JoinHandle<T> {
    thread::spawn(move || cook(&dish))
}

pub fn start_named<T: Send + 'static>(
    name: &str,
    dish: String,
    cook: impl FnOnce(&str) -> T + Send + 'static,
) -> JoinHandle<T> {
    let thread = thread::Builder::new().name(name.to_owned()).spawn(move || cook(&dish));
    thread.expect("the system has room for one more thread")
}

pub fn wait_for_all<T>(cooks: Vec<JoinHandle<T>>) -> thread::Result<Vec<T>> {
    while !cooks.iter().all(JoinHandle::is_finished) {
        thread::yield_now();
    }
    cooks.into_iter().map(JoinHandle::join).collect()
}

pub fn cook_all<T: Send>(dishes: &[&str], cook: impl Fn(&str) -> T + Sync) -> Vec<thread::Result<T>> {
    let cook = &cook;
    thread::scope(|scope| {
        let cooks: Vec<_> = dishes.iter().map(|&dish| scope.spawn(move || cook(dish))).collect();
        cooks.into_iter().map(|cook| cook.join()).collect()
    })
}
