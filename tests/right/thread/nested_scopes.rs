//! accepted
//!
//! Each level starts one cook and leaves the rest to a scope inside its own. The plates come together on the way back.

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
    let ended: Vec<thread::Result<T>> = cooks.into_iter().map(JoinHandle::join).collect();
    ended.into_iter().collect()
}

pub fn cook_all<T: Send>(dishes: &[&str], cook: impl Fn(&str) -> T + Sync) -> Vec<thread::Result<T>> {
    fn rest<'a, T: Send>(dishes: &[&'a str], cook: &(impl Fn(&str) -> T + Sync), into: &mut Vec<thread::Result<T>>) {
        let Some((first, others)) = dishes.split_first() else { return };
        thread::scope(|scope| {
            let own = scope.spawn(|| cook(first));
            let mut behind = Vec::new();
            rest(others, cook, &mut behind);
            into.push(own.join());
            into.extend(behind);
        })
    }
    let mut plates = Vec::new();
    rest(dishes, &cook, &mut plates);
    plates
}
