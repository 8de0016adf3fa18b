//! rejected: assertion, race
//!
//! Each thread puts its plate at the end of the list when it is done. That is the order of the dishes only as long as
//! nobody is overtaken.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Mutex;
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
    let plates = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for dish in dishes {
            scope.spawn(|| {
                let plate = panic::catch_unwind(AssertUnwindSafe(|| cook(dish)));
                plates.lock().unwrap().push(plate);
            });
        }
    });
    plates.into_inner().unwrap()
}
