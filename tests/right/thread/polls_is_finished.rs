//! accepted
//!
//! Nobody is joined who has not ended: the handles go round in a queue, and `is_finished` says whose turn it is.

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
    let mut waiting: std::collections::VecDeque<(usize, JoinHandle<T>)> = cooks.into_iter().enumerate().collect();
    let mut ended: Vec<(usize, thread::Result<T>)> = Vec::new();
    while let Some((place, cook)) = waiting.pop_front() {
        if cook.is_finished() {
            ended.push((place, cook.join()));
        } else {
            waiting.push_back((place, cook));
            thread::yield_now();
        }
    }
    ended.sort_by_key(|(place, _)| *place);
    ended.into_iter().map(|(_, plate)| plate).collect()
}

pub fn cook_all<T: Send>(dishes: &[&str], cook: impl Fn(&str) -> T + Sync) -> Vec<thread::Result<T>> {
    let cook = &cook;
    thread::scope(|scope| {
        let cooks: Vec<_> = dishes.iter().map(|&dish| scope.spawn(move || cook(dish))).collect();
        cooks.into_iter().map(|cook| cook.join()).collect()
    })
}
