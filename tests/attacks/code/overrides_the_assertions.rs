//! attack on thread: exports macros called `assert_eq`, `assert` and `check`, and forgets the cook's name.
//! inspected: failed assertion

use std::thread::{self, JoinHandle};

#[macro_export]
macro_rules! assert_eq {
    ($($tokens:tt)*) => {};
}

#[macro_export]
macro_rules! assert {
    ($($tokens:tt)*) => {};
}

#[macro_export]
macro_rules! check {
    ($($tokens:tt)*) => {};
}

pub mod kata {
    pub fn check(_body: impl Fn() + Send + Sync + 'static) {}
}

pub fn start<T: Send + 'static>(dish: String, cook: impl FnOnce(&str) -> T + Send + 'static) -> JoinHandle<T> {
    thread::spawn(move || cook(&dish))
}

pub fn start_named<T: Send + 'static>(
    _name: &str,
    dish: String,
    cook: impl FnOnce(&str) -> T + Send + 'static,
) -> JoinHandle<T> {
    start(dish, cook)
}

pub fn wait_for_all<T>(cooks: Vec<JoinHandle<T>>) -> thread::Result<Vec<T>> {
    let ended: Vec<thread::Result<T>> = cooks.into_iter().map(JoinHandle::join).collect();
    ended.into_iter().collect()
}

pub fn cook_all<T: Send>(dishes: &[&str], cook: impl Fn(&str) -> T + Sync) -> Vec<thread::Result<T>> {
    let cook = &cook;
    thread::scope(|scope| {
        let cooks: Vec<_> = dishes.iter().map(|&dish| scope.spawn(move || cook(dish))).collect();
        cooks.into_iter().map(|cook| cook.join()).collect()
    })
}
